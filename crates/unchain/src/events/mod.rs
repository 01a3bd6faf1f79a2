//! `unchain events`: the raw records behind a pivot, fetched from the files they came from.

mod wanted;

use crate::args::Context;
use crate::exit::{self, Exit};
use crate::input::Input;
use crate::output::json;
use crate::output::table::{Column, Table, room};
use crate::output::words::{clipped, principal, shown};
use crate::store::Original;
use crate::trace;
use crate::when::When;
use anyhow::Context as _;
use clap::{Args, ValueEnum};
use serde_json::Value;
use std::collections::HashSet;
use std::io::{self, Write};
use unchain_core::event::Event;
use unchain_core::lineage::Lineage;
use unchain_core::report::Report;
use unchain_core::text::Untrusted;
use unchain_source::{Files, Filter, Position, Reader, Source, Unit, record_at};
use wanted::Wanted;
pub(crate) use wanted::names;

const EXAMPLES: &str = "Examples:
  unchain events ASIAQNZGKIQY56JQ7WML --since 2026-03-02T11:00:00Z
      what a token did from an instant on
  unchain events 3f1c5d1e-6b1e-4b7c-9a0e-0d5a3c1f2b4a --format jsonl
      the record behind an event id, as it was logged";

/// Print the raw records of a pivot's credentials, session tokens struck out
///
/// Records are read again from the files they came from; files that are gone or changed since the
/// scan are named. An event id gives that record; an address or user agent gives the calls made with
/// it; anything else gives every call of the credentials it means, and the calls that issued them.
/// Records come file by file, in the order of each file.
#[derive(Debug, Args)]
#[command(after_help = exit::after(EXAMPLES), mut_arg("source", |source| source.num_args(1)))]
pub(crate) struct Events {
    /// What is known: a key id, ARN, role, user, session name, address, event id …
    pivot: String,
    #[command(flatten)]
    input: Input,
    /// Only events at or after this instant
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    since: Option<When>,
    /// Only events before this instant
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    until: Option<When>,
    /// How to write it
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people; fits the terminal
    Table,
    /// One record per line, as it was logged
    Jsonl,
}

impl Events {
    /// Finds the files, then the records in them.
    pub(crate) fn run(&self, context: &mut Context<'_>) -> anyhow::Result<Exit> {
        let mut wanted = self.wanted(context)?;
        let filter = Filter {
            since: self.since.map(|when| when.instant(context.now)),
            until: self.until.map(|when| when.instant(context.now)),
            ..Filter::default()
        };
        let original = self.input.original(&wanted.searches(&filter), filter)?;
        let mut printer = Printer::new(context, self.format);
        let mut complete = original.complete;
        for unit in original.files.units().iter() {
            complete &= print_unit(&original, &unit, &mut wanted, &mut printer)?;
        }
        let printed = printer.finish()?;
        if printed == 0 {
            anyhow::bail!(
                "no record of `{}` is in the files; look at the time range, and at files that are gone",
                clipped(&self.pivot)
            );
        }
        Ok(Exit::complete(complete))
    }

    /// What to look for: an event id is looked for as it is, also where the ledger does not hold it.
    fn wanted(&self, context: &Context<'_>) -> anyhow::Result<Wanted> {
        if is_guid(&self.pivot) {
            return Ok(Wanted::event(&self.pivot));
        }
        let loaded = self.input.load_around(context, &self.pivot)?;
        let lineage = Lineage::build(&loaded.ledger);
        let report = Report::new(&lineage, context.now);
        let matches = trace::find(&report, &self.pivot)?;
        Ok(Wanted::of(&lineage, &self.pivot, &matches))
    }
}

/// Prints the wanted records of one file; whether all of it could be read.
fn print_unit(
    original: &Original,
    unit: &Unit,
    wanted: &mut Wanted,
    printer: &mut Printer<'_>,
) -> anyhow::Result<bool> {
    let mut result = Ok(());
    let has = |event: &Event<'_>| wanted.has(event);
    let sound = raw_records((&original.files, unit), has, |record| {
        if result.is_ok() {
            result = printer.record(&record);
        }
    })?;
    result.with_context(|| format!("cannot print the records of `{}`", clipped(&unit.name())))?;
    Ok(sound)
}

/// Hands the records of a file that `has` wants to `take`, every session token struck out; whether all of it could be
/// read.
pub(crate) fn raw_records(
    (files, unit): (&Files, &Unit),
    mut has: impl FnMut(&Event<'_>) -> bool,
    mut take: impl FnMut(Value),
) -> anyhow::Result<bool> {
    let mut reader = Reader::default();
    let mut ordinals = Vec::new();
    let mut sink = |event: &Event<'_>, at: Position| {
        if has(event) {
            ordinals.push(at.record);
        }
    };
    let report = files.read(unit, &mut reader, &mut sink);
    if !ordinals.is_empty() {
        record_at(unit, &mut reader, &ordinals, &mut |_, record| take(record))?;
    }
    Ok(report.damage.is_none())
}

/// Writes records, each event once however often it was delivered.
struct Printer<'o> {
    to: To<'o>,
    known: HashSet<String>,
    printed: u64,
}

enum To<'o> {
    Table(Table<'o>),
    Lines(&'o mut dyn Write),
}

impl<'o> Printer<'o> {
    fn new(context: &'o mut Context<'_>, format: Format) -> Self {
        let to = match format {
            Format::Table => To::Table(Table::new(context.out, columns(context.width))),
            Format::Jsonl => To::Lines(context.out),
        };
        Self {
            to,
            known: HashSet::new(),
            printed: 0,
        }
    }

    fn record(&mut self, record: &Value) -> io::Result<()> {
        let id = text(record, "/eventID");
        if !id.is_empty() && !self.known.insert(id.to_owned()) {
            return Ok(());
        }
        self.printed += 1;
        match &mut self.to {
            To::Table(table) => table.row(&cells(record)),
            To::Lines(out) => json::line(*out, record),
        }
    }

    fn finish(self) -> io::Result<u64> {
        if let To::Table(table) = self.to {
            table.finish()?;
        }
        Ok(self.printed)
    }
}

fn columns(width: usize) -> Vec<Column> {
    vec![
        Column::new("TIME", 10),
        Column::new("CALL", room(width, 4, 10 + 24 + 17)),
        Column::new("CREDENTIAL", 24).hanging(),
        Column::new("FROM", 17),
    ]
}

fn cells(record: &Value) -> Vec<String> {
    let call = format!(
        "{}\n{}",
        safe(record, "/eventName"),
        safe(record, "/eventSource")
    );
    let outcome = safe(record, "/errorCode");
    let key = safe(record, "/userIdentity/accessKeyId");
    let arn = Untrusted::new(text(record, "/userIdentity/arn"));
    let who = match (key.is_empty(), arn.is_empty()) {
        (_, false) => principal(&arn),
        (false, true) => String::new(),
        (true, true) => safe(record, "/userIdentity/invokedBy"),
    };
    let time = safe(record, "/eventTime")
        .replace('T', "\n")
        .replace('Z', "");
    let names = if key.is_empty() {
        who
    } else {
        format!("{key}\n{who}")
    };
    let call = if outcome.is_empty() {
        call
    } else {
        format!("{call}\n{outcome}")
    };
    vec![time, call, names, safe(record, "/sourceIPAddress")]
}

fn text<'v>(record: &'v Value, path: &str) -> &'v str {
    record
        .pointer(path)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn safe(record: &Value, path: &str) -> String {
    shown(&Untrusted::new(text(record, path)))
}

/// Whether a text has the form of the event ids that CloudTrail gives.
fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(n, byte)| match n {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
