//! Which credential stands under which, computed once for a lineage. Must not know instants or findings.

use crate::names::hexadecimal;
use sha2::{Digest, Sha256};
use std::cmp::Reverse;
use std::collections::HashMap;
use unchain_core::ledger::Seconds;
use unchain_core::lineage::{Lineage, Node, NodeKind, UsesByNode};

/// No node.
const NONE: u32 = u32::MAX;
/// Things between two credentials that are climbed over: logs can make longer chains than any person does.
const CLIMBED: usize = 64;

/// A forest of credentials: each stands under the one that it came from, whatever was made between them. What
/// a service issued stands alone, as services act for many.
#[derive(Debug)]
pub(crate) struct Forest {
    /// The credential above each node.
    above: Vec<u32>,
    starts: Vec<u32>,
    /// The nodes below each, in order of creation.
    below: Vec<u32>,
    /// Which of `alike` a node is.
    class: Vec<u32>,
    /// Kind and principal without the session's name.
    alike: Vec<(&'static str, String)>,
    /// What stands under nothing; what was used last comes first.
    tops: Vec<u32>,
}

/// Whether a node has a line of its own: what requests are made with, and Identity Center sessions.
pub(crate) fn is_shown(node: &Node) -> bool {
    node.kind.is_credential() || node.kind == NodeKind::IdentityCenterSession
}

/// The ARN of a principal, for a role's session without the session's name.
pub(crate) fn whose(arn: &str) -> &str {
    let role = arn.rsplit_once('/').map(|(role, _)| role);
    let is_session = arn.contains(":assumed-role/");
    role.filter(|role| is_session && role.contains('/'))
        .unwrap_or(arn)
}

impl Forest {
    /// Of a whole lineage.
    pub(crate) fn new(lineage: &Lineage<'_>) -> Self {
        let above = above(lineage);
        let order = |node: &u32| (lineage.node(*node).and_then(|n| n.created), *node);
        let mut pairs: Vec<(u32, u32)> = numbered(lineage)
            .filter(|(_, node)| is_shown(node))
            .filter_map(|(number, _)| Some((*above.get(number as usize)?, number)))
            .collect();
        pairs.sort_unstable_by_key(|(top, node)| (*top, order(node)));
        let mut starts = vec![0; lineage.nodes().len() + 1];
        for (top, _) in pairs.iter().filter(|(top, _)| *top != NONE) {
            if let Some(slot) = starts.get_mut(*top as usize + 1) {
                *slot += 1;
            }
        }
        let mut sum = 0u32;
        for slot in &mut starts {
            sum += *slot;
            *slot = sum;
        }
        let (class, alike) = classes(lineage);
        let mut forest = Self {
            above,
            starts,
            below: pairs.iter().map(|(_, node)| *node).collect(),
            class,
            alike,
            tops: Vec::new(),
        };
        let tops = pairs.iter().filter(|(top, _)| *top == NONE);
        forest.tops = tops.map(|(_, node)| *node).collect();
        forest.sort_tops(lineage);
        forest
    }

    /// The credential above a node.
    pub(crate) fn above(&self, node: u32) -> Option<u32> {
        let above = self.above.get(node as usize).copied();
        above.filter(|&above| above != NONE)
    }

    /// A node and everything above it, nearest first.
    pub(crate) fn path(&self, node: u32) -> impl Iterator<Item = u32> + '_ {
        std::iter::successors(Some(node), |&at| self.above(at))
    }

    /// The credentials right below a node, in order of creation.
    pub(crate) fn below(&self, node: u32) -> &[u32] {
        let ends = (
            self.starts.get(node as usize),
            self.starts.get(node as usize + 1),
        );
        let (Some(&from), Some(&to)) = ends else {
            return &[];
        };
        self.below
            .get(from as usize..to as usize)
            .unwrap_or_default()
    }

    /// Everything below a node, itself not.
    pub(crate) fn all_below(&self, node: u32) -> Vec<u32> {
        let mut found = self.below(node).to_vec();
        let mut at = 0;
        while let Some(&next) = found.get(at) {
            found.extend(self.below(next));
            at += 1;
        }
        found
    }

    /// What stands under nothing; what was used last comes first.
    pub(crate) fn tops(&self) -> &[u32] {
        &self.tops
    }

    /// Whether a node has a line.
    pub(crate) fn is_shown(&self, node: u32) -> bool {
        self.class(node) != NONE
    }

    /// Nodes with the same number are of one kind and one role or user.
    pub(crate) fn class(&self, node: u32) -> u32 {
        self.class.get(node as usize).copied().unwrap_or(NONE)
    }

    /// The kind of a class, and the ARN of the role or user: text of a log.
    pub(crate) fn alike(&self, class: u32) -> (&'static str, &str) {
        let known = self.alike.get(class as usize);
        known.map_or(("", ""), |(kind, whose)| (kind, whose))
    }

    /// A name for those of a class under one node that stays the same while the case grows.
    pub(crate) fn group(&self, name_above: &str, class: u32) -> String {
        let (kind, whose) = self.alike(class);
        let mut hash = Sha256::new();
        for part in [name_above, kind, whose] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hexadecimal(&hash.finalize())
    }

    fn sort_tops(&mut self, lineage: &Lineage<'_>) {
        let uses = UsesByNode::new(lineage);
        let last = |node: u32| {
            let created = lineage.node(node).and_then(|n| n.created);
            uses.usage(lineage, node).last.max(created)
        };
        let of_all = |top: u32| {
            let below = self.all_below(top).into_iter();
            below.chain([top]).map(last).max().flatten()
        };
        let tops = self.tops.iter();
        let mut dated: Vec<(Reverse<Option<Seconds>>, u32)> =
            tops.map(|&top| (Reverse(of_all(top)), top)).collect();
        dated.sort_unstable();
        self.tops = dated.into_iter().map(|(_, top)| top).collect();
    }
}

fn numbered<'n>(lineage: &'n Lineage<'_>) -> impl Iterator<Item = (u32, &'n Node)> {
    (0u32..).zip(lineage.nodes())
}

/// The nearest credential above each node by the edges that best explain it.
fn above(lineage: &Lineage<'_>) -> Vec<u32> {
    let roots = lineage.roots();
    let kind = |node: u32| lineage.node(node).map(|n| n.kind);
    let climb = |node: u32| {
        let mut at = node;
        for _ in 0..CLIMBED {
            // The root of a circle of nodes that made each other stands under nothing.
            if roots.get(at as usize) == Some(&at) {
                return NONE;
            }
            let Some(edge) = lineage.primary(at) else {
                return NONE;
            };
            at = edge.parent;
            if kind(at).is_none_or(|kind| kind == NodeKind::Service) {
                return NONE;
            }
            if at != node && lineage.node(at).is_some_and(is_shown) {
                return at;
            }
        }
        NONE
    };
    (0u32..).take(lineage.nodes().len()).map(climb).collect()
}

/// The class of every node, and what the classes are.
fn classes(lineage: &Lineage<'_>) -> (Vec<u32>, Vec<(&'static str, String)>) {
    let mut known: HashMap<(&'static str, String), u32> = HashMap::new();
    let mut alike = Vec::new();
    let class = |(number, node): (u32, &Node)| {
        if !is_shown(node) {
            return NONE;
        }
        let arn = lineage.principal(number);
        let key = (node.kind.name(), whose(arn.raw()).to_owned());
        let next = u32::try_from(known.len()).unwrap_or(NONE);
        *known.entry(key).or_insert_with_key(|key| {
            alike.push(key.clone());
            next
        })
    };
    let class = numbered(lineage).map(class).collect();
    (class, alike)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::tests::{ledger, story};

    #[test]
    fn every_credential_stands_once() {
        let ledger = ledger(&story().records());
        let lineage = Lineage::build(&ledger);
        let forest = Forest::new(&lineage);
        let mut found: Vec<u32> = forest.tops().to_vec();
        for &top in forest.tops() {
            found.extend(forest.all_below(top));
        }
        found.sort_unstable();
        let shown = numbered(&lineage).filter(|(_, node)| is_shown(node));
        let shown: Vec<u32> = shown.map(|(number, _)| number).collect();
        assert_eq!(found, shown);
    }

    #[test]
    fn what_a_session_made_stands_under_it_whatever_was_made_between() {
        let story = story();
        let ledger = ledger(&story.records());
        let lineage = Lineage::build(&ledger);
        let forest = Forest::new(&lineage);
        let of = |name: &str| {
            let key = ledger.symbols().find(story.key(name).unwrap()).unwrap();
            numbered(&lineage)
                .find(|(_, node)| node.key == key)
                .unwrap()
                .0
        };
        let path: Vec<u32> = forest.path(of("SPARE")).collect();
        assert_eq!(path, ["SPARE", "D", "B", "A"].map(of));
        assert_eq!(forest.above(of("WEB")), None, "a service issued it");
    }

    #[test]
    fn sessions_of_a_role_are_alike() {
        let role = "arn:aws:sts::111122223333:assumed-role/web";
        assert_eq!(whose(&format!("{role}/one")), role);
        assert_eq!(whose(role), role);
        assert_eq!(whose("arn:aws:iam::1:user/a/b"), "arn:aws:iam::1:user/a/b");
    }
}
