//! The facts in the order in which a lineage is built, and what each of them issued.

use crate::deed::{Attribute, Deed};
use crate::ledger::{Fact, Ledger, Seconds, Symbol};

/// The facts in the order of a settled ledger, which does not depend on their arrival.
#[derive(Debug, Default)]
pub(super) struct Order(Vec<(u32, Deed)>);

impl Order {
    pub(super) fn new(ledger: &Ledger) -> Self {
        let facts = (0u32..).zip(ledger.facts());
        Self(facts.map(|(number, fact)| (number, fact.deed)).collect())
    }

    /// The facts' numbers, each with what it did: most questions are about few deeds, and the facts
    /// themselves lie far apart.
    pub(super) fn rows(&self) -> &[(u32, Deed)] {
        &self.0
    }
}

/// What a fact issued.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Issue {
    /// The key that the response names; empty if it issued none.
    pub(super) key: Symbol,
    pub(super) unique_id: Symbol,
    pub(super) session: Symbol,
    pub(super) time: Seconds,
}

/// What all facts did, read in the order in which they lie.
#[derive(Debug, Default)]
pub(super) struct Issues {
    /// What each fact issued.
    pub(super) rows: Vec<Issue>,
    /// For each caller, whether it assumed a role.
    pub(super) assumed: Vec<bool>,
}

impl Issues {
    pub(super) fn new(ledger: &Ledger) -> Self {
        let mut assumed = vec![false; ledger.callers().len()];
        let rows = ledger.facts().iter().map(|fact| {
            if fact.deed == Deed::AssumeRole
                && let Some(assumed) = assumed.get_mut(fact.key.caller as usize)
            {
                *assumed = true;
            }
            issue(ledger, fact)
        });
        let rows = rows.collect();
        Self { rows, assumed }
    }
}

fn issue(ledger: &Ledger, fact: &Fact) -> Issue {
    if !fact.deed.issues() && fact.deed != Deed::CreateAccessKey {
        return Issue::default();
    }
    let key = ledger.attribute(fact, Attribute::ChildKey);
    let own = || fact.deed == Deed::GetSigninToken && key == ledger.caller(fact.key.caller).key;
    if key.is_empty() || own() {
        return Issue::default();
    }
    let (unique_id, session) = ledger.child_principal(fact);
    Issue {
        key,
        unique_id,
        session,
        time: fact.time,
    }
}
