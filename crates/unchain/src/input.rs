//! From where a question is answered: the case, or logs read for this one answer.

use crate::args::Context;
use crate::exit::Exit;
use crate::output::words::{clipped, counted, pasted};
use crate::reading::{self, Options, Progress, Reading, Remember};
use clap::Args;
use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::PathBuf;
use unchain_core::ledger::Ledger;
use unchain_source::{Files, Filter, Source};

/// The case or the logs to answer from.
#[derive(Debug, Args)]
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

    /// Loads what is needed to trace a pivot.
    pub(crate) fn load_around(&self, context: &Context<'_>, pivot: &str) -> anyhow::Result<Loaded> {
        let _ = pivot;
        self.load(context)
    }

    /// The files to read again: those of the logs, or those in which the case met any of `names`.
    pub(crate) fn original(
        &self,
        names: &BTreeSet<&str>,
        filter: Filter,
    ) -> anyhow::Result<Original> {
        let _ = names;
        let files = Files::discover(&self.source, filter)?;
        Ok(Original {
            complete: files.unreachable().is_empty(),
            files,
        })
    }

    /// Loads everything.
    pub(crate) fn load(&self, context: &Context<'_>) -> anyhow::Result<Loaded> {
        if self.source.is_empty() {
            anyhow::bail!(
                "no case at `{}`; run `unchain scan <SOURCE>` first, or name logs with `--source`",
                self.case.display()
            );
        }
        let files = Files::discover(&self.source, Filter::default())?;
        let progress = progress(&files, context.watched);
        let options = Options {
            threads: None,
            seed: context.seed,
            remember: Remember::None,
        };
        let reading = reading::read(&files, &options, &progress);
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

/// The files that a ledger came from.
#[derive(Debug)]
pub(crate) struct Original {
    /// What is still there.
    pub(crate) files: Files,
    /// Whether everything is still there, and as it was.
    pub(crate) complete: bool,
}

/// A bar where somebody watches.
pub(crate) fn progress(files: &Files, watched: bool) -> Progress {
    if !watched {
        return Progress::hidden();
    }
    Progress::shown(files.units().iter().map(unchain_source::Unit::size).sum())
}

/// One line on standard error for what could not be read.
fn warn(reading: &Reading, files: &Files) {
    let mut err = std::io::stderr().lock();
    let refused = reading.summary.counts.refused.total();
    let lost = reading.troubles + files.unreachable().len() as u64;
    let first = reading.troubled.keys().next();
    let first = first.map(|name| format!(", first `{}`", clipped(name)));
    // Where a warning cannot be written there is nobody to warn.
    let _ = writeln!(
        err,
        "warning: the answer is incomplete: {} refused, {} with trouble{}\nhint: `unchain scan` names them",
        counted(refused, "record"),
        counted(lost, "file"),
        first.unwrap_or_default(),
    );
}
