//! Detections of issuing: tokens, fan-out, federation, chains.

use crate::common::{files, ledger, recorded};
use std::path::Path;
use unchain_core::detect;
use unchain_core::finding::{Finding, Severity};
use unchain_core::lineage::Lineage;

/// What is found in a file or folder.
fn found(path: &Path) -> Vec<Finding> {
    let ledger = ledger(path);
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
    let Some(folder) = recorded("invictus_ir") else {
        return;
    };
    let findings = found(&folder);
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
    let Some(folder) = recorded("stratus_detonation/detonation-logs") else {
        return;
    };
    let mut twins = Vec::new();
    for path in files(&folder) {
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
    // Three credentials of one instance in one second, two of them unused, are the service's way.
    for set in [
        "otrf_cloud_breach",
        "opensearch_catalog",
        "grycap",
        "umccr_flaws_slice",
    ] {
        let Some(folder) = recorded(set) else { return };
        let findings = found(&folder);
        let also = ["credential-fan-out", "twin-tokens"];
        for detection in ISSUING.into_iter().chain(also) {
            assert_eq!(of(&findings, detection), [], "{set}: {detection}");
        }
    }
}
