//! INVARIANT: on the part of a case around a pivot, a lineage says of what the pivot names what it says on
//! the whole case: the same matches, ancestors, descendants, states and uses.

mod common;

use common::{STORIES, ledger, story};
use std::collections::BTreeSet;
use unchain_case::Case;
use unchain_core::ledger::Ledger;
use unchain_core::lineage::{Addresses, Lineage};
use unchain_core::report::{Direction, Report};
use unchain_core::time::Timestamp;

/// What is said of everything that a text names.
fn told(ledger: &Ledger, pivot: &str) -> BTreeSet<String> {
    let lineage = Lineage::build(ledger);
    let report = Report::new(&lineage, Timestamp::from_seconds(1_772_460_000));
    let addresses = Addresses::new(&lineage);
    let matches = lineage.find(pivot, &addresses);
    let tree = |node| serde_json::to_string(&report.tree(node, Direction::Both)).expect("JSON");
    matches
        .iter()
        .map(|m| format!("{} {}", m.pivot.name(), tree(m.node)))
        .collect()
}

/// Every text that somebody may look for.
fn pivots(ledger: &Ledger) -> BTreeSet<String> {
    let lineage = Lineage::build(ledger);
    let mut found = BTreeSet::new();
    for (number, node) in (0u32..).zip(lineage.nodes()) {
        let texts = [node.key, node.unique_id, node.session, node.name].map(|s| ledger.text(s));
        found.extend(texts.map(str::to_owned));
        if !texts[2].is_empty() {
            found.insert(format!("{}:{}", texts[1], texts[2]));
        }
        found.insert(lineage.principal(number).raw().to_owned());
    }
    for caller in ledger.callers() {
        let rare = ledger.rare(caller);
        let texts = [
            caller.issuer_arn,
            caller.issuer_id,
            caller.user_name,
            rare.source_identity,
        ];
        found.extend(texts.map(|symbol| ledger.text(symbol).to_owned()));
    }
    for client in ledger.clients() {
        found.extend([client.address, client.agent].map(|symbol| ledger.text(symbol).to_owned()));
    }
    for fact in ledger.facts() {
        found.insert(ledger.event_id(fact.id).into_owned());
        found.insert(ledger.event_id(fact.shared).into_owned());
        let texts = ledger
            .kept(fact)
            .iter()
            .filter(|kept| !kept.attribute.is_number());
        found.extend(texts.map(|kept| ledger.text(kept.symbol()).to_owned()));
    }
    for usage in ledger.uses() {
        found.insert(ledger.event_id(usage.first_id).into_owned());
        found.insert(ledger.event_id(ledger.last(usage).1).into_owned());
    }
    found.retain(|text| !text.is_empty());
    found
}

/// Compares every pivot of a ledger, and says how many found something.
fn check(whole: &mut Ledger) -> usize {
    let mut case = Case::in_memory().expect("a case");
    case.write(whole, &[]).expect("written");
    let (mut known, mut wrong) = (0, String::new());
    for pivot in pivots(whole) {
        let expected = told(whole, &pivot);
        let part = case.load_around(&pivot).expect("loaded");
        let got = part
            .as_ref()
            .map(|part| told(part, &pivot))
            .unwrap_or_default();
        if got != expected {
            let missing: Vec<_> = expected.difference(&got).collect();
            let extra: Vec<_> = got.difference(&expected).collect();
            wrong += &format!("pivot {pivot:?}: missing {missing:#?}\ninstead {extra:#?}\n");
        }
        known += usize::from(!expected.is_empty());
    }
    assert!(wrong.is_empty(), "{wrong}");
    known
}

#[test]
fn around_a_pivot_each_story_is_told_as_on_the_whole() {
    for n in 0..STORIES.len() {
        let known = check(&mut ledger(&story(n)));
        assert!(known > 20, "story {n} has only {known} pivots");
    }
}

#[test]
fn all_stories_in_one_case_are_told_apart() {
    let records: Vec<_> = (0..STORIES.len()).flat_map(story).collect();
    assert!(check(&mut ledger(&records)) > 200);
}

#[test]
fn a_pivot_that_is_not_there_gives_nothing() {
    let mut case = Case::in_memory().expect("a case");
    case.write(&mut ledger(&story(1)), &[]).expect("written");
    for pivot in [
        "",
        "AKIANOTTHERE",
        "a9c3f5f2-0000-4000-8000-000000000000",
        "arn:aws:iam::1:user/x",
    ] {
        assert!(
            case.load_around(pivot).expect("loaded").is_none(),
            "{pivot}"
        );
    }
}
