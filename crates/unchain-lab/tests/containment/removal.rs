//! A user that the lineage made, with more sessions than a plan can name in an inline policy, and who got hold of the
//! plan's names before it was carried out: contained, and then deleted with all that it has.

use super::actuator::Stage;
use super::apply::Run;
use super::probe::{probe, works};
use super::scene::{Scene, Setting};
use super::stories::{planned, verified};
use serde_json::{Value, json};
use std::fmt::Write as _;
use unchain_core::contain::{Action, Containment, End, Level, Plan, Removal, Settings};
use unchain_lab::service::Service;

const SESSIONS: usize = 70;

fn story() -> String {
    let mut story = String::from(
        "day 2026-03-02\naccount 111122223333 as shop\n\
         user alice in shop key A from 192.0.2.14\nuser olivia in shop key OLIVIA from 192.0.2.16\n\n\
         08:00 A ListBuckets\n09:00 A CreateUser spare\n09:00:20 A AttachUserPolicy spare AdministratorAccess\n\
         09:00:40 A CreateAccessKey spare -> S\n09:01 A CreateLoginProfile spare\n09:02 S ListBuckets\n",
    );
    for n in 0..SESSIONS {
        let (minute, second) = (3 + n / 60, n % 60);
        let _ = writeln!(
            story,
            "09:{minute:02}:{second:02} S GetFederationToken one-of-so-many-sessions-{n} \
             policy arn:aws:iam::aws:policy/AdministratorAccess -> F{n} for 36h"
        );
    }
    story + "10:00 OLIVIA ListBuckets\n10:01 OLIVIA ListBuckets\n"
}

fn allow(characters: usize) -> Value {
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Sid": "x".repeat(characters), "Effect": "Allow",
        "Action": "*", "Resource": "*"}]});
    json!(policy.to_string())
}

/// Policies that allow everything, under the names that the plan has for its own.
fn squat(scene: &Scene, plan: &Plan) {
    let name = format!("UnchainContain-{}", plan.id);
    let inline = json!({"UserName": "spare", "PolicyName": name, "PolicyDocument": allow(1)});
    let managed = json!({"PolicyName": format!("{name}-user-spare-0"), "PolicyDocument": allow(1)});
    let keys = &scene.held["S"];
    for (action, params) in [("PutUserPolicy", inline), ("CreatePolicy", managed.clone())] {
        scene.ask((Service::Iam, action), params, keys).unwrap();
    }
    let arn = format!("arn:aws:iam::111122223333:policy/{name}-user-spare-0");
    let attach = json!({"UserName": "spare", "PolicyArn": arn});
    scene
        .ask((Service::Iam, "AttachUserPolicy"), attach, keys)
        .unwrap();
    for _ in 0..4 {
        let version = json!({"PolicyArn": arn, "PolicyDocument": allow(1), "SetAsDefault": "true"});
        scene
            .ask((Service::Iam, "CreatePolicyVersion"), version, keys)
            .unwrap();
    }
}

fn calls(plan: &Plan, name: &str) -> usize {
    let calls = plan.steps.iter().filter(|step| match &step.action {
        Action::Call(call) => call.action == name,
        _ => false,
    });
    calls.count()
}

/// Contains and removes the user. Where its own policy has the length, no other fits beside it, and the time of issue
/// is denied by a managed policy too.
fn removed(own_policy: usize) {
    let setting = Setting {
        until: Some((10, 0)),
        ..Setting::default()
    };
    let scene = Scene::play(&story(), setting);
    let own =
        json!({"UserName": "spare", "PolicyName": "own", "PolicyDocument": allow(own_policy)});
    let alice = &scene.held["A"];
    scene
        .ask((Service::Iam, "PutUserPolicy"), own, alice)
        .unwrap();
    let settings = Settings {
        level: Level::Evict,
        removal: Removal::Remove,
        exempt: scene.exempt(),
        ..Settings::default()
    };
    let plan = planned(&scene, &scene.held["A"].id, &settings).plan;
    let made = calls(&plan, "CreatePolicy");
    assert!(made >= 2 && made == calls(&plan, "DeletePolicy"), "{made}");
    assert_eq!(calls(&plan, "CreatePolicyVersion") > 0, own_policy > 1_000);
    squat(&scene, &plan);
    let (mut stage, mut run) = (Stage::new(&scene), Run::of(&plan));
    run.go(&mut stage).unwrap();
    for label in ["A", "S", "F0", &format!("F{}", SESSIONS - 1)] {
        assert!(
            works(&probe(&scene, &scene.held[label])).is_empty(),
            "{label}"
        );
    }
    let found = verified(&scene, &plan, &run.journal);
    assert_eq!(found.outcome, Containment::Contained, "{:?}", found.missing);
    run.verified(&mut stage);
    assert_eq!(run.go(&mut stage).unwrap().end, End::Complete);
    let left = scene.facts();
    let shop = &left.accounts["111122223333"];
    assert!(!shop.users.contains_key("spare") && shop.users.contains_key("alice"));
    let ours = |arn: &&String| arn.contains("UnchainContain") && arn.contains("spare");
    assert_eq!(shop.policies.keys().find(ours), None);
    let found = verified(&scene, &plan, &run.journal);
    assert_eq!(found.outcome, Containment::Contained, "{:?}", found.missing);
}

#[test]
fn a_user_with_many_sessions_is_deleted_with_the_policies_of_the_plan() {
    removed(1);
}

#[test]
fn a_user_whose_inline_policies_are_full_is_deleted_too() {
    removed(1_850);
}
