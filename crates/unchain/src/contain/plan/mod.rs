//! `unchain plan`: from a lineage and the state of the accounts to a plan, what speaks against it, and its proof.

pub(super) mod print;

use super::write::{Replace, private};
use super::{Accounts, FactsArgs, Sparing};
use crate::args::Context;
use crate::exit::Exit;
use crate::input::Input;
use crate::output::json;
use crate::trace::{choose, find};
use crate::when::When;
use anyhow::bail;
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::path::{Path, PathBuf};
use unchain_case::Case;
use unchain_core::contain::{
    self, Level, Note, Plan, Proof, Removal, Settings, Severity, check, cli_script, cloudformation,
    digest, outside, prove, terraform, to_json,
};
use unchain_core::lineage::Lineage;
use unchain_core::report::Report;
use unchain_core::text::Untrusted;
use unchain_core::time::Timestamp;

const EXAMPLES: &str = "Examples:
  unchain plan AKIAQNZGKIQY56JQ7WML --profile responder
      how to end everything that came of a leaked key, and what that breaks;
      asks AWS for the accounts, spares the responder, and writes plan.json
  unchain plan AKIAQNZGKIQY56JQ7WML --facts accounts/ --level evict --force
      by files; also cuts off every other session of its roles, and takes the
      passwords that it set
  unchain plan AKIAQNZGKIQY56JQ7WML --facts accounts/ --as script
      the same calls as a script of the AWS CLI, for somebody else to run

A folder for --facts holds what the AWS CLI printed of each account:
`aws iam get-account-authorization-details`, `get-credential-report`,
`list-access-keys` and `list-mfa-devices` of each user,
`list-virtual-mfa-devices`, and `aws organizations describe-organization`.

Exit codes: 0 the plan holds; 1 it leaves a way open, or somebody should read
its warnings; 2 it was refused and not written, or an error, or incomplete
input.";

/// Plan how to end a lineage: every call in its order, what it breaks, how it is undone, and a proof
///
/// Nothing is changed: `unchain apply` carries a plan out. A plan is about everything that the pivot came
/// from and all that came of it. The same case, accounts and instant give the same plan.
#[derive(Debug, Args)]
#[command(name = "plan", after_help = EXAMPLES, mut_arg("source", |source| source.num_args(1)))]
pub(crate) struct PlanCommand {
    /// What is known: a key id, ARN, role, user, session name, address, event id …
    pivot: String,
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    accounts: FactsArgs,
    #[command(flatten)]
    sparing: Sparing,
    #[command(flatten)]
    wanted: Wanted,
    /// What is written: only `unchain apply` looks before it acts, and can undo what it did
    #[arg(
        long = "as",
        value_name = "FORM",
        value_enum,
        default_value = "plan",
        help_heading = "Output"
    )]
    form: Form,
    /// The file to write, which must be new; `plan.json`, `plan.sh`, `plan.template.json` or `plan.tf.json`
    /// unless given
    #[arg(long, short, value_name = "FILE", help_heading = "Output")]
    output: Option<PathBuf>,
    /// Replace the file if it exists
    #[arg(long, help_heading = "Output")]
    force: bool,
    /// The instant of the plan: `2026-03-02T11:40:00Z`, `2026-03-02`, `-2h`, `now`
    #[arg(
        long,
        value_name = "T",
        default_value = "now",
        allow_hyphen_values = true
    )]
    at: When,
    /// How to print what was planned
    #[arg(long, value_enum, default_value = "table", help_heading = "Output")]
    format: Format,
}

/// How far the plan goes.
#[derive(Debug, Args)]
#[command(next_help_heading = "How much is done")]
struct Wanted {
    /// How much is done
    #[arg(long, value_enum, default_value = "contain")]
    level: LevelArg,
    /// Also delete, at the end, what the lineage made
    #[arg(long)]
    remove: bool,
    /// Also let nobody but the exempt make credentials or change permissions in the member accounts of the
    /// lineage, until the plan is undone; needs the organization
    #[arg(long)]
    freeze: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LevelArg {
    /// Change nothing, only watch
    Observe,
    /// End the lineage by what can be undone; other sessions of shared roles go on
    Contain,
    /// Also end every other session of its roles, and passwords and MFA devices that it set
    Evict,
}

/// What a plan is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For `unchain apply`
    Plan,
    /// Calls of the AWS CLI, for bash
    Script,
    /// A CloudFormation template in JSON; policies only
    Cloudformation,
    /// A Terraform configuration in JSON; policies only
    Terraform,
}

impl Form {
    fn file(self) -> &'static str {
        match self {
            Self::Plan => "plan.json",
            Self::Script => "plan.sh",
            Self::Cloudformation => "plan.template.json",
            Self::Terraform => "plan.tf.json",
        }
    }

    fn text(self, plan: &Plan) -> anyhow::Result<String> {
        Ok(match self {
            Self::Plan => to_json(plan)?,
            Self::Script => cli_script(plan),
            Self::Cloudformation => cloudformation(plan),
            Self::Terraform => terraform(plan),
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people; fits the terminal
    Table,
    /// One JSON object: the plan, its digest, what speaks against it, the proof
    Json,
}

/// A plan with all that is said of it. The field names are a promise: see docs/output.md.
#[derive(Debug, Serialize)]
pub(crate) struct Planned {
    /// By which it is approved.
    pub(crate) digest: String,
    /// Where it was written; nowhere if it was refused.
    file: Option<Untrusted>,
    /// The plan.
    pub(crate) plan: Plan,
    /// What speaks against it.
    pub(crate) notes: Vec<Note>,
    /// What it does.
    pub(crate) proof: Proof,
}

/// Makes a plan about a pivot, and judges it.
pub(crate) fn planned(
    report: &Report<'_, '_>,
    accounts: &Accounts,
    (settings, pivot, now): (&Settings, &str, Timestamp),
) -> anyhow::Result<Planned> {
    let plan = contain::plan(report, &accounts.facts, settings, (pivot, now));
    judged(report, accounts, (plan, now))
}

/// Judges a plan by the accounts and the log as they are now.
pub(crate) fn judged(
    report: &Report<'_, '_>,
    accounts: &Accounts,
    (plan, now): (Plan, Timestamp),
) -> anyhow::Result<Planned> {
    let (facts, settings) = (&accounts.facts, &plan.settings);
    let spared = settings.exempt.iter().chain(&settings.shared);
    let spared: Vec<String> = spared.map(|arn| arn.raw().to_owned()).collect();
    Ok(Planned {
        digest: digest(&plan)?,
        file: None,
        notes: check(&plan, report, facts, now),
        proof: prove(&plan, facts, &outside(report, &plan, &spared)),
        plan,
    })
}

impl Planned {
    /// Whether something refuses it: then it is not written.
    pub(crate) fn refused(&self) -> bool {
        let refuses = |note: &Note| note.severity == Severity::Refuse;
        self.notes.iter().any(refuses)
    }

    fn exit(&self) -> Exit {
        if self.refused() {
            Exit::Incomplete
        } else if self.proof.holds() && self.notes.is_empty() && self.plan.open.is_empty() {
            Exit::Clean
        } else {
            Exit::Findings
        }
    }
}

impl PlanCommand {
    /// Makes the plan, judges it, writes it and tells it.
    pub(crate) fn run(&self, context: &mut Context<'_>) -> anyhow::Result<Exit> {
        let output = self
            .output
            .as_deref()
            .unwrap_or(Path::new(self.form.file()));
        // Said before the work.
        if output.exists() && !self.force {
            bail!(
                "`{}` is there already; name another file with `--output`, or give `--force`",
                output.display()
            );
        }
        let accounts = self.accounts.read()?;
        let loaded = self.input.load(context)?;
        let lineage = Lineage::build(&loaded.ledger);
        let now = self.at.instant(context.now);
        let report = Report::new(&lineage, now);
        let matches = find(&report, &self.pivot)?;
        let settings = Settings {
            level: self.wanted.level(),
            removal: self.wanted.removal(),
            freeze: self.wanted.freeze,
            ..self.sparing.settings(&lineage, &accounts)?
        };
        let mut planned = planned(&report, &accounts, (&settings, &self.pivot, now))?;
        if !planned.refused() {
            private(output, &self.form.text(&planned.plan)?, self.replace())?;
            planned.file = Some(Untrusted::new(output.to_string_lossy()));
            // Beside the ledger it was made from; logs that were read for this one answer have no case.
            if self.input.source.is_empty() {
                Case::open_existing(&self.input.case)?.add_plan(&planned.plan)?;
            }
        }
        match self.format {
            Format::Json => json::line(context.out, &planned)?,
            Format::Table => {
                let several = !choose::belong_together(&lineage, &matches);
                let meanings = several.then_some(matches.len());
                let out = &mut *context.out;
                print::print(out, context.width, (&planned, meanings))?;
                print::next(out, context.width, (&planned, self.form, &self.with()))?;
            }
        }
        Ok(planned.exit().max(loaded.exit))
    }

    /// The options with which the plan is carried out, or watched.
    fn with(&self) -> String {
        let logs = match self.input.source.is_empty() || self.wanted.level() == Level::Observe {
            true => self.input.again(),
            false => String::new(),
        };
        logs + &self.accounts.aws.words()
    }

    fn replace(&self) -> Replace {
        if self.force {
            Replace::Always
        } else {
            Replace::Never
        }
    }
}

impl Wanted {
    fn level(&self) -> Level {
        match self.level {
            LevelArg::Observe => Level::Observe,
            LevelArg::Contain => Level::Contain,
            LevelArg::Evict => Level::Evict,
        }
    }

    fn removal(&self) -> Removal {
        if self.remove {
            Removal::Remove
        } else {
            Removal::List
        }
    }
}
