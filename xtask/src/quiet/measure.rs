//! What is found in a log, counted against the bar. It must not know which log that is.

use anyhow::Result;
use std::collections::BTreeMap;
use std::io::Write;
use unchain_core::detect::{self, Incident, Networks, Scene, Settings};
use unchain_core::finding::{Finding, Severity};
use unchain_core::ledger::Ledger;
use unchain_core::lineage::Lineage;

/// Events for which one incident is allowed.
const EVENTS_PER_INCIDENT: u64 = 10_000;

/// Findings of each detection and severity that are shown in full.
const SHOWN: usize = 3;

/// Everything found.
#[derive(Debug)]
pub(super) struct Noise {
    pub(super) events: u64,
    findings: Vec<Finding>,
    incidents: Vec<Incident>,
}

impl Noise {
    /// Runs every detection over a settled ledger, as for a user who has told nothing of the company.
    pub(super) fn of(ledger: &Ledger) -> Self {
        let lineage = Lineage::build(ledger);
        let settings = Settings::default();
        let networks = Networks::new(ledger, &settings, &|_| None);
        let scene = Scene::new(&lineage, &settings, &networks, None);
        let findings = detect::run(&scene);
        let incidents = detect::incidents(&scene, &findings);
        Self {
            events: ledger.events(),
            findings,
            incidents,
        }
    }

    /// At most one incident per 10,000 events, and none of high severity.
    pub(super) fn is_within_the_bar(&self) -> bool {
        let count = u64::try_from(self.incidents.len()).unwrap_or(u64::MAX);
        count <= self.events / EVENTS_PER_INCIDENT
            && self
                .incidents
                .iter()
                .all(|incident| incident.severity < Severity::High)
    }

    /// Incidents by severity and cause, then findings by detection with some of them in full.
    pub(super) fn print(&self, out: &mut dyn Write) -> Result<()> {
        let allowed = self.events / EVENTS_PER_INCIDENT;
        writeln!(
            out,
            "{} events: {} incidents, {allowed} allowed",
            self.events,
            self.incidents.len()
        )?;
        for severity in Severity::ALL {
            let count = self
                .incidents
                .iter()
                .filter(|i| i.severity == severity)
                .count();
            if count > 0 {
                writeln!(
                    out,
                    "  {count} {}, {} per 10,000 events",
                    severity.name(),
                    self.rate(count)
                )?;
            }
        }
        let mut causes: BTreeMap<&str, usize> = BTreeMap::new();
        for incident in &self.incidents {
            let mut of: Vec<&str> = incident
                .findings
                .iter()
                .filter_map(|&n| self.strong(n))
                .collect();
            of.sort_unstable();
            of.dedup();
            of.into_iter()
                .for_each(|detection| *causes.entry(detection).or_default() += 1);
        }
        for (detection, count) in causes {
            writeln!(
                out,
                "  {count} with {detection}, {} per 10,000 events",
                self.rate(count)
            )?;
        }
        self.print_findings(out)
    }

    fn print_findings(&self, out: &mut dyn Write) -> Result<()> {
        let mut groups: BTreeMap<(&str, std::cmp::Reverse<Severity>), Vec<&Finding>> =
            BTreeMap::new();
        for finding in &self.findings {
            let group = (finding.detection, std::cmp::Reverse(finding.severity));
            groups.entry(group).or_default().push(finding);
        }
        writeln!(out, "{} findings", self.findings.len())?;
        for ((detection, severity), findings) in groups {
            writeln!(
                out,
                "  {} {detection} {}",
                findings.len(),
                severity.0.name()
            )?;
            for finding in findings.iter().take(SHOWN) {
                writeln!(out, "      {}", finding.what.terminal())?;
            }
        }
        Ok(())
    }

    /// The detection of a finding that makes an incident.
    fn strong(&self, place: usize) -> Option<&'static str> {
        let finding = self.findings.get(place)?;
        (finding.severity >= Severity::Medium).then_some(finding.detection)
    }

    /// So many per 10,000 events, with two decimals.
    fn rate(&self, count: usize) -> String {
        let hundredths = u64::try_from(count)
            .unwrap_or(u64::MAX)
            .saturating_mul(100 * EVENTS_PER_INCIDENT)
            / self.events.max(1);
        format!("{}.{:02}", hundredths / 100, hundredths % 100)
    }
}
