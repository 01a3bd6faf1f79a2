//! The freeze of a lineage's member accounts, and what is said where there is none.

use super::common::{SHOP, STORY, facts, now, settings, trail, with_report};
use serde_json::{Value, json};
use unchain_core::contain::{
    Action, Call, Facts, Note, Phase, Plan, Settings, Severity, check, plan, prove,
};
use unchain_core::text::Untrusted;
use unchain_policy::{Context, Decision, Layers, Named, Policy, Principal, Request, evaluate};

/// The shop as a member account with so many policies attached that allow everything.
fn member(attached: usize) -> Facts {
    let all = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    super::common::member(std::iter::repeat_n(all, attached))
}

fn frozen() -> Settings {
    Settings {
        freeze: true,
        ..settings()
    }
}

fn planned(facts: &Facts, settings: &Settings) -> (Plan, Vec<Note>) {
    let trail = trail(STORY);
    with_report(&trail, |report| {
        let plan = plan(report, facts, settings, (trail.key("A").unwrap(), now()));
        let notes = check(&plan, report, facts, now());
        (plan, notes)
    })
}

fn call(action: &Action) -> Option<&Call> {
    match action {
        Action::Call(call) => Some(call),
        _ => None,
    }
}

/// The content of the first policy that a plan makes.
fn content(plan: &Plan) -> Value {
    call(&plan.steps[0].action).unwrap().parameters["Content"].clone()
}

/// Whether there is a note about the shop or somebody in it; the story's other account is in no organization.
fn has(notes: &[Note], code: &str) -> bool {
    let of = notes.iter().filter(|note| note.about.raw().contains(SHOP));
    of.into_iter().any(|note| note.code == code)
}

#[test]
fn the_freeze_comes_before_everything_and_says_what_it_costs() {
    let (plan, notes) = planned(&member(1), &frozen());
    let calls: Vec<&Call> = plan
        .steps
        .iter()
        .filter_map(|step| call(&step.action))
        .collect();
    let name = calls[0].parameters["Name"].as_str().unwrap();
    assert_eq!(name, format!("UnchainContain-{}-freeze-{SHOP}", plan.id));
    assert_eq!(
        (calls[0].action.as_str(), calls[1].action.as_str()),
        ("CreatePolicy", "AttachPolicy")
    );
    assert_eq!(plan.steps[1].breaks.len(), 1);
    assert!(
        plan.steps
            .iter()
            .take(2)
            .all(|step| step.phase == Phase::Organization)
    );
    assert!(content(&plan).to_string().len() <= 5_120);
    assert!(!has(&notes, "can-be-outrun"), "{notes:?}");
    assert!(
        notes.iter().all(|note| note.severity == Severity::Warn),
        "{notes:?}"
    );
    assert!(prove(&plan, &member(1), &[]).holds());
}

/// What the freeze says to a request, by the evaluator.
fn refuses(plan: &Plan, (who, action): (&str, &str)) -> bool {
    let policy = Policy::from_value(&content(plan)).unwrap();
    let all = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}});
    let all = Policy::from_value(&all).unwrap();
    let named = |name: &'static str, policy| Named { name, policy };
    let layers = Layers {
        identity: vec![named("all", &all)],
        scps: vec![vec![named("all", &all), named("freeze", &policy)]],
        ..Layers::default()
    };
    let arn = format!("arn:aws:iam::{SHOP}:{who}");
    let request = Request {
        principal: &Principal::from_arn(&arn),
        action,
        resource: "*",
        resource_account: None,
        context: &Context::new()
            .others_unknown()
            .with("aws:PrincipalArn", arn.as_str()),
    };
    matches!(evaluate(&request, &layers), Decision::ExplicitlyDenied(_))
}

#[test]
fn the_frozen_mint_nothing_and_strip_nothing_and_the_exempt_go_on() {
    let (plan, _) = planned(&member(1), &frozen());
    let mints = [
        "iam:CreateAccessKey",
        "iam:CreateUser",
        "iam:DeleteUserPolicy",
        "iam:DetachRolePolicy",
        "iam:PassRole",
        "iam:PutRolePolicy",
        "iam:UpdateAccessKey",
        "iam:UpdateAssumeRolePolicy",
        "organizations:LeaveOrganization",
        "sts:AssumeRole",
        "sts:GetFederationToken",
        "sts:GetSessionToken",
    ];
    for action in mints {
        assert!(refuses(&plan, ("user/nobody-yet", action)), "{action}");
        assert!(!refuses(&plan, ("user/olivia", action)), "{action}");
    }
    for action in [
        "iam:ListUsers",
        "iam:GetRole",
        "s3:GetObject",
        "sts:GetCallerIdentity",
    ] {
        assert!(!refuses(&plan, ("user/nobody-yet", action)), "{action}");
    }
}

#[test]
fn without_a_freeze_it_is_said_that_a_quick_attacker_comes_back() {
    for (facts, settings) in [
        (member(1), settings()),
        (facts(), settings()),
        (facts(), frozen()),
    ] {
        let (plan, notes) = planned(&facts, &settings);
        assert!(has(&notes, "can-be-outrun"), "{notes:?}");
        let told = plan.open.iter().any(|open| open.why.contains("frozen"));
        assert_eq!(told, settings.freeze);
    }
}

#[test]
fn nobody_is_locked_out_by_a_freeze() {
    let elsewhere = Settings {
        exempt: vec![Untrusted::new("arn:aws:iam::999999999999:role/responder")],
        ..frozen()
    };
    let (plan, notes) = planned(&member(1), &elsewhere);
    assert!(!content(&plan).to_string().contains("UnchainFreeze"));
    assert!(
        plan.open
            .iter()
            .any(|open| open.why.contains("exempt principal"))
    );
    assert!(!has(&notes, "locks-out") && has(&notes, "can-be-outrun"));
    // A plan is a file: somebody may have changed it.
    let (plan, _) = planned(&member(1), &frozen());
    let changed = Plan {
        settings: elsewhere,
        ..plan
    };
    let trail = trail(STORY);
    let notes = with_report(&trail, |report| check(&changed, report, &member(1), now()));
    assert!(
        notes
            .iter()
            .any(|n| n.code == "locks-out" && n.severity == Severity::Refuse)
    );
}

#[test]
fn an_exempt_principal_that_the_lineage_could_take_is_told() {
    // Alice may do everything, so she could make a key of Olivia's.
    let (_, notes) = planned(&member(1), &frozen());
    assert!(has(&notes, "exempt-in-reach"));
    let mut guarded = member(1);
    let guard = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "iam:*",
        "Resource": format!("arn:aws:iam::{SHOP}:user/olivia"),
        "Condition": {"ArnNotEquals": {"aws:PrincipalArn": format!("arn:aws:iam::{SHOP}:user/olivia")}}}]});
    let organization = guarded.organization.as_mut().unwrap();
    let levels = organization.scps.get_mut(SHOP).unwrap();
    levels[0].policies.insert("guard".to_owned(), guard);
    let (_, notes) = planned(&guarded, &frozen());
    assert!(!has(&notes, "exempt-in-reach"), "{notes:?}");
}

#[test]
fn a_freeze_that_stands_is_not_put_twice() {
    let (first, _) = planned(&member(1), &frozen());
    let mut later = member(1);
    let organization = later.organization.as_mut().unwrap();
    let levels = organization.scps.get_mut(SHOP).unwrap();
    levels[0]
        .policies
        .insert("p-freeze".to_owned(), content(&first));
    let (second, notes) = planned(&later, &frozen());
    assert!(!content(&second).to_string().contains("UnchainFreeze\""));
    assert!(!has(&notes, "can-be-outrun"));
}

#[test]
fn five_policies_leave_no_room_and_four_leave_it_to_the_freeze() {
    let names = |attached| {
        let (plan, notes) = planned(&member(attached), &frozen());
        assert!(
            notes.iter().all(|note| note.severity == Severity::Warn),
            "{notes:?}"
        );
        let organization = plan
            .steps
            .iter()
            .filter(|step| step.phase == Phase::Organization);
        let said = plan.open.iter().any(|open| open.why.contains("no room"));
        (organization.count(), said)
    };
    assert_eq!(names(3), (4, false));
    assert_eq!(names(4), (2, true));
    assert_eq!(names(5), (0, true));
}
