//! INVARIANT: any order, split and repetition of the events gives an equal ledger.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail where the test should"
)]

use proptest::prelude::*;
use serde_json::{Value, json};
use unchain_core::digest::Digest;
use unchain_core::ledger::{Hole, Ledger};
use unchain_core::lineage::Lineage;
use unchain_core::record::{parse_at, plain};
use unchain_core::report::Report;
use unchain_core::time::{Seconds, Timestamp, seconds};

const STORIES: [&str; 6] = [
    include_str!("../../unchain-trail/tests/everything.trail"),
    include_str!("../../../scenarios/console-and-switch-role/story.trail"),
    include_str!("../../../scenarios/federation/story.trail"),
    include_str!("../../../scenarios/identity-center/story.trail"),
    include_str!("../../../scenarios/role-chain/story.trail"),
    include_str!("../../../scenarios/workloads/story.trail"),
];

fn story(n: usize) -> Vec<Value> {
    unchain_trail::records(STORIES[n % STORIES.len()]).unwrap()
}

/// Applies by the fast path or the plain one: they must not differ either. Each record brings the digest
/// of its minute.
fn apply(ledger: &mut Ledger, record: &Value, fast: bool) {
    let text = record.to_string();
    let time = record["eventTime"].as_str().and_then(Timestamp::parse);
    ledger.add_digest(&digest(seconds(time.unwrap()) / 60));
    match parse_at(&text, 0) {
        Some((event, _)) if fast => ledger.apply(&event),
        _ => ledger.apply(&plain(record).unwrap()),
    }
}

fn digest(minute: Seconds) -> Digest<String> {
    let (start, odd) = (minute * 60, minute % 2 == 1);
    Digest {
        account: "111122223333".to_owned(),
        region: if odd { "us-east-1" } else { "eu-west-1" }.to_owned(),
        trail: "main".to_owned(),
        backfill: minute.is_multiple_of(7),
        start,
        end: start + 60,
        previous: (minute % 3 == 1).then_some(start),
        files: minute % 5,
        events: odd.then_some((start, start + 9)),
    }
}

fn in_order(records: &[Value]) -> Ledger {
    let mut ledger = Ledger::default();
    records
        .iter()
        .for_each(|record| apply(&mut ledger, record, false));
    ledger.settle();
    ledger
}

/// What is told of a ledger: it must not depend on the order of arrival either.
fn told(ledger: &Ledger) -> Vec<String> {
    let lineage = Lineage::build(ledger);
    let report = Report::new(&lineage, Timestamp::from_seconds(1_772_000_000));
    let mut lines: Vec<String> = report
        .edges()
        .map(|row| serde_json::to_string(&row).unwrap())
        .collect();
    lines.extend(
        report
            .credentials()
            .into_iter()
            .map(|n| serde_json::to_string(&report.token(n)).unwrap()),
    );
    let names = |hole: &Hole| format!("{:?} {:?}", hole.next.map(|t| ledger.text(*t)), hole.why);
    lines.extend(ledger.holes().iter().map(names));
    lines.sort();
    lines
}

/// A small world in which records collide: few keys, principals, seconds and ids.
fn colliding() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(vec![
        "AssumeRole",
        "GetObject",
        "CreateAccessKey",
        "ConsoleLogin",
        "PutRolePolicy",
    ]);
    let key = prop::sample::select(vec![
        "AKIAQNZGKIQY56JQ7WMA",
        "ASIAQNZGKIQY56JQ7WMB",
        "ASIAQNZGKIQY56JQ7WMC",
        "",
    ]);
    let id = prop::sample::select(vec![
        "00000000-0000-4000-8000-000000000001",
        "00000000-0000-4000-8000-000000000002",
        "odd",
        "",
    ]);
    (name, key.clone(), key, id, 0u32..4, any::<bool>(), any::<bool>()).prop_map(|(name, key, child, id, second, denied, service)| {
        let source = match name {
            "AssumeRole" => "sts.amazonaws.com",
            "GetObject" => "s3.amazonaws.com",
            "ConsoleLogin" => "signin.amazonaws.com",
            _ => "iam.amazonaws.com",
        };
        let mut record = json!({
            "eventTime": format!("2026-03-02T09:00:0{second}Z"), "eventSource": source, "eventName": name,
            "eventID": id, "awsRegion": "us-east-1", "recipientAccountId": "111122223333",
            "sourceIPAddress": "198.51.100.7", "userAgent": "x",
            "userIdentity": {"type": "IAMUser", "principalId": "AIDAX", "accessKeyId": key, "accountId": "111122223333",
                "arn": "arn:aws:iam::111122223333:user/x", "userName": "x"},
            "requestParameters": {"roleArn": "arn:aws:iam::111122223333:role/app", "roleName": "app", "policyName": "p",
                "policyDocument": "{\"Statement\":{\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\"}}"},
            "responseElements": {"credentials": {"accessKeyId": child, "expiration": "Mar 2, 2026, 10:00:00 AM"},
                "accessKey": {"accessKeyId": child}},
        });
        if denied {
            record["errorCode"] = json!("AccessDenied");
        }
        if service {
            record["userIdentity"] = json!({"type": "AWSService", "invokedBy": "ec2.amazonaws.com"});
        }
        record
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn stories_in_any_order_split_and_repetition(
        n in 0usize..6,
        picks in prop::collection::vec((any::<prop::sample::Index>(), 0usize..4, any::<bool>()), 0..200),
        places in prop::collection::vec(0usize..4, 0..400),
        rotate in any::<prop::sample::Index>(),
    ) {
        let records = story(n);
        let whole = in_order(&records);
        // Every record goes to some part, in a rotated order; the picks go to a part again.
        let mut parts = vec![Ledger::new(1), Ledger::new(1), Ledger::new(2), Ledger::new(1)];
        let from = rotate.index(records.len());
        for (at, record) in records.iter().cycle().skip(from).take(records.len()).enumerate() {
            let part = places.get(at).copied().unwrap_or(at % 3);
            apply(&mut parts[part], record, at % 2 == 0);
        }
        for (index, part, fast) in &picks {
            apply(&mut parts[*part], &records[index.index(records.len())], *fast);
        }
        let mut merged = Ledger::new(9);
        for part in parts.into_iter().rev() {
            merged.merge(part);
        }
        merged.settle();
        prop_assert_eq!(merged.canonical(), whole.canonical());
        prop_assert_eq!(merged.events(), records.len() as u64);
        prop_assert_eq!(told(&merged), told(&whole));
    }

    #[test]
    fn colliding_records_too(records in prop::collection::vec(colliding(), 1..24), cut in any::<prop::sample::Index>(), reverse: bool) {
        let whole = in_order(&records);
        let at = cut.index(records.len());
        let (mut a, mut b) = (in_order(&records[..at]), Ledger::new(5));
        let mut rest = records.clone();
        if reverse {
            rest.reverse();
        }
        rest.iter().for_each(|record| apply(&mut b, record, true));
        let mut other_way = b.clone();
        other_way.merge(a.clone());
        other_way.settle();
        a.merge(b);
        a.settle();
        prop_assert_eq!(a.canonical(), whole.canonical());
        prop_assert_eq!(other_way.canonical(), whole.canonical());
        prop_assert_eq!(told(&a), told(&whole));
    }

    #[test]
    fn merging_is_associative(n in 0usize..6, a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>()) {
        let records = story(n);
        let (mut a, mut b) = (a.index(records.len()), b.index(records.len()));
        if a > b {
            std::mem::swap(&mut a, &mut b);
        }
        let parts = || [in_order(&records[..b]), in_order(&records[a..]), in_order(&records[..a])];
        let [mut x, y, z] = parts();
        x.merge(y);
        x.merge(z);
        let [mut p, mut q, r] = parts();
        q.merge(r);
        p.merge(q);
        x.settle();
        p.settle();
        prop_assert_eq!(x.canonical(), p.canonical());
    }
}

#[test]
fn memory_grows_by_marks_only() {
    let records = story(0);
    let mut ledger = in_order(&records);
    let (callers, uses, facts) = (
        ledger.callers().len(),
        ledger.uses().len(),
        ledger.facts().len(),
    );
    let mut read = records
        .iter()
        .find(|r| r["eventName"] == "GetObject")
        .unwrap()
        .clone();
    for n in 0..10_000 {
        read["eventID"] = json!(format!("00000000-0000-4000-8000-{n:012x}"));
        apply(&mut ledger, &read, true);
    }
    ledger.settle();
    assert_eq!(ledger.events(), records.len() as u64 + 10_000);
    assert_eq!(
        (
            ledger.callers().len(),
            ledger.uses().len(),
            ledger.facts().len()
        ),
        (callers, uses, facts)
    );
}

#[test]
fn guesses_do_not_grow_the_ledger() {
    let mut ledger = Ledger::default();
    let mut denied = story(0)
        .into_iter()
        .find(|r| r["errorCode"] == "AccessDenied")
        .unwrap();
    for n in 0..1000 {
        denied["eventID"] = json!(format!("00000000-0000-4000-8000-{n:012x}"));
        apply(&mut ledger, &denied, false);
    }
    ledger.settle();
    assert_eq!(
        (
            ledger.events(),
            ledger.facts().len(),
            ledger.attempts().count()
        ),
        (1000, 0, 1)
    );
}
