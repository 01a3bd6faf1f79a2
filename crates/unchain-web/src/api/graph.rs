//! A part of the lineage: nodes, and the steps between them.

use super::nodes::{EdgeItem, NodeItem, edge_item, node_item, number};
use super::parameters::{LIMIT_DEFAULT, limit};
use crate::problem::Problem;
use crate::views::Visit;
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeSet;
use unchain_core::lineage::{Edge, Lineage};
use unchain_core::time::Timestamp;

/// Steps for each node that may be asked for: nearly all nodes have one parent.
const STEPS: usize = 10;

/// A part of the lineage.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Lineage")]
pub(crate) struct LineageAnswer {
    /// The instant that it speaks of, UTC.
    at: Timestamp,
    /// What was asked for, then everything above it, nearest first, then everything below it.
    nodes: Vec<PlacedNode>,
    /// Every step between these nodes, in order of the nodes from which they go.
    edges: Vec<EdgeItem>,
    /// How many nodes more there are, beyond the limit.
    nodes_left_out: u64,
    /// How many steps between these nodes there are beyond ten for each node of the limit.
    edges_left_out: u64,
}

/// A node of a part of the lineage.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PlacedNode {
    #[serde(flatten)]
    node: NodeItem,
    /// Whether it is what was asked for.
    pivot: bool,
}

/// The part of the lineage around what is asked for.
pub(super) fn lineage(visit: &Visit<'_, '_>) -> Result<LineageAnswer, Problem> {
    let lineage = &visit.world.lineage;
    let pivots = pivots(visit)?;
    let found = match pivots.is_empty() {
        true => below(lineage, tops(lineage)),
        false => around(lineage, &pivots),
    };
    let limit = visit
        .query
        .get("limit")
        .and_then(limit)
        .unwrap_or(LIMIT_DEFAULT);
    let shown = found.get(..limit).unwrap_or(&found);
    let inside: BTreeSet<u32> = shown.iter().copied().collect();
    let steps: Vec<&Edge> = shown
        .iter()
        .flat_map(|&node| lineage.children(node))
        .filter(|edge| inside.contains(&edge.child))
        .collect();
    let kept = steps.get(..limit * STEPS).unwrap_or(&steps);
    let placed = |&node: &u32| PlacedNode {
        node: node_item(visit, node),
        pivot: pivots.contains(&node),
    };
    Ok(LineageAnswer {
        at: visit.report.at(),
        nodes: shown.iter().map(placed).collect(),
        edges: kept.iter().map(|edge| edge_item(visit, edge)).collect(),
        nodes_left_out: (found.len() - shown.len()) as u64,
        edges_left_out: (steps.len() - kept.len()) as u64,
    })
}

/// What is asked for: the node of a name, and whatever a text means.
fn pivots(visit: &Visit<'_, '_>) -> Result<BTreeSet<u32>, Problem> {
    let of = visit.query.get("of").map(|name| number(visit, name));
    let mut found: BTreeSet<u32> = of.transpose()?.into_iter().collect();
    let Some(text) = visit.query.get("q") else {
        return Ok(found);
    };
    let meant = visit.world.lineage.find(text.trim());
    found.extend(meant.iter().map(|found| found.node));
    if found.is_empty() {
        let why = "Nothing in the case is called that.";
        let hint = "Check the spelling, and with /api/v1/coverage what the log holds.";
        return Err(Problem::new(StatusCode::NOT_FOUND, why, hint));
    }
    Ok(found)
}

/// Some nodes, everything above them, and everything below them.
fn around(lineage: &Lineage<'_>, pivots: &BTreeSet<u32>) -> Vec<u32> {
    let mut found: Vec<u32> = pivots.iter().copied().collect();
    let mut seen = pivots.clone();
    let mut at = 0;
    while let Some(&node) = found.get(at) {
        let above = lineage.parents(node).map(|edge| edge.parent);
        found.extend(
            above
                .filter(|&parent| seen.insert(parent))
                .collect::<Vec<_>>(),
        );
        at += 1;
    }
    let under = below(lineage, pivots.iter().copied().collect());
    found.extend(under.into_iter().filter(|node| !seen.contains(node)));
    found
}

/// Some nodes and everything below them, level by level.
fn below(lineage: &Lineage<'_>, mut found: Vec<u32>) -> Vec<u32> {
    let mut seen: BTreeSet<u32> = found.iter().copied().collect();
    let mut at = 0;
    while let Some(&node) = found.get(at) {
        let children = lineage.children(node).map(|edge| edge.child);
        found.extend(children.filter(|&child| seen.insert(child)));
        at += 1;
    }
    found
}

/// The roots from which something came, then those from which nothing did.
fn tops(lineage: &Lineage<'_>) -> Vec<u32> {
    let mut tops: Vec<u32> = lineage.roots();
    tops.sort_unstable();
    tops.dedup();
    tops.sort_by_key(|&node| lineage.children(node).next().is_none());
    tops
}
