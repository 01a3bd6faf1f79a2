//! Service control policies: denies that nobody in the account can remove.
//!
//! Quotas: docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html: 5,120 characters, white
//! space counted, and five attached directly. SCPs do not affect the management account or service-linked roles.

use super::super::owner::{OwnerKind, is_name, is_user_id};
use super::denies::{Target, Width, document};
use super::make::Ground;
use super::steps::{About, Steps, members, text};
use super::{Action, Call, Phase, Subject, Undo};
use crate::text::Untrusted;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Characters of a service control policy.
pub(crate) const SCP: usize = 5_120;
/// Service control policies attached to one account.
pub(crate) const SCPS_ATTACHED: usize = 5;
/// Characters of the values of one statement, so that it has room in a policy beside those who are exempt.
const VALUES: usize = 3_600;

const WHY: &str = "nobody in the account can remove it, whatever the lineage may still do";

/// How many service control policies can still be attached to an account.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room(pub(super) usize);

impl Room {
    fn of(ground: &Ground<'_>, account: &str) -> Self {
        let own = ground.facts.scps(account).iter();
        let held = own.filter(|l| l.target == account);
        Self(SCPS_ATTACHED.saturating_sub(held.map(|l| l.policies.len()).sum()))
    }
}

/// Whether the organization can deny what a subject does.
pub(super) fn covers(ground: &Ground<'_>, subject: &Subject) -> bool {
    let account = subject.account.as_ref().map(Untrusted::raw);
    let known = account.is_some_and(|account| !ground.facts.scps(account).is_empty());
    known
        && subject
            .user_id
            .as_ref()
            .is_some_and(|id| is_user_id(id.raw()))
}

impl Steps {
    /// One or more policies for each member account of the lineage whose levels are known. What freezes an account
    /// comes first: what stands then is all that there will be.
    pub(super) fn organization(&mut self, ground: &Ground<'_>) {
        let mut accounts: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
        for (number, subject) in (0u32..).zip(ground.subjects).filter(|(_, s)| s.credential) {
            if let Some(account) = subject.account.as_ref().map(Untrusted::raw) {
                accounts.entry(account).or_default().push(number);
            }
        }
        let mut rooms = Vec::new();
        for (account, subjects) in &accounts {
            rooms.push(self.freeze(ground, (account, subjects), Room::of(ground, account)));
        }
        for ((account, subjects), room) in accounts.iter().zip(rooms) {
            if !ground.facts.scps(account).is_empty() {
                self.deny_by_scp(ground, (account, subjects), room);
            }
        }
    }

    fn deny_by_scp(
        &mut self,
        ground: &Ground<'_>,
        (account, subjects): (&str, &[u32]),
        room: Room,
    ) {
        let must = statements(ground, subjects, account);
        let more = by_source_identity(ground, account);
        let all: Vec<Value> = must.iter().cloned().chain(more).collect();
        // The account's own policies deny by source identity too: where room is short, those must do.
        let packed = [documents(&all), documents(&must)].into_iter();
        let Some(documents) = packed.into_iter().find(|packed| fits(packed, room)) else {
            let why = "no room for a service control policy: the account's own policies must do";
            self.leave_open(subjects, ground.subjects, why);
            return;
        };
        for (n, content) in documents.into_iter().enumerate() {
            let name = format!("{}-{account}-{n}", ground.policy_name());
            let about = About::new(Phase::Organization, account, WHY, subjects);
            attach(self, ground, about, (&name, content));
        }
    }
}

fn fits(documents: &[Value], room: Room) -> bool {
    documents.len() <= room.0 && documents.iter().all(|d| d.to_string().len() <= SCP)
}

/// Two steps: a policy is made, and attached to the account that they are about.
pub(super) fn attach(
    steps: &mut Steps,
    ground: &Ground<'_>,
    about: About<'_>,
    (name, content): (&str, Value),
) {
    let reference = text(&format!("${{{}:Policy.PolicySummary.Id}}", steps.next()));
    let create = organizations(
        ground,
        "CreatePolicy",
        &[
            ("Name", text(name)),
            ("Description", text("Containment by Unchain")),
            ("Type", text("SERVICE_CONTROL_POLICY")),
            ("Content", content),
        ],
    );
    let delete = organizations(ground, "DeletePolicy", &[("PolicyId", reference.clone())]);
    // What it costs is said at the step by which it is in force.
    let making = About {
        breaks: &[],
        ..about
    };
    let made = (Action::Call(create), Undo::Calls(vec![delete]));
    steps.add(making, ground.subjects, made);
    let both = [("PolicyId", reference), ("TargetId", text(about.target))];
    let attach = organizations(ground, "AttachPolicy", &both);
    let detach = organizations(ground, "DetachPolicy", &both);
    let attached = (Action::Call(attach), Undo::Calls(vec![detach]));
    steps.add(about, ground.subjects, attached);
}

fn organizations(ground: &Ground<'_>, action: &str, parameters: &[(&str, Value)]) -> Call {
    let management = ground
        .facts
        .organization
        .as_ref()
        .map_or("", |o| o.management_account.as_str());
    Call {
        service: "organizations".to_owned(),
        action: action.to_owned(),
        account: Untrusted::new(management),
        parameters: members(parameters),
    }
}

/// The denies for one account. INVARIANT: only texts that mean themselves stand in them, as an SCP speaks to every
/// principal of the account.
fn statements(ground: &Ground<'_>, subjects: &[u32], account: &str) -> Vec<Value> {
    let (ids, before) = (
        user_ids(ground, subjects, account),
        ground.times.second.to_string(),
    );
    let made = roles(ground, account, Width::Whole);
    let cut = roles(ground, account, Width::Cut);
    let by_id = chunks(&ids).into_iter().map(|ids| {
        let condition = json!({"StringEquals": {"aws:userid": ids}});
        exempting(ground, "UnchainUserId", condition)
    });
    let whole = chunks(&made).into_iter().map(|arns| {
        let condition = json!({"ArnEquals": {"aws:PrincipalArn": arns}});
        exempting(ground, "UnchainRole", condition)
    });
    let cut = chunks(&cut).into_iter().map(|arns| {
        let condition =
            json!({"DateLessThan": {"aws:TokenIssueTime": before}, "ArnEquals": {"aws:PrincipalArn": arns}});
        exempting(ground, "UnchainIssuedBefore", condition)
    });
    by_id.chain(whole).chain(cut).collect()
}

/// Sessions of roles that others keep using, by the source identity that only the lineage has: on those roles alone, as
/// an identity is whatever its bearer chose.
fn by_source_identity(ground: &Ground<'_>, account: &str) -> Vec<Value> {
    let named = here(ground, account).filter(|target| !target.identities.is_empty());
    let pairs = named.map(|target| (ground.facts.arn(&target.owner), &target.identities));
    pairs
        .filter(|(arn, _)| is_arn(arn))
        .map(|(arn, identities)| {
            let condition = json!({"StringEquals": {"aws:SourceIdentity": identities},
                "ArnEquals": {"aws:PrincipalArn": arn}});
            exempting(ground, "UnchainSourceIdentity", condition)
        })
        .collect()
}

/// The values of `aws:userid` of an account's subjects and users.
fn user_ids(ground: &Ground<'_>, subjects: &[u32], account: &str) -> BTreeSet<String> {
    let own = subjects
        .iter()
        .filter_map(|&n| ground.subjects.get(n as usize));
    let own = own
        .filter_map(|s| s.user_id.as_ref())
        .map(|id| id.raw().to_owned());
    let users = here(ground, account).filter(|t| t.owner.kind == OwnerKind::User);
    let users = users.filter_map(|t| t.id.clone());
    own.chain(users).filter(|id| is_user_id(id)).collect()
}

/// ARNs of an account's roles that are denied so widely.
fn roles(ground: &Ground<'_>, account: &str, width: Width) -> BTreeSet<String> {
    let roles =
        here(ground, account).filter(|t| t.owner.kind == OwnerKind::Role && t.width == width);
    let arns = roles.map(|t| ground.facts.arn(&t.owner));
    arns.filter(|arn| is_arn(arn)).collect()
}

fn here<'g>(ground: &Ground<'g>, account: &str) -> impl Iterator<Item = &'g Target> {
    let all = ground.targets.iter();
    all.filter(move |target| target.owner.account.raw() == account)
}

/// Values in portions of no more than [`VALUES`] characters.
fn chunks(values: &BTreeSet<String>) -> Vec<Vec<&str>> {
    let mut chunks: Vec<Vec<&str>> = Vec::new();
    let mut used = VALUES;
    for value in values {
        used += value.len() + 3;
        match chunks.last_mut() {
            Some(chunk) if used <= VALUES => chunk.push(value),
            _ => {
                used = value.len() + 3;
                chunks.push(vec![value]);
            }
        }
    }
    chunks
}

/// As few policies as hold the statements in their order.
fn documents(statements: &[Value]) -> Vec<Value> {
    let mut packed: Vec<Vec<Value>> = Vec::new();
    for statement in statements {
        let fits = packed.last().is_some_and(|held| {
            let longer: Vec<Value> = held.iter().chain([statement]).cloned().collect();
            document(&longer).to_string().len() <= SCP
        });
        match packed.last_mut().filter(|_| fits) {
            Some(held) => held.push(statement.clone()),
            None => packed.push(vec![statement.clone()]),
        }
    }
    packed.iter().map(|held| document(held)).collect()
}

/// ARNs of those who carry out the plan, as far as they mean only themselves.
pub(super) fn exempt_arns<'g>(ground: &Ground<'g>) -> Vec<&'g str> {
    let exempt = ground.settings.exempt.iter().map(Untrusted::raw);
    exempt.filter(|arn| is_arn(arn)).collect()
}

/// A deny that leaves those out who carry out the plan.
fn exempting(ground: &Ground<'_>, sid: &str, mut condition: Value) -> Value {
    let exempt = exempt_arns(ground);
    if let Some(operators) = condition.as_object_mut().filter(|_| !exempt.is_empty()) {
        operators.insert(
            "ArnNotEquals".to_owned(),
            json!({"aws:PrincipalArn": exempt}),
        );
    }
    super::denies::deny(sid, &condition)
}

/// Whether an ARN of IAM has no wildcard and no variable.
pub(super) fn is_arn(arn: &str) -> bool {
    let mut parts = arn.splitn(6, ':');
    let arn = parts.next() == Some("arn");
    let rest: Vec<&str> = parts.collect();
    arn && rest
        .iter()
        .all(|part| part.split('/').all(|name| name.is_empty() || is_name(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_names_are_spread_over_policies_and_none_is_lost() {
        let ids: BTreeSet<String> = (0..150)
            .map(|n| format!("AROAEXAMPLEEXAMPLE000:{n:064}"))
            .collect();
        let chunks = chunks(&ids);
        let statements = chunks.iter().map(|ids| {
            super::super::denies::deny(
                "UnchainUserId",
                &json!({"StringEquals": {"aws:userid": ids}}),
            )
        });
        let documents = documents(&statements.collect::<Vec<_>>());
        assert!(documents.iter().all(|d| d.to_string().len() <= SCP));
        let text: String = documents.iter().map(Value::to_string).collect();
        assert!(ids.iter().all(|id| text.contains(&format!("\"{id}\""))));
        assert_eq!(chunks.iter().map(Vec::len).sum::<usize>(), ids.len());
    }

    #[test]
    fn short_statements_share_one_policy() {
        let one = json!({"Sid": "a"});
        assert_eq!(documents(&[one.clone(), one]).len(), 1);
        assert!(documents(&[]).is_empty());
    }
}
