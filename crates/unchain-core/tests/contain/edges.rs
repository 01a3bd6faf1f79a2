//! What the lab showed to be wrong with plans: each case once, without the lab.

use super::common::{SHOP, STORY, facts, now, settings, trail, with_report};
use serde_json::json;
use unchain_core::contain::{Action, Call, Facts, Plan, Verdict, plan, prove};

const BACKDOOR: &str = include_str!("../../../../scenarios/oidc-backdoor/story.trail");

fn calls(plan: &Plan) -> Vec<&Call> {
    let calls = plan.steps.iter().filter_map(|step| match &step.action {
        Action::Call(call) => Some(call),
        _ => None,
    });
    calls.collect()
}

/// A role whose trust policy the lineage changed in favour of a provider that it made: both are closed in the end.
#[test]
fn a_role_is_closed_to_outsiders_and_to_a_provider() {
    let provider = format!("arn:aws:iam::{SHOP}:oidc-provider/tokens.example.net");
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Principal": {"Federated": provider}, "Action": "sts:AssumeRoleWithWebIdentity"}]});
    let details = json!({"UserDetailList": [], "RoleDetailList": [{"RoleName": "deploy", "RoleId": "AROADEPLOY",
        "Arn": format!("arn:aws:iam::{SHOP}:role/deploy"), "AssumeRolePolicyDocument": trust}]});
    let mut facts = Facts::default();
    facts.read(&details.to_string(), None).unwrap();
    let story = trail(BACKDOOR);
    with_report(&story, |report| {
        let plan = plan(
            report,
            &facts,
            &settings(),
            (story.key("A").unwrap(), now()),
        );
        let closes = calls(&plan)
            .into_iter()
            .filter(|call| call.action == "UpdateAssumeRolePolicy");
        let closes: Vec<String> = closes
            .map(|call| call.parameters["PolicyDocument"].to_string())
            .collect();
        let last = closes.last().unwrap();
        assert!(
            last.contains("aws:PrincipalAccount") && last.matches("UnchainClosed").count() == 2,
            "{last}"
        );
        assert!(prove(&plan, &facts, &[]).doors.is_empty());
    });
}

#[test]
fn an_account_that_was_not_read_is_left_open_and_stops_nothing() {
    let story = trail(STORY);
    with_report(&story, |report| {
        let plan = plan(
            report,
            &facts(),
            &settings(),
            (story.key("A").unwrap(), now()),
        );
        assert!(calls(&plan).iter().all(|call| call.account.raw() == SHOP));
        let elsewhere = plan
            .subjects
            .iter()
            .position(|s| s.access_key_id.as_ref().map(|k| k.raw()) == story.key("X"));
        let told =
            |open: &&unchain_core::contain::Open| open.subject as usize == elsewhere.unwrap();
        assert!(
            plan.open
                .iter()
                .filter(told)
                .any(|open| open.why.contains("not read"))
        );
        // Where nothing was read, the log alone has to do.
        let blind = unchain_core::contain::plan(
            report,
            &Facts::default(),
            &settings(),
            (story.key("A").unwrap(), now()),
        );
        assert!(calls(&blind).iter().any(|call| call.account.raw() != SHOP));
    });
}

/// No record tells the unique id of a user whose key was never used; the accounts do.
#[test]
fn a_key_that_was_never_used_is_denied_by_what_the_accounts_know() {
    let used = |line: &&str| !line.contains(" SPARE ") && !line.starts_with("15:");
    let text: Vec<&str> = STORY.lines().filter(used).collect();
    let story = trail(&text.join("\n"));
    with_report(&story, |report| {
        let plan = plan(
            report,
            &facts(),
            &settings(),
            (story.key("A").unwrap(), now()),
        );
        let key = story.key("SPARE").unwrap();
        let place = plan
            .subjects
            .iter()
            .position(|s| s.access_key_id.as_ref().is_some_and(|k| k.raw() == key));
        let place = u32::try_from(place.unwrap()).unwrap();
        assert!(
            plan.subjects[place as usize].user_id.is_none(),
            "the case is not the one meant"
        );
        let proof = prove(&plan, &facts(), &[]);
        let standing = proof.standings.iter().find(|s| s.subject == place).unwrap();
        assert!(
            matches!(standing.verdict, Verdict::Denied(_)),
            "{standing:?}"
        );
    });
}
