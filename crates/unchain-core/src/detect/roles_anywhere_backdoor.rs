//! A certificate authority from outside that may hand out sessions.

use super::odd::{Likeness, Odd, graded, in_console, likeness};
use super::{Detection, Scene};
use crate::deed::{Attribute, Deed};
use crate::finding::{Confidence, Draft, Severity};
use crate::ledger::Fact;
use crate::time::DAY;
use std::collections::BTreeMap;

/// A Roles Anywhere backdoor.
pub(super) const DETECTION: Detection = Detection {
    id: "roles-anywhere-backdoor",
    title: "Roles Anywhere trusts an outside authority",
    severity: Severity::Medium,
    techniques: &["T1098.003", "T1606", "T1078.004"],
    finds: "A Roles Anywhere trust anchor is created or changed: medium when it trusts a bundle of certificates and \
        not AWS Private CA. It weighs more when something about the maker is odd, and is surer when a session \
        through it comes from the maker's own address. One finding for each root, with the profiles it made.",
    matters: "Whoever holds the authority's private key can sign certificates and get sessions of every role that \
        the profiles list, for years, without a key of this account.",
    evaded: "Stealing a certificate of an authority that is trusted already.",
    false_positives: &[
        "Setting up Roles Anywhere with one's own authority, which happens once: put who does it on the allow-list.",
        "Anchors of AWS Private CA, and anchors made in the console: low.",
    ],
    references: &[
        "https://docs.aws.amazon.com/rolesanywhere/latest/APIReference/API_CreateTrustAnchor.html",
        "https://docs.aws.amazon.com/rolesanywhere/latest/APIReference/API_CreateProfile.html",
    ],
    run,
};

fn run(scene: &Scene<'_, '_>, found: &mut Vec<Draft>) {
    let mut groups: BTreeMap<u32, Vec<&Fact>> = BTreeMap::new();
    for fact in scene.deeds(Deed::TrustAnchor) {
        if let Some(actor) = scene.actor(fact) {
            groups.entry(scene.root(actor)).or_default().push(fact);
        }
    }
    found.extend(
        groups
            .into_values()
            .filter_map(|facts| judge(scene, &facts)),
    );
}

fn anchors(scene: &Scene<'_, '_>, fact: &Fact) -> bool {
    scene.name(fact).ends_with("TrustAnchor")
}

fn judge(scene: &Scene<'_, '_>, facts: &[&Fact]) -> Option<Draft> {
    let first = facts.iter().find(|f| anchors(scene, f)).or(facts.first())?;
    let actor = scene.actor(first)?;
    let odd = Odd::of(scene, first);
    let console = in_console(scene, actor);
    let bundle = facts
        .iter()
        .any(|f| scene.text(f, Attribute::Status) == "CERTIFICATE_BUNDLE");
    let sessions = sessions(scene, facts);
    let near = sessions.iter().any(|s| {
        s.time - first.time <= DAY
            && likeness(scene, first.key.client, s.key.client) != Likeness::No
    });
    let base = if bundle && !console {
        Severity::Medium
    } else {
        Severity::Low
    };
    let after = match sessions.len() {
        0 => String::new(),
        1 => ", through which 1 session followed".to_owned(),
        n => format!(", through which {n} sessions followed"),
    };
    let same = if near {
        " from the maker's own address"
    } else {
        ""
    };
    let what = format!(
        "{} {}{after}{same}",
        scene.label(actor),
        list(scene, facts, bundle)
    );
    let draft = Draft::new(actor, odd.told(&what))
        .severity(graded(base, odd.count()))
        .confidence(if odd.count() > 0 || near {
            Confidence::High
        } else {
            Confidence::Medium
        })
        .also(sessions.iter().filter_map(|s| scene.actor(s)))
        .seen_in(facts.iter().map(|f| (f.time, f.id)))
        .seen_in(sessions.iter().take(4).map(|s| (s.time, s.id)));
    Some(odd.shown(draft))
}

/// What was made, by name.
fn list(scene: &Scene<'_, '_>, facts: &[&Fact], bundle: bool) -> String {
    let names = |anchor: bool| -> Vec<&str> {
        let of = facts.iter().filter(|f| anchors(scene, f) == anchor);
        let mut names: Vec<&str> = of.map(|f| name(scene, f)).collect();
        names.sort_unstable();
        names.dedup();
        names
    };
    let from = if bundle {
        " from a bundle of certificates"
    } else {
        ""
    };
    let made = [
        ("trust anchor", names(true), from),
        ("profile", names(false), ""),
    ];
    let made = made.into_iter().filter(|(_, names, _)| !names.is_empty());
    let parts: Vec<String> = made
        .map(|(what, names, from)| format!("{what} {}{from}", names.join(", ")))
        .collect();
    format!("made or changed the Roles Anywhere {}", parts.join(" and "))
}

fn name<'l>(scene: &Scene<'_, 'l>, fact: &Fact) -> &'l str {
    match scene.text(fact, Attribute::Resource) {
        "" => scene.text(fact, Attribute::Provider),
        name => name,
    }
}

/// The sessions that an anchor gave after it was made.
fn sessions<'l>(scene: &Scene<'_, 'l>, facts: &[&Fact]) -> Vec<&'l Fact> {
    let begun = |session: &Fact| {
        let anchor = scene.text(session, Attribute::Provider);
        let mut made = facts
            .iter()
            .filter(|f| anchors(scene, f) && f.time <= session.time);
        made.any(|f| scene.text(f, Attribute::Provider) == anchor)
    };
    let mut found: Vec<&Fact> = scene
        .deeds(Deed::RolesAnywhereCreateSession)
        .filter(|s| begun(s))
        .collect();
    found.sort_by_key(|f| (f.time, f.hash));
    found
}
