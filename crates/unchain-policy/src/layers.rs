//! What is asked, and of which policies.

use crate::decision::Layer;
use crate::{Context, Policy, Principal};

/// A policy and the name by which an answer cites it, such as `user/eve/inline AWSRevokeOlderSessions`.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    /// The name.
    pub name: &'a str,
    /// The policy.
    pub policy: &'a Policy,
}

/// What a resource-based policy is attached to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResourceKind {
    /// A bucket, a queue, and most others: in the same account an allow on either side is enough.
    Ordinary,
    /// A role: its trust policy must allow (IAM User Guide, "Policy evaluation logic").
    Trust,
    /// A KMS key: its key policy must allow (AWS KMS Developer Guide, "Key policies").
    Key,
}

impl ResourceKind {
    pub(crate) fn layer(self) -> Layer {
        match self {
            Self::Ordinary => Layer::Resource,
            Self::Trust => Layer::Trust,
            Self::Key => Layer::Key,
        }
    }
}

/// The policy of the resource that a request is about.
#[derive(Debug, Clone, Copy)]
pub struct ResourcePolicy<'a> {
    /// The policy.
    pub named: Named<'a>,
    /// What it is attached to.
    pub kind: ResourceKind,
}

/// The policies that apply to one request, by type.
#[derive(Debug, Clone, Default)]
pub struct Layers<'a> {
    /// Identity-based policies, inline and managed, of the user and its groups, or of the role.
    pub identity: Vec<Named<'a>>,
    /// The permissions boundary, if one is set.
    pub boundary: Option<Vec<Named<'a>>>,
    /// Session policies, if any were passed when the session was made. `None` for a federated user session means
    /// that it has no permissions of its own (AWS STS API Reference, "GetFederationToken").
    pub session: Option<Vec<Named<'a>>>,
    /// The resource's policy, if it has one.
    pub resource: Option<ResourcePolicy<'a>>,
    /// Service control policies of the principal's account: one list for the root, each organizational unit on the
    /// path, and the account. Each level must allow. Empty for the management account and service-linked roles,
    /// which SCPs do not affect (AWS Organizations User Guide, "SCP evaluation").
    pub scps: Vec<Vec<Named<'a>>>,
    /// Resource control policies of the resource's account, by level as `scps`.
    pub rcps: Vec<Vec<Named<'a>>>,
}

/// One request.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Who asks.
    pub principal: &'a Principal,
    /// The action, such as `s3:GetObject`; its case does not matter.
    pub action: &'a str,
    /// The resource's ARN, or `*` for an action without one.
    pub resource: &'a str,
    /// The account that owns the resource. `None` takes the account of the ARN, and the principal's where the ARN
    /// has none.
    pub resource_account: Option<&'a str>,
    /// The condition keys.
    pub context: &'a Context,
}
