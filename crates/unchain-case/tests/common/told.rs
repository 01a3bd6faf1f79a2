//! Comparing what is told around a pivot with what the whole case tells.

#![expect(
    clippy::expect_used,
    reason = "helpers of tests fail where the test should"
)]

use std::collections::BTreeSet;
use unchain_case::Case;
use unchain_core::ledger::Ledger;
use unchain_core::lineage::Lineage;
use unchain_core::report::Report;
use unchain_core::time::Timestamp;

/// What is said of everything that a text names: each match with its ancestors and descendants, their state
/// and uses, and the edges between them with their evidence.
fn told(ledger: &Ledger, pivot: &str) -> BTreeSet<String> {
    let lineage = Lineage::build(ledger);
    let report = Report::new(&lineage, Timestamp::from_seconds(1_772_460_000));
    let matches = lineage.find(pivot);
    let mut lines = BTreeSet::new();
    for m in matches {
        let name = format!("{} {}", m.pivot.name(), label(&report, m.node));
        lines.insert(name.clone());
        for edge in lineage.ancestors(m.node) {
            let (parent, edge) = (label(&report, edge.parent), json(&report.edge(edge)));
            lines.insert(format!("{name}\n  up {edge}\n  {parent}"));
        }
        for node in lineage.descendants(m.node) {
            let own = label(&report, node);
            lines.insert(format!("{name}\n  down {own}"));
            let down = lineage.children(node).map(|edge| ("child", edge));
            let best = lineage.primary(node).map(|edge| ("best", edge));
            for (what, edge) in down.chain(best) {
                lines.insert(format!(
                    "{name}\n  {what} of {own}\n  {}",
                    json(&report.edge(edge))
                ));
            }
        }
    }
    lines
}

fn json(row: &impl serde::Serialize) -> String {
    serde_json::to_string(row).expect("JSON")
}

/// A node without its root: of credentials that made each other, any is one.
fn label(report: &Report<'_, '_>, node: u32) -> String {
    let mut token = report.token(node);
    token.root = None;
    json(&token)
}

/// Every text that somebody may look for.
fn pivots(ledger: &Ledger) -> BTreeSet<String> {
    let lineage = Lineage::build(ledger);
    let mut found = BTreeSet::new();
    for (number, node) in (0u32..).zip(lineage.nodes()) {
        let texts = [node.key, node.unique_id, node.session, node.name].map(|s| ledger.text(s));
        found.extend(texts.map(str::to_owned));
        if !texts[2].is_empty() {
            found.insert(format!("{}:{}", texts[1], texts[2]));
        }
        found.insert(lineage.principal(number).raw().to_owned());
    }
    for caller in ledger.callers() {
        let rare = ledger.rare(caller);
        let texts = [
            caller.issuer_arn,
            caller.issuer_id,
            caller.user_name,
            rare.source_identity,
        ];
        found.extend(texts.map(|symbol| ledger.text(symbol).to_owned()));
    }
    for client in ledger.clients() {
        found.extend([client.address, client.agent].map(|symbol| ledger.text(symbol).to_owned()));
    }
    for fact in ledger.facts() {
        found.insert(ledger.event_id(fact.id).into_owned());
        found.insert(ledger.event_id(fact.shared).into_owned());
        let texts = ledger
            .kept(fact)
            .iter()
            .filter(|kept| !kept.attribute.is_number());
        found.extend(texts.map(|kept| ledger.text(kept.symbol()).to_owned()));
    }
    for usage in ledger.uses() {
        found.insert(ledger.event_id(usage.first_id).into_owned());
        found.insert(ledger.event_id(ledger.last(usage).1).into_owned());
    }
    found.retain(|text| !text.is_empty());
    found
}

/// Compares one pivot in `step` of a ledger, and says how many found something.
pub(crate) fn check(whole: &mut Ledger, step: usize) -> usize {
    let mut case = Case::in_memory().expect("a case");
    case.write(whole, &[]).expect("written");
    let (mut known, mut wrong) = (0, String::new());
    for pivot in pivots(whole).into_iter().step_by(step) {
        let expected = told(whole, &pivot);
        let part = case.load_around(&pivot).expect("loaded");
        let got = part
            .as_ref()
            .map(|part| told(part, &pivot))
            .unwrap_or_default();
        if got != expected {
            let missing: Vec<_> = expected.difference(&got).collect();
            let extra: Vec<_> = got.difference(&expected).collect();
            wrong += &format!("pivot {pivot:?}: missing {missing:#?}\ninstead {extra:#?}\n");
        }
        known += usize::from(!expected.is_empty());
    }
    assert!(wrong.is_empty(), "{wrong}");
    known
}
