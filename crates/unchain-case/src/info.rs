//! What a case holds, in numbers.

use crate::error::Fault;
use rusqlite::{Connection, Row};

/// The numbers of a case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Info {
    /// The version of its tables.
    pub version: u64,
    /// Bytes on disk; 0 in memory.
    pub bytes: u64,
    /// Writes that added something.
    pub scans: u64,
    /// Distinct events.
    pub events: u64,
    /// Uses: what one caller did, from one client, at one place, with one outcome.
    pub uses: u64,
    /// Callers: a `userIdentity` with its key and session.
    pub callers: u64,
    /// Principals, with what else of `userIdentity` sessions share.
    pub identities: u64,
    /// Events kept whole.
    pub facts: u64,
    /// Denied or failed attempts at such events, those alike counted once.
    pub attempts: u64,
    /// Files and other sources.
    pub files: u64,
    /// Records met, over all files.
    pub read: u64,
    /// Records understood.
    pub parsed: u64,
    /// Records that filters left out.
    pub filtered: u64,
    /// Files that were damaged as a whole.
    pub damaged: u64,
    /// From where there are events.
    pub places: Vec<PlaceInfo>,
}

/// An account and region with the time from which it has events. Both are from logs: escape them before showing
/// them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceInfo {
    /// `recipientAccountId`.
    pub account: String,
    /// `awsRegion`.
    pub region: String,
    /// The number of hours that have events.
    pub hours: u64,
    /// The first of those hours, since 1970.
    pub first_hour: i64,
    /// The last of them.
    pub last_hour: i64,
}

/// Reads the numbers. Ids are given in order and never taken back, so the last one is the count.
pub(crate) fn read(connection: &Connection) -> Result<Info, Fault> {
    let number = |sql: &str| -> Result<u64, Fault> {
        let number: i64 = connection.query_row(sql, [], |row| row.get(0))?;
        Ok(u64::try_from(number).unwrap_or_default())
    };
    let last = |table: &str| number(&format!("SELECT coalesce(max(id), 0) FROM {table}"));
    let sum =
        |what: &str, table: &str| number(&format!("SELECT coalesce(sum({what}), 0) FROM {table}"));
    Ok(Info {
        version: number("PRAGMA user_version")?,
        bytes: 0,
        scans: last("scan")?,
        events: sum("events", "scan")?,
        uses: sum("uses", "scan")?,
        callers: last("caller")?,
        identities: last("identity")?,
        facts: last("fact")?,
        attempts: number("SELECT count(*) FROM attempt")?,
        files: last("file")?,
        read: sum("read", "file")?,
        parsed: sum("parsed", "file")?,
        filtered: sum("filtered", "file")?,
        damaged: number("SELECT count(damage) FROM file")?,
        places: places(connection)?,
    })
}

fn places(connection: &Connection) -> Result<Vec<PlaceInfo>, Fault> {
    let mut statement = connection.prepare(
        "SELECT account, region, day, hours FROM place JOIN coverage ON place = id \
         ORDER BY account, region, id, day",
    )?;
    let mut rows = statement.query([])?;
    let mut found: Vec<PlaceInfo> = Vec::new();
    while let Some(row) = rows.next()? {
        let day = place_day(row)?;
        match found.last_mut() {
            Some(known) if (&known.account, &known.region) == (&day.account, &day.region) => {
                known.hours += day.hours;
                known.last_hour = day.last_hour;
            }
            _ => found.push(day),
        }
    }
    Ok(found)
}

/// One day of a place.
fn place_day(row: &Row<'_>) -> Result<PlaceInfo, Fault> {
    let (day, bits): (i64, u32) = (row.get(2)?, row.get(3)?);
    if bits == 0 {
        return Err(Fault::Damaged("coverage", day));
    }
    Ok(PlaceInfo {
        account: row.get(0)?,
        region: row.get(1)?,
        hours: bits.count_ones().into(),
        first_hour: day * 24 + i64::from(bits.trailing_zeros()),
        last_hour: day * 24 + i64::from(bits.ilog2()),
    })
}
