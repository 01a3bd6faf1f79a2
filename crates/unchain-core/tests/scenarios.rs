//! Every scenario's records give exactly the lineage that its story says.

use std::collections::BTreeSet;
use unchain_core::ledger::Ledger;
use unchain_core::lineage::Lineage;
use unchain_core::record::parse_at;
use unchain_core::report::{End, Report};
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

#[test]
fn edges_are_those_of_the_story() {
    let mut wrong = Vec::new();
    for (name, text) in STORIES {
        let trail = Trail::parse(text).unwrap();
        let ledger = ledger(&trail);
        let lineage = Lineage::build(&ledger);
        let report = Report::new(&lineage, Timestamp::from_seconds(0));
        let found: BTreeSet<Line> = report
            .edges()
            .filter(|row| row.child.access_key_id.is_some())
            .map(|row| {
                (
                    key(&row.parent),
                    key(&row.child),
                    row.api.raw().to_owned(),
                    row.time.to_string(),
                    row.basis,
                    row.cross_account,
                )
            })
            .collect();
        for edge in trail.truth().edges.iter().filter(|e| e.child_key.is_some()) {
            let basis = match edge.basis {
                Basis::Recorded => "recorded",
                Basis::Matched => "matched",
                Basis::Inferred => "inferred",
            };
            // The story lets a switched session mint its keys; we say which key assumed the role.
            let switched = edge.api == "SwitchRole" && basis == "matched";
            let mut edge = edge.clone();
            if switched {
                let same = |e: &&unchain_trail::Edge| {
                    e.api == "AssumeRole"
                        && e.time == edge.time
                        && e.child_principal == edge.child_principal
                };
                edge = unchain_trail::Edge {
                    child_key: edge.child_key.clone(),
                    ..trail.truth().edges.iter().find(same).unwrap().clone()
                };
            }
            let line: Line = (
                edge.parent_key.clone(),
                edge.child_key.clone(),
                edge.api.clone(),
                edge.time.clone(),
                basis,
                edge.cross_account,
            );
            if !found.contains(&line) {
                let near: Vec<_> = found.iter().filter(|f| f.1 == line.1).collect();
                wrong.push(format!(
                    "{name}: missing {line:?} from {}; have {near:?}",
                    edge.parent_principal
                ));
            }
        }
        let expected: BTreeSet<_> = trail
            .truth()
            .edges
            .iter()
            .filter_map(|e| e.child_key.clone())
            .collect();
        for line in found
            .iter()
            .filter(|line| !expected.contains(line.1.as_ref().unwrap()))
        {
            wrong.push(format!("{name}: not in the story {line:?}"));
        }
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

#[test]
fn uses_and_expiry_are_those_of_the_story() {
    let mut wrong = Vec::new();
    for (name, text) in STORIES {
        let trail = Trail::parse(text).unwrap();
        let ledger = ledger(&trail);
        let lineage = Lineage::build(&ledger);
        let report = Report::new(&lineage, Timestamp::from_seconds(0));
        let tokens: Vec<_> = report
            .credentials()
            .into_iter()
            .map(|n| report.token(n))
            .collect();
        // A caller of an account without a trail of its own is seen without its key.
        let logged: BTreeSet<String> = trail
            .records()
            .iter()
            .filter_map(|r| Some(r["recipientAccountId"].as_str()?.to_owned()))
            .collect();
        for expected in trail
            .truth()
            .tokens
            .iter()
            .filter(|t| t.key.is_some() && logged.contains(&t.account))
        {
            let key = expected.key.as_deref();
            let found: Vec<_> = tokens
                .iter()
                .filter(|t| t.access_key_id.as_ref().map(|k| k.raw()) == key)
                .filter(|t| {
                    expected.issued_at.is_none()
                        || expected.kind == Kind::LoginKey
                        || t.issued_at.map(|t| t.to_string()) == expected.issued_at
                })
                .collect();
            match found.as_slice() {
                [one]
                    if one.uses == expected.uses
                        || signed_in(expected) && one.uses + 1 == expected.uses =>
                {
                    let recorded = one.expiry_basis == "recorded";
                    if recorded
                        && expected.expires_at.is_some()
                        && one.expires_at.map(|t| t.to_string()) != expected.expires_at
                    {
                        wrong.push(format!(
                            "{name}: {} expires {:?}, not {:?}",
                            expected.label, one.expires_at, expected.expires_at
                        ));
                    }
                }
                [] if expected.uses == 0 => {}
                other => wrong.push(format!(
                    "{name}: {} {key:?} has {} uses, found {:?}",
                    expected.label,
                    expected.uses,
                    other
                        .iter()
                        .map(|t| (t.uses, t.issued_at))
                        .collect::<Vec<_>>()
                )),
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
