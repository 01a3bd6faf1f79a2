//! The language as its users meet it: every kind of call, the records that it writes, and the truth.

#![expect(clippy::unwrap_used, reason = "a test stops where its trail is wrong")]

use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use unchain_trail::{Basis, TOKEN_MARKER, Trail};

/// A trail with every kind of line.
const EVERYTHING: &str = include_str!("everything.trail");

/// The accounts and people of the short trails below.
const CAST: &str = "account 111122223333 as prod\naccount 444455556666 as audit\n\
    account 777788889999 as vendor unlogged\nuser alice in prod key A\nuser spy in vendor key V\n\
    role app in prod max 12h\nrole inspector in audit\nperson dana in prod\n";

fn trail(lines: &str) -> Trail {
    Trail::parse(&format!("{CAST}{lines}")).unwrap()
}

fn error(lines: &str) -> String {
    Trail::parse(&format!("{CAST}{lines}"))
        .unwrap_err()
        .to_string()
}

fn text<'a>(record: &'a Value, pointer: &str) -> &'a str {
    record
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// The record with this `eventID`.
fn by_id<'a>(records: &'a [Value], id: &str) -> &'a Value {
    records
        .iter()
        .find(|record| text(record, "/eventID") == id)
        .unwrap()
}

#[test]
fn every_record_has_what_all_records_have() {
    let records = unchain_trail::records(EVERYTHING).unwrap();
    let ids: BTreeSet<&str> = records
        .iter()
        .map(|record| text(record, "/eventID"))
        .collect();
    assert_eq!(ids.len(), records.len(), "event ids are unique");
    for record in &records {
        for field in [
            "eventTime",
            "eventSource",
            "eventName",
            "awsRegion",
            "recipientAccountId",
        ] {
            assert!(
                !text(record, &format!("/{field}")).is_empty(),
                "{field} in {record}"
            );
        }
        assert!(!text(record, "/userIdentity/type").is_empty(), "{record}");
        assert_ne!(
            text(record, "/recipientAccountId"),
            "777788889999",
            "{record}"
        );
    }
    let times: Vec<&str> = records
        .iter()
        .map(|record| text(record, "/eventTime"))
        .collect();
    assert!(times.is_sorted());
}

#[test]
fn the_truth_names_records_that_exist() {
    let trail = Trail::parse(EVERYTHING).unwrap();
    let (records, truth) = (trail.records(), trail.truth());
    let edges = truth.edges.iter().flat_map(|edge| &edge.event_ids);
    let made = truth.made.iter().map(|made| &made.event_id);
    let ended = truth.ended.iter().map(|ended| &ended.event_id);
    assert!(truth.edges.len() >= 30 && truth.made.len() >= 14 && truth.ended.len() >= 12);
    for id in edges.chain(made).chain(ended) {
        by_id(&records, id);
    }
}

#[test]
fn a_recorded_edge_is_in_its_record() {
    let trail = Trail::parse(EVERYTHING).unwrap();
    let records = trail.records();
    for edge in trail
        .truth()
        .edges
        .iter()
        .filter(|edge| edge.basis == Basis::Recorded)
    {
        let Some(child) = &edge.child_key else {
            continue;
        };
        let shown = edge.event_ids.iter().any(|id| {
            let response = &by_id(&records, id)["responseElements"];
            response.to_string().contains(child.as_str())
        });
        assert!(shown, "{edge:?}");
    }
}

#[test]
fn uses_are_the_records_that_show_the_key() {
    let trail = Trail::parse(EVERYTHING).unwrap();
    let records = trail.records();
    for token in trail.truth().tokens {
        let Some(key) = &token.key else { continue };
        let shown = records
            .iter()
            .filter(|r| text(r, "/userIdentity/accessKeyId") == key)
            .count();
        if token.account != "777788889999"
            && token.label != "FJ"
            && token.label != "F"
            && token.label != "CJ"
        {
            assert_eq!(u64::try_from(shown).unwrap(), token.uses, "{token:?}");
        }
    }
}

#[test]
fn a_child_carries_the_time_it_was_issued() {
    let records = trail("09:00 A AssumeRole app as build -> C\n09:05 C ListUsers").records();
    let (issue, usage) = (&records[0], &records[1]);
    assert_eq!(
        text(issue, "/responseElements/credentials/accessKeyId"),
        text(usage, "/userIdentity/accessKeyId")
    );
    assert_eq!(
        text(
            usage,
            "/userIdentity/sessionContext/attributes/creationDate"
        ),
        text(issue, "/eventTime")
    );
    assert_eq!(
        text(usage, "/userIdentity/principalId"),
        text(issue, "/responseElements/assumedRoleUser/assumedRoleId")
    );
    assert_eq!(issue["readOnly"], true);
    assert_eq!(
        text(issue, "/responseElements/credentials/expiration"),
        "Mar 2, 2026, 10:00:00 AM"
    );
}

#[test]
fn both_accounts_hold_a_copy_of_a_crossing() {
    let trail = trail("09:00 A AssumeRole audit/inspector as look -> D");
    let records = trail.records();
    assert_eq!(records.len(), 2);
    let (theirs, ours): (Vec<&Value>, Vec<&Value>) = records
        .iter()
        .partition(|r| text(r, "/userIdentity/type") == "AWSAccount");
    assert_eq!(text(theirs[0], "/recipientAccountId"), "444455556666");
    assert!(theirs[0].pointer("/userIdentity/accessKeyId").is_none());
    assert_eq!(theirs[0]["sharedEventID"], ours[0]["sharedEventID"]);
    assert_ne!(theirs[0]["eventID"], ours[0]["eventID"]);
    assert_eq!(theirs[0]["responseElements"], ours[0]["responseElements"]);
    let edge = &trail.truth().edges[0];
    assert!(edge.cross_account && edge.event_ids.len() == 2);
}

#[test]
fn an_account_without_a_trail_leaves_only_the_other_copy() {
    let trail = trail("09:00 V AssumeRole prod/app as ext -> E");
    assert_eq!(trail.records().len(), 1);
    assert_eq!(
        text(&trail.records()[0], "/userIdentity/type"),
        "AWSAccount"
    );
    let edge = &trail.truth().edges[0];
    assert_eq!(
        (edge.parent_key.as_deref(), edge.cross_account),
        (None, true)
    );
}

#[test]
fn a_denied_call_has_no_parameters_and_gives_nothing() {
    let trail = trail("09:00 A AssumeRole app denied");
    let record = &trail.records()[0];
    assert_eq!(text(record, "/errorCode"), "AccessDenied");
    assert!(text(record, "/errorMessage").contains("arn:aws:iam::111122223333:role/app"));
    assert_eq!(
        (&record["requestParameters"], &record["responseElements"]),
        (&Value::Null, &Value::Null)
    );
    assert!(trail.truth().edges.is_empty());
}

#[test]
fn a_refused_session_token_keeps_its_parameters() {
    let record = &trail("09:00 A GetSessionToken denied mfa phone for 1h").records()[0];
    let asked =
        json!({ "durationSeconds": 3600, "serialNumber": "arn:aws:iam::111122223333:mfa/phone" });
    assert_eq!(record["requestParameters"], asked);
    assert_eq!(record["responseElements"], Value::Null);
}

#[test]
fn a_wrong_code_is_told_in_the_message() {
    let records = trail("09:00 A AssumeRole app mfa phone denied").records();
    assert!(text(&records[0], "/errorMessage").starts_with("MultiFactorAuthentication failed"));
    assert_eq!(records[0]["requestParameters"], Value::Null);
}

#[test]
fn mfa_can_be_left_out_of_the_record() {
    let records =
        trail("09:00 A GetSessionToken -> B mfa-unrecorded\n09:01 B AssumeRole app").records();
    assert_eq!(records[0]["requestParameters"], Value::Null);
    let says = "/userIdentity/sessionContext/attributes/mfaAuthenticated";
    assert_eq!(text(&records[1], says), "true");
}

#[test]
fn selectors_and_trust_say_what_the_line_says() {
    let records = trail(
        "09:00 A PutEventSelectors main\n09:01 A PutEventSelectors main ReadOnly\n\
         09:02 A UpdateAssumeRolePolicy app trust * external-id x",
    )
    .records();
    let selector = |n: usize| &records[n]["requestParameters"]["eventSelectors"][0];
    assert_eq!(selector(0)["includeManagementEvents"], json!(false));
    assert_eq!(selector(1)["includeManagementEvents"], json!(true));
    assert_eq!(selector(1)["readWriteType"], json!("ReadOnly"));
    let document = text(&records[2], "/requestParameters/policyDocument");
    assert!(document.contains("sts:ExternalId") && document.contains(r#""AWS":"*""#));
}

#[test]
fn a_console_session_mints_keys_that_share_its_beginning() {
    let trail = trail("09:00 alice ConsoleLogin -> S\n09:01 S ListUsers\n09:02 S ListRoles");
    let records = trail.records();
    assert!(records[0].pointer("/userIdentity/accessKeyId").is_none());
    for record in &records[1..] {
        assert!(text(record, "/userIdentity/accessKeyId").starts_with("ASIA"));
        assert_eq!(
            text(
                record,
                "/userIdentity/sessionContext/attributes/creationDate"
            ),
            "2026-03-02T09:00:00Z"
        );
        assert_eq!(text(record, "/sessionCredentialFromConsole"), "true");
    }
    assert_ne!(
        records[1]["userIdentity"]["accessKeyId"],
        records[2]["userIdentity"]["accessKeyId"]
    );
    assert_eq!(
        trail
            .truth()
            .edges
            .iter()
            .filter(|edge| edge.basis == Basis::Matched)
            .count(),
        2
    );
}

#[test]
fn a_switched_role_acts_with_another_key_than_was_issued() {
    let trail = trail(
        "09:00 alice ConsoleLogin -> S\n09:01 S SwitchRole audit/inspector -> T\n09:02 T ListUsers",
    );
    let records = trail.records();
    let issued = records
        .iter()
        .find(|r| text(r, "/eventName") == "AssumeRole")
        .unwrap();
    let used = records.last().unwrap();
    assert_ne!(
        text(issued, "/responseElements/credentials/accessKeyId"),
        text(used, "/userIdentity/accessKeyId")
    );
    assert_eq!(
        text(issued, "/eventTime"),
        text(used, "/userIdentity/sessionContext/attributes/creationDate")
    );
    assert_eq!(
        text(used, "/userIdentity/principalId"),
        text(issued, "/responseElements/assumedRoleUser/assumedRoleId")
    );
    assert_eq!(text(issued, "/userAgent"), "AWS Internal");
}

#[test]
fn aws_login_carries_the_time_of_the_browser_session() {
    let lines = "09:00 alice ConsoleLogin -> S\n09:01 S CreateOAuth2Token -> L\n09:02 L ListUsers";
    let record = trail(lines).records().pop().unwrap();
    assert_eq!(
        text(
            &record,
            "/userIdentity/sessionContext/attributes/creationDate"
        ),
        "2026-03-02T09:00:00Z"
    );
}

#[test]
fn identity_center_hides_the_key_that_works() {
    let lines =
        "09:00 dana CreateToken -> P\n09:01 P GetRoleCredentials app -> K\n09:02 K ListUsers";
    let trail = trail(lines);
    let (records, key) = (trail.records(), trail.key("K").unwrap().to_owned());
    let shown = |record: &&Value| record.to_string().contains(&key);
    assert_eq!(
        records.iter().filter(shown).count(),
        1,
        "only the use shows it"
    );
    let last = records.last().unwrap();
    assert!(last.pointer("/userIdentity/onBehalfOf/userId").is_some());
    assert!(
        records
            .iter()
            .all(|record| !record.to_string().contains("\"accessToken\":\"ey"))
    );
}

#[test]
fn a_forwarded_call_has_a_key_nobody_issued() {
    let record = &trail("09:00 A CreateStack web via cloudformation.amazonaws.com").records()[0];
    assert_eq!(
        text(record, "/userIdentity/invokedBy"),
        "cloudformation.amazonaws.com"
    );
    assert_eq!(
        text(record, "/sourceIPAddress"),
        "cloudformation.amazonaws.com"
    );
    assert!(text(record, "/userIdentity/accessKeyId").starts_with("ASIA"));
    assert!(record.get("tlsDetails").is_none());
}

#[test]
fn a_revocation_states_its_cut_off() {
    let trail = trail("10:00 A PutRolePolicy app AWSRevokeOlderSessions before 10:00:30");
    let document = trail.records()[0]["requestParameters"]["policyDocument"]
        .as_str()
        .unwrap()
        .to_owned();
    let document: Value = serde_json::from_str(&document).unwrap();
    let cut = &document["Statement"][0]["Condition"]["DateLessThan"]["aws:TokenIssueTime"];
    assert_eq!(cut, "2026-03-02T10:00:30Z");
    assert_eq!(
        trail.truth().ended[0].issued_before.as_deref(),
        Some("2026-03-02T10:00:30Z")
    );
}

#[test]
fn a_repeated_issue_serves_the_uses_of_its_time() {
    let lines =
        "09:00 A AssumeRole app as ci -> C every 30m times 2\n09:10 C ListUsers every 30m times 2";
    let records = trail(lines).records();
    let key = |place: usize| text(&records[place], "/userIdentity/accessKeyId").to_owned();
    assert_eq!(records.len(), 4);
    assert_ne!(key(1), key(3));
    assert_eq!(
        key(1),
        text(&records[0], "/responseElements/credentials/accessKeyId")
    );
    assert_eq!(
        key(3),
        text(&records[2], "/responseElements/credentials/accessKeyId")
    );
}

#[test]
fn an_id_can_be_given_out_again() {
    let trail = trail("09:00 A AssumeRole app -> C\n12:00 A AssumeRole app -> D reissues C");
    assert_eq!(trail.key("C"), trail.key("D"));
}

#[test]
fn every_token_holds_the_marker() {
    let records = unchain_trail::records(EVERYTHING).unwrap();
    let tokens: Vec<&str> = records
        .iter()
        .map(|record| text(record, "/responseElements/credentials/sessionToken"))
        .filter(|token| !token.is_empty())
        .collect();
    assert!(tokens.len() > 15);
    assert!(tokens.iter().all(|token| token.contains(TOKEN_MARKER)));
}

#[test]
fn what_aws_would_refuse_is_refused() {
    let lines = "09:00 A GetSessionToken -> B\n09:01 B GetSessionToken -> C";
    assert_eq!(
        error(lines),
        "line 10, column 7: expected a long-term key, the only kind that may call this, found `B`"
    );
    assert!(error("09:00 A GetSessionToken -> B for 37h").contains("from 15m to 36h"));
    assert!(
        error("09:00 A AssumeRole app -> C\n09:01 C AssumeRole app -> D for 2h")
            .contains("at most 1h")
    );
    assert!(error("09:00 A AssumeRole app -> C\n11:00 C ListUsers").contains("has not expired"));
    assert!(
        error("09:10 A AssumeRole app -> C\n09:00 C ListUsers").contains("exists at this time")
    );
    assert!(error("09:00 A AssumeRole app denied -> C").contains("gives nothing"));
    assert!(error("09:00 bob ListUsers").contains("known by this line"));
    assert!(error("09:00 A Frobnicate").contains("`ec2:Frobnicate`"));
}

proptest! {
    #[test]
    fn no_text_panics(text in "(?s).{0,200}") {
        let _ = Trail::parse(&text);
    }

    /// Lines cut, mixed and repeated at will: whatever is still a trail prints back, with equal records.
    #[test]
    fn a_trail_prints_back(places in prop::collection::vec(0_usize..120, 0..60)) {
        let lines: Vec<&str> = EVERYTHING.lines().collect();
        let mut kept = String::from(CAST);
        for line in places.iter().filter_map(|place| lines.get(*place)) {
            let attempt = format!("{kept}{line}\n");
            if Trail::parse(&attempt).is_ok() {
                kept = attempt;
            }
        }
        let trail = Trail::parse(&kept).unwrap();
        let again = Trail::parse(&trail.to_string()).unwrap();
        prop_assert_eq!(&again, &trail);
        prop_assert_eq!(again.records(), trail.records());
    }

    /// Words of the language in any order: mostly nonsense, never a panic.
    #[test]
    fn no_line_panics(words in prop::collection::vec(prop::sample::select(WORDS), 0..12)) {
        let text = format!("{CAST}09:00 alice ConsoleLogin -> S\n09:00 A AssumeRole app -> C\n{}", words.join(" "));
        let _ = Trail::parse(&text);
    }
}

const WORDS: &[&str] = &[
    "09:00",
    "10:00",
    "A",
    "S",
    "C",
    "V",
    "alice",
    "dana",
    "idp",
    "certificate",
    "okta",
    "app",
    "->",
    "N",
    "ec2.amazonaws.com",
    "AssumeRole",
    "GetSessionToken",
    "ConsoleLogin",
    "SwitchRole",
    "CreateToken",
    "for",
    "36h",
    "as",
    "x",
    "denied",
    "every",
    "5m",
    "times",
    "3",
    "before",
    "PutRolePolicy",
    "CreateUser",
    "GetDataAccess",
    "using",
    "UpdateAccessKey",
    "Inactive",
    "CreateSession",
    "via",
    "mfa",
    "reissues",
    "GetSigninToken",
    "\"\"",
    "s3://b/k",
    "s3:GetObject",
    ":",
    "audit/inspector",
    "/",
    "AssumeRoot",
    "audit",
];
