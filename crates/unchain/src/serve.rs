//! `unchain serve`: the case in a browser.

use crate::args::Context;
use crate::exit::{self, Exit};
use crate::input::Input;
use crate::judge::{Judge, JudgeArgs};
use crate::lab::{host_time, stopped};
use crate::records;
use crate::when::When;
use anyhow::Context as _;
use clap::Args;
use std::io::Write as _;
use std::net::SocketAddr;
use std::thread::available_parallelism;
use tokio::net::TcpListener;
use unchain_core::report::Report;
use unchain_web::{Access, Asker, Judged, Now, SECRET_BYTES, Setting, with_workers};

const EXAMPLES: &str = "Examples:
  unchain serve
      prints an address; open it in a browser, end with Ctrl-C
  unchain serve --at 2026-03-02T12:05:00Z --listen 127.0.0.1:8080
      what was alive then, on a port of your choice";

/// Show the case in a browser: incidents, findings, tokens, principals, coverage
///
/// The address that is printed holds a token that lets its reader in: hand it to nobody. Other programs
/// of this machine cannot ask without it. Nothing can be changed from the page. The case is read once:
/// what is scanned later is shown after a new start.
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
}

impl Serve {
    /// Serves until it is told to stop.
    pub(crate) fn run(&self, context: &mut Context<'_>) -> anyhow::Result<Exit> {
        let judge = self.judge.read()?;
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
        // The workers end when nobody can ask them: the runtime, whose tasks can, must be gone by then.
        with_workers(&loaded.ledger, setting, |asker| {
            let runtime = runtime;
            runtime.block_on(self.listen(context, asker))
        })?;
        Ok(loaded.exit)
    }

    async fn listen(&self, context: &mut Context<'_>, asker: Asker) -> anyhow::Result<()> {
        let listener = TcpListener::bind(self.listen)
            .await
            .with_context(|| format!("cannot listen on {}; name another port", self.listen))?;
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
        unchain_web::serve(listener, (access, asker), stopped()).await;
        Ok(())
    }
}

/// What the user's settings make of a report.
fn judged(judge: &Judge, report: &Report<'_, '_>) -> Judged {
    judge.judged(report, |scene, found, incidents| Judged {
        findings: report.findings(scene, found, incidents),
        subjects: found.iter().map(|finding| finding.subject).collect(),
        roots: incidents.iter().map(|incident| incident.root).collect(),
        reached: incidents
            .iter()
            .map(|incident| report.reached(incident))
            .collect(),
    })
}
