//! `unchain explain`: a detection's words, or everything about one finding or incident.

use super::print::{Detail, print};
use crate::args::Context;
use crate::exit::{self, Exit};
use crate::input::Input;
use crate::judge::JudgeArgs;
use crate::output::table::{Column, Table, room};
use crate::output::words::{clipped, moment, paragraph, pasted, shown};
use crate::when::When;
use anyhow::bail;
use clap::Args;
use std::io::{self, Write};
use unchain_core::detect::{Detection, REGISTRY};
use unchain_core::lineage::Lineage;
use unchain_core::report::{FindingRow, Findings, Report};
use unchain_core::text::Untrusted;

const EXAMPLES: &str = "Examples:
  unchain explain
      every detection, with its severity
  unchain explain role-chaining
      what it finds, why that matters, how it is evaded, what else looks like it
  unchain explain f-1a2b3c4d5e6f7081
      one finding of ./unchain.case with all its evidence";

/// Explain a detection, a finding or an incident
#[derive(Debug, Args)]
#[command(after_help = exit::after(EXAMPLES))]
pub(crate) struct Explain {
    /// A detection's id, or the id of a finding or incident; its beginning is enough
    id: Option<String>,
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    judge: JudgeArgs,
    /// The instant for which it is said what may still work
    #[arg(
        long,
        value_name = "T",
        default_value = "now",
        allow_hyphen_values = true
    )]
    at: When,
}

impl Explain {
    /// Finds what is meant, and prints.
    pub(crate) fn run(&self, context: &mut Context<'_>) -> anyhow::Result<Exit> {
        let Some(id) = &self.id else {
            list(context.out, context.width)?;
            return Ok(Exit::Clean);
        };
        if let Some(detection) = Detection::find(id) {
            words(context.out, context.width, detection)?;
            return Ok(Exit::Clean);
        }
        if !(id.starts_with("f-") || id.starts_with("i-")) {
            check(std::slice::from_ref(id))?;
        }
        self.found(context, id)
    }

    fn found(&self, context: &mut Context<'_>, id: &str) -> anyhow::Result<Exit> {
        let judge = self.judge.read()?;
        let loaded = self.input.load(context)?;
        let lineage = Lineage::build(&loaded.ledger);
        let report = Report::new(&lineage, self.at.instant(context.now));
        let mut findings = judge.findings(&report);
        let meant = |known: &str| known.starts_with(id);
        findings.incidents.retain(|incident| meant(&incident.id));
        if !findings.incidents.is_empty() {
            let of = |f: &FindingRow| {
                findings
                    .incidents
                    .iter()
                    .any(|i| i.findings.contains(&f.id))
            };
            findings.findings.retain(of);
            let again = self.input.again();
            print(
                context.out,
                context.width,
                (&findings, &again),
                Detail::Whole,
            )?;
            return Ok(loaded.exit);
        }
        findings.findings.retain(|finding| meant(&finding.id));
        if findings.findings.is_empty() {
            bail!(
                "no finding or incident here is called `{}`; `unchain findings --all` lists them",
                clipped(id)
            );
        }
        self.each(context, &findings)?;
        Ok(loaded.exit)
    }

    fn each(&self, context: &mut Context<'_>, findings: &Findings) -> io::Result<()> {
        let again = self.input.again();
        for (n, finding) in findings.findings.iter().enumerate() {
            if n > 0 {
                writeln!(context.out)?;
            }
            finding_words(context.out, context.width, finding, &again)?;
            if let Some(detection) = Detection::find(finding.detection) {
                writeln!(context.out)?;
                words(context.out, context.width, detection)?;
            }
        }
        Ok(())
    }
}

/// Refuses names of detections that there are not.
pub(super) fn check(ids: &[String]) -> anyhow::Result<()> {
    match ids.iter().find(|id| Detection::find(id).is_none()) {
        Some(id) => bail!(
            "no detection is called `{}`; `unchain explain` lists them",
            clipped(id)
        ),
        None => Ok(()),
    }
}

fn list(out: &mut dyn Write, width: usize) -> io::Result<()> {
    let columns = vec![
        Column::new("DETECTION", 30),
        Column::new("SEVERITY", 13),
        Column::new("FINDS", room(width, 3, 30 + 13)),
    ];
    let mut table = Table::new(out, columns);
    for detection in REGISTRY {
        table.row(&[
            detection.id.to_owned(),
            detection.severity.name().to_owned(),
            detection.title.to_owned(),
        ])?;
    }
    table.finish()
}

/// What a detection says of itself.
fn words(out: &mut dyn Write, width: usize, detection: &Detection) -> io::Result<()> {
    let techniques = detection.techniques.join(" ");
    writeln!(out, "{}  {}", detection.id, detection.title)?;
    writeln!(
        out,
        "  usually {} · {techniques}",
        detection.severity.name()
    )?;
    for (title, text) in [
        ("Finds", detection.finds),
        ("Why it matters", detection.matters),
        ("How it is evaded", detection.evaded),
    ] {
        writeln!(out, "\n  {title}")?;
        paragraph(out, width, ("    ", "    "), text)?;
    }
    writeln!(out, "\n  What else looks like it")?;
    for text in detection.false_positives {
        paragraph(out, width, ("    - ", "      "), text)?;
    }
    writeln!(out, "\n  References")?;
    for text in detection.references {
        writeln!(out, "    {text}")?;
    }
    Ok(())
}

/// Everything about one finding.
fn finding_words(
    out: &mut dyn Write,
    width: usize,
    finding: &FindingRow,
    again: &str,
) -> io::Result<()> {
    writeln!(
        out,
        "{}  {}, {} confidence{}",
        finding.id,
        finding.severity,
        finding.confidence,
        finding
            .incident
            .as_ref()
            .map(|id| format!(", of {id}"))
            .unwrap_or_default(),
    )?;
    paragraph(out, width, ("  ", "  "), finding.what.raw())?;
    let joined = |texts: &[Untrusted]| texts.iter().map(shown).collect::<Vec<_>>();
    let mut facts = vec![
        (
            "When",
            vec![format!(
                "{} to {} UTC",
                moment(finding.first),
                moment(finding.last)
            )],
        ),
        ("Lineage", vec![joined(&finding.path).join(" > ")]),
        ("Also", joined(&finding.also)),
        ("From", finding.foreign_address.iter().map(shown).collect()),
        ("Not visible", finding.not_visible.clone()),
        (
            "Expected",
            finding
                .allowed_by
                .iter()
                .map(|text| clipped(text))
                .collect(),
        ),
        ("Records", joined(&finding.event_ids)),
    ];
    facts.retain(|(_, lines)| !lines.is_empty());
    for (title, lines) in facts {
        writeln!(out, "\n  {title}")?;
        for line in lines {
            paragraph(out, width, ("    ", "    "), &line)?;
        }
    }
    if let Some(pivot) = pasted(finding.next.pivot.raw()) {
        writeln!(out, "\n  > unchain {} {pivot}{again}", finding.next.command)?;
    }
    if let Some(event) = finding.event_ids.first().and_then(|id| pasted(id.raw())) {
        writeln!(out, "  > unchain events {event}{again}")?;
    }
    Ok(())
}
