//! How far a log reaches: silence after its end says nothing.

use super::trail::Window;
use super::{Now, Reason};
use crate::event::Category;
use crate::ledger::{Ledger, Seconds, seconds};
use crate::report::Report;
use crate::text::Untrusted;
use crate::time::{HOUR, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// What a digest was written about can come so much later: CloudTrail delivers within 15 minutes as a rule (AWS
/// CloudTrail User Guide, "How CloudTrail works").
const LATE: Seconds = HOUR / 4;

/// An account and a region.
type Where<'l> = (&'l str, &'l str);

/// How far the log reaches in every account of the lineage, and what is missing before the end of the window.
pub(super) fn reach(
    now: &Now,
    report: &Report<'_, '_>,
    window: &Window,
) -> (Option<Timestamp>, Vec<Reason>) {
    let ledger = report.lineage().ledger();
    let log = Log::of(ledger);
    let mut wanted: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (_, subject) in now.subjects().filter(|(_, s)| s.credential) {
        if let Some(account) = &subject.account {
            wanted.entry(account.raw()).or_default();
        }
    }
    for &(node, _) in &now.nodes {
        for usage in report.uses().uses(report.lineage(), node) {
            if let Some(place) = ledger.place_of(&usage.key) {
                let (account, region) = (ledger.text(place.account), ledger.text(place.region));
                wanted.entry(account).or_default().insert(region);
            }
        }
    }
    wanted.remove("");
    let mut gaps: Vec<Reason> = wanted
        .iter()
        .flat_map(|(account, regions)| log.gaps((account, regions), window))
        .collect();
    gaps.extend(without_reads(ledger));
    let ends = wanted.keys().map(|account| log.end(account));
    let reached = ends.min().flatten();
    (reached.map(|s| Timestamp::from_seconds(i64::from(s))), gaps)
}

/// AssumeRole is a read-only management event: a log without these does not show what was made.
fn without_reads(ledger: &Ledger) -> Option<Reason> {
    let mut calls = ledger.calls().iter();
    let shown = calls.any(|call| {
        let management = matches!(call.category, Category::Management | Category::Unknown);
        call.read_only == Some(true) && management
    });
    let why = "no read-only management event is in the log: new role sessions cannot be seen";
    (!shown).then(|| Reason::new(&Untrusted::default(), why))
}

/// The last event and the hours with events of each account and region, and how far digests vouch for it.
struct Log<'l> {
    last: BTreeMap<Where<'l>, Seconds>,
    hours: BTreeMap<&'l str, BTreeSet<i64>>,
    vouched: BTreeMap<Where<'l>, Seconds>,
}

impl<'l> Log<'l> {
    fn of(ledger: &'l Ledger) -> Self {
        let mut last: BTreeMap<Where<'l>, Seconds> = BTreeMap::new();
        for usage in ledger.uses() {
            if let Some(place) = ledger.place_of(&usage.key) {
                let place = (ledger.text(place.account), ledger.text(place.region));
                let end = last.entry(place).or_default();
                *end = (*end).max(ledger.last(usage).0.seconds());
            }
        }
        let mut hours: BTreeMap<&str, BTreeSet<i64>> = BTreeMap::new();
        for (place, present) in ledger.places() {
            hours
                .entry(ledger.text(place.account))
                .or_default()
                .extend(present);
        }
        let vouched = vouched(ledger, &last);
        Self {
            last,
            hours,
            vouched,
        }
    }

    /// The last event of an account, or the end of what its digests vouch for in all of its regions.
    fn end(&self, account: &str) -> Option<Seconds> {
        let of = |map: &BTreeMap<Where<'l>, Seconds>| {
            let own = map.iter().filter(|((a, _), _)| *a == account);
            own.map(|(_, &end)| end).max()
        };
        of(&self.last).max(of(&self.vouched))
    }

    fn gaps(&self, (account, regions): (&str, &BTreeSet<&str>), window: &Window) -> Vec<Reason> {
        let (after, until) = (seconds(window.after), seconds(window.until));
        let about = Untrusted::new(account);
        let Some(end) = self.end(account) else {
            return vec![Reason::new(&about, "the log of the account is not here")];
        };
        if end < until {
            let why = format!("the log of the account must reach {}", window.until);
            return vec![Reason::new(&about, &why)];
        }
        let vouched = |region: &str| {
            self.vouched
                .get(&(account, region))
                .is_some_and(|&end| end >= until)
        };
        let quiet = regions.iter().filter(|region| {
            let last = self.last.get(&(account, **region));
            !vouched(region) && last.is_none_or(|&last| last <= after)
        });
        let why = "no event after the cut-off in a region that the lineage used: digests would tell whether it was quiet";
        let quiet = quiet.map(|region| Untrusted::new(*region));
        let quiet: BTreeSet<Untrusted> = quiet.collect();
        let mut gaps = Vec::new();
        if !quiet.is_empty() {
            gaps.push(Reason::new(&about, why).naming(quiet));
        }
        let hours = window.after.hour()..=window.until.hour();
        let seen = self.hours.get(account);
        let silent = |hour: &i64| !seen.is_some_and(|seen| seen.contains(hour));
        if !regions.iter().all(|region| vouched(region)) && hours.clone().any(|hour| silent(&hour))
        {
            gaps.push(Reason::new(
                &about,
                "an hour of the log is missing after the cut-off",
            ));
        }
        gaps
    }
}

/// How far the digests of each account and region vouch for the log: up to the first hole, and only while the newest
/// record that they speak of is here.
fn vouched<'l>(
    ledger: &'l Ledger,
    last: &BTreeMap<Where<'l>, Seconds>,
) -> BTreeMap<Where<'l>, Seconds> {
    let mut found: BTreeMap<Where<'l>, Seconds> = BTreeMap::new();
    for digest in ledger.digests().filter(|digest| !digest.backfill) {
        let place = (ledger.text(digest.account), ledger.text(digest.region));
        let here = last.get(&place).copied().unwrap_or_default();
        if digest.events.is_none_or(|(_, newest)| newest <= here) {
            let end = found.entry(place).or_default();
            *end = (*end).max(digest.end.saturating_sub(LATE));
        }
    }
    for hole in ledger.holes() {
        let place = (
            ledger.text(hole.next.account),
            ledger.text(hole.next.region),
        );
        if let Some(end) = found.get_mut(&place) {
            *end = (*end).min(hole.from.saturating_sub(LATE));
        }
    }
    found
}
