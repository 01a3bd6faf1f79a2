//! Making a plan, phase by phase.

use super::super::facts::Facts;
use super::super::inspect::{Revocation, revocation};
use super::super::owner::{Owner, OwnerKind};
use super::super::scope::{self, Scope, is_created, mark, subject};
use super::cut::{PROPAGATION, Times};
use super::denies::{Beside, Target, targets};
use super::pack::{Packed, Room, attachable, inline_room, pack};
use super::steps::{About, Steps, iam, of_owner, text};
use super::{Action, Level, PLAN_VERSION, Phase, Plan, Removal, Settings, Subject, Undo};
use crate::lineage::NodeKind;
use crate::report::Report;
use crate::text::Untrusted;
use crate::time::Timestamp;
use serde_json::{Value, json};
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
    let nodes: Vec<(u32, Subject)> = scope
        .nodes
        .iter()
        .filter_map(|&n| Some((n, subject(report, n)?)))
        .filter(|(_, s)| belongs(s))
        .collect();
    let (numbers, subjects): (Vec<u32>, Vec<Subject>) = nodes.into_iter().unzip();
    let beside = beside(report, facts, (&numbers, &subjects));
    let targets = targets(&subjects, &beside, settings);
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
    let mut steps = Steps::default();
    fill(&mut steps, &ground);
    steps.outside(report, &numbers, &ground);
    steps.open.sort();
    steps.open.dedup();
    let made = (0u32..)
        .zip(&subjects)
        .filter(|(_, s)| !s.credential)
        .map(|(n, _)| n)
        .collect();
    Plan {
        version: PLAN_VERSION,
        pivot: Untrusted::new(pivot),
        settings: settings.clone(),
        made_at: times.made_at,
        valid_until: times.valid_until,
        cut_off: times.second,
        ledger,
        facts: facts_digest,
        made,
        steps: steps.list,
        open: steps.open,
        id,
        subjects,
    }
}

/// Services, workloads, persons at an identity provider: what makes credentials for many is not itself contained.
fn belongs(subject: &Subject) -> bool {
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
        beside.made |= thing && is_created(lineage, node);
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

/// What the first deny on a target put there.
enum First {
    Nothing,
    /// An inline policy with a cut-off, as it was put.
    Inline(super::Call),
    /// A managed policy with a cut-off: its ARN.
    Managed(String),
}

const WHY_USER: &str =
    "the user's keys and sessions are in the lineage: each can ask for new tokens";
const WHY_ROLE: &str = "sessions of the role are in the lineage";

impl Steps {
    /// The denies on one user or role.
    fn deny(&mut self, ground: &Ground<'_>, target: &Target) -> First {
        if let Some(why) = untouchable(ground, &target.owner) {
            self.leave_open(&target.subjects, ground.subjects, why);
            return First::Nothing;
        }
        let room = Room {
            inline: inline_room(ground.facts, &target.owner, &ground.policy_name()),
            managed: attachable(ground.facts, &target.owner),
        };
        let Some(packed) = pack(target, ground.subjects, ground.times.first, room) else {
            let why = "no room for another policy: remove one first (IAM quotas)";
            self.leave_open(&target.subjects, ground.subjects, why);
            return First::Nothing;
        };
        self.put(ground, target, packed)
    }

    fn put(&mut self, ground: &Ground<'_>, target: &Target, packed: Packed) -> First {
        let arn = ground.facts.arn(&target.owner);
        let why = if target.owner.kind == OwnerKind::User {
            WHY_USER
        } else {
            WHY_ROLE
        };
        let about = About {
            breaks: &target.breaks,
            ..About::new(Phase::Deny, &arn, why, &target.subjects)
        };
        let mut first = First::Nothing;
        if let Some(document) = packed.inline {
            let call = put_policy(ground, &target.owner, document.clone());
            let delete = of_owner(
                &target.owner,
                ("Delete", "Policy"),
                &[("PolicyName", text(&ground.policy_name()))],
            );
            self.add(
                about,
                ground.subjects,
                (Action::Call(call.clone()), Undo::Calls(vec![delete])),
            );
            if has_cut(&document) {
                first = First::Inline(call);
            }
        }
        for (n, document) in packed.managed.into_iter().enumerate() {
            let managed = self.attach(ground, (target, about), (n, document.clone()));
            if has_cut(&document) {
                first = First::Managed(managed);
            }
        }
        first
    }

    /// A managed policy of our own, made and attached; its ARN.
    fn attach(
        &mut self,
        ground: &Ground<'_>,
        (target, about): (&Target, About<'_>),
        (n, document): (usize, Value),
    ) -> String {
        let owner = &target.owner;
        let kind = if owner.kind == OwnerKind::User {
            "user"
        } else {
            "role"
        };
        let name = format!("{}-{kind}-{}-{n}", ground.policy_name(), owner.name.raw());
        let arn = format!(
            "arn:{}:iam::{}:policy/{name}",
            owner.partition.raw(),
            owner.account.raw()
        );
        let create = iam(
            &owner.account,
            "CreatePolicy",
            &[("PolicyName", text(&name)), ("PolicyDocument", document)],
        );
        let delete = iam(&owner.account, "DeletePolicy", &[("PolicyArn", text(&arn))]);
        self.add(
            about,
            ground.subjects,
            (Action::Call(create), Undo::Calls(vec![delete])),
        );
        let attach = of_owner(owner, ("Attach", "Policy"), &[("PolicyArn", text(&arn))]);
        let detach = of_owner(owner, ("Detach", "Policy"), &[("PolicyArn", text(&arn))]);
        self.add(
            about,
            ground.subjects,
            (Action::Call(attach), Undo::Calls(vec![detach])),
        );
        arn
    }

    fn wait(&mut self, ground: &Ground<'_>) {
        let all: Vec<u32> = (0u32..).zip(ground.subjects).map(|(n, _)| n).collect();
        let why = "policies take effect after seconds; tokens issued meanwhile are cut off next";
        let about = About::new(Phase::Wait, "", why, &all);
        self.add(about, &[], (Action::Wait(PROPAGATION), Undo::Nothing));
    }

    /// The same deny with a later cut-off.
    fn cut_again(&mut self, ground: &Ground<'_>, target: &Target, first: First) {
        let arn = ground.facts.arn(&target.owner);
        let why = "what was issued before the first deny was in force everywhere";
        let about = About {
            breaks: &target.breaks,
            ..About::new(Phase::CutAgain, &arn, why, &target.subjects)
        };
        let later = ground.times.second;
        let (call, undo) = match first {
            First::Nothing => return,
            First::Inline(before) => {
                let document = before
                    .parameters
                    .get("PolicyDocument")
                    .map(|d| moved(d, later));
                (
                    put_policy(ground, &target.owner, document.unwrap_or_default()),
                    vec![before],
                )
            }
            First::Managed(policy) => {
                let account = &target.owner.account;
                let document = super::denies::document(vec![super::denies::issued_before(later)]);
                let version = |action, id: &str| {
                    iam(
                        account,
                        action,
                        &[("PolicyArn", text(&policy)), ("VersionId", text(id))],
                    )
                };
                let call = iam(
                    account,
                    "CreatePolicyVersion",
                    &[
                        ("PolicyArn", text(&policy)),
                        ("PolicyDocument", document),
                        ("SetAsDefault", Value::Bool(true)),
                    ],
                );
                (
                    call,
                    vec![
                        version("SetDefaultPolicyVersion", "v1"),
                        version("DeletePolicyVersion", "v2"),
                    ],
                )
            }
        };
        self.add(
            about,
            ground.subjects,
            (Action::Call(call), Undo::Calls(undo)),
        );
    }

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

/// Why a principal's policies cannot be changed.
fn untouchable(ground: &Ground<'_>, owner: &Owner) -> Option<&'static str> {
    match revocation(ground.facts, owner) {
        Revocation::ServiceLinked => Some("a service-linked role: its sessions cannot be revoked"),
        Revocation::IdentityCenter => Some(
            "a role of Identity Center: IAM cannot change it; deny in its permission set or by an SCP",
        ),
        Revocation::UserPolicy | Revocation::RolePolicy | Revocation::Root => None,
    }
}

fn put_policy(ground: &Ground<'_>, owner: &Owner, document: Value) -> super::Call {
    let name = text(&ground.policy_name());
    of_owner(
        owner,
        ("Put", "Policy"),
        &[("PolicyName", name), ("PolicyDocument", document)],
    )
}

fn has_cut(document: &Value) -> bool {
    let mut statements = document
        .get("Statement")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    statements.any(|statement| statement.pointer("/Condition/DateLessThan").is_some())
}

/// A document with its cut-off moved.
fn moved(document: &Value, cut: Timestamp) -> Value {
    let mut document = document.clone();
    let statements = document.get_mut("Statement").and_then(Value::as_array_mut);
    for statement in statements.into_iter().flatten() {
        if let Some(condition) = statement.pointer_mut("/Condition/DateLessThan") {
            *condition = json!({"aws:TokenIssueTime": cut.to_string()});
        }
    }
    document
}
