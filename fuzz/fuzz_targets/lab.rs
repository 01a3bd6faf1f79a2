//! Any signed requests are answered by the lab, none with a failure of its own, and a world that was saved and read
//! again answers the last of them as the world itself does.
//!
//! An input is requests, apart by lines of `----`: a line of service, method and target, lines of headers, an empty
//! line, the body. The harness signs them with the key of an account's root user, so that what they ask is done.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use support::Signer;
use unchain_core::time::Timestamp;
use unchain_lab::http::{Request, Response};
use unchain_lab::world::{Settings, World};
use unchain_lab::{Lab, state};

#[expect(dead_code, reason = "this target signs and reads no answers")]
#[path = "../../crates/unchain-lab/tests/support/mod.rs"]
mod support;

/// What most operations are about, made before each input.
const SETTING: &str = include_str!("../lab.setting");

static START: LazyLock<(World, Signer)> = LazyLock::new(|| {
    let mut world = World::new(1, Settings::default());
    let (key, secret) = world.add_account("111122223333", "one");
    world.add_account("444455556666", "two");
    let root = Signer { key, secret, ..Signer::default() };
    let lab = Lab::new(world);
    for request in requests(SETTING, &root) {
        let response = lab.handle(&request, now());
        let text = String::from_utf8_lossy(&response.body);
        assert!(response.status < 300, "{request:?}: {text}");
    }
    let world = lab.world().clone();
    (world, root)
});

fn now() -> Timestamp {
    Timestamp::from_seconds(1_795_333_766)
}

fuzz_target!(|text: &str| {
    let (world, root) = &*START;
    let mut requests = requests(text, root);
    let Some(last) = requests.pop() else {
        return;
    };
    let lab = Lab::new(world.clone());
    for request in requests.iter().take(8) {
        answer(&lab, request);
    }
    let saved = state::bytes(&lab.world()).expect("a world has a form");
    let again = Lab::new(read(&saved));
    let (one, two) = (answer(&lab, &last), answer(&again, &last));
    // The event history is not kept.
    if last.header("x-amz-target").is_none_or(|target| !target.ends_with("LookupEvents")) {
        assert_eq!((one.status, shown(&one)), (two.status, shown(&two)), "{last:?}");
    }
});

fn shown(response: &Response) -> String {
    String::from_utf8_lossy(&response.body).into_owned()
}

fn read(saved: &[u8]) -> World {
    let mut value: Value = serde_json::from_slice(saved).expect("what was saved can be read");
    let world = value.get_mut("world").map(Value::take);
    serde_json::from_value(world.expect("a world")).expect("the world can be read")
}

fn answer(lab: &Lab, request: &Request) -> Response {
    let response = lab.handle(request, now());
    let wrong = response.status < 200 || response.status == 500 || response.status > 503;
    assert!(!wrong, "{} to {request:?}: {}", response.status, shown(&response));
    response
}

fn requests(text: &str, root: &Signer) -> Vec<Request> {
    text.split("\n----\n").filter_map(|text| request(text, root)).collect()
}

fn request(text: &str, root: &Signer) -> Option<Request> {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.trim_start().lines();
    let mut words = lines.next()?.split(' ');
    let (service, method, target) = (words.next()?, words.next()?, words.next()?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers = lines.filter_map(|line| {
        let (name, value) = line.split_once(": ")?;
        let value = value.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        Some((name.to_ascii_lowercase(), value))
    });
    let request = Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: headers.collect(),
        body: body.trim_end_matches('\n').as_bytes().to_vec(),
        ..Request::default()
    };
    Some(root.of(service).sign(request, now()))
}
