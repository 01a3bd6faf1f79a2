//! What a plan says, and what speaks against it.

use super::common::{
    SHOP, STORY, facts, keys, member, now, seed_plan, settings, trail, with_report,
    with_ten_thousand_roles,
};
use serde_json::json;
use unchain_core::contain::{
    Action, Level, Phase, Plan, Removal, Settings, Severity, Undo, check, digest, from_json, plan,
    prove, to_json,
};
use unchain_core::text::Untrusted;

fn codes(plan: &Plan, severity: Severity, at: unchain_core::time::Timestamp) -> Vec<&'static str> {
    let trail = trail(STORY);
    with_report(&trail, |report| {
        let notes = check(plan, report, &facts(), at);
        notes
            .into_iter()
            .filter(|note| note.severity == severity)
            .map(|note| note.code)
            .collect()
    })
}

fn seed(settings: &Settings) -> Plan {
    let trail = trail(STORY);
    with_report(&trail, |report| seed_plan(report, &trail, settings))
}

#[test]
fn the_whole_lineage_is_in_the_plan_whatever_the_pivot() {
    let story = trail(STORY);
    with_report(&story, |report| {
        let mut pivots = ["A", "B", "C", "D", "SPARE"].map(|label| {
            let pivot = story.key(label).unwrap();
            keys(&plan(report, &facts(), &settings(), (pivot, now())))
        });
        let first = pivots[0].clone();
        for label in ["A", "B", "BM", "C", "D", "X", "SPARE"] {
            assert!(
                first.contains(story.key(label).unwrap()),
                "{label} is missing"
            );
        }
        for label in ["BUILD", "OLIVIA", "REL", "WEB"] {
            assert!(
                story.key(label).is_none_or(|key| !first.contains(key)),
                "{label} is in it"
            );
        }
        assert!(pivots.iter_mut().all(|keys| *keys == first));
    });
}

#[test]
fn steps_stand_in_the_order_of_their_phases_and_each_can_be_undone() {
    let plan = seed(&settings());
    let phases: Vec<Phase> = plan.steps.iter().map(|step| step.phase).collect();
    assert!(phases.is_sorted(), "{phases:?}");
    for phase in [
        Phase::Deny,
        Phase::Wait,
        Phase::CutAgain,
        Phase::Keys,
        Phase::Verify,
    ] {
        assert!(phases.contains(&phase), "{phase:?} is missing");
    }
    assert!(
        plan.steps
            .iter()
            .all(|step| !matches!(step.undo, Undo::Never(_)))
    );
    let first = plan
        .steps
        .iter()
        .find(|step| step.phase == Phase::Deny)
        .unwrap();
    assert!(
        first.target.raw().ends_with("user/alice"),
        "{:?}",
        first.target
    );
    assert!(
        plan.steps
            .iter()
            .filter(|s| s.phase == Phase::Deny)
            .all(|s| !s.subjects.is_empty())
    );
}

#[test]
fn the_same_case_gives_the_same_bytes() {
    let (one, two) = (seed(&settings()), seed(&settings()));
    let text = to_json(&one).unwrap();
    assert_eq!(text, to_json(&two).unwrap());
    let read = from_json(&text).unwrap();
    assert_eq!(read, one);
    assert_eq!(digest(&read).unwrap(), digest(&two).unwrap());
    let other = Settings {
        level: Level::Evict,
        ..settings()
    };
    assert_ne!(digest(&one).unwrap(), digest(&seed(&other)).unwrap());
    assert!(from_json(&text.replace("\"version\": 1", "\"version\": 2")).is_err());
}

#[test]
fn observing_changes_nothing() {
    let plan = seed(&Settings {
        level: Level::Observe,
        ..settings()
    });
    assert!(
        plan.steps
            .iter()
            .all(|step| matches!(step.action, Action::Verify { .. }))
    );
    assert_eq!(plan.steps.len(), 1);
}

#[test]
fn what_the_lineage_made_is_deleted_only_when_asked() {
    let evict = Settings {
        level: Level::Evict,
        ..settings()
    };
    let listed = seed(&evict);
    assert!(!listed.made.is_empty());
    assert!(listed.steps.iter().all(|step| step.phase < Phase::Remove));
    let removed = seed(&Settings {
        removal: Removal::Remove,
        ..evict
    });
    let called = |name: &str| {
        removed
            .steps
            .iter()
            .filter(|step| matches!(&step.action, Action::Call(call) if call.action == name))
            .count()
    };
    assert_eq!(called("DeleteUser"), 1, "only svc-backup was made");
    assert!(called("DeleteAccessKey") >= 1 && called("DeleteVirtualMFADevice") >= 2);
    assert!(codes(&removed, Severity::Warn, now()).contains(&"cannot-be-undone"));
}

#[test]
fn a_sound_plan_is_not_refused() {
    assert_eq!(
        codes(&seed(&settings()), Severity::Refuse, now()),
        Vec::<&str>::new()
    );
}

#[test]
fn a_plan_whose_cut_off_is_near_is_refused() {
    let plan = seed(&settings());
    assert_eq!(
        codes(&plan, Severity::Refuse, plan.valid_until),
        ["expired"]
    );
}

#[test]
fn a_plan_that_locks_its_responder_out_is_refused() {
    let role = Untrusted::new(format!("arn:aws:iam::{SHOP}:role/customer-data-admin"));
    let plan = seed(&settings());
    let plan = Plan {
        settings: Settings {
            exempt: vec![role],
            ..settings()
        },
        ..plan
    };
    assert!(codes(&plan, Severity::Refuse, now()).contains(&"locks-out"));
}

#[test]
fn a_plan_without_one_credential_is_refused() {
    let mut plan = seed(&settings());
    let trail = trail(STORY);
    let key = trail.key("SPARE").unwrap();
    plan.subjects
        .retain(|s| s.access_key_id.as_ref().is_none_or(|k| k.raw() != key));
    assert!(codes(&plan, Severity::Refuse, now()).contains(&"misses-credential"));
}

#[test]
fn a_plan_older_than_the_ledger_is_told() {
    let mut plan = seed(&settings());
    plan.ledger.events -= 1;
    assert!(codes(&plan, Severity::Warn, now()).contains(&"older-than-ledger"));
}

#[test]
fn a_plan_that_lacks_a_phase_is_refused() {
    for phase in [Phase::Wait, Phase::CutAgain, Phase::Verify] {
        let mut plan = seed(&settings());
        plan.steps.retain(|step| step.phase != phase);
        assert!(
            codes(&plan, Severity::Refuse, now()).contains(&"incomplete"),
            "{phase:?}"
        );
    }
}

/// A session's name comes from whoever took the role.
#[test]
fn names_from_the_log_are_no_wildcards_in_a_policy() {
    let story = STORY
        .replace(" as report ", " as * ")
        .replace(" as report-2 ", " as ${aws:userid} ");
    let Ok(trail) = unchain_trail::Trail::parse(&story) else {
        panic!("the story can be told with any name");
    };
    let facts = member([]);
    with_report(&trail, |report| {
        let plan = plan(
            report,
            &facts,
            &settings(),
            (trail.key("A").unwrap(), now()),
        );
        let documents = plan.steps.iter().filter_map(|step| match &step.action {
            Action::Call(call) => call
                .parameters
                .get("PolicyDocument")
                .or(call.parameters.get("Content")),
            _ => None,
        });
        let text: String = documents.map(|document| document.to_string()).collect();
        assert!(
            text.contains("aws:userid") && !text.contains(":*\"") && !text.contains("${"),
            "{text}"
        );
    });
}

#[test]
fn ten_thousand_principals_change_nothing_in_the_plan() {
    let trail = trail(STORY);
    let many = with_ten_thousand_roles("deploy");
    with_report(&trail, |report| {
        let steps = |facts| {
            plan(report, facts, &settings(), (trail.key("A").unwrap(), now()))
                .steps
                .len()
        };
        assert_eq!(steps(&many), steps(&facts()));
    });
}

/// The role is opened to strangers and trusts two providers of the lineage's: three reasons to close it, in one step.
#[test]
fn a_trust_policy_is_closed_for_every_reason_at_once() {
    let trail = trail(
        "day 2026-03-02\nregion us-east-1\naccount 111122223333 as shop\nrole deploy in shop\n\
         user alice in shop key A from 198.51.100.23\n\
         15:00 A CreateOpenIDConnectProvider https://one.example.net\n\
         15:01 A UpdateAssumeRolePolicy deploy trust arn:aws:iam::999988887777:root\n\
         15:02 A CreateOpenIDConnectProvider https://two.example.net\n",
    );
    let mut facts = facts();
    let shop = facts.accounts.get_mut(SHOP).unwrap();
    let providers =
        ["one", "two"].map(|name| format!("arn:aws:iam::{SHOP}:oidc-provider/{name}.example.net"));
    let principal = json!({"AWS": "arn:aws:iam::999988887777:root", "Federated": providers});
    shop.roles.get_mut("deploy").unwrap().trust["Statement"][0]["Principal"] = principal;
    with_report(&trail, |report| {
        let plan_of = |facts| plan(report, facts, &settings(), (trail.key("A").unwrap(), now()));
        let written = |plan: &Plan| {
            let trust = plan.steps.iter().filter(|step| step.phase == Phase::Trust);
            let documents = trust.map(|step| match &step.action {
                Action::Call(call) => call.parameters["PolicyDocument"].clone(),
                other => panic!("{other:?}"),
            });
            documents.collect::<Vec<_>>()
        };
        let first = plan_of(&facts);
        let documents = written(&first);
        assert_eq!(documents.len(), 1);
        let last = documents.last().unwrap();
        let denies = last["Statement"].as_array().unwrap();
        let denies: Vec<_> = denies.iter().filter(|s| s["Effect"] == "Deny").collect();
        assert_eq!(denies.len(), 2, "{last:#}");
        let text = last.to_string();
        assert!(text.contains("one.example.net") && text.contains("two.example.net"));
        let sids: std::collections::BTreeSet<_> =
            denies.iter().map(|s| s["Sid"].as_str().unwrap()).collect();
        assert_eq!(sids.len(), 2, "a Sid is there once in a policy");
        assert!(prove(&first, &facts, &[]).doors.is_empty());
        // Planned again, nothing is added to what is closed, and nothing of it is lost.
        let mut closed = facts.clone();
        let shop = closed.accounts.get_mut(SHOP).unwrap();
        shop.roles.get_mut("deploy").unwrap().trust = last.clone();
        let again = written(&plan_of(&closed));
        assert!(again.iter().all(|document| document == last), "{again:#?}");
    });
}

/// Olivia made the key that leaked. She is exempt: neither she nor the key counts as made by the lineage.
#[test]
fn what_an_exempt_principal_made_is_contained_and_not_deleted() {
    let trail = trail(
        "day 2026-03-02\nregion us-east-1\naccount 111122223333 as shop\nuser alice in shop from 192.0.2.14\n\
         user olivia in shop key OLIVIA from 192.0.2.16\n08:00 OLIVIA CreateAccessKey alice -> A\n\
         09:00 A GetSessionToken -> B for 36h\n09:01 B ListBuckets\n",
    );
    let settings = Settings {
        level: Level::Evict,
        removal: Removal::Remove,
        ..settings()
    };
    with_report(&trail, |report| {
        let (plan_of, own) = (
            |s: &Settings| plan(report, &facts(), s, (trail.key("B").unwrap(), now())),
            trail.key("A").unwrap(),
        );
        let kept = plan_of(&settings);
        assert!(keys(&kept).contains(own) && !keys(&kept).contains(trail.key("OLIVIA").unwrap()));
        assert!(
            kept.steps.iter().all(|step| step.phase < Phase::Remove),
            "{:#?}",
            kept.steps
        );
        let notes = check(&kept, report, &facts(), now());
        assert!(notes.iter().any(|note| note.code == "misses-ancestor"));
        let all = plan_of(&Settings {
            exempt: Vec::new(),
            ..settings.clone()
        });
        assert!(keys(&all).contains(trail.key("OLIVIA").unwrap()));
    });
}
