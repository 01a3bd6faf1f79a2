//! The lab's records have the shape of recorded ones: for each event the fields that every recorded one has, and no
//! field that none has, each of the same type.
//!
//! Needs the corpus: set `UNCHAIN_CORPUS` to the folder that holds `recorded/`.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail where the test should"
)]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{ACCOUNT, Company, files};
use serde_json::{Value, json};
use unchain_lab::session::{Caller, Who};
use unchain_lab::{mfa, signin, workload};

/// What may differ: event (`*`: any), the field's path, and why.
const DIFFERENCES: &[(&str, &str, &str)] = &[
    (
        "*",
        "/userIdentity/sessionContext/sessionIssuer:object",
        "records before version 1.09 have an empty one",
    ),
    (
        "*",
        "/userIdentity/sessionContext/webIdFederationData:object",
        "records before version 1.09 have an empty one",
    ),
    (
        "AssumeRole",
        "/additionalEventData",
        "which endpoint served the call is told since 2025, after the corpus",
    ),
    ("GetCallerIdentity", "/additionalEventData", "as AssumeRole"),
    (
        "GetFederationToken",
        "/additionalEventData",
        "as AssumeRole",
    ),
    (
        "GetCallerIdentity",
        "/userIdentity/sessionContext/ec2RoleDelivery",
        "all recorded ones are of an instance",
    ),
    (
        "ListBuckets",
        "/userIdentity/sessionContext",
        "recorded in a console whose keys were renamed to long-term ones",
    ),
    (
        "ListBuckets",
        "/vpcEndpointId",
        "recorded in a console, which calls through an endpoint",
    ),
    (
        "CreateBucket",
        "/requestParameters/x-amz-acl",
        "the recorded client sent this header",
    ),
    (
        "CreateBucket",
        "/resources",
        "the lab names the bucket of every call",
    ),
];

/// Every path of a value with the type at its end; list elements share one path.
fn paths(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    found.insert(format!("{path}:{kind}"));
    match value {
        Value::Array(items) => items
            .iter()
            .for_each(|item| paths(item, &format!("{path}/-"), found)),
        // The document of a policy is the customer's, not a shape of CloudTrail's.
        Value::Object(members) => members
            .iter()
            .filter(|(name, _)| *name != "bucketPolicy")
            .for_each(|(name, value)| paths(value, &format!("{path}/{name}"), found)),
        _ => {}
    }
}

fn shape(record: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    paths(record, "", &mut found);
    found
}

/// What makes two records comparable: the event, whether it failed, and what kind of caller with what kind of key.
type Kind = (String, bool, String);

fn kind(record: &Value) -> Option<Kind> {
    let text = |path: &str| record.pointer(path).and_then(Value::as_str);
    let key = text("/userIdentity/accessKeyId").and_then(|key| key.get(..4));
    let caller = format!("{} {}", text("/userIdentity/type")?, key.unwrap_or("none"));
    let failed = text("/errorCode").or(text("/errorMessage")).is_some();
    Some((text("/eventName")?.to_owned(), failed, caller))
}

/// The shapes of recorded events of the record format's versions since 1.08.
fn recorded() -> Option<BTreeMap<Kind, Vec<BTreeSet<String>>>> {
    let Some(corpus) = std::env::var_os("UNCHAIN_CORPUS") else {
        #[expect(clippy::print_stdout, reason = "a skipped test says so")]
        {
            println!("skipped: UNCHAIN_CORPUS is not set");
        }
        return None;
    };
    let mut shapes: BTreeMap<_, Vec<_>> = BTreeMap::new();
    let folder = std::path::PathBuf::from(corpus).join("recorded");
    let texts = files(&folder);
    for text in texts
        .iter()
        .filter_map(|path| std::fs::read_to_string(path).ok())
    {
        let file: Value = serde_json::from_str(&text).unwrap_or_default();
        let list = file.get("Records").unwrap_or(&file).as_array();
        for record in list.into_iter().flatten() {
            let version = record["eventVersion"].as_str().unwrap_or_default();
            if let Some(kind) =
                kind(record).filter(|_| ["1.08", "1.09", "1.10", "1.11"].contains(&version))
            {
                shapes.entry(kind).or_default().push(shape(record));
            }
        }
    }
    Some(shapes)
}

/// Makes the events that are compared.
fn story() -> Vec<Value> {
    let mut company = Company::new();
    iam(&mut company);
    sessions(&mut company);
    trails(&mut company);
    console(&mut company);
    company.records()
}

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333","Service":["ec2.amazonaws.com","lambda.amazonaws.com"]},"Action":"sts:AssumeRole"}]}"#;
const ALL: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

fn iam(company: &mut Company) {
    let ann = company.user("ann");
    company.user("bob");
    let root = company.root(ACCOUNT);
    let inline = json!({"UserName": "ann", "PolicyName": "all", "PolicyDocument": ALL});
    company.must(&root, "iam PutUserPolicy", inline);
    let made = json!({"UserName": "eve", "Path": "/"});
    company.must(&ann, "iam CreateUser", made);
    company.must(&ann, "iam CreateAccessKey", json!({"UserName": "eve"}));
    let login =
        json!({"UserName": "eve", "Password": "Correct-Horse-7", "PasswordResetRequired": "false"});
    company.must(&ann, "iam CreateLoginProfile", login);
    let policy = "arn:aws:iam::aws:policy/AdministratorAccess";
    let attach = json!({"UserName": "eve", "PolicyArn": policy});
    company.must(&ann, "iam AttachUserPolicy", attach);
    let role = json!({
        "RoleName": "app", "Path": "/", "AssumeRolePolicyDocument": TRUST, "MaxSessionDuration": "3600",
        "Tags": [{"Key": "Team", "Value": "A"}],
    });
    company.must(&ann, "iam CreateRole", role);
    let inline = json!({"RoleName": "app", "PolicyName": "inline", "PolicyDocument": ALL});
    company.must(&ann, "iam PutRolePolicy", inline);
    company.must(&ann, "iam GetRole", json!({"RoleName": "app"}));
    company.must(&ann, "iam ListUsers", json!({}));
    company.must(&ann, "iam GetUser", json!({}));
    company
        .call(&ann, "iam GetRole", json!({"RoleName": "nobody"}))
        .expect_err("no such role");
}

fn sessions(company: &mut Company) {
    let root = company.root(ACCOUNT);
    let bob = with_name(company, "bob");
    let ann = with_name(company, "ann");
    company.must(&ann, "sts GetCallerIdentity", json!({}));
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/app");
    let asked = json!({"RoleArn": arn, "RoleSessionName": "work", "DurationSeconds": "900"});
    let assumed = company.must(&ann, "sts AssumeRole", asked.clone());
    company
        .call(&bob, "sts AssumeRole", asked)
        .expect_err("refused");
    let key = assumed.value["Credentials"]["AccessKeyId"]
        .as_str()
        .expect("a key")
        .to_owned();
    let app = company.with_key(&key);
    company.must(&app, "sts GetCallerIdentity", json!({}));
    let federated = json!({"Name": "fed", "Policy": ALL});
    company.must(&ann, "sts GetFederationToken", federated);
    let instance = json!({"account": ACCOUNT, "role": "app", "instance": "i-0123456789abcdef0"});
    workload::control(&mut company.world, "instance", &instance).expect("credentials");
    let _ = root;
}

fn trails(company: &mut Company) {
    let ann = with_name(company, "ann");
    company.must(&ann, "s3 ListBuckets", json!({}));
    company.must(&ann, "s3 CreateBucket", json!({"Bucket": "the-logs"}));
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"},
        "Action": ["s3:GetBucketAcl", "s3:PutObject"],
        "Resource": ["arn:aws:s3:::the-logs", "arn:aws:s3:::the-logs/*"],
    }]});
    let put = (
        json!({"Bucket": "the-logs"}),
        policy.to_string().into_bytes(),
    );
    company
        .call_with(&ann, "s3 PutBucketPolicy", put)
        .expect("a policy");
    let trail = json!({
        "Name": "the-trail", "S3BucketName": "the-logs", "IncludeGlobalServiceEvents": true,
        "TagsList": [{"Key": "Team", "Value": "A"}],
    });
    company.must(&ann, "cloudtrail CreateTrail", trail);
    company.must(
        &ann,
        "cloudtrail StartLogging",
        json!({"Name": "the-trail"}),
    );
    company.must(
        &ann,
        "cloudtrail DescribeTrails",
        json!({"trailNameList": ["the-trail"]}),
    );
    let selectors = json!([{
        "ReadWriteType": "ReadOnly", "IncludeManagementEvents": false,
        "DataResources": [{"Type": "AWS::S3::Object", "Values": []}], "ExcludeManagementEventSources": [],
    }]);
    let selected = json!({"TrailName": "the-trail", "EventSelectors": selectors});
    company.must(&ann, "cloudtrail PutEventSelectors", selected);
    company.must(
        &ann,
        "cloudtrail GetEventSelectors",
        json!({"TrailName": "the-trail"}),
    );
    company.must(
        &ann,
        "cloudtrail GetTrailStatus",
        json!({"Name": "the-trail"}),
    );
    company.must(&ann, "cloudtrail StopLogging", json!({"Name": "the-trail"}));
    company
        .call(&ann, "cloudtrail StopLogging", json!({"Name": "no-trail"}))
        .expect_err("unknown");
    company.must(&ann, "cloudtrail DeleteTrail", json!({"Name": "the-trail"}));
}

fn console(company: &mut Company) {
    let world = &mut company.world;
    let seed = b"12345678901234567890".to_vec();
    let serial = format!("arn:aws:iam::{ACCOUNT}:mfa/eve");
    let login = json!({"account": ACCOUNT, "user": "eve", "password": "Correct-Horse-7"});
    signin::control(world, "login", &login).expect("signed in");
    let device = unchain_lab::iam::MfaDevice {
        seed: seed.clone(),
        enabled: Some(("eve".to_owned(), world.now)),
        last_step: None,
    };
    let iam = world.change_iam(ACCOUNT).expect("an account");
    iam.mfa_devices.insert(serial.clone(), device);
    let code = mfa::totp(&seed, world.now);
    let login =
        json!({"account": ACCOUNT, "user": "eve", "password": "Correct-Horse-7", "mfa": code});
    signin::control(world, "login", &login).expect("signed in with a code");
    signin::control(world, "login", &login).expect_err("a code counts once");
}

/// A user made before, with its first key.
fn with_name(company: &Company, name: &str) -> Caller {
    let user = &company.world.iam(ACCOUNT).expect("an account").users[name];
    let who = Who::User {
        name: name.to_owned(),
        id: user.id.clone(),
    };
    Caller {
        who,
        access_key_id: Some(user.keys[0].id.clone()),
        ..company.root(ACCOUNT)
    }
}

#[test]
fn records_have_the_shape_of_recorded_ones() {
    let Some(recorded) = recorded() else {
        return;
    };
    let (mut unlike, mut compared, mut used) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    for record in story() {
        let Some(kind) = kind(&record) else {
            continue;
        };
        let Some(shapes) = recorded.get(&kind) else {
            continue;
        };
        compared.insert(format!("{} {} {}", kind.0, kind.1, kind.2));
        let ours = shape(&record);
        let some: BTreeSet<String> = shapes.iter().flatten().cloned().collect();
        let every = some
            .iter()
            .filter(|path| shapes.iter().all(|shape| shape.contains(*path)));
        let missing = every.filter(|path| !ours.contains(*path));
        let missing: Vec<(&str, &String)> = missing.map(|path| ("missing", path)).collect();
        let extra = ours.iter().filter(|path| !some.contains(*path));
        for (side, path) in missing.into_iter().chain(extra.map(|path| ("extra", path))) {
            let known = DIFFERENCES.iter().position(|(event, start, _)| {
                (*event == "*" || *event == kind.0) && path.starts_with(start)
            });
            match known {
                Some(row) => drop(used.insert(row)),
                None => unlike.push(format!("{kind:?} {side} {path}")),
            }
        }
    }
    unlike.dedup();
    assert!(unlike.is_empty(), "{}", unlike.join("\n"));
    assert!(compared.len() >= 25, "{compared:#?}");
    assert_eq!(
        used.len(),
        DIFFERENCES.len(),
        "a difference is no longer one: {used:?}"
    );
}
