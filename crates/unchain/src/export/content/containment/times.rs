//! When what happened, and how long it took.

use super::Record;
use crate::export::Document;
use crate::export::block::{Block, Line};
use crate::output::words::{counted, moment};
use unchain_core::contain::{Happened, Phase, Receipt, Work};
use unchain_core::report::IncidentRow;
use unchain_core::text::Untrusted;
use unchain_core::time::Timestamp;

/// The instants that playbooks ask for, as far as they are known. UTC.
struct Instants {
    began: Option<Timestamp>,
    planned: Timestamp,
    first: Option<Timestamp>,
    contained: Option<Timestamp>,
    verified: Option<Timestamp>,
}

pub(super) fn times(document: &Document<'_>, record: &Record) -> Vec<Block> {
    let incident = document
        .findings
        .incidents
        .iter()
        .find(|row| is_about(row, record));
    let done = |wanted: fn(&Phase) -> bool| {
        let of = record.receipts.iter().filter(move |r| {
            let step = record.plan.steps.iter().find(|step| step.number == r.step);
            r.work == Work::Apply && step.is_some_and(|step| wanted(&step.phase))
        });
        let made = |r: &&Receipt| matches!(r.what, Happened::Done { already: false, .. });
        of.filter(made).map(|receipt| receipt.at)
    };
    let instants = Instants {
        began: incident.map(|row| row.first),
        planned: record.plan.made_at,
        first: done(|_| true).min(),
        contained: done(|phase| *phase < Phase::Verify).max(),
        verified: verified(record),
    };
    vec![timeline(&instants, incident, record), metrics(&instants)]
}

/// Whether an incident is the one that a plan was made for: the plan knows where it began, or its pivot.
fn is_about(row: &IncidentRow, record: &Record) -> bool {
    let root = [&row.root.access_key_id, &row.root.principal_arn];
    let root: Vec<&Untrusted> = root.into_iter().flatten().chain(&row.other_roots).collect();
    record.plan.subjects.iter().any(|subject| {
        let own = [&subject.access_key_id, &subject.principal_arn];
        own.into_iter().flatten().any(|name| root.contains(&name))
    })
}

fn verified(record: &Record) -> Option<Timestamp> {
    let journal = record
        .receipts
        .iter()
        .filter(|r| matches!(r.what, Happened::Verified));
    let looked = record
        .verification
        .as_ref()
        .filter(|found| found.allows_removal());
    journal
        .map(|r| r.at)
        .chain(looked.map(|found| found.at))
        .min()
}

fn timeline(instants: &Instants, incident: Option<&IncidentRow>, record: &Record) -> Block {
    let mut rows: Vec<(Timestamp, Line)> = Vec::new();
    let mut add = |at: Option<Timestamp>, what: Line| rows.extend(at.map(|at| (at, what)));
    add(instants.began, Line::of("The incident began, by the log."));
    add(
        incident.map(|row| row.last),
        Line::of("It was last seen in the findings."),
    );
    add(Some(instants.planned), Line::of("The plan was made."));
    add(
        instants.first,
        Line::of("The first call of the plan was carried out."),
    );
    add(
        instants.contained,
        Line::of("The last call that contains was carried out."),
    );
    let outcome = record.verification.as_ref().map(|found| found.at);
    add(outcome, Line::of("It was looked whether the plan holds."));
    add(instants.verified, Line::of("Containment was verified."));
    rows.sort_by_key(|(at, _)| *at);
    let rows = rows
        .into_iter()
        .map(|(at, what)| vec![Line::new().time(moment(at)), what]);
    Block::Table(&["Time (UTC)", "What happened"], rows.collect())
}

/// The measures of AWS's incident response playbooks. Who was told when is in no log.
fn metrics(instants: &Instants) -> Block {
    let from = |end: Option<Timestamp>| span(instants.began, end);
    Block::Facts(vec![
        (
            "Time to detect, at most (TTD)",
            from(Some(instants.planned)),
        ),
        ("Time to notify (TTN)", Line::of("not recorded")),
        (
            "Time to contain (TTC)",
            span(Some(instants.planned), instants.contained),
        ),
        ("Begun to contained", from(instants.contained)),
        (
            "Time to recover (TTR), to verified",
            from(instants.verified),
        ),
    ])
}

fn span(from: Option<Timestamp>, to: Option<Timestamp>) -> Line {
    let seconds = from.zip(to).map(|(from, to)| to.seconds() - from.seconds());
    let Some(seconds) = seconds.and_then(|s| u64::try_from(s).ok()) else {
        return Line::of("not known");
    };
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    Line::of(match (hours, minutes) {
        (0, _) => counted(minutes, "minute"),
        (hours, 0) => counted(hours, "hour"),
        (hours, minutes) => format!("{} {}", counted(hours, "hour"), counted(minutes, "minute")),
    })
}
