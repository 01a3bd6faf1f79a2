//! Every detection fires in its story and is silent in its benign twin.
//!
//! `scenarios/detections/<id>/fires.trail` and `benign.trail` are stories in the trail language; the `.findings`
//! beside each lists all that is found in it, by any detection. After a change that is meant, run with
//! UNCHAIN_BLESS=1 to write the lists anew, and read the difference.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail where the test should"
)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use unchain_core::detect::{self, Detection, REGISTRY};
use unchain_core::finding::Finding;
use unchain_core::ledger::Ledger;
use unchain_core::lineage::Lineage;
use unchain_core::record::parse_at;
use unchain_trail::Trail;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/detections")
}

fn trail(path: &Path) -> Trail {
    let text = std::fs::read_to_string(path)
        .map_err(|e| (path, e))
        .unwrap();
    Trail::parse(&text).map_err(|e| (path, e)).unwrap()
}

fn ledger(records: &[String]) -> Ledger {
    let mut ledger = Ledger::default();
    for record in records {
        ledger.apply(&parse_at(record, 0).unwrap().0);
    }
    ledger.settle();
    ledger
}

fn records(trail: &Trail) -> Vec<String> {
    trail.records().iter().map(ToString::to_string).collect()
}

/// Everything found, one line each, with nothing that the order of records could change.
fn told(ledger: &Ledger) -> (Vec<Finding>, String) {
    let lineage = Lineage::build(ledger);
    let findings = detect::with_defaults(&lineage, ledger);
    let mut text = String::new();
    for f in &findings {
        let (severity, confidence) = (f.severity.name(), f.confidence.name());
        let what = f.what.terminal();
        let records = f.evidence.len();
        writeln!(
            text,
            "{} {severity} {confidence} {records}: {what}",
            f.detection
        )
        .unwrap();
        for unseen in &f.not_visible {
            writeln!(text, "    not visible: {unseen}").unwrap();
        }
    }
    (findings, text)
}

/// What is found in a story, compared with the list beside it.
fn check(path: &Path) -> Vec<Finding> {
    let (findings, text) = told(&ledger(&records(&trail(path))));
    let list = path.with_extension("findings");
    if std::env::var_os("UNCHAIN_BLESS").is_some() {
        std::fs::write(&list, &text).unwrap();
    }
    let wanted = std::fs::read_to_string(&list).unwrap_or_default();
    assert_eq!(text, wanted, "{}", list.display());
    findings
}

fn of<'f>(findings: &'f [Finding], detection: &Detection) -> Vec<&'f Finding> {
    findings
        .iter()
        .filter(|f| f.detection == detection.id)
        .collect()
}

#[test]
fn every_detection_has_a_story_and_a_benign_twin() {
    for detection in REGISTRY {
        let folder = folder().join(detection.id);
        let fires = check(&folder.join("fires.trail"));
        let fires = of(&fires, detection);
        assert!(!fires.is_empty(), "{} does not fire", detection.id);
        assert!(
            fires.iter().all(|f| !f.evidence.is_empty()),
            "{} shows no record",
            detection.id
        );
        let benign = check(&folder.join("benign.trail"));
        assert!(
            of(&benign, detection).is_empty(),
            "{} fires on its twin",
            detection.id
        );
    }
}

#[test]
fn every_story_belongs_to_a_detection() {
    let known: BTreeSet<&str> = REGISTRY.iter().map(|d| d.id).collect();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            known.contains(name.as_str()),
            "no detection is called {name}"
        );
    }
}

#[test]
fn findings_do_not_depend_on_the_order_of_records() {
    for detection in REGISTRY {
        let mut records = records(&trail(&folder().join(detection.id).join("fires.trail")));
        let (first, said) = told(&ledger(&records));
        records.reverse();
        let (again, said_again) = told(&ledger(&records));
        assert_eq!(said, said_again, "{}", detection.id);
        let ids = |found: &[Finding]| found.iter().map(|f| f.id.clone()).collect::<Vec<_>>();
        assert_eq!(ids(&first), ids(&again), "{}", detection.id);
        let middle = records.len() / 2;
        records.rotate_left(middle);
        assert_eq!(said, told(&ledger(&records)).1, "{}", detection.id);
    }
}

#[test]
fn the_registry_is_in_order_and_says_everything() {
    let ids: Vec<&str> = REGISTRY.iter().map(|d| d.id).collect();
    let mut sorted = ids.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(ids, sorted);
    for detection in REGISTRY {
        let id = detection.id;
        assert!(
            id.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'),
            "{id}"
        );
        for words in [detection.finds, detection.matters, detection.evaded] {
            assert!(words.len() > 40 && words.ends_with('.'), "{id}: {words}");
        }
        assert!(
            !detection.title.is_empty() && !detection.false_positives.is_empty(),
            "{id}"
        );
        assert!(!detection.references.is_empty(), "{id}");
        assert!(
            detection
                .references
                .iter()
                .all(|r| r.starts_with("https://")),
            "{id}"
        );
        assert!(!detection.techniques.is_empty(), "{id}");
        for technique in detection.techniques {
            let (number, sub) = technique.split_once('.').unwrap_or((technique, "000"));
            let number = number.strip_prefix('T').unwrap_or_default();
            assert!(
                number.len() == 4 && number.parse::<u32>().is_ok(),
                "{id}: {technique}"
            );
            assert!(
                sub.len() == 3 && sub.parse::<u32>().is_ok(),
                "{id}: {technique}"
            );
        }
    }
}
