//! What the program prints as edges, against what the stories of the repository say really happened.
//! The library is held to the stories in more detail; this holds the way from files to output.

use crate::common::{Room, lines, scenarios};
use std::collections::BTreeSet;
use unchain_trail::{Edge, Truth};

/// Parent key, child key, call, time, basis, whether it crosses accounts.
type Step = (String, String, String, String, String, bool);

fn text(value: &serde_json::Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The step that an edge of a story should give.
fn step(truth: &Truth, edge: &Edge) -> Step {
    // A story lets a switched session mint its keys; a record says which key assumed the role.
    let assumed = |e: &&Edge| {
        edge.api == "SwitchRole"
            && e.api == "AssumeRole"
            && e.time == edge.time
            && e.child_principal == edge.child_principal
    };
    let by = truth.edges.iter().find(assumed).unwrap_or(edge);
    (
        by.parent_key.clone().unwrap_or_default(),
        edge.child_key.clone().unwrap_or_default(),
        by.api.clone(),
        by.time.clone(),
        format!("{:?}", edge.basis).to_lowercase(),
        by.cross_account,
    )
}

#[test]
fn edges_are_those_of_the_stories() {
    for (name, trail) in scenarios() {
        let room = Room::with(&trail);
        let said = room.run(&["edges", "--source", "logs", "--format", "jsonl"]);
        assert_eq!(said.code, 0, "{name}: {}", said.err);
        let found: BTreeSet<Step> = lines(&said)
            .iter()
            .map(|edge| {
                (
                    text(&edge["parent"]["access_key_id"]),
                    text(&edge["child"]["access_key_id"]),
                    text(&edge["api"]),
                    text(&edge["time"]),
                    text(&edge["basis"]),
                    edge["cross_account"].as_bool().unwrap(),
                )
            })
            .filter(|step| !step.1.is_empty())
            .collect();
        let truth = trail.truth();
        let told = truth.edges.iter().filter(|edge| edge.child_key.is_some());
        let expected: BTreeSet<Step> = told.map(|edge| step(&truth, edge)).collect();
        let missing: Vec<_> = expected.difference(&found).collect();
        assert!(missing.is_empty(), "{name}: missing {missing:#?}");
        // A key may have a second edge; a key that the story does not tell of may have none.
        let keys: BTreeSet<&String> = expected.iter().map(|step| &step.1).collect();
        let extra: Vec<_> = found
            .iter()
            .filter(|step| !keys.contains(&step.1))
            .collect();
        assert!(extra.is_empty(), "{name}: not in the story {extra:#?}");
    }
}

#[test]
fn every_credential_of_the_stories_is_in_the_inventory() {
    for (name, trail) in scenarios() {
        let room = Room::with(&trail);
        let said = room.run(&["tokens", "--source", "logs", "--format", "jsonl"]);
        assert_eq!(said.code, 0, "{name}: {}", said.err);
        let found: BTreeSet<String> = lines(&said)
            .iter()
            .map(|token| text(&token["access_key_id"]))
            .collect();
        for token in trail.truth().tokens.iter().filter(|token| token.uses > 0) {
            let Some(key) = &token.key else { continue };
            assert!(found.contains(key), "{name}: {} {key}", token.label);
        }
    }
}
