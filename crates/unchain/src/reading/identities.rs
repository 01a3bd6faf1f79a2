//! Which access key ids and principal ids a file mentions, as hashes, so that the records of a
//! credential can be looked up later without opening every file.
//!
//! Costs one hash of `userIdentity` a record; it is parsed once per file and identity at most.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use unchain_case::key_hash;
use unchain_core::event::Event;
use unchain_core::json::Node;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Identities that are remembered from file to file; beyond that all are forgotten.
const REMEMBERED: usize = 1 << 17;

type Passing = BuildHasherDefault<Passed>;

/// A hasher for keys that are hashes already.
#[derive(Debug, Default)]
struct Passed(u64);

impl Hasher for Passed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// The identities of the file that is being read.
#[derive(Debug)]
pub(crate) struct Identities {
    seed: u64,
    /// The keys of an identity, by the hash of its text.
    known: HashMap<u64, [u32; 2], Passing>,
    /// The identities of this file, by the hash of their text.
    here: HashSet<u64, Passing>,
    last: u64,
    keys: Vec<u32>,
}

impl Identities {
    /// Nothing seen. `seed` keys the hashes that are not kept.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            known: HashMap::default(),
            here: HashSet::default(),
            last: 0,
            keys: Vec::new(),
        }
    }

    /// Takes note of an event's identity.
    pub(crate) fn see(&mut self, event: &Event<'_>) {
        match event.identity {
            None => {}
            Some(node @ Node::Value(_)) => {
                let keys = keys(node);
                self.keys.extend(keys);
            }
            Some(node @ Node::Text(text)) => {
                let hash = xxh3_64_with_seed(text.as_bytes(), self.seed);
                if hash == self.last || !self.here.insert(hash) {
                    return;
                }
                self.last = hash;
                if self.known.len() >= REMEMBERED {
                    self.known.clear();
                }
                let keys = self.known.entry(hash).or_insert_with(|| keys(node));
                self.keys.extend(*keys);
            }
        }
    }

    /// The sorted keys of the file, and on to the next.
    pub(crate) fn take(&mut self) -> Vec<u32> {
        self.here.clear();
        self.last = 0;
        let mut keys = std::mem::take(&mut self.keys);
        keys.sort_unstable();
        keys.dedup();
        keys.shrink_to_fit();
        keys
    }
}

fn keys(identity: Node<'_>) -> [u32; 2] {
    identity
        .fields(["accessKeyId", "principalId"])
        .map(|node| key_hash(&node.and_then(Node::scalar).unwrap_or_default()))
}
