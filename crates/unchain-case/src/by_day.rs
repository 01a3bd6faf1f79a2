//! The marks of callers with very many events, in one row a day: a month of calls by one service need not
//! be read to add a day to it.

use crate::error::Fault;
use crate::pack::{Day, pack_day, read_day};
use crate::usage::{Numbers, UseRow, merge, unite_ends, unite_marks};
use hashbrown::HashMap;
use rusqlite::{Connection, OptionalExtension as _};
use std::borrow::Cow;
use std::collections::BTreeMap;
use unchain_core::ledger::Mark;

/// Seconds of a day.
const DAY: u32 = 86_400;

/// Adds the marks of uses to the days of a caller. Says how many of each use are new.
pub(crate) fn unite(
    connection: &Connection,
    caller: u32,
    uses: &[UseRow<'_>],
) -> Result<HashMap<Numbers, u64>, Fault> {
    let mut days: BTreeMap<u32, Day> = BTreeMap::new();
    for row in uses {
        for marks in row.marks.chunk_by(|a, b| day_of(*a) == day_of(*b)) {
            if let Some(first) = marks.first() {
                let day = days.entry(day_of(*first)).or_default();
                day.push((row.numbers, marks.to_vec()));
            }
        }
    }
    let mut added = HashMap::new();
    for (number, new) in days {
        let known = read(connection, caller, number)?;
        let (united, grown) = unite_days(known, new, &mut added);
        if grown {
            connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO caller_day (caller, day, marks) VALUES (?,?,?)",
                )?
                .execute((caller, number, pack_day(number * DAY, &united)))?;
        }
    }
    Ok(added)
}

/// Unites uses whose marks are kept by day with new ones that have their marks.
pub(crate) fn add<'a>(
    connection: &Connection,
    caller: u32,
    (known, mut new): (Vec<UseRow<'a>>, Vec<UseRow<'a>>),
) -> Result<Vec<UseRow<'a>>, Fault> {
    let added = unite(connection, caller, &new)?;
    new.iter_mut()
        .for_each(|row| row.marks = Cow::Borrowed(&[]));
    Ok(merge(known, new, |known, new| {
        known.count += added.get(&known.numbers).copied().unwrap_or_default();
        unite_ends(known, new);
    }))
}

/// All marks of a caller, by use.
pub(crate) fn all(
    connection: &Connection,
    caller: u32,
) -> Result<HashMap<Numbers, Vec<Mark>>, Fault> {
    let mut out: HashMap<Numbers, Vec<Mark>> = HashMap::new();
    let mut statement = connection
        .prepare_cached("SELECT day, marks FROM caller_day WHERE caller = ?1 ORDER BY day")?;
    let mut rows = statement.query([caller])?;
    while let Some(row) = rows.next()? {
        let day = read_day(
            row.get::<_, u32>(0)?.saturating_mul(DAY),
            row.get_ref(1)?.as_blob().unwrap_or_default(),
        );
        for (numbers, marks) in day.ok_or(Fault::Damaged("caller_day", caller.into()))? {
            out.entry(numbers).or_default().extend(marks);
        }
    }
    Ok(out)
}

fn read(connection: &Connection, caller: u32, day: u32) -> Result<Day, Fault> {
    let mut statement =
        connection.prepare_cached("SELECT marks FROM caller_day WHERE caller = ?1 AND day = ?2")?;
    let bytes: Option<Vec<u8>> = statement
        .query_row([caller, day], |row| row.get(0))
        .optional()?;
    match bytes {
        None => Ok(Day::new()),
        Some(bytes) => {
            read_day(day * DAY, &bytes).ok_or(Fault::Damaged("caller_day", caller.into()))
        }
    }
}

fn unite_days(known: Day, new: Day, added: &mut HashMap<Numbers, u64>) -> (Day, bool) {
    let mut united: BTreeMap<Numbers, Vec<Mark>> = known.into_iter().collect();
    let mut grown = false;
    for (numbers, marks) in new {
        let count = unite_marks(united.entry(numbers).or_default(), &marks);
        *added.entry(numbers).or_default() += count;
        grown |= count > 0;
    }
    (united.into_iter().collect(), grown)
}

fn day_of(mark: Mark) -> u32 {
    mark.seconds() / DAY
}
