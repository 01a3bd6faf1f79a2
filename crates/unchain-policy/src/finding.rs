//! What statements come to together: whether something holds, by which statement, and on which unknown keys that
//! depends.

use crate::decision::{Cited, Grant, Layer};
use crate::layers::Named;
use crate::policy::Statement;
use crate::truth::Truth;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) layer: Layer,
    pub(crate) named: Named<'a>,
    pub(crate) statement: usize,
}

impl Source<'_> {
    pub(crate) fn cited(self) -> Cited {
        let statement = self.named.policy.statements().get(self.statement);
        Cited {
            layer: self.layer,
            policy: self.named.name.to_owned(),
            statement: self.statement,
            sid: statement.and_then(Statement::sid).map(str::to_owned),
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Basis<'a> {
    Statement(Source<'a>),
    RootUser,
    NoPermissionNeeded,
}

impl Basis<'_> {
    pub(crate) fn cited(self) -> Option<Cited> {
        match self {
            Self::Statement(source) => Some(source.cited()),
            Self::RootUser | Self::NoPermissionNeeded => None,
        }
    }
}

/// Whether something holds, by what, and on which unknown keys that depends.
#[derive(Debug, Clone)]
pub(crate) struct Finding<'a> {
    pub(crate) truth: Truth,
    pub(crate) basis: Option<Basis<'a>>,
    pub(crate) keys: Vec<&'a str>,
    /// What is missing where it does not hold.
    pub(crate) lacking: Layer,
}

impl<'a> Finding<'a> {
    pub(crate) fn nothing(lacking: Layer) -> Self {
        Self {
            truth: Truth::False,
            basis: None,
            keys: Vec::new(),
            lacking,
        }
    }

    pub(crate) fn certain(basis: Basis<'a>) -> Self {
        Self {
            truth: Truth::True,
            basis: Some(basis),
            ..Self::nothing(Layer::Identity)
        }
    }

    pub(crate) fn grant(&self) -> Grant {
        match self.basis {
            Some(Basis::Statement(source)) => Grant::Statement(source.cited()),
            Some(Basis::RootUser) => Grant::RootUser,
            Some(Basis::NoPermissionNeeded) | None => Grant::NoPermissionNeeded,
        }
    }

    /// Both hold. `self` is what grants; `limit` only limits.
    pub(crate) fn and(self, limit: impl FnOnce() -> Self) -> Self {
        if self.truth == Truth::False {
            return self;
        }
        let limit = limit();
        match (self.truth, limit.truth) {
            (_, Truth::False) => limit,
            (Truth::True, Truth::Unknown) => Self {
                basis: self.basis,
                ..limit
            },
            (_, Truth::True) => self,
            (_, Truth::Unknown) => Self {
                keys: [self.keys, limit.keys].concat(),
                ..self
            },
        }
    }

    /// At least one holds. Where neither does, `other` says what is lacking.
    pub(crate) fn or(self, other: impl FnOnce() -> Self) -> Self {
        if self.truth == Truth::True {
            return self;
        }
        let other = other();
        match (self.truth, other.truth) {
            (Truth::False, _) | (_, Truth::True) => other,
            (_, Truth::False) => self,
            _ => Self {
                keys: [self.keys, other.keys].concat(),
                ..self
            },
        }
    }

    /// Adds a statement: whether it applies, and the unknown keys that decide that.
    pub(crate) fn add(
        &mut self,
        source: Source<'a>,
        truth: Truth,
        keys: impl Iterator<Item = &'a str>,
    ) {
        if truth > self.truth {
            (self.truth, self.basis) = (truth, Some(Basis::Statement(source)));
        }
        match truth {
            Truth::True => self.keys.clear(),
            Truth::Unknown => self.keys.extend(keys),
            Truth::False => {}
        }
    }
}
