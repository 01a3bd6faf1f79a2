//! Detections of MFA, persistence and tampering.

use crate::common::{files, ledger, recorded};
use std::path::Path;
use unchain_core::detect;
use unchain_core::finding::{Finding, Severity};
use unchain_core::ledger::Ledger;
use unchain_core::lineage::Lineage;
use unchain_core::record::plain;

/// Detections about MFA, persistence and tampering.
const THESE: [&str; 11] = [
    "deny-policy-stripped",
    "identity-provider-backdoor",
    "log-gap",
    "logging-tampered",
    "mfa-device-by-token",
    "mfa-guessing",
    "mfa-not-in-ancestry",
    "mfa-removed",
    "roles-anywhere-backdoor",
    "spare-credential",
    "trust-policy-backdoor",
];

/// What these detections find in a ledger.
fn found(ledger: &Ledger) -> Vec<Finding> {
    let lineage = Lineage::build(ledger);
    let mut findings = detect::with_defaults(&lineage, ledger);
    findings.retain(|f| THESE.contains(&f.detection));
    findings
}

fn said(findings: &[Finding]) -> Vec<String> {
    let line = |f: &Finding| {
        format!(
            "{} {}: {}",
            f.severity.name(),
            f.detection,
            f.what.terminal()
        )
    };
    findings.iter().map(line).collect()
}

/// Checks that each expectation (severity, detection, words) is met by exactly one finding, and that
/// there are no others of at least medium severity.
fn check(findings: &[Finding], wanted: &[(Severity, &str, &str)]) {
    let said = said(findings);
    for (severity, detection, words) in wanted {
        let is = |f: &&Finding| {
            f.detection == *detection && f.severity == *severity && f.what.raw().contains(words)
        };
        assert_eq!(
            findings.iter().filter(is).count(),
            1,
            "{detection} {words}: {said:#?}"
        );
    }
    let strong = findings.iter().filter(|f| f.severity >= Severity::Medium);
    let expected = wanted
        .iter()
        .filter(|(severity, ..)| *severity >= Severity::Medium);
    assert_eq!(strong.count(), expected.count(), "{said:#?}");
}

#[test]
fn invictus_is_told() {
    let Some(folder) = recorded("invictus_ir") else {
        return;
    };
    let findings = found(&ledger(&folder));
    let wanted = [
        // Two keys for others within a minute, and a sign-in without MFA nine seconds after the password.
        (
            Severity::High,
            "spare-credential",
            "stratus-red-team-backdoor-u-user",
        ),
        (
            Severity::Medium,
            "trust-policy-backdoor",
            "stratus-red-team-backdoor-r-role",
        ),
        (
            Severity::Medium,
            "roles-anywhere-backdoor",
            "malicious-rolesanywhere-profile",
        ),
        // The trails that the operator made and took down again.
        (Severity::Low, "logging-tampered", "had created itself"),
    ];
    check(&findings, &wanted);
    // Terraform asks again until a new role can be assumed: that is no guessing.
    assert!(findings.iter().all(|f| f.detection != "mfa-guessing"));
}

#[test]
fn detonations_are_told_one_by_one() {
    let Some(folder) = recorded("stratus_detonation/detonation-logs") else {
        return;
    };
    let wanted = [
        ("cloudtrail-delete", Severity::High, "logging-tampered"),
        ("cloudtrail-stop", Severity::High, "logging-tampered"),
        (
            "cloudtrail-event-selectors",
            Severity::Medium,
            "logging-tampered",
        ),
        (
            "iam-backdoor-role",
            Severity::Medium,
            "trust-policy-backdoor",
        ),
        (
            "iam-create-backdoor-role",
            Severity::Low,
            "trust-policy-backdoor",
        ),
        ("iam-backdoor-user", Severity::Low, "spare-credential"),
        ("iam-create-admin-user", Severity::Low, "spare-credential"),
        (
            "iam-create-user-login-profile",
            Severity::Low,
            "spare-credential",
        ),
        (
            "iam-update-user-login-profile",
            Severity::Low,
            "spare-credential",
        ),
        (
            "rolesanywhere-create-trust-anchor",
            Severity::Medium,
            "roles-anywhere-backdoor",
        ),
    ];
    for path in files(&folder) {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let of = wanted
            .iter()
            .filter(|(end, ..)| name.ends_with(&format!(".{end}")));
        let of: Vec<_> = of
            .map(|&(_, severity, detection)| (severity, detection, ""))
            .collect();
        let findings = found(&ledger(&path));
        assert_eq!(findings.len(), of.len(), "{name}: {:#?}", said(&findings));
        check(&findings, &of);
    }
}

#[test]
fn background_is_quiet() {
    let sets = [
        "otrf_cloud_breach",
        "opensearch_catalog",
        "grycap",
        "umccr_flaws_slice",
    ];
    for set in sets {
        let Some(folder) = recorded(set) else { return };
        let findings = found(&ledger(&folder));
        assert!(findings.is_empty(), "{set}: {:#?}", said(&findings));
    }
}

/// The findings of a story that need no corpus.
fn of_story(name: &str) -> Vec<Finding> {
    let file = format!("../../scenarios/{name}/story.trail");
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    let mut ledger = Ledger::default();
    for record in unchain_trail::Trail::parse(&text).unwrap().records() {
        ledger.apply(&plain(&record).unwrap());
    }
    ledger.settle();
    found(&ledger)
}

#[test]
fn only_the_mole_of_the_story_is_told() {
    let wanted = [
        (Severity::High, "mfa-device-by-token", "mfa/alice-2 "),
        (
            Severity::High,
            "mfa-device-by-token",
            "mfa/svc-backup-phone ",
        ),
        (Severity::High, "spare-credential", "user svc-backup"),
    ];
    let findings = of_story("whack-a-mole");
    check(&findings, &wanted);
    assert_eq!(findings.len(), wanted.len(), "{:#?}", said(&findings));
    for quiet in ["console-and-switch-role", "identity-center", "role-chain"] {
        assert_eq!(said(&of_story(quiet)), Vec::<String>::new(), "{quiet}");
    }
}
