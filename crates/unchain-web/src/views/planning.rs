//! The form for a new plan. Must not know how a plan is made.

use super::containment::PlanContext;
use super::{Reply, Visit};
use crate::containment::Command;
use crate::html::{counted, lines, log};
use maud::{Markup, html};
use unchain_core::text::{Untrusted, terminal};

/// The levels, each with what it does.
const LEVELS: [(&str, &str); 3] = [
    (
        "contain",
        "End the lineage by what can be undone; other sessions of shared roles go on",
    ),
    (
        "evict",
        "Also end every other session of its roles, and passwords and MFA devices that it set",
    ),
    ("observe", "Change nothing, only watch"),
];

/// Asks what a plan is to be about, and how far it goes.
pub(crate) fn form(visit: &Visit<'_, '_>, context: &PlanContext) -> Reply {
    let node = visit
        .query
        .get("node")
        .map(|name| visit.world.names.node(name));
    let node = match node {
        Some(None) => return visit.missing("credential or thing"),
        Some(Some(node)) => Some(node),
        None => None,
    };
    let said = visit.query.get("pivot").map(Untrusted::new);
    let pivot = node
        .map(|node| pivot(visit, node))
        .or(said)
        .unwrap_or_default();
    let body = html! {
        p {
            "A plan is about everything that the pivot came from and all that came of it. Making one changes no account: "
            "it is shown, judged and kept in the case, and carried out only by whoever approves it."
        }
        @if let Some(node) = node { (about(visit, node)) }
        @if context.containment.read.is_some() { (fields(context, &pivot)) }
        @else { (elsewhere(context, &pivot)) }
    };
    visit.page("New plan", &body)
}

/// By what text a node is named in a plan.
fn pivot(visit: &Visit<'_, '_>, node: u32) -> Untrusted {
    let end = visit.report.end(node);
    end.access_key_id.or(end.principal_arn).unwrap_or_default()
}

/// What is known of the lineage of a node.
fn about(visit: &Visit<'_, '_>, node: u32) -> Markup {
    let lineage = visit.report.lineage();
    let root = lineage.root(node);
    let mut members = lineage.descendants(root);
    members.push(root);
    members.sort_unstable();
    members.dedup();
    members.retain(|&node| {
        lineage
            .node(node)
            .is_some_and(|node| node.kind.is_credential())
    });
    let works = members
        .iter()
        .filter(|&&node| visit.report.may_work(node))
        .count();
    html! {
        dl {
            dt { "About" } dd { (visit.labelled(node)) }
            dt { "Root" } dd { (visit.labelled(root)) }
            dt { "Its lineage" } dd {
                (counted(members.len(), "credential")) ", of which " (works) " may still work"
            }
        }
    }
}

fn fields(context: &PlanContext, pivot: &Untrusted) -> Markup {
    let fields = html! {
        div.field {
            label for="pivot" { "Pivot: a key id, ARN, role, user, session name, address or event id" }
            input #pivot name="pivot" value=(terminal(pivot.raw())) required autocomplete="off" spellcheck="false";
        }
        fieldset {
            legend { "How much is done" }
            @for (name, does) in LEVELS {
                div { input id=(format!("level-{name}")) type="radio" name="level" value=(name) checked[name == "contain"];
                    label for=(format!("level-{name}")) { strong { (name) } ": " (does) } }
            }
            div { input #remove type="checkbox" name="remove" value="on";
                label for="remove" { "Also delete, at the end, what the lineage made: this cannot be undone" } }
            div { input #freeze type="checkbox" name="freeze" value="on";
                label for="freeze" { "Also let nobody but the exempt make credentials or change permissions in its member "
                    "accounts until the plan is undone; needs the organization" } }
        }
        div.field {
            label for="exempt" { "Exempt: ARNs of users and roles that must keep access, such as your own; one a line" }
            textarea #exempt name="exempt" rows="3" spellcheck="false" {}
        }
        div.field {
            label for="shared" { "Shared: ARNs of roles whose other sessions must go on; one a line" }
            textarea #shared name="shared" rows="2" spellcheck="false" {}
        }
        p.soft { "Whom the settings file names under [containment] is spared too. Reading the accounts may take a minute." }
        button { "Make the plan" }
    };
    context.form("/containment/new", &fields)
}

/// Where the program cannot read the accounts.
fn elsewhere(context: &PlanContext, pivot: &Untrusted) -> Markup {
    let command = (context.containment.command)(Command::Plan(pivot.raw()));
    html! {
        p {
            "A plan needs the state of the accounts, and this program was not told how to read it. Start it with "
            code { "unchain serve --facts FOLDER" } " or " code { "--profile NAME" } ", or make the plan by a command:"
        }
        (lines(&command))
        @if pivot.is_empty() { p { "Put what is known in its place: a key id, an ARN, a role, a session name." } }
        @else { p.soft { "For " (log(pivot)) ". The plan is shown here as soon as it is made." } }
    }
}
