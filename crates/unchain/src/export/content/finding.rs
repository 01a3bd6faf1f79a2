//! The findings, by detection, with what else they may be.

use super::{Form, View, chapter, command, end, part, period, rest, section, sentence, techniques};
use crate::export::Document;
use crate::export::block::{Block, Line, Span};
use std::cmp::Reverse;
use unchain_core::detect::Detection;
use unchain_core::finding::Severity;
use unchain_core::report::FindingRow;
use unchain_core::text::Untrusted;

/// Findings of one detection that are told in full.
const TOLD: usize = 100;

pub(super) fn findings(document: &Document<'_>, form: Form) -> Vec<Block> {
    let mut blocks = vec![chapter("findings", "Findings")];
    if document.findings.findings.is_empty() {
        blocks.push(Block::Paragraph(Line::of("None.")));
    } else if form == Form::Views {
        blocks.push(Block::View(View::Findings));
    }
    for detection in worst_first(&document.findings.findings) {
        blocks.extend(of((document, form), detection));
    }
    blocks
}

/// The detections that found something, by the severity of the worst that they found.
fn worst_first(rows: &[FindingRow]) -> Vec<&'static str> {
    let mut by_severity: Vec<&FindingRow> = rows.iter().collect();
    by_severity.sort_by_key(|row| (Reverse(Severity::named(row.severity)), row.first));
    let mut ids: Vec<&'static str> = Vec::new();
    for row in by_severity {
        if !ids.contains(&row.detection) {
            ids.push(row.detection);
        }
    }
    ids
}

fn of((document, form): (&Document<'_>, Form), id: &'static str) -> Vec<Block> {
    let all = document.findings.findings.iter().enumerate();
    let rows = || all.clone().filter(|(_, row)| row.detection == id);
    let Some(detection) = Detection::find(id) else {
        return Vec::new();
    };
    let mut blocks = vec![
        section(&format!("detection-{id}"), detection.title),
        Block::Paragraph(Line::of(sentence(detection.matters))),
    ];
    if !detection.false_positives.is_empty() {
        let others = detection.false_positives.iter();
        blocks.push(part("What else looks like it"));
        blocks.push(Block::List(
            others.map(|text| Line::of(sentence(text))).collect(),
        ));
    }
    for (number, row) in rows().take(TOLD) {
        let shown = match form {
            Form::Text => written(row),
            Form::Views => vec![Block::View(View::Finding(number))],
        };
        blocks.extend(told(document, row, shown));
    }
    let what = "`unchain findings` lists them all";
    blocks.extend(rest(rows().count(), TOLD, what));
    blocks
}

fn told(document: &Document<'_>, row: &FindingRow, shown: Vec<Block>) -> Vec<Block> {
    let heading = Line::new()
        .and(Span::Label(row.severity))
        .words(" Finding ")
        .name(&Untrusted::new(row.id.as_str()));
    let mut blocks = vec![Block::Heading(4, row.id.clone(), heading)];
    blocks.extend(shown);
    let commands: Vec<String> = command(document, &row.next).into_iter().collect();
    blocks.extend((!commands.is_empty()).then_some(Block::Commands(commands)));
    blocks
}

fn written(row: &FindingRow) -> Vec<Block> {
    let facts = facts(row).into_iter().filter(|(_, line)| !line.is_empty());
    vec![
        Block::Paragraph(Line::new().and(Span::Words(row.what.clone()))),
        Block::Facts(facts.collect()),
    ]
}

fn facts(row: &FindingRow) -> Vec<(&'static str, Line)> {
    let told_in = row.incident.as_ref().map_or_else(Line::new, |id| {
        Line::new().and(Span::Place(Untrusted::new(id.as_str()), id.clone()))
    });
    let mut path = Line::new();
    for (n, label) in row.path.iter().enumerate() {
        path = if n > 0 { path.words(" → ") } else { path };
        path = path.name(label);
    }
    let unseen: Vec<String> = row.not_visible.iter().map(|text| sentence(text)).collect();
    vec![
        ("Confidence", Line::of(row.confidence)),
        ("When", period(Some(row.first), Some(row.last))),
        ("About", end(&row.subject)),
        (
            "Came from",
            if row.path.len() > 1 {
                path
            } else {
                Line::new()
            },
        ),
        ("Also named", Line::new().names(&row.also)),
        ("Foreign address", Line::new().names(&row.foreign_address)),
        ("ATT&CK", techniques(row.techniques)),
        ("Told in incident", told_in),
        (
            "Expected",
            row.allowed_by.as_ref().map_or_else(Line::new, |why| {
                Line::of(format!("By the allow-list: {}", why))
            }),
        ),
        ("Not visible", text(&unseen.join(" "))),
        ("Event ids", Line::new().names(&row.event_ids)),
    ]
}

fn text(words: &str) -> Line {
    if words.is_empty() {
        Line::new()
    } else {
        Line::of(words)
    }
}
