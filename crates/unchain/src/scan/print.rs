//! A scan's answer for people.

use super::Scan;
use super::summary::{Read, Summary, Trouble};
use crate::args::Context;
use crate::findings;
use crate::output::table::{Column, Table, room};
use crate::output::words::{clipped, count, counted, folded, minute, moment, pasted, shown, size};
use crate::output::{RowFormat, rows};
use crate::tokens;
use std::collections::BTreeMap;
use std::io::{self, Write};
use unchain_core::report::{AccountCoverage, Coverage, Token};

/// Files with trouble, accounts and regions that are named; the others are counted.
const NAMED: usize = 5;

/// Prints everything.
pub(super) fn summary(context: &mut Context<'_>, scan: &Scan, summary: &Summary) -> io::Result<()> {
    let width = context.width;
    let out = &mut *context.out;
    read(out, &summary.read)?;
    coverage(out, width, &summary.coverage)?;
    if let Some(found) = &summary.findings {
        writeln!(out)?;
        findings::brief(out, width, found)?;
    }
    credentials(out, summary)?;
    writeln!(out)?;
    if summary.denied_attempts > 0 {
        writeln!(
            out,
            "{} to issue, make or change credentials failed or {} denied.\n",
            counted(summary.denied_attempts, "attempt"),
            if summary.denied_attempts == 1 {
                "was"
            } else {
                "were"
            },
        )?;
    }
    alive(out, width, summary)?;
    if let Some(sigma) = &summary.sigma {
        findings::rules::found(out, width, sigma)?;
    }
    case(out, summary)?;
    next(out, scan, summary)?;
    Ok(())
}

fn read(out: &mut dyn Write, read: &Read) -> io::Result<()> {
    let kind = |(name, n): (&&str, &u64)| format!("{} {}", count(*n), kind_words(name));
    let kinds: Vec<String> = read.files_by_kind.iter().map(kind).collect();
    writeln!(out, "READ")?;
    writeln!(
        out,
        "  {}, {}, {} unpacked",
        counted(read.files, "file"),
        size(read.bytes_on_disk),
        size(read.bytes),
    )?;
    if !kinds.is_empty() {
        writeln!(out, "  {}", kinds.join(", "))?;
    }
    if read.files_pruned > 0 {
        writeln!(
            out,
            "  {} left out by path",
            counted(read.files_pruned, "file")
        )?;
    }
    writeln!(
        out,
        "  {} read = {} parsed + {} refused{}",
        counted(read.records, "record"),
        count(read.parsed),
        count(read.refused),
        in_brackets(&read.refused_by_reason),
    )?;
    writeln!(
        out,
        "  {} parsed = {} filtered out + {} duplicate + {} distinct events",
        count(read.parsed),
        count(read.filtered),
        count(read.duplicates),
        count(read.events),
    )?;
    if !read.notes.is_empty() {
        writeln!(out, "  odd but read: {}", listed(&read.notes))?;
    }
    for trouble in read.trouble.iter().take(NAMED) {
        writeln!(out, "  ! {}: {}", shown(&trouble.path), what(trouble))?;
    }
    more(
        out,
        read.files_with_trouble,
        read.trouble.len().min(NAMED),
        "with trouble",
    )
}

fn kind_words(name: &str) -> &str {
    match name {
        "records" => "with records of calls",
        "digest" => "digests",
        "insight" => "with insights",
        "aggregated" => "with aggregated records",
        "notification" => "notifications",
        "not_cloudtrail" => "with nothing of CloudTrail",
        other => other,
    }
}

/// What is wrong with a file, in words.
fn what(trouble: &Trouble) -> String {
    let mut said: Vec<String> = trouble.damage.iter().map(|d| clipped(d)).collect();
    if trouble.kind == Some("not_cloudtrail") {
        said.push("nothing in it is CloudTrail".to_owned());
    }
    if !trouble.refused.is_empty() {
        said.push(format!("refused {}", listed(&trouble.refused)));
    }
    if trouble.parsed > 0 {
        said.push(format!("{} were read", counted(trouble.parsed, "record")));
    }
    said.join("; ")
}

fn more(out: &mut dyn Write, all: u64, named: usize, what: &str) -> io::Result<()> {
    let left = all.saturating_sub(named as u64);
    if left == 0 {
        return Ok(());
    }
    writeln!(out, "  … and {} more {what}", count(left))
}

fn listed(counts: &BTreeMap<&'static str, u64>) -> String {
    let each = counts
        .iter()
        .map(|(name, n)| format!("{} {}", count(*n), name.replace('_', " ")));
    each.collect::<Vec<_>>().join(", ")
}

fn in_brackets(counts: &BTreeMap<&'static str, u64>) -> String {
    if counts.is_empty() {
        return String::new();
    }
    format!(" ({})", listed(counts))
}

fn coverage(out: &mut dyn Write, width: usize, coverage: &Coverage) -> io::Result<()> {
    let span = coverage.from.zip(coverage.to);
    let span = span.map_or_else(
        || "no event was read".to_owned(),
        |(from, to)| format!("{} to {} UTC", minute(from), minute(to)),
    );
    writeln!(out, "\nCOVERAGE  {span}")?;
    let columns = vec![
        Column::new("  ACCOUNT", 14),
        Column::new("HOURS", 7).right(),
        Column::new("MISSING", 7).right(),
        Column::new("LONGEST GAP FROM", 26),
        Column::new("REGIONS", room(width, 5, 14 + 7 + 7 + 26)),
    ];
    let mut table = Table::new(out, columns);
    for account in coverage.accounts.iter().take(NAMED) {
        table.row(&account_row(account))?;
    }
    table.finish()?;
    more(
        out,
        coverage.accounts.len() as u64,
        NAMED.min(coverage.accounts.len()),
        "accounts",
    )?;
    if let Some(digests) = &coverage.digests {
        let (from, to) = (minute(digests.from), minute(digests.to));
        let (seen, holes) = (
            counted(digests.seen, "digest"),
            counted(digests.holes, "hole"),
        );
        writeln!(out, "  {seen} from {from} to {to} UTC, with {holes}")?;
    }
    for warning in &coverage.warnings {
        for (n, line) in folded(warning, width.saturating_sub(4)).iter().enumerate() {
            writeln!(out, "  {} {line}", if n == 0 { "!" } else { " " })?;
        }
    }
    Ok(())
}

fn account_row(account: &AccountCoverage) -> Vec<String> {
    let regions: Vec<String> = account.regions.iter().take(NAMED).map(shown).collect();
    let left = account.regions.len().saturating_sub(NAMED);
    let mut regions = regions.join(" ");
    if left > 0 {
        regions = format!("{regions} and {left} more");
    }
    let name = shown(&account.account);
    vec![
        format!("  {}", if name.is_empty() { "(not said)" } else { &name }),
        count(account.hours_present),
        count(account.hours_missing),
        account
            .longest_gap
            .map(|(from, hours)| format!("{}, {hours} h", minute(from)))
            .unwrap_or_default(),
        regions,
    ]
}

fn credentials(out: &mut dyn Write, summary: &Summary) -> io::Result<()> {
    writeln!(out, "\nCREDENTIALS  at {} UTC", moment(summary.at))?;
    if summary.credentials.is_empty() {
        return writeln!(out, "  none seen");
    }
    let states = ["alive", "unknown", "revoked", "expired", "not-yet-issued"];
    let columns = vec![
        Column::new("  KIND", 24),
        Column::new("ORIGIN", 9),
        Column::new("ALIVE", 7).right(),
        Column::new("UNKNOWN", 7).right(),
        Column::new("REVOKED", 7).right(),
        Column::new("EXPIRED", 7).right(),
        Column::new("NOT YET", 7).right(),
    ];
    let mut sorts: BTreeMap<(&str, &str), BTreeMap<&str, u64>> = BTreeMap::new();
    for sort in &summary.credentials {
        let row = sorts.entry((sort.kind, sort.origin)).or_default();
        row.insert(sort.status, sort.count);
    }
    let mut table = Table::new(out, columns);
    for ((kind, origin), row) in sorts {
        let mut cells = vec![format!("  {}", kind.replace('-', " ")), origin.to_owned()];
        cells.extend(states.map(|state| row.get(state).map(|n| count(*n)).unwrap_or_default()));
        table.row(&cells)?;
    }
    table.finish()
}

fn alive(out: &mut dyn Write, width: usize, summary: &Summary) -> io::Result<()> {
    if summary.alive == 0 {
        return writeln!(out, "MAY STILL WORK  no credential that was seen");
    }
    writeln!(
        out,
        "MAY STILL WORK  {}, the last used first",
        counted(summary.alive, "credential"),
    )?;
    let lines = summary.alive_tokens.iter().cloned().map(tokens::Line);
    rows(out, (RowFormat::Table, width), lines)?;
    more(
        out,
        summary.alive,
        summary.alive_tokens.len(),
        "(unchain tokens --alive)",
    )
}

fn case(out: &mut dyn Write, summary: &Summary) -> io::Result<()> {
    let Some(added) = &summary.case else {
        return Ok(());
    };
    let what = if added.files == 0 && added.events == 0 {
        "held all of this before".to_owned()
    } else {
        format!(
            "{} and {} added",
            counted(added.events, "event"),
            counted(added.files, "file")
        )
    };
    writeln!(out, "\nCASE  {}: {what}", shown(&added.path))
}

/// What to run next.
fn next(out: &mut dyn Write, scan: &Scan, summary: &Summary) -> io::Result<()> {
    let key = |token: &Token| {
        token
            .access_key_id
            .as_ref()
            .and_then(|key| pasted(key.raw()))
    };
    let Some(key) = summary.alive_tokens.iter().find_map(key) else {
        return Ok(());
    };
    writeln!(out, "\nNEXT\n  unchain trace {key}{}", scan.again())?;
    writeln!(out, "  unchain tokens --alive{}", scan.again())?;
    if summary
        .findings
        .as_ref()
        .is_some_and(|found| !found.findings.is_empty())
    {
        writeln!(out, "  unchain findings{}", scan.again())?;
    }
    Ok(())
}
