//! `unchain case`: what a case file holds.

use crate::args::Context;
use crate::exit::{self, Exit};
use crate::output::json;
use crate::output::table::{Column, Table, room};
use crate::output::words::{clipped, count, counted, minute, size};
use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;
use std::io::{self, Write};
use std::path::PathBuf;
use unchain_case::{Info, PlaceInfo, PlanRow};
use unchain_core::text::Untrusted;
use unchain_core::time::Timestamp;

const EXAMPLES: &str = "Examples:
  unchain case info
      what ./unchain.case holds
  unchain case info --case ~/incident/unchain.case --format json
      the same of another case, for a program

A case is one SQLite database; `sqlite3 unchain.case .tables` shows its tables.";

/// Look at a case file
#[derive(Debug, Args)]
pub(crate) struct Case {
    #[command(subcommand)]
    command: CaseCommand,
}

#[derive(Debug, Subcommand)]
enum CaseCommand {
    Info(CaseInfo),
}

/// Print what the case holds: scans, files, events, accounts, hours, size
#[derive(Debug, Args)]
#[command(after_help = exit::after(EXAMPLES))]
struct CaseInfo {
    /// The case file that `unchain scan` wrote
    #[arg(long, value_name = "FILE", default_value = "unchain.case")]
    case: PathBuf,
    /// How to write it
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people; fits the terminal
    Table,
    /// One JSON object
    Json,
    /// The same object, on one line
    Jsonl,
}

impl Case {
    /// Runs the one subcommand.
    pub(crate) fn run(&self, context: &mut Context<'_>) -> anyhow::Result<Exit> {
        match &self.command {
            CaseCommand::Info(info) => info.run(context),
        }
    }
}

impl CaseInfo {
    fn run(&self, context: &mut Context<'_>) -> anyhow::Result<Exit> {
        let case = unchain_case::Case::open_existing(&self.case)?;
        let (info, plans) = (case.info()?, case.plans()?);
        match self.format {
            Format::Table => {
                self.print(context.out, context.width, &info)?;
                print_plans(context.out, &plans)?;
            }
            Format::Json | Format::Jsonl => json::line(context.out, &View::new(&info, plans))?,
        }
        Ok(Exit::Clean)
    }

    fn print(&self, out: &mut dyn Write, width: usize, info: &Info) -> io::Result<()> {
        let name = clipped(&self.case.to_string_lossy());
        writeln!(
            out,
            "CASE  {name}, {}, version {}",
            size(info.bytes),
            info.version
        )?;
        writeln!(
            out,
            "  {} that added something, {}, {} damaged",
            counted(info.scans, "scan"),
            counted(info.files, "file"),
            count(info.damaged)
        )?;
        writeln!(
            out,
            "  {} read = {} parsed + {} refused",
            counted(info.read, "record"),
            count(info.parsed),
            count(info.read.saturating_sub(info.parsed)),
        )?;
        writeln!(
            out,
            "  {}, {} kept whole, {}",
            counted(info.events, "distinct event"),
            count(info.facts),
            counted(info.callers, "caller"),
        )?;
        writeln!(out)?;
        let columns = vec![
            Column::new("ACCOUNT", 14),
            Column::new("REGION", room(width, 5, 14 + 7 + 16 + 16)),
            Column::new("HOURS", 7).right(),
            Column::new("FROM", 16),
            Column::new("TO", 16),
        ];
        let mut table = Table::new(out, columns);
        for place in &info.places {
            table.row(&[
                clipped(&place.account),
                clipped(&place.region),
                count(place.hours),
                minute(hour(place.first_hour)),
                minute(hour(place.last_hour + 1)),
            ])?;
        }
        table.finish()
    }
}

fn print_plans(out: &mut dyn Write, plans: &[PlanRow]) -> io::Result<()> {
    if plans.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    let columns = vec![
        Column::new("PLAN", 14),
        Column::new("DIGEST", 14),
        Column::new("MADE", 16),
        Column::new("JOURNAL", 24),
    ];
    let mut table = Table::new(out, columns);
    for plan in plans {
        let journal = match plan.receipts {
            0 => "not begun".to_owned(),
            lines => counted(lines, "line"),
        };
        table.row(&[
            clipped(&plan.id),
            plan.digest.chars().take(12).collect(),
            minute(plan.made_at),
            journal,
        ])?;
    }
    table.finish()
}

fn hour(since_1970: i64) -> Timestamp {
    Timestamp::from_seconds(since_1970.saturating_mul(3600))
}

/// The same for programs. The field names are a promise: see docs/output.md.
#[derive(Serialize)]
struct View {
    version: u64,
    bytes: u64,
    scans: u64,
    files: u64,
    files_damaged: u64,
    records: u64,
    parsed: u64,
    refused: u64,
    filtered: u64,
    events: u64,
    facts: u64,
    attempts: u64,
    callers: u64,
    uses: u64,
    places: Vec<Place>,
    plans: Vec<Planned>,
}

#[derive(Serialize)]
struct Planned {
    id: String,
    digest: String,
    made_at: Timestamp,
    receipts: u64,
}

#[derive(Serialize)]
struct Place {
    account: Untrusted,
    region: Untrusted,
    hours: u64,
    from: Timestamp,
    to: Timestamp,
}

impl View {
    fn new(info: &Info, plans: Vec<PlanRow>) -> Self {
        Self {
            version: info.version,
            bytes: info.bytes,
            scans: info.scans,
            files: info.files,
            files_damaged: info.damaged,
            records: info.read,
            parsed: info.parsed,
            refused: info.read.saturating_sub(info.parsed),
            filtered: info.filtered,
            events: info.events,
            facts: info.facts,
            attempts: info.attempts,
            callers: info.callers,
            uses: info.uses,
            places: info.places.iter().map(Place::new).collect(),
            plans: plans.into_iter().map(Planned::from).collect(),
        }
    }
}

impl From<PlanRow> for Planned {
    fn from(row: PlanRow) -> Self {
        Self {
            id: row.id,
            digest: row.digest,
            made_at: row.made_at,
            receipts: row.receipts,
        }
    }
}

impl Place {
    fn new(place: &PlaceInfo) -> Self {
        Self {
            account: Untrusted::new(place.account.as_str()),
            region: Untrusted::new(place.region.as_str()),
            hours: place.hours,
            from: hour(place.first_hour),
            to: hour(place.last_hour + 1),
        }
    }
}
