//! Digest files, one row each. A set, like the ledger's.

use crate::dictionary::Dictionary;
use crate::error::Fault;
use rusqlite::{Connection, Row};
use unchain_core::digest::Digest;
use unchain_core::ledger::Ledger;
use unchain_core::time::Seconds;

/// Adds the digests of a ledger. Says how many were new.
pub(crate) fn write(
    connection: &Connection,
    ledger: &Ledger,
    dictionary: &mut Dictionary<'_, '_>,
) -> Result<u64, Fault> {
    let mut statement =
        connection.prepare("INSERT OR IGNORE INTO digest VALUES (?,?,?,?,?,?,?,?,?,?)")?;
    let mut new = 0;
    for digest in ledger.digests() {
        let (oldest, newest) = digest.events.unwrap_or_default();
        new += statement.execute([
            dictionary.symbol(digest.account)?,
            dictionary.symbol(digest.region)?,
            dictionary.symbol(digest.trail)?,
            u32::from(digest.backfill),
            digest.start,
            digest.end,
            digest.previous.unwrap_or_default(),
            digest.files,
            oldest,
            newest,
        ])?;
    }
    Ok(new as u64)
}

/// Gives a ledger the digests of a case.
pub(crate) fn read(connection: &Connection, ledger: &mut Ledger) -> Result<(), Fault> {
    let mut statement = connection.prepare(
        "SELECT a.text, r.text, t.text, backfill, start, end, previous, files, oldest, newest FROM digest \
         JOIN text AS a ON a.id = account JOIN text AS r ON r.id = region JOIN text AS t ON t.id = trail",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        ledger.add_digest(&one(row)?);
    }
    Ok(())
}

fn one(row: &Row<'_>) -> rusqlite::Result<Digest<String>> {
    let previous: Seconds = row.get(6)?;
    let events: (Seconds, Seconds) = (row.get(8)?, row.get(9)?);
    Ok(Digest {
        account: row.get(0)?,
        region: row.get(1)?,
        trail: row.get(2)?,
        backfill: row.get(3)?,
        start: row.get(4)?,
        end: row.get(5)?,
        previous: Some(previous).filter(|time| *time > 0),
        files: row.get(7)?,
        events: Some(events).filter(|(_, newest)| *newest > 0),
    })
}
