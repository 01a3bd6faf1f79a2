//! Any text is read as a plan or refused; a plan prints as it was read, and what it does can be asked.

#![no_main]

use libfuzzer_sys::fuzz_target;
use unchain_core::contain::{Facts, digest, from_json, prove, to_json};

fuzz_target!(|text: &str| {
    let Ok(plan) = from_json(text) else {
        return;
    };
    let printed = to_json(&plan).expect("a plan can be written");
    let again = from_json(&printed).expect("what was written can be read");
    assert_eq!(again, plan);
    assert_eq!(to_json(&again).expect("a plan can be written"), printed);
    assert_eq!(digest(&again).ok(), digest(&plan).ok());
    let proof = prove(&plan, &Facts::default(), &[]);
    let credentials = plan.subjects.iter().filter(|subject| subject.credential);
    assert_eq!(proof.standings.len(), credentials.count());
});
