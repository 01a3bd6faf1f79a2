//! What the evaluator proves of a plan.

use super::common::{STORY, facts, now, seed_plan, settings, trail, with_report};
use std::collections::BTreeSet;
use unchain_core::contain::{
    Action, Facts, Level, Organization, Phase, Plan, Proof, ScpLevel, Settings, Verdict, outside,
    plan, prove,
};

fn story_plan(settings: &Settings) -> Plan {
    let trail = trail(STORY);
    with_report(&trail, |report| seed_plan(report, &trail, settings))
}

fn open(plan: &Plan, proof: &Proof) -> Vec<String> {
    let open = proof
        .standings
        .iter()
        .filter(|s| matches!(s.verdict, Verdict::Open(_)));
    open.map(|s| format!("{:?} {:?}", plan.subjects[s.subject as usize], s.verdict))
        .collect()
}

#[test]
fn the_plan_ends_every_credential_of_the_story() {
    for level in [Level::Contain, Level::Evict] {
        let plan = story_plan(&Settings {
            level,
            ..settings()
        });
        let proof = prove(&plan, &facts(), &[]);
        assert!(proof.holds(), "{:#?}", open(&plan, &proof));
        assert!(proof.standings.len() >= 8);
    }
}

#[test]
fn without_a_plan_nothing_is_proven() {
    let plan = story_plan(&Settings {
        level: Level::Observe,
        ..settings()
    });
    let proof = prove(&plan, &facts(), &[]);
    let ended = proof
        .standings
        .iter()
        .filter(|s| !matches!(s.verdict, Verdict::Open(_)));
    assert!(
        ended.clone().all(|s| matches!(s.verdict, Verdict::Over)),
        "{:?}",
        ended.collect::<Vec<_>>()
    );
    assert!(!proof.holds());
}

/// Both denies on one principal are one and the same policy, so both are left out together. Who has only credentials
/// whose time is over is denied all the same, and proves nothing.
#[test]
fn each_principal_left_out_is_noticed() {
    let whole = story_plan(&settings());
    let proof = prove(&whole, &facts(), &[]);
    let lives = |n: &u32| {
        let standing = proof.standings.iter().find(|s| s.subject == *n);
        standing.is_some_and(|s| s.verdict != Verdict::Over)
    };
    let denies = || whole.steps.iter().filter(|s| s.phase == Phase::Deny);
    let targets: BTreeSet<_> = denies()
        .filter(|s| s.subjects.iter().any(lives))
        .map(|s| s.target.clone())
        .collect();
    // The roles' sessions of the story last an hour; what lives by then are its users' credentials.
    assert!(targets.len() >= 2, "{targets:?}");
    for target in targets {
        let mut plan = whole.clone();
        let denies = [Phase::Deny, Phase::CutAgain];
        plan.steps
            .retain(|s| !(denies.contains(&s.phase) && s.target == target));
        assert!(
            !prove(&plan, &facts(), &[]).is_denied(),
            "{target:?} was not missed"
        );
    }
}

#[test]
fn each_key_left_out_is_noticed() {
    let whole = story_plan(&settings());
    let keys = whole
        .steps
        .iter()
        .filter(|s| s.phase == Phase::Keys)
        .map(|s| s.number);
    let keys: Vec<u32> = keys.collect();
    assert!(keys.len() >= 2);
    for number in keys {
        let mut plan = whole.clone();
        plan.steps.retain(|s| s.number != number);
        assert!(!prove(&plan, &facts(), &[]).holds());
    }
}

#[test]
fn carrying_a_plan_out_twice_is_carrying_it_out_once() {
    let plan = story_plan(&settings());
    let mut twice = plan.clone();
    twice.steps.extend(plan.steps.iter().cloned());
    assert_eq!(prove(&plan, &facts(), &[]), prove(&twice, &facts(), &[]));
}

#[test]
fn who_is_outside_keeps_what_they_had() {
    let trail = trail(STORY);
    with_report(&trail, |report| {
        let plan = seed_plan(report, &trail, &settings());
        let listed = [
            "user/build-bot",
            "user/olivia",
            "role/deploy",
            "role/web-server",
        ];
        let listed = listed.map(|name| format!("arn:aws:iam::111122223333:{name}"));
        let outside = outside(report, &plan, &listed);
        assert!(outside.len() >= 4, "{outside:?}");
        let proof = prove(&plan, &facts(), &outside);
        for kept in &proof.outside {
            assert!(kept.lost.is_empty() && kept.depends.is_empty(), "{kept:?}");
        }
    });
}

/// Two people in one role, of whom one has lost a key.
const SHARED: &str = r#"
    day 2026-03-02
    region us-east-1
    account 111122223333 as shop
    user eve in shop key EVE from 198.51.100.23
    user bob in shop key BOB from 192.0.2.15
    role app in shop max 12h
    14:00 bob BOB AssumeRole app as bob -> GOOD for 4h
    14:01 GOOD ListBuckets
    14:30 eve EVE AssumeRole app as eve -> BAD for 4h
    14:31 BAD ListBuckets
"#;

fn shared() -> String {
    SHARED
        .replace("bob BOB Assume", "BOB Assume")
        .replace("eve EVE Assume", "EVE Assume")
}

#[test]
fn a_shared_role_is_denied_session_by_session_until_it_is_evicted() {
    let trail = trail(&shared());
    with_report(&trail, |report| {
        let lost = |level| {
            let settings = Settings {
                level,
                ..settings()
            };
            let plan = plan(
                report,
                &Facts::default(),
                &settings,
                (trail.key("EVE").unwrap(), now()),
            );
            let outside = outside(report, &plan, &[]);
            let proof = prove(&plan, &Facts::default(), &outside);
            assert!(proof.holds(), "{:#?}", open(&plan, &proof));
            let good = proof
                .outside
                .iter()
                .find(|k| k.who.raw() == trail.key("GOOD").unwrap())
                .unwrap();
            let told = plan
                .steps
                .iter()
                .any(|s| s.breaks.iter().any(|b| b.who == good.who));
            (good.lost.len(), told)
        };
        assert_eq!(lost(Level::Contain), (0, false));
        assert_eq!(lost(Level::Evict), (1, true));
    });
}

#[test]
fn an_organization_denies_first_and_alone_would_do() {
    let mut facts = facts();
    let all = serde_json::json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}});
    let level = |target: &str| ScpLevel {
        target: target.to_owned(),
        policies: [("p-FullAWSAccess".to_owned(), all.clone())].into(),
    };
    let levels = |account: &str| (account.to_owned(), vec![level("r-1"), level(account)]);
    facts.organization = Some(Organization {
        management_account: "999999999999".to_owned(),
        scps: [levels("111122223333"), levels("444455556666")].into(),
    });
    let trail = trail(STORY);
    with_report(&trail, |report| {
        let mut plan = plan(
            report,
            &facts,
            &settings(),
            (trail.key("A").unwrap(), now()),
        );
        assert_eq!(plan.steps[0].phase, Phase::Organization);
        assert!(
            matches!(&plan.steps[0].action, Action::Call(call) if call.account.raw() == "999999999999")
        );
        plan.steps.retain(|step| step.phase == Phase::Organization);
        let proof = prove(
            &plan,
            &facts,
            &outside(
                report,
                &plan,
                &["arn:aws:iam::111122223333:user/olivia".to_owned()],
            ),
        );
        assert!(proof.is_denied(), "{:#?}", open(&plan, &proof));
        assert!(proof.outside.iter().all(|kept| kept.lost.is_empty()));
    });
}

/// A role that outsiders are let into, and a provider that vouches for them.
const OPENED: &str = r#"
    day 2026-03-02
    region us-east-1
    account 111122223333 as shop
    user alice in shop key A from 198.51.100.23
    role deploy in shop max 2h
    15:00 A UpdateAssumeRolePolicy deploy trust arn:aws:iam::999988887777:root
"#;

#[test]
fn a_door_that_the_lineage_opened_is_closed_and_services_stay() {
    let trail = trail(OPENED);
    let mut facts = facts();
    let role = facts
        .accounts
        .get_mut("111122223333")
        .unwrap()
        .roles
        .get_mut("deploy")
        .unwrap();
    role.trust["Statement"][0]["Principal"] = serde_json::json!({"AWS": "arn:aws:iam::999988887777:root", "Service": "ec2.amazonaws.com"});
    with_report(&trail, |report| {
        let plan = plan(
            report,
            &facts,
            &settings(),
            (trail.key("A").unwrap(), now()),
        );
        let proof = prove(&plan, &facts, &[]);
        assert!(proof.holds(), "{proof:#?}");
        let trust = plan
            .steps
            .iter()
            .find(|step| step.phase == Phase::Trust)
            .unwrap();
        assert!(trust.breaks.is_empty());
        let mut without = plan.clone();
        without.steps.retain(|step| step.phase != Phase::Trust);
        let proof = prove(&without, &facts, &[]);
        assert_eq!(proof.doors.len(), 1);
        assert!(!proof.holds());
    });
}

const STORIES: [(&str, &str); 9] = [
    (
        "assume-root",
        include_str!("../../../../scenarios/assume-root/story.trail"),
    ),
    (
        "cross-account-chain",
        include_str!("../../../../scenarios/cross-account-chain/story.trail"),
    ),
    (
        "federation-token",
        include_str!("../../../../scenarios/federation-token/story.trail"),
    ),
    (
        "identity-center",
        include_str!("../../../../scenarios/identity-center/story.trail"),
    ),
    (
        "instance-theft",
        include_str!("../../../../scenarios/instance-theft/story.trail"),
    ),
    (
        "mfa-registration",
        include_str!("../../../../scenarios/mfa-registration/story.trail"),
    ),
    (
        "role-chain",
        include_str!("../../../../scenarios/role-chain/story.trail"),
    ),
    (
        "role-juggling",
        include_str!("../../../../scenarios/role-juggling/story.trail"),
    ),
    (
        "spare-users",
        include_str!("../../../../scenarios/spare-users/story.trail"),
    ),
];

/// Without facts: the log alone is enough to deny, or to say what is left open.
#[test]
fn whatever_is_not_denied_is_told_as_open() {
    let mut denied = 0;
    for (name, story) in STORIES {
        let trail = trail(story);
        with_report(&trail, |report| {
            for node in report.credentials() {
                let pivot = report.label(node);
                let plan = plan(report, &Facts::default(), &settings(), (pivot.raw(), now()));
                assert!(!plan.subjects.is_empty(), "{name}: {pivot:?}");
                for standing in prove(&plan, &Facts::default(), &[]).standings {
                    let told = plan
                        .open
                        .iter()
                        .any(|open| open.subject == standing.subject);
                    let is_open = matches!(standing.verdict, Verdict::Open(_));
                    let subject = &plan.subjects[standing.subject as usize];
                    assert!(told || !is_open, "{name}: {subject:#?} {standing:?}");
                    denied += usize::from(matches!(standing.verdict, Verdict::Denied(_)));
                }
            }
        });
    }
    assert!(denied > 20, "{denied}");
}
