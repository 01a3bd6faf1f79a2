//! The trail language: a CloudTrail story that a person can read, one line an event, and the records and
//! true lineage that follow from it.
//!
//! A line says when, who, did what, and which key that gave:
//!
//! ```
//! let trail = unchain_trail::Trail::parse(r#"
//!     account 111122223333 as prod
//!     user alice in prod key A
//!     role app in prod max 12h
//!     09:00 alice GetSessionToken -> B for 36h mfa alice-phone from 198.51.100.7
//!     09:05 B AssumeRole app as build -> C
//!     09:10 C GetObject s3://customer-data/ledger.csv
//! "#)?;
//! assert_eq!(trail.records().len(), 3);
//! assert_eq!(trail.truth().edges.len(), 2);
//! # Ok::<(), unchain_trail::ParseError>(())
//! ```
//!
//! `LANGUAGE.md` beside this crate is the page about the language. Everything in a record that the line
//! does not say (identifiers, session tokens, addresses) follows from the names in it, so that the same
//! text always gives the same bytes.
//!
//! This crate must not know how records are read, joined or judged: tests of those stand on it.

mod cast;
mod error;
mod expand;
mod ident;
mod record;
mod script;
mod syntax;
mod time;
mod truth;
mod world;

pub use cast::{Bucket, Cast, CastAccount, CastKey, CastPrincipal, PrincipalKind, Rule, Trust};
pub use error::ParseError;
pub use ident::{Prefix, TOKEN_MARKER, identifier};
pub use script::{Asked, Script, Step, Who};
pub use truth::{Basis, Edge, Ended, Kind, Made, Token, Truth};

use serde_json::Value;
use std::fmt;
use syntax::Statement;

/// A story that has been read and understood.
#[derive(Debug, Clone)]
pub struct Trail {
    statements: Vec<Statement>,
    /// The line of each statement, counted from 1.
    lines: Vec<usize>,
    records: Vec<Value>,
    truth: Truth,
}

impl Trail {
    /// Reads a trail.
    ///
    /// # Errors
    ///
    /// The first line that cannot be read, or that means nothing: an unknown name, a call that AWS would
    /// not answer so, a credential used before it is issued.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let (mut statements, mut lines) = (Vec::new(), Vec::new());
        let mut expansion = expand::Expansion::new();
        for (number, line) in (1..).zip(text.split('\n')) {
            let line = line.strip_suffix('\r').unwrap_or(line);
            if let Some(statement) = syntax::parse_line(number, line)? {
                expansion
                    .add(&statement)
                    .map_err(|fault| fault.at(number, line))?;
                statements.push(statement);
                lines.push(number);
            }
        }
        let (records, truth) = expansion.finish();
        Ok(Self {
            statements,
            lines,
            records,
            truth,
        })
    }

    /// The CloudTrail records, in order of time and, within a second, of the lines.
    #[must_use]
    pub fn records(&self) -> Vec<Value> {
        self.records.clone()
    }

    /// What really happened.
    #[must_use]
    pub fn truth(&self) -> Truth {
        self.truth.clone()
    }

    /// What a player needs to make the story happen: who and what is there first, then every call in order of time.
    #[must_use]
    pub fn script(&self) -> Script {
        let mut expansion = expand::Expansion::noting();
        let mut steps = Vec::new();
        for (line, statement) in self.lines.iter().zip(&self.statements) {
            // Every statement has been expanded once, so none can fail now.
            for mut step in expansion.add(statement).unwrap_or_default() {
                step.line = *line;
                steps.push(step);
            }
        }
        steps.sort_by_key(|step| step.at);
        let cast = expansion.cast();
        Script { cast, steps }
    }

    /// The access key id behind a name of the trail: of several credentials of that name, the first.
    #[must_use]
    pub fn key(&self, label: &str) -> Option<&str> {
        let token = self
            .truth
            .tokens
            .iter()
            .find(|token| token.label == label)?;
        token.key.as_deref()
    }
}

/// Two trails are equal when they say the same, whatever their spacing and comments.
impl PartialEq for Trail {
    fn eq(&self, other: &Self) -> bool {
        self.statements == other.statements
    }
}

impl fmt::Display for Trail {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for statement in &self.statements {
            writeln!(out, "{statement}")?;
        }
        Ok(())
    }
}

/// The records of a trail, for tests that need nothing else of it.
///
/// # Errors
///
/// As [`Trail::parse`].
pub fn records(text: &str) -> Result<Vec<Value>, ParseError> {
    Ok(Trail::parse(text)?.records)
}
