//! Containment in an emulator of AWS that nobody here wrote: MiniStack, from PyPI.
//!
//! A theft is played there, the program contains it, and the emulator says what each stolen credential still opens.
//! Must not know how a plan is made: the emulator judges.

mod emulator;
mod trail;

use anyhow::{Context, Result, ensure};
use emulator::{Emulator, Peer};
use serde_json::json;
use std::fs;
use std::io::Write;
use std::path::Path;
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
    let mut peer = Peer::start(&bin, &emulator)?;
    let mut log = Log::new(work.join("logs"))?;
    let count = log.add(&peer.ask(&json!({"ask": "play"}))?)?;
    writeln!(out, "{count} records")?;
    Ok(())
}
