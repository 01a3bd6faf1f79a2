//! The cases that the page is tried on.

use crate::corpus::{self, CorpusArgs};
use crate::served::AT;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use unchain_trail::Trail;

/// Markup that would run or load, quotes, terminal escapes, what turns the direction of writing.
const EVIL: &str = "</bdi></td></title></script><script>window.__pwned=1</script>\
    <img src=http://evil.example/x onerror=window.__pwned=1><svg onload=window.__pwned=1>\
    \"'`><a href=javascript:window.__pwned=1>x</a>{{7*7}}${7*7}&amp;&#60;\
    \u{1b}[2J\u{1b}]0;pwned\u{7}\u{202e}\u{2066}\u{2028}\u{9b}\u{0}שלום";

/// A user agent has this many bytes of one letter after that: a word that cannot be broken.
const LONG: usize = 100_000;

/// Case files, and the report of the story.
pub(super) struct Cases {
    pub(super) story: PathBuf,
    pub(super) hostile: PathBuf,
    pub(super) large: PathBuf,
    pub(super) report: PathBuf,
    pub(super) hostile_report: PathBuf,
}

impl Cases {
    /// Makes them anew.
    pub(super) fn make(program: &Path, folder: &Path, credentials: u64) -> Result<Self> {
        let folder = super::empty(folder.to_path_buf())?;
        let root = crate::workspace().join("scenarios/whack-a-mole");
        let records = Trail::parse(&fs::read_to_string(root.join("story.trail"))?)?.records();
        let poisoned = poisoned(records, &folder.join("hostile"))?;
        let large = generated(folder.join("large"), credentials)?;
        let case = |name: &str, logs: &Path| scanned(program, &folder.join(name), logs);
        let (story, hostile) = (
            case("story.case", &root.join("trail"))?,
            case("hostile.case", &poisoned)?,
        );
        Ok(Self {
            report: reported(program, &story)?,
            hostile_report: reported(program, &hostile)?,
            large: case("large.case", &large)?,
            story,
            hostile,
        })
    }
}

/// Has the program read logs into a case.
fn scanned(program: &Path, case: &Path, logs: &Path) -> Result<PathBuf> {
    let mut scan = Command::new(program);
    scan.arg("scan").arg(logs).arg("--case").arg(case);
    let status = scan.stdout(Stdio::null()).status()?;
    ensure!(
        matches!(status.code(), Some(0 | 1)),
        "`scan` of {} ended with {status}",
        logs.display()
    );
    Ok(case.to_path_buf())
}

/// Has the program write the report of a case.
fn reported(program: &Path, case: &Path) -> Result<PathBuf> {
    let file = case.with_extension("html");
    let mut report = Command::new(program);
    report
        .args(["report", "--at", AT, "--case"])
        .arg(case)
        .arg("--output")
        .arg(&file);
    let status = report.stdout(Stdio::null()).status()?;
    ensure!(
        matches!(status.code(), Some(0 | 1)),
        "`report` of {} ended with {status}",
        case.display()
    );
    Ok(file)
}

/// Records of a story with hostile text in every field that may hold any.
fn poisoned(mut records: Vec<Value>, folder: &Path) -> Result<PathBuf> {
    for record in &mut records {
        poison(record);
        let agent = record
            .get_mut("userAgent")
            .context("a record without userAgent")?;
        *agent = Value::from(format!("{EVIL}{}", "A".repeat(LONG)));
    }
    fs::create_dir_all(folder)?;
    fs::write(
        folder.join("records.json"),
        json!({ "Records": records }).to_string(),
    )?;
    Ok(folder.to_path_buf())
}

/// Appends to every string of a record but those without which it is none.
fn poison(value: &mut Value) {
    const KEPT: [&str; 9] = [
        "eventTime",
        "eventName",
        "eventSource",
        "type",
        "eventType",
        "creationDate",
        "expiration",
        "eventCategory",
        "eventVersion",
    ];
    match value {
        Value::String(text) => text.push_str(EVIL),
        Value::Array(items) => items.iter_mut().for_each(poison),
        Value::Object(members) => {
            let members = members
                .iter_mut()
                .filter(|(name, _)| !KEPT.contains(&name.as_str()));
            members.for_each(|(_, member)| poison(member));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Logs with so many credentials, each used a few times.
fn generated(out: PathBuf, credentials: u64) -> Result<PathBuf> {
    corpus::run(&CorpusArgs {
        out: out.clone(),
        events: credentials.saturating_mul(4),
        accounts: 20,
        days: 7,
        seed: 1,
        issuing_share: 0.15,
        credentials: Some(credentials),
        duplicates: 0.02,
        level: 1,
    })?;
    Ok(out)
}
