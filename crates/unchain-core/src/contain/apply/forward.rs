//! Carrying a plan out, step by step, and keeping its denies in place meanwhile.

use super::look::same;
use super::run::{Change, Run, Write};
use super::stop::{End, Outcome, Stop};
use super::thing::{Kind, Thing, wanted};
use super::{Actuator, Approved, Happened, Receipt, Work};
use crate::contain::plan::{Action, Call, Phase, Step, Undo};
use serde::Serialize;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::error::Error;

/// Seconds between two looks at the denies while they are left alone. Others measured that an attacker has 3 to 4
/// seconds until a policy takes effect, in which it can be removed.
const PAUSE: i64 = 5;
/// How much longer than planned a wait may become because somebody keeps removing denies.
const PATIENCE: i64 = 4;

/// Carries a plan out from where its journal ends, up to its look for successful calls, and past it once the journal
/// has that no credential works. `past` is the journal; `write` adds to it, and a change is made only after that.
///
/// Each step looks first: where its change is there already nothing is called, and where something is there that the
/// plan did not know nothing is changed, but for what has the name of the plan's own policies: the plan's takes its
/// place, and undoing brings it back. Denies of the plan that somebody removed or weakened are put again.
///
/// # Errors
///
/// Why it stopped. Called again with the journal it goes on from there.
pub fn apply<E: Error + 'static>(
    approved: &Approved<'_>,
    past: &[Receipt],
    write: Write<'_, E>,
    actuator: &mut dyn Actuator,
) -> Result<Outcome, Stop<E>> {
    let mut run = Run::new((approved, Work::Apply), past, write, actuator);
    run.begin()?;
    let plan = run.plan;
    for (place, step) in (1u32..).zip(&plan.steps) {
        match &step.action {
            Action::Call(call) if !run.is_done(step.number) => run.change(step, call)?,
            Action::Wait(seconds) => run.wait(step.number, *seconds)?,
            Action::Verify { .. } if !run.is_verified() => {
                run.guard()?;
                let steps = u32::try_from(plan.steps.len()).unwrap_or(u32::MAX);
                let remaining = steps.saturating_sub(place);
                return Ok(Outcome::of(
                    End::AwaitingVerification { remaining },
                    &run.log,
                ));
            }
            Action::Call(_) | Action::Verify { .. } => {}
        }
    }
    Ok(Outcome::of(End::Complete, &run.log))
}

/// What would become of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Prospect {
    /// It is done, as the journal says.
    Done,
    /// It would change something.
    Change,
    /// Its change is there already.
    Already,
    /// Its target is gone.
    Gone,
    /// Something else is there than the plan knew: it would stop.
    Surprise,
    /// It rests on the answer to a step that is not done yet.
    Later,
}

/// Looks at what each call of a plan would find now, and changes nothing. A step is judged by what is there, not by what
/// the steps before it would have left: of two that put the same policy both would change something.
///
/// # Errors
///
/// A look was refused, as it would be when the plan is carried out.
pub fn preview(
    approved: &Approved<'_>,
    past: &[Receipt],
    actuator: &mut dyn Actuator,
) -> Result<Vec<(u32, Prospect)>, Stop<Infallible>> {
    let mut write = |_: &Receipt| Ok(());
    let mut run = Run::new((approved, Work::Apply), past, &mut write, actuator);
    let mut prospects = Vec::new();
    for step in &run.plan.steps {
        if let Action::Call(call) = &step.action {
            prospects.push((step.number, run.prospect(step, call)?));
        }
    }
    Ok(prospects)
}

impl<E: Error + 'static> Run<'_, E> {
    fn prospect(&mut self, step: &Step, call: &Call) -> Result<Prospect, Stop<E>> {
        if self.is_done(step.number) {
            return Ok(Prospect::Done);
        }
        let Some((call, thing)) = self.resolved(call) else {
            return Ok(Prospect::Later);
        };
        let found = self.look(step.number, &thing)?;
        let expected = self.expected(step, &thing);
        Ok(match expected {
            _ if same(thing.kind, &found, &wanted(&call)) => Prospect::Already,
            _ if found.is_null() && is_only_changed(thing.kind) => Prospect::Gone,
            Some(expected) if !same(thing.kind, &found, &expected) => Prospect::Surprise,
            _ => Prospect::Change,
        })
    }

    /// Whether the plan may be begun or gone on with.
    fn begin(&mut self) -> Result<(), Stop<E>> {
        if self.log.iter().any(|receipt| receipt.work == Work::Undo) {
            return Err(Stop::Undone);
        }
        let begun = self
            .plan
            .steps
            .iter()
            .any(|step| self.is_begun(step.number));
        if begun {
            return self.guard().map(|_| ());
        }
        let calls = self
            .plan
            .steps
            .iter()
            .any(|step| matches!(step.action, Action::Call(_)));
        let valid_until = self.plan.valid_until;
        if calls && self.actuator.now() > valid_until {
            return Err(Stop::Late { valid_until });
        }
        Ok(())
    }

    fn is_verified(&self) -> bool {
        self.log
            .iter()
            .any(|receipt| receipt.what == Happened::Verified)
    }

    fn change(&mut self, step: &Step, call: &Call) -> Result<(), Stop<E>> {
        let number = step.number;
        let (call, thing) = self
            .resolved(call)
            .ok_or(Stop::Unresolved { step: number })?;
        let wanted = wanted(&call);
        let found = self.look(number, &thing)?;
        let expected = self.expected(step, &thing);
        let call = fitting(call, &thing, &found);
        let change = Change {
            step: number,
            thing: &thing,
            call: &call,
            wanted: &wanted,
            found,
        };
        if same(thing.kind, &change.found, &wanted) {
            return self.already(&change);
        }
        if change.found.is_null() && is_only_changed(thing.kind) {
            return self.gone(number);
        }
        match expected.filter(|expected| !same(thing.kind, &change.found, expected)) {
            Some(expected) => self.surprise(number, expected, change.found),
            None => self.carry_out(&change),
        }
    }

    pub(super) fn surprise(
        &mut self,
        step: u32,
        expected: Value,
        found: Value,
    ) -> Result<(), Stop<E>> {
        let what = Happened::Surprise {
            expected: expected.clone(),
            found: found.clone(),
        };
        self.note(step, what)?;
        Err(Stop::Surprise {
            step,
            expected: Box::new(expected),
            found: Box::new(found),
        })
    }

    /// What the plan has reason to expect in the place of a step's thing. None where anything may be there: what is
    /// deleted or made inactive is so whatever it was. A deny takes the place of whatever has its name: who sees the
    /// first of a plan's denies knows the names of the others, and must not stop the plan by putting something there.
    /// Only in the organization, where no lineage that a plan contains can write, another policy of that name is not
    /// replaced.
    fn expected(&self, step: &Step, thing: &Thing) -> Option<Value> {
        if step.phase == Phase::Remove {
            return None;
        }
        let earlier = self.earlier(step, thing);
        if thing.kind == Kind::Scp {
            let known = earlier.is_some() || self.is_begun(step.number);
            return (!known).then_some(Value::Null);
        }
        if thing.kind != Kind::TrustPolicy {
            return None;
        }
        let back = match &step.undo {
            Undo::Calls(calls) => calls.first().map(wanted),
            Undo::Nothing | Undo::Never(_) => None,
        };
        earlier.or(back)
    }

    /// What the last step before this one that was begun on the same thing was to leave of it.
    fn earlier(&self, step: &Step, thing: &Thing) -> Option<Value> {
        let before = self
            .plan
            .steps
            .iter()
            .take_while(|s| s.number < step.number);
        let calls = before
            .filter(|before| self.is_begun(before.number) || self.is_done(before.number))
            .filter_map(|before| match &before.action {
                Action::Call(call) => self.resolved(call),
                Action::Wait(_) | Action::Verify { .. } => None,
            });
        let same = calls.filter(|(_, other)| other == thing);
        same.last().map(|(call, _)| wanted(&call))
    }

    /// Waits until the denies have been in place for so long without a break.
    fn wait(&mut self, step: u32, seconds: u32) -> Result<(), Stop<E>> {
        if self.applied(step).any(|what| *what == Happened::Waited) {
            return Ok(());
        }
        let seconds = i64::from(seconds);
        let mut quiet_since = self.actuator.now();
        let end = quiet_since.plus(seconds.saturating_mul(PATIENCE));
        loop {
            let now = self.actuator.now();
            let until = quiet_since.plus(seconds);
            if now >= until || now >= end {
                return self.note(step, Happened::Waited);
            }
            self.actuator.wait(until.min(now.plus(PAUSE)));
            while self.guard()? && self.actuator.now() < end {
                // Somebody is at work: without this pause the next look could see the moment before.
                let now = self.actuator.now();
                self.actuator.wait(now.plus(1));
                quiet_since = now;
            }
        }
    }

    /// Looks at every deny that was put, and puts again what is missing or weakened. Says whether anything was.
    fn guard(&mut self) -> Result<bool, Stop<E>> {
        let mut disturbed = false;
        for (step, call, thing) in self.denies() {
            let wanted = wanted(&call);
            let found = self.look(step, &thing)?;
            if same(thing.kind, &found, &wanted) {
                continue;
            }
            if thing.kind == Kind::Scp && !found.is_null() {
                return self.surprise(step, wanted, found).map(|()| true);
            }
            // Its policy may have been made anew, with another id.
            let (call, thing) = self.again(step).unwrap_or((call, thing));
            let call = fitting(call, &thing, &found);
            self.carry_out(&Change {
                step,
                thing: &thing,
                call: &call,
                wanted: &wanted,
                found,
            })?;
            disturbed = true;
        }
        Ok(disturbed)
    }

    fn again(&self, step: u32) -> Option<(Call, Thing)> {
        let step = self.plan.steps.iter().find(|s| s.number == step)?;
        match &step.action {
            Action::Call(call) => self.resolved(call),
            Action::Wait(_) | Action::Verify { .. } => None,
        }
    }

    /// The denies that are to be in place: of each the last step that was done, and none of those that a step began to
    /// take away.
    fn denies(&self) -> Vec<(u32, Call, Thing)> {
        let mut denies: Vec<(u32, Call, Thing)> = Vec::new();
        for step in &self.plan.steps {
            let Some((call, thing)) = self.again(step.number) else {
                continue;
            };
            if !thing.kind.holds_denies()
                || !(self.is_begun(step.number) || self.is_done(step.number))
            {
                continue;
            }
            let place = denies.iter().position(|(_, _, other)| *other == thing);
            // What a step began to change is that step's, whether it came to it or not.
            let left = step.phase == Phase::Remove || self.is_gone(step.number);
            if left || !self.is_done(step.number) {
                denies.retain(|(_, _, other)| *other != thing);
                continue;
            }
            match place.and_then(|place| denies.get_mut(place)) {
                Some(deny) => *deny = (step.number, call, thing),
                None => denies.push((step.number, call, thing)),
            }
        }
        denies
    }
}

/// Things of which a plan changes only a part: where they are not there, nothing is left to do.
fn is_only_changed(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::AccessKey | Kind::ServiceCredential | Kind::TrustPolicy | Kind::TrustAnchor
    )
}

/// The call that brings a document to where the thing is: a managed policy is made if it is not there, and has a new
/// version if it is.
fn fitting(call: Call, thing: &Thing, found: &Value) -> Call {
    let fits = found.is_null() == (call.action == "CreatePolicy");
    let document = call.parameters.get("PolicyDocument").cloned();
    if thing.kind != Kind::ManagedPolicy || document.is_none() || fits {
        return call;
    }
    let arn = thing.name("PolicyArn");
    let (action, name, value) = if found.is_null() {
        let name = arn.rsplit_once(":policy/").map_or("", |(_, name)| name);
        ("CreatePolicy", "PolicyName", json!(name))
    } else {
        ("CreatePolicyVersion", "SetAsDefault", json!(true))
    };
    let names: &[&str] = if found.is_null() { &[] } else { &["PolicyArn"] };
    let mut fitting = thing.call(action, names);
    fitting.parameters.insert(name.to_owned(), value);
    fitting
        .parameters
        .insert("PolicyDocument".to_owned(), document.unwrap_or_default());
    fitting
}
