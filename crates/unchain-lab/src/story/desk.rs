//! What no API client can do: sign-in pages, Identity Center, and services that fetch credentials for workloads. The
//! lab offers them at its control address.

use serde_json::{Value, json};
use unchain_trail::{PrincipalKind, Step, Who};

use super::answer::Answer;
use super::keys::Keys;
use super::player::{Held, Player};
use super::stage::PASSWORD;

/// The calls that are made at the lab's desk.
const CALLS: [&str; 7] = [
    "ConsoleLogin",
    "SwitchRole",
    "ExitRole",
    "GetSigninToken",
    "AuthorizeOAuth2Access",
    "CreateOAuth2Token",
    "GetRoleCredentials",
];

/// The pages of a person's sign-in to the access portal.
const PORTAL: [&str; 4] = [
    "CredentialChallenge",
    "CredentialVerification",
    "UserAuthentication",
    "CreateToken",
];

/// The services whose workloads the lab knows.
const SERVICES: [(&str, &str, &str); 3] = [
    ("ec2.amazonaws.com", "instance", "instance"),
    ("lambda.amazonaws.com", "function", "function"),
    ("ecs-tasks.amazonaws.com", "task", "task"),
];

/// Whether a step is one of those.
pub(super) fn knows(step: &Step) -> bool {
    match &step.who {
        Who::Service(name) => {
            step.call == "AssumeRole" && SERVICES.iter().any(|(service, ..)| service == name)
        }
        Who::Principal { kind, .. } if *kind == PrincipalKind::Person => {
            PORTAL.contains(&step.call.as_str())
        }
        _ => CALLS.contains(&step.call.as_str()),
    }
}

/// Why a step of the desk cannot be played after all.
pub(super) fn refuses(step: &Step) -> Option<&'static str> {
    match step.call.as_str() {
        "CheckMfa" => Some("the lab's console does it together with ConsoleLogin"),
        "SwitchRole" if step.fails().is_some() => {
            Some("the lab's console logs no page for a switch that is refused")
        }
        _ => None,
    }
}

/// Plays such a step.
///
/// # Errors
///
/// What the story should have said otherwise; a refusal is an answer.
pub(super) fn act(player: &mut Player<'_>, step: &Step) -> Result<Answer, String> {
    let (path, body) = request(player, step)?;
    let answer = match player.wire.control(&path, &body) {
        Ok(value) => Answer::success(value.to_string().into_bytes()),
        Err(message) => return Ok(Answer::failure("AccessDenied", &message)),
    };
    let handle = ["session", "SigninToken", "accessToken", "code"]
        .into_iter()
        .find_map(|name| answer.find(name));
    match (keys(&answer), handle) {
        (Some(keys), _) => given(player, step, keys)?,
        (None, Some(handle)) if step.call == "AuthorizeOAuth2Access" => player.code = handle,
        (None, Some(handle)) => player.keep(step, Held::Session(handle)),
        (None, None) => {}
    }
    Ok(answer)
}

/// A key that a console session makes for one request.
pub(super) fn mint(player: &Player<'_>, session: &str) -> Result<Keys, String> {
    let reply = player
        .wire
        .control("console/key", &json!({"session": session}))?;
    keys(&Answer::success(reply.to_string().into_bytes()))
        .ok_or_else(|| "the console made no key".to_owned())
}

/// The keys of an answer: as the API names them, the metadata service, or the environment of a function.
fn keys(answer: &Answer) -> Option<Keys> {
    let find = |api: &str, variable: &str| answer.find(api).or_else(|| answer.find(variable));
    Some(Keys {
        id: find("AccessKeyId", "AWS_ACCESS_KEY_ID")?,
        secret: find("SecretAccessKey", "AWS_SECRET_ACCESS_KEY")?,
        token: find("SessionToken", "AWS_SESSION_TOKEN").or_else(|| answer.find("Token")),
    })
}

/// Keeps keys, under the id that the story's truth has for them.
fn given(player: &mut Player<'_>, step: &Step, keys: Keys) -> Result<(), String> {
    let told = player.new_token(step).and_then(|token| token.key);
    if let Some(told) = told {
        player.learn_key(&told, &keys.id)?;
    }
    player.keep(step, Held::Keys(keys));
    Ok(())
}

/// The page and what is entered there.
fn request(player: &Player<'_>, step: &Step) -> Result<(String, Value), String> {
    let own = step.own().ok_or("the line asks for nothing")?;
    let mut body = json!({"ip": own.address, "agent": own.agent, "region": own.region});
    let (path, entered) = match (&step.who, step.call.as_str()) {
        (Who::Service(service), _) => workload(player, step, service)?,
        (
            Who::Principal {
                kind,
                name,
                account,
            },
            "ConsoleLogin",
        ) => {
            let entered = match kind {
                PrincipalKind::Root => json!({"root": true, "wrong": step.fails().is_some()}),
                _ => json!({"user": name, "password": password(step)}),
            };
            (
                "console/login",
                with(
                    entered,
                    &[("account", account), ("mfa", &code(player, step)?)],
                ),
            )
        }
        (Who::Principal { name, account, .. }, _) => {
            let id = own.record.pointer("/userIdentity/onBehalfOf/userId");
            let id = id.and_then(Value::as_str).unwrap_or_default();
            (
                "console/sso/login",
                json!({"account": account, "user": name, "userId": id, "page": step.call,
                    "credential": if step.option("mfa").is_some() { "TOTP" } else { "PASSWORD" },
                    "wrong": step.fails().is_some()}),
            )
        }
        (Who::Credential(number), call) => signed_in(player, step, (*number, call))?,
        _ => return Err("nobody signs in so".to_owned()),
    };
    if let (Value::Object(body), Value::Object(entered)) = (&mut body, entered) {
        body.extend(entered);
    }
    Ok((path.to_owned(), body))
}

/// What somebody asks who is signed in already, or who comes with keys of a session.
fn signed_in(
    player: &Player<'_>,
    step: &Step,
    (number, call): (usize, &str),
) -> Result<(&'static str, Value), String> {
    let session = match player.held(number)? {
        Held::Session(session) => session.as_str(),
        Held::Keys(keys) if call == "GetSigninToken" => {
            let seconds = step.option("for").and_then(seconds);
            return Ok((
                "console/federation/token",
                json!({"sessionId": keys.id, "sessionKey": keys.secret, "sessionToken": keys.token,
                    "SessionDuration": seconds}),
            ));
        }
        Held::Keys(_) => return Err(format!("keys cannot ask for {call}")),
    };
    Ok(match call {
        "ConsoleLogin" => ("console/federation/login", json!({"SigninToken": session})),
        "SwitchRole" => {
            let arn = step
                .asked
                .iter()
                .find_map(|asked| asked.params.get("roleArn"));
            let arn = arn.and_then(Value::as_str).unwrap_or_default();
            let account = arn.split(':').nth(4).unwrap_or_default();
            let entered = json!({"session": session, "account": account, "role": arn});
            ("console/switch-role", entered)
        }
        "ExitRole" => ("console/exit-role", json!({"session": session})),
        "AuthorizeOAuth2Access" => ("console/authorize", json!({"session": session})),
        "CreateOAuth2Token" => ("console/token", json!({"code": player.code})),
        _ => {
            let assumed = step
                .asked
                .iter()
                .find(|asked| asked.name == "AssumeRoleWithSAML");
            let assumed = assumed.ok_or("the line names no role")?;
            let arn = assumed
                .params
                .get("roleArn")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let role = arn.rsplit('/').next().unwrap_or_default();
            let entered = json!({"accessToken": session, "account": assumed.recipient, "role": role,
                "seconds": assumed.params.get("durationSeconds")});
            ("console/sso/role", entered)
        }
    })
}

/// What a service's workload asks its metadata service.
fn workload(
    player: &Player<'_>,
    step: &Step,
    service: &str,
) -> Result<(&'static str, Value), String> {
    let own = step.own().ok_or("the line asks for nothing")?;
    let text = |name: &str| {
        own.params
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let role = text("roleArn").rsplit('/').next().unwrap_or_default();
    let session = player.known.text(text("roleSessionName"));
    let found = SERVICES.iter().find(|(name, ..)| *name == service);
    let (_, kind, member) = found.ok_or("the lab does not know the service")?;
    let imds = step
        .option("delivery")
        .map_or("2", |delivery| delivery.split('.').next().unwrap_or("2"));
    let entered = json!({"account": own.recipient, "role": role, "imds": imds, *member: session});
    let path = match *kind {
        "instance" => "workload/instance",
        "function" => "workload/function",
        _ => "workload/task",
    };
    Ok((path, entered))
}

fn password(step: &Step) -> &'static str {
    if step.fails().is_some() {
        "not the password"
    } else {
        PASSWORD
    }
}

/// What the device shows that is given at the sign-in; empty without one.
fn code(player: &Player<'_>, step: &Step) -> Result<String, String> {
    let Who::Principal { account, .. } = &step.who else {
        return Ok(String::new());
    };
    match step.option("mfa") {
        Some(device) => player.code(&format!("arn:aws:iam::{account}:mfa/{device}"), step.at),
        None => Ok(String::new()),
    }
}

fn with(mut entered: Value, members: &[(&str, &str)]) -> Value {
    if let Value::Object(fields) = &mut entered {
        for (name, value) in members.iter().filter(|(_, value)| !value.is_empty()) {
            fields.insert((*name).to_owned(), json!(value));
        }
    }
    entered
}

/// `15m`, `36h` as seconds.
fn seconds(text: &str) -> Option<i64> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    Some(digits.parse::<i64>().ok()?.saturating_mul(unit))
}
