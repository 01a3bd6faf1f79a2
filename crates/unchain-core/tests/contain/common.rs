//! The story of the seed article, and what the AWS CLI would print of its accounts.

use serde_json::{Value, json};
use std::collections::BTreeSet;
use unchain_core::contain::{Facts, Organization, Plan, Role, ScpLevel, Settings, plan};
use unchain_core::ledger::Ledger;
use unchain_core::lineage::Lineage;
use unchain_core::record::parse_at;
use unchain_core::report::Report;
use unchain_core::text::Untrusted;
use unchain_core::time::Timestamp;
use unchain_trail::Trail;

pub(crate) const STORY: &str = include_str!("../../../../scenarios/whack-a-mole/story.trail");
pub(crate) const NOW: &str = "2026-03-02T16:00:00Z";
pub(crate) const SHOP: &str = "111122223333";

pub(crate) fn now() -> Timestamp {
    Timestamp::parse(NOW).unwrap()
}

pub(crate) fn trail(text: &str) -> Trail {
    Trail::parse(text).unwrap()
}

pub(crate) fn ledger(trail: &Trail) -> Ledger {
    let mut ledger = Ledger::default();
    for record in trail.records() {
        ledger.apply(&parse_at(&record.to_string(), 0).unwrap().0);
    }
    ledger.settle();
    ledger
}

/// The shop as a member account of an organization, with these policies attached to it.
pub(crate) fn member(policies: impl IntoIterator<Item = Value>) -> Facts {
    let mut facts = facts();
    let policies = policies.into_iter().enumerate();
    let level = ScpLevel {
        target: SHOP.to_owned(),
        policies: policies
            .map(|(n, policy)| (format!("p-{n}"), policy))
            .collect(),
    };
    facts.organization = Some(Organization {
        management_account: "999999999999".to_owned(),
        scps: [(SHOP.to_owned(), vec![level])].into(),
    });
    facts
}

/// Calls with the report of a trail at [`NOW`].
pub(crate) fn with_report<T>(trail: &Trail, ask: impl FnOnce(&Report<'_, '_>) -> T) -> T {
    let ledger = ledger(trail);
    let lineage = Lineage::build(&ledger);
    ask(&Report::new(&lineage, now()))
}

fn admin() -> Value {
    json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})
}

fn trust(principal: &Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]})
}

fn user(name: &str) -> Value {
    json!({"UserName": name, "UserId": format!("AIDA{}", name.to_uppercase()), "Path": "/",
        "Arn": format!("arn:aws:iam::{SHOP}:user/{name}"), "GroupList": [], "AttachedManagedPolicies": [],
        "UserPolicyList": [{"PolicyName": "all", "PolicyDocument": admin()}]})
}

fn role(name: &str, principal: &Value) -> Value {
    json!({"RoleName": name, "RoleId": format!("AROA{}", name.to_uppercase().replace('-', "")), "Path": "/",
        "Arn": format!("arn:aws:iam::{SHOP}:role/{name}"), "AssumeRolePolicyDocument": trust(principal),
        "InstanceProfileList": [], "AttachedManagedPolicies": [],
        "RolePolicyList": [{"PolicyName": "all", "PolicyDocument": admin()}]})
}

/// `GetAccountAuthorizationDetails` of the shop.
pub(crate) fn details() -> Value {
    let users: Vec<Value> = ["alice", "bob", "build-bot", "olivia", "svc-backup"]
        .into_iter()
        .map(user)
        .collect();
    json!({
        "UserDetailList": users,
        "RoleDetailList": [
            role("customer-data-admin", &json!({"AWS": format!("arn:aws:iam::{SHOP}:root")})),
            role("deploy", &json!({"AWS": format!("arn:aws:iam::{SHOP}:user/build-bot")})),
            role("web-server", &json!({"Service": "ec2.amazonaws.com"})),
        ],
        "GroupDetailList": [],
        "Policies": [],
    })
}

pub(crate) fn facts() -> Facts {
    let mut facts = Facts::default();
    let mut details = details();
    // Ids as the records have them.
    let trail = trail(STORY);
    with_report(&trail, |report| {
        for row in report.lineage().nodes() {
            let ledger = report.lineage().ledger();
            let id = ledger.text(row.unique_id);
            let arn = (0u32..)
                .zip(report.lineage().nodes())
                .find(|(_, n)| n.unique_id == row.unique_id);
            let arn = arn
                .map(|(n, _)| report.lineage().principal(n).raw().to_owned())
                .unwrap_or_default();
            for list in ["UserDetailList", "RoleDetailList"] {
                for item in details[list].as_array_mut().unwrap() {
                    let name = item
                        .get("UserName")
                        .or(item.get("RoleName"))
                        .unwrap()
                        .as_str()
                        .unwrap()
                        .to_owned();
                    let member = if list == "UserDetailList" {
                        "UserId"
                    } else {
                        "RoleId"
                    };
                    let prefix = if list == "UserDetailList" {
                        "AIDA"
                    } else {
                        "AROA"
                    };
                    let named = arn.split('/').any(|part| part == name) && arn.contains(SHOP);
                    if named && id.starts_with(prefix) {
                        item[member] = json!(id);
                    }
                }
            }
        }
    });
    facts.read(&details.to_string(), None).unwrap();
    facts
}

pub(crate) fn settings() -> Settings {
    Settings {
        exempt: vec![Untrusted::new(format!("arn:aws:iam::{SHOP}:user/olivia"))],
        ..Settings::default()
    }
}

/// The plan around the first key of the story.
pub(crate) fn seed_plan(report: &Report<'_, '_>, trail: &Trail, settings: &Settings) -> Plan {
    plan(report, &facts(), settings, (trail.key("A").unwrap(), now()))
}

/// The key ids of a plan's credentials.
pub(crate) fn keys(plan: &Plan) -> BTreeSet<String> {
    plan.subjects
        .iter()
        .filter_map(|s| s.access_key_id.as_ref())
        .map(|k| k.raw().to_owned())
        .collect()
}

/// The shop with many more roles, each like one that it has.
pub(crate) fn with_ten_thousand_roles(like: &str) -> Facts {
    let mut facts = facts();
    let roles = &mut facts.accounts.get_mut(SHOP).unwrap().roles;
    let role = roles[like].clone();
    for n in 0..10_000 {
        let arn = format!("arn:aws:iam::{SHOP}:role/more-{n}");
        let more = Role {
            arn,
            ..role.clone()
        };
        roles.insert(format!("more-{n}"), more);
    }
    facts
}
