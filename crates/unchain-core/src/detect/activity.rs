//! What each node did, in a few bytes: gathered in one pass, so that a detection looks closer at few.

use super::calls::Kinds;
use super::network::{Network, Networks};
use crate::ledger::{Ledger, Seconds, Use};
use crate::lineage::Lineage;

/// What one node did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Activity {
    /// The first use; later than `last` if there is none.
    pub first: Seconds,
    /// The last use.
    pub last: Seconds,
    /// A network it was used from, if any is known.
    pub network: Network,
    /// Whether it was used from another network as well.
    pub several: bool,
    /// Kinds of all calls, successful or not.
    pub kinds: Kinds,
}

impl Activity {
    pub(super) const NONE: Self = Self {
        first: Seconds::MAX,
        last: 0,
        network: Network::NONE,
        several: false,
        kinds: Kinds(0),
    };

    /// Whether it was used.
    pub fn any(&self) -> bool {
        self.first <= self.last
    }

    fn add(&mut self, ledger: &Ledger, usage: &Use, (network, kinds): (Network, Kinds)) {
        self.first = self.first.min(usage.first.seconds());
        self.last = self.last.max(ledger.last(usage).0.seconds());
        self.kinds = self.kinds.with(kinds);
        if network.is_some() && self.network != network {
            self.several |= self.network.is_some();
            self.network = self.network.min(network);
        }
    }
}

/// What every node did; the position is the node's number.
pub(super) fn gather(lineage: &Lineage<'_>, networks: &Networks, kinds: &[Kinds]) -> Vec<Activity> {
    let ledger = lineage.ledger();
    let mut found = vec![Activity::NONE; lineage.nodes().len()];
    for usage in ledger.uses() {
        let node = lineage.node_of_caller(usage.key.caller);
        let Some(activity) = node.and_then(|node| found.get_mut(node as usize)) else {
            continue;
        };
        let kinds = kinds
            .get(usage.key.act as usize)
            .copied()
            .unwrap_or_default();
        activity.add(ledger, usage, (networks.of_client(usage.key.client), kinds));
    }
    found
}
