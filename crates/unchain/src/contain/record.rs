//! What is known of a containment when a report is written: its plan, its journal, whether it holds.

use super::planned;
use crate::input::Input;
use anyhow::{Context as _, bail};
use clap::Args;
use serde::Serialize;
use std::path::{Path, PathBuf};
use unchain_case::Case;
use unchain_core::contain::{Plan, Receipt, Verification, digest};

/// Plans that a report tells of.
#[derive(Debug, Args)]
#[command(next_help_heading = "Containment")]
pub(crate) struct RecordArgs {
    /// A plan that `unchain plan` wrote, beside those of the case that were begun and its last one; may be repeated
    #[arg(long, value_name = "FILE")]
    plan: Vec<PathBuf>,
    /// What `unchain verify --format json` said of one of these plans; may be repeated
    #[arg(long, value_name = "FILE")]
    verification: Vec<PathBuf>,
}

/// One containment. The field names are a promise: see docs/output.md.
#[derive(Debug, Serialize)]
pub(crate) struct Record {
    /// By which the plan was approved.
    pub(crate) digest: String,
    /// What was to be done.
    pub(crate) plan: Plan,
    /// What was done, in order.
    pub(crate) receipts: Vec<Receipt>,
    /// Whether it holds, by the last look at it.
    pub(crate) verification: Option<Verification>,
}

impl RecordArgs {
    /// Reads what the case has, and what is named.
    pub(crate) fn read(&self, input: &Input) -> anyhow::Result<Vec<Record>> {
        let mut records = match input.source.is_empty() {
            true => journalled(&input.case)?,
            false => Vec::new(),
        };
        for path in &self.plan {
            let plan = planned(path, &input.case)?;
            let digest = digest(&plan)?;
            if records.iter().any(|known| known.digest == digest) {
                continue;
            }
            records.push(Record {
                digest,
                plan,
                receipts: Vec::new(),
                verification: None,
            });
        }
        for path in &self.verification {
            add(&mut records, path)?;
        }
        Ok(records)
    }
}

/// The plans of a case that were begun, with their journals, and the one that was made last: those between were thrown away.
fn journalled(case: &Path) -> anyhow::Result<Vec<Record>> {
    let case = Case::open_existing(case)?;
    let mut records = Vec::new();
    let rows = case.plans()?;
    let last = rows.last().map(|row| row.digest.clone());
    for row in rows {
        if row.receipts == 0 && last.as_ref() != Some(&row.digest) {
            continue;
        }
        if let Some(plan) = case.plan(&row.digest)? {
            records.push(Record {
                receipts: case.receipts(&row.digest)?,
                digest: row.digest,
                plan,
                verification: None,
            });
        }
    }
    Ok(records)
}

/// What a file that `unchain verify --format json` printed says.
pub(crate) fn verification(path: &Path) -> anyhow::Result<Verification> {
    let shown = path.display();
    let hint = "name what `unchain verify --format json` printed";
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read `{shown}`; {hint}"))?;
    serde_json::from_str(&text).with_context(|| format!("`{shown}` is no verification; {hint}"))
}

/// The last look at a plan counts.
fn add(records: &mut [Record], path: &Path) -> anyhow::Result<()> {
    let shown = path.display();
    let found = verification(path)?;
    let Some(record) = records
        .iter_mut()
        .find(|record| record.digest == found.plan)
    else {
        bail!("`{shown}` is about another plan; name that with `--plan` too");
    };
    let later = record
        .verification
        .as_ref()
        .is_none_or(|known| known.at <= found.at);
    if later {
        record.verification = Some(found);
    }
    Ok(())
}
