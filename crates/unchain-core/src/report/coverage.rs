//! On what the answers rest: which accounts, regions and hours the log has, and what it cannot show.

use crate::deed::Attribute;
use crate::event::Category;
use crate::ledger::{IdentityType, Ledger};
use crate::lineage::Lineage;
use crate::text::Untrusted;
use crate::time::Timestamp;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What the log holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Coverage {
    /// The first hour with an event.
    pub from: Option<Timestamp>,
    /// The end of the last hour with an event.
    pub to: Option<Timestamp>,
    /// Distinct events.
    pub events: u64,
    /// The accounts whose log this is.
    pub accounts: Vec<AccountCoverage>,
    /// Accounts that events refer to and whose own log is not here.
    pub unlogged_accounts: Vec<Untrusted>,
    /// The digests that were read; none if there was none.
    pub digests: Option<DigestCoverage>,
    /// Whether any read-only management event is logged. Without them AssumeRole is invisible.
    pub read_only_management_events: bool,
    /// What the answers cannot show, in words.
    pub warnings: Vec<String>,
}

/// What the log holds of one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AccountCoverage {
    /// The account; empty where records do not say.
    pub account: Untrusted,
    /// Regions with events.
    pub regions: Vec<Untrusted>,
    /// Hours with events, in any region.
    pub hours_present: u64,
    /// Hours without any, between the first and the last event of the whole log.
    pub hours_missing: u64,
    /// The longest stretch without an event: from, and hours.
    pub longest_gap: Option<(Timestamp, u64)>,
}

/// What the digests that were read speak of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DigestCoverage {
    /// How many were read.
    pub seen: u64,
    /// The start of the earliest.
    pub from: Timestamp,
    /// The end of the latest.
    pub to: Timestamp,
    /// Times for which the digests of one account, region and trail go on only later, whatever the reason.
    pub holes: u64,
}

/// Reads the coverage from a settled ledger and its lineage.
pub fn coverage(lineage: &Lineage<'_>) -> Coverage {
    let ledger = lineage.ledger();
    let mut by_account: BTreeMap<&str, (BTreeSet<&str>, BTreeSet<i64>)> = BTreeMap::new();
    for (place, hours) in ledger.places() {
        let (regions, known) = by_account.entry(ledger.text(place.account)).or_default();
        regions.insert(ledger.text(place.region));
        known.extend(hours);
    }
    let all = || {
        by_account
            .values()
            .flat_map(|(_, hours)| hours.iter().copied())
    };
    let (first, last) = (all().min(), all().max());
    let span = first.zip(last);
    let accounts: Vec<AccountCoverage> = by_account
        .iter()
        .map(|(account, (regions, hours))| AccountCoverage {
            account: Untrusted::new(*account),
            regions: regions
                .iter()
                .filter(|r| !r.is_empty())
                .map(|r| Untrusted::new(*r))
                .collect(),
            hours_present: hours.len() as u64,
            hours_missing: span.map_or(0, |(a, b)| (b - a + 1).unsigned_abs() - hours.len() as u64),
            longest_gap: longest_gap(hours, span),
        })
        .collect();
    let unlogged = unlogged_accounts(lineage, &by_account.keys().copied().collect());
    let read_only = has_read_only(ledger);
    let warnings = warnings(ledger, &unlogged, read_only);
    Coverage {
        from: first.map(|h| Timestamp::from_seconds(h * 3600)),
        to: last.map(|h| Timestamp::from_seconds((h + 1) * 3600)),
        events: ledger.events(),
        accounts,
        unlogged_accounts: unlogged.into_iter().map(Untrusted::new).collect(),
        digests: digests(ledger),
        read_only_management_events: read_only,
        warnings,
    }
}

fn longest_gap(hours: &BTreeSet<i64>, span: Option<(i64, i64)>) -> Option<(Timestamp, u64)> {
    let (first, last) = span?;
    let edges = std::iter::once(first - 1).chain(hours.iter().copied());
    let next = hours.iter().copied().chain(std::iter::once(last + 1));
    let (from, length) = edges
        .zip(next)
        .map(|(a, b)| (a + 1, b - a - 1))
        .max_by_key(|&(from, n)| (n, -from))?;
    (length > 0).then(|| (Timestamp::from_seconds(from * 3600), length.unsigned_abs()))
}

fn digests(ledger: &Ledger) -> Option<DigestCoverage> {
    let at = |time| Timestamp::from_seconds(i64::from(time));
    Some(DigestCoverage {
        seen: ledger.digests().count() as u64,
        from: ledger.digests().map(|digest| digest.start).min().map(at)?,
        to: ledger.digests().map(|digest| digest.end).max().map(at)?,
        holes: ledger.holes().len() as u64,
    })
}

fn has_read_only(ledger: &Ledger) -> bool {
    ledger.calls().iter().any(|call| {
        call.read_only == Some(true)
            && matches!(call.category, Category::Management | Category::Unknown)
    })
}

/// Accounts of principals in edges, and of callers from elsewhere, that have no log here.
fn unlogged_accounts(lineage: &Lineage<'_>, logged: &BTreeSet<&str>) -> BTreeSet<String> {
    let ledger = lineage.ledger();
    let mut found = BTreeSet::new();
    let mut refer = |account: &str| {
        if account.len() == 12
            && account.bytes().all(|b| b.is_ascii_digit())
            && !logged.contains(account)
        {
            found.insert(account.to_owned());
        }
    };
    let callers = ledger.callers().iter();
    for caller in callers.filter(|c| c.kind == IdentityType::AwsAccount) {
        refer(ledger.text(caller.account));
    }
    // Few roles are assumed again and again.
    let mut known = vec![false; ledger.symbols().len()];
    for fact in ledger.facts().iter().filter(|fact| fact.deed.issues()) {
        for kept in ledger.kept(fact) {
            let symbol = kept.symbol();
            match kept.attribute {
                Attribute::Role => {
                    let known = known.get_mut(symbol.index());
                    if known.is_some_and(|known| !std::mem::replace(known, true)) {
                        let account = ledger.text(symbol).split(':').nth(4);
                        refer(account.unwrap_or_default());
                    }
                }
                Attribute::TargetAccount => refer(ledger.text(symbol)),
                _ => {}
            }
        }
    }
    found
}

fn warnings(ledger: &Ledger, unlogged: &BTreeSet<String>, read_only: bool) -> Vec<String> {
    let mut warnings = Vec::new();
    if !ledger.uses().is_empty() && !read_only {
        warnings.push(
            "no read-only management event is in this log: AssumeRole is one, so chains of roles cannot be seen; \
             look for a trail that logs read events"
                .to_owned(),
        );
    }
    if !unlogged.is_empty() {
        let count = unlogged.len();
        let named: Vec<&str> = unlogged.iter().take(5).map(String::as_str).collect();
        let more = if count > named.len() {
            format!(" and {} more", count - named.len())
        } else {
            String::new()
        };
        warnings.push(format!(
            "events refer to {count} account(s) whose own log is not here, so what their credentials did or \
             made next is not seen: {}{more}",
            named.join(", ")
        ));
    }
    warnings
}
