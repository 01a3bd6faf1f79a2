//! The request context: what the caller knows of each condition key.

use std::collections::BTreeMap;

/// What is known of one condition key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// The key is in the request with these values. An empty list is the same as `Absent`.
    Values(Vec<String>),
    /// The key is not in the request.
    Absent,
    /// The key may be in the request or not, with any value.
    Unknown,
}

/// The condition keys of one request. Names are compared without regard to case (IAM User Guide, "IAM JSON policy
/// elements: Condition").
///
/// ```
/// use unchain_policy::{Context, Known};
///
/// let context = Context::new().with("aws:SourceIp", "203.0.113.7").unknown("aws:userid");
/// assert_eq!(context.get("AWS:sourceip"), &Known::Values(vec!["203.0.113.7".to_owned()]));
/// assert_eq!(context.get("aws:UserId"), &Known::Unknown);
/// assert_eq!(context.get("aws:TokenIssueTime"), &Known::Absent);
/// assert_eq!(context.others_unknown().get("aws:TokenIssueTime"), &Known::Unknown);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    keys: BTreeMap<String, Known>,
    others: Known,
}

impl Default for Context {
    fn default() -> Self {
        Self::new()
    }
}

impl Context {
    /// A context in which every key is absent.
    #[must_use]
    pub fn new() -> Self {
        Self {
            keys: BTreeMap::new(),
            others: Known::Absent,
        }
    }

    /// The same with one value for `key`.
    #[must_use]
    pub fn with(self, key: &str, value: impl Into<String>) -> Self {
        self.set(key, Known::Values(vec![value.into()]))
    }

    /// The same with a list of values for a multivalued `key`.
    #[must_use]
    pub fn with_all<T: Into<String>>(self, key: &str, values: impl IntoIterator<Item = T>) -> Self {
        self.set(
            key,
            Known::Values(values.into_iter().map(Into::into).collect()),
        )
    }

    /// The same with `key` declared unknown.
    #[must_use]
    pub fn unknown(self, key: &str) -> Self {
        self.set(key, Known::Unknown)
    }

    /// The same with `key` declared absent; needed after [`Context::others_unknown`].
    #[must_use]
    pub fn absent(self, key: &str) -> Self {
        self.set(key, Known::Absent)
    }

    /// The same with every key that is not set declared unknown instead of absent.
    #[must_use]
    pub fn others_unknown(mut self) -> Self {
        self.others = Known::Unknown;
        self
    }

    /// The same with what is `known` of `key`.
    #[must_use]
    pub fn set(mut self, key: &str, known: Known) -> Self {
        let known = match known {
            Known::Values(values) if values.is_empty() => Known::Absent,
            known => known,
        };
        self.keys.insert(key.to_lowercase(), known);
        self
    }

    /// What is known of `key`, in any spelling of its case.
    #[must_use]
    pub fn get(&self, key: &str) -> &Known {
        self.folded(&key.to_lowercase())
    }

    /// As [`Context::get`] for a key that is in lower case already.
    pub(crate) fn folded(&self, key: &str) -> &Known {
        self.keys.get(key).unwrap_or(&self.others)
    }
}
