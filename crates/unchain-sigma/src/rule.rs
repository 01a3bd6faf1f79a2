//! A rule that can be used: its words for people, and what it was compiled to.

use rsigma_eval::CompiledRule;
use rsigma_eval::correlation::{CompiledCorrelation, GroupByField};
use rsigma_parser::{ConditionExpr, Level};
use unchain_core::text::Untrusted;

/// What a rule file says about a rule. The file is the user's, but its author may be anybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// `id`, where given.
    pub id: Option<Untrusted>,
    /// `title`.
    pub title: Untrusted,
    /// `level`; rules without one count as informational.
    pub level: Level,
    /// `tags`, such as `attack.t1078.004`.
    pub tags: Vec<Untrusted>,
    /// The file.
    pub path: Untrusted,
}

/// A rule over single events.
#[derive(Debug)]
pub struct Rule {
    /// Its words.
    pub words: Words,
    /// Whether its hits are only material for a correlation, which says `generate: false`.
    pub base: bool,
    pub(crate) name: Option<String>,
    pub(crate) compiled: CompiledRule,
}

/// How hits are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CorrelationKind {
    /// So many events within the time span.
    EventCount,
    /// So many different values of some fields within the time span.
    ValueCount,
    /// Every rule within the time span.
    Temporal,
    /// Every rule within the time span, in their order.
    TemporalOrdered,
}

/// A rule over the hits of other rules.
#[derive(Debug)]
pub struct Correlation {
    /// Its words.
    pub words: Words,
    /// How it puts hits together.
    pub kind: CorrelationKind,
    /// The names of the fields that its hits agree in.
    pub group_by: Vec<Untrusted>,
    pub(crate) fields: Vec<GroupByField>,
    /// For each reference the rules that it means, by number.
    pub(crate) slots: Vec<Slot>,
    pub(crate) compiled: CompiledCorrelation,
    /// A condition over the references in place of all of them.
    pub(crate) expression: Option<ConditionExpr>,
}

/// One reference of a correlation.
#[derive(Debug)]
pub(crate) struct Slot {
    /// As it was written.
    pub(crate) name: String,
    pub(crate) rules: Vec<u32>,
}
