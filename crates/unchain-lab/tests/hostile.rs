//! Whatever is sent, the lab answers: an HTTP status, never a panic.

mod support;

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::Map;
use support::Signer;
use unchain_core::time::Timestamp;
use unchain_lab::Lab;
use unchain_lab::call::Call;
use unchain_lab::http::Request;
use unchain_lab::service::Service;
use unchain_lab::session::Caller;
use unchain_lab::world::{Settings, World};

fn now() -> Timestamp {
    Timestamp::from_seconds(1_795_333_766)
}

fn lab() -> (Lab, Signer) {
    let mut world = World::new(1, Settings::default());
    let (key, secret) = world.add_account("111122223333", "one");
    let signer = Signer {
        key,
        secret,
        ..Signer::default()
    };
    (Lab::new(world), signer)
}

fn answers(lab: &Lab, request: &Request) -> u16 {
    let response = lab.handle(request, now());
    assert!((100..600).contains(&response.status), "{request:?}");
    response.status
}

/// What means something to one of the parsers.
const KNOWN: &[&str] = &[
    "Action=",
    "GetCallerIdentity",
    "AssumeRole",
    "&",
    "=",
    ".member.",
    ".entry.",
    "1",
    "4294967296",
    "%",
    "%F",
    "%ff",
    "+",
    "X-Amz-Signature=",
    "X-Amz-Credential=",
    "AKIA/20261122/us-east-1/s3/aws4_request",
    "X-Amz-Algorithm=AWS4-HMAC-SHA256",
    "X-Amz-Date=",
    "20261122T074926Z",
    "X-Amz-Expires=",
    "-1",
    "99999999999999999999",
    "X-Amz-SignedHeaders=host",
    "AWS4-HMAC-SHA256 ",
    "Credential=",
    "SignedHeaders=",
    "Signature=",
    ", ",
    "/",
    "//",
    "..",
    "?",
    "<",
    "<a>",
    "</a>",
    "<!DOCTYPE",
    "{",
    "}",
    "[",
    "]",
    "\"",
    ":",
    "null",
    "ä",
    "\u{0}",
    "\r\n",
    "0;chunk-signature=",
    "fffffffffffffffff",
    "bucket",
    "uploadId=",
    "uploads",
    "policy",
    "/2015-03-31/functions/",
    "/_lab/clock",
    "/_lab/",
    "Version=2010-05-08",
    "PolicyDocument=",
];

/// Text out of such pieces and others.
fn pieces() -> impl Strategy<Value = String> {
    let known = prop::sample::select(KNOWN);
    let piece = prop_oneof![8 => known.prop_map(|piece: &str| piece.to_owned()), 1 => ".{0,6}"];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn header() -> impl Strategy<Value = (String, String)> {
    let names = prop::sample::select(vec![
        "authorization",
        "x-amz-date",
        "date",
        "x-amz-target",
        "x-amz-content-sha256",
        "x-amz-security-token",
        "host",
        "content-type",
        "x-amz-decoded-content-length",
        "range",
        "if-none-match",
        "x-amz-copy-source",
        "origin",
        "x-amz-meta-a",
        "content-md5",
        "x-amz-tagging",
    ]);
    (names.prop_map(str::to_owned), pieces())
}

fn request() -> impl Strategy<Value = Request> {
    let method = prop::sample::select(vec![
        "GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS", "",
    ]);
    let body = prop_oneof![
        pieces().prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..64)
    ];
    (
        method,
        pieces(),
        pieces(),
        prop::collection::vec(header(), 0..5),
        body,
    )
        .prop_map(|(method, path, query, headers, body)| Request {
            method: method.to_owned(),
            path: format!("/{path}"),
            query,
            headers,
            body,
            ..Request::default()
        })
}

/// Every operation of the query services, so that the body reaches it.
fn form() -> impl Strategy<Value = (&'static str, String)> {
    let services = [
        unchain_lab::service::Service::Sts,
        unchain_lab::service::Service::Iam,
        unchain_lab::service::Service::Sns,
        unchain_lab::service::Service::Ec2,
    ];
    let rows: Vec<(&'static str, &'static str)> = services
        .into_iter()
        .flat_map(|service| {
            service
                .operations()
                .iter()
                .map(move |operation| (service.name(), operation.name))
        })
        .collect();
    let names = [
        "UserName",
        "RoleName",
        "RoleArn",
        "PolicyDocument",
        "PolicyArn",
        "DurationSeconds",
        "Tags.member.1.Key",
        "Marker",
        "MaxItems",
        "SerialNumber",
        "Policy",
        "Path",
        "RoleSessionName",
        "TopicArn",
        "InstanceId.1",
    ];
    let parameter = (prop::sample::select(names.to_vec()), pieces());
    (
        prop::sample::select(rows),
        prop::collection::vec(parameter, 0..5),
    )
        .prop_map(|((service, action), parameters)| {
            let mut body = format!("Action={action}&Version=1");
            for (name, value) in parameters {
                body.push_str(&format!("&{name}={value}"));
            }
            (service, body)
        })
}

proptest! {
    #[test]
    fn any_request_is_answered(request in request()) {
        answers(&lab().0, &request);
    }

    #[test]
    fn any_signed_form_is_answered((service, body) in form()) {
        let (lab, signer) = lab();
        let status = answers(&lab, &signer.of(service).form(&body, now()));
        prop_assert_ne!(status, 500, "{}", body);
    }

    #[test]
    fn any_signed_object_call_is_answered(
        method in prop::sample::select(vec!["GET", "PUT", "POST", "DELETE", "HEAD"]),
        query in prop::sample::select(vec!["", "policy=", "uploads=", "delete=", "notification=", "tagging=",
                                           "list-type=2", "versioning=", "encryption=", "publicAccessBlock="]),
        body in pieces(),
    ) {
        let (lab, signer) = lab();
        let signer = signer.of("s3");
        prop_assert_eq!(answers(&lab, &signer.s3(("PUT", "/bucket"), b"", now())), 200);
        let path = format!("/bucket?{query}");
        prop_assert_ne!(answers(&lab, &signer.s3((method, &path), body.as_bytes(), now())), 500);
        prop_assert_ne!(answers(&lab, &signer.s3((method, "/bucket/key"), body.as_bytes(), now())), 500);
    }

    #[test]
    fn any_signed_json_is_answered(
        row in prop::sample::select(json_rows()),
        body in prop_oneof![pieces(), pieces().prop_map(|text| format!("{{\"QueueUrl\":{text:?}}}"))],
    ) {
        let (lab, signer) = lab();
        let (service, target) = row;
        let status = answers(&lab, &json(&signer.of(service), &target, body.as_bytes(), now()));
        prop_assert_ne!(status, 500, "{} {}", target, body);
    }
}

/// A call of a JSON service.
fn json(signer: &Signer, target: &str, body: &[u8], at: Timestamp) -> Request {
    let headers = [
        ("content-type", "application/x-amz-json-1.1"),
        ("x-amz-target", target),
    ];
    let request = Request {
        method: "POST".to_owned(),
        headers: headers
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
        body: body.to_vec(),
        ..Request::default()
    };
    signer.sign(request, at)
}

fn json_rows() -> Vec<(&'static str, String)> {
    let targets = [
        (unchain_lab::service::Service::Sqs, "AmazonSQS"),
        (
            unchain_lab::service::Service::Organizations,
            "AWSOrganizationsV20161128",
        ),
        (
            unchain_lab::service::Service::CloudTrail,
            "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101",
        ),
        (unchain_lab::service::Service::DynamoDb, "DynamoDB_20120810"),
        (unchain_lab::service::Service::Ssm, "AmazonSSM"),
        (
            unchain_lab::service::Service::SecretsManager,
            "secretsmanager",
        ),
    ];
    let rows = targets.into_iter().flat_map(|(service, prefix)| {
        let operations = service.operations().iter();
        operations.map(move |operation| (service.name(), format!("{prefix}.{}", operation.name)))
    });
    rows.collect()
}

#[test]
fn a_signed_call_changes_the_world_and_a_token_works() {
    let (lab, root) = lab();
    let iam = root.of("iam");
    let call = |request: &Request| {
        let response = lab.handle(request, now());
        (response.status, String::from_utf8(response.body).unwrap())
    };
    let (status, text) =
        call(&iam.form("Action=CreateUser&UserName=eve&Version=2010-05-08", now()));
    assert_eq!(status, 200, "{text}");
    let (_, text) = call(&iam.form(
        "Action=CreateAccessKey&UserName=eve&Version=2010-05-08",
        now(),
    ));
    let part = |text: &str, name: &str| support::element(text, name).unwrap();
    let eve = Signer {
        key: part(&text, "AccessKeyId"),
        secret: part(&text, "SecretAccessKey"),
        token: None,
        service: "sts".to_owned(),
    };
    let (_, text) = call(&eve.form("Action=GetSessionToken&Version=2011-06-15", now()));
    let session = Signer {
        key: part(&text, "AccessKeyId"),
        secret: part(&text, "SecretAccessKey"),
        token: Some(part(&text, "SessionToken")),
        service: "sts".to_owned(),
    };
    let who = "Action=GetCallerIdentity&Version=2011-06-15";
    let (status, text) = call(&session.form(who, now()));
    assert_eq!(
        (status, part(&text, "Arn").as_str()),
        (200, "arn:aws:iam::111122223333:user/eve")
    );
    let off = format!(
        "Action=UpdateAccessKey&UserName=eve&AccessKeyId={}&Status=Inactive&Version=2010-05-08",
        eve.key
    );
    assert_eq!(call(&iam.form(&off, now())).0, 200);
    let (status, text) = call(&eve.form(who, now()));
    assert_eq!(
        (status, part(&text, "Code").as_str()),
        (403, "InvalidClientTokenId")
    );
    assert_eq!(
        call(&session.form(who, now())).0,
        200,
        "a token outlives its key"
    );
    let (status, text) = call(&Request {
        method: "POST".to_owned(),
        body: who.into(),
        ..Request::default()
    });
    assert_eq!(
        (status, part(&text, "Code").as_str()),
        (403, "MissingAuthenticationToken")
    );
}

#[test]
fn long_ended_tokens_are_forgotten() {
    let (lab, root) = lab();
    let token = "Action=GetSessionToken&Version=2011-06-15";
    for _ in 0..100 {
        assert_eq!(answers(&lab, &root.of("sts").form(token, now())), 200);
    }
    assert_eq!(lab.world().sessions.len(), 100);
    let later = now().plus(3600 + 86_400 + 1);
    for _ in 0..5000 {
        lab.handle(&Request::default(), later);
    }
    assert_eq!(lab.world().sessions.len(), 0, "root's tokens last an hour");
}

#[test]
fn debug_output_holds_no_secret() {
    let (lab, root) = lab();
    let form = "Action=GetSessionToken&Version=2011-06-15&DurationSeconds=900";
    let response = lab.handle(&root.of("sts").form(form, now()), now());
    let text = String::from_utf8(response.body.clone()).unwrap();
    let part = |name: &str| support::element(&text, name).unwrap();
    let token = part("SessionToken");
    let signer = Signer {
        key: part("AccessKeyId"),
        secret: part("SecretAccessKey"),
        token: Some(token.clone()),
        service: "iam".to_owned(),
    };
    let world = lab.world();
    let session = &world.sessions[&signer.key];
    let caller = Caller {
        session: Some(Arc::clone(session)),
        ..Caller::anonymous()
    };
    let password = "Action=CreateLoginProfile&UserName=eve&Password=Correct-Horse-7";
    let request = signer.form(password, now());
    let call = Call {
        operation: Service::Iam.operation("CreateLoginProfile").unwrap(),
        caller: caller.clone(),
        region: String::new(),
        params: Map::from_iter([("Password".to_owned(), "Correct-Horse-7".into())]),
        http: &request,
        body: request.body.clone(),
        at: now(),
        source_ip: String::new(),
        user_agent: String::new(),
        request_id: String::new(),
    };
    let account = &world.accounts["111122223333"];
    let shown =
        format!("{session:?} {caller:?} {call:?} {request:?} {response:?} {account:?} {world:?}");
    assert!(shown.contains(&signer.key) && shown.contains("CreateLoginProfile"));
    let bytes = format!("{:?}", b"Correct-Horse-7");
    let bytes = bytes.trim_matches(['[', ']']);
    for secret in [
        &signer.secret,
        &root.secret,
        &token,
        &session.token_hash,
        "Correct-Horse-7",
        bytes,
    ] {
        assert!(!shown.contains(secret), "a secret in {shown}");
    }
}
