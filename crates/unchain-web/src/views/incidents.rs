//! Incidents: the list, and the story of one.

use super::containment::{Met, PlanContext};
use super::findings::{named, not_visible, techniques};
use super::lineage::drawn;
use super::tokens::MAY_WORK;
use super::{Reply, Visit};
use crate::html::{column, counted, first, log, maybe_time, pager, table, time, word};
use maud::{Markup, html};
use unchain_core::report::IncidentRow;

/// Lines of a story: one of thousands is read elsewhere.
const STEPS: usize = 400;

/// What tells how the containment of an incident stands; none where no plans can be told of.
pub(crate) type Contained<'c> = Option<&'c dyn Fn(&IncidentRow, u32) -> Markup>;

/// Every incident, the worst first.
pub(crate) fn list(visit: &Visit<'_, '_>, context: &PlanContext) -> Reply {
    let all: Vec<_> = visit.incidents().collect();
    let (rows, pages) = visit.paged(&all);
    let plans = context.plans();
    let met = Met::of(&plans);
    let standing = |record: &_, progress: &_| context.standing(visit, (record, progress));
    let contained = |incident: &IncidentRow, root| met.told(visit, &standing, (incident, root));
    let body = html! {
        (rows_of(visit, (rows, all.len()), Some(&contained)))
        (pager(visit.query, "/incidents", pages))
    };
    visit.page("Incidents", &body)
}

/// A table of some of all incidents.
pub(crate) fn rows_of(
    visit: &Visit<'_, '_>,
    (rows, all): (&[(&IncidentRow, u32)], usize),
    contained: Contained<'_>,
) -> Markup {
    let head = html! {
        (column("Incident")) (column("Severity")) (column("Root")) (column("May still work"))
        (column("Credentials")) @if contained.is_some() { (column("Containment")) }
        (column("First finding")) (column("Last finding")) (column("Last activity"))
    };
    let lines =
        html! { @for (incident, root) in rows { (row(visit, (incident, *root), contained)) } };
    html! {
        @if all == 0 { p { "Nothing in this case was joined to an incident." } }
        @else { (table(&counted(all, "incident"), &head, &lines)) }
    }
}

/// Where the credentials of an incident are listed: all, or those of a status.
fn tokens(visit: &Visit<'_, '_>, incident: &IncidentRow, status: &str) -> Option<String> {
    let query = visit.query.instant().with("incident", &incident.id);
    visit.asks(&query.with("status", status), "/tokens")
}

/// Where an incident is drawn.
fn time_line(visit: &Visit<'_, '_>, incident: &IncidentRow) -> Option<String> {
    let query = visit.query.instant().with("incident", &incident.id);
    visit.asks(&query, "/timeline")
}

/// The id of an incident as the case has it; of another nothing.
pub(crate) fn known<'v>(visit: &'v Visit<'_, '_>, id: &str) -> &'v str {
    visit
        .incidents()
        .find(|(incident, _)| incident.id == id)
        .map_or("", |(incident, _)| &incident.id)
}

fn row(
    visit: &Visit<'_, '_>,
    (incident, root): (&IncidentRow, u32),
    contained: Contained<'_>,
) -> Markup {
    html! {
        tr {
            th scope="row" {
                a href=[visit.href(&format!("/incidents/{}", incident.id))] { (log(&incident.title)) }
            }
            td { (word(incident.severity)) }
            td { (visit.labelled(root)) }
            td.number { a href=[tokens(visit, incident, MAY_WORK)] { (incident.may_work) } }
            td.number { a href=[tokens(visit, incident, "")] { (incident.credentials) } }
            @if let Some(contained) = contained { td { (contained(incident, root)) } }
            td { (time(incident.first)) }
            td { (time(incident.last)) }
            td { a href=[time_line(visit, incident)] { (maybe_time(visit.last_use(&incident.id))) } }
        }
    }
}

/// One incident.
pub(crate) fn one(visit: &Visit<'_, '_>, context: &PlanContext) -> Reply {
    match visit
        .incidents()
        .find(|(incident, _)| incident.id == visit.id)
    {
        Some((incident, root)) => {
            let plans = context.plans();
            let met = Met::of(&plans);
            let standing = |record: &_, progress: &_| context.standing(visit, (record, progress));
            let contained =
                |incident: &IncidentRow, root| met.told(visit, &standing, (incident, root));
            let all = html! {
                p { (log(&incident.title)) }
                (facts(visit, (incident, root), Some(&contained)))
                (told(visit, incident))
            };
            visit.page("Incident", &all)
        }
        None => visit.missing("incident"),
    }
}

/// What is known of an incident besides its title.
pub(crate) fn facts(
    visit: &Visit<'_, '_>,
    (incident, root): (&IncidentRow, u32),
    contained: Contained<'_>,
) -> Markup {
    html! {
        dl {
            dt { "Severity" } dd { (word(incident.severity)) }
            dt { "Root" } dd {
                (visit.labelled(root)) " " span.soft { (visit.whose(root)) }
                @if !visit.is_file() { ", " a href=(drawn(visit, root)) { "lineage" } }
            }
            dt { "Incident" } dd { code { (incident.id) } }
            @if !incident.other_roots.is_empty() {
                dt { "Other roots" } dd { ul { @for root in &incident.other_roots { li { (log(root)) } } } }
            }
            dt { "May still work" } dd {
                a href=[tokens(visit, incident, MAY_WORK)] { (incident.may_work) } " of "
                a href=[tokens(visit, incident, "")] { (incident.credentials) } " credentials under its roots"
            }
            dt { "Findings" } dd { "from " (time(incident.first)) " to " (time(incident.last)) }
            dt { "Last activity" } dd {
                (maybe_time(visit.last_use(&incident.id)))
                @if let Some(drawn) = time_line(visit, incident) { " (" a href=(drawn) { "time line" } ")" }
            }
            @if let Some(contained) = contained {
                dt { "Containment" } dd {
                    (contained(incident, root))
                    @if visit.file.is_none() { " · " a href=(visit.plan_about(root)) { "Plan how to end it" } }
                }
            }
            dt { "Accounts" } dd { @for account in &incident.accounts { (log(account)) " " } }
            dt { "ATT&CK" } dd { (techniques(visit, &incident.techniques)) }
        }
    }
}

/// What happened, and by what it is shown.
pub(crate) fn told(visit: &Visit<'_, '_>, incident: &IncidentRow) -> Markup {
    html! {
        (visit.part("What happened"))
        (story(visit, incident))
        (visit.part("Findings"))
        (named(visit, |finding, _| finding.incident.as_deref() == Some(&incident.id)))
        (not_visible(visit, &incident.not_visible))
    }
}

fn story(visit: &Visit<'_, '_>, incident: &IncidentRow) -> Markup {
    let head = html! { (column("Time (UTC)")) (column("What")) (column("Shown by")) };
    let finding = |id: &str| visit.href(&format!("/findings/{id}"));
    let rows = html! {
        @for step in incident.story.iter().take(STEPS) {
            tr {
                td { (time(step.time)) }
                td { (log(&step.what)) }
                td {
                    @if let Some(id) = &step.finding { a href=[finding(id)] { "finding " (id) } " " }
                    @if let Some(id) = &step.event_id { (visit.event(id.raw())) }
                }
            }
        }
    };
    table(&first(STEPS, incident.story.len(), "step"), &head, &rows)
}
