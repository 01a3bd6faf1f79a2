//! Text of a log is text, whatever it says, wherever it stands.

use crate::common::{Site, on, story};
use crate::inspect::inspected;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Markup, quotes, escapes, a right-to-left override, Hebrew, a formula, a way out of an address.
pub(crate) const EVIL: &str = "=1+1</bdi></td><script>alert(1)</script><img src=x onerror=alert(1)>\"'`&amp;&#60;\
                    \u{1b}[2J\u{202e}\u{2028}\u{9b}שלום javascript:alert(1) //evil.example ?&#%2f../\r\n\0";
/// Pages that one crawl looks at.
const PAGES: usize = 150;
/// Of these so many with one path.
const QUERIES: usize = 8;

/// Appends to every string of a record but those without which it is none.
pub(crate) fn poison(value: &mut Value, with: &str) {
    const KEPT: [&str; 9] = [
        "eventTime",
        "eventName",
        "eventSource",
        "type",
        "eventType",
        "creationDate",
        "expiration",
        "eventCategory",
        "eventVersion",
    ];
    match value {
        Value::String(text) => text.push_str(with),
        Value::Array(items) => items.iter_mut().for_each(|item| poison(item, with)),
        Value::Object(members) => {
            let members = members
                .iter_mut()
                .filter(|(name, _)| !KEPT.contains(&name.as_str()));
            members.for_each(|(_, member)| poison(member, with));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Follows every link from the menu on; the addresses that were seen, and all text.
fn crawl(site: &Site) -> (BTreeSet<String>, String) {
    let mut waiting = VecDeque::from(["/incidents".to_owned()]);
    let (mut seen, mut text) = (BTreeSet::new(), String::new());
    let mut often: BTreeMap<String, usize> = BTreeMap::new();
    while let Some(path) = waiting.pop_front() {
        let view = path.split('?').next().unwrap_or_default().to_owned();
        if seen.len() >= PAGES || often.get(&view) == Some(&QUERIES) || !seen.insert(path.clone()) {
            continue;
        }
        *often.entry(view).or_default() += 1;
        let said = site.get(&path);
        assert_eq!(said.status.as_u16(), 200, "{path}: {}", said.body);
        let kind = said.headers["content-type"].to_str().unwrap();
        if !kind.starts_with("text/html") {
            continue;
        }
        let page = inspected(&said.body);
        assert!(
            said.body.len() < 1 << 20,
            "{path} has {} bytes",
            said.body.len()
        );
        let links = page
            .values("a", "href")
            .into_iter()
            .filter(|link| !link.starts_with('#'));
        for link in links.map(str::to_owned) {
            // One of raw records early: they have the longest texts.
            let early =
                link.contains("/records") && !seen.iter().any(|path| path.contains("/records"));
            if early {
                waiting.push_front(link);
            } else {
                waiting.push_back(link);
            }
        }
        text.push_str(&page.text);
    }
    (seen, text)
}

/// Whether every view was among the pages.
fn saw_every_view(seen: &BTreeSet<String>) {
    for view in [
        "/incidents/",
        "/timeline",
        "/findings/",
        "/lineage?",
        "/tokens",
        "/principals",
        "/nodes/",
        "/coverage",
    ] {
        assert!(seen.iter().any(|path| path.starts_with(view)), "{view}");
    }
    assert!(seen.iter().any(|path| path.contains("/records")));
}

#[test]
fn every_link_of_the_story_leads_somewhere() {
    on(&story().records(), |site| {
        let (seen, text) = crawl(site);
        saw_every_view(&seen);
        assert!(text.contains("GetSessionToken"), "the pages say something");
    });
}

#[test]
fn hostile_text_in_every_field_stays_text() {
    let long = format!("{EVIL}{}", "A".repeat(100_000));
    for evil in [EVIL, &long] {
        let mut records = story().records();
        records.iter_mut().for_each(|record| poison(record, evil));
        on(&records, |site| {
            let (seen, text) = crawl(site);
            saw_every_view(&seen);
            assert!(
                text.contains("<script>alert(1)</script>"),
                "it was there, as text"
            );
            assert!(text.contains("\\u{202e}"), "what reorders is named");
            assert!(!text.contains(
                |c: char| c != '\n' && (c.is_control() || "\u{202e}\u{2028}".contains(c))
            ));
        });
    }
}

/// A record of its own with one more field that is hostile: those without which it would not be what it is.
fn odd(record: &Value, number: usize) -> Vec<Value> {
    let fields = [
        "/eventName",
        "/eventSource",
        "/eventType",
        "/eventCategory",
        "/userIdentity/type",
    ];
    let copies = fields.iter().enumerate().filter_map(|(which, field)| {
        let mut copy = record.clone();
        copy["eventID"] = format!("{number:08x}-{which:04x}-4000-8000-000000000000").into();
        let Value::String(text) = copy.pointer_mut(field)? else {
            return None;
        };
        text.push_str(EVIL);
        Some(copy)
    });
    copies.collect()
}

#[test]
fn hostile_names_of_calls_and_kinds_stay_text() {
    let mut records = story().records();
    let more: Vec<Value> = records
        .iter()
        .enumerate()
        .flat_map(|(n, record)| odd(record, n))
        .collect();
    records.extend(more);
    on(&records, |site| {
        let (seen, text) = crawl(site);
        saw_every_view(&seen);
        assert!(
            text.contains("AssumeRole=1+1</bdi>"),
            "it was there, as text"
        );
        assert!(!text.contains(|c: char| c != '\n' && c.is_control()));
    });
}

#[test]
fn what_an_address_says_stays_text_too() {
    on(&story().records(), |site| {
        let evil: String = form_urlencoded::byte_serialize(EVIL.as_bytes()).collect();
        for view in [
            "incidents",
            "timeline",
            "findings",
            "lineage",
            "tokens",
            "principals",
            "coverage",
        ] {
            for name in [
                "from", "to", "open", "q", "status", "kind", "sort", "severity", "page", "order",
            ] {
                let said = site.get(&format!("/{view}?{name}={evil}"));
                assert_eq!(said.status.as_u16(), 200, "{view} {name}");
                inspected(&said.body);
            }
            let said = site.get(&format!("/{view}?at={evil}"));
            assert_eq!(said.status.as_u16(), 400, "{view}");
            inspected(&said.body);
        }
        let said = site.get(&format!("/lineage?of={evil}&open={evil}"));
        assert_eq!(said.status.as_u16(), 404);
        inspected(&said.body);
        for view in ["incidents", "findings", "nodes"] {
            let said = site.get(&format!("/{view}/{}", evil.replace('+', "%20")));
            assert_eq!(said.status.as_u16(), 404, "{view}");
            inspected(&said.body);
        }
    });
}
