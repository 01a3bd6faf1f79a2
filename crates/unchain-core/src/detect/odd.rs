//! What is odd about whoever made a change.
//!
//! A new user, key, device or trust is ordinary work most of the time. What tells an intruder's from
//! an administrator's is who made it: a session that outlives what it came from, a key that acts from
//! elsewhere with other tools, one that looked around or was refused just before. Asked only about
//! changes that are worth a look; must not know what was changed.

use super::Scene;
use crate::deed::{Attribute, Deed};
use crate::finding::{Draft, Severity};
use crate::ledger::{EventKey, Fact, Seconds, Symbol, Use};
use crate::lineage::{Edge, NodeKind};
use crate::liveness::Status;
use crate::time::{DAY, HOUR};
use std::collections::BTreeSet;

/// Who acts again from the same address this soon, as somebody else, is most likely one person.
pub(super) const AT_ONCE: Seconds = 600;

/// Different calls that list what an account has, or that were refused, within an hour before: one or
/// two are part of any work.
const SEVERAL: usize = 3;

/// Calls that give a principal a credential or make it.
const MAKES: &[Deed] = &[
    Deed::CreateUser,
    Deed::CreateAccessKey,
    Deed::CreateLoginProfile,
    Deed::UpdateLoginProfile,
];

/// Calls that list all of something; tools that deploy read the one thing that they manage.
const LISTINGS: &[&str] = &[
    "ListUsers",
    "ListRoles",
    "ListGroups",
    "ListPolicies",
    "ListBuckets",
    "ListAllMyBuckets",
    "ListAccounts",
    "ListSecrets",
    "ListDetectors",
    "LookupEvents",
    "DescribeTrails",
    "GetAccountSummary",
    "GetAccountAuthorizationDetails",
    "GenerateCredentialReport",
];

/// Those of them that belong to the work on users and roles itself.
const IAM_LISTINGS: &[&str] = &["ListUsers", "ListRoles", "ListGroups", "ListPolicies"];

/// What is odd about the maker of one change.
#[derive(Clone, Debug, Default)]
pub(super) struct Odd {
    reasons: Vec<String>,
    foreign: Option<Symbol>,
    records: Vec<(Seconds, EventKey)>,
}

impl Odd {
    /// About the one who did a deed, at its time.
    pub(super) fn of(scene: &Scene<'_, '_>, fact: &Fact) -> Self {
        let mut odd = Self::default();
        let Some(actor) = scene.actor(fact) else {
            return odd;
        };
        let nodes = line(scene, actor);
        odd.outlives(scene, fact, &nodes);
        odd.role_was_cut(scene, fact, actor);
        odd.moved(scene, fact, &own_line(scene, actor));
        odd.just_before(scene, fact, (actor, &nodes));
        odd
    }

    /// How many things are odd.
    pub(super) fn count(&self) -> usize {
        self.reasons.len()
    }

    /// Another thing that is odd.
    pub(super) fn also(&mut self, reason: impl Into<String>) {
        self.reasons.push(reason.into());
    }

    /// The sentence with what is odd behind it.
    pub(super) fn told(&self, what: &str) -> String {
        match self.reasons.is_empty() {
            true => what.to_owned(),
            false => format!("{what}; {}", self.reasons.join("; ")),
        }
    }

    /// The draft with the records that show what is odd, and the address.
    pub(super) fn shown(self, draft: Draft) -> Draft {
        let draft = draft.beside(self.records);
        match self.foreign {
            Some(address) => draft.from(address),
            None => draft,
        }
    }

    /// Something it came from was ended before, by somebody else: a key that its own successor switches off
    /// was rotated.
    fn outlives(&mut self, scene: &Scene<'_, '_>, fact: &Fact, nodes: &[u32]) {
        let by_itself = |by: &Fact| scene.actor(by).is_some_and(|actor| nodes.contains(&actor));
        let ended = nodes.iter().find_map(|&node| {
            let life = scene.life(node, fact.time);
            let (why, by) = life.reason.filter(|_| life.status == Status::Revoked)?;
            let by = scene.ledger.facts().get(by as usize)?;
            (by.time < fact.time && !by_itself(by)).then_some((node, why, by))
        });
        let Some((node, why, by)) = ended else {
            return;
        };
        self.also(format!(
            "it came from {}, which had been ended before ({why})",
            scene.label(node)
        ));
        self.records.push((by.time, by.id));
    }

    /// The sessions of its role were revoked within a day before, and it is one that came later.
    fn role_was_cut(&mut self, scene: &Scene<'_, '_>, fact: &Fact, actor: u32) {
        let principal = scene.lineage.principal(actor);
        let Some(Owner::Role(role)) = Owner::of(principal.raw()) else {
            return;
        };
        let cut = scene.deeds(Deed::PutPolicy).find(|put| {
            scene.ledger.number(put, Attribute::DenyBefore).is_some()
                && put.time < fact.time
                && fact.time - put.time <= DAY
                && scene.text(put, Attribute::Role) == role
        });
        if let Some(put) = cut {
            self.also("the older sessions of its role had been revoked on the same day");
            self.records.push((put.time, put.id));
        }
    }

    /// It acts from another network and with another kind of client than its lineage did at first. One
    /// of the two alone is a person who travels, or a second tool.
    fn moved(&mut self, scene: &Scene<'_, '_>, fact: &Fact, nodes: &[u32]) {
        let here = scene.networks.of_client(fact.key.client);
        if !here.is_some() || scene.networks.is_known(here) {
            return;
        }
        let first = |at_home: bool| {
            let uses = nodes.iter().flat_map(|&node| scene.uses(node));
            uses.filter(|usage| {
                let network = scene.network(usage);
                network.is_some() && (network != here) == at_home
            })
            .min_by_key(|usage| (usage.first, usage.first_id))
        };
        let (Some(home), began) = (first(true), first(false)) else {
            return;
        };
        if began.is_some_and(|began| began.first <= home.first) {
            return;
        }
        let home_address = scene.ledger.text(scene.address(home.key.client));
        let address = scene.ledger.text(scene.address(fact.key.client));
        let kind = |client| client_kind(scene.agent(client));
        let other_kind = kind(home.key.client) != kind(fact.key.client);
        // A client with two stacks has an address of each kind.
        let same_stack = home_address.contains(':') == address.contains(':');
        if other_kind && same_stack {
            self.also(format!(
                "its lineage began at {home_address} and with another kind of client, this came from {address}"
            ));
            self.foreign = Some(scene.address(fact.key.client));
            self.records.push((home.first.seconds(), home.first_id));
        }
    }

    /// Within an hour before, its lineage listed what the account has, or was refused different calls.
    fn just_before(&mut self, scene: &Scene<'_, '_>, fact: &Fact, (actor, nodes): (u32, &[u32])) {
        // Pages of the console list everything.
        if scene.is_indirect(actor) {
            return;
        }
        let (mut listed, mut refused) = (BTreeSet::new(), BTreeSet::new());
        let mut records = Vec::new();
        for usage in nodes.iter().flat_map(|&node| scene.uses(node)) {
            let Some(record) = before(scene, usage, fact.time) else {
                continue;
            };
            let name = scene.call_name(&usage.key);
            let outcome = scene.outcome(usage);
            let new = if outcome.contains("Denied") || outcome.contains("Unauthorized") {
                refused.insert(name)
            } else {
                LISTINGS.contains(&name) && listed.insert(name)
            };
            records.extend(Some(record).filter(|_| new));
        }
        // Whoever makes a user looks at users, groups and policies first.
        let beyond_iam = listed.iter().any(|name| !IAM_LISTINGS.contains(name));
        let looked_around = listed.len() >= SEVERAL && beyond_iam;
        if looked_around {
            self.also(format!(
                "it had listed the account just before ({})",
                joined(&listed)
            ));
        }
        if refused.len() >= SEVERAL {
            self.also(format!(
                "other calls had been denied just before ({})",
                joined(&refused)
            ));
        }
        if looked_around || refused.len() >= SEVERAL {
            records.sort_unstable();
            records.truncate(6);
            self.records.extend(records);
        }
    }
}

/// The first or last record of a use, if it is in the hour before.
fn before(scene: &Scene<'_, '_>, usage: &Use, time: Seconds) -> Option<(Seconds, EventKey)> {
    let mut records = scene.records(usage).into_iter();
    records.find(|(at, _)| *at <= time && time - *at <= HOUR)
}

fn joined(names: &BTreeSet<&str>) -> String {
    names.iter().copied().collect::<Vec<_>>().join(", ")
}

/// A credential and those that it came from.
pub(super) fn line(scene: &Scene<'_, '_>, node: u32) -> Vec<u32> {
    let above = scene.ancestors(node).into_iter().map(|edge| edge.parent);
    let all = std::iter::once(node).chain(above);
    all.filter(|&n| scene.node(n).is_some_and(|n| n.kind.is_credential()))
        .collect()
}

/// A credential and those that it came from, up to the key or sign-in that somebody else may have made for
/// its user: a new colleague works from another place than the administrator.
fn own_line(scene: &Scene<'_, '_>, node: u32) -> Vec<u32> {
    let made = |edge: &&Edge| scene.facts_of(edge).any(|fact| MAKES.contains(&fact.deed));
    let above = scene.ancestors(node).into_iter();
    let own = above.take_while(|edge| !made(edge)).map(|edge| edge.parent);
    let all = std::iter::once(node).chain(own);
    all.filter(|&n| scene.node(n).is_some_and(|n| n.kind.is_credential()))
        .collect()
}

/// The program and the operating system that a user agent names: coarse, because versions change.
fn client_kind(agent: &str) -> (&str, &'static str) {
    const SYSTEMS: &[(&str, &str)] = &[
        ("macos", "macos"),
        ("Darwin", "macos"),
        ("Mac OS", "macos"),
        ("indows", "windows"),
        ("linux", "linux"),
        ("Linux", "linux"),
    ];
    let system = SYSTEMS.iter().find(|(word, _)| agent.contains(word));
    let program = agent.split(['/', ' ']).next().unwrap_or_default();
    (program, system.map_or("", |(_, name)| *name))
}

/// How two calls compare by where they came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Likeness {
    /// Other addresses, or none that says anything.
    No,
    /// One address: one machine, or one office behind it.
    Address,
    /// One address and one user agent: most likely one machine.
    Machine,
}

/// Compares two clients.
pub(super) fn likeness(scene: &Scene<'_, '_>, a: u32, b: u32) -> Likeness {
    let known = scene.networks.of_client(a).is_some();
    match known && scene.address(a) == scene.address(b) {
        false => Likeness::No,
        true if scene.agent(a) == scene.agent(b) => Likeness::Machine,
        true => Likeness::Address,
    }
}

/// Whether a node acts through pages of the console.
pub(super) fn in_console(scene: &Scene<'_, '_>, node: u32) -> bool {
    scene.is_indirect(node) || scene.is(node, NodeKind::ConsoleSession)
}

/// `base`, one higher for each odd thing, at most high.
pub(super) fn graded(base: Severity, odd: usize) -> Severity {
    (0..odd.min(4))
        .fold(base, |s, _| s.raised())
        .min(Severity::High.max(base))
}

/// Whose permissions a principal acts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Owner<'a> {
    /// A user, by name.
    User(&'a str),
    /// A role, by name.
    Role(&'a str),
}

impl<'a> Owner<'a> {
    /// The user or role of an ARN, without its path.
    pub(super) fn of(arn: &'a str) -> Option<Self> {
        let resource = arn.splitn(6, ':').nth(5)?;
        let (kind, rest) = resource.split_once('/')?;
        match kind {
            "user" => Some(Self::User(rest.rsplit('/').next()?)),
            "role" => Some(Self::Role(rest.rsplit('/').next()?)),
            "assumed-role" => Some(Self::Role(rest.split('/').next()?)),
            _ => None,
        }
    }

    /// The user or role that a deed names.
    pub(super) fn named(scene: &Scene<'_, 'a>, fact: &Fact) -> Option<Self> {
        let user = scene.text(fact, Attribute::User);
        let role = scene.text(fact, Attribute::Role);
        match (user.is_empty(), role.is_empty()) {
            (false, _) => Some(Self::User(user)),
            (_, false) => Some(Self::Role(role.rsplit('/').next()?)),
            _ => None,
        }
    }

    /// In words.
    pub(super) fn words(self) -> String {
        match self {
            Self::User(name) => format!("user {name}"),
            Self::Role(name) => format!("role {name}"),
        }
    }
}
