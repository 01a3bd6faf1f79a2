//! Which credentials still work at an instant, as far as the log shows.
//!
//! Expiry: docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_sts-comparison.html (the limits of
//! each API). Ends: …/id_credentials_temp_control-access_disable-perms.html and
//! …/id_roles_use_revoke-sessions.html. Deactivating or deleting an access key ends that key and
//! none of the temporary credentials made from it. Must not read the clock: the instant is an argument.

mod denials;

use crate::deed::{Attribute, Deed};
use crate::ledger::{Fact, IdentityType, Seconds};
use crate::lineage::{Lineage, Node, NodeKind};
use crate::time::{HOUR, Timestamp};
pub use denials::Denials;

/// Whether a credential works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Nothing in the log ends it, and its time is not over.
    Alive,
    /// The log does not show enough to say.
    Unknown,
    /// It was ended before its time.
    Revoked,
    /// Its time is over.
    Expired,
    /// It did not exist yet.
    NotYet,
}

impl Status {
    /// A stable name for output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Alive => "alive",
            Self::Unknown => "unknown",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::NotYet => "not-yet-issued",
        }
    }
}

/// How the end of a credential's time is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExpiryBasis {
    /// The issuing record says it.
    Recorded,
    /// The issuing record says for how long.
    Requested,
    /// No later than this: the rule says why.
    AtMost(&'static str),
    /// It does not expire.
    Never,
    /// Not even an upper bound is known.
    Unknown,
}

impl ExpiryBasis {
    /// A stable text for output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Requested => "requested duration",
            Self::AtMost(rule) => rule,
            Self::Never => "never expires",
            Self::Unknown => "unknown",
        }
    }
}

/// When a credential ends and what ended it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Life {
    /// Whether it works.
    pub status: Status,
    /// When its time is over; none for long-term keys and where nothing is known.
    pub expires: Option<Timestamp>,
    /// How that is known.
    pub basis: ExpiryBasis,
    /// Why it is revoked, in words, and the event that did it: an index into the ledger's facts.
    pub reason: Option<(&'static str, u32)>,
}

/// The state of a node at an instant. `denials` comes from the same lineage.
pub fn life(lineage: &Lineage<'_>, denials: &Denials, number: u32, at: Timestamp) -> Life {
    let Some(node) = lineage.node(number) else {
        return Life {
            status: Status::Unknown,
            expires: None,
            basis: ExpiryBasis::Unknown,
            reason: None,
        };
    };
    let (end, basis) = expiry(lineage, number, node);
    let expires = end.map(|s| Timestamp::from_seconds(i64::from(s)));
    let created = node.created.map(|s| Timestamp::from_seconds(i64::from(s)));
    let status = if created.is_some_and(|created| at < created) {
        Status::NotYet
    } else if expires.is_some_and(|end| end <= at) {
        Status::Expired
    } else if matches!(basis, ExpiryBasis::Unknown) {
        Status::Unknown
    } else {
        Status::Alive
    };
    let open = matches!(status, Status::Alive | Status::Unknown);
    let reason = if open {
        denials.ended(lineage, number, at)
    } else {
        None
    };
    let status = if reason.is_some() {
        Status::Revoked
    } else {
        status
    };
    Life {
        status,
        expires,
        basis,
        reason,
    }
}

/// Changes that a history tells one by one; of more, the last ones are told as one.
const CHANGES: usize = 100;

/// The states of a node one after another, each with the instant from which it holds (UTC). The first holds
/// since before everything. `denials` comes from the same lineage.
pub fn history(lineage: &Lineage<'_>, denials: &Denials, number: u32) -> Vec<(Timestamp, Life)> {
    let always = Timestamp::from_seconds(i64::MIN);
    let first = life(lineage, denials, number, always);
    let created = lineage.node(number).and_then(|node| node.created);
    let created = created.map(|s| Timestamp::from_seconds(i64::from(s)));
    let lives = |at: &Timestamp| {
        created.is_none_or(|created| created < *at) && first.expires.is_none_or(|end| *at < end)
    };
    let mut changes = denials.changes(lineage, number);
    changes.retain(lives);
    if changes.len() > CHANGES {
        changes.drain(CHANGES - 1..changes.len() - 1);
    }
    let mut instants: Vec<Timestamp> = created.into_iter().chain(first.expires).collect();
    instants.extend(changes);
    instants.sort_unstable();
    let mut told = vec![(always, first)];
    for at in instants {
        let next = life(lineage, denials, number, at);
        if told.last().is_none_or(|(_, known)| *known != next) {
            told.push((at, next));
        }
    }
    told
}

/// When a credential's time is over at the latest.
fn expiry(lineage: &Lineage<'_>, number: u32, node: &Node) -> (Option<Seconds>, ExpiryBasis) {
    if matches!(
        node.kind,
        NodeKind::LongTermKey | NodeKind::LoginProfile | NodeKind::MfaDevice
    ) {
        return (None, ExpiryBasis::Never);
    }
    let issue = lineage.issue(number);
    let ledger = lineage.ledger();
    if let Some(expires) = issue.and_then(|fact| ledger.number(fact, Attribute::Expires)) {
        return (Some(expires), ExpiryBasis::Recorded);
    }
    let Some(created) = node.created else {
        return (None, ExpiryBasis::Unknown);
    };
    if let Some(duration) = issue.and_then(|fact| ledger.number(fact, Attribute::Duration)) {
        return (
            Some(created.saturating_add(duration)),
            ExpiryBasis::Requested,
        );
    }
    let (longest, rule) = longest(lineage, number, node, issue);
    (
        Some(created.saturating_add(longest)),
        ExpiryBasis::AtMost(rule),
    )
}

/// The longest that a credential of its kind can live.
fn longest(
    lineage: &Lineage<'_>,
    number: u32,
    node: &Node,
    issue: Option<&Fact>,
) -> (Seconds, &'static str) {
    let caller = lineage
        .callers_of(number)
        .first()
        .map(|&c| lineage.ledger().caller(c));
    let kind = caller.map_or(IdentityType::Absent, |caller| caller.kind);
    let delivered = caller.is_some_and(|c| !lineage.ledger().rare(&c).role_delivery.is_empty());
    match (issue.map(|fact| fact.deed), node.kind, kind) {
        (Some(Deed::AssumeRoot), _, _) => (HOUR / 4, "at most 15 min: AssumeRoot"),
        (Some(Deed::S3ExpressCreateSession), _, _) => (300, "at most 5 min: S3 Express session"),
        (Some(Deed::GetCredentialsForIdentity), _, _) => (HOUR, "at most 1 h: Cognito identity"),
        (Some(Deed::AssumeRole), _, _) if lineage.is_chained(number) => {
            (HOUR, "at most 1 h: role chaining")
        }
        (_, NodeKind::ConsoleSession, _) => (12 * HOUR, "at most 12 h: console session"),
        (_, NodeKind::OAuthSession, _) => {
            (12 * HOUR, "at most 12 h: `aws login` refreshes for 12 h")
        }
        (_, NodeKind::IdentityCenterSession, _) => {
            (90 * 24 * HOUR, "at most 90 d: Identity Center session")
        }
        (_, _, IdentityType::Root) => (HOUR, "at most 1 h: session of root"),
        (_, NodeKind::FederatedSession, _) => {
            (36 * HOUR, "at most 36 h: GetFederationToken by a user")
        }
        _ if delivered => (7 * HOUR, "at most 7 h: instance credentials"),
        (_, _, IdentityType::AssumedRole) => (12 * HOUR, "at most 12 h: role session"),
        _ if node.origin == crate::lineage::Origin::Console => {
            (12 * HOUR, "at most 12 h: console session")
        }
        (_, _, IdentityType::IamUser) => (36 * HOUR, "at most 36 h: session token of a user"),
        _ => (
            36 * HOUR,
            "at most 36 h: no temporary credential lives longer",
        ),
    }
}

impl Lineage<'_> {
    /// The record that issued a node's key, or the session that its key was used in.
    pub fn issue(&self, number: u32) -> Option<&Fact> {
        let edge = self
            .parents(number)
            .find(|e| e.basis != crate::lineage::Basis::Inferred)?;
        let facts = || {
            edge.facts
                .iter()
                .filter_map(|&n| self.ledger().facts().get(n as usize))
        };
        facts()
            .find(|fact| self.ledger().number(fact, Attribute::Expires).is_some())
            .or_else(|| facts().next())
    }

    /// Whether a role session was assumed by another role session: then it lives for an hour at most.
    /// An instance's own credentials do not count as chaining (IAM User Guide, "Methods to assume a
    /// role").
    pub fn is_chained(&self, number: u32) -> bool {
        let Some(issue) = self.issue(number) else {
            return false;
        };
        let caller = self.ledger().caller(issue.key.caller);
        let delivered = !self.ledger().rare(&caller).role_delivery.is_empty();
        issue.deed == Deed::AssumeRole && caller.kind == IdentityType::AssumedRole && !delivered
    }
}
