//! Undoing a plan: every thing that it changed is put back as the journal says it was found, the last changed first.

use super::look::same;
use super::run::{Change, Run, Write};
use super::stop::{Stop, Undone};
use super::thing::{Kind, Thing, wanted};
use super::{Actuator, Approved, Happened, Receipt, Refusal, RefusalKind, Work};
use crate::contain::plan::{Action, Call, Step, Undo};
use serde_json::{Value, json};
use std::error::Error;

/// A thing that was changed.
struct Touched<'p> {
    thing: Thing,
    /// The last step that changed it.
    last: &'p Step,
    /// What was there before the first.
    before: Value,
    /// What the plan's steps may have left of it: what they put, and last what was found before the last.
    left: Vec<Value>,
    /// How many of these the plan put.
    put: usize,
}

/// Undoes what the journal says was done of a plan. Each thing is looked at first: where it is as it was before the
/// plan nothing is called, and where it is not as the plan left it, it is left alone and told.
///
/// # Errors
///
/// Why it stopped. Called again with the journal it goes on from there. What cannot be undone, and what the service
/// refused, is no error but in the answer.
pub fn undo<E: Error + 'static>(
    approved: &Approved<'_>,
    past: &[Receipt],
    write: Write<'_, E>,
    actuator: &mut dyn Actuator,
) -> Result<Undone, Stop<E>> {
    let mut run = Run::new((approved, Work::Undo), past, write, actuator);
    let mut undone = Undone::default();
    for touched in run.touched().into_iter().rev() {
        run.restore(&touched, &mut undone)?;
    }
    Ok(undone)
}

impl<'r, E: Error + 'static> Run<'r, E> {
    /// What was changed, in the order in which it was first changed.
    fn touched(&self) -> Vec<Touched<'r>> {
        let mut all: Vec<(Thing, Vec<(&'r Step, Value)>)> = Vec::new();
        for step in self
            .plan
            .steps
            .iter()
            .filter(|step| self.is_begun(step.number))
        {
            let Action::Call(call) = &step.action else {
                continue;
            };
            let Some((call, thing)) = self.resolved(call) else {
                continue;
            };
            let change = (step, wanted(&call));
            match all.iter_mut().find(|(other, _)| *other == thing) {
                Some((_, changes)) => changes.push(change),
                None => all.push((thing, vec![change])),
            }
        }
        all.into_iter()
            .filter_map(|(thing, changes)| {
                let numbers: Vec<u32> = changes.iter().map(|(step, _)| step.number).collect();
                let (before, last) = self.before(thing.kind, &numbers)?;
                let step = changes.last().map(|(step, _)| *step)?;
                Some(Touched {
                    thing,
                    last: step,
                    before,
                    put: changes.len(),
                    left: changes
                        .into_iter()
                        .map(|(_, left)| left)
                        .chain([last])
                        .collect(),
                })
            })
            .collect()
    }

    /// What a thing was before the plan, and what it was found to be when it was last begun with; none if every call
    /// was refused.
    pub(super) fn before(&self, kind: Kind, steps: &[u32]) -> Option<(Value, Value)> {
        let (mut before, mut last, mut done) = (None, None, false);
        let own = self.log.iter().filter(|r| r.work == Work::Apply);
        for receipt in own.filter(|receipt| steps.contains(&receipt.step)) {
            match &receipt.what {
                Happened::Begun { before: found } => {
                    // A deny that is put again is found as somebody else made it, which is not to come back.
                    if !done && (before.is_none() || !kind.holds_denies()) {
                        before = Some(found.clone());
                    }
                    last = Some(found.clone());
                }
                Happened::Done { .. } => done |= before.is_some(),
                Happened::Failed(refusal)
                    if was_refused(refusal) && !kind.holds_denies() && !done =>
                {
                    before = None;
                }
                _ => {}
            }
        }
        before.zip(last)
    }

    fn restore(&mut self, touched: &Touched<'_>, undone: &mut Undone) -> Result<(), Stop<E>> {
        let (thing, number) = (&touched.thing, touched.last.number);
        // A deny that the plan put and at its end took away is nothing to bring back, if it was taken away.
        let own = thing.kind.holds_denies() && touched.before.is_null();
        if let Undo::Never(why) = &touched.last.undo
            && !own
        {
            undone.never.push((number, why.clone()));
            return Ok(());
        }
        let found = self.look(number, thing)?;
        let is = |state: &Value| same(thing.kind, &found, state);
        let back = is(&touched.before);
        if back && self.own_versions(touched)?.is_empty() {
            undone.already.push(number);
            return self.done_already(number);
        }
        if !back && !touched.left.iter().any(is) {
            undone.surprises.push(number);
            let expected = touched.left.first().cloned().unwrap_or_default();
            return self.note(number, Happened::Surprise { expected, found });
        }
        match self.put_back(touched, found) {
            Ok(()) => undone.restored.push(number),
            Err(Stop::Refused { refusal, .. }) => undone.refused.push((number, *refusal)),
            Err(stop) => return Err(stop),
        }
        Ok(())
    }

    fn done_already(&mut self, step: u32) -> Result<(), Stop<E>> {
        let told = |r: &Receipt| {
            let done = matches!(r.what, Happened::Done { .. });
            r.work == Work::Undo && r.step == step && done
        };
        if self.log.iter().any(told) {
            return Ok(());
        }
        let done = Happened::Done {
            answer: Value::Null,
            request_id: None,
            already: true,
        };
        self.note(step, done)
    }

    fn put_back(&mut self, touched: &Touched<'_>, found: Value) -> Result<(), Stop<E>> {
        let step = touched.last.number;
        let (first, last) = self.calls(touched, &found)?;
        let before = found.clone();
        self.note(step, Happened::Begun { before })?;
        self.send_first(step, &first)?;
        self.send(&Change {
            step,
            thing: &touched.thing,
            call: &last,
            wanted: &touched.before,
            found,
        })
    }

    /// The calls that put a thing back, the last apart.
    fn calls(
        &mut self,
        touched: &Touched<'_>,
        found: &Value,
    ) -> Result<(Vec<Call>, Call), Stop<E>> {
        let thing = &touched.thing;
        if thing.kind != Kind::ManagedPolicy {
            let call = back(thing, &touched.before, found);
            let step = touched.last.number;
            return Ok((Vec::new(), call.ok_or(Stop::Unresolved { step })?));
        }
        let drop = |id: String| thing.of_version("DeletePolicyVersion", json!(id));
        if let Some(old) = touched.before.get("version") {
            let set = thing.of_version("SetDefaultPolicyVersion", old.clone());
            let own = self.own_versions(touched)?.into_iter().map(drop);
            let mut calls: Vec<Call> = std::iter::once(set).chain(own).collect();
            let last = calls.pop();
            let step = touched.last.number;
            return Ok((calls, last.ok_or(Stop::Unresolved { step })?));
        }
        // A policy is deleted after its other versions (IAM API Reference, "DeletePolicy").
        let others = self.other_versions(touched.last.number, thing)?;
        let others = others.into_iter().map(drop);
        Ok((others.collect(), thing.call("DeletePolicy", &["PolicyArn"])))
    }

    /// The versions that the plan gave to a managed policy that was there before it, as far as they are still there:
    /// known by what they say, as the answer that named them may be lost.
    fn own_versions(&mut self, touched: &Touched<'_>) -> Result<Vec<String>, Stop<E>> {
        let Some(old) = touched.before.get("version") else {
            return Ok(Vec::new());
        };
        let (thing, step) = (&touched.thing, touched.last.number);
        let now = self.look(step, thing)?;
        let now = now.get("version").and_then(Value::as_str);
        let mut own = self.other_versions(step, thing)?;
        own.extend(now.map(str::to_owned));
        own.retain(|id| *old != json!(id));
        let mut kept = Vec::new();
        for id in own {
            let state = self.version(step, thing, &json!(id))?;
            let put = touched.left.iter().take(touched.put);
            if put.into_iter().any(|put| same(thing.kind, &state, put)) {
                kept.push(id);
            }
        }
        Ok(kept)
    }
}

/// Whether a call surely changed nothing.
fn was_refused(refusal: &Refusal) -> bool {
    matches!(
        refusal.kind,
        RefusalKind::Denied | RefusalKind::NotFound | RefusalKind::Refused
    )
}

/// The call that puts a thing back; none for what cannot be put back.
fn back(thing: &Thing, before: &Value, found: &Value) -> Option<Call> {
    let names = thing.kind.names();
    let gone = before.is_null();
    let action = match (thing.kind, gone) {
        (Kind::UserPolicy, true) => "DeleteUserPolicy",
        (Kind::UserPolicy, false) => "PutUserPolicy",
        (Kind::RolePolicy, true) => "DeleteRolePolicy",
        (Kind::RolePolicy, false) => "PutRolePolicy",
        (Kind::UserAttachment, true) => "DetachUserPolicy",
        (Kind::UserAttachment, false) => "AttachUserPolicy",
        (Kind::RoleAttachment, true) => "DetachRolePolicy",
        (Kind::RoleAttachment, false) => "AttachRolePolicy",
        (Kind::AccessKey, false) => "UpdateAccessKey",
        (Kind::ServiceCredential, false) => "UpdateServiceSpecificCredential",
        (Kind::TrustPolicy, false) => "UpdateAssumeRolePolicy",
        (Kind::Scp, true) => "DeletePolicy",
        (Kind::ScpAttachment, true) => "DetachPolicy",
        (Kind::TrustAnchor, false) if *before == Value::Bool(true) => "EnableTrustAnchor",
        (Kind::TrustAnchor, false) => "DisableTrustAnchor",
        _ => return None,
    };
    let mut call = thing.call(action, names);
    let (name, value) = match (thing.kind, gone) {
        (Kind::Scp, _) => {
            call.parameters.clear();
            ("PolicyId", found.get("id")?.clone())
        }
        (Kind::UserPolicy | Kind::RolePolicy | Kind::TrustPolicy, false) => {
            ("PolicyDocument", before.clone())
        }
        (Kind::AccessKey | Kind::ServiceCredential, false) => ("Status", before.clone()),
        _ => return Some(call),
    };
    call.parameters.insert(name.to_owned(), value);
    Some(call)
}
