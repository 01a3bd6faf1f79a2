//! Any rule text is loaded or refused, and asking only the rules that can match finds what asking all finds.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use unchain_core::json::Node;
use unchain_core::record;
use unchain_sigma::{Enrichment, Evaluator, Hits, Rules};

fuzz_target!(|text: &str| {
    let rules = Rules::read("fuzz.yml", text);
    let mut hits = Hits::default();
    for value in records() {
        let event = record::plain(&value).expect("the records are sound");
        let ask = (&event, Node::Value(&value));
        let fewer = Evaluator::new(&rules).matching(ask, lineage);
        assert_eq!(fewer, Evaluator::thorough(&rules).matching(ask, lineage));
        Evaluator::new(&rules).event(ask, lineage, &mut hits);
    }
    hits.tally(&rules);
});

fn lineage<'a>() -> Enrichment<'a> {
    Enrichment {
        node: Some(1),
        root: Some("AKIAIOSFODNN7EXAMPLE"),
        depth: Some(2),
        origin: Some("issued"),
        alive: Some(true),
        ..Enrichment::default()
    }
}

fn records() -> [Value; 3] {
    let record = |name: &str, source: Value, second: u32| {
        json!({
            "eventTime": format!("2026-03-02T09:00:{second:02}Z"), "eventName": name, "eventSource": source,
            "eventID": format!("00000000-0000-0000-0000-0000000000{second:02}"), "sourceIPAddress": "198.51.100.7",
            "errorCode": "AccessDenied", "readOnly": true,
            "userIdentity": {"type": "IAMUser", "sessionContext": {"attributes": {"mfaAuthenticated": "false"}}},
            "requestParameters": {"list": [{"name": "a"}, {"name": 1}, null]},
        })
    };
    [
        record("GetObject", json!("s3.amazonaws.com"), 1),
        record("ListUsers", json!("iam.amazonaws.com"), 2),
        record("listusers", json!(["iam.amazonaws.com"]), 2),
    ]
}
