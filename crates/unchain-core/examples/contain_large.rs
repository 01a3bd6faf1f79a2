//! How long containment thinks about a large account: 5,000 users and 5,000 roles, and a lineage of 1,000 credentials.
//!
//! `cargo run --release -p unchain-core --example contain_large [PRINCIPALS [CREDENTIALS]]` prints seconds and counts.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement prints and looks at the clock"
)]

use serde_json::{Value, json};
use std::fmt::Write as _;
use std::time::Instant;
use unchain_core::contain::{Facts, Settings, check, inspect, outside, plan, prove};
use unchain_core::ledger::Ledger;
use unchain_core::lineage::Lineage;
use unchain_core::record::parse_at;
use unchain_core::report::Report;
use unchain_core::time::Timestamp;
use unchain_trail::Trail;

const SHOP: &str = "111122223333";
const SERVICES: [&str; 8] = [
    "s3", "ec2", "dynamodb", "lambda", "sqs", "sns", "logs", "kms",
];

fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let done = work();
    println!("{what:>12} {:8.3} s", start.elapsed().as_secs_f64());
    done
}

/// One key takes a third of the credentials as sessions of as many roles, and makes keys for the users.
fn story(credentials: usize) -> String {
    let mut told = format!("day 2026-03-02\nregion us-east-1\naccount {SHOP} as shop\n");
    told.push_str("user eve in shop key EVE from 198.51.100.23\n");
    for n in 0..credentials / 2 {
        writeln!(told, "role app-{n} in shop max 12h").unwrap();
        writeln!(told, "user person-{n} in shop from 192.0.2.14").unwrap();
    }
    for n in 0..credentials / 2 {
        let (hour, minute, second) = (9 + n / 3600, n / 60 % 60, n % 60);
        let at = format!("{hour:02}:{minute:02}:{second:02}");
        writeln!(
            told,
            "{at} EVE AssumeRole app-{n} as report-{n} -> S{n} for 12h"
        )
        .unwrap();
        writeln!(told, "{at} EVE CreateAccessKey person-{n} -> K{n}").unwrap();
    }
    for n in 0..credentials / 2 {
        writeln!(told, "11:00 S{n} ListBuckets").unwrap();
        writeln!(told, "11:00 K{n} ListBuckets").unwrap();
    }
    told
}

/// Policies as a company has them: a few actions on resources of its own, some with a condition.
fn permissions(n: usize) -> Value {
    let service = SERVICES.get(n % SERVICES.len()).unwrap();
    json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "Read", "Effect": "Allow", "Action": [format!("{service}:Get*"), format!("{service}:List*"),
            format!("{service}:Describe*")], "Resource": [format!("arn:aws:{service}:::team-{n}/*"), "*"]},
        {"Sid": "Write", "Effect": "Allow", "Action": format!("{service}:Put*"), "Resource": format!("arn:aws:{service}:::team-{n}/*"),
            "Condition": {"StringEquals": {"aws:PrincipalTag/team": format!("team-{n}")}}},
        {"Sid": "Take", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": [
            format!("arn:aws:iam::{SHOP}:role/app-{}", n + 1), format!("arn:aws:iam::{SHOP}:role/team-{}-*", n % 50)]},
    ]})
}

fn trust(n: usize) -> Value {
    let (principal, condition) = match n % 4 {
        0 => (
            json!({"AWS": format!("arn:aws:iam::{SHOP}:root")}),
            Some(json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}})),
        ),
        1 => (
            json!({"AWS": [format!("arn:aws:iam::{SHOP}:user/person-{n}"), format!("arn:aws:iam::{SHOP}:role/app-{}", n / 2)]}),
            None,
        ),
        2 => (json!({"Service": "lambda.amazonaws.com"}), None),
        _ => (json!({"AWS": format!("arn:aws:iam::{SHOP}:root")}), None),
    };
    let mut statement =
        json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"});
    if let Some(condition) = condition {
        statement
            .as_object_mut()
            .unwrap()
            .insert("Condition".to_owned(), condition);
    }
    json!({"Version": "2012-10-17", "Statement": [statement]})
}

fn attached(n: usize) -> Value {
    let of = |n: usize| json!({"PolicyName": format!("shared-{n}"), "PolicyArn": format!("arn:aws:iam::{SHOP}:policy/shared-{n}")});
    json!([of(n % 200), of((n * 7 + 1) % 200)])
}

fn details(principals: usize) -> String {
    let users = (0..principals / 2).map(|n| {
        json!({"UserName": format!("person-{n}"), "UserId": format!("AIDAPERSON{n:07}"), "Path": "/",
            "Arn": format!("arn:aws:iam::{SHOP}:user/person-{n}"), "GroupList": [format!("team-{}", n % 50)],
            "AttachedManagedPolicies": attached(n), "UserPolicyList": []})
    });
    let roles = (0..principals / 2).map(|n| {
        json!({"RoleName": format!("app-{n}"), "RoleId": format!("AROAAPP{n:07}"), "Path": "/",
            "Arn": format!("arn:aws:iam::{SHOP}:role/app-{n}"), "AssumeRolePolicyDocument": trust(n),
            "InstanceProfileList": [], "AttachedManagedPolicies": attached(n),
            "RolePolicyList": [{"PolicyName": "own", "PolicyDocument": permissions(n)}]})
    });
    let groups = (0..50).map(|n| {
        json!({"GroupName": format!("team-{n}"), "Arn": format!("arn:aws:iam::{SHOP}:group/team-{n}"),
            "GroupPolicyList": [{"PolicyName": "own", "PolicyDocument": permissions(n)}]})
    });
    let policies = (0..200).map(|n| {
        json!({"Arn": format!("arn:aws:iam::{SHOP}:policy/shared-{n}"), "PolicyVersionList": [
            {"IsDefaultVersion": true, "Document": permissions(n)}]})
    });
    json!({"UserDetailList": users.collect::<Vec<_>>(), "RoleDetailList": roles.collect::<Vec<_>>(),
        "GroupDetailList": groups.collect::<Vec<_>>(), "Policies": policies.collect::<Vec<_>>()})
    .to_string()
}

fn ledger(credentials: usize) -> (Ledger, String) {
    let trail = Trail::parse(&story(credentials)).unwrap();
    let mut ledger = Ledger::default();
    for record in trail.records() {
        ledger.apply(&parse_at(&record.to_string(), 0).unwrap().0);
    }
    ledger.settle();
    (ledger, trail.key("EVE").unwrap().to_owned())
}

fn main() {
    let mut arguments = std::env::args()
        .skip(1)
        .filter_map(|text| text.parse().ok());
    let principals: usize = arguments.next().unwrap_or(10_000);
    let credentials: usize = arguments.next().unwrap_or(1_000);
    let (ledger, pivot) = ledger(credentials);
    let (lineage, text) = (Lineage::build(&ledger), details(principals));
    let now = Timestamp::parse("2026-03-02T16:00:00Z").unwrap();
    let (report, mut facts) = (Report::new(&lineage, now), Facts::default());
    timed("read", || facts.read(&text, None).unwrap());
    let settings = Settings::default();
    let plan = timed("plan", || plan(&report, &facts, &settings, (&pivot, now)));
    let notes = timed("check", || check(&plan, &report, &facts, now));
    let outside = timed("outside", || outside(&report, &plan, &[]));
    let proof = timed("prove", || prove(&plan, &facts, &outside));
    let inspection = timed("inspect", || inspect(&report, &facts, &settings, &pivot));
    let reached: usize = inspection
        .principals
        .iter()
        .map(|row| row.reaches.len())
        .sum();
    println!(
        "{} MB of facts; {} subjects, {} steps, {} notes; denied: {}; {} rows that reach {reached}; {} controls",
        text.len() / 1_000_000,
        plan.subjects.len(),
        plan.steps.len(),
        notes.len(),
        proof.is_denied(),
        inspection.principals.len(),
        inspection.controls.len(),
    );
}
