//! `unchain verify`: whether a plan that was carried out holds, by three proofs that do not rest on each other.

mod journal;
mod print;
mod probe;

use super::carry::again;
use super::{FactsArgs, planned};
use crate::args::Context;
use crate::exit::Exit;
use crate::input::Input;
use crate::output::json;
use crate::output::words::pasted;
use crate::when::When;
use anyhow::bail;
use clap::{Args, ValueEnum};
use std::io::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use unchain_core::contain::{
    Conclusion, Containment, Evidence, Plan, Reply, Verification, Work, verify,
};
use unchain_core::lineage::Lineage;
use unchain_core::report::Report;
use unchain_core::time::Timestamp;

const EXAMPLES: &str = "Examples:
  unchain verify plan.json --profile responder
      asks AWS how the accounts are now; the log is that of the case
  unchain verify plan.json --facts accounts-now/ --source logs/
      by files that were read after the plan was carried out, and newer logs
  unchain verify plan.json --log-only --source logs/ --watch 45
      by the log alone, read again every minute until it reaches far enough
  unchain verify plan.json --format json > verification.json
      for a program, and for `unchain report --verification`

Contained means: no proof is refuted, no step of the plan is missing or
changed, and the accounts or the log prove it. A quiet log proves only that
nobody tried, so what the lineage made is deleted only after the accounts
have proven it too.

Exit codes: 0 contained; 1 something lives; 2 not known, a step is missing,
an error, or incomplete input.";

/// The log is read again so often while it is watched.
const PAUSE: Duration = Duration::from_secs(60);

/// Look whether a plan that was carried out holds: by the accounts as they are, by the log
///
/// No account is changed. Each proof is told apart: what the policies that are there now say of every
/// credential of the lineage; what the log shows after the cut-off, also of credentials that the plan
/// did not know; what a credential of the lineage is answered, if you hold one. Without --facts AWS is
/// asked; files must be from after the plan was carried out. What is proven is noted in the journal of
/// the case, if `unchain apply` began one there: only then it deletes what the lineage made.
#[derive(Debug, Args)]
#[command(name = "verify", after_help = EXAMPLES, mut_arg("source", |source| source.num_args(1)))]
pub(crate) struct VerifyCommand {
    /// The plan that was carried out: its file, or its digest or id in the case
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    accounts: FactsArgs,
    /// Judge by the log alone: the accounts are not looked at
    #[arg(long, conflicts_with = "facts", help_heading = "Accounts")]
    log_only: bool,
    #[command(flatten)]
    probe: probe::ProbeArgs,
    /// Read everything again every minute while the answer is not known, for so many minutes at most
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u32).range(1..=1440))]
    watch: Option<u32>,
    /// The instant that is asked for: `2026-03-02T17:10:00Z`, `2026-03-02`, `-2h`, `now`
    #[arg(
        long,
        value_name = "T",
        default_value = "now",
        allow_hyphen_values = true,
        conflicts_with = "watch"
    )]
    at: When,
    /// How to print what was found
    #[arg(long, value_enum, default_value = "table", help_heading = "Output")]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people; fits the terminal
    Table,
    /// One JSON object
    Json,
}

impl VerifyCommand {
    /// To look once, now, whether a plan of a case holds.
    pub(crate) fn of(digest: &str, (input, accounts): (&Input, &FactsArgs)) -> Self {
        Self {
            plan: PathBuf::from(digest),
            input: input.clone(),
            accounts: accounts.clone(),
            log_only: false,
            probe: probe::ProbeArgs::default(),
            watch: None,
            at: When::Ago(0),
            format: Format::Table,
        }
    }

    /// Looks, once or until it is known, and tells what was found.
    pub(crate) fn run(&self, context: &mut Context<'_>) -> anyhow::Result<Exit> {
        Ok(self.found(context)?.1)
    }

    /// The same, and hands over what was found.
    pub(crate) fn found(&self, context: &mut Context<'_>) -> anyhow::Result<(Verification, Exit)> {
        let plan = planned(&self.plan, &self.input.case)?;
        if self.watch.is_some() && self.input.source.iter().any(|path| path.as_os_str() == "-") {
            bail!("standard input cannot be read again; name a file or folder with `--source`");
        }
        let replies = self.probe.replies()?;
        let (found, complete) = self.look_until_known(&plan, &replies, context)?;
        journal::note(&self.input.case, &plan, &found)?;
        match self.format {
            Format::Json => json::line(context.out, &found)?,
            Format::Table => {
                let after = self.after(&plan)?;
                print::print(context.out, context.width, (&plan, &found, &after))?;
            }
        }
        let exit = exit(found.outcome).max(complete);
        Ok((found, exit))
    }

    /// What may be done next, and by which commands.
    fn after(&self, plan: &Plan) -> anyhow::Result<print::After> {
        let receipts = journal::receipts(&self.input.case, plan)?;
        let words = self.accounts.aws.words();
        let name = self.plan.to_string_lossy();
        let pivot = pasted(plan.pivot.raw()).unwrap_or_else(|| "…".to_owned());
        let logs = self.input.again();
        Ok(print::After {
            begun: !receipts.is_empty(),
            undone: receipts.iter().any(|line| line.work == Work::Undo),
            apply: again("apply", (&name, &self.input.case), &words),
            plan: format!("unchain plan {pivot}{logs}{words} --force"),
        })
    }

    fn look_until_known(
        &self,
        plan: &Plan,
        replies: &[Reply],
        context: &Context<'_>,
    ) -> anyhow::Result<(Verification, Exit)> {
        let began = Instant::now();
        let limit = Duration::from_secs(u64::from(self.watch.unwrap_or_default()) * 60);
        loop {
            let elapsed = i64::try_from(began.elapsed().as_secs()).unwrap_or(i64::MAX);
            let now = self.at.instant(context.now).plus(elapsed);
            let (found, exit) = self.look((plan, replies), context, now)?;
            let known = found.outcome == Containment::Lives || log_is_known(&found);
            if known || began.elapsed() + PAUSE > limit {
                return Ok((found, exit));
            }
            wait(&found, context.watched);
        }
    }

    fn look(
        &self,
        (plan, replies): (&Plan, &[Reply]),
        context: &Context<'_>,
        now: Timestamp,
    ) -> anyhow::Result<(Verification, Exit)> {
        let accounts = match self.log_only {
            true => None,
            false => Some(self.accounts.read_for(plan)?),
        };
        let loaded = self.input.load(context)?;
        let lineage = Lineage::build(&loaded.ledger);
        let report = Report::new(&lineage, now);
        let receipts = journal::receipts(&self.input.case, plan)?;
        let evidence = Evidence {
            facts: accounts.as_ref().map(|accounts| &accounts.facts),
            report: Some(&report),
            receipts: &receipts,
            replies,
        };
        Ok((verify(plan, evidence, now), loaded.exit))
    }
}

fn exit(outcome: Containment) -> Exit {
    match outcome {
        Containment::Contained => Exit::Clean,
        Containment::Lives => Exit::Findings,
        Containment::Incomplete => Exit::Incomplete,
    }
}

fn log_is_known(found: &Verification) -> bool {
    !matches!(found.trail.conclusion, Conclusion::Unknown(_))
}

fn wait(found: &Verification, watched: bool) {
    if watched {
        let reached = found.trail.reached;
        let reached = reached.map_or_else(|| "nowhere".to_owned(), crate::output::words::minute);
        let until = crate::output::words::minute(found.trail.until);
        // Where a word about progress cannot be written there is nobody to tell.
        let _ = writeln!(
            std::io::stderr(),
            "the log reaches {reached} UTC, and must reach {until} UTC"
        );
    }
    std::thread::sleep(PAUSE);
}
