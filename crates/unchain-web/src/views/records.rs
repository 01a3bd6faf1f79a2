//! Raw records: those behind a node, behind a finding, and one by its event id.

use super::{Reply, Visit};
use crate::html::{column, counted, lines, outside, pager, table, time};
use crate::records::{Fetched, RawRecord, sought};
use axum::http::StatusCode;
use maud::{Markup, html};
use std::collections::{BTreeMap, BTreeSet};
use unchain_core::lineage::UsesByNode;
use unchain_core::time::Timestamp;

/// Records of a page: each is looked for in the files.
const RECORDS: usize = 10;
/// Kinds of use of which a node's list names the records.
const KINDS: usize = 500;

/// Event ids, each with why its record is shown.
type Behind = BTreeMap<String, BTreeSet<String>>;

/// An address of a record; none for an id that does not fit into one.
pub(crate) fn address(id: &str) -> Option<String> {
    const LONGEST: usize = 1000;
    let dots = id.chars().all(|c| c == '.');
    if dots || id.len() > LONGEST {
        return None;
    }
    let id: String = form_urlencoded::byte_serialize(id.as_bytes()).collect();
    // A blank is written as `+` in a query only.
    Some(format!("/records/{}", id.replace('+', "%20")))
}

/// The record with an event id.
pub(crate) fn one(visit: &Visit<'_, '_>) -> Reply {
    let ids = [visit.id.to_owned()];
    match fetched(visit, &ids) {
        Ok(found) if found.records.is_empty() => {
            let body = html! {
                p { "No record of this event id is in the files." }
                (trouble(&found))
            };
            let reply = visit.page("Record", &body);
            Reply {
                status: StatusCode::NOT_FOUND,
                ..reply
            }
        }
        Ok(found) => {
            let body = html! { @for record in &found.records { (article(visit, record, "")) } (trouble(&found)) };
            visit.page("Record", &body)
        }
        Err(why) => visit.page("Record", &prevented(&why)),
    }
}

/// The records behind a node: of its issue, of its end, and of the first and last call of each kind.
pub(crate) fn of_node(visit: &Visit<'_, '_>) -> Reply {
    let Some(node) = visit.world.names.node(visit.id) else {
        return visit.missing("credential or thing");
    };
    let ledger = visit.report.lineage().ledger();
    let mut behind = Behind::new();
    let mut add = |id: String, why: String| {
        behind.entry(id).or_default().insert(why);
    };
    for edge in visit.report.lineage().parents(node) {
        for id in visit.report.lineage().evidence(edge) {
            add(id, "shows where it came from".to_owned());
        }
    }
    for (_, life) in visit.report.history(node) {
        let ended = life
            .reason
            .map(|(why, fact)| (why, ledger.facts().get(fact as usize)));
        if let Some((why, Some(fact))) = ended {
            add(ledger.event_id(fact.id).into_owned(), why.to_owned());
        }
    }
    let uses = UsesByNode::of(visit.report.lineage(), &[node]);
    for usage in uses.uses(visit.report.lineage(), node).take(KINDS) {
        let ends = [("first", usage.first_id), ("last", ledger.last(usage).1)];
        for (word, id) in ends {
            add(
                ledger.event_id(id).into_owned(),
                format!("{word} call of its kind"),
            );
        }
    }
    let intro = html! { "Of " (visit.labelled(node)) ": what issued and ended it, and the first and last call of each kind. " };
    listed(visit, &behind, &intro)
}

/// The records that show a finding.
pub(crate) fn of_finding(visit: &Visit<'_, '_>) -> Reply {
    let found = visit
        .judged()
        .findings
        .findings
        .iter()
        .find(|f| f.id == visit.id);
    let Some(finding) = found else {
        return visit.missing("finding");
    };
    let reason = || BTreeSet::from(["shows the finding".to_owned()]);
    let ids = finding
        .event_ids
        .iter()
        .map(|id| (id.raw().to_owned(), reason()));
    let address = visit.link(&format!("/findings/{}", finding.id));
    let intro = html! { "Of the finding " a href=(address) { (finding.title) } ". " };
    listed(visit, &ids.collect(), &intro)
}

/// A page of records by time.
fn listed(visit: &Visit<'_, '_>, behind: &Behind, intro: &Markup) -> Reply {
    let ids: Vec<String> = behind.keys().cloned().collect();
    let ledger = visit.report.lineage().ledger();
    let mut known = sought(ledger, &ids);
    known.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
    let pages = known.len().div_ceil(RECORDS).max(1);
    let asked = visit.query.get("page").and_then(|page| page.parse().ok());
    let page = asked.unwrap_or(1usize).clamp(1, pages);
    let shown = known.chunks(RECORDS).nth(page - 1).unwrap_or_default();
    let ids: Vec<String> = shown.iter().map(|sought| sought.id.clone()).collect();
    let why = |id: &str| {
        let reasons = behind.get(id).into_iter().flatten();
        reasons.map(String::as_str).collect::<Vec<_>>().join(", ")
    };
    let found = fetched(visit, &ids);
    let body = html! {
        p { (intro) (counted(known.len(), "record")) "; session tokens are struck out." }
        @match &found {
            Err(why) => (prevented(why)),
            Ok(found) => {
                (trouble(found))
                @for sought in shown {
                    @match found.records.iter().find(|record| record.id == sought.id) {
                        Some(record) => (article(visit, record, &why(&sought.id))),
                        None => p { "Not found in the files: " (visit.event(&sought.id)) " (" (why(&sought.id)) ")." },
                    }
                }
            }
        }
        (pager(visit.query, visit.path, (page, pages)))
    };
    visit.page("Raw records", &body)
}

fn fetched(visit: &Visit<'_, '_>, ids: &[String]) -> Result<Fetched, String> {
    let lineage = visit.report.lineage();
    match visit.world.fetch {
        Some(fetch) => fetch(lineage, &sought(lineage.ledger(), ids)),
        None => Err(
            "this program has no raw records at hand; ask for them with `unchain events`"
                .to_owned(),
        ),
    }
}

/// What prevents it, and what to do.
fn prevented(why: &str) -> Markup {
    let (what, hint) = why.rsplit_once("; ").unwrap_or((why, ""));
    html! {
        p role="alert" { "The records cannot be shown: " (outside(what)) "." }
        @if !hint.is_empty() { p { "What to do: " (outside(hint)) "." } }
    }
}

/// Files that could not be read as they were.
fn trouble(found: &Fetched) -> Markup {
    let head = html! { (column("File")) (column("What is wrong")) };
    let rows = html! {
        @for (file, what) in &found.trouble { tr { th scope="row" { (outside(file)) } td { (what) } } }
    };
    html! {
        @if found.stopped {
            p { "Not every file was looked into, as that would take long: `unchain events` does." }
        }
        @if !found.trouble.is_empty() { (table(&counted(found.trouble.len(), "file"), &head, &rows)) }
    }
}

fn article(visit: &Visit<'_, '_>, record: &RawRecord, why: &str) -> Markup {
    let text = |name: &str| {
        let value = record.record.get(name);
        value.and_then(|value| value.as_str()).unwrap_or_default()
    };
    let at = Timestamp::parse(text("eventTime"));
    let pretty = serde_json::to_string_pretty(&record.record).unwrap_or_default();
    html! {
        article.record {
            h2 { @if let Some(at) = at { (time(at)) " " } (outside(text("eventName"))) }
            p {
                (visit.event(&record.id))
                @if !why.is_empty() { " · " (why) }
                br; span.soft { "from " (outside(&record.file)) }
            }
            (lines(&pretty))
        }
    }
}
