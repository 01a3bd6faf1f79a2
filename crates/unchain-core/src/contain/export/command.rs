//! One call as a line of the AWS CLI.

use super::{compact, is_account, is_plain, reference};
use crate::contain::plan::Call;
use serde_json::Value;

/// One call as words for a POSIX shell, without `aws` before them: `iam put-role-policy --role-name='app' …`.
///
/// # Errors
///
/// Why it cannot be written so that it means just this.
pub(super) fn command(call: &Call) -> Result<String, &'static str> {
    let lower = |c: char| c.is_ascii_lowercase();
    if call.service.is_empty() || !call.service.chars().all(lower) {
        return Err("its service has no sound name");
    }
    if !is_name(&call.action) {
        return Err("its action has no sound name");
    }
    let mut words = vec![call.service.clone(), hyphenated(&call.action)];
    for (name, value) in &call.parameters {
        words.push(option(name, value)?);
    }
    Ok(words.join(" "))
}

/// Where the credentials for an account come from, as words of the same line.
pub(super) fn profile(account: &str) -> Option<String> {
    let variable = format!("PROFILE_{account}");
    is_account(account).then(|| format!("${{{variable}:+--profile=\"${variable}\"}}"))
}

/// The shell variable that holds a member of the answer to a step.
pub(super) fn variable(step: u32, members: &str) -> String {
    format!("step_{step}_{}", members.replace('.', "_"))
}

fn option(name: &str, value: &Value) -> Result<String, &'static str> {
    if !is_name(name) {
        return Err("a member of the call has no sound name");
    }
    let name = hyphenated(name);
    let value = match value {
        Value::Bool(true) => return Ok(format!("--{name}")),
        Value::Bool(false) => return Ok(format!("--no-{name}")),
        Value::String(text) => match reference(text) {
            Some((step, members)) => format!("\"${}\"", variable(step, members)),
            None => quoted(argument(text)?),
        },
        other => quoted(&compact(other)),
    };
    // One word: a value that begins with a hyphen is no option of its own.
    Ok(format!("--{name}={value}"))
}

/// A text that the AWS CLI takes as it is. It reads a file where a value begins with the name of a scheme
/// (docs.aws.amazon.com/cli/latest/userguide/cli-usage-parameters-file.html).
fn argument(text: &str) -> Result<&str, &'static str> {
    let schemes = ["file://", "fileb://", "http://", "https://"];
    if schemes.iter().any(|scheme| text.starts_with(scheme)) {
        return Err("the AWS CLI would read a file for one of its members");
    }
    if !is_plain(text) {
        return Err("one of its members has characters that cannot be shown");
    }
    Ok(text)
}

/// One word of a POSIX shell (pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html, 2.2.2).
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn is_name(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(|c| c.is_ascii_alphabetic())
        && letters.all(|c| c.is_ascii_alphanumeric())
}

/// `DeactivateMFADevice` as the AWS CLI writes it: `deactivate-mfa-device`.
pub(super) fn hyphenated(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 8);
    let mut before = '\0';
    let mut rest = name.chars().peekable();
    while let Some(c) = rest.next() {
        let begins = rest.peek().is_some_and(char::is_ascii_lowercase);
        let parted = before.is_ascii_lowercase() || before.is_ascii_digit();
        if c.is_ascii_uppercase() && before != '\0' && (begins || parted) {
            out.push('-');
        }
        out.push(c.to_ascii_lowercase());
        before = c;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_aws_cli() {
        for (name, wanted) in [
            ("PutRolePolicy", "put-role-policy"),
            ("DeactivateMFADevice", "deactivate-mfa-device"),
            (
                "DeleteOpenIDConnectProvider",
                "delete-open-id-connect-provider",
            ),
            ("OpenIDConnectProviderArn", "open-id-connect-provider-arn"),
            ("SAMLProviderArn", "saml-provider-arn"),
            ("SetAsDefault", "set-as-default"),
            ("trustAnchorId", "trust-anchor-id"),
        ] {
            assert_eq!(hyphenated(name), wanted);
        }
    }
}
