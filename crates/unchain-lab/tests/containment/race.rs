//! An attacker who acts every 200 milliseconds against orders of containment, on one clock: policies take effect after
//! four seconds, and a call of the responder takes 300 milliseconds.

use super::actuator::Stage;
use super::apply::{Run, carry_out};
use super::attacker::Attacker;
use super::scene::{Scene, Setting};
use super::stories::{planned, verified};
use unchain_core::contain::{
    Action, Containment, Level, Note, Phase, Plan, Settings, Severity, Step,
};

const LINEAGE: [&str; 8] = ["A", "B", "BM", "C", "C2", "D", "SPARE", "X"];
/// Milliseconds.
const QUICK: i64 = 200;
const SLOW: i64 = 10_000;
const MINUTE: i64 = 60_000;
/// CloudTrail delivers within 15 minutes as a rule.
const DELIVERY: i64 = 16 * MINUTE;

fn scene(organized: bool, guarded: bool) -> Scene {
    let scene = Scene::of(
        "whack-a-mole",
        Setting {
            organized,
            guarded,
            until: Some((12, 5)),
        },
    );
    scene.lab.world().settings.consistency_delay = 4;
    scene
}

/// The responder's time passes, and an attacker acts meanwhile.
fn stage(scene: &Scene, every: i64) -> Stage<'_> {
    let mut stage = Stage::new(scene);
    stage.pace = 300;
    stage.attacker = Some(Attacker::new(scene, &LINEAGE, every));
    stage
}

fn settings(scene: &Scene, freeze: bool) -> Settings {
    Settings {
        level: Level::Evict,
        exempt: scene.exempt(),
        freeze,
        ..Settings::default()
    }
}

/// What works for the attacker ten minutes later. Who holds something then is in no hurry.
fn ten_minutes_later(stage: &mut Stage<'_>) -> Vec<String> {
    stage.attacker.as_mut().unwrap().every = SLOW;
    stage.pass(10 * MINUTE);
    stage.attacker.as_ref().unwrap().works(stage.scene)
}

fn of(plan: &Plan, phases: &[Phase], wanted: fn(&Step) -> bool) -> Vec<Step> {
    let of = |phase: &Phase| {
        let steps = plan
            .steps
            .iter()
            .filter(|step| step.phase == *phase && wanted(step));
        steps.cloned().collect::<Vec<_>>()
    };
    phases.iter().flat_map(of).collect()
}

fn is_role(step: &Step) -> bool {
    step.target.raw().contains(":role/") || matches!(step.action, Action::Wait(_))
}

/// Orders that are not the plan's, by their names.
fn naive(plan: &Plan) -> Vec<(&'static str, Vec<Step>)> {
    use Phase::{CutAgain, Deny, Keys, SignIn, Trust, Wait};
    let all = |_: &Step| true;
    let user = |step: &Step| !is_role(step) || matches!(step.action, Action::Wait(_));
    let roles_first = of(plan, &[Deny], is_role)
        .into_iter()
        .chain(of(plan, &[Deny], user));
    let rest = of(plan, &[Wait, CutAgain, Keys, SignIn, Trust], all);
    vec![
        (
            "keys first",
            of(plan, &[Keys, Deny, Wait, CutAgain, SignIn, Trust], all),
        ),
        (
            "leaves only",
            of(plan, &[Deny, Wait, CutAgain, Trust], is_role),
        ),
        (
            "roots only",
            of(plan, &[Deny, Wait, CutAgain, Keys, SignIn], user),
        ),
        ("roles before users", roles_first.chain(rest).collect()),
        (
            "no service control policy",
            of(plan, &[Deny, Wait, CutAgain, Keys, SignIn, Trust], all),
        ),
        (
            "no second cut",
            of(plan, &[Deny, Wait, Keys, SignIn, Trust], all),
        ),
    ]
}

#[test]
fn naive_orders_lose_against_a_quick_attacker() {
    let scene = scene(true, true);
    let plan = planned(&scene, &scene.held["A"].id, &settings(&scene, true)).plan;
    for (name, steps) in naive(&plan) {
        let scene = scene.copy();
        let mut stage = stage(&scene, QUICK);
        carry_out(&steps, &mut stage);
        let works = ten_minutes_later(&mut stage);
        assert!(!works.is_empty(), "{name}: nothing works any more");
    }
}

/// Plans are made and carried out, each from the log and the accounts as they are by then, until verification has
/// nothing to say. Gives the notes of the first, and how many it took.
fn contained(stage: &mut Stage<'_>, settings: &Settings) -> (Vec<Note>, Option<usize>) {
    let scene = stage.scene;
    let mut first = None;
    for round in 1..=4 {
        let planned = planned(scene, &scene.held["A"].id, settings);
        let refused = planned
            .notes
            .iter()
            .filter(|note| note.severity == Severity::Refuse);
        assert_eq!(
            refused.collect::<Vec<_>>(),
            Vec::<&Note>::new(),
            "round {round}"
        );
        let mut run = Run::of(&planned.plan);
        let went = run.go(stage);
        first.get_or_insert(planned.notes);
        stage.pass(DELIVERY);
        let verification = verified(scene, &planned.plan, &run.journal);
        if verification.outcome == Containment::Contained && went.is_ok() {
            return (first.unwrap(), Some(round));
        }
    }
    (first.unwrap(), None)
}

fn has(notes: &[Note], code: &str) -> bool {
    notes.iter().any(|note| note.code == code)
}

#[test]
fn the_plan_and_what_follows_it_win_in_a_member_account() {
    let scene = scene(true, true);
    let mut stage = stage(&scene, QUICK);
    let (notes, rounds) = contained(&mut stage, &settings(&scene, true));
    let attacker = stage.attacker.as_ref().unwrap();
    assert!(
        attacker.credentials() > LINEAGE.len() + 4,
        "the attacker gained nothing: a poor test"
    );
    assert!(rounds.is_some(), "it is never contained");
    assert!(
        !has(&notes, "can-be-outrun") && !has(&notes, "exempt-in-reach"),
        "{notes:?}"
    );
    assert_eq!(ten_minutes_later(&mut stage), Vec::<String>::new());
}

#[test]
fn without_the_freeze_the_first_plan_is_outrun() {
    let scene = scene(true, true);
    let planned = planned(&scene, &scene.held["A"].id, &settings(&scene, false));
    assert!(has(&planned.notes, "can-be-outrun"));
    let mut stage = stage(&scene, QUICK);
    let _ = Run::of(&planned.plan).go(&mut stage);
    assert!(!ten_minutes_later(&mut stage).is_empty());
}

#[test]
fn without_an_organization_the_plan_says_that_it_can_be_outrun_and_is() {
    let scene = scene(false, false);
    let planned = planned(&scene, &scene.held["A"].id, &settings(&scene, true));
    assert!(has(&planned.notes, "can-be-outrun"));
    assert!(
        planned
            .plan
            .open
            .iter()
            .any(|open| open.why.contains("cannot be frozen"))
    );
    let mut stage = stage(&scene, QUICK);
    stage.attacker.as_mut().unwrap().spares_break_glass = true;
    let _ = Run::of(&planned.plan).go(&mut stage);
    assert!(!ten_minutes_later(&mut stage).is_empty());
}

#[test]
fn a_slower_attacker_is_contained_without_an_organization() {
    let scene = scene(false, false);
    let mut stage = stage(&scene, SLOW);
    stage.attacker.as_mut().unwrap().spares_break_glass = true;
    let (_, rounds) = contained(&mut stage, &settings(&scene, false));
    assert!(rounds.is_some(), "it is never contained");
    assert_eq!(ten_minutes_later(&mut stage), Vec::<String>::new());
}

#[test]
fn an_exempt_role_that_is_not_guarded_is_the_way_out() {
    let scene = scene(true, false);
    let planned = planned(&scene, &scene.held["A"].id, &settings(&scene, true));
    assert!(has(&planned.notes, "exempt-in-reach"));
    let mut stage = stage(&scene, QUICK);
    let _ = Run::of(&planned.plan).go(&mut stage);
    assert!(!ten_minutes_later(&mut stage).is_empty());
}
