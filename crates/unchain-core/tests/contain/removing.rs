//! Deleting what a lineage made: with all that keeps IAM from it, as far as it was read. And the account's own quotas.

use super::common::{SHOP, STORY, facts, now, settings, trail, with_report};
use super::everything::{OWN, Which, everything, iam, of_steps};
use serde_json::json;
use unchain_core::contain::{
    Action, Call, Facts, Level, Phase, Plan, Removal, Settings, Step, Undo, check, cli_script,
    plan, validate,
};
use unchain_core::text::Untrusted;

fn evict() -> Settings {
    Settings {
        level: Level::Evict,
        removal: Removal::Remove,
        ..settings()
    }
}

fn planned(facts: &Facts, settings: &Settings) -> (Plan, Vec<String>) {
    let trail = trail(STORY);
    with_report(&trail, |report| {
        let plan = plan(report, facts, settings, (trail.key("A").unwrap(), now()));
        let notes = check(&plan, report, facts, now());
        let notes = notes
            .iter()
            .map(|note| format!("{} {}", note.code, note.why));
        (plan, notes.collect())
    })
}

fn calls(plan: &Plan) -> impl Iterator<Item = (&Step, &Call)> {
    plan.steps.iter().filter_map(|step| match &step.action {
        Action::Call(call) => Some((step, call)),
        _ => None,
    })
}

/// The deletions in front of `DeleteUser`, with what each is about.
fn removed(plan: &Plan) -> Vec<String> {
    let all = calls(plan).filter(|(step, _)| step.phase == Phase::Remove);
    let all = all.map(|(_, call)| {
        let named = call
            .parameters
            .iter()
            .filter(|(name, _)| *name != "UserName");
        let named: Vec<String> = named
            .map(|(_, value)| value.as_str().unwrap().to_owned())
            .collect();
        format!("{} {}", call.action, named.join(" "))
            .trim()
            .to_owned()
    });
    let all: Vec<String> = all.collect();
    let end = all.iter().position(|call| call == "DeleteUser").unwrap();
    all.into_iter().take(end).collect()
}

/// The user has no room for an inline policy.
fn full(facts: &mut Facts, user: &str) {
    let shop = facts.accounts.get_mut(SHOP).unwrap();
    let long = json!({"Statement": [{"Sid": "x".repeat(2_000)}]});
    let policies = &mut shop.users.get_mut(user).unwrap().policies;
    policies.inline = [("long".to_owned(), long)].into();
}

#[test]
fn a_user_is_deleted_with_all_that_was_read_of_it_and_with_the_plans_own_policies() {
    let mut facts = facts();
    full(&mut facts, "svc-backup");
    let user = facts
        .accounts
        .get_mut(SHOP)
        .unwrap()
        .users
        .get_mut("svc-backup")
        .unwrap();
    user.keys = [("AKIAUNSEEN".to_owned(), true)].into();
    user.service_credentials = [("ACCAUNSEEN".to_owned(), true)].into();
    user.mfa_devices = ["arn:aws:iam::111122223333:mfa/unseen".to_owned()].into();
    user.groups = ["admins".to_owned()].into();
    let (plan, notes) = planned(&facts, &evict());
    assert_eq!(validate(&plan), Ok(()));
    let removed = removed(&plan);
    let own = format!(
        "arn:aws:iam::{SHOP}:policy/UnchainContain-{}-user-svc-backup-0",
        plan.id
    );
    for call in [
        "DeleteLoginProfile",
        "DeleteAccessKey AKIAUNSEEN",
        "DeleteServiceSpecificCredential ACCAUNSEEN",
        "DeactivateMFADevice arn:aws:iam::111122223333:mfa/unseen",
        "DeleteVirtualMFADevice arn:aws:iam::111122223333:mfa/unseen",
        "RemoveUserFromGroup admins",
        "DeleteUserPolicy long",
        &format!("DetachUserPolicy {own}"),
        &format!("DeletePolicy {own}"),
    ] {
        let times = removed.iter().filter(|other| *other == call).count();
        assert_eq!(times, 1, "{call}: {removed:#?}");
    }
    let places = [
        format!("DetachUserPolicy {own}"),
        format!("DeletePolicy {own}"),
    ];
    let places = places.map(|call| removed.iter().position(|other| *other == call));
    assert!(places.is_sorted());
    assert!(
        notes.iter().any(|note| note.contains("SSH keys")),
        "{notes:?}"
    );
    // The script has no engine that deletes the first of two versions.
    let script = cli_script(&plan);
    let called = script.lines().filter(|line| line.starts_with("aws "));
    let called: Vec<&str> = called.collect();
    let place = |action: &str| called.iter().position(|line| line.contains(action));
    let (version, policy) = (
        place("iam delete-policy-version"),
        place("iam delete-policy "),
    );
    assert!(version.is_some() && version < policy, "{called:#?}");
}

#[test]
fn what_was_not_read_of_a_user_is_said_where_it_is_deleted() {
    let (plan, notes) = planned(&Facts::default(), &evict());
    assert!(calls(&plan).any(|(_, call)| call.action == "DeleteUser"));
    assert!(
        notes
            .iter()
            .any(|note| note.contains("what it has was not read")),
        "{notes:?}"
    );
}

#[test]
fn a_plan_has_the_room_that_the_account_has() {
    let mut facts = facts();
    full(&mut facts, "alice");
    let shop = facts.accounts.get_mut(SHOP).unwrap();
    shop.users.get_mut("alice").unwrap().policies.attached = (0..10)
        .map(|n| format!("arn:aws:iam::aws:policy/{n}"))
        .collect();
    let attached = |facts: &Facts| {
        let (plan, notes) = planned(facts, &settings());
        let of = |call: &Call| {
            call.action == "AttachUserPolicy" && call.parameters["UserName"] == "alice"
        };
        let count = calls(&plan).filter(|(_, call)| of(call)).count();
        (
            count > 0,
            notes.iter().any(|note| note.starts_with("quota")),
        )
    };
    assert_eq!(attached(&facts), (false, false));
    let shop = facts.accounts.get_mut(SHOP).unwrap();
    shop.summary
        .insert("AttachedPoliciesPerUserQuota".to_owned(), 20);
    assert_eq!(attached(&facts), (true, false));
}

#[test]
fn only_managed_policies_of_the_plan_are_deleted() {
    let deletion = |arn: &str| {
        let mut steps = everything(Which::Everything).steps;
        let action = iam("DeletePolicy", &json!({"PolicyArn": arn}));
        let last = steps.last().unwrap().clone();
        let undo = Undo::Never("gone is gone".to_owned());
        steps.push(Step {
            action,
            undo,
            target: Untrusted::new(arn),
            ..last
        });
        validate(&of_steps(steps)).map_err(|error| error.why)
    };
    let name = "its policy has not the name of the plan's own";
    assert_eq!(
        deletion("arn:aws:iam::111122223333:policy/theirs"),
        Err(name)
    );
    assert_eq!(
        deletion("arn:aws:iam::111122223333:policy/UnchainContain-00000000-0"),
        Err(name)
    );
    assert_eq!(
        deletion(&format!(
            "arn:aws:iam::111122223333:policy/{OWN}-role-big-0"
        )),
        Ok(())
    );
}
