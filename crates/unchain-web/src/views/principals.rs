//! Principals: whose the credentials are.

use super::{Reply, Visit, search};
use crate::drawing::role_of;
use crate::html::{column, counted, log, maybe_time, pager, table};
use crate::query::Query;
use maud::{Markup, html};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use unchain_core::report::Token;
use unchain_core::text::Untrusted;
use unchain_core::time::Timestamp;

/// Of a very long name so many characters are searched for: an address has room for 65,534 bytes.
const SEARCHED: usize = 500;

/// What one principal has.
#[derive(Debug, Default)]
struct Held {
    credentials: usize,
    may_work: usize,
    uses: u64,
    last: Option<Timestamp>,
}

/// Every principal, who has most that may still work first. Sessions of one role count as that role.
pub(crate) fn list(visit: &Visit<'_, '_>) -> Reply {
    let mut by_name: BTreeMap<Untrusted, Held> = BTreeMap::new();
    for (_, token) in visit.answers.tokens(&visit.report) {
        add(by_name.entry(whose(token)).or_default(), token);
    }
    let mut kept: Vec<_> = by_name
        .into_iter()
        .filter(|(name, _)| visit.holds([name]))
        .collect();
    kept.sort_by_key(|(_, held)| Reverse((held.may_work, held.credentials)));
    let (rows, pages) = visit.paged(&kept);
    let head = html! {
        (column("Principal")) (column("May still work")) (column("Credentials")) (column("Uses"))
        (column("Last used"))
    };
    let lines = html! { @for (name, held) in rows { (row(visit, name, held)) } };
    let body = html! {
        form action="/principals" method="get" role="search" {
            (search(visit.query)) (visit.kept_instant()) button { "Filter" }
        }
        (table(&counted(kept.len(), "principal"), &head, &lines))
        (pager(visit.query, "/principals", pages))
    };
    visit.page("Principals", &body)
}

fn add(held: &mut Held, token: &Token) {
    held.credentials += 1;
    held.may_work += usize::from(matches!(token.status, "alive" | "unknown"));
    held.uses += token.uses;
    held.last = held.last.max(token.last_used);
}

/// The ARN of a token's principal, for a role's session without the session's name.
fn whose(token: &Token) -> Untrusted {
    let arn = token.principal_arn.as_ref().map_or("", Untrusted::raw);
    Untrusted::new(role_of(arn))
}

fn row(visit: &Visit<'_, '_>, name: &Untrusted, held: &Held) -> Markup {
    let at = visit.query.get("at").unwrap_or_default();
    let begun: String = name.raw().chars().take(SEARCHED).collect();
    let tokens = Query::default()
        .with("q", &begun)
        .with("at", at)
        .link("/tokens");
    html! {
        tr {
            th scope="row" {
                @if name.is_empty() { "not known" } @else { a href=(tokens) { (log(name)) } }
            }
            td.number { (held.may_work) }
            td.number { (held.credentials) }
            td.number { (held.uses) }
            td { (maybe_time(held.last)) }
        }
    }
}
