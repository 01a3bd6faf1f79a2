//! The digests that were read, and where their chains have holes. A set like the rest of the ledger.

use super::{Ledger, Symbol};
use crate::digest::Digest;
use crate::time::Seconds;

/// Digests of one trail follow each other to the second; so much between two is no hole.
const SLACK: Seconds = 120;

/// A time for which a chain of digests, going on afterwards, has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hole {
    /// The first digest after it: whose chain it is.
    pub next: Digest<Symbol>,
    /// The end of the last digest before it, in seconds since 1970.
    pub from: Seconds,
    /// Why there is none, as far as the next digest says.
    pub why: Break,
}

/// What the first digest after a hole says of the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Break {
    /// It names none: the chain begins anew.
    Anew,
    /// It names the last one before the hole: none was written in between.
    Pause,
    /// It names one that is not here.
    Missing,
}

impl Ledger {
    /// Adds a digest; once means once.
    pub fn add_digest(&mut self, digest: &Digest<String>) {
        let digest = digest.map(|text| self.symbols.intern(text));
        self.digests.insert(digest);
    }

    /// All digests, those of one chain together and by time.
    pub fn digests(&self) -> impl Iterator<Item = &Digest<Symbol>> {
        self.digests.iter()
    }

    /// The holes in the chains of digests, by account, region, trail and time. What was before the first
    /// and after the last digest of a chain is not known, and no hole.
    pub fn holes(&self) -> Vec<Hole> {
        let mut holes: Vec<Hole> = Vec::new();
        let mut last: Option<(Digest<Symbol>, Seconds)> = None;
        for next in self.digests().filter(|digest| !digest.backfill) {
            let until = last.filter(|(before, _)| chain(before) == chain(next));
            if let Some((_, from)) = until {
                holes.extend(hole(*next, from));
            }
            let end = until.map_or(next.end, |(_, from)| from.max(next.end));
            last = Some((*next, end));
        }
        holes.retain(|hole| !self.filled(hole));
        let names = |hole: &Hole| chain(&hole.next).map(|text| self.text(text));
        holes.sort_by(|a, b| (names(a), a.from).cmp(&(names(b), b.from)));
        holes
    }

    /// Whether a digest that was written afterwards begins in a hole.
    fn filled(&self, hole: &Hole) -> bool {
        let late = |start| Digest {
            backfill: true,
            start,
            end: 0,
            previous: None,
            files: 0,
            events: None,
            ..hole.next
        };
        let span = late(hole.from.saturating_sub(SLACK))..late(hole.next.start);
        self.digests.range(span).next().is_some()
    }

    pub(super) fn merge_digests(&mut self, other: &Self) {
        for digest in &other.digests {
            let digest = digest.map(|text| self.symbols.intern(other.text(*text)));
            self.digests.insert(digest);
        }
    }
}

/// What the digests of one chain have in common.
fn chain(digest: &Digest<Symbol>) -> [Symbol; 3] {
    [digest.account, digest.region, digest.trail]
}

fn hole(next: Digest<Symbol>, from: Seconds) -> Option<Hole> {
    let why = match next.previous {
        None => Break::Anew,
        Some(previous) if previous.abs_diff(from) <= SLACK => Break::Pause,
        Some(_) => Break::Missing,
    };
    (next.start > from.saturating_add(SLACK)).then_some(Hole { next, from, why })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::HOUR;

    /// The digest of the hour that ends at `hour`.
    fn digest(hour: Seconds, previous: Option<Seconds>) -> Digest<String> {
        Digest {
            account: "111122223333".to_owned(),
            region: "eu-west-1".to_owned(),
            trail: "main".to_owned(),
            backfill: false,
            start: (hour - 1) * HOUR,
            end: hour * HOUR,
            previous: previous.map(|hour| hour * HOUR),
            files: 0,
            events: None,
        }
    }

    fn holes(digests: &[Digest<String>]) -> Vec<(Seconds, Seconds, Break)> {
        let mut ledger = Ledger::default();
        digests.iter().for_each(|digest| ledger.add_digest(digest));
        let holes = ledger.holes().into_iter();
        holes
            .map(|hole| (hole.from / HOUR, hole.next.start / HOUR, hole.why))
            .collect()
    }

    #[test]
    fn a_hole_is_between_two_digests_of_one_chain() {
        let day = [digest(5, Some(4)), digest(6, Some(5)), digest(7, Some(6))];
        assert_eq!(holes(&day), [], "older and newer ones were not copied");
        let lost = [digest(5, Some(4)), digest(8, Some(7))];
        assert_eq!(holes(&lost), [(5, 7, Break::Missing)]);
        let paused = [digest(5, Some(4)), digest(9, Some(5))];
        assert_eq!(holes(&paused), [(5, 8, Break::Pause)]);
        let anew = [digest(5, Some(4)), digest(9, None)];
        assert_eq!(holes(&anew), [(5, 8, Break::Anew)]);
        let mut elsewhere = digest(9, Some(8));
        elsewhere.region = "us-east-1".to_owned();
        assert_eq!(holes(&[digest(5, Some(4)), elsewhere]), []);
    }

    #[test]
    fn what_came_late_fills_a_hole() {
        let mut late = digest(6, None);
        late.backfill = true;
        assert_eq!(
            holes(&[digest(5, None), late.clone(), digest(8, Some(7))]),
            []
        );
        let alone = [late.clone(), digest(8, Some(7))];
        assert_eq!(holes(&alone), [], "it begins no chain of the others");
        let before = [digest(7, None), late, digest(9, Some(8))];
        assert_eq!(holes(&before), [(7, 8, Break::Missing)]);
    }

    #[test]
    fn ledgers_of_digests_alone_are_united() {
        let of = |seed, hours: &[Seconds]| {
            let mut ledger = Ledger::new(seed);
            let digests = hours.iter().map(|hour| digest(*hour, None));
            digests.for_each(|digest| ledger.add_digest(&digest));
            ledger
        };
        let mut united = of(1, &[5, 6]);
        united.merge(of(1, &[6, 9]));
        united.merge(of(2, &[4]));
        united.settle();
        assert_eq!(united, of(3, &[9, 4, 6, 5]));
    }
}
