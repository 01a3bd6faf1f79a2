//! Which plans rest on an earlier one, so that undoing that alone would open again what they closed.
//!
//! A plan does not freeze an account that is frozen, and finds what an earlier one closed to be closed. Policies of a
//! plan's own have its id in their names, so no other plan rests on them but for the freeze.

use super::thing::{Leaves, Thing, rule};
use super::{Happened, Receipt, Work};
use crate::contain::plan::{Action, Call, Plan, Step, Undo, frozen};

/// On what a plan rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reliance {
    /// The step of the earlier plan.
    pub step: u32,
    /// What it is to the later plan, in our words.
    pub why: &'static str,
}

/// The first step of an earlier plan that a later one rests on; none where `later` is not the later one.
pub fn relies_on(later: &Plan, earlier: &Plan) -> Option<Reliance> {
    let made = |plan: &Plan| (plan.made_at, plan.id.clone());
    if made(later) <= made(earlier) {
        return None;
    }
    earlier.steps.iter().find_map(|step| {
        let why = relies_on_step(later, step)?;
        let step = step.number;
        Some(Reliance { step, why })
    })
}

/// Whether a plan was carried out, as far as it came, and not undone, by its journal.
pub fn in_force(journal: &[Receipt]) -> bool {
    let begun = journal
        .iter()
        .any(|line| line.work == Work::Apply && matches!(line.what, Happened::Begun { .. }));
    begun && journal.iter().all(|line| line.work == Work::Apply)
}

fn calls(plan: &Plan) -> impl Iterator<Item = &Call> {
    plan.steps.iter().filter_map(|step| match &step.action {
        Action::Call(call) => Some(call),
        Action::Wait(_) | Action::Verify { .. } => None,
    })
}

fn relies_on_step(later: &Plan, step: &Step) -> Option<&'static str> {
    if let Some(account) = frozen(step) {
        let own = later.steps.iter().any(|step| frozen(step) == Some(account));
        let acts = calls(later).any(|call| call.account.raw() == account);
        let rests = later.settings.freeze && acts && !own;
        return rests.then_some("which freezes an account for both");
    }
    let Action::Call(call) = &step.action else {
        return None;
    };
    let comes_back = matches!(step.undo, Undo::Calls(_));
    let deletes = rule(call).is_some_and(|rule| rule.leaves == Leaves::Nothing);
    let thing = thing(call).filter(|_| comes_back && !deletes)?;
    let same = calls(later).any(|call| self::thing(call).as_ref() == Some(&thing));
    same.then_some("which changed what it changes too")
}

/// What a call changes, but for policies of a plan's own.
fn thing(call: &Call) -> Option<Thing> {
    Thing::of(call, "aws").filter(|thing| !thing.kind.holds_denies())
}
