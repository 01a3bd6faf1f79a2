//! `unchain lab serve`: the lab behind a port of this machine.

use super::host_time;
use crate::args::Context;
use crate::exit::Exit;
use anyhow::{Context as _, anyhow};
use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use unchain_lab::call::Fault;
use unchain_lab::server::{Reach, ServeError, Server};
use unchain_lab::state::Folder;
use unchain_lab::trail::deliver_to;
use unchain_lab::world::{Settings, World};
use unchain_lab::{Lab, organizations};

/// How the lab is started.
#[derive(Debug, Args)]
pub(super) struct Serve {
    /// Where it listens; port 0 takes any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Keep everything in this folder; otherwise it is gone when the lab stops
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Deliver CloudTrail's files of all accounts into this folder, besides the trails that are created
    #[arg(long, value_name = "DIR")]
    logs: Option<PathBuf>,
    /// How many accounts a new lab has, all in one organization; the first is its management account
    #[arg(long, value_name = "N", default_value = "2", value_parser = clap::value_parser!(u16).range(1..=500))]
    accounts: u16,
    /// What the identifiers of a new lab follow from
    #[arg(long, default_value = "1")]
    seed: u64,
    /// How long a change of policy takes to be obeyed, in seconds (`4s`)
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = seconds)]
    consistency_delay: i64,
    /// Deliver records out of order
    #[arg(long)]
    out_of_order: bool,
    /// Of a hundred records, how many are delivered twice
    #[arg(long, value_name = "PERCENT", default_value = "0", value_parser = clap::value_parser!(u8).range(0..=100))]
    duplicates: u8,
    /// The key of the first account's root user
    #[arg(long, value_name = "ID:SECRET", value_parser = key)]
    root_key: Option<(String, String)>,
}

impl Serve {
    pub(super) fn run(&self, context: &mut Context<'_>) -> anyhow::Result<Exit> {
        if !self.listen.ip().is_loopback() {
            return Err(ServeError::Exposed(self.listen).into());
        }
        let folder = self.state.as_deref().map(Folder::open).transpose()?;
        let mut world = match &folder {
            Some(folder) => {
                let new = self.world(context)?;
                folder.world(|| new)?
            }
            None => self.world(context)?,
        };
        deliver_to(&mut world, self.logs.clone());
        let variables = variables(&world);
        let server = Server {
            lab: Arc::new(Lab::new(world)),
            clock: host_time,
            state: folder,
            reach: Reach::Loopback,
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind(self.listen)
                .await
                .with_context(|| format!("cannot listen on {}", self.listen))?;
            let address = listener.local_addr()?;
            writeln!(
                context.out,
                "export AWS_ENDPOINT_URL=http://{address}\n{variables}"
            )?;
            context.out.flush()?;
            server.serve(listener, stopped()).await?;
            Ok(Exit::Clean)
        })
    }

    /// A new world with its accounts.
    fn world(&self, context: &Context<'_>) -> anyhow::Result<World> {
        let settings = Settings {
            consistency_delay: self.consistency_delay,
            out_of_order: self.out_of_order,
            duplicates: self.duplicates,
            ..Settings::default()
        };
        let mut world = World::new(self.seed, settings);
        world.now = context.now.seconds();
        for number in 1..=self.accounts {
            let (id, name) = (
                format!(
                    "{:012}",
                    111_122_223_333_u64 * u64::from(number) % 1_000_000_000_000
                ),
                format!("lab-{number}"),
            );
            match self.root_key.clone().filter(|_| number == 1) {
                Some(key) => world.add_account_with_key(&id, &name, key),
                None => world.add_account(&id, &name),
            };
        }
        if self.accounts > 1 {
            let refused =
                |fault: Fault| anyhow!("no organization of the accounts: {}", fault.message);
            organizations::unite(&mut world).map_err(refused)?;
        }
        Ok(world)
    }
}

/// The lines that a shell needs to be the first account's root user.
fn variables(world: &World) -> String {
    let root = world.accounts.values().next();
    let key = root.and_then(|account| account.iam.root_keys.first());
    let key = key
        .map(|key| (key.id.as_str(), key.secret.as_str()))
        .unwrap_or_default();
    format!(
        "export AWS_ACCESS_KEY_ID={}\nexport AWS_SECRET_ACCESS_KEY={}\nexport AWS_DEFAULT_REGION=us-east-1\n\
         export AWS_EC2_METADATA_DISABLED=true\nunset AWS_SESSION_TOKEN AWS_PROFILE",
        key.0, key.1
    )
}

/// Done when the terminal or the system asks the program to stop.
pub(crate) async fn stopped() {
    let mut terminate =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).ok();
    let terminated = async {
        match &mut terminate {
            Some(signal) => drop(signal.recv().await),
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}

fn seconds(text: &str) -> Result<i64, String> {
    let digits = text.strip_suffix('s').unwrap_or(text);
    digits
        .parse()
        .ok()
        .filter(|seconds| (0..=600).contains(seconds))
        .ok_or_else(|| "not a time of at most 600 seconds, such as `4s`".to_owned())
}

fn key(text: &str) -> Result<(String, String), String> {
    let parts = text
        .split_once(':')
        .filter(|(id, secret)| id.len() >= 16 && !secret.is_empty());
    parts
        .map(|(id, secret)| (id.to_owned(), secret.to_owned()))
        .ok_or_else(|| "not `ID:SECRET`, with an id of at least 16 letters".to_owned())
}
