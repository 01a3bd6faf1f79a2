//! The lab's clock: it can be set, moved and frozen, and it remembers how, because clients sign with their own.

use serde::{Deserialize, Serialize};
use unchain_core::time::Timestamp;

/// Virtual time as a function of the host's time. The host's time is always an argument.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Clock {
    /// Every change, in the order made: from this host second on, virtual time runs (or stands) from `virtual_at`.
    changes: Vec<Change>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Change {
    host: i64,
    virtual_at: i64,
    frozen: bool,
}

impl Clock {
    /// Virtual time at a host time. A client's signature carries host time; this says what the lab's clock
    /// showed when it was made.
    pub fn at(&self, host: Timestamp) -> Timestamp {
        let host = host.seconds();
        let change = self.changes.iter().rev().find(|change| change.host <= host);
        Timestamp::from_seconds(match change {
            None => host,
            Some(change) if change.frozen => change.virtual_at,
            Some(change) => change.virtual_at.saturating_add(host - change.host),
        })
    }

    /// Whether the clock stands still.
    pub fn frozen(&self) -> bool {
        self.changes.last().is_some_and(|change| change.frozen)
    }

    /// Sets virtual time; whether the clock runs or stands does not change.
    pub fn set(&mut self, host: Timestamp, to: Timestamp) {
        self.change(host, to, self.frozen());
    }

    /// Stops the clock where it stands.
    pub fn freeze(&mut self, host: Timestamp) {
        self.change(host, self.at(host), true);
    }

    /// Lets the clock run on from where it stands.
    pub fn run(&mut self, host: Timestamp) {
        self.change(host, self.at(host), false);
    }

    /// A story turns the clock thousands of times within one host second: only the last change of a second counts,
    /// and no more than the last thousand are kept.
    fn change(&mut self, host: Timestamp, to: Timestamp, frozen: bool) {
        let change = Change {
            host: host.seconds(),
            virtual_at: to.seconds(),
            frozen,
        };
        match self.changes.last_mut() {
            Some(last) if last.host >= change.host => *last = change,
            _ => self.changes.push(change),
        }
        if self.changes.len() > 1000 {
            self.changes.remove(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn t(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn a_clock_that_was_never_touched_is_the_hosts() {
        assert_eq!(Clock::default().at(t(5)), t(5));
    }

    #[test]
    fn it_is_set_frozen_and_run_on_and_remembers_what_it_showed() {
        let mut clock = Clock::default();
        clock.set(t(100), t(1000));
        assert_eq!(clock.at(t(110)), t(1010));
        clock.freeze(t(120));
        assert_eq!(clock.at(t(500)), t(1020));
        clock.set(t(500), t(9000));
        assert_eq!(clock.at(t(600)), t(9000));
        clock.run(t(600));
        assert_eq!(clock.at(t(601)), t(9001));
        assert_eq!(clock.at(t(110)), t(1010), "what it showed then");
        assert_eq!(clock.at(t(99)), t(99));
    }
}
