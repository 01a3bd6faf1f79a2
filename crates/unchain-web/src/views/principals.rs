//! Principals: whose the credentials are.

use super::tokens::{MAY_WORK, may_work};
use super::{Reply, Visit, search};
use crate::html::{column, counted, log, maybe_time, pager, table};
use crate::query::Query;
use crate::timeline::forest;
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
pub(crate) struct Held {
    pub(crate) credentials: usize,
    pub(crate) may_work: usize,
    pub(crate) uses: u64,
    /// The last use, UTC.
    pub(crate) last: Option<Timestamp>,
}

/// The principals as a page.
pub(crate) fn list(visit: &Visit<'_, '_>) -> Reply {
    let kept = kept(visit);
    let (rows, pages) = visit.paged(&kept);
    let body = html! {
        form action="/principals" method="get" role="search" {
            (search(visit.query)) (visit.kept_instant()) button { "Filter" }
        }
        (rows_of(visit, rows, kept.len()))
        (pager(visit.query, "/principals", pages))
    };
    visit.page("Principals", &body)
}

/// Every principal that the filter keeps, who has most that may still work first. Sessions of one role count as that
/// role.
pub(crate) fn kept(visit: &Visit<'_, '_>) -> Vec<(Untrusted, Held)> {
    let mut by_name: BTreeMap<Untrusted, Held> = BTreeMap::new();
    for (_, token) in visit.answers.tokens(&visit.report) {
        add(by_name.entry(whose(token)).or_default(), token);
    }
    let mut kept: Vec<_> = by_name
        .into_iter()
        .filter(|(name, _)| visit.holds([name]))
        .collect();
    kept.sort_by_key(|(_, held)| Reverse((held.may_work, held.credentials)));
    kept
}

/// A table of some of all principals.
pub(crate) fn rows_of(visit: &Visit<'_, '_>, rows: &[(Untrusted, Held)], all: usize) -> Markup {
    let head = html! {
        (column("Principal")) (column("May still work")) (column("Credentials")) (column("Uses"))
        (column("Last used"))
    };
    let lines = html! { @for (name, held) in rows { (row(visit, name, held)) } };
    table(&counted(all, "principal"), &head, &lines)
}

fn add(held: &mut Held, token: &Token) {
    held.credentials += 1;
    held.may_work += usize::from(may_work(token));
    held.uses += token.uses;
    held.last = held.last.max(token.last_used);
}

/// Whose a token is.
pub(crate) fn whose(token: &Token) -> Untrusted {
    Untrusted::new(forest::whose(
        token.principal_arn.as_ref().map_or("", Untrusted::raw),
    ))
}

/// A name as an address has it.
pub(crate) fn named(name: &Untrusted) -> String {
    name.raw().chars().take(SEARCHED).collect()
}

fn row(visit: &Visit<'_, '_>, name: &Untrusted, held: &Held) -> Markup {
    let tokens = visit.query.instant().with("principal", &named(name));
    let asks = |query: &Query| visit.asks(query, "/tokens").filter(|_| !name.is_empty());
    let may_work = asks(&tokens.with("status", MAY_WORK));
    let last = asks(&tokens.with("sort", "used").with("order", "desc"));
    let uses = asks(&tokens.with("sort", "uses").with("order", "desc"));
    html! {
        tr {
            th scope="row" {
                @if name.is_empty() { "not known" } @else { a href=[asks(&tokens)] { (log(name)) } }
            }
            td.number { a href=[may_work] { (held.may_work) } }
            td.number { a href=[asks(&tokens)] { (held.credentials) } }
            td.number { a href=[uses] { (held.uses) } }
            td { a href=[last] { (maybe_time(held.last)) } }
        }
    }
}
