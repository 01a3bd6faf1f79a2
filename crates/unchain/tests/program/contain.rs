//! Containment from the outside: the seed story, and what the lab says of its accounts after it was played.

use crate::common::{NOON, Room, Said, scenario};
use insta::assert_snapshot;
use serde_json::Value;
use std::path::Path;

const OLIVIA: &str = "arn:aws:iam::111122223333:user/olivia";

/// The story's log, and the answers of the AWS CLI in `accounts/`.
fn room() -> (Room, String) {
    let trail = scenario("whack-a-mole");
    let room = Room::with(&trail);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/program/contain");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        room.write(&format!("accounts/{name}"), &std::fs::read(&path).unwrap());
    }
    let key = trail.key("A").unwrap().to_owned();
    (room, key)
}

/// Runs a command about the story's first key at noon.
fn asked(room: &Room, key: &str, (command, more): (&str, &[&str])) -> Said {
    let mut arguments = vec![command, key, "--source", "logs", "--at", NOON];
    if !more.contains(&"--facts") {
        arguments.extend(["--facts", "accounts"]);
    }
    arguments.extend(more);
    room.run(&arguments)
}

fn planned(room: &Room, key: &str, more: &[&str]) -> Said {
    let spared = ["--exempt", OLIVIA];
    asked(room, key, ("plan", &[&spared, more].concat()))
}

fn json(said: &Said) -> Value {
    serde_json::from_str(&said.out).expect(&said.err)
}

#[test]
fn help() {
    let room = Room::new();
    for command in ["inspect", "plan", "policy", "apply", "undo", "verify"] {
        let said = room.told(&[command, "--help"]);
        let examples = said.split("Examples:").nth(1).expect("examples");
        let wide = examples.lines().find(|line| line.chars().count() > 80);
        assert_eq!(wide, None, "they are not folded again on a narrow terminal");
        assert_snapshot!(format!("help_of_{command}"), said);
    }
}

#[test]
fn a_plan_is_told_and_written() {
    let (room, key) = room();
    let said = planned(&room, &key, &[]);
    assert_snapshot!(room.redacted(&said));
    assert_eq!(said.code, 1, "without an organization it can be outrun");
    let first = room.read("plan.json");
    let again = planned(&room, &key, &[]);
    assert_eq!(again.code, 2);
    assert!(
        again.err.contains("`plan.json` is there already") && again.err.contains("hint: "),
        "{}",
        again.err
    );
    assert_eq!(planned(&room, &key, &["--force"]).out, said.out);
    assert_eq!(room.read("plan.json"), first);
    let plan: Value = serde_json::from_slice(&first).unwrap();
    assert_eq!(plan["pivot"], key);
    let out = planned(&room, &key, &["--output", "other.json", "--format", "json"]);
    let told = json(&out);
    assert_eq!(
        (&told["plan"], &told["file"]),
        (&plan, &Value::from("other.json"))
    );
    assert_eq!(room.read("other.json"), first);
    let notes = told["notes"].as_array().unwrap();
    assert!(notes.iter().all(|note| note["severity"] == "warn"));
    assert!(said.out.contains(told["digest"].as_str().unwrap()));
    let standings = told["proof"]["standings"].as_array().unwrap();
    assert!(standings.iter().all(|s| s["verdict"]["verdict"] != "open"));
}

#[test]
fn only_its_owner_may_read_what_tells_of_weak_places() {
    use std::os::unix::fs::PermissionsExt as _;
    let (room, key) = room();
    assert_eq!(planned(&room, &key, &[]).code, 1);
    asked(&room, &key, ("inspect", &["--save", "facts.json"]));
    for name in ["plan.json", "facts.json"] {
        let mode = std::fs::metadata(room.path().join(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn saved_facts_give_the_same_plan() {
    let (room, key) = room();
    planned(&room, &key, &[]);
    asked(&room, &key, ("inspect", &["--save", "facts.json"]));
    let said = planned(
        &room,
        &key,
        &["--facts", "facts.json", "--output", "again.json"],
    );
    assert_eq!(said.code, 1, "{}", said.err);
    assert_eq!(room.read("again.json"), room.read("plan.json"));
    let said = asked(&room, &key, ("inspect", &["--save", "facts.json"]));
    assert_eq!(said.code, 2);
    assert!(
        said.err.contains("cannot write `facts.json`"),
        "{}",
        said.err
    );
}

#[test]
fn a_plan_that_locks_its_responder_out_is_not_written() {
    let (room, key) = room();
    let role = "arn:aws:sts::111122223333:assumed-role/customer-data-admin/olivia";
    let said = planned(&room, &key, &["--exempt", role]);
    assert_eq!(said.code, 2);
    assert!(
        said.out
            .contains("refused: role/customer-data-admin: it denies"),
        "{}",
        said.out
    );
    assert!(said.out.contains("was refused and not written"));
    assert!(!room.path().join("plan.json").exists());
    room.write(
        "unchain.toml",
        format!("[containment]\nexempt = [\"{role}\"]\n").as_bytes(),
    );
    let said = planned(&room, &key, &["--format", "json"]);
    assert_eq!((said.code, &json(&said)["file"]), (2, &Value::Null));
}

#[test]
fn what_stays_open_is_exit_code_one() {
    let (room, key) = room();
    let said = planned(&room, &key, &["--level", "observe"]);
    assert_eq!(said.code, 1, "{}", said.out);
    assert!(said.out.contains("OPEN"));
    let said = asked(&room, &key, ("plan", &["--force"]));
    assert_eq!(said.code, 1);
    assert!(said.out.contains("no responder is named"), "{}", said.out);
    let more = ["--level", "evict", "--remove", "--output", "evict.json"];
    let said = planned(&room, &key, &more);
    assert_eq!(said.code, 1);
    assert_snapshot!(room.redacted(&said));
}

#[test]
fn a_plan_in_other_forms() {
    let (room, key) = room();
    let said = planned(&room, &key, &["--as", "script"]);
    assert_eq!(said.code, 1);
    assert!(said.out.contains("plan.sh: read it"), "{}", said.out);
    assert_snapshot!(String::from_utf8(room.read("plan.sh")).unwrap());
    for (form, file) in [
        ("cloudformation", "plan.template.json"),
        ("terraform", "plan.tf.json"),
    ] {
        assert_eq!(planned(&room, &key, &["--as", form]).code, 1);
        let text = String::from_utf8(room.read(file)).unwrap();
        assert!(serde_json::from_str::<Value>(&text).is_ok());
        assert_snapshot!(form, text);
    }
}

#[test]
fn a_lineage_is_inspected_before_anyone_acts() {
    let (room, key) = room();
    let said = asked(&room, &key, ("inspect", &[]));
    assert_snapshot!(room.redacted(&said));
    let told = json(&asked(&room, &key, ("inspect", &["--format", "json"])));
    for member in [
        "at",
        "accounts",
        "principals",
        "controls",
        "unread",
        "alive",
    ] {
        assert!(told.get(member).is_some(), "{member}");
    }
    let without = room.run(&["inspect", "--facts", "accounts", "--at", NOON]);
    assert!(without.out.contains("CONTROLS") && !without.out.contains("PRINCIPALS"));
    let said = asked(&room, "AKIANOTHINGOFTHEKIND", ("inspect", &[]));
    assert_eq!((said.code, said.out.as_str()), (2, ""));
}

#[test]
fn files_that_say_nothing_of_accounts_are_told() {
    let (room, key) = room();
    room.write("accounts/other.json", b"{\"Buckets\": []}");
    let said = planned(&room, &key, &[]);
    assert_eq!(said.code, 1);
    assert!(
        said.err.contains("other.json` is the answer of no call"),
        "{}",
        said.err
    );
    let named = |file: &str, text: &[u8]| {
        room.write(file, text);
        let said = planned(&room, &key, &["--facts", file, "--force"]);
        assert_eq!((said.code, said.out.as_str()), (2, ""));
        said.err
    };
    assert!(named("other.json", b"{\"Buckets\": []}").contains("cannot be read as facts"));
    assert!(named("keys.json", b"{\"AccessKeyMetadata\": []}").contains("`--account`"));
    assert!(named("cut.json", b"{\"UserDetailList\": [").contains("cut.json"));
    room.write("empty/readme.txt", b"");
    let said = planned(&room, &key, &["--facts", "empty", "--force"]);
    assert!(
        said.err.contains("neither *.json nor *.csv"),
        "{}",
        said.err
    );
    let nowhere = ["--endpoint-url", "http://192.0.2.1"];
    let said = room.run(&[&["plan", &key, "--source", "logs", "--force"], &nowhere[..]].concat());
    assert_eq!(said.code, 2);
    assert!(said.err.contains("AWS cannot be asked"), "{}", said.err);
}

#[test]
fn the_policy_of_a_command() {
    let (room, key) = room();
    planned(&room, &key, &[]);
    assert_snapshot!(
        "policy_of_apply",
        room.told(&["policy", "apply", "plan.json"])
    );
    assert_snapshot!(
        "policy_of_undo",
        room.told(&["policy", "undo", "plan.json"])
    );
    for command in ["inspect", "plan", "apply", "verify", "undo"] {
        let said = room.run(&["policy", command]);
        assert_eq!((said.code, said.err.as_str()), (0, ""));
        let policy = json(&said);
        assert!(
            policy.to_string().len() < 6_144,
            "{command} fits no managed policy"
        );
    }
    assert_eq!(room.run(&["policy", "plan", "plan.json"]).code, 2);
    let text = String::from_utf8(room.read("plan.json")).unwrap();
    room.write(
        "wrong.json",
        text.replace("PutUserPolicy", "CreateUser").as_bytes(),
    );
    let said = room.run(&["policy", "apply", "wrong.json"]);
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    assert!(said.err.contains("no sound plan"), "{}", said.err);
}
