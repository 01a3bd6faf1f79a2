//! Asking AWS itself: with whose credentials, where, and in which accounts.

use super::carry::said;
use super::{Accounts, account_id, principal, say};
use crate::output::words::pasted;
use anyhow::{anyhow, bail};
use clap::Args;
use indicatif::ProgressBar;
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;
use unchain_aws::{AwsError, Identity, Options, Piece, Scope, Session, facts, snapshot};
use unchain_core::text::{Untrusted, terminal};

/// Whose credentials are used. Secrets are never arguments: others could see them.
#[derive(Clone, Debug, Args)]
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
        Session::connect(options).map_err(|error| {
            let why = format!("AWS cannot be asked; {}", hint(&error));
            anyhow::Error::new(error).context(why)
        })
    }

    /// These options as words of a command that a person may paste. There is no secret among them.
    pub(crate) fn words(&self) -> String {
        let roles = self
            .role_for
            .iter()
            .map(|(account, role)| ("--role-for", Some(format!("{account}={role}"))));
        let named = [
            ("--profile", &self.profile),
            ("--role-arn", &self.role_arn),
            ("--role-name", &self.role_name),
            ("--external-id", &self.external_id),
            ("--region", &self.region),
            ("--endpoint-url", &self.endpoint_url),
        ];
        let named = named.map(|(name, value)| (name, value.clone()));
        let given = named.into_iter().chain(roles);
        let words = given.filter_map(|(name, value)| {
            let value = pasted(&value?).unwrap_or_else(|| "…".to_owned());
            Some(format!(" {name} {value}"))
        });
        words.collect()
    }

    /// Whether a role is named for an account other than the caller's.
    fn reaches(&self, account: &str) -> bool {
        let own = self.role_for.iter().any(|(known, _)| known == account);
        own || self.role_name.is_some()
    }

    /// The accounts to read: those that were named, those that a plan is about as far as there is a way in, and the
    /// caller's own.
    fn accounts(
        &self,
        named: &[String],
        about: &BTreeSet<String>,
        caller: &Identity,
    ) -> anyhow::Result<Vec<String>> {
        let own = &caller.account;
        let shut = named
            .iter()
            .find(|account| *account != own && !self.reaches(account));
        if let Some(account) = shut {
            bail!(
                "account {account} cannot be read with credentials of {own}; name the role to assume there with \
                 `--role-name` or `--role-for`"
            );
        }
        let roles = self.role_for.iter().map(|(account, _)| account);
        let about = about.iter().filter(|account| self.reaches(account));
        let all: BTreeSet<&String> = named
            .iter()
            .chain(roles)
            .chain(about)
            .chain([own])
            .collect();
        Ok(all.into_iter().cloned().collect())
    }

    /// Reads the accounts that are named, those with a role, and the caller's own; of those that a plan is `about`,
    /// the ones that can be reached.
    pub(super) fn read(
        &self,
        named: &[String],
        about: &BTreeSet<String>,
    ) -> anyhow::Result<Accounts> {
        let mut session = self.connect(None)?;
        let caller = session.identity().clone();
        let accounts = self.accounts(named, about, &caller)?;
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
        for piece in &pieces {
            shut(piece)?;
        }
        Ok(Accounts {
            facts: facts(&pieces),
            caller: Some(Untrusted::new(caller.arn)),
        })
    }
}

/// What to do where there is no session.
fn hint(error: &AwsError) -> &'static str {
    match error {
        AwsError::Caller { refusal } if refusal.code.raw() == "NoConnection" => {
            "nobody answers there: look at the network, and at the address in `--endpoint-url` or AWS_ENDPOINT_URL"
        }
        _ => "name credentials with `--profile` or in the environment, as for the AWS CLI",
    }
}

/// Says why an account could not be read at all. One that is read as another account is a mistake that facts do not show.
fn shut(piece: &Piece) -> anyhow::Result<()> {
    if piece.call.action != "GetCallerIdentity" {
        return Ok(());
    }
    let account = piece.call.account.terminal();
    match &piece.outcome {
        Err(refusal) => say(&format!(
            "account {account} could not be read: {}",
            said(refusal)
        )),
        Ok(answer) => {
            let there = answer.get("Account").and_then(Value::as_str);
            if there.is_some_and(|there| there != piece.call.account.raw()) {
                let there = terminal(there.unwrap_or_default()).into_owned();
                bail!(
                    "the role for account {account} is of account {there}; name one of it with `--role-for`"
                );
            }
        }
    }
    Ok(())
}
