//! The credential report (docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html), which IAM
//! writes without quotes.

use super::read::{account_of, either, user};
use super::{Account, Facts, FactsError};
use crate::time::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An access key as the report tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReportedKey {
    /// Whether it is active.
    pub active: bool,
    /// When it was made or last replaced, UTC.
    pub made: Option<Timestamp>,
}

/// `GetCredentialReport` as the AWS CLI prints it: the CSV in base64.
pub(super) fn read_json(facts: &mut Facts, value: &Value) -> Result<(), FactsError> {
    let content = value
        .get("Content")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let bytes = STANDARD.decode(content).map_err(|_| FactsError::Unknown)?;
    read(facts, &String::from_utf8_lossy(&bytes));
    Ok(())
}

/// The CSV itself.
pub(super) fn read(facts: &mut Facts, text: &str) {
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().trim().split(',').collect();
    for line in lines.filter(|line| !line.trim().is_empty()) {
        let row = Row {
            header: &header,
            line: line.trim(),
        };
        match row.get("arn").and_then(account_of) {
            Some(account) => {
                let here = facts.accounts.entry(account.to_owned()).or_default();
                row.put(here, account);
            }
            None => {
                let row = "a row of the credential report".to_owned();
                facts.unread.insert(row);
            }
        }
    }
}

struct Row<'t> {
    header: &'t [&'t str],
    line: &'t str,
}

impl<'t> Row<'t> {
    /// A user's name may hold commas (IAM User Guide, name requirements), and it comes first and again in the ARN, so
    /// the other cells are counted from the end.
    fn get(&self, column: &str) -> Option<&'t str> {
        let arn = self.line.rfind(",arn:")?;
        match column {
            "user" => self.line.get(..arn),
            "arn" => {
                let cells = self.header.len().checked_sub(1)?;
                self.line.get(arn + 1..)?.rsplitn(cells, ',').last()
            }
            _ => {
                let place = self.header.iter().rev().position(|name| *name == column)?;
                self.line.rsplit(',').nth(place)
            }
        }
    }

    fn put(&self, here: &mut Account, account: &str) {
        let keys = ["1", "2"].map(|n| self.key(n));
        let active = keys.iter().flatten().filter(|(key, _)| key.active).count();
        let name = self.get("user").unwrap_or_default();
        if name == "<root_account>" {
            either(&mut here.root_keys, Some(active > 0));
            either(&mut here.root_mfa, self.yes("mfa_active"));
            return;
        }
        let used = keys.iter().flatten().map(|(_, used)| *used).collect();
        here.last_used.reported.insert(name.to_owned(), used);
        let user = user(here, account, name);
        if let Some(arn) = self.get("arn") {
            arn.clone_into(&mut user.arn);
        }
        user.active_keys = u8::try_from(active).ok();
        user.mfa = self.yes("mfa_active");
        either(&mut user.password, self.yes("password_enabled"));
        user.reported_keys = keys.into_iter().flatten().map(|(key, _)| key).collect();
    }

    /// A key, and when it was last used.
    fn key(&self, number: &str) -> Option<(ReportedKey, Option<Timestamp>)> {
        let cell = |what: &str| self.get(&format!("access_key_{number}_{what}"));
        let key = ReportedKey {
            active: cell("active")? == "true",
            made: cell("last_rotated").and_then(Timestamp::parse),
        };
        Some((key, cell("last_used_date").and_then(Timestamp::parse)))
    }

    fn yes(&self, column: &str) -> Option<bool> {
        match self.get(column)? {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }
}
