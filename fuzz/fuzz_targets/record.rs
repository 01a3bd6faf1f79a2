//! Where the fast path reads an event, the plain `serde_json` path reads the same one; and what a parser
//! remembers of the records before does not change what it reads.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use unchain_core::event::Event;
use unchain_core::json::Node;
use unchain_core::ledger::Ledger;
use unchain_core::record;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    remembers_nothing_that_matters(text);
    // A record rarely begins a file; where it stands must not matter.
    let start = text.find('{').unwrap_or(0);
    let Some((fast, end)) = record::parse_at(text, start) else {
        return;
    };
    let own = text
        .get(start..end)
        .expect("the fast path ends inside the text, between characters");
    let value: Value = serde_json::from_str(own).expect("the fast path accepts only JSON");
    let plain =
        record::plain(&value).expect("the fast path accepts only what the plain path accepts");
    assert_eq!(texts(&fast), texts(&plain));
    assert_eq!(
        (
            fast.time,
            fast.category,
            fast.read_only,
            fast.from_console,
            fast.notes,
            fast.failed()
        ),
        (
            plain.time,
            plain.category,
            plain.read_only,
            plain.from_console,
            plain.notes,
            plain.failed()
        ),
    );
    for (fast, plain) in nodes(&fast).into_iter().zip(nodes(&plain)) {
        same_node(fast, plain);
    }
    let (mut by_fast, mut by_plain) = (Ledger::default(), Ledger::default());
    by_fast.apply(&fast);
    by_plain.apply(&plain);
    by_fast.settle();
    by_plain.settle();
    assert_eq!(by_fast.canonical(), by_plain.canonical());
});

/// Reads every record in the text twice with one parser, and once with none. So with ledgers.
fn remembers_nothing_that_matters(text: &str) {
    let mut parser = record::Parser::default();
    let (mut remembering, mut by_name) = (Ledger::default(), Ledger::default());
    for _ in 0..2 {
        let mut at = 0;
        while let Some(start) = text.get(at..).and_then(|rest| rest.find('{')) {
            at += start;
            let (known, fresh) = (parser.parse_at(text, at), record::parse_at(text, at));
            let ends = [&known, &fresh].map(|read| read.as_ref().map(|(_, end)| *end));
            assert_eq!(ends[0], ends[1]);
            if let (Some((known, _)), Some((fresh, _))) = (&known, &fresh) {
                assert_eq!(texts(known), texts(fresh));
                assert_eq!(
                    (
                        known.time,
                        known.category,
                        known.read_only,
                        known.from_console
                    ),
                    (
                        fresh.time,
                        fresh.category,
                        fresh.read_only,
                        fresh.from_console
                    ),
                );
                for (known, fresh) in nodes(known).into_iter().zip(nodes(fresh)) {
                    assert_eq!(known.map(Node::to_value), fresh.map(Node::to_value));
                }
            }
            if let (Some((known, _)), Some(end)) = (&known, ends[0])
                && let Some(value) = text.get(at..end)
                && let Ok(value) = serde_json::from_str::<Value>(value)
                && let Ok(plain) = record::plain(&value)
            {
                remembering.apply(known);
                by_name.apply(&plain);
            }
            at = ends[0].unwrap_or(at + 1);
        }
    }
    remembering.settle();
    by_name.settle();
    assert_eq!(remembering.canonical(), by_name.canonical());
}

fn texts<'a>(event: &Event<'a>) -> [&'a str; 11] {
    [
        event.name,
        event.source,
        event.id,
        event.region,
        event.address,
        event.user_agent,
        event.error_code,
        event.recipient,
        event.shared_id,
        event.vpc_endpoint,
        event.event_type,
    ]
}

fn nodes<'a>(event: &Event<'a>) -> [Option<Node<'a>>; 6] {
    [
        event.error_message,
        event.identity,
        event.request,
        event.response,
        event.additional,
        event.details,
    ]
}

/// Two views of one value: the same tree, and the same answer to each question that is asked of it.
fn same_node(fast: Option<Node<'_>>, plain: Option<Node<'_>>) {
    let value = plain.map(Node::to_value);
    assert_eq!(fast.map(Node::to_value), value);
    let (Some(fast), Some(plain), Some(value)) = (fast, plain, value) else {
        return;
    };
    assert_eq!(fast.str(), plain.str());
    assert_eq!(fast.scalar(), plain.scalar());
    assert_eq!(fast.u64(), plain.u64());
    assert_eq!(fast.bool(), plain.bool());
    assert_eq!(
        (fast.is_null(), fast.is_object()),
        (plain.is_null(), plain.is_object())
    );
    assert_eq!(fast.items().len(), plain.items().len());
    for (fast, plain) in fast.items().into_iter().zip(plain.items()) {
        assert_eq!(fast.to_value(), plain.to_value());
    }
    for name in value
        .as_object()
        .into_iter()
        .flat_map(|members| members.keys())
    {
        assert_eq!(
            fast.get(name).map(Node::to_value),
            plain.get(name).map(Node::to_value)
        );
        assert_eq!(
            fast.get(name).and_then(Node::scalar),
            plain.get(name).and_then(Node::scalar)
        );
    }
}
