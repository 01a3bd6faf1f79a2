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
/// Values of `aws:userid` in one policy.
const IDS_PER_SCP: usize = 45;

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
    /// One or more policies for each member account of the lineage whose levels are known.
    pub(super) fn organization(&mut self, ground: &Ground<'_>) {
        let mut accounts: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
        for (number, subject) in (0u32..).zip(ground.subjects).filter(|(_, s)| s.credential) {
            if let Some(account) = subject.account.as_ref().map(Untrusted::raw) {
                accounts.entry(account).or_default().push(number);
            }
        }
        for (account, subjects) in accounts {
            let levels = ground.facts.scps(account);
            if levels.is_empty() {
                continue;
            }
            let attached = levels
                .iter()
                .filter(|l| l.target == account)
                .map(|l| l.policies.len())
                .sum();
            let documents = documents(ground, &subjects, account);
            if documents.len() > SCPS_ATTACHED.saturating_sub(attached) {
                let why =
                    "no room for a service control policy: the account's own policies must do";
                self.leave_open(&subjects, ground.subjects, why);
                continue;
            }
            for (n, document) in documents.into_iter().enumerate() {
                self.attach_scp(ground, (account, &subjects), (n, document));
            }
        }
    }

    fn attach_scp(
        &mut self,
        ground: &Ground<'_>,
        (account, subjects): (&str, &[u32]),
        (n, content): (usize, Value),
    ) {
        let name = format!("{}-{account}-{n}", ground.policy_name());
        let number = self.next();
        let reference = text(&format!("${{{number}:Policy.PolicySummary.Id}}"));
        let create = organizations(
            ground,
            "CreatePolicy",
            &[
                ("Name", text(&name)),
                ("Description", text("Containment by Unchain")),
                ("Type", text("SERVICE_CONTROL_POLICY")),
                ("Content", content),
            ],
        );
        let delete = organizations(ground, "DeletePolicy", &[("PolicyId", reference.clone())]);
        let why = "nobody in the account can remove it, whatever the lineage may still do";
        let about = About::new(Phase::Organization, account, why, subjects);
        self.add(
            about,
            ground.subjects,
            (Action::Call(create), Undo::Calls(vec![delete])),
        );
        let both = [("PolicyId", reference), ("TargetId", text(account))];
        let attach = organizations(ground, "AttachPolicy", &both);
        let detach = organizations(ground, "DetachPolicy", &both);
        self.add(
            about,
            ground.subjects,
            (Action::Call(attach), Undo::Calls(vec![detach])),
        );
    }
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

/// The policies for one account. INVARIANT: only texts that mean themselves stand in them, as an SCP speaks to every
/// principal of the account.
fn documents(ground: &Ground<'_>, subjects: &[u32], account: &str) -> Vec<Value> {
    let here = || {
        ground
            .targets
            .iter()
            .filter(|target| target.owner.account.raw() == account)
    };
    let own = subjects
        .iter()
        .filter_map(|&n| ground.subjects.get(n as usize));
    let ids = own
        .filter_map(|s| s.user_id.as_ref())
        .map(|id| id.raw().to_owned());
    let users = here()
        .filter(|t| t.owner.kind == OwnerKind::User)
        .filter_map(|t| t.id.clone());
    let ids: BTreeSet<String> = ids.chain(users).filter(|id| is_user_id(id)).collect();
    let ids: Vec<String> = ids.into_iter().collect();
    let mut documents: Vec<Value> = ids
        .chunks(IDS_PER_SCP)
        .map(|ids| {
            document(&[exempting(
                ground,
                "UnchainUserId",
                json!({"StringEquals": {"aws:userid": ids}}),
            )])
        })
        .collect();
    let roles: Vec<&Target> = here()
        .filter(|t| t.owner.kind == OwnerKind::Role && t.width > Width::Sessions)
        .collect();
    let arns: Vec<String> = roles
        .iter()
        .map(|t| ground.facts.arn(&t.owner))
        .filter(|arn| is_arn(arn))
        .collect();
    if !arns.is_empty() {
        let before = ground.times.second.to_string();
        let condition = json!({"DateLessThan": {"aws:TokenIssueTime": before}, "ArnEquals": {"aws:PrincipalArn": arns}});
        documents.push(document(&[exempting(
            ground,
            "UnchainIssuedBefore",
            condition,
        )]));
    }
    documents.retain(|document| document.to_string().len() <= SCP);
    documents
}

/// A deny that leaves those out who carry out the plan.
fn exempting(ground: &Ground<'_>, sid: &str, mut condition: Value) -> Value {
    let exempt = ground.settings.exempt.iter().map(Untrusted::raw);
    let exempt: Vec<&str> = exempt.filter(|arn| is_arn(arn)).collect();
    if let Some(operators) = condition.as_object_mut().filter(|_| !exempt.is_empty()) {
        operators.insert(
            "ArnNotEquals".to_owned(),
            json!({"aws:PrincipalArn": exempt}),
        );
    }
    super::denies::deny(sid, &condition)
}

/// Whether an ARN of IAM has no wildcard and no variable.
fn is_arn(arn: &str) -> bool {
    let mut parts = arn.splitn(6, ':');
    let arn = parts.next() == Some("arn");
    let rest: Vec<&str> = parts.collect();
    arn && rest
        .iter()
        .all(|part| part.split('/').all(|name| name.is_empty() || is_name(name)))
}
