//! Raw records behind what the pages say.

use crate::common::{NOON, Site, on, story, with_files};
use crate::html::Page;
use crate::inspect::inspected;
use std::collections::BTreeSet;
use unchain_web::Fetched;

fn page(site: &Site, path: &str) -> Page {
    let said = site.get(path);
    assert_eq!(said.status.as_u16(), 200, "{path}: {}", said.body);
    inspected(&said.body)
}

/// The addresses on a page that begin so.
fn links<'p>(page: &'p Page, begin: &'p str) -> BTreeSet<&'p str> {
    let all = page.values("a", "href").into_iter();
    all.filter(|link| link.starts_with(begin)).collect()
}

/// The page of a key's node.
fn node(site: &Site, key: &str) -> String {
    let body = site.get(&format!("/tokens?q={key}")).body;
    let mut rows = body
        .split("<tr>")
        .filter_map(|row| row.split_once("<a href=\"")?.1.split_once("\">"));
    let row = rows.find(|(_, rest)| rest.starts_with(&format!("<bdi>{key}</bdi>")));
    row.unwrap().0.to_owned()
}

#[test]
fn every_event_id_of_a_node_leads_to_its_record() {
    let story = story();
    on(&story.records(), |site| {
        let d = node(site, story.key("D").unwrap());
        let ids = page(site, &d);
        let records = links(&ids, "/records/");
        assert!(records.len() > 5, "{records:?}");
        for link in records {
            let id = link.strip_prefix("/records/").unwrap();
            let record = page(site, link);
            assert!(
                record.text.contains(&format!("\"eventID\": \"{id}\"")),
                "{}",
                record.text
            );
        }
    });
}

#[test]
fn the_records_behind_a_node_tell_why_they_are_shown() {
    let story = story();
    on(&story.records(), |site| {
        let a = format!("{}/records", node(site, story.key("A").unwrap()));
        let told = page(site, &a);
        let ended = page(site, &format!("{a}?page=2"));
        assert!(told.text.contains("Page 1 of 2") && told.count("article") == 10);
        let both = told.text + &ended.text;
        assert!(both.contains("UpdateAccessKey") && both.contains("key deactivated"));
        assert!(both.contains("first call of its kind"));
        assert!(both.contains("/logs/<b>trail.json"), "where it stands");
        let issued = page(
            site,
            &format!("{}/records", node(site, story.key("D").unwrap())),
        );
        assert!(issued.text.contains("\"eventName\": \"AssumeRole\""));
        assert!(issued.text.contains("shows where it came from"));
    });
}

#[test]
fn the_records_of_a_finding_are_those_that_it_names() {
    on(&story().records(), |site| {
        let findings = page(site, "/findings");
        for link in links(&findings, "/findings/") {
            let one = page(site, link);
            let named = links(&one, "/records/").len();
            let records = page(site, &format!("{link}/records"));
            assert_eq!(records.count("article"), named.min(10), "{link}");
        }
    });
}

#[test]
fn what_is_not_there_is_said() {
    on(&story().records(), |site| {
        let said = site.get("/records/00000000-0000-4000-8000-000000000000");
        assert_eq!(said.status.as_u16(), 404);
        assert!(
            inspected(&said.body)
                .text
                .contains("No record of this event id")
        );
        for path in ["/nodes/000000000000/records", "/findings/f-0/records"] {
            assert_eq!(site.get(path).status.as_u16(), 404);
        }
    });
}

#[test]
fn files_that_are_gone_are_named() {
    let story = story();
    let gone = || {
        Ok(Fetched {
            trouble: vec![("/logs/</td>a.json".to_owned(), "gone since the scan")],
            stopped: true,
            ..Fetched::default()
        })
    };
    let ask = |site: &Site| {
        let d = node(site, story.key("D").unwrap());
        page(site, &format!("{d}/records")).text
    };
    let told = with_files(&story.records(), &|_, _| gone(), ask);
    assert!(told.contains("/logs/</td>a.json") && told.contains("gone since the scan"));
    assert!(told.contains("Not found in the files") && told.contains("Not every file"));
    let refused = with_files(
        &story.records(),
        &|_, _| Err("no; mount `/logs`".to_owned()),
        ask,
    );
    assert!(refused.contains("What to do: mount `/logs`."), "{refused}");
}

#[test]
fn a_record_is_looked_for_where_the_ledger_says_that_it_is() {
    let story = story();
    let at = unchain_core::time::Timestamp::parse(NOON).unwrap();
    let check = |sought: &[unchain_web::Sought]| {
        assert!(!sought.is_empty());
        for one in sought {
            assert!(
                !one.callers.is_empty() && one.at.is_some_and(|time| time < at.plus(86_400)),
                "{one:?}"
            );
        }
    };
    with_files(
        &story.records(),
        &|_, sought| {
            check(sought);
            Ok(Fetched::default())
        },
        |site| {
            page(
                site,
                &format!("{}/records", node(site, story.key("D").unwrap())),
            )
            .count("h1")
        },
    );
}
