//! What the page has done beside it, one thing at a time, by the commands themselves: whatever holds for `unchain apply`,
//! `undo` and `verify` holds here.

use super::plans::{Keeper, told};
use crate::args::Context;
use crate::contain::{Apply, Chosen, DryRun, Stopping, UndoCommand, VerifyCommand};
use crate::exit::Exit;
use crate::explained;
use crate::lab::host_time;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use unchain_core::contain::{Approved, Stage, progress};
use unchain_web::{Desk, Ended, Errand, Order, Run};

/// Columns of what a command writes for the page.
const WIDTH: usize = 100;

/// Begins errands, and says how the last one stands.
pub(super) struct Errands {
    keeper: Arc<Keeper>,
    /// Told whenever one begins or ends.
    desk: OnceLock<Desk>,
    stop: Stopping,
    now: Mutex<Now>,
}

#[derive(Default)]
struct Now {
    run: Option<Run>,
    thread: Option<JoinHandle<()>>,
}

impl Errands {
    pub(super) fn new(keeper: Arc<Keeper>) -> Self {
        Self {
            keeper,
            desk: OnceLock::new(),
            stop: Stopping::default(),
            now: Mutex::default(),
        }
    }

    /// Whom to tell whenever one begins or ends; only the first counts.
    pub(super) fn tell(&self, desk: Desk) {
        let _ = self.desk.set(desk);
    }

    fn told(&self) {
        if let Some(desk) = self.desk.get() {
            desk.plans_changed();
        }
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The errand under way, or the last.
    pub(super) fn run(&self) -> Option<Run> {
        self.now().run.clone()
    }

    /// Begins an errand in a thread of its own, unless one is under way or its approval is wrong.
    pub(super) fn start(self: &Arc<Self>, order: Order) -> anyhow::Result<()> {
        if matches!(order.errand, Errand::Apply | Errand::Undo) {
            // The command asks again; this one tells the reader at once.
            let record = self.keeper.plan(&order.digest)?;
            Approved::by_digest(&record.plan, &order.approval)?;
        }
        let mut now = self.now();
        if self.stop.load(Ordering::SeqCst) {
            anyhow::bail!("the program is ending; start it again");
        }
        if now.run.as_ref().is_some_and(|run| run.ended.is_none()) {
            anyhow::bail!("something is under way already; wait until it has come to its end");
        }
        now.run = Some(Run {
            errand: order.errand,
            digest: order.digest.clone(),
            ended: None,
        });
        let errands = Arc::clone(self);
        now.thread = Some(thread::spawn(move || errands.carry(&order)));
        drop(now);
        self.told();
        Ok(())
    }

    /// Has what is under way stop between two calls.
    pub(super) fn ask_to_stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
    }

    /// The same, and waits for it.
    pub(super) fn end(&self) {
        self.ask_to_stop();
        let thread = self.now().thread.take();
        if let Some(thread) = thread {
            // What went wrong in it was told there.
            let _ = thread.join();
        }
    }

    fn carry(&self, order: &Order) {
        let ended = catch_unwind(AssertUnwindSafe(|| self.ended(order)));
        let ended = ended.unwrap_or_else(|_| Ended {
            well: false,
            said: "The program failed here. What was done is in the journal.".to_owned(),
        });
        if let Some(run) = &mut self.now().run {
            run.ended = Some(ended);
        }
        self.told();
    }

    /// Does it, and keeps what a terminal would have shown.
    fn ended(&self, order: &Order) -> Ended {
        let mut out = Vec::new();
        let done = self.done(
            order,
            &mut Context {
                out: &mut out,
                now: host_time(),
                seed: 0,
                width: WIDTH,
                watched: false,
            },
        );
        let out = String::from_utf8_lossy(&out);
        // What went wrong comes before what led to it, which may be long.
        let (well, said) = match done {
            Ok(well) => (well, out.into_owned()),
            Err(error) => (false, format!("{}\n\n{out}", explained(&error).join("\n"))),
        };
        Ended { well, said }
    }

    /// Whether it came to its end.
    fn done(&self, order: &Order, context: &mut Context<'_>) -> anyhow::Result<bool> {
        let (keeper, stop) = (&self.keeper, || Ok(Arc::clone(&self.stop)));
        let chosen = Chosen {
            digest: order.digest.clone(),
            approval: order.approval.clone(),
            case: keeper.input.case.clone(),
        };
        let apply = |dry_run| Apply::of(&chosen, &keeper.accounts, dry_run);
        Ok(match order.errand {
            Errand::Verify => {
                let verify = VerifyCommand::of(&order.digest, (&keeper.input, &keeper.accounts));
                let (found, _) = verify.found(context)?;
                keeper.verified(found);
                true
            }
            Errand::Look => apply(DryRun::Yes).run_until(context, stop)? == Exit::Clean,
            Errand::Apply => {
                if apply(DryRun::Yes).run_until(context, stop)? != Exit::Clean {
                    writeln!(context.out, "\nNothing was carried out.")?;
                    return Ok(false);
                }
                writeln!(context.out)?;
                apply(DryRun::No).run_until(context, stop)?;
                self.is_applied(&order.digest)?
            }
            Errand::Undo => {
                let undo = UndoCommand::of(&chosen, keeper.accounts.aws());
                undo.run_until(context, stop)? == Exit::Clean
            }
        })
    }

    /// Whether the journal says that every step before the look is done.
    fn is_applied(&self, digest: &str) -> anyhow::Result<bool> {
        let record = self.keeper.plan(digest)?;
        let stage = progress(&record.plan, &record.receipts).stage;
        Ok(matches!(stage, Stage::Applied | Stage::Verified))
    }
}

/// An error in the words of the page.
pub(super) fn refused<T>(result: anyhow::Result<T>) -> Result<T, String> {
    result.map_err(|error| told(&error))
}
