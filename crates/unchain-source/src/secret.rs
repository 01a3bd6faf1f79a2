//! Strikes session tokens out of a record before anyone sees it.
//!
//! CloudTrail logs the session token of every issued credential in clear, and it works until it
//! expires. Records are shown only through here.

use serde_json::Value;

/// What stands in the place of a secret.
pub const STRUCK_OUT: &str = "[struck out]";

/// The names of members that hold a session token or a secret key, in lower case, without `-` and `_`.
const SECRETS: [&str; 6] = [
    "sessiontoken",
    "securitytoken",
    "xamzsecuritytoken",
    "awssessiontoken",
    "secretaccesskey",
    "awssecretaccesskey",
];
/// How session tokens begin: base64 of their fixed first bytes.
const TOKEN_STARTS: [&str; 4] = ["IQoJb3JpZ2lu", "FwoGZXIvYXdz", "FQoGZXIvYXdz", "FQoDYXdz"];
/// A JSON string inside a JSON string inside …, followed this far.
const NESTED: u32 = 8;

/// Replaces every session token in `record`, at any depth, also inside strings that hold JSON.
pub fn strike_out(record: &mut Value) {
    strike(record, NESTED);
}

fn strike(value: &mut Value, nested: u32) {
    match value {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                if is_secret(name) && !member.is_null() {
                    *member = Value::String(STRUCK_OUT.to_owned());
                } else {
                    strike(member, nested);
                }
            }
        }
        Value::Array(elements) => elements
            .iter_mut()
            .for_each(|element| strike(element, nested)),
        Value::String(text) => strike_text(text, nested),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A string that names or looks like a token is rewritten where it is JSON and struck out where not.
fn strike_text(text: &mut String, nested: u32) {
    if !is_suspect(text) {
        return;
    }
    let parsed = serde_json::from_str::<Value>(text)
        .ok()
        .filter(|v| v.is_object() || v.is_array() || v.is_string());
    match parsed {
        Some(mut value) if nested > 0 => {
            strike(&mut value, nested - 1);
            *text = value.to_string();
        }
        Some(_) | None => STRUCK_OUT.clone_into(text),
    }
}

fn is_suspect(text: &str) -> bool {
    if TOKEN_STARTS.iter().any(|start| text.contains(start)) {
        return true;
    }
    // A bare mention such as an error message about `SessionToken` is kept: a value must follow.
    text.contains(['=', ':']) && SECRETS.iter().any(|secret| plain(text).contains(secret))
}

fn is_secret(name: &str) -> bool {
    name.len() <= 32 && SECRETS.contains(&plain(name).as_str())
}

fn plain(text: &str) -> String {
    text.chars()
        .filter(|c| !matches!(c, '-' | '_'))
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tokens_are_struck_out_wherever_they_hide() {
        let token = "IQoJb3JpZ2luX2VjEXAMPLE";
        let inner = json!({"Credentials": {"SessionToken": token, "AccessKeyId": "ASIAEXAMPLE"}})
            .to_string();
        let mut record = json!({
            "responseElements": {"credentials": {"sessionToken": "short", "accessKeyId": "ASIAEXAMPLE", "expiration": "x"}},
            "requestParameters": {"X-Amz-Security-Token": "other", "session_token": ["list"], "sessionToken": null},
            "list": [{"deep": {"SESSIONTOKEN": "third"}}],
            "message": inner,
            "twice": json!({"m": inner}).to_string(),
            "url": "https://example.com/?X-Amz-Security-Token=fourth&x=1",
            "value": token,
            "truncated": "{\"sessionToken\":\"fifth",
        });
        strike_out(&mut record);
        let text = record.to_string();
        for secret in [
            "IQoJ", "short", "other", "list\"]", "third", "fourth", "fifth",
        ] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
        assert_eq!(text.matches("ASIAEXAMPLE").count(), 3);
        assert_eq!(record["requestParameters"]["sessionToken"], Value::Null);
    }

    #[test]
    fn the_rest_is_kept() {
        let record = json!({"eventName": "GetSessionToken", "errorMessage": "the session token is expired", "n": [1, null, {"a": "b"}]});
        let mut struck = record.clone();
        strike_out(&mut struck);
        assert_eq!(struck, record);
    }
}
