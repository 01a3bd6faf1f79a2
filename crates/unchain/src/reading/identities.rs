//! Which access key ids and principal ids a file mentions, as hashes, so that the records of a
//! credential can be looked up later without opening every file.
//!
//! Where the parser remembers an identity its token tells that the file has it already; else it costs one hash
//! of `userIdentity`. It is parsed when it was not met lately.

use std::num::NonZeroU64;
use unchain_case::key_hash;
use unchain_core::event::Event;
use unchain_core::json::Node;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Tokens that are remembered: those of a file.
const TOKENS: usize = 1 << 10;
/// Identities that are remembered from file to file: three megabytes of them.
const REMEMBERED: usize = 1 << 17;

/// An identity met before.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    /// Of its text.
    hash: u64,
    /// The file in which it was met last; 0 if in none.
    file: u32,
    keys: [u32; 2],
}

/// The identities of the file that is being read.
#[derive(Debug)]
pub(crate) struct Identities {
    seed: u64,
    /// The number of the file, from 1.
    file: u32,
    /// Tokens and the files in which they were met, in slots chosen by the token. Whoever loses its slot is met
    /// anew.
    tokens: Vec<(Option<NonZeroU64>, u32)>,
    /// In slots chosen by the hash, likewise.
    known: Vec<Known>,
    keys: Vec<u32>,
}

impl Identities {
    /// Nothing seen. `seed` keys the hashes that are not kept.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            file: 1,
            tokens: vec![(None, 0); TOKENS],
            known: vec![Known::default(); REMEMBERED],
            keys: Vec::new(),
        }
    }

    /// Takes note of an event's identity.
    pub(crate) fn see(&mut self, event: &Event<'_>) {
        if event.identity_token.is_some_and(|token| self.has(token)) {
            return;
        }
        match event.identity {
            None => {}
            Some(node @ Node::Value(_)) => self.keys.extend(keys(node)),
            Some(node @ Node::Text(text)) => self.text(node, text),
        }
    }

    /// Whether this file's identities include the one with this token; from now on they do.
    fn has(&mut self, token: NonZeroU64) -> bool {
        let now = (Some(token), self.file);
        let slot = self.tokens.get_mut(place(token.get(), TOKENS));
        slot.is_some_and(|slot| std::mem::replace(slot, now) == now)
    }

    fn text(&mut self, node: Node<'_>, text: &str) {
        let hash = xxh3_64_with_seed(text.as_bytes(), self.seed);
        let Some(slot) = self.known.get_mut(place(hash, REMEMBERED)) else {
            return;
        };
        if slot.file == 0 || slot.hash != hash {
            (slot.hash, slot.keys) = (hash, keys(node));
        } else if slot.file == self.file {
            return;
        }
        slot.file = self.file;
        self.keys.extend(slot.keys);
    }

    /// The sorted keys of the file, and on to the next.
    pub(crate) fn take(&mut self) -> Vec<u32> {
        self.file += 1;
        self.keys.sort_unstable();
        self.keys.dedup();
        let keys = self.keys.as_slice().to_vec();
        self.keys.clear();
        keys
    }
}

/// The slot for a word that is spread well in its low bits.
fn place(word: u64, slots: usize) -> usize {
    usize::try_from(word).unwrap_or_default() % slots
}

fn keys(identity: Node<'_>) -> [u32; 2] {
    identity
        .fields(["accessKeyId", "principalId"])
        .map(|node| key_hash(&node.and_then(Node::scalar).unwrap_or_default()))
}
