//! Approval from the outside: nothing reaches the accounts without it, and nothing is changed in one where another is out
//! of reach. Where no lab is named the endpoint is one to which credentials are not sent.

use crate::common::{Room, Said, scenario};
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use unchain_case::Case;
use unchain_core::contain::{Happened, Plan, Receipt, Work, from_json};

/// Plain HTTP to another machine.
const NOWHERE: [&str; 2] = ["--endpoint-url", "http://192.0.2.1"];

/// What is known of the story's account.
fn facts() -> String {
    let facts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/program/contain");
    facts.to_string_lossy().into_owned()
}

/// A folder with a plan for the seed story, and its digest.
fn room() -> (Room, String) {
    let trail = scenario("whack-a-mole");
    let room = Room::with(&trail);
    let (key, facts) = (trail.key("A").unwrap(), facts());
    // Made now: one of another day is too old to be begun.
    let of = ["plan", key, "--source", "logs", "--facts", &facts];
    let said = room.run(&[&of[..], &["--format", "json"]].concat());
    let planned: Value = serde_json::from_str(&said.out).expect(&said.err);
    (room, planned["digest"].as_str().unwrap().to_owned())
}

fn apply(room: &Room, more: &[&str]) -> Said {
    let facts = facts();
    let plan = ["apply", "plan.json", "--facts", &facts];
    room.run(&[&plan, &NOWHERE[..], more].concat())
}

#[test]
fn without_approval_nothing_is_done() {
    let (room, digest) = room();
    let said = apply(&room, &[]);
    assert_eq!(said.code, 2);
    assert!(said.out.contains("STEPS"), "{}", said.out);
    assert!(
        said.err.contains(&format!("--approve {digest}")),
        "{}",
        said.err
    );
    let short: String = digest.chars().take(11).collect();
    for wrong in ["0123456789abcdef", &short] {
        let said = apply(&room, &["--approve", wrong]);
        assert_eq!(said.code, 2);
        assert!(
            said.err.contains("is not the digest of this plan"),
            "{}",
            said.err
        );
    }
}

#[test]
fn approved_it_looks_for_somebody_to_act_as() {
    let (room, digest) = room();
    let said = apply(&room, &["--approve", &digest]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("AWS cannot be asked"), "{}", said.err);
    assert!(
        said.err.contains("192.0.2.1"),
        "credentials go by https: {}",
        said.err
    );
    let said = room.run(&["undo", "plan.json", "--approve", &digest]);
    assert_eq!(said.code, 2);
    assert!(
        said.err.contains("has nothing that this plan did"),
        "{}",
        said.err
    );
}

#[test]
fn a_plan_that_is_not_ours_is_refused() {
    let (room, _) = room();
    let text = String::from_utf8(room.read("plan.json")).unwrap();
    let hostile = text.replacen("\"PutUserPolicy\"", "\"CreateUser\"", 1);
    assert_ne!(hostile, text);
    room.write("plan.json", hostile.as_bytes());
    for more in [&["--approve", "0123456789abcdef"][..], &["--dry-run"]] {
        let said = apply(&room, more);
        assert_eq!(said.code, 2);
        assert!(
            said.err.contains("none that a plan may have"),
            "{}",
            said.err
        );
    }
    let said = apply(&room, &["--role-for", "1=x"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("not an account id"), "{}", said.err);
    let said = room.run(&["apply", "0badcafe"]);
    assert!(
        said.err.contains("name the file that `unchain plan` wrote"),
        "{}",
        said.err
    );
}

const ROOT: (&str, &str) = (
    "AKIAROOTROOTROOTROOT",
    "a-secret-that-only-this-lab-knows-00000",
);

/// A lab of its own, until it goes out of scope, and its address.
struct Lab(Child, String);

impl Lab {
    fn new(room: &Room) -> Self {
        let key = format!("{}:{}", ROOT.0, ROOT.1);
        let arguments = ["lab", "--listen", "127.0.0.1:0", "--root-key", &key];
        let mut child = room
            .command(&arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let out = child.stdout.take().unwrap();
        BufReader::new(out).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("export AWS_ENDPOINT_URL=");
        let address = address.expect("the lab says where it is").to_owned();
        Self(child, address)
    }

    /// Carries the plan out as root of the first account.
    fn apply(&self, room: &Room, more: &[&str]) -> (Option<i32>, String) {
        let (facts, address) = (facts(), self.1.as_str());
        let plan = ["apply", "plan.json", "--facts", &facts];
        let output = room
            .command(&[&plan[..], &["--endpoint-url", address], more].concat())
            .env("AWS_ACCESS_KEY_ID", ROOT.0)
            .env("AWS_SECRET_ACCESS_KEY", ROOT.1)
            .env_remove("AWS_SESSION_TOKEN")
            .env_remove("AWS_PROFILE")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), said)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // Where it has ended already there is nothing to end.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn nothing_is_changed_where_an_account_of_the_plan_is_out_of_reach() {
    let (room, digest) = room();
    let lab = Lab::new(&room);
    let approved = ["--approve", digest.as_str()];
    let role = "444455556666=arn:aws:iam::444455556666:role/responder";
    for (more, why) in [
        (&[][..], "NoRoleForAccount"),
        (&["--role-for", role], "NoCredential"),
    ] {
        for how in [&approved[..], &["--dry-run"]] {
            let (code, said) = lab.apply(&room, &[how, more].concat());
            assert_eq!(code, Some(2), "{said}");
            let shut = "nothing can be done in account 444455556666";
            assert!(said.contains(shut) && said.contains(why), "{said}");
        }
    }
    let info = room.run(&["case", "info"]);
    assert_eq!(info.code, 0, "the case is there: {}", info.err);
    assert!(
        !info.out.contains("PLAN"),
        "nothing was begun: {}",
        info.out
    );
}

/// A line of a plan's journal.
fn line(plan: &str, (sequence, work): (u32, Work)) -> Receipt {
    let before = Value::Null;
    Receipt {
        plan: plan.to_owned(),
        sequence,
        at: unchain_core::time::Timestamp::from_seconds(1_772_467_200),
        work,
        step: 1,
        what: Happened::Begun { before },
    }
}

#[test]
fn what_a_later_plan_rests_on_is_not_undone_before_it() {
    let (room, digest) = room();
    let text = String::from_utf8(room.read("plan.json")).unwrap();
    let plan = from_json(&text).unwrap();
    let later = Plan {
        id: "0badcafe".to_owned(),
        made_at: plan.made_at.plus(60),
        ..plan.clone()
    };
    let mut case = Case::open(&room.path().join("unchain.case")).unwrap();
    assert_eq!(case.add_plan(&plan).unwrap(), digest);
    let name = case.add_plan(&later).unwrap();
    for plan in [&digest, &name] {
        case.add_receipt(&line(plan, (1, Work::Apply))).unwrap();
    }
    let undo = || room.run(&["undo", "plan.json", "--approve", "0123456789abcdef"]);
    let said = undo();
    assert_eq!(said.code, 2);
    assert!(
        said.err.contains("plan 0badcafe rests on step"),
        "{}",
        said.err
    );
    assert!(said.err.contains("`unchain undo 0badcafe`"), "{}", said.err);
    // Undone, the later one stands in nobody's way: what stops it then is the wrong approval.
    case.add_receipt(&line(&name, (2, Work::Undo))).unwrap();
    let said = undo();
    assert!(
        said.err.contains("is not the digest of this plan"),
        "{}",
        said.err
    );
}
