//! A policy document and its statements.

use crate::condition::Condition;
use crate::error::PolicyError;
use crate::pattern::{Pattern, Variables};
use crate::principal::PrincipalElement;
use crate::{json, read, write};
use serde_json::Value;

/// The version of the policy language (IAM User Guide, "IAM JSON policy elements: Version").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// `2008-10-17`, also where the document names none: `${…}` is plain text.
    V2008,
    /// `2012-10-17`: policy variables are resolved.
    V2012,
}

impl Version {
    pub(crate) fn variables(self) -> Variables {
        match self {
            Self::V2008 => Variables::Literal,
            Self::V2012 => Variables::Resolved,
        }
    }

    /// As the document spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V2008 => "2008-10-17",
            Self::V2012 => "2012-10-17",
        }
    }
}

/// Whether a statement allows or denies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// `Allow`.
    Allow,
    /// `Deny`.
    Deny,
}

/// A policy document of any type, parsed. Two are equal when their elements are, with single values and lists of one
/// value taken as the same.
///
/// ```
/// use unchain_policy::{Effect, Policy};
///
/// let text = r#"{"Version": "2012-10-17", "Statement": [{"Sid": "Quarantine", "Effect": "Deny",
///     "NotAction": ["sts:GetCallerIdentity"], "Resource": "*"}]}"#;
/// let policy = Policy::parse(text)?;
/// assert_eq!(policy.statements()[0].effect(), Effect::Deny);
/// assert_eq!(policy.statements()[0].sid(), Some("Quarantine"));
/// assert_eq!(Policy::from_value(&policy.to_json())?, policy);
/// # Ok::<(), unchain_policy::PolicyError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    pub(crate) version: Option<Version>,
    pub(crate) id: Option<String>,
    pub(crate) statements: Vec<Statement>,
}

/// One statement of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    pub(crate) sid: Option<String>,
    pub(crate) effect: Effect,
    pub(crate) principal: Option<PrincipalElement>,
    pub(crate) action: Patterns,
    pub(crate) resource: Option<Patterns>,
    pub(crate) conditions: Vec<Condition>,
}

/// `Action`, `Resource`, or their negation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Patterns {
    pub(crate) negated: bool,
    pub(crate) any_of: Vec<Pattern>,
}

impl Policy {
    /// Reads a policy document.
    ///
    /// # Errors
    ///
    /// When the text is not JSON, repeats a key, or is not of the grammar of the policy language.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        read::policy(&json::without_repeated_keys(text)?)
    }

    /// Reads a policy document from parsed JSON.
    ///
    /// # Errors
    ///
    /// When the value is not of the grammar of the policy language.
    pub fn from_value(value: &Value) -> Result<Self, PolicyError> {
        read::policy(value)
    }

    /// The document as JSON, which reads back as an equal policy.
    #[must_use]
    pub fn to_json(&self) -> Value {
        write::policy(self)
    }

    /// The version of the policy language.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version.unwrap_or(Version::V2008)
    }

    /// The document's `Id`.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The statements in their order.
    #[must_use]
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// Checks what IAM asks beyond the grammar of a policy that is attached to a user, group or role, passed for a
    /// session, or used as a boundary: each statement names resources, none a principal.
    ///
    /// # Errors
    ///
    /// When a statement has `Principal` or `NotPrincipal`, or neither `Resource` nor `NotResource`.
    pub fn check_identity_based(&self) -> Result<(), PolicyError> {
        for (index, statement) in self.statements.iter().enumerate() {
            let place = format!("statement {index}");
            if let Some(principal) = &statement.principal {
                return Err(PolicyError::NotHere {
                    element: if principal.negated {
                        "NotPrincipal"
                    } else {
                        "Principal"
                    },
                    kind: "an identity-based policy",
                    place,
                });
            }
            if statement.resource.is_none() {
                return Err(PolicyError::Missing {
                    element: "Resource",
                    place,
                });
            }
        }
        Ok(())
    }

    /// Checks what IAM asks beyond the grammar of a role's trust policy: each statement names principals, none a
    /// resource.
    ///
    /// # Errors
    ///
    /// When a statement has no principal, or has `Resource` or `NotResource`.
    pub fn check_trust(&self) -> Result<(), PolicyError> {
        for (index, statement) in self.statements.iter().enumerate() {
            let place = format!("statement {index}");
            if statement.principal.is_none() {
                return Err(PolicyError::Missing {
                    element: "Principal",
                    place,
                });
            }
            if let Some(resource) = &statement.resource {
                return Err(PolicyError::NotHere {
                    element: if resource.negated {
                        "NotResource"
                    } else {
                        "Resource"
                    },
                    kind: "a trust policy",
                    place,
                });
            }
        }
        Ok(())
    }
}

impl Statement {
    /// Its `Sid`.
    #[must_use]
    pub fn sid(&self) -> Option<&str> {
        self.sid.as_deref()
    }

    /// Whether it allows or denies.
    #[must_use]
    pub fn effect(&self) -> Effect {
        self.effect
    }

    /// The condition keys it tests, as written; without those that only stand in variables.
    pub fn condition_keys(&self) -> impl Iterator<Item = &str> {
        self.conditions
            .iter()
            .map(|condition| condition.key.as_str())
    }
}
