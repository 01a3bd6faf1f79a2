//! INVARIANT: whatever the fast path accepts, the plain `serde_json` path reads the same way.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail where the test should"
)]

use proptest::prelude::*;
use serde_json::Value;
use unchain_core::event::Event;
use unchain_core::ledger::Ledger;
use unchain_core::record::{Parser, parse_at, plain};

/// Everything an event says, as text.
fn said(event: &Event<'_>) -> String {
    let parts = [
        event.error_message,
        event.identity,
        event.request,
        event.response,
        event.additional,
        event.details,
    ]
    .map(|node| node.map(|n| n.to_value()));
    let Event {
        time,
        name,
        source,
        id,
        region,
        address,
        user_agent,
        error_code,
        ..
    } = *event;
    let Event {
        recipient,
        shared_id,
        vpc_endpoint,
        event_type,
        category,
        read_only,
        from_console,
        notes,
        ..
    } = *event;
    format!(
        "{time} {name:?} {source:?} {id:?} {region:?} {address:?} {user_agent:?} {error_code:?} {recipient:?} \
         {shared_id:?} {vpc_endpoint:?} {event_type:?} {category:?} {read_only:?} {from_console} {notes:?} {parts:?}"
    )
}

/// Holds both paths equal on a text, in what they say and in what a ledger makes of it.
fn check(text: &str) -> Result<bool, TestCaseError> {
    let Some((event, end)) = parse_at(text, 0) else {
        return Ok(false);
    };
    let whole = text.get(..end).unwrap();
    let value: Value =
        serde_json::from_str(whole).map_err(|e| TestCaseError::fail(format!("{e}: {whole}")))?;
    let slow = plain(&value).map_err(|e| TestCaseError::fail(format!("{e:?}: {whole}")))?;
    prop_assert_eq!(said(&event), said(&slow));
    let (mut a, mut b) = (Ledger::default(), Ledger::default());
    a.apply(&event);
    b.apply(&slow);
    a.settle();
    b.settle();
    prop_assert_eq!(a.canonical(), b.canonical());
    Ok(true)
}

fn seeds() -> Vec<String> {
    let story = include_str!("../../unchain-trail/tests/everything.trail");
    let records = unchain_trail::records(story).unwrap();
    records.iter().map(Value::to_string).collect()
}

const PIECES: [&str; 24] = [
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "null",
    "true",
    "1e9",
    "-0",
    "01",
    "1.",
    "\u{1}",
    "\\u0041",
    "\\ud800",
    "\\u00e9",
    " ",
    "\n",
    "é",
    "\"eventName\":\"X\",",
    "\"accessKeyId\":\"ASIAX\",",
    "NaN",
];

#[test]
fn stories_take_the_fast_path() {
    for text in seeds() {
        assert!(check(&text).unwrap(), "not fast: {text}");
    }
}

#[test]
fn recorded_trails_agree() {
    let Some(corpus) = std::env::var_os("UNCHAIN_CORPUS") else {
        #[expect(clippy::print_stdout, reason = "a skipped test says so")]
        {
            println!("skipped: UNCHAIN_CORPUS is not set");
        }
        return;
    };
    let (mut fast, mut all) = (0u32, 0u32);
    for name in [
        "davidarpasi",
        "panther_analysis",
        "splunk_data_sources",
        "traildiscover",
    ] {
        let path = std::path::Path::new(&corpus).join(format!("ndjson/{name}.ndjson"));
        for line in std::fs::read_to_string(path).unwrap().lines() {
            all += 1;
            fast += u32::from(check(line).unwrap());
        }
    }
    assert_eq!(all, 888);
    assert!(fast > 700, "only {fast} of {all} take the fast path");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn mutated_records_agree(
        n in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0usize..24, 0usize..6), 1..4),
    ) {
        let seeds = seeds();
        let mut text = seeds[n.index(seeds.len())].clone();
        for (at, piece, cut) in edits {
            let mut at = at.index(text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            let mut end = (at + cut).min(text.len());
            while !text.is_char_boundary(end) {
                end += 1;
            }
            text.replace_range(at..end, PIECES[piece]);
        }
        check(&text)?;
    }

    #[test]
    fn a_parser_that_remembers_answers_as_one_that_does_not(
        picks in prop::collection::vec((0usize..6, any::<prop::sample::Index>(), 0usize..24), 1..40),
    ) {
        let seeds = seeds();
        let mut parser = Parser::default();
        // The ledger remembers shapes of records too; by the plain way it is given none.
        let (mut remembering, mut by_name) = (Ledger::default(), Ledger::default());
        for (n, at, piece) in picks {
            // Few seeds, so that the same parts come again; edits often fall into them.
            let mut text = seeds[n * 7 % seeds.len()].clone();
            if piece < 12 {
                let identity = text.find("userIdentity").unwrap_or_default();
                let mut at = (identity + at.index(text.len())) % text.len();
                while !text.is_char_boundary(at) {
                    at -= 1;
                }
                text.insert_str(at, PIECES[piece]);
            }
            if let Some((event, end)) = parser.parse_at(&text, 0) {
                remembering.apply(&event);
                let value: Value = serde_json::from_str(text.get(..end).unwrap()).unwrap();
                by_name.apply(&plain(&value).unwrap());
            }
            let remembered = parser.parse_at(&text, 0).map(|(event, end)| (said(&event), end));
            let fresh = parse_at(&text, 0).map(|(event, end)| (said(&event), end));
            prop_assert_eq!(remembered, fresh);
        }
        remembering.settle();
        by_name.settle();
        prop_assert_eq!(remembering.canonical(), by_name.canonical());
    }

    #[test]
    fn equal_tokens_mean_equal_identities(
        picks in prop::collection::vec((0usize..2, any::<prop::sample::Index>()), 1..60),
    ) {
        let seeds = seeds();
        let mut parsers = [Parser::default(), Parser::default()];
        let mut known = std::collections::HashMap::new();
        for (parser, n) in picks {
            let text = &seeds[n.index(seeds.len())];
            let (event, _) = parsers[parser].parse_at(text, 0).unwrap();
            let identity = event.identity.map(|node| node.to_value().to_string());
            prop_assert_eq!(event.identity_token.is_some(), identity.is_some());
            if let Some(token) = event.identity_token {
                prop_assert_eq!(known.entry(token).or_insert(identity.clone()), &identity);
                let again = parsers[parser].parse_at(text, 0).and_then(|(event, _)| event.identity_token);
                prop_assert_eq!(again, Some(token));
            }
        }
    }

    #[test]
    fn json_of_any_shape_agrees(pieces in prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..40)) {
        let text = format!(
            "{{\"eventName\":\"A\",\"eventID\":\"b\",\"eventTime\":\"2026-01-01T00:00:00Z\",\"userIdentity\":{{{}}}}}",
            pieces.concat()
        );
        check(&text)?;
    }
}

#[test]
fn more_white_space_than_the_last_time_is_skipped() {
    let record = |space: &str| {
        format!(
            r#"{{"eventID": "e","eventTime":{space}"2026-03-02T10:00:00Z", "eventName": "A","requestParameters":{space}{{"a":1}},"zz":{space}null}}"#
        )
    };
    let mut parser = Parser::default();
    for space in [" ", "  ", "", "\n\t "] {
        let text = record(space);
        let (event, end) = parser.parse_at(&text, 0).expect("a record");
        assert_eq!((event.name, end), ("A", text.len()));
        assert!(event.request.is_some_and(|node| node.is_object()));
    }
}
