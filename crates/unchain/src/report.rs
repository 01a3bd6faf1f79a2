//! `unchain report`: what was found as a document to hand over.

use crate::args::Context;
use crate::contain::{Record, RecordArgs};
use crate::exit::{self, Exit};
use crate::export::{About, Document, html, machine, markdown};
use crate::findings::{Level, verdict};
use crate::input::Input;
use crate::judge::JudgeArgs;
use crate::when::At;
use anyhow::Context as _;
use clap::{Args, ValueEnum};
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use unchain_core::lineage::Lineage;
use unchain_core::report::{self, coverage};

const EXAMPLES: &str = "Examples:
  unchain report --output report.html
      the case as one page that needs no network and runs no script
  unchain report --source logs/ --format markdown --at 2026-03-02T12:05:00Z
      straight from logs, as Markdown, with the status of an instant
  unchain report --verification verification.json --output report.html
      with what was done about it, which the case knows, and whether it holds";

/// Write what was found as a report to hand over: incidents, containment, evidence, coverage, method
///
/// It names every record that it rests on, and says what the logs cannot show. It holds key ids, names
/// and addresses of the log, and no session tokens.
#[derive(Debug, Args)]
#[command(after_help = exit::after(EXAMPLES))]
pub(crate) struct Report {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    judge: JudgeArgs,
    #[command(flatten)]
    record: RecordArgs,
    /// Exit with 1 if anything this bad or worse was found and is not expected
    #[arg(long, value_name = "SEVERITY", value_enum, default_value = "medium")]
    fail_on: Level,
    /// How to write it
    #[arg(long, value_enum, default_value = "html")]
    format: Format,
    /// The file to write; standard output unless given
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace the file if it exists
    #[arg(long, requires = "output")]
    force: bool,
    #[command(flatten)]
    at: At,
    /// What stands at its head
    #[arg(long, value_name = "TEXT", default_value = "AWS credential report")]
    title: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One page without script or anything loaded, fit to print
    Html,
    /// Markdown with tables
    Markdown,
    /// One JSON object
    Json,
}

impl Report {
    /// Judges what is in the case and writes the report.
    pub(crate) fn run(&self, context: &mut Context<'_>) -> anyhow::Result<Exit> {
        let judge = self.judge.read()?;
        let containment: Vec<Record> = self.record.read(&self.input)?;
        let loaded = self.input.load(context)?;
        let about = About {
            title: self.title.clone(),
            at: self.at.instant(context.now),
            made_at: context.now,
            version: env!("CARGO_PKG_VERSION"),
            options: self.input.again(),
            complete: loaded.exit == Exit::Clean,
        };
        let lineage = Lineage::build(&loaded.ledger);
        let report = report::Report::new(&lineage, about.at);
        let found = judge.judged(&report, |scene, found, incidents| {
            let findings = report.findings(scene, found, incidents);
            let document = Document {
                about: &about,
                coverage: &coverage(&lineage),
                findings: &findings,
                found,
                incidents,
                containment: &containment,
                scene,
                report: &report,
            };
            self.write(context, &document)
                .map(|()| verdict(findings.worst(), self.fail_on))
        });
        let exit = found.with_context(|| self.what_failed())?;
        Ok(exit.max(loaded.exit))
    }

    fn write(&self, context: &mut Context<'_>, document: &Document<'_>) -> io::Result<()> {
        let write = |out: &mut dyn Write| match self.format {
            Format::Html => html(out, document),
            Format::Markdown => markdown(out, document),
            Format::Json => machine(out, document),
        };
        match &self.output {
            Some(path) => self.fill(path, write),
            None => write(context.out),
        }
    }

    /// Writes the file, which must be new unless it may be replaced.
    fn fill(
        &self,
        path: &Path,
        write: impl Fn(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        let file = if self.force {
            File::create(path)?
        } else {
            OpenOptions::new().write(true).create_new(true).open(path)?
        };
        let mut out = BufWriter::new(file);
        write(&mut out)?;
        out.flush()
    }

    fn what_failed(&self) -> String {
        match &self.output {
            Some(path) => format!(
                "cannot write `{}`; name another file, or give `--force` to replace one",
                path.display()
            ),
            None => "cannot write the report".to_owned(),
        }
    }
}
