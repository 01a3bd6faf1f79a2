//! An MFA device taken away or replaced.

use super::odd::{AT_ONCE, Likeness, Odd, graded, in_console, likeness};
use super::{Detection, Scene};
use crate::deed::{Attribute, Deed};
use crate::finding::{Confidence, Draft, Severity};
use crate::ledger::Fact;
use crate::lineage::NodeKind;
use crate::time::{DAY, HOUR};

/// An MFA device removed.
pub(super) const DETECTION: Detection = Detection {
    id: "mfa-removed",
    title: "MFA device removed or replaced",
    severity: Severity::Medium,
    techniques: &["T1556.006", "T1531"],
    finds: "A user's MFA device is deactivated by somebody else, or by a credential about which something is odd; it \
        weighs more when a token outside the console did it, when the same maker enables another device for that \
        user, or when a sign-in without MFA follows from the maker's address within minutes.",
    matters: "Without the device a password or key is enough; with the intruder's own device in its place the user is \
        locked out as well.",
    evaded: "Removing it in a console session that began with the user's own password, where nothing else is odd.",
    false_positives: &[
        "People who replace their own phone: not counted where nothing else is odd.",
        "An administrator who resets a lost device, after which the user signs in without MFA to enrol another: \
         low.",
        "A user who is removed: the device goes with the user, and is not counted.",
    ],
    references: &[
        "https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeactivateMFADevice.html",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_disable.html",
    ],
    run,
};

fn run(scene: &Scene<'_, '_>, found: &mut Vec<Draft>) {
    let deactivated = scene
        .deeds(Deed::DeactivateMfaDevice)
        .filter(|fact| scene.name(fact) == "DeactivateMFADevice");
    found.extend(deactivated.filter_map(|fact| judge(scene, fact)));
}

fn judge(scene: &Scene<'_, '_>, fact: &Fact) -> Option<Draft> {
    let actor = scene.actor(fact)?;
    let own = scene
        .ledger
        .text(scene.ledger.caller(fact.key.caller).user_name);
    let user = match scene.text(fact, Attribute::User) {
        "" => own,
        user => user,
    };
    if user_removed(scene, fact, user) {
        return None;
    }
    let another = user != own;
    let console = in_console(scene, actor);
    let mut odd = Odd::of(scene, fact);
    if another && !console && !scene.is(actor, NodeKind::LongTermKey) {
        odd.also("a token outside the console did it");
    }
    let replaced = another.then(|| replaced(scene, fact, user)).flatten();
    if replaced.is_some() {
        odd.also("it enabled another device for that user");
    }
    let signed_in = (another && !console)
        .then(|| signed_in(scene, fact, user))
        .flatten();
    if signed_in.is_some() {
        odd.also("the user was signed in without MFA from the same address within minutes");
    }
    if !another && odd.count() == 0 {
        return None;
    }
    let serial = scene.text(fact, Attribute::Serial);
    let what = format!(
        "{} deactivated the MFA device {serial} of user {user}",
        scene.label(actor)
    );
    let others = [replaced, signed_in].into_iter().flatten();
    let draft = Draft::new(actor, odd.told(&what))
        .distinct(format!("{user} {serial}"))
        .severity(graded(Severity::Low, odd.count()))
        .confidence(if odd.count() > 0 {
            Confidence::Medium
        } else {
            Confidence::Low
        })
        .seen(fact.time, fact.id)
        .seen_in(others.map(|f| (f.time, f.id)));
    Some(odd.shown(draft))
}

/// Who leaves loses the device, then the user is deleted.
fn user_removed(scene: &Scene<'_, '_>, fact: &Fact, user: &str) -> bool {
    scene.deeds(Deed::DeleteUser).any(|gone| {
        scene.text(gone, Attribute::User) == user
            && gone.time >= fact.time
            && gone.time - fact.time <= HOUR
    })
}

/// Another device that the same maker enabled for the user within a day.
fn replaced<'l>(scene: &Scene<'_, 'l>, fact: &Fact, user: &str) -> Option<&'l Fact> {
    let root = scene.root(scene.actor(fact)?);
    scene.deeds(Deed::EnableMfaDevice).find(|new| {
        new.time >= fact.time
            && new.time - fact.time <= DAY
            && scene.text(new, Attribute::User) == user
            && scene.actor(new).is_some_and(|a| scene.root(a) == root)
    })
}

/// A sign-in of the user without MFA, at once, from where the device was deactivated.
fn signed_in<'l>(scene: &Scene<'_, 'l>, fact: &Fact, user: &str) -> Option<&'l Fact> {
    scene.deeds(Deed::ConsoleLogin).find(|login| {
        login.time >= fact.time
            && login.time - fact.time <= AT_ONCE
            && scene.text(login, Attribute::MfaUsed) == "No"
            && scene
                .ledger
                .text(scene.ledger.caller(login.key.caller).user_name)
                == user
            && likeness(scene, fact.key.client, login.key.client) != Likeness::No
    })
}
