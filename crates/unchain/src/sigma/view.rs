//! What rules found, as plain values. The field names are a promise: see docs/output.md.

use super::SigmaResult;
use serde::Serialize;
use serde_json::{Value, json};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use unchain_core::finding::Severity;
use unchain_core::report::{End, Report};
use unchain_core::text::Untrusted;
use unchain_core::time::Timestamp;
use unchain_sigma::{CorrelationHit, Level, Rollup, Rules, Unusable, Words};
use unchain_source::strike_out;

/// Credentials that are listed for one rule; the others are counted.
const LISTED: usize = 100;

/// Everything that Sigma rules have to tell.
#[derive(Debug, Serialize)]
pub(crate) struct SigmaView {
    /// Usable rules over single events.
    pub(crate) rules: usize,
    /// Usable rules over hits.
    pub(crate) correlations: usize,
    /// What could not be used.
    pub(crate) unusable: Vec<UnusableView>,
    /// What matched, by rule, the most severe first.
    pub(crate) hits: Vec<RuleHits>,
    /// What correlations found, the most severe first.
    pub(crate) correlation_hits: Vec<CorrelationView>,
}

/// A rule that could not be used.
#[derive(Debug, Serialize)]
pub(crate) struct UnusableView {
    pub(crate) path: Untrusted,
    pub(crate) id: Option<Untrusted>,
    pub(crate) title: Option<Untrusted>,
    pub(crate) reason: Untrusted,
}

/// A rule as it names itself.
#[derive(Debug, Serialize)]
pub(crate) struct RuleView {
    pub(crate) id: Option<Untrusted>,
    pub(crate) title: Untrusted,
    pub(crate) level: &'static str,
    pub(crate) tags: Vec<Untrusted>,
    #[serde(skip)]
    severity: Severity,
}

/// The hits of one rule.
#[derive(Debug, Serialize)]
pub(crate) struct RuleHits {
    pub(crate) rule: RuleView,
    /// Distinct events.
    pub(crate) count: u64,
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
    /// How many credentials.
    pub(crate) credentials: usize,
    /// The first of them.
    pub(crate) by_credential: Vec<CredentialHits>,
}

/// The hits of one rule by one credential.
#[derive(Debug, Serialize)]
pub(crate) struct CredentialHits {
    /// Whose; none where the caller is not known.
    pub(crate) credential: Option<End>,
    pub(crate) count: u64,
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
    pub(crate) event_ids: Vec<Untrusted>,
}

/// One hit of a correlation.
#[derive(Debug, Serialize)]
pub(crate) struct CorrelationView {
    pub(crate) rule: RuleView,
    /// What its events agree in.
    pub(crate) group: Value,
    pub(crate) count: u64,
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
    pub(crate) event_ids: Vec<Untrusted>,
}

impl SigmaView {
    /// Puts names to numbers.
    pub(crate) fn new(rules: &Rules, result: &SigmaResult, report: &Report<'_, '_>) -> Self {
        let tally = &result.tally;
        let runs = tally.rollups.chunk_by(|a, b| a.rule == b.rule);
        let hits = runs.filter_map(|run| RuleHits::new(rules, run, report));
        let mut hits: Vec<RuleHits> = hits.collect();
        hits.sort_by(|a, b| a.order().cmp(&b.order()));
        let found = tally.correlations.iter();
        let found = found.filter_map(|hit| CorrelationView::new(rules, hit));
        let mut correlation_hits: Vec<CorrelationView> = found.collect();
        correlation_hits.sort_by_key(|hit| Reverse(hit.rule.severity));
        Self {
            rules: rules.rules().len(),
            correlations: rules.correlations().len(),
            unusable: rules.unusable().iter().map(UnusableView::new).collect(),
            hits,
            correlation_hits,
        }
    }
}

impl SigmaView {
    /// The highest level of anything that matched.
    pub(crate) fn worst(&self) -> Option<Severity> {
        let hits = self.hits.iter().map(|hit| hit.rule.severity);
        let correlations = self.correlation_hits.iter().map(|hit| hit.rule.severity);
        hits.chain(correlations).max()
    }
}

impl UnusableView {
    fn new(unusable: &Unusable) -> Self {
        Self {
            path: unusable.path.clone(),
            id: unusable.id.clone(),
            title: unusable.title.clone(),
            reason: unusable.reason.clone(),
        }
    }
}

impl RuleView {
    fn new(words: &Words) -> Self {
        let severity = match words.level {
            Level::Informational => Severity::Informational,
            Level::Low => Severity::Low,
            Level::Medium => Severity::Medium,
            Level::High => Severity::High,
            Level::Critical => Severity::Critical,
        };
        Self {
            id: words.id.clone(),
            title: words.title.clone(),
            level: severity.name(),
            tags: words.tags.clone(),
            severity,
        }
    }
}

impl RuleHits {
    /// The hits of one rule; `run` is not empty.
    fn new(rules: &Rules, run: &[Rollup], report: &Report<'_, '_>) -> Option<Self> {
        let rule = rules.rules().get(run.first()?.rule)?;
        let listed = run.iter().take(LISTED);
        Some(Self {
            rule: RuleView::new(&rule.words),
            count: run.iter().map(|rollup| rollup.count).sum(),
            first: run.iter().map(|rollup| rollup.first).min()?,
            last: run.iter().map(|rollup| rollup.last).max()?,
            credentials: run.len(),
            by_credential: listed
                .map(|rollup| CredentialHits::new(rollup, report))
                .collect(),
        })
    }

    fn order(&self) -> (Reverse<Severity>, Timestamp, &Untrusted) {
        (Reverse(self.rule.severity), self.first, &self.rule.title)
    }
}

impl CredentialHits {
    fn new(rollup: &Rollup, report: &Report<'_, '_>) -> Self {
        Self {
            credential: rollup.node.map(|node| report.end(node)),
            count: rollup.count,
            first: rollup.first,
            last: rollup.last,
            event_ids: rollup.event_ids.clone(),
        }
    }
}

impl CorrelationView {
    fn new(rules: &Rules, hit: &CorrelationHit) -> Option<Self> {
        let correlation = rules.correlations().get(hit.correlation)?;
        let parts = correlation.group_by.iter().zip(&hit.group);
        let parts: BTreeMap<&str, Value> = parts
            .map(|(field, value)| (field.raw(), shown(field, value.as_ref())))
            .collect();
        Some(Self {
            rule: RuleView::new(&correlation.words),
            group: json!(parts),
            count: hit.count,
            first: hit.first,
            last: hit.last,
            event_ids: hit.event_ids.clone(),
        })
    }
}

/// The value of a field. A rule may group by anything, also by a session token, and that is struck out.
fn shown(field: &Untrusted, value: Option<&Untrusted>) -> Value {
    let name = field.raw().rsplit('.').next().unwrap_or_default();
    let mut member = json!({ name: value.map(Untrusted::raw) });
    strike_out(&mut member);
    member.get(name).cloned().unwrap_or_default()
}
