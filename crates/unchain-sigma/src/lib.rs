//! Sigma rules over CloudTrail records and over the lineage of who made the call.
//!
//! [`Rules`] loads rules and says which it cannot use and why. An [`Evaluator`] asks them of one record after
//! another; a record's own members are fields, and the caller adds [`Enrichment`]. [`Hits`] gathers what matched:
//! a set, so that the order of the records and the number of threads cannot matter. Correlations run over the hits
//! at the end, sorted by time.
//!
//! Must never: read logs, know cases or print. Parsing of rules and matching of values are those of the `rsigma`
//! crates (sigmahq.io/docs/basics/rules.html); which rule is asked, what a field is, and correlations are decided
//! here.

mod correlation;
mod enrichment;
mod error;
mod evaluate;
mod fields;
mod hits;
mod index;
mod load;
mod rule;

pub use correlation::CorrelationHit;
pub use enrichment::Enrichment;
pub use error::SigmaError;
pub use evaluate::Evaluator;
pub use fields::fields_of;
pub use hits::{EventRef, Hits, Rollup, Tally};
pub use load::{Rules, Unusable};
pub use rsigma_parser::Level;
pub use rule::{Correlation, CorrelationKind, Rule, Words};
