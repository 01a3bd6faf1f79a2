//! The answer to a request, and what gave it.

use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt;

/// A type of policy, in the terms of the IAM User Guide, "Policies and permissions".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// Identity-based policies of the user, its groups, or the role.
    Identity,
    /// The permissions boundary.
    Boundary,
    /// Session policies.
    Session,
    /// A resource-based policy.
    Resource,
    /// A role's trust policy.
    Trust,
    /// A KMS key policy.
    Key,
    /// Service control policies at one level, counted from 0 at the first level given.
    Scp {
        /// Which level.
        level: usize,
    },
    /// Resource control policies at one level, counted from 0 at the first level given.
    Rcp {
        /// Which level.
        level: usize,
    },
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identity => f.write_str("identity"),
            Self::Boundary => f.write_str("boundary"),
            Self::Session => f.write_str("session"),
            Self::Resource => f.write_str("resource"),
            Self::Trust => f.write_str("trust"),
            Self::Key => f.write_str("key"),
            Self::Scp { level } => write!(f, "scp[{level}]"),
            Self::Rcp { level } => write!(f, "rcp[{level}]"),
        }
    }
}

impl Serialize for Layer {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One statement of one policy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Cited {
    /// The type of policy.
    pub layer: Layer,
    /// The policy's name, as the caller gave it.
    pub policy: String,
    /// The statement's place in the policy, counted from 0.
    pub statement: usize,
    /// The statement's `Sid`.
    pub sid: Option<String>,
}

/// What allowed a request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grant {
    /// An `Allow` statement.
    Statement(Cited),
    /// The principal is the account's root user, who needs no `Allow` of its own account.
    RootUser,
    /// The action needs no permission: `sts:GetCallerIdentity`, `sts:GetSessionToken` (IAM User Guide, "Compare AWS
    /// STS credentials").
    NoPermissionNeeded,
}

/// What unknown condition keys leave open.
///
/// The outcomes are those that the statements leave open when their conditions are looked at one by one; two
/// conditions on the same key that together leave nothing open are not seen through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Depends {
    /// The condition keys that can change the answer, spelled as the policies spell them.
    pub keys: BTreeSet<String>,
    /// What would allow the request, if that can be.
    pub allowed: Option<Grant>,
    /// A statement that would deny the request, if there is one.
    pub explicitly_denied: Option<Cited>,
    /// The layer that may give no allow, if there is one.
    pub implicitly_denied: Option<Layer>,
}

/// What policies decide about a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The request is allowed whatever the unknown keys are.
    Allowed(Grant),
    /// A `Deny` statement applies whatever the unknown keys are.
    ExplicitlyDenied(Cited),
    /// No `Deny` applies, and this layer gives no allow, whatever the unknown keys are.
    ImplicitlyDenied(Layer),
    /// Unknown keys decide.
    Depends(Depends),
}

impl Decision {
    /// The answer in one word: `allowed`, `explicitly_denied`, `implicitly_denied` or `depends`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Allowed(_) => "allowed",
            Self::ExplicitlyDenied(_) => "explicitly_denied",
            Self::ImplicitlyDenied(_) => "implicitly_denied",
            Self::Depends(_) => "depends",
        }
    }

    /// Whether some values of the unknown keys may allow the request. Its negation is what containment must reach.
    #[must_use]
    pub fn may_be_allowed(&self) -> bool {
        match self {
            Self::Allowed(_) => true,
            Self::ExplicitlyDenied(_) | Self::ImplicitlyDenied(_) => false,
            Self::Depends(depends) => depends.allowed.is_some(),
        }
    }
}
