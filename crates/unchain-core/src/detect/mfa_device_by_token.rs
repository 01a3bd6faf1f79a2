//! An MFA device registered by somebody who should not have to.

use super::minted::came_later;
use super::odd::{Likeness, Odd, graded, in_console, likeness, line};
use super::visit::{told, visits};
use super::{Detection, Scene};
use crate::deed::{Attribute, Deed};
use crate::finding::{Confidence, Draft, Severity};
use crate::ledger::{Fact, Seconds, Symbol, Use};
use crate::lineage::NodeKind;
use crate::time::{DAY, HOUR};
use std::collections::BTreeMap;

/// An MFA device registered for persistence.
pub(super) const DETECTION: Detection = Detection {
    id: "mfa-device-by-token",
    title: "MFA device registered by a token or for somebody else",
    severity: Severity::High,
    techniques: &["T1556.006", "T1098.005"],
    finds: "A virtual MFA device is enabled by a temporary credential outside the console, or by a key on another \
        user, or by a key about which something else is odd; it weighs more once the device is presented to mint \
        tokens or to sign in. Medium if it was tried in vain with a token that had just come to another network \
        and other software.",
    matters: "A device of the intruder's own opens everything that asks for MFA and survives a change of password \
        and keys.",
    evaded: "Registering it in a console session that began with the user's own password, where nothing else is \
        odd.",
    false_positives: &[
        "People who register their own device in the console, or with their own key where nothing is odd: not \
         counted.",
        "Tools that create a device and leave enabling it to the user: not counted.",
        "An administrator who enrols somebody else with a key: low, as long as the device is then presented from \
         another network than the administrator's.",
    ],
    references: &[
        "https://docs.aws.amazon.com/IAM/latest/APIReference/API_EnableMFADevice.html",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_enable_virtual.html",
        "https://redcanary.com/blog/threat-detection/aws-sts/",
    ],
    run,
};

/// A device that is presented this long after it was enabled was enabled for that.
const SOON: Seconds = 7 * DAY;

/// The calls that presented a device, by its serial number.
type Presented<'l> = BTreeMap<Symbol, Vec<&'l Fact>>;

/// Calls that register a device.
const REGISTER: [&str; 2] = ["CreateVirtualMFADevice", "EnableMFADevice"];

fn run(scene: &Scene<'_, '_>, found: &mut Vec<Draft>) {
    in_vain(scene, found);
    let enabled: Vec<&Fact> = scene.deeds(Deed::EnableMfaDevice).collect();
    if enabled.is_empty() {
        return;
    }
    let presented = presented(scene);
    found.extend(
        enabled
            .into_iter()
            .filter_map(|fact| judge(scene, fact, &presented)),
    );
}

/// Tokens with which somebody tried in vain to register a device, from where the token had only just come to,
/// with other software than it was used with before.
fn in_vain(scene: &Scene<'_, '_>, found: &mut Vec<Draft>) {
    let calls = scene.ledger.calls().iter();
    let registers: Vec<bool> = calls
        .map(|call| REGISTER.contains(&scene.ledger.text(call.name)))
        .collect();
    if !registers.contains(&true) {
        return;
    }
    let failed = |usage: &&Use| {
        registers.get(scene.ledger.act(&usage.key).call as usize) == Some(&true)
            && !scene.worked(usage)
    };
    let mut tried: BTreeMap<u32, Vec<&Use>> = BTreeMap::new();
    for usage in scene.ledger.uses().iter().filter(failed) {
        if let Some(node) = scene.lineage.node_of_caller(usage.key.caller) {
            tried.entry(node).or_default().push(usage);
        }
    }
    found.extend(
        tried
            .iter()
            .filter_map(|(&node, uses)| moved(scene, node, uses)),
    );
}

fn moved(scene: &Scene<'_, '_>, node: u32, uses: &[&Use]) -> Option<Draft> {
    let first = uses.iter().min_by_key(|u| (u.first, u.first_id))?;
    let (here, time) = (scene.network(first), first.first.seconds());
    let own = scene.node(node)?.kind.is_credential() && maker(scene, node) == Maker::Token;
    if !own || came_later(scene, node, (here, time)) >= DAY {
        return None;
    }
    let agent = scene.machine(first.key.client);
    let mut before = visits(scene, node)
        .into_iter()
        .filter(|v| v.network != here);
    if before.any(|visit| !visit.agent.differs(agent)) {
        return None;
    }
    let what = format!(
        "{} tried to register an MFA device from {}, in vain: {}; it had been in use elsewhere with other software",
        scene.label(node),
        scene.ledger.text(scene.address(first.key.client)),
        told(scene, uses.iter().copied()),
    );
    let draft = Draft::new(node, what)
        .distinct("in vain")
        .severity(Severity::Medium)
        .confidence(Confidence::Medium)
        .from(scene.address(first.key.client))
        .seen_in(uses.iter().flat_map(|usage| scene.records(usage)));
    Some(draft)
}

fn presented<'l>(scene: &Scene<'_, 'l>) -> Presented<'l> {
    let mut all = Presented::new();
    let deeds = [Deed::GetSessionToken, Deed::AssumeRole, Deed::ConsoleLogin];
    for fact in deeds.into_iter().flat_map(|deed| scene.deeds(deed)) {
        let serial = scene.ledger.attribute(fact, Attribute::Serial);
        if !serial.is_empty() {
            all.entry(serial).or_default().push(fact);
        }
    }
    all
}

/// Who enabled the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Maker {
    /// A temporary credential that is not the console's.
    Token,
    /// A long-term key, or a session of `aws login`.
    Key,
    /// A page of the console.
    Console,
}

fn maker(scene: &Scene<'_, '_>, actor: u32) -> Maker {
    if in_console(scene, actor) {
        Maker::Console
    } else if scene.is(actor, NodeKind::LongTermKey) || signed_in(scene, actor) {
        Maker::Key
    } else {
        Maker::Token
    }
}

/// Whether a credential came from `aws login`: a person at a keyboard, as in the console.
fn signed_in(scene: &Scene<'_, '_>, actor: u32) -> bool {
    let of = |node: &u32| scene.is(*node, NodeKind::OAuthSession);
    line(scene, actor).iter().any(of)
}

fn judge(scene: &Scene<'_, '_>, fact: &Fact, presented: &Presented<'_>) -> Option<Draft> {
    let actor = scene.actor(fact)?;
    let maker = maker(scene, actor);
    let user = scene.text(fact, Attribute::User);
    let own_name = scene
        .ledger
        .text(scene.ledger.caller(fact.key.caller).user_name);
    let another = !user.is_empty() && user != own_name;
    let after = afterwards(scene, fact, presented);
    let by_maker = after.iter().any(|p| near(scene, fact, p));
    let mut odd = Odd::of(scene, fact);
    if another && by_maker && maker != Maker::Console {
        odd.also("whoever enabled it then presented it, on behalf of another user");
    }
    if odd.count() > 0 && had_another(scene, (fact, user), presented) {
        odd.also("the user had been presenting another device");
    }
    let severity = match (maker, odd.count()) {
        (Maker::Token, 0) if after.is_empty() => Severity::Medium,
        (Maker::Token, 0) if another && !by_maker => Severity::Medium,
        (Maker::Token, _) => Severity::High,
        (Maker::Key, n) if another => graded(Severity::Low, n),
        (Maker::Key | Maker::Console, 0) => return None,
        (Maker::Key | Maker::Console, n) => graded(Severity::Low, n),
    };
    let whose = match another {
        true => format!("user {user}"),
        false => "its own user".to_owned(),
    };
    let serial = scene.text(fact, Attribute::Serial);
    let then = after
        .first()
        .map(|first| format!(", first presented with {}", scene.name(first)));
    let then = then.unwrap_or_default();
    let what = format!(
        "{} enabled the MFA device {serial} for {whose}{then}",
        scene.label(actor)
    );
    let sure = odd.count() > 0;
    let draft = Draft::new(actor, odd.told(&what))
        .distinct(serial)
        .severity(severity)
        .confidence(if sure {
            Confidence::High
        } else {
            Confidence::Medium
        })
        .also(after.iter().filter_map(|p| scene.actor(p)))
        .seen_in(created(scene, fact).map(|made| (made.time, made.id)))
        .seen(fact.time, fact.id)
        .seen_in(after.iter().take(4).map(|p| (p.time, p.id)));
    Some(odd.shown(draft))
}

/// The calls that presented the device after it was enabled.
fn afterwards<'l>(scene: &Scene<'_, 'l>, fact: &Fact, presented: &Presented<'l>) -> Vec<&'l Fact> {
    let serial = scene.ledger.attribute(fact, Attribute::Serial);
    let all = presented.get(&serial).into_iter().flatten().copied();
    let soon = |p: &&Fact| p.time >= fact.time && p.time - fact.time <= SOON;
    all.filter(soon).collect()
}

/// The calls that created the device.
fn created<'l>(scene: &Scene<'_, 'l>, fact: &Fact) -> impl Iterator<Item = &'l Fact> {
    let serial = scene.ledger.attribute(fact, Attribute::Serial);
    let time = fact.time;
    let made = scene.deeds(Deed::CreateVirtualMfaDevice);
    made.filter(move |made| {
        made.time <= time && scene.ledger.attribute(made, Attribute::Serial) == serial
    })
}

/// Whether a device was presented by the lineage that enabled it, or from its address: an office shares
/// an address, so with a call the user agent must be the same as well.
fn near(scene: &Scene<'_, '_>, enabled: &Fact, presented: &Fact) -> bool {
    let lines =
        [enabled, presented].map(|f| scene.actor(f).map(|a| line(scene, a)).unwrap_or_default());
    let [maker, user] = lines;
    let alike = match likeness(scene, enabled.key.client, presented.key.client) {
        Likeness::Machine => true,
        Likeness::Address => presented.deed == Deed::ConsoleLogin,
        Likeness::No => false,
    };
    alike || maker.iter().any(|node| user.contains(node))
}

/// Whether the user presented another device within a month before that was not taken away.
fn had_another(
    scene: &Scene<'_, '_>,
    (fact, user): (&Fact, &str),
    presented: &Presented<'_>,
) -> bool {
    let serial = scene.ledger.attribute(fact, Attribute::Serial);
    let others = presented.iter().filter(|(other, _)| **other != serial);
    others
        .flat_map(|(other, facts)| facts.iter().map(move |f| (*other, *f)))
        .any(|(other, f)| {
            let name = scene
                .ledger
                .text(scene.ledger.caller(f.key.caller).user_name);
            let gone = scene.deeds(Deed::DeactivateMfaDevice).any(|d| {
                d.time <= fact.time + HOUR && scene.ledger.attribute(d, Attribute::Serial) == other
            });
            !name.is_empty()
                && name == user
                && f.time < fact.time
                && fact.time - f.time <= 30 * DAY
                && !gone
        })
}
