//! The case file, as far as the program needs it: what to write after reading, where to read again.

use crate::output::words::clipped;
use crate::reading::FileRead;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use unchain_case::{Case, CaseError, FileRow, key_hash};
use unchain_core::time::Timestamp;
use unchain_source::{Files, Filter, Unit};

/// Files that are named; the others are counted.
const NAMED: usize = 3;

/// What a case remembers of a file.
pub(crate) fn row(file: FileRead) -> FileRow {
    let report = &file.report;
    let counts = &report.counts;
    let named = |(name, count): (&str, u64)| (name.to_owned(), count);
    let refused = counts
        .refused
        .iter()
        .map(|(reason, count)| (reason.name(), count));
    FileRow {
        path: path_text(&file.unit, &report.name),
        size: report.bytes_on_disk,
        modified: file.modified,
        fingerprint: 0,
        kind: report.kind.name().to_owned(),
        compression: report.compression.name().to_owned(),
        read: counts.read,
        parsed: counts.parsed,
        filtered: counts.filtered,
        refused: refused.filter(|(_, count)| *count > 0).map(named).collect(),
        notes: counts
            .notes
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(named)
            .collect(),
        damage: report.damage.map(|damage| damage.to_string()),
        earliest: counts.earliest.map(Timestamp::seconds),
        latest: counts.latest.map(Timestamp::seconds),
        keys: file.keys,
    }
}

/// When a file was modified, in seconds since 1970.
pub(crate) fn modified(path: Option<&Path>) -> Option<i64> {
    unchain_source::modified(&std::fs::metadata(path?).ok()?)
}

/// The absolute path, so that the file is found again from any folder.
fn path_text(unit: &Unit, name: &str) -> String {
    if cfg!(unix) && is_plain(name) {
        return name.to_owned();
    }
    let absolute = unit.path().and_then(|path| std::path::absolute(path).ok());
    absolute.map_or_else(|| unit.name(), |path| path.to_string_lossy().into_owned())
}

/// Whether a path under Unix is absolute, and has no empty folder and none that begins with a dot: nothing is to be
/// made of it then, which would take longer than all else about a small file's row.
fn is_plain(path: &str) -> bool {
    let odd = |pair: &[u8]| matches!(pair, b"//" | b"/.");
    path.starts_with('/') && !path.as_bytes().windows(2).any(odd)
}

/// The files that a ledger came from.
#[derive(Debug)]
pub(crate) struct Original {
    /// What is still there.
    pub(crate) files: Files,
    /// Whether everything is still there, and as it was.
    pub(crate) complete: bool,
}

/// Files in which any of some names was met, with records of a time.
#[derive(Debug)]
pub(crate) struct Search {
    /// Access key ids and principal ids; the empty one is for callers without.
    pub(crate) names: Vec<String>,
    /// At or after this instant.
    pub(crate) since: Option<Timestamp>,
    /// At or before this instant.
    pub(crate) until: Option<Timestamp>,
}

/// The files that a search finds, as they are now.
#[derive(Debug)]
pub(crate) struct Looked {
    /// What is still there, if anything is.
    pub(crate) files: Option<Files>,
    /// Paths of what is not.
    pub(crate) gone: Vec<String>,
    /// Paths of what is there in another state.
    pub(crate) changed: Vec<String>,
}

/// The files that any of `searches` finds in a case, or all files if there is none; says on standard error what is
/// not as it was.
pub(crate) fn original(
    case: &Case,
    searches: &[Search],
    filter: Filter,
) -> anyhow::Result<Original> {
    let looked = look(case, searches, filter)?;
    say("gone since the scan", &looked.gone);
    say("changed since the scan", &looked.changed);
    let Some(files) = looked.files else {
        anyhow::bail!(
            "none of the files that the case was made from is there; bring them back, or name their new place with `--source`"
        );
    };
    Ok(Original {
        files,
        complete: looked.gone.is_empty() && looked.changed.is_empty(),
    })
}

/// The files that any of `searches` finds in a case, or all files if there is none.
pub(crate) fn look(case: &Case, searches: &[Search], filter: Filter) -> anyhow::Result<Looked> {
    let rows = rows(case, searches)?;
    let mut there: Vec<OsString> = Vec::new();
    let (mut gone, mut changed) = (Vec::new(), Vec::new());
    for row in rows {
        let path = PathBuf::from(&row.path);
        match std::fs::metadata(&path) {
            Err(_) => gone.push(row.path),
            Ok(now) => {
                if now.len() != row.size || modified(Some(&path)) != row.modified {
                    changed.push(row.path);
                }
                there.push(path.into_os_string());
            }
        }
    }
    let some = Some(&there).filter(|there| !there.is_empty());
    Ok(Looked {
        files: some
            .map(|there| Files::discover(there, filter))
            .transpose()?,
        gone,
        changed,
    })
}

fn rows(case: &Case, searches: &[Search]) -> Result<Vec<FileRow>, CaseError> {
    if searches.is_empty() {
        return case.files();
    }
    let seconds = |time: Option<Timestamp>| time.map(Timestamp::seconds);
    let mut found = BTreeMap::new();
    for search in searches {
        let keys: Vec<u32> = search.names.iter().map(|name| key_hash(name)).collect();
        let rows = case.files_with(&keys, seconds(search.since), seconds(search.until))?;
        found.extend(rows.into_iter().map(|row| (row.path.clone(), row)));
    }
    Ok(found.into_values().collect())
}

/// Names files on standard error.
fn say(what: &str, paths: &[String]) {
    if paths.is_empty() {
        return;
    }
    let named: Vec<String> = paths
        .iter()
        .take(NAMED)
        .map(|path| format!("`{}`", clipped(path)))
        .collect();
    let left = paths.len() - named.len();
    let more = if left > 0 {
        format!(" and {left} more")
    } else {
        String::new()
    };
    // Where a warning cannot be written there is nobody to warn.
    let _ = writeln!(
        std::io::stderr(),
        "warning: {what}: {}{more}",
        named.join(", ")
    );
}
