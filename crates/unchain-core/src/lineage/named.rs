//! Nodes that have no key, by what names them.

use super::build::Mixing;
use super::{Node, NodeKind};
use crate::ledger::{Seconds, Symbol};
use hashbrown::HashTable;
use std::hash::BuildHasher as _;

/// What names a node that has no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Name {
    pub(super) kind: NodeKind,
    pub(super) name: Symbol,
    pub(super) session: Symbol,
    pub(super) account: Symbol,
    /// Tells console sessions apart, and OAuth sessions, which `console` finds by itself.
    pub(super) created: Option<Seconds>,
}

impl Name {
    pub(super) fn new(kind: NodeKind, name: Symbol, session: Symbol) -> Self {
        Self {
            kind,
            name,
            session,
            account: Symbol::EMPTY,
            created: None,
        }
    }

    /// Whether this is a node's name. INVARIANT: what is compared here is never changed in a node
    /// whose name is in a table. Test: `tests/truth.rs`.
    fn is_of(&self, node: &Node) -> bool {
        let same = (self.kind, self.name, self.session, self.account)
            == (node.kind, node.name, node.session, node.account);
        // Other things learn later when they were created.
        same && (self.kind != NodeKind::ConsoleSession || self.created == node.created)
    }
}

/// The numbers of nodes that have no key, each with its name's hash. The name is in the node.
#[derive(Debug, Default)]
pub(super) struct Names(HashTable<(u32, u32)>);

impl Names {
    pub(super) fn find(&self, name: &Name, nodes: &[Node]) -> Option<u32> {
        let hash = hash(name);
        let same = |&(half, number): &(u32, u32)| {
            half == hash && nodes.get(number as usize).is_some_and(|n| name.is_of(n))
        };
        self.0.find(spread(hash), same).map(|&(_, number)| number)
    }

    pub(super) fn add(&mut self, name: &Name, number: u32) {
        let hash = hash(name);
        self.0
            .insert_unique(spread(hash), (hash, number), |&(half, _)| spread(half));
    }
}

/// The half of a hash that the table keeps, so that growing it does not visit every node.
fn hash(name: &Name) -> u32 {
    u32::try_from(Mixing::default().hash_one(name) >> 32).unwrap_or_default()
}

/// A table wants its hash spread over 64 bits.
fn spread(half: u32) -> u64 {
    u64::from(half).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
