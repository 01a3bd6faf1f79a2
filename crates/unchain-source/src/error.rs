//! What stops a scan before it starts. Trouble inside a file is not an error: it is counted in the
//! file's report.

use std::io;

/// A source that cannot be used at all. Names are escaped for a terminal.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The list of sources is empty.
    #[error("no source given; name a file or a folder, or `-` for standard input")]
    NoSource,
    /// Nothing is there.
    #[error(
        "`{name}` does not exist; check the spelling and the working folder, or use `-` for standard input"
    )]
    Missing {
        /// The source as it was given.
        name: String,
    },
    /// It is there, and the system refuses it.
    #[error("cannot open `{name}`; check its permissions")]
    Unreachable {
        /// The source as it was given.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// A bucket or an API, which this crate does not reach.
    #[error(
        "`{name}` is not on this machine; copy it first, for example with `aws s3 sync`, and name the folder"
    )]
    Remote {
        /// The source as it was given.
        name: String,
    },
    /// Standard input is gone once it has been read.
    #[error(
        "`{name}` cannot be read a second time; scan a file instead of standard input to look at records later"
    )]
    NotRepeatable {
        /// The unit's name.
        name: String,
    },
}
