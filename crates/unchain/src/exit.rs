//! The exit codes: a promise to scripts. Must not know what any command does.

use std::process::ExitCode;

/// Done; nothing was found, and the input was read completely.
pub(crate) const CLEAN: u8 = 0;
/// Done, with findings as bad as `--fail-on` says, or worse.
pub(crate) const FINDINGS: u8 = 1;
/// An error, or the input was incomplete: a file was damaged or could not be read, a record was
/// refused, nothing matches the pivot. What could be answered was answered.
pub(crate) const INCOMPLETE: u8 = 2;

/// The codes as help shows them.
pub(crate) const HELP: &str = "Exit codes:
  0  done, nothing found
  1  done, with findings as bad as --fail-on says, or worse
  2  an error, or incomplete input: a file was damaged or unreadable, a record
     was refused; what could be answered was answered";

/// A command's examples with the exit codes below.
pub(crate) fn after(examples: &str) -> String {
    format!(
        "{examples}\n\nExit codes: 0 done, 1 findings, 2 an error or incomplete input;\n`unchain --help` has more."
    )
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// See [`CLEAN`].
    Clean,
    /// See [`FINDINGS`].
    Findings,
    /// See [`INCOMPLETE`].
    Incomplete,
}

impl Exit {
    /// Clean, or incomplete.
    pub(crate) fn complete(complete: bool) -> Self {
        if complete {
            Self::Clean
        } else {
            Self::Incomplete
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Clean => CLEAN,
            Exit::Findings => FINDINGS,
            Exit::Incomplete => INCOMPLETE,
        })
    }
}
