//! Incidents, findings, credentials, principals, coverage. Must not filter or sort otherwise than the page does.

use super::paging::{List, list};
use crate::problem::Problem;
use crate::views::{Visit, findings as view, principals as owners, tokens as inventory};
use schemars::JsonSchema;
use serde::Serialize;
use unchain_core::report::{Coverage, FindingRow, IncidentRow, Token};
use unchain_core::text::Untrusted;
use unchain_core::time::Timestamp;

/// An incident, and the node at which it begins.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Incident")]
pub(crate) struct IncidentItem {
    /// The name of the node at which it begins.
    node_name: String,
    /// As `unchain findings --format json` has it.
    incident: IncidentRow,
}

/// One incident at an instant.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct IncidentAnswer {
    /// The instant that it speaks of, UTC.
    at: Timestamp,
    #[serde(flatten)]
    item: IncidentItem,
}

/// A finding, and the node that it is about.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Finding")]
pub(crate) struct FindingItem {
    /// The name of the node that it is about.
    node_name: String,
    /// As `unchain findings --format json` has it.
    finding: FindingRow,
}

/// One finding at an instant.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct FindingAnswer {
    /// The instant that it speaks of, UTC.
    at: Timestamp,
    #[serde(flatten)]
    item: FindingItem,
}

/// A credential, and its node.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Credential")]
pub(crate) struct TokenItem {
    /// The name of its node.
    node_name: String,
    /// As `unchain tokens --format jsonl` has it.
    token: Token,
}

/// Whose some credentials are.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Principal")]
pub(crate) struct PrincipalItem {
    /// Its ARN, for sessions of a role that of the role's sessions without a session's name; none where nothing is known.
    principal_arn: Option<Untrusted>,
    /// How many credentials it has.
    credentials: u64,
    /// How many of those may still work at the instant.
    may_work: u64,
    /// How often they were used.
    uses: u64,
    /// When one of them was last used, UTC.
    last_used: Option<Timestamp>,
}

/// The coverage, which is that of the whole log whatever the instant.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct CoverageAnswer {
    /// The instant that was asked for, UTC.
    at: Timestamp,
    /// As `unchain findings --format json` has it.
    coverage: Coverage,
}

/// Every incident.
pub(super) fn incidents(visit: &Visit<'_, '_>) -> Result<List<IncidentItem>, Problem> {
    let all = visit.incidents();
    let kept: Vec<_> = all
        .filter(|(incident, _)| visit.chosen("severity", incident.severity))
        .collect();
    let key = |(incident, _): &(&IncidentRow, u32)| incident.id.clone();
    list(visit, &kept, key, |&row| incident_item(visit, row))
}

/// One incident.
pub(super) fn incident(visit: &Visit<'_, '_>) -> Result<IncidentAnswer, Problem> {
    let found = visit
        .incidents()
        .find(|(incident, _)| incident.id == visit.id);
    let row = found.ok_or_else(|| Problem::missing("incident"))?;
    Ok(IncidentAnswer {
        at: visit.report.at(),
        item: incident_item(visit, row),
    })
}

fn incident_item(visit: &Visit<'_, '_>, (incident, root): (&IncidentRow, u32)) -> IncidentItem {
    IncidentItem {
        node_name: visit.name(root),
        incident: incident.clone(),
    }
}

/// The findings that the filters keep.
pub(super) fn findings(visit: &Visit<'_, '_>) -> Result<List<FindingItem>, Problem> {
    let all = visit.query.get("expected") == Some("with");
    let keeps = |finding: &FindingRow| {
        (all || finding.allowed_by.is_none()) && view::matches(visit, finding)
    };
    let kept: Vec<_> = visit
        .findings()
        .filter(|(finding, _)| keeps(finding))
        .collect();
    let key = |(finding, _): &(&FindingRow, u32)| finding.id.clone();
    list(visit, &kept, key, |&row| finding_item(visit, row))
}

/// One finding.
pub(super) fn finding(visit: &Visit<'_, '_>) -> Result<FindingAnswer, Problem> {
    let found = visit.findings().find(|(finding, _)| finding.id == visit.id);
    let row = found.ok_or_else(|| Problem::missing("finding"))?;
    Ok(FindingAnswer {
        at: visit.report.at(),
        item: finding_item(visit, row),
    })
}

fn finding_item(visit: &Visit<'_, '_>, (finding, node): (&FindingRow, u32)) -> FindingItem {
    FindingItem {
        node_name: visit.name(node),
        finding: finding.clone(),
    }
}

/// The inventory.
pub(super) fn tokens(visit: &Visit<'_, '_>) -> Result<List<TokenItem>, Problem> {
    let name = |(node, _): &&(u32, Token)| visit.name(*node);
    list(visit, &inventory::kept(visit), name, |row| TokenItem {
        node_name: name(row),
        token: row.1.clone(),
    })
}

/// Whose the credentials are.
pub(super) fn principals(visit: &Visit<'_, '_>) -> Result<List<PrincipalItem>, Problem> {
    let all = owners::kept(visit);
    let key = |(name, _): &(Untrusted, owners::Held)| name.raw().to_owned();
    list(visit, &all, key, |(name, held)| PrincipalItem {
        principal_arn: Some(name.clone()).filter(|name| !name.is_empty()),
        credentials: held.credentials as u64,
        may_work: held.may_work as u64,
        uses: held.uses,
        last_used: held.last,
    })
}

/// What the log holds.
#[expect(
    clippy::unnecessary_wraps,
    reason = "every operation may have a problem"
)]
pub(super) fn coverage(visit: &Visit<'_, '_>) -> Result<CoverageAnswer, Problem> {
    Ok(CoverageAnswer {
        at: visit.report.at(),
        coverage: visit.world.coverage.clone(),
    })
}
