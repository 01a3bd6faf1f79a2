//! What is drawn of one credential, and of very many that are alike. Must not know how it is drawn.

use super::axis::Window;
use super::forest::Forest;
use std::collections::BTreeSet;
use unchain_core::lineage::UsesByNode;
use unchain_core::liveness::{ExpiryBasis, Status};
use unchain_core::report::{FindingRow, Report};
use unchain_core::time::Timestamp;

/// Columns of the marks of use.
pub(crate) const COLUMNS: i64 = 1000;
/// Columns of a density.
pub(crate) const BINS: i64 = 100;
/// Marks of findings stand so far apart at least, in hundredths of a percent.
const APART: i64 = 100;

/// How a stretch of a bar is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Look {
    /// The log says that it may work.
    Held,
    /// It may work at the longest: a rule bounds its time, the log does not tell it.
    Bound,
    /// The log does not show that it existed, or for how long.
    Guess,
    /// Ended before its time.
    Ended,
}

/// A stretch of a bar within a window; places are hundredths of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) look: Look,
}

/// One credential; all instants are seconds since 1970 (UTC).
#[derive(Clone, Debug)]
pub(crate) struct Bar {
    /// Its states, each with the instant from which it holds, and why it is ended.
    pub(crate) states: Vec<(i64, Status, Option<&'static str>)>,
    pub(crate) created: Option<i64>,
    pub(crate) expires: Option<i64>,
    pub(crate) basis: ExpiryBasis,
    pub(crate) first_used: Option<i64>,
    pub(crate) last_used: Option<i64>,
    /// Distinct events.
    pub(crate) uses: u64,
    /// The first and the last event of each kind of use.
    pub(crate) kinds: Vec<(i64, i64)>,
}

impl Bar {
    /// Of a node whose uses are known.
    pub(crate) fn of(report: &Report<'_, '_>, uses: &UsesByNode, node: u32) -> Self {
        let lineage = report.lineage();
        let history = report.history(node);
        let usage = uses.usage(lineage, node);
        let last = history.last().map(|(_, life)| life);
        let kinds = uses.uses(lineage, node).map(|usage| {
            let last = lineage.ledger().last(usage).0;
            (usage.first.time().seconds(), last.time().seconds())
        });
        Self {
            created: lineage.node(node).and_then(|n| n.created).map(i64::from),
            expires: last.and_then(|life| life.expires).map(Timestamp::seconds),
            basis: last.map_or(ExpiryBasis::Unknown, |life| life.basis),
            first_used: usage.first.map(i64::from),
            last_used: usage.last.map(i64::from),
            uses: usage.count,
            kinds: kinds.collect(),
            states: history
                .into_iter()
                .map(|(from, life)| (from.seconds(), life.status, life.reason.map(|(why, _)| why)))
                .collect(),
        }
    }

    /// The state at an instant, and why it is ended.
    pub(crate) fn at(&self, at: i64) -> (Status, Option<&'static str>) {
        let held = self.states.iter().rfind(|(from, ..)| *from <= at);
        held.map_or((Status::Unknown, None), |(_, status, why)| (*status, *why))
    }

    /// From the first to the last instant at which the log tells of it.
    pub(crate) fn activity(&self) -> Option<(i64, i64)> {
        let first = [self.created, self.first_used]
            .into_iter()
            .flatten()
            .min()?;
        Some((first, self.last_used.unwrap_or(first).max(first)))
    }

    /// The same with its end, where it has one.
    pub(crate) fn span(&self) -> Option<(i64, i64)> {
        let (first, last) = self.activity()?;
        Some((first, self.expires.unwrap_or(last).max(last)))
    }

    /// The stretches of a window in which it is drawn, ascending.
    pub(crate) fn pieces(&self, window: Window) -> Vec<Piece> {
        let mut found: Vec<Piece> = Vec::new();
        for (from, to, look) in self.stretches() {
            let (left, right) = (window.place(from), window.place(to));
            let shown = from <= window.to().seconds() && to >= window.from().seconds();
            if shown && from < to {
                found.push(Piece {
                    from: left,
                    to: right,
                    look,
                });
            }
        }
        found
    }

    /// Whether it goes on before and after a window.
    pub(crate) fn beyond(&self, window: Window) -> (bool, bool) {
        let all = self.stretches();
        let before =
            |(from, to, _): &(i64, i64, Look)| from < to && *from < window.from().seconds();
        let after = |(from, to, _): &(i64, i64, Look)| from < to && *to > window.to().seconds();
        (all.iter().any(before), all.iter().any(after))
    }

    /// Instants from which it is ended before its time, and why.
    pub(crate) fn stops(&self) -> impl Iterator<Item = (i64, &'static str)> + '_ {
        let ended = self
            .states
            .iter()
            .filter(|state| state.1 == Status::Revoked);
        ended.filter_map(|(from, _, why)| Some((*from, (*why)?)))
    }

    fn stretches(&self) -> Vec<(i64, i64, Look)> {
        let ends = self.states.iter().skip(1).map(|(from, ..)| *from);
        let states = self.states.iter().zip(ends.chain([i64::MAX]));
        let mut found = Vec::new();
        for ((from, status, _), to) in states {
            match status {
                Status::NotYet | Status::Expired => {}
                // Without an end of its own there is nothing that it lost.
                Status::Revoked => {
                    let to = self.expires.map_or(*from, |end| end.min(to));
                    found.push((*from, to, Look::Ended));
                }
                Status::Alive | Status::Unknown => found.extend(self.known((*from, to))),
            }
        }
        found
    }

    /// A stretch in which it may work, cut by what the log shows of it.
    fn known(&self, (from, to): (i64, i64)) -> [(i64, i64, Look); 3] {
        let to = to.max(from);
        let seen = self.created.or(self.first_used);
        let sure = match self.basis {
            ExpiryBasis::Recorded | ExpiryBasis::Requested | ExpiryBasis::Never => i64::MAX,
            ExpiryBasis::AtMost(_) | ExpiryBasis::Unknown => {
                self.last_used.max(seen).unwrap_or(i64::MIN)
            }
        };
        let first = seen.unwrap_or(i64::MAX).clamp(from, to);
        let last = sure.clamp(first, to);
        let after = match self.basis {
            ExpiryBasis::AtMost(_) => Look::Bound,
            _ => Look::Guess,
        };
        [
            (from, first, Look::Guess),
            (first, last, Look::Held),
            (last, to, after),
        ]
    }
}

/// Many credentials that are alike, as one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Band {
    /// How many there are.
    pub(crate) members: usize,
    /// How many more came of them.
    pub(crate) below: usize,
    /// How many of the members may work at the instant.
    pub(crate) may_work: usize,
    /// Distinct events of the members.
    pub(crate) uses: u64,
    /// From the first issue or use to the last use, in seconds since 1970.
    pub(crate) activity: Option<(i64, i64)>,
    /// The same to the last end.
    pub(crate) span: Option<(i64, i64)>,
    /// The time of each member, from its issue to its end or last use.
    times: Vec<(i64, i64)>,
    /// The first and the last use of each.
    kinds: Vec<(i64, i64)>,
}

impl Band {
    /// Of nodes whose uses are known.
    pub(crate) fn of(
        report: &Report<'_, '_>,
        (uses, forest): (&UsesByNode, &Forest),
        nodes: &[u32],
    ) -> Self {
        let lineage = report.lineage();
        let mut band = Self {
            members: nodes.len(),
            below: nodes.iter().map(|&node| forest.all_below(node).len()).sum(),
            ..Self::default()
        };
        for &node in nodes {
            let life = report.life(node);
            let usage = uses.usage(lineage, node);
            let created = lineage.node(node).and_then(|n| n.created);
            let first = [created, usage.first]
                .into_iter()
                .flatten()
                .min()
                .map(i64::from);
            band.may_work += usize::from(matches!(life.status, Status::Alive | Status::Unknown));
            band.uses += usage.count;
            band.kinds.extend(
                usage
                    .first
                    .zip(usage.last)
                    .map(|(a, b)| (a.into(), b.into())),
            );
            let Some(first) = first else { continue };
            let last = usage.last.map_or(first, i64::from).max(first);
            let end = life.expires.map_or(last, Timestamp::seconds).max(last);
            band.activity = Some(united(band.activity, (first, last)));
            band.span = Some(united(band.span, (first, end)));
            band.times.push((first, end));
        }
        band
    }

    /// How many there are in each column of a window that has any: runs of columns with the same number.
    pub(crate) fn density(&self, window: Window) -> Vec<(i64, i64, usize)> {
        let mut steps = vec![0i64; usize::try_from(BINS).unwrap_or(0) + 1];
        let mut step = |column: i64, by: i64| {
            let slot = usize::try_from(column).ok().and_then(|n| steps.get_mut(n));
            if let Some(slot) = slot {
                *slot += by;
            }
        };
        for &(from, to) in &self.times {
            if to < window.from().seconds() || from > window.to().seconds() {
                continue;
            }
            step(window.share(from, BINS).min(BINS - 1), 1);
            step(window.share(to, BINS).min(BINS - 1) + 1, -1);
        }
        let mut runs: Vec<(i64, i64, usize)> = Vec::new();
        let mut there = 0i64;
        for (column, by) in (0..BINS).zip(steps) {
            there += by;
            let number = usize::try_from(there).unwrap_or(0);
            match runs.last_mut() {
                Some((_, to, known)) if *known == number => *to = column + 1,
                _ => runs.push((column, column + 1, number)),
            }
        }
        runs.retain(|(_, _, number)| *number > 0);
        runs
    }

    /// The columns with uses.
    pub(crate) fn ticks(&self, window: Window) -> Ticks {
        Ticks::of(&self.kinds, window)
    }
}

/// The smallest span that holds another and a new one.
pub(crate) fn united(known: Option<(i64, i64)>, new: (i64, i64)) -> (i64, i64) {
    known.map_or(new, |(first, last)| (first.min(new.0), last.max(new.1)))
}

/// The marks of use of one line, by column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ticks {
    /// Columns with a first or a last event of a kind of use.
    pub(crate) at: BTreeSet<i64>,
    /// From column to column: between the first and the last event of a kind of use there may be more.
    pub(crate) between: Vec<(i64, i64)>,
}

impl Ticks {
    /// Of the first and last events of kinds of use.
    pub(crate) fn of(kinds: &[(i64, i64)], window: Window) -> Self {
        let mut ticks = Self::default();
        let mut spans = Vec::new();
        for &(first, last) in kinds {
            if last < window.from().seconds() || first > window.to().seconds() {
                continue;
            }
            let seen = [first, last].into_iter().filter(|at| window.holds(*at));
            ticks.at.extend(seen.map(|at| window.share(at, COLUMNS)));
            spans.push((window.share(first, COLUMNS), window.share(last, COLUMNS)));
        }
        spans.sort_unstable();
        for (from, to) in spans {
            match ticks.between.last_mut() {
                Some((_, end)) if from <= *end => *end = to.max(*end),
                _ => ticks.between.push((from, to)),
            }
        }
        ticks.between.retain(|(from, to)| from < to);
        ticks
    }
}

/// The findings of one line: the worst of those that would cover each other, with how many stand there.
pub(crate) fn marks<'f>(
    findings: &[&'f FindingRow],
    window: Window,
) -> Vec<(i64, &'f FindingRow, usize)> {
    let shown = findings.iter().filter(|f| window.holds(f.first.seconds()));
    let mut shown: Vec<_> = shown
        .map(|f| (window.place(f.first.seconds()), *f))
        .collect();
    shown.sort_by_key(|(place, finding)| (*place, severity(finding)));
    let mut found: Vec<(i64, &FindingRow, usize)> = Vec::new();
    for (place, finding) in shown {
        match found.last_mut() {
            Some((known, worst, number)) if place - *known < APART => {
                *number += 1;
                if severity(finding) < severity(worst) {
                    *worst = finding;
                }
            }
            _ => found.push((place, finding, 1)),
        }
    }
    found
}

/// Critical comes first.
fn severity(finding: &FindingRow) -> usize {
    let all = crate::views::findings::SEVERITIES;
    let place = all.iter().position(|name| *name == finding.severity);
    place.unwrap_or(all.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::axis::WIDTH;
    use crate::timeline::tests::{ledger, story};
    use proptest::prelude::*;
    use unchain_core::lineage::Lineage;

    /// Calls with the bar of every credential of the story.
    fn every(check: impl Fn(&Bar)) {
        let ledger = ledger(&story().records());
        let lineage = Lineage::build(&ledger);
        let at = Timestamp::parse("2026-03-02T12:05:00Z").unwrap();
        let report = Report::new(&lineage, at);
        for node in report.credentials() {
            check(&Bar::of(&report, report.uses(), node));
        }
    }

    #[test]
    fn a_bar_ends_where_the_next_part_begins() {
        every(|bar| {
            let (first, last) = bar.span().unwrap();
            for window in [Window::around(first, last), Window::new(first, last)] {
                let pieces = bar.pieces(window);
                assert!(!pieces.is_empty() && pieces.iter().all(|piece| piece.from <= piece.to));
                assert!(pieces.is_sorted_by(|a, b| a.to <= b.from), "{pieces:?}");
            }
        });
    }

    #[test]
    fn uses_stand_on_their_bar() {
        every(|bar| {
            let (first, last) = bar.span().unwrap();
            let window = Window::around(first, last);
            let pieces = bar.pieces(window);
            let column = WIDTH / COLUMNS;
            for at in Ticks::of(&bar.kinds, window).at {
                let on = |piece: &Piece| piece.from / column <= at && at <= piece.to / column;
                assert!(pieces.iter().any(on), "{at} of {bar:?}");
            }
        });
    }

    proptest! {
        #[test]
        fn any_instants_can_be_drawn(
            kinds in prop::collection::vec((any::<u32>(), any::<u32>()), 0..20),
            created in any::<Option<u32>>(),
            expires in any::<Option<u32>>(),
            edges in any::<(i64, i64)>(),
        ) {
            let kinds: Vec<(i64, i64)> = kinds.iter().map(|(a, b)| (i64::from(*a.min(b)), i64::from(*a.max(b)))).collect();
            let ends = [created.map(i64::from), expires.map(i64::from)];
            let bar = Bar {
                states: vec![
                    (i64::MIN, Status::NotYet, None),
                    (ends[0].unwrap_or(0), Status::Alive, None),
                    (ends[1].unwrap_or(i64::MAX), Status::Revoked, Some("key deleted")),
                ],
                created: ends[0],
                expires: ends[1],
                basis: ExpiryBasis::AtMost("a rule"),
                first_used: kinds.iter().map(|kind| kind.0).min(),
                last_used: kinds.iter().map(|kind| kind.1).max(),
                uses: 0,
                kinds,
            };
            for window in [Window::new(edges.0, edges.1), Window::new(edges.0, edges.0)] {
                for piece in bar.pieces(window) {
                    prop_assert!(0 <= piece.from && piece.from <= piece.to && piece.to <= WIDTH);
                }
                let ticks = Ticks::of(&bar.kinds, window);
                prop_assert!(ticks.at.iter().all(|at| (0..=COLUMNS).contains(at)));
                prop_assert!(ticks.between.iter().all(|(from, to)| 0 <= *from && from < to && *to <= COLUMNS));
            }
        }
    }
}
