//! Containment in an emulator of AWS that nobody here wrote: MiniStack, from PyPI.
//!
//! A theft is played there, the program contains it, and the emulator says what each stolen credential still opens.
//! Must not know how a plan is made: the emulator judges.

mod contain;
mod emulator;
mod evict;
mod matrix;
mod program;
mod suite;
mod trail;

use anyhow::{Context, Result, anyhow};
use emulator::{Emulator, Peer};
use program::Program;
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::Path;
use suite::Suite;
use trail::Log;

/// In the version that the checks were written against.
const PACKAGE: &str = "ministack==1.5.33";

/// Plays the theft twice, each time in an emulator of its own: it is contained and all is taken back; it is evicted and
/// what it left is deleted. Both at once, as most of the time goes by in waiting.
pub(crate) fn run(out: &mut dyn Write) -> Result<()> {
    let folder = crate::workspace().join("target/ministack");
    let Some(bin) = crate::python::installed(&folder.join("python"), PACKAGE, out)? else {
        return Ok(());
    };
    let program = crate::built()?;
    let pass = |name: &str, pass: fn(&mut Suite<'_>) -> Result<()>| {
        let work = folder.join(name);
        let told = played((&program, &bin), &work, pass);
        told.with_context(|| format!("{name}, in {}", work.display()))
    };
    let (contain, evict) = std::thread::scope(|scope| {
        let evict = scope.spawn(|| pass("evict", |suite| suite.evicted()));
        let contain = pass("contain", |suite| suite.contained());
        (contain, evict.join())
    });
    let evict = evict.map_err(|_| anyhow!("the pass that evicts broke off"))?;
    for (name, told) in [("CONTAIN", contain?), ("EVICT", evict?)] {
        writeln!(out, "{name}")?;
        for line in told {
            writeln!(out, "  {line}")?;
        }
    }
    Ok(())
}

/// One pass in a folder of its own; what it found.
fn played(
    (program, bin): (&Path, &Path),
    work: &Path,
    pass: fn(&mut Suite<'_>) -> Result<()>,
) -> Result<Vec<String>> {
    if work.exists() {
        fs::remove_dir_all(work)?;
    }
    fs::create_dir_all(work)?;
    let emulator = Emulator::start(bin, work)?;
    let peer = Peer::start(bin, &emulator)?;
    let program = Program {
        path: program,
        folder: work,
        emulator: &emulator,
    };
    let log = Log::new(work.join("logs"))?;
    let told = Vec::new();
    let mut suite = Suite {
        program,
        peer,
        log,
        told,
    };
    pass(&mut suite)?;
    Ok(suite.told)
}

/// What is at a place of an answer, by its JSON pointer.
fn at<'v>(answer: &'v Value, place: &str) -> Result<&'v Value> {
    let found = answer.pointer(place);
    found.with_context(|| format!("no {place} in {answer:#}"))
}

/// The text at a place of an answer.
fn text<'v>(answer: &'v Value, place: &str) -> Result<&'v str> {
    let found = at(answer, place)?.as_str();
    found.with_context(|| format!("{place} is no text in {answer:#}"))
}

/// The items at a place of an answer.
fn items<'v>(answer: &'v Value, place: &str) -> Result<&'v [Value]> {
    let found = at(answer, place)?.as_array();
    Ok(found.with_context(|| format!("{place} is no list in {answer:#}"))?)
}
