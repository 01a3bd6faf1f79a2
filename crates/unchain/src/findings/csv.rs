//! Findings as comma-separated lines with fixed columns.

use crate::output::csv::line;
use std::io::{self, Write};
use unchain_core::report::FindingRow;
use unchain_core::text::Untrusted;

const COLUMNS: [&str; 21] = [
    "id",
    "incident",
    "detection",
    "title",
    "severity",
    "confidence",
    "techniques",
    "what",
    "subject_kind",
    "subject_access_key_id",
    "subject_principal_arn",
    "subject_account",
    "path",
    "also",
    "first",
    "last",
    "foreign_address",
    "event_ids",
    "not_visible",
    "allowed_by",
    "next",
];

/// Writes the header and a line for each finding.
pub(super) fn write(out: &mut dyn Write, findings: &[FindingRow]) -> io::Result<()> {
    line(out, COLUMNS.into_iter())?;
    for finding in findings {
        line(out, cells(finding).iter().map(String::as_str))?;
    }
    Ok(())
}

fn cells(finding: &FindingRow) -> [String; COLUMNS.len()] {
    let text = |field: &Option<Untrusted>| field.as_ref().map_or("", Untrusted::raw).to_owned();
    let list = |texts: &[Untrusted], gap: &str| {
        texts
            .iter()
            .map(Untrusted::raw)
            .collect::<Vec<_>>()
            .join(gap)
    };
    let next = format!(
        "unchain {} {}",
        finding.next.command,
        finding.next.pivot.raw()
    );
    [
        finding.id.clone(),
        finding.incident.clone().unwrap_or_default(),
        finding.detection.to_owned(),
        finding.title.to_owned(),
        finding.severity.to_owned(),
        finding.confidence.to_owned(),
        finding.techniques.join(" "),
        finding.what.raw().to_owned(),
        finding.subject.kind.to_owned(),
        text(&finding.subject.access_key_id),
        text(&finding.subject.principal_arn),
        text(&finding.subject.account),
        list(&finding.path, " > "),
        list(&finding.also, " "),
        finding.first.to_string(),
        finding.last.to_string(),
        text(&finding.foreign_address),
        list(&finding.event_ids, " "),
        finding.not_visible.join(" "),
        finding.allowed_by.clone().unwrap_or_default(),
        next,
    ]
}
