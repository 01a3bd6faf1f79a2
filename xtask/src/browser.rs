//! The page and the report in a browser: Debian's Chromium, driven by Playwright from npm.
//!
//! Must not know what a page says: the tests beside `unchain-web` do. Here is what they need: a browser, cases (the
//! seed story, the same with hostile text in every field, a large one), servers that show them, and the counts.

mod cases;
mod tools;

use crate::served::{AT, Served};
use anyhow::{Context, Result, bail, ensure};
use cases::Cases;
use clap::Args;
use serde_json::json;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tools::Tools;

/// What to try.
#[derive(Debug, Clone, Args)]
pub(crate) struct BrowserArgs {
    /// How many credentials the large case has
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    credentials: u64,
    /// Run the program that is built for release: what it takes to open is then what a user waits
    #[arg(long)]
    release: bool,
    /// Only the tests whose file has this in its name: `story`, `looks`, `hostile`, `large`, `report`
    #[arg(long, value_name = "WORD", default_value = "")]
    only: String,
    /// Only the tests whose names match this pattern
    #[arg(long, value_name = "PATTERN")]
    name: Option<String>,
}

/// Makes the cases, serves them, runs the tests and tells how many there were.
///
/// # Errors
///
/// A test failed, or none ran; a case cannot be made or served.
pub(crate) fn run(args: &BrowserArgs, out: &mut dyn Write) -> Result<()> {
    let folder = crate::workspace().join("target/browser");
    fs::create_dir_all(&folder)?;
    let tools = match Tools::find(&folder)? {
        Ok(tools) => tools,
        Err(lack) => {
            writeln!(out, "SKIPPED  {lack}")?;
            return Ok(());
        }
    };
    let program = match args.release {
        true => crate::built_for_release()?,
        false => crate::built()?,
    };
    let cases = Cases::make(&program, &folder.join("cases"), args.credentials)?;
    // What the lab says of the story's accounts after it was played; without it no plan could be made.
    let accounts = crate::workspace().join("crates/unchain/tests/program/contain");
    let story = Served::start(
        &program,
        &[("--case", &cases.story), ("--facts", &accounts)],
    )?;
    let hostile = Served::start(&program, &[("--case", &cases.hostile)])?;
    let large = Served::start(&program, &[("--case", &cases.large)])?;
    let given = json!({
        "at": AT, "chromium": tools.chromium, "screens": empty(folder.join("screens"))?,
        "story": story.entrance, "hostile": hostile.entrance, "large": large.entrance,
        "report": cases.report, "hostile_report": cases.hostile_report, "credentials": args.credentials,
    });
    let settings = folder.join("given.json");
    fs::write(&settings, given.to_string())?;
    test(&tools, args, &settings, out)
}

/// A folder with nothing in it.
fn empty(folder: PathBuf) -> Result<PathBuf> {
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Runs the tests; node tells what it does, and its machine-readable report is counted.
fn test(tools: &Tools, args: &BrowserArgs, given: &Path, out: &mut dyn Write) -> Result<()> {
    let report = given.with_file_name("report.tap");
    let mut node = Command::new(&tools.node);
    node.args([
        "--test",
        "--test-reporter=spec",
        "--test-reporter-destination=stdout",
    ]);
    node.arg("--test-reporter=tap");
    node.arg(format!("--test-reporter-destination={}", report.display()));
    if let Some(name) = &args.name {
        node.arg(format!("--test-name-pattern={name}"));
    }
    node.args(
        tools
            .tests
            .iter()
            .filter(|file| file.to_string_lossy().contains(&args.only)),
    );
    node.env("UNCHAIN_BROWSER", given).stdout(Stdio::piped());
    let mut child = node.spawn().context("cannot start node")?;
    for line in BufReader::new(child.stdout.take().context("no output")?).split(b'\n') {
        writeln!(out, "{}", String::from_utf8_lossy(&line?))?;
    }
    let status = child.wait()?;
    let report = fs::read_to_string(report)?;
    let (passed, failed) = (counted(&report, "pass")?, counted(&report, "fail")?);
    let word = if status.success() { "ok" } else { "FAILED" };
    writeln!(
        out,
        "test result: {word}. {passed} passed; {failed} failed;"
    )?;
    ensure!(passed > 0, "no test ran");
    if failed > 0 || !status.success() {
        bail!("{failed} tests failed in the browser");
    }
    Ok(())
}

/// The number after `# pass`, which stands at the end of a report.
fn counted(report: &str, what: &str) -> Result<u64> {
    let line = report.lines().rev().find_map(|line| {
        let rest = line.strip_prefix("# ")?.strip_prefix(what)?;
        rest.strip_prefix(' ')
    });
    let number = line.with_context(|| format!("node did not count what `{what}`ed"))?;
    Ok(number.trim().parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_of_node_is_counted_from_its_end() {
        let report = "ok 1 - a\n# pass on the way\n1..1\n# tests 3\n# suites 0\n# pass 2\n# fail 1\n# skipped 0\n";
        assert_eq!(counted(report, "pass").unwrap(), 2);
        assert_eq!(counted(report, "fail").unwrap(), 1);
        assert!(counted("1..0\n", "pass").is_err());
    }
}
