//! The same case and accounts give the same bytes of a plan, in whatever order they were read. Two plans of one process
//! already differ in the seeds of their hash maps.

use super::common::{STORY, details, now, settings, trail};
use super::reading::{of_organization, wrapped};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::OnceLock;
use unchain_core::contain::{Facts, Level, Removal, Settings, plan, to_json};
use unchain_core::ledger::Ledger;
use unchain_core::lineage::Lineage;
use unchain_core::record::parse_at;
use unchain_core::report::Report;

/// The answers about the accounts: the authorization details in pages of a few items.
fn answers() -> Vec<String> {
    let whole = details();
    let lists = ["UserDetailList", "RoleDetailList"].into_iter();
    let items = lists.flat_map(|list| {
        let items = whole[list].as_array().unwrap().chunks(2);
        items.map(move |items| (list, items.to_vec()))
    });
    let items: Vec<(&str, Vec<Value>)> = items.collect();
    let last = items.len() - 1;
    let pages = items.iter().enumerate().map(|(n, (list, items))| {
        let asked = match n {
            0 => json!({}),
            n => json!({"Marker": format!("m{n}")}),
        };
        let mut page = json!({*list: items, "IsTruncated": n < last});
        if n < last {
            page["Marker"] = json!(format!("m{}", n + 1));
        }
        wrapped("iam GetAccountAuthorizationDetails", asked, page)
    });
    pages.chain(of_organization()).collect()
}

fn bytes(answers: &[String], records: &[Value]) -> String {
    let mut facts = Facts::default();
    for answer in answers {
        facts.read(answer, None).unwrap();
    }
    let mut ledger = Ledger::default();
    for record in records {
        ledger.apply(&parse_at(&record.to_string(), 0).unwrap().0);
    }
    ledger.settle();
    let lineage = Lineage::build(&ledger);
    let report = Report::new(&lineage, now());
    let settings = Settings {
        level: Level::Evict,
        removal: Removal::Remove,
        freeze: true,
        ..settings()
    };
    let story = trail(STORY);
    let pivot = story.key("A").unwrap();
    to_json(&plan(&report, &facts, &settings, (pivot, now()))).unwrap()
}

static IN_ORDER: OnceLock<String> = OnceLock::new();

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn the_order_in_which_accounts_and_logs_were_read_changes_no_byte_of_a_plan(
        answers_shuffled in Just(answers()).prop_shuffle(),
        records in Just(trail(STORY).records()).prop_shuffle(),
    ) {
        let sure = IN_ORDER.get_or_init(|| bytes(&answers(), &trail(STORY).records()));
        prop_assert!(sure.contains("UnchainFreeze") && sure.contains("DeleteUser"));
        prop_assert_eq!(&bytes(&answers_shuffled, &records), sure);
    }
}
