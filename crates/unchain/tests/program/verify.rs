//! `unchain verify`, and the containment in a report: what they say of the story after a plan was carried out.

use crate::common::{Room, Said};
use crate::report::{MARKUP, inspected};
use insta::assert_snapshot;
use serde_json::{Value, json};
use std::path::PathBuf;
use unchain_case::Case;
use unchain_core::contain::{Happened, Receipt, Work};
use unchain_core::time::Timestamp;
use unchain_trail::Trail;

const PLANNED: &str = "2026-03-02T16:00:00Z";
const ASKED: &str = "2026-03-02T17:10:00Z";
const OLIVIA: &str = "arn:aws:iam::111122223333:user/olivia";
/// The account with the backups is quiet in the evening but for Bob, who looks.
const EVENING: &str = "
16:25 BOB SwitchRole shared/auditor -> EVENING
16:26 EVENING DescribeTrails
17:01 EVENING LookupEvents
";

fn story(more: &str) -> Trail {
    let root =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/whack-a-mole/story.trail");
    let text = std::fs::read_to_string(root).unwrap();
    Trail::parse(&format!("{text}{more}")).unwrap()
}

/// What the AWS CLI printed of the accounts before the plan, by file name.
fn fixtures() -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/program/contain");
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let json = files.filter(|path| path.extension().is_some_and(|kind| kind == "json"));
    json.map(|path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read_to_string(path).unwrap())
    })
    .collect()
}

/// A room with the log, the accounts before, and a plan for the leaked key.
fn planned(more: &str) -> (Room, Value) {
    let trail = story(more);
    let room = Room::with(&trail);
    for (name, text) in fixtures() {
        room.write(&format!("before/{name}"), text.as_bytes());
    }
    let key = trail.key("A").unwrap();
    let said = room.run(&[
        "plan", key, "--source", "logs", "--facts", "before", "--at", PLANNED, "--exempt", OLIVIA,
    ]);
    assert!(said.code < 2, "{}{}", said.out, said.err);
    let plan = serde_json::from_slice(&room.read("plan.json")).unwrap();
    (room, plan)
}

/// Writes the accounts as they are after a plan's calls, but for one step.
fn carry_out(room: &Room, plan: &Value, left_out: Option<u64>) {
    for (name, text) in fixtures() {
        let account = name.split('.').rev().nth(1).unwrap();
        let mut value: Value = serde_json::from_str(&text).unwrap();
        for step in plan["steps"].as_array().unwrap() {
            let call = &step["action"]["call"];
            if call["account"] == *account && left_out != step["number"].as_u64() {
                apply(&mut value, call);
            }
        }
        if name.starts_with("credential-report") {
            continue;
        }
        room.write(&format!("now/{name}"), value.to_string().as_bytes());
    }
}

fn apply(value: &mut Value, call: &Value) {
    let parameters = &call["parameters"];
    let (list, named, inline) = match call["action"].as_str().unwrap() {
        "PutUserPolicy" => ("UserDetailList", "UserName", "UserPolicyList"),
        "PutRolePolicy" => ("RoleDetailList", "RoleName", "RolePolicyList"),
        "UpdateAccessKey" => {
            let keys = value.get_mut("AccessKeyMetadata");
            for key in keys.and_then(Value::as_array_mut).into_iter().flatten() {
                if key["AccessKeyId"] == parameters["AccessKeyId"] {
                    key["Status"] = parameters["Status"].clone();
                }
            }
            return;
        }
        other => panic!("{other} is not known here"),
    };
    let held = value.get_mut(list).and_then(Value::as_array_mut);
    let held = held.into_iter().flatten();
    for holder in held.filter(|holder| holder[named] == parameters[named]) {
        if !holder[inline].is_array() {
            holder[inline] = json!([]);
        }
        let policies = holder[inline].as_array_mut().unwrap();
        policies.retain(|policy| policy["PolicyName"] != parameters["PolicyName"]);
        policies.push(json!({"PolicyName": parameters["PolicyName"], "PolicyDocument": parameters["PolicyDocument"]}));
    }
}

fn verified(room: &Room, more: &[&str]) -> Said {
    let fixed = ["verify", "plan.json", "--source", "logs", "--at", ASKED];
    room.run(&[&fixed, more].concat())
}

#[test]
fn a_plan_that_was_carried_out_is_contained() {
    let (room, plan) = planned(EVENING);
    carry_out(&room, &plan, None);
    let said = verified(&room, &["--facts", "now"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert_snapshot!(room.redacted(&said));
    let json = verified(&room, &["--facts", "now", "--format", "json"]);
    let found: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(found["outcome"], "contained");
    assert_eq!(found["snapshot"]["conclusion"]["is"], "proven");
    assert_eq!(found["trail"]["conclusion"]["is"], "proven");
}

#[test]
fn what_lives_is_told() {
    let more = format!("16:40 SPARE ListBuckets from 203.0.113.77\n{EVENING}");
    let (room, plan) = planned(&more);
    let mut keys = plan["steps"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|step| step["phase"] == "keys");
    let last = keys.next_back().unwrap()["number"].as_u64();
    carry_out(&room, &plan, last);
    let said = verified(&room, &["--facts", "now"]);
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    assert_snapshot!(room.redacted(&said));
}

#[test]
fn what_is_not_known_is_not_contained() {
    let (room, plan) = planned("");
    // The log of the other account ends in the morning.
    let said = verified(&room, &["--log-only"]);
    assert_eq!(said.code, 2, "{}", said.out);
    assert_snapshot!(room.redacted(&said));
    // Facts that were never given are asked of AWS, which nobody let us do here; and a plan is a plan.
    carry_out(&room, &plan, None);
    let said = room.run(&[
        "verify",
        "now/access-keys.alice.111122223333.json",
        "--source",
        "logs",
        "--log-only",
    ]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("is no plan"), "{}", said.err);
    let said = room.fed(
        &[
            "verify",
            "plan.json",
            "--source",
            "-",
            "--log-only",
            "--watch",
            "1",
        ],
        b"",
    );
    assert!(said.err.contains("cannot be read again"), "{}", said.err);
}

#[test]
fn a_log_is_watched_until_it_is_known() {
    let (room, _) = planned(EVENING);
    // It reaches far enough, so nothing is waited for.
    let said = room.run(&[
        "verify",
        "plan.json",
        "--source",
        "logs",
        "--log-only",
        "--watch",
        "30",
    ]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
}

/// The case of the room's log, with a journal in which every call was done.
fn journal(room: &Room, plan: &Value) -> (PathBuf, String) {
    let said = room.run(&["scan", "logs"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let path = room.path().join("unchain.case");
    let mut case = Case::open_existing(&path).unwrap();
    let plan_of = unchain_core::contain::from_json(&plan.to_string()).unwrap();
    let digest = case.add_plan(&plan_of).unwrap();
    let mut at = Timestamp::parse("2026-03-02T16:01:00Z").unwrap();
    let calls = plan_of
        .steps
        .iter()
        .filter(|s| matches!(s.action, unchain_core::contain::Action::Call(_)));
    for (sequence, step) in (1u32..).zip(calls) {
        at = at.plus(2);
        let answer = Value::Null;
        let request_id = Some(format!("request-{sequence}"));
        let what = Happened::Done {
            answer,
            request_id,
            already: false,
        };
        let plan = digest.clone();
        let receipt = Receipt {
            plan,
            sequence,
            at,
            work: Work::Apply,
            step: step.number,
            what,
        };
        case.add_receipt(&receipt).unwrap();
    }
    (path, digest)
}

#[test]
fn what_is_proven_is_noted_once_in_the_journal() {
    let (room, plan) = planned(EVENING);
    let (path, digest) = journal(&room, &plan);
    let noted = || {
        let past = Case::open_existing(&path)
            .unwrap()
            .receipts(&digest)
            .unwrap();
        past.iter()
            .filter(|r| matches!(r.what, Happened::Verified))
            .count()
    };
    let short: String = digest.chars().take(12).collect();
    let ask = |more: &[&str]| room.run(&[&["verify", &short, "--at", ASKED], more].concat());
    // A quiet log alone does not let anything be deleted.
    assert_eq!(ask(&["--log-only"]).code, 0);
    assert_eq!(noted(), 0);
    carry_out(&room, &plan, None);
    for _ in 0..2 {
        let said = ask(&["--facts", "now"]);
        assert_eq!(said.code, 0, "{}{}", said.out, said.err);
        assert_eq!(noted(), 1);
    }
    // The report of the case tells it all.
    let said = ask(&["--facts", "now", "--format", "json"]);
    room.write("verification.json", said.out.as_bytes());
    let report = [
        "report",
        "--verification",
        "verification.json",
        "--at",
        ASKED,
        "--fail-on",
        "critical",
    ];
    let markdown = room.run(&[&report[..], &["--format", "markdown"]].concat());
    let chapter = markdown
        .out
        .split("\n## ")
        .find(|part| part.starts_with("Containment"))
        .unwrap();
    assert_snapshot!(chapter);
    let page = room.run(&[&report[..], &["--format", "html"]].concat());
    inspected(&page.out);
    assert!(page.out.contains("request-1") && page.out.contains("Residual risk"));
    let json = room.run(&[&report[..], &["--format", "json"]].concat());
    let whole: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(whole["containment"][0]["digest"], digest.as_str());
    assert_eq!(
        whole["containment"][0]["verification"]["outcome"],
        "contained"
    );
    assert!(whole["incidents"].is_array() && whole["coverage"].is_object());
}

fn poison(value: &mut Value) {
    match value {
        Value::String(text) => text.push_str(MARKUP),
        Value::Array(items) => items.iter_mut().for_each(poison),
        Value::Object(members) => {
            // What is read as a word or an instant would no longer be read at all.
            let read = [
                "level",
                "removal",
                "phase",
                "undo",
                "made_at",
                "valid_until",
                "cut_off",
                "last",
                "issued_at",
                "expires_at",
                "after",
                "until",
                "partition",
                "kind",
            ];
            let texts = members
                .iter_mut()
                .filter(|(name, _)| !read.contains(&name.as_str()));
            texts.for_each(|(_, member)| poison(member));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn a_plan_with_hostile_text_stays_text() {
    let (room, mut plan) = planned(EVENING);
    for step in plan["steps"].as_array_mut().unwrap() {
        poison(step);
    }
    poison(&mut plan["open"]);
    poison(&mut plan["pivot"]);
    poison(&mut plan["id"]);
    for subject in plan["subjects"].as_array_mut().unwrap() {
        poison(&mut subject["actions"]);
        poison(&mut subject["access_key_id"]);
    }
    room.write("plan.json", plan.to_string().as_bytes());
    room.write(
        "now/facts.json",
        fixtures()
            .into_iter()
            .find(|(n, _)| n.starts_with("auth"))
            .unwrap()
            .1
            .as_bytes(),
    );
    let said = verified(&room, &["--facts", "now/facts.json", "--format", "json"]);
    assert!(said.out.contains("alert"), "{}{}", said.out, said.err);
    room.write("verification.json", said.out.as_bytes());
    let report = [
        "report",
        "--source",
        "logs",
        "--plan",
        "plan.json",
        "--verification",
        "verification.json",
        "--at",
        ASKED,
    ];
    let page = room.run(&report);
    inspected(&page.out);
    assert!(page.out.contains("&lt;script&gt;"), "the text is shown");
    let markdown = room.run(&[&report[..], &["--format", "markdown"]].concat());
    let mut options = comrak::Options::default();
    options.extension.table = true;
    options.extension.autolink = true;
    options.render.r#unsafe = true;
    let html = comrak::markdown_to_html(&markdown.out, &options);
    for bad in ["<script", "<img", "<iframe", "href=\"http://", "mailto:"] {
        assert!(!html.contains(bad), "{bad}");
    }
    let table = verified(&room, &["--facts", "now/facts.json"]);
    assert!(!table.out.contains('\u{1b}'));
}

#[test]
fn a_report_wants_the_plan_of_a_verification() {
    let (room, plan) = planned(EVENING);
    carry_out(&room, &plan, None);
    let said = verified(&room, &["--facts", "now", "--format", "json"]);
    room.write("verification.json", said.out.as_bytes());
    let report = [
        "report",
        "--source",
        "logs",
        "--verification",
        "verification.json",
    ];
    let said = room.run(&report);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("another plan"), "{}", said.err);
    room.write("broken.json", b"{}");
    let said = room.run(&[
        "report",
        "--source",
        "logs",
        "--verification",
        "broken.json",
    ]);
    assert!(said.err.contains("is no verification"), "{}", said.err);
}
