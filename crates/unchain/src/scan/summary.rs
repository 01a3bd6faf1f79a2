//! What a scan has to tell, as plain values. The field names are a promise: see docs/output.md.

use crate::reading::Reading;
use crate::sigma::SigmaView;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use unchain_core::ledger::Use;
use unchain_core::lineage::{NodeKind, Origin};
use unchain_core::liveness::Status;
use unchain_core::report::{Coverage, Findings, Report, Token, coverage};
use unchain_core::text::Untrusted;
use unchain_core::time::Timestamp;
use unchain_source::{FileKind, FileReport, Files};

/// Tokens that are listed; the others are counted.
const LISTED: usize = 20;

/// The whole answer.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    /// What was read.
    pub(crate) read: Read,
    /// On what the answer rests.
    pub(crate) coverage: Coverage,
    /// The instant of every status.
    pub(crate) at: Timestamp,
    /// What is wrong; none if nothing was looked for.
    pub(crate) findings: Option<Findings>,
    /// How many credentials there are of each sort.
    pub(crate) credentials: Vec<Sort>,
    /// How many may still work: alive, or not known to be dead.
    pub(crate) alive: u64,
    /// The first of these, the last used first.
    pub(crate) alive_tokens: Vec<Token>,
    /// Calls that would have issued or made something, and were denied or failed.
    pub(crate) denied_attempts: u64,
    /// What Sigma rules found; none if none were given.
    pub(crate) sigma: Option<SigmaView>,
    /// What went into the case; none if nothing is kept.
    pub(crate) case: Option<Added>,
}

/// What a case did not hold before.
#[derive(Debug, Serialize)]
pub(crate) struct Added {
    /// The case file.
    pub(crate) path: Untrusted,
    /// Files that are new or have changed.
    pub(crate) files: u64,
    /// Distinct events.
    pub(crate) events: u64,
}

/// What was read. `records = parsed + refused`, `parsed = filtered + duplicates + events`.
#[derive(Debug, Serialize)]
pub(crate) struct Read {
    /// Files opened, or counted by their place in the tree.
    pub(crate) files: u64,
    /// Files of each kind.
    pub(crate) files_by_kind: BTreeMap<&'static str, u64>,
    /// Files that the filter left out by their path.
    pub(crate) files_pruned: u64,
    /// Bytes as stored.
    pub(crate) bytes_on_disk: u64,
    /// Bytes after unpacking.
    pub(crate) bytes: u64,
    /// Records met.
    pub(crate) records: u64,
    /// Records understood.
    pub(crate) parsed: u64,
    /// Records not understood.
    pub(crate) refused: u64,
    /// The same per reason.
    pub(crate) refused_by_reason: BTreeMap<&'static str, u64>,
    /// Understood records that the filter left out.
    pub(crate) filtered: u64,
    /// Records that were read before.
    pub(crate) duplicates: u64,
    /// Distinct events.
    pub(crate) events: u64,
    /// Records that were understood and odd, per oddity.
    pub(crate) notes: BTreeMap<&'static str, u64>,
    /// How many files had damage, refused records, or nothing of CloudTrail in them.
    pub(crate) files_with_trouble: u64,
    /// The first of these, by name.
    pub(crate) trouble: Vec<Trouble>,
}

/// What was wrong with a file or folder.
#[derive(Debug, Serialize)]
pub(crate) struct Trouble {
    /// Its path.
    pub(crate) path: Untrusted,
    /// A file's kind; none for what could not be listed.
    pub(crate) kind: Option<&'static str>,
    /// What was wrong with it as a whole.
    pub(crate) damage: Option<String>,
    /// Records read all the same.
    pub(crate) parsed: u64,
    /// Refused records per reason.
    pub(crate) refused: BTreeMap<&'static str, u64>,
}

/// How many credentials there are of one sort.
#[derive(Debug, Serialize)]
pub(crate) struct Sort {
    /// A node kind's name.
    pub(crate) kind: &'static str,
    /// Where they came from.
    pub(crate) origin: &'static str,
    /// Their state.
    pub(crate) status: &'static str,
    /// How many.
    pub(crate) count: u64,
}

impl Summary {
    /// Adds everything up.
    pub(crate) fn new(
        reading: &Reading,
        files: &Files,
        (report, at): (&Report<'_, '_>, Timestamp),
        (case, findings): (Option<Added>, Option<Findings>),
    ) -> Self {
        let mut sorts = BTreeMap::new();
        let mut alive = Vec::new();
        let lineage = report.lineage();
        for (node, credential) in (0u32..).zip(lineage.nodes()) {
            if !credential.kind.is_credential() {
                continue;
            }
            let status = report.life(node).status;
            *sorts
                .entry((credential.kind, credential.origin, status))
                .or_insert(0u64) += 1;
            if matches!(status, Status::Alive | Status::Unknown) {
                alive.push(node);
            }
        }
        let coverage = coverage(lineage);
        Self {
            read: Read::new(reading, files, coverage.events),
            coverage,
            at,
            findings,
            credentials: sorts.into_iter().map(Sort::new).collect(),
            alive: alive.len() as u64,
            alive_tokens: report.last_used(&alive, LISTED),
            denied_attempts: denied(reading),
            sigma: None,
            case,
        }
    }
}

impl Sort {
    fn new(((kind, origin, status), count): ((NodeKind, Origin, Status), u64)) -> Self {
        Self {
            kind: kind.name(),
            origin: origin.name(),
            status: status.name(),
            count,
        }
    }
}

impl Read {
    fn new(reading: &Reading, files: &Files, events: u64) -> Self {
        let summary = &reading.summary;
        let counts = &summary.counts;
        let kinds = FileKind::ALL
            .into_iter()
            .map(|(kind, name)| (name, summary.of_kind(kind)));
        let unreachable = files.unreachable().iter().map(|place| Trouble {
            path: Untrusted::new(place.name.as_str()),
            kind: None,
            damage: Some(place.reason.clone()),
            parsed: 0,
            refused: BTreeMap::new(),
        });
        Self {
            files: summary.files,
            files_by_kind: present(kinds),
            files_pruned: files.pruned(),
            bytes_on_disk: summary.bytes_on_disk,
            bytes: summary.bytes,
            records: counts.read,
            parsed: counts.parsed,
            refused: counts.refused.total(),
            refused_by_reason: refused(&counts.refused),
            filtered: counts.filtered,
            duplicates: (counts.parsed - counts.filtered).saturating_sub(events),
            events,
            notes: present(counts.notes.iter()),
            files_with_trouble: reading.troubles + files.unreachable().len() as u64,
            trouble: unreachable
                .take(LISTED)
                .chain(reading.troubled.values().map(Trouble::new))
                .collect(),
        }
    }
}

impl Trouble {
    fn new(report: &FileReport) -> Self {
        Self {
            path: Untrusted::new(report.name.as_str()),
            kind: Some(report.kind.name()),
            damage: report.damage.map(|damage| damage.to_string()),
            parsed: report.counts.parsed,
            refused: refused(&report.counts.refused),
        }
    }
}

fn refused(counts: &unchain_source::RefusalCounts) -> BTreeMap<&'static str, u64> {
    present(counts.iter().map(|(reason, count)| (reason.name(), count)))
}

fn present(counts: impl Iterator<Item = (&'static str, u64)>) -> BTreeMap<&'static str, u64> {
    counts.filter(|(_, count)| *count > 0).collect()
}

/// The events behind the ledger's attempts.
fn denied(reading: &Reading) -> u64 {
    let ledger = &reading.ledger;
    let tried: BTreeSet<_> = ledger.attempts().map(|(attempt, _)| attempt.key).collect();
    if tried.is_empty() {
        return 0;
    }
    let failed =
        |usage: &&Use| !ledger.act(&usage.key).outcome.is_empty() && tried.contains(&usage.key);
    let failures = ledger.uses().iter().filter(failed);
    failures.map(|usage| ledger.count(usage)).sum()
}
