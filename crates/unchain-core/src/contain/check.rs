//! What speaks against a plan. It knows what a plan says and not how it was made.

use super::after::{after, owner};
use super::facts::Facts;
use super::inspect::{Revocation, revocation};
use super::outrun::{exempt_in_reach, frozen_out, not_frozen};
use super::owner::Owner;
use super::plan::{
    Action, Call, MANAGED, Phase, Plan, SCP, SCPS_ATTACHED, Undo, attached_quota, frozen,
    inline_quota, size,
};
use super::prove::identity;
use super::scope::{Scope, mark, subject};
use crate::report::Report;
use crate::text::Untrusted;
use crate::time::Timestamp;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;

/// How grave a note is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The plan must not be carried out.
    Refuse,
    /// Who approves it should know.
    Warn,
}

/// Something that speaks against a plan.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Note {
    /// How grave it is.
    pub severity: Severity,
    /// A stable name of the kind of note.
    pub code: &'static str,
    /// What it is about: an ARN, a key id, the number of a step.
    pub about: Untrusted,
    /// In words.
    pub why: String,
}

/// Characters of a trust policy, unless the quota was raised (IAM User Guide, "IAM and AWS STS quotas").
const TRUST: usize = 2_048;

/// Everything that speaks against carrying out a plan at `now`, by the ledger and the accounts as they are known now.
/// The most grave comes first.
pub fn check(plan: &Plan, report: &Report<'_, '_>, facts: &Facts, now: Timestamp) -> Vec<Note> {
    let mut notes = Notes::default();
    notes.age(plan, report, now);
    notes.facts(plan, facts);
    notes.lockout(plan, facts);
    notes.outrun(plan, facts);
    notes.lineage(plan, report);
    notes.quotas(plan, facts);
    notes.steps(plan, facts);
    for open in &plan.open {
        let of = plan.subjects.get(open.subject as usize);
        let name = of.and_then(|s| s.access_key_id.as_ref().or(s.principal_arn.as_ref()));
        notes.warn("left-open", name.map_or("", Untrusted::raw), &open.why);
    }
    let mut notes = notes.0;
    notes.sort();
    notes.dedup();
    notes
}

/// The users and roles behind some ARNs that a plan denies, also by freezing their account.
pub fn locked_out(plan: &Plan, keep: &[Untrusted]) -> BTreeSet<Owner> {
    let owners = |arns: &[Untrusted]| -> BTreeSet<Owner> {
        let owners = arns.iter().filter_map(|arn| Owner::of_arn(arn.raw()));
        owners.collect()
    };
    let exempt = owners(&plan.settings.exempt);
    let frozen: BTreeSet<&str> = plan.steps.iter().filter_map(frozen).collect();
    let touched = plan.steps.iter().filter_map(|step| match &step.action {
        Action::Call(call) => owner(call),
        _ => None,
    });
    let members = plan.subjects.iter().filter(|s| s.credential);
    let denied = touched.chain(members.filter_map(|s| s.owner.clone()));
    // Their partition says nothing: no account id is in two.
    let name = |owner: &Owner| (owner.account.clone(), owner.kind, owner.name.clone());
    let denied: BTreeSet<_> = denied.map(|owner| name(&owner)).collect();
    let mut out = owners(keep);
    out.retain(|owner| {
        let in_frozen = frozen.contains(owner.account.raw());
        denied.contains(&name(owner)) || in_frozen && !exempt.contains(owner)
    });
    out
}

#[derive(Default)]
struct Notes(Vec<Note>);

impl Notes {
    fn add(&mut self, severity: Severity, code: &'static str, (about, why): (&str, &str)) {
        self.0.push(Note {
            severity,
            code,
            about: Untrusted::new(about),
            why: why.to_owned(),
        });
    }

    fn refuse(&mut self, code: &'static str, about: &str, why: &str) {
        self.add(Severity::Refuse, code, (about, why));
    }

    fn warn(&mut self, code: &'static str, about: &str, why: &str) {
        self.add(Severity::Warn, code, (about, why));
    }

    fn age(&mut self, plan: &Plan, report: &Report<'_, '_>, now: Timestamp) {
        if plan.subjects.is_empty() {
            self.refuse(
                "empty",
                plan.pivot.raw(),
                "the pivot means nothing in the ledger",
            );
        }
        if now >= plan.valid_until {
            self.refuse(
                "expired",
                &plan.id,
                "its cut-off no longer lies ahead: plan again",
            );
        }
        let mark = mark(report.lineage().ledger());
        if mark.events > plan.ledger.events || mark.last > plan.ledger.last {
            self.warn(
                "older-than-ledger",
                &plan.id,
                "events were read since it was made",
            );
        }
    }

    fn facts(&mut self, plan: &Plan, facts: &Facts) {
        if facts.digest() != plan.facts {
            self.warn(
                "other-facts",
                &plan.id,
                "the accounts were read again since it was made",
            );
        }
        for unread in &facts.unread {
            self.warn(
                "unread",
                unread,
                "it was not read, so what it allows is not known",
            );
        }
    }

    fn lockout(&mut self, plan: &Plan, facts: &Facts) {
        let exempt = &plan.settings.exempt;
        if exempt.is_empty() {
            self.warn(
                "no-exemption",
                &plan.id,
                "no responder is named, so none is looked after",
            );
        }
        for owner in locked_out(plan, exempt) {
            self.refuse(
                "locks-out",
                &facts.arn(&owner),
                "it denies a principal that must keep access",
            );
        }
    }

    /// What an attacker who is quicker than a deny could do.
    fn outrun(&mut self, plan: &Plan, facts: &Facts) {
        for (account, could) in not_frozen(plan, facts) {
            let why = if could {
                "it is not frozen: who acts within the seconds that a deny needs makes other credentials, which only \
                 a plan made after them knows"
            } else {
                "no service control policy reaches it: who acts within the seconds that a deny needs can strip it or \
                 make other credentials; look for both afterwards, and plan again"
            };
            self.warn("can-be-outrun", &account, why);
        }
        for account in frozen_out(plan) {
            let why =
                "it is frozen and no principal of it is exempt: nobody could carry out the rest";
            self.refuse("locks-out", &account, why);
        }
        for owner in exempt_in_reach(plan, facts) {
            let why = "the lineage may take it, or make credentials of it, and what is exempt no service control \
                       policy denies: guard it by one of its own first, or name another";
            self.warn("exempt-in-reach", &facts.arn(&owner), why);
        }
    }

    /// Whether the ledger knows of more than the plan.
    fn lineage(&mut self, plan: &Plan, report: &Report<'_, '_>) {
        let scope = Scope::of(report, plan.pivot.raw(), &plan.settings.exempt);
        let known: BTreeSet<_> = plan.subjects.iter().map(identity).collect();
        for &node in &scope.nodes {
            let kind = report.lineage().node(node).map(|n| n.kind);
            if !kind.is_some_and(|kind| kind.is_credential()) || !report.may_work(node) {
                continue;
            }
            if subject(report, node, &BTreeSet::new())
                .is_some_and(|s| !known.contains(&identity(&s)))
            {
                let why = "a credential of the lineage that may work is not in the plan";
                self.refuse("misses-credential", report.label(node).raw(), why);
            }
        }
        for &node in &scope.beyond {
            let why = "the lineage comes from it, and the plan leaves it alone: it can issue again";
            self.warn("misses-ancestor", report.label(node).raw(), why);
        }
    }

    fn quotas(&mut self, plan: &Plan, facts: &Facts) {
        let after = after(facts, plan);
        let calls = plan.steps.iter().filter(|step| step.phase < Phase::Remove);
        for step in calls {
            let Action::Call(call) = &step.action else {
                continue;
            };
            let owner = owner(call);
            if let Some(owner) = &owner {
                self.held(&after, owner);
            }
            self.document(call);
            if (call.service.as_str(), call.action.as_str()) == ("organizations", "AttachPolicy") {
                let target = call
                    .parameters
                    .get("TargetId")
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                let levels = after
                    .scps(target)
                    .iter()
                    .filter(|level| level.target == target);
                if levels
                    .map(|level| level.policies.len())
                    .any(|count| count > SCPS_ATTACHED)
                {
                    self.refuse(
                        "quota",
                        target,
                        "more service control policies than can be attached",
                    );
                }
            }
        }
    }

    fn held(&mut self, after: &Facts, owner: &Owner) {
        let Some(held) = after.policies(owner) else {
            return;
        };
        let arn = after.arn(owner);
        if held.inline.values().map(size).sum::<usize>() > inline_quota(owner.kind) {
            let why = "its inline policies would be longer than IAM allows";
            self.refuse("quota", &arn, why);
        }
        let account = after.accounts.get(owner.account.raw());
        if held.attached.len() > attached_quota(account, owner.kind) {
            self.refuse("quota", &arn, "more managed policies than can be attached");
        }
    }

    fn document(&mut self, call: &Call) {
        let of = |name: &str| call.parameters.get(name);
        let about = of("PolicyName")
            .or_else(|| of("Name"))
            .or_else(|| of("RoleName"));
        let about = about.and_then(Value::as_str).unwrap_or_default();
        let managed = matches!(call.action.as_str(), "CreatePolicy" | "CreatePolicyVersion");
        match of("PolicyDocument") {
            Some(document) if managed && size(document) > MANAGED => {
                self.refuse(
                    "quota",
                    about,
                    "the managed policy is longer than IAM allows",
                );
            }
            Some(document) if call.action == "UpdateAssumeRolePolicy" && size(document) > TRUST => {
                self.warn(
                    "quota",
                    about,
                    "the trust policy is longer than IAM allows unless the quota was raised",
                );
            }
            _ => {}
        }
        if of("Content").is_some_and(|content| content.to_string().len() > SCP) {
            self.refuse(
                "quota",
                about,
                "the service control policy is longer than Organizations allows",
            );
        }
    }

    fn steps(&mut self, plan: &Plan, facts: &Facts) {
        for step in &plan.steps {
            let Action::Call(call) = &step.action else {
                continue;
            };
            if let Undo::Never(why) = &step.undo {
                self.warn("cannot-be-undone", &format!("step {}", step.number), why);
            }
            if call.action == "DeleteUser" {
                let known = owner(call).is_some_and(|owner| facts.user(&owner).is_some());
                let why = if known {
                    "IAM deletes no user that has SSH keys or signing certificates, which are not read: delete them \
                     first"
                } else {
                    "IAM deletes no user that has anything, and what it has was not read"
                };
                self.warn("may-not-be-deleted", step.target.raw(), why);
            }
            let why = match owner(call).map(|owner| revocation(facts, &owner)) {
                Some(Revocation::ServiceLinked) => "IAM refuses to change a service-linked role",
                Some(Revocation::IdentityCenter) => {
                    "IAM refuses to change a role of Identity Center"
                }
                _ => continue,
            };
            self.refuse("service-linked", step.target.raw(), why);
        }
        self.complete(plan);
        let phases = plan.steps.iter().map(|step| (step.phase, step.number));
        if !phases.is_sorted() {
            self.refuse(
                "order",
                &plan.id,
                "its steps are not in the order of their phases",
            );
        }
    }

    /// A cut-off is moved after waiting, and in the end somebody looks.
    fn complete(&mut self, plan: &Plan) {
        let has = |phase| plan.steps.iter().any(|step| step.phase == phase);
        let cuts = |phase| -> BTreeSet<&Untrusted> {
            let of = plan
                .steps
                .iter()
                .filter(|step| step.phase == phase && has_cut(&step.action));
            of.map(|step| &step.target).collect()
        };
        for target in cuts(Phase::Deny).difference(&cuts(Phase::CutAgain)) {
            let why =
                "its cut-off is not moved: a token issued before the deny was in force would live";
            self.refuse("incomplete", target.raw(), why);
        }
        if has(Phase::Deny) && !has(Phase::Wait) || !has(Phase::Verify) {
            self.refuse(
                "incomplete",
                &plan.id,
                "it does not wait, or does not look whether it worked",
            );
        }
    }
}

fn has_cut(action: &Action) -> bool {
    let Action::Call(call) = action else {
        return false;
    };
    let document = call.parameters.get("PolicyDocument").map(Value::to_string);
    document.is_some_and(|text| text.contains("\"aws:TokenIssueTime\""))
}
