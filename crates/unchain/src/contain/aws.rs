//! Asking AWS itself: with whose credentials, where, and in which accounts.

use super::{Accounts, account_id, principal};
use anyhow::{Context as _, anyhow};
use clap::Args;
use indicatif::ProgressBar;
use std::time::Duration;
use unchain_aws::{Options, Piece, Scope, Session, facts, snapshot};
use unchain_core::text::{Untrusted, terminal};

/// Whose credentials are used. Secrets are never arguments: others could see them.
#[derive(Debug, Args)]
#[command(next_help_heading = "Credentials")]
pub(crate) struct AwsArgs {
    /// The profile of the AWS configuration files; otherwise credentials are found as the AWS CLI finds them
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// The role that is assumed before anything is done
    #[arg(long, value_name = "ARN")]
    role_arn: Option<String>,
    /// The role to assume in another account: `111122223333=arn:aws:iam::111122223333:role/responder`; may be
    /// repeated
    #[arg(long, value_name = "ACCOUNT=ARN", value_parser = role_for)]
    role_for: Vec<(String, String)>,
    /// The name of the role to assume in every other account
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
    account_id(account)?;
    principal(role)?;
    Ok((account.to_owned(), role.to_owned()))
}

impl AwsArgs {
    /// Finds the credentials. `name` names the sessions of roles, so that the log tells them apart.
    pub(super) fn connect(&self, name: Option<&str>) -> anyhow::Result<Session> {
        let options = Options {
            profile: self.profile.clone(),
            credential: None,
            region: self.region.clone(),
            endpoint_url: self.endpoint_url.clone(),
            role_arn: self.role_arn.clone(),
            external_id: self.external_id.clone(),
            session_name: name.map(str::to_owned),
            role_for: self.role_for.iter().cloned().collect(),
            role_name: self.role_name.clone(),
        };
        Session::connect(options).context(
            "AWS cannot be asked; name credentials with `--profile` or in the environment, as for the AWS CLI",
        )
    }

    /// Reads these accounts and those that have a role, or the caller's own.
    pub(super) fn read(&self, accounts: &[String]) -> anyhow::Result<Accounts> {
        let mut session = self.connect(None)?;
        let caller = session.identity().clone();
        let named = self.role_for.iter().map(|(account, _)| account);
        let mut accounts: Vec<String> = accounts.iter().chain(named).cloned().collect();
        accounts.push(caller.account);
        accounts.sort();
        accounts.dedup();
        let scope = Scope {
            accounts,
            regions: self.region.iter().cloned().collect(),
        };
        // Hidden where nobody watches standard error.
        let bar = ProgressBar::new_spinner();
        bar.enable_steady_tick(Duration::from_millis(200));
        let mut tell = |piece: &Piece| {
            bar.set_message(terminal(&piece.call.action).to_string());
            bar.inc(1);
        };
        let pieces = snapshot(&mut session, &scope, &mut tell);
        bar.finish_and_clear();
        let pieces = pieces.map_err(|refusal| {
            let (code, message) = (refusal.code.terminal(), refusal.message.terminal());
            anyhow!("{code}: {message}").context(
                "AWS does not tell of the accounts; `unchain policy inspect` prints what must be allowed",
            )
        })?;
        Ok(Accounts {
            facts: facts(&pieces),
            caller: Some(Untrusted::new(caller.arn)),
        })
    }
}
