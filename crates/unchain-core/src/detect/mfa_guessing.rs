//! Many wrong codes for an MFA device within minutes.

use super::{Detection, Scene};
use crate::deed::{Attribute, Deed, UNNAMED_DEVICE};
use crate::finding::{Confidence, Draft, Severity};
use crate::ledger::{AttemptKey, EventKey, Fact, Seconds, Symbol, Use, UseKey};
use std::collections::{BTreeMap, BTreeSet};

/// MFA codes guessed.
pub(super) const DETECTION: Detection = Detection {
    id: "mfa-guessing",
    title: "MFA codes guessed",
    severity: Severity::Medium,
    techniques: &["T1110", "T1111", "T1621"],
    finds: "Five or more failed calls that gave an MFA device (GetSessionToken, AssumeRole, a console sign-in, \
        CheckMfa) by one principal within ten minutes; ten or more, or a success after them, weigh more.",
    matters: "A code has a million values and AWS does not lock a device out for long: whoever guesses has the first \
        factor already.",
    evaded: "Guessing slowly, or from so many principals that each stays below five.",
    false_positives: &[
        "A person who mistypes or whose phone is out of step fails a few times: below five in ten minutes.",
        "A role that cannot be assumed yet refuses a burst of calls that give no device: not counted.",
        "A script that repeats one code, which works once only: low, unless it repeats it ten times.",
    ],
    references: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html",
        "https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html",
    ],
    run,
};

/// Failures that are counted together.
const WINDOW: Seconds = 600;

/// A person tries a code twice or three times and then looks at the clock of the phone.
const FEW: usize = 5;

/// More than a person types in ten minutes, with a new code every thirty seconds.
const MANY: usize = 10;

/// The failures of one principal with one device.
#[derive(Default)]
struct Tries {
    node: Option<u32>,
    times: Vec<Seconds>,
    ends: Vec<(Seconds, EventKey)>,
}

fn run(scene: &Scene<'_, '_>, found: &mut Vec<Draft>) {
    let mut tries: BTreeMap<(String, &str), Tries> = BTreeMap::new();
    let without = |key: &AttemptKey| key.serial.is_empty() && key.deed != Deed::Change;
    let attempts = scene.ledger.attempts();
    let mixed: BTreeSet<UseKey> = attempts
        .filter(|(key, _)| without(key))
        .map(|(key, _)| key.key)
        .collect();
    for (key, attempt) in scene.ledger.attempts() {
        if !gives_device(scene, key) {
            continue;
        }
        let Some(node) = scene.lineage.node_of_caller(key.key.caller) else {
            continue;
        };
        let serial = scene.ledger.text(key.serial);
        let entry = tries.entry((scene.names(node), serial)).or_default();
        entry.node = Some(node);
        let ends = [attempt.first, attempt.last].map(|(mark, id)| (mark.seconds(), id));
        // Refusals that gave no device share a use: then only the ends are known to have given one.
        match counted(scene, key).filter(|_| !mixed.contains(&key.key)) {
            Some(usage) => entry
                .times
                .extend(scene.ledger.marks(usage).iter().map(|m| m.seconds())),
            None => entry.times.extend(ends.map(|(time, _)| time)),
        }
        entry.ends.extend(ends);
    }
    found.extend(
        tries
            .into_iter()
            .filter_map(|((_, serial), tries)| judge(scene, serial, tries)),
    );
}

fn gives_device(scene: &Scene<'_, '_>, key: &AttemptKey) -> bool {
    match key.deed {
        Deed::GetSessionToken | Deed::AssumeRole | Deed::ConsoleLogin => !key.serial.is_empty(),
        Deed::Change => scene.call_name(&key.key) == "CheckMfa",
        _ => false,
    }
}

/// The use that counts these failures.
fn counted<'l>(scene: &Scene<'_, 'l>, key: &AttemptKey) -> Option<&'l Use> {
    let uses = scene.ledger.uses();
    let at = uses
        .binary_search_by_key(&key.key, |usage| usage.key)
        .ok()?;
    uses.get(at)
}

/// The largest number of times within the window, and when that was.
fn densest(times: &[Seconds]) -> (usize, Seconds) {
    let mut from = 0;
    let mut best = (0, 0);
    for (to, &time) in times.iter().enumerate() {
        while times.get(from).is_some_and(|&begin| time - begin > WINDOW) {
            from += 1;
        }
        best = best.max((to + 1 - from, time));
    }
    best
}

fn judge(scene: &Scene<'_, '_>, serial: &str, mut tries: Tries) -> Option<Draft> {
    tries.times.sort_unstable();
    let (count, end) = densest(&tries.times);
    if count < FEW {
        return None;
    }
    let node = tries.node?;
    let success = success(scene, (node, serial), end);
    let severity = match (count >= MANY, success.is_some()) {
        (true, true) => Severity::High,
        (true, false) => Severity::Medium,
        (false, _) => Severity::Low,
    };
    let device = match serial {
        "" | UNNAMED_DEVICE => UNNAMED_DEVICE.to_owned(),
        serial => format!("the MFA device {serial}"),
    };
    let after = match success {
        Some(fact) => format!(", and succeeded {} seconds after the last", fact.time - end),
        None => String::new(),
    };
    let label = scene.label(node);
    let what = format!("{label} failed {count} times within ten minutes with {device}{after}");
    let draft = Draft::new(node, what)
        .distinct(serial)
        .severity(severity)
        .confidence(if count >= MANY {
            Confidence::Medium
        } else {
            Confidence::Low
        })
        .seen_in(tries.ends)
        .seen_in(success.map(|fact| (fact.time, fact.id)));
    Some(match success {
        Some(_) => draft,
        None => {
            draft.not_visible("Sign-ins and calls that the log does not hold may have succeeded.")
        }
    })
}

/// The first success of the same principal that presented the device, soon after the failures.
fn success<'l>(
    scene: &Scene<'_, 'l>,
    (node, serial): (u32, &str),
    end: Seconds,
) -> Option<&'l Fact> {
    let user = |node: u32| scene.node(node).map_or(Symbol::EMPTY, |n| n.unique_id);
    let who = scene.lineage.principal(node);
    let deeds = [Deed::GetSessionToken, Deed::AssumeRole, Deed::ConsoleLogin];
    let later = deeds
        .into_iter()
        .flat_map(|deed| scene.deeds(deed))
        .filter(|fact| fact.time >= end && fact.time - end <= WINDOW);
    let same = |fact: &&Fact| {
        let given = scene.text(fact, Attribute::Serial);
        let device = given == serial || serial.is_empty() || serial == UNNAMED_DEVICE;
        device
            && !given.is_empty()
            && scene.actor(fact).is_some_and(|a| {
                user(a) == user(node) || scene.lineage.principal(a).raw() == who.raw()
            })
    };
    later.filter(same).min_by_key(|fact| (fact.time, fact.hash))
}
