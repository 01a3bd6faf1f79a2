//! How far a plan has come, by its journal and nothing else. Must not know why it stopped or whether it holds.

use super::stop::is_gone;
use super::thing::Thing;
use super::{Happened, Receipt, Work};
use crate::contain::plan::{Action, Call, Plan, Step, Undo};
use serde::Serialize;

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
    let steps: Vec<StepStage> = plan
        .steps
        .iter()
        .map(|step| of_step((plan, step), journal))
        .collect();
    Progress {
        stage: stage(plan, journal, &steps),
        steps,
    }
}

fn stage(plan: &Plan, journal: &[Receipt], steps: &[StepStage]) -> Stage {
    if journal.iter().any(|line| line.work == Work::Undo) {
        let open = plan.steps.iter().zip(steps).any(|(step, stage)| {
            let comes_back = !matches!(step.undo, Undo::Never(_));
            comes_back
                && began(journal, step)
                && !matches!(stage, StepStage::Undone | StepStage::Left)
        });
        return if open { Stage::Undoing } else { Stage::Undone };
    }
    if journal.iter().any(|line| line.what == Happened::Verified) {
        return Stage::Verified;
    }
    if journal.is_empty() {
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

fn began(journal: &[Receipt], step: &Step) -> bool {
    journal.iter().any(|line| {
        let begun = matches!(line.what, Happened::Begun { .. });
        begun && line.work == Work::Apply && line.step == step.number
    })
}

fn of_step((plan, step): (&Plan, &Step), journal: &[Receipt]) -> StepStage {
    if let Some(line) = put_back((plan, step), journal).filter(|_| began(journal, step)) {
        return match &line.what {
            Happened::Done { .. } => StepStage::Undone,
            Happened::Surprise { .. } => StepStage::Left,
            _ => StepStage::NotUndone,
        };
    }
    let own = |line: &&Receipt| line.step == step.number && line.work == Work::Apply;
    let Some(line) = journal.iter().rfind(own) else {
        return StepStage::Waiting;
    };
    match &line.what {
        Happened::Begun { .. } => StepStage::Begun,
        Happened::Done { answer, .. } if is_gone(answer) => StepStage::Gone,
        Happened::Done { already: true, .. } => StepStage::Already,
        Happened::Done { .. } | Happened::Waited => StepStage::Done,
        Happened::Failed(_) => StepStage::Failed,
        Happened::Surprise { .. } => StepStage::Surprise,
        Happened::Verified => StepStage::Verified,
    }
}

/// The last word on putting back what a step changed: it stands with the last step that changed the same thing.
fn put_back<'j>((plan, step): (&Plan, &Step), journal: &'j [Receipt]) -> Option<&'j Receipt> {
    // Most journals have no such line, and things are dear to make.
    journal.iter().find(|line| line.work == Work::Undo)?;
    let thing = thing(step)?;
    let same = |line: &Receipt| {
        let other = plan.steps.iter().find(|other| other.number == line.step);
        line.step == step.number || other.and_then(self::thing).as_ref() == Some(&thing)
    };
    journal
        .iter()
        .rfind(|line| line.work == Work::Undo && same(line))
}

fn thing(step: &Step) -> Option<Thing> {
    let call: &Call = match &step.action {
        Action::Call(call) => call,
        Action::Wait(_) | Action::Verify { .. } => return None,
    };
    // The partition is a part of names that are made up from a call's account, alike in all of a plan.
    Thing::of(call, "aws")
}
