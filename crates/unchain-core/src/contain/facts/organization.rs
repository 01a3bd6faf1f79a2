//! AWS Organizations: each answer tells a piece, and together they give the levels of service control policies over
//! an account (docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html).

use super::read::{Answer, account_of, document, items, named, text};
use super::{Facts, FactsError, Organization, ScpLevel};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const SCP: &str = "SERVICE_CONTROL_POLICY";

/// Levels from the root to an account: units are nested five deep at most
/// (docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html).
const DEEPEST: usize = 7;

pub(super) fn read(facts: &mut Facts, call: &str, answer: Answer<'_>) -> Result<(), FactsError> {
    match call {
        "organizations DescribeOrganization" => described(facts, answer.value),
        "organizations ListRoots" => {
            roots(facts, answer.value);
            Ok(())
        }
        "organizations ListAccounts" => {
            accounts(facts, answer.value);
            Ok(())
        }
        "organizations ListParents" => {
            let child = answer.asked("ChildId").ok_or(FactsError::NoSubject)?;
            let parent = items(answer.value, "Parents").filter_map(|p| named(p, "Id"));
            let of = &mut facts.answers.parents;
            of.extend(parent.map(|parent| (child.to_owned(), parent)));
            Ok(())
        }
        "organizations ListPoliciesForTarget" => attached(facts, answer),
        "organizations DescribePolicy" => policy(facts, answer.value),
        _ => Err(FactsError::Unknown),
    }
}

fn described(facts: &mut Facts, value: &Value) -> Result<(), FactsError> {
    let of = value.get("Organization").ok_or(FactsError::Unknown)?;
    let management = ["MasterAccountId", "ManagementAccountId"].map(|name| text(of, name));
    let management = management.into_iter().find(|id| !id.is_empty());
    manage(facts, management.ok_or(FactsError::NoAccount)?);
    Ok(())
}

fn manage(facts: &mut Facts, account: String) {
    let organization = facts.organization.get_or_insert_default();
    organization.management_account = account;
}

fn roots(facts: &mut Facts, value: &Value) {
    for root in items(value, "Roots") {
        let on = items(root, "PolicyTypes")
            .any(|kind| text(kind, "Type") == SCP && text(kind, "Status") != "PENDING_ENABLE");
        let of = &mut facts.answers.roots;
        of.extend(named(root, "Id").map(|id| (id, on)));
    }
}

/// Their ARNs are the management account's.
fn accounts(facts: &mut Facts, value: &Value) {
    for item in items(value, "Accounts") {
        let status = named(item, "Status").or_else(|| named(item, "State"));
        let of = &mut facts.answers.members;
        of.extend(named(item, "Id").map(|id| (id, status.unwrap_or_default())));
        if let Some(management) = account_of(&text(item, "Arn")) {
            manage(facts, management.to_owned());
        }
    }
}

/// Other types of policies are attached to the same targets.
fn attached(facts: &mut Facts, answer: Answer<'_>) -> Result<(), FactsError> {
    let target = answer.asked("TargetId").ok_or(FactsError::NoSubject)?;
    if answer.asked("Filter").is_some_and(|filter| filter != SCP) {
        return Ok(());
    }
    let policies = items(answer.value, "Policies")
        .filter(|policy| named(policy, "Type").is_none_or(|kind| kind == SCP));
    let ids: BTreeSet<String> = policies.filter_map(|policy| named(policy, "Id")).collect();
    let attached = facts.answers.attached.entry(target.to_owned()).or_default();
    attached.extend(ids);
    Ok(())
}

fn policy(facts: &mut Facts, value: &Value) -> Result<(), FactsError> {
    let policy = value.get("Policy").unwrap_or(&Value::Null);
    let summary = policy.get("PolicySummary").ok_or(FactsError::Unknown)?;
    let id = named(summary, "Id").ok_or(FactsError::Unknown)?;
    if named(summary, "Type").is_some_and(|kind| kind != SCP) {
        return Ok(());
    }
    if let Some(document) = document(policy, "Content") {
        facts.answers.scps.insert(id, document);
    }
    Ok(())
}

/// Puts the levels together, for every account whose own policies were listed; says what is still to be read.
pub(super) fn settle(facts: &mut Facts, awaited: &mut BTreeSet<String>) {
    let mut found: BTreeMap<String, Vec<ScpLevel>> = BTreeMap::new();
    let is_account = |id: &str| id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit());
    let accounts = facts.answers.attached.keys().filter(|id| is_account(id));
    for account in accounts {
        found.insert(account.clone(), levels(facts, account, awaited));
    }
    if found.is_empty() {
        return;
    }
    let organization = facts.organization.get_or_insert_default();
    organization.scps.extend(found);
    if organization.management_account.is_empty() {
        awaited.insert("the organization, which names its management account".to_owned());
    }
}

/// None where the organization's root does not have service control policies enabled.
fn levels(facts: &Facts, account: &str, awaited: &mut BTreeSet<String>) -> Vec<ScpLevel> {
    let answers = &facts.answers;
    let mut chain = vec![account];
    while let Some(parent) = chain.last().and_then(|last| answers.parents.get(*last)) {
        if chain.len() >= DEEPEST || chain.contains(&parent.as_str()) {
            break;
        }
        chain.push(parent);
    }
    let top = chain.last().copied().unwrap_or_default();
    if answers.roots.get(top) == Some(&false) {
        return Vec::new();
    }
    if !top.starts_with("r-") {
        awaited.insert(format!("the parent of {top} in the organization"));
    }
    chain.reverse();
    chain
        .into_iter()
        .filter_map(|target| level(facts, target, awaited))
        .collect()
}

/// A policy that was not read keeps its place without a document: it counts where policies are counted.
fn level(facts: &Facts, target: &str, awaited: &mut BTreeSet<String>) -> Option<ScpLevel> {
    let Some(ids) = facts.answers.attached.get(target) else {
        awaited.insert(format!("the service control policies of {target}"));
        return None;
    };
    let mut policies = BTreeMap::new();
    for id in ids {
        let document = facts.answers.scps.get(id).cloned();
        if document.is_none() {
            awaited.insert(format!("the service control policy {id}"));
        }
        policies.insert(id.clone(), document.unwrap_or_default());
    }
    Some(ScpLevel {
        target: target.to_owned(),
        policies,
    })
}

/// The organization of two readings.
pub(super) fn merge(known: &mut Option<Organization>, read: Option<Organization>) {
    let Some(read) = read else {
        return;
    };
    let known = known.get_or_insert_default();
    if !read.management_account.is_empty() {
        known.management_account = read.management_account;
    }
    known.scps.extend(read.scps);
}
