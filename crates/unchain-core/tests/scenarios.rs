//! Every scenario's records give exactly the lineage that its story says.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail where the test should"
)]

use std::collections::BTreeSet;
use unchain_core::ledger::Ledger;
use unchain_core::lineage::Lineage;
use unchain_core::record::parse_at;
use unchain_core::report::{End, Report, Token};
use unchain_core::time::Timestamp;
use unchain_trail::{Basis, Kind, Trail};

const STORIES: [(&str, &str); 7] = [
    (
        "everything",
        include_str!("../../unchain-trail/tests/everything.trail"),
    ),
    (
        "whack-a-mole",
        include_str!("../../../scenarios/whack-a-mole/story.trail"),
    ),
    (
        "console-and-switch-role",
        include_str!("../../../scenarios/console-and-switch-role/story.trail"),
    ),
    (
        "federation",
        include_str!("../../../scenarios/federation/story.trail"),
    ),
    (
        "identity-center",
        include_str!("../../../scenarios/identity-center/story.trail"),
    ),
    (
        "role-chain",
        include_str!("../../../scenarios/role-chain/story.trail"),
    ),
    (
        "workloads",
        include_str!("../../../scenarios/workloads/story.trail"),
    ),
];

fn ledger(trail: &Trail) -> Ledger {
    let mut ledger = Ledger::default();
    for record in trail.records() {
        let text = record.to_string();
        ledger.apply(&parse_at(&text, 0).unwrap().0);
    }
    ledger.settle();
    ledger
}

/// An edge as one line: key or principal on both ends, call, time, basis.
type Line = (
    Option<String>,
    Option<String>,
    String,
    String,
    &'static str,
    bool,
);

fn key(end: &End) -> Option<String> {
    end.access_key_id.as_ref().map(|t| t.raw().to_owned())
}

/// The line that a story's edge should give.
fn expected(trail: &Trail, edge: &unchain_trail::Edge) -> Line {
    let basis = match edge.basis {
        Basis::Recorded => "recorded",
        Basis::Matched => "matched",
        Basis::Inferred => "inferred",
    };
    // The story lets a switched session mint its keys; we say which key assumed the role.
    let mut edge = edge.clone();
    if edge.api == "SwitchRole" && basis == "matched" {
        let same = |e: &unchain_trail::Edge| {
            e.api == "AssumeRole"
                && e.time == edge.time
                && e.child_principal == edge.child_principal
        };
        let assumed = trail.truth().edges.into_iter().find(same).unwrap();
        edge = unchain_trail::Edge {
            child_key: edge.child_key.clone(),
            ..assumed
        };
    }
    (
        edge.parent_key,
        edge.child_key,
        edge.api,
        edge.time,
        basis,
        edge.cross_account,
    )
}

/// What is missing from a story's lineage, and what is in it that the story does not tell.
fn differences(name: &str, trail: &Trail) -> Vec<String> {
    let ledger = ledger(trail);
    let lineage = Lineage::build(&ledger);
    let report = Report::new(&lineage, Timestamp::from_seconds(0));
    let found: BTreeSet<Line> = report
        .edges()
        .filter(|row| row.child.access_key_id.is_some())
        .map(|row| {
            let (api, time) = (row.api.raw().to_owned(), row.time.to_string());
            (
                key(&row.parent),
                key(&row.child),
                api,
                time,
                row.basis,
                row.cross_account,
            )
        })
        .collect();
    let mut wrong = Vec::new();
    let edges = trail.truth().edges;
    for edge in edges.iter().filter(|e| e.child_key.is_some()) {
        let line = expected(trail, edge);
        if !found.contains(&line) {
            let near: Vec<_> = found.iter().filter(|f| f.1 == line.1).collect();
            wrong.push(format!("{name}: missing {line:?}; have {near:?}"));
        }
    }
    let told: BTreeSet<_> = edges.iter().map(|e| e.child_key.clone()).collect();
    for line in found.iter().filter(|line| !told.contains(&line.1)) {
        wrong.push(format!("{name}: not in the story {line:?}"));
    }
    wrong
}

#[test]
fn edges_are_those_of_the_story() {
    let mut wrong = Vec::new();
    for (name, text) in STORIES {
        wrong.extend(differences(name, &Trail::parse(text).unwrap()));
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// The story counts the ConsoleLogin that a sign-in token opens as its use; the record names no key.
fn signed_in(token: &unchain_trail::Token) -> bool {
    matches!(token.kind, Kind::SigninToken | Kind::FederatedSession)
}

/// How the inventory of a story differs from what the story tells.
fn inventory_differences(name: &str, trail: &Trail) -> Vec<String> {
    let ledger = ledger(trail);
    let lineage = Lineage::build(&ledger);
    let report = Report::new(&lineage, Timestamp::from_seconds(0));
    let tokens: Vec<_> = report
        .credentials()
        .into_iter()
        .map(|n| report.token(n))
        .collect();
    // A caller of an account without a trail of its own is seen without its key.
    let records = trail.records();
    let logged: BTreeSet<&str> = records
        .iter()
        .filter_map(|r| r["recipientAccountId"].as_str())
        .collect();
    let mut wrong = Vec::new();
    let expected = trail.truth().tokens;
    for expected in expected
        .iter()
        .filter(|t| t.key.is_some() && logged.contains(t.account.as_str()))
    {
        let at_its_time = |t: &&Token| {
            expected.issued_at.is_none()
                || expected.kind == Kind::LoginKey
                || t.issued_at.map(|t| t.to_string()) == expected.issued_at
        };
        let own = |t: &&Token| t.access_key_id.as_ref().map(|k| k.raw()) == expected.key.as_deref();
        let found: Vec<&Token> = tokens.iter().filter(own).filter(at_its_time).collect();
        let logins = u64::from(signed_in(expected));
        match found.as_slice() {
            [one] if (one.uses..=one.uses + logins).contains(&expected.uses) => {
                let known = one.expiry_basis == "recorded" && expected.expires_at.is_some();
                if known && one.expires_at.map(|t| t.to_string()) != expected.expires_at {
                    wrong.push(format!(
                        "{name}: {} expires {:?}",
                        expected.label, one.expires_at
                    ));
                }
            }
            [] if expected.uses == 0 => {}
            other => wrong.push(format!("{name}: {expected:?}, found {other:?}")),
        }
    }
    wrong
}

#[test]
fn uses_and_expiry_are_those_of_the_story() {
    let mut wrong = Vec::new();
    for (name, text) in STORIES {
        wrong.extend(inventory_differences(name, &Trail::parse(text).unwrap()));
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
