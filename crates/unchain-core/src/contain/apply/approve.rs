//! Approval: who carries a plan out says by its digest that it is this one.

use super::valid::{PlanError, validate};
use crate::contain::document::{DocumentError, digest};
use crate::contain::plan::Plan;
use crate::text::terminal;

/// Digits of a digest that are enough to name it.
const ENOUGH: usize = 12;

/// Why a plan was not approved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApprovalError {
    /// The digest is of another plan, or too short.
    #[error(
        "`{}` is not the digest of this plan, which is {digest}; look at the plan and give its first {ENOUGH} digits or more",
        terminal(.given)
    )]
    Wrong {
        /// What was given.
        given: String,
        /// The plan's digest.
        digest: String,
    },
    /// The plan cannot be carried out.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The plan has no digest.
    #[error("the digest of the plan cannot be made")]
    Document(#[from] DocumentError),
}

/// A plan that somebody approved. There is no other way to make one than [`Approved::by_digest`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approved<'p> {
    plan: &'p Plan,
    digest: String,
}

impl<'p> Approved<'p> {
    /// Approves a plan by the digest that was given: all of it, or its first twelve digits or more. The plan is one
    /// that can be carried out, see [`validate`].
    ///
    /// # Errors
    ///
    /// The digest is not this plan's, or the plan cannot be carried out.
    pub fn by_digest(plan: &'p Plan, given: &str) -> Result<Self, ApprovalError> {
        validate(plan)?;
        let digest = digest(plan)?;
        let said = given.trim().to_ascii_lowercase();
        if said.len() < ENOUGH || !digest.starts_with(&said) {
            let given = given.to_owned();
            return Err(ApprovalError::Wrong { given, digest });
        }
        Ok(Self { plan, digest })
    }

    /// The plan.
    pub fn plan(&self) -> &'p Plan {
        self.plan
    }

    /// The plan's whole digest.
    pub fn digest(&self) -> &str {
        &self.digest
    }
}
