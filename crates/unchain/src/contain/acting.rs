//! Acting on the accounts: how a run is asked to stop, and what is said while it waits.

use super::carry::said;
use crate::output::words::moment;
use anyhow::{Context as _, anyhow, bail};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use unchain_aws::Session;
use unchain_core::contain::{Actuator, Answer, Call, Refusal, RefusalKind};
use unchain_core::text::{Untrusted, terminal};
use unchain_core::time::Timestamp;

/// The code of a call that was not made because the run is to stop.
pub(super) const ASKED: &str = "AskedToStop";

/// Raised where a run is to stop between two calls.
pub(crate) type Stopping = Arc<AtomicBool>;

/// A session that makes no more calls once it was asked to stop.
#[derive(Debug)]
pub(super) struct Acting {
    session: Session,
    stop: Stopping,
    watched: bool,
    told: Option<Timestamp>,
}

/// Seconds between two words about a wait.
const WORD: i64 = 20;

/// A flag that the first Ctrl-C raises, so that the call that is under way comes to its end; the second ends the program
/// at once.
pub(crate) fn listened() -> anyhow::Result<Stopping> {
    let stop = Stopping::default();
    let signal = signal_hook::consts::SIGINT;
    // The order matters: the flag is looked at before it is set.
    signal_hook::flag::register_conditional_default(signal, Arc::clone(&stop))
        .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&stop)))
        .context("Ctrl-C cannot be listened to")?;
    Ok(stop)
}

impl Acting {
    /// No call is made once the flag is raised.
    pub(super) fn new(session: Session, (stop, watched): (Stopping, bool)) -> Self {
        Self {
            session,
            stop,
            watched,
            told: None,
        }
    }

    /// Makes sure that whoever acts in each of these accounts is of that account, before anything is changed in any.
    pub(super) fn reach(&mut self, accounts: &BTreeSet<String>) -> anyhow::Result<()> {
        let hint = "name the role to assume there with `--role-name` or `--role-for`";
        for account in accounts {
            let call = Call {
                service: "sts".to_owned(),
                action: "GetCallerIdentity".to_owned(),
                account: Untrusted::new(account.as_str()),
                parameters: Map::new(),
            };
            let shut = format!(
                "nothing can be done in account {}; {hint}",
                terminal(account)
            );
            let answer = self.session.call(&call);
            let answer = answer.map_err(|refusal| anyhow!(said(&refusal)).context(shut))?;
            let there = answer.value.get("Account").and_then(Value::as_str);
            if there != Some(account) {
                let there = terminal(there.unwrap_or_default());
                bail!(
                    "the role for account {} is of account {there}; {hint}",
                    terminal(account)
                );
            }
        }
        Ok(())
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
