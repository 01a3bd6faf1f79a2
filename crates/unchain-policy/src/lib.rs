//! The IAM policy language.

/// A parsed policy.
#[derive(Debug, Clone)]
pub struct Policy(serde_json::Value);

/// Why a policy could not be read.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct PolicyError(String);

impl Policy {
    /// Parses JSON.
    ///
    /// # Errors
    ///
    /// Text that is no JSON.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        serde_json::from_str(text)
            .map(Self)
            .map_err(|error| PolicyError(error.to_string()))
    }

    /// The document.
    pub fn to_json(&self) -> &serde_json::Value {
        &self.0
    }
}
