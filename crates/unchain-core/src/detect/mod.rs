//! Detections: what is wrong, judged on the lineage and not on single events.
//!
//! One file holds one detection: [`Detection`] says in words what it finds, why that matters, how it is
//! evaded and what else looks like it, and `run` finds it. [`REGISTRY`] lists them; `explain`, the
//! documentation and the ATT&CK table are made from it. Each has two stories, one in which it fires
//! and a benign twin in which it must not: `scenarios/detections/<id>/{fires,benign}.trail`
//! (`every_detection_has_a_story_and_a_benign_twin`). Techniques: attack.mitre.org.
//!
//! A detection asks a [`Scene`] and pushes drafts; ids, the allow-list and order are made here. It must
//! not depend on the order of events, on numbers of the ledger, or on the clock.

mod activity;
pub mod attack;
mod calls;
mod history;
mod incident;
mod minted;
mod network;
mod odd;
mod scene;
mod settings;
mod visit;
mod workloads;

mod api_from_console;
mod assume_root;
mod bulk_data_read;
mod cognito_unauthenticated;
mod console_from_api;
mod credential_fan_out;
mod deny_policy_stripped;
mod federation_token_persistence;
mod high_impact_at_once;
mod identity_provider_backdoor;
mod log_gap;
mod logging_tampered;
mod mfa_device_by_token;
mod mfa_guessing;
mod mfa_not_in_ancestry;
mod mfa_removed;
mod oauth_grant_elsewhere;
mod recon_at_session_start;
mod role_chaining;
mod role_juggling;
mod roles_anywhere_backdoor;
mod session_token_persistence;
mod spare_credential;
mod token_from_several_networks;
mod token_outlives_key;
mod trust_policy_backdoor;
mod twin_tokens;
mod unlogged_account_credential;
mod use_after_revocation;
mod web_identity_elsewhere;
mod workload_credential_elsewhere;

pub use history::{Baseline, Novelty};
pub use incident::{Incident, Step, incidents};
pub use network::{Network, Networks, Whereabouts};
pub use scene::Scene;
pub use settings::{Allowed, Block, Settings};

use crate::finding::{Draft, Finding, Severity};
use crate::ledger::Ledger;
use crate::lineage::{Lineage, Mixing};
use crate::text::Untrusted;
use std::collections::HashMap;

/// A map by numbers of the ledger.
type Numbered<K, V> = HashMap<K, V, Mixing>;

/// Every detection, by id.
pub const REGISTRY: &[&Detection] = &[
    &api_from_console::DETECTION,
    &assume_root::DETECTION,
    &bulk_data_read::DETECTION,
    &cognito_unauthenticated::DETECTION,
    &console_from_api::DETECTION,
    &credential_fan_out::DETECTION,
    &deny_policy_stripped::DETECTION,
    &federation_token_persistence::DETECTION,
    &high_impact_at_once::DETECTION,
    &identity_provider_backdoor::DETECTION,
    &log_gap::DETECTION,
    &logging_tampered::DETECTION,
    &mfa_device_by_token::DETECTION,
    &mfa_guessing::DETECTION,
    &mfa_not_in_ancestry::DETECTION,
    &mfa_removed::DETECTION,
    &oauth_grant_elsewhere::DETECTION,
    &recon_at_session_start::DETECTION,
    &role_chaining::DETECTION,
    &role_juggling::DETECTION,
    &roles_anywhere_backdoor::DETECTION,
    &session_token_persistence::DETECTION,
    &spare_credential::DETECTION,
    &token_from_several_networks::DETECTION,
    &token_outlives_key::DETECTION,
    &trust_policy_backdoor::DETECTION,
    &twin_tokens::DETECTION,
    &unlogged_account_credential::DETECTION,
    &use_after_revocation::DETECTION,
    &web_identity_elsewhere::DETECTION,
    &workload_credential_elsewhere::DETECTION,
];

/// One detection: its words and its code.
#[derive(Debug)]
pub struct Detection {
    /// A stable name.
    pub id: &'static str,
    /// What it finds, in a few words.
    pub title: &'static str,
    /// The usual severity.
    pub severity: Severity,
    /// ATT&CK techniques.
    pub techniques: &'static [&'static str],
    /// What it finds, exactly.
    pub finds: &'static str,
    /// Why that matters.
    pub matters: &'static str,
    /// How it is evaded.
    pub evaded: &'static str,
    /// What else looks like it, and is let through or lowered.
    pub false_positives: &'static [&'static str],
    /// Pages that tell more.
    pub references: &'static [&'static str],
    /// Finds it.
    pub run: fn(&Scene<'_, '_>, &mut Vec<Draft>),
}

impl Detection {
    /// The detection with this id.
    pub fn find(id: &str) -> Option<&'static Self> {
        REGISTRY.iter().copied().find(|d| d.id == id)
    }
}

/// Runs every detection. Findings come by time, then id; each id once.
pub fn run(scene: &Scene<'_, '_>) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut drafts = Vec::new();
    for detection in REGISTRY {
        (detection.run)(scene, &mut drafts);
        found.extend(
            drafts
                .drain(..)
                .map(|draft| finish(scene, detection, draft)),
        );
    }
    // Two drafts of one id are one finding told twice; which is kept must not depend on order.
    found.sort_by(|a, b| (&a.id, a.first, &a.what).cmp(&(&b.id, b.first, &b.what)));
    found.dedup_by(|again, kept| again.id == kept.id);
    found.sort_by(|a, b| (a.first, &a.id).cmp(&(b.first, &b.id)));
    found
}

/// The records that a finding keeps: enough to check it by hand.
const EVIDENCE: usize = 24;

fn finish(scene: &Scene<'_, '_>, detection: &Detection, mut draft: Draft) -> Finding {
    let times = || draft.evidence.iter().map(|(time, _)| *time);
    let (first, last) = (
        times().min().unwrap_or_default(),
        times().max().unwrap_or_default(),
    );
    draft.evidence.append(&mut draft.background);
    draft.evidence.sort_unstable();
    draft.evidence.dedup_by_key(|(_, id)| *id);
    shorten(&mut draft.evidence);
    draft.also.retain(|&node| node != draft.subject);
    draft.also.sort_unstable();
    draft.also.dedup();
    Finding {
        id: format!(
            "f-{:016x}",
            stable_hash(&[detection.id, &scene.names(draft.subject), &draft.distinct])
        ),
        detection: detection.id,
        severity: draft.severity.unwrap_or(detection.severity),
        confidence: draft.confidence,
        subject: draft.subject,
        also: draft.also,
        what: Untrusted::new(draft.what),
        first,
        last,
        evidence: draft.evidence,
        foreign: draft.foreign,
        not_visible: draft.not_visible,
        allowed_by: scene.allowed(detection.id, draft.subject, last),
    }
}

/// Keeps the first and the last records of a long list.
fn shorten<T: Copy>(records: &mut Vec<T>) {
    if records.len() > EVIDENCE {
        let tail = records.split_off(records.len() - EVIDENCE / 2);
        records.truncate(EVIDENCE - EVIDENCE / 2);
        records.extend(tail);
    }
}

/// FNV-1a with a separator after each text: the same everywhere and for ever
/// (datatracker.ietf.org/doc/html/draft-eastlake-fnv).
pub(crate) fn stable_hash(texts: &[&str]) -> u64 {
    let bytes = texts.iter().flat_map(|text| text.bytes().chain([0xff]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Builds a scene and runs every detection with default settings: for tests and simple callers.
pub fn with_defaults<'l>(lineage: &Lineage<'l>, ledger: &'l Ledger) -> Vec<Finding> {
    let settings = Settings::default();
    let networks = Networks::new(ledger, &settings, &|_| None);
    run(&Scene::new(lineage, &settings, &networks, None))
}
