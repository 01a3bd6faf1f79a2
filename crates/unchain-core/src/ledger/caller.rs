//! Who made a call: `userIdentity` as it was logged, kept once for all events that share it.
//!
//! Nothing is joined here: a caller is what one record says. `lineage` decides which callers are
//! the same credential.
//! docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html

use super::symbols::Symbol;
use crate::event::Event;
use crate::id::split_principal;
use crate::json::members::kind;
use crate::json::outlines::Outlines;
use crate::json::{Node, walk};
use crate::time::{Seconds, Timestamp, seconds};
use std::borrow::Cow;

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
pub(super) fn read(
    event: &Event<'_>,
    symbol_of: &mut impl FnMut(&str) -> Symbol,
) -> (Caller, Rare) {
    let caller = Caller {
        from_console: event.from_console,
        ..Caller::default()
    };
    match event.identity {
        Some(identity) => Parts::of(identity).caller(event.from_console, symbol_of),
        None => (caller, Rare::default()),
    }
}

/// The members of `userIdentity` that a caller is made of.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Parts<'a> {
    kind: Option<Node<'a>>,
    key: Option<Node<'a>>,
    principal: Option<Node<'a>>,
    arn: Option<Node<'a>>,
    account: Option<Node<'a>>,
    user: Option<Node<'a>>,
    invoked_by: Option<Node<'a>>,
    provider: Option<Node<'a>>,
    credential: Option<Node<'a>>,
    behalf: Option<Node<'a>>,
    scope: Option<Node<'a>>,
    delegate: Option<Node<'a>>,
    context: Context<'a>,
}

/// The members of `sessionContext`.
#[derive(Clone, Copy, Debug, Default)]
struct Context<'a> {
    created: Option<Node<'a>>,
    mfa: Option<Node<'a>>,
    issuer_arn: Option<Node<'a>>,
    issuer_id: Option<Node<'a>>,
    web: Option<Node<'a>>,
    delivery: Option<Node<'a>>,
    source: Option<Node<'a>>,
    root: Option<Node<'a>>,
    sign_in: Option<Node<'a>>,
}

impl<'a> Parts<'a> {
    pub(super) fn of(identity: Node<'a>) -> Self {
        let quick = match identity {
            Node::Text(text) => Self::in_one_pass(text),
            Node::Value(_) => None,
        };
        quick.unwrap_or_else(|| Self::by_name(identity))
    }

    /// Becomes what [`Parts::of`] gives, for an identity that most often has the shape of one before. It must be empty.
    pub(super) fn read(&mut self, text: &'a str, outlines: &mut Outlines) {
        let mut slots = self.slots();
        let known = outlines.known(text, kind(text), |slot, value| {
            if let Some(slot) = slots.get_mut(slot) {
                **slot = Some(value);
            }
        });
        if !known {
            *self = Self::of(Node::Text(text));
            let slots = self.slots().into_iter();
            outlines.learn(text, kind(text), slots.map(|node| *node));
        }
    }

    /// All members.
    fn slots(&mut self) -> [&mut Option<Node<'a>>; 21] {
        let context = &mut self.context;
        [
            &mut self.kind,
            &mut self.key,
            &mut self.principal,
            &mut self.arn,
            &mut self.account,
            &mut self.user,
            &mut self.invoked_by,
            &mut self.provider,
            &mut self.credential,
            &mut self.behalf,
            &mut self.scope,
            &mut self.delegate,
            &mut context.created,
            &mut context.mfa,
            &mut context.issuer_arn,
            &mut context.issuer_id,
            &mut context.web,
            &mut context.delivery,
            &mut context.source,
            &mut context.root,
            &mut context.sign_in,
        ]
    }

    /// Into the nested objects without skipping them first. Gives up where a nested object is of
    /// another kind or comes twice; then [`Parts::by_name`] decides.
    fn in_one_pass(text: &'a str) -> Option<Self> {
        let mut parts = Self::default();
        let mut context = None;
        walk::object(text.as_bytes(), 0, |key, at| {
            let slot = match key.raw {
                _ if key.escaped => return None,
                b"type" => &mut parts.kind,
                b"accessKeyId" => &mut parts.key,
                b"principalId" => &mut parts.principal,
                b"arn" => &mut parts.arn,
                b"accountId" => &mut parts.account,
                b"userName" => &mut parts.user,
                b"invokedBy" => &mut parts.invoked_by,
                b"identityProvider" => &mut parts.provider,
                b"credentialId" => &mut parts.credential,
                b"onBehalfOf" => &mut parts.behalf,
                b"inScopeOf" => &mut parts.scope,
                b"invokedByDelegate" => &mut parts.delegate,
                b"sessionContext" if context.is_none() => {
                    let (read, end) = Context::in_one_pass(text, at)?;
                    context = Some(read);
                    return Some(end);
                }
                b"sessionContext" => return None,
                _ => return walk::value(text.as_bytes(), at),
            };
            fill(slot, text, at)
        })?;
        parts.context = context.unwrap_or_default();
        Some(parts)
    }

    fn by_name(identity: Node<'a>) -> Self {
        let [kind, key, principal, arn, account, user] = identity.fields([
            "type",
            "accessKeyId",
            "principalId",
            "arn",
            "accountId",
            "userName",
        ]);
        let [
            invoked_by,
            provider,
            credential,
            behalf,
            scope,
            delegate,
            context,
        ] = identity.fields([
            "invokedBy",
            "identityProvider",
            "credentialId",
            "onBehalfOf",
            "inScopeOf",
            "invokedByDelegate",
            "sessionContext",
        ]);
        let context = context.map(Context::by_name).unwrap_or_default();
        Self {
            kind,
            key,
            principal,
            arn,
            account,
            user,
            invoked_by,
            provider,
            credential,
            behalf,
            scope,
            delegate,
            context,
        }
    }

    /// The texts that few callers share.
    pub(super) fn own_texts(&self) -> [&'a str; 2] {
        let plain = |node: Option<Node<'a>>| match node.and_then(Node::str) {
            Some(Cow::Borrowed(text)) => text,
            _ => "",
        };
        [plain(self.key), split_principal(plain(self.principal)).1]
    }

    /// The caller that these are the parts of; `from_console` is what its record says. Texts become symbols
    /// by `symbol_of`, which adds them or only looks them up.
    pub(super) fn caller(
        &self,
        from_console: bool,
        symbol_of: &mut impl FnMut(&str) -> Symbol,
    ) -> (Caller, Rare) {
        let mut caller = Caller {
            from_console,
            ..Caller::default()
        };
        let mut rare = Rare::default();
        if let Some(name) = self.kind.and_then(Node::str) {
            caller.kind = IdentityType::read(&name);
            if caller.kind == IdentityType::Other {
                rare.type_name = symbol_of(&name);
            }
        }
        caller.key = text(symbol_of, self.key);
        caller.account = text(symbol_of, self.account);
        caller.user_name = text(symbol_of, self.user);
        caller.invoked_by = text(symbol_of, self.invoked_by);
        principal_and_arn(&mut caller, symbol_of, (self.principal, self.arn));
        let within = |node: Option<Node<'a>>, name| node.and_then(|n| n.get(name));
        rare.provider = text(symbol_of, self.provider);
        rare.credential_id = text(symbol_of, self.credential);
        rare.on_behalf_of = text(symbol_of, within(self.behalf, "userId"));
        rare.identity_store = text(symbol_of, within(self.behalf, "identityStoreArn"));
        rare.in_scope_of = text(symbol_of, within(self.scope, "sourceArn"));
        rare.delegate = text(symbol_of, within(self.delegate, "accountId"));
        let context = &self.context;
        let created = context.created.and_then(Node::str);
        caller.created = created.and_then(|t| Timestamp::parse(&t)).map(seconds);
        caller.mfa = context.mfa.and_then(Node::bool);
        caller.issuer_arn = text(symbol_of, context.issuer_arn);
        caller.issuer_id = text(symbol_of, context.issuer_id);
        if rare.provider.is_empty() {
            rare.provider = text(symbol_of, within(context.web, "federatedProvider"));
        }
        rare.role_delivery = text(symbol_of, context.delivery);
        rare.source_identity = text(symbol_of, context.source);
        rare.assumed_root = text(symbol_of, context.root);
        rare.sign_in_session = text(symbol_of, context.sign_in);
        (caller, rare)
    }
}

impl<'a> Context<'a> {
    fn in_one_pass(text: &'a str, at: usize) -> Option<(Self, usize)> {
        let bytes = text.as_bytes();
        let mut context = Self::default();
        let (mut attributes, mut issuer) = (false, false);
        let end = walk::object(bytes, at, |key, at| {
            let slot = match key.raw {
                _ if key.escaped => return None,
                b"attributes" if !attributes => {
                    attributes = true;
                    return walk::object(bytes, at, |key, at| match key.raw {
                        _ if key.escaped => None,
                        b"creationDate" => fill(&mut context.created, text, at),
                        b"mfaAuthenticated" => fill(&mut context.mfa, text, at),
                        _ => walk::value(bytes, at),
                    });
                }
                b"sessionIssuer" if !issuer => {
                    issuer = true;
                    return walk::object(bytes, at, |key, at| match key.raw {
                        _ if key.escaped => None,
                        b"arn" => fill(&mut context.issuer_arn, text, at),
                        b"principalId" => fill(&mut context.issuer_id, text, at),
                        _ => walk::value(bytes, at),
                    });
                }
                b"attributes" | b"sessionIssuer" => return None,
                b"webIdFederationData" => &mut context.web,
                b"ec2RoleDelivery" => &mut context.delivery,
                b"sourceIdentity" => &mut context.source,
                b"assumedRoot" => &mut context.root,
                b"signInSessionArn" => &mut context.sign_in,
                _ => return walk::value(bytes, at),
            };
            fill(slot, text, at)
        })?;
        Some((context, end))
    }

    fn by_name(context: Node<'a>) -> Self {
        let [attributes, issuer, web, delivery, source, root, sign_in] = context.fields([
            "attributes",
            "sessionIssuer",
            "webIdFederationData",
            "ec2RoleDelivery",
            "sourceIdentity",
            "assumedRoot",
            "signInSessionArn",
        ]);
        let pair = |node: Option<Node<'a>>, names| node.map_or([None; 2], |n| n.fields(names));
        let [created, mfa] = pair(attributes, ["creationDate", "mfaAuthenticated"]);
        let [issuer_arn, issuer_id] = pair(issuer, ["arn", "principalId"]);
        Self {
            created,
            mfa,
            issuer_arn,
            issuer_id,
            web,
            delivery,
            source,
            root,
            sign_in,
        }
    }
}

/// Keeps the value at a place and gives the place behind it.
fn fill<'a>(slot: &mut Option<Node<'a>>, text: &'a str, at: usize) -> Option<usize> {
    let end = walk::value(text.as_bytes(), at)?;
    *slot = text.get(at..end).map(Node::Text);
    Some(end)
}

fn text(symbol_of: &mut impl FnMut(&str) -> Symbol, node: Option<Node<'_>>) -> Symbol {
    match node.and_then(Node::scalar) {
        Some(text) => symbol_of(&text),
        None => Symbol::EMPTY,
    }
}

/// The session name stands in `principalId` and at the end of `arn`; it is often unique to one
/// session, so it is kept once.
fn principal_and_arn(
    caller: &mut Caller,
    symbol_of: &mut impl FnMut(&str) -> Symbol,
    (principal, arn): (Option<Node<'_>>, Option<Node<'_>>),
) {
    let principal = principal.and_then(Node::scalar).unwrap_or_default();
    let arn = arn.and_then(Node::scalar).unwrap_or_default();
    let (id, session) = split_principal(&principal);
    caller.unique_id = symbol_of(id);
    caller.session = symbol_of(session);
    let stem = arn.strip_suffix(session).filter(|_| !session.is_empty());
    caller.arn_ends_with_session = stem.is_some();
    caller.arn = symbol_of(stem.unwrap_or(&arn));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A value: a text, or another kind than is usual.
    fn value() -> impl Strategy<Value = &'static str> {
        prop_oneof![
            4 => Just(r#""@""#),
            1 => prop::sample::select(vec!["null", "true", "12", "{}", r#"{"userId":"@","arn":"@"}"#]),
        ]
    }

    fn object(names: &'static [&'static str]) -> impl Strategy<Value = String> {
        let member = (prop::sample::select(names), value());
        let member = member.prop_map(|(name, value)| format!("\"{name}\":{value}"));
        prop::collection::vec(member, 0..7).prop_map(|members| members.join(","))
    }

    fn identity() -> impl Strategy<Value = String> {
        let parts = (
            object(&[
                "type",
                "principalId",
                "arn",
                "accountId",
                "accessKeyId",
                "onBehalfOf",
                "x",
            ]),
            object(&["sourceIdentity", "webIdFederationData", "ec2RoleDelivery"]),
            object(&["creationDate", "mfaAuthenticated", "arn"]),
            object(&["arn", "principalId", "type"]),
            any::<bool>(),
        );
        parts.prop_map(|(own, context, attributes, issuer, twice)| {
            let context = format!(
                r#""sessionContext":{{"attributes":{{{attributes}}},"sessionIssuer":{{{issuer}}}{}{context}}}"#,
                if context.is_empty() { "" } else { "," }
            );
            let twice = if twice { context.as_str() } else { r#""x":0"# };
            let comma = if own.is_empty() { "" } else { "," };
            format!("{{{own}{comma}{context},{twice}}}")
        })
    }

    proptest! {
        #[test]
        fn outlines_do_not_change_what_is_read(
            templates in prop::collection::vec(identity(), 1..4),
            texts in prop::collection::vec(r#"[a-z:/]{0,20}|\\n|\\u00e9"#, 1..6),
        ) {
            let mut outlines = Outlines::default();
            for text in &texts {
                for template in &templates {
                    let text = template.replace('@', text);
                    let plain = format!("{:?}", Parts::of(Node::Text(&text)));
                    let mut outlined = Parts::default();
                    outlined.read(&text, &mut outlines);
                    let outlined = format!("{outlined:?}");
                    prop_assert_eq!(plain, outlined, "{}", text);
                }
            }
        }
    }
}
