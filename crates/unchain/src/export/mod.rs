//! Handing findings over: a report for people, OCSF and Timesketch for programs.
//!
//! [`with_document`] judges a ledger and gives a [`Document`] to a writer. Every writer is a function
//! from a document to bytes. Must not read logs or settings.

mod block;
mod content;
mod html;
mod markdown;
mod ocsf;
mod timesketch;

pub(crate) use html::html;
pub(crate) use markdown::markdown;
pub(crate) use ocsf::ocsf;
pub(crate) use timesketch::timesketch;

use std::io;
use unchain_core::detect::{self, Baseline, Incident, Networks, Scene, Settings};
use unchain_core::ledger::Ledger;
use unchain_core::lineage::Lineage;
use unchain_core::report::{Coverage, Findings, Report, coverage};
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

/// What a writer writes.
#[derive(Debug)]
pub(crate) struct Document<'d> {
    /// Title, instants, version.
    pub(crate) about: &'d About,
    /// On what it rests.
    pub(crate) coverage: &'d Coverage,
    /// Findings and incidents as rows.
    pub(crate) findings: &'d Findings,
    /// The incidents of these rows, in the same order.
    pub(crate) incidents: &'d [Incident],
    /// What they were found in.
    pub(crate) scene: &'d Scene<'d, 'd>,
    /// Answers about the same lineage.
    pub(crate) report: &'d Report<'d, 'd>,
}

/// What the user knows, and what the networks are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judging<'j> {
    /// Own networks, accounts, the allow-list.
    pub(crate) settings: &'j Settings,
    /// What is usual.
    pub(crate) baseline: Option<&'j Baseline>,
}

/// Judges a settled ledger and writes what was found.
pub(crate) fn with_document<T>(
    ledger: &Ledger,
    judging: Judging<'_>,
    about: &About,
    write: impl FnOnce(&Document<'_>) -> io::Result<T>,
) -> io::Result<T> {
    let lineage = Lineage::build(ledger);
    let networks = Networks::new(ledger, judging.settings, &|_| None);
    let scene = Scene::new(&lineage, judging.settings, &networks, judging.baseline);
    let report = Report::new(&lineage, about.at);
    let found = detect::run(&scene);
    let incidents = detect::incidents(&scene, &found);
    write(&Document {
        about,
        coverage: &coverage(&lineage),
        findings: &report.findings(&scene, &found, &incidents),
        incidents: &incidents,
        scene: &scene,
        report: &report,
    })
}
