//! From where a question is answered: the case, or logs read for this one answer.

use crate::args::Context;
use crate::exit::Exit;
use crate::output::words::{counted, pasted};
use crate::reading::{self, Options, Progress, Reading, Remember};
use crate::store::{self, Looked, Original, Search};
use clap::Args;
use std::io::Write as _;
use std::path::PathBuf;
use unchain_case::Case;
use unchain_core::ledger::Ledger;
use unchain_source::{Files, Filter, Source};

/// The case or the logs to answer from.
#[derive(Clone, Debug, Args)]
pub(crate) struct Input {
    /// The case file that `unchain scan` wrote
    #[arg(long, value_name = "FILE", default_value = "unchain.case")]
    pub(crate) case: PathBuf,
    /// Read these logs instead of a case: files, folders, or `-`; may be repeated
    #[arg(long, value_name = "PATH", num_args = 1.., conflicts_with = "case")]
    pub(crate) source: Vec<PathBuf>,
}

/// A ledger to ask.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// What was read.
    pub(crate) ledger: Ledger,
    /// Whether all of it could be read.
    pub(crate) exit: Exit,
}

impl Input {
    /// The options with which another command asks the same.
    pub(crate) fn again(&self) -> String {
        let shown =
            |path: &PathBuf| pasted(&path.to_string_lossy()).unwrap_or_else(|| "…".to_owned());
        let sources = self
            .source
            .iter()
            .map(|path| format!(" --source {}", shown(path)));
        let case = (self.case.as_os_str() != "unchain.case" && self.source.is_empty())
            .then(|| format!(" --case {}", shown(&self.case)));
        sources.chain(case).collect()
    }

    /// Loads what is needed to trace a pivot; everything if the case does not know it, so that what is
    /// spelled alike can be suggested.
    pub(crate) fn load_around(&self, context: &Context<'_>, pivot: &str) -> anyhow::Result<Loaded> {
        if !self.source.is_empty() {
            return self.load(context);
        }
        let case = Case::open_existing(&self.case)?;
        let ledger = match case.load_around(pivot)? {
            Some(ledger) => ledger,
            None => case.load()?,
        };
        from_case(&case, ledger)
    }

    /// The files to read again: those of the logs, or those that the case finds.
    pub(crate) fn original(&self, searches: &[Search], filter: Filter) -> anyhow::Result<Original> {
        if self.source.is_empty() {
            return store::original(&Case::open_existing(&self.case)?, searches, filter);
        }
        let files = self.again_from_logs(filter)?;
        Ok(Original {
            complete: files.unreachable().is_empty(),
            files,
        })
    }

    /// The same without a word on standard error: what is not as it was is in the answer.
    pub(crate) fn look(&self, searches: &[Search], filter: Filter) -> anyhow::Result<Looked> {
        if self.source.is_empty() {
            return store::look(&Case::open_existing(&self.case)?, searches, filter);
        }
        Ok(Looked {
            files: Some(self.again_from_logs(filter)?),
            gone: Vec::new(),
            changed: Vec::new(),
        })
    }

    fn again_from_logs(&self, filter: Filter) -> anyhow::Result<Files> {
        if self.source.iter().any(|path| path.as_os_str() == "-") {
            anyhow::bail!(
                "standard input cannot be read a second time; write it to a file and name that with `--source`"
            );
        }
        Ok(Files::discover(&self.source, filter)?)
    }

    /// Loads everything.
    pub(crate) fn load(&self, context: &Context<'_>) -> anyhow::Result<Loaded> {
        if self.source.is_empty() {
            let case = Case::open_existing(&self.case)?;
            let ledger = case.load()?;
            return from_case(&case, ledger);
        }
        let mut files = Files::discover(&self.source, Filter::default())?;
        let progress = progress(&files, context.watched);
        let options = Options {
            threads: None,
            seed: context.seed,
            remember: Remember::None,
        };
        let reading = reading::read(&mut files, &options, &progress)?;
        progress.finish();
        let complete = reading.complete() && files.unreachable().is_empty();
        if !complete {
            warn(&reading, &files);
        }
        Ok(Loaded {
            ledger: reading.ledger,
            exit: Exit::complete(complete),
        })
    }
}

/// An answer from a case is as complete as what the case was made from.
fn from_case(case: &Case, ledger: Ledger) -> anyhow::Result<Loaded> {
    let info = case.info()?;
    let refused = info.read.saturating_sub(info.parsed);
    let complete = refused == 0 && info.damaged == 0;
    if !complete {
        say_incomplete(
            refused,
            info.damaged,
            "look at the files in `v_files` of the case",
        );
    }
    Ok(Loaded {
        ledger,
        exit: Exit::complete(complete),
    })
}

/// A bar where somebody watches.
pub(crate) fn progress(files: &Files, watched: bool) -> Progress {
    if !watched {
        return Progress::hidden();
    }
    Progress::shown(files.units().iter().map(|unit| unit.size()).sum())
}

/// Says what could not be read.
fn warn(reading: &Reading, files: &Files) {
    let refused = reading.summary.counts.refused.total();
    let lost = reading.troubles + files.unreachable().len() as u64;
    say_incomplete(refused, lost, "`unchain scan` on the same logs names them");
}

fn say_incomplete(refused: u64, troubled: u64, hint: &str) {
    // Where a warning cannot be written there is nobody to warn.
    let _ = writeln!(
        std::io::stderr(),
        "warning: the answer is incomplete: {} refused, {} with trouble\nhint: {hint}",
        counted(refused, "record"),
        counted(troubled, "file"),
    );
}
