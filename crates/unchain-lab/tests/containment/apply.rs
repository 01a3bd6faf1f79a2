//! Carrying plans out: whole ones by the engine, and any steps in any order as somebody would who has no engine.

use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::convert::Infallible;
use unchain_core::contain::{
    Action, Actuator, Approved, Call, Happened, Outcome, Plan, Receipt, RefusalKind, Step, Stop,
    Work, digest,
};

/// A plan being carried out by the engine, with its journal.
pub(crate) struct Run<'p> {
    plan: &'p Plan,
    pub(crate) journal: Vec<Receipt>,
}

impl<'p> Run<'p> {
    pub(crate) fn of(plan: &'p Plan) -> Self {
        Self {
            plan,
            journal: Vec::new(),
        }
    }

    /// Goes on from where the journal ends.
    pub(crate) fn go(&mut self, actuator: &mut dyn Actuator) -> Result<Outcome, Stop<Infallible>> {
        let approved = Approved::by_digest(self.plan, &digest(self.plan).unwrap()).unwrap();
        let past = self.journal.clone();
        let mut write = |receipt: &Receipt| {
            self.journal.push(receipt.clone());
            Ok(())
        };
        unchain_core::contain::apply(&approved, &past, &mut write, actuator)
    }

    /// Writes down that nothing of the lineage works, so that it goes on to the deletions.
    pub(crate) fn verified(&mut self, actuator: &mut dyn Actuator) {
        let last = self.journal.last().map_or(0, |receipt| receipt.sequence);
        self.journal.push(Receipt {
            plan: digest(self.plan).unwrap(),
            sequence: last + 1,
            at: actuator.now(),
            work: Work::Apply,
            step: 0,
            what: Happened::Verified,
        });
    }
}

/// Carries out steps in the order given, and gives what was refused.
pub(crate) fn carry_out<'p>(
    steps: impl IntoIterator<Item = &'p Step>,
    actuator: &mut dyn Actuator,
) -> Vec<String> {
    let mut answers: BTreeMap<u32, Value> = BTreeMap::new();
    let mut refused = Vec::new();
    for step in steps {
        match &step.action {
            Action::Wait(seconds) => {
                let until = actuator.now().plus(i64::from(*seconds));
                actuator.wait(until);
            }
            Action::Verify { .. } => {}
            Action::Call(call) => match actuator.call(&resolved(call, &answers)) {
                Ok(answer) => drop(answers.insert(step.number, answer.value)),
                Err(refusal) if refusal.kind == RefusalKind::NotFound => {}
                Err(refusal) => refused.push(format!("step {}: {refusal:?}", step.number)),
            },
        }
    }
    refused
}

/// A call with what it takes from the answers before it.
fn resolved(call: &Call, answers: &BTreeMap<u32, Value>) -> Call {
    let resolve = |value: &Value| {
        let reference = value.as_str().and_then(|text| text.strip_prefix("${"));
        let named = reference.and_then(|text| text.strip_suffix('}')?.split_once(':'));
        let found = named.and_then(|(step, path)| {
            let answer = answers.get(&step.parse().ok()?)?;
            answer
                .pointer(&format!("/{}", path.replace('.', "/")))
                .cloned()
        });
        found.unwrap_or_else(|| value.clone())
    };
    let parameters: Map<String, Value> = call
        .parameters
        .iter()
        .map(|(name, value)| (name.clone(), resolve(value)))
        .collect();
    Call {
        parameters,
        ..call.clone()
    }
}
