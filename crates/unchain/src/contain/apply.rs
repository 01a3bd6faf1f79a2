//! `unchain apply`: a plan is approved and carried out, or gone on with.

use super::acting::{Acting, Stopping, listened};
use super::carry::{again, alone, approval, head, journal, open, stopped};
use super::plan::print::{breaks, notes, steps, title};
use super::{FactsArgs, changed, own, planned};
use crate::args::Context;
use crate::exit::Exit;
use crate::output::words::{counted, paragraph};
use anyhow::{anyhow, bail};
use clap::Args;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use unchain_aws::Session;
use unchain_core::contain::{
    Approved, End, Happened, Outcome, Plan, Prospect, Receipt, Severity, apply, check, digest,
    locked_out, preview,
};
use unchain_core::lineage::Lineage;
use unchain_core::report::Report;
use unchain_core::text::Untrusted;

const EXAMPLES: &str = "Examples:
  unchain apply plan.json --profile responder
      shows the plan, asks for its digest, and carries it out
  unchain apply plan.json --dry-run --profile responder
      looks at what each step would find, and changes nothing
  unchain apply 0badcafe --approve 0123456789ab --role-name responder
      the plan of the case with this id, in several accounts, asking nobody

Each step looks first, is written to the case before it is made and after it,
and can be undone by what was found. A run that ended anywhere is gone on with
by the same command. What deletes waits until `unchain verify` found that no
credential works.

Exit codes: 0 all is done, but for the look; 2 it was refused, stopped, or
more is to be done.";

/// Carry a plan out: step by step, each looked at first, written down, and reversible
///
/// The only command, with `unchain undo`, that changes AWS accounts; `unchain serve --allow-apply` runs both.
#[derive(Debug, Args)]
#[command(name = "apply", after_help = EXAMPLES)]
pub(crate) struct Apply {
    /// The plan: a file that `unchain plan` wrote, or the id or digest of one in the case
    plan: String,
    /// The digest of the plan, all of it or twelve digits: approves it without asking
    #[arg(long, value_name = "DIGEST")]
    approve: Option<String>,
    /// Look at what each step would find, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// The case that keeps the plan and its journal
    #[arg(long, value_name = "FILE", default_value = "unchain.case")]
    case: PathBuf,
    #[command(flatten)]
    accounts: FactsArgs,
}

/// Whether anything is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DryRun {
    /// Nothing is.
    Yes,
    /// What the plan says is.
    No,
}

/// A plan of a case, and by what it is approved.
#[derive(Clone, Debug)]
pub(crate) struct Chosen {
    /// Its digest.
    pub(crate) digest: String,
    /// What somebody gave to approve it.
    pub(crate) approval: String,
    /// The case.
    pub(crate) case: PathBuf,
}

impl Apply {
    /// To carry a plan of a case out, or only to look.
    pub(crate) fn of(chosen: &Chosen, accounts: &FactsArgs, dry_run: DryRun) -> Self {
        Self {
            plan: chosen.digest.clone(),
            approve: Some(chosen.approval.clone()),
            dry_run: dry_run == DryRun::Yes,
            case: chosen.case.clone(),
            accounts: accounts.clone(),
        }
    }

    /// Shows the plan, has it approved, and carries it out.
    pub(crate) fn run(&self, context: &mut Context<'_>) -> anyhow::Result<Exit> {
        self.run_until(context, listened)
    }

    /// The same, stopped between two calls by a flag that is asked for before the first.
    pub(crate) fn run_until(
        &self,
        context: &mut Context<'_>,
        stop: impl FnOnce() -> anyhow::Result<Stopping>,
    ) -> anyhow::Result<Exit> {
        let mut case = open(&self.case)?;
        let plan = planned(Path::new(&self.plan), &self.case)?;
        let name = digest(&plan)?;
        // A plan is a file: what it may not have is told before anybody is asked anything.
        let sound = Approved::by_digest(&plan, &name)?;
        // Before the journal is read: what another run writes into it would be missed.
        let _alone = match self.dry_run {
            true => None,
            false => Some(alone(&self.case)?),
        };
        let past = case.receipts(&name)?;
        self.show(context, &plan, &past)?;
        let ledger = case.load()?;
        let lineage = Lineage::build(&ledger);
        if !self.is_sound(context, (&plan, &past), &lineage)? {
            return Ok(Exit::Incomplete);
        }
        context.out.flush()?;
        if self.dry_run {
            let session = self.connect(&plan, &lineage)?;
            let mut acting = Acting::new(session, (stop()?, context.watched));
            return look(context, (&sound, &past), &mut acting);
        }
        let approved = approval(&plan, self.approve.as_deref(), "carry it out")?;
        let session = self.connect(&plan, &lineage)?;
        let mut acting = Acting::new(session, (stop()?, context.watched));
        acting.reach(&changed(&plan, |_| true))?;
        case.add_plan(&plan)?;
        let mut write = journal(&mut case, &plan, context.width);
        let outcome = apply(&approved, &past, &mut write, &mut acting);
        let again = self.again("apply");
        let outcome = outcome.map_err(|stop| stopped(stop, &again))?;
        self.tell(context, &plan, &outcome)
    }

    fn again(&self, command: &str) -> String {
        let words = self.accounts.aws.words();
        again(command, (&self.plan, &self.case), &words)
    }

    fn show(&self, context: &mut Context<'_>, plan: &Plan, past: &[Receipt]) -> anyhow::Result<()> {
        writeln!(context.out, "{}", head(plan, &digest(plan)?))?;
        let lines = counted(past.len() as u64, "line");
        writeln!(context.out, "  journal  {}, {lines}", self.case.display())?;
        steps(context.out, context.width, plan)?;
        breaks(context.out, context.width, plan)?;
        Ok(())
    }

    /// Whether nothing refuses the plan. One that was begun has changed the accounts, and is not judged by them again.
    fn is_sound(
        &self,
        context: &mut Context<'_>,
        (plan, past): (&Plan, &[Receipt]),
        lineage: &Lineage<'_>,
    ) -> anyhow::Result<bool> {
        if past
            .iter()
            .any(|line| matches!(line.what, Happened::Begun { .. }))
        {
            writeln!(context.out, "\nCHECK  it was begun, and is gone on with")?;
            return Ok(true);
        }
        let accounts = self.accounts.read_for(plan)?;
        let report = Report::new(lineage, context.now);
        let found = check(plan, &report, &accounts.facts, context.now);
        notes(context.out, context.width, &found)?;
        let refused = found.iter().any(|note| note.severity == Severity::Refuse);
        if refused {
            let text = "The plan is not carried out. Mend what is refused, and plan again.";
            writeln!(context.out, "\n{text}")?;
        }
        Ok(!refused)
    }

    /// Finds the credentials to act with. Who acts may be another than who planned: a plan that denies it would end
    /// half way.
    fn connect(&self, plan: &Plan, lineage: &Lineage<'_>) -> anyhow::Result<Session> {
        let session = self.accounts.aws.connect(Some(&plan.id))?;
        let caller = Untrusted::new(session.identity().arn.as_str());
        match locked_out(plan, &own(lineage, &caller)).first() {
            None => Ok(session),
            Some(owner) => bail!(
                "the plan denies `{}`, by which you act; act as somebody else, or plan again with `--exempt`",
                Untrusted::new(owner.arn()).terminal()
            ),
        }
    }

    fn tell(
        &self,
        context: &mut Context<'_>,
        plan: &Plan,
        outcome: &Outcome,
    ) -> anyhow::Result<Exit> {
        let steps = |steps: &BTreeSet<u32>| counted(steps.len() as u64, "step");
        let Outcome {
            changed,
            already,
            gone,
            put_again,
            ..
        } = outcome;
        let out = &mut *context.out;
        writeln!(out, "\nDONE  {} of plan {}", steps(changed), plan.id)?;
        let lines = [
            (already, "had been done already"),
            (gone, "had nothing left to change: the target is gone"),
            (
                put_again,
                "put again what somebody had removed or weakened: look who",
            ),
        ];
        for (which, what) in lines.into_iter().filter(|(which, _)| !which.is_empty()) {
            let text = format!("{} {what} ({})", steps(which), listed(which));
            paragraph(out, context.width, ("  ", "    "), &text)?;
        }
        writeln!(out, "\nNEXT")?;
        Ok(match outcome.end {
            End::Complete => {
                writeln!(out, "  nothing: every step is done")?;
                Exit::Clean
            }
            End::AwaitingVerification { remaining } => {
                writeln!(out, "  {}", self.again("verify"))?;
                if remaining > 0 {
                    let steps = counted(u64::from(remaining), "step");
                    writeln!(out, "  then, for {steps} that cannot be undone:")?;
                    writeln!(out, "  {}", self.again("apply"))?;
                }
                Exit::complete(remaining == 0)
            }
        })
    }
}

fn look(
    context: &mut Context<'_>,
    (approved, past): (&Approved<'_>, &[Receipt]),
    acting: &mut Acting,
) -> anyhow::Result<Exit> {
    acting.reach(&changed(approved.plan(), |_| true))?;
    let prospects = preview(approved, past, acting)
        .map_err(|stop| anyhow!("{stop}").context("the accounts cannot be looked at"))?;
    writeln!(context.out, "\nDRY RUN  nothing was changed")?;
    let mut surprised = false;
    for (number, prospect) in prospects {
        let Some(step) = approved.plan().steps.iter().find(|s| s.number == number) else {
            continue;
        };
        surprised |= prospect == Prospect::Surprise;
        let title = title(approved.plan(), step);
        let begin = format!("  {number:>4}  {:<12} ", word(prospect));
        paragraph(context.out, context.width, (&begin, "          "), &title)?;
    }
    Ok(Exit::complete(!surprised))
}

fn listed(steps: &BTreeSet<u32>) -> String {
    let steps: Vec<String> = steps.iter().map(u32::to_string).collect();
    steps.join(", ")
}

fn word(prospect: Prospect) -> &'static str {
    match prospect {
        Prospect::Done => "is done",
        Prospect::Change => "would change",
        Prospect::Already => "already so",
        Prospect::Gone => "is gone",
        Prospect::Surprise => "WOULD STOP",
        Prospect::Later => "later",
    }
}
