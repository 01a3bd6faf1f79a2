//! What is written down when a plan is carried out or undone.

use super::Refusal;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What was going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Work {
    /// Carrying out a plan.
    Apply,
    /// Undoing it.
    Undo,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "happened")]
pub enum Happened {
    /// A change is about to be made; `before` is what was found in its place, and undo puts back. Null is nothing.
    Begun {
        /// What was found.
        before: Value,
    },
    /// A change was made, or had been made already by somebody.
    Done {
        /// The members of the answer that later steps refer to, and no secret.
        answer: Value,
        /// The request id; none where nothing had to be done.
        request_id: Option<String>,
        /// Whether what the step is for was so already.
        already: bool,
    },
    /// The call was refused, or no answer came.
    Failed(Refusal),
    /// A wait is over.
    Waited,
    /// The accounts are not as the plan knew them; nothing was changed.
    Surprise {
        /// What the plan had reason to expect.
        expected: Value,
        /// What is there.
        found: Value,
    },
    /// `unchain verify` found that no credential of the lineage works.
    Verified,
}

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The digest of the plan.
    pub plan: String,
    /// Its place in the journal of the plan, from 1.
    pub sequence: u32,
    /// When, UTC.
    pub at: Timestamp,
    /// What was going on.
    pub work: Work,
    /// The step of the plan.
    pub step: u32,
    /// What happened.
    #[serde(flatten)]
    pub what: Happened,
}
