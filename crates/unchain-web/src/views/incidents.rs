//! Incidents: the list, and the story of one.

use super::findings::{named, not_visible};
use super::{Reply, Visit};
use crate::html::{column, counted, log, pager, table, time, word};
use maud::{Markup, html};
use unchain_core::report::IncidentRow;

/// Every incident, the worst first.
pub(crate) fn list(visit: &Visit<'_, '_>) -> Reply {
    let judged = visit.judged();
    let all: Vec<_> = judged
        .findings
        .incidents
        .iter()
        .zip(judged.roots.iter().copied())
        .collect();
    let (rows, pages) = visit.paged(&all);
    let head = html! {
        (column("Incident")) (column("Severity")) (column("Root")) (column("May still work"))
        (column("Credentials")) (column("First")) (column("Last"))
    };
    let lines = html! { @for (incident, root) in rows { (row(visit, incident, *root)) } };
    let body = html! {
        @if all.is_empty() { p { "Nothing in this case was joined to an incident." } }
        @else { (table(&counted(all.len(), "incident"), &head, &lines)) }
        (pager(visit.query, "/incidents", pages))
    };
    visit.page("Incidents", &body)
}

fn row(visit: &Visit<'_, '_>, incident: &IncidentRow, root: u32) -> Markup {
    html! {
        tr {
            th scope="row" {
                a href=(visit.link(&format!("/incidents/{}", incident.id))) { (log(&incident.title)) }
            }
            td { (word(incident.severity)) }
            td { (visit.labelled(root)) }
            td.number { (incident.may_work) }
            td.number { (incident.credentials) }
            td { (time(incident.first)) }
            td { (time(incident.last)) }
        }
    }
}

/// One incident.
pub(crate) fn one(visit: &Visit<'_, '_>) -> Reply {
    let judged = visit.judged();
    let mut all = judged
        .findings
        .incidents
        .iter()
        .zip(judged.roots.iter().copied());
    match all.find(|(incident, _)| incident.id == visit.id) {
        Some((incident, root)) => visit.page("Incident", &body(visit, incident, root)),
        None => visit.missing("incident"),
    }
}

fn body(visit: &Visit<'_, '_>, incident: &IncidentRow, root: u32) -> Markup {
    html! {
        p { (log(&incident.title)) }
        dl {
            dt { "Severity" } dd { (word(incident.severity)) }
            dt { "Root" } dd { (visit.labelled(root)) }
            @if !incident.other_roots.is_empty() {
                dt { "Other roots" } dd { ul { @for root in &incident.other_roots { li { (log(root)) } } } }
            }
            dt { "May still work" } dd {
                (incident.may_work) " of " (incident.credentials) " credentials under its roots"
            }
            dt { "First" } dd { (time(incident.first)) }
            dt { "Last" } dd { (time(incident.last)) }
            dt { "Accounts" } dd { @for account in &incident.accounts { (log(account)) " " } }
            dt { "ATT&CK" } dd { (incident.techniques.join(", ")) }
        }
        h2 { "What happened" }
        (story(visit, incident))
        h2 { "Findings" }
        (named(visit, |finding, _| finding.incident.as_deref() == Some(&incident.id)))
        (not_visible(&incident.not_visible))
    }
}

fn story(visit: &Visit<'_, '_>, incident: &IncidentRow) -> Markup {
    let head = html! { (column("Time (UTC)")) (column("What")) (column("Shown by")) };
    let finding = |id: &str| visit.link(&format!("/findings/{id}"));
    let rows = html! {
        @for step in &incident.story {
            tr {
                td { (time(step.time)) }
                td { (log(&step.what)) }
                td {
                    @if let Some(id) = &step.finding { a href=(finding(id)) { "finding " (id) } " " }
                    @if let Some(id) = &step.event_id { (visit.event(id.raw())) }
                }
            }
        }
    };
    table(&counted(incident.story.len(), "step"), &head, &rows)
}
