//! Calls made by the AWS CLI as a program: its own signature, protocol and errors
//! (docs.aws.amazon.com/cli/latest/userguide/cli-usage-skeleton.html).

use std::net::SocketAddr;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::answer::Answer;
use super::keys::Keys;
use super::request::Ask;
use crate::service::Service;

/// The CLI writes the new device's seed to a file, and leaves it out of what it prints.
const NEW_DEVICE: &str = "CreateVirtualMFADevice";

/// Whether the CLI has a command for a call. What only agents ask has none; the player asks it by itself.
pub(super) fn knows(ask: &Ask) -> bool {
    ask.operation != "UpdateInstanceInformation"
}

/// Runs the program for one call.
pub(super) fn call((program, lab): (&str, SocketAddr), ask: &Ask, keys: Option<&Keys>) -> Answer {
    let arguments = arguments(ask);
    let mut command = Command::new(program);
    command
        .args(&arguments)
        .env("AWS_ENDPOINT_URL", format!("http://{lab}"))
        // The second version of the CLI reads the one, the first the other.
        .env("AWS_REGION", &ask.region)
        .env("AWS_DEFAULT_REGION", &ask.region)
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_MAX_ATTEMPTS", "1")
        .env_remove("AWS_PROFILE")
        .env_remove("AWS_SESSION_TOKEN");
    if let Some(keys) = keys {
        command
            .env("AWS_ACCESS_KEY_ID", &keys.id)
            .env("AWS_SECRET_ACCESS_KEY", &keys.secret);
        if let Some(token) = &keys.token {
            command.env("AWS_SESSION_TOKEN", token);
        }
    }
    match command.output() {
        Ok(output) if output.status.success() && ask.operation == NEW_DEVICE => {
            Answer::success(with_seed(&output.stdout))
        }
        Ok(output) if output.status.success() => Answer::success(output.stdout),
        Ok(output) => refused(&String::from_utf8_lossy(&output.stderr)),
        Err(error) => Answer::failure("NoAnswer", &format!("`{program}` does not run: {error}")),
    }
}

/// `sts assume-role --output json --cli-input-json {…}`, and the files that S3's and Lambda's commands want.
fn arguments(ask: &Ask) -> Vec<String> {
    let service = match ask.service {
        Service::S3 => "s3api",
        other => other.name(),
    };
    let mut params = ask.params.clone();
    // The CLI takes binary values of such input in base64, and encodes S3's names by itself.
    if let Some(Value::Object(code)) = params.get_mut("Code") {
        code.shift_remove("ZipFile");
        code.insert("S3Bucket".to_owned(), Value::String("code".to_owned()));
        code.insert("S3Key".to_owned(), Value::String("code.zip".to_owned()));
    }
    if ask.operation == "PutObject" && ask.service == Service::S3 {
        params.insert("Body".to_owned(), Value::String(STANDARD.encode(&ask.body)));
    }
    let mut arguments = vec![
        service.to_owned(),
        kebab(&ask.operation),
        "--output".to_owned(),
        "json".to_owned(),
    ];
    if ask.operation == NEW_DEVICE || (ask.service == Service::S3 && ask.operation == "GetObject") {
        arguments.extend(options(&params));
    } else if !params.is_empty() {
        arguments.push("--cli-input-json".to_owned());
        arguments.push(Value::Object(params).to_string());
    }
    if ask.operation.starts_with("AssumeRoleWith") {
        arguments.push("--no-sign-request".to_owned());
    }
    if matches!(
        (ask.service, ask.operation.as_str()),
        (Service::S3, "GetObject") | (Service::Lambda, "Invoke")
    ) {
        arguments.push("/dev/null".to_owned());
    }
    if ask.operation == NEW_DEVICE {
        let seed = [
            "--outfile",
            "/dev/stdout",
            "--bootstrap-method",
            "Base32StringSeed",
        ];
        arguments.extend(seed.map(str::to_owned));
    }
    arguments
}

/// `--bucket logs --key a`: two commands that write files do not take these from the JSON input.
fn options(params: &Map<String, Value>) -> Vec<String> {
    let texts = params
        .iter()
        .filter_map(|(name, value)| Some((name, value.as_str()?)));
    texts
        .flat_map(|(name, value)| [format!("--{}", kebab(name)), value.to_owned()])
        .collect()
}

/// The answer with the seed that was printed before it: no file holds the seed.
fn with_seed(printed: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(printed);
    let Some(at) = text.find('{') else {
        return printed.to_vec();
    };
    let (seed, answer) = text.split_at(at);
    let mut answer: Value = serde_json::from_str(answer).unwrap_or_default();
    if let Some(device) = answer
        .get_mut("VirtualMFADevice")
        .and_then(Value::as_object_mut)
    {
        device.insert(
            "Base32StringSeed".to_owned(),
            Value::String(seed.trim().to_owned()),
        );
    }
    answer.to_string().into_bytes()
}

/// `GetSessionToken` → `get-session-token`; runs of capitals are one word (`CreateVirtualMFADevice` →
/// `create-virtual-mfa-device`), as the CLI has it.
fn kebab(operation: &str) -> String {
    let plain = operation.replace("MFA", "Mfa").replace("SAML", "Saml");
    let plain = plain.replace("OpenID", "OpenId").replace("V2", "-v2");
    let mut out = String::new();
    for letter in plain.chars() {
        if letter.is_ascii_uppercase() && !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

/// `An error occurred (AccessDenied) when calling the AssumeRole operation: …`.
fn refused(said: &str) -> Answer {
    let code = said
        .split_once("An error occurred (")
        .and_then(|(_, rest)| rest.split_once(')'));
    match code {
        Some((code, rest)) => {
            let message = rest.split_once(": ").map_or(rest, |(_, message)| message);
            // What HEAD gets has no code but its status.
            let code = if code == "403" { "AccessDenied" } else { code };
            Answer::failure(code, message.trim())
        }
        None => Answer::failure("NoAnswer", said.trim()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_have_the_clis_names() {
        for (operation, command) in [
            ("GetSessionToken", "get-session-token"),
            ("CreateVirtualMFADevice", "create-virtual-mfa-device"),
            ("ListMFADevices", "list-mfa-devices"),
            ("AssumeRoleWithSAML", "assume-role-with-saml"),
            (
                "CreateOpenIDConnectProvider",
                "create-open-id-connect-provider",
            ),
            ("ListObjectsV2", "list-objects-v2"),
        ] {
            assert_eq!(kebab(operation), command);
        }
    }

    #[test]
    fn the_seed_is_read_from_before_the_answer() {
        let printed = b"ABCDEFGH{\"VirtualMFADevice\": {\"SerialNumber\": \"s\"}}";
        let answer: Value = serde_json::from_slice(&with_seed(printed)).unwrap();
        assert_eq!(answer["VirtualMFADevice"]["Base32StringSeed"], "ABCDEFGH");
        assert_eq!(answer["VirtualMFADevice"]["SerialNumber"], "s");
    }

    #[test]
    fn its_errors_are_read() {
        let said = "\nAn error occurred (AccessDenied) when calling the AssumeRole operation: User: x is not authorized\n";
        let answer = refused(said);
        assert_eq!(answer.error.as_deref(), Some("AccessDenied"));
        assert_eq!(answer.message, "User: x is not authorized");
        assert_eq!(
            refused("Could not connect").error.as_deref(),
            Some("NoAnswer")
        );
    }
}
