//! Why a document is not a policy.

/// Why a document is not a policy; IAM answers `MalformedPolicyDocument` (IAM User Guide, "Grammar of the IAM JSON
/// policy language"). Statements are counted from 0.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The text is not JSON, or repeats a key of an object.
    #[error("the document is not JSON")]
    Json(#[from] serde_json::Error),
    /// The document, a statement or a block is not a JSON object where it must be one.
    #[error("{0} must be a JSON object")]
    NotAnObject(String),
    /// An element that the grammar does not have.
    #[error("unknown element `{element}` in {place}")]
    UnknownElement {
        /// The element's name.
        element: String,
        /// Where it stands.
        place: String,
    },
    /// An element that must be there.
    #[error("{place} has no `{element}`")]
    Missing {
        /// The element's name.
        element: &'static str,
        /// Where it is missing.
        place: String,
    },
    /// Two elements of which only one may be there, such as `Action` and `NotAction`.
    #[error("{place} has both `{first}` and `{second}`")]
    Both {
        /// The first element.
        first: &'static str,
        /// The second element.
        second: &'static str,
        /// Where both are.
        place: String,
    },
    /// An element that is not allowed in this type of policy, such as `Principal` in an identity-based policy.
    #[error("{place} may not have `{element}` in {kind}")]
    NotHere {
        /// The element's name.
        element: &'static str,
        /// The type of policy.
        kind: &'static str,
        /// Where it stands.
        place: String,
    },
    /// A value that its element cannot have.
    #[error("`{value}` is not a value of `{element}` in {place}")]
    BadValue {
        /// The element's name.
        element: String,
        /// The value, as JSON.
        value: String,
        /// Where it stands.
        place: String,
    },
    /// A condition operator that IAM does not have.
    #[error("unknown condition operator `{operator}` in {place}")]
    UnknownOperator {
        /// The operator's name.
        operator: String,
        /// Where it stands.
        place: String,
    },
}
