//! Identities met before, which come again byte for byte.
//!
//! Must not know what they mean.

use super::Place;
use crate::json::Node;
use crate::json::shapes::Shapes;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering};
use xxhash_rust::xxh3::xxh3_64;

/// Values met before, each in a slot chosen by its first bytes.
#[derive(Debug)]
pub(super) struct Memo {
    slots: Vec<Slot>,
    /// What the token of the next value is, if it gets one.
    next: Option<NonZeroU64>,
}

/// One value met before.
#[derive(Clone, Debug, Default)]
struct Slot {
    text: Vec<u8>,
    /// A hash of its first bytes, so that another text is told without going to this one.
    prefix: u64,
    token: Option<NonZeroU64>,
}

/// A power of two, so that a hash picks a slot by its low bits.
const SLOTS: usize = 1024;
/// How many bytes choose the slot: enough to reach into `principalId`.
const PREFIX: usize = 120;
/// Larger values rarely come again, and keeping them would cost memory.
const LONGEST: usize = 2048;

/// Tokens that begin with the same bits are one memory's; this counts the memories.
static MEMORIES: AtomicU64 = AtomicU64::new(1);
/// How many bits of a token count the values of one memory.
const VALUES: u32 = 40;

impl Default for Memo {
    fn default() -> Self {
        let memory = MEMORIES.fetch_add(1, Ordering::Relaxed);
        Self {
            slots: vec![Slot::default(); SLOTS],
            next: NonZeroU64::new(memory << VALUES).filter(|_| memory < 1 << (64 - VALUES)),
        }
    }
}

impl Memo {
    /// A memory that keeps nothing.
    pub(super) fn nothing() -> Self {
        Self {
            slots: Vec::new(),
            next: None,
        }
    }

    /// Skips one value and returns its text, and its token if it is remembered.
    ///
    /// INVARIANT: equal tokens are given for equal texts only.
    /// Test: `equal_tokens_mean_equal_identities`.
    #[inline]
    pub(super) fn node<'a>(
        &mut self,
        place: Place<'a>,
        (shapes, kind): (&mut Shapes, usize),
    ) -> Option<(Node<'a>, usize, Option<NonZeroU64>)> {
        let rest = place.bytes.get(place.at..)?;
        let prefix = rest.get(..PREFIX).unwrap_or(rest);
        let prefix = xxh3_64(prefix);
        let slot = usize::try_from(prefix).unwrap_or_default() % SLOTS;
        let Some(known) = self
            .slots
            .get_mut(slot)
            .filter(|_| matches!(rest, [b'{' | b'[', ..]))
        else {
            let (node, end) = place.shaped(shapes, kind)?;
            return Some((node, end, None));
        };
        let alike = known.prefix == prefix && !known.text.is_empty();
        if alike && rest.starts_with(&known.text) {
            let end = place.at + known.text.len();
            let node = Node::Text(place.text.get(place.at..end)?);
            return Some((node, end, known.token));
        }
        let (node, end) = place.shaped(shapes, kind)?;
        if end - place.at > LONGEST {
            return Some((node, end, None));
        }
        known.prefix = prefix;
        known.text.clear();
        known
            .text
            .extend_from_slice(place.bytes.get(place.at..end)?);
        known.token = self.next;
        self.next = self.next.and_then(following);
        Some((node, end, known.token))
    }
}

/// The token after `token`; `None` when one memory has used up its own.
fn following(token: NonZeroU64) -> Option<NonZeroU64> {
    let next = token.checked_add(1)?;
    (next.trailing_zeros() < VALUES).then_some(next)
}
