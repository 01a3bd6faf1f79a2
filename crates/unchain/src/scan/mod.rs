//! `unchain scan`: reads logs, writes the case, and says what was read, what is wrong and what may
//! still work.

mod print;
mod summary;

use crate::args::Context;
use crate::exit::{self, Exit};
use crate::findings::{Level, verdict};
use crate::input;
use crate::judge::JudgeArgs;
use crate::output::json;
use crate::reading::{self, FileRead, Options, Reading, Remember};
use crate::sigma::{self, SigmaView};
use crate::store;
use crate::when::{At, When};
use clap::{Args, ValueEnum};
use std::io::Write as _;
use std::num::NonZero;
use std::path::PathBuf;
use summary::{Added, Summary};
use unchain_case::{Case, FileRow, Threads, Writing};
use unchain_core::ledger::Ledger;
use unchain_core::lineage::Lineage;
use unchain_core::report::Report;
use unchain_core::text::Untrusted;
use unchain_sigma::Rules;
use unchain_source::{FileKind, Files, Filter};

const EXAMPLES: &str = "Examples:
  unchain scan ~/incident/AWSLogs
      read everything below a folder, write ./unchain.case
  zcat one.json.gz | unchain scan - --no-case --at 2026-03-02T11:30:00Z
      read standard input, keep nothing, ask what was alive at an instant
  unchain scan ~/incident/AWSLogs --sigma ~/sigma/rules/cloud/aws
      also ask Sigma rules, which see the lineage as fields `unchain.root` …

The case file is ./unchain.case unless --case says otherwise. Scanning more logs
adds to it; scanning the same logs again changes nothing. Session tokens are in
CloudTrail in clear; they are in no case file and in no output.";

/// Read logs: what was read and refused, what is wrong, which tokens are alive, what is not covered
///
/// Files may be gzip, zstd or plain, in any of the wrappings that CloudTrail records travel in.
#[derive(Debug, Args)]
#[command(after_help = exit::after(EXAMPLES))]
pub(crate) struct Scan {
    /// A file, a folder, or `-` for standard input
    #[arg(required = true, value_name = "SOURCE")]
    sources: Vec<PathBuf>,
    /// The case file to write or add to
    #[arg(long, value_name = "FILE", default_value = "unchain.case")]
    case: PathBuf,
    /// Write no case file
    #[arg(long, conflicts_with = "case")]
    no_case: bool,
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    judge: JudgeArgs,
    /// Look for nothing that is wrong; `unchain findings` does it later, from the case
    #[arg(long, conflicts_with = "fail_on")]
    no_findings: bool,
    /// Exit with 1 if anything this bad or worse was found and is not expected
    #[arg(long, value_name = "SEVERITY", value_enum)]
    fail_on: Option<Level>,
    /// Also ask the Sigma rules in this folder of every record; reads the files a second time
    #[arg(long, value_name = "FOLDER")]
    sigma: Option<PathBuf>,
    /// Threads to read with; as many as the machine runs at once unless given
    #[arg(long, value_name = "N")]
    threads: Option<NonZero<usize>>,
    #[command(flatten)]
    at: At,
    /// How to write it
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// No progress bar
    #[arg(long, short)]
    quiet: bool,
}

/// Which part of the logs to read.
#[derive(Debug, Args)]
struct FilterArgs {
    /// Only events at or after this instant; files whose path rules it out are not opened
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    since: Option<When>,
    /// Only events before this instant
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    until: Option<When>,
    /// Only events logged in this account; may be repeated
    #[arg(long, value_name = "ACCOUNT")]
    account: Vec<String>,
    /// Only events of this region; may be repeated
    #[arg(long, value_name = "REGION")]
    region: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people; fits the terminal
    Table,
    /// One JSON object
    Json,
    /// The same object, on one line
    Jsonl,
}

impl Scan {
    /// Reads, keeps and prints.
    pub(crate) fn run(&self, context: &mut Context<'_>) -> anyhow::Result<Exit> {
        let rules = self.rules()?;
        let mut files = Files::discover(&self.sources, self.filter(context))?;
        // Before the long work, so that a mistake in the settings or a case that cannot be written is
        // known at once.
        let judge = self.judge.read()?;
        let mut case = (!self.no_case)
            .then(|| Case::open(&self.case))
            .transpose()?;
        let watched = context.watched && !self.quiet;
        let progress = input::progress(&files, watched);
        let readings = reading::read_apart(&files, &self.options(context), &progress);
        progress.finish();
        if rules.is_none() {
            files.forget_units();
        }
        let (writing, reading) = self.united(case.as_mut(), readings)?;
        let ledger = &reading.ledger;
        let keep = || {
            writing
                .map(|writing| self.keep(writing, ledger))
                .transpose()
        };
        let (added, lineage) = self.beside(keep, || Lineage::build(ledger));
        let added = added?;
        drop(case);
        let at = self.at.instant(context.now);
        let report = Report::new(&lineage, at);
        let findings = (!self.no_findings).then(|| judge.findings(&report));
        let found = findings.as_ref().zip(self.fail_on);
        let mut bad = found.map_or(Exit::Clean, |(findings, level)| {
            verdict(findings.worst(), level)
        });
        let mut summary = Summary::new(&reading, &files, (&report, at), (added, findings));
        let mut again = true;
        if let Some(rules) = &rules {
            let result = sigma::run(&files, rules, (&lineage, at), self.threads);
            again = result.records == summary.read.parsed - reading.summary.counts.filtered;
            let view = SigmaView::new(rules, &result, &report);
            bad = bad.max(
                self.fail_on
                    .map_or(Exit::Clean, |level| verdict(view.worst(), level)),
            );
            summary.sigma = Some(view);
        }
        match self.format {
            Format::Table => print::summary(context, self, &summary)?,
            Format::Json | Format::Jsonl => json::line(context.out, &summary)?,
        }
        let complete = complete(&reading, &files);
        if !complete {
            warn(&reading);
        } else if !again {
            say("files changed while the Sigma rules were asked\nhint: scan again");
        }
        let exit = Exit::complete(complete && again).max(bad);
        // The process ends now, and taking a large ledger apart row by row would be felt.
        std::mem::forget((reading, files));
        Ok(exit)
    }

    /// The Sigma rules to ask. Before the long work, so that a wrong folder is known at once.
    fn rules(&self) -> anyhow::Result<Option<Rules>> {
        let Some(folder) = &self.sigma else {
            return Ok(None);
        };
        if self.sources.iter().any(|path| path.as_os_str() == "-") {
            anyhow::bail!(
                "Sigma rules read the logs a second time, which standard input cannot give; write it to a file and name that"
            );
        }
        Ok(Some(Rules::load(folder)?))
    }

    fn options(&self, context: &Context<'_>) -> Options {
        Options {
            threads: self.threads,
            seed: context.seed,
            remember: if self.no_case {
                Remember::None
            } else {
                Remember::Each
            },
        }
    }

    /// Everything that was read as one; what became of the files is being written meanwhile.
    fn united<'c>(
        &self,
        case: Option<&'c mut Case>,
        mut readings: Vec<Reading>,
    ) -> anyhow::Result<(Option<Writing<'c>>, Reading)> {
        let read = reading::take_files(&mut readings);
        let begin = || case.map(|case| begin(case, read)).transpose();
        let (writing, reading) = self.beside(begin, || reading::unite(readings));
        Ok((writing?, reading?))
    }

    /// Adds what was read to the case, and keeps it.
    fn keep(&self, writing: Writing<'_>, ledger: &Ledger) -> anyhow::Result<Added> {
        let written = writing.finish(ledger, self.writers())?;
        Ok(Added {
            path: Untrusted::new(&*self.case.to_string_lossy()),
            files: written.files,
            events: written.events,
        })
    }

    /// Does both: at once, unless one thread was asked for or there is no case to write.
    fn beside<A, B: Send>(
        &self,
        here: impl FnOnce() -> A,
        there: impl FnOnce() -> B + Send,
    ) -> (A, B) {
        if self.no_case || self.writers() == Threads::One {
            return (here(), there());
        }
        std::thread::scope(|scope| {
            let there = scope.spawn(there);
            let done = here();
            match there.join() {
                Ok(other) => (done, other),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    }

    /// How many threads the case may be written with.
    fn writers(&self) -> Threads {
        match self.threads {
            Some(NonZero::<usize>::MIN) => Threads::One,
            _ => Threads::Two,
        }
    }

    /// The options with which another command looks at the same logs.
    fn again(&self) -> String {
        let source = if self.no_case {
            self.sources.clone()
        } else {
            Vec::new()
        };
        let case = self.case.clone();
        input::Input { case, source }.again()
    }

    fn filter(&self, context: &Context<'_>) -> Filter {
        let instant = |when: When| when.instant(context.now);
        Filter {
            since: self.filter.since.map(instant),
            until: self.filter.until.map(instant),
            accounts: self.filter.account.clone(),
            regions: self.filter.region.clone(),
        }
    }
}

/// Adds what became of the files to a case, in a transaction that goes on.
fn begin(case: &mut Case, files: Vec<FileRead>) -> anyhow::Result<Writing<'_>> {
    let rows: Vec<FileRow> = files.into_iter().map(store::row).collect();
    Ok(case.begin(&rows)?)
}

/// Says on standard error why the exit code is what it is.
fn warn(reading: &Reading) {
    let said = if reading.summary.counts.parsed == 0 {
        "no record of CloudTrail was read\nhint: name the folder that holds `AWSLogs`, or its files"
    } else {
        "the input is incomplete, so the answer may be\nhint: the lines with `!` say what is wrong with which file"
    };
    say(said);
}

fn say(warning: &str) {
    // Where a warning cannot be written there is nobody to warn.
    let _ = writeln!(std::io::stderr(), "warning: {warning}");
}

/// Whether everything was understood, and anything was CloudTrail at all.
fn complete(reading: &Reading, files: &Files) -> bool {
    let strange = [
        FileKind::NotCloudTrail,
        FileKind::Empty,
        FileKind::Unreadable,
    ];
    let strange: u64 = strange.iter().map(|k| reading.summary.of_kind(*k)).sum();
    let nothing = strange == reading.summary.files && files.pruned() == 0;
    reading.complete() && files.unreachable().is_empty() && !nothing
}
