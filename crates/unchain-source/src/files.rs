//! The source of local files: what the program calls.

use crate::counts::OtherRecords;
use crate::discover::{Unit, Unreachable, discover};
use crate::error::SourceError;
use crate::filter::Filter;
use crate::layout::{Layout, Tree};
use crate::reader::Reader;
use crate::report::{FileKind, FileReport};
use crate::secret::strike_out;
use crate::tally::{Raw, Take};
use crate::units::Units;
use serde_json::Value;
use std::ffi::OsStr;
use std::ops::ControlFlow;
use unchain_core::digest::Digest;
use unchain_core::event::Event;
use unchain_core::json::Node;

/// Where a record stands in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The ordinal of the record, from 0. Refused and filtered records count too, so that it is the
    /// same whatever the filter.
    pub record: u64,
}

/// Receives the records of a file, in the order of the file.
pub trait Sink {
    /// One record that was understood and kept.
    fn event(&mut self, event: &Event<'_>, at: Position);

    /// The same with the whole record, for whoever needs members that an [`Event`] has not. A session token
    /// stands in it in clear: what is shown of it goes through [`crate::strike_out`].
    fn record(&mut self, event: &Event<'_>, record: Node<'_>, at: Position) {
        let _ = record;
        self.event(event, at);
    }

    /// A digest of log files, if it can be placed in its chain and no filter is set.
    fn digest(&mut self, digest: &Digest<String>) {
        let _ = digest;
    }
}

impl<F: FnMut(&Event<'_>, Position)> Sink for F {
    fn event(&mut self, event: &Event<'_>, at: Position) {
        self(event, at);
    }
}

/// A place that gives records. Units may be read in any order and on several threads, each with its
/// own [`Reader`].
pub trait Source {
    /// Everything there is to read.
    fn units(&self) -> &Units;
    /// Reads one unit. What is wrong with it is in the report.
    fn read(&self, unit: &Unit, reader: &mut Reader, sink: &mut dyn Sink) -> FileReport;
}

/// Local files and standard input, as far as a filter wants them.
#[derive(Debug)]
pub struct Files {
    units: Units,
    unreachable: Vec<Unreachable>,
    pruned: u64,
    filter: Filter,
}

impl Files {
    /// Lists the files behind `sources` (files, folders, `-`) that may hold something `filter` keeps.
    ///
    /// # Errors
    /// A source does not exist or cannot be opened at all. Trouble inside a folder is not an error; see
    /// [`Files::unreachable`].
    pub fn discover<S: AsRef<OsStr>>(sources: &[S], filter: Filter) -> Result<Self, SourceError> {
        let mut found = discover(sources)?;
        let all = found.units.len();
        if !filter.is_empty() {
            let out = |layout: Layout| filter.rules_out(&layout);
            found.units.retain(|unit| !unit.layout().is_some_and(out));
        }
        let pruned = u64::try_from(all - found.units.len()).unwrap_or(u64::MAX);
        Ok(Self {
            units: found.units,
            unreachable: found.unreachable,
            pruned,
            filter,
        })
    }

    /// Forgets which files there are, for whoever has read them all: what comes after needs the memory.
    pub fn forget_units(&mut self) {
        self.units = Units::default();
    }

    /// Places inside the named folders that could not be listed.
    pub fn unreachable(&self) -> &[Unreachable] {
        &self.unreachable
    }

    /// How many files the filter left out by their paths, unopened.
    pub fn pruned(&self) -> u64 {
        self.pruned
    }
}

impl Source for Files {
    fn units(&self) -> &Units {
        &self.units
    }

    fn read(&self, unit: &Unit, reader: &mut Reader, sink: &mut dyn Sink) -> FileReport {
        let named = sibling(unit);
        let is_digest = |report: &FileReport| report.kind == FileKind::Digest;
        let wanted = |report: &FileReport| is_digest(report) && self.filter.is_empty();
        if let Some(report) = named.as_ref().filter(|report| !wanted(report)) {
            return report.clone();
        }
        let read = reader.unit(unit, &self.filter, &mut ToSink(sink));
        match named {
            Some(named) if read.counts.read == 0 && !is_digest(&read) => named,
            _ => read,
        }
    }
}

/// Hands the raw records at `ordinals` to `take`, every session token struck out. Ordinals that the
/// unit does not have, or whose record is not understood, are left out.
///
/// # Errors
/// The unit is standard input.
pub fn record_at(
    unit: &Unit,
    reader: &mut Reader,
    ordinals: &[u64],
    take: &mut dyn FnMut(u64, Value),
) -> Result<FileReport, SourceError> {
    if unit.path().is_none() {
        return Err(SourceError::NotRepeatable { name: unit.name() });
    }
    let mut wanted = ordinals.to_vec();
    wanted.sort_unstable();
    wanted.dedup();
    let mut pick = Pick {
        wanted: wanted.into_iter().peekable(),
        take,
    };
    Ok(reader.unit(unit, &Filter::default(), &mut pick))
}

/// A file that both its folder and its name put into a tree without records: it need not be opened to be
/// counted, as one is as costly to open as an hour's log.
fn sibling(unit: &Unit) -> Option<FileReport> {
    // Nearly all files have the name of a log, and no folder makes anything else of them.
    let end = unit.end().as_encoded_bytes();
    let name = end.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    if name.split(|byte| *byte == b'_').nth(1) == Some(b"CloudTrail") {
        return None;
    }
    let layout = unit.layout().filter(|layout| layout.sure)?;
    let mut report = FileReport::new(unit.name(), unit.size());
    let other = &mut report.counts.other;
    report.kind = match layout.tree {
        Tree::Logs | Tree::NetworkActivity => return None,
        Tree::Digest => {
            *other = OtherRecords {
                digests: 1,
                ..OtherRecords::default()
            };
            FileKind::Digest
        }
        Tree::Insight => FileKind::Insight,
        Tree::Aggregated => FileKind::Aggregated,
    };
    Some(report)
}

/// Passes records on to a [`Sink`].
pub(crate) struct ToSink<'s>(pub(crate) &'s mut dyn Sink);

impl Take for ToSink<'_> {
    #[inline]
    fn take(&mut self, event: &Event<'_>, raw: Raw<'_>, record: u64) -> ControlFlow<()> {
        let whole = match raw {
            Raw::Text(text) => Node::Text(text),
            Raw::Value(value) => Node::Value(value),
        };
        self.0.record(event, whole, Position { record });
        ControlFlow::Continue(())
    }

    fn digest(&mut self, digest: &Digest<String>) {
        self.0.digest(digest);
    }
}

/// Picks raw records out by their ordinals, which rise.
struct Pick<'t, I: Iterator<Item = u64>> {
    wanted: std::iter::Peekable<I>,
    take: &'t mut dyn FnMut(u64, Value),
}

impl<I: Iterator<Item = u64>> Take for Pick<'_, I> {
    fn take(&mut self, _: &Event<'_>, raw: Raw<'_>, record: u64) -> ControlFlow<()> {
        while self.wanted.next_if(|wanted| *wanted < record).is_some() {}
        if self.wanted.next_if_eq(&record).is_some() {
            let mut value = match raw {
                Raw::Text(text) => serde_json::from_str(text).unwrap_or_default(),
                Raw::Value(value) => value.clone(),
            };
            strike_out(&mut value);
            (self.take)(record, value);
        }
        if self.wanted.peek().is_none() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}
