//! Credentials as bars in time, with their uses and what was found: one drawing for the page and the report.
//!
//! A forest says which credential stands under which, `rows` which lines there are, `bar` what a line
//! shows, `draw` writes it as HTML with SVG. Must not know addresses: whoever draws passes them.

pub(crate) mod axis;
pub(crate) mod bar;
pub(crate) mod draw;
pub(crate) mod forest;
pub(crate) mod rows;

use crate::answers::Judged;
use axis::Window;
use bar::{Band, Bar, united};
use draw::{Chart, Links};
use forest::Forest;
use maud::{Markup, html};
use rows::{Line, Wanted};
use std::collections::{BTreeMap, HashSet};
use unchain_core::lineage::UsesByNode;
use unchain_core::report::{FindingRow, Report};

/// Lines of one drawing.
pub(crate) const LINES: usize = 200;

/// A line with what is drawn on it.
#[derive(Debug)]
pub(crate) struct Lane<'j> {
    pub(crate) line: Line,
    pub(crate) what: What,
    /// Findings about it that nobody expects.
    pub(crate) findings: Vec<&'j FindingRow>,
}

/// What stands on a line.
#[derive(Debug)]
pub(crate) enum What {
    One(Bar),
    Many(Band),
}

impl What {
    /// From the first to the last instant at which the log tells of it, in seconds since 1970.
    pub(crate) fn activity(&self) -> Option<(i64, i64)> {
        match self {
            Self::One(bar) => bar.activity(),
            Self::Many(band) => band.activity,
        }
    }

    /// The same to its end.
    pub(crate) fn span(&self) -> Option<(i64, i64)> {
        match self {
            Self::One(bar) => bar.span(),
            Self::Many(band) => band.span,
        }
    }
}

/// What is drawn of some lines.
pub(crate) fn lanes<'j>(
    (report, forest): (&Report<'_, '_>, &Forest),
    judged: &'j Judged,
    lines: &[Line],
) -> Vec<Lane<'j>> {
    let nodes = lines.iter().flat_map(|line| match line {
        Line::One { node, .. } => vec![*node],
        Line::Many { nodes, .. } => nodes.clone(),
    });
    let uses = UsesByNode::of(report.lineage(), &nodes.collect::<Vec<_>>());
    let mut findings: BTreeMap<u32, Vec<&FindingRow>> = BTreeMap::new();
    for (finding, subject) in about(judged) {
        findings.entry(subject).or_default().push(finding);
    }
    let lane = |line: &Line| Lane {
        what: match line {
            Line::One { node, .. } => What::One(Bar::of(report, &uses, *node)),
            Line::Many { nodes, .. } => What::Many(Band::of(report, (&uses, forest), nodes)),
        },
        findings: match line {
            Line::One { node, .. } => findings.remove(node).unwrap_or_default(),
            Line::Many { .. } => Vec::new(),
        },
        line: line.clone(),
    };
    lines.iter().map(lane).collect()
}

/// Findings that nobody expects, with their subjects.
pub(crate) fn about(judged: &Judged) -> impl Iterator<Item = (&FindingRow, u32)> {
    let all = judged.findings.findings.iter();
    let all = all.zip(judged.subjects.iter().copied());
    all.filter(|(finding, _)| finding.allowed_by.is_none())
}

/// The window that holds what lines show: their activity, or with it their ends.
pub(crate) fn fitting(
    lanes: &[Lane<'_>],
    span: impl Fn(&What) -> Option<(i64, i64)>,
) -> Option<Window> {
    let mut all = None;
    for lane in lanes {
        let seen = lane
            .findings
            .iter()
            .map(|f| (f.first.seconds(), f.first.seconds()));
        for span in span(&lane.what).into_iter().chain(seen) {
            all = Some(united(all, span));
        }
    }
    all.map(|(first, last)| Window::around(first, last))
}

/// The credentials of an incident: all that its roots lead to, and the subjects of its findings.
pub(crate) fn of_incident(
    (report, forest): (&Report<'_, '_>, &Forest),
    judged: &Judged,
    id: &str,
) -> (Vec<u32>, HashSet<u32>) {
    let subjects = about(judged).filter(|(finding, _)| finding.incident.as_deref() == Some(id));
    let mut subjects: Vec<u32> = subjects.map(|(_, subject)| subject).collect();
    let roots = judged.findings.incidents.iter().zip(&judged.roots);
    let root = roots.filter(|(incident, _)| incident.id == id);
    subjects.extend(root.map(|(_, root)| *root));
    subjects.sort_unstable();
    subjects.dedup();
    let mut tops: Vec<u32> = subjects
        .iter()
        .filter_map(|&node| forest.path(node).last())
        .collect();
    tops.sort_unstable();
    tops.dedup();
    let keep = rows::around(report.lineage(), forest, &tops);
    (subjects, keep)
}

/// The time line of one incident by its id, as HTML with SVG: the first lines of very many.
pub(crate) fn incident(
    (report, forest): (&Report<'_, '_>, &Forest),
    (judged, id): (&Judged, &str),
    (links, most): (&Links<'_>, usize),
) -> Markup {
    let (alone, keep) = of_incident((report, forest), judged, id);
    let wanted = Wanted {
        keep: Some(keep),
        alone: alone.into_iter().collect(),
        ..Wanted::default()
    };
    let all = rows::lines(forest, &wanted, |node| node.to_string());
    let shown = all.get(..most).unwrap_or(&all);
    let lanes = lanes((report, forest), judged, shown);
    let chart = Chart {
        report,
        forest,
        links,
        window: fitting(&lanes, What::activity),
    };
    drawn(&chart, &lanes, all.len())
}

fn drawn(chart: &Chart<'_>, lanes: &[Lane<'_>], all: usize) -> Markup {
    html! {
        (draw::legend())
        (draw::chart(chart, lanes))
        @if all > lanes.len() { p { "The first " (lanes.len()) " of " (all) " lines." } }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::Value;
    use unchain_core::ledger::Ledger;
    use unchain_core::record::parse_at;
    use unchain_trail::Trail;

    /// The seed story.
    pub(crate) fn story() -> Trail {
        Trail::parse(include_str!(
            "../../../../scenarios/whack-a-mole/story.trail"
        ))
        .unwrap()
    }

    /// A key that takes a role very often.
    pub(crate) fn fan(sessions: usize) -> Vec<Value> {
        let text = format!(
            "day 2026-03-02\naccount 111122223333 as shop\nuser alice in shop key A\nrole web in shop\n\
             00:01 alice A AssumeRole web as job -> S every 60s times {sessions}\n"
        );
        Trail::parse(&text).unwrap().records()
    }

    /// What some records say.
    pub(crate) fn ledger(records: &[Value]) -> Ledger {
        let mut ledger = Ledger::default();
        for record in records {
            ledger.apply(&parse_at(&record.to_string(), 0).unwrap().0);
        }
        ledger.settle();
        ledger
    }
}
