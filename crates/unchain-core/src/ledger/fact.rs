//! Events kept whole: what issued, made, changed or ended something, and what was tried in vain.

use super::event_key::EventKey;
use super::symbols::Symbol;
use super::usage::{Mark, UseKey};
use crate::deed::{Attribute, Deed};
use crate::time::Seconds;
use crate::time::Timestamp;

/// One event that did something lasting. Numbers and symbols are the ledger's own.
#[derive(Clone, Copy, Debug)]
pub struct Fact {
    /// Its event id.
    pub id: EventKey,
    /// Its `sharedEventID`, or the empty text: the two copies of a cross-account call share it.
    pub shared: EventKey,
    /// Who called, what, from where, and where it was logged. The outcome is always success.
    pub key: UseKey,
    /// What it did.
    pub deed: Deed,
    /// When.
    pub time: Seconds,
    pub(super) first_attribute: u32,
    pub(super) attributes: u8,
    /// A hash of the event's id, name and recipient: orders facts of one second the same way in every
    /// ledger.
    pub(crate) hash: u32,
}

impl Fact {
    /// When it happened.
    pub fn time(&self) -> Timestamp {
        Timestamp::from_seconds(i64::from(self.time))
    }
}

/// What is kept of a fact: a text's symbol, or a number where the attribute is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kept {
    /// Which attribute.
    pub attribute: Attribute,
    /// A symbol's number, or the number itself.
    pub value: u32,
}

impl Kept {
    /// The symbol of a text attribute.
    pub fn symbol(self) -> Symbol {
        Symbol::from_number(self.value)
    }
}

/// A denied or failed attempt at a deed, counted with all others that differ only in their time:
/// a million guesses must not grow the ledger by a million facts. The count is that of the use with
/// the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptKey {
    /// Who tried what, from where, with which error.
    pub key: UseKey,
    /// What was tried.
    pub deed: Deed,
    /// The role, user or key that it was tried on, where the log tells.
    pub target: Symbol,
    /// The MFA device that was given.
    pub serial: Symbol,
}

/// When an attempt was made first and last, with the event ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The earliest.
    pub first: (Mark, EventKey),
    /// The latest.
    pub last: (Mark, EventKey),
}
