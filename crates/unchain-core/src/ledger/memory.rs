//! What was met lately, so that the next record of the same caller is placed without being read again.
//!
//! Identities are keyed by a 128-bit hash of their text under a secret made from the ledger's seed; equal hashes are
//! taken for equal texts. With a secret that the writer of a log cannot know, that errs less often than
//! the machine does.

use hashbrown::HashMap;
use xxhash_rust::xxh3::xxh3_128_with_secret;

/// Rows of a ledger by hashes of the texts that they were read from.
#[derive(Clone, Debug)]
pub(super) struct Memory {
    secret: [u8; 192],
    pub(super) callers: Recall,
    pub(super) calls: Recent,
    pub(super) clients: Recent,
    pub(super) places: Recent,
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
        Self {
            secret,
            callers: Recall::default(),
            calls: Recent::default(),
            clients: Recent::default(),
            places: Recent::default(),
            last_hour: None,
        }
    }

    /// A key for an identity's text. The console flag is not part of it but of the caller.
    pub(super) fn identity(&self, text: &str, from_console: bool) -> u128 {
        xxh3_128_with_secret(text.as_bytes(), &self.secret) ^ u128::from(from_console)
    }
}

/// Row numbers met lately, in slots chosen by a cheap hash. Whoever asks checks that the row is the
/// right one.
#[derive(Clone, Debug)]
pub(super) struct Recent(Vec<u32>);

/// A power of two, enough for the addresses and agents that a day's files bring in turn.
const RECENT_ROWS: usize = 8192;

impl Default for Recent {
    fn default() -> Self {
        Self(vec![u32::MAX; RECENT_ROWS])
    }
}

impl Recent {
    /// The slot for texts: their lengths and first and last bytes tell most apart.
    #[inline]
    pub(super) fn slot(parts: [&str; 2]) -> usize {
        let word = |text: &str| {
            let bytes = text.as_bytes();
            let first = bytes
                .first_chunk::<8>()
                .map_or(0, |b| u64::from_le_bytes(*b));
            let last = bytes
                .last_chunk::<8>()
                .map_or(bytes.len() as u64, |b| u64::from_le_bytes(*b));
            first.rotate_left(29) ^ last ^ (bytes.len() as u64) << 56
        };
        let [a, b] = parts;
        let hash = super::mix::mix(word(a), &[word(b)]);
        usize::try_from(hash).unwrap_or_default() % RECENT_ROWS
    }

    #[inline]
    pub(super) fn get(&self, slot: usize) -> Option<u32> {
        self.0.get(slot).copied().filter(|&row| row != u32::MAX)
    }

    pub(super) fn set(&mut self, slot: usize, row: u32) {
        if let Some(known) = self.0.get_mut(slot) {
            *known = row;
        }
    }
}

/// Recent answers in a small table that stays in the processor's nearest memory, and all others.
#[derive(Clone, Debug)]
pub(super) struct Recall {
    recent: Vec<(u128, u32)>,
    all: HashMap<u128, u32, Passing>,
}

const RECENT: usize = 4096;

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
    usize::try_from(key >> 64 & 0xffff).unwrap_or_default() % RECENT
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
