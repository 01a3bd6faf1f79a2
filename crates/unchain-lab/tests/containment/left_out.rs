//! Each step of a plan left out in turn. The lab is the referee: where a credential really works, verification must not
//! say that the lineage is contained, and where it says so, none may work.

use super::actuator::Stage;
use super::apply::carry_out;
use super::probe::{probe, works};
use super::scene::{Scene, Setting};
use super::stories::{planned, verified};
use std::collections::BTreeSet;
use unchain_core::contain::{Action, Call, Containment, Level, Phase, Plan, Settings, Step, Undo};

/// Whether nothing had to be done, or another step leaves what this one would: the second cut-off is put whole, not on top of the first.
fn is_redone(plan: &Plan, left_out: &Step) -> bool {
    if left_out.undo == Undo::Nothing {
        return true;
    }
    let puts = |step: &Step| match &step.action {
        Action::Call(Call {
            action, parameters, ..
        }) => {
            let name = parameters.get("PolicyName").cloned();
            name.filter(|_| action.starts_with("Put"))
                .map(|name| (step.target.clone(), name))
        }
        _ => None,
    };
    let own = puts(left_out);
    let others = plan
        .steps
        .iter()
        .filter(|step| step.number != left_out.number);
    own.is_some() && others.map(puts).any(|other| other == own)
}

/// What is wrong when one step is left out.
fn without(scene: &Scene, plan: &Plan, (left_out, ends): (&Step, &[&str])) -> Vec<String> {
    let scene = scene.copy();
    let mut stage = Stage::new(&scene);
    let steps = plan.steps.iter().filter(|step| step.phase < Phase::Remove);
    let steps: Vec<&Step> = steps
        .filter(|step| step.number != left_out.number)
        .collect();
    carry_out(steps, &mut stage);
    stage.pass(60_000);
    let verification = verified(&scene, plan, &[]);
    let lives = ends
        .iter()
        .filter(|label| !works(&probe(&scene, &scene.held[**label])).is_empty());
    let lives: Vec<&&str> = lives.collect();
    let contained = verification.outcome == Containment::Contained;
    let mut wrong = Vec::new();
    if contained && !lives.is_empty() {
        wrong.push(format!("verification says contained, and {lives:?} work"));
    }
    if !lives.is_empty()
        && verification.living().next().is_none()
        && verification.missing.is_empty()
    {
        wrong.push(format!("{lives:?} work, and nothing is said to"));
    }
    let told = verification
        .missing
        .iter()
        .any(|missing| missing.step == left_out.number);
    let said = told || verification.living().next().is_some() || is_redone(plan, left_out);
    if matches!(left_out.action, Action::Call(_)) && !said {
        wrong.push("nothing is said of it".to_owned());
    }
    let call = match &left_out.action {
        Action::Call(call) => call.action.clone(),
        other => format!("{other:?}"),
    };
    wrong
        .into_iter()
        .map(|line| {
            format!(
                "step {} {call} {:?}: {line}",
                left_out.number, left_out.target
            )
        })
        .collect()
}

fn check(story: &str, setting: Setting, (pivot, ends): (&str, &[&str])) {
    let scene = Scene::of(story, setting);
    let settings = Settings {
        level: Level::Evict,
        exempt: scene.exempt(),
        freeze: setting.organized,
        ..Settings::default()
    };
    let plan = planned(&scene, &scene.held[pivot].id, &settings).plan;
    let mut wrong = Vec::new();
    let phases: BTreeSet<Phase> = plan.steps.iter().map(|step| step.phase).collect();
    assert!(
        phases.contains(&Phase::Deny)
            && phases.contains(&Phase::Keys)
            && phases.contains(&Phase::SignIn)
    );
    for step in plan.steps.iter().filter(|step| step.phase < Phase::Verify) {
        wrong.extend(without(&scene, &plan, (step, ends)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_step_left_out_is_noticed_in_an_account_alone() {
    let setting = Setting {
        until: Some((12, 5)),
        ..Setting::default()
    };
    check(
        "whack-a-mole",
        setting,
        ("A", &["A", "B", "BM", "C", "C2", "D", "SPARE", "X"]),
    );
}

#[test]
fn a_step_left_out_is_noticed_in_an_organization() {
    let setting = Setting {
        organized: true,
        guarded: true,
        until: Some((13, 30)),
    };
    check(
        "spare-users",
        setting,
        ("S1", &["A", "C", "S1", "S2", "MOLE"]),
    );
}
