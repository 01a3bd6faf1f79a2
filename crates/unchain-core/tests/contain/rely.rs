//! A later plan that rests on an earlier one.

use super::account::Account;
use super::common::{SHOP, STORY, facts, member, now, settings, trail, with_report};
use super::everything::{Journal, Which, before, everything, run, run_back};
use unchain_core::contain::{Action, Facts, Level, Plan, Settings, in_force, plan, relies_on};

fn planned(facts: &Facts, settings: &Settings, later: i64) -> Plan {
    let trail = trail(STORY);
    let pivot = trail.key("A").unwrap();
    with_report(&trail, |report| {
        plan(report, facts, settings, (pivot, now().plus(later)))
    })
}

/// The member account with the policies that a plan attaches to it.
fn with_scps_of(plan: &Plan) -> Facts {
    let mut facts = member([]);
    let levels = &mut facts.organization.as_mut().unwrap().scps;
    let contents = plan.steps.iter().filter_map(|step| match &step.action {
        Action::Call(call) => call.parameters.get("Content"),
        _ => None,
    });
    for (n, content) in contents.enumerate() {
        let policies = &mut levels.get_mut(SHOP).unwrap()[0].policies;
        policies.insert(format!("p-{n}"), content.clone());
    }
    facts
}

fn frozen() -> Settings {
    Settings {
        freeze: true,
        ..settings()
    }
}

/// Without what the plans have in common but the freeze.
fn but_scps(plan: &Plan) -> Plan {
    let steps = plan.steps.iter().filter(|step| match &step.action {
        Action::Call(call) => call.service == "organizations" || call.action.contains("UserPolicy"),
        _ => false,
    });
    Plan {
        steps: steps.cloned().collect(),
        ..plan.clone()
    }
}

#[test]
fn who_finds_an_account_frozen_rests_on_who_froze_it() {
    let earlier = planned(&member([]), &frozen(), 0);
    let later = planned(&with_scps_of(&earlier), &frozen(), 60);
    let names = |plan: &Plan| serde_json::to_string(plan).unwrap().contains("-freeze-");
    assert!(names(&earlier) && !names(&later));
    let found = relies_on(&but_scps(&later), &earlier).unwrap();
    assert_eq!(
        (found.step, found.why),
        (1, "which freezes an account for both")
    );
    assert_eq!(
        relies_on(&earlier, &but_scps(&later)),
        None,
        "it is the earlier one"
    );
    // Who has its own, or wants none, rests on nobody's.
    let own = planned(&member([]), &frozen(), 60);
    let without = planned(&with_scps_of(&earlier), &settings(), 60);
    assert_eq!(relies_on(&but_scps(&own), &earlier), None);
    assert_eq!(relies_on(&but_scps(&without), &earlier), None);
}

#[test]
fn who_finds_a_key_inactive_rests_on_who_made_it_so() {
    let (earlier, later) = (
        planned(&facts(), &settings(), 0),
        planned(&facts(), &settings(), 60),
    );
    let found = relies_on(&later, &earlier).unwrap();
    let step = earlier
        .steps
        .iter()
        .find(|step| step.number == found.step)
        .unwrap();
    assert!(matches!(&step.action, Action::Call(call) if call.action == "UpdateAccessKey"));
    // Denies of its own are its own, and who changes nothing rests on nothing.
    assert_eq!(relies_on(&but_scps(&later), &earlier), None);
    let observing = Settings {
        level: Level::Observe,
        ..settings()
    };
    assert_eq!(
        relies_on(&planned(&facts(), &observing, 60), &earlier),
        None
    );
}

#[test]
fn a_plan_is_in_force_from_its_first_change_until_it_is_undone() {
    let plan = everything(Which::Reversible);
    let (mut account, mut journal) = (Account::new(before(), now()), Journal::default());
    assert!(!in_force(&journal.lines));
    run(&plan, &mut journal, &mut account).unwrap();
    assert!(in_force(&journal.lines));
    run_back(&plan, &mut journal, &mut account).unwrap();
    assert!(!in_force(&journal.lines));
}
