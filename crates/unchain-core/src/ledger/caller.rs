//! Who made a call: `userIdentity` as it was logged, kept once for all events that share it.
//!
//! Nothing is joined here: a caller is what one record says. `lineage` decides which callers are
//! the same credential.
//! docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html

use super::symbols::{Symbol, Symbols};
use crate::event::Event;
use crate::id::split_principal;
use crate::json::Node;
use crate::time::{Seconds, Timestamp, seconds};

/// `userIdentity.type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[expect(
    missing_docs,
    reason = "the variants are AWS's own names for the types"
)]
pub enum IdentityType {
    Root,
    IamUser,
    AssumedRole,
    Role,
    FederatedUser,
    Directory,
    AwsAccount,
    AwsService,
    IdentityCenterUser,
    SamlUser,
    WebIdentityUser,
    Unknown,
    /// The record has no type, or no `userIdentity` at all.
    #[default]
    Absent,
    /// A type this version does not know; [`Rare::type_name`] keeps it.
    Other,
}

/// AWS's names of the types; also the order in which the case file numbers them.
pub const IDENTITY_TYPES: [(IdentityType, &str); 14] = [
    (IdentityType::Root, "Root"),
    (IdentityType::IamUser, "IAMUser"),
    (IdentityType::AssumedRole, "AssumedRole"),
    (IdentityType::Role, "Role"),
    (IdentityType::FederatedUser, "FederatedUser"),
    (IdentityType::Directory, "Directory"),
    (IdentityType::AwsAccount, "AWSAccount"),
    (IdentityType::AwsService, "AWSService"),
    (IdentityType::IdentityCenterUser, "IdentityCenterUser"),
    (IdentityType::SamlUser, "SAMLUser"),
    (IdentityType::WebIdentityUser, "WebIdentityUser"),
    (IdentityType::Unknown, "Unknown"),
    (IdentityType::Absent, ""),
    (IdentityType::Other, "other"),
];

impl IdentityType {
    /// Reads AWS's name.
    pub fn read(name: &str) -> Self {
        IDENTITY_TYPES
            .iter()
            .find(|(_, n)| *n == name)
            .map_or(Self::Other, |(t, _)| *t)
    }
}

/// `userIdentity` of one or many records, plus the record's console flag. Symbols are the ledger's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Caller {
    /// `accessKeyId`; empty where AWS logs none.
    pub key: Symbol,
    /// `principalId` up to a colon.
    pub unique_id: Symbol,
    /// `principalId` after the colon: the role session or federated user name.
    pub session: Symbol,
    /// `arn`, without the session name at its end where `arn_ends_with_session`.
    pub arn: Symbol,
    /// `accountId`.
    pub account: Symbol,
    /// `userName`.
    pub user_name: Symbol,
    /// `sessionContext.sessionIssuer.arn`.
    pub issuer_arn: Symbol,
    /// `sessionContext.sessionIssuer.principalId`.
    pub issuer_id: Symbol,
    /// `invokedBy`.
    pub invoked_by: Symbol,
    /// Index into [`super::Ledger::rare`]; 0 is the one with nothing set.
    pub rare: u32,
    /// `sessionContext.attributes.creationDate`.
    pub created: Option<Seconds>,
    /// `type`.
    pub kind: IdentityType,
    /// `sessionContext.attributes.mfaAuthenticated`.
    pub mfa: Option<bool>,
    /// The record says `sessionCredentialFromConsole`.
    pub from_console: bool,
    /// Whether the ARN is `arn` followed by `session`.
    pub arn_ends_with_session: bool,
}

/// Parts of `userIdentity` that few records have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Rare {
    /// `type`, when it is not one of AWS's documented names.
    pub type_name: Symbol,
    /// `sessionContext.sourceIdentity`.
    pub source_identity: Symbol,
    /// `sessionContext.signInSessionArn`.
    pub sign_in_session: Symbol,
    /// `onBehalfOf.userId`.
    pub on_behalf_of: Symbol,
    /// `onBehalfOf.identityStoreArn`.
    pub identity_store: Symbol,
    /// `credentialId`: the portal or bearer session of an Identity Center user.
    pub credential_id: Symbol,
    /// `identityProvider` or `webIdFederationData.federatedProvider`.
    pub provider: Symbol,
    /// `invokedByDelegate.accountId`.
    pub delegate: Symbol,
    /// `sessionContext.ec2RoleDelivery`: `1.0` is IMDSv1, `2.0` is IMDSv2.
    pub role_delivery: Symbol,
    /// `inScopeOf.sourceArn`: the function or resource that the credentials were issued to.
    pub in_scope_of: Symbol,
    /// `assumedRoot`.
    pub assumed_root: Symbol,
}

/// Reads the caller of an event.
pub(super) fn read(event: &Event<'_>, symbols: &mut Symbols) -> (Caller, Rare) {
    let mut caller = Caller {
        from_console: event.from_console,
        ..Caller::default()
    };
    let mut rare = Rare::default();
    let Some(identity) = event.identity else {
        return (caller, rare);
    };
    let [
        kind,
        key,
        principal,
        arn,
        account,
        user,
        invoked_by,
        context,
        provider,
        credential,
        behalf,
        scope,
        delegate,
    ] = identity.fields([
        "type",
        "accessKeyId",
        "principalId",
        "arn",
        "accountId",
        "userName",
        "invokedBy",
        "sessionContext",
        "identityProvider",
        "credentialId",
        "onBehalfOf",
        "inScopeOf",
        "invokedByDelegate",
    ]);
    if let Some(name) = kind.and_then(Node::str) {
        caller.kind = IdentityType::read(&name);
        if caller.kind == IdentityType::Other {
            rare.type_name = symbols.intern(&name);
        }
    }
    caller.key = text(symbols, key);
    caller.account = text(symbols, account);
    caller.user_name = text(symbols, user);
    caller.invoked_by = text(symbols, invoked_by);
    principal_and_arn(&mut caller, symbols, (principal, arn));
    rare.provider = text(symbols, provider);
    rare.credential_id = text(symbols, credential);
    rare.on_behalf_of = text(symbols, behalf.and_then(|n| n.get("userId")));
    rare.identity_store = text(symbols, behalf.and_then(|n| n.get("identityStoreArn")));
    rare.in_scope_of = text(symbols, scope.and_then(|n| n.get("sourceArn")));
    rare.delegate = text(symbols, delegate.and_then(|n| n.get("accountId")));
    if let Some(context) = context {
        read_context(context, symbols, (&mut caller, &mut rare));
    }
    (caller, rare)
}

fn text(symbols: &mut Symbols, node: Option<Node<'_>>) -> Symbol {
    node.and_then(Node::scalar)
        .map_or(Symbol::EMPTY, |text| symbols.intern(&text))
}

/// The session name stands in `principalId` and at the end of `arn`; it is often unique to one
/// session, so it is kept once.
fn principal_and_arn(
    caller: &mut Caller,
    symbols: &mut Symbols,
    (principal, arn): (Option<Node<'_>>, Option<Node<'_>>),
) {
    let principal = principal.and_then(Node::scalar).unwrap_or_default();
    let arn = arn.and_then(Node::scalar).unwrap_or_default();
    let (id, session) = split_principal(&principal);
    caller.unique_id = symbols.intern(id);
    caller.session = symbols.intern(session);
    let stem = arn.strip_suffix(session).filter(|_| !session.is_empty());
    caller.arn_ends_with_session = stem.is_some();
    caller.arn = symbols.intern(stem.unwrap_or(&arn));
}

fn read_context(
    context: Node<'_>,
    symbols: &mut Symbols,
    (caller, rare): (&mut Caller, &mut Rare),
) {
    let [attributes, issuer, web, delivery, source, root, sign_in] = context.fields([
        "attributes",
        "sessionIssuer",
        "webIdFederationData",
        "ec2RoleDelivery",
        "sourceIdentity",
        "assumedRoot",
        "signInSessionArn",
    ]);
    if let Some(attributes) = attributes {
        let [created, mfa] = attributes.fields(["creationDate", "mfaAuthenticated"]);
        caller.created = created
            .and_then(Node::str)
            .and_then(|t| Timestamp::parse(&t))
            .map(seconds);
        caller.mfa = mfa.and_then(Node::bool);
    }
    if let Some(issuer) = issuer {
        let [arn, id] = issuer.fields(["arn", "principalId"]);
        caller.issuer_arn = text(symbols, arn);
        caller.issuer_id = text(symbols, id);
    }
    if rare.provider.is_empty() {
        rare.provider = text(symbols, web.and_then(|n| n.get("federatedProvider")));
    }
    rare.role_delivery = text(symbols, delivery);
    rare.source_identity = text(symbols, source);
    rare.assumed_root = text(symbols, root);
    rare.sign_in_session = text(symbols, sign_in);
}
