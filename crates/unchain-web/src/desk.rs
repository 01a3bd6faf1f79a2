//! Who answers requests now: the workers of one ledger, until those of a grown one take their place.

use crate::containment::Containment;
use crate::live::Live;
use crate::workers::{Asker, Setting, with_workers};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use unchain_core::ledger::Ledger;

/// What every request is answered from. Clones share it.
#[derive(Clone, Debug)]
pub struct Desk(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    seat: Mutex<Seat>,
    live: Live,
    containment: Containment,
}

#[derive(Debug)]
enum Seat {
    /// Nobody has come yet.
    Empty,
    /// These workers answer. Who waits for the end of `_leave` goes when others come.
    Taken {
        asker: Asker,
        _leave: Option<Sender<()>>,
    },
    /// Nobody comes any more.
    Closed,
}

impl Desk {
    /// A desk where nobody answers yet.
    pub fn new(containment: Containment) -> Self {
        Self(Arc::new(Inner {
            seat: Mutex::new(Seat::Empty),
            live: Live::new(),
            containment,
        }))
    }

    /// Builds the lineage of a ledger and answers from it, until others take over or the desk is closed; then what is in
    /// hand is answered. `ready` is called when the first question may come.
    pub fn answer(&self, ledger: &Ledger, setting: Setting<'_>, ready: impl FnOnce()) {
        let (leave, left) = channel();
        with_workers(ledger, setting, |asker| {
            if !self.take(Seat::Taken {
                asker,
                _leave: Some(leave),
            }) {
                return;
            }
            self.0.live.events(ledger.events());
            ready();
            // Comes back with an error when the sender is gone.
            let _ = left.recv();
        });
    }

    /// Lets the workers go, and everybody who waits for news. Nobody takes over any more.
    pub fn close(&self) {
        self.0.live.end();
        self.take(Seat::Closed);
    }

    /// Tells pages that show plans to look again.
    pub fn plans_changed(&self) {
        self.0.live.journal();
    }

    /// Puts others in the place of whoever answers; says whether there was a place.
    fn take(&self, seat: Seat) -> bool {
        let before = {
            let mut now = self.seat();
            if matches!(*now, Seat::Closed) {
                return false;
            }
            std::mem::replace(&mut *now, seat)
        };
        // Outside the lock: what it holds may be the last of its kind.
        drop(before);
        true
    }

    pub(crate) fn asker(&self) -> Option<Asker> {
        match &*self.seat() {
            Seat::Taken { asker, .. } => Some(asker.clone()),
            Seat::Empty | Seat::Closed => None,
        }
    }

    pub(crate) fn live(&self) -> &Live {
        &self.0.live
    }

    pub(crate) fn containment(&self) -> &Containment {
        &self.0.containment
    }

    fn seat(&self) -> MutexGuard<'_, Seat> {
        self.0.seat.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A desk for workers that stay.
impl From<Asker> for Desk {
    fn from(asker: Asker) -> Self {
        let desk = Self::new(Containment::default());
        desk.take(Seat::Taken {
            asker,
            _leave: None,
        });
        desk
    }
}
