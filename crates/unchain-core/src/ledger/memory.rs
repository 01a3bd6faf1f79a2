//! What was met lately, so that the next record of the same caller is placed without being read again.
//!
//! Keyed by a 128-bit hash of the text under a secret made from the ledger's seed; equal hashes are
//! taken for equal texts. With a secret that the writer of a log cannot know, that errs less often than
//! the machine does.

use crate::event::Event;
use hashbrown::HashMap;
use xxhash_rust::xxh3::xxh3_128_with_secret;

/// Rows of a ledger by hashes of the texts that they were read from.
#[derive(Clone, Debug)]
pub(super) struct Memory {
    secret: [u8; 192],
    pub(super) callers: Recall,
    pub(super) calls: Recall,
    pub(super) clients: Recall,
    pub(super) places: Recall,
    pub(super) last_hour: Option<(u32, i64)>,
}

impl Memory {
    pub(super) fn new(seed: u64) -> Self {
        let mut state = seed;
        let mut secret = [0; 192];
        for chunk in secret.chunks_exact_mut(8) {
            // SplitMix64: every seed gives well-spread words.
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            chunk.copy_from_slice(&super::mix::mix(state, &[seed]).to_le_bytes());
        }
        let recall = Recall::default;
        Self {
            secret,
            callers: recall(),
            calls: recall(),
            clients: recall(),
            places: recall(),
            last_hour: None,
        }
    }

    /// A key for an identity's text. The console flag is not part of it but of the caller.
    pub(super) fn identity(&self, text: &str, from_console: bool) -> u128 {
        xxh3_128_with_secret(text.as_bytes(), &self.secret) ^ u128::from(from_console)
    }

    /// A key for texts and flags, unambiguous because the lengths are in it.
    pub(super) fn texts(&self, parts: [&str; 3], flags: u8) -> u128 {
        let [a, b, c] = parts.map(str::as_bytes);
        let mut buffer = [0u8; 320];
        let total = a.len() + b.len() + c.len();
        // Lengths that do not fit into the buffer are hashed from a copy.
        let head = [a.len() as u64, b.len() as u64, u64::from(flags)].map(u64::to_le_bytes).concat();
        match buffer.get_mut(..total) {
            Some(space) => {
                let (left, rest) = space.split_at_mut(a.len());
                let (middle, right) = rest.split_at_mut(b.len());
                left.copy_from_slice(a);
                middle.copy_from_slice(b);
                right.copy_from_slice(c);
                let lengths = (a.len() as u128) << 64 | (b.len() as u128) << 8 | u128::from(flags);
                xxh3_128_with_secret(space, &self.secret) ^ lengths.wrapping_mul(ODD)
            }
            None => xxh3_128_with_secret(&[&head, a, b, c].concat(), &self.secret),
        }
    }

    /// A key for what was called.
    pub(super) fn call(&self, event: &Event<'_>) -> u128 {
        let flags = (event.category as u8) << 2 | event.read_only.map_or(2, u8::from);
        self.texts([event.source, event.name, ""], flags)
    }
}

/// Any odd number with its bits well spread.
const ODD: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;

/// Recent answers in a small table that stays in the processor's nearest memory, and all others.
#[derive(Clone, Debug)]
pub(super) struct Recall {
    recent: Vec<(u128, u32)>,
    all: HashMap<u128, u32, Passing>,
}

const RECENT: usize = 256;

impl Default for Recall {
    fn default() -> Self {
        Self {
            recent: vec![(0, u32::MAX); RECENT],
            all: HashMap::default(),
        }
    }
}

impl Recall {
    #[inline]
    pub(super) fn get(&mut self, key: u128) -> Option<u32> {
        let slot = self.recent.get_mut(slot(key))?;
        if slot.0 == key && slot.1 != u32::MAX {
            return Some(slot.1);
        }
        let found = *self.all.get(&key)?;
        *slot = (key, found);
        Some(found)
    }

    pub(super) fn set(&mut self, key: u128, row: u32) {
        if let Some(slot) = self.recent.get_mut(slot(key)) {
            *slot = (key, row);
        }
        self.all.insert(key, row);
    }
}

fn slot(key: u128) -> usize {
    usize::try_from(key >> 64 & 0xff).unwrap_or_default() % RECENT
}

/// A hasher for keys that are hashes already.
#[derive(Clone, Copy, Debug, Default)]
struct Passing(u64);

impl std::hash::BuildHasher for Passing {
    type Hasher = Self;
    fn build_hasher(&self) -> Self {
        Self(0)
    }
}

impl std::hash::Hasher for Passing {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(word) = bytes.first_chunk::<8>() {
            self.0 = u64::from_ne_bytes(*word);
        }
    }
}
