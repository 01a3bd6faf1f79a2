//! The JSON API of a running `unchain serve`, asked by schemathesis, from PyPI: thousands of requests made up from the
//! document, sound and unsound. Must not know what the API answers: the document says what is right.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// In the version that the checks were written against.
const PACKAGE: &str = "schemathesis==4.32.5";

/// Asks everything, and says how much that was.
pub(crate) fn run(out: &mut dyn Write) -> Result<()> {
    let folder = crate::workspace().join("target/api");
    let Some(bin) = crate::python::installed(&folder.join("python"), PACKAGE, out)? else {
        return Ok(());
    };
    let mut server = Server::start(&crate::built()?)?;
    let told = folder.join("told.json");
    let config = crate::workspace().join("xtask/src/api/schemathesis.toml");
    let status = Command::new(bin.join("schemathesis"))
        .arg("--config-file")
        .arg(config)
        .args([
            "run",
            "--no-color",
            "--report",
            "json",
            "--report-json-path",
        ])
        .arg(&told)
        .arg(format!("{}/api/v1/openapi.json", server.url))
        .env("UNCHAIN_TOKEN", &server.token)
        .current_dir(&folder)
        .status()
        .context("cannot run schemathesis")?;
    ensure!(status.success(), "schemathesis found something; see above");
    ensure!(server.process.try_wait()?.is_none(), "the server ended");
    let told: Value = serde_json::from_slice(&fs::read(told)?)?;
    let count = |place: &str| told.pointer(place).and_then(Value::as_u64).unwrap_or(0);
    let (tested, cases) = (count("/operations/tested"), count("/test_cases/generated"));
    let declared = declared()?;
    // It leaves out the operation that gives it the document.
    ensure!(
        tested + 1 == declared,
        "it asked {tested} of {declared} operations"
    );
    writeln!(out, "{tested} operations, {cases} requests, nothing wrong")?;
    Ok(())
}

/// How many operations the document has.
fn declared() -> Result<u64> {
    let path = crate::workspace().join("crates/unchain-web/openapi.json");
    let document: Value = serde_json::from_slice(&fs::read(path)?)?;
    let paths = document.pointer("/paths").and_then(Value::as_object);
    Ok(paths.context("the document has no paths")?.len() as u64)
}

/// `unchain serve` on the seed story, ended with the value.
struct Server {
    process: Child,
    /// Without a path.
    url: String,
    token: String,
}

impl Server {
    /// Starts one and waits for the address that it prints.
    fn start(program: &Path) -> Result<Self> {
        let mut process = Command::new(program)
            .args(["serve", "--at", "2026-03-02T12:05:00Z", "--source"])
            .arg(crate::workspace().join("scenarios/whack-a-mole/trail"))
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the server")?;
        let stdout = process.stdout.take();
        let mut server = Self {
            process,
            url: String::new(),
            token: String::new(),
        };
        let mut line = String::new();
        BufReader::new(stdout.context("no output")?).read_line(&mut line)?;
        let Some((url, token)) = line.trim().split_once("/enter?token=") else {
            bail!("the server printed no address");
        };
        (server.url, server.token) = (url.to_owned(), token.to_owned());
        Ok(server)
    }
}

impl Drop for Server {
    /// Whether it could be ended is of no use to anybody here.
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
