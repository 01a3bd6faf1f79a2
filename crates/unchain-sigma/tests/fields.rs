//! A field of a record, read in place, is what `rsigma_eval::JsonEvent` makes of the parsed record.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests fail where the test should, and a skipped test says so"
)]

mod common;

use common::{corpus, each_record};
use proptest::prelude::*;
use rsigma_eval::{Event as _, JsonEvent};
use serde_json::{Value, json};
use unchain_core::json::Node;
use unchain_sigma::{Enrichment, fields_of};

/// Every path that leads somewhere in a value, and some that do not.
fn paths(value: &Value, at: &str, found: &mut Vec<String>) {
    let longer = |name: &str| {
        if at.is_empty() {
            name.to_owned()
        } else {
            format!("{at}.{name}")
        }
    };
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                found.push(longer(name));
                found.push(longer("nothing"));
                paths(member, &longer(name), found);
            }
        }
        Value::Array(items) => {
            for place in [0, 1, -1, 99] {
                found.push(format!("{at}[{place}]"));
            }
            for item in items {
                paths(item, at, found);
                paths(item, &format!("{at}[0]"), found);
            }
        }
        _ => {}
    }
}

fn agree(text: &str) -> usize {
    let value: Value = serde_json::from_str(text).unwrap();
    let theirs = JsonEvent::borrow(&value);
    let mut asked = vec![
        String::new(),
        ".".to_owned(),
        "[0]".to_owned(),
        "a\\[0\\]".to_owned(),
    ];
    paths(&value, "", &mut asked);
    asked.sort_unstable();
    asked.dedup();
    for node in [Node::Text(text), Node::Value(&value)] {
        let ours = fields_of(node, Enrichment::default);
        for path in &asked {
            assert_eq!(
                ours.get_field(path),
                theirs.get_field(path),
                "`{path}` of {text}"
            );
        }
        let (mut mine, mut their) = (ours.all_string_values(), theirs.all_string_values());
        mine.sort_unstable();
        their.sort_unstable();
        assert_eq!(mine, their, "{text}");
    }
    asked.len()
}

#[test]
fn recorded_fields_agree() {
    let Some(corpus) = corpus() else { return };
    let mut asked = 0;
    for folder in ["edge", "ndjson"] {
        each_record(&corpus.join(folder), |_, record| match record {
            Node::Text(text) => asked += agree(text),
            Node::Value(value) => asked += agree(&value.to_string()),
        });
    }
    assert!(asked > 10_000, "{asked}");
}

#[test]
fn numbers_lists_and_repeated_members_agree() {
    for text in [
        r#"{"a":1,"b":-0.5,"c":18446744073709551615,"d":9007199254740993,"e":true,"f":null,"g":""}"#,
        r#"{"a":[{"b":1},{"b":[2,"x"]},[{"b":3}],4],"a.b":"flat","c":[[1,2],[3]]}"#,
        r#"{"a":1,"a":2,"b":{"c":1,"d":2,"c":{"e":3}}}"#,
        r#"{"a\u0041":"\u00e9\n","":{"":1},"x[0]":5,"[0]":6}"#,
    ] {
        assert!(agree(text) > 5);
    }
}

fn arbitrary() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        "[a-cA\\\\é\"\\n.]{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-c.]{0,3}|\\[0\\]", inner, 0..4).prop_map(|m| json!(m)),
        ]
    })
}

proptest! {
    #[test]
    fn any_fields_agree(members in prop::collection::btree_map("[a-c]{1,2}", arbitrary(), 0..5)) {
        agree(&json!(members).to_string());
    }
}

#[test]
fn what_the_lineage_adds_hides_a_member_of_that_name() {
    let text = r#"{"unchain.root":"forged","unchain":{"root":"forged","depth":9,"other":1}}"#;
    let known = || Enrichment {
        root: Some("AKIA"),
        depth: Some(2),
        alive: Some(false),
        ..Enrichment::default()
    };
    let fields = fields_of(Node::Text(text), known);
    let told = |name: &str| fields.get_field(name).map(|value| value.to_json());
    assert_eq!(told("unchain.root"), Some(json!("AKIA")));
    assert_eq!(told("unchain.depth"), Some(json!(2)));
    assert_eq!(told("unchain.alive"), Some(json!(false)));
    assert_eq!(told("unchain.mfa_device"), None);
    assert_eq!(told("unchain.other"), None);
    let nothing = fields_of(Node::Text(text), Enrichment::default);
    assert_eq!(nothing.get_field("unchain.root"), None);
}
