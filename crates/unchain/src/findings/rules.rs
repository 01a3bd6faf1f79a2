//! What Sigma rules found, for people.

use crate::output::table::{Column, Table, room};
use crate::output::words::{clipped, count, counted, minute, principal, shown};
use crate::sigma::{CorrelationView, CredentialHits, RuleHits, RuleView, SigmaView};
use std::io::{self, Write};
use unchain_core::report::End;

/// Unusable rules that are named; the others are counted.
const NAMED: usize = 3;
/// Rows of each table.
const ROWS: usize = 20;

/// Prints what rules could not be used, and what the others found.
pub(crate) fn found(out: &mut dyn Write, width: usize, sigma: &SigmaView) -> io::Result<()> {
    writeln!(
        out,
        "\nSIGMA  {}, {}",
        counted(sigma.rules as u64, "rule"),
        counted(sigma.correlations as u64, "correlation"),
    )?;
    for rule in sigma.unusable.iter().take(NAMED) {
        writeln!(out, "  ! {}: {}", shown(&rule.path), shown(&rule.reason))?;
    }
    let unnamed = sigma.unusable.len().saturating_sub(NAMED);
    if unnamed > 0 {
        let more = count(unnamed as u64);
        writeln!(
            out,
            "  … and {more} more cannot be used (--format json names them)"
        )?;
    }
    if sigma.hits.is_empty() && sigma.correlation_hits.is_empty() {
        return writeln!(out, "  nothing matched");
    }
    correlations(out, width, &sigma.correlation_hits)?;
    hits(out, width, &sigma.hits)
}

fn correlations(out: &mut dyn Write, width: usize, hits: &[CorrelationView]) -> io::Result<()> {
    let same = |a: &CorrelationView, b: &CorrelationView| a.rule.title == b.rule.title;
    let runs: Vec<&[CorrelationView]> = hits.chunk_by(same).collect();
    let mut table = Table::new(out, columns(width, "CORRELATION", "FROM, ALIKE IN"));
    for run in runs.iter().take(ROWS) {
        for hit in run.iter().take(NAMED) {
            let mut alike = vec![minute(hit.first)];
            let values = hit.group.as_object().into_iter().flatten();
            alike.extend(values.filter_map(|(_, value)| value.as_str().map(clipped)));
            table.row(&row(&hit.rule, hit.count, &alike))?;
        }
        if let Some(left) = run.len().checked_sub(NAMED).filter(|&left| left > 0) {
            let left = format!("and {} more times", count(left as u64));
            table.row(&[String::new(), String::new(), String::new(), left])?;
        }
    }
    table.finish()?;
    more(out, runs.len(), "correlations that held")
}

fn hits(out: &mut dyn Write, width: usize, rules: &[RuleHits]) -> io::Result<()> {
    let mut table = Table::new(out, columns(width, "RULE", "FROM, CREDENTIAL"));
    for rule in rules.iter().take(ROWS) {
        let mut who = vec![minute(rule.first)];
        who.extend(rule.by_credential.iter().take(NAMED).map(name));
        if let Some(left) = rule.credentials.checked_sub(NAMED).filter(|&left| left > 0) {
            who.push(format!("and {} more", count(left as u64)));
        }
        table.row(&row(&rule.rule, rule.count, &who))?;
    }
    table.finish()?;
    more(out, rules.len(), "rules that matched")
}

fn columns(width: usize, what: &'static str, who: &'static str) -> Vec<Column> {
    vec![
        Column::new("  LEVEL", 10),
        Column::new(what, room(width, 4, 10 + 7 + 30)),
        Column::new("EVENTS", 7).right(),
        Column::new(who, 30).hanging(),
    ]
}

fn row(rule: &RuleView, events: u64, who: &[String]) -> [String; 4] {
    let level = format!("  {}", short(rule.level));
    [level, shown(&rule.title), count(events), who.join("\n")]
}

/// A level that fits its column.
fn short(level: &'static str) -> &'static str {
    if level == "informational" {
        "info"
    } else {
        level
    }
}

fn name(hits: &CredentialHits) -> String {
    let Some(End {
        access_key_id,
        principal_arn,
        kind,
        ..
    }) = &hits.credential
    else {
        return "a caller that is not known".to_owned();
    };
    let names = [
        access_key_id.as_ref().map(shown),
        principal_arn.as_ref().map(principal),
    ];
    let names: Vec<String> = names.into_iter().flatten().collect();
    if names.is_empty() {
        (*kind).to_owned()
    } else {
        names.join(" ")
    }
}

fn more(out: &mut dyn Write, all: usize, what: &str) -> io::Result<()> {
    let left = all.saturating_sub(ROWS);
    if left == 0 {
        return Ok(());
    }
    writeln!(
        out,
        "  … and {} more {what} (--format json has all)",
        count(left as u64)
    )
}
