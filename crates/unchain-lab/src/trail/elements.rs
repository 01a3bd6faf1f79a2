//! `requestParameters` and `responseElements`: how CloudTrail writes what was asked and answered. Secrets are left
//! out here, so that no operation can forget to.

use serde_json::{Map, Value};
use unchain_core::time::Timestamp;

use crate::call::lower_first;
use crate::service::{Protocol, Service};

/// Left out wherever they appear (domain of redaction: passwords, secret keys, one-time codes and assertions are
/// never logged, docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html).
const LEFT_OUT: &[&str] = &[
    "secretAccessKey",
    "tokenCode",
    "password",
    "oldPassword",
    "newPassword",
    "secretString",
    "secretBinary",
    "sAMLAssertion",
    "webIdentityToken",
    "base32StringSeed",
    "qRCodePNG",
    "authenticationCode1",
    "authenticationCode2",
    "zipFile",
    "sAMLMetadataDocument",
    // CloudFormation logs the names of a stack's parameters only
    // (docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-api-logging-cloudtrail.html).
    "parameterValue",
    "templateBody",
];

/// There, but hidden.
const HIDDEN: &[&str] = &["messageBody", "message", "item", "userData", "payload"];

/// Parameters of one service that are there, but hidden; elsewhere the names are harmless.
const HIDDEN_OF: &[(Service, &str)] = &[(Service::Ssm, "value"), (Service::Ssm, "parameters")];

/// What stands in place of a hidden value.
pub const HIDDEN_TEXT: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

/// Maps whose names are the customer's own: they keep their case.
const OWN_NAMES: &[&str] = &[
    "tags",
    "attributes",
    "key",
    "expressionAttributeNames",
    "principalTags",
    "incomingTransitiveTags",
];

/// Parameters of the query protocol, where all is text, that CloudTrail writes as numbers.
const NUMBERS: &[&str] = &[
    "durationSeconds",
    "maxSessionDuration",
    "maxItems",
    "maxResults",
    "minCount",
    "maxCount",
    "minimumPasswordLength",
    "maxPasswordAge",
    "passwordReusePrevention",
    "timeoutInMinutes",
];

/// … and as booleans.
const FLAGS: &[&str] = &[
    "passwordResetRequired",
    "setAsDefault",
    "onlyAttached",
    "allowUsersToChangePassword",
    "requireSymbols",
    "requireNumbers",
    "requireUppercaseCharacters",
    "requireLowercaseCharacters",
    "hardExpiry",
    "dryRun",
    "disableApiTermination",
    "disableRollback",
    "enableTerminationProtection",
    "usePreviousTemplate",
];

/// `requestParameters` of parameters; null when there are none.
pub fn request(service: Service, params: &Map<String, Value>) -> Value {
    let typed = !matches!(service.protocol(), Protocol::Query | Protocol::Ec2);
    let mut request = Map::new();
    for (name, value) in params {
        let name = camel(name);
        if HIDDEN_OF.contains(&(service, &name)) {
            request.insert(name, HIDDEN_TEXT.into());
            continue;
        }
        if let Some(value) = member(&name, value) {
            let value = if typed { value } else { retype(&name, value) };
            request.insert(name, value);
        }
    }
    or_null(request)
}

/// `responseElements` of an answer; null when it says nothing.
pub fn response(value: &Value) -> Value {
    match written(value) {
        Value::Object(members) => or_null(members),
        _ => Value::Null,
    }
}

/// What an operation worded itself, in CloudTrail's names: dates and types as for others, and secrets out all the same.
pub fn own_words(service: Service, value: &Value) -> Value {
    let query = matches!(service.protocol(), Protocol::Query | Protocol::Ec2);
    reworded(value, query)
}

fn reworded(value: &Value, query: bool) -> Value {
    if let Some(date) = dated(value) {
        return date;
    }
    match value {
        Value::Object(members) => members
            .iter()
            .filter(|(name, _)| !LEFT_OUT.contains(&name.as_str()))
            .map(|(name, value)| {
                let value = reworded(value, query);
                let value = if query { retype(name, value) } else { value };
                (name.clone(), value)
            })
            .collect(),
        Value::Array(items) => items.iter().map(|item| reworded(item, query)).collect(),
        other => other.clone(),
    }
}

/// The date that an instant of an answer is written as.
fn dated(value: &Value) -> Option<Value> {
    let seconds = value.get("$time").and_then(Value::as_i64)?;
    Some(date(Timestamp::from_seconds(seconds)).into())
}

fn or_null(members: Map<String, Value>) -> Value {
    if members.is_empty() {
        Value::Null
    } else {
        Value::Object(members)
    }
}

fn written(value: &Value) -> Value {
    if let Some(date) = dated(value) {
        return date;
    }
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (camel(name), value))
            .filter_map(|(name, value)| member(&name, value).map(|value| (name, value)))
            .collect(),
        Value::Array(items) => items.iter().map(written).collect(),
        other => other.clone(),
    }
}

/// A member's value under its name in camel case; none where it is not logged.
fn member(name: &str, value: &Value) -> Option<Value> {
    if value.is_null() || LEFT_OUT.contains(&name) {
        return None;
    }
    if HIDDEN.contains(&name) {
        return Some(HIDDEN_TEXT.into());
    }
    Some(if OWN_NAMES.contains(&name) && value.is_object() {
        value.clone()
    } else {
        written(value)
    })
}

fn camel(name: &str) -> String {
    if name == "ARN" {
        return "arn".to_owned();
    }
    lower_first(name)
}

fn retype(name: &str, value: Value) -> Value {
    let text = value.as_str();
    if NUMBERS.contains(&name)
        && let Some(number) = text.and_then(|text| text.parse::<i64>().ok())
    {
        return number.into();
    }
    if FLAGS.contains(&name)
        && let Some(flag) = text.and_then(|text| text.parse::<bool>().ok())
    {
        return flag.into();
    }
    value
}

/// `Nov 22, 2026, 9:46:15 PM`, UTC, as dates stand in `responseElements`.
pub fn date(time: Timestamp) -> String {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let text = time.to_string();
    let part = |from: usize, to: usize| {
        let digits = text.get(from..to).unwrap_or_default();
        digits.parse::<usize>().unwrap_or_default()
    };
    let month = part(5, 7).checked_sub(1).and_then(|at| MONTHS.get(at));
    let hour = part(11, 13);
    format!(
        "{} {}, {}, {}:{} {}",
        month.copied().unwrap_or_default(),
        part(8, 10),
        part(0, 4),
        (hour + 11) % 12 + 1,
        text.get(14..19).unwrap_or_default(),
        if hour < 12 { "AM" } else { "PM" },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn dates_are_read_back_as_they_were() {
        for text in [
            "2026-11-22T21:46:15Z",
            "2026-01-02T00:00:00Z",
            "2026-01-02T12:05:09Z",
            "2026-12-31T11:59:59Z",
        ] {
            let time = Timestamp::parse(text).expect(text);
            assert_eq!(Timestamp::parse(&date(time)), Some(time), "{}", date(time));
        }
        let evening = Timestamp::parse("2026-11-22T21:46:15Z").expect("a time");
        assert_eq!(date(evening), "Nov 22, 2026, 9:46:15 PM");
    }

    #[test]
    fn names_types_and_secrets_of_a_query() {
        let asked = json!({
            "UserName": "a", "Password": "hunter2", "PasswordResetRequired": "false", "DurationSeconds": "900",
            "Tags": [{"Key": "Team", "Value": "A"}],
        });
        let request = request(Service::Iam, asked.as_object().expect("an object"));
        assert_eq!(
            request,
            json!({
                "userName": "a", "passwordResetRequired": false, "durationSeconds": 900,
                "tags": [{"key": "Team", "value": "A"}],
            })
        );
    }

    #[test]
    fn an_answer_without_its_secrets() {
        let answer = json!({"AccessKey": {"AccessKeyId": "AKIA", "SecretAccessKey": "s", "CreateDate": {"$time": 0}}});
        assert_eq!(
            response(&answer),
            json!({"accessKey": {"accessKeyId": "AKIA", "createDate": "Jan 1, 1970, 12:00:00 AM"}})
        );
        assert_eq!(response(&json!({})), Value::Null);
        assert_eq!(response(&json!({"ARN": "a"})), json!({"arn": "a"}));
    }

    #[test]
    fn own_words_lose_their_secrets_too() {
        let said = json!({
            "credentials": {"secretAccessKey": "s", "accessKeyId": "ASIA", "expiration": {"$time": 0}},
            "durationSeconds": "900",
        });
        assert_eq!(
            own_words(Service::Sts, &said),
            json!({
                "credentials": {"accessKeyId": "ASIA", "expiration": "Jan 1, 1970, 12:00:00 AM"},
                "durationSeconds": 900,
            })
        );
    }
}
