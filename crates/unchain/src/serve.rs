//! `unchain serve`: the case in a browser.

mod errands;
mod plans;
mod watch;

use crate::args::Context;
use crate::contain::FactsArgs;
use crate::exit::{self, Exit};
use crate::explained;
use crate::input::Input;
use crate::judge::{Judge, JudgeArgs};
use crate::lab::{host_time, stopped};
use crate::records;
use crate::when::When;
use anyhow::Context as _;
use clap::Args;
use errands::{Errands, refused};
use plans::Keeper;
use signal_hook::consts::SIGINT;
use signal_hook::flag::register_conditional_default;
use std::borrow::Borrow;
use std::cell::Cell;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{Scope, available_parallelism, scope};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use unchain_case::Case;
use unchain_core::ledger::Ledger;
use unchain_core::report::Report;
use unchain_web::{Access, Containment, Desk, Judged, Now, SECRET_BYTES, Setting};
use watch::{Watch, follow};

/// The case is looked at so often while it is served.
const TICK: Duration = Duration::from_secs(1);

const EXAMPLES: &str = "Examples:
  unchain serve
      prints an address; open it in a browser, end with Ctrl-C
  unchain serve --at 2026-03-02T12:05:00Z --listen 127.0.0.1:8080
      what was alive then, on a port of your choice
  unchain serve --profile responder --allow-apply
      also makes plans, and carries out those that a reader approves by digest";

/// Open files for as many readers as are let in, and some for the rest.
#[cfg(unix)]
const FILES: u64 = 10_000;

/// Show the case in a browser: incidents, lineage, time line, tokens, findings, principals, containment, coverage
///
/// The address that is printed holds a token that lets its reader in: hand it to nobody. Other programs
/// of this machine cannot ask without it. What is scanned while it runs is shown within seconds. Plans can
/// be made where it knows how to read the accounts (--facts, --profile and the like); nothing can be carried
/// out from the page unless --allow-apply is given, and then only by the digest of the plan.
///
/// Programs ask for JSON: `/api/v1/openapi.json` says how, and takes the token as `Authorization: Bearer TOKEN`.
#[derive(Debug, Args)]
#[command(after_help = exit::after(EXAMPLES))]
pub(crate) struct Serve {
    #[command(flatten)]
    input: Input,
    /// Where to listen; port 0 takes any free one. An address other than loopback lets the network in,
    /// unencrypted
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// The instant that status is asked for, where the reader names none: `2026-03-02T11:40:00Z`,
    /// `2026-03-02`, `-2h`, `now`; now goes on with the clock
    #[arg(
        long,
        value_name = "T",
        default_value = "now",
        allow_hyphen_values = true
    )]
    at: When,
    #[command(flatten)]
    judge: JudgeArgs,
    #[command(flatten)]
    accounts: FactsArgs,
    /// What `unchain verify --format json` said of a plan; may be repeated
    #[arg(long, value_name = "FILE", help_heading = "Containment")]
    verification: Vec<PathBuf>,
    /// Let a reader of the page carry plans out and undo them, as `unchain apply` and `undo` do, with the
    /// credentials given here. Without it no address of the page changes an account
    #[arg(long, conflicts_with = "source", help_heading = "Containment")]
    allow_apply: bool,
}

impl Serve {
    /// Serves until it is told to stop.
    pub(crate) fn run(&self, context: &mut Context<'_>) -> anyhow::Result<Exit> {
        let judge = self.judge.read()?;
        // Before the case is read: what is written after it is news.
        let watch = match self.input.source.is_empty() {
            true => Some(Watch::new(&self.input.case)?),
            false => None,
        };
        let loaded = self.input.load(context)?;
        let setting = Setting {
            judge: &|report| judged(&judge, report),
            now: match self.at {
                When::Ago(0) => Now::Clock(host_time),
                at => Now::At(at.instant(context.now)),
            },
            threads: available_parallelism().map_or(1, usize::from),
            fetch: Some(&|lineage, sought| records::fetch(&self.input, lineage, sought)),
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let (desk, errands) = self.desk()?;
        scope(|scope| {
            let host = Host {
                desk: &desk,
                setting,
            };
            let (running, over) = channel();
            let served = host.answer(scope, &loaded.ledger).and_then(|()| {
                if let Some(watch) = watch {
                    scope.spawn(move || self.keep_up(scope, (host, watch), &over));
                }
                runtime.block_on(self.listen(context, (&desk, &errands)))
            });
            drop(running);
            errands.end();
            // Its tasks may still ask: they must be gone before the workers can go.
            drop(runtime);
            desk.close();
            served
        })?;
        Ok(loaded.exit)
    }

    /// Who answers for the page, and who does what it may have done.
    fn desk(&self) -> anyhow::Result<(Desk, Arc<Errands>)> {
        let of = (&self.input, &self.accounts);
        let keeper = Keeper::new(of, self.judge.settings(), &self.verification)?;
        let keeper = Arc::new(keeper);
        let errands = Arc::new(Errands::new(Arc::clone(&keeper)));
        let desk = Desk::new(self.containment(&keeper, &errands));
        errands.tell(desk.clone());
        Ok((desk, errands))
    }

    fn containment(&self, keeper: &Arc<Keeper>, errands: &Arc<Errands>) -> Containment {
        let reads = self.accounts.is_given() || self.allow_apply;
        let start = || -> unchain_web::Starting {
            let errands = Arc::clone(errands);
            Arc::new(move |order| refused(errands.start(order)))
        };
        let read = || -> unchain_web::Reading {
            let keeper = Arc::clone(keeper);
            Arc::new(move |question| refused(keeper.read(question)))
        };
        let (plans, commands, run) = (Arc::clone(keeper), Arc::clone(keeper), Arc::clone(errands));
        Containment {
            plans: Arc::new(move || refused(plans.plans())),
            read: reads.then(read),
            verify: (reads && self.input.source.is_empty()).then(start),
            act: self.allow_apply.then(start),
            run: Arc::new(move || run.run()),
            command: Arc::new(move |command| commands.command(command)),
        }
    }

    /// Lets the workers of the grown case take over whenever it has grown.
    fn keep_up<'s>(
        &'s self,
        scope: &'s Scope<'s, '_>,
        (host, watch): (Host<'s>, Watch),
        over: &Receiver<()>,
    ) {
        let pause = Cell::new(TICK);
        let wait = || over.recv_timeout(pause.replace(TICK)) == Err(RecvTimeoutError::Timeout);
        follow(watch, wait, |news| {
            if news.plans {
                host.desk.plans_changed();
            }
            let began = Instant::now();
            if news.ledger {
                self.take_over(scope, host);
            }
            // Reading a large case takes long: half of the time is left for answers.
            pause.set(TICK.max(began.elapsed()));
        });
    }

    /// Where the grown case cannot be read, what was known of it is shown on.
    fn take_over<'s>(&self, scope: &'s Scope<'s, '_>, host: Host<'s>) {
        let taken = self.reread().and_then(|ledger| host.answer(scope, ledger));
        if let Err(error) = taken {
            let why = explained(&error).join("\n");
            // Where a warning cannot be written there is nobody to warn.
            let _ = writeln!(
                std::io::stderr(),
                "warning: the case has grown and cannot be read\n{why}"
            );
        }
    }

    fn reread(&self) -> anyhow::Result<Ledger> {
        Ok(Case::open_existing(&self.input.case)?.load()?)
    }

    async fn listen(
        &self,
        context: &mut Context<'_>,
        (desk, errands): (&Desk, &Arc<Errands>),
    ) -> anyhow::Result<()> {
        let listener = TcpListener::bind(self.listen)
            .await
            .with_context(|| format!("cannot listen on {}; name another port", self.listen))?;
        #[cfg(unix)]
        allow_readers();
        let address = listener.local_addr()?;
        if !address.ip().is_loopback() {
            // Where a warning cannot be written there is nobody to warn.
            let _ = writeln!(
                std::io::stderr(),
                "warning: other machines can reach {address}, and what they send is not encrypted\n\
                 hint: listen on 127.0.0.1 and forward the port by SSH"
            );
        }
        let mut secret = [0; SECRET_BYTES];
        getrandom::fill(&mut secret).context("the system gives no random bytes")?;
        let access = Access::new(secret, address);
        writeln!(context.out, "{}", access.url())?;
        context.out.flush()?;
        let errands = Arc::clone(errands);
        let stop = async move {
            stopped().await;
            errands.ask_to_stop();
            // What is under way may take long to end: who asks again need not wait for it.
            let now = Arc::new(AtomicBool::new(true));
            let _ = register_conditional_default(SIGINT, now);
        };
        unchain_web::serve(listener, (access, desk.clone()), stop).await;
        Ok(())
    }
}

/// Where workers take their seats.
#[derive(Clone, Copy)]
struct Host<'s> {
    desk: &'s Desk,
    setting: Setting<'s>,
}

impl<'s> Host<'s> {
    /// Has a thread answer from a ledger in the place of whoever did; comes back when it does.
    fn answer(
        self,
        scope: &'s Scope<'s, '_>,
        ledger: impl Borrow<Ledger> + Send + 's,
    ) -> anyhow::Result<()> {
        let (ready, begun) = channel();
        scope.spawn(move || {
            let ready = || {
                // Where nobody waits any more the program ends.
                let _ = ready.send(());
            };
            self.desk.answer(ledger.borrow(), self.setting, ready);
        });
        begun.recv().context("the lineage cannot be built")
    }
}

/// Each reader is an open file, of which many systems allow 1,024 to a program that does not ask.
#[cfg(unix)]
fn allow_readers() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let known = getrlimit(Resource::Nofile);
    let wanted = known.maximum.map_or(FILES, |most| most.min(FILES));
    if known.current.is_some_and(|current| current < wanted) {
        let current = Some(wanted);
        // Where it is refused, readers beyond that wait for others to go.
        let _ = setrlimit(Resource::Nofile, Rlimit { current, ..known });
    }
}

/// What the user's settings make of a report.
fn judged(judge: &Judge, report: &Report<'_, '_>) -> Judged {
    judge.judged(report, |scene, found, incidents| {
        let findings = report.findings(scene, found, incidents);
        Judged::new(report, findings, (found, incidents))
    })
}
