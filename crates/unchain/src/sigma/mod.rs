//! Sigma rules over logs that were read once already: a second pass over the same files, on all cores, with the
//! lineage that the first gave. Hits are sets, so it does not matter who read what.
//!
//! Must not print, and must not know commands.

mod view;

pub(crate) use view::{CorrelationView, CredentialHits, RuleHits, RuleView, SigmaView};

use crate::reading::{Shares, on_threads};
use std::collections::HashMap;
use std::num::NonZero;
use unchain_core::event::Event;
use unchain_core::json::Node;
use unchain_core::ledger::Finder;
use unchain_core::lineage::Lineage;
use unchain_core::report::{Ancestry, Report};
use unchain_core::time::Timestamp;
use unchain_sigma::{Enrichment, Evaluator, Hits, Rules, Tally};
use unchain_source::{Files, Position, Reader, Sink, Source as _};

/// Ancestries that a thread remembers: a few megabytes of them.
const REMEMBERED: usize = 1 << 14;

/// What the rules found.
#[derive(Debug)]
pub(crate) struct SigmaResult {
    /// The hits.
    pub(crate) tally: Tally,
    /// Records that the rules were asked of. Fewer than were read the first time if a file has gone or changed.
    pub(crate) records: u64,
}

/// Asks the rules of every record; `unchain.alive` is that of `at`. Threads as in [`crate::reading`].
pub(crate) fn run(
    files: &Files,
    rules: &Rules,
    (lineage, at): (&Lineage<'_>, Timestamp),
    threads: Option<NonZero<usize>>,
) -> SigmaResult {
    let available = std::thread::available_parallelism().map_or(1, NonZero::get);
    let threads = threads.map_or(available, NonZero::get);
    let threads = threads.clamp(1, files.units().len().max(1));
    let shares = Shares::new(files.units().len(), threads);
    let work = |worker| {
        let report = Report::new(lineage, at);
        let mut asking = Asking::new(rules, &report);
        let mut reader = Reader::default();
        let mut records = 0;
        while let Some(unit) = shares.next(worker).and_then(|n| files.units().get(n)) {
            let counts = files.read(&unit, &mut reader, &mut asking).counts;
            records += counts.parsed - counts.filtered;
        }
        (asking.hits, records)
    };
    let mut hits = Hits::default();
    let mut records = 0;
    for (found, read) in on_threads((0..threads).collect(), work) {
        hits.merge(found);
        records += read;
    }
    SigmaResult {
        tally: hits.tally(rules),
        records,
    }
}

/// One thread's work.
struct Asking<'w, 'l> {
    evaluator: Evaluator<'w>,
    asks_lineage: bool,
    report: &'w Report<'w, 'l>,
    finder: Finder<'l>,
    known: HashMap<u32, Ancestry>,
    hits: Hits,
}

impl<'w, 'l> Asking<'w, 'l> {
    fn new(rules: &'w Rules, report: &'w Report<'w, 'l>) -> Self {
        Self {
            evaluator: Evaluator::new(rules),
            asks_lineage: rules.asks_lineage(),
            report,
            finder: Finder::new(report.lineage().ledger()),
            known: HashMap::new(),
            hits: Hits::default(),
        }
    }
}

impl Sink for Asking<'_, '_> {
    fn event(&mut self, _: &Event<'_>, _: Position) {}

    fn record(&mut self, event: &Event<'_>, record: Node<'_>, _: Position) {
        let (report, known) = (self.report, &mut self.known);
        let (finder, asks_lineage) = (&mut self.finder, self.asks_lineage);
        let ask = (event, record);
        // Written as the argument, or it would not be known that it is called once.
        self.evaluator.event(
            ask,
            move || {
                let caller = finder.caller(event);
                let node = caller.and_then(|caller| report.lineage().node_of_caller(caller));
                match node {
                    Some(number) if asks_lineage => remembered(number, report, known),
                    _ => Enrichment {
                        node,
                        ..Enrichment::default()
                    },
                }
            },
            &mut self.hits,
        );
    }
}

fn remembered<'k>(
    number: u32,
    report: &Report<'_, '_>,
    known: &'k mut HashMap<u32, Ancestry>,
) -> Enrichment<'k> {
    if known.len() >= REMEMBERED && !known.contains_key(&number) {
        known.clear();
    }
    let known = known.entry(number);
    enrichment(number, known.or_insert_with(|| report.ancestry(number)))
}

fn enrichment(node: u32, ancestry: &Ancestry) -> Enrichment<'_> {
    Enrichment {
        node: Some(node),
        root: Some(ancestry.root.raw()).filter(|root| !root.is_empty()),
        depth: Some(ancestry.depth),
        origin: ancestry.origin,
        alive: ancestry.alive,
        issued_by: ancestry.issued_by.as_ref().map(|text| text.raw()),
        mfa_device: ancestry.mfa_device.as_ref().map(|text| text.raw()),
    }
}
