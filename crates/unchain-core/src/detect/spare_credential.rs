//! Users, keys and passwords made to come back with.

use super::odd::{AT_ONCE, Likeness, Odd, graded, in_console, likeness};
use super::{Detection, Scene};
use crate::deed::{Attribute, Deed};
use crate::finding::{Confidence, Draft, Severity};
use crate::ledger::{Fact, Symbol};
use crate::lineage::NodeKind;
use crate::time::{DAY, HOUR};
use std::collections::{BTreeMap, BTreeSet};

/// A spare credential.
pub(super) const DETECTION: Detection = Detection {
    id: "spare-credential",
    title: "Spare credential for another principal",
    severity: Severity::Medium,
    techniques: &["T1098.001", "T1136.003", "T1078.004"],
    finds: "A credential makes an access key, a password or a service-specific credential for another user, and \
        something about that is odd: what it came from had been ended, it acts from elsewhere, it looked around \
        just before, it makes keys for several users within an hour, or it then uses the new credential \
        itself. One finding for each root.",
    matters: "A key or password has no end of its own: it is still there when every session has been revoked.",
    evaded: "Making it days before its use, for one user, from a session about which nothing is odd.",
    false_positives: &[
        "An administrator who makes a user, a key or a password for a colleague or a program: let through in the \
         console, low with a long-term key, let through with a deployment role.",
        "Keys of the maker's own user, as in a rotation: only counted where something is odd.",
        "Tools that make keys for several users on more than one day: several are then no sign.",
    ],
    references: &[
        "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html",
        "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateLoginProfile.html",
        "https://redcanary.com/blog/threat-detection/aws-sts/",
    ],
    run,
};

/// Keys for this many other users within an hour are more than one errand.
const SEVERAL_USERS: usize = 2;

/// What one root made.
#[derive(Default)]
struct Made<'l> {
    facts: Vec<&'l Fact>,
}

fn run(scene: &Scene<'_, '_>, found: &mut Vec<Draft>) {
    let mut by_root: BTreeMap<u32, Made<'_>> = BTreeMap::new();
    let deeds = [
        Deed::CreateAccessKey,
        Deed::CreateLoginProfile,
        Deed::UpdateLoginProfile,
        Deed::CreateServiceSpecificCredential,
    ];
    for fact in deeds.into_iter().flat_map(|deed| scene.deeds(deed)) {
        if let Some(actor) = scene.actor(fact) {
            by_root
                .entry(scene.root(actor))
                .or_default()
                .facts
                .push(fact);
        }
    }
    if by_root.is_empty() {
        return;
    }
    let signed_in: Vec<&Fact> = scene.deeds(Deed::ConsoleLogin).collect();
    for mut made in by_root.into_values() {
        made.facts.sort_by_key(|fact| (fact.time, fact.hash));
        found.extend(judge(scene, &made.facts, &signed_in));
    }
}

/// The user that something was made for.
fn user<'l>(scene: &Scene<'_, 'l>, fact: &Fact) -> &'l str {
    scene.text(fact, Attribute::User)
}

fn for_another(scene: &Scene<'_, '_>, fact: &Fact) -> bool {
    let own = scene
        .ledger
        .text(scene.ledger.caller(fact.key.caller).user_name);
    !user(scene, fact).is_empty() && user(scene, fact) != own
}

fn judge<'l>(scene: &Scene<'_, 'l>, facts: &[&'l Fact], logins: &[&'l Fact]) -> Option<Draft> {
    let (first, mut odd) = oddest(scene, facts)?;
    let actor = scene.actor(first)?;
    let console = in_console(scene, actor);
    let mut used = Vec::new();
    if !console {
        if let Some(users) = several(scene, facts) {
            odd.also(format!(
                "it made access keys for {users} other users within an hour"
            ));
        }
        used = used_by_maker(scene, facts, logins);
        if !used.is_empty() && is_office(scene, first) {
            used.clear();
        }
        if !used.is_empty() {
            odd.also("a new credential was then used from the maker's own address");
        }
    }
    let severity = match odd.count() {
        0 if scene.is(actor, NodeKind::LongTermKey) => Severity::Low,
        0 => return None,
        n => graded(Severity::Low, n),
    };
    let draft = Draft::new(
        actor,
        odd.told(&format!(
            "{} made {}",
            scene.label(actor),
            list(scene, facts)
        )),
    )
    .severity(severity)
    .confidence(if odd.count() > 1 {
        Confidence::High
    } else {
        Confidence::Medium
    })
    .also(made_nodes(scene, facts))
    .seen_in(facts.iter().map(|f| (f.time, f.id)))
    .seen_in(used.iter().map(|f| (f.time, f.id)));
    Some(odd.shown(draft))
}

/// The deed whose maker is the oddest: one stolen session of many is enough. Where nothing is odd, only
/// what was made for others counts.
fn oddest<'l>(scene: &Scene<'_, 'l>, facts: &[&'l Fact]) -> Option<(&'l Fact, Odd)> {
    let mut judged: BTreeMap<u32, Odd> = BTreeMap::new();
    for fact in facts {
        let actor = scene.actor(fact)?;
        judged.entry(actor).or_insert_with(|| Odd::of(scene, fact));
    }
    let most = judged.values().map(Odd::count).max()?;
    let counts = |fact: &&&'l Fact| {
        let odd = scene.actor(fact).and_then(|actor| judged.get(&actor));
        odd.is_some_and(|odd| odd.count() == most) && (most > 0 || for_another(scene, fact))
    };
    let first = *facts.iter().find(counts)?;
    Some((first, judged.remove(&scene.actor(first)?)?))
}

/// `an access key for user x, a password for user y`, at most five.
fn list(scene: &Scene<'_, '_>, facts: &[&Fact]) -> String {
    const MOST: usize = 5;
    let mut said: Vec<String> = Vec::new();
    for fact in facts {
        let what = match fact.deed {
            Deed::CreateAccessKey => "an access key",
            Deed::CreateLoginProfile => "a password",
            Deed::UpdateLoginProfile => "another password",
            _ => "a service-specific credential",
        };
        let text = match user(scene, fact) {
            "" => format!("{what} for its own user"),
            name => format!("{what} for user {name}"),
        };
        if !said.contains(&text) {
            said.push(text);
        }
    }
    let more = said.len().saturating_sub(MOST);
    said.truncate(MOST);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!("{}{more}", said.join(", "))
}

/// How many other users were given keys within some hour, if several were and that is no routine.
fn several(scene: &Scene<'_, '_>, facts: &[&Fact]) -> Option<usize> {
    let keys: Vec<&&Fact> = facts
        .iter()
        .filter(|f| f.deed == Deed::CreateAccessKey && for_another(scene, f))
        .collect();
    let days: BTreeSet<u32> = keys.iter().map(|f| f.time / DAY).collect();
    let span = keys.last()?.time - keys.first()?.time;
    if days.len() > 1 && span >= DAY {
        return None;
    }
    let within = |from: &Fact| -> usize {
        let hour = keys
            .iter()
            .filter(|f| f.time >= from.time && f.time - from.time <= HOUR);
        hour.map(|f| user(scene, f)).collect::<BTreeSet<_>>().len()
    };
    keys.iter()
        .map(|f| within(f))
        .max()
        .filter(|users| *users >= SEVERAL_USERS)
}

/// The first record of each new credential that its maker then used: a key from the same machine within
/// a day, a password from the same address at once and without MFA.
fn used_by_maker<'l>(scene: &Scene<'_, 'l>, facts: &[&'l Fact], logins: &[&'l Fact]) -> Vec<Shown> {
    let mut found = Vec::new();
    for fact in facts.iter().filter(|f| for_another(scene, f)) {
        let soon = |time: u32| time >= fact.time && time - fact.time <= DAY;
        let like = |client: u32| likeness(scene, fact.key.client, client);
        let keys = made_nodes(scene, &[fact]);
        let uses = keys.into_iter().flat_map(|node| scene.uses(node));
        let used = uses
            .filter(|u| soon(u.first.seconds()) && like(u.key.client) == Likeness::Machine)
            .map(|u| Shown {
                time: u.first.seconds(),
                id: u.first_id,
            });
        let name = user(scene, fact);
        let login = logins.iter().filter(|login| {
            let caller = scene.ledger.caller(login.key.caller);
            let password = matches!(
                fact.deed,
                Deed::CreateLoginProfile | Deed::UpdateLoginProfile
            );
            password
                && login.time >= fact.time
                && login.time - fact.time <= AT_ONCE
                && scene.ledger.text(caller.user_name) == name
                && scene.text(login, Attribute::MfaUsed) == "No"
                && like(login.key.client) != Likeness::No
        });
        let login = login.map(|l| Shown {
            time: l.time,
            id: l.id,
        });
        found.extend(used.chain(login).min_by_key(|s| (s.time, s.id)));
    }
    found
}

/// Whether several others had been at work from the maker's address on an earlier day: then one address and
/// one client are an office and what it installs, not one machine.
fn is_office(scene: &Scene<'_, '_>, fact: &Fact) -> bool {
    const OTHERS: usize = 3;
    let here = scene.address(fact.key.client);
    let maker = scene.actor(fact).map(|actor| scene.root(actor));
    let earlier = scene.ledger.uses().iter().filter(|usage| {
        usage.first.seconds() < fact.time.saturating_sub(DAY)
            && scene.address(usage.key.client) == here
    });
    let roots = earlier
        .filter_map(|usage| Some(scene.root(scene.lineage.node_of_caller(usage.key.caller)?)));
    let principals = roots
        .filter(|root| Some(*root) != maker)
        .map(|root| scene.lineage.principal(root).raw().to_owned());
    principals.collect::<BTreeSet<_>>().len() >= OTHERS
}

/// A record to show.
struct Shown {
    time: u32,
    id: crate::ledger::EventKey,
}

/// The keys that deeds made, as nodes.
fn made_nodes(scene: &Scene<'_, '_>, facts: &[&Fact]) -> Vec<u32> {
    let mut nodes = Vec::new();
    for fact in facts {
        let key = scene.ledger.attribute(fact, Attribute::ChildKey);
        let Some(actor) = scene.actor(fact).filter(|_| key != Symbol::EMPTY) else {
            continue;
        };
        let children = scene.lineage.children(actor).map(|edge| edge.child);
        nodes.extend(children.filter(|&child| scene.node(child).is_some_and(|n| n.key == key)));
    }
    nodes
}
