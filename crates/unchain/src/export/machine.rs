//! A report as one JSON object, for a program or another report.
//!
//! The field names are a promise: see docs/output.md.

use super::Document;
use crate::contain::Record;
use crate::output::json;
use serde::Serialize;
use std::io::{self, Write};
use unchain_core::report::{Coverage, Findings};
use unchain_core::text::Untrusted;
use unchain_core::time::Timestamp;

#[derive(Serialize)]
struct View<'d> {
    title: Untrusted,
    /// The instant of every status, UTC.
    at: Timestamp,
    /// When it was made, UTC.
    made_at: Timestamp,
    /// The version of the program.
    version: &'static str,
    /// Whether all of the input could be read.
    complete: bool,
    coverage: &'d Coverage,
    #[serde(flatten)]
    findings: &'d Findings,
    containment: &'d [Record],
}

/// Writes the report.
pub(crate) fn machine(out: &mut dyn Write, document: &Document<'_>) -> io::Result<()> {
    let about = document.about;
    let view = View {
        title: Untrusted::new(about.title.as_str()),
        at: about.at,
        made_at: about.made_at,
        version: about.version,
        complete: about.complete,
        coverage: document.coverage,
        findings: document.findings,
        containment: document.containment,
    };
    json::line(out, &view)
}
