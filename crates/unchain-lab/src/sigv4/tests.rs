use super::*;
use crate::session::{MadeBy, Session, Who};
use crate::world::Settings;
use std::collections::BTreeMap;
use std::sync::Arc;

const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const ACCOUNT: &str = "111122223333";

fn signed_at() -> Timestamp {
    Timestamp::parse("2026-11-22T07:49:26Z").unwrap()
}

fn world(now: Timestamp) -> World {
    let mut world = World::new(1, Settings::default());
    world.now = now.seconds();
    world.add_account_with_key(ACCOUNT, "one", (KEY.to_owned(), SECRET.to_owned()));
    world
}

/// A temporary credential in place of the long-term key, so that the same vectors serve.
fn with_session(mut world: World, token: &str, expires_in: i64) -> World {
    let session = Session {
        access_key_id: KEY.to_owned(),
        secret: SECRET.to_owned(),
        token_hash: key::sha256_hex(token.as_bytes()),
        account: ACCOUNT.to_owned(),
        who: Who::Root,
        issued_at: world.now - 60,
        expires_at: signed_at().seconds() + expires_in,
        created_at: world.now - 60,
        mfa_serial: None,
        mfa_logged: false,
        policies: Vec::new(),
        tags: BTreeMap::new(),
        transitive: Vec::new(),
        source_identity: None,
        chained: false,
        made_by: MadeBy::SessionToken,
    };
    world.sessions.insert(KEY.to_owned(), Arc::new(session));
    world
}

#[derive(serde::Deserialize)]
struct Vector {
    name: String,
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: String,
}

/// Requests signed with botocore 1.43 at one instant.
fn vectors() -> Vec<(String, Request)> {
    let vectors: Vec<Vector> = serde_json::from_str(include_str!("vectors.json")).unwrap();
    vectors
        .into_iter()
        .map(|vector| {
            let request = Request {
                method: vector.method,
                path: vector.path,
                query: vector.query,
                headers: vector.headers,
                body: vector.body.into_bytes(),
                ..Request::default()
            };
            (vector.name, request)
        })
        .collect()
}

fn vector(name: &str) -> Request {
    vectors()
        .into_iter()
        .find(|(found, _)| found == name)
        .unwrap()
        .1
}

fn trouble(world: &World, request: &Request, host: Timestamp) -> Trouble {
    verify(world, request, host).unwrap_err().trouble
}

/// The session token that a vector was signed with.
fn token(request: &Request) -> Option<String> {
    Claim::read(request).unwrap().unwrap().token
}

#[test]
fn what_botocore_signs_is_right_and_a_changed_request_is_not() {
    let plain = world(signed_at());
    for (name, request) in vectors() {
        let world = match token(&request) {
            Some(token) => with_session(plain.clone(), &token, 600),
            None => plain.clone(),
        };
        let signed = verify(&world, &request, signed_at());
        assert!(signed.is_ok(), "{name}: {:?}", signed.err());
        assert_eq!(signed.unwrap().body, request.body, "{name}");
        let mut changed = request.clone();
        changed.path.push('x');
        assert_eq!(
            trouble(&world, &changed, signed_at()),
            Trouble::BadSignature,
            "{name}"
        );
        let mut changed = request.clone();
        changed.query.push_str("&a=b");
        assert_eq!(
            trouble(&world, &changed, signed_at()),
            Trouble::BadSignature,
            "{name}"
        );
        let mut changed = request;
        changed.method = "PATCH".to_owned();
        assert_eq!(
            trouble(&world, &changed, signed_at()),
            Trouble::BadSignature,
            "{name}"
        );
    }
}

#[test]
fn a_changed_body_is_refused_by_hash_or_signature() {
    let world = world(signed_at());
    let mut request = vector("sts form");
    request.body.push(b'x');
    assert_eq!(
        trouble(&world, &request, signed_at()),
        Trouble::BadSignature
    );
    let mut request = vector("s3 key with unicode, slashes, plus");
    request.body.push(b'x');
    let mismatch = Trouble::Api("XAmzContentSHA256Mismatch".to_owned());
    assert_eq!(trouble(&world, &request, signed_at()), mismatch);
}

#[test]
fn keys_that_may_not_be_used_are_told_apart() {
    let mut plain = world(signed_at());
    let request = vector("sts form");
    let iam = &mut plain.accounts.get_mut(ACCOUNT).unwrap().iam;
    iam.root_keys[0].active = false;
    assert_eq!(trouble(&plain, &request, signed_at()), Trouble::UnknownKey);
    plain
        .accounts
        .get_mut(ACCOUNT)
        .unwrap()
        .iam
        .root_keys
        .clear();
    assert_eq!(trouble(&plain, &request, signed_at()), Trouble::UnknownKey);
    let mut other = world(signed_at());
    other.accounts.get_mut(ACCOUNT).unwrap().iam.root_keys[0].secret = "other".to_owned();
    assert_eq!(
        trouble(&other, &request, signed_at()),
        Trouble::BadSignature
    );
}

#[test]
fn an_inactive_key_goes_on_as_long_as_iam_is_not_consistent() {
    let mut world = world(signed_at());
    world.settings.consistency_delay = 4;
    world.change_iam(ACCOUNT).unwrap().root_keys[0].active = false;
    let request = vector("sts form");
    assert!(verify(&world, &request, signed_at()).is_ok());
    world.now += 4;
    assert_eq!(trouble(&world, &request, signed_at()), Trouble::UnknownKey);
}

#[test]
fn tokens_expire_are_forgotten_and_belong_to_their_key() {
    let (plain, request) = (world(signed_at()), vector("sts form with token"));
    assert_eq!(trouble(&plain, &request, signed_at()), Trouble::WrongToken);
    let right = with_session(plain.clone(), "TOKEN", 1);
    let caller = verify(&right, &request, signed_at()).unwrap().caller;
    assert_eq!(caller.session.unwrap().access_key_id, KEY);
    let other = with_session(plain.clone(), "other", 1);
    assert_eq!(trouble(&other, &request, signed_at()), Trouble::WrongToken);
    let ended = with_session(plain.clone(), "TOKEN", 0);
    assert_eq!(trouble(&ended, &request, signed_at()), Trouble::Expired);
    let forgotten = with_session(plain.clone(), "TOKEN", -86_401);
    assert_eq!(
        trouble(&forgotten, &request, signed_at()),
        Trouble::UnknownKey
    );
    let without = with_session(plain, "TOKEN", 60);
    assert_eq!(
        trouble(&without, &vector("sts form"), signed_at()),
        Trouble::UnknownKey
    );
}

#[test]
fn a_date_may_be_a_quarter_hour_from_the_hosts_or_the_labs_clock() {
    let request = vector("sts form");
    let at = |seconds| signed_at().plus(seconds);
    assert!(verify(&world(at(900)), &request, at(900)).is_ok());
    assert_eq!(trouble(&world(at(901)), &request, at(901)), Trouble::Skewed);
    assert!(
        verify(&world(at(86_400)), &request, at(-900)).is_ok(),
        "the host's"
    );
    assert!(
        verify(&world(at(5)), &request, at(86_400)).is_ok(),
        "the lab's"
    );
}

#[test]
fn a_presigned_url_ends_by_the_labs_clock() {
    let request = vector("s3 presigned");
    let mut world = world(signed_at());
    world.clock.set(signed_at().plus(10), signed_at().plus(200));
    let end = |world: &mut World, host: i64| {
        let host = signed_at().plus(host);
        world.now = world.clock.at(host).seconds();
        verify(world, &request, host).map_err(|fault| fault.trouble)
    };
    assert!(end(&mut world, 10).is_ok());
    assert!(end(&mut world, 110).is_ok());
    assert_eq!(end(&mut world, 111).unwrap_err(), Trouble::UrlExpired);
}

#[test]
fn host_must_be_signed_and_with_s3_every_amz_header() {
    let world = world(signed_at());
    let mut request = vector("s3 query");
    request
        .headers
        .push(("x-amz-acl".to_owned(), "public-read".to_owned()));
    assert_eq!(trouble(&world, &request, signed_at()), Trouble::Denied);
    let mut request = vector("sts form");
    for (_, value) in &mut request.headers {
        *value = value.replace("content-type;host;", "content-type;");
    }
    assert_eq!(
        trouble(&world, &request, signed_at()),
        Trouble::BadSignature
    );
}

#[test]
fn a_signature_that_cannot_be_read_is_an_error() {
    for header in [
        "",
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=x",
        "AWS4-HMAC-SHA256 Credential=K/20261122/us-east-1/sts/aws5_request, SignedHeaders=host, Signature=x",
        "AWS4-HMAC-SHA256 Credential=K/20261121/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=x",
        "AWS AKIA:signature",
        "Bearer x",
    ] {
        let headers = [
            ("authorization", header),
            ("x-amz-date", "20261122T074926Z"),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let request = Request {
            headers: headers.to_vec(),
            ..Request::default()
        };
        assert!(Claim::read(&request).is_err(), "{header}");
    }
    assert!(Claim::read(&Request::default()).unwrap().is_none());
}

/// Signatures of the request and of its three chunks.
const PLAIN: [&str; 4] = [
    "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
    "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
    "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
    "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
];

/// The same with a trailer.
const TRAILED: [&str; 4] = [
    "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
    "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
    "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
    "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
];

const PLAIN_HEADERS: &str = "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;\
                             x-amz-decoded-content-length;x-amz-storage-class";
const TRAILER_HEADERS: &str = "content-encoding;host;x-amz-content-sha256;x-amz-date;\
                               x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer";

/// The example of docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html, with its signatures.
fn chunked(trailer: Option<&str>) -> Request {
    let (form, names, [seed, signatures @ ..]) = match trailer {
        None => ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", PLAIN_HEADERS, PLAIN),
        Some(_) => (
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
            TRAILER_HEADERS,
            TRAILED,
        ),
    };
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={KEY}/20130524/us-east-1/s3/aws4_request,SignedHeaders={names},Signature={seed}"
    );
    let mut body = Vec::new();
    for (size, signature) in [65_536, 1024, 0].into_iter().zip(signatures) {
        body.extend(format!("{size:x};chunk-signature={signature}\r\n").into_bytes());
        body.extend(vec![b'a'; size]);
        if size > 0 {
            body.extend(b"\r\n");
        }
    }
    body.extend(trailer.unwrap_or_default().as_bytes());
    body.extend(b"\r\n");
    let headers = [
        ("host", "s3.amazonaws.com"),
        ("x-amz-date", "20130524T000000Z"),
        ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ("authorization", &authorization),
        ("x-amz-content-sha256", form),
        ("content-encoding", "aws-chunked"),
        ("x-amz-decoded-content-length", "66560"),
        ("content-length", "66824"),
    ];
    let mut headers: Vec<(String, String)> = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    if trailer.is_some() {
        headers.push((
            "x-amz-trailer".to_owned(),
            "x-amz-checksum-crc32c".to_owned(),
        ));
    }
    Request {
        method: "PUT".to_owned(),
        path: "/examplebucket/chunkObject.txt".to_owned(),
        headers,
        body,
        ..Request::default()
    }
}

const TRAILER: &str = "x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n";

#[test]
fn chunks_are_put_together_and_each_is_checked() {
    let at = Timestamp::parse("2013-05-24T00:00:00Z").unwrap();
    let world = world(at);
    let request = chunked(None);
    assert_eq!(
        verify(&world, &request, at).unwrap().body,
        vec![b'a'; 66_560]
    );
    let mut changed = request.clone();
    changed.body[70_000 - 4_000] = b'b';
    assert_eq!(trouble(&world, &changed, at), Trouble::BadSignature);
    let mut short = request;
    short.body.truncate(66_000);
    assert_eq!(
        trouble(&world, &short, at),
        Trouble::Api("IncompleteBody".to_owned())
    );
}

#[test]
fn trailers_are_signed_and_become_headers() {
    let at = Timestamp::parse("2013-05-24T00:00:00Z").unwrap();
    let world = world(at);
    let signed = verify(&world, &chunked(Some(TRAILER)), at).unwrap();
    assert_eq!(
        signed.trailers,
        [("x-amz-checksum-crc32c".to_owned(), "sOO8/Q==".to_owned())]
    );
    let forged = TRAILER.replace("sOO8", "sOO9");
    assert_eq!(
        trouble(&world, &chunked(Some(&forged)), at),
        Trouble::BadSignature
    );
}

#[test]
fn secrets_do_not_show_in_debug_output() {
    let world = with_session(world(signed_at()), "TOKEN", 60);
    let claim = Claim::read(&vector("sts form with token"))
        .unwrap()
        .unwrap();
    let credential = credential::find(&world, &claim).unwrap();
    let shown = format!("{claim:?}{credential:?}");
    assert!(
        !shown.contains(SECRET) && !shown.contains("TOKEN"),
        "{shown}"
    );
}
