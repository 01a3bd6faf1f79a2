//! What a pivot means: one node, several of one lineage, several that a person must choose from, or
//! nothing, and then what is spelled alike.

use crate::output::words::{clipped, minute, pasted, principal, shown};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use unchain_core::lineage::{Lineage, Match};
use unchain_core::report::Report;
use unchain_core::time::Timestamp;

/// So many sessions of one role are traced together without asking.
const TOGETHER: usize = 40;
/// So many are listed to choose from.
const LISTED: usize = 40;
/// More of one principal are listed as one.
const FEW: usize = 3;
/// So many are suggested.
const SUGGESTED: usize = 5;

/// Whether the nodes can be shown together: they have one root, or are one principal's.
pub(crate) fn belong_together(lineage: &Lineage<'_>, matches: &[Match]) -> bool {
    let roots: BTreeSet<u32> = matches.iter().map(|m| lineage.root(m.node)).collect();
    let principals: BTreeSet<_> = matches.iter().map(|m| lineage.principal(m.node)).collect();
    let id = |m: &Match| lineage.node(m.node).map(|n| n.unique_id);
    let ids: Vec<_> = matches.iter().filter_map(id).collect();
    let one_id = ids
        .iter()
        .all(|id| !id.is_empty() && ids.first() == Some(id));
    roots.len() == 1 || principals.len() == 1 || one_id && matches.len() <= TOGETHER
}

/// Lists what a pivot could mean, with the command that chooses each.
pub(super) fn list(
    out: &mut dyn Write,
    (report, matches): (&Report<'_, '_>, &[Match]),
    options: &str,
) -> io::Result<()> {
    let groups = groups(report, matches);
    for group in groups.iter().take(LISTED) {
        let command = choice(report, group);
        writeln!(out, "{}", describe(report, group))?;
        if let Some(command) = command.as_deref().and_then(pasted) {
            writeln!(out, "    unchain trace {command}{options}")?;
        }
    }
    let left = groups.len().saturating_sub(LISTED);
    if left > 0 {
        writeln!(out, "… and {left} more")?;
    }
    Ok(())
}

/// Matches of one principal, as long as there is more than one principal.
fn groups(report: &Report<'_, '_>, matches: &[Match]) -> Vec<Vec<Match>> {
    let mut by_principal: BTreeMap<_, Vec<Match>> = BTreeMap::new();
    for found in matches {
        let key = (found.pivot, report.lineage().principal(found.node));
        by_principal.entry(key).or_default().push(*found);
    }
    let all_one = by_principal.len() == 1;
    by_principal
        .into_iter()
        .flat_map(|((_, principal), group)| {
            if group.len() > FEW && !principal.is_empty() && !all_one {
                vec![group]
            } else {
                group.into_iter().map(|found| vec![found]).collect()
            }
        })
        .collect()
}

/// `name: 4 credentials of auditor/bob in 444455556666, used 2026-03-02 08:50 to 08:52`.
fn describe(report: &Report<'_, '_>, group: &[Match]) -> String {
    let Some(first) = group.first() else {
        return String::new();
    };
    let end = report.end(first.node);
    let what = match (group.len(), &end.access_key_id) {
        (1, Some(key)) => format!("{} {}", end.kind.replace('-', " "), shown(key)),
        (1, None) => end.kind.replace('-', " "),
        (many, _) => format!("{many} credentials"),
    };
    let whose = end
        .principal_arn
        .as_ref()
        .map(principal)
        .unwrap_or_default();
    let account = end.account.as_ref().map(shown).unwrap_or_default();
    let usages = group
        .iter()
        .map(|found| report.uses().usage(report.lineage(), found.node));
    let (firsts, lasts): (Vec<_>, Vec<_>) = usages.map(|u| (u.first, u.last)).unzip();
    let time = |second| minute(Timestamp::from_seconds(i64::from(second)));
    let used = firsts
        .into_iter()
        .flatten()
        .min()
        .zip(lasts.into_iter().flatten().max());
    let used = used.map_or_else(
        || "no use seen".to_owned(),
        |(first, last)| format!("used {} to {}", time(first), time(last)),
    );
    format!(
        "{}: {what} of {whose} in {account}, {used}",
        first.pivot.name()
    )
}

/// What names a node alone: its key id, unless others have it too, or an event. A group is named by
/// its principal.
fn choice(report: &Report<'_, '_>, group: &[Match]) -> Option<String> {
    let lineage = report.lineage();
    let ledger = lineage.ledger();
    let node = group.first()?.node;
    if group.len() > 1 {
        return Some(lineage.principal(node).raw().to_owned());
    }
    let key = lineage.node(node)?.key;
    let shared = lineage.nodes().iter().filter(|n| n.key == key).count() > 1;
    if !key.is_empty() && !shared {
        return Some(ledger.text(key).to_owned());
    }
    let uses = report.uses().uses(lineage, node);
    let first = uses.min_by_key(|usage| usage.first);
    let issued = || {
        lineage
            .primary(node)
            .and_then(|edge| lineage.evidence(edge).into_iter().next())
    };
    first
        .map(|usage| ledger.event_id(usage.first_id).into_owned())
        .or_else(issued)
}

/// What the lineage holds that is spelled like `text`.
pub(super) fn near(lineage: &Lineage<'_>, text: &str) -> Vec<String> {
    let ledger = lineage.ledger();
    let wanted = text.to_lowercase();
    let mut found: BTreeSet<(usize, &str)> = BTreeSet::new();
    for caller in ledger.callers() {
        for name in [
            caller.key,
            caller.session,
            caller.user_name,
            caller.unique_id,
        ] {
            found.extend(distance(&wanted, ledger.text(name)).map(|d| (d, ledger.text(name))));
        }
    }
    for node in lineage.nodes() {
        for name in [node.key, node.session, node.name] {
            found.extend(distance(&wanted, ledger.text(name)).map(|d| (d, ledger.text(name))));
        }
        while found.len() > SUGGESTED {
            found.pop_last();
        }
    }
    found
        .iter()
        .take(SUGGESTED)
        .map(|(_, name)| clipped(name))
        .collect()
}

/// How unlike two texts are; none if they have nothing in common.
fn distance(wanted: &str, name: &str) -> Option<usize> {
    if name.is_empty() || name.len() > 200 || wanted.len() > 200 {
        return None;
    }
    let name = name.to_lowercase();
    let apart = name.chars().count().abs_diff(wanted.chars().count());
    if wanted.len() >= 4 && (name.contains(wanted) || wanted.contains(&name) && name.len() >= 4) {
        return Some(apart.min(3));
    }
    (apart <= 2)
        .then(|| edits(wanted, &name))
        .filter(|edits| *edits <= 2)
}

/// Levenshtein's distance.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        if let Some(slot) = row.first_mut() {
            *slot = left;
        }
        for (slot, y) in row.iter_mut().skip(1).zip(&b) {
            let up = *slot;
            left = (diagonal + usize::from(x != *y)).min(up + 1).min(left + 1);
            (diagonal, *slot) = (up, left);
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("", "abc"), 3);
        assert_eq!(edits("abc", "abc"), 0);
    }

    #[test]
    fn near_means_typing_errors_and_parts() {
        assert!(distance("asiaqnzgkiqy56jq7wml", "ASIAQNZGKIQY56JQ7WML").is_some());
        assert!(distance("asiaqnzgkiqy56jq7wmm", "ASIAQNZGKIQY56JQ7WML").is_some());
        assert!(distance("customer", "customer-data-admin").is_some());
        assert!(distance("abc", "xyzzy").is_none());
    }
}
