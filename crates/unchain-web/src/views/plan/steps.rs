//! The steps of a plan: in a table with how each stands, and one with everything that is known of it.

use super::{SHORT, found};
use crate::containment::PlanRecord;
use crate::html::{
    column, counted, lines, log, maybe_time, nothing, outside, pager, table, time, word,
};
use crate::views::containment::PlanContext;
use crate::views::{Reply, Visit};
use maud::{Markup, html};
use serde_json::Value;
use std::collections::BTreeMap;
use unchain_core::contain::{
    Action, Call, Happened, Plan, Progress, Receipt, Step, StepStage, Subject, Undo, Work, progress,
};

fn stage(stage: StepStage) -> &'static str {
    match stage {
        StepStage::Waiting => "waiting",
        StepStage::Begun => "begun",
        StepStage::Done => "done",
        StepStage::Already => "already-so",
        StepStage::Gone => "gone",
        StepStage::Failed => "failed",
        StepStage::Surprise => "surprise",
        StepStage::Verified => "verified",
        StepStage::Undone => "undone",
        StepStage::Left => "left-as-it-is",
        StepStage::NotUndone => "not-put-back",
    }
}

/// The steps of the page that is asked for.
pub(crate) fn table_of(
    visit: &Visit<'_, '_>,
    (record, progress): (&PlanRecord, &Progress),
) -> Markup {
    let plan = &record.plan;
    let all: Vec<(&Step, StepStage)> = plan
        .steps
        .iter()
        .zip(progress.steps.iter().copied())
        .collect();
    let (rows, pages) = visit.paged(&all);
    let head = html! {
        (column("Step")) (column("State")) (column("What")) (column("Why")) (column("Breaks")) (column("Undone by"))
    };
    let path = record.path();
    let lines = html! {
        @for (place, (step, stage)) in rows.iter().enumerate() {
            @let before = place.checked_sub(1).and_then(|place| rows.get(place)).map(|(step, _)| step.phase);
            @if before != Some(step.phase) {
                tr.phase {
                    th colspan="6" scope="colgroup" {
                        (step.phase.name()) ": " span.soft { (step.phase.purpose()) }
                    }
                }
            }
            (row(visit.href(&format!("{path}/steps/{}", step.number)), step, *stage))
        }
    };
    html! {
        @if plan.steps.is_empty() { p { "This plan changes nothing." } }
        @else { (table(&counted(plan.steps.len(), "step"), &head, &lines)) }
        @if pages.1 == 1 && rows.len() < all.len() { p { "The first " (rows.len()) " of them; the plan's file has all." } }
        (pager(visit.query, &path, pages))
    }
}

fn row(link: Option<String>, step: &Step, at: StepStage) -> Markup {
    html! {
        tr {
            th.number scope="row" { a href=[link] { (step.number) } }
            td { (word(stage(at))) }
            td { (what(step)) }
            td { (outside(&step.reason)) }
            td {
                @if step.breaks.is_empty() { (nothing()) }
                @else { @for broken in step.breaks.iter().take(3) { div { (log(&broken.who)) " " (outside(&broken.what)) } }
                    @if step.breaks.len() > 3 { div { "and " (step.breaks.len() - 3) " more" } } }
            }
            td { (undo(&step.undo)) }
        }
    }
}

/// What a step does, and to what.
fn what(step: &Step) -> Markup {
    html! {
        @match &step.action {
            Action::Call(call) => {
                code { (outside(&call.action)) } " " (log(&step.target))
                br; span.soft { "in " (log(&call.account)) }
            }
            Action::Wait(seconds) => { "Wait " (counted(usize::try_from(*seconds).unwrap_or(usize::MAX), "second")) }
            Action::Verify { after, until } => { "No call may succeed after " (time(*after)) ", looked at until " (time(*until)) }
        }
    }
}

fn undo(undo: &Undo) -> Markup {
    html! {
        @match undo {
            Undo::Calls(calls) => @for call in calls { code { (outside(&call.action)) } " " },
            Undo::Nothing => (nothing()),
            Undo::Never(why) => { strong { "cannot be undone" } ": " (outside(why)) }
        }
    }
}

/// Who outside the lineage loses what, by which steps.
pub(super) fn breaks(plan: &Plan) -> Markup {
    let mut by_who: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for step in &plan.steps {
        for broken in &step.breaks {
            by_who
                .entry(broken)
                .or_default()
                .push(step.number.to_string());
        }
    }
    html! {
        @if by_who.is_empty() { p { "Nothing outside the lineage that is known." } }
        @else {
            ul {
                @for (broken, steps) in by_who.iter().take(SHORT) {
                    li { (log(&broken.who)) " " (outside(&broken.what)) span.soft { " (step " (steps.join(", ")) ")" } }
                }
            }
            @if by_who.len() > SHORT { p.soft { "and " (by_who.len() - SHORT) " more; plan.json has them all" } }
        }
    }
}

/// One step with its calls, its reasons and its journal.
pub(crate) fn step(visit: &Visit<'_, '_>, context: &PlanContext, number: u32) -> Reply {
    let record = match found(visit, context) {
        Ok(record) => record,
        Err(reply) => return reply,
    };
    let progress = progress(&record.plan, &record.receipts);
    let mut steps = record.plan.steps.iter().zip(&progress.steps);
    match steps.find(|(step, _)| step.number == number) {
        Some((step, stage)) => visit.page("Step", &whole(visit, &record, (step, *stage))),
        None => visit.missing("step"),
    }
}

fn whole(visit: &Visit<'_, '_>, record: &PlanRecord, (step, at): (&Step, StepStage)) -> Markup {
    let plan = &record.plan;
    html! {
        p { a href=(visit.link(&record.path())) { "Plan " (outside(&plan.id)) } ", step " (step.number) " of " (plan.steps.len()) }
        dl {
            dt { "State" } dd { (word(stage(at))) }
            dt { "What" } dd { (what(step)) }
            dt { "Why" } dd { (outside(&step.reason)) }
            dt { "Phase" } dd { (step.phase.name()) ": " (step.phase.purpose()) }
            dt { "For" } dd { (subjects(plan, step)) }
            dt { "Records" } dd { @for id in step.evidence.iter().take(SHORT) { (visit.event(id.raw())) " " } }
            dt { "Breaks" } dd {
                @if step.breaks.is_empty() { "nothing outside the lineage that is known" }
                @else { ul { @for broken in step.breaks.iter().take(SHORT) { li { (log(&broken.who)) " " (outside(&broken.what)) } } } }
            }
        }
        @if let Action::Call(call) = &step.action { h2 { "The call" } (made(call)) }
        h2 { "How it is undone" }
        @match &step.undo {
            Undo::Calls(calls) => @for call in calls { (made(call)) },
            Undo::Nothing => p { "There is nothing to undo." },
            Undo::Never(why) => p { "It cannot be undone: " (outside(why)) "." },
        }
        h2 { "Journal" }
        (journal(&record.receipts, step.number))
    }
}

fn subjects(plan: &Plan, step: &Step) -> Markup {
    let name = |subject: &Subject| match (&subject.access_key_id, &subject.principal_arn) {
        (Some(name), _) | (None, Some(name)) => log(name),
        (None, None) => log(&subject.kind),
    };
    let all = step
        .subjects
        .iter()
        .filter_map(|place| plan.subjects.get(*place as usize));
    html! {
        ul { @for subject in all.take(SHORT) { li { (name(subject)) } } }
        @if step.subjects.len() > SHORT { p.soft { "and " (step.subjects.len() - SHORT) " more" } }
    }
}

/// A call with its parameters.
fn made(call: &Call) -> Markup {
    let parameters = serde_json::to_string_pretty(&Value::Object(call.parameters.clone()));
    html! {
        p { code { (outside(&call.service)) ":" (outside(&call.action)) } " in " (log(&call.account)) }
        (lines(&parameters.unwrap_or_default()))
    }
}

fn journal(receipts: &[Receipt], number: u32) -> Markup {
    let own: Vec<&Receipt> = receipts.iter().filter(|line| line.step == number).collect();
    let head = html! { (column("Time (UTC)")) (column("Work")) (column("What happened")) (column("Request")) };
    let rows = html! {
        @for line in own.iter().take(SHORT) {
            @let (happened, request) = happened(&line.what);
            tr {
                td { (maybe_time(Some(line.at))) }
                td { @match line.work { Work::Apply => "apply", Work::Undo => "undo" } }
                td { (happened) }
                td { @if let Some(request) = request { code { (outside(request)) } } @else { (nothing()) } }
            }
        }
    };
    html! {
        @if own.is_empty() { p { "Nothing was written down of this step." } }
        @else { (table(&counted(own.len(), "line"), &head, &rows)) }
    }
}

/// A line of the journal in words, and the id of its request.
fn happened(what: &Happened) -> (Markup, Option<&str>) {
    match what {
        Happened::Begun { .. } => (html! { "begun: what was found is written down" }, None),
        Happened::Done { already: true, .. } => (html! { "was so already" }, None),
        Happened::Done { request_id, .. } => (html! { "done" }, request_id.as_deref()),
        Happened::Failed(refusal) => {
            let said = html! { "refused: " (log(&refusal.code)) ": " (log(&refusal.message)) };
            (said, refusal.request_id.as_deref())
        }
        Happened::Waited => (html! { "waited" }, None),
        Happened::Surprise { expected, found } => {
            let expected = expected.to_string();
            let found = found.to_string();
            (
                html! { "not as the plan knew: expected " (outside(&expected)) ", found " (outside(&found)) },
                None,
            )
        }
        Happened::Verified => (html! { "no credential of the lineage works" }, None),
    }
}
