//! One node: where it came from, what it did, what came of it.

use super::findings::named;
use super::lineage::drawn;
use super::{Reply, Visit};
use crate::html::{column, first, log, maybe, maybe_time, outside, table, time, word};
use maud::{Markup, html};
use std::cmp::Reverse;
use unchain_core::ledger::Use;
use unchain_core::lineage::{Edge, UsesByNode};
use unchain_core::report::Token;
use unchain_core::text::Untrusted;

/// One node.
pub(crate) fn one(visit: &Visit<'_, '_>) -> Reply {
    let Some(node) = visit.world.names.node(visit.id) else {
        return visit.missing("credential or thing");
    };
    let body = html! {
        p { (log(&visit.report.label(node))) }
        (body(visit, node))
    };
    visit.page(&kind(visit, node), &body)
}

/// What a node is, as a heading.
pub(crate) fn kind(visit: &Visit<'_, '_>, node: u32) -> String {
    let kind = visit.report.end(node).kind.replace('-', " ");
    let mut letters = kind.chars();
    let initial = letters.next().into_iter().flat_map(char::to_uppercase);
    initial.chain(letters).collect()
}

/// What is known of a node.
pub(crate) fn body(visit: &Visit<'_, '_>, node: u32) -> Markup {
    let lineage = visit.report.lineage();
    let uses = UsesByNode::of(lineage, &[node]);
    let up: Vec<&Edge> = lineage.parents(node).collect();
    let down: Vec<&Edge> = lineage.children(node).collect();
    html! {
        @if !visit.is_file() {
            p { (others(visit, node)) " · " a href=(visit.plan_about(node)) { "Plan how to end its lineage" } }
        }
        (facts(visit, node))
        (visit.part("Came from"))
        (edges(visit, &up, |edge| edge.parent))
        (visit.part("What came of it"))
        (edges(visit, &down, |edge| edge.child))
        (visit.part("Used from"))
        (addresses(visit, &uses.addresses(lineage, node)))
        @if !visit.is_file() { div #uses {} }
        (visit.part("Uses"))
        (used(visit, &uses, node))
        (visit.part("Findings about it"))
        (named(visit, |_, subject| subject == node))
    }
}

fn addresses(visit: &Visit<'_, '_>, addresses: &[Untrusted]) -> Markup {
    html! {
        @if addresses.is_empty() { p { "The log shows no address." } }
        @else {
            ul { @for address in addresses.iter().take(visit.rows()) { li { (log(address)) } } }
            @if addresses.len() > visit.rows() { p { "These are the first of " (addresses.len()) "." } }
        }
    }
}

/// What else there is of it.
fn others(visit: &Visit<'_, '_>, node: u32) -> Markup {
    let of = visit.query.instant().with("of", &visit.name(node));
    html! {
        a href=(drawn(visit, node)) { "Lineage" } ", " a href=(of.link("/timeline")) { "time line" }
        @if visit.has_records() { ", " a href=(visit.link(&format!("{}/records", visit.address(node)))) { "raw records" } }
    }
}

fn facts(visit: &Visit<'_, '_>, node: u32) -> Markup {
    let tokens = visit.answers.tokens(&visit.report);
    let token = tokens
        .iter()
        .find(|(known, _)| *known == node)
        .map(|(_, token)| token);
    let end = visit.report.end(node);
    html! {
        dl {
            dt { "Principal" } dd { (maybe(end.principal_arn.as_ref())) }
            dt { "Account" } dd { (maybe(end.account.as_ref())) }
            @if let Some(workload) = &end.workload { dt { "Workload" } dd { (log(workload)) } }
            @if let Some(token) = token { (state(visit, token)) }
            @if let Some(device) = visit.report.ancestry(node).mfa_device {
                dt { "MFA presented with" } dd { (log(&device)) }
            }
            @let root = visit.report.lineage().root(node);
            @if root != node { dt { "Root of its lineage" } dd { (visit.labelled(root)) } }
        }
    }
}

/// What is known of a credential alone.
fn state(visit: &Visit<'_, '_>, token: &Token) -> Markup {
    html! {
        dt { "Status" } dd { (word(token.status)) @if let Some(reason) = token.reason { ": " (reason) } }
        @if let Some(id) = &token.reason_event_id { dt { "Ended by" } dd { (visit.event(id.raw())) } }
        dt { "Issued" } dd { (maybe_time(token.issued_at)) }
        dt { "Expires" } dd { (maybe_time(token.expires_at)) " (" (token.expiry_basis) ")" }
        dt { "Origin" } dd { (token.origin) }
        dt { "First used" } dd { (maybe_time(token.first_used)) }
        dt { "Last used" } dd { (maybe_time(token.last_used)) }
        dt { "Uses" } dd { @if visit.is_file() { (token.uses) } @else { a href="#uses" { (token.uses) } } }
    }
}

/// Steps of the lineage with their evidence, the first of very many.
fn edges(visit: &Visit<'_, '_>, edges: &[&Edge], other: impl Fn(&Edge) -> u32) -> Markup {
    let head = html! { (column("Time (UTC)")) (column("Node")) (column("Call")) (column("Basis")) (column("Records")) };
    let rows = html! {
        @for edge in edges.iter().take(visit.rows()) {
            @let row = visit.report.edge(edge);
            tr {
                td { (time(row.time)) }
                td { (visit.labelled(other(edge))) }
                td { (log(&row.api)) @if row.cross_account { br; span.soft { "cross-account" } } }
                td { (row.basis) }
                td { @for id in &row.event_ids { (visit.event(id.raw())) " " } }
            }
        }
    };
    html! {
        @if edges.is_empty() { p { "Nothing that the log shows." } }
        @else { (table(&first(visit.rows(), edges.len(), "step"), &head, &rows)) }
    }
}

/// What it was used for, the latest first.
fn used(visit: &Visit<'_, '_>, uses: &UsesByNode, node: u32) -> Markup {
    let lineage = visit.report.lineage();
    let mut all: Vec<&Use> = uses.uses(lineage, node).collect();
    all.sort_by_key(|usage| Reverse(lineage.ledger().last(usage).0));
    let head = html! {
        (column("Call")) (column("Count")) (column("First")) (column("Last")) (column("From"))
        (column("Where")) (column("Record"))
    };
    let rows = html! { @for usage in all.iter().take(visit.rows()) { (usage_row(visit, usage)) } };
    html! {
        @if all.is_empty() { p { "The log shows no use." } }
        @else { (table(&first(visit.rows(), all.len(), "kind of use"), &head, &rows)) }
    }
}

fn usage_row(visit: &Visit<'_, '_>, usage: &Use) -> Markup {
    let ledger = visit.report.lineage().ledger();
    let text = |symbol| outside(ledger.text(symbol));
    let (last, id) = ledger.last(usage);
    let outcome = ledger.text(ledger.act(&usage.key).outcome);
    html! {
        tr {
            td {
                @if let Some(call) = ledger.call_of(&usage.key) {
                    (text(call.name)) br; span.soft { (text(call.source)) }
                }
                @if !outcome.is_empty() { br; span.soft { (outside(outcome)) } }
            }
            td.number { (ledger.count(usage)) }
            td { (time(usage.first.time())) }
            td { (time(last.time())) }
            td { @if let Some(client) = ledger.client(usage.key.client) {
                (text(client.address)) br; span.soft { (text(client.agent)) }
            } }
            td { @if let Some(place) = ledger.place_of(&usage.key) {
                (text(place.region)) br; span.soft { (text(place.account)) }
            } }
            td { (visit.event(&ledger.event_id(id))) }
        }
    }
}
