//! Whether the containment holds, proof by proof, and what is left at risk.

use super::{ROWS, minute, part, rest};
use crate::contain::Record;
use crate::export::block::{Block, Line, Span};
use crate::output::words::count;
use unchain_core::contain::{
    Conclusion, Containment, Happened, MissingHow, Phase, Plan, Reason, Undo, Verification,
};
use unchain_core::text::Untrusted;

/// The journal keeps that a plan was verified, and not what was found.
fn not_given(record: &Record) -> Line {
    let mut lines = record.receipts.iter();
    match lines.rfind(|line| matches!(line.what, Happened::Verified)) {
        Some(line) => Line::of("It was verified at ")
            .time(minute(line.at))
            .words(" UTC, by the journal. What was found then was not given to this report."),
        None => Line::of("It was not verified, or the result was not given to this report."),
    }
}

pub(super) fn holds(record: &Record) -> Vec<Block> {
    let mut blocks = vec![part("Whether it holds")];
    let Some(found) = &record.verification else {
        blocks.push(Block::Warning(not_given(record)));
        return blocks;
    };
    let outcome = match found.outcome {
        Containment::Contained => "contained",
        Containment::Lives => "not contained: something lives",
        Containment::Incomplete => "not known",
    };
    let outcome = Span::Strong(Untrusted::new(outcome));
    let line = Line::of("At ")
        .time(minute(found.at))
        .words(" UTC: ")
        .and(outcome)
        .words(".");
    blocks.push(Block::Paragraph(line));
    let proofs = [
        ("Policies in the accounts", &found.snapshot.conclusion),
        ("Log after the cut-off", &found.trail.conclusion),
        ("Calls with a credential", &found.probe.conclusion),
    ];
    let rows = proofs
        .map(|(name, conclusion)| vec![Line::of(name), said(conclusion), reasons(conclusion)]);
    blocks.push(Block::Table(&["Proof", "Result", "Because"], rows.to_vec()));
    blocks.extend(missing(found));
    blocks.extend(failures(found));
    blocks
}

fn said(conclusion: &Conclusion) -> Line {
    Line::of(match conclusion {
        Conclusion::Proven => "proven",
        Conclusion::Refuted(_) => "refuted",
        Conclusion::Unknown(_) => "unknown",
    })
}

fn reasons(conclusion: &Conclusion) -> Line {
    let mut line = Line::new();
    for reason in conclusion.reasons().iter().take(ROWS) {
        line = line.below().then(told(reason));
    }
    line
}

fn told(reason: &Reason) -> Line {
    let line = match reason.about.is_empty() {
        true => Line::new(),
        false => Line::new().name(&reason.about).words(": "),
    };
    let line = line.words(reason.why.as_str());
    match reason.names.is_empty() {
        true => line,
        false => line.words(": ").names(&reason.names),
    }
}

fn missing(found: &Verification) -> Vec<Block> {
    if found.missing.is_empty() {
        return Vec::new();
    }
    let row = |step: &unchain_core::contain::Missing| {
        let line = Line::of(format!("Step {}, {} ", step.step, step.action));
        line.name(&step.target)
            .words(format!(", {}", step.how.words()))
    };
    let rows = found.missing.iter().take(ROWS).map(row).collect();
    vec![part("Steps not in force"), Block::List(rows)]
}

fn failures(found: &Verification) -> Vec<Block> {
    let rows = &found.trail.failures;
    if rows.is_empty() {
        return Vec::new();
    }
    let line = |failed: &unchain_core::contain::Failures| {
        vec![
            Line::new().name(&failed.who),
            Line::of(count(failed.count)),
            Line::of(failed.class.words()),
            Line::new().names(&failed.actions),
            Line::new().time(minute(failed.last)),
        ]
    };
    let columns = &["Credential", "Calls", "Result", "What", "Last (UTC)"];
    let lines = rows.iter().take(ROWS).map(line).collect();
    let mut blocks = vec![
        part("Attempts after the cut-off"),
        Block::Table(columns, lines),
    ];
    blocks.extend(rest(
        rows.len(),
        ROWS,
        "`unchain verify --format json` has them all",
    ));
    blocks
}

/// Ways that the plan leaves open, what cannot be undone, and what is not known.
pub(super) fn risk(record: &Record) -> Vec<Block> {
    let plan = &record.plan;
    let mut risks: Vec<Line> = open(plan).collect();
    risks.extend(plan.steps.iter().filter_map(|step| match &step.undo {
        Undo::Never(why) => Some(Line::of(format!(
            "Step {} cannot be undone: {why}.",
            step.number
        ))),
        Undo::Calls(_) | Undo::Nothing => None,
    }));
    match &record.verification {
        None => risks.push(Line::of(
            "Whether any credential of the lineage still works was not verified.",
        )),
        Some(found) => risks.extend(of_verification(found)),
    }
    let removes = plan.steps.iter().any(|step| step.phase == Phase::Remove);
    if !plan.made.is_empty() && !removes {
        let made = count(plan.made.len() as u64);
        risks.push(Line::of(format!(
            "What the lineage made or changed is still there: {made} users, roles, devices and the like."
        )));
    }
    if risks.is_empty() {
        return vec![Block::Paragraph(Line::of("None that is known."))];
    }
    let all = risks.len();
    risks.truncate(ROWS);
    let mut blocks = vec![Block::List(risks)];
    blocks.extend(rest(
        all,
        ROWS,
        "the plan and its verification have them all",
    ));
    blocks
}

fn open(plan: &Plan) -> impl Iterator<Item = Line> {
    plan.open.iter().map(|open| {
        let subject = plan.subjects.get(open.subject as usize);
        let name = subject.and_then(|s| s.access_key_id.as_ref().or(s.principal_arn.as_ref()));
        let line = Line::of("Left open: ")
            .names(name)
            .words(format!(": {}", open.why));
        match open.until {
            Some(until) => line.words("; over at ").time(minute(until)).words(" UTC"),
            None => line,
        }
    })
}

fn of_verification(found: &Verification) -> Vec<Line> {
    let mut risks: Vec<Line> = found
        .living()
        .map(|reason| Line::of("Lives: ").then(told(reason)))
        .collect();
    let proofs = [&found.snapshot.conclusion, &found.trail.conclusion];
    let unknown = proofs
        .into_iter()
        .filter(|c| matches!(c, Conclusion::Unknown(_)));
    let unknown = unknown.flat_map(Conclusion::reasons);
    risks.extend(unknown.map(|reason| Line::of("Not known: ").then(told(reason))));
    let lost = found
        .missing
        .iter()
        .filter(|step| step.how != MissingHow::Unread);
    risks.extend(
        lost.map(|step| Line::of(format!("Step {} of the plan is not in force.", step.step))),
    );
    let new = found.trail.descendants.iter();
    risks.extend(new.map(|new| Line::of("Not in the plan: ").name(&new.who)));
    let unread = found.snapshot.unread.iter();
    risks.extend(unread.map(|what| Line::of("Not read: ").and(Span::Words(what.clone()))));
    risks
}
