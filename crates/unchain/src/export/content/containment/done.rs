//! What was done, by the journal: every call with its request id.

use super::{ROWS, name, part, rest};
use crate::contain::Record;
use crate::export::block::{Block, Line};
use crate::output::words::moment;
use unchain_core::contain::{Action, Happened, Plan, Receipt, Work};

pub(super) fn done(record: &Record) -> Vec<Block> {
    if record.receipts.is_empty() {
        let words = "No journal of this plan is in the case: what of it was carried out is told by the accounts only.";
        return vec![part("What was done"), Block::Paragraph(Line::of(words))];
    }
    // A change is written down before it is made; what came of it is the next line.
    let told: Vec<&Receipt> = record
        .receipts
        .iter()
        .filter(|receipt| {
            !matches!(receipt.what, Happened::Begun { .. }) || is_open(record, receipt)
        })
        .collect();
    let rows = told
        .iter()
        .take(ROWS)
        .map(|receipt| row(&record.plan, receipt));
    let columns = &["Time (UTC)", "Step", "What", "Result", "Request id"];
    let mut blocks = vec![part("What was done"), Block::Table(columns, rows.collect())];
    blocks.extend(rest(told.len(), ROWS, "the case has them all"));
    blocks
}

/// Whether it was never written down what came of a change.
fn is_open(record: &Record, receipt: &Receipt) -> bool {
    let after = record
        .receipts
        .iter()
        .filter(|other| other.sequence > receipt.sequence);
    !after
        .into_iter()
        .any(|other| (other.step, other.work) == (receipt.step, receipt.work))
}

fn row(plan: &Plan, receipt: &Receipt) -> Vec<Line> {
    let step = plan.steps.iter().find(|step| step.number == receipt.step);
    let call = step.map(|step| match &step.action {
        Action::Call(call) => Line::of(call.action.as_str()).words(" ").name(&step.target),
        Action::Wait(_) => Line::of("wait"),
        Action::Verify { .. } => Line::of("verify"),
    });
    let call = call.unwrap_or_default();
    let what = match receipt.work {
        Work::Apply => call,
        Work::Undo => Line::of("undo ").then(call),
    };
    let (result, request) = result(&receipt.what);
    vec![
        Line::new().time(moment(receipt.at)),
        Line::of(receipt.step.to_string()),
        what,
        result,
        request.map(name).unwrap_or_default(),
    ]
}

fn result(what: &Happened) -> (Line, Option<&str>) {
    match what {
        Happened::Begun { .. } => (Line::of("begun; what came of it is not known"), None),
        Happened::Done { already: true, .. } => (Line::of("was so already"), None),
        Happened::Done { request_id, .. } => (Line::of("done"), request_id.as_deref()),
        Happened::Failed(refusal) => {
            let line = Line::of("refused: ").name(&refusal.code);
            (line, refusal.request_id.as_deref())
        }
        Happened::Waited => (Line::of("waited"), None),
        Happened::Surprise { .. } => (
            Line::of("stopped: the accounts are not as the plan knew them"),
            None,
        ),
        Happened::Verified => (Line::of("verified"), None),
    }
}
