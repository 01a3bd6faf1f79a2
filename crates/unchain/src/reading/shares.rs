//! Which thread reads which file. Files are sorted by path, so neighbours share accounts, regions and
//! callers: each thread gets a run of neighbours, which keeps the ledgers that must be merged apart.
//! Who is done early takes from the far end of the longest run that is left.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The runs that are left: first in the high half, end in the low half.
#[derive(Debug)]
pub(crate) struct Shares(Vec<AtomicU64>);

impl Shares {
    /// Cuts `items` into a run for each of `workers`.
    pub(crate) fn new(items: usize, workers: usize) -> Self {
        let workers = workers.max(1);
        let cut = |n: usize| u64::try_from(items * n / workers).unwrap_or(0);
        Self(
            (0..workers)
                .map(|n| AtomicU64::new(cut(n) << 32 | cut(n + 1)))
                .collect(),
        )
    }

    /// The next item for a worker.
    pub(crate) fn next(&self, worker: usize) -> Option<usize> {
        if let Some(item) = self.0.get(worker).and_then(|run| take(run, first)) {
            return Some(item);
        }
        loop {
            let left = |run: &&AtomicU64| {
                let (start, end) = halves(run.load(Relaxed));
                end.saturating_sub(start)
            };
            let longest = self.0.iter().max_by_key(left).filter(|run| left(run) > 0)?;
            if let Some(item) = take(longest, last) {
                return Some(item);
            }
        }
    }
}

/// Takes one item off a run, with what is left of it.
type Cut = fn(u64, u64) -> (u64, u64);

fn first(start: u64, end: u64) -> (u64, u64) {
    (start, (start + 1) << 32 | end)
}

fn last(start: u64, end: u64) -> (u64, u64) {
    (end - 1, start << 32 | (end - 1))
}

fn take(run: &AtomicU64, cut: Cut) -> Option<usize> {
    let cut_off = |packed| {
        let (start, end) = halves(packed);
        (start < end).then(|| cut(start, end))
    };
    let before = run
        .fetch_update(Relaxed, Relaxed, |packed| Some(cut_off(packed)?.1))
        .ok()?;
    usize::try_from(cut_off(before)?.0).ok()
}

fn halves(packed: u64) -> (u64, u64) {
    (packed >> 32, packed & 0xffff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_goes_to_one_worker() {
        for (items, workers) in [(0, 1), (1, 4), (10, 3), (1000, 4)] {
            let shares = Shares::new(items, workers);
            let mut taken: Vec<usize> = std::thread::scope(|scope| {
                let run = |worker| {
                    let shares = &shares;
                    scope.spawn(move || {
                        std::iter::from_fn(|| shares.next(worker)).collect::<Vec<_>>()
                    })
                };
                let threads: Vec<_> = (0..workers).map(run).collect();
                threads
                    .into_iter()
                    .flat_map(|t| t.join().unwrap())
                    .collect()
            });
            taken.sort_unstable();
            assert_eq!(taken, (0..items).collect::<Vec<_>>());
        }
    }

    #[test]
    fn an_idle_worker_takes_from_the_far_end() {
        let shares = Shares::new(4, 2);
        let taken: Vec<_> = std::iter::from_fn(|| shares.next(1)).collect();
        assert_eq!(taken, [2, 3, 1, 0]);
    }
}
