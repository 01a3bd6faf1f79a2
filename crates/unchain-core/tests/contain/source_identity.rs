//! Sessions of a shared role that a source identity tells apart, whatever name they are given.

use super::common::{SHOP, now, settings, trail, with_report};
use serde_json::Value;
use unchain_core::contain::{
    Action, Facts, Level, Organization, Phase, Plan, ScpLevel, Settings, Subject, Verdict, outside,
    plan, prove,
};
use unchain_core::text::Untrusted;
use unchain_trail::Trail;

/// Bob and Eve use one role. Eve's session says who she is, and it went on to another role that Bob uses too.
const STORY: &str = r#"
    day 2026-03-02
    region us-east-1
    account 111122223333 as shop
    user eve in shop key EVE from 198.51.100.23
    user bob in shop key BOB from 192.0.2.15
    role app in shop max 12h
    role data in shop max 12h
    14:00 BOB AssumeRole app as bob source-identity BOBS -> GOOD for 4h
    14:01 GOOD ListBuckets
    15:10 GOOD AssumeRole data as bob -> FINE for 1h
    15:11 FINE ListBuckets
    15:20 EVE AssumeRole app as eve source-identity eve@example.com -> BAD for 4h
    15:21 BAD ListBuckets
    15:22 BAD AssumeRole data as x1 -> WORSE for 1h
"#;

fn story(bobs: &str) -> Trail {
    trail(&STORY.replace("BOBS", bobs))
}

fn planned(trail: &Trail, facts: &Facts, level: Level) -> (Plan, Vec<Subject>) {
    let settings = Settings {
        level,
        ..settings()
    };
    with_report(trail, |report| {
        let pivot = trail.key("EVE").unwrap();
        let plan = plan(report, facts, &settings, (pivot, now()));
        let outside = outside(report, &plan, &[]);
        (plan, outside)
    })
}

/// The documents that deny by source identity, with the phase of their steps.
fn denies(plan: &Plan) -> Vec<(Phase, String, Value)> {
    let calls = plan.steps.iter().filter_map(|step| match &step.action {
        Action::Call(call) => Some((step, call)),
        _ => None,
    });
    let found = calls.filter_map(|(step, call)| {
        let of = |name: &str| call.parameters.get(name);
        let document = of("PolicyDocument").or_else(|| of("Content"))?;
        let target = step.target.raw().to_owned();
        Some((step.phase, target, document.clone()))
    });
    found
        .filter(|(_, _, document)| document.to_string().contains("aws:SourceIdentity"))
        .collect()
}

fn subject<'p>(plan: &'p Plan, trail: &Trail, key: &str) -> &'p Subject {
    let key = trail.key(key).unwrap();
    let named = |s: &&Subject| s.access_key_id.as_ref().is_some_and(|k| k.raw() == key);
    plan.subjects.iter().find(named).unwrap()
}

#[test]
fn a_session_that_was_never_used_has_the_source_identity_of_the_one_it_came_from() {
    let trail = story("bob@example.com");
    let (plan, outside) = planned(&trail, &Facts::default(), Level::Contain);
    for key in ["BAD", "WORSE"] {
        let identity = &subject(&plan, &trail, key).source_identity;
        assert_eq!(identity.as_ref().unwrap().raw(), "eve@example.com", "{key}");
    }
    assert_eq!(subject(&plan, &trail, "EVE").source_identity, None);
    let others = outside.iter().filter_map(|s| s.source_identity.as_ref());
    assert!(
        others.clone().count() >= 2 && others.into_iter().all(|i| i.raw() == "bob@example.com")
    );
}

/// What the lineage gets within the seconds that a deny needs, under a session name that no plan can know.
#[test]
fn a_shared_role_is_denied_to_the_source_identity_under_any_session_name() {
    let trail = story("bob@example.com");
    let (mut plan, outside) = planned(&trail, &Facts::default(), Level::Contain);
    let targets = |plan: &Plan| denies(plan).len();
    assert_eq!(targets(&plan), 2, "{:#?}", plan.steps);
    let of = subject(&plan, &trail, "WORSE").clone();
    let role = of
        .user_id
        .as_ref()
        .unwrap()
        .raw()
        .split(':')
        .next()
        .unwrap();
    plan.subjects.push(Subject {
        user_id: Some(Untrusted::new(format!("{role}:x2"))),
        principal_arn: Some(Untrusted::new(format!(
            "arn:aws:sts::{SHOP}:assumed-role/data/x2"
        ))),
        issued_at: Some(now().plus(20)),
        ..of
    });
    let last = |plan: &Plan| {
        prove(plan, &Facts::default(), &outside)
            .standings
            .pop()
            .unwrap()
    };
    assert!(
        matches!(last(&plan).verdict, Verdict::Denied(_)),
        "{:?}",
        last(&plan)
    );
    let kept = prove(&plan, &Facts::default(), &outside).outside;
    assert!(kept.len() >= 2, "{kept:?}");
    assert!(
        kept.iter()
            .all(|k| k.lost.is_empty() && k.depends.is_empty()),
        "{kept:?}"
    );

    // Without the source identity it would live.
    for subject in &mut plan.subjects {
        subject.source_identity = None;
    }
    assert!(matches!(last(&plan).verdict, Verdict::Open(_)));
}

#[test]
fn who_has_no_source_identity_is_not_hit() {
    let trail = trail(&STORY.replace(" source-identity BOBS", ""));
    let (plan, outside) = planned(&trail, &Facts::default(), Level::Contain);
    assert_eq!(denies(&plan).len(), 2);
    let kept = prove(&plan, &Facts::default(), &outside).outside;
    assert!(kept.len() >= 2, "{kept:?}");
    assert!(
        kept.iter()
            .all(|k| k.lost.is_empty() && k.depends.is_empty()),
        "{kept:?}"
    );
}

#[test]
fn a_source_identity_that_others_have_too_denies_nobody() {
    let trail = story("eve@example.com");
    let (plan, _) = planned(&trail, &Facts::default(), Level::Contain);
    assert_eq!(denies(&plan), []);
}

#[test]
fn where_every_session_is_cut_off_none_is_told_apart() {
    let trail = story("bob@example.com");
    let (plan, _) = planned(&trail, &Facts::default(), Level::Evict);
    assert_eq!(denies(&plan), []);
}

#[test]
fn the_organization_denies_it_on_those_roles_only() {
    let all = serde_json::json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}});
    let level = |target: &str| ScpLevel {
        target: target.to_owned(),
        policies: [("p-FullAWSAccess".to_owned(), all.clone())].into(),
    };
    let facts = Facts {
        organization: Some(Organization {
            management_account: "999999999999".to_owned(),
            scps: [(SHOP.to_owned(), vec![level("r-1"), level(SHOP)])].into(),
        }),
        ..Facts::default()
    };
    let trail = story("bob@example.com");
    let (plan, _) = planned(&trail, &facts, Level::Contain);
    let denies = denies(&plan);
    let scps = denies.iter().filter(|d| d.0 == Phase::Organization);
    let statements = scps.flat_map(|(_, _, document)| document["Statement"].as_array().unwrap());
    let named = statements.filter(|s| s["Sid"] == "UnchainSourceIdentity");
    let roles: Vec<&Value> = named
        .map(|s| &s["Condition"]["ArnEquals"]["aws:PrincipalArn"])
        .collect();
    let role = |name: &str| Value::from(format!("arn:aws:iam::{SHOP}:role/{name}"));
    assert_eq!(roles, [&role("app"), &role("data")]);
}
