//! What becomes of a call when the service is slow, ill or gone; and the service that the lab lacks. Answered by a few
//! lines that say what they are told to say.

use crate::options::{Credential, Options};
use crate::session::Session;
use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Response, StatusCode};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::runtime::Runtime;
use unchain_core::contain::{Actuator as _, Answer, Call, Refusal, RefusalKind};
use unchain_core::text::Untrusted;

const ACCOUNT: &str = "111122223333";

/// One request, as far as a test asks.
#[derive(Clone, Debug)]
struct Seen {
    path: String,
    body: String,
    authorization: String,
}

/// What to answer: given what it is and how many came before.
type Say = fn(&Seen, usize) -> (u16, String);

#[derive(Clone)]
struct Mock {
    say: Say,
    seen: Arc<Mutex<Vec<Seen>>>,
}

const WHO: &str = "<GetCallerIdentityResponse><GetCallerIdentityResult>\
    <Arn>arn:aws:iam::111122223333:user/responder</Arn><UserId>AIDA</UserId><Account>111122223333</Account>\
    </GetCallerIdentityResult></GetCallerIdentityResponse>";

async fn answer(State(mock): State<Mock>, request: Request) -> Response<axum::body::Body> {
    let header = request.headers().get("authorization");
    let authorization = header.map(|value| value.to_str().unwrap().to_owned());
    let path = request.uri().path().to_owned();
    let body = to_bytes(request.into_body(), 1 << 20).await.unwrap();
    let seen = Seen {
        path,
        body: String::from_utf8(body.to_vec()).unwrap(),
        authorization: authorization.unwrap_or_default(),
    };
    let (status, text) = if seen.body.contains("Action=GetCallerIdentity") {
        (200, WHO.to_owned())
    } else {
        let mut all = mock.seen.lock().unwrap();
        let before = all.len();
        all.push(seen.clone());
        (mock.say)(&seen, before)
    };
    Response::builder()
        .status(StatusCode::from_u16(status).unwrap())
        .header("x-amzn-requestid", "request-1")
        .body(Bytes::from(text).into())
        .unwrap()
}

/// A session with a service that answers so; what was asked of it; and what keeps it going.
fn with(say: Say) -> (Session, Arc<Mutex<Vec<Seen>>>, Runtime) {
    let runtime = Runtime::new().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"));
    let listener = listener.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mock = Mock {
        say,
        seen: Arc::clone(&seen),
    };
    let router = Router::new().fallback(answer).with_state(mock);
    runtime.spawn(async { axum::serve(listener, router).await.unwrap() });
    let options = Options {
        credential: Some(Credential::new("AKIDEXAMPLE", "secret", None)),
        endpoint_url: Some(url),
        role_name: Some("responder".to_owned()),
        ..Options::default()
    };
    (Session::connect(options).unwrap(), seen, runtime)
}

fn ask(
    session: &mut Session,
    (service, action): (&str, &str),
    parameters: &Value,
) -> Result<Answer, Refusal> {
    session.call(&Call {
        service: service.to_owned(),
        action: action.to_owned(),
        account: Untrusted::new(ACCOUNT),
        parameters: parameters.as_object().unwrap().clone(),
    })
}

fn put(session: &mut Session) -> Result<Answer, Refusal> {
    let parameters =
        json!({"UserName": "u", "PolicyName": "p", "PolicyDocument": {"Statement": []}});
    ask(session, ("iam", "PutUserPolicy"), &parameters)
}

fn create(session: &mut Session) -> Result<Answer, Refusal> {
    let parameters = json!({"PolicyName": "p", "PolicyDocument": {"Statement": []}});
    ask(session, ("iam", "CreatePolicy"), &parameters)
}

fn fault(code: &str) -> String {
    format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>m</Message></Error>\
         <RequestId>r</RequestId></ErrorResponse>"
    )
}

const DONE: &str = "<PutUserPolicyResponse></PutUserPolicyResponse>";

#[test]
fn too_many_calls_are_ridden_out() {
    let say: Say = |_, before| match before {
        0 | 1 => (400, fault("Throttling")),
        _ => (200, DONE.to_owned()),
    };
    let (mut session, seen, _runtime) = with(say);
    let answer = put(&mut session).unwrap();
    assert_eq!(answer.request_id.as_deref(), Some("request-1"));
    assert_eq!(seen.lock().unwrap().len(), 3);
    let first = seen.lock().unwrap().first().unwrap().clone();
    assert!(
        first
            .body
            .contains("PolicyDocument=%7B%22Statement%22%3A%5B%5D%7D"),
        "{first:?}"
    );
}

#[test]
fn too_many_calls_for_too_long_are_said_to_be_that() {
    for (call, number) in [(put as fn(&mut Session) -> _, 5), (create, 5)] {
        let (mut session, seen, _runtime) = with(|_, _| (400, fault("Throttling")));
        let refusal = call(&mut session).unwrap_err();
        assert_eq!(
            (refusal.kind, refusal.code.raw()),
            (RefusalKind::Throttled, "Throttling")
        );
        assert_eq!(seen.lock().unwrap().len(), number);
    }
}

#[test]
fn what_may_have_made_something_is_not_sent_again() {
    let ill: Say = |_, _| (500, fault("ServiceFault"));
    let (mut session, seen, _runtime) = with(ill);
    assert_eq!(
        create(&mut session).unwrap_err().kind,
        RefusalKind::Unanswered
    );
    assert_eq!(seen.lock().unwrap().len(), 1);
    let (mut session, seen, _runtime) = with(ill);
    assert_eq!(put(&mut session).unwrap_err().kind, RefusalKind::Throttled);
    assert_eq!(seen.lock().unwrap().len(), 5);
}

#[test]
fn an_answer_that_cannot_be_read_is_none() {
    let (mut session, seen, _runtime) = with(|_, _| (200, "<not".to_owned()));
    let refusal = create(&mut session).unwrap_err();
    assert_eq!(
        (refusal.kind, refusal.code.raw()),
        (RefusalKind::Unanswered, "BadAnswer")
    );
    assert_eq!(seen.lock().unwrap().len(), 1);
}

#[test]
fn a_service_that_went_away_does_not_answer() {
    let (mut session, _, runtime) = with(|_, _| (200, DONE.to_owned()));
    assert!(put(&mut session).is_ok());
    runtime.shutdown_background();
    let refusal = put(&mut session).unwrap_err();
    assert_eq!(
        (refusal.kind, refusal.code.raw()),
        (RefusalKind::Unanswered, "NoConnection")
    );
}

#[test]
fn a_token_in_a_garbled_answer_is_not_told() {
    let say: Say = |_, _| {
        let garbled = "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAX</AccessKeyId>\
            <SessionToken>hush</SessionToken>";
        (200, garbled.to_owned())
    };
    let (mut session, _, _runtime) = with(say);
    let refusal = session.call(&Call {
        service: "iam".to_owned(),
        action: "ListUsers".to_owned(),
        account: Untrusted::new("444455556666"),
        parameters: serde_json::Map::new(),
    });
    let refusal = refusal.unwrap_err();
    let shown = format!("{refusal:?} {}", refusal.message.raw());
    assert!(!shown.contains("hush"), "{shown}");
}

#[test]
fn codes_are_told_apart() {
    let code: fn(&mut Session) -> Refusal = |session| put(session).unwrap_err();
    let cases: [(Say, RefusalKind); 5] = [
        (|_, _| (403, fault("AccessDenied")), RefusalKind::Denied),
        (|_, _| (403, fault("SomethingElse")), RefusalKind::Denied),
        (|_, _| (404, fault("NoSuchEntity")), RefusalKind::NotFound),
        (
            |_, _| (409, fault("ConcurrentModification")),
            RefusalKind::Throttled,
        ),
        (|_, _| (409, fault("LimitExceeded")), RefusalKind::Refused),
    ];
    for (say, kind) in cases {
        let (mut session, _, _runtime) = with(say);
        let refusal = code(&mut session);
        assert_eq!(refusal.kind, kind, "{refusal:?}");
        assert_eq!(refusal.message.raw(), "m");
        assert_eq!(refusal.request_id.as_deref(), Some("request-1"));
    }
}

#[test]
fn a_list_without_end_is_refused() {
    let say: Say = |_, _| {
        let page = "<ListUsersResponse><ListUsersResult><Users/><IsTruncated>true</IsTruncated>\
            <Marker>again</Marker></ListUsersResult></ListUsersResponse>";
        (200, page.to_owned())
    };
    let (mut session, seen, _runtime) = with(say);
    let refusal = ask(&mut session, ("iam", "ListUsers"), &json!({})).unwrap_err();
    assert_eq!(
        (refusal.kind, refusal.code.raw()),
        (RefusalKind::Refused, "EndlessList")
    );
    assert_eq!(seen.lock().unwrap().len(), 2);
}

#[test]
fn trust_anchors_are_asked_in_their_region() {
    let say: Say = |seen, _| {
        let anchor = json!({
            "trustAnchorId": "a-1", "trustAnchorArn": "arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/a-1",
            "name": "n", "enabled": seen.path.contains("enable"), "createdAt": "2026-01-02T03:04:05Z",
            "source": {"sourceType": "CERTIFICATE_BUNDLE", "sourceData": {"x509CertificateData": "pem"}},
        });
        let answer = match seen.path.as_str() {
            "/trustanchors" => json!({"trustAnchors": [anchor]}),
            "/profiles" => {
                json!({"profiles": [{"profileId": "p-1", "roleArns": ["arn"], "enabled": true}]})
            }
            _ => json!({"trustAnchor": anchor}),
        };
        (200, answer.to_string())
    };
    let (mut session, seen, _runtime) = with(say);
    let named = json!({"trustAnchorId": "a-1", "region": "eu-west-1"});
    for (action, enabled) in [
        ("EnableTrustAnchor", true),
        ("DisableTrustAnchor", false),
        ("GetTrustAnchor", false),
    ] {
        let answer = ask(&mut session, ("rolesanywhere", action), &named)
            .unwrap()
            .value;
        let anchor = answer.get("trustAnchor").unwrap();
        assert_eq!(anchor.get("enabled"), Some(&json!(enabled)), "{action}");
        assert_eq!(
            anchor.pointer("/source/sourceData/x509CertificateData"),
            Some(&json!("pem"))
        );
    }
    let here = json!({"region": "eu-west-1"});
    let all = ask(&mut session, ("rolesanywhere", "ListTrustAnchors"), &here)
        .unwrap()
        .value;
    assert_eq!(
        all.pointer("/trustAnchors/0/createdAt"),
        Some(&json!("2026-01-02T03:04:05Z"))
    );
    let all = ask(&mut session, ("rolesanywhere", "ListProfiles"), &here)
        .unwrap()
        .value;
    assert_eq!(all.pointer("/profiles/0/roleArns"), Some(&json!(["arn"])));
    let seen = seen.lock().unwrap();
    assert!(
        seen.iter()
            .all(|seen| seen.authorization.contains("/eu-west-1/rolesanywhere/"))
    );
}
