//! Any text is read as facts or refused; reading it again changes nothing, and facts that were kept are the same facts.

#![no_main]

use libfuzzer_sys::fuzz_target;
use unchain_core::contain::{Facts, Owner, controls, reach};
use unchain_core::time::Timestamp;

fuzz_target!(|text: &str| {
    let mut facts = Facts::default();
    for line in text.lines() {
        let before = facts.clone();
        let Ok(()) = facts.read(line, Some("111122223333")) else {
            assert!(facts == before, "a refused text left something");
            continue;
        };
        let once = facts.clone();
        facts.read(line, Some("111122223333")).expect("it was read before");
        assert_eq!(facts, once, "read twice");
    }
    let mut kept = Facts::default();
    let own = serde_json::to_string(&facts).expect("facts can be written");
    kept.read(&own, None).expect("what was written can be read");
    assert_eq!(kept, facts);
    assert_eq!(kept.digest(), facts.digest());
    let told = controls(&facts, Timestamp::from_seconds(1_772_467_200));
    assert!(told.is_sorted());
    let users = facts.accounts.values().flat_map(|account| account.users.values());
    for owner in users.filter_map(|user| Owner::of_arn(&user.arn)).take(4) {
        let (reached, _) = reach(&facts, &owner);
        assert!(reached.iter().all(|r| r.through.len() < 64 || facts.accounts.len() > 1));
    }
});
