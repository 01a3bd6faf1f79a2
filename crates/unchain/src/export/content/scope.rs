//! On what a report rests: accounts, regions, hours, and what is not there.

use super::{Form, View, chapter, part, period, sentence};
use crate::export::Document;
use crate::export::block::{Block, Line};
use crate::output::words::{count, counted, minute};
use unchain_core::report::AccountCoverage;

pub(super) fn scope(document: &Document<'_>, form: Form) -> Vec<Block> {
    let mut blocks = vec![
        chapter("coverage", "Scope and coverage"),
        Block::Paragraph(Line::of(
            "What is not in these logs cannot be in this report. An hour without an event may be a quiet hour or a gap.",
        )),
    ];
    match form {
        Form::Text => blocks.extend(written(document)),
        Form::Views => {
            blocks.push(Block::Facts(vec![integrity()]));
            blocks.push(Block::View(View::Coverage));
        }
    }
    blocks.extend(not_visible(document));
    blocks
}

fn integrity() -> (&'static str, Line) {
    let words = "Not a part of this report. Validate the digest files of the trail before relying on what the log does not \
                 hold.";
    ("Integrity of the log files", Line::of(words))
}

fn written(document: &Document<'_>) -> Vec<Block> {
    let coverage = document.coverage;
    let read_only = if coverage.read_only_management_events {
        "Logged."
    } else {
        "None is logged. AssumeRole is one, so chains of roles cannot be seen."
    };
    let elsewhere = if coverage.unlogged_accounts.is_empty() {
        Line::of("None.")
    } else {
        Line::new().names(&coverage.unlogged_accounts)
    };
    let facts = vec![
        ("Time", period(coverage.from, coverage.to)),
        (
            "Events",
            Line::of(format!("{} distinct", count(coverage.events))),
        ),
        ("Read-only management events", Line::of(read_only)),
        ("Accounts referred to whose own log is not here", elsewhere),
        integrity(),
    ];
    let rows = coverage.accounts.iter().map(account).collect();
    vec![
        Block::Facts(facts),
        Block::Table(
            &[
                "Account",
                "Regions",
                "Hours with events",
                "Hours without",
                "Longest gap",
            ],
            rows,
        ),
    ]
}

fn account(row: &AccountCoverage) -> Vec<Line> {
    let name = if row.account.is_empty() {
        Line::of("not said")
    } else {
        Line::new().name(&row.account)
    };
    let gap = row.longest_gap.map_or_else(
        || Line::of("none"),
        |(from, hours)| {
            Line::of(counted(hours, "hour"))
                .words(" from ")
                .time(minute(from))
        },
    );
    vec![
        name,
        Line::new().names(&row.regions),
        Line::of(count(row.hours_present)),
        Line::of(count(row.hours_missing)),
        gap,
    ]
}

/// Everything that a finding would have needed to be surer, each once.
fn not_visible(document: &Document<'_>) -> Vec<Block> {
    let all = document
        .findings
        .findings
        .iter()
        .flat_map(|f| &f.not_visible);
    let each: std::collections::BTreeSet<&String> = all.collect();
    let always = [
        "Who holds a copy of a credential, and secret access keys: neither is ever logged.",
        "Use in accounts and regions without a trail, and data events where the trail does not log them.",
        "The signing of pre-signed URLs, and bearer tokens that are used outside AWS.",
    ];
    let lines = each.into_iter().map(|text| Line::of(sentence(text)));
    vec![
        part("What was not visible"),
        Block::List(lines.chain(always.map(Line::of)).collect()),
    ]
}
