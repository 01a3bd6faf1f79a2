//! Names of nodes that stay the same while a case grows.

use sha2::{Digest, Sha256};
use unchain_core::lineage::{Lineage, Node};

/// The name of every node, and the node of every name.
#[derive(Debug)]
pub(crate) struct Names {
    /// By node.
    names: Vec<String>,
    /// Names and nodes in order of name.
    nodes: Vec<(String, u32)>,
}

impl Names {
    /// Names every node. Nodes that nothing tells apart are numbered in their order.
    pub(crate) fn new(lineage: &Lineage<'_>) -> Self {
        let mut nodes: Vec<(String, u32)> = (0u32..)
            .zip(lineage.nodes())
            .map(|(number, node)| (digest(lineage, node), number))
            .collect();
        nodes.sort_unstable();
        let mut last = (String::new(), 1);
        for (name, _) in &mut nodes {
            if *name == last.0 {
                last.1 += 1;
                name.push_str(&format!("-{}", last.1));
            } else {
                last = (name.clone(), 1);
            }
        }
        let mut names = vec![String::new(); nodes.len()];
        for (name, number) in &nodes {
            if let Some(slot) = names.get_mut(*number as usize) {
                slot.clone_from(name);
            }
        }
        nodes.sort_unstable();
        Self { names, nodes }
    }

    /// The name of a node; empty for one that does not exist.
    pub(crate) fn name(&self, node: u32) -> &str {
        self.names.get(node as usize).map_or("", String::as_str)
    }

    /// The node of a name.
    pub(crate) fn node(&self, name: &str) -> Option<u32> {
        let found = self
            .nodes
            .binary_search_by(|(known, _)| known.as_str().cmp(name));
        found
            .ok()
            .and_then(|at| self.nodes.get(at))
            .map(|(_, node)| *node)
    }
}

/// Twelve hexadecimal digits of what a node is.
fn digest(lineage: &Lineage<'_>, node: &Node) -> String {
    let ledger = lineage.ledger();
    let mut hash = Sha256::new();
    hash.update(node.kind.name());
    for part in [
        node.key,
        node.unique_id,
        node.session,
        node.name,
        node.account,
    ] {
        let text = ledger.text(part);
        // With its length before it no text can reach into the next.
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    hash.update(node.created.map_or(u64::MAX, u64::from).to_be_bytes());
    hexadecimal(&hash.finalize())
}

/// Twelve hexadecimal digits: the first six bytes.
pub(crate) fn hexadecimal(digest: &[u8]) -> String {
    let bytes = digest.iter().take(6);
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use unchain_core::ledger::Ledger;
    use unchain_core::record::parse_at;
    use unchain_trail::Trail;

    const STORY: &str = include_str!("../../../scenarios/whack-a-mole/story.trail");

    fn ledger(records: &[serde_json::Value]) -> Ledger {
        let mut ledger = Ledger::default();
        for record in records {
            ledger.apply(&parse_at(&record.to_string(), 0).unwrap().0);
        }
        ledger.settle();
        ledger
    }

    #[test]
    fn a_name_leads_back_to_its_node() {
        let ledger = ledger(&Trail::parse(STORY).unwrap().records());
        let lineage = Lineage::build(&ledger);
        let names = Names::new(&lineage);
        for node in 0..u32::try_from(lineage.nodes().len()).unwrap() {
            assert_eq!(names.node(names.name(node)), Some(node));
        }
        assert_eq!((names.node(""), names.name(u32::MAX)), (None, ""));
    }

    #[test]
    fn a_key_keeps_its_name_while_the_case_grows_in_any_order() {
        let mut records = Trail::parse(STORY).unwrap().records();
        let name_of = |records: &[serde_json::Value], key: &str| {
            let ledger = ledger(records);
            let lineage = Lineage::build(&ledger);
            let symbol = ledger.symbols().find(key).unwrap();
            let node = (0u32..)
                .zip(lineage.nodes())
                .find(|(_, node)| node.key == symbol);
            Names::new(&lineage).name(node.unwrap().0).to_owned()
        };
        let key = Trail::parse(STORY).unwrap().key("B").unwrap().to_owned();
        let whole = name_of(&records, &key);
        assert_eq!(whole.len(), 12);
        records.reverse();
        assert_eq!(name_of(&records, &key), whole);
        records.reverse();
        let shorter = records.len() - 3;
        assert_eq!(name_of(&records[..shorter], &key), whole);
    }
}
