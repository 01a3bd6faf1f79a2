//! Reads one unit: opens it, unpacks it in the cheapest way that is safe, and feeds the scanner.

use crate::discover::Unit;
use crate::files::{Sink, ToSink};
use crate::filter::Filter;
use crate::inflate;
use crate::limits::Limits;
use crate::open::Folder;
use crate::report::{Compression, Damage, FileKind, FileReport};
use crate::scanner::Scanner;
use crate::stream::{Counted, compression, damage, unpacked};
use crate::tally::{Take, Tally};
use crate::view::View;
use libdeflater::Decompressor;
use std::cell::Cell;
use std::fmt;
use std::fs::Metadata;
use std::io::{self, Read};
use std::rc::Rc;
use std::time::UNIX_EPOCH;
use unchain_core::record::Parser;

/// The buffers of one thread, used again for every file.
pub struct Reader {
    input: Vec<u8>,
    output: Vec<u8>,
    inflater: Decompressor,
    parser: Parser,
    limits: Limits,
    times: bool,
    folder: Folder,
}

impl Default for Reader {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl Reader {
    /// A reader that keeps to `limits`.
    pub fn new(limits: Limits) -> Self {
        Self {
            input: Vec::new(),
            output: Vec::new(),
            inflater: Decompressor::new(),
            parser: Parser::default(),
            limits,
            times: false,
            folder: Folder::default(),
        }
    }

    /// Asks every file when it was modified. An open file answers in a quarter of the time that its path takes.
    #[must_use]
    pub fn with_times(self) -> Self {
        Self {
            times: true,
            ..self
        }
    }

    /// Reads a unit and hands every record that `filter` keeps to `taker`.
    pub(crate) fn unit(
        &mut self,
        unit: &Unit,
        filter: &Filter,
        taker: &mut dyn Take,
    ) -> FileReport {
        let mut report = FileReport::new(unit.name(), 0);
        let Some(opened) = self.folder.file(unit) else {
            return self.any(&mut io::stdin().lock(), report, Tally::new(filter, taker));
        };
        match opened {
            Ok(mut file) => {
                if self.times {
                    report.modified = file.metadata().ok().as_ref().and_then(modified);
                }
                self.any(&mut file, report, Tally::new(filter, taker))
            }
            Err(error) => {
                report.damage = Some(Damage::Failed(error.kind()));
                report
            }
        }
    }

    /// Reads up to [`Limits::whole`] bytes into memory; if that is all, the fast ways are open.
    fn any(
        &mut self,
        source: &mut dyn Read,
        mut report: FileReport,
        mut tally: Tally<'_>,
    ) -> FileReport {
        let mut buffer = std::mem::take(&mut self.input);
        let (filled, failed) = read_up_to(source, &mut buffer, self.limits.whole + 1);
        let input = buffer.get(..filled).unwrap_or_default();
        let packed = compression(input);
        report.compression = packed;
        report.bytes_on_disk = size(input.len());
        let fits = input.len() <= self.limits.whole;
        if fits && packed == Compression::Plain {
            self.text(input, &mut report, &mut tally);
        } else if fits && packed == Compression::Gzip && self.gzip(input, &mut report, &mut tally) {
        } else if fits {
            self.stream(&mut { input }, &mut report, &mut tally);
        } else {
            self.stream(&mut input.chain(source), &mut report, &mut tally);
        }
        if let Some(error) = failed {
            tally.damaged(Damage::Failed(error.kind()));
        }
        self.input = buffer;
        finish(report, &tally)
    }

    /// A text that is in memory whole.
    fn text(&mut self, bytes: &[u8], report: &mut FileReport, tally: &mut Tally<'_>) {
        report.bytes = size(bytes.len());
        Scanner::new(self.limits, &mut self.parser).feed(&mut View::new(bytes, true), tally);
    }

    /// A sound gzip file of ordinary size; `false` if it is anything else, and nothing was counted.
    fn gzip(&mut self, packed: &[u8], report: &mut FileReport, tally: &mut Tally<'_>) -> bool {
        let mut output = std::mem::take(&mut self.output);
        let unpacked = inflate::whole(&mut self.inflater, packed, &mut output, self.limits.whole)
            .and_then(|length| output.get(..length))
            .filter(|bytes| compression(bytes) == Compression::Plain)
            .filter(|bytes| !self.limits.exceeded(size(packed.len()), size(bytes.len())));
        if let Some(bytes) = unpacked {
            self.text(bytes, report, tally);
        }
        let done = unpacked.is_some();
        self.output = output;
        done
    }

    /// Anything else, through a window.
    fn stream(&mut self, source: &mut dyn Read, report: &mut FileReport, tally: &mut Tally<'_>) {
        let packed = Rc::new(Cell::new(0u64));
        let (mut source, _) = unpacked(Counted::new(source, Rc::clone(&packed)));
        let mut scanner = Scanner::new(self.limits, &mut self.parser);
        let mut window = Window {
            bytes: &mut self.output,
            filled: 0,
            size: self.limits.window,
        };
        loop {
            let mut last = match window.fill(&mut source, &mut report.bytes) {
                Ok(last) => last,
                Err(error) => {
                    tally.damaged(damage(&error));
                    true
                }
            };
            if report.compression != Compression::Plain
                && self.limits.exceeded(packed.get(), report.bytes)
            {
                tally.damaged(Damage::TooLarge);
                last = true;
            }
            let done = scanner.feed(&mut View::new(window.filled(), last), tally);
            if last || tally.stopped {
                break;
            }
            if done == 0 && !window.grow(self.limits.record) {
                scanner.give_up(window.filled(), tally);
                window.filled = 0;
            }
            window.drain(done);
        }
        report.bytes_on_disk = report.bytes_on_disk.max(packed.get());
        self.output.truncate(self.limits.whole);
        self.output.shrink_to(self.limits.whole);
    }
}

/// Reads bytes that are in memory, as if they were a file of this name.
pub fn read_bytes(
    name: &str,
    bytes: &[u8],
    reader: &mut Reader,
    sink: &mut dyn Sink,
) -> FileReport {
    let mut taker = ToSink(sink);
    let filter = Filter::default();
    let report = FileReport::new(name.to_owned(), size(bytes.len()));
    reader.any(&mut { bytes }, report, Tally::new(&filter, &mut taker))
}

/// Reads at most `most` bytes into the start of a buffer that grows, and says how many and what failed. The
/// buffer keeps its length, so that it is cleared once and most files are read in one call.
fn read_up_to(
    source: &mut dyn Read,
    buffer: &mut Vec<u8>,
    most: usize,
) -> (usize, Option<io::Error>) {
    const FIRST: usize = 64 << 10;
    let mut filled = 0;
    loop {
        if filled == buffer.len() {
            buffer.resize((filled * 2).max(FIRST).min(most), 0);
        }
        let end = most.min(buffer.len());
        let Some(space) = buffer
            .get_mut(filled..end)
            .filter(|space| !space.is_empty())
        else {
            return (filled, None);
        };
        match source.read(space) {
            Ok(0) => return (filled, None),
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (filled, Some(error)),
        }
    }
}

/// When a file was modified last, in seconds since 1970; `None` where the place that holds it does not say.
pub fn modified(metadata: &Metadata) -> Option<i64> {
    let since = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok()
}

fn size(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// Decides what the file was.
fn finish(mut report: FileReport, tally: &Tally<'_>) -> FileReport {
    report.damage = tally.damage;
    report.counts = tally.counts;
    let other = report.counts.other;
    let recognised = tally.cloudtrail || report.counts.parsed > 0;
    report.kind = if report.counts.read > 0 && recognised {
        FileKind::Records
    } else if other.digests > 0 {
        FileKind::Digest
    } else if other.insights > 0 {
        FileKind::Insight
    } else if other.aggregated > 0 {
        FileKind::Aggregated
    } else if other.notifications > 0 {
        FileKind::Notification
    } else if recognised {
        FileKind::Records
    } else if !tally.anything && report.damage.is_some() {
        FileKind::Unreadable
    } else if !tally.anything {
        FileKind::Empty
    } else {
        // A picture or a table is no list of bad records.
        report.counts = crate::counts::Counts::default();
        FileKind::NotCloudTrail
    };
    debug_assert!(report.reconciles(), "read = parsed + refused: {report:?}");
    report
}

/// The part of a stream that is in memory.
struct Window<'a> {
    bytes: &'a mut Vec<u8>,
    filled: usize,
    size: usize,
}

impl Window<'_> {
    fn filled(&self) -> &[u8] {
        self.bytes.get(..self.filled).unwrap_or_default()
    }

    /// Reads until the window is full; `true` at the end of the stream.
    fn fill(&mut self, source: &mut dyn Read, total: &mut u64) -> io::Result<bool> {
        if self.bytes.len() < self.size {
            self.bytes.resize(self.size, 0);
        }
        while let Some(space) = self
            .bytes
            .get_mut(self.filled..self.size)
            .filter(|space| !space.is_empty())
        {
            match source.read(space) {
                Ok(0) => return Ok(true),
                Ok(count) => {
                    self.filled += count;
                    *total += size(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    /// Doubles the window, up to `most` bytes; `false` if it cannot grow.
    fn grow(&mut self, most: usize) -> bool {
        let larger = self.size.saturating_mul(2).min(most);
        let grown = larger > self.size;
        self.size = self.size.max(larger);
        grown
    }

    fn drain(&mut self, done: usize) {
        let done = done.min(self.filled);
        self.bytes.copy_within(done..self.filled, 0);
        self.filled -= done;
    }
}
