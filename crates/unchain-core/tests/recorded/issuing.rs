//! What the detections find in recorded trails: what is known to be there, and no more than that.
//!
//! Needs the corpus: set `UNCHAIN_CORPUS` to the folder that holds `recorded/`.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail where the test should"
)]

use serde_json::Value;
use std::path::{Path, PathBuf};
use unchain_core::detect;
use unchain_core::finding::{Finding, Severity};
use unchain_core::ledger::Ledger;
use unchain_core::lineage::Lineage;
use unchain_core::record::plain;

fn recorded() -> Option<PathBuf> {
    let folder =
        std::env::var_os("UNCHAIN_CORPUS").map(|corpus| PathBuf::from(corpus).join("recorded"));
    if folder.is_none() {
        #[expect(clippy::print_stdout, reason = "a skipped test says so")]
        {
            println!("skipped: UNCHAIN_CORPUS is not set");
        }
    }
    folder
}

/// Every record of a file or of the files below a folder.
fn records(path: &Path) -> Vec<Value> {
    if path.is_dir() {
        let entries = std::fs::read_dir(path).unwrap();
        return entries.flat_map(|e| records(&e.unwrap().path())).collect();
    }
    if path.extension().is_none_or(|e| e != "json") {
        return Vec::new();
    }
    let text = std::fs::read_to_string(path).unwrap();
    let mut found = Vec::new();
    let mut rest = text.as_str();
    // Lists are read object by object, and what is no object is skipped: one set has commas too few and
    // braces too many.
    while let Some(at) = rest.find('{') {
        rest = rest.split_at(at).1;
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        let Some(Ok(mut value)) = values.next() else {
            rest = rest.split_at(1).1;
            continue;
        };
        rest = rest.split_at(values.byte_offset()).1;
        match value.get_mut("Records").map(Value::take) {
            Some(Value::Array(records)) => found.extend(records),
            _ => match value.pointer_mut("/aws/cloudtrail").map(Value::take) {
                Some(record) => found.push(record),
                None => found.push(value),
            },
        }
    }
    found
}

/// What is found in a file or folder.
fn found(path: &Path) -> Vec<Finding> {
    let mut ledger = Ledger::default();
    for record in records(path) {
        if let Ok(event) = plain(&record) {
            ledger.apply(&event);
        }
    }
    ledger.settle();
    detect::with_defaults(&Lineage::build(&ledger), &ledger)
}

/// The findings of one detection, each as its severity and sentence.
fn of(findings: &[Finding], detection: &str) -> Vec<(Severity, String)> {
    let those = findings.iter().filter(|f| f.detection == detection);
    those
        .map(|f| (f.severity, f.what.terminal().to_string()))
        .collect()
}

const ISSUING: [&str; 7] = [
    "assume-root",
    "federation-token-persistence",
    "role-juggling",
    "session-token-persistence",
    "token-outlives-key",
    "use-after-revocation",
    "role-chaining",
];

#[test]
fn one_key_that_minted_ten_tokens_is_one_finding() {
    let Some(folder) = recorded() else { return };
    let findings = found(&folder.join("invictus_ir"));
    let fan_out = of(&findings, "credential-fan-out");
    // Ten tokens by five attempts, of which every second is the unused twin of the same second: not
    // ten attempts, and neither the denied ones before each nor what services assume counts.
    assert_eq!(fan_out.len(), 1, "{fan_out:?}");
    let (severity, what) = fan_out.first().unwrap();
    assert!(*severity >= Severity::Low);
    for part in [
        "AKIATFQR7NSC8Q4X20BJ",
        "10 temporary",
        "5 attempts",
        "5 never used",
    ] {
        assert!(what.contains(part), "{part}: {what}");
    }
    let twins = of(&findings, "twin-tokens");
    assert_eq!(twins.len(), 1, "{twins:?}");
    assert_eq!(twins.first().unwrap().0, Severity::Informational);
    // The keys that were deleted at the end had made nothing.
    for detection in ISSUING {
        assert_eq!(of(&findings, detection), [], "{detection}");
    }
}

#[test]
fn detonations_show_their_twins_and_the_federated_session() {
    let Some(folder) = recorded() else { return };
    let mut twins = Vec::new();
    for entry in std::fs::read_dir(folder.join("stratus_detonation/detonation-logs")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let findings = found(&path);
        if !of(&findings, "twin-tokens").is_empty() {
            twins.push(name.clone());
        }
        let federated = of(&findings, "federation-token-persistence");
        let expected = usize::from(name == "aws.persistence.sts-federation-token");
        assert_eq!(federated.len(), expected, "{name}: {federated:?}");
        for (severity, what) in federated {
            assert_eq!(severity, Severity::Medium);
            assert!(what.contains("ASIASTJKC5GCM7ZE6LUP"), "{what}");
        }
    }
    twins.sort_unstable();
    let expected = [
        "aws.credential-access.ec2-get-password-data",
        "aws.defense-evasion.organizations-leave",
        "aws.discovery.ec2-download-user-data",
        "aws.execution.ec2-launch-unusual-instances",
    ];
    assert_eq!(twins, expected);
}

#[test]
fn background_makes_no_incident_of_issuing() {
    let Some(folder) = recorded() else { return };
    // Three credentials of one instance in one second, two of them unused, are the service's way.
    for set in [
        "otrf_cloud_breach",
        "opensearch_catalog",
        "grycap",
        "umccr_flaws_slice",
    ] {
        assert!(records(&folder.join(set)).len() > 100, "{set} is not read");
        let findings = found(&folder.join(set));
        let also = ["credential-fan-out", "twin-tokens"];
        for detection in ISSUING.into_iter().chain(also) {
            assert_eq!(of(&findings, detection), [], "{set}: {detection}");
        }
    }
}
