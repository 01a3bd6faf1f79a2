//! Reading accounts, and what they let a principal reach.

use super::common::{
    SHOP, STORY, details, facts, settings, trail, with_report, with_ten_thousand_roles,
};
use serde_json::{Value, json};
use unchain_core::contain::{Facts, FactsError, Owner, Reached, inspect, reach};

const REPORT: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,\
password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,\
access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,\
access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,\
cert_1_last_rotated,cert_2_active,cert_2_last_rotated
<root_account>,arn:aws:iam::111122223333:root,2020-01-01T00:00:00Z,not_supported,N/A,not_supported,not_supported,false,true,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A
a,b,arn:aws:iam::111122223333:user/a,b,2020-01-01T00:00:00Z,true,N/A,N/A,N/A,false,true,N/A,N/A,N/A,N/A,true,N/A,N/A,N/A,N/A,false,N/A,false,N/A
";

#[test]
fn facts_read_twice_are_facts_read_once() {
    let mut twice = facts();
    twice.read(&details().to_string(), None).unwrap();
    let mut once = Facts::default();
    once.read(&details().to_string(), None).unwrap();
    assert_eq!(twice, once);
    let mut own = Facts::default();
    own.read(&serde_json::to_string(&once).unwrap(), None)
        .unwrap();
    assert_eq!((own.digest(), &own), (once.digest(), &once));
}

#[test]
fn documents_are_read_as_objects_and_as_encoded_text() {
    let mut encoded = details();
    for role in encoded["RoleDetailList"].as_array_mut().unwrap() {
        let text = role["AssumeRolePolicyDocument"].to_string();
        role["AssumeRolePolicyDocument"] =
            Value::String(text.replace('"', "%22").replace(':', "%3A"));
    }
    let mut facts = Facts::default();
    facts.read(&encoded.to_string(), None).unwrap();
    let mut plain = Facts::default();
    plain.read(&details().to_string(), None).unwrap();
    assert_eq!(facts, plain);
}

#[test]
fn a_damaged_document_is_said_and_an_unknown_answer_refused() {
    let mut damaged = details();
    damaged["RoleDetailList"][0]["AssumeRolePolicyDocument"] = json!("{");
    let mut facts = Facts::default();
    facts.read(&damaged.to_string(), None).unwrap();
    assert_eq!(facts.unread.len(), 1);
    assert!(matches!(facts.read("{}", None), Err(FactsError::Unknown)));
    assert!(matches!(facts.read("no", None), Err(FactsError::Json(_))));
    assert!(matches!(
        facts.read(r#"{"AccessKeyMetadata": []}"#, None),
        Err(FactsError::NoAccount)
    ));
}

#[test]
fn the_credential_report_is_read_also_where_a_name_has_a_comma() {
    let mut facts = Facts::default();
    facts.read(REPORT, None).unwrap();
    let account = &facts.accounts[SHOP];
    assert_eq!(
        (account.root_keys, account.root_mfa),
        (Some(true), Some(false))
    );
    let user = &account.users["a,b"];
    assert_eq!(
        (user.password, user.mfa, user.active_keys),
        (Some(true), Some(false), Some(2))
    );
    let trail = trail(STORY);
    let codes: Vec<_> = with_report(&trail, |report| {
        inspect(report, &facts, &settings(), trail.key("A").unwrap()).controls
    })
    .into_iter()
    .map(|control| control.code)
    .collect();
    assert_eq!(
        codes,
        [
            "never-used-key",
            "password-without-mfa",
            "root-has-keys",
            "root-without-mfa",
            "two-active-keys"
        ]
    );
}

#[test]
fn roles_are_reached_one_after_another() {
    let mut details = details();
    let role = |name: &str, by: &str| {
        json!({"RoleName": name, "RoleId": "AROA1", "Arn": format!("arn:aws:iam::{SHOP}:role/{name}"),
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
                "Principal": {"AWS": format!("arn:aws:iam::{SHOP}:{by}")}, "Action": "sts:AssumeRole"}]},
            "RolePolicyList": []})
    };
    details["RoleDetailList"] = json!([
        role("one", "user/alice"),
        role("two", "role/one"),
        role("three", "role/four"),
        role("four", "user/bob")
    ]);
    let mut facts = Facts::default();
    facts.read(&details.to_string(), None).unwrap();
    let alice = Owner::of_arn(&format!("arn:aws:iam::{SHOP}:user/alice")).unwrap();
    let (reached, all) = reach(&facts, &alice);
    let told: Vec<_> = reached
        .iter()
        .map(|r| (r.role.raw().rsplit('/').next().unwrap(), r.through.len()))
        .collect();
    assert!(all);
    assert_eq!(told, [("one", 0), ("two", 1)]);
}

#[test]
fn ten_thousand_roles_are_reached_each_once() {
    let facts = with_ten_thousand_roles("customer-data-admin");
    let alice = Owner::of_arn(&format!("arn:aws:iam::{SHOP}:user/alice")).unwrap();
    let (reached, all) = reach(&facts, &alice);
    assert_eq!((reached.len(), all), (10_002, true));
    let direct = |r: &&Reached| r.through.is_empty() && r.depends_on.is_empty();
    assert_eq!(reached.iter().filter(direct).count(), 10_002);
    // Who may do everything may also have an instance work with a role that trusts EC2.
    let by_service: Vec<_> = reached.iter().filter(|r| !r.services.is_empty()).collect();
    assert_eq!(by_service.len(), 1);
    assert!(by_service[0].role.raw().ends_with("role/web-server") && by_service[0].can_grant);
}
