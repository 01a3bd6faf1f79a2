//! The credential report
//! (docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html).

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use unchain_core::time::Timestamp;

use super::{AccessKey, Iam, Login, ROOT, answer, fault, find};
use crate::call::{Call, Fault, Reply};
use crate::world::World;

/// A report serves four hours; then another is made.
const FRESH: i64 = 4 * 3600;
/// Columns of a key, twice, after those of user and password, before those of two certificates.
const HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,\
    password_next_rotation,mfa_active,\
    access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,\
    access_key_1_last_used_service,\
    access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,\
    access_key_2_last_used_service,\
    cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated";

/// `GenerateCredentialReport`.
pub(super) fn generate(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let now = call.at.seconds();
    let (account, iam) = answer::here(world, call)?;
    if let Some((made, _)) = iam.credential_report
        && now - made < FRESH
    {
        return Ok(Reply::of(json!({"State": "COMPLETE"})));
    }
    let report = report(account, iam);
    find::change(world, call)?.credential_report = Some((now, report));
    Ok(Reply::of(json!({
        "State": "STARTED",
        "Description": "No report exists. Starting a new report generation task",
    })))
}

/// `GetCredentialReport`.
pub(super) fn get(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let Some((made, report)) = &find::iam(world, call)?.credential_report else {
        return Err(fault::other(
            410,
            "ReportNotPresent",
            "No report exists. Please generate a report first.",
        ));
    };
    if call.at.seconds() - made >= FRESH {
        return Err(fault::other(
            410,
            "ReportExpired",
            "The credential report has expired. Please generate a new report.",
        ));
    }
    Ok(Reply::of(json!({
        "Content": STANDARD.encode(report),
        "ReportFormat": "text/csv",
        "GeneratedTime": answer::time(*made),
    })))
}

/// One line of the report.
struct Row<'i> {
    name: &'i str,
    arn: String,
    created_at: i64,
    login: Option<&'i Login>,
    password_used: Option<i64>,
    keys: &'i [AccessKey],
    max_age: Option<i64>,
}

fn report(account: &str, iam: &Iam) -> String {
    let root = Row {
        name: ROOT,
        arn: format!("arn:aws:iam::{account}:root"),
        created_at: iam.root_keys.first().map_or(0, |key| key.created_at),
        login: iam.root_login.as_ref(),
        password_used: None,
        keys: &iam.root_keys,
        max_age: None,
    };
    let max_age = iam
        .password_policy
        .as_ref()
        .and_then(|policy| policy.max_age);
    let users = iam.users.iter().map(|(name, user)| Row {
        name,
        arn: user.arn(account, name),
        created_at: user.created_at,
        login: user.login.as_ref(),
        password_used: user.password_last_used,
        keys: &user.keys,
        max_age,
    });
    let mut text = HEADER.to_owned();
    for row in std::iter::once(root).chain(users) {
        let _ = write!(text, "\n{}", line(iam, &row));
    }
    text
}

fn line(iam: &Iam, row: &Row<'_>) -> String {
    let mfa = iam
        .mfa_devices
        .values()
        .flat_map(|device| &device.enabled)
        .any(|(user, _)| user == row.name);
    let mut cells = vec![row.name.to_owned(), row.arn.clone(), date(row.created_at)];
    cells.extend(password(row));
    cells.push(mfa.to_string());
    let mut keys = row.keys.iter();
    cells.extend(key(keys.next()));
    cells.extend(key(keys.next()));
    cells.extend(["false", "N/A", "false", "N/A"].map(str::to_owned));
    cells.join(",")
}

fn password(row: &Row<'_>) -> [String; 4] {
    let Some(login) = row.login else {
        let unknown = if row.name == ROOT {
            "not_supported"
        } else {
            "N/A"
        };
        let enabled = if row.name == ROOT {
            "not_supported"
        } else {
            "false"
        };
        return [enabled, unknown, unknown, unknown].map(str::to_owned);
    };
    let next = row.max_age.map_or_else(
        || "N/A".to_owned(),
        |days| date(login.created_at.saturating_add(days.saturating_mul(86_400))),
    );
    let used = row
        .password_used
        .map_or_else(|| "no_information".to_owned(), date);
    ["true".to_owned(), used, date(login.created_at), next]
}

fn key(key: Option<&AccessKey>) -> [String; 5] {
    let none = || "N/A".to_owned();
    let Some(key) = key else {
        return ["false".to_owned(), none(), none(), none(), none()];
    };
    let (used, region, service) = match &key.last_used {
        Some((at, service, region)) => (date(*at), region.clone(), service.clone()),
        None => (none(), none(), none()),
    };
    let rotated = date(key.created_at);
    [key.active.to_string(), rotated, used, region, service]
}

/// As the report writes instants: UTC with its offset in digits.
fn date(seconds: i64) -> String {
    Timestamp::from_seconds(seconds)
        .to_string()
        .replace('Z', "+00:00")
}
