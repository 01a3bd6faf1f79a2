//! Plans that are files of somebody else's: refused before anything is done.

use super::common::{STORY, now, seed_plan, settings, trail, with_report};
use super::everything::{Which, everything, iam};
use serde_json::{Value, json};
use unchain_core::contain::{
    Action, ApprovalError, Approved, Level, Phase, Plan, Removal, Settings, digest, plan, validate,
};

#[test]
fn what_the_planner_makes_can_be_carried_out() {
    let trail = trail(STORY);
    with_report(&trail, |report| {
        for level in [Level::Observe, Level::Contain, Level::Evict] {
            for removal in [Removal::List, Removal::Remove] {
                let settings = Settings {
                    level,
                    removal,
                    ..settings()
                };
                assert_eq!(validate(&seed_plan(report, &trail, &settings)), Ok(()));
                let facts = super::common::member([]);
                let made = plan(report, &facts, &settings, (trail.key("A").unwrap(), now()));
                let scp = made
                    .steps
                    .iter()
                    .any(|step| step.phase == Phase::Organization);
                assert_eq!(scp, level > Level::Observe);
                assert_eq!(validate(&made), Ok(()));
            }
        }
    });
    assert_eq!(validate(&everything(Which::Everything)), Ok(()));
}

fn changed(step: usize, change: impl FnOnce(&mut Action)) -> Plan {
    let mut plan = everything(Which::Everything);
    change(&mut plan.steps[step - 1].action);
    plan
}

fn member(step: usize, name: &str, value: Value) -> Plan {
    changed(step, |action| match action {
        Action::Call(call) => drop(call.parameters.insert(name.to_owned(), value)),
        other => panic!("{other:?}"),
    })
}

fn why(plan: &Plan) -> &'static str {
    validate(plan).unwrap_err().why
}

#[test]
fn only_what_a_plan_may_do_is_done() {
    let other = |action: &str, parameters: Value| changed(3, |a| *a = iam(action, &parameters));
    let named = json!({"UserName": "alice"});
    for action in [
        "CreateAccessKey",
        "CreateUser",
        "DeleteUserPermissionsBoundary",
        "",
    ] {
        assert_eq!(
            why(&other(action, named.clone())),
            "its action is none that a plan may have"
        );
    }
    assert_eq!(
        why(&other("DeleteUser", named)),
        "its action is of another phase"
    );
    let elsewhere = changed(3, |action| match action {
        Action::Call(call) => call.service = "sts".to_owned(),
        other => panic!("{other:?}"),
    });
    assert_eq!(why(&elsewhere), "its action is none that a plan may have");
    assert_eq!(
        why(&changed(7, |action| *action = Action::Wait(u32::MAX))),
        "it waits too long, or where nothing is waited for"
    );
    assert_eq!(
        why(&changed(3, |action| *action = Action::Wait(1))),
        "it waits too long, or where nothing is waited for"
    );
}

#[test]
fn a_plan_denies_and_never_allows() {
    let allow = json!({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    for (step, name) in [
        (1, "Content"),
        (3, "PolicyDocument"),
        (5, "PolicyDocument"),
        (10, "PolicyDocument"),
    ] {
        assert_eq!(
            why(&member(step, name, allow.clone())),
            "its document allows something"
        );
        assert_eq!(
            why(&member(step, name, json!({}))),
            "its document allows something"
        );
    }
    let everybody =
        json!({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]});
    let trusting = everything(Which::Everything)
        .steps
        .iter()
        .position(|step| step.phase == Phase::Trust)
        .unwrap();
    assert_eq!(
        why(&member(trusting + 1, "PolicyDocument", everybody)),
        "its document allows something"
    );
}

#[test]
fn requests_have_the_members_that_they_need_and_no_others() {
    let lacks = "its request lacks members, or has others";
    assert_eq!(why(&member(3, "PermissionsBoundary", json!("x"))), lacks);
    let form = "a member of its request is not of its form";
    assert_eq!(why(&member(3, "UserName", json!(7))), form);
    assert_eq!(why(&member(3, "UserName", json!(""))), form);
    assert_eq!(why(&member(10, "SetAsDefault", json!(false))), form);
    assert_eq!(why(&member(11, "Status", json!("Active"))), form);
    assert_eq!(why(&member(1, "Type", json!("TAG_POLICY"))), form);
    let name = "its policy has not the name of the plan's own";
    assert_eq!(why(&member(3, "PolicyName", json!("theirs"))), name);
    let theirs = json!("arn:aws:iam::aws:policy/AdministratorAccess");
    assert_eq!(why(&member(6, "PolicyArn", theirs.clone())), name);
    assert_eq!(why(&member(10, "PolicyArn", theirs)), name);
}

#[test]
fn references_go_backwards_to_what_is_made() {
    let nothing = "it refers to a step that gives no such thing";
    for reference in [
        "${2:Policy.PolicySummary.Id}",
        "${9:Policy.PolicySummary.Id}",
        "${1:Policy.PolicySummary.Name}",
        "${0:Policy.PolicySummary.Id}",
    ] {
        assert_eq!(
            why(&member(2, "PolicyId", json!(reference))),
            nothing,
            "{reference}"
        );
    }
    for text in [
        "p-theirs",
        "${1}",
        "${x:Policy}",
        "${1:Policy.PolicySummary.Id",
    ] {
        assert_eq!(
            why(&member(2, "PolicyId", json!(text))),
            "its policy is no reference to a step",
            "{text}"
        );
    }
    let elsewhere = member(3, "UserName", json!("${1:Policy.PolicySummary.Id}"));
    assert_eq!(why(&elsewhere), "a reference stands where none may");
}

#[test]
fn steps_are_numbered_and_in_order() {
    let mut plan = everything(Which::Everything);
    plan.steps[3].number = 9;
    assert_eq!(why(&plan), "its number is not its place");
    let mut plan = everything(Which::Everything);
    plan.steps[0].phase = Phase::Remove;
    assert_eq!(why(&plan), "its phases are not in order");
    let mut plan = everything(Which::Everything);
    "../../x".clone_into(&mut plan.id);
    assert_eq!(why(&plan), "its id is not eight hexadecimal digits");
    let plan = changed(3, |action| match action {
        Action::Call(call) => call.account = unchain_core::text::Untrusted::new("1"),
        other => panic!("{other:?}"),
    });
    assert_eq!(why(&plan), "its account is not twelve digits");
}

#[test]
fn only_the_digest_approves() {
    let plan = everything(Which::Reversible);
    let whole = digest(&plan).unwrap();
    let start = |digits: usize| whole.chars().take(digits).collect::<String>();
    assert_eq!(Approved::by_digest(&plan, &whole).unwrap().digest(), whole);
    assert!(Approved::by_digest(&plan, &format!(" {} ", start(12).to_uppercase())).is_ok());
    for wrong in ["", &start(11), "000000000000", &format!("{whole}0")] {
        let error = Approved::by_digest(&plan, wrong).unwrap_err();
        let text = error.to_string();
        assert!(
            matches!(error, ApprovalError::Wrong { .. }) && text.contains(&whole),
            "{text}"
        );
    }
    let hostile = member(3, "PolicyName", json!("theirs"));
    let whole = digest(&hostile).unwrap();
    assert!(matches!(
        Approved::by_digest(&hostile, &whole),
        Err(ApprovalError::Plan(_))
    ));
}
