//! Nodes, the steps between them, and what they were used for.

use super::paging::{List, Part, list, part};
use crate::problem::Problem;
use crate::query::Query;
use crate::views::Visit;
use schemars::JsonSchema;
use serde::Serialize;
use std::cmp::Reverse;
use unchain_core::ledger::Use;
use unchain_core::lineage::{Edge, UsesByNode};
use unchain_core::report::{EdgeRow, End, Token};
use unchain_core::text::Untrusted;
use unchain_core::time::Timestamp;

/// Findings that a node names at most.
const FINDINGS: usize = 200;

/// A step of the lineage, and the nodes at its ends.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Edge")]
pub(crate) struct EdgeItem {
    /// The name of the node that acted.
    parent_name: String,
    /// The name of the node that came of it.
    child_name: String,
    /// As `unchain edges --format jsonl` has it.
    edge: EdgeRow,
}

/// One node.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct NodeAnswer {
    /// The instant that it speaks of, UTC.
    at: Timestamp,
    /// The node.
    #[serde(flatten)]
    node: NodeItem,
    /// The first steps by which it came to be.
    parents: Part<EdgeItem>,
    /// The first steps from it.
    children: Part<EdgeItem>,
    /// The ids of findings about it, by time; of very many the first 200.
    findings: Vec<String>,
}

/// A node, as `unchain trace --format jsonl` has it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Node")]
pub(crate) struct NodeItem {
    /// Its name, which stays the same while the case grows.
    node_name: String,
    /// The name of the node at the root of its lineage: its own if nothing is known to have made it.
    root_name: String,
    /// What it is.
    node: End,
    /// Its state, also of what is not a credential.
    token: Token,
}

/// One kind of use of a credential: the same call, outcome, place and client.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Use")]
pub(crate) struct UseItem {
    /// `eventSource`.
    event_source: Option<Untrusted>,
    /// `eventName`.
    event_name: Option<Untrusted>,
    /// `errorCode`; none where the call was done.
    error_code: Option<Untrusted>,
    /// `awsRegion`.
    aws_region: Option<Untrusted>,
    /// `recipientAccountId`.
    recipient_account_id: Option<Untrusted>,
    /// `sourceIPAddress`.
    source_ip_address: Option<Untrusted>,
    /// `userAgent`.
    user_agent: Option<Untrusted>,
    /// `vpcEndpointId`.
    vpc_endpoint_id: Option<Untrusted>,
    /// How many events.
    count: u64,
    /// The first, UTC.
    first: Timestamp,
    /// The last, UTC.
    last: Timestamp,
    /// The id of the last.
    last_event_id: Untrusted,
}

/// Every step that the filters keep, in order of time.
pub(super) fn edges(visit: &Visit<'_, '_>) -> Result<List<EdgeItem>, Problem> {
    let named = |parameter| visit.query.get(parameter).map(|name| number(visit, name));
    let (parent, child) = (named("parent").transpose()?, named("child").transpose()?);
    let mut kept = between(visit, (parent, child));
    kept.retain(|edge| visit.chosen("basis", edge.basis.name()));
    list(
        visit,
        &kept,
        |edge| key(visit, edge),
        |edge| edge_item(visit, edge),
    )
}

/// The node of a name.
pub(super) fn number(visit: &Visit<'_, '_>, name: &str) -> Result<u32, Problem> {
    let node = visit.world.names.node(name);
    node.ok_or_else(|| Problem::missing("node"))
}

/// The edges from a node, to a node, from one to another, or all.
fn between<'a>(
    visit: &'a Visit<'_, '_>,
    (parent, child): (Option<u32>, Option<u32>),
) -> Vec<&'a Edge> {
    let lineage = &visit.world.lineage;
    match (parent, child) {
        (None, None) => lineage.edges().iter().collect(),
        (Some(parent), None) => lineage.children(parent).collect(),
        (None, Some(child)) => lineage.parents(child).collect(),
        (Some(parent), Some(child)) => {
            let out = lineage.children(parent);
            out.filter(|edge| edge.child == child).collect()
        }
    }
}

/// What an edge is, whatever its number.
fn key(visit: &Visit<'_, '_>, edge: &Edge) -> String {
    let (parent, child) = (visit.name(edge.parent), visit.name(edge.child));
    let api = visit.world.lineage.ledger().text(edge.api);
    format!("{parent} {child} {} {} {api}", edge.time, edge.basis.name())
}

/// An edge as it is told.
pub(super) fn edge_item(visit: &Visit<'_, '_>, edge: &Edge) -> EdgeItem {
    EdgeItem {
        parent_name: visit.name(edge.parent),
        child_name: visit.name(edge.child),
        edge: visit.report.edge(edge),
    }
}

/// A node as it is told.
pub(super) fn node_item(visit: &Visit<'_, '_>, node: u32) -> NodeItem {
    NodeItem {
        node_name: visit.name(node),
        root_name: visit.name(visit.world.lineage.root(node)),
        node: visit.report.end(node),
        token: visit.report.token(node),
    }
}

/// One node.
pub(super) fn node(visit: &Visit<'_, '_>) -> Result<NodeAnswer, Problem> {
    let node = number(visit, visit.id)?;
    let about = visit.findings().filter(|(_, subject)| *subject == node);
    let steps = |side: &str| {
        let ends = match side {
            "child" => (None, Some(node)),
            _ => (Some(node), None),
        };
        let at = visit.report.at().to_string();
        let query = Query::default().with("at", &at).with(side, visit.id);
        let rows = between(visit, ends);
        let address = ("/api/v1/edges", &query);
        part(
            address,
            &rows,
            |edge| key(visit, edge),
            |edge| edge_item(visit, edge),
        )
    };
    Ok(NodeAnswer {
        at: visit.report.at(),
        parents: steps("child")?,
        children: steps("parent")?,
        findings: about
            .take(FINDINGS)
            .map(|(finding, _)| finding.id.clone())
            .collect(),
        node: node_item(visit, node),
    })
}

/// What a node was used for.
pub(super) fn uses(visit: &Visit<'_, '_>) -> Result<List<UseItem>, Problem> {
    let (node, lineage) = (number(visit, visit.id)?, &visit.world.lineage);
    let uses = UsesByNode::of(lineage, &[node]);
    let mut rows: Vec<_> = uses
        .uses(lineage, node)
        .map(|usage| use_item(visit, usage))
        .collect();
    rows.sort_by_cached_key(|usage| (Reverse(usage.last), use_key(usage)));
    list(visit, &rows, use_key, UseItem::clone)
}

fn use_item(visit: &Visit<'_, '_>, usage: &Use) -> UseItem {
    let ledger = visit.world.lineage.ledger();
    let text = |symbol| Some(Untrusted::new(ledger.text(symbol))).filter(|text| !text.is_empty());
    let (call, client, place) = (
        ledger.call_of(&usage.key),
        ledger.client(usage.key.client),
        ledger.place_of(&usage.key),
    );
    let (last, id) = ledger.last(usage);
    UseItem {
        event_source: call.and_then(|call| text(call.source)),
        event_name: call.and_then(|call| text(call.name)),
        error_code: text(ledger.act(&usage.key).outcome),
        aws_region: place.and_then(|place| text(place.region)),
        recipient_account_id: place.and_then(|place| text(place.account)),
        source_ip_address: client.and_then(|client| text(client.address)),
        user_agent: client.and_then(|client| text(client.agent)),
        vpc_endpoint_id: client.and_then(|client| text(client.endpoint)),
        count: ledger.count(usage),
        first: usage.first.time(),
        last: last.time(),
        last_event_id: Untrusted::new(ledger.event_id(id)),
    }
}

/// What a kind of use is, whatever its count. Its first event tells apart what is otherwise alike.
fn use_key(usage: &UseItem) -> String {
    let texts = [
        &usage.event_source,
        &usage.event_name,
        &usage.error_code,
        &usage.aws_region,
        &usage.recipient_account_id,
        &usage.source_ip_address,
        &usage.user_agent,
        &usage.vpc_endpoint_id,
    ];
    let parts = texts.map(|text| text.as_ref().map_or("", Untrusted::raw));
    format!("{} {}", usage.first, parts.join("\n"))
}
