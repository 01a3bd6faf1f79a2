//! Plans and lines of their journals.

use unchain_core::contain::{Facts, Happened, Plan, Receipt, Settings, Work, plan};
use unchain_core::ledger::Ledger;
use unchain_core::lineage::Lineage;
use unchain_core::report::Report;
use unchain_core::time::Timestamp;

pub(crate) fn made(pivot: &str, at: i64) -> Plan {
    let ledger = Ledger::default();
    let lineage = Lineage::build(&ledger);
    let now = Timestamp::from_seconds(at);
    let report = Report::new(&lineage, now);
    plan(
        &report,
        &Facts::default(),
        &Settings::default(),
        (pivot, now),
    )
}

pub(crate) fn receipt(plan: &str, sequence: u32, what: Happened) -> Receipt {
    Receipt {
        plan: plan.to_owned(),
        sequence,
        at: Timestamp::from_seconds(1_772_467_200 + i64::from(sequence)),
        work: Work::Apply,
        step: sequence,
        what,
    }
}
