//! Bytes in: files, folders and standard input to CloudTrail records with their origin, and counts
//! of everything that was not a record.
//!
//! Must never: judge. What a record means is `unchain-core`'s business; here a record is found,
//! unwrapped, counted and handed on. `read = parsed + refused` holds for every file, whatever is in it.
//!
//! The order of the rooms: [`Files`] finds [`Unit`]s, a [`Reader`] unpacks one, the scanner walks its
//! text and calls the [`Sink`], and a [`FileReport`] says what happened.

mod boundary;
mod counts;
mod discover;
mod envelope;
mod error;
mod files;
mod filter;
mod inflate;
mod layout;
mod limits;
mod lists;
mod open;
mod parse;
mod reader;
mod repair;
mod report;
mod scanner;
mod secret;
mod stream;
mod tally;
mod units;
mod view;
mod zst;

pub use counts::{Counts, NoteCounts, OtherRecords, RefusalCounts};
pub use discover::{Unit, Unreachable};
pub use error::SourceError;
pub use files::{Files, Position, Sink, Source, record_at};
pub use filter::Filter;
pub use layout::{Layout, Tree};
pub use limits::Limits;
pub use reader::{Reader, modified, read_bytes};
pub use report::{Compression, Damage, FileKind, FileReport, ReadSummary};
pub use secret::{STRUCK_OUT, strike_out};
pub use units::Units;
