//! Rule files may come from anybody. They may be refused, but they must neither hang nor crash nor fill memory.

use proptest::prelude::*;
use serde_json::json;
use std::time::{Duration, Instant};
use unchain_core::json::Node;
use unchain_core::record;
use unchain_sigma::{Enrichment, Evaluator, Hits, Rules};

/// Loads rules and asks them of a record.
fn survive(text: &str) -> (usize, usize) {
    let start = Instant::now();
    let rules = Rules::read("hostile.yml", text);
    let value = json!({
        "eventTime": "2026-03-02T09:00:00Z", "eventName": "A", "eventSource": "s3.amazonaws.com",
        "eventID": "x", "userAgent": "a".repeat(5000), "requestParameters": {"a": [{"b": "c"}, ["d"]]},
    });
    let mut hits = Hits::default();
    if let Ok(event) = record::plain(&value) {
        for mut evaluator in [Evaluator::new(&rules), Evaluator::thorough(&rules)] {
            evaluator.event(
                (&event, Node::Value(&value)),
                Enrichment::default,
                &mut hits,
            );
        }
    }
    hits.tally(&rules);
    let head: String = text.chars().take(60).collect();
    assert!(start.elapsed() < Duration::from_secs(20), "{head}");
    (
        rules.rules().len() + rules.correlations().len(),
        rules.unusable().len(),
    )
}

fn rule(detection: &str) -> String {
    format!(
        "title: T\nid: t\nlogsource:\n  product: aws\n  service: cloudtrail\ndetection:\n{detection}\n"
    )
}

#[test]
fn regular_expressions_cannot_explode() {
    for expression in [
        "(a+)+$",
        "((a{0,1000}){0,1000}){0,1000}",
        "(a*)*b",
        "\\\\w{1000}{1000}",
        "(?i)(x+x+)+y",
        "[[[[",
    ] {
        let text = rule(&format!(
            "  s:\n    userAgent|re: '{expression}'\n  condition: s"
        ));
        let (usable, unusable) = survive(&text);
        assert_eq!(usable + unusable, 1, "{expression}");
    }
    let wild = rule(&format!(
        "  s:\n    userAgent: '{}b'\n  condition: s",
        "*a".repeat(2000)
    ));
    assert_eq!(survive(&wild).0 + survive(&wild).1, 1);
}

#[test]
fn aliases_cannot_multiply() {
    let mut laughs = String::from("a: &a [x, x, x, x, x, x, x, x, x, x]\n");
    for (name, before) in ('b'..='k').zip('a'..) {
        let ten = vec![format!("*{before}"); 10].join(", ");
        laughs.push_str(&format!("{name}: &{name} [{ten}]\n"));
    }
    assert_eq!(survive(&laughs), (0, 1));
    let many = format!(
        "a: &a [{}]\nb: [{}]\n",
        "x,".repeat(20_000),
        "*a,".repeat(20_000)
    );
    assert_eq!(survive(&many), (0, 1));
    let flat = format!("a: &a [{}]\nb: [{}]\n", "x,".repeat(1_000), "*a,".repeat(8));
    assert_eq!(survive(&flat), (0, 1));
    for circle in [
        "a: &a [*a]\n",
        "&a a: *a\n",
        "&a {b: *a}\n",
        "a: &a\n  <<: *a\n",
    ] {
        assert_eq!(survive(circle), (0, 1), "{circle}");
    }
}

#[test]
fn nesting_is_bounded() {
    let deep = |open: &str, close: &str, levels: usize| {
        format!("{}x{}", open.repeat(levels), close.repeat(levels))
    };
    for levels in [50, 65, 1_000, 100_000] {
        survive(&deep("[", "]", levels));
        survive(&deep("{a: ", "}", levels));
        survive(&deep("- ", "", levels.min(50_000)));
        survive(&rule(&format!(
            "  s:\n    a: b\n  condition: {}",
            deep("(", ")", levels).replace('x', "s")
        )));
        survive(&rule(&format!(
            "  s:\n    a: b\n  condition: {}s",
            "not ".repeat(levels)
        )));
        survive(&rule(&format!(
            "  s:\n    a: b\n  condition: s{}",
            " or s".repeat(levels.min(10_000))
        )));
        survive(&rule(&format!(
            "  s:\n    a: b\n  condition: s{}",
            " and not s".repeat(levels.min(5_000))
        )));
    }
    let steps: String = (0..2_000)
        .map(|n| format!("{}a:\n", " ".repeat(n)))
        .collect();
    survive(&steps);
}

#[test]
fn size_is_bounded() {
    assert_eq!(survive(&"x".repeat(300 << 10)), (0, 1));
    let list: String = (0..10_000).map(|n| format!("      - value{n}\n")).collect();
    assert_eq!(
        survive(&rule(&format!(
            "  s:\n    userAgent:\n{list}  condition: s"
        ))),
        (1, 0)
    );
    let fields: String = (0..5_000)
        .map(|n| format!("    f{n}|exists: false\n"))
        .collect();
    assert_eq!(
        survive(&rule(&format!("  s:\n{fields}  condition: s"))),
        (1, 0)
    );
    let documents = "---\ntitle: x\n".repeat(10_000);
    assert_eq!(survive(&documents), (0, 10_000));
    let dashes = format!("    userAgent|windash|contains: '{}'\n", "-".repeat(60));
    let (usable, unusable) = survive(&rule(&format!("  s:\n{dashes}  condition: s")));
    assert_eq!(usable + unusable, 1);
}

#[test]
fn a_correlation_may_refer_to_anything() {
    for refs in ["[t]", "[t, t, t]", "[]", "[c]", "[nowhere]", "t", "{a: b}"] {
        let text = format!(
            "{}---\ntitle: C\nid: c\ncorrelation:\n  type: event_count\n  rules: {refs}\n  group-by: [userAgent, requestParameters]\n  timespan: 99999999d\n  condition:\n    gte: 0\n",
            rule("  s:\n    eventName: A\n  condition: s")
        );
        let (usable, unusable) = survive(&text);
        assert_eq!(usable + unusable, 2, "{refs}");
    }
}

proptest! {
    #[test]
    fn any_text_is_survived(text in "\\PC{0,200}") {
        survive(&text);
    }

    #[test]
    fn any_rule_is_survived(
        field in "[a-zA-Z.\\[\\]0-9|\\\\%*]{0,12}",
        modifiers in prop::collection::vec(prop::sample::select(&["contains", "all", "re", "cidr", "base64offset", "wide", "windash", "exists", "gt", "fieldref", "cased", "i", "hour", "neq", "startswith"][..]), 0..4),
        value in "[\\PC&&[^\"\\\\]]{0,20}",
        condition in "(s|t|not |and | or |1 of |all of |them|s\\*|\\(|\\)|\\|){1,8}",
    ) {
        let modifiers: String = modifiers.iter().map(|m| format!("|{m}")).collect();
        let text = rule(&format!("  s:\n    \"{}{modifiers}\": \"{value}\"\n  t:\n    - a: b\n    - eventName: A\n  condition: {condition}", field.replace('\\', "")));
        let (usable, unusable) = survive(&text);
        prop_assert!(usable + unusable >= 1);
    }
}
