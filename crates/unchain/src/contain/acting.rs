//! Who acts on the accounts: the credentials, and how a run is asked to stop.

use crate::output::words::moment;
use anyhow::Context as _;
use clap::Args;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use unchain_aws::{Options, Session};
use unchain_core::contain::{Actuator, Answer, Call, Refusal, RefusalKind};
use unchain_core::text::Untrusted;
use unchain_core::time::Timestamp;

/// Whose credentials change the accounts. Secrets are never arguments: others could see them.
#[derive(Debug, Args)]
#[command(next_help_heading = "Acting")]
pub(crate) struct ActingArgs {
    /// The profile of the AWS configuration files whose credentials act; else as the AWS CLI finds them
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// The role that is assumed before anything is done
    #[arg(long, value_name = "ARN")]
    role_arn: Option<String>,
    /// The role that acts in another account: `111122223333=arn:aws:iam::111122223333:role/responder`; may be
    /// repeated
    #[arg(long, value_name = "ACCOUNT=ARN", value_parser = role_for)]
    role_for: Vec<(String, String)>,
    /// The name of the role that acts in every other account
    #[arg(long, value_name = "NAME")]
    role_name: Option<String>,
    /// The external id that these roles ask for
    #[arg(long, value_name = "ID")]
    external_id: Option<String>,
    /// The region of services that have one
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// Where all services are reached, for a lab: `http://127.0.0.1:4566`
    #[arg(long, value_name = "URL")]
    endpoint_url: Option<String>,
}

fn role_for(text: &str) -> Result<(String, String), String> {
    let (account, role) = text.split_once('=').ok_or("not of the form ACCOUNT=ARN")?;
    super::account_id(account)?;
    super::principal(role)?;
    Ok((account.to_owned(), role.to_owned()))
}

impl ActingArgs {
    /// Finds the credentials. Their sessions are named after the plan, so that the log tells them apart.
    pub(super) fn connect(&self, plan: &str) -> anyhow::Result<Session> {
        let options = Options {
            profile: self.profile.clone(),
            credential: None,
            region: self.region.clone(),
            endpoint_url: self.endpoint_url.clone(),
            role_arn: self.role_arn.clone(),
            external_id: self.external_id.clone(),
            session_name: Some(plan.to_owned()),
            role_for: self.role_for.iter().cloned().collect(),
            role_name: self.role_name.clone(),
        };
        Session::connect(options).context(
            "there is nobody to act as; name credentials with `--profile` or in the environment, as for the AWS CLI",
        )
    }
}

/// The code of a call that was not made because the run is to stop.
pub(super) const ASKED: &str = "AskedToStop";

/// A session that makes no more calls once it was asked to stop.
#[derive(Debug)]
pub(super) struct Acting {
    session: Session,
    stop: Arc<AtomicBool>,
    watched: bool,
    told: Option<Timestamp>,
}

/// Seconds between two words about a wait.
const WORD: i64 = 20;

impl Acting {
    /// The first Ctrl-C lets the call that is under way come to its end; the second ends the program at once.
    pub(super) fn new(session: Session, watched: bool) -> anyhow::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let signal = signal_hook::consts::SIGINT;
        // The order matters: the flag is looked at before it is set.
        signal_hook::flag::register_conditional_default(signal, Arc::clone(&stop))
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&stop)))
            .context("Ctrl-C cannot be listened to")?;
        Ok(Self {
            session,
            stop,
            watched,
            told: None,
        })
    }
}

impl Actuator for Acting {
    fn now(&mut self) -> Timestamp {
        self.session.now()
    }

    fn wait(&mut self, until: Timestamp) {
        let now = self.now();
        let due = self.told.is_none_or(|told| now >= told.plus(WORD));
        if self.watched && due {
            self.told = Some(now);
            // Where a word about progress cannot be written there is nobody to tell.
            let _ = writeln!(
                std::io::stderr(),
                "waiting, and looking after the denies ({} UTC)",
                moment(now)
            );
        }
        if !self.stop.load(Ordering::SeqCst) {
            self.session.wait(until);
        }
    }

    fn call(&mut self, call: &Call) -> Result<Answer, Refusal> {
        if self.stop.load(Ordering::SeqCst) {
            return Err(Refusal {
                kind: RefusalKind::Throttled,
                code: Untrusted::new(ASKED),
                message: Untrusted::new("asked to stop"),
                request_id: None,
            });
        }
        self.session.call(call)
    }
}
