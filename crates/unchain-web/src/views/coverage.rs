//! On what the answers rest: accounts by day as a heat map, and what the log cannot show.

use super::{Reply, Visit};
use crate::html::{column, counted, log, maybe_time, outside, pager, table, time};
use maud::{Markup, html};
use std::collections::BTreeMap;
use unchain_core::report::AccountCoverage;
use unchain_core::time::Timestamp;

/// Days of one heat map.
const DAYS: i64 = 31;

/// Heat maps of a file, the latest first.
const MONTHS: i64 = 12;

/// By account, the hours (since 1970, UTC) with events by day.
type Days<'l> = BTreeMap<&'l str, BTreeMap<i64, u32>>;

/// Coverage.
pub(crate) fn list(visit: &Visit<'_, '_>) -> Reply {
    visit.page("Coverage", &body(visit))
}

/// What the log holds, and what it cannot show.
pub(crate) fn body(visit: &Visit<'_, '_>) -> Markup {
    let coverage = &visit.world.coverage;
    html! {
        dl {
            dt { "Events" } dd { (coverage.events) }
            dt { "From" } dd { (maybe_time(coverage.from)) }
            dt { "To" } dd { (maybe_time(coverage.to)) }
            dt { "Read-only management events" } dd {
                @if coverage.read_only_management_events { "logged" } @else { "not seen" }
            }
            @if let Some(digests) = &coverage.digests {
                dt { "Digests" } dd {
                    (digests.seen) ", from " (time(digests.from)) " to " (time(digests.to)) ", "
                    (digests.holes) " holes"
                }
            }
        }
        (visit.part("What the answers cannot show"))
        @if coverage.warnings.is_empty() { p { "Nothing beyond what no log can show." } }
        @else { ul { @for warning in &coverage.warnings { li { (outside(warning)) } } } }
        (visit.part("Hours with events, by account and day"))
        (heat(visit))
        (visit.part("Accounts"))
        (accounts(&coverage.accounts))
        @if !coverage.unlogged_accounts.is_empty() {
            (visit.part("Accounts whose own log is not here"))
            ul { @for account in &coverage.unlogged_accounts { li { (log(account)) } } }
        }
    }
}

fn heat(visit: &Visit<'_, '_>) -> Markup {
    let days = days(visit);
    let all = || days.values().flat_map(|by_day| by_day.keys().copied());
    let (Some(first), Some(last)) = (all().min(), all().max()) else {
        return html! { p { "The log has no events." } };
    };
    let pages = (last - first) / DAYS + 1;
    let asked = visit.query.get("page").and_then(|page| page.parse().ok());
    let page = asked.unwrap_or(1i64).clamp(1, pages);
    let shown = if visit.is_file() {
        1..=pages.min(MONTHS)
    } else {
        page..=page
    };
    let number = |page: i64| usize::try_from(page).unwrap_or(1);
    html! {
        p { "Each number is how many of 24 hours have an event, in any region." }
        @for page in shown {
            @let until = last - (page - 1) * DAYS;
            (span(&days, (first.max(until - DAYS + 1), until)))
        }
        @if visit.is_file() && pages > MONTHS { p { "Earlier days are not shown." } }
        @if !visit.is_file() { (pager(visit.query, "/coverage", (number(page), number(pages)))) }
    }
}

/// The heat map from one day to another.
fn span(days: &Days<'_>, (from, until): (i64, i64)) -> Markup {
    let head =
        html! { (column("Account")) @for day in from..=until { th scope="col" { (label(day)) } } };
    let rows = html! {
        @for (account, by_day) in days {
            tr {
                th scope="row" { (outside(account)) }
                @for day in from..=until { (cell(by_day.get(&day).copied().unwrap_or(0))) }
            }
        }
    };
    html! { div.heat { (table(&format!("{} to {}", date(from), date(until)), &head, &rows)) } }
}

fn days<'l>(visit: &Visit<'_, 'l>) -> Days<'l> {
    let ledger = visit.report.lineage().ledger();
    let mut hours: BTreeMap<&str, std::collections::BTreeSet<i64>> = BTreeMap::new();
    for (place, known) in ledger.places() {
        hours
            .entry(ledger.text(place.account))
            .or_default()
            .extend(known);
    }
    let mut days = Days::new();
    for (account, hours) in hours {
        let by_day = days.entry(account).or_default();
        for hour in hours {
            *by_day.entry(hour.div_euclid(24)).or_insert(0) += 1;
        }
    }
    days
}

fn cell(hours: u32) -> Markup {
    let shade = match hours {
        0 => "shade-0",
        1..=6 => "shade-1",
        7..=12 => "shade-2",
        13..=18 => "shade-3",
        _ => "shade-4",
    };
    html! { td class=(shade) { (hours) } }
}

/// `2026-03-02` of a day since 1970.
fn date(day: i64) -> String {
    let text = Timestamp::from_seconds(day * 86_400).to_string();
    text.split('T').next().unwrap_or_default().to_owned()
}

/// `03-02`.
fn label(day: i64) -> String {
    let text = date(day);
    text.split_once('-').map_or("", |(_, rest)| rest).to_owned()
}

fn accounts(accounts: &[AccountCoverage]) -> Markup {
    let head = html! {
        (column("Account")) (column("Regions")) (column("Hours with events")) (column("Hours without"))
        (column("Longest gap"))
    };
    let rows = html! {
        @for account in accounts {
            tr {
                th scope="row" { (log(&account.account)) }
                td { @for region in &account.regions { (log(region)) " " } }
                td.number { (account.hours_present) }
                td.number { (account.hours_missing) }
                td { @if let Some((from, hours)) = account.longest_gap {
                    (counted(usize::try_from(hours).unwrap_or(usize::MAX), "hour")) " from " (time(from))
                } }
            }
        }
    };
    table(&counted(accounts.len(), "account"), &head, &rows)
}
