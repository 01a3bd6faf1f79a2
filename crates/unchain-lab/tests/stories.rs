//! Every story is played in the lab, call by call, and what the lab delivered is read as any log would be: the
//! lineage has to be the story's own truth.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail where the test should"
)]

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use unchain_core::ledger::Ledger;
use unchain_core::lineage::Lineage;
use unchain_core::record::plain;
use unchain_core::report::{End, Report};
use unchain_core::time::Timestamp;
use unchain_lab::Lab;
use unchain_lab::story::{Client, Place, Player, STORIES, Wire, playable, with_noise};
use unchain_lab::trail::deliver_to;
use unchain_lab::world::{Settings, World};
use unchain_trail::{Basis, Edge, Truth};

/// A host clock that stands: the story turns the lab's.
fn now() -> Timestamp {
    Timestamp::from_seconds(1_795_000_000)
}

/// Plays a text; gives the truth of the run and everything that went otherwise than told.
fn play(text: &str, settings: Settings, logs: &Path) -> (Truth, Vec<String>) {
    let (trail, _) = playable(text).unwrap();
    let lab = Lab::new(World::new(7, settings));
    deliver_to(&mut lab.world(), Some(logs.to_owned()));
    let wire = Wire {
        place: Place::Here(&lab),
        client: Client::Own,
        now,
    };
    let mut player = Player::new(wire, &trail).unwrap();
    let mut wrong = Vec::new();
    let mut say = |told: &unchain_lab::story::Told| {
        wrong.extend(told.trouble.as_ref().map(|_| told.to_string()));
        Ok(())
    };
    player.play(&mut say).unwrap();
    let (truth, differences) = player.truth(Some(logs)).unwrap();
    wrong.extend(differences);
    (truth, wrong)
}

fn files(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("CloudTrail-Digest") {
            files(&path, out);
        } else if path.to_string_lossy().ends_with(".json.gz") {
            out.push(path);
        }
    }
}

fn ledger(logs: &Path) -> Ledger {
    let mut found = Vec::new();
    files(logs, &mut found);
    let mut ledger = Ledger::default();
    for path in found {
        let mut text = String::new();
        let file = std::fs::File::open(path).unwrap();
        GzDecoder::new(file).read_to_string(&mut text).unwrap();
        let log: serde_json::Value = serde_json::from_str(&text).unwrap();
        for record in log.get("Records").unwrap().as_array().unwrap() {
            ledger.apply(&plain(record).unwrap());
        }
    }
    ledger.settle();
    ledger
}

/// Parent key, child key, call, time, basis, whether it crosses accounts.
type Line = (String, String, String, String, &'static str, bool);

/// The line that a story's edge should give. A story lets a switched session mint its keys; a record says which key
/// assumed the role.
fn expected(truth: &Truth, edge: &Edge) -> Line {
    let assumed = |e: &&Edge| {
        edge.api == "SwitchRole"
            && e.api == "AssumeRole"
            && e.time == edge.time
            && e.child_principal == edge.child_principal
    };
    let by = truth.edges.iter().find(assumed).unwrap_or(edge);
    let basis = match edge.basis {
        // The lab's records of a use do not say on whose behalf it is, so the person is inferred.
        Basis::Matched if edge.api == "GetRoleCredentials" => "inferred",
        Basis::Recorded => "recorded",
        Basis::Matched => "matched",
        Basis::Inferred => "inferred",
    };
    (
        by.parent_key.clone().unwrap_or_default(),
        edge.child_key.clone().unwrap_or_default(),
        by.api.clone(),
        by.time.clone(),
        basis,
        by.cross_account,
    )
}

/// Whether records can show an edge: the key that Identity Center hands out is in none but those of its use.
fn shown(truth: &Truth, edge: &Edge) -> bool {
    let used = |key| {
        truth
            .tokens
            .iter()
            .any(|token| token.key == key && token.uses > 0)
    };
    edge.api != "GetRoleCredentials" || used(edge.child_key.clone())
}

/// What is missing from the lineage of the delivered logs, and what is in it that the story does not tell.
fn differences(truth: &Truth, logs: &Path) -> Vec<String> {
    let ledger = ledger(logs);
    let lineage = Lineage::build(&ledger);
    let report = Report::new(&lineage, Timestamp::from_seconds(0));
    let key = |end: &End| end.access_key_id.as_ref().map(|t| t.raw().to_owned());
    let found: BTreeSet<Line> = report
        .edges()
        .map(|row| {
            (
                key(&row.parent).unwrap_or_default(),
                key(&row.child).unwrap_or_default(),
                row.api.raw().to_owned(),
                row.time.to_string(),
                row.basis,
                row.cross_account,
            )
        })
        .filter(|line| !line.1.is_empty())
        .collect();
    let told = truth
        .edges
        .iter()
        .filter(|edge| edge.child_key.is_some() && shown(truth, edge));
    let expected: BTreeSet<Line> = told.map(|edge| expected(truth, edge)).collect();
    let keys: BTreeSet<&String> = expected.iter().map(|line| &line.1).collect();
    let extra = found.iter().filter(|line| !keys.contains(&line.1));
    let missing = expected.difference(&found).map(|line| {
        let near: Vec<_> = found.iter().filter(|found| found.1 == line.1).collect();
        format!("missing {line:?}; there is {near:?}")
    });
    missing
        .chain(extra.map(|line| format!("not in the story {line:?}")))
        .collect()
}

/// Plays and compares; gives all that differs.
fn judge(name: &str, text: &str, settings: Settings) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let (truth, mut wrong) = play(text, settings, folder.path());
    wrong.extend(differences(&truth, folder.path()));
    wrong.iter().map(|line| format!("{name}: {line}")).collect()
}

#[test]
fn every_story_plays_as_told_and_its_logs_give_its_truth() {
    let mut wrong = Vec::new();
    for story in STORIES {
        wrong.extend(judge(story.name, story.text, Settings::default()));
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn disorder_repetition_and_noise_change_nothing() {
    let story = STORIES
        .iter()
        .find(|story| story.name == "spare-users")
        .unwrap();
    let settings = Settings {
        out_of_order: true,
        duplicates: 20,
        ..Settings::default()
    };
    let text = with_noise(story.text, 10).unwrap();
    let wrong = judge(story.name, &text, settings);
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
