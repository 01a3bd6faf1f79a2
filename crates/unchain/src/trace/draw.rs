//! A trace as a tree for people.

use super::walk::{Alike, Step, What};
use crate::output::words::{count, counted, minute, moment, principal, shown, wrapped};
use std::io::{self, Write};
use unchain_core::lineage::{Edge, NodeKind};
use unchain_core::report::{End, Report, Token};

/// Levels that are drawn; those above are counted.
const DRAWN: usize = 8;

/// Writes the tree.
pub(super) fn tree(
    out: &mut dyn Write,
    width: usize,
    (report, steps): (&Report<'_, '_>, &[Step]),
) -> io::Result<()> {
    let mut open: Vec<bool> = Vec::new();
    for (n, step) in steps.iter().enumerate() {
        if step.depth == 0 && n > 0 {
            writeln!(out)?;
        }
        open.truncate(step.depth.saturating_sub(1));
        let above = rails(&open);
        let (branch, below) = match (step.depth, step.last) {
            (0, _) => ("", ""),
            (_, true) => ("└── ", "    "),
            (_, false) => ("├── ", "│   "),
        };
        match step.what {
            What::More(alike) => writeln!(out, "{above}{branch}{}", more(report, &alike))?,
            What::Node {
                node, edge, parent, ..
            } => {
                writeln!(out, "{above}{branch}{}", head(report, step))?;
                let stem = if parent { "│ " } else { "  " };
                let margin = format!("{above}{below}{stem}");
                let room = width.saturating_sub(margin.chars().count()).max(30);
                for line in wrapped(&details(report, node, edge), room) {
                    writeln!(out, "{margin}{line}")?;
                }
            }
        }
        if step.depth > 0 {
            open.push(!step.last);
        }
    }
    Ok(())
}

/// The lines from the levels above. Deep levels would leave no room, so only the nearest are drawn.
fn rails(open: &[bool]) -> String {
    let hidden = open.len().saturating_sub(DRAWN);
    let mut rails = if hidden > 0 {
        format!("+{hidden} ")
    } else {
        String::new()
    };
    for more in open.iter().skip(hidden) {
        rails.push_str(if *more { "│   " } else { "    " });
    }
    rails
}

/// What a node is, and whether it works.
fn head(report: &Report<'_, '_>, step: &Step) -> String {
    let What::Node {
        node,
        pivot,
        repeated,
        ..
    } = step.what
    else {
        return String::new();
    };
    let end = report.end(node);
    let kind = kind_of(report, node);
    let mut text = match name(&end) {
        Some(name) => format!("{name}  {}", end.kind.replace('-', " ")),
        None => end.kind.replace('-', " "),
    };
    if has_state(kind) {
        text.push_str("  ");
        text.push_str(
            &report
                .life(node)
                .status
                .name()
                .to_uppercase()
                .replace('-', " "),
        );
    }
    if pivot {
        text.push_str("  <== asked for");
    }
    if repeated {
        text.push_str("  (its children stand above)");
    }
    text
}

/// The words below a node.
fn details(report: &Report<'_, '_>, node: u32, edge: Option<Edge>) -> Vec<String> {
    let token = report.token(node);
    let end = report.end(node);
    let mut pieces = Vec::new();
    let whose = end
        .principal_arn
        .as_ref()
        .map(principal)
        .unwrap_or_default();
    match &end.account {
        Some(account) if whose.is_empty() => pieces.push(format!("account {}", shown(account))),
        Some(account) => pieces.push(format!("{whose} in {}", shown(account))),
        None => pieces.push(whose),
    }
    if let Some(edge) = edge {
        let row = report.edge(&edge);
        pieces.push(format!(
            "{} {} ({})",
            shown(&row.api),
            moment(row.time),
            row.basis
        ));
        if row.cross_account {
            pieces.push("cross-account".to_owned());
        }
    }
    if has_state(kind_of(report, node)) {
        pieces.extend(expiry(&token));
        pieces.extend(token.reason.map(str::to_owned));
        if edge.is_none() && token.kind != "long-term-key" {
            pieces.extend(unissued(token.origin).map(str::to_owned));
        }
    }
    pieces.push(used(&token));
    pieces
}

fn expiry(token: &Token) -> Option<String> {
    let Some(end) = token.expires_at else {
        return (token.expiry_basis == "unknown").then(|| "expiry unknown".to_owned());
    };
    Some(match token.expiry_basis.split_once(':') {
        Some((_, rule)) => format!("expires by {} at the latest ({})", moment(end), rule.trim()),
        None if token.expiry_basis == "recorded" => format!("expires {}", moment(end)),
        None => format!("expires {} ({})", moment(end), token.expiry_basis),
    })
}

/// Why there is nothing above a credential.
fn unissued(origin: &str) -> Option<&'static str> {
    match origin {
        "unseen" => Some("who issued it is not in the log"),
        "forwarded" => Some("a service forwarded its owner's requests with it"),
        _ => None,
    }
}

fn used(token: &Token) -> String {
    match (token.first_used, token.last_used) {
        (Some(first), Some(last)) if token.uses > 1 => format!(
            "{} from {} to {}",
            counted(token.uses, "use"),
            minute(first),
            minute(last)
        ),
        (_, Some(last)) => format!("{} at {}", counted(token.uses, "use"), minute(last)),
        _ => String::new(),
    }
}

fn more(report: &Report<'_, '_>, alike: &Alike) -> String {
    let how = alike.edge.map_or_else(
        || format!(", {}", alike.origin.name()),
        |edge| format!(" by {}", shown(&report.edge(&edge).api)),
    );
    format!(
        "… {} more {}s{how}, {}, {} (--all)",
        count(alike.count),
        alike.kind.name().replace('-', " "),
        alike.status.name().replace('-', " "),
        counted(alike.uses, "use"),
    )
}

/// What names a node beside its principal.
fn name(end: &End) -> Option<String> {
    end.access_key_id
        .as_ref()
        .or(end.workload.as_ref())
        .map(shown)
}

fn kind_of(report: &Report<'_, '_>, node: u32) -> NodeKind {
    report
        .lineage()
        .node(node)
        .map_or(NodeKind::Identity, |n| n.kind)
}

/// Whether it makes sense to ask if it still works.
fn has_state(kind: NodeKind) -> bool {
    kind.is_credential()
        || matches!(
            kind,
            NodeKind::IdentityCenterSession | NodeKind::LoginProfile | NodeKind::MfaDevice
        )
}
