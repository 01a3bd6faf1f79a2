//! The log of what was done in the emulator, which writes none: the story as it was played, in the trail language, with
//! the ids and times of the emulator.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use unchain_trail::{PrincipalKind, Trail};

/// The kinds of identifier that a record holds.
const IDS: [&str; 4] = ["AKIA", "ASIA", "AIDA", "AROA"];

/// A folder of log files that only grows.
pub(super) struct Log {
    pub(super) folder: PathBuf,
    written: usize,
    files: u32,
}

impl Log {
    /// An empty folder.
    pub(super) fn new(folder: PathBuf) -> Result<Self> {
        fs::create_dir_all(&folder)?;
        Ok(Self {
            folder,
            written: 0,
            files: 0,
        })
    }

    /// Writes what a played story tells beyond what was written; the number of its new records.
    pub(super) fn add(&mut self, played: &Value) -> Result<usize> {
        let ids: BTreeMap<String, String> =
            serde_json::from_value(super::at(played, "/ids")?.clone())?;
        let records = records(super::text(played, "/trail")?, &ids)?;
        let new = records.get(self.written..).unwrap_or_default();
        self.written = records.len();
        self.files += 1;
        write(&self.folder.join(format!("{}.json", self.files)), new)?;
        Ok(new.len())
    }
}

fn write(path: &Path, records: &[Value]) -> Result<()> {
    Ok(fs::write(path, json!({"Records": records}).to_string())?)
}

/// The records of a trail, with each id that the language made up replaced by the emulator's own.
fn records(text: &str, ids: &BTreeMap<String, String>) -> Result<Vec<Value>> {
    let trail = Trail::parse(text)?;
    let records = trail.records();
    let principals = principals(&trail, &records);
    let mut told = Value::Array(records).to_string();
    for (of, id) in ids {
        let made_up = match of.strip_prefix("key ") {
            Some(label) => trail.key(label),
            None => principals.get(of).map(String::as_str),
        };
        let made_up = made_up.with_context(|| format!("the story has no {of}"))?;
        told = told.replace(made_up, id);
    }
    for word in told.split(|c: char| !c.is_ascii_alphanumeric()) {
        let is_id = IDS.iter().any(|prefix| word.starts_with(prefix)) && word.len() <= 21;
        let known = !is_id || ids.values().any(|id| id == word);
        ensure!(known, "`{word}` is in the log and not in the emulator");
    }
    Ok(serde_json::from_str(&told)?)
}

/// The made up ids of users and roles, those from before the story and those that it makes, by `user NAME`.
fn principals(trail: &Trail, records: &[Value]) -> BTreeMap<String, String> {
    let kind = |kind| match kind {
        PrincipalKind::User => "user",
        _ => "role",
    };
    let cast = trail.script().cast.principals.into_iter();
    let mut found: BTreeMap<String, String> = cast
        .map(|one| (format!("{} {}", kind(one.kind), one.name), one.id))
        .collect();
    for (kind, name, id) in [
        ("user", "userName", "userId"),
        ("role", "roleName", "roleId"),
    ] {
        let made = records.iter().filter_map(|record| {
            let made = record.pointer(&format!("/responseElements/{kind}"))?;
            Some((made.get(name)?.as_str()?, made.get(id)?.as_str()?))
        });
        found.extend(made.map(|(name, id)| (format!("{kind} {name}"), id.to_owned())));
    }
    found
}
