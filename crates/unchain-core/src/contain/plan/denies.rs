//! Whom a deny is put on, how wide it is, and the statements that say so.

use super::super::owner::{Owner, OwnerKind, is_user_id};
use super::{Break, Level, Settings, Subject};
use crate::time::Timestamp;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// How much of a principal is denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Width {
    /// The sessions of the lineage, by their `aws:userid`.
    Sessions,
    /// Beyond that, every session issued before the cut-off.
    Cut,
    /// Everything, now and later.
    Whole,
}

/// A user or role of the lineage.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) owner: Owner,
    /// `AIDA…` or `AROA…`, where known.
    pub(super) id: Option<String>,
    pub(super) width: Width,
    /// Source identities that only the lineage has, where others keep their sessions.
    pub(super) identities: BTreeSet<String>,
    /// Whether each of its sessions in the lineage has one of these.
    pub(super) all_identified: bool,
    pub(super) subjects: Vec<u32>,
    pub(super) breaks: Vec<Break>,
}

/// What is known of a principal beside its part in the lineage.
#[derive(Clone, Debug, Default)]
pub(super) struct Beside {
    /// Credentials of it outside the lineage that may work.
    pub(super) others: BTreeSet<String>,
    /// Services that its trust policy lets assume it.
    pub(super) services: BTreeSet<String>,
    /// Whether the lineage made it.
    pub(super) made: bool,
    /// `AIDA…` or `AROA…`, where the accounts were read.
    pub(super) id: Option<String>,
    /// Its ARN with its path.
    pub(super) arn: String,
}

/// The users and roles of a lineage, roots first: the order of the first credential of each. `identities` are the source
/// identities that only the lineage has.
pub(super) fn targets(
    subjects: &[Subject],
    beside: &BTreeMap<Owner, Beside>,
    settings: &Settings,
    identities: &BTreeSet<String>,
) -> Vec<Target> {
    let mut found: Vec<Target> = Vec::new();
    let mut places: BTreeMap<&Owner, usize> = BTreeMap::new();
    for (number, subject) in (0u32..).zip(subjects) {
        let is_made = |owner: &Owner| beside.get(owner).is_some_and(|b| b.made);
        let owner = subject
            .owner
            .as_ref()
            .filter(|o| o.kind != OwnerKind::Root && o.is_sound());
        let Some(owner) = owner.filter(|owner| subject.credential || is_made(owner)) else {
            continue;
        };
        let place = *places.entry(owner).or_insert_with(|| {
            found.push(target(owner, beside.get(owner), settings));
            found.len() - 1
        });
        if let Some(target) = found.get_mut(place) {
            target.subjects.push(number);
            if target.id.is_none() {
                target.id = own_id(subject);
            }
        }
    }
    for target in &mut found {
        target.widen(subjects, identities);
        target.breaks = breaks(target, beside.get(&target.owner));
    }
    found
}

/// The unique id in a user's or role session's `aws:userid`.
fn own_id(subject: &Subject) -> Option<String> {
    let id = subject.user_id.as_ref()?.raw().split(':').next()?;
    (id.starts_with("AIDA") || id.starts_with("AROA")).then(|| id.to_owned())
}

fn target(owner: &Owner, beside: Option<&Beside>, settings: &Settings) -> Target {
    let arn = beside.map_or_else(|| owner.arn(), |b| b.arn.clone());
    let asked = settings
        .shared
        .iter()
        .any(|shared| shared.raw() == arn || shared.raw() == owner.arn());
    let used = beside.is_some_and(|b| !b.others.is_empty() || !b.services.is_empty());
    let width = match owner.kind {
        OwnerKind::User | OwnerKind::Root => Width::Whole,
        OwnerKind::Role if beside.is_some_and(|b| b.made) => Width::Whole,
        OwnerKind::Role if asked || (used && settings.level < Level::Evict) => Width::Sessions,
        OwnerKind::Role => Width::Cut,
    };
    Target {
        owner: owner.clone(),
        id: beside.and_then(|b| b.id.clone()),
        width,
        identities: BTreeSet::new(),
        all_identified: false,
        subjects: Vec::new(),
        breaks: Vec::new(),
    }
}

impl Target {
    /// A session that neither `aws:userid` nor its source identity names for sure can only be denied with all the others.
    fn widen(&mut self, subjects: &[Subject], identities: &BTreeSet<String>) {
        if self.width != Width::Sessions {
            return;
        }
        let own = self
            .subjects
            .iter()
            .filter_map(|&n| subjects.get(n as usize))
            .filter(|subject| subject.credential);
        let found = super::source::of_role(own.clone(), identities);
        let identified = |s: &Subject| {
            let source = s.source_identity.as_ref();
            source.is_some_and(|source| found.contains(source.raw()))
        };
        let named = |s: &Subject| {
            identified(s) || s.user_id.as_ref().is_some_and(|id| is_user_id(id.raw()))
        };
        if own.clone().all(named) {
            self.all_identified = own.clone().all(identified);
            self.identities = found;
        } else {
            self.width = Width::Cut;
        }
    }

    /// The values of `aws:userid` that name the lineage's own requests.
    pub(super) fn user_ids(&self, subjects: &[Subject]) -> BTreeSet<String> {
        // Whoever denies a whole role need not name its sessions.
        if self.width == Width::Whole && self.owner.kind == OwnerKind::Role {
            return BTreeSet::new();
        }
        let own = self
            .subjects
            .iter()
            .filter_map(|n| subjects.get(*n as usize));
        let ids = own
            .filter(|s| s.credential)
            .filter_map(|s| s.user_id.as_ref());
        let ids = ids
            .map(|id| id.raw().to_owned())
            .filter(|id| is_user_id(id));
        ids.chain(
            self.id
                .clone()
                .filter(|_| self.owner.kind == OwnerKind::User),
        )
        .collect()
    }

    /// The statement for the time of issue, where the width has one.
    pub(super) fn issued_before(&self, cut: Timestamp) -> Option<Value> {
        (self.width > Width::Sessions).then(|| issued_before(cut))
    }

    /// The statement for what the lineage's sessions turn into: a session name can be chosen anew, a source identity
    /// cannot.
    pub(super) fn by_source_identity(&self) -> Option<Value> {
        let condition = json!({"StringEquals": {"aws:SourceIdentity": self.identities}});
        (!self.identities.is_empty()).then(|| deny("UnchainSourceIdentity", &condition))
    }

    /// The statements that deny by `aws:userid`.
    pub(super) fn by_user_id(&self, ids: &[String]) -> Vec<Value> {
        let mut statements = Vec::new();
        if self.owner.kind == OwnerKind::User && self.id.is_none() {
            return vec![everything()];
        }
        if !ids.is_empty() {
            statements.push(deny(
                "UnchainUserId",
                &json!({"StringEquals": {"aws:userid": ids}}),
            ));
        }
        if self.width == Width::Whole && self.owner.kind == OwnerKind::Role {
            // INVARIANT: an id of a role is letters and digits, see `own_id`; only this star is a wildcard.
            statements.push(match &self.id {
                Some(id) if is_user_id(id) => deny(
                    "UnchainRole",
                    &json!({"StringLike": {"aws:userid": format!("{id}:*")}}),
                ),
                _ => everything(),
            });
        }
        statements
    }
}

/// Every session issued before an instant: `aws:TokenIssueTime` is in requests with temporary credentials only
/// (IAM User Guide, "AWS global condition context keys").
pub(super) fn issued_before(cut: Timestamp) -> Value {
    deny(
        "UnchainIssuedBefore",
        &json!({"DateLessThan": {"aws:TokenIssueTime": cut.to_string()}}),
    )
}

fn everything() -> Value {
    json!({"Sid": "UnchainEverything", "Effect": "Deny", "Action": "*", "Resource": "*"})
}

/// A deny of everything under a condition.
pub(super) fn deny(sid: &str, condition: &Value) -> Value {
    json!({"Sid": sid, "Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition})
}

/// A document of these statements.
pub(super) fn document(statements: &[Value]) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn breaks(target: &Target, beside: Option<&Beside>) -> Vec<Break> {
    let Some(beside) = beside else {
        return Vec::new();
    };
    let what = match (target.width, target.owner.kind) {
        (Width::Sessions, _) => return Vec::new(),
        (Width::Cut, _) => "is denied everything until it takes the role anew, after the cut-off",
        (Width::Whole, OwnerKind::User) => "is denied everything until the plan is undone",
        (Width::Whole, _) => "cannot use the role until the plan is undone",
    };
    let who = beside.others.iter().chain(&beside.services);
    who.map(|who| Break {
        who: crate::text::Untrusted::new(who.as_str()),
        what: what.to_owned(),
    })
    .collect()
}
