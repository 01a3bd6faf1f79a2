//! Findings: the list, and one with its evidence.

use super::{Reply, Visit, search};
use crate::html::{column, counted, log, outside, pager, select, table, time, word};
use maud::{Markup, html};
use unchain_core::report::FindingRow;

pub(crate) const SEVERITIES: [&str; 5] = ["critical", "high", "medium", "low", "informational"];

/// Every finding that is not expected, by time.
pub(crate) fn list(visit: &Visit<'_, '_>) -> Reply {
    let judged = visit.judged();
    let all = judged
        .findings
        .findings
        .iter()
        .zip(judged.subjects.iter().copied());
    let kept: Vec<_> = all.filter(|(finding, _)| keeps(visit, finding)).collect();
    let expected = judged
        .findings
        .findings
        .iter()
        .filter(|f| f.allowed_by.is_some())
        .count();
    let (rows, pages) = visit.paged(&kept);
    let head = html! {
        (column("Finding")) (column("Severity")) (column("Credential")) (column("First")) (column("Last"))
    };
    let body = html! { @for (finding, node) in rows { (row(visit, finding, *node)) } };
    let body = html! {
        form action="/findings" method="get" role="search" {
            (select(visit.query, ("severity", "Severity"), &SEVERITIES))
            (search(visit.query))
            (visit.kept_instant())
            button { "Filter" }
        }
        @if expected > 0 { p { (counted(expected, "more finding")) " that the settings expect." } }
        (table(&counted(kept.len(), "finding"), &head, &body))
        (pager(visit.query, "/findings", pages))
    };
    visit.page("Findings", &body)
}

fn keeps(visit: &Visit<'_, '_>, finding: &FindingRow) -> bool {
    let texts = finding
        .path
        .iter()
        .chain(&finding.also)
        .chain([&finding.what]);
    finding.allowed_by.is_none()
        && visit.chosen("severity", finding.severity)
        && visit.holds(texts.chain(finding.foreign_address.iter()))
}

fn row(visit: &Visit<'_, '_>, finding: &FindingRow, node: u32) -> Markup {
    html! {
        tr {
            th scope="row" {
                a href=(visit.link(&format!("/findings/{}", finding.id))) { (finding.title) }
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
    let judged = visit.judged();
    let all = judged
        .findings
        .findings
        .iter()
        .zip(judged.subjects.iter().copied());
    let kept: Vec<_> = all
        .filter(|(finding, node)| keeps(finding, *node))
        .collect();
    let head = html! {
        (column("Finding")) (column("Severity")) (column("Credential")) (column("First")) (column("Last"))
    };
    let rows = html! { @for (finding, node) in &kept { (row(visit, finding, *node)) } };
    html! {
        @if kept.is_empty() { p { "None." } }
        @else { (table(&counted(kept.len(), "finding"), &head, &rows)) }
    }
}

/// One finding.
pub(crate) fn one(visit: &Visit<'_, '_>) -> Reply {
    let judged = visit.judged();
    let mut all = judged
        .findings
        .findings
        .iter()
        .zip(judged.subjects.iter().copied());
    match all.find(|(finding, _)| finding.id == visit.id) {
        Some((finding, node)) => visit.page(finding.title, &body(visit, finding, node)),
        None => visit.missing("finding"),
    }
}

fn body(visit: &Visit<'_, '_>, finding: &FindingRow, node: u32) -> Markup {
    let incident = |id: &str| visit.link(&format!("/incidents/{id}"));
    html! {
        p { (log(&finding.what)) }
        dl {
            dt { "Severity" } dd { (word(finding.severity)) }
            dt { "Confidence" } dd { (finding.confidence) }
            dt { "Credential" } dd { (visit.labelled(node)) }
            dt { "First" } dd { (time(finding.first)) }
            dt { "Last" } dd { (time(finding.last)) }
            dt { "ATT&CK" } dd { (finding.techniques.join(", ")) }
            dt { "Detection" } dd { code { (finding.detection) } }
            dt { "Incident" } dd {
                @if let Some(id) = &finding.incident { a href=(incident(id)) { (id) } } @else { "none" }
            }
            @if let Some(address) = &finding.foreign_address { dt { "Acted from" } dd { (log(address)) } }
            @if let Some(by) = &finding.allowed_by { dt { "Expected" } dd { (outside(by)) } }
        }
        h2 { "From the root to the credential" }
        ol { @for step in &finding.path { li { (log(step)) } } }
        @if !finding.also.is_empty() {
            h2 { "Also about" }
            ul { @for other in &finding.also { li { (log(other)) } } }
        }
        h2 { "Records that show it" }
        @if visit.has_records() {
            p { a href=(visit.link(&format!("/findings/{}/records", finding.id))) { "Raw records" } }
        }
        ul { @for id in &finding.event_ids { li { (visit.event(id.raw())) } } }
        (not_visible(&finding.not_visible))
    }
}

/// What the log would have to hold to be surer.
pub(crate) fn not_visible(lines: &[String]) -> Markup {
    html! {
        @if !lines.is_empty() {
            h2 { "What the log does not show" }
            ul { @for line in lines { li { (outside(line)) } } }
        }
    }
}
