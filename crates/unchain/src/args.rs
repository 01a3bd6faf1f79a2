//! The command line, from which help, man pages and completions are made.

use crate::exit::{self, Exit};
use crate::{
    case, contain, edges, events, findings, lab, manual, queries, report, scan, serve, tokens,
    trace,
};
use clap::{Parser, Subcommand};
use std::io::Write;
use unchain_core::time::Timestamp;

/// After a leaked AWS credential: which token came from which, and which still work
///
/// Unchain reads CloudTrail logs, rebuilds who issued which credential to whom, and helps to end what an
/// attacker holds. It reads the files it is given and writes one case file. Only `inspect`, `plan`, `apply`,
/// `undo`, `verify` and `serve` may ask AWS, and only `apply`, `undo` and `serve --allow-apply` change accounts,
/// after you approved it.
///
/// Start with `unchain scan <folder with logs>`, then `unchain trace <access key id>`, and to end it with
/// `unchain plan <access key id>`.
#[derive(Debug, Parser)]
#[command(name = "unchain", version, max_term_width = 100, after_help = exit::HELP)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Scan(scan::Scan),
    Findings(findings::FindingsCommand),
    Explain(findings::Explain),
    Tokens(tokens::Tokens),
    Trace(trace::Trace),
    Edges(edges::Edges),
    Events(events::Events),
    Queries(queries::Queries),
    Inspect(contain::Inspect),
    Plan(contain::PlanCommand),
    Apply(contain::Apply),
    Undo(contain::UndoCommand),
    Policy(contain::PolicyCommand),
    Verify(contain::VerifyCommand),
    Report(report::Report),
    Serve(serve::Serve),
    Case(case::Case),
    Lab(lab::Lab),
    Completions(manual::Completions),
    Man(manual::Man),
}

impl Command {
    /// Runs the command.
    pub(crate) fn run(&self, context: &mut Context<'_>) -> anyhow::Result<Exit> {
        match self {
            Self::Scan(scan) => scan.run(context),
            Self::Findings(findings) => findings.run(context),
            Self::Explain(explain) => explain.run(context),
            Self::Tokens(tokens) => tokens.run(context),
            Self::Trace(trace) => trace.run(context),
            Self::Edges(edges) => edges.run(context),
            Self::Events(events) => events.run(context),
            Self::Queries(queries) => queries.run(context),
            Self::Inspect(inspect) => inspect.run(context),
            Self::Plan(plan) => plan.run(context),
            Self::Apply(apply) => apply.run(context),
            Self::Undo(undo) => undo.run(context),
            Self::Policy(policy) => policy.run(context),
            Self::Verify(verify) => verify.run(context),
            Self::Report(report) => report.run(context),
            Self::Serve(serve) => serve.run(context),
            Self::Case(case) => case.run(context),
            Self::Lab(lab) => lab.run(context),
            Self::Completions(completions) => completions.run(context),
            Self::Man(man) => man.run(context),
        }
    }
}

/// The world outside, as far as a command may see it.
pub(crate) struct Context<'o> {
    /// Where data goes.
    pub(crate) out: &'o mut dyn Write,
    /// The time.
    pub(crate) now: Timestamp,
    /// Randomness for the hashes of this run.
    pub(crate) seed: u64,
    /// Columns to fill.
    pub(crate) width: usize,
    /// Whether somebody watches standard error.
    pub(crate) watched: bool,
}
