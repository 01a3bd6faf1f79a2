//! Preventive controls that accounts lack. Where many roles lack the same, it is told once for their account.

use super::super::facts::{Account, Facts, Policies};
use super::super::owner::OwnerKind;
use super::super::plan::{SCPS_ATTACHED, attached_quota, inline_room};
use super::super::policies::denies;
use super::{keys, logging, trusts};
use crate::text::Untrusted;
use crate::time::Timestamp;
use serde::Serialize;
use std::collections::BTreeSet;

/// A preventive control that an account lacks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Control {
    /// A stable name.
    pub code: &'static str,
    /// The account, user, role or trail.
    pub about: Untrusted,
    /// What is missing.
    pub missing: &'static str,
    /// What mends it.
    pub fix: &'static str,
    /// Which access keys of a user, or which roles and users of an account, where it is not `about` itself.
    pub names: BTreeSet<Untrusted>,
}

/// Characters that a deny by time of issue needs, with some to spare.
const DENY: usize = 256;

/// The least characters of a password (docs.aws.amazon.com/securityhub/latest/userguide/iam-controls.html, IAM.15).
const PASSWORD: u64 = 14;

/// What the accounts that were read lack at `now`. What was not read is not told as missing.
pub fn controls(facts: &Facts, now: Timestamp) -> Vec<Control> {
    let mut found = Found::default();
    for (id, account) in &facts.accounts {
        found.root(id, account);
        keys::controls(account, now, &mut found);
        trusts::controls(facts, (id, account), &mut found);
        logging::controls(facts, (id, account), &mut found);
        found.organization(facts, id);
        found.room(id, account);
    }
    found.0.sort();
    found.0
}

/// Controls that were found missing.
#[derive(Default)]
pub(super) struct Found(Vec<Control>);

impl Found {
    pub(super) fn add(
        &mut self,
        code: &'static str,
        about: &str,
        words: (&'static str, &'static str),
    ) {
        self.each(code, (about, BTreeSet::new()), words);
    }

    /// One for all the names; none if there are none.
    pub(super) fn of(
        &mut self,
        code: &'static str,
        (about, names): (&str, BTreeSet<&str>),
        words: (&'static str, &'static str),
    ) {
        if !names.is_empty() {
            let names = names.into_iter().map(Untrusted::new).collect();
            self.each(code, (about, names), words);
        }
    }

    fn each(
        &mut self,
        code: &'static str,
        (about, names): (&str, BTreeSet<Untrusted>),
        (missing, fix): (&'static str, &'static str),
    ) {
        self.0.push(Control {
            code,
            about: Untrusted::new(about),
            missing,
            fix,
            names,
        });
    }

    /// docs.aws.amazon.com/IAM/latest/UserGuide/root-user-best-practices.html.
    fn root(&mut self, id: &str, account: &Account) {
        if account.root_keys == Some(true) {
            let missing = "the root user has access keys, which no policy of the account limits";
            self.add("root-has-keys", id, (missing, "delete them"));
        }
        if account.root_mfa == Some(false) {
            let fix = "add one, or remove root's credentials by central root access";
            self.add(
                "root-without-mfa",
                id,
                ("the root user has no MFA device", fix),
            );
        }
        if account
            .password_length
            .is_some_and(|length| length < PASSWORD)
        {
            let missing = "a password may be shorter than 14 characters";
            let fix = "ask for 14 characters in the account's password policy";
            self.add("short-passwords", id, (missing, fix));
        }
    }

    /// docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html.
    fn organization(&mut self, facts: &Facts, id: &str) {
        let management = facts.organization.as_ref().map(|o| &o.management_account);
        if facts.answers.roots.values().any(|on| !on) && management.is_some_and(|m| m == id) {
            let missing = "service control policies are not enabled: only the accounts' own policies can deny";
            let fix = "enable the policy type SERVICE_CONTROL_POLICY at the root";
            self.add("scps-not-enabled", id, (missing, fix));
        }
        let levels = facts.scps(id);
        if levels.is_empty() {
            return;
        }
        let mut documents = levels.iter().flat_map(|level| level.policies.values());
        if !documents.any(|document| denies(document, "cloudtrail:StopLogging")) {
            let missing = "no service control policy keeps the account from stopping its trails";
            let fix = "deny cloudtrail:StopLogging, DeleteTrail, UpdateTrail and PutEventSelectors by an SCP";
            self.add("logging-unprotected", id, (missing, fix));
        }
        let own = levels.iter().find(|level| level.target == id);
        if own.is_some_and(|level| level.policies.len() >= SCPS_ATTACHED) {
            let missing = "as many service control policies are attached to the account as can be: no plan can add one";
            self.add(
                "no-room-for-scp",
                id,
                (
                    missing,
                    "merge two of them, or attach one to the unit above",
                ),
            );
        }
    }

    /// docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html.
    fn room(&mut self, id: &str, account: &Account) {
        let full = |kind, held: &Policies| {
            let attached = attached_quota(Some(account), kind);
            inline_room(kind, Some(held), "") < DENY && held.attached.len() >= attached
        };
        let users = account.users.values();
        let users = users.filter(|user| full(OwnerKind::User, &user.policies));
        let roles = account.roles.values();
        let roles = roles.filter(|role| full(OwnerKind::Role, &role.policies));
        let names = users.map(|user| user.arn.as_str());
        let names = names.chain(roles.map(|role| role.arn.as_str())).collect();
        let missing = "no deny can be put on them: their inline policies are as long, and their managed ones as many, as can be";
        let fix =
            "move inline policies to managed ones, or have the quota of attached policies raised";
        self.of("no-room-for-deny", (id, names), (missing, fix));
    }
}
