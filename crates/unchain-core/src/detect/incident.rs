//! Findings about one intrusion, told together: they share a root, or an address that is foreign to
//! their subjects.
//!
//! An incident needs a finding of at least medium severity; what is weaker is told inside an incident
//! or stands alone. Its severity is that of its worst finding, one higher when three different
//! detections of at least medium severity agree. Expected findings (the allow-list) make none.

use super::scene::Scene;
use super::stable_hash;
use crate::finding::{Finding, Severity};
use crate::ledger::{EventKey, Seconds, Symbol};
use crate::lineage::Edge;
use crate::text::Untrusted;
use std::collections::{BTreeMap, BTreeSet};

/// Different detections of at least medium severity that raise an incident's severity.
const AGREEING: usize = 3;

/// Findings that tell one intrusion.
#[derive(Clone, Debug)]
pub struct Incident {
    /// The same on every run and machine: made of the root's names.
    pub id: String,
    /// Where it began: the node at the top.
    pub root: u32,
    /// Other roots, joined by an address that findings under both name.
    pub roots: Vec<u32>,
    /// How bad it is.
    pub severity: Severity,
    /// Positions in the list of findings, by time.
    pub findings: Vec<usize>,
    /// When it began.
    pub first: Seconds,
    /// When it was last seen.
    pub last: Seconds,
    /// What happened, by time.
    pub story: Vec<Step>,
    /// The nodes of the story: subjects, what they made, and the paths to the root.
    pub nodes: BTreeSet<u32>,
}

/// One line of an incident's story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub time: Seconds,
    /// What happened.
    pub what: Untrusted,
    /// The position of the finding that says it; none for a step of the lineage.
    pub finding: Option<usize>,
    /// A record that shows it.
    pub evidence: Option<EventKey>,
}

/// Groups findings. The worst incident comes first, then the earliest.
pub fn incidents(scene: &Scene<'_, '_>, findings: &[Finding]) -> Vec<Incident> {
    let roots: Vec<u32> = findings.iter().map(|f| scene.root(f.subject)).collect();
    let groups = Groups::of(scene, findings, &roots);
    let mut members: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (n, (finding, root)) in findings.iter().zip(&roots).enumerate() {
        if finding.allowed_by.is_none() {
            members.entry(groups.find(*root)).or_default().push(n);
        }
    }
    let mut found: Vec<Incident> = members
        .into_values()
        .filter_map(|list| incident(scene, findings, (&roots, list)))
        .collect();
    found.sort_by(|a, b| {
        let key = |i: &Incident| (std::cmp::Reverse(i.severity), i.first);
        (key(a), &a.id).cmp(&(key(b), &b.id))
    });
    found
}

/// Which roots belong together.
struct Groups(BTreeMap<u32, u32>);

impl Groups {
    fn of(scene: &Scene<'_, '_>, findings: &[Finding], roots: &[u32]) -> Self {
        let mut groups = Self(BTreeMap::new());
        let mut by_address: BTreeMap<Symbol, u32> = BTreeMap::new();
        for (finding, &root) in findings.iter().zip(roots) {
            let strong = finding.severity >= Severity::Medium && finding.allowed_by.is_none();
            let Some(address) = finding.foreign.filter(|_| strong) else {
                continue;
            };
            if let Some(other) = by_address.insert(address, root) {
                groups.unite(scene, other, root);
            }
        }
        groups
    }

    fn find(&self, root: u32) -> u32 {
        let mut at = root;
        while let Some(&next) = self.0.get(&at) {
            at = next;
        }
        at
    }

    /// The root whose names come first leads, so that the order of findings does not matter.
    fn unite(&mut self, scene: &Scene<'_, '_>, a: u32, b: u32) {
        let (a, b) = (self.find(a), self.find(b));
        if a != b {
            let (lead, other) = if scene.names(a) <= scene.names(b) {
                (a, b)
            } else {
                (b, a)
            };
            self.0.insert(other, lead);
        }
    }
}

fn incident(
    scene: &Scene<'_, '_>,
    findings: &[Finding],
    (roots, list): (&[u32], Vec<usize>),
) -> Option<Incident> {
    let of = || list.iter().filter_map(|&n| Some((n, findings.get(n)?)));
    let worst = of()
        .map(|(_, f)| f.severity)
        .max()
        .filter(|s| *s >= Severity::Medium)?;
    let strong = of().filter(|(_, f)| f.severity >= Severity::Medium);
    let agreeing: BTreeSet<&str> = strong.map(|(_, f)| f.detection).collect();
    let severity = if agreeing.len() >= AGREEING {
        worst.raised()
    } else {
        worst
    };
    // The root of the earliest finding is where the story begins.
    let root_of = |n: usize| roots.get(n).copied().unwrap_or_default();
    let root = list.first().map(|&n| root_of(n))?;
    let mut others: Vec<u32> = list
        .iter()
        .map(|&n| root_of(n))
        .filter(|&r| r != root)
        .collect();
    others.sort_unstable();
    others.dedup();
    let concerned: BTreeSet<u32> = of()
        .flat_map(|(_, f)| std::iter::once(f.subject).chain(f.also.iter().copied()))
        .collect();
    let (story, nodes) = story(scene, findings, (&list, &concerned));
    let mut names: Vec<String> = others
        .iter()
        .chain([&root])
        .map(|&r| scene.names(r))
        .collect();
    names.sort_unstable();
    let first_name = names.first().map(String::as_str).unwrap_or_default();
    Some(Incident {
        id: format!("i-{:016x}", stable_hash(&[first_name])),
        root,
        roots: others,
        severity,
        first: of().map(|(_, f)| f.first).min()?,
        last: of().map(|(_, f)| f.last).max()?,
        findings: list,
        story,
        nodes,
    })
}

/// The findings and the steps of the lineage that lead to their subjects, by time.
fn story(
    scene: &Scene<'_, '_>,
    findings: &[Finding],
    (list, concerned): (&[usize], &BTreeSet<u32>),
) -> (Vec<Step>, BTreeSet<u32>) {
    let mut nodes = concerned.clone();
    let mut told = BTreeSet::new();
    let mut steps: Vec<Step> = Vec::new();
    for edge in concerned.iter().flat_map(|&node| scene.ancestors(node)) {
        nodes.extend([edge.parent, edge.child]);
        if told.insert((edge.parent, edge.child)) {
            steps.push(step(scene, edge));
        }
    }
    let told = list.iter().filter_map(|&n| Some((n, findings.get(n)?)));
    steps.extend(told.map(|(n, finding)| Step {
        time: finding.first,
        what: finding.what.clone(),
        finding: Some(n),
        evidence: finding.evidence.first().map(|(_, id)| *id),
    }));
    // A step of the lineage comes before what is said about it.
    steps.sort_by(|a, b| {
        (a.time, a.finding, &a.what, a.evidence).cmp(&(b.time, b.finding, &b.what, b.evidence))
    });
    steps.dedup();
    (steps, nodes)
}

fn step(scene: &Scene<'_, '_>, edge: &Edge) -> Step {
    let api = scene.ledger.text(edge.api);
    let what = format!(
        "{} made {} with {api}",
        scene.label(edge.parent),
        scene.label(edge.child)
    );
    Step {
        time: edge.time,
        what: Untrusted::new(what),
        finding: None,
        evidence: scene.facts_of(edge).next().map(|fact| fact.id),
    }
}
