//! What a trail says really happened: the lineage that a reader of the records should find. It is plain
//! data to compare against and must not depend on how anyone finds it.

use serde::Serialize;

/// The true story behind the records of a trail.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Truth {
    /// Which credential came from which, in order of time.
    pub edges: Vec<Edge>,
    /// Every credential of the trail, in the order it was declared or issued.
    pub tokens: Vec<Token>,
    /// What was made with a credential and outlives it: users, login profiles, MFA devices, trust.
    pub made: Vec<Made>,
    /// What was done to end or weaken a credential or principal.
    pub ended: Vec<Ended>,
}

/// One credential that came from another credential or principal.
#[derive(Debug, Clone, Serialize)]
pub struct Edge {
    /// The access key id of the parent; none for a console session, a service, an outside subject, or a
    /// caller of an account whose trail is not in our hands.
    pub parent_key: Option<String>,
    /// The ARN of the parent, or the service, subject or certificate that stands in its place.
    pub parent_principal: String,
    /// The access key id of the child; none for a console or portal session.
    pub child_key: Option<String>,
    /// The ARN of the child.
    pub child_principal: String,
    /// The call that made the child. For a key that a console session minted without any call, the call
    /// that began the session.
    pub api: String,
    /// When the child was issued, UTC.
    pub time: String,
    /// How the records show it.
    pub basis: Basis,
    /// The records that show it, both copies of a cross-account call among them.
    pub event_ids: Vec<String>,
    /// Whether parent and child belong to different accounts.
    pub cross_account: bool,
}

/// How the records show an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// One record names both ends.
    Recorded,
    /// Principal and creation time agree, key ids do not appear together.
    Matched,
    /// Two records of the same second belong together by what they name.
    Inferred,
}

/// One credential.
#[derive(Debug, Clone, Serialize)]
pub struct Token {
    /// The name the trail uses.
    pub label: String,
    /// The access key id; none for a console or portal session.
    pub key: Option<String>,
    /// What it is.
    pub kind: Kind,
    /// Whose it is, as an ARN.
    pub principal: String,
    /// The account it works in.
    pub account: String,
    /// When it was issued, UTC; none for a key that existed before the trail.
    pub issued_at: Option<String>,
    /// When it expires, UTC; none for a long-term key and where AWS tells nobody.
    pub expires_at: Option<String>,
    /// How many calls were made with it, failed ones too; two accounts' copies of a call count once.
    pub uses: u64,
}

/// What a credential is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An access key of a user or of the root user.
    LongTermKey,
    /// From GetSessionToken.
    SessionToken,
    /// A role session.
    RoleSession,
    /// From GetFederationToken.
    FederatedSession,
    /// From AssumeRoot.
    RootSession,
    /// A console session, which mints keys and has none.
    ConsoleSession,
    /// A key that a console session minted.
    ConsoleKey,
    /// From GetSigninToken.
    SigninToken,
    /// An Identity Center session, which has a bearer token and no key.
    PortalSession,
    /// From `aws login`.
    LoginKey,
    /// From CreateSession of S3 Express.
    BucketSession,
    /// A key that a service used on behalf of a caller.
    ForwardedKey,
}

/// Something that a credential made.
#[derive(Debug, Clone, Serialize)]
pub struct Made {
    /// The access key id of the maker, where it has one.
    pub maker_key: Option<String>,
    /// The ARN of the maker.
    pub maker_principal: String,
    /// The call.
    pub api: String,
    /// What was made or changed: an ARN, a name or a key id.
    pub thing: String,
    /// When, UTC.
    pub time: String,
    /// The record that shows it.
    pub event_id: String,
}

/// Something that was ended, denied, or brought back.
#[derive(Debug, Clone, Serialize)]
pub struct Ended {
    /// The key id, or the ARN of the user or role.
    pub target: String,
    /// The call.
    pub api: String,
    /// Which status, or which policy.
    pub detail: String,
    /// Of a deny by issue time: tokens issued before this instant are refused.
    pub issued_before: Option<String>,
    /// When, UTC.
    pub time: String,
    /// The record that shows it.
    pub event_id: String,
}
