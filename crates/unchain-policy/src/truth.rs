//! Three-valued truth, as in Kleene's strong logic.

use std::ops::Not;

/// What is known about a statement's match. Ordered: `False` < `Unknown` < `True`, so that *and* is the minimum
/// and *or* the maximum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Truth {
    False,
    Unknown,
    True,
}

impl Truth {
    /// The conjunction; stops at the first `False`.
    pub(crate) fn all(truths: impl IntoIterator<Item = Self>) -> Self {
        let mut result = Self::True;
        for truth in truths {
            result = result.min(truth);
            if result == Self::False {
                break;
            }
        }
        result
    }

    /// The disjunction; stops at the first `True`.
    pub(crate) fn any(truths: impl IntoIterator<Item = Self>) -> Self {
        !Self::all(truths.into_iter().map(Self::not))
    }
}

impl From<bool> for Truth {
    fn from(known: bool) -> Self {
        if known { Self::True } else { Self::False }
    }
}

impl Not for Truth {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
            Self::True => Self::False,
        }
    }
}
