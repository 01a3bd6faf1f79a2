//! The journal of a plan in the case: when its calls were made, and that it was verified.

use anyhow::Context as _;
use std::path::Path;
use unchain_case::Case;
use unchain_core::contain::{Action, Happened, Plan, Receipt, Verification, Work, digest};

/// The journal of a plan; empty where the case has none.
pub(super) fn receipts(case: &Path, plan: &Plan) -> anyhow::Result<Vec<Receipt>> {
    if !case.is_file() {
        return Ok(Vec::new());
    }
    Ok(Case::open_existing(case)?.receipts(&digest(plan)?)?)
}

/// Writes down that a plan was verified, once, if it was carried out from this case and not undone since.
pub(super) fn note(case: &Path, plan: &Plan, found: &Verification) -> anyhow::Result<()> {
    let past = receipts(case, plan)?;
    let known = |r: &Receipt| r.work == Work::Undo || matches!(r.what, Happened::Verified);
    let step = plan
        .steps
        .iter()
        .find(|step| matches!(step.action, Action::Verify { .. }));
    let (Some(last), Some(step)) = (past.last(), step) else {
        return Ok(());
    };
    if !found.allows_removal() || past.iter().any(known) {
        return Ok(());
    }
    let receipt = Receipt {
        plan: found.plan.clone(),
        sequence: last.sequence.saturating_add(1),
        at: found.at,
        work: Work::Apply,
        step: step.number,
        what: Happened::Verified,
    };
    let added = Case::open_existing(case)?.add_receipt(&receipt);
    added.with_context(|| {
        let case = case.display();
        format!("cannot note in `{case}` that the plan was verified; let no other run use the case, and verify again")
    })
}
