//! Where a caller stands in its lineage, in few words: what rules over single events can ask.

use super::Report;
use crate::deed::Attribute;
use crate::lineage::Edge;
use crate::liveness::Status;
use crate::text::Untrusted;

/// A node as its descent shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ancestry {
    /// The key id or principal at the root of its lineage: its own if nothing is known to have made it.
    pub root: Untrusted,
    /// Steps from the root, by the edges that best explain each node.
    pub depth: u32,
    /// An origin's name; none for what is not a credential.
    pub origin: Option<&'static str>,
    /// Whether it works at the instant that was asked for; none where the log does not show it, and for what is
    /// not a credential.
    pub alive: Option<bool>,
    /// The key id or principal of its parent.
    pub issued_by: Option<Untrusted>,
    /// The serial of the MFA device that was given when it, or the nearest ancestor with one, was issued.
    pub mfa_device: Option<Untrusted>,
}

impl Report<'_, '_> {
    /// The ancestry of a node.
    pub fn ancestry(&self, number: u32) -> Ancestry {
        let chain = self.lineage.ancestors(number);
        let node = self.lineage.node(number).filter(|n| n.kind.is_credential());
        let alive = node.and_then(|_| match self.life(number).status {
            Status::Alive => Some(true),
            Status::Unknown => None,
            Status::Revoked | Status::Expired | Status::NotYet => Some(false),
        });
        Ancestry {
            root: self.label(self.lineage.root(number)),
            depth: u32::try_from(chain.len()).unwrap_or(u32::MAX),
            origin: node.map(|n| n.origin.name()),
            alive,
            issued_by: chain.first().map(|edge| self.label(edge.parent)),
            mfa_device: chain.iter().find_map(|edge| self.mfa_device(edge)),
        }
    }

    /// The serial that the records of an edge give.
    fn mfa_device(&self, edge: &Edge) -> Option<Untrusted> {
        let ledger = self.lineage.ledger();
        let facts = edge.facts.iter();
        let facts = facts.filter_map(|&number| ledger.facts().get(number as usize));
        let serials = facts.map(|fact| ledger.text(ledger.attribute(fact, Attribute::Serial)));
        serials
            .filter(|serial| !serial.is_empty())
            .map(Untrusted::new)
            .next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Ledger;
    use crate::lineage::{Lineage, Pivot};
    use crate::record;
    use crate::time::Timestamp;
    use unchain_trail::{Trail, identifier};

    const STORY: &str = "
        day 2026-03-02
        account 111122223333 as prod
        user alice in prod key A
        role app in prod max 12h
        role data in prod max 12h
        09:00 A GetSessionToken -> B for 36h mfa alice-phone
        09:05 B AssumeRole app as build -> C
        09:06 C AssumeRole data as copy -> D
        09:10 D GetObject s3://customer-data/ledger.csv";

    fn of(name: &str, at: &str) -> (Ancestry, Ancestry) {
        let mut ledger = Ledger::default();
        for record in Trail::parse(STORY).unwrap().records() {
            ledger.apply(&record::plain(&record).unwrap());
        }
        ledger.finish();
        let lineage = Lineage::build(&ledger);
        let report = Report::new(&lineage, Timestamp::parse(at).unwrap());
        let find = |text: &str| {
            let found = lineage.find(text);
            let key = found.iter().find(|m| m.pivot == Pivot::AccessKeyId);
            report.ancestry(key.unwrap().node)
        };
        let root = report
            .credentials()
            .into_iter()
            .find(|&n| lineage.primary(n).is_none());
        (find(name), report.ancestry(root.unwrap()))
    }

    #[test]
    fn a_chain_tells_its_root_depth_and_device() {
        let prefix = unchain_trail::Prefix::TemporaryKey;
        let key = identifier(prefix, "111122223333", "D");
        let (leaf, root) = of(&key, "2026-03-02T09:30:00Z");
        assert_eq!((leaf.depth, root.depth), (3, 0));
        assert_eq!(leaf.root, root.root);
        assert_eq!((leaf.origin, leaf.alive), (Some("issued"), Some(true)));
        assert_eq!(root.issued_by, None);
        assert!(leaf.mfa_device.unwrap().raw().ends_with("alice-phone"));
        assert_eq!(root.mfa_device, None);
        let (later, _) = of(&key, "2026-03-02T11:00:00Z");
        assert_eq!(later.alive, Some(false), "role chaining ends after an hour");
    }
}
