//! `unchain serve` of a case that grows.

use crate::browser::Browser;
use crate::common::{Room, log, scenario};
use std::process::Stdio;

fn events(data: &str) -> u64 {
    let value: serde_json::Value = serde_json::from_str(data).unwrap();
    value["events"].as_u64().unwrap()
}

#[test]
fn what_is_scanned_meanwhile_is_told_and_shown() {
    let records = scenario("whack-a-mole").records();
    let (first, rest) = records.split_at(100);
    let room = Room::new();
    room.write("logs/1.json", log(first).as_bytes());
    assert!(room.run(&["scan", "logs"]).code < 2);
    let mut serve = room.command(&["serve"]);
    let browser = Browser::open(serve.stdout(Stdio::piped()).stderr(Stdio::null()));
    let mut news = browser.news();
    assert_eq!(events(&news.next().unwrap()), 100);
    let page = || browser.get("/tokens").body;
    assert!(page().contains("data-events=\"100\""));
    room.write("logs/2.json", log(rest).as_bytes());
    assert!(room.run(&["scan", "logs"]).code < 2);
    let all = records.len() as u64;
    assert_eq!(events(&news.next().unwrap()), all);
    assert!(page().contains(&format!("data-events=\"{all}\"")));
    assert_eq!(
        browser.stop(),
        Some(0),
        "also while somebody waits for news"
    );
    assert_eq!(news.next(), None);
}
