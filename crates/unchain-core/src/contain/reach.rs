//! Which roles a principal can get to: by assuming one after the other, and by having a service work with one.
//!
//! Only principals and their policies are known here, not what runs in an account: code that already runs with a role,
//! and that a principal may change, is not seen.

mod asker;
mod doors;
mod power;

use super::facts::Facts;
use super::owner::Owner;
use crate::text::Untrusted;
use asker::Asker;
use doors::{Doors, Entered};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::rc::Rc;

/// A role that can be had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reached {
    /// The role's ARN.
    pub role: Untrusted,
    /// The roles to have before it, in order; empty if it can be had directly.
    pub through: Vec<Untrusted>,
    /// Services that must be made to work with a role on the way, such as `lambda.amazonaws.com`; empty if every step
    /// is `sts:AssumeRole`. A role that can be had without a service is told without one.
    pub services: BTreeSet<&'static str>,
    /// Condition keys that decide at some step, as far as they are not known.
    pub depends_on: BTreeSet<String>,
    /// Whether the role may give permissions: then what it can do has no other limit than its boundary and the
    /// organization.
    pub can_grant: bool,
}

/// Condition keys that decide; none where it is not allowed whatever they are.
type Keys = Option<Rc<BTreeSet<String>>>;

/// No more questions are put to the evaluator for one principal, and for all of them: bounds for accounts made to be
/// slow.
const QUESTIONS: usize = 100_000;
const ALL_QUESTIONS: usize = 2_000_000;

/// Every role of the accounts read that a user or role can get, the nearest way first: by assuming it, directly or by
/// way of others, and after these by passing it to a service. Whoever can be let in by a trust policy alone, such as an
/// identity provider's subjects, is another matter. The flag says whether all was looked at.
pub fn reach(facts: &Facts, from: &Owner) -> (Vec<Reached>, bool) {
    Reach::new(facts).of(from)
}

/// One step on a way.
struct Step {
    owner: Owner,
    /// The roles up to and with this one.
    way: Vec<Untrusted>,
    services: BTreeSet<&'static str>,
    depends_on: BTreeSet<String>,
}

/// Facts prepared for many questions.
pub(super) struct Reach<'f> {
    facts: &'f Facts,
    doors: Doors,
    askers: BTreeMap<Owner, Rc<Asker>>,
    /// What was asked, by the asker's number and the role's.
    asked: HashMap<(usize, usize), Keys>,
    left: usize,
}

impl<'f> Reach<'f> {
    pub(super) fn new(facts: &'f Facts) -> Self {
        Self {
            facts,
            doors: Doors::new(facts),
            askers: BTreeMap::new(),
            asked: HashMap::new(),
            left: ALL_QUESTIONS,
        }
    }

    /// See [`reach`].
    pub(super) fn of(&mut self, from: &Owner) -> (Vec<Reached>, bool) {
        let limit = self.left.saturating_sub(QUESTIONS);
        let mut found: Vec<Reached> = Vec::new();
        let mut entered = Entered::default();
        let mut next = VecDeque::from([Step {
            owner: from.clone(),
            way: Vec::new(),
            services: BTreeSet::new(),
            depends_on: BTreeSet::new(),
        }]);
        let mut waiting = VecDeque::new();
        loop {
            let (step, by_service) = if let Some(step) = next.pop_front() {
                (step, false)
            } else if let Some(step) = waiting.pop_front() {
                (step, true)
            } else {
                return (found, true);
            };
            if self.left <= limit {
                return (found, false);
            }
            let asker = self.asker(&step.owner);
            let open = if by_service {
                self.passed(&asker, &mut entered)
            } else {
                self.assumed(&asker, &mut entered)
            };
            for (place, service, keys) in open {
                entered.enter(place);
                if let Some(more) = self
                    .doors
                    .get(place)
                    .map(|door| step.to(door, service, &keys))
                {
                    found.push(self.reached(&more, &step));
                    next.push_back(more);
                }
            }
            if !by_service {
                waiting.push_back(step);
            }
        }
    }

    /// By which actions a principal may give permissions or take another's credentials, each with the condition keys
    /// that decide.
    pub(super) fn grants(&mut self, of: &Owner) -> BTreeMap<&'static str, BTreeSet<String>> {
        power::grants(&self.asker(of))
    }

    /// Policies of a principal that were not read.
    pub(super) fn missing(&mut self, of: &Owner) -> BTreeSet<Untrusted> {
        let asker = self.asker(of);
        let missing = asker.laid.missing.iter();
        missing.map(|name| Untrusted::new(name.as_str())).collect()
    }

    fn reached(&mut self, to: &Step, from: &Step) -> Reached {
        Reached {
            role: to.way.last().cloned().unwrap_or_default(),
            through: from.way.clone(),
            services: to.services.clone(),
            depends_on: to.depends_on.clone(),
            can_grant: power::gives_permissions(&self.asker(&to.owner)),
        }
    }

    fn asker(&mut self, owner: &Owner) -> Rc<Asker> {
        if let Some(asker) = self.askers.get(owner) {
            return Rc::clone(asker);
        }
        let asker = Rc::new(Asker::new(self.facts, owner, self.askers.len()));
        self.askers.insert(owner.clone(), Rc::clone(&asker));
        asker
    }

    /// The roles that a principal can assume, without those that were entered already.
    fn assumed(&mut self, asker: &Asker, entered: &mut Entered) -> Vec<Way> {
        let mut found = Vec::new();
        for place in self.doors.for_assuming(asker, entered) {
            let keys = match self.asked.get(&(asker.number, place)) {
                Some(keys) => keys.clone(),
                None => {
                    self.left = self.left.saturating_sub(1);
                    let keys = self.doors.get(place).and_then(|door| asker.assumes(door));
                    self.asked.insert((asker.number, place), keys.clone());
                    keys
                }
            };
            found.extend(keys.map(|keys| (place, None, keys)));
        }
        found
    }

    /// The roles that a principal can have a service work with.
    fn passed(&mut self, asker: &Asker, entered: &mut Entered) -> Vec<Way> {
        let mut found: BTreeMap<usize, Way> = BTreeMap::new();
        for (service, actions) in power::launching() {
            let places = self.doors.for_passing(asker, service, entered);
            let launching = Some(actions).filter(|_| !places.is_empty());
            let Some(launching) = launching.and_then(|actions| power::may_all(asker, actions))
            else {
                continue;
            };
            for place in places {
                self.left = self.left.saturating_sub(1);
                let door = self
                    .doors
                    .get(place)
                    .filter(|_| !found.contains_key(&place));
                let keys = door.and_then(|door| asker.passes(door, service));
                if let Some(keys) = keys {
                    let keys = Rc::new(keys.union(&launching).cloned().collect());
                    found.insert(place, (place, Some(service), keys));
                }
            }
        }
        found.into_values().collect()
    }
}

/// A role by its place, the service that must work with it, and the keys that decide.
type Way = (usize, Option<&'static str>, Rc<BTreeSet<String>>);

impl Step {
    fn to(
        &self,
        door: &doors::Door,
        service: Option<&'static str>,
        keys: &BTreeSet<String>,
    ) -> Self {
        let role = Untrusted::new(door.arn.as_str());
        Self {
            owner: door.owner.clone(),
            way: self.way.iter().cloned().chain([role]).collect(),
            services: self.services.iter().copied().chain(service).collect(),
            depends_on: self.depends_on.union(keys).cloned().collect(),
        }
    }
}
