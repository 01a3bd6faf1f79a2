//! Findings: the list, and one with its evidence.

use super::{ROWS, Reply, Visit, search};
use crate::html::{column, counted, first, log, outside, pager, select, table, time, word};
use maud::{Markup, html};
use unchain_core::detect::Detection;
use unchain_core::detect::attack::Technique;
use unchain_core::report::FindingRow;

pub(crate) const SEVERITIES: [&str; 5] = ["critical", "high", "medium", "low", "informational"];

/// Every finding that is not expected, by time; those that are, where somebody asks for them.
pub(crate) fn list(visit: &Visit<'_, '_>) -> Reply {
    let mut kept: Vec<_> = visit.findings().collect();
    let number = kept.len();
    let wants_expected = visit.query.get("expected").is_some();
    kept.retain(|(finding, _)| finding.allowed_by.is_some() == wants_expected);
    let others = number - kept.len();
    kept.retain(|(finding, _)| matches(visit, finding));
    let (rows, pages) = visit.paged(&kept);
    let body = html! {
        form action="/findings" method="get" role="search" {
            (select(visit.query, ("severity", "Severity"), &SEVERITIES))
            (search(visit.query))
            (visit.kept_instant())
            button { "Filter" }
        }
        @if wants_expected { p { a href=(visit.link("/findings")) { "Findings that nobody expects" } } }
        @else { (also(visit, others)) }
        (rows_of(visit, rows, &counted(kept.len(), "finding")))
        (pager(visit.query, "/findings", pages))
    };
    visit.page("Findings", &body)
}

/// How many are not in the list.
pub(crate) fn also(visit: &Visit<'_, '_>, expected: usize) -> Markup {
    let address = visit.asks(&visit.query.instant().with("expected", "yes"), "/findings");
    html! {
        @if expected > 0 {
            p { a href=[address] { (counted(expected, "more finding")) } " that the settings expect." }
        }
    }
}

/// A table of some of all findings.
pub(crate) fn rows_of(visit: &Visit<'_, '_>, rows: &[(&FindingRow, u32)], caption: &str) -> Markup {
    let head = html! {
        (column("Finding")) (column("Severity")) (column("Credential")) (column("First")) (column("Last"))
    };
    let lines = html! { @for (finding, node) in rows { (row(visit, finding, *node)) } };
    table(caption, &head, &lines)
}

/// Whether the filters keep a finding.
pub(crate) fn matches(visit: &Visit<'_, '_>, finding: &FindingRow) -> bool {
    let texts = finding
        .path
        .iter()
        .chain(&finding.also)
        .chain([&finding.what]);
    visit.chosen("severity", finding.severity)
        && visit.holds(texts.chain(finding.foreign_address.iter()))
}

fn row(visit: &Visit<'_, '_>, finding: &FindingRow, node: u32) -> Markup {
    html! {
        tr {
            th scope="row" {
                a href=[visit.href(&format!("/findings/{}", finding.id))] { (finding.title) }
                br; span.soft { (log(&finding.what)) }
            }
            td { (word(finding.severity)) }
            td { (visit.labelled(node)) }
            td { (time(finding.first)) }
            td { (time(finding.last)) }
        }
    }
}

/// A table of findings by their ids, in the order of time.
pub(crate) fn named(visit: &Visit<'_, '_>, keeps: impl Fn(&FindingRow, u32) -> bool) -> Markup {
    let mut kept: Vec<_> = visit.findings().collect();
    kept.retain(|(finding, node)| keeps(finding, *node));
    let rows = kept.get(..ROWS).unwrap_or(&kept);
    let caption = first(ROWS, kept.len(), "finding");
    html! { @if kept.is_empty() { p { "None." } } @else { (rows_of(visit, rows, &caption)) } }
}

/// One finding.
pub(crate) fn one(visit: &Visit<'_, '_>) -> Reply {
    match visit.findings().find(|(finding, _)| finding.id == visit.id) {
        Some((finding, node)) => {
            let told = html! { (body(visit, finding, node)) (about(finding)) };
            visit.page(finding.title, &told)
        }
        None => visit.missing("finding"),
    }
}

/// Why findings of its kind matter, and what else they may be.
fn about(finding: &FindingRow) -> Markup {
    let detection = Detection::find(finding.detection);
    html! {
        @if let Some(detection) = detection {
            h2 { "Why it matters" }
            p { (sentence(detection.matters)) }
            @if !detection.false_positives.is_empty() {
                h2 { "What else looks like it" }
                ul { @for other in detection.false_positives { li { (sentence(other)) } } }
            }
        }
    }
}

/// With a capital and a full stop.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let initial = letters.next().into_iter().flat_map(char::to_uppercase);
    let stop = if words.ends_with('.') {
        None
    } else {
        Some('.')
    };
    initial.chain(letters).chain(stop).collect()
}

/// Techniques with their names; in a file they lead to the pages of ATT&CK.
pub(crate) fn techniques(visit: &Visit<'_, '_>, ids: &[&'static str]) -> Markup {
    html! {
        @for (n, id) in ids.iter().enumerate() {
            @if n > 0 { br; }
            @match Technique::find(id) {
                Some(known) => {
                    a href=[visit.is_file().then(|| known.url())] rel="noreferrer" { (id) " " (known.full_name()) }
                }
                None => { (id) }
            }
        }
    }
}

/// What is known of a finding.
pub(crate) fn body(visit: &Visit<'_, '_>, finding: &FindingRow, node: u32) -> Markup {
    let incident = |id: &str| visit.href(&format!("/incidents/{id}"));
    html! {
        p { (log(&finding.what)) }
        dl {
            dt { "Severity" } dd { (word(finding.severity)) }
            dt { "Confidence" } dd { (finding.confidence) }
            dt { "Credential" } dd { (visit.labelled(node)) " " span.soft { (visit.whose(node)) } }
            dt { "First" } dd { (time(finding.first)) }
            dt { "Last" } dd { (time(finding.last)) }
            dt { "ATT&CK" } dd { (techniques(visit, finding.techniques)) }
            dt { "Detection" } dd { code { (finding.detection) } }
            dt { "Incident" } dd {
                @if let Some(id) = &finding.incident { a href=[incident(id)] { (id) } } @else { "none" }
            }
            @if let Some(address) = &finding.foreign_address { dt { "Acted from" } dd { (log(address)) } }
            @if let Some(by) = &finding.allowed_by { dt { "Expected" } dd { (outside(by)) } }
        }
        (visit.part("From the root to the credential"))
        ol { @for step in &finding.path { li { (log(step)) } } }
        @if !finding.also.is_empty() {
            (visit.part("Also about"))
            ul { @for other in finding.also.iter().take(ROWS) { li { (log(other)) } } }
            @if finding.also.len() > ROWS { p { "These are the first of " (finding.also.len()) "." } }
        }
        (visit.part("Records that show it"))
        @if visit.has_records() {
            p { a href=(visit.link(&format!("/findings/{}/records", finding.id))) { "Raw records" } }
        }
        ul { @for id in &finding.event_ids { li { (visit.event(id.raw())) } } }
        (not_visible(visit, &finding.not_visible))
    }
}

/// What the log would have to hold to be surer.
pub(crate) fn not_visible(visit: &Visit<'_, '_>, lines: &[String]) -> Markup {
    html! {
        @if !lines.is_empty() {
            (visit.part("What the log does not show"))
            ul { @for line in lines { li { (outside(line)) } } }
        }
    }
}
