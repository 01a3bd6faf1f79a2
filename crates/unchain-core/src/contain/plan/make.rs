//! Making a plan, phase by phase.

use super::super::facts::Facts;
use super::super::owner::{Owner, OwnerKind};
use super::super::scope::{self, Scope, is_created, mark, subject};
use super::cut::Times;
use super::denies::{Beside, Target, targets};
use super::steps::{About, Steps};
use super::{Action, Level, PLAN_VERSION, Phase, Plan, Removal, Settings, Subject, Undo};
use crate::lineage::NodeKind;
use crate::report::Report;
use crate::text::Untrusted;
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// What a plan is made from.
pub(super) struct Ground<'a> {
    pub(super) facts: &'a Facts,
    pub(super) settings: &'a Settings,
    pub(super) subjects: &'a [Subject],
    pub(super) targets: &'a [Target],
    pub(super) times: Times,
    pub(super) id: &'a str,
}

impl Ground<'_> {
    /// The name of the policies of this plan.
    pub(super) fn policy_name(&self) -> String {
        format!("UnchainContain-{}", self.id)
    }
}

/// Makes a plan around a pivot: everything that the pivot came from and all that came of it. `report` says what works
/// at `now`. The same lineage, facts, settings and instant give the same plan.
pub fn plan(
    report: &Report<'_, '_>,
    facts: &Facts,
    settings: &Settings,
    (pivot, now): (&str, Timestamp),
) -> Plan {
    let scope = Scope::of(report, pivot, &settings.exempt);
    let (numbers, subjects) = members(report, &scope);
    let beside = beside(report, facts, (&numbers, &subjects));
    let nodes: BTreeSet<u32> = scope.nodes.iter().copied().collect();
    let identities = super::source::own(report, (&nodes, &subjects));
    let targets = targets(&subjects, &beside, settings, &identities);
    let (times, facts_digest) = (Times::from(now), facts.digest());
    let ledger = mark(report.lineage().ledger());
    let id =
        super::super::document::hash(&(pivot, settings, now, &facts_digest, &ledger, &subjects))
            .unwrap_or_default();
    let id: String = id.chars().take(8).collect();
    let ground = Ground {
        facts,
        settings,
        subjects: &subjects,
        targets: &targets,
        times,
        id: &id,
    };
    let mut steps = Steps {
        unread: unread(facts, &subjects),
        ..Steps::default()
    };
    fill(&mut steps, &ground);
    steps.outside(report, &numbers, &ground);
    steps.open.sort();
    steps.open.dedup();
    Plan {
        version: PLAN_VERSION,
        pivot: Untrusted::new(pivot),
        settings: settings.clone(),
        made_at: times.made_at,
        valid_until: times.valid_until,
        cut_off: times.second,
        ledger,
        facts: facts_digest,
        made: made(&subjects),
        steps: steps.list,
        open: steps.open,
        id,
        subjects,
    }
}

/// The nodes of a scope that belong to a plan, and what is told of each.
fn members(report: &Report<'_, '_>, scope: &Scope) -> (Vec<u32>, Vec<Subject>) {
    let members: BTreeSet<u32> = scope.nodes.iter().copied().collect();
    let all = scope.nodes.iter();
    all.filter_map(|&n| Some((n, subject(report, n, &members)?)))
        .filter(|(_, s)| belongs(s))
        .unzip()
}

/// What the lineage made or changed that is not a credential.
fn made(subjects: &[Subject]) -> Vec<u32> {
    (0u32..)
        .zip(subjects)
        .filter(|(_, s)| !s.credential && s.by_lineage)
        .map(|(n, _)| n)
        .collect()
}

/// The accounts of a lineage that were not read although others were.
fn unread(facts: &Facts, subjects: &[Subject]) -> BTreeSet<String> {
    let owners = subjects.iter().filter_map(|s| s.owner.as_ref());
    let accounts = owners.map(|owner| owner.account.raw().to_owned());
    let read = |account: &String| facts.accounts.is_empty() || facts.accounts.contains_key(account);
    accounts.filter(|account| !read(account)).collect()
}

/// Services, workloads, persons at an identity provider: what makes credentials for many is not itself contained.
pub(crate) fn belongs(subject: &Subject) -> bool {
    let beyond = [
        NodeKind::Service,
        NodeKind::Workload,
        NodeKind::Identity,
        NodeKind::IdpSubject,
        NodeKind::Certificate,
        NodeKind::IdentityCenterSession,
    ];
    !beyond.iter().any(|kind| kind.name() == subject.kind.raw())
}

fn fill(steps: &mut Steps, ground: &Ground<'_>) {
    if ground.subjects.is_empty() {
        return;
    }
    if ground.settings.level > Level::Observe {
        steps.organization(ground);
        let cut: Vec<_> = ground
            .targets
            .iter()
            .map(|target| steps.deny(ground, target))
            .collect();
        steps.wait(ground);
        for (target, first) in ground.targets.iter().zip(cut) {
            steps.cut_again(ground, target, first);
        }
        steps.keys(ground);
        steps.sign_in(ground);
        steps.trust(ground);
    }
    steps.verify(ground);
    if ground.settings.level > Level::Observe && ground.settings.removal == Removal::Remove {
        steps.remove(ground);
    }
}

/// What is known of each user and role of a lineage beside the lineage.
fn beside(
    report: &Report<'_, '_>,
    facts: &Facts,
    (nodes, subjects): (&[u32], &[Subject]),
) -> BTreeMap<Owner, Beside> {
    let lineage = report.lineage();
    let mut found: BTreeMap<Owner, Beside> = BTreeMap::new();
    for (&node, subject) in nodes.iter().zip(subjects) {
        let Some(owner) = &subject.owner else {
            continue;
        };
        let beside = found.entry(owner.clone()).or_insert_with(|| Beside {
            id: id_of(facts, owner),
            arn: facts.arn(owner),
            services: facts
                .role(owner)
                .map(|role| super::trust::services(&role.trust))
                .unwrap_or_default(),
            ..Beside::default()
        });
        let kind = lineage.node(node).map(|n| n.kind);
        let thing = matches!(kind, Some(NodeKind::User | NodeKind::Role));
        beside.made |= thing && subject.by_lineage && is_created(lineage, node);
    }
    let members: BTreeSet<u32> = nodes.iter().copied().collect();
    for node in report.credentials() {
        if members.contains(&node) {
            continue;
        }
        if let Some(owner) = scope::owner(lineage, node)
            && let Some(beside) = found.get_mut(&owner)
            && report.may_work(node)
        {
            beside.others.insert(report.label(node).raw().to_owned());
        }
    }
    found
}

fn id_of(facts: &Facts, owner: &Owner) -> Option<String> {
    let user = facts.user(owner).map(|user| &user.id);
    user.or_else(|| Some(&facts.role(owner)?.id))
        .filter(|id| !id.is_empty())
        .cloned()
}

impl Steps {
    fn verify(&mut self, ground: &Ground<'_>) {
        let all = (0u32..)
            .zip(ground.subjects)
            .filter(|(_, s)| s.credential)
            .map(|(n, _)| n);
        let all: Vec<u32> = all.collect();
        let changes = ground.settings.level > Level::Observe;
        let after = if changes {
            ground.times.second
        } else {
            ground.times.made_at
        };
        let why = "no credential of the lineage may have a successful call";
        let action = Action::Verify {
            after,
            until: ground.times.look_until,
        };
        self.add(
            About::new(Phase::Verify, "", why, &all),
            &[],
            (action, Undo::Nothing),
        );
    }

    /// Credentials that come from outside what the plan touches can be had again.
    fn outside(&mut self, report: &Report<'_, '_>, nodes: &[u32], ground: &Ground<'_>) {
        let lineage = report.lineage();
        for (number, &node) in (0u32..).zip(nodes) {
            let parent = lineage
                .primary(node)
                .and_then(|edge| lineage.node(edge.parent));
            let why = match parent.map(|parent| parent.kind) {
                Some(NodeKind::Workload) => {
                    "its workload is handed new credentials: isolate it, or take the role from it"
                }
                Some(NodeKind::IdpSubject) => {
                    "its identity provider can vouch again: disable the subject there"
                }
                Some(NodeKind::Certificate) => {
                    "its certificate works: revoke it, or disable the trust anchor or profile"
                }
                Some(NodeKind::IdentityCenterSession) => {
                    "Identity Center can issue again: remove the assignment, delete the session, disable the user"
                }
                Some(NodeKind::OAuthSession) => "`aws login` can refresh: revoke the grant",
                Some(NodeKind::Identity) => {
                    "it was taken from an account whose own log is not here"
                }
                _ => continue,
            };
            self.leave_open(&[number], ground.subjects, why);
        }
        let root = (0u32..).zip(ground.subjects).filter(|(_, s)| s.credential);
        let root = root.filter(|(_, s)| {
            s.owner
                .as_ref()
                .is_none_or(|o| o.kind == OwnerKind::Root || !o.is_sound())
        });
        let covered = |s: &Subject| super::scp::covers(ground, s);
        let root: Vec<u32> = root.filter(|(_, s)| !covered(s)).map(|(n, _)| n).collect();
        let why = "no policy of an account limits it: end it as the root user, or by a service control policy";
        self.leave_open(&root, ground.subjects, why);
    }
}
