//! `unchain trace`: the lineage of whatever a responder has in hand.

pub(crate) mod choose;
mod draw;
mod graph;
pub(crate) mod walk;
mod write;

use crate::args::Context;
use crate::exit::{self, Exit};
use crate::input::Input;
use crate::output::words::{clipped, counted, moment};
use crate::when::At;
use clap::{Args, ValueEnum};
use std::collections::BTreeSet;
use unchain_core::lineage::{Lineage, Match, NodeKind};
use unchain_core::report::Report;
use unchain_core::time::Timestamp;
use walk::{Children, Direction, View};

const EXAMPLES: &str = "Examples:
  unchain trace AKIAQNZGKIQY56JQ7WML
      everything that came of a leaked key, and where it came from
  unchain trace 198.51.100.23 --source logs/ --at 2026-03-02T11:30:00Z
      every credential used from an address, from logs, as of an instant
  unchain trace AKIAQNZGKIQY56JQ7WML --format dot | dot -Tsvg > lineage.svg
      a picture; mermaid and graphml are for other programs";

/// Draw the lineage: up to the root, down to every descendant
///
/// A pivot is an access key id, the ARN or id of a principal, a role, a user, a session name, the
/// serial of an MFA device, a source identity, an address, a user agent or an event id. A pivot that
/// means credentials of several lineages lists them, each with the command that chooses it.
#[derive(Debug, Args)]
#[command(after_help = exit::after(EXAMPLES), mut_arg("source", |source| source.num_args(1)))]
pub(crate) struct Trace {
    /// What is known: a key id, ARN, role, user, session name, address, event id …
    pivot: String,
    #[command(flatten)]
    input: Input,
    /// Only up to the root
    #[arg(long, conflicts_with = "down")]
    up: bool,
    /// Only down to the leaves
    #[arg(long)]
    down: bool,
    /// Show every child, also where many are alike; trace every meaning of the pivot
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    at: At,
    /// How to write it
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A tree for people
    Table,
    /// A list of trees
    Json,
    /// One JSON object per node, with its depth
    Jsonl,
    /// A graph for Graphviz
    Dot,
    /// A graph for pages that draw Mermaid
    Mermaid,
    /// A graph for Gephi, yEd, networkx …
    Graphml,
}

impl Trace {
    /// Finds the pivot and draws.
    pub(crate) fn run(&self, context: &mut Context<'_>) -> anyhow::Result<Exit> {
        let loaded = self.input.load_around(context, &self.pivot)?;
        let lineage = Lineage::build(&loaded.ledger);
        let at = self.at.instant(context.now);
        let report = Report::new(&lineage, at);
        let matches = find(&report, &self.pivot)?;
        let table = self.format == Format::Table;
        if table && !self.all && !choose::belong_together(&lineage, &matches) {
            self.list(context, &report, &matches)?;
        } else {
            self.draw(context, (&report, at), &matches)?;
        }
        Ok(loaded.exit)
    }

    fn list(
        &self,
        context: &mut Context<'_>,
        report: &Report<'_, '_>,
        matches: &[Match],
    ) -> anyhow::Result<()> {
        writeln!(
            context.out,
            "`{}` means {} of several lineages. Choose one, or --all.\n",
            clipped(&self.pivot),
            counted(matches.len() as u64, "credential"),
        )?;
        let options = self.input.again();
        choose::list(context.out, (report, matches), &options)?;
        Ok(())
    }

    fn draw(
        &self,
        context: &mut Context<'_>,
        (report, at): (&Report<'_, '_>, Timestamp),
        matches: &[Match],
    ) -> anyhow::Result<()> {
        let pivots: BTreeSet<u32> = matches.iter().map(|found| found.node).collect();
        let direction = match (self.up, self.down) {
            (true, _) => Direction::Up,
            (_, true) => Direction::Down,
            _ => Direction::Both,
        };
        let children = if self.all || self.format != Format::Table {
            Children::All
        } else {
            Children::Few
        };
        let view = View {
            direction,
            children,
        };
        let steps = walk::walk(report, &pivots, view);
        let out = &mut *context.out;
        match self.format {
            Format::Table => {
                writeln!(out, "Status at {} UTC\n", moment(at))?;
                draw::tree(out, context.width, (report, &steps))?;
            }
            Format::Json => write::json(out, report, &steps)?,
            Format::Jsonl => write::jsonl(out, report, &steps)?,
            Format::Dot => graph::dot(out, report, &steps)?,
            Format::Mermaid => graph::mermaid(out, report, &steps)?,
            Format::Graphml => graph::graphml(out, report, &steps)?,
        }
        Ok(())
    }
}

/// The nodes that a pivot means, at least one.
pub(crate) fn find(report: &Report<'_, '_>, pivot: &str) -> anyhow::Result<Vec<Match>> {
    let lineage = report.lineage();
    let mut matches = lineage.find(pivot);
    matches.retain(|found| lineage.node(found.node).is_some());
    if matches.is_empty() {
        return Err(nothing(lineage, pivot));
    }
    // The other account's copy of a call knows its caller without the key. Where that is all there is
    // to a node, it is one of the others seen again.
    let copy = |found: &Match| {
        let node = found.node;
        let kind = lineage.node(node).map(|n| n.kind);
        kind == Some(NodeKind::Identity)
            && lineage.children(node).next().is_none()
            && lineage.parents(node).next().is_none()
    };
    if !matches.iter().all(copy) {
        matches.retain(|found| !copy(found));
    }
    Ok(matches)
}

fn nothing(lineage: &Lineage<'_>, pivot: &str) -> anyhow::Error {
    let near = choose::near(lineage, pivot);
    let hint = if near.is_empty() {
        "check the spelling, and with `unchain scan` what the logs cover".to_owned()
    } else {
        format!("did you mean `{}`?", near.join("`, `"))
    };
    anyhow::anyhow!("nothing here is called `{}`; {hint}", clipped(pivot))
}
