//! What the detections find in the logs of a story that was played.

use std::collections::BTreeSet;

use unchain_core::detect;
use unchain_core::finding::Severity;
use unchain_core::ledger::Ledger;
use unchain_core::lineage::Lineage;

/// The detections that have to fire in each attack.
const ATTACKS: [(&str, &[&str]); 11] = [
    ("assume-root", &["assume-root"]),
    (
        "cross-account-chain",
        &[
            "role-chaining",
            "token-outlives-key",
            "use-after-revocation",
        ],
    ),
    (
        "federation-token",
        &[
            "console-from-api",
            "federation-token-persistence",
            "spare-credential",
            "token-outlives-key",
        ],
    ),
    (
        "instance-theft",
        &["bulk-data-read", "workload-credential-elsewhere"],
    ),
    (
        "mfa-registration",
        &[
            "mfa-device-by-token",
            "session-token-persistence",
            "token-outlives-key",
            "use-after-revocation",
        ],
    ),
    ("oidc-backdoor", &["identity-provider-backdoor"]),
    (
        "role-chain",
        &["role-chaining", "role-juggling", "twin-tokens"],
    ),
    (
        "role-juggling",
        &[
            "role-chaining",
            "role-juggling",
            "token-outlives-key",
            "use-after-revocation",
        ],
    ),
    (
        "spare-users",
        &[
            "mfa-device-by-token",
            "spare-credential",
            "use-after-revocation",
        ],
    ),
    (
        "stripped-quarantine",
        &[
            "deny-policy-stripped",
            "spare-credential",
            "use-after-revocation",
        ],
    ),
    (
        "whack-a-mole",
        &[
            "bulk-data-read",
            "mfa-device-by-token",
            "recon-at-session-start",
            "session-token-persistence",
            "spare-credential",
            "token-outlives-key",
            "use-after-revocation",
        ],
    ),
];

/// The stories in which nothing is wrong.
const BENIGN: [&str; 3] = ["ci-pipeline", "instance-theft-benign", "office-day"];

/// A detection that should have fired and did not; of a benign story, one of more than low severity that did.
pub(crate) fn differences(name: &str, ledger: &Ledger) -> Vec<String> {
    let lineage = Lineage::build(ledger);
    let findings = detect::with_defaults(&lineage, ledger);
    let fired: BTreeSet<&str> = findings.iter().map(|finding| finding.detection).collect();
    let should = ATTACKS.iter().filter(|(story, _)| *story == name);
    let silent = should
        .flat_map(|(_, wanted)| wanted.iter())
        .filter(|wanted| !fired.contains(**wanted));
    let mut wrong: Vec<String> = silent.map(|id| format!("{name}: {id} is silent")).collect();
    let loud = findings
        .iter()
        .filter(|finding| finding.severity > Severity::Low);
    if BENIGN.contains(&name) {
        wrong.extend(loud.map(|finding| format!("{name}: {} fires", finding.detection)));
    }
    wrong
}

#[test]
fn the_lists_name_stories() {
    let named = ATTACKS.iter().map(|(name, _)| name).chain(&BENIGN);
    for name in named {
        assert!(unchain_lab::story::Story::named(name).is_some(), "{name}");
    }
}
