//! What is said of a plan: objections, what each credential may do after it, and whether it holds.

use super::SHORT;
use crate::containment::{Opinion, PlanRecord};
use crate::html::{column, counted, log, outside, table, time, word};
use maud::{Markup, html};
use unchain_core::contain::{
    Conclusion, Containment, Happened, Note, Plan, Proof, Reason, Severity, Standing, Subject,
    Verdict, Verification,
};

/// What speaks against a plan.
pub(super) fn notes(opinion: Option<&Opinion>) -> Markup {
    let Some(opinion) = opinion else {
        return unknown();
    };
    let note = |note: &Note| {
        html! {
            li {
                @match note.severity {
                    Severity::Refuse => { (word("refused")) ": " }
                    Severity::Warn => { (word("warning")) ": " }
                }
                @if !note.about.is_empty() { (log(&note.about)) ": " }
                (outside(&note.why)) " " span.soft { "(" (note.code) ")" }
            }
        }
    };
    html! {
        @if opinion.notes.is_empty() { p { "Nothing, by the accounts as they were at " (time(opinion.at)) "." } }
        @else {
            p { "By the accounts as they were at " (time(opinion.at)) ":" }
            ul { @for one in opinion.notes.iter().take(SHORT) { (note(one)) } }
            @if opinion.notes.len() > SHORT { p.soft { "and " (opinion.notes.len() - SHORT) " more" } }
        }
    }
}

fn unknown() -> Markup {
    html! { p { "Not known here: this run of the program has not looked at the accounts for this plan." } }
}

/// What each credential may do after the plan.
pub(super) fn proof(plan: &Plan, opinion: Option<&Opinion>) -> Markup {
    let Some(Opinion { proof, .. }) = opinion else {
        return unknown();
    };
    let count = |wanted: fn(&Verdict) -> bool| {
        proof
            .standings
            .iter()
            .filter(|s| wanted(&s.verdict))
            .count()
    };
    let mut rows: Vec<&Standing> = proof.standings.iter().collect();
    rows.sort_by_key(|standing| !matches!(standing.verdict, Verdict::Open(_)));
    let head = html! { (column("Credential")) (column("After the plan")) (column("By")) };
    let lines = html! { @for standing in rows.iter().take(SHORT) { (after(plan, standing)) } };
    let hit = proof
        .outside
        .iter()
        .filter(|kept| !kept.lost.is_empty() || !kept.depends.is_empty())
        .count();
    html! {
        p {
            (count(|v| matches!(v, Verdict::Denied(_)))) " denied, " (count(|v| matches!(v, Verdict::Over))) " over, "
            (count(|v| matches!(v, Verdict::Open(_)))) " open. "
            @if proof.holds() { "The plan ends the lineage." } @else { "The plan leaves a way open." }
        }
        (table(&shown(rows.len(), "credential"), &head, &lines))
        (ways(plan, proof))
        @if !proof.outside.is_empty() {
            p {
                "Of " (counted(proof.outside.len(), "credential")) " beside the lineage " (proof.outside.len() - hit)
                " keep all that was seen of them."
            }
            ul {
                @for kept in proof.outside.iter().filter(|kept| !kept.lost.is_empty() || !kept.depends.is_empty()).take(SHORT) {
                    li {
                        (log(&kept.who))
                        @for (what, actions) in [("loses", &kept.lost), ("may lose", &kept.depends)] {
                            @if !actions.is_empty() { " " (what) " " (outside(&joined(actions))) }
                        }
                    }
                }
            }
        }
    }
}

fn shown(number: usize, one: &str) -> String {
    match number {
        0..=SHORT => counted(number, one),
        _ => format!("the first {SHORT} of {}", counted(number, one)),
    }
}

fn joined<'t>(names: impl IntoIterator<Item = &'t String>) -> String {
    let names: Vec<&str> = names.into_iter().map(String::as_str).collect();
    names.join(", ")
}

fn name(subject: Option<&Subject>) -> Markup {
    let name = subject.and_then(|s| s.access_key_id.as_ref().or(s.principal_arn.as_ref()));
    html! { @if let Some(name) = name { (log(name)) } @else { "unnamed" } }
}

fn after(plan: &Plan, standing: &Standing) -> Markup {
    let subject = plan.subjects.get(standing.subject as usize);
    let (stands, by) = match &standing.verdict {
        Verdict::Denied(by) => ("denied", joined(by)),
        Verdict::Over => ("over", String::new()),
        Verdict::Open(actions) => ("open", joined(actions.keys())),
    };
    html! {
        tr {
            th scope="row" {
                (name(subject))
                @if let Some(arn) = subject.filter(|s| s.access_key_id.is_some()).and_then(|s| s.principal_arn.as_ref()) {
                    br; span.soft { (log(arn)) }
                }
            }
            td { (word(stands)) }
            td { (outside(&by)) }
        }
    }
}

fn ways(plan: &Plan, proof: &Proof) -> Markup {
    html! {
        @if !proof.active_keys.is_empty() || !proof.doors.is_empty() {
            ul {
                @for &key in proof.active_keys.iter().take(SHORT) {
                    li { (name(plan.subjects.get(key as usize))) " is still active" }
                }
                @for door in proof.doors.iter().take(SHORT) { li { (log(&door.role)) " still lets in " (log(&door.who)) } }
            }
        }
    }
}

/// Ways that the plan leaves open.
pub(super) fn left_open(plan: &Plan) -> Markup {
    html! {
        @if plan.open.is_empty() { p { "Nothing that is known." } }
        @else {
            ul {
                @for open in plan.open.iter().take(SHORT) {
                    li {
                        (name(plan.subjects.get(open.subject as usize))) ": " (outside(&open.why))
                        @if let Some(until) = open.until { "; over at " (time(until)) }
                    }
                }
            }
            @if plan.open.len() > SHORT { p.soft { "and " (plan.open.len() - SHORT) " more; plan.json has them all" } }
        }
    }
}

/// Whether the plan holds, proof by proof.
pub(super) fn verification(record: &PlanRecord) -> Markup {
    let Some(found) = &record.verification else {
        let noted = record
            .receipts
            .iter()
            .rfind(|line| matches!(line.what, Happened::Verified));
        return html! {
            @if let Some(line) = noted {
                p { "By the journal it was verified at " (time(line.at)) "; what was found then is not kept." }
            } @else { p { "It was not verified yet." } }
        };
    };
    let outcome = match found.outcome {
        Containment::Contained => "contained",
        Containment::Lives => "not-contained",
        Containment::Incomplete => "not-known",
    };
    let proofs = [
        ("Policies in the accounts", &found.snapshot.conclusion),
        ("Log after the cut-off", &found.trail.conclusion),
        ("Calls with a credential", &found.probe.conclusion),
    ];
    let head = html! { (column("Proof")) (column("Result")) (column("Because")) };
    let rows = html! {
        @for (name, conclusion) in proofs {
            tr {
                th scope="row" { (name) }
                td { (word(result(conclusion))) }
                td { @for reason in conclusion.reasons().iter().take(SHORT) { div { (told(reason)) } } }
            }
        }
    };
    html! {
        p { "At " (time(found.at)) ": " (word(outcome)) "." }
        (table("3 proofs", &head, &rows))
        (missing(found))
    }
}

fn result(conclusion: &Conclusion) -> &'static str {
    match conclusion {
        Conclusion::Proven => "proven",
        Conclusion::Refuted(_) => "refuted",
        Conclusion::Unknown(_) => "unknown",
    }
}

fn told(reason: &Reason) -> Markup {
    html! {
        @if !reason.about.is_empty() { (log(&reason.about)) ": " }
        (outside(&reason.why))
        @for (place, name) in reason.names.iter().take(SHORT).enumerate() {
            @if place == 0 { ": " } @else { ", " }
            (log(name))
        }
    }
}

fn missing(found: &Verification) -> Markup {
    html! {
        @if !found.missing.is_empty() {
            p { (counted(found.missing.len(), "step")) " not in force:" }
            ul {
                @for step in found.missing.iter().take(SHORT) {
                    li { "Step " (step.step) ", " (outside(&step.action)) " " (log(&step.target)) ", " (step.how.words()) }
                }
            }
        }
    }
}
