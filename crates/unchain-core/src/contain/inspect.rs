//! What there is to be contained: for each user and role of a lineage what it can reach, who else uses it, how it can
//! be revoked, and what room there is; and which preventive controls the accounts lack.

mod controls;
mod keys;
mod logging;
mod trusts;

pub use controls::{Control, controls};

use super::facts::{Account, Facts};
use super::owner::{Owner, OwnerKind};
use super::plan::{SCPS_ATTACHED, Settings, attachable, inline_room, trust_names};
use super::reach::{Reach, Reached};
use super::scope::{Scope, actions, owner};
use crate::report::Report;
use crate::text::Untrusted;
use crate::time::Timestamp;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// How the sessions of a principal can be ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Revocation {
    /// By a deny on the user, and by making its keys inactive.
    UserPolicy,
    /// By a deny on the role, by time of issue or by session.
    RolePolicy,
    /// Not in IAM; by a deny in its permission set, or by a service control policy.
    IdentityCenter,
    /// Not at all.
    ServiceLinked,
    /// As the root user; its tokens by a service control policy, or they end after an hour.
    Root,
}

/// One user, role or root user of a lineage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PrincipalRow {
    /// Its ARN.
    pub arn: Untrusted,
    /// Its credentials in the lineage, by key id or principal.
    pub credentials: BTreeSet<Untrusted>,
    /// What they were seen doing: `service:Action`.
    pub seen: BTreeSet<String>,
    /// Credentials of it outside the lineage that may work: whom a deny on all of it would hit.
    pub others: BTreeSet<Untrusted>,
    /// Services that its trust policy lets assume it.
    pub services: BTreeSet<Untrusted>,
    /// Roles that it can get, one after another.
    pub reaches: Vec<Reached>,
    /// Actions by which it may give itself any permission, or take another's credentials, each with the condition keys
    /// that decide. Where there are any, `reaches` is only what it can get without them.
    pub grants: BTreeMap<&'static str, BTreeSet<String>>,
    /// Policies of it that were not read: what they allow is not in `reaches` and `grants`.
    pub policies_unread: BTreeSet<Untrusted>,
    /// When AWS says that it was last used, UTC; behind the log by hours, and none where it was not read or never.
    pub last_used: Option<Timestamp>,
    /// The longest session of a role in seconds, where it was read.
    pub max_session: Option<u32>,
    /// Whether every role was looked at.
    pub reach_complete: bool,
    /// Whether it was among the facts: if not, what it can reach is not known.
    pub read: bool,
    /// How it can be revoked.
    pub revocation: Revocation,
    /// Characters of inline policy that it still has room for.
    pub inline_room: usize,
    /// Managed policies that it still has room for, by the account's quota where it was read.
    pub attachable: usize,
    /// Whether a service control policy can deny it: the organization was read, and its account is a member.
    pub organization_can_deny: bool,
    /// Service control policies that can still be attached to its account, where that was read.
    pub scp_room: Option<usize>,
}

/// The answer of [`inspect`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Inspection {
    /// Users, roles and root users of the lineage.
    pub principals: Vec<PrincipalRow>,
    /// What the accounts lack.
    pub controls: Vec<Control>,
    /// What could not be read.
    pub unread: BTreeSet<String>,
}

/// Inspects the lineage of a pivot, and the accounts that were read.
pub fn inspect(
    report: &Report<'_, '_>,
    facts: &Facts,
    settings: &Settings,
    pivot: &str,
) -> Inspection {
    let lineage = report.lineage();
    let scope = Scope::of(report, pivot, &settings.exempt);
    let members: BTreeSet<u32> = scope.nodes.iter().copied().collect();
    let mut rows: BTreeMap<Owner, PrincipalRow> = BTreeMap::new();
    let mut reach = Reach::new(facts);
    for &node in &scope.nodes {
        if !lineage.node(node).is_some_and(|n| n.kind.is_credential()) {
            continue;
        }
        if let Some(owner) = owner(lineage, node) {
            let row = rows
                .entry(owner)
                .or_insert_with_key(|owner| row(facts, &mut reach, owner));
            row.credentials.insert(report.label(node));
            row.seen.extend(actions(report, node));
        }
    }
    for node in report
        .credentials()
        .into_iter()
        .filter(|node| !members.contains(node))
    {
        if let Some(row) = owner(lineage, node).and_then(|owner| rows.get_mut(&owner))
            && report.may_work(node)
        {
            row.others.insert(report.label(node));
        }
    }
    Inspection {
        principals: rows.into_values().collect(),
        controls: controls(facts, report.at()),
        unread: facts.unread.clone(),
    }
}

fn row(facts: &Facts, reach: &mut Reach<'_>, owner: &Owner) -> PrincipalRow {
    let root = owner.kind == OwnerKind::Root;
    // The root user cannot assume a role (IAM User Guide, "Compare AWS STS credentials").
    let (reaches, reach_complete) = if root {
        (Vec::new(), true)
    } else {
        reach.of(owner)
    };
    let role = facts.role(owner);
    let services = role
        .map(|role| trust_names(&role.trust, "Service"))
        .unwrap_or_default();
    let account = facts.accounts.get(owner.account.raw());
    let held = facts.policies(owner);
    PrincipalRow {
        arn: Untrusted::new(facts.arn(owner)),
        credentials: BTreeSet::new(),
        seen: BTreeSet::new(),
        others: BTreeSet::new(),
        services: services.into_iter().map(Untrusted::new).collect(),
        reaches,
        grants: reach.grants(owner),
        policies_unread: reach.missing(owner),
        last_used: account.and_then(|account| last_used(account, owner)),
        max_session: role.and_then(|role| role.max_session),
        reach_complete,
        read: root || held.is_some() && account.is_some_and(|a| a.authorization_details),
        revocation: revocation(facts, owner),
        inline_room: inline_room(owner.kind, held, ""),
        attachable: attachable(facts, owner),
        organization_can_deny: !facts.scps(owner.account.raw()).is_empty(),
        scp_room: scp_room(facts, owner.account.raw()),
    }
}

fn scp_room(facts: &Facts, account: &str) -> Option<usize> {
    let own = facts.scps(account).iter().find(|l| l.target == account)?;
    Some(SCPS_ATTACHED.saturating_sub(own.policies.len()))
}

fn last_used(account: &Account, owner: &Owner) -> Option<Timestamp> {
    let name = owner.name.raw();
    match owner.kind {
        OwnerKind::Root => None,
        OwnerKind::Role => account.last_used.roles.get(name).copied().flatten(),
        OwnerKind::User => {
            let listed = account
                .users
                .get(name)
                .into_iter()
                .flat_map(|user| user.keys.keys());
            let listed = listed.filter_map(|id| account.last_used.keys.get(id));
            let reported = account.last_used.reported.get(name).into_iter().flatten();
            listed.chain(reported).copied().flatten().max()
        }
    }
}

/// How a principal's sessions can be ended.
pub(super) fn revocation(facts: &Facts, owner: &Owner) -> Revocation {
    let (arn, name) = (facts.arn(owner), owner.name.raw());
    let in_path = |path: &str| arn.contains(&format!(":role/{path}/"));
    match owner.kind {
        OwnerKind::Root => Revocation::Root,
        OwnerKind::User => Revocation::UserPolicy,
        // A session's ARN has no path; the reserved beginnings of the names tell as well.
        OwnerKind::Role if in_path("aws-service-role") || name.starts_with("AWSServiceRoleFor") => {
            Revocation::ServiceLinked
        }
        OwnerKind::Role
            if in_path("aws-reserved/sso.amazonaws.com") || name.starts_with("AWSReservedSSO_") =>
        {
            Revocation::IdentityCenter
        }
        OwnerKind::Role => Revocation::RolePolicy,
    }
}
