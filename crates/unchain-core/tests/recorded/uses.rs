//! Detections of where and how credentials are used.

use crate::common::{files, ledger, recorded};
use std::collections::BTreeSet;
use std::path::PathBuf;
use unchain_core::detect;
use unchain_core::finding::{Finding, Severity};
use unchain_core::ledger::Ledger;
use unchain_core::lineage::Lineage;

/// A finding by its detection, severity, subject's key and sentence.
#[derive(Debug)]
struct Told {
    detection: &'static str,
    severity: Severity,
    key: String,
    what: String,
}

fn found(ledger: &Ledger) -> Vec<Told> {
    let lineage = Lineage::build(ledger);
    let told = |f: &Finding| Told {
        detection: f.detection,
        severity: f.severity,
        key: ledger.text(lineage.node(f.subject).unwrap().key).to_owned(),
        what: f.what.terminal().to_string(),
    };
    detect::with_defaults(&lineage, ledger)
        .iter()
        .map(told)
        .collect()
}

fn of<'f>(found: &'f [Told], detection: &str) -> Vec<&'f Told> {
    found.iter().filter(|f| f.detection == detection).collect()
}

#[test]
fn invictus_instance_credential_and_grave_calls() {
    let Some(folder) = recorded("invictus_ir") else {
        return;
    };
    let found = found(&ledger(&folder));
    let stolen = of(&found, "workload-credential-elsewhere");
    let keys: BTreeSet<&str> = stolen.iter().map(|f| f.key.as_str()).collect();
    assert_eq!(keys, BTreeSet::from(["ASIATFQR7NSC36DZQP7P"]), "{found:#?}");
    assert!(
        stolen.iter().all(|f| f.severity == Severity::High
            && f.what.contains("192.168.10.20")
            && f.what.contains("3.225.16.109")),
        "{stolen:?}"
    );
    let grave = of(&found, "high-impact-at-once");
    let what: String = grave.iter().map(|f| f.what.as_str()).collect();
    for call in ["LeaveOrganization", "RunInstances", "GetPasswordData"] {
        assert!(what.contains(call), "{call}: {grave:?}");
    }
    assert_eq!(of(&found, "token-from-several-networks").len(), 0);
    assert_eq!(of(&found, "api-from-console").len(), 0);
}

#[test]
fn otrf_a_mac_uses_the_credential_of_an_instance() {
    let Some(folder) = recorded("otrf_cloud_breach") else {
        return;
    };
    let found = found(&ledger(&folder));
    let stolen = of(&found, "workload-credential-elsewhere");
    assert_eq!(stolen.len(), 1, "{found:?}");
    assert!(stolen.iter().all(|f| f.key == "ASIA5FLZVX4OPVKKVBMX"));
    let read = of(&found, "bulk-data-read");
    assert_eq!(read.len(), 1, "{found:?}");
    assert!(
        read.iter()
            .all(|f| f.what.contains("GetObject 2 times") && f.what.contains("ListObjects")),
        "{read:?}"
    );
    // All addresses are 1.2.3.4: nothing may be read from them.
    assert_eq!(of(&found, "token-from-several-networks").len(), 0);
    assert!(
        found.iter().all(|f| f.key != "ASIA5FLZVX4OI4ZDQJOL"),
        "the analyst's console session is noise: {found:?}"
    );
}

#[test]
fn stratus_instance_credential_at_the_operators_address() {
    let Some(folder) = recorded("stratus_detonation") else {
        return;
    };
    let steal = |path: &PathBuf| path.to_string_lossy().contains("ec2-steal-instance");
    let path = files(&folder).into_iter().find(steal).unwrap();
    let found = found(&ledger(&path));
    let stolen = of(&found, "workload-credential-elsewhere");
    assert_eq!(stolen.len(), 1, "{found:?}");
    assert!(
        stolen
            .iter()
            .all(|f| f.key == "ASIAP5CT9NN8EYVU1FXV" && f.what.contains("had just sent a command")),
        "{stolen:?}"
    );
}

/// Detections about where and how credentials are used.
const USE: [&str; 11] = [
    "api-from-console",
    "bulk-data-read",
    "cognito-unauthenticated",
    "console-from-api",
    "high-impact-at-once",
    "oauth-grant-elsewhere",
    "recon-at-session-start",
    "token-from-several-networks",
    "unlogged-account-credential",
    "web-identity-elsewhere",
    "workload-credential-elsewhere",
];

#[test]
fn background_makes_no_incident() {
    for name in ["opensearch_catalog", "grycap", "umccr_flaws_slice"] {
        let Some(folder) = recorded(name) else {
            return;
        };
        let found = found(&ledger(&folder));
        let strong = found
            .iter()
            .filter(|f| f.severity >= Severity::Medium && USE.contains(&f.detection));
        let strong: Vec<&Told> = strong.collect();
        assert!(strong.is_empty(), "{name}: {strong:?}");
    }
}
