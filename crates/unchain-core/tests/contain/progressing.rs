//! How far a plan has come, read from every beginning of a journal.

use super::account::Account;
use super::common::now;
use super::everything::{Journal, Which, before, everything, run, run_back};
use unchain_core::contain::{Happened, Plan, Progress, Receipt, Stage, StepStage, Undo, progress};

/// A plan that was carried out, verified and undone, and its journal.
fn all_of_it(which: Which) -> (Plan, Vec<Receipt>) {
    let plan = everything(which);
    let (mut account, mut journal) = (Account::new(before(), now()), Journal::default());
    run(&plan, &mut journal, &mut account).unwrap();
    journal.verified(&plan);
    run(&plan, &mut journal, &mut account).unwrap();
    run_back(&plan, &mut journal, &mut account).unwrap();
    (plan, journal.lines)
}

#[test]
fn a_plan_goes_through_its_stages_in_order() {
    for which in [Which::Reversible, Which::Everything] {
        let (plan, lines) = all_of_it(which);
        let at = |end: usize| progress(&plan, &lines[..end]).stage;
        let stages: Vec<Stage> = (0..=lines.len()).map(at).collect();
        let mut met = stages.clone();
        met.dedup();
        let all = [
            Stage::Planned,
            Stage::Begun,
            Stage::Applied,
            Stage::Verified,
            Stage::Undoing,
            Stage::Undone,
        ];
        assert_eq!(met, all);
        let verified = lines
            .iter()
            .position(|line| line.what == Happened::Verified);
        assert_eq!(stages[verified.unwrap()], Stage::Applied);
        assert_eq!(stages[verified.unwrap() + 1], Stage::Verified);
    }
}

#[test]
fn steps_are_told_by_the_last_word_on_them() {
    let (plan, lines) = all_of_it(Which::Everything);
    let last = progress(&plan, &lines);
    for (step, stage) in plan.steps.iter().zip(&last.steps) {
        let comes_back = matches!(step.undo, Undo::Calls(_));
        let said = |what: fn(&Happened) -> bool| {
            lines
                .iter()
                .any(|line| line.step == step.number && what(&line.what))
        };
        let begun = said(|what| matches!(what, Happened::Begun { .. }));
        let undone = *stage == StepStage::Undone;
        assert_eq!(
            undone,
            begun && comes_back,
            "step {}: {stage:?}",
            step.number
        );
        assert!(
            undone || *stage == StepStage::Waiting || stage.is_over(),
            "{stage:?}"
        );
    }
    let first = Receipt {
        step: plan.steps[0].number,
        ..lines[0].clone()
    };
    let Progress { steps, .. } = progress(&plan, std::slice::from_ref(&first));
    assert_eq!(steps[0], StepStage::Begun);
    let surprise = Happened::Surprise {
        expected: serde_json::Value::Null,
        found: serde_json::Value::Null,
    };
    let stopped = Receipt {
        what: surprise,
        ..first
    };
    let told = progress(&plan, &[stopped]);
    assert_eq!(
        (told.steps[0], told.stage, told.over()),
        (StepStage::Surprise, Stage::Begun, 0)
    );
}

#[test]
fn what_somebody_changed_since_is_left_and_the_plan_is_undone() {
    let plan = everything(Which::Reversible);
    let (mut account, mut journal) = (Account::new(before(), now()), Journal::default());
    run(&plan, &mut journal, &mut account).unwrap();
    let roles = &mut account.state.roles;
    roles.insert("app".to_owned(), "{\"Statement\":[]}".to_owned());
    run_back(&plan, &mut journal, &mut account).unwrap();
    let told = progress(&plan, &journal.lines);
    assert_eq!(
        (told.steps[13], told.stage),
        (StepStage::Left, Stage::Undone)
    );
}
