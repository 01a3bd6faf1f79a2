//! What a plan is. `make` makes one; nothing here changes an account.

mod cut;
mod denies;
mod freeze;
mod keys;
mod make;
mod pack;
mod put;
mod remove;
mod scp;
mod source;
mod steps;
mod trust;

pub(super) use cut::PROPAGATION;
pub(super) use freeze::{FREEZE_SID, frozen};
pub(super) use make::belongs;
pub use make::plan;
pub(super) use pack::{MANAGED, attachable, attached_quota, inline_quota, inline_room, size};
pub(super) use scp::{SCP, SCPS_ATTACHED};
pub(super) use trust::names as trust_names;

use super::owner::Owner;
use crate::text::Untrusted;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The version of the form of a plan.
pub const PLAN_VERSION: u32 = 1;

/// How much a plan does.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Nothing is changed; the credentials are only watched.
    Observe,
    /// All that ends the lineage and can be undone; roles that others use too are denied session by session.
    #[default]
    Contain,
    /// Beyond that, passwords and MFA devices that the lineage made go, and every session of its roles is cut off.
    Evict,
}

impl Level {
    /// Its name, also on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Contain => "contain",
            Self::Evict => "evict",
        }
    }
}

/// What to do with the resources that the lineage made.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Removal {
    /// They are listed in [`Plan::made`].
    #[default]
    List,
    /// They are deleted at the end of the plan.
    Remove,
}

/// What a responder decides about a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Settings {
    /// How much is done.
    pub level: Level,
    /// What happens to resources that the lineage made.
    pub removal: Removal,
    /// ARNs of the principals that carry out the plan, and of those kept for emergencies. They are exempt from what
    /// is denied to a whole account, a lineage is not followed up past them, and [`super::check`] refuses a plan that
    /// touches them.
    pub exempt: Vec<Untrusted>,
    /// ARNs of roles whose other sessions must go on, also at [`Level::Evict`].
    pub shared: Vec<Untrusted>,
    /// Whether nobody but the exempt may make credentials or change permissions in the lineage's member accounts, until
    /// the plan is undone.
    #[serde(default)]
    pub freeze: bool,
}

/// How far the ledger reached when a plan was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The number of events.
    pub events: u64,
    /// The last use of any credential, UTC.
    pub last: Option<Timestamp>,
}

/// One credential, or one thing that a credential made: a member of the lineage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// A node kind's name.
    pub kind: Untrusted,
    /// The access key id, if it has one.
    pub access_key_id: Option<Untrusted>,
    /// The principal's ARN as in `userIdentity.arn`, or what else names it.
    pub principal_arn: Option<Untrusted>,
    /// The value of `aws:userid` in its requests, where known.
    pub user_id: Option<Untrusted>,
    /// `aws:SourceIdentity`, if one is set.
    pub source_identity: Option<Untrusted>,
    /// The account.
    pub account: Option<Untrusted>,
    /// Whose policies decide.
    pub owner: Option<Owner>,
    /// Whether requests can be made with it.
    pub credential: bool,
    /// Whether another member of the lineage made or changed it.
    pub by_lineage: bool,
    /// Whether it does not expire: then `aws:TokenIssueTime` is not in its requests.
    pub long_term: bool,
    /// When it was issued, UTC: the value of `aws:TokenIssueTime` (id_roles_use_revoke-sessions.html).
    pub issued_at: Option<Timestamp>,
    /// When its time is over at the latest, UTC.
    pub expires_at: Option<Timestamp>,
    /// Whether it worked when the plan was made, by the name of `liveness::Status`.
    pub status: Untrusted,
    /// What it was seen doing: `service:Action`, sorted.
    pub actions: Vec<Untrusted>,
    /// The records that made it.
    pub evidence: Vec<Untrusted>,
}

/// Where in the order a step belongs. An earlier phase is over before a later one begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Service control policies: nobody in the account can remove them.
    Organization,
    /// Denies on every user and role of the lineage.
    Deny,
    /// Waiting until the denies are in force everywhere.
    Wait,
    /// Moving the cut-off forward, over what was issued meanwhile.
    CutAgain,
    /// Making access keys inactive.
    Keys,
    /// Passwords and MFA devices that the lineage made.
    SignIn,
    /// Trust policies and identity providers.
    Trust,
    /// Looking whether any credential still works.
    Verify,
    /// Deleting what the lineage made.
    Remove,
}

impl Phase {
    /// Its name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Organization => "organization",
            Self::Deny => "deny",
            Self::Wait => "wait",
            Self::CutAgain => "cut again",
            Self::Keys => "keys",
            Self::SignIn => "sign-in",
            Self::Trust => "trust",
            Self::Verify => "verify",
            Self::Remove => "remove",
        }
    }

    /// What it is for.
    pub fn purpose(self) -> &'static str {
        match self {
            Self::Organization => "denies that nobody in the account can remove",
            Self::Deny => "on every user and role of the lineage",
            Self::Wait => "until the denies are in force everywhere",
            Self::CutAgain => "what was issued meanwhile",
            Self::Keys => "made inactive, not deleted",
            Self::SignIn => "passwords and MFA devices that the lineage set",
            Self::Trust => "doors that the lineage opened",
            Self::Verify => "whether any credential still works",
            Self::Remove => "what the lineage made",
        }
    }
}

/// One call of an AWS API, with everything it needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The service as the AWS CLI names it: `iam`, `organizations`, `rolesanywhere`.
    pub service: String,
    /// The action: `PutRolePolicy`.
    pub action: String,
    /// The account to call it in.
    pub account: Untrusted,
    /// The request's members as in the service's API reference. A text of the form `${N:Member.Member}` stands for a
    /// member of the answer to step N; documents are objects here and are sent as compact JSON text.
    pub parameters: Map<String, Value>,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// A call.
    Call(Call),
    /// Waiting so many seconds.
    Wait(u32),
    /// No access key of the plan's subjects may have a successful event after `after`, looked at until `until`; UTC.
    Verify {
        /// The last cut-off, with time to spread.
        after: Timestamp,
        /// How long to look: CloudTrail delivers late.
        until: Timestamp,
    },
}

/// How a step is undone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Undo {
    /// By these calls, in this order.
    Calls(Vec<Call>),
    /// There is nothing to undo.
    Nothing,
    /// It cannot be, for this reason.
    Never(String),
}

/// Somebody or something outside the lineage that a step hits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Break {
    /// Who.
    pub who: Untrusted,
    /// What they lose.
    pub what: String,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Its place, from 1. Steps are carried out in this order.
    pub number: u32,
    /// Its phase.
    pub phase: Phase,
    /// The ARN or id of what is changed.
    pub target: Untrusted,
    /// What is done.
    pub action: Action,
    /// Why, in our words.
    pub reason: String,
    /// The credentials it is for: indexes into [`Plan::subjects`].
    pub subjects: Vec<u32>,
    /// The records that the reason rests on.
    pub evidence: Vec<Untrusted>,
    /// What it breaks.
    pub breaks: Vec<Break>,
    /// How it is undone.
    pub undo: Undo,
}

/// A way that the plan leaves open, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Open {
    /// Which credential or principal: an index into [`Plan::subjects`].
    pub subject: u32,
    /// Why no step closes it, and what would.
    pub why: String,
    /// When it closes by itself, UTC.
    pub until: Option<Timestamp>,
}

/// A plan: immutable, and so exact that carrying it out leaves no choice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// [`PLAN_VERSION`].
    pub version: u32,
    /// Eight hexadecimal digits that name it, also in the names of its policies.
    pub id: String,
    /// What it was asked about.
    pub pivot: Untrusted,
    /// What the responder decided.
    pub settings: Settings,
    /// When it was made, UTC.
    pub made_at: Timestamp,
    /// Carrying it out begins before this instant, or not at all: after it a token could be newer than the cut-off.
    pub valid_until: Timestamp,
    /// The last cut-off for `aws:TokenIssueTime`, UTC.
    pub cut_off: Timestamp,
    /// How far the ledger reached.
    pub ledger: Mark,
    /// SHA-256 of the facts it was made from, in hexadecimal digits.
    pub facts: String,
    /// The lineage, in order of issue.
    pub subjects: Vec<Subject>,
    /// What the lineage made or changed that is not a credential: indexes into `subjects`.
    pub made: Vec<u32>,
    /// What is done.
    pub steps: Vec<Step>,
    /// What is left open.
    pub open: Vec<Open>,
}
