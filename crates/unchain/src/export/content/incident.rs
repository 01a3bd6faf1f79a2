//! The incidents: what happened, which credentials belong to it, and what to do next.

use super::{
    Form, View, chapter, command, credential, end, lineage, part, period, rest, techniques,
};
use crate::export::Document;
use crate::export::block::{Block, Line, Span};
use crate::output::words::{count, moment};
use unchain_core::report::{IncidentRow, StepRow};
use unchain_core::text::Untrusted;

/// Incidents that are told in full.
const TOLD: usize = 50;
/// Incidents that the overview names.
const NAMED: usize = 200;
/// Lines of one story.
const STEPS: usize = 400;

/// A table of all of them, for the summary.
pub(super) fn overview(document: &Document<'_>) -> Vec<Block> {
    let rows = &document.findings.incidents;
    if rows.is_empty() {
        return Vec::new();
    }
    let columns = &[
        "Incident",
        "Severity",
        "Began",
        "Last seen",
        "May still work",
    ];
    let lines = rows.iter().take(NAMED).map(|row| {
        vec![
            Line::new().and(Span::Place(row.title.clone(), row.id.clone())),
            Line::new().and(Span::Label(row.severity)),
            Line::new().time(moment(row.first)),
            Line::new().time(moment(row.last)),
            Line::of(format!(
                "{} of {}",
                count(row.may_work),
                count(row.credentials)
            )),
        ]
    });
    let mut blocks = vec![Block::Table(columns, lines.collect())];
    blocks.extend(rest(rows.len(), NAMED, "`unchain findings` lists them all"));
    blocks
}

pub(super) fn incidents(document: &Document<'_>, form: Form) -> Vec<Block> {
    let rows = &document.findings.incidents;
    if rows.is_empty() {
        return Vec::new();
    }
    let mut blocks = vec![chapter("incidents", "Incidents")];
    for (n, row) in rows.iter().enumerate().take(TOLD) {
        blocks.extend(match form {
            Form::Text => told(document, n, row),
            Form::Views => viewed(document, n, row),
        });
    }
    blocks.extend(rest(rows.len(), TOLD, "the summary names them"));
    blocks
}

fn heading(number: usize, row: &IncidentRow) -> Block {
    let words = Line::of(format!("{}. ", number + 1)).and(Span::Words(row.title.clone()));
    Block::Heading(3, row.id.clone(), words)
}

/// As the page shows it, with what the page has elsewhere.
fn viewed(document: &Document<'_>, number: usize, row: &IncidentRow) -> Vec<Block> {
    let mut blocks = vec![
        heading(number, row),
        Block::View(View::Incident(number)),
        part("Lineage"),
        Block::View(View::Lineage(number)),
    ];
    let told = document
        .incidents
        .get(number)
        .map(|i| lineage::told(document, i));
    if let Some((tree, members)) = told {
        let words = Line::of("Each step of the lineage with its records");
        blocks.push(Block::Folded(words, vec![tree]));
        blocks.extend(credential::devices(document, &members));
    }
    blocks.extend([
        part("Time line"),
        Block::View(View::TimeLine(number)),
        Block::View(View::Story(number)),
    ]);
    if let Some(command) = command(document, &row.next) {
        blocks.extend([part("Next"), Block::Commands(vec![command])]);
    }
    blocks
}

fn told(document: &Document<'_>, number: usize, row: &IncidentRow) -> Vec<Block> {
    let mut blocks = vec![
        heading(number, row),
        Block::Facts(facts(row)),
        part("Time line"),
        Block::Table(
            &["Time (UTC)", "What happened", "Shown by event"],
            row.story.iter().take(STEPS).map(step).collect(),
        ),
    ];
    blocks.extend(rest(
        row.story.len(),
        STEPS,
        "`unchain findings --format json` has them all",
    ));
    let told = document
        .incidents
        .get(number)
        .map(|i| lineage::told(document, i));
    if let Some((tree, members)) = told {
        blocks.extend([part("Lineage"), tree, part("Credentials")]);
        blocks.extend(credential::of_incident(document, &members));
    }
    if !row.not_visible.is_empty() {
        let unseen = row.not_visible.iter().map(|text| Line::of(text.as_str()));
        blocks.push(part("Not visible"));
        blocks.push(Block::List(unseen.collect()));
    }
    if let Some(command) = command(document, &row.next) {
        blocks.extend([part("Next"), Block::Commands(vec![command])]);
    }
    blocks
}

fn facts(row: &IncidentRow) -> Vec<(&'static str, Line)> {
    let mut facts = vec![
        ("Severity", Line::new().and(Span::Label(row.severity))),
        (
            "Incident id",
            Line::new().name(&Untrusted::new(row.id.as_str())),
        ),
        ("Began with", end(&row.root)),
        ("When", period(Some(row.first), Some(row.last))),
        ("Accounts", Line::new().names(&row.accounts)),
        ("ATT&CK", techniques(&row.techniques)),
        (
            "Credentials",
            Line::of(format!(
                "{} under its roots, of which {} may still work",
                count(row.credentials),
                count(row.may_work)
            )),
        ),
    ];
    if !row.other_roots.is_empty() {
        facts.push(("Joined by an address", Line::new().names(&row.other_roots)));
    }
    facts.retain(|(_, line)| !line.is_empty());
    facts
}

/// A line of the story, with the finding that says it.
fn step(row: &StepRow) -> Vec<Line> {
    let mut what = Line::new().and(Span::Words(row.what.clone()));
    if let Some(id) = &row.finding {
        let place = Span::Place(Untrusted::new("finding"), id.clone());
        what = what.words(" (").and(place).words(")");
    }
    vec![
        Line::new().time(moment(row.time)),
        what,
        Line::new().names(&row.event_id),
    ]
}
