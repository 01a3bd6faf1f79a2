//! The program: arguments, wiring, printing, exit codes.
//!
//! Data goes to standard output, words to standard error. The clock and the system's randomness are
//! read here and nowhere else. Must not hold logic that another crate could.

mod args;
mod case;
mod contain;
mod edges;
mod events;
mod exit;
mod export;
mod findings;
mod input;
mod judge;
mod lab;
mod manual;
mod output;
mod queries;
mod reading;
mod records;
mod report;
mod scan;
mod serve;
mod sigma;
mod store;
mod tokens;
mod trace;
mod when;

use args::{Cli, Context};
use clap::Parser;
use exit::Exit;
use std::hash::BuildHasher;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use unchain_core::text::terminal;
use unchain_core::time::Timestamp;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let mut out = io::BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let mut context = Context {
        out: &mut out,
        now: Timestamp::from_seconds(jiff::Timestamp::now().as_second()),
        seed: std::hash::RandomState::new().hash_one(0),
        width: width(),
        watched: io::stderr().is_terminal(),
    };
    let result = cli.command.run(&mut context);
    let flushed = out.flush().map_err(anyhow::Error::from);
    match result.and_then(|exit| flushed.map(|()| exit)) {
        Ok(exit) => exit.into(),
        // `| head` has read enough.
        Err(error) if is_closed_pipe(&error) => Exit::Clean.into(),
        Err(error) => {
            explain(&error);
            Exit::Incomplete.into()
        }
    }
}

/// Help goes to standard output and is no error; anything else that clap says is one.
fn usage(error: &clap::Error) -> ExitCode {
    // Where its own message cannot be written there is nobody to tell.
    let _ = error.print();
    Exit::complete(!error.use_stderr()).into()
}

/// The columns to fill: those of the terminal, those that COLUMNS says, or 80.
fn width() -> usize {
    let said = std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok());
    let terminal = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    said.or_else(|| terminal().filter(|_| io::stdout().is_terminal()))
        .unwrap_or(80)
        .clamp(60, 240)
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Prints the whole chain of causes.
fn explain(error: &anyhow::Error) {
    let mut err = io::stderr().lock();
    for line in explained(error) {
        // Where the message cannot be written there is nobody to tell.
        let _ = writeln!(err, "{line}");
    }
}

/// The whole chain of causes, line by line. What comes after `; ` in the first message is what to do next.
pub(crate) fn explained(error: &anyhow::Error) -> Vec<String> {
    let texts: Vec<String> = error.chain().map(ToString::to_string).collect();
    let (first, causes) = texts.split_first().map_or(("", &[][..]), |(f, c)| (f, c));
    let (what, hint) = first
        .rsplit_once("; ")
        .map_or((first, None), |(what, hint)| (what, Some(hint)));
    let mut lines = vec![format!("error: {}", terminal(what))];
    lines.extend(
        causes
            .iter()
            .map(|cause| format!("  because: {}", terminal(cause))),
    );
    lines.extend(hint.map(|hint| format!("hint: {}", terminal(hint))));
    lines
}
