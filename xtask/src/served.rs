//! `unchain serve` on loopback, as others start it. Must not know what is asked.

use anyhow::{Context, Result};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The instant that the pages speak of: after the leaked key was made inactive, while what was made of it works.
pub(crate) const AT: &str = "2026-03-02T12:05:00Z";

/// A server, ended with the value.
pub(crate) struct Served {
    process: Child,
    /// As it was printed, with the token.
    pub(crate) entrance: String,
}

impl Served {
    /// Starts one on what options name, such as `--case` or `--source`, and waits for the address that it prints.
    pub(crate) fn start(program: &Path, options: &[(&str, &Path)]) -> Result<Self> {
        let process = Command::new(program)
            .args(["serve", "--listen", "127.0.0.1:0", "--at", AT])
            .args(
                options
                    .iter()
                    .flat_map(|(name, what)| [OsStr::new(name), what.as_os_str()]),
            )
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the server")?;
        let mut served = Self {
            process,
            entrance: String::new(),
        };
        let stdout = served.process.stdout.take().context("no output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        line.trim().clone_into(&mut served.entrance);
        served.split()?;
        Ok(served)
    }

    /// The address without a path, and the token.
    pub(crate) fn split(&self) -> Result<(&str, &str)> {
        let parts = self.entrance.split_once("/enter?token=");
        parts.context("the server printed no address")
    }

    /// Whether it is still there.
    pub(crate) fn runs(&mut self) -> Result<bool> {
        Ok(self.process.try_wait()?.is_none())
    }
}

impl Drop for Served {
    /// Whether it could be ended is of no use to anybody here.
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
