//! The uses of one caller as the case holds them: numbered by the case, in order, and united as sets.
//! Must not know how they are packed, nor SQLite.

use std::borrow::Cow;
use unchain_core::ledger::Mark;

/// An event id. GUIDs come before other texts, as in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum EventId<'a> {
    Guid([u8; 16]),
    Text(Cow<'a, str>),
}

/// The numbers that key a use within its caller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Numbers {
    pub(crate) call: u32,
    pub(crate) client: u32,
    pub(crate) place: u32,
    /// A text.
    pub(crate) outcome: u32,
}

/// An event at an end of a use.
pub(crate) type End<'a> = (Mark, EventId<'a>);

/// A use with its ends and its marks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UseRow<'a> {
    pub(crate) numbers: Numbers,
    pub(crate) first: End<'a>,
    pub(crate) last: End<'a>,
    /// Distinct events.
    pub(crate) count: u64,
    /// The marks of all of them, ascending, both ends included; or none, if they are kept by day or
    /// are not wanted.
    pub(crate) marks: Cow<'a, [Mark]>,
}

/// Unites two lists of uses, each in the order of its numbers and with all marks.
pub(crate) fn unite<'a>(known: Vec<UseRow<'a>>, new: Vec<UseRow<'a>>) -> Vec<UseRow<'a>> {
    merge(known, new, |known, new| {
        unite_marks(known.marks.to_mut(), &new.marks);
        known.count = known.marks.len() as u64;
        unite_ends(known, new);
    })
}

/// Merges two lists of uses by their numbers.
pub(crate) fn merge<'a>(
    known: Vec<UseRow<'a>>,
    new: Vec<UseRow<'a>>,
    both: impl Fn(&mut UseRow<'a>, UseRow<'a>),
) -> Vec<UseRow<'a>> {
    let mut out: Vec<UseRow<'a>> = Vec::with_capacity(known.len().max(new.len()));
    let mut known = known.into_iter().peekable();
    for use_row in new {
        while let Some(before) = known.next_if(|k| k.numbers < use_row.numbers) {
            out.push(before);
        }
        match known.next_if(|k| k.numbers == use_row.numbers) {
            None => out.push(use_row),
            Some(mut united) => {
                both(&mut united, use_row);
                out.push(united);
            }
        }
    }
    out.extend(known);
    out
}

/// The earlier first and the later last. Equal marks keep the smaller id, so that order does not matter.
pub(crate) fn unite_ends<'a>(known: &mut UseRow<'a>, new: UseRow<'a>) {
    if new.first < known.first {
        known.first = new.first;
    }
    let (mark, id) = (new.last.0, new.last.1);
    if mark > known.last.0 || (mark == known.last.0 && id < known.last.1) {
        known.last = (mark, id);
    }
}

/// Adds marks to ascending marks, and says how many were new.
pub(crate) fn unite_marks(known: &mut Vec<Mark>, new: &[Mark]) -> u64 {
    let before = known.len();
    known.extend_from_slice(new);
    known.sort_unstable();
    known.dedup();
    (known.len() - before) as u64
}

/// Two ascending lists as one, each number once.
pub(crate) fn unite_sorted(known: &[u32], new: &[u32]) -> Vec<u32> {
    let mut out = [known, new].concat();
    out.sort_unstable();
    out.dedup();
    out
}
