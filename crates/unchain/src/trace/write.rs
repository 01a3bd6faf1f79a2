//! A trace for programs: JSON with the fields of core's report types.

use super::walk::{Step, What};
use crate::output::json;
use serde::Serialize;
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
