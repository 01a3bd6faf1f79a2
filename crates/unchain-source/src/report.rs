//! What became of one file, and of all of them together.

use crate::counts::Counts;
use std::fmt;
use std::io;

/// What a file turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileKind {
    /// Records of calls, at least one or an empty list of them.
    Records,
    /// A digest of log files.
    Digest,
    /// Insight records only.
    Insight,
    /// Aggregated records only.
    Aggregated,
    /// Messages that announce log files.
    Notification,
    /// Nothing in it is CloudTrail.
    NotCloudTrail,
    /// No bytes, or only white space.
    Empty,
    /// It could not be opened, or gave nothing.
    Unreadable,
}

impl FileKind {
    /// All kinds with their stable names.
    pub const ALL: [(Self, &'static str); 8] = [
        (Self::Records, "records"),
        (Self::Digest, "digest"),
        (Self::Insight, "insight"),
        (Self::Aggregated, "aggregated"),
        (Self::Notification, "notification"),
        (Self::NotCloudTrail, "not_cloudtrail"),
        (Self::Empty, "empty"),
        (Self::Unreadable, "unreadable"),
    ];

    /// A stable name for machine output.
    pub fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(kind, _)| *kind == self)
            .map_or("", |(_, name)| name)
    }
}

/// How a file was packed; the outermost layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Compression {
    /// Not at all.
    #[default]
    Plain,
    /// gzip, RFC 1952.
    Gzip,
    /// Zstandard, RFC 8878.
    Zstd,
}

impl Compression {
    /// A stable name for machine output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

/// What was wrong with a file as a whole. What came before the damage was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// The packed data ends in the middle.
    PackedTruncated,
    /// The packed data breaks off because it is not valid.
    PackedCorrupt,
    /// The data unpacked, and its checksum or length is wrong.
    BadChecksum,
    /// Bytes that belong to nothing follow the packed data.
    TrailingBytes,
    /// It unpacks to more than the limits allow.
    TooLarge,
    /// It is packed more often than the reader unpacks.
    TooManyLayers,
    /// The JSON ends inside a list or a record.
    EndsEarly,
    /// Reading failed.
    Failed(io::ErrorKind),
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PackedTruncated => {
                f.write_str("the compressed data is cut off; fetch the file again")
            }
            Self::PackedCorrupt => {
                f.write_str("the compressed data is corrupt; fetch the file again")
            }
            Self::BadChecksum => {
                f.write_str("the checksum is wrong; fetch the file again or validate its digest")
            }
            Self::TrailingBytes => f.write_str("unknown bytes follow the compressed data"),
            Self::TooLarge => {
                f.write_str("it unpacks to more than the limit; the rest was not read")
            }
            Self::TooManyLayers => f.write_str("it is compressed more than twice; unpack it first"),
            Self::EndsEarly => f.write_str("the text ends too early; fetch the file again"),
            Self::Failed(kind) => write!(f, "reading failed: {kind}"),
        }
    }
}

impl std::error::Error for Damage {}

/// What became of one file.
#[derive(Clone, Debug)]
pub struct FileReport {
    /// The unit's name: a path or `-`. From outside, so escape it before showing it.
    pub name: String,
    /// Bytes as stored; 0 where the size is not known before reading.
    pub bytes_on_disk: u64,
    /// Bytes after unpacking, as far as they were read.
    pub bytes: u64,
    /// What it turned out to be.
    pub kind: FileKind,
    /// How it was packed.
    pub compression: Compression,
    /// When it was modified last, in seconds since 1970, where the reader was asked ([`crate::Reader::with_times`])
    /// and the file was opened.
    pub modified: Option<i64>,
    /// Its records.
    pub counts: Counts,
    /// What was wrong with it as a whole; the first trouble met.
    pub damage: Option<Damage>,
}

impl FileReport {
    pub(crate) fn new(name: String, bytes_on_disk: u64) -> Self {
        Self {
            name,
            bytes_on_disk,
            bytes: 0,
            kind: FileKind::Unreadable,
            compression: Compression::Plain,
            modified: None,
            counts: Counts::default(),
            damage: None,
        }
    }

    /// Whether `read = parsed + refused`.
    pub fn reconciles(&self) -> bool {
        self.counts.reconciles()
    }
}

/// All files together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadSummary {
    /// Files read, of every kind.
    pub files: u64,
    /// Files per kind, in the order of [`FileKind::ALL`].
    kinds: [u64; FileKind::ALL.len()],
    /// Files with damage.
    pub damaged: u64,
    /// Bytes as stored.
    pub bytes_on_disk: u64,
    /// Bytes after unpacking.
    pub bytes: u64,
    /// Records of all files.
    pub counts: Counts,
}

impl ReadSummary {
    /// Adds one file.
    pub fn add(&mut self, report: &FileReport) {
        debug_assert!(report.reconciles(), "read = parsed + refused: {report:?}");
        self.files += 1;
        for (slot, (kind, _)) in self.kinds.iter_mut().zip(FileKind::ALL) {
            *slot += u64::from(kind == report.kind);
        }
        self.damaged += u64::from(report.damage.is_some());
        self.bytes_on_disk += report.bytes_on_disk;
        self.bytes += report.bytes;
        self.counts.merge(&report.counts);
    }

    /// Adds the files of another summary.
    pub fn merge(&mut self, other: &Self) {
        self.files += other.files;
        for (slot, count) in self.kinds.iter_mut().zip(other.kinds) {
            *slot += count;
        }
        self.damaged += other.damaged;
        self.bytes_on_disk += other.bytes_on_disk;
        self.bytes += other.bytes;
        self.counts.merge(&other.counts);
    }

    /// How many files were of this kind.
    pub fn of_kind(&self, kind: FileKind) -> u64 {
        FileKind::ALL
            .iter()
            .zip(self.kinds)
            .find(|((k, _), _)| *k == kind)
            .map_or(0, |(_, count)| count)
    }

    /// Whether `read = parsed + refused`.
    pub fn reconciles(&self) -> bool {
        self.counts.reconciles()
    }
}
