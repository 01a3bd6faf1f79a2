//! What an inspection says of principals and of accounts.

#![expect(
    clippy::needless_pass_by_value,
    reason = "JSON is written where it is handed over, and one state is told whole"
)]

use super::common::{SHOP, STORY, details, facts, member, now, settings, trail, with_report};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use unchain_core::contain::{
    Control, Facts, Inspection, LastUsed, Managed, Owner, Reached, Recorded, ReportedKey, Trail,
    User, controls, inspect, reach,
};
use unchain_core::text::Untrusted;
use unchain_core::time::{DAY, Timestamp};

fn ago(days: i64) -> Timestamp {
    now().plus(-days * i64::from(DAY))
}

fn codes(facts: &Facts) -> BTreeSet<&'static str> {
    controls(facts, now())
        .into_iter()
        .map(|control| control.code)
        .collect()
}

fn names(facts: &Facts, code: &str) -> Vec<String> {
    let found: Vec<Control> = controls(facts, now())
        .into_iter()
        .filter(|c| c.code == code)
        .collect();
    assert!(found.len() <= 1, "{code} is told once: {found:?}");
    let names = found.into_iter().flat_map(|control| control.names);
    names.map(|name| name.raw().to_owned()).collect()
}

fn with_user(user: User, last_used: LastUsed) -> Facts {
    let mut facts = Facts::default();
    let account = facts.accounts.entry(SHOP.to_owned()).or_default();
    account.users.insert("bob".to_owned(), user);
    account.last_used = last_used;
    facts
}

#[test]
fn keys_are_old_idle_or_never_used_from_ninety_days_on() {
    let of = |made: i64, used: Option<Option<i64>>, active: bool| {
        let user = User {
            arn: format!("arn:aws:iam::{SHOP}:user/bob"),
            keys: [("AKIABOB1".to_owned(), active)].into(),
            keys_made: [("AKIABOB1".to_owned(), ago(made))].into(),
            ..User::default()
        };
        let used = used.map(|used| ("AKIABOB1".to_owned(), used.map(ago)));
        codes(&with_user(
            user,
            LastUsed {
                keys: used.into_iter().collect(),
                ..LastUsed::default()
            },
        ))
    };
    assert_eq!(of(89, Some(Some(1)), true), BTreeSet::new());
    assert_eq!(of(91, Some(Some(1)), true), BTreeSet::from(["old-key"]));
    assert_eq!(
        of(91, Some(Some(91)), true),
        BTreeSet::from(["idle-key", "old-key"])
    );
    assert_eq!(of(3, Some(None), true), BTreeSet::from(["never-used-key"]));
    // When it was used was not read.
    assert_eq!(of(3, None, true), BTreeSet::new());
    assert_eq!(of(91, Some(None), false), BTreeSet::new());
}

#[test]
fn the_credential_report_tells_of_keys_where_they_were_not_listed() {
    let key = |active, days| ReportedKey {
        active,
        made: Some(ago(days)),
    };
    let user = User {
        reported_keys: vec![key(false, 400), key(true, 200)],
        ..User::default()
    };
    let used = LastUsed {
        reported: [("bob".to_owned(), vec![None, Some(ago(1))])].into(),
        ..LastUsed::default()
    };
    let facts = with_user(user, used);
    assert_eq!(codes(&facts), BTreeSet::from(["old-key"]));
    assert_eq!(names(&facts, "old-key"), ["access key 2"]);
}

fn with_trust(statement: &Value) -> Facts {
    let mut details = details();
    details["RoleDetailList"][0]["AssumeRolePolicyDocument"]["Statement"] = statement.clone();
    details["RoleDetailList"]
        .as_array_mut()
        .unwrap()
        .truncate(1);
    let mut facts = Facts::default();
    facts.read(&details.to_string(), None).unwrap();
    facts
}

fn statement(principal: Value, condition: Value) -> Value {
    json!([{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", "Condition": condition}])
}

#[test]
fn roles_that_people_take_are_told_once_for_the_account() {
    let root = json!({"AWS": format!("arn:aws:iam::{SHOP}:root")});
    let mut facts = with_trust(&statement(root.clone(), json!({})));
    let role = [format!("arn:aws:iam::{SHOP}:role/customer-data-admin")];
    assert_eq!(names(&facts, "role-without-mfa"), role);
    assert_eq!(names(&facts, "no-source-identity"), role);
    assert_eq!(names(&facts, "long-sessions"), Vec::<String>::new());
    let roles = &mut facts.accounts.get_mut(SHOP).unwrap().roles;
    roles.get_mut("customer-data-admin").unwrap().max_session = Some(43_200);
    assert_eq!(names(&facts, "long-sessions"), role);

    // It may be set, and need not be.
    let mut may = statement(root.clone(), json!({}));
    may[0]["Action"] = json!(["sts:AssumeRole", "sts:SetSourceIdentity"]);
    assert_eq!(names(&with_trust(&may), "no-source-identity"), role);

    let asking = json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}, "StringLike": {"sts:SourceIdentity": "*"}});
    let told = codes(&with_trust(&statement(root, asking)));
    assert!(
        !told.contains("role-without-mfa") && !told.contains("no-source-identity"),
        "{told:?}"
    );
    for machine in [
        json!({"Service": "ec2.amazonaws.com"}),
        json!({"AWS": format!("arn:aws:iam::{SHOP}:role/other")}),
    ] {
        assert_eq!(
            codes(&with_trust(&statement(machine, json!({})))),
            BTreeSet::new()
        );
    }
}

#[test]
fn a_trust_of_everybody_is_seen_behind_another_statement_with_a_condition() {
    let mut all = statement(json!("*"), Value::Null);
    all[0].as_object_mut().unwrap().remove("Condition");
    let more = statement(
        json!({"Service": "ec2.amazonaws.com"}),
        json!({"StringEquals": {"aws:SourceAccount": SHOP}}),
    );
    all.as_array_mut()
        .unwrap()
        .extend(more.as_array().unwrap().iter().cloned());
    assert!(codes(&with_trust(&all)).contains("trust-everybody"));
    let limited = statement(
        json!("*"),
        json!({"StringEquals": {"aws:PrincipalOrgID": "o-1"}}),
    );
    assert!(!codes(&with_trust(&limited)).contains("trust-everybody"));
    for anybody_can in ["aws:MultiFactorAuthPresent", "aws:SecureTransport"] {
        let asking = statement(json!("*"), json!({"Bool": {anybody_can: "true"}}));
        let told = codes(&with_trust(&asking));
        assert!(told.contains("trust-everybody"), "{anybody_can}");
    }
}

fn with_trails(trails: &[Trail]) -> BTreeSet<&'static str> {
    let mut facts = Facts::default();
    let account = facts.accounts.entry(SHOP.to_owned()).or_default();
    account.trails_read = true;
    account.trails = trails
        .iter()
        .enumerate()
        .map(|(n, trail)| (format!("arn:{n}"), trail.clone()))
        .collect();
    codes(&facts)
}

#[test]
fn a_control_of_logging_is_missing_when_no_trail_has_it() {
    let all = Trail {
        multi_region: true,
        validated: true,
        logging: Some(true),
        recorded: Some(Recorded {
            issuing: true,
            changing: true,
        }),
        ..Trail::default()
    };
    let writes = Trail {
        recorded: Some(Recorded {
            issuing: false,
            changing: true,
        }),
        ..all.clone()
    };
    let stopped = Trail {
        logging: Some(false),
        ..all.clone()
    };
    let local = Trail {
        multi_region: false,
        validated: false,
        ..all.clone()
    };
    assert_eq!(with_trails(&[all.clone(), local.clone()]), BTreeSet::new());
    assert_eq!(with_trails(&[]), BTreeSet::from(["no-trail"]));
    assert_eq!(
        with_trails(std::slice::from_ref(&writes)),
        BTreeSet::from(["issuing-not-logged"])
    );
    assert_eq!(with_trails(&[writes, all]), BTreeSet::new());
    assert_eq!(
        with_trails(&[stopped]),
        BTreeSet::from(["no-trail", "trail-stopped"])
    );
    assert_eq!(
        with_trails(&[local]),
        BTreeSet::from(["log-validation-off", "no-trail-of-all-regions"])
    );
    // Nobody listed the trails: that is not the same as none.
    assert_eq!(
        codes(&Facts {
            accounts: [(SHOP.to_owned(), Default::default())].into(),
            ..Facts::default()
        }),
        BTreeSet::new()
    );
}

fn with_scps(policies: &[Value]) -> Facts {
    member(policies.iter().cloned())
}

#[test]
fn an_scp_protects_logging_only_by_denying_it() {
    let policy = |effect: &str, action: &str| json!({"Statement": {"Effect": effect, "Action": action, "Resource": "*"}});
    let (all, unrelated) = (policy("Allow", "*"), policy("Deny", "s3:*"));
    let told =
        |more: Value| codes(&with_scps(&[all.clone(), more])).contains("logging-unprotected");
    assert!(told(unrelated.clone()) && told(policy("Deny", "cloudtrail:LookupEvents")));
    assert!(
        !told(policy("Deny", "cloudtrail:StopLogging"))
            && !told(policy("Deny", "cloudtrail:Stop*"))
    );
    assert!(codes(&with_scps(&vec![unrelated; 5])).contains("no-room-for-scp"));
}

#[test]
fn the_rest_of_an_account_is_told() {
    let mut facts = facts();
    let account = facts.accounts.get_mut(SHOP).unwrap();
    account.password_length = Some(8);
    account.users.get_mut("bob").unwrap().service_credentials =
        [("ACCABOB".to_owned(), true)].into();
    let role = account.roles.get_mut("deploy").unwrap();
    role.policies.attached = (0..10)
        .map(|n| format!("arn:aws:iam::{SHOP}:policy/{n}"))
        .collect();
    let long = json!({"Statement": [{"Sid": "x".repeat(10_100)}]});
    role.policies.inline = [("long".to_owned(), long)].into();
    assert!(codes(&facts).is_superset(&BTreeSet::from([
        "no-room-for-deny",
        "service-credential",
        "short-passwords"
    ])));
    let account = facts.accounts.get_mut(SHOP).unwrap();
    account
        .summary
        .insert("AttachedPoliciesPerRoleQuota".to_owned(), 20);
    assert!(!codes(&facts).contains("no-room-for-deny"));
}

fn inspected(facts: &Facts) -> Inspection {
    let trail = trail(STORY);
    with_report(&trail, |report| {
        inspect(report, facts, &settings(), trail.key("A").unwrap())
    })
}

#[test]
fn a_row_tells_what_a_principal_may_give_and_what_was_not_read() {
    let mut facts =
        with_scps(&[json!({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})]);
    let account = facts.accounts.get_mut(SHOP).unwrap();
    let alice = account.users.get_mut("alice").unwrap();
    alice
        .policies
        .attached
        .insert("arn:aws:iam::aws:policy/Unread".to_owned());
    alice.keys.insert("AKIAALICE".to_owned(), true);
    account
        .last_used
        .keys
        .insert("AKIAALICE".to_owned(), Some(ago(1)));
    let told = inspected(&facts);
    let row = |name: &str| {
        told.principals
            .iter()
            .find(|row| row.arn.raw().ends_with(name))
            .unwrap()
    };
    let alice = row("user/alice");
    assert!(
        alice.grants.contains_key("iam:PutUserPolicy")
            && alice.grants.contains_key("iam:CreateAccessKey")
    );
    assert_eq!(
        alice.policies_unread,
        [Untrusted::new("arn:aws:iam::aws:policy/Unread")].into()
    );
    assert_eq!(
        (alice.last_used, alice.scp_room, alice.read),
        (Some(ago(1)), Some(4), true)
    );
    facts.accounts.get_mut(SHOP).unwrap().authorization_details = false;
    assert!(inspected(&facts).principals.iter().all(|row| !row.read));
}

/// A user with these statements, and two roles that nobody but a service may assume.
fn with_permissions(statements: Value) -> (Facts, Vec<Reached>) {
    let mut details = details();
    let role = |name: &str, service: &str| {
        let mut role = details["RoleDetailList"][2].clone();
        role["RoleName"] = json!(name);
        role["Arn"] = json!(format!("arn:aws:iam::{SHOP}:role/{name}"));
        role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] = json!({"Service": service});
        role
    };
    details["RoleDetailList"] = json!([
        role("worker", "lambda.amazonaws.com"),
        role("server", "ec2.amazonaws.com")
    ]);
    details["UserDetailList"][0]["UserPolicyList"][0]["PolicyDocument"]["Statement"] = statements;
    let mut facts = Facts::default();
    facts.read(&details.to_string(), None).unwrap();
    let alice = Owner::of_arn(&format!("arn:aws:iam::{SHOP}:user/alice")).unwrap();
    let reached = reach(&facts, &alice).0;
    (facts, reached)
}

#[test]
fn a_role_is_had_by_a_service_when_it_may_be_passed_and_the_service_started() {
    let allow = |action: Value, resource: &str| json!({"Effect": "Allow", "Action": action, "Resource": resource});
    let pass = allow(json!("iam:PassRole"), "arn:aws:iam::*:role/w*");
    let of_team = format!("arn:aws:lambda:us-east-1:{SHOP}:function:team-*");
    let start = allow(json!(["lambda:CreateFunction", "lambda:Invoke*"]), &of_team);
    let told = |statements: Value| {
        let mut reached = with_permissions(statements).1;
        reached.retain(|r| r.through.is_empty());
        let names = reached
            .iter()
            .map(|r| r.role.raw().rsplit('/').next().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(told(json!([pass, start])), ["worker"]);
    assert_eq!(told(json!([start])), Vec::<String>::new());
    assert_eq!(
        told(json!([pass, allow(json!("lambda:CreateFunction"), "*")])),
        Vec::<String>::new()
    );
    let run = allow(json!(["ec2:RunInstances", "iam:PassRole"]), "*");
    // An instance needs a profile that carries the role.
    assert_eq!(told(json!([run])), Vec::<String>::new());
    assert_eq!(
        told(json!([
            run,
            allow(json!("iam:AddRoleToInstanceProfile"), "*")
        ])),
        ["server"]
    );

    let mut only = pass.clone();
    only["Condition"] = json!({"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}});
    assert_eq!(told(json!([only, start])), Vec::<String>::new());
    let (_, reached) = with_permissions(json!([pass, start]));
    assert_eq!(
        reached[0].services,
        BTreeSet::from(["lambda.amazonaws.com"])
    );
    assert!(reached[0].can_grant && reached[0].depends_on.is_empty());
}

/// Of a level of service control policies one was not read: it may allow what the others do not.
#[test]
fn what_was_not_read_of_an_scp_is_not_taken_for_a_denial() {
    let nothing = json!({"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}});
    let bob = Owner::of_arn(&format!("arn:aws:iam::{SHOP}:user/build-bot")).unwrap();
    assert!(
        reach(&with_scps(std::slice::from_ref(&nothing)), &bob)
            .0
            .is_empty()
    );
    assert!(
        !reach(&with_scps(&[nothing, Value::Null]), &bob)
            .0
            .is_empty()
    );
    let mut facts = facts();
    facts
        .accounts
        .get_mut(SHOP)
        .unwrap()
        .policies
        .insert("x".to_owned(), Managed::default());
    assert!(!reach(&facts, &bob).0.is_empty());
}
