//! Carrying out the steps of a plan one by one.

use serde_json::{Map, Value};
use std::collections::BTreeMap;
use unchain_core::contain::{Action, Actuator, Call, Phase, Plan, RefusalKind, Step};

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

/// The steps before anything is deleted.
pub(crate) fn until_verified(plan: &Plan) -> Vec<&Step> {
    plan.steps.iter().filter(|step| step.phase < Phase::Remove).collect()
}

/// The steps that delete what the lineage made.
pub(crate) fn removing(plan: &Plan) -> Vec<&Step> {
    plan.steps.iter().filter(|step| step.phase == Phase::Remove).collect()
}

/// A call with what it takes from the answers before it.
fn resolved(call: &Call, answers: &BTreeMap<u32, Value>) -> Call {
    let resolve = |value: &Value| {
        let reference = value.as_str().and_then(|text| text.strip_prefix("${"));
        let named = reference.and_then(|text| text.strip_suffix('}')?.split_once(':'));
        let found = named.and_then(|(step, path)| {
            let answer = answers.get(&step.parse().ok()?)?;
            answer.pointer(&format!("/{}", path.replace('.', "/"))).cloned()
        });
        found.unwrap_or_else(|| value.clone())
    };
    let parameters: Map<String, Value> =
        call.parameters.iter().map(|(name, value)| (name.clone(), resolve(value))).collect();
    Call {
        parameters,
        ..call.clone()
    }
}
