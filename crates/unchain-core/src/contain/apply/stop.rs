//! How carrying out or undoing a plan ends.

use super::{Happened, Receipt, Refusal, RefusalKind, Work};
use crate::text::Untrusted;
use crate::time::Timestamp;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;

/// Why it stopped before its end. Whatever was begun is in the journal; the same call goes on from there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Stop<E: std::error::Error + 'static> {
    /// It was not begun in time.
    #[error("the plan had to be begun before {valid_until}; make a new one")]
    Late {
        /// [`super::super::Plan::valid_until`].
        valid_until: Timestamp,
    },
    /// It was undone, in whole or in part.
    #[error("the plan was undone; make a new one")]
    Undone,
    /// The accounts are not as the plan knew them. Nothing was changed by this step.
    #[error(
        "step {step}: what is there is not what the plan knew; read the accounts again and make a new plan"
    )]
    Surprise {
        /// The step.
        step: u32,
        /// What the plan had reason to expect.
        expected: Box<Value>,
        /// What is there.
        found: Box<Value>,
    },
    /// The caller lacks a permission.
    #[error("step {step}: not allowed to call {permission} in account {}; allow it, and go on", .account.terminal())]
    Denied {
        /// The step.
        step: u32,
        /// Service and action, as a policy would allow it.
        permission: String,
        /// Where.
        account: Untrusted,
        /// The service's words.
        refusal: Box<Refusal>,
    },
    /// Too many calls, or the service failed.
    #[error("step {step}: the service does not take the call now; go on later")]
    Throttled {
        /// The step.
        step: u32,
        /// The service's words.
        refusal: Box<Refusal>,
    },
    /// No answer came, and the change is not to be seen.
    #[error("step {step}: no answer came; go on when the network is there")]
    Unanswered {
        /// The step.
        step: u32,
        /// What is known.
        refusal: Box<Refusal>,
    },
    /// The service does not accept a call.
    #[error("step {step}: {} was refused ({})", .call, .refusal.code.terminal())]
    Refused {
        /// The step.
        step: u32,
        /// Service and action.
        call: String,
        /// The service's words.
        refusal: Box<Refusal>,
    },
    /// An answer lacks what it must have.
    #[error("step {step}: the answer to {call} cannot be read")]
    Unreadable {
        /// The step.
        step: u32,
        /// Service and action.
        call: String,
    },
    /// A step needs the answer to an earlier one, and the journal does not have it.
    #[error("step {step}: the journal has no answer that it refers to")]
    Unresolved {
        /// The step.
        step: u32,
    },
    /// The journal cannot be written, so nothing more is done.
    #[error("the journal cannot be written")]
    Journal(#[source] E),
}

impl<E: std::error::Error + 'static> Stop<E> {
    /// A refused call as a reason to stop.
    pub(super) fn refused(step: u32, call: &super::Call, refusal: Refusal) -> Self {
        let name = format!("{}:{}", call.service, call.action);
        let kind = refusal.kind;
        let refusal = Box::new(refusal);
        match kind {
            RefusalKind::Denied => Self::Denied {
                step,
                permission: name,
                account: call.account.clone(),
                refusal,
            },
            RefusalKind::Throttled => Self::Throttled { step, refusal },
            RefusalKind::Unanswered => Self::Unanswered { step, refusal },
            RefusalKind::NotFound | RefusalKind::Refused => Self::Refused {
                step,
                call: name,
                refusal,
            },
        }
    }
}

/// Where carrying out a plan stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// Every step is done.
    Complete,
    /// Every step before the look is done; `remaining` steps after it wait until `unchain verify` found that no
    /// credential works.
    AwaitingVerification {
        /// Steps after the look.
        remaining: u32,
    },
}

/// What carrying out a plan came to, over all its runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// Where it stands.
    pub end: End,
    /// Steps that changed something.
    pub changed: BTreeSet<u32>,
    /// Steps whose change had been made already.
    pub already: BTreeSet<u32>,
    /// Steps whose target is gone, which is as good.
    pub gone: BTreeSet<u32>,
    /// Steps whose deny somebody removed or weakened, and that was put again.
    pub put_again: BTreeSet<u32>,
}

impl Outcome {
    /// Read from the journal of one plan.
    pub(super) fn of(end: End, log: &[Receipt]) -> Self {
        let mut outcome = Self {
            end,
            changed: BTreeSet::new(),
            already: BTreeSet::new(),
            gone: BTreeSet::new(),
            put_again: BTreeSet::new(),
        };
        let mut done = BTreeSet::new();
        for receipt in log.iter().filter(|receipt| receipt.work == Work::Apply) {
            match &receipt.what {
                Happened::Begun { .. } if done.contains(&receipt.step) => {
                    outcome.put_again.insert(receipt.step);
                }
                Happened::Done {
                    answer, already, ..
                } => {
                    done.insert(receipt.step);
                    let list = match (is_gone(answer), already) {
                        (true, _) => &mut outcome.gone,
                        (false, true) => &mut outcome.already,
                        (false, false) => &mut outcome.changed,
                    };
                    list.insert(receipt.step);
                }
                _ => {}
            }
        }
        outcome
            .already
            .retain(|step| !outcome.changed.contains(step));
        outcome
    }
}

/// What is written down as the answer where the target is gone.
pub(super) fn gone() -> Value {
    serde_json::json!({"gone": true})
}

/// Whether a step ended because its target is gone.
pub(super) fn is_gone(answer: &Value) -> bool {
    answer.get("gone") == Some(&Value::Bool(true))
}

/// What undoing a plan came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Undone {
    /// Steps that were undone.
    pub restored: Vec<u32>,
    /// Steps of which nothing was left to undo.
    pub already: Vec<u32>,
    /// Steps that cannot be undone, each with the plan's reason.
    pub never: Vec<(u32, String)>,
    /// Steps whose change somebody changed after us: left as it is.
    pub surprises: Vec<u32>,
    /// Steps whose undoing the service refused.
    pub refused: Vec<(u32, Refusal)>,
}
