//! The ledger and the lineage against what is known to have happened in recorded trails.
//!
//! Needs the corpus: set `UNCHAIN_CORPUS` to the folder that holds `recorded/` and `truth/`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail where the test should"
)]

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use unchain_core::ledger::Ledger;
use unchain_core::lineage::{Basis, Lineage, NodeKind, Origin, UsesByNode};
use unchain_core::record::{parse_at, plain};

fn corpus() -> Option<PathBuf> {
    let folder = std::env::var_os("UNCHAIN_CORPUS").map(PathBuf::from);
    if folder.is_none() {
        #[expect(clippy::print_stdout, reason = "a skipped test says so")]
        {
            println!("skipped: UNCHAIN_CORPUS is not set");
        }
    }
    folder
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    found.retain(|p| p.extension().is_some_and(|e| e == "json"));
    found.sort();
    found
}

/// Applies every record of a file, by both parsing paths in turn so that each is exercised.
fn apply(ledger: &mut Ledger, path: &Path) {
    let text = std::fs::read_to_string(path).unwrap();
    let values: Vec<Value> = match serde_json::from_str::<Value>(&text) {
        Ok(Value::Object(mut o)) if o.contains_key("Records") => {
            serde_json::from_value(o.remove("Records").unwrap()).unwrap()
        }
        Ok(Value::Array(items)) => items,
        Ok(one) => vec![one],
        Err(_) => text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect(),
    };
    for (n, value) in values.iter().enumerate() {
        let text = value.to_string();
        match parse_at(&text, 0) {
            Some((event, _)) if n % 2 == 0 => ledger.apply(&event),
            _ => ledger.apply(&plain(value).unwrap()),
        }
    }
}

fn truth(corpus: &Path, name: &str) -> Value {
    let text = std::fs::read_to_string(corpus.join("truth").join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Checks every edge of a truth file against one lineage; returns the child keys it checked.
fn check_edges(
    truth: &Value,
    lineage: &Lineage<'_>,
    wanted: impl Fn(&Value) -> bool,
) -> BTreeSet<String> {
    let ledger = lineage.ledger();
    let uses = UsesByNode::new(lineage);
    let mut checked = BTreeSet::new();
    for expected in truth["edges"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|e| wanted(e))
    {
        let child = expected["child_key"].as_str().unwrap();
        let edges: Vec<_> = lineage
            .edges()
            .iter()
            .filter(|e| {
                lineage
                    .node(e.child)
                    .is_some_and(|n| ledger.text(n.key) == child)
            })
            .collect();
        assert_eq!(edges.len(), 1, "{child}: {edges:?}");
        let edge = edges[0];
        assert_eq!(edge.basis, Basis::Recorded, "{child}");
        assert_eq!(
            ledger.text(edge.api),
            expected["event_name"].as_str().unwrap(),
            "{child}"
        );
        let parent = lineage.node(edge.parent).unwrap();
        let key = expected["parent_key"].as_str().unwrap_or_default();
        assert_eq!(ledger.text(parent.key), key, "{child}");
        let principal = expected["parent_principal"].as_str().unwrap();
        assert_eq!(lineage.principal(edge.parent).raw(), principal, "{child}");
        let id = expected["event_id"].as_str().unwrap();
        assert!(lineage.evidence(edge).iter().any(|e| e == id), "{child}");
        let usage = uses.usage(lineage, edge.child);
        assert_eq!(
            usage.count,
            expected["child_use_events"].as_u64().unwrap(),
            "{child}"
        );
        let addresses: Vec<String> = uses
            .addresses(lineage, edge.child)
            .iter()
            .map(|a| a.raw().to_owned())
            .collect();
        let ips: Vec<&str> = expected["child_ips"]
            .as_array()
            .unwrap()
            .iter()
            .map(|v| v.as_str().unwrap())
            .collect();
        assert_eq!(addresses, ips, "{child}");
        checked.insert(child.to_owned());
    }
    checked
}

fn keys_of<'l>(
    lineage: &Lineage<'l>,
    wanted: impl Fn(&unchain_core::lineage::Node) -> bool,
) -> BTreeSet<&'l str> {
    let ledger = lineage.ledger();
    lineage
        .nodes()
        .iter()
        .filter(|n| wanted(n))
        .map(|n| ledger.text(n.key))
        .filter(|k| !k.is_empty())
        .collect()
}

#[test]
fn invictus_edge_for_edge() {
    let Some(corpus) = corpus() else { return };
    let mut ledger = Ledger::default();
    for path in files(&corpus.join("recorded/invictus_ir/CloudTrail")) {
        apply(&mut ledger, &path);
    }
    ledger.settle();
    assert_eq!(ledger.events(), 2900);
    let lineage = Lineage::build(&ledger);
    let checked = check_edges(
        &truth(&corpus, "02_invictus_stratus.json"),
        &lineage,
        |_| true,
    );
    assert_eq!(checked.len(), 16);
    assert_eq!(
        keys_of(&lineage, |n| n.origin == Origin::Service).len(),
        26,
        "keys issued by services"
    );
    let long_term = keys_of(&lineage, |n| n.kind == NodeKind::LongTermKey);
    assert!(
        !long_term.contains("AKIATFQZ7NSC8Q4X21BJ"),
        "it carries a console's session context"
    );
    assert_eq!(
        keys_of(&lineage, |n| n.origin == Origin::Forwarded).len(),
        99
    );
    // The 23 of the truth and the hand-edited one.
    assert_eq!(keys_of(&lineage, |n| n.origin == Origin::Console).len(), 24);
    let stray = keys_of(&lineage, |n| {
        n.origin == Origin::Unseen && n.kind == NodeKind::TemporaryCredential
    });
    assert_eq!(stray, BTreeSet::new(), "no token without an explanation");
}

#[test]
fn otrf_edge_for_edge() {
    let Some(corpus) = corpus() else { return };
    let mut ledger = Ledger::default();
    for path in files(&corpus.join("recorded/otrf_cloud_breach")) {
        apply(&mut ledger, &path);
    }
    ledger.settle();
    assert_eq!(ledger.events(), 103);
    let lineage = Lineage::build(&ledger);
    let checked = check_edges(
        &truth(&corpus, "04_otrf_cloud_breach_s3.json"),
        &lineage,
        |_| true,
    );
    assert_eq!(checked.len(), 5);
    assert!(keys_of(&lineage, |n| n.origin == Origin::Console).contains("ASIA5FLZVX4OI4ZDQJOL"));
}

#[test]
fn stratus_edge_for_edge_and_none_between_files() {
    let Some(corpus) = corpus() else { return };
    let truth = truth(&corpus, "05_stratus_detonations.json");
    let mut whole = Ledger::default();
    let mut checked = BTreeSet::new();
    for path in files(&corpus.join("recorded/stratus_detonation/detonation-logs")) {
        let mut ledger = Ledger::default();
        apply(&mut ledger, &path);
        ledger.settle();
        let lineage = Lineage::build(&ledger);
        let here = keys_of(&lineage, |_| true);
        checked.extend(check_edges(&truth, &lineage, |e| {
            here.contains(e["child_key"].as_str().unwrap())
        }));
        whole.merge(ledger);
    }
    assert_eq!(checked.len(), 11);
    whole.settle();
    assert_eq!(whole.events(), 310);
    let lineage = Lineage::build(&whole);
    let all = check_edges(&truth, &lineage, |_| true);
    assert_eq!(all.len(), 11, "merging the files adds no edge between them");
    for key in [
        "ASIAP5CT9NN8EYVU1FXV",
        "ASIA6FTSFH98XNF7DFZB",
        "ASIA2HJRQF0DHNYEE9N1",
    ] {
        let (number, node) = (0u32..)
            .zip(lineage.nodes())
            .find(|(_, n)| whole.text(n.key) == key)
            .unwrap();
        assert_eq!(
            (node.origin, lineage.parents(number).count()),
            (Origin::Unseen, 0),
            "{key}"
        );
    }
}
