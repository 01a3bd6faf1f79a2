//! Reading sources into one ledger, on all cores. Each thread has its own reader and its own ledger;
//! ledgers are sets, so they are merged at the end and the answer does not depend on who read what.
//!
//! Must not print, and must not know commands.

mod identities;
mod progress;
mod shares;
mod spill;

pub(crate) use progress::Progress;
pub(crate) use shares::Shares;

use crate::store;
use identities::Identities;
use spill::SpillFile;
use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::Arc;
use unchain_core::digest::Digest;
use unchain_core::event::Event;
use unchain_core::ledger::Ledger;
use unchain_source::{
    FileKind, FileReport, Files, Position, ReadSummary, Reader, Sink, Source, Unit,
};

/// Files with trouble that are named; the others are counted.
const NAMED: usize = 20;

/// What a case wants to know about one file.
#[derive(Debug)]
pub(crate) struct FileRead {
    /// What became of it.
    pub(crate) report: FileReport,
    /// Its path, for standard input none.
    pub(crate) unit: Unit,
    /// When it was modified, in seconds since 1970.
    pub(crate) modified: Option<i64>,
    /// Sorted hashes of the access key ids and principal ids in it.
    pub(crate) keys: Vec<u32>,
}

/// Everything that was read.
#[derive(Debug)]
pub(crate) struct Reading {
    /// The events, settled.
    pub(crate) ledger: Ledger,
    /// The numbers of all files.
    pub(crate) summary: ReadSummary,
    /// The first files with damage, refused records or no CloudTrail in them, by name.
    pub(crate) troubled: BTreeMap<String, FileReport>,
    /// How many files had such trouble.
    pub(crate) troubles: u64,
    /// Every file, where a case will want them.
    pub(crate) files: Vec<FileRead>,
}

/// How to read.
#[derive(Debug)]
pub(crate) struct Options {
    /// Threads; none for as many as the machine runs at once.
    pub(crate) threads: Option<NonZero<usize>>,
    /// Keys the hashes of the ledger.
    pub(crate) seed: u64,
    /// Whether [`Reading::files`] is wanted.
    pub(crate) remember: Remember,
}

/// Whether every file is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remember {
    /// With its keys.
    Each,
    /// Only counted.
    None,
}

impl Reading {
    fn new(seed: u64) -> Self {
        Self {
            ledger: Ledger::new(seed),
            summary: ReadSummary::default(),
            troubled: BTreeMap::new(),
            troubles: 0,
            files: Vec::new(),
        }
    }

    /// Whether every record of every file was understood.
    pub(crate) fn complete(&self) -> bool {
        self.summary.damaged == 0
            && self.summary.of_kind(FileKind::Unreadable) == 0
            && self.summary.counts.refused.total() == 0
    }

    fn add(&mut self, report: &FileReport) {
        self.summary.add(report);
        let strange = matches!(report.kind, FileKind::NotCloudTrail | FileKind::Unreadable);
        if report.damage.is_none() && !strange && report.counts.refused.total() == 0 {
            return;
        }
        self.troubles += 1;
        self.troubled.insert(report.name.clone(), report.clone());
        self.forget_most();
    }

    /// The first by name stay, so that the answer does not depend on the threads.
    fn forget_most(&mut self) {
        while self.troubled.len() > NAMED {
            self.troubled.pop_last();
        }
    }

    fn merge(&mut self, other: Self) {
        self.ledger.merge(other.ledger);
        self.summary.merge(&other.summary);
        self.troubles += other.troubles;
        self.troubled.extend(other.troubled);
        self.forget_most();
        self.files.extend(other.files);
    }
}

/// Reads all files, which are forgotten then.
///
/// # Errors
///
/// As [`unite`].
pub(crate) fn read(
    files: &mut Files,
    options: &Options,
    progress: &Progress,
) -> anyhow::Result<Reading> {
    let readings = read_apart(files, options, progress);
    files.forget_units();
    unite(readings)
}

/// Reads all files on as many threads as the options say. Each gives what it read, at least one.
pub(crate) fn read_apart(files: &Files, options: &Options, progress: &Progress) -> Vec<Reading> {
    let available = std::thread::available_parallelism().map_or(1, NonZero::get);
    let threads = options.threads.map_or(available, NonZero::get);
    let threads = threads.clamp(1, files.units().len().max(1));
    let shares = Shares::new(files.units().len(), threads);
    let spill = Arc::new(SpillFile::default());
    let work = |worker| {
        let mut reading = Reading::new(options.seed);
        reading.ledger.set_spill(spill.clone());
        read_share(files, (options, reading), (&shares, worker), progress)
    };
    on_threads((0..threads).collect(), work)
}

/// Takes the files that a case will want, in order.
pub(crate) fn take_files(readings: &mut [Reading]) -> Vec<FileRead> {
    let files = readings
        .iter_mut()
        .flat_map(|reading| reading.files.drain(..));
    let mut files: Vec<FileRead> = files.collect();
    files.sort_unstable_by(|a, b| a.report.name.cmp(&b.report.name));
    files
}

/// What several threads read as one, settled.
///
/// # Errors
///
/// What did not fit into the memory could not be read again from where it was put.
pub(crate) fn unite(mut readings: Vec<Reading>) -> anyhow::Result<Reading> {
    while readings.len() > 1 {
        let mut pairs = Vec::new();
        let mut rest = readings.into_iter();
        while let Some(one) = rest.next() {
            pairs.push((one, rest.next()));
        }
        readings = on_threads(pairs, |(mut one, other)| {
            if let Some(other) = other {
                one.merge(other);
            }
            one
        });
    }
    let mut reading = readings
        .pop()
        .unwrap_or_else(|| Reading::new(unchain_core::ledger::NO_SEED));
    reading.ledger.finish();
    if reading.ledger.has_lost() {
        anyhow::bail!("a temporary file cannot be read again; set TMPDIR to another disk");
    }
    Ok(reading)
}

/// Runs `work` on every item, each on its own thread but the first, which stays here.
pub(crate) fn on_threads<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    std::thread::scope(|scope| {
        let work = &work;
        let mut items = items.into_iter();
        let first = items.next();
        let others: Vec<_> = items.map(|item| scope.spawn(move || work(item))).collect();
        let mut results: Vec<R> = first.map(work).into_iter().collect();
        for other in others {
            match other.join() {
                Ok(result) => results.push(result),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        results
    })
}

fn read_share(
    files: &Files,
    (options, mut reading): (&Options, Reading),
    (shares, worker): (&Shares, usize),
    progress: &Progress,
) -> Reading {
    let mut reader = match options.remember {
        Remember::None => Reader::default(),
        Remember::Each => Reader::default().with_times(),
    };
    let mut identities = Identities::new();
    while let Some(unit) = shares.next(worker).and_then(|n| files.units().get(n)) {
        let report = match options.remember {
            Remember::None => {
                let mut sink = ToLedger(&mut reading.ledger);
                files.read(&unit, &mut reader, &mut sink)
            }
            Remember::Each => {
                let mut sink = WithKeys {
                    ledger: &mut reading.ledger,
                    identities: &mut identities,
                };
                files.read(&unit, &mut reader, &mut sink)
            }
        };
        progress.file(report.bytes_on_disk, report.counts.parsed);
        reading.add(&report);
        if options.remember == Remember::Each {
            // A file whose name alone told what it is was not opened.
            let asked = || store::modified(unit.path().as_deref());
            reading.files.push(FileRead {
                modified: report.modified.or_else(asked),
                report,
                unit,
                keys: identities.take(),
            });
        }
    }
    reading.ledger.rest();
    reading
}

struct ToLedger<'r>(&'r mut Ledger);

impl Sink for ToLedger<'_> {
    fn event(&mut self, event: &Event<'_>, _: Position) {
        self.0.apply(event);
    }

    fn digest(&mut self, digest: &Digest<String>) {
        self.0.add_digest(digest);
    }
}

struct WithKeys<'r> {
    ledger: &'r mut Ledger,
    identities: &'r mut Identities,
}

impl Sink for WithKeys<'_> {
    fn event(&mut self, event: &Event<'_>, _: Position) {
        self.ledger.apply(event);
        self.identities.see(event);
    }

    fn digest(&mut self, digest: &Digest<String>) {
        self.ledger.add_digest(digest);
    }
}
