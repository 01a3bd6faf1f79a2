//! The inventory of credentials, and its exports.

use super::{Reply, Visit, incidents, principals, search};
use crate::html::{counted, log, maybe, outside, pager, select, table, word};
use crate::problem::ascii;
use axum::http::StatusCode;
use maud::{Markup, html};
use std::cmp::Ordering;
use unchain_core::report::Token;
use unchain_core::text;

pub(crate) const STATUSES: [&str; 5] = ["alive", "unknown", "revoked", "expired", "not-yet-issued"];
pub(crate) const KINDS: [&str; 5] = [
    "long-term-key",
    "temporary-credential",
    "federated-session",
    "console-session",
    "oauth-session",
];

/// Alive, or not known to be dead.
pub(crate) const MAY_WORK: &str = "may-work";

/// Which of two rows comes first.
pub(crate) type Order = fn(&Token, &Token) -> Ordering;

/// What the inventory is sorted by: the name in an address, the heading, and the order.
pub(crate) const ORDERS: [(&str, &str, Order); 6] = [
    ("credential", "Credential", |a, b| {
        a.access_key_id.cmp(&b.access_key_id)
    }),
    ("status", "Status", |a, b| a.status.cmp(b.status)),
    ("issued", "Issued", |a, b| a.issued_at.cmp(&b.issued_at)),
    ("expires", "Expires", |a, b| a.expires_at.cmp(&b.expires_at)),
    ("used", "Last used", |a, b| a.last_used.cmp(&b.last_used)),
    ("uses", "Uses", |a, b| a.uses.cmp(&b.uses)),
];

/// The inventory as a page.
pub(crate) fn list(visit: &Visit<'_, '_>) -> Reply {
    let kept = kept(visit);
    let (rows, pages) = visit.paged(&kept);
    let body = html! {
        (filters(visit))
        p { "Export of these rows: " a href=(visit.query.link("/tokens.csv")) { "CSV" } ", "
            a href=(visit.query.link("/tokens.jsonl")) { "JSON lines" } }
        (rows_of(visit, rows, kept.len()))
        (pager(visit.query, "/tokens", pages))
    };
    visit.page("Tokens", &body)
}

/// A table of some of all credentials.
pub(crate) fn rows_of(visit: &Visit<'_, '_>, rows: &[&(u32, Token)], all: usize) -> Markup {
    let caption = format!("{} at {}", counted(all, "credential"), visit.report.at());
    let head = html! {
        @for order in ORDERS { (heading(visit, order.0, order.1)) }
        th scope="col" { "Issued by" }
    };
    let lines = html! { @for (node, token) in rows { (row(visit, *node, token)) } };
    table(&caption, &head, &lines)
}

/// The inventory as `unchain tokens --format csv` writes it.
pub(crate) fn csv(visit: &Visit<'_, '_>) -> Reply {
    let line = |cells: &[&str]| {
        let cells: Vec<_> = cells.iter().map(|cell| text::csv(cell)).collect();
        cells.join(",") + "\r\n"
    };
    let mut body = line(&Token::COLUMNS);
    for (_, token) in kept(visit) {
        body.push_str(&line(&token.cells().each_ref().map(String::as_str)));
    }
    file(("text/csv; charset=utf-8", "tokens.csv"), body)
}

/// The inventory as `unchain tokens --format jsonl` has it.
pub(crate) fn jsonl(visit: &Visit<'_, '_>) -> Reply {
    let mut body = String::new();
    for (_, token) in kept(visit) {
        match serde_json::to_string(token) {
            Ok(line) => body.push_str(&ascii(&line)),
            Err(_) => {
                let why = "A row could not be written.";
                return visit.refused(StatusCode::INTERNAL_SERVER_ERROR, ("Not written", why));
            }
        }
        body.push('\n');
    }
    file(("application/jsonl", "tokens.jsonl"), body)
}

fn file((kind, name): (&'static str, &'static str), body: String) -> Reply {
    Reply {
        status: StatusCode::OK,
        kind,
        file: Some(name),
        body,
    }
}

/// The rows that the filters keep, in the order that is asked for; by time of issue where none is.
pub(crate) fn kept<'v>(visit: &'v Visit<'_, '_>) -> Vec<&'v (u32, Token)> {
    let incident = visit.query.get("incident").map(|id| visit.reached(id));
    let whose = visit.query.get("principal");
    let keeps = |(node, token): &&(u32, Token)| {
        has_status(visit, token)
            && visit.chosen("kind", token.kind)
            && incident.is_none_or(|nodes| nodes.binary_search(node).is_ok())
            && whose.is_none_or(|name| name == principals::named(&principals::whose(token)))
            && visit.holds(texts(token))
    };
    let mut kept: Vec<_> = visit
        .answers
        .tokens(&visit.report)
        .iter()
        .filter(keeps)
        .collect();
    let asked = visit.query.get("sort");
    if let Some((_, _, order)) = ORDERS.iter().find(|(name, _, _)| asked == Some(name)) {
        kept.sort_by(|(_, a), (_, b)| order(a, b));
    }
    if visit.query.get("order") == Some("desc") {
        kept.reverse();
    }
    kept
}

/// Whether the status of a token is the one chosen: one of [`STATUSES`], or [`MAY_WORK`].
fn has_status(visit: &Visit<'_, '_>, token: &Token) -> bool {
    match visit.query.get("status") {
        Some(MAY_WORK) => may_work(token),
        _ => visit.chosen("status", token.status),
    }
}

/// Whether a token is alive, or not known to be dead.
pub(crate) fn may_work(token: &Token) -> bool {
    matches!(token.status, "alive" | "unknown")
}

fn texts(token: &Token) -> impl Iterator<Item = &unchain_core::text::Untrusted> {
    let single = [
        &token.access_key_id,
        &token.principal_arn,
        &token.account,
        &token.issued_by,
    ];
    single
        .into_iter()
        .chain([&token.root])
        .flatten()
        .chain(&token.addresses)
}

fn heading(visit: &Visit<'_, '_>, name: &str, words: &str) -> Markup {
    let here = visit.query.get("sort") == Some(name);
    let up = visit.query.get("order") != Some("desc");
    let order = if here && up { "desc" } else { "" };
    let next = visit
        .query
        .with("sort", name)
        .with("order", order)
        .with("page", "");
    let sorted = here.then_some(if up { "ascending" } else { "descending" });
    html! { th scope="col" aria-sort=[sorted] { a href=[visit.asks(&next, "/tokens")] { (words) } } }
}

fn filters(visit: &Visit<'_, '_>) -> Markup {
    let query = visit.query;
    let statuses: Vec<&str> = [MAY_WORK].into_iter().chain(STATUSES).collect();
    html! {
        (narrowed(visit))
        form action="/tokens" method="get" role="search" {
            (select(query, ("status", "Status"), &statuses))
            (select(query, ("kind", "Kind"), &KINDS))
            (search(query))
            (visit.kept_instant())
            button { "Filter" }
        }
    }
}

/// What the rows are of, where another view led here.
fn narrowed(visit: &Visit<'_, '_>) -> Markup {
    let query = visit.query;
    html! {
        @if let Some(id) = query.get("incident") {
            p {
                "Credentials of "
                a href=(visit.link(&format!("/incidents/{}", incidents::known(visit, id)))) { "an incident" } ". "
                a href=(query.with("incident", "").with("page", "").link("/tokens")) { "All" }
            }
        }
        @if let Some(name) = query.get("principal") {
            p {
                "Credentials of " (outside(name)) ". "
                a href=(query.with("principal", "").with("page", "").link("/tokens")) { "All" }
            }
        }
    }
}

fn row(visit: &Visit<'_, '_>, node: u32, token: &Token) -> Markup {
    let parent = visit.report.lineage().primary(node).map(|edge| edge.parent);
    html! {
        tr id=[visit.row_id(node)] {
            th scope="row" {
                @if let Some(key) = &token.access_key_id { (visit.node(node, key)) }
                @else { (visit.labelled(node)) }
                br; span.soft { (token.kind.replace('-', " ")) " · " (maybe(token.principal_arn.as_ref())) }
            }
            td { (word(token.status)) @if let Some(reason) = token.reason { br; span.soft { (reason) } } }
            td { (visit.moment(token.issued_at)) }
            td { (visit.moment(token.expires_at)) br; span.soft { (token.expiry_basis) } }
            td { (visit.moment(token.last_used)) }
            td.number { (visit.uses(node, token.uses)) }
            td {
                @if let Some(parent) = parent { (visit.labelled(parent)) }
                @if let Some(with) = &token.issued_with { br; span.soft { (log(with)) } }
                @if let Some(basis) = token.issued_basis { span.soft { ", " (basis) } }
            }
        }
    }
}
