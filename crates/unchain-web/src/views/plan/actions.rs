//! What may be done with a plan next: forms where the program may do it, commands where it may not.

use crate::containment::{Command, Errand, PlanRecord};
use crate::html::lines;
use crate::views::Visit;
use crate::views::containment::PlanContext;
use maud::{Markup, html};
use unchain_core::contain::{Level, Phase};

/// An errand as the beginning of a sentence.
pub(super) fn words(errand: Errand) -> &'static str {
    match errand {
        Errand::Verify => "The verification",
        Errand::Look => "The look at the accounts",
        Errand::Apply => "Carrying the plan out",
        Errand::Undo => "Undoing the plan",
    }
}

/// What may follow, by where the plan stands.
pub(super) fn actions(
    (visit, context): (&Visit<'_, '_>, &PlanContext),
    (record, standing): (&PlanRecord, &'static str),
) -> Markup {
    let run = (context.containment.run)().filter(|run| run.ended.is_none());
    let again = visit.query.instant().with("pivot", record.plan.pivot.raw());
    html! {
        @if let Some(run) = run {
            @if run.digest == record.digest { p { "Wait until it has come to its end." } }
            @else { p { "Something is under way with another plan. One thing is done at a time." } }
        } @else if matches!(standing, "out-of-date" | "undone") {
            p { (why_over(standing)) " " a href=(again.link("/containment/new")) { "Make a new plan" } }
        } @else { (possible(context, (record, standing))) }
        (opinion(context, record))
        (commands(context, (record, standing)))
    }
}

fn why_over(standing: &'static str) -> &'static str {
    match standing {
        "undone" => "A plan that was undone is not carried out again.",
        _ => {
            "It had to be begun earlier: since then credentials may have been issued that it does not know."
        }
    }
}

/// What comes next of a plan that stands so.
fn next(record: &PlanRecord, standing: &'static str) -> &'static [Errand] {
    let changes = record.plan.settings.level != Level::Observe;
    match standing {
        _ if !changes => &[Errand::Verify],
        "planned" => &[Errand::Look, Errand::Apply],
        "stopped" => &[Errand::Apply, Errand::Undo],
        "partly-undone" => &[Errand::Undo],
        "verified" | "applied" | "not-contained" => &[Errand::Verify, Errand::Apply, Errand::Undo],
        _ => &[],
    }
}

fn possible(context: &PlanContext, (record, standing): (&PlanRecord, &'static str)) -> Markup {
    let containment = &context.containment;
    let may = |errand: &Errand| match errand {
        Errand::Verify => containment.verify.is_some(),
        Errand::Look | Errand::Apply | Errand::Undo => containment.act.is_some(),
    };
    let here: Vec<Errand> = next(record, standing).iter().copied().filter(may).collect();
    html! {
        @for errand in here { (form(context, record, (errand, standing))) }
        @if containment.act.is_none() {
            p.soft { "This program was not started with " code { "--allow-apply" } ", so that nothing can be carried out or undone from this page." }
        }
    }
}

/// What a button says, and what happens when it is pressed.
fn told(
    errand: Errand,
    (record, standing): (&PlanRecord, &'static str),
) -> (&'static str, &'static str) {
    let removes = record
        .plan
        .steps
        .iter()
        .any(|step| step.phase == Phase::Remove);
    match errand {
        Errand::Verify => (
            "Verify",
            "Reads the accounts and the log, and says whether any credential still works. Changes no account. Files that the program was given are read again: they must be from after the plan was carried out.",
        ),
        Errand::Look => (
            "Look first",
            "Looks at what each step would find. Changes no account.",
        ),
        Errand::Apply if standing == "planned" => (
            "Carry out this plan",
            "Changes the accounts, step by step. It looks first: where something is not as the plan knew it, nothing is changed.",
        ),
        Errand::Apply if standing == "stopped" => {
            ("Go on with it", "Goes on where the journal ends.")
        }
        Errand::Apply if removes && standing == "verified" => (
            "Delete what the lineage made",
            "Carries out the steps after the look. What they delete cannot be brought back.",
        ),
        Errand::Apply => (
            "Carry out again",
            "Puts again what somebody took away since, and goes on where the journal ends.",
        ),
        Errand::Undo => (
            "Undo this plan",
            "Puts back what the plan changed, as it was found. The lineage can work again after it.",
        ),
    }
}

fn form(
    context: &PlanContext,
    record: &PlanRecord,
    (errand, standing): (Errand, &'static str),
) -> Markup {
    let name = errand.name();
    let (button, does) = told(errand, (record, standing));
    let id = format!("approval-{name}");
    let approved = matches!(errand, Errand::Apply | Errand::Undo);
    let fields = html! {
        p { (does) }
        @if approved {
            div.field {
                label for=(id) { "To approve it, type the first 12 digits of its digest, or all of it" }
                input id=(id) name="approval" required minlength="12" maxlength="64" autocomplete="off" spellcheck="false";
            }
        }
        button.danger[approved] { (button) }
    };
    context.form(&format!("{}/{name}", record.path()), &fields)
}

/// Has the accounts read once more to say what speaks against the plan now.
fn opinion(context: &PlanContext, record: &PlanRecord) -> Markup {
    let fields = html! {
        p { "Reads the accounts and says what speaks against the plan now, and what it proves. Changes no account." }
        button { "Check it" }
    };
    html! {
        @if context.containment.read.is_some() { (context.form(&format!("{}/check", record.path()), &fields)) }
    }
}

/// The same on the command line.
fn commands(context: &PlanContext, (record, standing): (&PlanRecord, &'static str)) -> Markup {
    let next = next(record, standing);
    let command =
        |errand: &Errand| (context.containment.command)(Command::Errand(*errand, &record.digest));
    let all: Vec<String> = next.iter().map(command).collect();
    html! {
        @if !all.is_empty() {
            details open[context.containment.act.is_none()] {
                summary { "The same by a command" }
                (lines(&all.join("\n")))
            }
        }
    }
}
