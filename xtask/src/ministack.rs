//! Containment in an emulator of AWS that nobody here wrote: MiniStack, from PyPI.
//!
//! A theft is played there, the program contains it, and the emulator says what each stolen credential still opens.
//! Must not know how a plan is made: the emulator judges.

mod emulator;
mod matrix;
mod program;
mod suite;
mod trail;

use anyhow::{Context, Result};
use emulator::{Emulator, Peer};
use program::Program;
use serde_json::Value;
use std::fs;
use std::io::Write;
use suite::Suite;
use trail::Log;

/// In the version that the checks were written against.
const PACKAGE: [&str; 1] = ["ministack==1.5.33"];

/// Plays the theft and contains it.
pub(crate) fn run(out: &mut dyn Write) -> Result<()> {
    let program = crate::built()?;
    let folder = crate::workspace().join("target/ministack");
    let bin = crate::python::environment(&folder.join("python"), &PACKAGE)?;
    let bin = bin.context("pip could not install MiniStack")?;
    let work = folder.join("work");
    if work.exists() {
        fs::remove_dir_all(&work)?;
    }
    fs::create_dir_all(&work)?;
    let emulator = Emulator::start(&bin, &work)?;
    let peer = Peer::start(&bin, &emulator)?;
    let program = Program {
        path: &program,
        folder: &work,
        emulator: &emulator,
    };
    let log = Log::new(work.join("logs"))?;
    let mut suite = Suite {
        program,
        peer,
        log,
        out,
    };
    suite.run()
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
