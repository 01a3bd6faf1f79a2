//! `unchain findings` and `unchain explain`: what is wrong, why, and with what confidence.

mod csv;
mod explain;
mod print;
pub(crate) mod rules;

pub(crate) use explain::Explain;
pub(crate) use print::brief;
use print::{Detail, print};

use crate::args::Context;
use crate::exit::{self, Exit};
use crate::export::{ocsf, timesketch};
use crate::input::Input;
use crate::judge::JudgeArgs;
use crate::output::json;
use crate::sigma::{self, SigmaView};
use crate::when::When;
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::io::{self, Write};
use std::path::PathBuf;
use unchain_core::finding::Severity;
use unchain_core::lineage::Lineage;
use unchain_core::report::{self, Coverage, FindingRow, IncidentRow, Report, coverage};
use unchain_core::time::Timestamp;
use unchain_sigma::Rules;
use unchain_source::Filter;

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
    /// Also ask the Sigma rules in this folder of every record; reads the logs again
    #[arg(long, value_name = "FOLDER")]
    sigma: Option<PathBuf>,
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

/// The whole answer.
#[derive(Debug, Serialize)]
struct Answer {
    at: Timestamp,
    coverage: Coverage,
    #[serde(flatten)]
    findings: report::Findings,
    /// What Sigma rules found; none if none were asked.
    sigma: Option<SigmaView>,
}

/// One line of the answer.
#[derive(Debug, Serialize)]
#[serde(tag = "record", rename_all = "lowercase")]
enum Line<'f> {
    Coverage(&'f Coverage),
    Incident(&'f IncidentRow),
    Finding(&'f FindingRow),
    Sigma(&'f SigmaView),
}

impl FindingsCommand {
    /// Judges and prints.
    pub(crate) fn run(&self, context: &mut Context<'_>) -> anyhow::Result<Exit> {
        explain::check(&self.detection)?;
        let judge = self.judge.read()?;
        let rules = self.sigma.as_deref().map(Rules::load).transpose()?;
        let loaded = self.input.load(context)?;
        let lineage = Lineage::build(&loaded.ledger);
        let at = self.at.instant(context.now);
        let report = Report::new(&lineage, at);
        let mut findings = judge.findings(&report);
        self.keep(&mut findings);
        let (sigma, complete) = match &rules {
            Some(rules) => self
                .ask(rules, &report, at)
                .map(|(view, all)| (Some(view), all))?,
            None => (None, true),
        };
        let worst = findings
            .worst()
            .max(sigma.as_ref().and_then(SigmaView::worst));
        let exit = verdict(worst, self.fail_on)
            .max(Exit::complete(complete))
            .max(loaded.exit);
        let answer = Answer {
            at,
            coverage: coverage(&lineage),
            findings,
            sigma,
        };
        self.write(context, &answer, &report)?;
        Ok(exit)
    }

    /// What rules find in the logs, and whether all of the logs are still there.
    fn ask(
        &self,
        rules: &Rules,
        report: &Report<'_, '_>,
        at: Timestamp,
    ) -> anyhow::Result<(SigmaView, bool)> {
        let original = self.input.original(&[], Filter::default())?;
        let result = sigma::run(&original.files, rules, (report.lineage(), at), None);
        Ok((SigmaView::new(rules, &result, report), original.complete))
    }

    /// Leaves out what was not asked for.
    fn keep(&self, findings: &mut report::Findings) {
        let least = Some(self.min_severity.severity());
        let bad = |name: &str| Severity::named(name) >= least;
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
        answer: &Answer,
        report: &Report<'_, '_>,
    ) -> anyhow::Result<()> {
        let out = &mut *context.out;
        let found = &answer.findings;
        match self.format {
            Format::Table => self.table(out, context.width, answer)?,
            Format::Json => json::line(out, answer)?,
            Format::Jsonl => lines(out, answer)?,
            Format::Csv => csv::write(out, &found.findings)?,
            Format::Ocsf => ocsf(out, &found.findings, env!("CARGO_PKG_VERSION"))?,
            Format::Timesketch => timesketch(out, found, report)?,
        }
        Ok(())
    }

    fn table(&self, out: &mut dyn Write, width: usize, answer: &Answer) -> io::Result<()> {
        let detail = if self.all {
            Detail::Whole
        } else {
            Detail::Short
        };
        print(out, width, (&answer.findings, &self.input.again()), detail)?;
        if let Some(sigma) = &answer.sigma {
            rules::found(out, width, sigma)?;
        }
        print::coverage(out, width, &answer.coverage)
    }
}

fn lines(out: &mut dyn Write, answer: &Answer) -> io::Result<()> {
    json::line(out, &Line::Coverage(&answer.coverage))?;
    for incident in &answer.findings.incidents {
        json::line(out, &Line::Incident(incident))?;
    }
    for finding in &answer.findings.findings {
        json::line(out, &Line::Finding(finding))?;
    }
    if let Some(sigma) = &answer.sigma {
        json::line(out, &Line::Sigma(sigma))?;
    }
    Ok(())
}

/// The exit code that the worst of what was found calls for.
pub(crate) fn verdict(worst: Option<Severity>, fail_on: Level) -> Exit {
    let bad = worst.is_some_and(|worst| worst >= fail_on.severity());
    if bad { Exit::Findings } else { Exit::Clean }
}
