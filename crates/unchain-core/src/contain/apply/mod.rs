//! Carrying a plan out, and undoing it: who may act, what is written down, and what an answer is.
//!
//! The engine decides and keeps the order; the world is behind [`Actuator`]. Every change is written down before and
//! after it ([`Receipt`]), so that a run that ended anywhere is gone on with, and undone from what was found.

mod approve;
mod forward;
mod look;
mod progress;
mod receipt;
mod rely;
mod run;
mod stop;
mod thing;
mod undo;
mod valid;

pub use approve::{ApprovalError, Approved};
pub use forward::{Prospect, apply, preview};
pub use progress::{Progress, Stage, StepStage, progress};
pub use receipt::{Happened, Receipt, Work};
pub use rely::{Reliance, in_force, relies_on};
pub use stop::{End, Outcome, Stop, Undone};
pub use undo::undo;
pub use valid::{PlanError, validate};

use super::plan::Call;
use crate::text::Untrusted;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The answer to a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The answer's members with the names of the service's API reference; policy documents as the service sends them.
    pub value: Value,
    /// The request id, with which AWS and CloudTrail find the call.
    pub request_id: Option<String>,
}

/// What kind of refusal it was, as far as the engine has to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusalKind {
    /// What is asked for is not there.
    NotFound,
    /// The caller may not.
    Denied,
    /// Too many calls, or the service failed, after all retries: the same call may succeed later.
    Throttled,
    /// No answer came: whether the call was carried out is not known.
    Unanswered,
    /// The service does not accept the call.
    Refused,
}

/// A call that was not carried out, or of which that is not known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The kind.
    pub kind: RefusalKind,
    /// The service's own code, or a word of ours where it sent none.
    pub code: Untrusted,
    /// The service's own words.
    pub message: Untrusted,
    /// The request id, if an answer had one.
    pub request_id: Option<String>,
}

/// Carries out single calls, and keeps the time. It decides nothing and repeats nothing that could have been done.
pub trait Actuator {
    /// The time.
    fn now(&mut self) -> Timestamp;

    /// Comes back at or after an instant.
    fn wait(&mut self, until: Timestamp);

    /// Carries out one call in its account. Calls that only read (`Get…`, `List…`, `Describe…`) go the same way.
    ///
    /// # Errors
    ///
    /// When the call was refused, or no answer came.
    fn call(&mut self, call: &Call) -> Result<Answer, Refusal>;
}
