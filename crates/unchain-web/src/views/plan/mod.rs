//! One plan: what it does, what came of it, what speaks against it and what may be done with it.

mod actions;
mod proof;
mod steps;

pub(crate) use steps::{step, table_of};

use super::containment::PlanContext;
use super::{Reply, Visit};
use crate::containment::PlanRecord;
use crate::html::{counted, lines, log, outside, time, word};
use axum::http::StatusCode;
use maud::{Markup, html};
use std::sync::Arc;
use unchain_core::contain::{Progress, Removal, StepStage, progress, to_json};

/// Rows of what is listed beside the steps; the plan's file has all.
const SHORT: usize = 100;

/// Finds the plan of an address, or says that there is none.
fn found(visit: &Visit<'_, '_>, context: &PlanContext) -> Result<Arc<PlanRecord>, Reply> {
    match context.containment.plan(visit.id) {
        Ok(Some(record)) => Ok(record),
        Ok(None) => Err(visit.missing("plan")),
        Err(why) => Err(visit.conflict(&why)),
    }
}

/// The plan of an address.
pub(crate) fn one(visit: &Visit<'_, '_>, context: &PlanContext) -> Reply {
    match found(visit, context) {
        Ok(record) => visit.page("Plan", &body(visit, context, &record)),
        Err(reply) => reply,
    }
}

/// The plan as `unchain plan` writes it, byte for byte.
pub(crate) fn document(visit: &Visit<'_, '_>, context: &PlanContext) -> Reply {
    let record = match found(visit, context) {
        Ok(record) => record,
        Err(reply) => return reply,
    };
    match to_json(&record.plan) {
        Ok(body) => Reply {
            status: StatusCode::OK,
            kind: "application/json",
            file: Some("plan.json"),
            body,
        },
        Err(_) => visit.conflict("the plan cannot be written; make it again"),
    }
}

/// A plan that was refused when it was made: it is kept nowhere.
pub(crate) fn refused(visit: &Visit<'_, '_>, record: &PlanRecord) -> Reply {
    let again = visit.query.instant().with("pivot", record.plan.pivot.raw());
    let body = html! {
        p role="alert" { "The plan was refused and is not kept. Mend what is refused, and plan again." }
        (proof::notes(record.opinion.as_deref()))
        p { a href=(again.link("/containment/new")) { "Plan again" } }
        h2 { "Steps" }
        (steps::table_of(visit, (record, &progress(&record.plan, &record.receipts))))
    };
    let reply = visit.page("Refused", &body);
    Reply {
        status: StatusCode::CONFLICT,
        ..reply
    }
}

fn body(visit: &Visit<'_, '_>, context: &PlanContext, record: &PlanRecord) -> Markup {
    let progress = progress(&record.plan, &record.receipts);
    let standing = context.standing(visit, (record, &progress));
    html! {
        (facts(record))
        section #progress aria-label="Progress" data-journal=(context.journal) {
            (how_far(&record.plan.id, standing, &progress))
            (last_run(context, record))
        }
        section #actions aria-labelledby="what-to-do" {
            h2 #what-to-do { "What to do" }
            (actions::actions((visit, context), (record, standing)))
        }
        section #steps aria-labelledby="what-it-does" {
            h2 #what-it-does { "Steps" }
            (steps::table_of(visit, (record, &progress)))
        }
        h2 { "What it breaks" }
        (steps::breaks(&record.plan))
        h2 { "What speaks against it" }
        (proof::notes(record.opinion.as_deref()))
        h2 { "Proof" }
        (proof::proof(&record.plan, record.opinion.as_deref()))
        h2 { "Left open" }
        (proof::left_open(&record.plan))
        h2 { "Whether it holds" }
        (proof::verification(record))
    }
}

fn facts(record: &PlanRecord) -> Markup {
    let plan = &record.plan;
    let (first, rest) = record
        .digest
        .split_at_checked(12)
        .unwrap_or((&record.digest, ""));
    let credentials = plan.subjects.iter().filter(|s| s.credential).count();
    html! {
        dl {
            dt { "Plan" } dd { (outside(&plan.id)) " for " (log(&plan.pivot)) }
            dt { "Digest" } dd { code { strong { (first) } (rest) } }
            dt { "Level" } dd {
                (plan.settings.level.name())
                @if plan.settings.freeze { ", with a freeze" }
                @if plan.settings.removal == Removal::Remove { ", deletes at its end what the lineage made" }
            }
            dt { "Lineage" } dd {
                (counted(credentials, "credential")) ", and " (counted(plan.made.len(), "other thing")) " made"
            }
            dt { "Made" } dd { (time(plan.made_at)) ", by " (counted(usize::try_from(plan.ledger.events).unwrap_or(usize::MAX), "event")) }
            dt { "Begin before" } dd { (time(plan.valid_until)) }
            dt { "Cut-off" } dd { (time(plan.cut_off)) ": what was issued before is denied" }
            dt { "Spared" } dd {
                @if plan.settings.exempt.is_empty() { "nobody" }
                @else { ul { @for arn in plan.settings.exempt.iter().take(SHORT) { li { (log(arn)) } } } }
            }
            dt { "File" } dd { a href=(format!("{}/plan.json", record.path())) { "plan.json" } }
        }
    }
}

/// How far it came, as a sentence and as a bar.
fn how_far(id: &str, standing: &'static str, progress: &Progress) -> Markup {
    let (over, all) = (progress.over(), progress.steps.len());
    let count = |wanted: StepStage| {
        progress
            .steps
            .iter()
            .filter(|step| **step == wanted)
            .count()
    };
    let told = [
        (count(StepStage::Failed), "failed"),
        (count(StepStage::Surprise), "met a surprise"),
        (count(StepStage::Undone), "undone"),
        (count(StepStage::NotUndone), "not put back"),
    ];
    html! {
        p.standing data-said {
            "Plan " (outside(id)) ": " (word(standing)) ", " (over) " of " (counted(all, "step")) " done"
            @for (count, what) in told.iter().filter(|(count, _)| *count > 0) { ", " (count) " " (what) }
            "."
        }
        progress max=(all.max(1)) value=(over) aria-label="Steps done" {}
    }
}

/// What is under way with the plan, or how the last of it ended.
fn last_run(context: &PlanContext, record: &PlanRecord) -> Markup {
    let run = (context.containment.run)().filter(|run| run.digest == record.digest);
    html! {
        @if let Some(run) = run {
            @let what = actions::words(run.errand);
            @match run.ended {
                None => p { strong { (what) } " is under way. This page follows it; without script, load it again." },
                Some(ended) => details open[!ended.well] {
                    summary { (what) " " @if ended.well { "came to its end" } @else { "stopped" } }
                    (lines(&ended.said))
                }
            }
        }
    }
}
