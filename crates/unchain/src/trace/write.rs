//! A trace for programs: JSON with the fields of core's report types, and two languages for pictures.

use super::walk::{Step, What};
use crate::output::json;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, Write};
use unchain_core::report::{EdgeRow, End, Report, Token};

#[derive(Serialize)]
struct Body {
    /// Only where the nesting does not tell it.
    #[serde(skip_serializing_if = "Option::is_none")]
    depth: Option<usize>,
    node: End,
    token: Token,
    edge: Option<EdgeRow>,
    pivot: bool,
    repeated: bool,
}

/// One line for each node; depth 0 begins a new tree.
pub(super) fn jsonl(
    out: &mut dyn Write,
    report: &Report<'_, '_>,
    steps: &[Step],
) -> io::Result<()> {
    for step in steps {
        if let Some(mut body) = body(report, step) {
            body.depth = Some(step.depth);
            json::line(out, &body)?;
        }
    }
    Ok(())
}

/// A list of trees, each node with its `children`. Written by hand since a tree may be deeper than
/// a serialiser may recurse.
pub(super) fn json(out: &mut dyn Write, report: &Report<'_, '_>, steps: &[Step]) -> io::Result<()> {
    out.write_all(b"[")?;
    let mut open = 0;
    for (n, step) in steps.iter().enumerate() {
        let Some(body) = body(report, step) else {
            continue;
        };
        let close = if n == 0 { 0 } else { open - step.depth };
        for _ in 0..close {
            out.write_all(b"]}")?;
        }
        if n > 0 && close > 0 {
            out.write_all(b",")?;
        }
        out.write_all(b"\n")?;
        let mut text = Vec::new();
        json::value(&mut text, &body)?;
        text.pop();
        out.write_all(&text)?;
        out.write_all(b",\"children\":[")?;
        open = step.depth + 1;
    }
    for _ in 0..open {
        out.write_all(b"]}")?;
    }
    out.write_all(b"\n]\n")
}

fn body(report: &Report<'_, '_>, step: &Step) -> Option<Body> {
    let What::Node {
        node,
        edge,
        pivot,
        repeated,
        ..
    } = step.what
    else {
        return None;
    };
    Some(Body {
        depth: None,
        node: report.end(node),
        token: report.token(node),
        edge: edge.map(|edge| report.edge(&edge)),
        pivot,
        repeated,
    })
}

/// Graphviz: `unchain trace … --format dot | dot -Tsvg > lineage.svg`.
pub(super) fn dot(out: &mut dyn Write, report: &Report<'_, '_>, steps: &[Step]) -> io::Result<()> {
    writeln!(
        out,
        "digraph lineage {{\n  rankdir=LR;\n  node [shape=box];"
    )?;
    each(report, steps, |part| match part {
        Part::Node { node, lines, pivot } => {
            let shape = if pivot { ", penwidth=3" } else { "" };
            writeln!(
                out,
                "  n{node} [label=\"{}\"{shape}];",
                lines.map(|l| safe(&l)).join("\\n")
            )
        }
        Part::Edge { from, to, label } => {
            writeln!(out, "  n{from} -> n{to} [label=\"{}\"];", safe(&label))
        }
    })?;
    writeln!(out, "}}")
}

/// Mermaid: for a page or a ticket that draws it.
pub(super) fn mermaid(
    out: &mut dyn Write,
    report: &Report<'_, '_>,
    steps: &[Step],
) -> io::Result<()> {
    writeln!(out, "flowchart LR")?;
    each(report, steps, |part| match part {
        Part::Node { node, lines, pivot } => {
            let (left, right) = if pivot { ("[[", "]]") } else { ("[", "]") };
            writeln!(
                out,
                "  n{node}{left}\"{}\"{right}",
                lines.map(|l| safe(&l)).join("<br>")
            )
        }
        Part::Edge { from, to, label } => {
            writeln!(out, "  n{from} -->|\"{}\"| n{to}", safe(&label))
        }
    })
}

enum Part {
    Node {
        node: usize,
        lines: [String; 3],
        pivot: bool,
    },
    Edge {
        from: usize,
        to: usize,
        label: String,
    },
}

/// Every node once, and every edge.
fn each(
    report: &Report<'_, '_>,
    steps: &[Step],
    mut write: impl FnMut(Part) -> io::Result<()>,
) -> io::Result<()> {
    // Numbered as they come, so that the same lineage gives the same picture.
    let mut known: BTreeMap<u32, usize> = BTreeMap::new();
    for step in steps {
        let What::Node {
            node, edge, pivot, ..
        } = step.what
        else {
            continue;
        };
        let next = known.len();
        let number = *known.entry(node).or_insert(next);
        if number == next {
            let end = report.end(node);
            let key = end.access_key_id.or(end.workload);
            let principal = end.principal_arn.unwrap_or_default();
            let lines = [
                key.unwrap_or_default().raw().to_owned(),
                format!("{} {}", end.kind, report.life(node).status.name()),
                principal.raw().to_owned(),
            ];
            write(Part::Node {
                node: number,
                lines,
                pivot,
            })?;
        }
        if let Some(edge) = edge {
            let row = report.edge(&edge);
            write(Part::Edge {
                from: known.get(&edge.parent).copied().unwrap_or_default(),
                to: number,
                label: format!("{} {} {}", row.api.raw(), row.time, row.basis),
            })?;
        }
    }
    Ok(())
}

/// Text inside a quoted label: only what neither language reads as its own.
fn safe(text: &str) -> String {
    let keep = |c: char| c.is_ascii_alphanumeric() || " -_.,:/@+=".contains(c);
    text.chars()
        .take(120)
        .map(|c| if keep(c) { c } else { '?' })
        .collect()
}
