//! A verification for people: what lives, what each proof rests on, and what to do next.

use crate::output::table::{Column, Table, room};
use crate::output::words::{clipped, counted, moment, paragraph, principal, shown};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::{self, Write};
use unchain_core::contain::{
    Conclusion, Containment, MissingHow, Phase, Plan, Reason, State, StateRow, Verification,
};
use unchain_core::text::Untrusted;

/// Rows of one kind that are shown; JSON has them all.
const SHORT: usize = 24;
/// Names in one line.
const FEW: usize = 6;

/// What may be done after a look.
#[derive(Debug)]
pub(super) struct After {
    /// Whether the plan was carried out from this case, or the beginning of it.
    pub(super) begun: bool,
    /// Whether the plan was undone from this case.
    pub(super) undone: bool,
    /// The command that carries the plan out.
    pub(super) apply: String,
    /// The command that makes a new plan.
    pub(super) plan: String,
}

/// Prints everything that a person needs to go on.
pub(super) fn print(
    out: &mut dyn Write,
    width: usize,
    (plan, found, after): (&Plan, &Verification, &After),
) -> io::Result<()> {
    head(out, width, (plan, found))?;
    proofs(out, width, found)?;
    missing(out, width, found)?;
    credentials(out, width, found)?;
    log(out, width, found)?;
    next(out, width, (plan, found, after))
}

/// What the proofs say together, in one word.
pub(crate) fn word(outcome: Containment) -> &'static str {
    match outcome {
        Containment::Contained => "contained",
        Containment::Lives => "NOT CONTAINED",
        Containment::Incomplete => "not known",
    }
}

fn head(
    out: &mut dyn Write,
    width: usize,
    (plan, found): (&Plan, &Verification),
) -> io::Result<()> {
    let id = clipped(&plan.id);
    writeln!(out, "VERIFICATION  {id}: {}", word(found.outcome))?;
    writeln!(out, "  digest   {}", found.plan)?;
    let asked = format!(
        "{} UTC, for {}",
        moment(found.at),
        clipped(plan.pivot.raw())
    );
    paragraph(out, width, ("  asked    ", "           "), &asked)
}

fn proofs(out: &mut dyn Write, width: usize, found: &Verification) -> io::Result<()> {
    writeln!(out, "\nPROOFS")?;
    let each = [
        ("accounts", &found.snapshot.conclusion),
        ("log", &found.trail.conclusion),
        ("probe", &found.probe.conclusion),
    ];
    for (name, conclusion) in each {
        let says = match conclusion {
            Conclusion::Proven => "proven",
            Conclusion::Refuted(_) => "REFUTED",
            Conclusion::Unknown(_) => "unknown",
        };
        writeln!(out, "  {name:<9}{says}")?;
        // Credentials of one user live for one reason, which is told once.
        let mut reasons: Vec<String> = conclusion.reasons().iter().map(told).collect();
        reasons.dedup();
        let mark = match conclusion {
            Conclusion::Refuted(_) => "    ! ",
            Conclusion::Proven | Conclusion::Unknown(_) => "    ? ",
        };
        for reason in reasons.iter().take(SHORT) {
            paragraph(out, width, (mark, "      "), reason)?;
        }
        more(out, reasons.len())?;
    }
    Ok(())
}

fn more(out: &mut dyn Write, all: usize) -> io::Result<()> {
    match all.saturating_sub(SHORT) {
        0 => Ok(()),
        left => writeln!(out, "  … and {left} more; --format json has them"),
    }
}

/// A reason in one sentence.
pub(crate) fn told(reason: &Reason) -> String {
    let about = principal(&reason.about);
    let about = if about.is_empty() {
        String::new()
    } else {
        format!("{about}: ")
    };
    match listed(&reason.names) {
        names if names.is_empty() => format!("{about}{}", reason.why),
        names => format!("{about}{}: {names}", reason.why),
    }
}

fn listed(names: &BTreeSet<Untrusted>) -> String {
    let few: Vec<String> = names.iter().take(FEW).map(shown).collect();
    let rest = match names.len().saturating_sub(FEW) {
        0 => String::new(),
        left => format!(" and {left} more"),
    };
    format!("{}{rest}", few.join(", "))
}

fn missing(out: &mut dyn Write, width: usize, found: &Verification) -> io::Result<()> {
    if found.missing.is_empty() {
        return Ok(());
    }
    let steps = counted(found.missing.len() as u64, "step");
    writeln!(out, "\nSTEPS NOT IN FORCE  {steps}")?;
    for step in found.missing.iter().take(SHORT) {
        let mark = if step.how == MissingHow::Unread {
            "?"
        } else {
            "!"
        };
        let (action, target) = (clipped(&step.action), principal(&step.target));
        let text = format!("{action}  {target} {}", step.how.words());
        paragraph(
            out,
            width,
            (&format!("  {mark} {:>4}  ", step.step), "          "),
            &text,
        )?;
    }
    more(out, found.missing.len())
}

fn credentials(out: &mut dyn Write, width: usize, found: &Verification) -> io::Result<()> {
    let rows = &found.snapshot.credentials;
    if rows.is_empty() {
        return Ok(());
    }
    let dead = rows.iter().filter(|row| is_dead(row)).count();
    let all = counted(rows.len() as u64, "credential");
    writeln!(out, "\nCREDENTIALS  {dead} of {all} denied, over or gone")?;
    let columns = vec![
        Column::new("CREDENTIAL", 34).hanging(),
        Column::new("NOW", 7),
        Column::new("BY", room(width, 3, 34 + 7)).hanging(),
    ];
    let mut table = Table::new(out, columns);
    let mut ordered: Vec<&StateRow> = rows.iter().collect();
    ordered.sort_by_key(|row| is_dead(row));
    let limit = SHORT.max(rows.len() - dead);
    for row in ordered.iter().take(limit) {
        table.row(&cells(row))?;
    }
    table.finish()?;
    match rows.len().saturating_sub(limit) {
        0 => Ok(()),
        left => writeln!(out, "  … and {left} more; --format json has them"),
    }
}

fn is_dead(row: &StateRow) -> bool {
    let open = matches!(row.state, State::Lives { .. } | State::Unknown { .. });
    !open && row.active != Some(true)
}

fn cells(row: &StateRow) -> Vec<String> {
    let (now, by) = match &row.state {
        State::Denied { by } => ("denied", lines(by)),
        State::Over => ("over", String::new()),
        State::Gone => ("gone", String::new()),
        State::Lives { may } => ("LIVES", format!("nothing denies {}", listed(may))),
        State::Unknown { for_want_of } => ("unknown", format!("not read: {}", listed(for_want_of))),
    };
    let key = match row.active {
        Some(true) => "the key is ACTIVE",
        Some(false) => "the key is inactive",
        None => "",
    };
    let late = if row.late { "not in the plan" } else { "" };
    let notes = [by.as_str(), key]
        .into_iter()
        .filter(|text| !text.is_empty());
    // A user, its password and its sessions at the console have one name.
    let kind = match row.who.raw().starts_with("arn:") {
        true => shown(&row.kind).replace('-', " "),
        false => String::new(),
    };
    let name = [principal(&row.who), kind, late.to_owned()];
    let name: Vec<String> = name.into_iter().filter(|line| !line.is_empty()).collect();
    vec![
        name.join("\n"),
        now.to_owned(),
        notes.collect::<Vec<_>>().join("\n"),
    ]
}

fn lines(names: &BTreeSet<Untrusted>) -> String {
    let all: Vec<String> = names.iter().take(FEW).map(shown).collect();
    all.join("\n")
}

fn log(out: &mut dyn Write, width: usize, found: &Verification) -> io::Result<()> {
    let trail = &found.trail;
    let (after, until) = (moment(trail.after), moment(trail.until));
    writeln!(out, "\nLOG  after {after} UTC, needed until {until} UTC")?;
    let reached = match trail.reached {
        Some(reached) => format!(
            "reaches {} UTC in every account of the lineage",
            moment(reached)
        ),
        None => "does not have every account of the lineage".to_owned(),
    };
    paragraph(out, width, ("  ", "    "), &reached)?;
    for call in trail.successes.iter().take(SHORT) {
        let (mark, note) = if call.harmless {
            ("  - ", ", which is never denied")
        } else {
            ("  ! ", "")
        };
        let times = counted(call.count, "time");
        let (who, action) = (principal(&call.who), shown(&call.action));
        let text = format!(
            "{who} {action} succeeded {times}, last {} UTC{note}",
            moment(call.last)
        );
        paragraph(out, width, (mark, "    "), &text)?;
    }
    more(out, trail.successes.len())?;
    for failed in trail.failures.iter().take(SHORT) {
        let calls = counted(failed.count, "call");
        let text = format!(
            "{} {calls} {}, last {} UTC: {}",
            principal(&failed.who),
            failed.class.words(),
            moment(failed.last),
            listed(&failed.actions)
        );
        paragraph(out, width, ("  - ", "    "), &text)?;
    }
    more(out, trail.failures.len())?;
    for new in trail.descendants.iter().take(SHORT) {
        let made = new.made_at.map(|at| format!(", made {} UTC", moment(at)));
        let kind = shown(&new.kind).replace('-', " ");
        let text = format!(
            "{} ({kind}) is not in the plan{}",
            principal(&new.who),
            made.unwrap_or_default()
        );
        paragraph(out, width, ("  + ", "    "), &text)?;
    }
    more(out, trail.descendants.len())
}

fn next(
    out: &mut dyn Write,
    width: usize,
    (plan, found, after): (&Plan, &Verification, &After),
) -> io::Result<()> {
    writeln!(out, "\nNEXT")?;
    let (text, command) = advice((plan, found, after));
    paragraph(out, width, ("  ", "  "), &text)?;
    match command {
        // Whole, so that it can be pasted.
        Some(command) => writeln!(out, "  {command}"),
        None => Ok(()),
    }
}

fn advice<'a>(
    (plan, found, after): (&Plan, &Verification, &'a After),
) -> (Cow<'static, str>, Option<&'a str>) {
    let lost = found
        .missing
        .iter()
        .any(|step| step.how != MissingHow::Unread);
    match found.outcome {
        Containment::Contained if found.allows_removal() => contained((plan, found, after)),
        Containment::Contained => (
            "Nobody got through. Verify by the accounts too: a credential that nobody used would not show in the log."
                .into(),
            None,
        ),
        _ if after.undone => (
            "The plan was undone, and is not carried out again. To contain the lineage plan again, with the same people spared:"
                .into(),
            Some(&after.plan),
        ),
        _ if !found.trail.descendants.is_empty() => (
            "The lineage has grown. Make a plan that knows it, with the same people spared:".into(),
            Some(&after.plan),
        ),
        _ if lost && !after.begun => (
            "The plan is not in force, and the case has no journal of it. Carry it out, or name the case of \
             `unchain apply` with --case:"
                .into(),
            Some(&after.apply),
        ),
        _ if lost => (
            "Part of the plan is not in force. Find out who took it away, and carry the plan out again:".into(),
            Some(&after.apply),
        ),
        Containment::Lives => (
            "Something lives: look at what refutes it, and plan again, with the same people spared:".into(),
            Some(&after.plan),
        ),
        Containment::Incomplete => (
            "It is not known yet: give what is missing above, or wait for the log with --watch.".into(),
            None,
        ),
    }
}

/// The accounts prove it: what the log can still tell, and what waited for the proof.
fn contained<'a>(
    (plan, found, after): (&Plan, &Verification, &'a After),
) -> (Cow<'static, str>, Option<&'a str>) {
    let mut text =
        "The lineage is contained. Go on watching, and mend what let it begin.".to_owned();
    if matches!(found.trail.conclusion, Conclusion::Unknown(_)) {
        let until = moment(found.trail.until);
        text.push_str(&format!(
            " The log can tell from {until} UTC on: scan it then, and verify again."
        ));
    }
    let removes = plan.steps.iter().any(|step| step.phase == Phase::Remove);
    if removes && !after.undone {
        text.push_str(" What the lineage made may be deleted now, which cannot be undone:");
        return (text.into(), Some(&after.apply));
    }
    (text.into(), None)
}
