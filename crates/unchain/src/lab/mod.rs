//! `unchain lab`: the pretend AWS, its clock and its stories. Must not know how the lab works.

mod clock;
mod play;
mod serve;

pub(crate) use serve::stopped;

use crate::args::Context;
use crate::exit::{self, Exit};
use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use serde_json::Value;
use std::net::SocketAddr;
use unchain_core::time::Timestamp;
use unchain_lab::story::{Client, Place, STORIES, Wire};

const EXAMPLES: &str = "Examples:
  unchain lab --state lab --logs lab-logs
      start it; set the printed variables in the shell of the AWS CLI
  unchain lab clock +13h
      turn the clock of the lab at AWS_ENDPOINT_URL
  unchain lab play whack-a-mole --logs played --truth truth.json
      play an attack step by step in a lab of its own; then unchain scan played
  unchain lab stories
      the stories there are";

/// A pretend AWS on this machine, to try attacks and responses on
///
/// It answers the AWS CLI and the SDKs, enforces IAM policy, writes CloudTrail as AWS does, and has a clock that
/// can be turned. It touches no real account. Without a command it serves.
#[derive(Debug, Args)]
#[command(after_help = exit::after(EXAMPLES), args_conflicts_with_subcommands = true)]
pub(crate) struct Lab {
    #[command(subcommand)]
    command: Option<LabCommand>,
    #[command(flatten)]
    serve: serve::Serve,
}

#[derive(Debug, Subcommand)]
enum LabCommand {
    /// Start the lab and serve until it is stopped
    Serve(serve::Serve),
    Clock(clock::ClockCommand),
    Play(play::Play),
    Accounts(Accounts),
    /// List the stories that come with the lab
    Stories,
}

/// List the accounts of a running lab with their root keys
#[derive(Debug, Args)]
struct Accounts {
    #[command(flatten)]
    reach: Reach,
}

/// Where the running lab is.
#[derive(Debug, Args)]
struct Reach {
    /// The address of the lab, as it printed it
    #[arg(long, value_name = "URL", env = "AWS_ENDPOINT_URL")]
    endpoint: Option<String>,
}

impl Lab {
    /// Runs the command.
    pub(crate) fn run(&self, context: &mut Context<'_>) -> anyhow::Result<Exit> {
        match &self.command {
            None => self.serve.run(context),
            Some(LabCommand::Serve(serve)) => serve.run(context),
            Some(LabCommand::Clock(clock)) => clock.run(context),
            Some(LabCommand::Play(play)) => play.run(context),
            Some(LabCommand::Accounts(accounts)) => accounts.run(context),
            Some(LabCommand::Stories) => {
                for story in STORIES {
                    writeln!(context.out, "{:<24}  {}", story.name, story.about())?;
                }
                Ok(Exit::Clean)
            }
        }
    }
}

impl Accounts {
    fn run(&self, context: &mut Context<'_>) -> anyhow::Result<Exit> {
        let found = self
            .reach
            .wire()?
            .read("accounts")
            .map_err(anyhow::Error::msg)?;
        let accounts = found.get("accounts").and_then(Value::as_array);
        for account in accounts.into_iter().flatten() {
            let text = |pointer: &str| {
                account
                    .pointer(pointer)
                    .and_then(Value::as_str)
                    .unwrap_or("-")
            };
            let (id, name) = (text("/id"), text("/name"));
            let (key, secret) = (
                text("/root_keys/0/access_key_id"),
                text("/root_keys/0/secret_access_key"),
            );
            writeln!(context.out, "{id}  {name:<20}  {key}  {secret}")?;
        }
        Ok(Exit::Clean)
    }
}

impl Reach {
    /// The way to the lab.
    fn wire(&self) -> anyhow::Result<Wire<'static>> {
        let Some(endpoint) = &self.endpoint else {
            bail!(
                "no lab is named; give `--endpoint http://127.0.0.1:PORT` or set AWS_ENDPOINT_URL"
            );
        };
        let place = Place::There(address(endpoint)?);
        let (client, now) = (Client::Own, host_time as fn() -> Timestamp);
        Ok(Wire { place, client, now })
    }
}

/// The address in `http://127.0.0.1:4566`.
fn address(endpoint: &str) -> anyhow::Result<SocketAddr> {
    let bare = endpoint.trim_start_matches("http://").trim_end_matches('/');
    let bare = bare.replace("localhost", "127.0.0.1");
    let parsed = bare.parse::<SocketAddr>();
    parsed.with_context(|| {
        format!("`{endpoint}` is not an address of a lab; it looks like `http://127.0.0.1:4566`")
    })
}

/// The host's time: a lab is a program of its own beside the answers that take `now` as an argument.
pub(crate) fn host_time() -> Timestamp {
    Timestamp::from_seconds(jiff::Timestamp::now().as_second())
}

/// Asks the control address, as an error of this program.
fn control(wire: &Wire<'_>, path: &str, body: &Value) -> anyhow::Result<Value> {
    let answer = wire.control(path, body).map_err(anyhow::Error::msg);
    answer.context("the lab did not do it; is it running at this address?")
}
