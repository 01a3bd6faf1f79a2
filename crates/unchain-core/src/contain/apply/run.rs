//! One run over a plan: the journal as far as it goes, looking, and making one change with what is written down of it.

use super::look::{Unseen, look, other_versions, same, version};
use super::stop::{Stop, gone, is_gone};
use super::thing::{Kind, Thing, rule};
use super::valid::reference;
use super::{Actuator, Approved, Happened, Receipt, Refusal, RefusalKind, Work};
use crate::contain::plan::{Action, Call, Plan};
use serde_json::{Value, json};
use std::error::Error;

/// Writes one line of the journal.
pub(super) type Write<'r, E> = &'r mut dyn FnMut(&Receipt) -> Result<(), E>;

/// Versions that a managed policy can have (docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html).
const VERSIONS: usize = 5;

pub(super) struct Run<'r, E: Error + 'static> {
    pub(super) plan: &'r Plan,
    pub(super) log: Vec<Receipt>,
    pub(super) actuator: &'r mut dyn Actuator,
    digest: &'r str,
    work: Work,
    write: Write<'r, E>,
}

/// One change.
pub(super) struct Change<'c> {
    pub(super) step: u32,
    pub(super) thing: &'c Thing,
    pub(super) call: &'c Call,
    /// What the thing is to be.
    pub(super) wanted: &'c Value,
    /// What it was found to be.
    pub(super) found: Value,
}

impl<'r, E: Error + 'static> Run<'r, E> {
    pub(super) fn new(
        (approved, work): (&'r Approved<'_>, Work),
        past: &[Receipt],
        write: Write<'r, E>,
        actuator: &'r mut dyn Actuator,
    ) -> Self {
        let digest = approved.digest();
        let mut log: Vec<Receipt> = past
            .iter()
            .filter(|receipt| receipt.plan == digest)
            .cloned()
            .collect();
        log.sort_by_key(|receipt| receipt.sequence);
        Self {
            plan: approved.plan(),
            log,
            actuator,
            digest,
            work,
            write,
        }
    }

    /// Writes a line of the journal.
    pub(super) fn note(&mut self, step: u32, what: Happened) -> Result<(), Stop<E>> {
        let last = self.log.last().map_or(0, |receipt| receipt.sequence);
        let receipt = Receipt {
            plan: self.digest.to_owned(),
            sequence: last.saturating_add(1),
            at: self.actuator.now(),
            work: self.work,
            step,
            what,
        };
        (self.write)(&receipt).map_err(Stop::Journal)?;
        self.log.push(receipt);
        Ok(())
    }

    /// What happened to a step when the plan was carried out.
    pub(super) fn applied(&self, step: u32) -> impl Iterator<Item = &Happened> {
        let of = move |receipt: &&Receipt| receipt.work == Work::Apply && receipt.step == step;
        self.log.iter().filter(of).map(|receipt| &receipt.what)
    }

    pub(super) fn is_begun(&self, step: u32) -> bool {
        self.applied(step)
            .any(|what| matches!(what, Happened::Begun { .. }))
    }

    /// The answer to a step that is done: the last, as a deny may have been put again.
    pub(super) fn answer(&self, step: u32) -> Option<&Value> {
        let answers = self.applied(step).filter_map(|what| match what {
            Happened::Done { answer, .. } => Some(answer),
            _ => None,
        });
        answers.last()
    }

    pub(super) fn is_done(&self, step: u32) -> bool {
        self.answer(step).is_some()
    }

    pub(super) fn is_gone(&self, step: u32) -> bool {
        self.answer(step).is_some_and(is_gone)
    }

    /// A call with its references replaced by what the journal has, and the thing that it changes.
    pub(super) fn resolved(&self, call: &Call) -> Option<(Call, Thing)> {
        let mut call = call.clone();
        for value in call.parameters.values_mut() {
            if let Some((step, path)) = value.as_str().and_then(reference) {
                *value = self.answer(step)?.pointer(&path)?.clone();
            }
        }
        let thing = Thing::of(&call, self.partition())?;
        Some((call, thing))
    }

    /// The partition of the plan's accounts: an organization, and with it a plan, is in one.
    fn partition(&self) -> &'r str {
        let arns = self.plan.steps.iter().map(|step| step.target.raw());
        let mut partitions = arns.filter_map(|arn| arn.strip_prefix("arn:")?.split(':').next());
        partitions.next().unwrap_or("aws")
    }

    pub(super) fn look(&mut self, step: u32, thing: &Thing) -> Result<Value, Stop<E>> {
        look(thing, &mut |call| self.actuator.call(call)).map_err(|unseen| stop(step, unseen))
    }

    pub(super) fn other_versions(
        &mut self,
        step: u32,
        thing: &Thing,
    ) -> Result<Vec<String>, Stop<E>> {
        other_versions(thing, &mut |call| self.actuator.call(call))
            .map_err(|unseen| stop(step, unseen))
    }

    /// A version of a managed policy, in the form in which a look finds the one in force.
    pub(super) fn version(
        &mut self,
        step: u32,
        thing: &Thing,
        id: &Value,
    ) -> Result<Value, Stop<E>> {
        version(thing, id, &mut |call| self.actuator.call(call))
            .map_err(|unseen| stop(step, unseen))
    }

    /// Writes down that there is nothing to do.
    pub(super) fn already(&mut self, change: &Change<'_>) -> Result<(), Stop<E>> {
        let done = Happened::Done {
            answer: answer_of_state(change.call, change.thing, &change.found),
            request_id: None,
            already: true,
        };
        self.note(change.step, done)
    }

    pub(super) fn gone(&mut self, step: u32) -> Result<(), Stop<E>> {
        let done = Happened::Done {
            answer: gone(),
            request_id: None,
            already: true,
        };
        self.note(step, done)
    }

    /// Makes a change. INVARIANT: what was found is written down before the call is made.
    pub(super) fn carry_out(&mut self, change: &Change<'_>) -> Result<(), Stop<E>> {
        let mut before = change.found.clone();
        let first = self.in_the_way(change)?;
        if let Some(state) = before.as_object_mut().filter(|_| !first.is_empty()) {
            let dropped = first.iter().map(|(_, state)| state.clone());
            state.insert("dropped".to_owned(), dropped.collect());
        }
        self.note(change.step, Happened::Begun { before })?;
        let calls: Vec<Call> = first.into_iter().map(|(call, _)| call).collect();
        self.send_first(change.step, &calls)?;
        self.send(change)
    }

    /// The calls that delete the versions of a managed policy that keep it from being deleted or from having another,
    /// each with what it deletes. All go, not the oldest alone: who filled the policy would fill that place again before
    /// it is used. The version that undoing brings back stays.
    fn in_the_way(&mut self, change: &Change<'_>) -> Result<Vec<(Call, Value)>, Stop<E>> {
        let deletes = change.wanted.is_null();
        if change.thing.kind != Kind::ManagedPolicy || change.found.is_null() {
            return Ok(Vec::new());
        }
        let mut ids = self.other_versions(change.step, change.thing)?;
        if !deletes {
            let full = ids.len() + 1 >= VERSIONS;
            let kept = self.found_first(change.thing);
            ids.retain(|id| full && kept.as_ref() != Some(&json!(id)));
        }
        let mut first = Vec::new();
        for id in ids {
            let id = json!(id);
            let state = self.version(change.step, change.thing, &id)?;
            first.push((change.thing.of_version("DeletePolicyVersion", id), state));
        }
        Ok(first)
    }

    /// The version of a managed policy that was in force before the plan, if it was there.
    fn found_first(&self, thing: &Thing) -> Option<Value> {
        let of = |call: &Call| {
            self.resolved(call)
                .is_some_and(|(_, other)| other == *thing)
        };
        let steps = self.plan.steps.iter().filter(|step| match &step.action {
            Action::Call(call) => of(call),
            Action::Wait(_) | Action::Verify { .. } => false,
        });
        let steps: Vec<u32> = steps.map(|step| step.number).collect();
        let (before, _) = self.before(thing.kind, &steps)?;
        before.get("version").cloned()
    }

    /// Makes the calls that come before the one that changes a thing. What they are to delete may be gone.
    pub(super) fn send_first(&mut self, step: u32, calls: &[Call]) -> Result<(), Stop<E>> {
        for call in calls {
            match self.actuator.call(call) {
                Err(refusal) if refusal.kind != RefusalKind::NotFound => {
                    self.note(step, Happened::Failed(refusal.clone()))?;
                    return Err(Stop::refused(step, call, refusal));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Makes the call of a change that was begun.
    pub(super) fn send(&mut self, change: &Change<'_>) -> Result<(), Stop<E>> {
        match self.actuator.call(change.call) {
            Ok(answer) => {
                let done = Happened::Done {
                    answer: kept(change.call, &answer.value),
                    request_id: answer.request_id,
                    already: false,
                };
                self.note(change.step, done)
            }
            Err(refusal) => self.failed(change, refusal),
        }
    }

    /// What the state says of a call that failed: that it was carried out, that nothing is left to do, or why it stops.
    fn failed(&mut self, change: &Change<'_>, refusal: Refusal) -> Result<(), Stop<E>> {
        self.note(change.step, Happened::Failed(refusal.clone()))?;
        let known = matches!(refusal.kind, RefusalKind::Denied | RefusalKind::Throttled);
        // Where the look fails too, the first failure is the one to tell.
        let found = if known {
            None
        } else {
            self.look(change.step, change.thing).ok()
        };
        if let Some(found) = found.filter(|found| same(change.thing.kind, found, change.wanted)) {
            let done = Happened::Done {
                answer: answer_of_state(change.call, change.thing, &found),
                request_id: refusal.request_id,
                already: refusal.kind != RefusalKind::Unanswered,
            };
            return self.note(change.step, done);
        }
        if refusal.kind == RefusalKind::NotFound && self.holder_is_gone(change.thing) {
            return self.gone(change.step);
        }
        Err(Stop::refused(change.step, change.call, refusal))
    }

    fn holder_is_gone(&mut self, thing: &Thing) -> bool {
        let Some(call) = thing.holder() else {
            return false;
        };
        let answer = self.actuator.call(&call);
        answer.is_err_and(|refusal| refusal.kind == RefusalKind::NotFound)
    }
}

fn stop<E: Error + 'static>(step: u32, unseen: Unseen) -> Stop<E> {
    match unseen.refusal {
        Some(refusal) => Stop::refused(step, &unseen.call, *refusal),
        None => Stop::Unreadable {
            step,
            call: format!("{}:{}", unseen.call.service, unseen.call.action),
        },
    }
}

/// The member of an answer that later steps refer to. Nothing else is kept: an answer may hold more than it should.
fn kept(call: &Call, answer: &Value) -> Value {
    let place = rule(call).and_then(|rule| rule.answer);
    let value = place.and_then(|place| Some((place, answer.pointer(place)?)));
    value.map_or(Value::Null, |(place, value)| nested(place, value.clone()))
}

/// The same from the state, where no answer came.
fn answer_of_state(call: &Call, thing: &Thing, state: &Value) -> Value {
    let Some(place) = rule(call).and_then(|rule| rule.answer) else {
        return Value::Null;
    };
    let value = match (thing.kind, call.action.as_str()) {
        (Kind::Scp, _) => state.get("id").cloned(),
        (_, "CreatePolicy") => Some(json!(thing.name("PolicyArn"))),
        _ => state.get("version").cloned(),
    };
    value.map_or(Value::Null, |value| nested(place, value))
}

fn nested(place: &str, value: Value) -> Value {
    let parts = place.rsplit('/').filter(|part| !part.is_empty());
    parts.fold(value, |value, part| json!({part: value}))
}
