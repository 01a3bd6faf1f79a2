//! The lineage of an incident as a tree, and the credentials in it.

use super::plain;
use crate::export::Document;
use crate::export::block::{Block, Branch, Line, Span};
use crate::output::words::{count, counted, moment};
use crate::trace::walk::{Alike, Children, Direction, Step, View, What, walk};
use std::collections::BTreeSet;
use unchain_core::detect::Incident;

/// Lines of one tree.
const LINES: usize = 400;

/// The tree above and below an incident's nodes, and which credentials stand in it.
pub(super) fn told(document: &Document<'_>, incident: &Incident) -> (Block, BTreeSet<u32>) {
    let roots = incident.roots.iter().chain([&incident.root]);
    let pivots: BTreeSet<u32> = roots.chain(&incident.nodes).copied().collect();
    let view = View {
        direction: Direction::Both,
        children: Children::Few,
    };
    let steps = walk(document.report, &pivots, view);
    let mut members = BTreeSet::new();
    let mut branches = Vec::new();
    for step in steps.iter().take(LINES) {
        branches.push(Branch {
            depth: step.depth,
            line: line(document, step),
        });
        if let What::Node { node, .. } = step.what {
            members.extend(is_credential(document, node).then_some(node));
        }
    }
    if steps.len() > LINES {
        let more = count((steps.len() - LINES) as u64);
        branches.push(Branch {
            depth: 0,
            line: Line::of(format!("… {more} more lines; `unchain trace` draws them")),
        });
    }
    (Block::Tree(branches), members)
}

fn is_credential(document: &Document<'_>, node: u32) -> bool {
    let lineage = document.report.lineage();
    lineage.node(node).is_some_and(|n| n.kind.is_credential())
}

fn line(document: &Document<'_>, step: &Step) -> Line {
    match step.what {
        What::Node {
            node,
            edge,
            repeated,
            ..
        } => {
            let mut line = name(document, node);
            if let Some(edge) = edge {
                let row = document.report.edge(&edge);
                let across = if row.cross_account {
                    ", cross-account"
                } else {
                    ""
                };
                line = line
                    .below()
                    .and(Span::Small(row.api))
                    .words(" ")
                    .time(moment(row.time))
                    .small(format!(" ({}{across}), event ", row.basis))
                    .names(&row.event_ids);
            }
            if repeated {
                line = line.small(" · what came of it stands above");
            }
            line
        }
        What::More(alike) => Line::of(more(&alike)),
    }
}

/// A key id or what it is, whose it is, and whether it works.
fn name(document: &Document<'_>, node: u32) -> Line {
    let end = document.report.end(node);
    let mut line = match end.access_key_id.as_ref().or(end.workload.as_ref()) {
        Some(name) => Line::new().name(name).words(" "),
        None => Line::new(),
    };
    line = line.words(plain(end.kind));
    if is_credential(document, node) {
        let status = document.report.life(node).status.name();
        line = line.words(" ").and(Span::Label(status));
    }
    match &end.principal_arn {
        Some(principal) => line.words(" ").name(principal),
        None => line,
    }
}

fn more(alike: &Alike) -> String {
    format!(
        "… {} more {}s alike, {}, {}",
        count(alike.count),
        plain(alike.kind.name()),
        plain(alike.status.name()),
        counted(alike.uses, "use"),
    )
}
