//! How far a plan has come, by its journal and nothing else. Must not know why it stopped or whether it holds.

use super::stop::is_gone;
use super::thing::Thing;
use super::{Happened, Receipt, Work};
use crate::contain::plan::{Action, Call, Plan, Step, Undo};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Where a plan stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Nothing of it was begun.
    Planned,
    /// It was begun, and steps before the look are not done.
    Begun,
    /// Every step before the look is done; those after it may wait.
    Applied,
    /// Besides, `unchain verify` noted in the journal that no credential works.
    Verified,
    /// Undoing was begun, and something that was changed is not put back.
    Undoing,
    /// What was changed is put back, but for what cannot be and what somebody else changed since.
    Undone,
}

/// How a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepStage {
    /// Nothing was written down of it.
    Waiting,
    /// It was begun; what came of it is not known.
    Begun,
    /// Done.
    Done,
    /// It was so already.
    Already,
    /// Its target is gone, which is as good.
    Gone,
    /// The call was refused, or no answer came.
    Failed,
    /// Something else was there than the plan knew.
    Surprise,
    /// The look found that no credential works.
    Verified,
    /// It was put back as it was found.
    Undone,
    /// Somebody changed it after the plan, so undoing left it as it is.
    Left,
    /// Putting it back was begun, or was refused.
    NotUndone,
}

impl StepStage {
    /// Whether carrying the plan out need not come back to it.
    pub fn is_over(self) -> bool {
        matches!(
            self,
            Self::Done | Self::Already | Self::Gone | Self::Verified
        )
    }
}

/// A plan as its journal tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// All of it.
    pub stage: Stage,
    /// Each step, in the order of the plan.
    pub steps: Vec<StepStage>,
}

impl Progress {
    /// How many steps are over.
    pub fn over(&self) -> usize {
        self.steps.iter().filter(|step| step.is_over()).count()
    }
}

/// How far a plan has come. `journal` has the lines of this plan only, in their order.
pub fn progress(plan: &Plan, journal: &[Receipt]) -> Progress {
    let told = Told::of(plan, journal);
    let steps: Vec<StepStage> = plan.steps.iter().map(|step| told.stage_of(step)).collect();
    Progress {
        stage: told.stage(plan, &steps),
        steps,
    }
}

/// A journal by what it is about.
#[derive(Default)]
struct Told<'j> {
    /// Steps of which a change was begun.
    begun: BTreeSet<u32>,
    /// The last word on carrying out each step.
    applied: BTreeMap<u32, &'j Happened>,
    /// The last word on putting back each thing: it stands with the last step that changed it.
    undone: BTreeMap<String, &'j Happened>,
    undoes: bool,
    verified: bool,
}

impl<'j> Told<'j> {
    fn of(plan: &Plan, journal: &'j [Receipt]) -> Self {
        let mut told = Self::default();
        let mut back = BTreeMap::new();
        for line in journal {
            match line.work {
                Work::Undo => drop(back.insert(line.step, &line.what)),
                Work::Apply => told.apply(line),
            }
        }
        told.undoes = !back.is_empty();
        let steps = plan.steps.iter();
        let things = steps.filter_map(|step| Some((thing(step)?, *back.get(&step.number)?)));
        told.undone = things.collect();
        told
    }

    fn apply(&mut self, line: &'j Receipt) {
        self.verified |= line.what == Happened::Verified;
        if matches!(line.what, Happened::Begun { .. }) {
            self.begun.insert(line.step);
        }
        self.applied.insert(line.step, &line.what);
    }

    fn stage(&self, plan: &Plan, steps: &[StepStage]) -> Stage {
        if self.undoes {
            let open = plan.steps.iter().zip(steps).any(|(step, stage)| {
                let comes_back = !matches!(step.undo, Undo::Never(_));
                let back = matches!(stage, StepStage::Undone | StepStage::Left);
                comes_back && !back && self.begun.contains(&step.number)
            });
            return if open { Stage::Undoing } else { Stage::Undone };
        }
        if self.verified {
            return Stage::Verified;
        }
        if self.applied.is_empty() {
            return Stage::Planned;
        }
        let look = |step: &Step| matches!(step.action, Action::Verify { .. });
        let mut before = plan
            .steps
            .iter()
            .zip(steps)
            .take_while(|(step, _)| !look(step));
        if before.all(|(_, stage)| stage.is_over()) {
            Stage::Applied
        } else {
            Stage::Begun
        }
    }

    fn stage_of(&self, step: &Step) -> StepStage {
        let back = match self.undoes && self.begun.contains(&step.number) {
            true => thing(step).and_then(|thing| self.undone.get(&thing)),
            false => None,
        };
        match (back, self.applied.get(&step.number)) {
            (Some(Happened::Done { .. }), _) => StepStage::Undone,
            (Some(Happened::Surprise { .. }), _) => StepStage::Left,
            (Some(_), _) => StepStage::NotUndone,
            (None, None) => StepStage::Waiting,
            (None, Some(what)) => applied(what),
        }
    }
}

fn applied(what: &Happened) -> StepStage {
    match what {
        Happened::Begun { .. } => StepStage::Begun,
        Happened::Done { answer, .. } if is_gone(answer) => StepStage::Gone,
        Happened::Done { already: true, .. } => StepStage::Already,
        Happened::Done { .. } | Happened::Waited => StepStage::Done,
        Happened::Failed(_) => StepStage::Failed,
        Happened::Surprise { .. } => StepStage::Surprise,
        Happened::Verified => StepStage::Verified,
    }
}

/// What a step changes, as a text that tells it from everything else of the plan.
fn thing(step: &Step) -> Option<String> {
    let call: &Call = match &step.action {
        Action::Call(call) => call,
        Action::Wait(_) | Action::Verify { .. } => return None,
    };
    // The partition is a part of names that are made up from a call's account, alike in all of a plan.
    let thing = Thing::of(call, "aws")?;
    let names = Value::Object(thing.names).to_string();
    Some(format!("{:?} {} {names}", thing.kind, thing.account.raw()))
}
