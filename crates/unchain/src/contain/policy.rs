//! `unchain policy`: what a command must be allowed to do.

use crate::args::Context;
use crate::exit::Exit;
use crate::output::words::count;
use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};
use unchain_core::contain::{Duty, Plan, permissions, validate};

const EXAMPLES: &str = "Examples:
  unchain policy plan
      what reading the accounts needs
  unchain policy apply plan.json
      exactly the calls of a plan, on exactly what it changes

The responder's role in each account needs it, and whoever assumes that role
needs sts:AssumeRole on it. Who may put a policy on a user or role can give it
anything: with a plan the policy names which.";

/// Where plans are looked up that no file has.
const CASE: &str = "unchain.case";

/// What a managed policy holds, white space not counted (IAM User Guide, "IAM and AWS STS quotas").
const MANAGED: usize = 6_144;

/// Print the least IAM policy that a command needs, as JSON
#[derive(Debug, Args)]
#[command(name = "policy", after_help = EXAMPLES)]
pub(crate) struct PolicyCommand {
    /// The command
    #[arg(value_enum)]
    command: Which,
    /// The plan that `apply` or `undo` is about: its file, or its digest or id in ./unchain.case; without it
    /// all calls that plans make
    plan: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Which {
    /// Reads the accounts
    Inspect,
    /// Reads the accounts
    Plan,
    /// Carries a plan out
    Apply,
    /// Reads the accounts
    Verify,
    /// Takes a plan back
    Undo,
}

impl PolicyCommand {
    /// Prints the policy.
    pub(crate) fn run(&self, context: &mut Context<'_>) -> anyhow::Result<Exit> {
        let duty = match self.command {
            Which::Inspect | Which::Plan | Which::Verify => Duty::Read,
            Which::Apply => Duty::Apply,
            Which::Undo => Duty::Undo,
        };
        if duty == Duty::Read && self.plan.is_some() {
            bail!("what reads the accounts needs the same for every plan; leave the plan out");
        }
        let plan = self.plan.as_deref().map(read).transpose()?;
        let policy = permissions(duty, plan.as_ref());
        writeln!(context.out, "{}", serde_json::to_string_pretty(&policy)?)?;
        let size = policy.to_string().len();
        if size > MANAGED {
            super::say(&format!(
                "the policy has {} characters, and a managed policy holds {}: part it, or print it without a plan",
                count(size as u64),
                count(MANAGED as u64),
            ));
        }
        Ok(Exit::Clean)
    }
}

/// A plan from a file, which anybody may have written.
fn read(path: &Path) -> anyhow::Result<Plan> {
    let plan = super::planned(path, Path::new(CASE))?;
    validate(&plan)
        .with_context(|| format!("`{}` is no sound plan; plan again", path.display()))?;
    Ok(plan)
}
