//! The credential report (docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html), which IAM
//! writes without quotes.

use super::read::{account_of, named};
use super::{Facts, FactsError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// `GetCredentialReport` as the AWS CLI prints it: the CSV in base64.
pub(super) fn read_json(facts: &mut Facts, value: &Value) -> Result<(), FactsError> {
    let content = value
        .get("Content")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let bytes = STANDARD.decode(content).map_err(|_| FactsError::Unknown)?;
    read(facts, &String::from_utf8_lossy(&bytes))
}

/// The CSV itself.
pub(super) fn read(facts: &mut Facts, text: &str) -> Result<(), FactsError> {
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().trim().split(',').collect();
    for line in lines.filter(|line| !line.trim().is_empty()) {
        let row = Row {
            header: &header,
            line: line.trim(),
        };
        let Some(account) = row.get("arn").and_then(account_of) else {
            facts
                .unread
                .insert("a row of the credential report".to_owned());
            continue;
        };
        let here = facts.accounts.entry(account.to_owned()).or_default();
        let keys = [
            row.yes("access_key_1_active"),
            row.yes("access_key_2_active"),
        ];
        let active = keys.iter().filter(|key| **key == Some(true)).count();
        let name = row.get("user").unwrap_or_default();
        if name == "<root_account>" {
            here.root_keys = Some(active > 0);
            here.root_mfa = row.yes("mfa_active");
            continue;
        }
        let user = named(here, account, name);
        user.active_keys = u8::try_from(active).ok();
        user.mfa = row.yes("mfa_active");
        user.password = row.yes("password_enabled");
    }
    Ok(())
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

    fn yes(&self, column: &str) -> Option<bool> {
        match self.get(column)? {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }
}
