//! What the lab's log says, read as `unchain` reads it: every issued key hangs where it belongs, and no secret is in it.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail where the test should"
)]

mod common;

use std::collections::BTreeSet;

use common::{ACCOUNT, Company, OTHER};
use serde_json::{Value, json};
use unchain_core::ledger::Ledger;
use unchain_core::lineage::{Basis, Lineage, NodeKind, Origin};
use unchain_core::record::plain;
use unchain_lab::session::Caller;
use unchain_lab::{signin, workload};

const ALL: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

fn trust() -> String {
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"},
        {"Effect": "Allow", "Principal": {"Service": [
            "ec2.amazonaws.com", "lambda.amazonaws.com", "ecs-tasks.amazonaws.com", "pods.eks.amazonaws.com",
        ]}, "Action": ["sts:AssumeRole", "sts:TagSession"]},
    ]})
    .to_string()
}

/// A user who may do everything, and a role in both accounts.
fn company() -> (Company, Caller) {
    let mut company = Company::new();
    let ann = company.user("ann");
    let root = company.root(ACCOUNT);
    let policy = json!({"UserName": "ann", "PolicyName": "all", "PolicyDocument": ALL});
    company.must(&root, "iam PutUserPolicy", policy);
    let login = json!({"UserName": "ann", "Password": "Correct-Horse-7"});
    company.must(&root, "iam CreateLoginProfile", login);
    for account in [ACCOUNT, OTHER] {
        let root = company.root(account);
        let role = json!({"RoleName": "app", "AssumeRolePolicyDocument": trust()});
        company.must(&root, "iam CreateRole", role);
        let policy = json!({"RoleName": "app", "PolicyName": "all", "PolicyDocument": ALL});
        company.must(&root, "iam PutRolePolicy", policy);
    }
    (company, ann)
}

fn key(answer: &Value) -> &str {
    let names = [
        "/AccessKeyId",
        "/AWS_ACCESS_KEY_ID",
        "/Credentials/AccessKeyId",
    ];
    let found = names.iter().find_map(|name| answer.pointer(name));
    found.and_then(Value::as_str).expect("a key")
}

/// Uses a key, so that it is in the log.
fn used(company: &mut Company, answer: &Value) -> String {
    let caller = company.with_key(key(answer));
    company.must(&caller, "sts GetCallerIdentity", json!({}));
    key(answer).to_owned()
}

fn assume(company: &mut Company, caller: &Caller, account: &str) -> Value {
    let arn = format!("arn:aws:iam::{account}:role/app");
    let asked = json!({"RoleArn": arn, "RoleSessionName": "work"});
    company.must(caller, "sts AssumeRole", asked).value
}

fn console(company: &mut Company, path: &str, body: &Value) -> Value {
    let answer = signin::control(&mut company.world, path, body).expect(path);
    company.world.now += 1;
    answer
}

fn ledger(records: &[Value]) -> Ledger {
    let mut ledger = Ledger::default();
    for record in records {
        ledger.apply(&plain(record).expect("a record"));
    }
    ledger.settle();
    ledger
}

/// The edge to a key: how it is known, and the parent's key.
fn edge<'l>(lineage: &Lineage<'l>, key: &str) -> (Basis, &'l str) {
    let ledger = lineage.ledger();
    let text = |node: u32| lineage.node(node).map(|node| ledger.text(node.key));
    let mut edges = lineage
        .edges()
        .iter()
        .filter(|edge| text(edge.child) == Some(key));
    let edge = edges.next().unwrap_or_else(|| panic!("no edge to {key}"));
    assert!(edges.next().is_none(), "one edge to {key}");
    (edge.basis, text(edge.parent).expect("a parent"))
}

fn origin(lineage: &Lineage<'_>, key: &str) -> Origin {
    let ledger = lineage.ledger();
    let mut nodes = lineage.nodes().iter();
    let node = nodes.find(|node| ledger.text(node.key) == key);
    node.unwrap_or_else(|| panic!("{key} is not in the log"))
        .origin
}

#[test]
fn a_chain_of_roles_is_read_back_key_by_key() {
    let (mut company, ann) = company();
    let token = company.must(&ann, "sts GetSessionToken", json!({})).value;
    let first = used(&mut company, &token);
    let caller = company.with_key(&first);
    let role = assume(&mut company, &caller, ACCOUNT);
    let second = used(&mut company, &role);
    let caller = company.with_key(&second);
    let federated = company.must(
        &ann,
        "sts GetFederationToken",
        json!({"Name": "fed", "Policy": ALL}),
    );
    let federated = used(&mut company, &federated.value);
    let role = assume(&mut company, &caller, ACCOUNT);
    let third = used(&mut company, &role);
    let records = company.records();
    let ledger = ledger(&records);
    let lineage = Lineage::build(&ledger);
    let long_term = ann.access_key_id.as_deref().expect("a key");
    assert_eq!(edge(&lineage, &first), (Basis::Recorded, long_term));
    assert_eq!(edge(&lineage, &second), (Basis::Recorded, first.as_str()));
    assert_eq!(edge(&lineage, &third), (Basis::Recorded, second.as_str()));
    assert_eq!(edge(&lineage, &federated), (Basis::Recorded, long_term));
}

#[test]
fn another_account_gets_a_copy_that_names_neither_user_nor_key() {
    let (mut company, ann) = company();
    let root = company.root(OTHER);
    let open = json!({"RoleName": "app", "PolicyDocument": trust()});
    company.must(&root, "iam UpdateAssumeRolePolicy", open);
    assume(&mut company, &ann, OTHER);
    let mut pair = company.records();
    pair.retain(|record| record["eventName"] == "AssumeRole");
    pair.sort_by_key(|record| record["recipientAccountId"].to_string());
    let [own, copy] = pair.as_slice() else {
        panic!("two records: {pair:?}");
    };
    assert_eq!(own["userIdentity"]["type"], "IAMUser");
    let ann_id = &own["userIdentity"]["principalId"];
    let foreign = json!({"type": "AWSAccount", "principalId": ann_id, "accountId": ACCOUNT});
    assert_eq!(copy["userIdentity"], foreign);
    assert_eq!(
        (&own["recipientAccountId"], &copy["recipientAccountId"]),
        (&json!(ACCOUNT), &json!(OTHER))
    );
    for same in [
        "sharedEventID",
        "requestID",
        "responseElements",
        "eventTime",
    ] {
        assert!(!own[same].is_null(), "{same}");
        assert_eq!(own[same], copy[same], "{same}");
    }
    assert_ne!(own["eventID"], copy["eventID"]);
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "one log holds all the ways, so that none explains another's key"
)]
fn sign_ins_and_workloads_leave_no_key_without_an_explanation() {
    let (mut company, ann) = company();
    let login = json!({"account": ACCOUNT, "user": "ann", "password": "Correct-Horse-7"});
    let session = console(&mut company, "login", &login);
    let minted = console(&mut company, "key", &session);
    let minted = used(&mut company, &minted);
    let to = json!({"session": session["session"], "account": ACCOUNT, "role": "app"});
    let switched = console(&mut company, "switch-role", &to);
    let of_role = console(&mut company, "key", &switched);
    let of_role = used(&mut company, &of_role);
    assert_eq!(
        console(&mut company, "exit-role", &switched),
        json!({"session": session["session"]})
    );
    let code = console(&mut company, "authorize", &session);
    let granted = console(&mut company, "token", &code);
    used(&mut company, &granted);
    let again = json!({"refresh_token": granted["refresh_token"]});
    let again = console(&mut company, "token", &again);
    used(&mut company, &again);
    let role = assume(&mut company, &ann, ACCOUNT);
    let credentials = &role["Credentials"];
    let credentials = json!({
        "sessionId": credentials["AccessKeyId"], "sessionKey": credentials["SecretAccessKey"],
        "sessionToken": credentials["SessionToken"],
    });
    let token = console(&mut company, "federation/token", &credentials);
    let federated = console(&mut company, "federation/login", &token);
    let federated = console(&mut company, "key", &federated);
    used(&mut company, &federated);
    let person = json!({"account": ACCOUNT, "user": "pat@example.com"});
    let portal = console(&mut company, "sso/login", &person);
    let set = json!({"account": OTHER, "name": "Admin"});
    let set = console(&mut company, "sso/provision", &set);
    let set = json!({"accessToken": portal["accessToken"], "account": OTHER, "role": set["role"]});
    let person = console(&mut company, "sso/role", &set);
    used(&mut company, &person);
    for (kind, name) in [
        ("instance", "i-0123456789abcdef0"),
        ("function", "f"),
        ("task", "0123abcd"),
    ] {
        let body = json!({"account": ACCOUNT, "role": "app", kind: name});
        let given = workload::control(&mut company.world, kind, &body).expect(kind);
        used(&mut company, &given);
        let again = workload::control(&mut company.world, kind, &body).expect(kind);
        assert_eq!(given, again, "the same until it is about to end");
        company.world.now += 7200;
    }
    let pod = json!({
        "account": ACCOUNT, "role": "app", "cluster": "c", "pod": "p", "node": "i-0123456789abcdef0",
    });
    let pod = workload::control(&mut company.world, "pod", &pod).expect("a pod");
    used(&mut company, &pod);
    let records = company.records();
    let ledger = ledger(&records);
    let lineage = Lineage::build(&ledger);
    assert_eq!(origin(&lineage, &minted), Origin::Console);
    assert_eq!(origin(&lineage, &of_role), Origin::Console);
    assert_eq!(origin(&lineage, key(&pod)), Origin::Service);
    let stray = lineage
        .nodes()
        .iter()
        .filter(|node| node.origin == Origin::Unseen && node.kind == NodeKind::TemporaryCredential);
    let stray: Vec<&str> = stray.map(|node| ledger.text(node.key)).collect();
    assert_eq!(stray, Vec::<&str>::new());
    let names: BTreeSet<&str> = records
        .iter()
        .filter_map(|record| record["eventName"].as_str())
        .collect();
    for name in [
        "ConsoleLogin",
        "SwitchRole",
        "ExitRole",
        "GetSigninToken",
        "AuthorizeOAuth2Access",
        "CreateOAuth2Token",
        "CredentialVerification",
        "UserAuthentication",
        "CreateToken",
        "GetRoleCredentials",
        "AssumeRoleWithSAML",
        "AssumeRoleForPodIdentity",
    ] {
        assert!(names.contains(name), "{name} in {names:?}");
    }
    no_secret(&company, &records);
}

/// No secret key and no password is in the log.
fn no_secret(company: &Company, records: &[Value]) {
    let log = records.iter().map(Value::to_string).collect::<String>();
    let sessions = company
        .world
        .sessions
        .values()
        .map(|session| session.secret.clone());
    let users = company
        .world
        .accounts
        .values()
        .flat_map(|account| account.iam.users.values());
    let keys = users.flat_map(|user| user.keys.iter().map(|key| key.secret.clone()));
    let secrets: Vec<String> = sessions
        .chain(keys)
        .chain(["Correct-Horse-7".to_owned()])
        .collect();
    assert!(secrets.len() > 10);
    for secret in secrets {
        assert!(!log.contains(&secret), "a secret is in the log");
    }
}

#[test]
fn a_key_that_is_looked_up_leads_to_the_call_that_issued_it() {
    let (mut company, ann) = company();
    let role = assume(&mut company, &ann, ACCOUNT);
    let child = used(&mut company, &role);
    let lookup = |company: &mut Company, name: &str, value: &str| {
        let asked = json!({"LookupAttributes": [{"AttributeKey": name, "AttributeValue": value}]});
        let found = company.must(&ann, "cloudtrail LookupEvents", asked).value;
        let events = found["Events"].as_array().cloned().expect("events");
        events
            .iter()
            .map(|event| event["EventName"].as_str().expect("a name").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(lookup(&mut company, "ResourceName", &child), ["AssumeRole"]);
    assert_eq!(
        lookup(&mut company, "AccessKeyId", &child),
        ["GetCallerIdentity"]
    );
    let mine = ann.access_key_id.clone().expect("a key");
    assert_eq!(
        lookup(&mut company, "AccessKeyId", &mine),
        ["LookupEvents", "LookupEvents", "AssumeRole"]
    );
    let page = company
        .must(&ann, "cloudtrail LookupEvents", json!({"MaxResults": 2}))
        .value;
    let next = json!({"MaxResults": 2, "NextToken": page["NextToken"]});
    let next = company.must(&ann, "cloudtrail LookupEvents", next).value;
    let id = |page: &Value| page["Events"][0]["EventId"].clone();
    assert_ne!(id(&page), id(&next));
    let wrong = json!({"MaxResults": 51});
    let fault = company
        .call(&ann, "cloudtrail LookupEvents", wrong)
        .expect_err("too many");
    assert_eq!(fault.status, 400);
}

/// The keys of a bucket's objects.
fn objects(company: &Company) -> Vec<String> {
    company.world.s3.buckets["the-logs"]
        .objects
        .keys()
        .cloned()
        .collect()
}

#[test]
fn a_trail_delivers_to_a_bucket_that_lets_it_and_stops_when_told() {
    let (mut company, ann) = company();
    company.must(&ann, "s3 CreateBucket", json!({"Bucket": "the-logs"}));
    let trail = json!({
        "Name": "the-trail", "S3BucketName": "the-logs", "S3KeyPrefix": "p", "EnableLogFileValidation": true,
        "IsMultiRegionTrail": true,
    });
    let refused = company
        .call(&ann, "cloudtrail CreateTrail", trail.clone())
        .expect_err("no policy");
    assert!(format!("{:?}", refused.trouble).contains("InsufficientS3BucketPolicyException"));
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"},
        "Action": ["s3:GetBucketAcl", "s3:PutObject"],
        "Resource": ["arn:aws:s3:::the-logs", "arn:aws:s3:::the-logs/p/AWSLogs/*"],
    }]});
    let put = (
        json!({"Bucket": "the-logs"}),
        policy.to_string().into_bytes(),
    );
    company
        .call_with(&ann, "s3 PutBucketPolicy", put)
        .expect("a policy");
    company.must(&ann, "cloudtrail CreateTrail", trail);
    company.must(&ann, "sts GetCallerIdentity", json!({}));
    unchain_lab::trail::deliver_all(&mut company.world);
    assert_eq!(
        objects(&company),
        Vec::<String>::new(),
        "a trail begins when it is told"
    );
    let name = json!({"Name": "the-trail"});
    company.must(&ann, "cloudtrail StartLogging", name.clone());
    company.must(&ann, "sts GetCallerIdentity", json!({}));
    company.world.now += 3700;
    unchain_lab::trail::deliver_due(&mut company.world);
    let start = format!("p/AWSLogs/{ACCOUNT}/CloudTrail");
    let found = objects(&company);
    assert_eq!(found.len(), 2, "a log file and a digest: {found:?}");
    assert!(
        found
            .iter()
            .any(|key| key.starts_with(&format!("{start}-Digest/us-east-1/"))),
        "{found:?}"
    );
    let digest = company.world.s3.buckets["the-logs"]
        .objects
        .values()
        .find(|object| {
            object
                .headers
                .get("x-amz-meta-signature-algorithm")
                .map(String::as_str)
                == Some("SHA256withRSA")
        });
    assert!(digest.is_some_and(|object| object.headers["x-amz-meta-signature"].len() == 512));
    company.must(&ann, "cloudtrail StopLogging", name.clone());
    let stopped = objects(&company).len();
    company.must(&ann, "sts GetCallerIdentity", json!({}));
    company.world.now += 7200;
    unchain_lab::trail::deliver_due(&mut company.world);
    assert_eq!(objects(&company).len(), stopped);
    let status = company.must(&ann, "cloudtrail GetTrailStatus", name).value;
    assert_eq!(status["IsLogging"], false);
    let keys = company
        .must(&ann, "cloudtrail ListPublicKeys", json!({}))
        .value;
    assert_eq!(keys["PublicKeyList"].as_array().map(Vec::len), Some(1));
}
