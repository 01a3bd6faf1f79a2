//! Raw records for the page, read again from the files they came from, secrets struck out.

use crate::events::{names, raw_records};
use crate::input::Input;
use crate::store::Search;
use std::collections::HashSet;
use unchain_core::event::Event;
use unchain_core::ledger::Ledger;
use unchain_core::lineage::Lineage;
use unchain_core::time::Timestamp;
use unchain_source::{Files, Filter, Source as _, Unit};
use unchain_web::{Fetched, RawRecord, Sought};

/// Bytes of files, as stored, that one question may read: some seconds' work. At least one file is read.
const BYTES: u64 = 256 << 20;

/// Finds records by their event ids, in the files that may hold them.
pub(crate) fn fetch(
    input: &Input,
    lineage: &Lineage<'_>,
    sought: &[Sought],
) -> Result<Fetched, String> {
    let times = times(sought);
    let filter = Filter {
        since: times.map(|(first, _)| first),
        until: times.map(|(_, last)| last.plus(1)),
        ..Filter::default()
    };
    let searches: Vec<Search> = times.map_or_else(Vec::new, |_| searches(lineage.ledger(), sought));
    let looked = input
        .look(&searches, filter)
        .map_err(|error| format!("{error:#}"))?;
    let found = looked.files.as_ref().map(|files| found(files, sought));
    let found = found.transpose().map_err(|error| format!("{error:#}"))?;
    let mut found = found.unwrap_or_default();
    let trouble = |paths: Vec<String>, what| paths.into_iter().map(move |path| (path, what));
    found
        .trouble
        .extend(trouble(looked.gone, "gone since the scan"));
    found
        .trouble
        .extend(trouble(looked.changed, "changed since the scan"));
    Ok(found)
}

/// From when to when, if that is known of all.
fn times(sought: &[Sought]) -> Option<(Timestamp, Timestamp)> {
    let times: Option<Vec<Timestamp>> = sought.iter().map(|one| one.at).collect();
    let times = times?;
    Some((times.iter().copied().min()?, times.iter().copied().max()?))
}

/// Which files to look into: those in which a caller was met, with records of the instant.
fn searches(ledger: &Ledger, sought: &[Sought]) -> Vec<Search> {
    let search = |one: &Sought| Search {
        names: one
            .callers
            .iter()
            .flat_map(|&caller| names(ledger, &ledger.caller(caller)))
            .collect(),
        since: one.at,
        until: one.at,
    };
    sought.iter().map(search).collect()
}

fn found(files: &Files, sought: &[Sought]) -> anyhow::Result<Fetched> {
    let mut wanted: HashSet<&str> = sought.iter().map(|one| one.id.as_str()).collect();
    let mut found = Fetched::default();
    let mut room = BYTES;
    for unit in files.units().iter() {
        if wanted.is_empty() {
            break;
        }
        let size = unit.size();
        if size > room && room < BYTES {
            found.stopped = true;
            break;
        }
        room = room.saturating_sub(size);
        of_unit((files, &unit), &mut wanted, &mut found)?;
    }
    Ok(found)
}

/// The wanted records of one file.
fn of_unit(
    (files, unit): (&Files, &Unit),
    wanted: &mut HashSet<&str>,
    found: &mut Fetched,
) -> anyhow::Result<()> {
    let has = |event: &Event<'_>| wanted.contains(event.id);
    let mut records = Vec::new();
    let sound = raw_records((files, unit), has, |record| records.push(record))?;
    if !sound {
        found.trouble.push((unit.name(), "damaged"));
    }
    for record in records {
        let id = record.get("eventID").and_then(|id| id.as_str());
        let Some(id) = id.and_then(|id| wanted.take(id)) else {
            continue;
        };
        found.records.push(RawRecord {
            id: id.to_owned(),
            file: unit.name(),
            record,
        });
    }
    Ok(())
}
