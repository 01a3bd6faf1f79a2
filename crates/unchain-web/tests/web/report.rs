//! The views of a file: the same rows as the page, and nothing that asks for anything.

use crate::common::{NOON, Site, judged, ledger, on, story};
use crate::hostile::{EVIL, poison};
use crate::html::{Page, read};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use unchain_core::lineage::Lineage;
use unchain_core::report::Report;
use unchain_core::time::Timestamp;
use unchain_web::{View, Views};

/// A day after the story, when much of it is over.
const LATER: &str = "2026-03-03T23:00:00Z";

/// Views of some records at an instant, in a file where every incident and finding has a place.
fn filed<T>(records: &[Value], at: &str, then: impl FnOnce(&Views<'_>) -> T) -> T {
    let ledger = ledger(records);
    let lineage = Lineage::build(&ledger);
    let at = Timestamp::parse(at).unwrap();
    let judged = judged(&Report::new(&lineage, at));
    let incidents = judged.findings.incidents.iter().map(|i| i.id.clone());
    let findings = judged.findings.findings.iter().map(|f| f.id.clone());
    let places: Vec<String> = incidents.chain(findings).collect();
    then(&Views::new(&lineage, (judged, Vec::new(), at), places))
}

fn view(views: &Views<'_>, view: View) -> Page {
    read(&views.html(view))
}

/// The rows of every page of a list.
fn listed(site: &Site, path: &str) -> Vec<Vec<String>> {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut waiting = Some(path.to_owned());
    while let Some(path) = waiting {
        let page = read(&site.get(&path).body);
        let known = rows.first().cloned();
        // The headings of the columns stand on each page.
        rows.extend(
            page.rows
                .into_iter()
                .filter(|row| known.as_ref() != Some(row)),
        );
        let next = page.tags.iter().find(|(_, attributes)| {
            attributes.get("rel").is_some_and(|rel| rel == "next")
                && attributes["href"].contains("page=")
        });
        waiting = next.map(|(_, attributes)| attributes["href"].clone());
    }
    rows
}

#[test]
fn a_file_has_the_rows_of_the_page() {
    let records = story().records();
    for at in [NOON, LATER] {
        let pages: Vec<_> = on(&records, |site| {
            let lists = ["incidents", "findings", "tokens", "principals", "coverage"];
            let lists = lists.iter();
            lists
                .map(|list| listed(site, &format!("/{list}?at={at}")))
                .collect()
        });
        filed(&records, at, |views| {
            let all = [
                View::Incidents,
                View::Findings,
                View::Tokens,
                View::Principals,
                View::Coverage,
            ];
            for (which, page) in all.into_iter().zip(&pages) {
                assert!(page.len() > 1, "{which:?}");
                assert_eq!(&view(views, which).rows, page, "{which:?} at {at}");
            }
        });
    }
}

#[test]
fn incidents_findings_and_nodes_are_told_as_on_the_page() {
    let records = story().records();
    let told: BTreeMap<String, Vec<Vec<String>>> = on(&records, |site| {
        let list = |path: &str| read(&site.get(path).body);
        let links = |page: &Page, begin: &str| -> Vec<String> {
            let all = page.values("a", "href").into_iter();
            all.filter(|link| link.starts_with(begin))
                .map(str::to_owned)
                .collect()
        };
        let mut paths = links(&list("/incidents"), "/incidents/i-");
        paths.extend(links(&list("/findings"), "/findings/f-"));
        paths.extend(links(&list("/findings"), "/nodes/"));
        let told = paths
            .into_iter()
            .map(|path| (path.clone(), list(&path).rows));
        told.collect()
    });
    filed(&records, NOON, |views| {
        let incidents = told
            .iter()
            .filter(|(path, _)| path.starts_with("/incidents/"));
        let [(_, incident)] = incidents.collect::<Vec<_>>()[..] else {
            panic!("the story is one incident");
        };
        assert_eq!(&view(views, View::Story(0)).rows, incident);
        let nodes = view(views, View::Nodes);
        let parts = nodes.values("details", "id");
        for (path, rows) in told.iter().filter(|(path, _)| path.starts_with("/nodes/")) {
            let id = path.trim_start_matches('/').replace('/', "-");
            assert_eq!(
                parts.iter().filter(|part| **part == id).count(),
                1,
                "{path}"
            );
            assert!(rows.iter().all(|row| nodes.rows.contains(row)), "{path}");
        }
    });
}

/// Every kind of view.
fn all() -> [View; 11] {
    [
        View::Incidents,
        View::Incident(0),
        View::Lineage(0),
        View::TimeLine(0),
        View::Story(0),
        View::Findings,
        View::Finding(0),
        View::Tokens,
        View::Principals,
        View::Nodes,
        View::Coverage,
    ]
}

#[test]
fn a_link_leads_to_a_place_in_the_file_or_is_plain_text() {
    filed(&story().records(), NOON, |views| {
        let pages: Vec<Page> = all().into_iter().map(|which| view(views, which)).collect();
        let ids: Vec<&str> = pages
            .iter()
            .flat_map(|page| &page.tags)
            .filter_map(|(_, attributes)| attributes.get("id").map(String::as_str))
            .collect();
        let each: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(each.len(), ids.len(), "each id stands once");
        let mut led = 0;
        for (name, attributes) in pages.iter().flat_map(|page| &page.tags) {
            for known in ["src", "action", "style", "onload", "srcset", "data"] {
                assert!(!attributes.contains_key(known), "{name} {known}");
            }
            let Some(place) = attributes.get("href") else {
                continue;
            };
            let inside = place.strip_prefix('#');
            if let Some(node) = inside.filter(|id| id.starts_with("nodes-")) {
                assert!(each.contains(node), "{place}");
                led += 1;
            }
            let attack = place.starts_with("https://attack.mitre.org/");
            assert!(attack || inside.is_some_and(|id| !id.is_empty()), "{place}");
        }
        assert!(led > 50, "nodes are linked");
    });
}

#[test]
fn a_view_that_is_not_there_is_empty() {
    filed(&[], NOON, |views| {
        for which in [
            View::Incident(0),
            View::Lineage(1),
            View::TimeLine(3),
            View::Story(0),
            View::Finding(9),
        ] {
            assert_eq!(views.html(which), "", "{which:?}");
        }
    });
}

#[test]
fn hostile_text_stays_text_in_a_file() {
    let long = format!("{EVIL}{}", "A".repeat(100_000));
    for evil in [EVIL, &long] {
        let mut records = story().records();
        records.iter_mut().for_each(|record| poison(record, evil));
        filed(&records, NOON, |views| {
            let mut text = String::new();
            for which in all() {
                let page = view(views, which);
                for name in ["script", "img", "style", "iframe", "form", "input"] {
                    assert_eq!(page.count(name), 0, "{which:?} {name}");
                }
                for (name, attributes) in &page.tags {
                    let odd =
                        |key: &&String| key.starts_with("on") || *key == "style" || *key == "src";
                    assert_eq!(attributes.keys().find(odd), None, "{which:?} {name}");
                }
                text.push_str(&page.text);
            }
            assert!(
                text.contains("<script>alert(1)</script>"),
                "it is there, as text"
            );
            let raw = |c: char| c != '\n' && (c.is_control() || "\u{202e}\u{2028}".contains(c));
            assert!(!text.contains(raw));
        });
    }
}

#[test]
fn of_very_many_credentials_those_of_incidents_come_first() {
    let quiet = "\nuser carol in shop key CAROL\nrole batch in shop\n";
    let jobs: String = (0..4)
        .map(|n| {
            format!(
                "1{n}:00 carol CAROL AssumeRole batch as job-{n} -> JOB{n} every 1s times 1800\n"
            )
        })
        .collect();
    let text = include_str!("../../../../scenarios/whack-a-mole/story.trail");
    let (head, rest) = text.split_once("# A working day").unwrap();
    let (_, rest) = rest.split_once('\n').unwrap();
    let trail = unchain_trail::Trail::parse(&format!("{head}{quiet}{rest}{jobs}")).unwrap();
    filed(&trail.records(), NOON, |views| {
        let page = view(views, View::Tokens);
        assert_eq!(page.rows.len(), 1 + 6000, "a heading, and so many rows");
        assert!(page.text.contains("more credentials not shown"));
        for key in ["A", "B", "C", "D", "SPARE"] {
            let key = trail.key(key).unwrap();
            assert!(page.rows.iter().any(|row| row[0].contains(key)), "{key}");
        }
    });
}
