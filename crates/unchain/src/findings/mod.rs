//! `unchain findings` and `unchain explain`: what is wrong, why, and with what confidence.

mod csv;
mod explain;
mod print;

pub(crate) use explain::Explain;
pub(crate) use print::brief;
use print::{Detail, print};

use crate::args::Context;
use crate::exit::{self, Exit};
use crate::export::{ocsf, timesketch};
use crate::input::Input;
use crate::judge::JudgeArgs;
use crate::output::json;
use crate::when::When;
use clap::{Args, ValueEnum};
use serde::Serialize;
use unchain_core::finding::Severity;
use unchain_core::lineage::Lineage;
use unchain_core::report::{self, Coverage, FindingRow, IncidentRow, Report, coverage};
use unchain_core::time::Timestamp;

const EXAMPLES: &str = "Examples:
  unchain findings
      incidents and findings in ./unchain.case, the worst first
  unchain findings --source logs/ --min-severity medium --format jsonl
      straight from logs, for another program
  unchain findings --fail-on high --baseline last-month.case
      in a pipeline: exit code 1 if anything high or critical is new";

/// Say what is wrong: incidents with their story, findings with their evidence
///
/// A finding names its records, how sure it is and what the log does not show. Findings about one
/// intrusion are an incident. What `unchain.toml` expects is left out unless --all is given.
#[derive(Debug, Args)]
#[command(after_help = exit::after(EXAMPLES))]
pub(crate) struct FindingsCommand {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    judge: JudgeArgs,
    /// Only findings this bad or worse
    #[arg(
        long,
        value_name = "SEVERITY",
        value_enum,
        default_value = "informational"
    )]
    min_severity: Level,
    /// Only of this detection; may be repeated. `unchain explain` lists them
    #[arg(long, value_name = "ID")]
    detection: Vec<String>,
    /// Expected findings as well, and whole stories
    #[arg(long)]
    all: bool,
    /// Exit with 1 if anything this bad or worse was found and is not expected
    #[arg(long, value_name = "SEVERITY", value_enum, default_value = "medium")]
    fail_on: Level,
    /// The instant for which it is said what may still work
    #[arg(
        long,
        value_name = "T",
        default_value = "now",
        allow_hyphen_values = true
    )]
    at: When,
    /// How to write it
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

/// Severities on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Level {
    Informational,
    Low,
    Medium,
    High,
    Critical,
}

impl Level {
    /// The severity.
    pub(crate) fn severity(self) -> Severity {
        match self {
            Self::Informational => Severity::Informational,
            Self::Low => Severity::Low,
            Self::Medium => Severity::Medium,
            Self::High => Severity::High,
            Self::Critical => Severity::Critical,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people; fits the terminal
    Table,
    /// One JSON document
    Json,
    /// One JSON object per line: coverage, incidents, findings
    Jsonl,
    /// Findings as comma-separated lines, formulas defused
    Csv,
    /// For a SIEM: each finding as an OCSF Detection Finding, one JSON object per line
    Ocsf,
    /// For Timesketch: findings and steps of the lineage as a time line, one JSON object per line
    Timesketch,
}

/// The whole answer as one document.
#[derive(Debug, Serialize)]
struct Document<'f> {
    at: Timestamp,
    coverage: &'f Coverage,
    #[serde(flatten)]
    findings: &'f report::Findings,
}

/// One line of the answer.
#[derive(Debug, Serialize)]
#[serde(tag = "record", rename_all = "lowercase")]
enum Line<'f> {
    Coverage(&'f Coverage),
    Incident(&'f IncidentRow),
    Finding(&'f FindingRow),
}

impl FindingsCommand {
    /// Judges and prints.
    pub(crate) fn run(&self, context: &mut Context<'_>) -> anyhow::Result<Exit> {
        explain::check(&self.detection)?;
        let judge = self.judge.read()?;
        let loaded = self.input.load(context)?;
        let lineage = Lineage::build(&loaded.ledger);
        let at = self.at.instant(context.now);
        let report = Report::new(&lineage, at);
        let mut findings = judge.findings(&report);
        self.keep(&mut findings);
        let exit = verdict(&findings, self.fail_on).max(loaded.exit);
        self.write(context, (&findings, &coverage(&lineage)), (&report, at))?;
        Ok(exit)
    }

    /// Leaves out what was not asked for.
    fn keep(&self, findings: &mut report::Findings) {
        let least = self.min_severity.severity();
        let bad = |name: &str| {
            Severity::ALL
                .iter()
                .any(|s| *s >= least && s.name() == name)
        };
        let asked = |id: &str| self.detection.is_empty() || self.detection.iter().any(|d| d == id);
        findings.incidents.retain(|incident| bad(incident.severity));
        findings
            .findings
            .retain(|finding| bad(finding.severity) && asked(finding.detection));
        if !self.all {
            findings
                .findings
                .retain(|finding| finding.allowed_by.is_none());
        }
        if !self.detection.is_empty() {
            let kept = |id: &String| findings.findings.iter().any(|finding| finding.id == *id);
            findings
                .incidents
                .retain(|incident| incident.findings.iter().any(kept));
        }
    }

    fn write(
        &self,
        context: &mut Context<'_>,
        (findings, coverage): (&report::Findings, &Coverage),
        (report, at): (&Report<'_, '_>, Timestamp),
    ) -> anyhow::Result<()> {
        let out = &mut *context.out;
        match self.format {
            Format::Table => {
                let detail = if self.all {
                    Detail::Whole
                } else {
                    Detail::Short
                };
                print(out, context.width, (findings, &self.input.again()), detail)?;
                print::coverage(out, context.width, coverage)?;
            }
            Format::Json => json::line(
                out,
                &Document {
                    at,
                    coverage,
                    findings,
                },
            )?,
            Format::Jsonl => {
                json::line(out, &Line::Coverage(coverage))?;
                for incident in &findings.incidents {
                    json::line(out, &Line::Incident(incident))?;
                }
                for finding in &findings.findings {
                    json::line(out, &Line::Finding(finding))?;
                }
            }
            Format::Csv => csv::write(out, &findings.findings)?,
            Format::Ocsf => ocsf(out, &findings.findings, env!("CARGO_PKG_VERSION"))?,
            Format::Timesketch => timesketch(out, findings, report)?,
        }
        Ok(())
    }
}

/// The exit code that findings call for.
pub(crate) fn verdict(findings: &report::Findings, fail_on: Level) -> Exit {
    let bad = findings
        .worst()
        .is_some_and(|worst| worst >= fail_on.severity());
    if bad { Exit::Findings } else { Exit::Clean }
}
