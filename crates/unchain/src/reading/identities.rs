//! Which access key ids and principal ids a file mentions, as hashes, so that the records of a
//! credential can be looked up later without opening every file.
//!
//! Where the parser remembers an identity its token tells that the file has it already, or what its keys are. Another is
//! parsed: looking it up among all that were met costs as much, and the memory besides.

use std::num::NonZeroU64;
use unchain_case::key_hash;
use unchain_core::event::Event;
use unchain_core::json::{Members, Node};

/// Tokens that are remembered, as many as a parser has.
const TOKENS: usize = 1 << 10;

/// An identity that the parser remembers.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    token: Option<NonZeroU64>,
    /// The file in which it was met last.
    file: u32,
    keys: [u32; 2],
}

/// The identities of the file that is being read.
#[derive(Debug)]
pub(crate) struct Identities {
    /// The number of the file, from 1.
    file: u32,
    /// In slots chosen by the token. Whoever loses its slot is met anew.
    known: Vec<Known>,
    members: Members<2>,
    keys: Vec<u32>,
}

impl Identities {
    /// Nothing seen.
    pub(crate) fn new() -> Self {
        Self {
            file: 1,
            known: vec![Known::default(); TOKENS],
            members: Members::new(["accessKeyId", "principalId"]),
            keys: Vec::new(),
        }
    }

    /// Takes note of an event's identity.
    pub(crate) fn see(&mut self, event: &Event<'_>) {
        let Some(identity) = event.identity else {
            return;
        };
        let token = event.identity_token;
        let slot = token.and_then(|token| self.known.get_mut(place(token)));
        let Some(slot) = slot else {
            self.keys.extend(keys(&mut self.members, identity));
            return;
        };
        if slot.token != token {
            slot.token = token;
            slot.keys = keys(&mut self.members, identity);
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

/// The slot for a token: a parser counts them up.
fn place(token: NonZeroU64) -> usize {
    usize::try_from(token.get()).unwrap_or_default() % TOKENS
}

fn keys(members: &mut Members<2>, identity: Node<'_>) -> [u32; 2] {
    let found = members.of(identity);
    found.map(|node| key_hash(&node.and_then(Node::scalar).unwrap_or_default()))
}
