//! What there is to be contained: for each user and role of a lineage what it can reach, who else uses it, how it can
//! be revoked, and what room there is; and which preventive controls the accounts lack.

use super::facts::{Account, Facts, Role};
use super::owner::{Owner, OwnerKind};
use super::plan::{Settings, attachable, inline_room, trust_names};
use super::reach::{Reached, reach};
use super::scope::{Scope, actions, owner};
use crate::report::Report;
use crate::text::Untrusted;
use serde::Serialize;
use serde_json::Value;
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
    /// Roles that it can assume, one after another.
    pub reaches: Vec<Reached>,
    /// Whether every role was looked at.
    pub reach_complete: bool,
    /// Whether it was among the facts: if not, what it can reach is not known.
    pub read: bool,
    /// How it can be revoked.
    pub revocation: Revocation,
    /// Characters of inline policy that it still has room for.
    pub inline_room: usize,
    /// Managed policies that it still has room for.
    pub attachable: usize,
    /// Whether a service control policy can deny it: the organization was read, and its account is a member.
    pub organization_can_deny: bool,
}

/// A preventive control that an account lacks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Control {
    /// A stable name.
    pub code: &'static str,
    /// The account, user or role.
    pub about: Untrusted,
    /// What is missing.
    pub missing: &'static str,
    /// What mends it.
    pub fix: &'static str,
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
    for &node in &scope.nodes {
        if !lineage.node(node).is_some_and(|n| n.kind.is_credential()) {
            continue;
        }
        if let Some(owner) = owner(lineage, node) {
            let row = rows
                .entry(owner)
                .or_insert_with_key(|owner| row(facts, owner));
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
        controls: controls(facts),
        unread: facts.unread.clone(),
    }
}

fn row(facts: &Facts, owner: &Owner) -> PrincipalRow {
    let (reaches, reach_complete) = match owner.kind {
        // The root user cannot assume a role (IAM User Guide, "Compare AWS STS credentials").
        OwnerKind::Root => (Vec::new(), true),
        OwnerKind::User | OwnerKind::Role => reach(facts, owner),
    };
    let services = facts
        .role(owner)
        .map(|role| trust_names(&role.trust, "Service"))
        .unwrap_or_default();
    PrincipalRow {
        arn: Untrusted::new(facts.arn(owner)),
        credentials: BTreeSet::new(),
        seen: BTreeSet::new(),
        others: BTreeSet::new(),
        services: services.into_iter().map(Untrusted::new).collect(),
        reaches,
        reach_complete,
        read: owner.kind == OwnerKind::Root || facts.policies(owner).is_some(),
        revocation: revocation(facts, owner),
        inline_room: inline_room(facts, owner, ""),
        attachable: attachable(facts, owner),
        organization_can_deny: !facts.scps(owner.account.raw()).is_empty(),
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

fn controls(facts: &Facts) -> Vec<Control> {
    let mut found = Vec::new();
    for (id, account) in &facts.accounts {
        of_root(id, account, &mut found);
        of_users(account, &mut found);
        for role in account.roles.values() {
            found.extend(of_trust(facts, role));
        }
        let member = facts
            .organization
            .as_ref()
            .is_some_and(|o| o.management_account != *id);
        let denied = facts
            .scps(id)
            .iter()
            .flat_map(|level| level.policies.values());
        let logging = denied
            .map(Value::to_string)
            .any(|text| text.contains("\"Deny\"") && text.contains("cloudtrail:"));
        if member && !logging {
            found.push(Control {
                code: "logging-unprotected",
                about: Untrusted::new(id.as_str()),
                missing: "no service control policy keeps the account from stopping its trails",
                fix: "deny cloudtrail:StopLogging, DeleteTrail, UpdateTrail and PutEventSelectors by an SCP",
            });
        }
    }
    found.sort();
    found
}

fn of_root(id: &str, account: &Account, found: &mut Vec<Control>) {
    if account.root_keys == Some(true) {
        found.push(Control {
            code: "root-has-keys",
            about: Untrusted::new(id),
            missing: "the root user has access keys, which no policy of the account limits",
            fix: "delete them",
        });
    }
    if account.root_mfa == Some(false) {
        found.push(Control {
            code: "root-without-mfa",
            about: Untrusted::new(id),
            missing: "the root user has no MFA device",
            fix: "add one, or remove root's credentials by central root access",
        });
    }
}

fn of_users(account: &Account, found: &mut Vec<Control>) {
    for user in account.users.values() {
        let about = || Untrusted::new(user.arn.as_str());
        if user.password == Some(true) && user.mfa == Some(false) && user.mfa_devices.is_empty() {
            found.push(Control {
                code: "password-without-mfa",
                about: about(),
                missing: "the user signs in with a password alone",
                fix: "enable an MFA device, and deny all else without one",
            });
        }
        let active = user.keys.values().filter(|active| **active).count();
        if user.active_keys.is_some_and(|count| count > 1) || active > 1 {
            found.push(Control {
                code: "two-active-keys",
                about: about(),
                missing: "two access keys work: one can be lost without being missed",
                fix: "make the one that is not used inactive",
            });
        }
    }
}

/// What a trust policy should ask and does not.
fn of_trust(facts: &Facts, role: &Role) -> Vec<Control> {
    let text = role.trust.to_string();
    let asks = |key: &str| text.contains(key);
    let own = role.arn.split(':').nth(4).unwrap_or_default();
    let names = trust_names(&role.trust, "AWS");
    let known = |name: &str| {
        let account = name.split(':').nth(4).unwrap_or(name);
        account == own || facts.accounts.contains_key(account) || !facts.scps(account).is_empty()
    };
    let mut found = Vec::new();
    let mut add = |code, missing, fix| {
        found.push(Control {
            code,
            about: Untrusted::new(role.arn.as_str()),
            missing,
            fix,
        })
    };
    if names.contains("*") && !asks("\"Condition\"") {
        add(
            "trust-everybody",
            "anybody at AWS can take the role",
            "name the accounts or roles that may",
        );
    } else if names.iter().any(|name| !known(name))
        && !asks("sts:ExternalId")
        && !asks("aws:PrincipalOrgID")
    {
        add(
            "trust-without-external-id",
            "another account can take the role for whoever asks it to",
            "ask for sts:ExternalId, or for aws:PrincipalOrgID",
        );
    }
    let github = trust_names(&role.trust, "Federated")
        .iter()
        .any(|name| name.contains("token.actions.githubusercontent.com"));
    if github && !asks("token.actions.githubusercontent.com:sub") {
        add(
            "trust-any-repository",
            "a workflow of any repository can take the role",
            "ask for token.actions.githubusercontent.com:sub",
        );
    }
    found
}
