//! What is said of a plan after it was carried out: the three proofs, each alone and all together.

use super::carried::carried_out;
use super::common::{SHOP, STORY, facts, ledger, seed_plan, settings, trail, with_report};
use serde_json::Value;
use unchain_core::contain::{
    Action, Conclusion, Containment, Evidence, Facts, Happened, Level, MissingHow, Organization,
    Phase, Plan, Receipt, ScpLevel, Settings, State, User, Verification, Work, digest, plan,
    verify,
};
use unchain_core::digest::Digest;
use unchain_core::lineage::Lineage;
use unchain_core::report::Report;
use unchain_core::text::Untrusted;
use unchain_core::time::{HOUR, Timestamp, seconds};

const LATER: &str = "2026-03-02T17:10:00Z";
/// The account with the backups logs in the evening too; the shop does all day.
const EVENING: &str = "
16:25 BOB SwitchRole shared/auditor -> EVENING
16:26 EVENING DescribeTrails
17:01 EVENING LookupEvents
";

pub(crate) fn later() -> Timestamp {
    Timestamp::parse(LATER).unwrap()
}

/// The accounts before the plan, with the keys that their users have.
pub(crate) fn before() -> Facts {
    let mut facts = facts();
    let story = trail(STORY);
    let users = &mut facts.accounts.get_mut(SHOP).unwrap().users;
    for (user, label, active) in [
        ("alice", "A", false),
        ("svc-backup", "SPARE", true),
        ("build-bot", "BUILD", true),
        ("olivia", "OLIVIA", true),
    ] {
        let key = story.key(label).unwrap().to_owned();
        users.get_mut(user).unwrap().keys.insert(key, active);
    }
    facts
}

pub(crate) fn seed(settings: &Settings) -> Plan {
    let trail = trail(STORY);
    with_report(&trail, |report| seed_plan(report, &trail, settings))
}

fn user<'f>(facts: &'f mut Facts, name: &str) -> &'f mut User {
    let users = &mut facts.accounts.get_mut(SHOP).unwrap().users;
    users.get_mut(name).unwrap()
}

fn by_facts(plan: &Plan, facts: &Facts) -> Verification {
    let evidence = Evidence {
        facts: Some(facts),
        report: None,
        receipts: &[],
        replies: &[],
    };
    verify(plan, evidence, later())
}

/// The verification with the story's log and these lines more.
fn by_log(
    plan: &Plan,
    facts: Option<&Facts>,
    (lines, receipts): (&str, &[Receipt]),
) -> Verification {
    let trail = trail(&format!("{STORY}{lines}"));
    let ledger = ledger(&trail);
    let lineage = Lineage::build(&ledger);
    let report = Report::new(&lineage, later());
    let evidence = Evidence {
        facts,
        report: Some(&report),
        receipts,
        replies: &[],
    };
    verify(plan, evidence, later())
}

fn is_refuted(conclusion: &Conclusion) -> bool {
    matches!(conclusion, Conclusion::Refuted(_))
}

fn says(conclusion: &Conclusion, who: &str) -> bool {
    conclusion
        .reasons()
        .iter()
        .any(|reason| reason.about.raw() == who)
}

pub(crate) fn key(label: &str) -> String {
    trail(STORY).key(label).unwrap().to_owned()
}

#[test]
fn what_was_carried_out_is_proven_by_the_accounts_alone() {
    for level in [Level::Contain, Level::Evict] {
        let plan = seed(&Settings {
            level,
            ..settings()
        });
        let facts = carried_out(&before(), &plan, |_| false);
        let found = by_facts(&plan, &facts);
        assert_eq!(found.snapshot.conclusion, Conclusion::Proven, "{found:#?}");
        assert_eq!(
            found.outcome,
            Containment::Contained,
            "{:#?}",
            found.missing
        );
        assert!(found.allows_removal());
        let denied = found
            .snapshot
            .credentials
            .iter()
            .filter_map(|row| match &row.state {
                State::Denied { by } => Some(by),
                _ => None,
            });
        let ours = |name: &Untrusted| name.raw().contains(&plan.id);
        assert!(denied.clone().count() >= 4 && denied.flatten().all(ours));
    }
}

/// No word of the plan itself counts: the accounts as they were before it prove nothing.
#[test]
fn a_plan_that_nobody_carried_out_is_not_contained() {
    let plan = seed(&settings());
    let found = by_facts(&plan, &before());
    assert_eq!(found.outcome, Containment::Lives);
    assert!(
        says(&found.snapshot.conclusion, &key("B")),
        "{:#?}",
        found.snapshot
    );
    assert!(says(&found.snapshot.conclusion, &key("SPARE")));
    let changes = plan
        .steps
        .iter()
        .filter(|s| matches!(s.action, Action::Call(_)));
    let inactive = 1; // Olivia had made A inactive.
    assert_eq!(
        found.missing.len(),
        changes.count() - inactive,
        "{:#?}",
        found.missing
    );
    // The facts that a plan was made from are recognised.
    let stale = by_facts(&plan, &facts());
    assert!(says(&stale.snapshot.conclusion, "") || is_refuted(&stale.snapshot.conclusion));
}

#[test]
fn facts_that_are_not_fresh_prove_nothing() {
    let mut plan = seed(&settings());
    let facts = carried_out(&before(), &plan, |_| false);
    plan.facts = facts.digest();
    let found = by_facts(&plan, &facts);
    assert!(
        matches!(found.snapshot.conclusion, Conclusion::Unknown(_)),
        "{found:#?}"
    );
    assert_eq!(found.outcome, Containment::Incomplete);
}

/// Each step alone is left out. What then lives is told; where another step denies the same, the step itself is.
#[test]
fn each_step_left_out_is_noticed() {
    let plan = seed(&settings());
    let steps = plan
        .steps
        .iter()
        .filter(|s| matches!(s.action, Action::Call(_)));
    let (mut lives, mut incomplete) = (0, 0);
    for step in steps {
        let mut facts = carried_out(&before(), &plan, |number| number == step.number);
        if step.phase == Phase::Keys && step.target.raw() == key("A") {
            user(&mut facts, "alice").keys.insert(key("A"), true);
        }
        let found = by_facts(&plan, &facts);
        let first = step.phase == Phase::Deny;
        // The second cut-off is put in the place of the first: without the first nothing is missing.
        let redone = plan
            .steps
            .iter()
            .any(|s| s.phase == Phase::CutAgain && s.target == step.target);
        if first && redone {
            assert_eq!(found.outcome, Containment::Contained, "{step:#?}");
            continue;
        }
        assert_ne!(found.outcome, Containment::Contained, "{step:#?}");
        assert!(!found.allows_removal());
        let named = found
            .missing
            .iter()
            .find(|m| m.step == step.number)
            .unwrap();
        assert_ne!(named.how, MissingHow::Unread);
        match found.outcome {
            Containment::Lives => lives += 1,
            _ => incomplete += 1,
        }
        if step.phase == Phase::Keys {
            assert!(
                says(&found.snapshot.conclusion, step.target.raw()),
                "{found:#?}"
            );
        }
    }
    assert!(lives >= 2 && incomplete >= 1, "{lives} {incomplete}");
}

#[test]
fn each_principal_that_is_not_denied_is_told_with_what_it_may_do() {
    let plan = seed(&settings());
    for (name, label) in [("alice", "B"), ("svc-backup", "MOLE")] {
        let mut facts = carried_out(&before(), &plan, |_| false);
        let user = user(&mut facts, name);
        user.policies
            .inline
            .retain(|name, _| !name.starts_with("UnchainContain"));
        let found = by_facts(&plan, &facts);
        assert_eq!(found.outcome, Containment::Lives);
        // A console session is known by its principal.
        let who = trail(STORY).key(label).map(str::to_owned);
        let row = found.snapshot.credentials.iter().find(|row| {
            let named = who.as_deref().is_some_and(|key| row.who.raw() == key);
            named || row.who.raw().ends_with(":user/svc-backup")
        });
        let State::Lives { may } = &row.unwrap().state else {
            panic!("{row:?}");
        };
        assert!(may.iter().any(|action| action.raw() == "sts:AssumeRole"));
        // Both denies were one policy; both steps are named.
        assert_eq!(found.missing.len(), 2, "{:?}", found.missing);
    }
}

#[test]
fn a_policy_that_somebody_weakened_is_noticed() {
    let plan = seed(&settings());
    let mut facts = carried_out(&before(), &plan, |_| false);
    let role = facts
        .accounts
        .get_mut(SHOP)
        .unwrap()
        .roles
        .get_mut("customer-data-admin")
        .unwrap();
    let (_, document) = role
        .policies
        .inline
        .iter_mut()
        .find(|(n, _)| n.starts_with("Unchain"))
        .unwrap();
    *document = serde_json::json!({"Version": "2012-10-17", "Statement": []});
    let found = by_facts(&plan, &facts);
    assert!(found.missing.iter().all(|m| m.how == MissingHow::Changed) && found.missing.len() == 2);
    // Its sessions were over by then, so nothing lives; but it is not as the plan left it.
    assert_eq!(found.outcome, Containment::Incomplete);
}

#[test]
fn what_was_not_read_is_unknown_and_not_proven() {
    let plan = seed(&settings());
    // A policy of AWS whose text was not read could deny or allow anything; a deny beside it holds.
    let mut facts = carried_out(&before(), &plan, |_| false);
    let aws = "arn:aws:iam::aws:policy/AdministratorAccess";
    let alice = user(&mut facts, "alice");
    alice.policies.attached.insert(aws.to_owned());
    assert_eq!(by_facts(&plan, &facts).outcome, Containment::Contained);
    let alice = user(&mut facts, "alice");
    alice.policies.inline.clear();
    let found = by_facts(&plan, &facts);
    let row = found
        .snapshot
        .credentials
        .iter()
        .find(|row| row.who.raw() == key("B"))
        .unwrap();
    let State::Unknown { for_want_of } = &row.state else {
        panic!("{row:?}");
    };
    assert!(for_want_of.iter().any(|name| name.raw() == aws));
    assert_ne!(found.outcome, Containment::Contained);
    // An account that was not read at all.
    let found = by_facts(&plan, &Facts::default());
    assert!(matches!(found.snapshot.conclusion, Conclusion::Unknown(_)));
    assert_eq!(
        found.outcome,
        Containment::Incomplete,
        "{:#?}",
        found.snapshot.conclusion
    );
    assert!(found.missing.iter().all(|m| m.how == MissingHow::Unread));
    // Keys that were not listed.
    let mut facts = carried_out(&before(), &plan, |_| false);
    user(&mut facts, "svc-backup").keys.clear();
    let found = by_facts(&plan, &facts);
    assert_eq!(found.outcome, Containment::Incomplete);
    assert!(says(&found.snapshot.conclusion, &key("SPARE")));
}

#[test]
fn who_was_deleted_has_no_credentials() {
    let plan = seed(&settings());
    let mut facts = carried_out(&before(), &plan, |_| false);
    let users = &mut facts.accounts.get_mut(SHOP).unwrap().users;
    users.remove("svc-backup").unwrap();
    let found = by_facts(&plan, &facts);
    assert_eq!(found.outcome, Containment::Contained, "{found:#?}");
    assert!(found.missing.is_empty());
    let gone = found
        .snapshot
        .credentials
        .iter()
        .filter(|row| row.state == State::Gone);
    assert!(gone.count() >= 2);
    // Another user of the same name is not the one that the denies are about.
    let users = &mut facts.accounts.get_mut(SHOP).unwrap().users;
    let mut other = before().accounts[SHOP].users["svc-backup"].clone();
    other.id = "AIDAANOTHER".to_owned();
    users.insert("svc-backup".to_owned(), other);
    let found = by_facts(&plan, &facts);
    assert_ne!(found.outcome, Containment::Contained, "{found:#?}");
}

#[test]
fn an_organization_that_took_its_policy_away_is_noticed() {
    let all = serde_json::json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}});
    let mut start = before();
    let level = |target: &str| ScpLevel {
        target: target.to_owned(),
        policies: [("p-FullAWSAccess".to_owned(), all.clone())].into(),
    };
    let levels = |account: &str| (account.to_owned(), vec![level("r-1"), level(account)]);
    start.organization = Some(Organization {
        management_account: "999999999999".to_owned(),
        scps: [levels(SHOP), levels("444455556666")].into(),
    });
    let story = trail(STORY);
    let plan = with_report(&story, |report| {
        let now = Timestamp::parse(super::common::NOW).unwrap();
        plan(report, &start, &settings(), (story.key("A").unwrap(), now))
    });
    let mut facts = carried_out(&start, &plan, |_| false);
    assert_eq!(by_facts(&plan, &facts).outcome, Containment::Contained);
    for level in facts
        .organization
        .as_mut()
        .unwrap()
        .scps
        .get_mut(SHOP)
        .unwrap()
    {
        level.policies.retain(|name, _| name == "p-FullAWSAccess");
    }
    let found = by_facts(&plan, &facts);
    let shop = plan
        .steps
        .iter()
        .filter(|s| s.phase == Phase::Organization && s.target.raw() == SHOP);
    assert_eq!(found.missing.len(), shop.count());
    // The users' own denies stand, and are named as what denies.
    assert_eq!(found.snapshot.conclusion, Conclusion::Proven);
    assert_eq!(found.outcome, Containment::Incomplete);
}

#[test]
fn a_quiet_log_proves_only_as_far_as_it_reaches() {
    let plan = seed(&settings());
    let found = by_log(&plan, None, (EVENING, &[]));
    assert_eq!(
        found.trail.conclusion,
        Conclusion::Proven,
        "{:#?}",
        found.trail
    );
    assert_eq!(found.outcome, Containment::Contained);
    assert!(!found.allows_removal(), "a quiet log alone deletes nothing");
    // The account with the backups has no log in the evening.
    let found = by_log(&plan, None, ("", &[]));
    assert!(matches!(found.trail.conclusion, Conclusion::Unknown(_)));
    assert!(says(&found.trail.conclusion, "444455556666"));
    assert!(!says(&found.trail.conclusion, SHOP));
    assert!(
        found
            .trail
            .reached
            .is_some_and(|end| end < found.trail.until)
    );
    // It ends too early.
    let early = "16:25 BOB SwitchRole shared/auditor -> EVENING\n16:40 EVENING DescribeTrails\n";
    let found = by_log(&plan, None, (early, &[]));
    assert!(
        says(&found.trail.conclusion, "444455556666"),
        "{:#?}",
        found.trail
    );
    assert_eq!(found.outcome, Containment::Incomplete);
}

/// The digest of an hour of the account with the backups, in which nothing was logged.
fn quiet_hour(end: &str, previous: Option<&str>) -> Digest<String> {
    let at = |text: &str| seconds(Timestamp::parse(text).unwrap());
    Digest {
        account: "444455556666".to_owned(),
        region: "us-east-1".to_owned(),
        trail: "main".to_owned(),
        backfill: false,
        start: at(end) - HOUR,
        end: at(end),
        previous: previous.map(at),
        files: 0,
        events: None,
    }
}

/// Where nobody calls, digests tell that a log is quiet and not missing.
#[test]
fn digests_vouch_for_silence_up_to_their_first_hole() {
    let plan = seed(&settings());
    let conclusion = |digests: &[Digest<String>]| {
        let mut ledger = ledger(&trail(STORY));
        digests.iter().for_each(|digest| ledger.add_digest(digest));
        let lineage = Lineage::build(&ledger);
        let report = Report::new(&lineage, later());
        let evidence = Evidence {
            facts: None,
            report: Some(&report),
            receipts: &[],
            replies: &[],
        };
        verify(&plan, evidence, later()).trail.conclusion
    };
    let [four, five, six] = [
        "2026-03-02T16:10:00Z",
        "2026-03-02T17:10:00Z",
        "2026-03-02T18:10:00Z",
    ];
    let whole = [quiet_hour(four, None), quiet_hour(five, Some(four))];
    assert_eq!(conclusion(&whole), Conclusion::Proven);
    // They end too early, or a digest between is not here.
    assert_ne!(conclusion(&whole[..1]), Conclusion::Proven);
    assert_ne!(
        conclusion(&[quiet_hour(four, None), quiet_hour(six, Some(five))]),
        Conclusion::Proven
    );
    // One lists a file with records that are not here.
    let mut listing = whole.clone();
    listing[1].files = 1;
    listing[1].events = Some((listing[1].start, listing[1].end - 60));
    assert_ne!(conclusion(&listing), Conclusion::Proven);
}

#[test]
fn a_call_that_succeeds_after_the_cut_off_refutes() {
    let plan = seed(&settings());
    let facts = carried_out(&before(), &plan, |_| false);
    let said = |line: &str| by_log(&plan, Some(&facts), (&format!("{line}\n{EVENING}"), &[]));
    let found = said("16:40 SPARE ListBuckets from 203.0.113.77");
    assert_eq!(found.outcome, Containment::Lives);
    // The evaluator still says what the policies say: the proofs are reported apart.
    assert_eq!(found.snapshot.conclusion, Conclusion::Proven);
    let success = &found.trail.successes[0];
    assert_eq!(
        (success.who.raw(), success.action.raw()),
        (key("SPARE").as_str(), "s3:ListBuckets")
    );
    // Before the cut-off it is no news, after it nobody is stopped from asking who they are.
    for line in [
        "16:21 SPARE ListBuckets from 203.0.113.77",
        "16:40 SPARE GetCallerIdentity from 203.0.113.77",
    ] {
        let found = said(line);
        assert_eq!(
            found.outcome,
            Containment::Contained,
            "{line}: {:#?}",
            found.trail
        );
    }
    // Failures are told; only some of them are what containment looks like.
    let found = said("16:40 SPARE ListBuckets from 203.0.113.77 denied every 1m times 3");
    assert_eq!(found.outcome, Containment::Contained, "{:#?}", found.trail);
    assert_eq!(found.trail.failures[0].count, 3);
}

#[test]
fn a_run_that_was_resumed_later_moves_the_window() {
    let plan = seed(&settings());
    let line = format!("16:40 SPARE ListBuckets from 203.0.113.77\n{EVENING}");
    let step = plan
        .steps
        .iter()
        .find(|s| s.phase == Phase::CutAgain)
        .unwrap()
        .number;
    let receipt = |at: &str, already| Receipt {
        plan: digest(&plan).unwrap(),
        sequence: 1,
        at: Timestamp::parse(at).unwrap(),
        work: Work::Apply,
        step,
        what: Happened::Done {
            answer: Value::Null,
            request_id: None,
            already,
        },
    };
    let said = |receipt: Receipt| by_log(&plan, None, (&line, &[receipt]));
    assert_eq!(
        said(receipt("2026-03-02T16:10:00Z", false)).outcome,
        Containment::Lives
    );
    let found = said(receipt("2026-03-02T16:45:00Z", false));
    assert_eq!(found.trail.after.to_string(), "2026-03-02T16:46:00Z");
    assert!(!is_refuted(&found.trail.conclusion), "{:#?}", found.trail);
    // What was so already was not done then; and another plan's journal says nothing of this one.
    assert_eq!(
        said(receipt("2026-03-02T16:45:00Z", true)).outcome,
        Containment::Lives
    );
    let other = Receipt {
        plan: "0".repeat(64),
        ..receipt("2026-03-02T16:45:00Z", false)
    };
    assert_eq!(said(other).outcome, Containment::Lives);
}

#[test]
fn what_the_plan_did_not_know_is_named() {
    let plan = seed(&settings());
    let facts = carried_out(&before(), &plan, |_| false);
    // Taken while the plan was being read: it is older than the cut-off, and denied by it.
    let line = format!(
        "16:10 B AssumeRole customer-data-admin as report-3 -> E for 2h from 198.51.100.23\n{EVENING}"
    );
    let found = by_log(&plan, Some(&facts), (&line, &[]));
    assert_eq!(found.trail.descendants.len(), 1, "{:#?}", found.trail);
    let late = found
        .snapshot
        .credentials
        .iter()
        .find(|row| row.late)
        .unwrap();
    assert!(matches!(late.state, State::Denied { .. }), "{late:?}");
    assert_eq!(found.outcome, Containment::Contained);
    // Without facts nothing shows that it is denied.
    let found = by_log(&plan, None, (&line, &[]));
    assert_eq!(found.outcome, Containment::Incomplete);
    // Taken afterwards: it should not have been possible.
    let line = line.replace("16:10", "16:30");
    let found = by_log(&plan, Some(&facts), (&line, &[]));
    assert_eq!(found.outcome, Containment::Lives);
    assert_eq!(found.trail.descendants.len(), 1);
    // A user made while the plan was being read: no deny is on it.
    let line = format!(
        "16:05 B CreateUser svc-more from 198.51.100.23\n16:06 B CreateAccessKey svc-more -> MORE\n{EVENING}"
    );
    let mut facts = facts;
    let users = &mut facts.accounts.get_mut(SHOP).unwrap().users;
    let mut more = users["build-bot"].clone();
    more.arn = format!("arn:aws:iam::{SHOP}:user/svc-more");
    more.id = String::new();
    more.keys.clear();
    users.insert("svc-more".to_owned(), more);
    let found = by_log(&plan, Some(&facts), (&line, &[]));
    assert_eq!(found.outcome, Containment::Lives);
    let named: Vec<&str> = found.living().map(|reason| reason.about.raw()).collect();
    assert!(
        named.iter().any(|who| who.contains("svc-more")),
        "{named:?}"
    );
}

#[test]
fn a_verification_is_read_back_as_it_was_written() {
    let plan = seed(&settings());
    let facts = carried_out(&before(), &plan, |number| number == 1);
    let found = by_log(&plan, Some(&facts), (EVENING, &[]));
    let text = serde_json::to_string(&found).unwrap();
    assert_eq!(serde_json::from_str::<Verification>(&text).unwrap(), found);
}
