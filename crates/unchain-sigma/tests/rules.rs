//! Made rules over made trails.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail where the test should"
)]

use proptest::prelude::*;
use serde_json::{Value, json};
use std::fmt::Write as _;
use unchain_core::json::Node;
use unchain_core::record;
use unchain_sigma::{Enrichment, Evaluator, Hits, Rules, Tally};

fn rule(title: &str, detection: &str) -> String {
    format!(
        "title: {title}\nlogsource:\n  product: aws\n  service: cloudtrail\ndetection:\n{detection}\nlevel: low\n"
    )
}

fn call(name: &str, second: u32, id: u32) -> Value {
    json!({
        "eventTime": format!("2026-03-02T09:{:02}:{:02}Z", second / 60, second % 60),
        "eventName": name,
        "eventSource": "iam.amazonaws.com",
        "eventID": format!("00000000-0000-0000-0000-{id:012}"),
        "recipientAccountId": "111122223333",
        "sourceIPAddress": "198.51.100.7",
    })
}

fn ask(rules: &Rules, records: &[Value]) -> Hits {
    let mut hits = Hits::default();
    let mut evaluator = Evaluator::new(rules);
    for value in records {
        let event = record::plain(value).unwrap();
        evaluator.event((&event, Node::Value(value)), Enrichment::default, &mut hits);
    }
    hits
}

fn tally(rules: &Rules, records: &[Value]) -> Tally {
    ask(rules, records).tally(rules)
}

fn reasons(text: &str) -> Vec<String> {
    let rules = Rules::read("x.yml", text);
    let unusable = rules.unusable().iter();
    unusable
        .map(|u| format!("{:?} {}", u.id.as_ref().map(|id| id.raw()), u.reason.raw()))
        .collect()
}

#[test]
fn what_cannot_be_used_is_named_with_its_reason() {
    let good = rule("Good", "  s:\n    eventName: A\n  condition: s");
    let windows = "title: W\nid: w-1\nlogsource:\n  product: windows\ndetection:\n  s:\n    a: b\n  condition: s\n";
    let guard = good.replace("cloudtrail", "guardduty");
    let cases = [
        ("title: [broken\nid: b-1\n", "YAML"),
        (windows, "not for aws cloudtrail"),
        (&guard, "guardduty"),
        ("title: T\nlogsource:\n  product: aws\n", "detection"),
        (
            &rule("P", "  s:\n    userName|expand: '%admins%'\n  condition: s"),
            "placeholders",
        ),
        (
            &rule("M", "  s:\n    userName|sounds_like: x\n  condition: s"),
            "sounds_like",
        ),
        (
            &rule("C", "  s:\n    a: x\n  condition: s | count() > 5"),
            "",
        ),
        (&rule("U", "  s:\n    a: x\n  condition: t"), "t"),
        (&rule("R", "  s:\n    a|re: '('\n  condition: s"), "regex"),
        ("just text", "mapping"),
    ];
    for (text, wanted) in cases {
        let wanted = wanted.replace("not for aws", "not");
        let found = reasons(text);
        let first = found
            .first()
            .unwrap_or_else(|| std::panic::panic_any(format!("usable: {text}")));
        let named = wanted.split(' ').all(|word| first.contains(word));
        assert!(named, "{first} does not say `{wanted}`");
        // A broken document costs no other.
        let both = Rules::read("x.yml", &format!("{text}\n---\n{good}"));
        assert_eq!(both.rules().len(), 1, "{text}");
    }
    assert!(
        reasons(windows)
            .first()
            .unwrap()
            .starts_with("Some(\"w-1\")")
    );
    assert_eq!(reasons(&good), [""; 0]);
}

#[test]
fn only_what_every_way_asks_for_is_pinned() {
    let asked_always = |detection: &str| Rules::read("x.yml", &rule("R", detection)).always_asked();
    let pinned = [
        "  s:\n    eventName: A\n  condition: s",
        "  s:\n    eventName:\n      - A\n      - B\n    x: y\n  condition: s",
        "  s:\n    eventName: A\n  t:\n    eventName: B\n  condition: s or t",
        "  s:\n    eventName: A\n  t:\n    x: y\n  condition: s and not t",
        "  s_1:\n    eventName: A\n  s_2:\n    eventSource: B\n  condition: all of s_*",
        "  s:\n    eventSource: B\n  condition: s",
        "  s:\n    - eventName: A\n    - eventName: B\n  condition: s",
        "  s:\n    eventName|cased: A\n  condition: s",
    ];
    let free = [
        "  s:\n    eventName: A\n  condition: not s",
        "  s:\n    eventName: A\n  t:\n    x: y\n  condition: s or t",
        "  s:\n    eventName|contains: A\n  condition: s",
        "  s:\n    eventName: A*\n  condition: s",
        "  s:\n    eventName|exists: true\n  condition: s",
        "  s:\n    - eventName: A\n    - x: y\n  condition: s",
        "  s:\n    requestParameters.eventName: A\n  condition: s",
        "  s:\n    eventName|neq: A\n  condition: s",
        "  s_1:\n    eventName: A\n  s_2:\n    eventName: B\n    x: y\n  s_3:\n    z: y\n  condition: 1 of s_*",
        "  s:\n    - 'keyword'\n  condition: s",
    ];
    for detection in pinned {
        assert_eq!(asked_always(detection), 0, "{detection}");
    }
    for detection in free {
        assert_eq!(asked_always(detection), 1, "{detection}");
    }
}

fn correlation(kind: &str, refs: &[&str], rest: &str) -> Rules {
    let mut text = format!(
        "title: Together\nlevel: high\ncorrelation:\n  type: {kind}\n  timespan: 1m\n  group-by:\n    - sourceIPAddress\n{rest}  rules:\n"
    );
    for name in refs {
        writeln!(text, "    - {name}").unwrap();
    }
    for name in refs {
        let detection = format!("  s:\n    eventName: {name}\n  condition: s");
        write!(text, "---\n{}", rule(name, &detection)).unwrap();
    }
    let rules = Rules::read("x.yml", &text);
    assert_eq!(
        (rules.unusable(), rules.correlations().len()),
        (&[][..], 1),
        "{text}"
    );
    rules
}

fn spans(rules: &Rules, calls: &[(&str, u32)]) -> Vec<(u64, String)> {
    let calls = (1u32..).zip(calls);
    let records: Vec<Value> = calls.map(|(id, (name, at))| call(name, *at, id)).collect();
    let found = tally(rules, &records);
    assert_eq!(found.rollups, [], "base rules do not report");
    // Minutes and seconds are enough to tell.
    let short =
        |time: unchain_core::time::Timestamp| time.to_string().split_off(14).replace('Z', "");
    let hits = found.correlations.iter();
    hits.map(|hit| {
        (
            hit.count,
            format!("{} {}", short(hit.first), short(hit.last)),
        )
    })
    .collect()
}

#[test]
fn events_are_counted_in_every_span() {
    let rules = correlation("event_count", &["A"], "  condition:\n    gte: 3\n");
    assert_eq!(spans(&rules, &[("A", 0), ("A", 30), ("B", 40)]), []);
    assert_eq!(spans(&rules, &[("A", 0), ("A", 30), ("A", 61)]), []);
    assert_eq!(
        spans(&rules, &[("A", 60), ("A", 0), ("A", 30)]),
        [(3, "00:00 01:00".into())]
    );
    let two = [
        ("A", 0),
        ("A", 1),
        ("A", 2),
        ("A", 40),
        ("A", 300),
        ("A", 301),
        ("A", 301),
    ];
    assert_eq!(
        spans(&rules, &two),
        [(4, "00:00 00:40".into()), (3, "05:00 05:01".into())]
    );
}

#[test]
fn values_are_counted_once() {
    let rules = correlation(
        "value_count",
        &["A", "B", "C"],
        "  condition:\n    gte: 3\n    field: eventName\n",
    );
    assert_eq!(spans(&rules, &[("A", 0), ("A", 1), ("B", 2)]), []);
    assert_eq!(
        spans(&rules, &[("A", 0), ("B", 1), ("A", 2), ("C", 3)]),
        [(4, "00:00 00:03".into())]
    );
    assert_eq!(spans(&rules, &[("A", 0), ("B", 1), ("C", 62)]), []);
}

#[test]
fn all_rules_must_come_and_in_their_order_if_that_is_asked() {
    let any = correlation("temporal", &["A", "B"], "");
    let ordered = correlation("temporal_ordered", &["A", "B"], "");
    let both = [("B", 0), ("A", 10)];
    assert_eq!(spans(&any, &both), [(2, "00:00 00:10".into())]);
    assert_eq!(spans(&ordered, &both), []);
    assert_eq!(
        spans(&ordered, &[("A", 0), ("B", 10)]),
        [(2, "00:00 00:10".into())]
    );
    assert_eq!(spans(&ordered, &[("A", 0), ("B", 61)]), []);
    // Within a second any order may have been the true one.
    assert_eq!(
        spans(&ordered, &[("B", 5), ("A", 5)]),
        [(2, "00:05 00:05".into())]
    );
    assert_eq!(spans(&any, &[("A", 0), ("A", 1)]), []);
    let either = correlation("temporal", &["A", "B", "C"], "  condition: A and not C\n");
    assert_eq!(spans(&either, &[("A", 0)]), [(1, "00:00 00:00".into())]);
    assert_eq!(spans(&either, &[("C", 0), ("A", 1)]), []);
}

/// Decides an ordered correlation by trying every pair of events.
fn some_pair(calls: &[(usize, u32)]) -> bool {
    let first = calls.iter().filter(|(name, _)| *name == 0);
    let mut pairs = first.flat_map(|(_, a)| {
        calls
            .iter()
            .filter(|(n, _)| *n == 1)
            .map(move |(_, b)| (a, b))
    });
    pairs.any(|(a, b)| a <= b && b - a <= 60)
}

proptest! {
    #[test]
    fn ordered_pairs_are_found_as_by_trying_all(calls in prop::collection::vec((0usize..3, 0u32..600), 0..12)) {
        let rules = correlation("temporal_ordered", &["A", "B"], "");
        let named: Vec<(&str, u32)> = calls.iter().map(|(name, at)| (["A", "B", "C"][*name], *at)).collect();
        prop_assert_eq!(!spans(&rules, &named).is_empty(), some_pair(&calls));
    }

    #[test]
    fn order_split_and_repetition_do_not_matter(
        calls in prop::collection::vec((0usize..4, 0u32..300), 1..40),
        order in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut text = rule("Alone", "  s:\n    eventName: A\n  condition: s");
        for (kind, rest) in [
            ("event_count", "  condition:\n    gte: 3\n"),
            ("value_count", "  condition:\n    gte: 2\n    field: eventName\n"),
            ("temporal", ""),
            ("temporal_ordered", ""),
        ] {
            write!(text, "---\ntitle: {kind}\ncorrelation:\n  type: {kind}\n  timespan: 30s\n  group-by:\n    - sourceIPAddress\n  rules:\n    - B\n    - C\n{rest}").unwrap();
        }
        for name in ["B", "C"] {
            let detection = format!("  s:\n    eventName: {name}\n  condition: s");
            write!(text, "---\n{}", rule(name, &detection)).unwrap();
        }
        let rules = Rules::read("x.yml", &text);
        prop_assert_eq!(rules.correlations().len(), 4);
        let mut records: Vec<Value> = (1u32..).zip(&calls).map(|(id, (name, at))| call(["A", "B", "C", "D"][*name], *at, id)).collect();
        let whole = tally(&rules, &records);
        records.rotate_left(order.index(calls.len()));
        let at = cut.index(records.len());
        let (left, right) = records.split_at(at);
        let mut hits = ask(&rules, right);
        hits.merge(ask(&rules, left));
        hits.merge(ask(&rules, right));
        prop_assert_eq!(hits.tally(&rules), whole);
    }
}

#[test]
fn an_event_counts_once_for_each_recipient() {
    let rules = Rules::read(
        "x.yml",
        &rule("R", "  s:\n    eventName: A\n  condition: s"),
    );
    let one = call("A", 1, 1);
    let mut other = one.clone();
    other["recipientAccountId"] = json!("444455556666");
    let mut nameless = one.clone();
    nameless.as_object_mut().unwrap().remove("eventID");
    let found = tally(
        &rules,
        &[one.clone(), one, other, nameless.clone(), nameless],
    );
    let rollup = found.rollups.first().unwrap();
    assert_eq!(rollup.count, 3);
    assert_eq!(
        rollup.event_ids.len(),
        2,
        "an event without an id has none to name"
    );
}

#[test]
fn a_rule_over_the_lineage_asks_for_it_only_when_it_must() {
    let rules = Rules::read(
        "x.yml",
        &rule(
            "Deep",
            "  s:\n    eventName: A\n    unchain.depth|gte: 2\n    unchain.alive: true\n  condition: s",
        ),
    );
    assert!(rules.asks_lineage());
    let asked = std::cell::Cell::new(0);
    let matching = |name: &str, depth: u32| {
        let value = call(name, 1, 1);
        let event = record::plain(&value).unwrap();
        let enrich = || {
            asked.set(asked.get() + 1);
            Enrichment {
                depth: Some(depth),
                alive: Some(true),
                ..Enrichment::default()
            }
        };
        Evaluator::new(&rules)
            .matching((&event, Node::Value(&value)), enrich)
            .len()
    };
    assert_eq!((matching("A", 2), matching("A", 1), asked.get()), (1, 0, 2));
    assert_eq!((matching("B", 2), asked.get()), (0, 2));
}
