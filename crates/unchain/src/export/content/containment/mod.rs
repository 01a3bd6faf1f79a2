//! The containment of an incident: what was planned, what was done, whether it holds, and what risk is left.
//!
//! The fields are those that responders' playbooks ask of a report: plan with order, what it breaks and how it is undone;
//! what was done with request ids; the result of verification; residual risk; times.

mod done;
mod holds;
mod times;

use super::{Form, View, chapter, minute, part, rest};
use crate::contain::Record;
use crate::export::Document;
use crate::export::block::{Block, Line, Span};
use crate::output::words::count;
use unchain_core::contain::{Action, Level, Plan, Step, Undo};
use unchain_core::text::Untrusted;

/// Rows of one table.
const ROWS: usize = 400;

pub(super) fn containment(document: &Document<'_>, form: Form) -> Vec<Block> {
    if document.containment.is_empty() {
        return Vec::new();
    }
    let mut blocks = vec![chapter("containment", "Containment")];
    for (number, record) in document.containment.iter().enumerate() {
        let shown = match form {
            Form::Text => steps(&record.plan),
            Form::Views => vec![Block::View(View::Steps(number))],
        };
        blocks.extend(told(document, record, shown));
    }
    blocks
}

fn told(document: &Document<'_>, record: &Record, shown: Vec<Block>) -> Vec<Block> {
    let plan = &record.plan;
    let heading = Line::of("Plan ").words(plan.id.as_str());
    // As the page's address of the plan.
    let id: String = record.digest.chars().take(12).collect();
    let mut blocks = vec![
        Block::Heading(3, format!("containment-{id}"), heading),
        Block::Facts(facts(record)),
        part("Time line"),
    ];
    blocks.extend(times::times(document, record));
    blocks.push(part("What was planned"));
    blocks.extend(shown);
    blocks.extend(done::done(record));
    blocks.extend(holds::holds(record));
    blocks.push(part("Residual risk"));
    blocks.extend(holds::risk(record));
    blocks
}

fn facts(record: &Record) -> Vec<(&'static str, Line)> {
    let plan = &record.plan;
    let level = match plan.settings.level {
        Level::Observe => "observe: nothing is changed",
        Level::Contain => "contain: what ends the lineage and can be undone",
        Level::Evict => "evict: also every session of its roles, passwords and MFA devices",
    };
    let credentials = plan.subjects.iter().filter(|s| s.credential).count();
    let known = match plan.ledger.last {
        Some(last) => Line::of(format!(
            "{} events, the last at ",
            count(plan.ledger.events)
        ))
        .time(minute(last))
        .words(" UTC"),
        None => Line::of("no events"),
    };
    let mut facts = vec![
        ("Digest", name(&record.digest)),
        ("Made for", Line::new().name(&plan.pivot)),
        ("Level", Line::of(level)),
        ("Made", Line::new().time(minute(plan.made_at)).words(" UTC")),
        (
            "Cut-off",
            Line::new().time(minute(plan.cut_off)).words(" UTC"),
        ),
        ("Credentials", Line::of(count(credentials as u64))),
        ("Log known then", known),
        ("Spared", Line::new().names(&plan.settings.exempt)),
    ];
    facts.retain(|(_, line)| !line.is_empty());
    facts
}

fn name(text: &str) -> Line {
    Line::new().name(&Untrusted::new(text))
}

fn steps(plan: &Plan) -> Vec<Block> {
    let rows = plan.steps.iter().take(ROWS).map(row).collect();
    let columns = &["Step", "What", "Why", "Breaks", "Undone by"];
    let mut blocks = vec![Block::Table(columns, rows)];
    blocks.extend(rest(plan.steps.len(), ROWS, "the plan's file has them all"));
    blocks
}

fn row(step: &Step) -> Vec<Line> {
    vec![
        Line::of(step.number.to_string()),
        what(step),
        Line::of(step.reason.as_str()),
        breaks(step),
        undone(step),
    ]
}

/// What a step does, and to what.
fn what(step: &Step) -> Line {
    match &step.action {
        Action::Call(call) => Line::of(call.action.as_str())
            .words(" ")
            .name(&step.target)
            .words(" in ")
            .name(&call.account),
        Action::Wait(seconds) => Line::of(format!("wait {seconds} s")),
        Action::Verify { after, until } => Line::of("no success after ")
            .time(minute(*after))
            .words(", looked at until ")
            .time(minute(*until)),
    }
}

fn breaks(step: &Step) -> Line {
    let mut line = Line::new();
    for broken in &step.breaks {
        line = line
            .below()
            .name(&broken.who)
            .words(format!(" {}", broken.what));
    }
    line
}

fn undone(step: &Step) -> Line {
    match &step.undo {
        Undo::Calls(calls) => {
            let names: Vec<&str> = calls.iter().map(|call| call.action.as_str()).collect();
            Line::of(names.join(", "))
        }
        Undo::Nothing => Line::new(),
        Undo::Never(why) => Line::new()
            .and(Span::Strong(Untrusted::new("never")))
            .words(format!(": {why}")),
    }
}
