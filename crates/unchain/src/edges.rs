//! `unchain edges`: every step of the lineage with its evidence.

use crate::args::Context;
use crate::exit::{self, Exit};
use crate::input::Input;
use crate::output::table::{Column, room};
use crate::output::words::{moment, principal, shown};
use crate::output::{Row, RowFormat, rows};
use clap::Args;
use serde::Serialize;
use unchain_core::lineage::Lineage;
use unchain_core::report::{EdgeRow, End, Report};
use unchain_core::text::Untrusted;

const EXAMPLES: &str = "Examples:
  unchain edges
      every step in the case, in order of time
  unchain edges --source logs/ --format jsonl | grep ASIAQNZGKIQY56JQ7WML
      straight from logs, one JSON object per line";

/// List every step: which credential issued or made which, and the evidence
///
/// The basis says how it is known. Recorded: one record names both ends. Matched: two records agree
/// on principal and creation time. Inferred: a documented rule of AWS, and nothing better, connects them.
#[derive(Debug, Args)]
#[command(after_help = exit::after(EXAMPLES))]
pub(crate) struct Edges {
    #[command(flatten)]
    input: Input,
    /// How to write it
    #[arg(long, value_enum, default_value = "table")]
    format: RowFormat,
}

impl Edges {
    /// Prints all edges.
    pub(crate) fn run(&self, context: &mut Context<'_>) -> anyhow::Result<Exit> {
        let loaded = self.input.load(context)?;
        let lineage = Lineage::build(&loaded.ledger);
        let report = Report::new(&lineage, context.now);
        let lines = report.edges().map(Line);
        rows(context.out, (self.format, context.width), lines)?;
        Ok(loaded.exit)
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct Line(EdgeRow);

impl Row for Line {
    const CSV: &'static [&'static str] = &[
        "time",
        "api",
        "basis",
        "cross_account",
        "parent_kind",
        "parent_access_key_id",
        "parent_principal_arn",
        "parent_account",
        "child_kind",
        "child_access_key_id",
        "child_principal_arn",
        "child_account",
        "event_ids",
    ];

    fn csv(&self) -> Vec<String> {
        let edge = &self.0;
        let ids: Vec<&str> = edge.event_ids.iter().map(Untrusted::raw).collect();
        let mut cells = vec![
            edge.time.to_string(),
            edge.api.raw().to_owned(),
            edge.basis.to_owned(),
            edge.cross_account.to_string(),
        ];
        cells.extend(end_cells(&edge.parent));
        cells.extend(end_cells(&edge.child));
        cells.push(ids.join(" "));
        cells
    }

    fn columns(width: usize) -> Vec<Column> {
        let end = room(width, 3, 25) / 2;
        vec![
            Column::new("STEP", 25),
            Column::new("FROM", end).hanging(),
            Column::new("TO", end).hanging(),
        ]
    }

    fn cells(&self) -> Vec<String> {
        let edge = &self.0;
        let across = if edge.cross_account {
            ", cross-account"
        } else {
            ""
        };
        let step = format!(
            "{}\n{}\n{}{across}",
            moment(edge.time),
            shown(&edge.api),
            edge.basis
        );
        vec![step, end(&edge.parent), end(&edge.child)]
    }
}

fn end_cells(end: &End) -> [String; 4] {
    let text = |field: &Option<Untrusted>| field.as_ref().map_or("", Untrusted::raw).to_owned();
    [
        end.kind.to_owned(),
        text(&end.access_key_id),
        text(&end.principal_arn),
        text(&end.account),
    ]
}

/// A key id or what it is, then whose it is.
fn end(end: &End) -> String {
    let name = end.access_key_id.as_ref().or(end.workload.as_ref());
    let first = name.map_or_else(|| end.kind.replace('-', " "), shown);
    let whose = end.principal_arn.as_ref().map(principal);
    let account = end.account.as_ref().map(shown);
    [Some(first), whose, account]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join("\n")
}
