//! Source identities that only a lineage has: they tell its sessions of a shared role from those of others, also the
//! ones that it gets under another session name.

use super::super::owner::is_source_identity;
use super::super::scope::source_identity;
use super::Subject;
use crate::report::Report;
use crate::text::Untrusted;
use std::collections::BTreeSet;

/// Source identities in the deny of one role. A lineage has one or two; whoever sets many is not told by them.
const IDENTITIES: usize = 20;

/// The source identities of a lineage's credentials that no credential outside it ever had.
pub(super) fn own(
    report: &Report<'_, '_>,
    (nodes, subjects): (&BTreeSet<u32>, &[Subject]),
) -> BTreeSet<String> {
    let mut own = of(subjects);
    if own.is_empty() {
        return own;
    }
    for node in report.credentials() {
        if !nodes.contains(&node)
            && let Some(identity) = source_identity(report.lineage(), node)
        {
            own.remove(identity.raw());
        }
    }
    own
}

/// Those of a role's sessions that can stand in a deny.
pub(super) fn of_role<'s>(
    subjects: impl Iterator<Item = &'s Subject>,
    own: &BTreeSet<String>,
) -> BTreeSet<String> {
    let found = of(subjects);
    let found: BTreeSet<String> = found.intersection(own).cloned().collect();
    Some(found)
        .filter(|found| found.len() <= IDENTITIES)
        .unwrap_or_default()
}

fn of<'s>(subjects: impl IntoIterator<Item = &'s Subject>) -> BTreeSet<String> {
    let credentials = subjects.into_iter().filter(|subject| subject.credential);
    let found = credentials.filter_map(|subject| subject.source_identity.as_ref());
    found
        .map(Untrusted::raw)
        .filter(|text| is_source_identity(text))
        .map(str::to_owned)
        .collect()
}
