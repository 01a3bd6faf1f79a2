//! The table of operations: one row says what an operation is called, who may call it, what it does and whether
//! CloudTrail calls it a reading one.

use std::sync::Arc;

use unchain_policy::Policy;

use crate::call::{Call, Fault, Reply};
use crate::service::Service;
use crate::world::World;

/// One operation of one service.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    /// Whose it is.
    pub service: Service,
    /// The API's name, which is CloudTrail's `eventName` too (S3's differ: see `trail`).
    pub name: &'static str,
    /// CloudTrail's `readOnly`.
    pub read_only: bool,
    /// Whether CloudTrail keeps it as a management event, a data event, or not.
    pub event: Event,
    /// What permission it needs.
    pub permission: Permission,
    /// What it does.
    pub run: fn(&mut World, &Call<'_>) -> Result<Reply, Fault>,
}

/// How CloudTrail files an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Always logged by a trail for management events.
    Management,
    /// Logged where a trail selects data events.
    Data,
    /// Never logged.
    None,
}

/// What permission an operation needs.
#[derive(Debug, Clone, Copy)]
pub enum Permission {
    /// None beyond a valid credential (`GetCallerIdentity`), or checked by the operation itself (unsigned STS calls).
    Free,
    /// `service:Operation` on `*`.
    Any,
    /// What the function says, all of it.
    Asks(fn(&World, &Call<'_>) -> Result<Vec<Ask>, Fault>),
}

/// One question to the policies: may the caller do this action on this resource.
#[derive(Debug, Clone, Default)]
pub struct Ask {
    /// Such as `s3:GetObject`.
    pub action: String,
    /// The ARN, or `*`.
    pub resource: String,
    /// The account that owns the resource; none: the caller's.
    pub resource_account: Option<String>,
    /// The policy on the resource: a bucket's, a queue's, or with `trust` the role's trust policy.
    pub resource_policy: Option<Arc<Policy>>,
    /// The resource policy is a trust policy.
    pub trust: bool,
    /// Context keys of this action, beside the global ones.
    pub context: Vec<(String, Vec<String>)>,
}

impl Ask {
    /// An action on a resource of the caller's account, with no policy on the resource.
    pub fn on(action: impl Into<String>, resource: impl Into<String>) -> Self {
        Self {
            action: action.into(),
            resource: resource.into(),
            ..Self::default()
        }
    }
}
