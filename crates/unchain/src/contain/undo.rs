//! `unchain undo`: what a plan changed is put back as it was found.

use super::acting::{Acting, Stopping, listened};
use super::apply::Chosen;
use super::aws::AwsArgs;
use super::carry::{again, alone, approval, head, journal, said, steps, stopped};
use super::plan::print::title;
use super::{changed, planned};
use crate::args::Context;
use crate::exit::Exit;
use crate::output::words::{counted, paragraph};
use anyhow::{Context as _, bail};
use clap::Args;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use unchain_case::Case;
use unchain_core::contain::{
    Happened, Plan, Receipt, Undo, Undone, Work, digest, in_force, relies_on, undo,
};

const EXAMPLES: &str = "Examples:
  unchain undo plan.json --profile responder
      puts back what the plan changed, the last first
  unchain undo 0badcafe --approve 0123456789ab
      the plan of the case with this id, asking nobody

What is put back is what the journal says was found, not what the plan
expected: a key that was inactive before stays so. What somebody changed since
is left as it is, and told. Where a later plan rests on this one, as on the
account that it froze, that is undone first.

Exit codes: 0 all is as it was; 2 something is not, it stopped, or an error.";

/// Undo a plan: put back what it changed, as it was found, from the journal in the case
///
/// The lineage can work again after it. A plan that was undone is not carried out again: make a new one.
#[derive(Debug, Args)]
#[command(name = "undo", after_help = EXAMPLES)]
pub(crate) struct UndoCommand {
    /// The plan: a file that `unchain plan` wrote, or the id or digest of one in the case
    plan: String,
    /// The digest of the plan, all of it or twelve digits: approves it without asking
    #[arg(long, value_name = "DIGEST")]
    approve: Option<String>,
    /// The case that keeps the plan and its journal
    #[arg(long, value_name = "FILE", default_value = "unchain.case")]
    case: PathBuf,
    #[command(flatten)]
    aws: AwsArgs,
}

impl UndoCommand {
    /// To undo a plan of a case.
    pub(crate) fn of(chosen: &Chosen, aws: &AwsArgs) -> Self {
        Self {
            plan: chosen.digest.clone(),
            approve: Some(chosen.approval.clone()),
            case: chosen.case.clone(),
            aws: aws.clone(),
        }
    }

    /// Shows what was done, has it approved, and puts it back.
    pub(crate) fn run(&self, context: &mut Context<'_>) -> anyhow::Result<Exit> {
        self.run_until(context, listened)
    }

    /// The same, stopped between two calls by a flag that is asked for before the first.
    pub(crate) fn run_until(
        &self,
        context: &mut Context<'_>,
        stop: impl FnOnce() -> anyhow::Result<Stopping>,
    ) -> anyhow::Result<Exit> {
        let mut case = Case::open_existing(&self.case)
            .context("the journal is in the case; name that of `unchain apply` with `--case`")?;
        let plan = planned(Path::new(&self.plan), &self.case)?;
        let name = digest(&plan)?;
        // Before the journal is read: what another run writes into it would be missed.
        let _alone = alone(&self.case)?;
        let past = case.receipts(&name)?;
        let begun = begun(&past);
        if begun.is_empty() {
            bail!(
                "the journal of `{}` has nothing that this plan did; name the case of `unchain apply` with `--case`",
                self.case.display()
            );
        }
        later_first(&case, &plan)?;
        show(context, &plan, &begun)?;
        context.out.flush()?;
        let approved = approval(&plan, self.approve.as_deref(), "put all this back")?;
        let session = self.aws.connect(Some(&plan.id))?;
        let mut acting = Acting::new(session, (stop()?, context.watched));
        acting.reach(&changed(&plan, |step| begun.contains(&step)))?;
        let mut write = journal(&mut case, &plan, context.width);
        let undone = undo(&approved, &past, &mut write, &mut acting);
        let again = again("undo", (&self.plan, &self.case), &self.aws.words());
        let undone = undone.map_err(|stop| stopped(stop, &again))?;
        tell(context, &plan, &undone)
    }
}

/// Refuses to undo what a later plan of the case rests on.
fn later_first(case: &Case, plan: &Plan) -> anyhow::Result<()> {
    for row in case.plans()?.into_iter().rev() {
        if row.made_at < plan.made_at || !in_force(&case.receipts(&row.digest)?) {
            continue;
        }
        let later = case.plan(&row.digest)?;
        if let Some(rests) = later.and_then(|later| relies_on(&later, plan)) {
            let (step, why) = (rests.step, rests.why);
            bail!(
                "plan {} rests on step {step} of this one, {why}; undo it first, with `unchain undo {0}`",
                row.id
            );
        }
    }
    Ok(())
}

/// Steps that may have changed something.
fn begun(past: &[Receipt]) -> BTreeSet<u32> {
    let begun = past.iter().filter(|line| {
        let begun = matches!(line.what, Happened::Begun { .. });
        line.work == Work::Apply && begun
    });
    begun.map(|line| line.step).collect()
}

fn show(context: &mut Context<'_>, plan: &Plan, begun: &BTreeSet<u32>) -> anyhow::Result<()> {
    let (out, width) = (&mut *context.out, context.width);
    writeln!(out, "{}", head(plan, &digest(plan)?))?;
    let count = counted(begun.len() as u64, "step");
    writeln!(out, "\nUNDO  {count}, the last first")?;
    for step in steps(plan, |number| begun.contains(&number))
        .into_iter()
        .rev()
    {
        writeln!(out, "  {:>4}  {}", step.number, title(plan, step))?;
        if let Undo::Never(why) = &step.undo {
            let text = format!("cannot be undone: {why}");
            paragraph(out, width, ("      ! ", "        "), &text)?;
        }
    }
    Ok(())
}

fn tell(context: &mut Context<'_>, plan: &Plan, undone: &Undone) -> anyhow::Result<Exit> {
    let (out, width) = (&mut *context.out, context.width);
    let count = |steps: usize| counted(steps as u64, "change");
    writeln!(
        out,
        "\nUNDONE  {} of plan {}",
        count(undone.restored.len()),
        plan.id
    )?;
    if !undone.already.is_empty() {
        let text = format!("{} had been undone already", count(undone.already.len()));
        paragraph(out, width, ("  ", "    "), &text)?;
    }
    let never = undone.never.iter().map(|(step, why)| (*step, why.clone()));
    let changed = "somebody changed it after the plan: it was left as it is".to_owned();
    let surprises = undone.surprises.iter().map(|step| (*step, changed.clone()));
    let refused = undone
        .refused
        .iter()
        .map(|(step, refusal)| (*step, said(refusal)));
    let left: Vec<(u32, String)> = never.chain(surprises).chain(refused).collect();
    for (number, why) in &left {
        let step = plan.steps.iter().find(|step| step.number == *number);
        let title = step.map(|step| title(plan, step)).unwrap_or_default();
        let text = format!("step {number}, {title}: {why}");
        paragraph(out, width, ("  ! ", "    "), &text)?;
    }
    Ok(Exit::complete(left.is_empty()))
}
