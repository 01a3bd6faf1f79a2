//! Carrying a plan out and undoing it, with nothing and with everything going wrong.

use super::account::{Account, Fault};
use super::common::{SHOP, now};
use super::everything::{
    FIRST, Journal, MANAGED, OWN, SECOND, Which, before, deny, everything, run, run_back,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use unchain_core::contain::{
    Approved, Duty, End, Happened, Plan, Prospect, Stop, digest, permissions, preview,
};

fn account() -> Account {
    Account::new(before(), now())
}

/// Carries a plan out to its end, the look said to have found nothing.
fn to_the_end(plan: &Plan, journal: &mut Journal, account: &mut Account) {
    let outcome = run(plan, journal, account).unwrap();
    assert!(matches!(outcome.end, End::AwaitingVerification { .. }));
    journal.verified(plan);
    assert_eq!(run(plan, journal, account).unwrap().end, End::Complete);
}

/// An undisturbed run.
fn undisturbed(which: Which) -> (Account, Journal) {
    let (mut account, mut journal) = (account(), Journal::default());
    to_the_end(&everything(which), &mut journal, &mut account);
    (account, journal)
}

#[test]
fn every_action_is_carried_out_once() {
    let plan = everything(Which::Everything);
    let (account, journal) = undisturbed(Which::Everything);
    let state = &account.state;
    let second = deny(SECOND).to_string();
    assert_eq!(
        state.inline[&("user/alice".to_owned(), OWN.to_owned())],
        second
    );
    assert_eq!(state.managed[MANAGED].1[&2], second);
    assert_eq!(
        state.keys[&("alice".to_owned(), "AKIA1".to_owned())],
        "Inactive"
    );
    assert_eq!(
        state.keys[&("alice".to_owned(), "AKIA0".to_owned())],
        "Active"
    );
    assert!(state.roles["app"].contains("UnchainClosed") && !state.roles.contains_key("evil"));
    assert!(
        state
            .scps_attached
            .contains(&(format!("{OWN}-{SHOP}-0"), SHOP.to_owned()))
    );
    assert!(!state.users.contains("mallory") && state.providers.is_empty());
    // One key was inactive, one device comes off twice, and there is a wait and a look.
    assert_eq!(account.changes.len(), plan.steps.len() - 4);
    let written = serde_json::to_string(&journal.lines).unwrap();
    assert!(
        !written.contains("not kept"),
        "more of an answer is kept than is needed"
    );
}

#[test]
fn the_look_comes_before_what_cannot_be_undone() {
    let plan = everything(Which::Everything);
    let (mut account, mut journal) = (account(), Journal::default());
    let outcome = run(&plan, &mut journal, &mut account).unwrap();
    assert_eq!(outcome.end, End::AwaitingVerification { remaining: 13 });
    assert!(account.state.users.contains("mallory"));
    let again = run(&plan, &mut journal, &mut account).unwrap();
    assert_eq!(again, outcome, "without a proof it stays there");
    assert!(outcome.already.len() == 1 && outcome.gone.is_empty() && outcome.put_again.is_empty());
}

#[test]
fn undoing_gives_back_what_was_there() {
    let plan = everything(Which::Reversible);
    let (mut account, mut journal) = undisturbed(Which::Reversible);
    let undone = run_back(&plan, &mut journal, &mut account).unwrap();
    assert_eq!(account.state, before());
    assert_eq!(undone.restored.len(), 10, "{undone:?}");
    assert!(undone.never.is_empty() && undone.surprises.is_empty() && undone.refused.is_empty());
    let changes = account.changes.len();
    let again = run_back(&plan, &mut journal, &mut account).unwrap();
    assert!(again.restored.is_empty() && account.changes.len() == changes);
    assert!(matches!(
        run(&plan, &mut journal, &mut account),
        Err(Stop::Undone)
    ));
}

#[test]
fn what_cannot_be_undone_is_told() {
    let plan = everything(Which::Everything);
    let (mut account, mut journal) = undisturbed(Which::Everything);
    let undone = run_back(&plan, &mut journal, &mut account).unwrap();
    // Password, device and its deletion, key, group, policy, attachment, user; the role's four; two providers.
    assert_eq!(undone.never.len(), 14, "{:?}", undone.never);
    assert!(undone.never.iter().all(|(_, why)| why == "gone is gone"));
    assert!(undone.refused.is_empty() && undone.surprises.is_empty());
    assert_eq!(
        account.state.roles["app"],
        before().roles["app"],
        "to the letter"
    );
}

#[test]
fn what_somebody_changed_after_us_is_left_alone() {
    let plan = everything(Which::Reversible);
    let (mut account, mut journal) = undisturbed(Which::Reversible);
    account
        .state
        .roles
        .insert("app".to_owned(), "{\"Statement\":[]}".to_owned());
    let undone = run_back(&plan, &mut journal, &mut account).unwrap();
    assert_eq!(undone.surprises, [14]);
    assert_eq!(account.state.roles["app"], "{\"Statement\":[]}");
    assert_eq!(undone.restored.len(), 9, "the others are undone");
}

#[test]
fn a_key_that_was_inactive_stays_so() {
    let plan = everything(Which::Reversible);
    let (mut account, mut journal) = (account(), Journal::default());
    let key = ("alice".to_owned(), "AKIA1".to_owned());
    account
        .state
        .keys
        .insert(key.clone(), "Inactive".to_owned());
    to_the_end(&plan, &mut journal, &mut account);
    run_back(&plan, &mut journal, &mut account).unwrap();
    assert_eq!(account.state.keys[&key], "Inactive");
}

#[test]
fn a_changed_trust_policy_stops_before_it_is_overwritten() {
    let plan = everything(Which::Reversible);
    let (mut account, mut journal) = (account(), Journal::default());
    account
        .state
        .roles
        .insert("app".to_owned(), "{\"Statement\":[]}".to_owned());
    let stop = run(&plan, &mut journal, &mut account).unwrap_err();
    assert!(matches!(stop, Stop::Surprise { step: 14, .. }), "{stop:?}");
    assert_eq!(account.state.roles["app"], "{\"Statement\":[]}");
    assert!(matches!(
        journal.lines.last().unwrap().what,
        Happened::Surprise { .. }
    ));
}

/// The account in which somebody put policies under the names of the plan before it came to them: what they allow
/// stands in the managed one as often as there is room.
fn squatted(versions: u32, default: u32) -> Account {
    let mut account = account();
    for holder in ["user/alice", "role/app"] {
        let name = (holder.to_owned(), OWN.to_owned());
        account.state.inline.insert(name, ALLOW.to_owned());
    }
    let versions = (1..=versions).map(|n| (n, ALLOW.to_owned())).collect();
    let managed = (MANAGED.to_owned(), (default, versions));
    account.state.managed.extend([managed]);
    let attached = ("role/big".to_owned(), MANAGED.to_owned());
    account.state.attached.insert(attached);
    account
}

const ALLOW: &str = r#"{ "Statement": { "Effect": "Allow", "Action": "*", "Resource": "*" } }"#;

#[test]
fn a_policy_of_our_name_that_was_there_before_is_replaced_and_comes_back() {
    for versions in 1..4 {
        let plan = everything(Which::Reversible);
        let (mut account, mut journal) = (squatted(versions, 1), Journal::default());
        let before = account.state.clone();
        to_the_end(&plan, &mut journal, &mut account);
        let sure = undisturbed(Which::Reversible).0.state;
        assert_eq!(account.state.inline, sure.inline);
        assert_eq!(account.state.attached, sure.attached);
        let (default, held) = &account.state.managed[MANAGED];
        assert_eq!(held[default], deny(SECOND).to_string());
        let undone = run_back(&plan, &mut journal, &mut account).unwrap();
        assert_eq!(account.state, before, "{versions}: {undone:?}");
    }
}

#[test]
fn a_full_policy_of_our_name_is_emptied_but_for_what_comes_back() {
    for (default, crash) in
        (1..=5).flat_map(|default| (0..40).step_by(3).map(move |at| (default, at)))
    {
        let plan = everything(Which::Reversible);
        let (mut account, mut journal) = (squatted(5, default), Journal::default());
        account.fault = Some((10 + crash, Fault::DieAfter));
        let _ = run(&plan, &mut journal, &mut account);
        to_the_end(&plan, &mut journal, &mut account);
        let (now, held) = &account.state.managed[MANAGED];
        assert_eq!(held[now], deny(SECOND).to_string());
        let dropped = journal.lines.iter().filter_map(|line| match &line.what {
            Happened::Begun { before } => before["dropped"].as_array().cloned(),
            _ => None,
        });
        let dropped: Vec<Value> = dropped.flatten().collect();
        assert!(dropped.len() >= 4 && dropped.iter().all(|state| state["document"] == ALLOW));
        account.fault = Some((account.calls.len() + crash, Fault::DieAfter));
        let _ = run_back(&plan, &mut journal, &mut account);
        run_back(&plan, &mut journal, &mut account).unwrap();
        // Whoever died between two deletions left what was no longer in the way.
        let (now, left) = &account.state.managed[MANAGED];
        assert!(left.values().all(|document| document == ALLOW), "{crash}");
        assert_eq!(
            (*now, account.state.attached),
            (default, squatted(5, default).state.attached)
        );
    }
}

#[test]
fn who_fills_the_policy_with_versions_does_not_keep_the_next_cut_off_out() {
    let plan = everything(Which::Reversible);
    let (mut account, mut journal) = (account(), Journal::default());
    account.meddler = Some(Box::new(|state, now| {
        if let Some((default, versions)) = state.managed.get_mut(MANAGED)
            && now < super::common::now().plus(70)
            && versions.len() < 5
        {
            *default = versions.keys().max().unwrap() + 1;
            versions.insert(*default, ALLOW.to_owned());
        }
    }));
    // Each run goes on where the one before was refused.
    for _ in 0..20 {
        if run(&plan, &mut journal, &mut account).is_ok() {
            break;
        }
    }
    to_the_end(&plan, &mut journal, &mut account);
    let (default, held) = &account.state.managed[MANAGED];
    assert_eq!(held[default], deny(SECOND).to_string());
    run_back(&plan, &mut journal, &mut account).unwrap();
    assert_eq!(account.state, before());
}

#[test]
fn a_policy_of_our_name_in_the_organization_stops_it() {
    let plan = everything(Which::Reversible);
    let (mut account, mut journal) = (account(), Journal::default());
    let name = format!("{OWN}-{SHOP}-0");
    account.state.scps.insert(name, ALLOW.to_owned());
    let stop = run(&plan, &mut journal, &mut account).unwrap_err();
    assert!(matches!(stop, Stop::Surprise { step: 1, .. }), "{stop:?}");
}

#[test]
fn who_is_gone_needs_no_deny() {
    let plan = everything(Which::Reversible);
    let (mut account, mut journal) = (account(), Journal::default());
    account.state.users.remove("alice");
    account.state.roles.remove("app");
    let outcome = run(&plan, &mut journal, &mut account).unwrap();
    assert_eq!(
        outcome.gone.into_iter().collect::<Vec<_>>(),
        [3, 4, 8, 9, 11, 12, 13, 14]
    );
    run_back(&plan, &mut journal, &mut account).unwrap();
    assert_eq!(account.state.scps, before().scps);
}

#[test]
fn a_missing_permission_is_named() {
    let plan = everything(Which::Reversible);
    let (mut account, mut journal) = (account(), Journal::default());
    account.fault = Some((0, Fault::Deny));
    match run(&plan, &mut journal, &mut account) {
        Err(Stop::Denied {
            permission,
            step: 1,
            ..
        }) => assert_eq!(permission, "organizations:ListPolicies"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_plan_is_begun_in_time_or_not_at_all_but_gone_on_with_later() {
    let plan = everything(Which::Reversible);
    let (mut account, mut journal) = (account(), Journal::default());
    account.now = plan.valid_until.plus(1);
    assert!(matches!(
        run(&plan, &mut journal, &mut account),
        Err(Stop::Late { .. })
    ));
    assert!(account.changes.is_empty() && journal.lines.is_empty());
    account.now = plan.valid_until;
    account.fault = Some((6, Fault::Throttle));
    assert!(matches!(
        run(&plan, &mut journal, &mut account),
        Err(Stop::Throttled { .. })
    ));
    account.now = plan.valid_until.plus(1);
    to_the_end(&plan, &mut journal, &mut account);
}

#[test]
fn the_wait_is_as_long_as_the_plan_says() {
    let (account, journal) = undisturbed(Which::Reversible);
    assert_eq!(account.now, now().plus(60));
    let waited = journal
        .lines
        .iter()
        .filter(|line| line.what == Happened::Waited);
    assert_eq!(waited.count(), 1);
}

/// Somebody who strips what we put as long as he can: for a minute, or until his own deny was in place for four
/// seconds, if it is that which he strips.
fn stripping(names: &'static [&'static str]) -> super::account::Meddler {
    let mut since = None;
    Box::new(move |state, now| {
        let deny = ("user/alice".to_owned(), OWN.to_owned());
        let there = state.inline.contains_key(&deny);
        since = if there { since.or(Some(now)) } else { None };
        let own = names
            .iter()
            .any(|name| matches!(*name, "inline" | "weakened"));
        let denied = own && since.is_some_and(|since| now >= since.plus(4));
        if denied || now > super::common::now().plus(60) {
            return;
        }
        for name in names {
            match *name {
                "inline" => drop(state.inline.remove(&deny)),
                "weakened" if there => drop(
                    state
                        .inline
                        .insert(deny.clone(), "{\"Statement\":[]}".to_owned()),
                ),
                "attached" => state.attached.retain(|(_, arn)| arn != MANAGED),
                "managed" => {
                    state.attached.retain(|(_, arn)| arn != MANAGED);
                    state.managed.clear();
                }
                "version" => {
                    for (default, versions) in state.managed.values_mut() {
                        versions.insert(7, "{}".to_owned());
                        *default = 7;
                    }
                }
                "detached" => state
                    .scps_attached
                    .retain(|(name, _)| !name.starts_with(OWN)),
                _ => {}
            }
        }
    })
}

#[test]
fn a_deny_that_somebody_removes_or_weakens_is_put_again() {
    for what in [
        &["inline"][..],
        &["weakened"],
        &["attached"],
        &["version"],
        &["detached"],
        &["inline", "attached"],
    ] {
        let plan = everything(Which::Reversible);
        let (mut account, mut journal) = (account(), Journal::default());
        account.meddler = Some(stripping(what));
        let outcome = run(&plan, &mut journal, &mut account)
            .unwrap_or_else(|stop| panic!("{what:?}: {stop}"));
        assert!(
            !outcome.put_again.is_empty(),
            "{what:?}: {:?}",
            journal.lines
        );
        let undisturbed = undisturbed(Which::Reversible).0.state;
        let document = |state: &super::account::State| {
            state
                .managed
                .get(MANAGED)
                .map(|(default, versions)| versions[default].clone())
        };
        assert_eq!(document(&account.state), document(&undisturbed), "{what:?}");
        account.state.managed.clone_from(&undisturbed.managed);
        assert_eq!(account.state, undisturbed, "{what:?}");
        run_back(&plan, &mut journal, &mut account).unwrap();
        assert_eq!(account.state, before(), "{what:?}");
    }
}

#[test]
fn what_is_stripped_between_two_runs_is_put_again() {
    let plan = everything(Which::Reversible);
    let (mut account, mut journal) = (account(), Journal::default());
    run(&plan, &mut journal, &mut account).unwrap();
    let contained = account.state.clone();
    account.state.inline.retain(|(_, name), _| name != OWN);
    account.state.attached.retain(|(_, arn)| arn != MANAGED);
    account.state.managed.clear();
    account
        .state
        .scps_attached
        .retain(|(name, _)| !name.starts_with(OWN));
    account.state.scps.retain(|name, _| !name.starts_with(OWN));
    let outcome = run(&plan, &mut journal, &mut account).unwrap();
    assert_eq!(
        outcome.put_again.into_iter().collect::<Vec<_>>(),
        [1, 2, 6, 8, 9, 10]
    );
    assert_eq!(
        account.state.managed[MANAGED].1[&1],
        deny(SECOND).to_string()
    );
    account.state.managed.clone_from(&contained.managed);
    assert_eq!(account.state, contained);
}

#[test]
fn a_preview_says_what_each_step_would_find_and_changes_nothing() {
    let plan = everything(Which::Reversible);
    let (mut account, mut journal) = (account(), Journal::default());
    account
        .state
        .roles
        .insert("app".to_owned(), "{\"Statement\":[]}".to_owned());
    account.state.anchors.clear();
    let name = digest(&plan).unwrap();
    let approved = Approved::by_digest(&plan, &name).unwrap();
    let found = preview(&approved, &[], &mut account).unwrap();
    let of = |wanted: Prospect| -> Vec<u32> {
        let found = found.iter().filter(|(_, prospect)| *prospect == wanted);
        found.map(|(step, _)| *step).collect()
    };
    assert_eq!(of(Prospect::Change), [1, 3, 4, 5, 6, 8, 9, 10, 11, 13]);
    assert_eq!(of(Prospect::Later), [2]);
    assert_eq!(of(Prospect::Already), [12]);
    assert_eq!(of(Prospect::Surprise), [14]);
    assert_eq!(of(Prospect::Gone), [15]);
    assert!(account.changes.is_empty());
    let _ = run(&plan, &mut journal, &mut account);
    let found = preview(&approved, &journal.lines, &mut account).unwrap();
    assert!(
        found
            .iter()
            .take(12)
            .all(|(_, prospect)| *prospect == Prospect::Done)
    );
}

#[test]
fn the_least_policy_has_every_call_that_is_made() {
    let plan = everything(Which::Everything);
    let (mut account, mut journal) = undisturbed(Which::Everything);
    let mut applied = std::mem::take(&mut account.calls);
    // Who is gone is looked for.
    let mut empty = Account::new(before(), now());
    empty.state.users.clear();
    empty.state.roles.retain(|role, _| role == "evil");
    run(&plan, &mut Journal::default(), &mut empty).unwrap();
    applied.extend(empty.calls);
    run_back(&plan, &mut journal, &mut account).unwrap();
    for (duty, calls) in [(Duty::Apply, applied), (Duty::Undo, account.calls)] {
        for of in [None, Some(&plan)] {
            let policy = permissions(duty, of).to_string();
            for call in &calls {
                let action = format!("\"{}:{}\"", call.service, call.action);
                assert!(policy.contains(&action), "{duty:?} lacks {action}");
            }
        }
    }
}

#[test]
fn the_first_cut_is_there_before_the_second() {
    let (mut account, mut journal) = (account(), Journal::default());
    run(&everything(Which::Reversible), &mut journal, &mut account).unwrap();
    let cuts = account
        .changes
        .iter()
        .filter(|call| call.action == "PutUserPolicy");
    let cuts: Vec<Value> = cuts
        .map(|call| call.parameters["PolicyDocument"].clone())
        .collect();
    assert_eq!(cuts, [deny(FIRST), deny(SECOND)]);
}

#[test]
fn the_journal_is_read_back_as_it_was_written() {
    let (_, journal) = undisturbed(Which::Everything);
    for line in &journal.lines {
        let text = serde_json::to_string(line).unwrap();
        assert_eq!(
            &serde_json::from_str::<unchain_core::contain::Receipt>(&text).unwrap(),
            line
        );
    }
    let begun = json!({"happened": "begun", "before": null});
    assert!(
        journal
            .lines
            .iter()
            .any(|line| serde_json::to_value(&line.what).unwrap() == begun)
    );
}

/// What goes wrong: at a call, or at a line of the journal.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    Call(usize, Fault),
    Line(usize, bool),
}

fn trouble() -> impl Strategy<Value = Trouble> {
    let fault = prop::sample::select(vec![
        Fault::DieBefore,
        Fault::DieAfter,
        Fault::Lost,
        Fault::NeverSent,
        Fault::Throttle,
        Fault::Deny,
    ]);
    prop_oneof![
        3 => (0usize..120, fault).prop_map(|(at, fault)| Trouble::Call(at, fault)),
        1 => (0usize..80, any::<bool>()).prop_map(|(at, after)| Trouble::Line(at, after)),
    ]
}

/// Runs until nothing is left to do; each run but the last may have its trouble.
fn troubled<T>(
    (journal, account): (&mut Journal, &mut Account),
    troubles: &[Trouble],
    mut run: impl FnMut(&mut Journal, &mut Account) -> Result<T, Stop<super::everything::Dead>>,
) -> T {
    for trouble in troubles {
        match *trouble {
            Trouble::Call(at, fault) => account.fault = Some((account.calls.len() + at, fault)),
            Trouble::Line(at, after) => journal.kill = Some((journal.lines.len() + at, after)),
        }
        // Stopped or not: the next run must go on from there.
        let _ = run(journal, account);
        (journal.kill, account.fault) = (None, None);
    }
    run(journal, account).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_run_that_ends_anywhere_is_gone_on_with(
        first in prop::collection::vec(trouble(), 0..4),
        then in prop::collection::vec(trouble(), 0..3),
        all in any::<bool>(),
    ) {
        let which = if all { Which::Everything } else { Which::Reversible };
        let plan = everything(which);
        let (mut account, mut journal) = (account(), Journal::default());
        troubled((&mut journal, &mut account), &first, |j, a| run(&plan, j, a));
        journal.verified(&plan);
        let outcome = troubled((&mut journal, &mut account), &then, |j, a| run(&plan, j, a));
        prop_assert_eq!(outcome.end, End::Complete);
        let sure = undisturbed(which).0;
        prop_assert_eq!(&account.state, &sure.state);
        // The same calls, each once, in the same order.
        prop_assert_eq!(&account.changes, &sure.changes);
        prop_assert!(outcome.put_again.is_empty());
    }

    #[test]
    fn undoing_that_ends_anywhere_is_gone_on_with(
        first in prop::collection::vec(trouble(), 0..3),
        back in prop::collection::vec(trouble(), 0..4),
        whole in any::<bool>(),
    ) {
        let plan = everything(Which::Reversible);
        let (mut account, mut journal) = (account(), Journal::default());
        if whole {
            troubled((&mut journal, &mut account), &first, |j, a| run(&plan, j, a));
        } else {
            // Only what was done before it stopped is there to undo.
            for trouble in &first {
                match *trouble {
                    Trouble::Call(at, fault) => account.fault = Some((account.calls.len() + at, fault)),
                    Trouble::Line(at, after) => journal.kill = Some((journal.lines.len() + at, after)),
                }
                let _ = run(&plan, &mut journal, &mut account);
                (journal.kill, account.fault) = (None, None);
            }
        }
        let done = account.changes.len();
        let undone = troubled((&mut journal, &mut account), &back, |j, a| run_back(&plan, j, a));
        prop_assert_eq!(&account.state, &before());
        prop_assert!(undone.surprises.is_empty() && undone.refused.is_empty(), "{:?}", undone);
        let calls: Vec<String> = account.changes[done..].iter().map(|c| format!("{c:?}")).collect();
        let once: std::collections::BTreeSet<&String> = calls.iter().collect();
        prop_assert_eq!(once.len(), calls.len(), "a call was carried out twice: {:?}", calls);
    }
}
