//! The trail language: what is printed reads as the same trail, and gives the same records.

#![no_main]

use libfuzzer_sys::fuzz_target;
use unchain_trail::Trail;

fuzz_target!(|text: &str| {
    let Ok(trail) = Trail::parse(text) else {
        return;
    };
    let printed = trail.to_string();
    let again = Trail::parse(&printed).expect("what was printed can be read");
    assert!(again == trail, "read from `{printed}`");
    assert_eq!(again.to_string(), printed);
    assert_eq!(again.records(), trail.records());
});
