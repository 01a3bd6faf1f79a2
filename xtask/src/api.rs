//! The JSON API of a running `unchain serve`, asked by schemathesis, from PyPI: thousands of requests made up from the
//! document, sound and unsound. Must not know what the API answers: the document says what is right.

use crate::served::Served;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::process::Command;

/// In the version that the checks were written against.
const PACKAGE: &str = "schemathesis==4.32.5";

/// Asks everything, and says how much that was.
pub(crate) fn run(out: &mut dyn Write) -> Result<()> {
    let folder = crate::workspace().join("target/api");
    let Some(bin) = crate::python::installed(&folder.join("python"), PACKAGE, out)? else {
        return Ok(());
    };
    let logs = crate::workspace().join("scenarios/whack-a-mole/trail");
    let mut server = Served::start(&crate::built()?, &[("--source", &logs)])?;
    let (url, token) = server.split()?;
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
        .arg(format!("{url}/api/v1/openapi.json"))
        .env("UNCHAIN_TOKEN", token)
        .current_dir(&folder)
        .status()
        .context("cannot run schemathesis")?;
    ensure!(status.success(), "schemathesis found something; see above");
    ensure!(server.runs()?, "the server ended");
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
