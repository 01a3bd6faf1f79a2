//! Logs to export from: the stories in which something is found, and each again with hostile text.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use unchain_trail::Trail;

/// A story with its records in `logs` of a folder of its own.
pub(super) struct Story {
    /// Its name.
    pub(super) name: String,
    /// Where it is.
    pub(super) folder: PathBuf,
}

/// Markup, a formula, quotes, terminal escapes, a bidirectional override and line breaks.
const HOSTILE: &str = "=1+1</style><script>alert(1)</script>|`x`\"'\\\r\n# \u{1b}]0;x\u{7}\u{202e}\u{2028}\u{e0041}😀";

/// Writes them all under a folder.
pub(super) fn write(scenarios: &Path, folder: &Path) -> Result<Vec<Story>> {
    let mut written = Vec::new();
    for path in told(scenarios)? {
        let text = fs::read_to_string(&path)
            .with_context(|| format!("cannot read `{}`", path.display()))?;
        let trail = Trail::parse(&text).with_context(|| path.display().to_string())?;
        let above = path.parent().and_then(Path::file_name);
        let name = above
            .map(|n| n.to_string_lossy().into_owned())
            .unwrap_or_default();
        let records = trail.records();
        let hostile = records
            .iter()
            .cloned()
            .map(poisoned)
            .collect::<Vec<Value>>();
        for (name, records) in [(format!("{name}-hostile"), hostile), (name, records)] {
            written.push(log(folder, name, &records)?);
        }
    }
    Ok(written)
}

/// The story of the README, and one for each detection.
fn told(scenarios: &Path) -> Result<Vec<PathBuf>> {
    let mut paths = vec![scenarios.join("whack-a-mole/story.trail")];
    let all = crate::files(&scenarios.join("detections"))?;
    paths.extend(all.into_iter().filter(|path| path.ends_with("fires.trail")));
    Ok(paths)
}

fn log(folder: &Path, name: String, records: &[Value]) -> Result<Story> {
    let folder = folder.join(&name);
    let logs = folder.join("logs");
    fs::create_dir_all(&logs).with_context(|| format!("cannot make `{}`", logs.display()))?;
    let file = logs.join("trail.json");
    fs::write(&file, json!({ "Records": records }).to_string())
        .with_context(|| format!("cannot write `{}`", file.display()))?;
    Ok(Story { name, folder })
}

/// The record with hostile text behind every name in it.
fn poisoned(mut record: Value) -> Value {
    poison(&mut record);
    record
}

fn poison(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                match member {
                    Value::String(text) if is_name(name) => text.push_str(HOSTILE),
                    _ => poison(member),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(poison),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Members whose text an attacker chooses, or that holds such text.
fn is_name(member: &str) -> bool {
    matches!(
        member,
        "accessKeyId"
            | "principalId"
            | "arn"
            | "userName"
            | "roleArn"
            | "roleSessionName"
            | "sourceIPAddress"
            | "userAgent"
            | "eventID"
            | "sourceIdentity"
    )
}
