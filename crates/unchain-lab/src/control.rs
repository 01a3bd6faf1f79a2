//! The control address: what no AWS client can ask. Turns the clock, adds accounts, says where a key's requests come
//! from, changes settings. JSON over the same port; only for programs on this machine, so it refuses whatever a web
//! page can send: requests with an `Origin`, or for a host name that is not this machine's (DNS rebinding).

use serde_json::{Map, Value, json};
use unchain_core::time::Timestamp;

use crate::call::{Fault, Trouble};
use crate::http::{Request, Response};
use crate::trail;
use crate::world::{Settings, Source, World};

/// Every path of the control address begins so; a bucket cannot, since bucket names hold no underscore.
pub const PREFIX: &str = "/_lab/";

/// What answers a path: the world at its time, the rest of the path behind the name, and the body.
pub type Handler = fn(&mut World, &str, &Value) -> Result<Value, Fault>;

/// Paths that are answered by other modules: all that begin with the name and a slash.
const ELSEWHERE: &[(&str, Handler)] = &[
    ("console", crate::signin::control),
    ("story", crate::story::control),
    ("trail", trail::control),
    ("workload", crate::workload::control),
];

/// Answers a control request.
pub fn handle(world: &mut World, request: &Request, host: Timestamp) -> Response {
    let outcome = local(request)
        .and_then(|()| body(request))
        .and_then(|body| answer(world, (request, &body), host));
    let (status, value) = match outcome {
        Ok(value) => (200, value),
        Err(fault) => {
            let code = match &fault.trouble {
                Trouble::Api(code) => code,
                _ => "Refused",
            };
            (
                fault.status,
                json!({"error": {"code": code, "message": fault.message}}),
            )
        }
    };
    Response {
        status,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: value.to_string().into_bytes(),
    }
}

/// Only programs on this machine may ask.
fn local(request: &Request) -> Result<(), Fault> {
    let refuse = |message: &str| Err(Fault::denied(message));
    if !request.peer.to_canonical().is_loopback() {
        return refuse("the control address answers programs on this machine only");
    }
    let from_page = |header: &str| matches!(header, "cross-site" | "same-site");
    let fetched = request.header("sec-fetch-site").is_some_and(from_page);
    if request.header("origin").is_some() || fetched {
        return refuse("the control address does not answer web pages");
    }
    match request.header("host") {
        Some(host) if !here(host) => {
            refuse("the control address answers under this machine's names only")
        }
        _ => Ok(()),
    }
}

/// `localhost:4566`, `127.0.0.1:4566`, `[::1]:4566`, with or without the port.
fn here(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    ["localhost", "127.0.0.1", "[::1]"].contains(&name)
}

fn body(request: &Request) -> Result<Value, Fault> {
    if request.body.iter().all(u8::is_ascii_whitespace) {
        return Ok(json!({}));
    }
    match serde_json::from_slice(&request.body) {
        Ok(Value::Object(body)) => Ok(Value::Object(body)),
        Ok(_) => Err(bad("the body must be a JSON object")),
        Err(error) => Err(bad(format!("the body is not JSON: {error}"))),
    }
}

fn answer(
    world: &mut World,
    (request, body): (&Request, &Value),
    host: Timestamp,
) -> Result<Value, Fault> {
    let path = request.path.strip_prefix(PREFIX).unwrap_or_default();
    match (request.method.as_str(), path) {
        ("GET", "status") => Ok(status(world, host)),
        ("GET", "clock") => Ok(clock(world, host)),
        ("POST", "clock") => turn(world, body, host),
        ("GET", "accounts") => Ok(accounts(world)),
        ("POST", "accounts") => add_account(world, body),
        ("GET", "settings") => Ok(settings(world)),
        ("POST", "settings") => change_settings(world, body),
        ("POST", "source") => source(world, body),
        ("POST", "deliver") => {
            trail::deliver_all(world);
            Ok(json!({}))
        }
        (_, path) => elsewhere(world, path, body),
    }
}

fn elsewhere(world: &mut World, path: &str, body: &Value) -> Result<Value, Fault> {
    let found = path.split_once('/').and_then(|(name, rest)| {
        ELSEWHERE
            .iter()
            .find(|(known, _)| *known == name)
            .map(|row| (row.1, rest))
    });
    match found {
        Some((handler, rest)) => {
            let answer = handler(world, rest, body)?;
            trail::deliver_due(world);
            Ok(answer)
        }
        None => Err(Fault::api(
            404,
            "NotFound",
            format!("the control address has no `{path}` for this method"),
        )),
    }
}

fn bad(message: impl Into<String>) -> Fault {
    Fault::api(400, "BadRequest", message)
}

fn status(world: &World, host: Timestamp) -> Value {
    json!({
        "clock": clock(world, host),
        "accounts": world.accounts.len(),
        "sessions": world.sessions.len(),
        "settings": settings(world),
    })
}

fn clock(world: &World, host: Timestamp) -> Value {
    json!({
        "now": world.time().to_string(),
        "host": host.to_string(),
        "frozen": world.clock.frozen(),
    })
}

/// `{"freeze": bool}`, `{"set": time}`, `{"advance": "+13h"}`, in this order where several are given.
fn turn(world: &mut World, body: &Value, host: Timestamp) -> Result<Value, Fault> {
    let set = member(body, "set", |text| {
        Timestamp::parse(text)
            .ok_or_else(|| bad(format!("`{text}` is no time; write 2026-11-22T12:00:00Z")))
    })?;
    let advance = member(body, "advance", |text| {
        seconds(text).ok_or_else(|| {
            bad(format!(
                "`{text}` is no length of time; write +13h or -1d2h30m"
            ))
        })
    })?;
    match body.get("freeze").map(Value::as_bool) {
        None => {}
        Some(Some(true)) => world.clock.freeze(host),
        Some(Some(false)) => world.clock.run(host),
        Some(None) => return Err(bad("`freeze` must be true or false")),
    }
    if let Some(to) = set {
        world.clock.set(host, to);
    }
    if let Some(seconds) = advance {
        let to = world.clock.at(host).plus(seconds);
        world.clock.set(host, to);
    }
    world.now = world.clock.at(host).seconds();
    trail::deliver_due(world);
    Ok(clock(world, host))
}

/// A member that is text, read; none when it is absent.
fn member<T>(
    body: &Value,
    name: &str,
    read: impl Fn(&str) -> Result<T, Fault>,
) -> Result<Option<T>, Fault> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => read(text).map(Some),
        Some(_) => Err(bad(format!("`{name}` must be text"))),
    }
}

/// `+13h`, `-90s`, `1d2h`, `45` (seconds): seconds, with a sign.
fn seconds(text: &str) -> Option<i64> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest.is_empty() {
        return None;
    }
    let (mut sum, mut number) = (0_i64, String::new());
    for letter in rest.chars() {
        let unit = match letter {
            '0'..='9' => {
                number.push(letter);
                continue;
            }
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return None,
        };
        let count: i64 = number.parse().ok()?;
        sum = sum.checked_add(count.checked_mul(unit)?)?;
        number.clear();
    }
    if !number.is_empty() {
        sum = sum.checked_add(number.parse().ok()?)?;
    }
    Some(sign * sum)
}

/// Accounts with the keys of their root users, which whoever reaches this address may have: it is a pretence.
fn accounts(world: &World) -> Value {
    let accounts = world.accounts.values().map(|account| {
        let keys = account.iam.root_keys.iter().map(|key| {
            json!({"access_key_id": key.id, "secret_access_key": key.secret, "active": key.active})
        });
        json!({"id": account.id, "name": account.name, "root_keys": keys.collect::<Vec<_>>()})
    });
    json!({"accounts": accounts.collect::<Vec<_>>()})
}

/// `{"name": …, "id": …, "access_key_id": …, "secret_access_key": …}`; what is absent is made up.
fn add_account(world: &mut World, body: &Value) -> Result<Value, Fault> {
    let text = |name: &str| member(body, name, |text| Ok(text.to_owned()));
    let id = match text("id")? {
        Some(id) if id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit()) => id,
        Some(id) => return Err(bad(format!("`{id}` is no account id: twelve digits"))),
        None => new_account_id(world),
    };
    if world.accounts.contains_key(&id) {
        return Err(Fault::api(
            409,
            "Conflict",
            format!("the account {id} exists"),
        ));
    }
    let name = text("name")?.unwrap_or_else(|| format!("account-{id}"));
    let key = match (text("access_key_id")?, text("secret_access_key")?) {
        (Some(key), Some(secret)) => chosen_key(world, key, secret)?,
        (None, None) => (
            world
                .ids
                .identifier(unchain_trail::Prefix::LongTermKey, &id),
            world.ids.secret(),
        ),
        _ => return Err(bad("`access_key_id` and `secret_access_key` go together")),
    };
    let (key, secret) = world.add_account_with_key(&id, &name, key);
    Ok(json!({
        "id": id,
        "name": name,
        "root_keys": [{"access_key_id": key, "secret_access_key": secret, "active": true}],
    }))
}

fn new_account_id(world: &mut World) -> String {
    loop {
        let id = format!(
            "{:012}",
            100_000_000_000 + world.ids.number() % 900_000_000_000
        );
        if !world.accounts.contains_key(&id) {
            return id;
        }
    }
}

/// Key ids hold 16 to 128 letters, digits and underscores
/// (docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKey.html).
fn chosen_key(world: &World, key: String, secret: String) -> Result<(String, String), Fault> {
    let letters = key
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !letters || !(16..=128).contains(&key.len()) || secret.is_empty() {
        return Err(bad(
            "an access key id has 16 to 128 letters and digits, and a secret is not empty",
        ));
    }
    if world.key_owners.contains_key(&key) || world.sessions.contains_key(&key) {
        return Err(Fault::api(
            409,
            "Conflict",
            format!("the access key {key} exists"),
        ));
    }
    Ok((key, secret))
}

fn settings(world: &World) -> Value {
    serde_json::to_value(&world.settings).unwrap_or_default()
}

/// Members that are given replace those of the settings; an unknown one is an error, not ignored.
fn change_settings(world: &mut World, body: &Value) -> Result<Value, Fault> {
    let none = Map::new();
    let mut members = settings(world);
    for (name, value) in body.as_object().unwrap_or(&none) {
        match members.get_mut(name) {
            Some(member) => *member = value.clone(),
            None => return Err(bad(format!("there is no setting `{name}`"))),
        }
    }
    let changed: Settings =
        serde_json::from_value(members).map_err(|error| bad(error.to_string()))?;
    if changed.consistency_delay < 0 || changed.delivery_interval < 1 || changed.duplicates > 100 {
        return Err(bad(
            "delays are not negative, a delivery interval is at least 1, duplicates are at most 100",
        ));
    }
    world.settings = changed;
    trail::deliver_due(world);
    Ok(settings(world))
}

/// `{"key": …, "ip": …, "agent": …}`: where requests with a key come from; with neither `ip` nor `agent` the key's
/// requests come from where they come from. Without `key`, or with `*`: all keys.
fn source(world: &mut World, body: &Value) -> Result<Value, Fault> {
    let text = |name: &str| member(body, name, |text| Ok(text.to_owned()));
    let key = text("key")?.unwrap_or_else(|| "*".to_owned());
    let source = Source {
        ip: text("ip")?,
        agent: text("agent")?,
    };
    let answer = json!({"key": key, "ip": source.ip, "agent": source.agent});
    if source.ip.is_none() && source.agent.is_none() {
        world.sources.remove(&key);
    } else {
        world.sources.insert(key, source);
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host() -> Timestamp {
        Timestamp::from_seconds(1_000_000)
    }

    fn world() -> World {
        World::new(1, Settings::default())
    }

    fn request(method: &str, path: &str, body: &str) -> Request {
        Request {
            method: method.to_owned(),
            path: format!("{PREFIX}{path}"),
            headers: vec![("host".to_owned(), "127.0.0.1:4566".to_owned())],
            body: body.as_bytes().to_vec(),
            ..Request::default()
        }
    }

    fn ask(world: &mut World, request: &Request) -> (u16, Value) {
        world.now = world.clock.at(host()).seconds();
        let response = handle(world, request, host());
        (
            response.status,
            serde_json::from_slice(&response.body).unwrap(),
        )
    }

    #[test]
    fn the_clock_is_set_advanced_and_frozen() {
        let mut world = world();
        let body = r#"{"freeze": true, "set": "2026-11-22T08:00:00Z", "advance": "+1d2h30m5s"}"#;
        let (status, clock) = ask(&mut world, &request("POST", "clock", body));
        assert_eq!(
            (status, &clock["now"], &clock["frozen"]),
            (200, &json!("2026-11-23T10:30:05Z"), &json!(true))
        );
        let (_, clock) = ask(
            &mut world,
            &request("POST", "clock", r#"{"advance": "-5"}"#),
        );
        assert_eq!(clock["now"], "2026-11-23T10:30:00Z");
        assert_eq!(ask(&mut world, &request("GET", "clock", "")).1, clock);
        for body in [
            r#"{"set": "soon"}"#,
            r#"{"advance": "1y"}"#,
            r#"{"advance": "99999999999999999999s"}"#,
            r#"{"advance": ""}"#,
            r#"{"freeze": 1}"#,
            "[]",
            "{",
            r#"{"set": 5}"#,
        ] {
            assert_eq!(
                ask(&mut world, &request("POST", "clock", body)).0,
                400,
                "{body}"
            );
        }
        assert_eq!(
            ask(&mut world, &request("GET", "clock", "")).1,
            clock,
            "an error changes nothing"
        );
    }

    #[test]
    fn accounts_are_added_with_keys_given_or_made() {
        let mut world = world();
        let body = r#"{"id": "111122223333", "name": "one", "access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": "s"}"#;
        assert_eq!(ask(&mut world, &request("POST", "accounts", body)).0, 200);
        assert_eq!(ask(&mut world, &request("POST", "accounts", body)).0, 409);
        let (_, made) = ask(&mut world, &request("POST", "accounts", "{}"));
        assert!(
            made["root_keys"][0]["access_key_id"]
                .as_str()
                .unwrap()
                .starts_with("AKIA")
        );
        let (_, all) = ask(&mut world, &request("GET", "accounts", ""));
        assert_eq!(all["accounts"].as_array().unwrap().len(), 2);
        for body in [
            r#"{"id": "1"}"#,
            r#"{"access_key_id": "AKIAIOSFODNN7EXAMPL2"}"#,
            r#"{"access_key_id": "short", "secret_access_key": "s"}"#,
        ] {
            assert_eq!(
                ask(&mut world, &request("POST", "accounts", body)).0,
                400,
                "{body}"
            );
        }
    }

    #[test]
    fn settings_and_sources_change_and_unknown_names_are_refused() {
        let mut world = world();
        let (_, settings) = ask(
            &mut world,
            &request("POST", "settings", r#"{"consistency_delay": 4}"#),
        );
        assert_eq!(
            (
                &settings["consistency_delay"],
                world.settings.consistency_delay
            ),
            (&json!(4), 4)
        );
        for body in [
            r#"{"delay": 4}"#,
            r#"{"consistency_delay": -1}"#,
            r#"{"duplicates": 101}"#,
        ] {
            assert_eq!(
                ask(&mut world, &request("POST", "settings", body)).0,
                400,
                "{body}"
            );
        }
        ask(
            &mut world,
            &request("POST", "source", r#"{"key": "K", "ip": "198.51.100.7"}"#),
        );
        assert_eq!(world.sources["K"].ip.as_deref(), Some("198.51.100.7"));
        ask(&mut world, &request("POST", "source", r#"{"key": "K"}"#));
        assert!(world.sources.is_empty());
        assert_eq!(ask(&mut world, &request("POST", "nothing", "{}")).0, 404);
    }

    #[test]
    fn web_pages_and_other_machines_are_refused() {
        let mut world = world();
        let mut page = request("GET", "accounts", "");
        page.headers.push(("origin".to_owned(), "null".to_owned()));
        let mut rebound = request("GET", "accounts", "");
        rebound.headers[0].1 = "lab.example:4566".to_owned();
        let mut remote = request("GET", "accounts", "");
        remote.peer = "198.51.100.7".parse().unwrap();
        for request in [page, rebound, remote] {
            assert_eq!(ask(&mut world, &request).0, 403);
        }
        for host in ["localhost", "[::1]:80", "[::1]", "127.0.0.1"] {
            let mut request = request("GET", "status", "");
            request.headers[0].1 = host.to_owned();
            assert_eq!(ask(&mut world, &request).0, 200, "{host}");
        }
    }
}
