//! Every chore of the project, so that a plain Rust toolchain is all it takes to work on it.
//!
//! Must not hold anything that the program needs: nothing depends on this crate. Chores measure and
//! check the program from outside, as processes and files, so that a mistake in it cannot hide here. Only
//! what is about the detections themselves (their pages, the noise bar) asks `unchain-core`.

mod api;
mod bench;
mod bench_compare;
mod bench_inflate;
mod bench_measure;
mod bench_report;
mod browser;
mod ci;
pub mod corpus;
mod docs;
mod docs_coverage;
mod docs_detections;
mod exports;
mod fuzz;
mod lab;
mod ministack;
mod oracle;
mod python;
mod quiet;
mod reference;
pub mod scenario;
mod served;
mod shape;
mod shape_source;

use anyhow::{Context as _, Result, bail};
use clap::{Parser, Subcommand};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use walkdir::WalkDir;

/// The chores.
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    about = "The chores of the project",
    disable_help_subcommand = true
)]
struct Xtask {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Run every check in order, stop at the first that fails, and count the tests
    Ci,
    /// Measure a scan against decompressing the same files, and check its answer
    Bench(bench::BenchArgs),
    /// Make a trail of any size, with its true lineage beside it
    Corpus(corpus::CorpusArgs),
    /// Run the fuzz targets from our own scenarios
    Fuzz(fuzz::FuzzArgs),
    /// Have Graphviz, Mermaid, DuckDB, Timesketch and others read what the program writes for them
    Exports,
    /// Make the pages about detections, and check that the papers link to files and name tests that exist
    Docs(docs::DocsArgs),
    /// Make the log of a company where nothing is wrong, and count what is found in it
    Quiet(quiet::QuietArgs),
    /// Have boto3, the AWS CLI and terraform use the lab as they use AWS
    Lab,
    /// Contain a theft in an emulator of AWS that others wrote, and ask it what the stolen credentials still open
    Ministack,
    /// Open the page and the report in Chromium: the story, hostile text, a large case, looks, access
    Browser(browser::BrowserArgs),
    /// Have schemathesis ask the JSON API everything that its document allows, and what it does not
    Api,
    /// Count the signed calls that the lab answers in a second, and what memory a million of them take
    LabBench,
    /// Compare the policy evaluator with one that others wrote (npm, dev-time only)
    PolicyOracle(oracle::OracleArgs),
    /// Print which key issued which and how often each was used, read in the plainest way
    Reference { folder: PathBuf },
    /// Decompress every file of a folder and nothing else: the floor of the bench
    Inflate { folder: PathBuf },
    /// Expand the stories under `scenarios`, check what they expand to, or begin one
    Scenario(scenario::ScenarioArgs),
    /// Print function and file sizes beside those of other projects
    Shape,
}

fn main() -> anyhow::Result<ExitCode> {
    let out = &mut std::io::stdout();
    match Xtask::parse().chore {
        Chore::Ci => return ci::run(out),
        Chore::Bench(args) => return bench::run(&args, out),
        Chore::Fuzz(args) => fuzz::run(&args, out)?,
        Chore::Lab => lab::run(out)?,
        Chore::Ministack => ministack::run(out)?,
        Chore::Browser(args) => browser::run(&args, out)?,
        Chore::Api => api::run(out)?,
        Chore::LabBench => lab::bench()?,
        Chore::PolicyOracle(args) => oracle::run(&args, out)?,
        Chore::Exports => exports::run(out)?,
        Chore::Docs(args) => return docs::run(&args, out),
        Chore::Quiet(args) => return quiet::run(&args, out),
        Chore::Corpus(args) => corpus::run(&args)?,
        Chore::Reference { folder } => reference::run(&folder, out)?,
        Chore::Inflate { folder } => bench_inflate::run(&folder, out)?,
        Chore::Scenario(args) => scenario::run(&args)?,
        Chore::Shape => shape::run(out)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The folder of the workspace.
fn workspace() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_path_buf()
}

/// Every file under `folder`, sorted; `folder` may be a file.
fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = WalkDir::new(folder).sort_by_file_name().into_iter();
    let files =
        entries.filter(|entry| !entry.as_ref().is_ok_and(|entry| entry.file_type().is_dir()));
    files.map(|entry| Ok(entry?.into_path())).collect()
}

/// The program, built from what is here.
pub(crate) fn built() -> Result<PathBuf> {
    let mut build = by_hand("cargo");
    build.args(["build", "--locked", "-p", "unchain"]);
    must(build.current_dir(workspace()))?;
    let here = std::env::current_exe()?;
    let folder = here.parent().context("the build folder has another form")?;
    Ok(folder.join("unchain"))
}

/// The program as it is handed to users.
pub(crate) fn built_for_release() -> Result<PathBuf> {
    let mut build = by_hand("cargo");
    build.args(["build", "--release", "--locked", "-p", "unchain"]);
    must(build.current_dir(workspace()))?;
    let here = std::env::current_exe()?;
    let folder = here.parent().and_then(Path::parent);
    Ok(folder
        .context("the build folder has another form")?
        .join("release/unchain"))
}

/// A program as it runs where a person starts it. What cargo tells a program that it runs would reach the cargo in it,
/// and have build scripts that look at it, such as ring's, run and compile again each time.
pub(crate) fn by_hand(program: &str) -> Command {
    let mut command = Command::new(program);
    let told = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    for name in told.filter(|name| name.starts_with("CARGO_PKG_") || name == "CARGO_MANIFEST_DIR") {
        command.env_remove(name);
    }
    command
}

pub(crate) fn must(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command
        .status()
        .with_context(|| format!("cannot run `{name}`"))?;
    if !status.success() {
        bail!("`{name}` failed");
    }
    Ok(())
}
