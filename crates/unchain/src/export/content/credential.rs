//! Credentials as rows: issue, expiry, status, use, where from, which MFA device.

use super::{View, chapter, part, plain, rest};
use crate::export::Document;
use crate::export::block::{Block, Line, Span};
use crate::output::words::{count, counted, minute, moment};
use std::collections::BTreeSet;
use unchain_core::report::Token;
use unchain_core::text::Untrusted;

/// Rows of one table.
const ROWS: usize = 300;
/// Addresses of one credential.
const ADDRESSES: usize = 8;

const COLUMNS: &[&str] = &["Credential", "Issued", "Expires", "Status", "Used"];

/// The credentials of an incident, with the MFA devices that anyone above them presented.
pub(super) fn of_incident(document: &Document<'_>, members: &BTreeSet<u32>) -> Vec<Block> {
    let row = |&node: &u32| {
        let token = document.report.token(node);
        let ledger = document.scene.ledger;
        let devices = document.scene.devices(node);
        let serials = devices.into_iter().map(|d| Untrusted::new(ledger.text(d)));
        cells(&token, &serials.collect::<Vec<_>>())
    };
    let mut nodes: Vec<&u32> = members.iter().collect();
    nodes.sort_by_key(|&&node| (document.scene.node(node).and_then(|n| n.created), node));
    let rows = nodes.iter().take(ROWS).map(|node| row(node)).collect();
    let mut blocks = vec![Block::Table(COLUMNS, rows)];
    blocks.extend(rest(members.len(), ROWS, "`unchain tokens` lists them all"));
    blocks
}

/// Everything that may still work, also where nothing was found about it.
pub(super) fn may_work(document: &Document<'_>) -> Vec<Block> {
    let nodes = working(document);
    let tokens = document.report.last_used(&nodes, ROWS);
    let words = number(document, &nodes)
        .words(", the last used first. Most of them belong to ordinary work.");
    let mut blocks = vec![
        chapter("alive", "All credentials that may still work"),
        Block::Paragraph(words),
    ];
    if !tokens.is_empty() {
        let rows = tokens.iter().map(|token| cells(token, &[])).collect();
        blocks.push(Block::Table(COLUMNS, rows));
    }
    blocks.extend(rest(
        nodes.len(),
        ROWS,
        "`unchain tokens --alive` lists them all",
    ));
    blocks.extend(next(document));
    blocks
}

/// All credentials, whose they are, and what is known of those that were found.
pub(super) fn views(document: &Document<'_>) -> Vec<Block> {
    let words =
        number(document, &working(document)).words(". Most of them belong to ordinary work.");
    let folded = |words: &str, view| Block::Folded(Line::of(words), vec![Block::View(view)]);
    let mut blocks = vec![
        chapter("tokens", "Tokens"),
        Block::Paragraph(words),
        folded("The inventory", View::Tokens),
    ];
    blocks.extend(next(document));
    blocks.extend([
        chapter("principals", "Principals"),
        folded("Whose the credentials are", View::Principals),
        chapter("nodes", "What findings are about"),
        Block::Paragraph(Line::of(
            "Where each of them came from, what it did, and what came of it.",
        )),
        Block::View(View::Nodes),
    ]);
    blocks
}

/// The MFA devices that anyone in or above an incident's credentials presented.
pub(super) fn devices(document: &Document<'_>, members: &BTreeSet<u32>) -> Option<Block> {
    let devices = members
        .iter()
        .flat_map(|&node| document.scene.devices(node));
    let ledger = document.scene.ledger;
    let each: BTreeSet<Untrusted> = devices
        .map(|device| Untrusted::new(ledger.text(device)))
        .collect();
    let line = Line::new().names(&each);
    (!each.is_empty()).then(|| Block::Facts(vec![("MFA presented with", line)]))
}

fn working(document: &Document<'_>) -> Vec<u32> {
    let report = document.report;
    let mut nodes = report.credentials();
    nodes.retain(|&node| report.may_work(node));
    nodes
}

fn number(document: &Document<'_>, nodes: &[u32]) -> Line {
    let number = counted(nodes.len() as u64, "credential");
    Line::of(format!("{number} of the whole log may still work at "))
        .time(minute(document.about.at))
        .words(" UTC")
}

fn next(document: &Document<'_>) -> [Block; 2] {
    let options = &document.about.options;
    let at = document.about.at;
    let command = format!("unchain tokens --alive --at {at}{options}");
    [part("Next"), Block::Commands(vec![command])]
}

fn cells(token: &Token, devices: &[Untrusted]) -> Vec<Line> {
    let mut name = match &token.access_key_id {
        Some(key) => Line::new().name(key).below(),
        None => Line::new(),
    };
    name = name.words(plain(token.kind));
    if let Some(principal) = &token.principal_arn {
        name = name.below().name(principal);
    }
    vec![
        name,
        issued(token, devices),
        expires(token),
        status(token),
        used(token),
    ]
}

fn issued(token: &Token, devices: &[Untrusted]) -> Line {
    let mut line = token
        .issued_at
        .map_or_else(Line::new, |time| Line::new().time(moment(time)));
    if let Some(api) = &token.issued_with {
        line = line.below().and(Span::Words(api.clone()));
    }
    if let Some(by) = &token.issued_by {
        line = line.words(" by ").name(by);
    }
    if let Some(basis) = token.issued_basis {
        line = line.small(format!(" ({basis})"));
    }
    if token.issued_by.is_none() {
        line = line.below().small(origin(token.origin));
    }
    if !devices.is_empty() {
        line = line.below().small("MFA presented with ").names(devices);
    }
    line
}

/// Why nothing issued it.
fn origin(origin: &str) -> &'static str {
    match origin {
        "issued" => "issued",
        "console" => "minted by the console",
        "forwarded" => "forwarded by a service",
        "service" => "issued to a service",
        _ => "who issued it is not in the log",
    }
}

fn expires(token: &Token) -> Line {
    match token.expires_at {
        Some(end) => Line::new()
            .time(moment(end))
            .below()
            .small(token.expiry_basis),
        None => Line::of(token.expiry_basis),
    }
}

fn status(token: &Token) -> Line {
    let mut line = Line::new().and(Span::Label(token.status));
    if let Some(reason) = token.reason {
        line = line.below().small(reason);
    }
    match &token.reason_event_id {
        Some(id) => line.below().small("event ").name(id),
        None => line,
    }
}

fn used(token: &Token) -> Line {
    let mut line = match (token.first_used, token.last_used) {
        (Some(first), Some(last)) => {
            let line = Line::of(counted(token.uses, "use"))
                .below()
                .time(minute(first));
            if minute(first) == minute(last) {
                line
            } else {
                line.below().words("to ").time(minute(last))
            }
        }
        _ => Line::of("not seen"),
    };
    if !token.addresses.is_empty() {
        let shown = token.addresses.iter().take(ADDRESSES);
        line = line.below().words("from ").names(shown);
    }
    match token.addresses.len().saturating_sub(ADDRESSES) {
        0 => line,
        more => line.words(format!(" and {} more", count(more as u64))),
    }
}
