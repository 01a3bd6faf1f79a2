//! The records that the lab delivered, beside those that the story tells of: each of the one has to be one of the
//! other.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use serde_json::Value;
use unchain_trail::{Asked, Script};

use super::known::Known;

/// Reads every log file below a folder; digests are left alone.
///
/// # Errors
///
/// A file that cannot be read or is no log file.
pub(super) fn read(folder: &Path) -> io::Result<Vec<Value>> {
    let mut records = Vec::new();
    let mut files = Vec::new();
    list(folder, &mut files)?;
    files.sort();
    for file in files {
        let mut text = String::new();
        GzDecoder::new(std::fs::File::open(&file)?).read_to_string(&mut text)?;
        let mut log: Value = serde_json::from_str(&text)?;
        if let Some(Value::Array(found)) = log.get_mut("Records") {
            records.append(found);
        }
    }
    Ok(records)
}

fn list(folder: &Path, out: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let named = |name: &str| path.file_name().is_some_and(|found| found == name);
        if path.is_dir() && !named("CloudTrail-Digest") {
            list(&path, out)?;
        } else if path.to_string_lossy().ends_with(".json.gz") {
            out.push(path);
        }
    }
    Ok(())
}

/// Pairs the story's records with those delivered, learns the identifiers that only records show, and says what has
/// no partner or contradicts what the calls gave.
pub(super) fn pair(script: &Script, delivered: Vec<Value>, known: &mut Known) -> Vec<String> {
    let logged: Vec<&str> = script
        .cast
        .accounts
        .iter()
        .filter(|account| account.logged)
        .map(|account| account.number.as_str())
        .collect();
    let mut waiting: BTreeMap<[String; 3], Vec<Value>> = BTreeMap::new();
    let mut seen = std::collections::BTreeSet::new();
    for record in delivered {
        let place = place(&record);
        let [_, _, recipient] = &place;
        // A record that was delivered twice is one.
        if !second_factor(script, &record)
            && logged.contains(&recipient.as_str())
            && seen.insert(text(&record, "/eventID"))
        {
            waiting.entry(place).or_default().push(record);
        }
    }
    let mut wrong = Vec::new();
    for step in &script.steps {
        for asked in step.asked.iter().filter(|asked| asked.logged) {
            let line = format!("line {}: {}", step.line, asked.name);
            match partner(asked, &mut waiting, known) {
                Some(real) => wrong.extend(compare(&line, (asked, &real), known)),
                None => wrong.push(format!("{line} in {} is not in the log", asked.recipient)),
            }
        }
    }
    wrong.extend(
        waiting
            .into_iter()
            .filter(|(_, rest)| !rest.is_empty())
            .map(|([time, name, recipient], rest)| {
                format!(
                    "{} of {name} at {time} in {recipient} that no line tells of",
                    rest.len()
                )
            }),
    );
    wrong
}

/// The page that asks for the second factor logs itself; a line tells of the sign-in as a whole.
fn second_factor(script: &Script, record: &Value) -> bool {
    let [time, name, recipient] = place(record);
    let signs_in = |asked: &Asked| {
        asked.name == "ConsoleLogin"
            && asked.recipient == recipient
            && text(&asked.record, "/eventTime") == time
    };
    name == "CheckMfa"
        && script
            .steps
            .iter()
            .any(|step| step.asked.iter().any(signs_in))
}

/// When, what and where: what records have in common with those of the story.
fn place(record: &Value) -> [String; 3] {
    ["/eventTime", "/eventName", "/recipientAccountId"].map(|pointer| text(record, pointer))
}

fn text(record: &Value, pointer: &str) -> String {
    let found = record.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_default().to_owned()
}

/// Takes the record of a call: of several at one time, one whose keys are those known already.
fn partner(
    asked: &Asked,
    waiting: &mut BTreeMap<[String; 3], Vec<Value>>,
    known: &Known,
) -> Option<Value> {
    let candidates = waiting.get_mut(&place(&asked.record))?;
    let agrees = |real: &Value| {
        KEYS.iter().all(|pointer| {
            let (told, real) = (text(&asked.record, pointer), text(real, pointer));
            known.get(&told).is_none_or(|known| known == real)
        })
    };
    let at = candidates.iter().position(agrees).unwrap_or(0);
    (at < candidates.len()).then(|| candidates.remove(at))
}

/// Where records name keys.
const KEYS: [&str; 3] = [
    "/userIdentity/accessKeyId",
    "/responseElements/credentials/accessKeyId",
    "/responseElements/accessKey/accessKeyId",
];

/// Learns what a pair shows, and says where it differs from the story.
fn compare(line: &str, (asked, real): (&Asked, &Value), known: &mut Known) -> Vec<String> {
    let mut wrong = Vec::new();
    let told = &asked.record;
    for pointer in KEYS.iter().chain(&["/eventID"]) {
        let (told, real) = (text(told, pointer), text(real, pointer));
        if told.is_empty() != real.is_empty() {
            wrong.push(format!(
                "{line}: `{pointer}` is `{real}`, and `{told}` in the story"
            ));
        } else if let Err(before) = known.learn(&told, &real) {
            wrong.push(format!(
                "{line}: `{pointer}` is `{real}`, and was `{before}`"
            ));
        }
    }
    for pointer in [
        "/errorCode",
        "/sourceIPAddress",
        "/eventSource",
        "/userIdentity/type",
    ] {
        let (told, real) = (text(told, pointer), text(real, pointer));
        // Services have their own words for a refusal.
        let refused = pointer == "/errorCode" && told.is_empty() == real.is_empty();
        if told != real && !refused {
            wrong.push(format!(
                "{line}: `{pointer}` is `{real}`, and `{told}` in the story"
            ));
        }
    }
    wrong
}
