//! The report: what it says of the story, and that no text of a log can leave its place in it.

use crate::common::{NOON, Room, Said, fires, lines, log, scenario};
use crate::hostile::poison;
use crate::html::{Page, read};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use comrak::Options;
use insta::assert_snapshot;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use unchain_trail::Trail;

/// What ends a style sheet, a cell, code, a link and a list, begins script, and reaches out.
pub(crate) const MARKUP: &str = "</style></code><script>alert(1)</script><img src=//evil.example onerror=alert(1)>\
     |`x` ``` [a](http://evil.example) ![i](http://evil.example/i.png) http://evil.example www.evil.example \
     me@evil.example <http://evil.example> ~~~ $x$ &lt;b&gt; \\|\n\n# heading\n- item\n\n<iframe>";

fn report(room: &Room, format: &str) -> Said {
    asked(room, ("report", format))
}

fn findings(room: &Room, format: &str) -> Said {
    asked(room, ("findings", format))
}

fn asked(room: &Room, (command, format): (&str, &str)) -> Said {
    room.run(&[
        command, "--source", "logs", "--at", NOON, "--format", format,
    ])
}

/// A room with an incident whose every name holds markup.
fn poisoned() -> Room {
    let mut records = fires("role-chaining").records();
    for record in &mut records {
        poison(record, MARKUP);
    }
    let room = Room::new();
    room.write("logs/trail.json", log(&records).as_bytes());
    room
}

/// Takes out what is different in each run.
fn lasting(text: &str) -> String {
    let kept = |line: &str| match line.split_once(" UTC with unchain ") {
        Some((_, rest)) => format!("Made [NOW] UTC with unchain {rest}"),
        None => line.to_owned(),
    };
    text.lines().map(|line| kept(line) + "\n").collect()
}

#[test]
fn report_of_the_story_as_markdown() {
    let room = Room::with(&scenario("whack-a-mole"));
    assert_snapshot!(lasting(&report(&room, "markdown").out));
}

#[test]
fn an_incident_is_told_with_its_evidence() {
    let trail = fires("role-chaining");
    let room = Room::with(&trail);
    let said = report(&room, "markdown");
    assert_eq!(said.code, 1, "{}", said.err);
    for chapter in [
        "Summary",
        "Incidents",
        "Findings",
        "Scope and coverage",
        "Method",
    ] {
        assert!(said.out.contains(&format!("## {chapter}")), "{chapter}");
    }
    for key in ["A", "ONE", "TWO", "THREE"] {
        let key = trail.key(key).unwrap();
        assert!(said.out.contains(&format!("`{key}`")), "{key}");
    }
    let edges = lines(&room.run(&["edges", "--source", "logs", "--format", "jsonl"]));
    assert_eq!(edges.len(), 3);
    for edge in edges {
        let id = edge["event_ids"][0].as_str().unwrap();
        assert!(said.out.contains(id), "{id}");
    }
}

/// Reads a page as a browser does. It must be sound, and reach for nothing but pages of ATT&CK.
pub(crate) fn inspected(html: &str) -> Page {
    let page = read(html);
    for (name, attributes) in &page.tags {
        let known = "html head meta title style body header main nav section h1 h2 h3 h4 h5 p a b small code pre \
                     span time ul ol li dl dt dd div table caption thead tbody tr th td br bdi details summary \
                     svg svg:title path line rect text g";
        assert!(known.split_whitespace().any(|k| k == name), "<{name}>");
        for attribute in attributes.keys() {
            let inert = !attribute.starts_with("on") && attribute != "src";
            assert!(inert, "{attribute}");
            assert!(attribute != "href" || name == "a", "{name}");
        }
    }
    for place in page.values("a", "href") {
        let attack = place.starts_with("https://attack.mitre.org/");
        assert!(place.starts_with('#') || attack, "{place}");
    }
    page
}

#[test]
fn the_page_is_sound_and_reaches_for_nothing() {
    for (trail, poisoned_too) in [
        (scenario("whack-a-mole"), false),
        (fires("role-chaining"), true),
    ] {
        let room = if poisoned_too {
            poisoned()
        } else {
            Room::with(&trail)
        };
        let said = report(&room, "html");
        let page = inspected(&said.out);
        assert_eq!(
            page.text.contains("<script>"),
            poisoned_too,
            "the text is shown"
        );
        let counts = ["style", "script", "h1"].map(|name| page.count(name));
        assert_eq!(counts, [1, 0, 1]);
        assert!(page.count("tr") > 5, "there are tables");
    }
}

/// The seed story, in which B also takes a role 5,000 times under long names, and each session reads something.
fn five_thousand() -> Trail {
    let mut text = include_str!("../../../../scenarios/whack-a-mole/story.trail").to_owned();
    for (hour, n, times) in [(13, 1, 2000), (15, 2, 2000), (17, 3, 1000)] {
        let job = format!("first-name.second-name.{n}-at-shop.example");
        text.push_str(&format!(
            "{hour}:00 B AssumeRole customer-data-admin as {job} -> J{n} every 3s times {times}\n\
             {hour}:00:01 J{n} GetObject s3://customer-data/2026/a.csv every 3s times {times}\n"
        ));
    }
    Trail::parse(&text).unwrap()
}

#[test]
fn an_incident_of_five_thousand_credentials_fits_in_five_megabytes() {
    let trail = five_thousand();
    let room = Room::with(&trail);
    let began = std::time::Instant::now();
    let at = ["--at", "2026-03-02T18:05:00Z"];
    let said = room.run(&["report", "--source", "logs", at[0], at[1]]);
    let bytes = said.out.len();
    println!("{bytes} bytes in {:.1} s", began.elapsed().as_secs_f64());
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(bytes <= 5_000_000, "{bytes} bytes");
    let page = inspected(&said.out);
    let tokens = [
        "tokens", "--source", "logs", "--format", "jsonl", at[0], at[1],
    ];
    let tokens = lines(&room.run(&tokens));
    assert!(tokens.len() > 5000, "{}", tokens.len());
    let rows: HashMap<&str, &Vec<String>> = page
        .rows
        .iter()
        .filter(|row| row.len() == 7)
        .filter_map(|row| Some((row.first()?.get(..20)?, row)))
        .collect();
    for token in &tokens {
        let Some(key) = token["access_key_id"].as_str() else {
            continue;
        };
        let row = rows.get(key).unwrap_or_else(|| panic!("{key} has a row"));
        let status = token["status"].as_str().unwrap().replace('-', " ");
        assert!(row[1].starts_with(&status), "{row:?}");
        assert_eq!(row[5], token["uses"].to_string(), "{row:?}");
    }
}

#[test]
fn the_policy_of_the_page_allows_its_style_and_nothing_else() {
    let html = report(&Room::with(&fires("role-chaining")), "html").out;
    let page = inspected(&html);
    let policy = page.tags.iter().find_map(|(_, attributes)| {
        let policy = attributes.get("http-equiv")? == "Content-Security-Policy";
        policy.then(|| attributes["content"].clone())
    });
    let (_, style) = html.split_once("<style>").unwrap();
    let (style, _) = style.split_once("</style>").unwrap();
    let hash = BASE64_STANDARD.encode(Sha256::digest(style));
    assert_eq!(
        policy.unwrap(),
        format!(
            "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'"
        )
    );
    for reaches in [
        "url(", "@import", "src=", "<script", "<link", "<base", " style=",
    ] {
        assert!(!html.contains(reaches), "{reaches}");
    }
}

#[test]
fn every_place_that_the_page_links_to_is_there_once() {
    let room = Room::with(&fires("role-chaining"));
    let page = inspected(&report(&room, "html").out);
    let values = |wanted: &str| {
        let all = page.tags.iter().flat_map(|(_, attributes)| attributes);
        let named = all.filter(|(name, _)| *name == wanted);
        named.map(|(_, value)| value.clone()).collect::<Vec<_>>()
    };
    let ids = values("id");
    let links = values("href");
    assert!(
        links.iter().any(|link| link.starts_with("#i-")),
        "{links:?}"
    );
    for link in links.iter().filter_map(|link| link.strip_prefix('#')) {
        assert_eq!(ids.iter().filter(|id| *id == link).count(), 1, "{link}");
    }
}

#[test]
fn markdown_keeps_hostile_text_where_it_is() {
    let said = report(&poisoned(), "markdown");
    assert!(said.out.contains("alert"), "the text is shown");
    let mut options = Options::default();
    let extension = &mut options.extension;
    extension.table = true;
    extension.autolink = true;
    extension.strikethrough = true;
    extension.tasklist = true;
    extension.footnotes = true;
    extension.math_dollars = true;
    // As a renderer does that lets raw HTML pass.
    options.render.r#unsafe = true;
    let html = comrak::markdown_to_html(&said.out, &options);
    for bad in [
        "<script",
        "<img",
        "<iframe",
        "href=\"http://",
        "mailto:",
        "<del",
        "math-style",
    ] {
        assert!(!html.contains(bad), "{bad}: {html}");
    }
    let plain = Room::with(&fires("role-chaining"));
    let plain = comrak::markdown_to_html(&report(&plain, "markdown").out, &options);
    // The command that follows cannot be pasted with such a name, so one small heading is not there.
    assert_eq!(
        html.matches("<h4>").count() + 1,
        plain.matches("<h4>").count()
    );
    for tag in [
        "<h1>", "<h2>", "<h3>", "<h5>", "<table>", "<tr>", "<td>", "<li>",
    ] {
        assert_eq!(
            html.matches(tag).count(),
            plain.matches(tag).count(),
            "{tag}"
        );
    }
}

#[test]
fn a_title_is_text_too() {
    let room = Room::with(&fires("role-chaining"));
    let arguments = ["report", "--source", "logs", "--title", "</title><script>x"];
    let said = room.run(&arguments);
    inspected(&said.out);
    assert!(said.out.contains("<h1>&lt;/title&gt;&lt;script&gt;x</h1>"));
}

#[test]
fn findings_for_a_siem_name_the_credential_and_the_records() {
    let trail = fires("role-chaining");
    let events = lines(&findings(&Room::with(&trail), "ocsf"));
    let event = events
        .iter()
        .find(|e| e["metadata"]["event_code"] == "role-chaining");
    let event = event.expect("a finding");
    assert_eq!(event["class_uid"], 2004);
    assert_eq!(event["type_uid"], 200_401);
    assert_eq!(event["metadata"]["uid"], event["finding_info"]["uid"]);
    let user = &event["evidences"][0]["actor"]["user"];
    assert_eq!(user["credential_uid"], trail.key("THREE").unwrap());
    assert_eq!(event["cloud"]["account"]["uid"], "444455556666");
    assert!(
        !event["finding_info"]["related_events"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    // The same logs give the same lines.
    let again = lines(&findings(&Room::with(&trail), "ocsf"));
    assert_eq!(events, again);
}

#[test]
fn a_time_line_has_its_mandatory_fields_in_order_of_time() {
    for room in [Room::with(&scenario("whack-a-mole")), poisoned()] {
        let said = findings(&room, "timesketch");
        assert!(said.out.is_ascii());
        let rows = lines(&said);
        let edges = lines(&room.run(&["edges", "--source", "logs", "--format", "jsonl"]));
        let steps = rows
            .iter()
            .filter(|row| row["data_type"] == "unchain:lineage")
            .count();
        assert_eq!(steps, edges.len());
        assert!(rows.len() > steps, "findings are in it");
        for row in &rows {
            for field in ["message", "datetime", "timestamp_desc"] {
                assert!(
                    row[field].as_str().is_some_and(|text| !text.is_empty()),
                    "{row}"
                );
            }
            assert!(row["datetime"].as_str().unwrap().ends_with("+00:00"));
        }
        let times: Vec<i64> = rows
            .iter()
            .map(|r| r["timestamp"].as_i64().unwrap())
            .collect();
        assert!(times.is_sorted());
    }
}

#[test]
fn a_report_replaces_no_file_unless_told_to() {
    let room = Room::with(&fires("role-chaining"));
    let ask = |more: &[&str]| {
        let mut arguments = vec!["report", "--source", "logs", "--output", "report.html"];
        arguments.extend(more);
        room.run(&arguments)
    };
    room.write("report.html", b"mine");
    let refused = ask(&[]);
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("--force"), "{}", refused.err);
    assert_eq!(room.read("report.html"), b"mine");
    let written = ask(&["--force"]);
    assert_eq!((written.code, &*written.out), (1, ""));
    inspected(&String::from_utf8(room.read("report.html")).unwrap());
}
