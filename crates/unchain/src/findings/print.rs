//! Findings for people: incidents with their story first, then what stands alone.

use crate::output::words::{clipped, counted, minute, moment, paragraph, pasted, shown};
use std::io::{self, Write};
use unchain_core::finding::Severity;
use unchain_core::report::{Coverage, FindingRow, Findings, IncidentRow, Next, StepRow};

/// Lines of a story, and findings outside incidents, that are shown unless all are asked for.
const SHORT: usize = 24;

/// Incidents that a scan names.
const BRIEF: usize = 5;

/// How much to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Everything.
    Whole,
    /// What fits.
    Short,
}

impl Detail {
    fn limit(self) -> usize {
        match self {
            Self::Whole => usize::MAX,
            Self::Short => SHORT,
        }
    }
}

/// Prints incidents and findings. `again` are the options with which another command asks the same.
pub(crate) fn print(
    out: &mut dyn Write,
    width: usize,
    (findings, again): (&Findings, &str),
    detail: Detail,
) -> io::Result<()> {
    heading(out, findings)?;
    for found in &findings.incidents {
        writeln!(out)?;
        incident(out, width, (findings, found, again), detail)?;
    }
    alone(out, width, findings, detail)
}

/// Incidents in one line each: what a scan says.
pub(crate) fn brief(out: &mut dyn Write, width: usize, findings: &Findings) -> io::Result<()> {
    heading(out, findings)?;
    for incident in findings.incidents.iter().take(BRIEF) {
        let begin = format!("  {} {}: ", minute(incident.first), incident.severity);
        paragraph(out, width, (&begin, "    "), incident.title.raw())?;
    }
    let left = findings.incidents.len().saturating_sub(BRIEF);
    if left > 0 {
        writeln!(out, "  … and {}", counted(left as u64, "more incident"))?;
    }
    Ok(())
}

fn heading(out: &mut dyn Write, findings: &Findings) -> io::Result<()> {
    let (incidents, all) = (findings.incidents.len(), findings.findings.len());
    if all == 0 {
        return writeln!(out, "FINDINGS  none");
    }
    let expected = findings
        .findings
        .iter()
        .filter(|f| f.allowed_by.is_some())
        .count();
    let expected = match expected {
        0 => String::new(),
        n => format!(", {n} of them expected"),
    };
    writeln!(
        out,
        "FINDINGS  {}, {}{expected}",
        counted(incidents as u64, "incident"),
        counted(all as u64, "finding"),
    )
}

fn incident(
    out: &mut dyn Write,
    width: usize,
    (findings, incident, again): (&Findings, &IncidentRow, &str),
    detail: Detail,
) -> io::Result<()> {
    let title = format!(
        "{}  {}",
        incident.severity.to_uppercase(),
        incident.title.raw()
    );
    paragraph(out, width, ("", "  "), &title)?;
    let accounts: Vec<String> = incident.accounts.iter().map(shown).collect();
    let facts = format!(
        "{} to {} UTC · {} · {}, {} may still work",
        minute(incident.first),
        minute(incident.last),
        accounts.join(" "),
        counted(incident.credentials, "credential"),
        incident.may_work,
    );
    paragraph(out, width, ("  ", "  "), &facts)?;
    let marks = format!("{} · {}", incident.id, incident.techniques.join(" "));
    paragraph(out, width, ("  ", "  "), &marks)?;
    story(out, width, (findings, &incident.story), detail)?;
    for unseen in &incident.not_visible {
        paragraph(out, width, ("  ? ", "    "), unseen)?;
    }
    next(out, &incident.next, again)
}

fn story(
    out: &mut dyn Write,
    width: usize,
    (findings, story): (&Findings, &[StepRow]),
    detail: Detail,
) -> io::Result<()> {
    // What was found matters more than how its subjects came to be.
    let told = |step: &&StepRow| step.finding.is_some();
    let plain = story.len() - story.iter().filter(told).count();
    let room = detail.limit().saturating_sub(story.len() - plain);
    let mut left = room;
    let mut hidden = 0;
    let mut day = String::new();
    for step in story {
        if step.finding.is_none() {
            if left == 0 {
                hidden += 1;
                continue;
            }
            left -= 1;
        }
        let time = moment(step.time);
        let (date, clock) = time.split_once(' ').unwrap_or(("", &time));
        if date != day {
            writeln!(out, "  {date}")?;
            date.clone_into(&mut day);
        }
        line(out, width, clock, (findings, step))?;
    }
    if hidden > 0 {
        writeln!(out, "    … and {} (--all)", counted(hidden, "step"))?;
    }
    Ok(())
}

fn line(
    out: &mut dyn Write,
    width: usize,
    clock: &str,
    (findings, step): (&Findings, &StepRow),
) -> io::Result<()> {
    let found = step
        .finding
        .as_ref()
        .and_then(|id| findings.findings.iter().find(|f| f.id == *id));
    let begin = match found {
        Some(finding) => format!("  {clock} ! {}: ", finding.severity),
        None => format!("  {clock}   "),
    };
    paragraph(out, width, (&begin, "             "), step.what.raw())
}

fn alone(out: &mut dyn Write, width: usize, findings: &Findings, detail: Detail) -> io::Result<()> {
    let mut rows: Vec<&FindingRow> = findings
        .findings
        .iter()
        .filter(|f| f.incident.is_none())
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    rows.sort_by_key(|f| std::cmp::Reverse(Severity::named(f.severity)));
    writeln!(out, "\nIN NO INCIDENT")?;
    for finding in rows.iter().take(detail.limit()) {
        let begin = format!("  {} {}: ", minute(finding.first), finding.severity);
        paragraph(out, width, (&begin, "    "), finding.what.raw())?;
        let mut facts = format!(
            "{} · {} confidence · {}",
            finding.id, finding.confidence, finding.detection
        );
        if let Some(reason) = &finding.allowed_by {
            facts = format!("{facts} · expected: {}", clipped(reason));
        }
        paragraph(out, width, ("    ", "    "), &facts)?;
    }
    let left = rows.len().saturating_sub(detail.limit());
    if left > 0 {
        writeln!(
            out,
            "  … and {} (--all)",
            counted(left as u64, "more finding")
        )?;
    }
    Ok(())
}

/// What the answer rests on, in short.
pub(super) fn coverage(out: &mut dyn Write, width: usize, coverage: &Coverage) -> io::Result<()> {
    let span = coverage.from.zip(coverage.to);
    let span = span.map_or_else(
        || "no event was read".to_owned(),
        |(from, to)| {
            let events = counted(coverage.events, "event");
            let accounts = counted(coverage.accounts.len() as u64, "account");
            format!(
                "{} to {} UTC, {events}, {accounts}",
                minute(from),
                minute(to)
            )
        },
    );
    writeln!(out, "\nCOVERAGE  {span}")?;
    for warning in &coverage.warnings {
        paragraph(out, width, ("  ! ", "    "), warning)?;
    }
    Ok(())
}

/// The command that leads on, if its pivot can be pasted into a shell.
fn next(out: &mut dyn Write, next: &Next, again: &str) -> io::Result<()> {
    match pasted(next.pivot.raw()) {
        Some(pivot) => writeln!(out, "  > unchain {} {pivot}{again}", next.command),
        None => writeln!(out, "  > unchain {} …", next.command),
    }
}
