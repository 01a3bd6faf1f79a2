//! Threads that hold a lineage and answer jobs. Must not know HTTP.

use crate::answers::{Answers, Judged, Now, Shelf};
use crate::names::Names;
use crate::records::Fetch;
use crate::timeline::forest::Forest;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use tokio::sync::oneshot;
use unchain_core::ledger::Ledger;
use unchain_core::lineage::Lineage;
use unchain_core::report::{Coverage, Report, coverage};
use unchain_core::time::Timestamp;

/// Questions that may wait; what comes on top is told to come again.
pub(crate) const WAITING: usize = 8192;

type Job = Box<dyn FnOnce(&World<'_>) + Send>;
type Judge<'s> = &'s (dyn Fn(&Report<'_, '_>) -> Judged + Sync);

/// How a ledger is asked.
#[derive(Clone, Copy)]
pub struct Setting<'s> {
    /// Says what a report's lineage holds that is worth a look.
    pub judge: Judge<'s>,
    /// The instant where nobody names one.
    pub now: Now,
    /// How many threads answer.
    pub threads: usize,
    /// Finds raw records, in a thread of its own; none where there are no files to read.
    pub fetch: Option<Fetch<'s>>,
}

impl std::fmt::Debug for Setting<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Setting")
            .field("now", &self.now)
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}

/// What all threads know together.
pub(crate) struct World<'l> {
    pub(crate) lineage: &'l Lineage<'l>,
    pub(crate) names: Names,
    pub(crate) coverage: Coverage,
    pub(crate) fetch: Option<Fetch<'l>>,
    judge: Judge<'l>,
    now: Now,
    shelf: Shelf,
    forest: OnceLock<Forest>,
}

impl<'l> World<'l> {
    /// What is known of a lineage.
    pub(crate) fn new(lineage: &'l Lineage<'l>, setting: &Setting<'l>) -> Self {
        Self {
            names: Names::new(lineage),
            coverage: coverage(lineage),
            lineage,
            fetch: setting.fetch,
            judge: setting.judge,
            now: setting.now,
            shelf: Shelf::default(),
            forest: OnceLock::new(),
        }
    }

    /// The instant where nobody names one.
    pub(crate) fn now(&self) -> Timestamp {
        self.now.instant()
    }

    /// Which credential stands under which.
    pub(crate) fn forest(&self) -> &Forest {
        self.forest.get_or_init(|| Forest::new(self.lineage))
    }

    /// What is kept as of an instant.
    pub(crate) fn answers(&self, at: Timestamp) -> Arc<Answers> {
        self.shelf.at(at)
    }

    /// What was found, as of the instant of a report.
    pub(crate) fn judged<'a>(&self, answers: &'a Answers, report: &Report<'_, '_>) -> &'a Judged {
        answers.judged(|| (self.judge)(report))
    }
}

/// Asks the workers. Clones must be gone before [`with_workers`] can return.
#[derive(Clone, Debug)]
pub struct Asker {
    quick: SyncSender<Job>,
    /// To one thread alone: what waits for files must not keep others waiting.
    slow: SyncSender<Job>,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// Too many questions wait.
    Busy,
    /// The job failed.
    Failed,
}

impl Asker {
    /// Has a worker do a job and waits for what comes of it.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        job: impl FnOnce(&World<'_>) -> T + Send + 'static,
    ) -> Result<T, NoAnswer> {
        done(&self.quick, job).await
    }

    /// The same for a job that reads files. One is done at a time, and one waits.
    pub(crate) async fn ask_for_files<T: Send + 'static>(
        &self,
        job: impl FnOnce(&World<'_>) -> T + Send + 'static,
    ) -> Result<T, NoAnswer> {
        done(&self.slow, job).await
    }
}

async fn done<T: Send + 'static>(
    queue: &SyncSender<Job>,
    job: impl FnOnce(&World<'_>) -> T + Send + 'static,
) -> Result<T, NoAnswer> {
    let (send, answer) = oneshot::channel();
    // A reader who has gone away needs no answer.
    let job: Job = Box::new(move |world| {
        if !send.is_closed() {
            drop(send.send(job(world)));
        }
    });
    queue.try_send(job).map_err(|_| NoAnswer::Busy)?;
    answer.await.map_err(|_| NoAnswer::Failed)
}

/// Builds the lineage of a ledger and keeps threads that answer about it until `then` returns.
pub fn with_workers<T>(ledger: &Ledger, setting: Setting<'_>, then: impl FnOnce(Asker) -> T) -> T {
    let lineage = Lineage::build(ledger);
    let world = World::new(&lineage, &setting);
    let (quick, to_many) = sync_channel(WAITING);
    let (slow, to_one) = sync_channel(1);
    let (to_many, to_one) = (Mutex::new(to_many), Mutex::new(to_one));
    thread::scope(|scope| {
        for _ in 0..setting.threads.max(1) {
            scope.spawn(|| work(&to_many, &world));
        }
        scope.spawn(|| work(&to_one, &world));
        then(Asker { quick, slow })
    })
}

/// Does jobs until nobody can ask any more.
fn work(jobs: &Mutex<Receiver<Job>>, world: &World<'_>) {
    loop {
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        // A job that panics drops its sender, which its reader notices. Nothing it shares is left half
        // done: what is kept is put in its place only when it is complete.
        let _ = catch_unwind(AssertUnwindSafe(|| job(world)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future as _;
    use std::task::{Context, Poll, Waker};

    fn judge(_: &Report<'_, '_>) -> Judged {
        Judged::default()
    }

    fn with_one_worker(then: impl FnOnce(Asker, tokio::runtime::Runtime)) {
        let setting = Setting {
            judge: &judge,
            now: Now::At(Timestamp::from_seconds(0)),
            threads: 1,
            fetch: None,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        with_workers(&Ledger::default(), setting, |asker| then(asker, runtime));
    }

    #[test]
    fn a_job_that_panics_costs_only_its_own_answer() {
        with_one_worker(|asker, runtime| {
            let failed = runtime.block_on(asker.ask(|_| -> u8 { panic!("on purpose") }));
            assert_eq!(failed, Err(NoAnswer::Failed));
            let nodes = runtime.block_on(asker.ask(|world| world.lineage.nodes().len()));
            assert_eq!(nodes, Ok(0));
        });
    }

    #[test]
    fn who_comes_to_a_full_queue_is_told_so() {
        with_one_worker(|asker, runtime| {
            let mut context = Context::from_waker(Waker::noop());
            let (release, blocked) = std::sync::mpsc::channel::<()>();
            let mut stuck = Box::pin(asker.ask(move |_| {
                let _ = blocked.recv();
            }));
            assert_eq!(stuck.as_mut().poll(&mut context), Poll::Pending);
            // The worker may or may not have taken the first job by now: of these one or two find no room.
            let mut others: Vec<_> = (0..WAITING + 1)
                .map(|_| Box::pin(asker.ask(|_| ())))
                .collect();
            others.retain_mut(|ask| match ask.as_mut().poll(&mut context) {
                Poll::Pending => true,
                refused @ Poll::Ready(_) => {
                    assert_eq!(refused, Poll::Ready(Err(NoAnswer::Busy)));
                    false
                }
            });
            assert!((WAITING - 1..=WAITING).contains(&others.len()));
            drop(release);
            for ask in others {
                assert_eq!(runtime.block_on(ask), Ok(()));
            }
        });
    }

    #[test]
    fn who_waits_for_files_keeps_nobody_else_waiting() {
        with_one_worker(|asker, runtime| {
            let mut context = Context::from_waker(Waker::noop());
            let (release, blocked) = std::sync::mpsc::channel::<()>();
            let mut stuck = Box::pin(asker.ask_for_files(move |_| {
                let _ = blocked.recv();
            }));
            assert_eq!(stuck.as_mut().poll(&mut context), Poll::Pending);
            assert_eq!(runtime.block_on(asker.ask(|_| ())), Ok(()));
            // One may be in hand, one waits.
            let mut others: Vec<_> = (0..3)
                .map(|_| Box::pin(asker.ask_for_files(|_| ())))
                .collect();
            let answers = others.iter_mut().map(|ask| ask.as_mut().poll(&mut context));
            let refused = answers
                .filter(|answer| *answer == Poll::Ready(Err(NoAnswer::Busy)))
                .count();
            assert!((2..=3).contains(&refused), "{refused}");
            drop(release);
        });
    }
}
