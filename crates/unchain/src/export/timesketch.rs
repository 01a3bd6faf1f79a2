//! A time line for Timesketch: JSON lines with the fields it needs (`message`, `datetime`,
//! `timestamp_desc`; timesketch.org/guides/user/import-from-json-csv) and flat fields of our own.
//!
//! Rows are findings and steps of the lineage, in order of time. A step that belongs to an incident's
//! story says so instead of standing there twice.

use crate::output::json;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use unchain_core::report::{EdgeRow, End, FindingRow, Findings, Report};
use unchain_core::text::Untrusted;
use unchain_core::time::Timestamp;

/// Writes the time line.
pub(crate) fn timesketch(
    out: &mut dyn Write,
    found: &Findings,
    report: &Report<'_, '_>,
) -> io::Result<()> {
    let told = incidents_by_event(found);
    let mut rows: Vec<Row<'_>> = found.findings.iter().flat_map(finding).collect();
    rows.sort_by(|a, b| (a.timestamp, &a.message).cmp(&(b.timestamp, &b.message)));
    let mut findings = rows.into_iter().peekable();
    for edge in report.edges() {
        let time = micros(edge.time);
        // A step comes before what is said about it.
        while let Some(row) = findings.next_if(|row| row.timestamp < time) {
            json::line(out, &row)?;
        }
        json::line(out, &step(&edge, &told))?;
    }
    findings.try_for_each(|row| json::line(out, &row))
}

/// The incidents whose story names an event.
type Told<'f> = BTreeMap<&'f Untrusted, BTreeSet<&'f str>>;

fn incidents_by_event(findings: &Findings) -> Told<'_> {
    let mut told = Told::new();
    for incident in &findings.incidents {
        for id in incident
            .story
            .iter()
            .filter_map(|step| step.event_id.as_ref())
        {
            told.entry(id).or_default().insert(&incident.id);
        }
    }
    told
}

/// One line. Text is as logged; JSON carries it safely.
#[derive(Debug, Serialize)]
struct Row<'r> {
    message: String,
    /// ISO 8601 with the offset of UTC.
    datetime: String,
    /// Microseconds since 1970.
    timestamp: i64,
    timestamp_desc: &'static str,
    data_type: &'static str,
    tag: Vec<&'r str>,
    event_ids: Vec<&'r str>,
    #[serde(flatten)]
    more: BTreeMap<&'static str, String>,
}

fn row<'r>(time: Timestamp, desc: &'static str, message: String) -> Row<'r> {
    let text = time.to_string();
    Row {
        message,
        datetime: text.replace('Z', "+00:00"),
        timestamp: micros(time),
        timestamp_desc: desc,
        data_type: "",
        tag: vec!["unchain"],
        event_ids: Vec::new(),
        more: BTreeMap::new(),
    }
}

/// When a finding began and, if it lasted, when it was last seen.
fn finding(found: &FindingRow) -> Vec<Row<'_>> {
    let mut rows = vec![told(found, found.first, "Finding first seen")];
    if found.last != found.first {
        rows.push(told(found, found.last, "Finding last seen"));
    }
    rows
}

fn told<'r>(found: &'r FindingRow, time: Timestamp, desc: &'static str) -> Row<'r> {
    let message = format!("[{}] {}: {}", found.severity, found.title, found.what.raw());
    let mut row = row(time, desc, message);
    row.data_type = "unchain:finding";
    row.tag.extend(["finding", found.severity]);
    row.tag.extend(found.techniques.iter().copied());
    row.tag
        .extend(found.allowed_by.as_ref().map(|_| "expected"));
    row.event_ids = found.event_ids.iter().map(Untrusted::raw).collect();
    row.more.extend([
        ("finding_id", found.id.clone()),
        ("detection", found.detection.to_owned()),
        ("severity", found.severity.to_owned()),
        ("confidence", found.confidence.to_owned()),
    ]);
    let incident = found.incident.clone();
    row.more.extend(incident.map(|id| ("incident_id", id)));
    let address = found.foreign_address.as_ref();
    row.more
        .extend(address.map(|a| ("source_ip", a.raw().to_owned())));
    row.more.extend(end(&found.subject, NAMES));
    row
}

fn step<'r>(edge: &'r EdgeRow, incidents: &Told<'r>) -> Row<'r> {
    let (from, to) = (label(&edge.parent), label(&edge.child));
    let across = if edge.cross_account {
        " in another account"
    } else {
        ""
    };
    let message = format!("{from} made {to}{across} with {}", edge.api.raw());
    let mut row = row(edge.time, "Credential lineage", message);
    row.data_type = "unchain:lineage";
    row.tag.push("lineage");
    row.event_ids = edge.event_ids.iter().map(Untrusted::raw).collect();
    let of: BTreeSet<&str> = edge
        .event_ids
        .iter()
        .filter_map(|id| incidents.get(id))
        .flatten()
        .copied()
        .collect();
    if !of.is_empty() {
        row.tag.push("incident");
        let ids: Vec<&str> = of.into_iter().collect();
        row.more.insert("incident_id", ids.join(" "));
    }
    row.more.extend([
        ("api", edge.api.raw().to_owned()),
        ("basis", edge.basis.to_owned()),
    ]);
    row.more.extend(end(&edge.child, NAMES));
    row.more.extend(end(&edge.parent, PARENT_NAMES));
    row
}

/// The fields of an end: kind, key id, principal, account.
type Names = [&'static str; 4];

const NAMES: Names = ["kind", "access_key_id", "principal_arn", "account"];
const PARENT_NAMES: Names = [
    "parent_kind",
    "parent_access_key_id",
    "parent_principal_arn",
    "parent_account",
];

fn end(end: &End, names: Names) -> impl Iterator<Item = (&'static str, String)> {
    let text = |field: &Option<Untrusted>| field.as_ref().map(|text| text.raw().to_owned());
    let values = [
        Some(end.kind.to_owned()),
        text(&end.access_key_id),
        text(&end.principal_arn),
        text(&end.account),
    ];
    names
        .into_iter()
        .zip(values)
        .filter_map(|(name, value)| Some((name, value?)))
}

/// What names an end in a message.
fn label(end: &End) -> String {
    let name = end.access_key_id.as_ref().or(end.workload.as_ref());
    match name.or(end.principal_arn.as_ref()) {
        Some(name) => format!("{} {}", end.kind.replace('-', " "), name.raw()),
        None => end.kind.replace('-', " "),
    }
}

fn micros(time: Timestamp) -> i64 {
    time.seconds().saturating_mul(1_000_000)
}
