//! A plan for people: what is done in which order, what it breaks, what speaks against it, and its proof.

use super::{Form, Planned};
use crate::output::table::{Column, Table, room};
use crate::output::words::{clipped, counted, moment, paragraph, pasted, principal, shown};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use unchain_core::contain::{
    Action, Call, Kept, Level, Note, Phase, Plan, Proof, Severity, Standing, Step, Subject, Undo,
    Verdict,
};
use unchain_core::text::Untrusted;

/// Credentials of one kind that are shown; JSON has them all.
const SHORT: usize = 24;
/// Actions of one credential that are shown.
const FEW: usize = 6;

/// Digits of the digest that approve a plan.
const DIGITS: usize = 12;

/// Prints everything that a person needs to approve a plan. `meanings` is given if the pivot means several lineages.
pub(super) fn print(
    out: &mut dyn Write,
    width: usize,
    (planned, meanings): (&Planned, Option<usize>),
) -> io::Result<()> {
    head(out, width, planned)?;
    if let Some(count) = meanings {
        let count = counted(count as u64, "credential");
        let text =
            format!("the pivot means {count} of several lineages: the plan ends all of them");
        paragraph(out, width, ("  ! ", "    "), &text)?;
    }
    steps(out, width, &planned.plan)?;
    breaks(out, width, &planned.plan)?;
    notes(out, width, &planned.notes)?;
    proof(out, width, planned)?;
    left_open(out, width, &planned.plan)
}

fn head(out: &mut dyn Write, width: usize, planned: &Planned) -> io::Result<()> {
    let plan = &planned.plan;
    let level = plan.settings.level.name();
    let pivot = clipped(plan.pivot.raw());
    writeln!(out, "PLAN  {}, level {level}, for {pivot}", plan.id)?;
    writeln!(out, "  digest   {}", planned.digest)?;
    let credentials = plan.subjects.iter().filter(|s| s.credential);
    let owners: BTreeSet<_> = credentials
        .clone()
        .filter_map(|s| s.owner.as_ref())
        .collect();
    let accounts: BTreeSet<_> = credentials
        .clone()
        .filter_map(|s| s.account.as_ref())
        .collect();
    let lineage = format!(
        "{} of {} in {}, and {} made",
        counted(credentials.count() as u64, "credential"),
        counted(owners.len() as u64, "principal"),
        counted(accounts.len() as u64, "account"),
        counted(plan.made.len() as u64, "other thing"),
    );
    let begin = format!(
        "before {} UTC; after that, plan again",
        moment(plan.valid_until)
    );
    let cut = format!(
        "{} UTC: what was issued before is denied",
        moment(plan.cut_off)
    );
    let spared: Vec<String> = plan.settings.exempt.iter().map(principal).collect();
    let spared = if spared.is_empty() {
        "nobody: name yourself with --exempt".to_owned()
    } else {
        spared.join(", ")
    };
    let ledger = counted(plan.ledger.events, "event");
    let ledger = match plan.ledger.last {
        Some(last) => format!("{ledger} read, the last at {} UTC", moment(last)),
        None => format!("{ledger} read"),
    };
    let rows = [
        ("lineage", lineage),
        ("log", ledger),
        ("begin", begin),
        ("cut-off", cut),
        ("spared", spared),
    ];
    for (name, text) in rows {
        paragraph(
            out,
            width,
            (&format!("  {name:<7}  "), "           "),
            &text,
        )?;
    }
    Ok(())
}

/// The steps, phase by phase.
pub(in crate::contain) fn steps(out: &mut dyn Write, width: usize, plan: &Plan) -> io::Result<()> {
    let calls = plan.steps.iter().filter_map(call);
    let accounts: BTreeSet<_> = calls.clone().map(|call| &call.account).collect();
    let (calls, accounts) = (calls.count() as u64, accounts.len() as u64);
    let calls = counted(calls, "call");
    let accounts = counted(accounts, "account");
    writeln!(out, "\nSTEPS  {calls} in {accounts}")?;
    let mut before: Option<&Step> = None;
    for step in &plan.steps {
        if before.map(|before| before.phase) != Some(step.phase) {
            let (name, what) = (step.phase.name(), step.phase.purpose());
            writeln!(out, "  {}: {what}", name.to_uppercase())?;
            before = None;
        }
        let number = format!("  {:>4}  ", step.number);
        paragraph(out, width, (&number, "          "), &title(plan, step))?;
        if before.map(|before| &before.reason) != Some(&step.reason) {
            paragraph(out, width, ("        ", "        "), &step.reason)?;
        }
        if let Undo::Never(why) = &step.undo
            && before.map(|before| &before.undo) != Some(&step.undo)
        {
            let text = format!("cannot be undone: {why}");
            paragraph(out, width, ("      ! ", "        "), &text)?;
        }
        before = Some(step);
    }
    Ok(())
}

fn call(step: &Step) -> Option<&Call> {
    match &step.action {
        Action::Call(call) => Some(call),
        Action::Wait(_) | Action::Verify { .. } => None,
    }
}

/// What a step does, in a line.
pub(in crate::contain) fn title(plan: &Plan, step: &Step) -> String {
    match &step.action {
        Action::Call(call) => {
            let action = clipped(&call.action);
            let target = principal(&step.target);
            // A key is its user's, and a call is made where it is counted.
            let account = shown(&call.account);
            let whose = whose(plan, step).filter(|whose| *whose != target);
            let whose = whose
                .map(|whose| format!(" of {whose}"))
                .unwrap_or_default();
            let policy = deleted(call).map(|name| format!("{name} of "));
            let policy = policy.unwrap_or_default();
            format!("{action} {policy}{target}{whose} in {account}")
        }
        Action::Wait(seconds) => counted(u64::from(*seconds), "second"),
        Action::Verify { after, until } => {
            format!(
                "calls after {} UTC, until {} UTC",
                moment(*after),
                moment(*until)
            )
        }
    }
}

/// The inline policy that a call deletes: there may be several of one user or role.
fn deleted(call: &Call) -> Option<String> {
    let deletes = matches!(
        call.action.as_str(),
        "DeleteUserPolicy" | "DeleteRolePolicy" | "DeleteGroupPolicy"
    );
    let name = call.parameters.get("PolicyName").filter(|_| deletes)?;
    Some(clipped(name.as_str()?))
}

/// Whose a key or device is, where a step is about one only.
fn whose(plan: &Plan, step: &Step) -> Option<String> {
    let [one] = step.subjects.as_slice() else {
        return None;
    };
    let subject = plan.subjects.get(*one as usize)?;
    let owner = subject.owner.as_ref()?;
    matches!(step.phase, Phase::Keys | Phase::SignIn)
        .then(|| principal(&Untrusted::new(owner.arn())))
}

/// Who loses what.
pub(in crate::contain) fn breaks(out: &mut dyn Write, width: usize, plan: &Plan) -> io::Result<()> {
    let mut by_who: BTreeMap<_, Vec<u32>> = BTreeMap::new();
    for step in &plan.steps {
        for broken in &step.breaks {
            by_who.entry(broken).or_default().push(step.number);
        }
    }
    if by_who.is_empty() {
        return writeln!(out, "\nBREAKS  nothing outside the lineage that is known");
    }
    let who: BTreeSet<_> = by_who.keys().map(|broken| &broken.who).collect();
    writeln!(out, "\nBREAKS  {} outside the lineage", who.len())?;
    for (broken, steps) in by_who {
        let steps: Vec<String> = steps.iter().map(u32::to_string).collect();
        let text = format!(
            "{} {} (step {})",
            principal(&broken.who),
            broken.what,
            steps.join(", ")
        );
        paragraph(out, width, ("  ", "    "), &text)?;
    }
    Ok(())
}

/// What speaks against a plan.
pub(in crate::contain) fn notes(
    out: &mut dyn Write,
    width: usize,
    notes: &[Note],
) -> io::Result<()> {
    let refusals = notes.iter().filter(|n| n.severity == Severity::Refuse);
    let (refusals, all) = (refusals.count(), notes.len());
    let warnings = counted((all - refusals) as u64, "warning");
    match (refusals, all) {
        (0, 0) => writeln!(out, "\nCHECK  nothing speaks against it")?,
        (0, _) => writeln!(out, "\nCHECK  {warnings}")?,
        (refused, _) => {
            let refused = counted(refused as u64, "reason");
            writeln!(out, "\nCHECK  refused for {refused}, and {warnings}")?;
        }
    }
    let mut same: Vec<(&Note, Vec<String>)> = Vec::new();
    for note in notes {
        let about = principal(&note.about);
        let alike = |other: &Note| {
            (other.severity, other.code, &other.why) == (note.severity, note.code, &note.why)
        };
        match same.iter_mut().find(|(other, _)| alike(other)) {
            Some((_, abouts)) => abouts.push(about),
            None => same.push((note, vec![about])),
        }
    }
    for (note, abouts) in same {
        let mark = match note.severity {
            Severity::Refuse => "  ! refused: ",
            Severity::Warn => "  ? ",
        };
        let text = format!("{}: {} ({})", first(&abouts), note.why, note.code);
        paragraph(out, width, (mark, "    "), &text)?;
    }
    Ok(())
}

fn proof(out: &mut dyn Write, width: usize, planned: &Planned) -> io::Result<()> {
    let (plan, proof) = (&planned.plan, &planned.proof);
    let count = |wanted: fn(&Verdict) -> bool| {
        let found = proof.standings.iter().filter(|s| wanted(&s.verdict));
        found.count() as u64
    };
    writeln!(
        out,
        "\nPROOF  of the credentials {} denied after the plan, {} over, {} open",
        count(|v| matches!(v, Verdict::Denied(_))),
        count(|v| matches!(v, Verdict::Over)),
        count(|v| matches!(v, Verdict::Open(_))),
    )?;
    let columns = vec![
        Column::new("CREDENTIAL", 34).hanging(),
        Column::new("AFTER", 6),
        Column::new("BY", room(width, 3, 34 + 6)).hanging(),
    ];
    let mut table = Table::new(out, columns);
    let mut standings: Vec<&Standing> = proof.standings.iter().collect();
    standings.sort_by_key(|s| !matches!(s.verdict, Verdict::Open(_)));
    let opened = count(|v| matches!(v, Verdict::Open(_)));
    let limit = SHORT.max(usize::try_from(opened).unwrap_or(SHORT));
    for standing in standings.iter().take(limit) {
        table.row(&verdict(plan, standing))?;
    }
    table.finish()?;
    more(out, standings.len(), limit)?;
    ways(out, width, (plan, proof))?;
    kept(out, width, &proof.outside)
}

/// The first names, and how many there are besides.
fn first(names: &[String]) -> String {
    let shown = names.get(..SHORT).unwrap_or(names).join(", ");
    match names.len().saturating_sub(SHORT) {
        0 => shown,
        left => format!("{shown} and {left} more"),
    }
}

fn more(out: &mut dyn Write, all: usize, limit: usize) -> io::Result<()> {
    match all.saturating_sub(limit) {
        0 => Ok(()),
        left => writeln!(out, "  … and {left} more; --format json has them"),
    }
}

/// The name of a credential or thing of a plan.
fn name(subject: Option<&Subject>) -> String {
    let Some(subject) = subject else {
        return String::new();
    };
    match (&subject.access_key_id, &subject.principal_arn) {
        (Some(key), _) => shown(key),
        (None, Some(arn)) => principal(arn),
        (None, None) => shown(&subject.kind),
    }
}

fn verdict(plan: &Plan, standing: &Standing) -> Vec<String> {
    let subject = plan.subjects.get(standing.subject as usize);
    let whose = subject
        .and_then(|s| s.principal_arn.as_ref())
        .map(principal);
    let name = name(subject);
    let whose = whose.filter(|whose| *whose != name).unwrap_or_default();
    let (after, by) = match &standing.verdict {
        Verdict::Denied(by) => ("denied", by.iter().map(|p| clipped(p)).collect::<Vec<_>>()),
        Verdict::Over => ("over", Vec::new()),
        Verdict::Open(actions) => ("OPEN", open(actions)),
    };
    vec![
        format!("{name}\n{whose}").trim_end().to_owned(),
        after.to_owned(),
        by.join("\n"),
    ]
}

/// The actions that are not denied for sure, and what decides.
fn open(actions: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let told = |(action, keys): (&String, &BTreeSet<String>)| {
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        if keys.is_empty() {
            clipped(action)
        } else {
            clipped(&format!("{action}, by {}", keys.join(" ")))
        }
    };
    let mut lines: Vec<String> = actions.iter().take(FEW).map(told).collect();
    if actions.len() > FEW {
        lines.push(format!("and {} more", actions.len() - FEW));
    }
    lines
}

fn ways(out: &mut dyn Write, width: usize, (plan, proof): (&Plan, &Proof)) -> io::Result<()> {
    for &key in &proof.active_keys {
        let name = name(plan.subjects.get(key as usize));
        let text = format!("{name} is still active");
        paragraph(out, width, ("  ! ", "    "), &text)?;
    }
    for door in &proof.doors {
        let text = format!(
            "{} still lets in {}",
            principal(&door.role),
            shown(&door.who)
        );
        paragraph(out, width, ("  ! ", "    "), &text)?;
    }
    Ok(())
}

fn kept(out: &mut dyn Write, width: usize, outside: &[Kept]) -> io::Result<()> {
    let hit = outside
        .iter()
        .filter(|k| !k.lost.is_empty() || !k.depends.is_empty());
    let hit: Vec<&Kept> = hit.collect();
    let whole = outside.len() - hit.len();
    if !outside.is_empty() {
        let all = counted(outside.len() as u64, "credential");
        writeln!(
            out,
            "  Of {all} beside the lineage {whole} keep all that was seen of them."
        )?;
    }
    for kept in hit.iter().take(SHORT) {
        let who = principal(&kept.who);
        for (what, actions) in [("loses", &kept.lost), ("may lose", &kept.depends)] {
            if !actions.is_empty() {
                let listed: Vec<&str> = actions.iter().map(String::as_str).collect();
                let text = format!("{who} {what} {}", listed.join(" "));
                paragraph(out, width, ("  - ", "    "), &text)?;
            }
        }
    }
    more(out, hit.len(), SHORT)
}

fn left_open(out: &mut dyn Write, width: usize, plan: &Plan) -> io::Result<()> {
    if plan.open.is_empty() {
        return writeln!(out, "\nLEFT OPEN  nothing that is known");
    }
    let ways = counted(plan.open.len() as u64, "way");
    writeln!(out, "\nLEFT OPEN  {ways}")?;
    for open in plan.open.iter().take(SHORT) {
        let until = match open.until {
            Some(until) => format!("; over at {} UTC", moment(until)),
            None => String::new(),
        };
        let subject = name(plan.subjects.get(open.subject as usize));
        let text = format!("{subject}: {}{until}", open.why);
        paragraph(out, width, ("  ? ", "    "), &text)?;
    }
    more(out, plan.open.len(), SHORT)
}

/// What to do with what was written.
pub(super) fn next(
    out: &mut dyn Write,
    width: usize,
    (planned, form, with): (&Planned, Form, &str),
) -> io::Result<()> {
    writeln!(out, "\nNEXT")?;
    let Some(file) = &planned.file else {
        let text = "The plan was refused and not written. Mend what is refused, and plan again.";
        return paragraph(out, width, ("  ", "  "), text);
    };
    let file = pasted(file.raw()).unwrap_or_else(|| "…".to_owned());
    let text = match form {
        Form::Plan if planned.plan.settings.level == Level::Observe => {
            return writeln!(out, "  unchain verify {file}{with}");
        }
        Form::Plan => {
            let digits: String = planned.digest.chars().take(DIGITS).collect();
            return writeln!(out, "  unchain apply {file} --approve {digits}{with}");
        }
        Form::Script => "read it, name a profile for each account, and run it with bash",
        Form::Cloudformation => "deploy it in each account; its metadata lists what it cannot do",
        Form::Terraform => "apply it alone in a folder; its comment lists what it cannot do",
    };
    paragraph(out, width, ("  ", "  "), &format!("{file}: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_names_are_some_names_and_a_number() {
        let names: Vec<String> = (0..1_000).map(|number| format!("n{number}")).collect();
        let few = names.get(..SHORT).unwrap();
        assert_eq!(first(few), few.join(", "));
        assert_eq!(first(&names), format!("{} and 976 more", few.join(", ")));
    }
}
