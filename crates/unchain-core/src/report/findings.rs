//! Findings and incidents as a person or a program is told them.

use super::{End, Report, instant};
use crate::detect::{Detection, Incident, Scene, Step};
use crate::finding::{Finding, Severity};
use crate::text::Untrusted;
use crate::time::Timestamp;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FindingRow {
    /// The same on every run and machine.
    pub id: String,
    /// The incident it belongs to, if any.
    pub incident: Option<String>,
    /// The detection's id.
    pub detection: &'static str,
    /// The detection's title.
    pub title: &'static str,
    /// `informational`, `low`, `medium`, `high` or `critical`.
    pub severity: &'static str,
    /// `low`, `medium` or `high`.
    pub confidence: &'static str,
    /// ATT&CK techniques.
    pub techniques: &'static [&'static str],
    /// What happened, in one sentence.
    pub what: Untrusted,
    /// The credential it is about.
    pub subject: End,
    /// From the root of the lineage down to the subject: key ids or principals.
    pub path: Vec<Untrusted>,
    /// Other credentials and things that it is about.
    pub also: Vec<Untrusted>,
    /// When it began, UTC.
    pub first: Timestamp,
    /// When it was last seen, UTC.
    pub last: Timestamp,
    /// The records that show it, by time: of very many the first and the last.
    pub event_ids: Vec<Untrusted>,
    /// The address from which whoever did this acted, where it is foreign to the subject.
    pub foreign_address: Option<Untrusted>,
    /// What the log would have to hold to be surer.
    pub not_visible: Vec<String>,
    /// The entry of the allow-list that expects it, in the user's words.
    pub allowed_by: Option<String>,
    /// What to ask next.
    pub next: Next,
}

/// A question that leads on: `unchain <command> <pivot>`. The pivot is text of the log; whoever prints the
/// line quotes it for a shell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Next {
    /// The command's name.
    pub command: &'static str,
    /// What it is asked about.
    pub pivot: Untrusted,
}

/// One line of an incident's story.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StepRow {
    /// When, UTC.
    pub time: Timestamp,
    /// What happened.
    pub what: Untrusted,
    /// The finding that says it; none for a step of the lineage.
    pub finding: Option<String>,
    /// A record that shows it.
    pub event_id: Option<Untrusted>,
}

/// Findings about one intrusion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct IncidentRow {
    /// The same on every run and machine.
    pub id: String,
    /// As of a finding.
    pub severity: &'static str,
    /// What it is, in a few words.
    pub title: Untrusted,
    /// Where it began.
    pub root: End,
    /// Other roots, joined to it by a foreign address.
    pub other_roots: Vec<Untrusted>,
    /// When it began, UTC.
    pub first: Timestamp,
    /// When it was last seen, UTC.
    pub last: Timestamp,
    /// The accounts that it touches.
    pub accounts: Vec<Untrusted>,
    /// ATT&CK techniques of its findings.
    pub techniques: Vec<&'static str>,
    /// Credentials of its lineage: everything under its roots.
    pub credentials: u64,
    /// Of those, what may still work at the instant asked for.
    pub may_work: u64,
    /// Its findings, by time.
    pub findings: Vec<String>,
    /// What happened, by time.
    pub story: Vec<StepRow>,
    /// What the log would have to hold to be surer.
    pub not_visible: Vec<String>,
    /// What to ask next.
    pub next: Next,
}

/// Everything that was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Findings {
    /// The worst first.
    pub incidents: Vec<IncidentRow>,
    /// All findings by time, those of incidents too.
    pub findings: Vec<FindingRow>,
}

impl Findings {
    /// The highest severity of anything that is not expected.
    pub fn worst(&self) -> Option<Severity> {
        let incidents = self.incidents.iter().map(|incident| incident.severity);
        let unexpected = self.findings.iter().filter(|f| f.allowed_by.is_none());
        let findings = unexpected.map(|finding| finding.severity);
        incidents.chain(findings).filter_map(Severity::named).max()
    }
}

impl Report<'_, '_> {
    /// Findings and incidents of a scene of this report's lineage, as rows.
    pub fn findings(
        &self,
        scene: &Scene<'_, '_>,
        findings: &[Finding],
        incidents: &[Incident],
    ) -> Findings {
        let mut incident_of: BTreeMap<usize, &str> = BTreeMap::new();
        for incident in incidents {
            incident_of.extend(incident.findings.iter().map(|&n| (n, incident.id.as_str())));
        }
        let rows = findings.iter().enumerate();
        Findings {
            incidents: incidents
                .iter()
                .map(|incident| self.incident(scene, findings, incident))
                .collect(),
            findings: rows
                .map(|(n, finding)| self.finding(finding, incident_of.get(&n).copied()))
                .collect(),
        }
    }

    fn finding(&self, finding: &Finding, incident: Option<&str>) -> FindingRow {
        let ledger = self.lineage.ledger();
        let detection = Detection::find(finding.detection);
        let mut path: Vec<Untrusted> = self
            .lineage
            .ancestors(finding.subject)
            .iter()
            .rev()
            .map(|edge| self.label(edge.parent))
            .collect();
        path.push(self.label(finding.subject));
        let event = |(_, id): &(_, _)| Untrusted::new(ledger.event_id(*id));
        FindingRow {
            id: finding.id.clone(),
            incident: incident.map(str::to_owned),
            detection: finding.detection,
            title: detection.map_or("", |d| d.title),
            severity: finding.severity.name(),
            confidence: finding.confidence.name(),
            techniques: detection.map_or(&[], |d| d.techniques),
            what: finding.what.clone(),
            subject: self.end(finding.subject),
            path,
            also: finding.also.iter().map(|&node| self.label(node)).collect(),
            first: instant(finding.first),
            last: instant(finding.last),
            event_ids: finding.evidence.iter().map(event).collect(),
            foreign_address: finding.foreign.map(|a| Untrusted::new(ledger.text(a))),
            not_visible: finding.not_visible.clone(),
            allowed_by: finding.allowed_by.clone(),
            next: self.next("trace", finding.subject),
        }
    }

    fn next(&self, command: &'static str, node: u32) -> Next {
        Next {
            command,
            pivot: self.label(node),
        }
    }

    fn incident(
        &self,
        scene: &Scene<'_, '_>,
        findings: &[Finding],
        incident: &Incident,
    ) -> IncidentRow {
        let of = || incident.findings.iter().filter_map(|&n| findings.get(n));
        let techniques: BTreeSet<&str> = of()
            .filter_map(|f| Detection::find(f.detection))
            .flat_map(|d| d.techniques.iter().copied())
            .collect();
        let not_visible: BTreeSet<&String> = of().flat_map(|f| &f.not_visible).collect();
        let accounts: BTreeSet<Untrusted> = incident
            .nodes
            .iter()
            .map(|&node| self.lineage.account(node))
            .filter(|account| !account.is_empty())
            .collect();
        let reached = self.reached(incident);
        let may_work = reached.iter().filter(|&&node| self.may_work(node)).count();
        IncidentRow {
            id: incident.id.clone(),
            severity: incident.severity.name(),
            title: Untrusted::new(self.title(scene, findings, incident)),
            root: self.end(incident.root),
            other_roots: incident
                .roots
                .iter()
                .map(|&root| self.label(root))
                .collect(),
            first: instant(incident.first),
            last: instant(incident.last),
            accounts: accounts.into_iter().collect(),
            techniques: techniques.into_iter().collect(),
            credentials: reached.len() as u64,
            may_work: may_work as u64,
            findings: of().map(|f| f.id.clone()).collect(),
            story: incident
                .story
                .iter()
                .map(|step| self.step(findings, step))
                .collect(),
            not_visible: not_visible.into_iter().cloned().collect(),
            next: self.next("trace", incident.root),
        }
    }

    /// The root and what was found, the worst first.
    fn title(&self, scene: &Scene<'_, '_>, findings: &[Finding], incident: &Incident) -> String {
        let mut worst: BTreeMap<&str, Severity> = BTreeMap::new();
        for finding in incident.findings.iter().filter_map(|&n| findings.get(n)) {
            let severity = worst.entry(finding.detection).or_insert(finding.severity);
            *severity = finding.severity.max(*severity);
        }
        let mut names: Vec<(&str, Severity)> = worst.into_iter().collect();
        names.sort_by_key(|(id, severity)| (std::cmp::Reverse(*severity), *id));
        let titles = names.iter().filter_map(|(id, _)| Detection::find(id));
        let titles: Vec<String> = titles.take(TITLES).map(|d| begun(d.title)).collect();
        let more = match names.len().saturating_sub(TITLES) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!(
            "{}: {}{more}",
            scene.label(incident.root),
            titles.join(", ")
        )
    }

    /// The credentials of an incident, ascending: those of its story, and all that its roots lead to.
    pub fn reached(&self, incident: &Incident) -> Vec<u32> {
        let roots = incident.roots.iter().chain([&incident.root]);
        let all = roots.flat_map(|&root| self.lineage.descendants(root));
        let reached: BTreeSet<u32> = all.chain(incident.nodes.iter().copied()).collect();
        let is_credential = |node: &u32| {
            let node = self.lineage.node(*node);
            node.is_some_and(|node| node.kind.is_credential())
        };
        reached.into_iter().filter(is_credential).collect()
    }

    fn step(&self, findings: &[Finding], step: &Step) -> StepRow {
        let finding = step.finding.and_then(|n| findings.get(n));
        let ledger = self.lineage.ledger();
        StepRow {
            time: instant(step.time),
            what: step.what.clone(),
            finding: finding.map(|f| f.id.clone()),
            event_id: step.evidence.map(|id| Untrusted::new(ledger.event_id(id))),
        }
    }
}

/// A title inside a sentence: it begins small, unless it begins with an abbreviation or a name.
fn begun(title: &str) -> String {
    let name = |word: &str| word.starts_with(char::is_uppercase);
    let mut letters = title.chars();
    match (letters.next(), letters.next()) {
        (Some(first), Some(second))
            if !second.is_uppercase() && !title.split(' ').nth(1).is_some_and(name) =>
        {
            first
                .to_lowercase()
                .chain([second])
                .chain(letters)
                .collect()
        }
        _ => title.to_owned(),
    }
}

/// Detections that an incident's title names.
const TITLES: usize = 3;
