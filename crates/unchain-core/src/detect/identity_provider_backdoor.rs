//! An identity provider added or changed, and who then came in through it.

use super::odd::{Likeness, Odd, graded, in_console, likeness};
use super::{Detection, Scene};
use crate::deed::{Attribute, Deed};
use crate::finding::{Confidence, Draft, Severity};
use crate::ledger::{Fact, IdentityType};
use crate::time::HOUR;
use std::collections::BTreeMap;

/// A federation backdoor.
pub(super) const DETECTION: Detection = Detection {
    id: "identity-provider-backdoor",
    title: "Identity provider added or changed",
    severity: Severity::Low,
    techniques: &["T1484.002", "T1606.002"],
    finds: "A SAML or OpenID Connect provider that the settings do not list is created, or its metadata, thumbprint or \
        client ids are changed. It weighs more when something about the maker is odd, and when a session through \
        the provider comes from the maker's own address within an hour. One finding for each provider and root.",
    matters: "Whoever owns the provider can sign in as anybody that a role trusts it for, without a key or password \
        here.",
    evaded: "Taking over a provider that is trusted already, outside AWS.",
    false_positives: &[
        "A provider for a new cluster or pipeline, or a renewed certificate: low; list the provider in the settings.",
        "Providers that Identity Center makes by itself: not counted.",
        "An administrator who tries a new provider from the console: stays low.",
    ],
    references: &[
        "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateSAMLProvider.html",
        "https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateSAMLProvider.html",
        "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html",
    ],
    run,
};

/// Identity Center makes a provider in each account that it gives access to.
const IDENTITY_CENTER: &str = "sso.amazonaws.com";

fn run(scene: &Scene<'_, '_>, found: &mut Vec<Draft>) {
    let mut groups: BTreeMap<(String, &str), Vec<&Fact>> = BTreeMap::new();
    for fact in scene.deeds(Deed::IdentityProvider) {
        let provider = scene.text(fact, Attribute::Provider);
        let caller = scene.ledger.caller(fact.key.caller);
        let by_service = caller.kind == IdentityType::AwsService
            || scene.ledger.text(caller.invoked_by) == IDENTITY_CENTER;
        let known = scene.settings.knows_provider(provider) || by_service;
        let Some(actor) = scene.actor(fact).filter(|_| !known) else {
            continue;
        };
        let root = scene.names(scene.root(actor));
        groups.entry((root, provider)).or_default().push(fact);
    }
    found.extend(
        groups
            .into_iter()
            .filter_map(|((_, provider), facts)| judge(scene, provider, &facts)),
    );
}

fn judge(scene: &Scene<'_, '_>, provider: &str, facts: &[&Fact]) -> Option<Draft> {
    let first = facts.first()?;
    let actor = scene.actor(first)?;
    let mut odd = Odd::of(scene, first);
    let sessions = sessions(scene, provider, first);
    let console = in_console(scene, actor);
    let near = sessions.iter().any(|s| {
        s.time - first.time <= HOUR
            && likeness(scene, first.key.client, s.key.client) != Likeness::No
    });
    if near && !console {
        odd.also("a session through it came from the maker's own address within an hour");
    }
    let mut does: Vec<&str> = facts.iter().map(|f| does(scene.name(f))).collect();
    does.dedup();
    let after = match sessions.len() {
        0 => String::new(),
        1 => ", through which 1 session followed".to_owned(),
        n => format!(", through which {n} sessions followed"),
    };
    let what = format!(
        "{} {} the identity provider {provider}{after}",
        scene.label(actor),
        does.join(" and ")
    );
    let draft = Draft::new(actor, odd.told(&what))
        .distinct(provider)
        .severity(graded(Severity::Low, odd.count()))
        .confidence(if odd.count() > 0 {
            Confidence::Medium
        } else {
            Confidence::Low
        })
        .also(sessions.iter().filter_map(|s| scene.actor(s)))
        .seen_in(facts.iter().map(|f| (f.time, f.id)))
        .seen_in(sessions.iter().take(4).map(|s| (s.time, s.id)))
        .not_visible("Whether the provider is yours: list it in the settings if it is.");
    Some(odd.shown(draft))
}

fn does(name: &str) -> &'static str {
    match name {
        "UpdateSAMLProvider" => "changed the metadata of",
        "AddClientIDToOpenIDConnectProvider" => "added a client id to",
        "UpdateOpenIDConnectProviderThumbprint" => "changed the thumbprint of",
        _ => "created",
    }
}

/// The sessions that a provider vouched for from then on.
fn sessions<'l>(scene: &Scene<'_, 'l>, provider: &str, since: &Fact) -> Vec<&'l Fact> {
    let deeds = [Deed::AssumeRoleWithSaml, Deed::AssumeRoleWithWebIdentity];
    let all = deeds.into_iter().flat_map(|deed| scene.deeds(deed));
    let mut found: Vec<&Fact> = all
        .filter(|f| f.time >= since.time && scene.text(f, Attribute::Provider) == provider)
        .collect();
    found.sort_by_key(|f| (f.time, f.hash));
    found
}
