//! Handing findings over: a report for people, OCSF and Timesketch for programs.
//!
//! Every writer is a function from what was found to bytes. Must not read logs or settings, nor judge.

mod block;
mod content;
mod html;
mod machine;
mod markdown;
mod ocsf;
mod timesketch;

pub(crate) use html::html;
pub(crate) use machine::machine;
pub(crate) use markdown::markdown;
pub(crate) use ocsf::ocsf;
pub(crate) use timesketch::timesketch;

use crate::contain::Record;
use unchain_core::detect::{Incident, Scene};
use unchain_core::finding::Finding;
use unchain_core::report::{Coverage, Findings, Report};
use unchain_core::time::Timestamp;

/// What is said about a report beside what was found.
#[derive(Clone, Debug)]
pub(crate) struct About {
    /// Its title.
    pub(crate) title: String,
    /// The instant of every status, UTC.
    pub(crate) at: Timestamp,
    /// When it was made, UTC.
    pub(crate) made_at: Timestamp,
    /// The version of the program.
    pub(crate) version: &'static str,
    /// The options with which another command looks at the same logs, with a blank before each.
    pub(crate) options: String,
    /// Whether all of the input could be read.
    pub(crate) complete: bool,
}

/// What a report for people is made from.
#[derive(Debug)]
pub(crate) struct Document<'d> {
    /// Title, instants, version.
    pub(crate) about: &'d About,
    /// On what it rests.
    pub(crate) coverage: &'d Coverage,
    /// Findings and incidents as rows.
    pub(crate) findings: &'d Findings,
    /// The findings of these rows, in the same order.
    pub(crate) found: &'d [Finding],
    /// The incidents of these rows, in the same order.
    pub(crate) incidents: &'d [Incident],
    /// What was done about them.
    pub(crate) containment: &'d [Record],
    /// What they were found in.
    pub(crate) scene: &'d Scene<'d, 'd>,
    /// Answers about the same lineage.
    pub(crate) report: &'d Report<'d, 'd>,
}
