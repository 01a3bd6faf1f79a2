//! Roles for bearers of OIDC tokens and SAML assertions.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use unchain_lab::iam::Provider;
use unchain_lab::service::Service;
use unchain_lab::session::{Caller, Who};

use crate::desk::{Desk, HOME, START, policy, refused};

const ISSUER: &str = "idp.example.com/org";

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn token(claims: &Value) -> String {
    format!(
        "{}.{}.c2ln",
        part(&json!({"alg": "RS256", "kid": "1"})),
        part(claims)
    )
}

fn claims() -> Value {
    json!({"iss": format!("https://{ISSUER}"), "sub": "repo:acme/app", "aud": "sts.amazonaws.com", "exp": START + 300})
}

fn oidc() -> (Desk, String) {
    let mut desk = Desk::new();
    let arn = format!("arn:aws:iam::{HOME}:oidc-provider/{ISSUER}");
    let provider = Provider::Oidc {
        url: ISSUER.to_owned(),
        client_ids: vec!["sts.amazonaws.com".to_owned()],
        thumbprints: Vec::new(),
        created_at: START,
    };
    desk.provider(&arn, provider);
    let trust = policy(&json!({
        "Effect": "Allow", "Principal": {"Federated": arn},
        "Action": ["sts:AssumeRoleWithWebIdentity", "sts:TagSession", "sts:SetSourceIdentity"],
        "Condition": {"StringEquals": {format!("{ISSUER}:aud"): "sts.amazonaws.com"},
                      "StringLike": {format!("{ISSUER}:sub"): "repo:acme/*"}},
    }));
    let role = desk.role(HOME, "deploy", &trust);
    (desk, role)
}

fn present(desk: &mut Desk, role: &str, token: &str) -> Result<Value, unchain_lab::call::Fault> {
    let params = json!({"RoleArn": role, "RoleSessionName": "ci", "WebIdentityToken": token});
    desk.sts(&Caller::anonymous(), "AssumeRoleWithWebIdentity", &params)
}

#[test]
fn a_token_of_a_registered_provider_gets_the_role() {
    let (mut desk, role) = oidc();
    let value = present(&mut desk, &role, &token(&claims())).unwrap();
    assert_eq!(value["SubjectFromWebIdentityToken"], "repo:acme/app");
    assert_eq!(value["Audience"], "sts.amazonaws.com");
    assert_eq!(
        value["Provider"],
        format!("arn:aws:iam::{HOME}:oidc-provider/{ISSUER}")
    );
    let session = desk.bearer(&value);
    assert_eq!(
        desk.arn(&session),
        format!("arn:aws:sts::{HOME}:assumed-role/deploy/ci")
    );
    assert!(desk.may(&session));
    let params = json!({"WebIdentityToken": token(&claims())});
    let operation = Service::Sts.operation("AssumeRoleWithWebIdentity").unwrap();
    let bearer = unchain_lab::sts::bearer(operation, params.as_object().unwrap()).unwrap();
    assert_eq!(
        bearer.user_id(),
        format!("{ISSUER}:sts.amazonaws.com:repo:acme/app")
    );
}

#[test]
fn a_token_is_refused_for_its_form_issuer_audience_end_and_subject() {
    let (mut desk, role) = oidc();
    let with = |name: &str, value: Value| {
        let mut claims = claims();
        claims[name] = value;
        token(&claims)
    };
    for (token, code, words) in [
        (
            "nonsense".to_owned(),
            "InvalidIdentityToken",
            "not a valid JWT",
        ),
        (
            with("iss", json!("https://other.example.com")),
            "InvalidIdentityToken",
            "No OpenIDConnect provider found in your account for https://other.example.com",
        ),
        (
            with("aud", json!("elsewhere")),
            "InvalidIdentityToken",
            "Incorrect token audience",
        ),
        (
            with("exp", json!(START)),
            "ExpiredTokenException",
            "Token expired",
        ),
        (with("exp", Value::Null), "InvalidIdentityToken", "exp"),
        (
            with("nbf", json!(START + 1)),
            "InvalidIdentityToken",
            "not valid before",
        ),
        (
            with("sub", json!("repo:evil/app")),
            "AccessDenied",
            "Not authorized to perform sts:AssumeRoleWithWebIdentity",
        ),
    ] {
        refused(present(&mut desk, &role, &token), (code, words));
    }
    let missing = format!("arn:aws:iam::{HOME}:role/missing");
    refused(
        present(&mut desk, &missing, &token(&claims())),
        (
            "AccessDenied",
            "Not authorized to perform sts:AssumeRoleWithWebIdentity",
        ),
    );
    let opaque = json!({"RoleArn": role, "RoleSessionName": "ci", "WebIdentityToken": "Atza|x", "ProviderId": "www.amazon.com"});
    refused(
        desk.sts(&Caller::anonymous(), "AssumeRoleWithWebIdentity", &opaque),
        ("IDPCommunicationError", "www.amazon.com"),
    );
}

#[test]
fn tags_and_source_identity_come_with_the_token() {
    let (mut desk, role) = oidc();
    let mut claims = claims();
    claims["https://aws.amazon.com/tags"] =
        json!({"principal_tags": {"team": ["red"]}, "transitive_tag_keys": ["team"]});
    claims["https://aws.amazon.com/source_identity"] = json!("eve");
    let value = present(&mut desk, &role, &token(&claims)).unwrap();
    let session = desk.bearer(&value).session.unwrap();
    assert_eq!(session.tags.get("team").map(String::as_str), Some("red"));
    assert_eq!(session.transitive, ["team"]);
    assert_eq!(session.source_identity.as_deref(), Some("eve"));
}

/// The modulus of a key that was thrown away, and its signatures of two tokens with the claims of [`claims`]: with
/// `kid` 1 and 2.
const MODULUS: &str = "3LAsvheANnzy-HaTnSwEZdIvkJTok1miQQVoWNf3v0ePv--4Y8WhoafFxpADcPeE0AcwAyk8vVwELtNwgZyvgQHSF1\
    mRsMsY6AKGPZbLFUlfw3CS1uYL9q5Es-8GKewz9lTQ-tsAO1xD9Cz-QFtlntSqaWg_ASxPNFLStV9kY20";
const SIGNATURES: [&str; 2] = [
    "0Mq-3eC1CrEXGNB7aBLj8qrkZRSkakKk2-44_i6YVf8NJfICvewEU8_4D7-ByUCpVzOJ7oeeFN5JF5Y1w2LT_HKhNS\
    7jQ7bhbx4ShzjM04i-LO91iS3adkVaETTtfjAwV1adTJEbt3UNn9_PctTAT8Xaf4i035fddn0zWmgZZJE",
    "v8PIE5_2bThQz1F8VcwuefaFX8etVPsZ_1CidxmNyT1aoBqMNwdbrlG_lPpkKZ4lKmLiMunVAof-iFEkpJxjKyw-vG\
    PFz2AmVwUmsb894-AzXgNGJUd7mHNcQA_-7POF-TzH2Ni_fORyLlh1_AepZuJUEg7zgndnE0I2QewKLDI",
];

#[test]
fn with_the_issuers_keys_the_signature_counts() {
    let (mut desk, role) = oidc();
    let set = json!({"keys": [{"kty": "RSA", "kid": "1", "n": MODULUS, "e": "AQAB"}]});
    desk.world
        .key_sets
        .insert(ISSUER.to_owned(), set.to_string());
    let with = |algorithm: &str, kid: &str, signature: &str| {
        let header = json!({"alg": algorithm, "kid": kid});
        format!("{}.{}.{signature}", part(&header), part(&claims()))
    };
    let [first, second] = SIGNATURES;
    assert!(present(&mut desk, &role, &with("RS256", "1", first)).is_ok());
    for (token, words) in [
        (with("RS256", "1", second), "signature"),
        (token(&claims()), "signature"),
        (with("none", "1", first), "algorithm"),
        (with("RS256", "2", second), "verification key"),
    ] {
        refused(
            present(&mut desk, &role, &token),
            ("InvalidIdentityToken", words),
        );
    }
}

#[test]
fn a_built_in_provider_needs_no_registration() {
    let mut desk = Desk::new();
    let trust = policy(&json!({
        "Effect": "Allow", "Principal": {"Federated": "cognito-identity.amazonaws.com"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {"cognito-identity.amazonaws.com:aud": "pool"},
                      "ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": "unauthenticated"}},
    }));
    let role = desk.role(HOME, "guest", &trust);
    let mut claims = json!({
        "iss": "https://cognito-identity.amazonaws.com", "sub": "eu-west-1:1", "aud": "pool", "exp": START + 60,
        "amr": ["unauthenticated"],
    });
    let value = present(&mut desk, &role, &token(&claims)).unwrap();
    assert_eq!(value["Provider"], "cognito-identity.amazonaws.com");
    claims["amr"] = json!(["authenticated"]);
    refused(
        present(&mut desk, &role, &token(&claims)),
        ("AccessDenied", "Not authorized"),
    );
}

const SAML: &str = "arn:aws:iam::111122223333:saml-provider/corp";
const ENTITY: &str = "https://idp.corp.example/";

fn saml() -> (Desk, String) {
    let mut desk = Desk::new();
    let metadata = format!(
        r#"<?xml version="1.0"?><EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{ENTITY}"/>"#
    );
    desk.provider(
        SAML,
        Provider::Saml {
            metadata,
            created_at: START,
        },
    );
    let trust = policy(&json!({
        "Effect": "Allow", "Principal": {"Federated": SAML},
        "Action": ["sts:AssumeRoleWithSAML", "sts:TagSession"],
        "Condition": {"StringEquals": {
            "saml:aud": "https://signin.aws.amazon.com/saml", "saml:iss": ENTITY, "saml:sub_type": "persistent",
        }},
    }));
    let role = desk.role(HOME, "staff", &trust);
    (desk, role)
}

fn attribute(name: &str, value: &str) -> String {
    format!(
        r#"<a:Attribute Name="https://aws.amazon.com/SAML/Attributes/{name}"><a:AttributeValue>{value}</a:AttributeValue></a:Attribute>"#
    )
}

fn response(role: &str, more: &str) -> String {
    let time = |at: i64| unchain_core::time::Timestamp::from_seconds(at).to_string();
    let (pair, name) = (
        attribute("Role", &format!("{SAML}, {role}")),
        attribute("RoleSessionName", "eve@corp.example"),
    );
    format!(
        r#"<p:Response xmlns:p="p" xmlns:a="a"><a:Issuer>{ENTITY}</a:Issuer><a:Assertion ID="_7">
        <a:Issuer>{ENTITY}</a:Issuer><a:Subject>
        <a:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">eve&amp;co</a:NameID>
        <a:SubjectConfirmation><a:SubjectConfirmationData Recipient="https://signin.aws.amazon.com/saml"
        NotOnOrAfter="{}"/></a:SubjectConfirmation></a:Subject>
        <a:Conditions NotBefore="{}" NotOnOrAfter="{}"/><a:AuthnStatement SessionNotOnOrAfter="{}"/>
        <a:AttributeStatement>{pair}{name}{more}</a:AttributeStatement></a:Assertion></p:Response>"#,
        time(START + 300),
        time(START - 300),
        time(START + 300),
        time(START + 28_800),
    )
}

fn assert_saml(desk: &mut Desk, role: &str, xml: &str) -> Result<Value, unchain_lab::call::Fault> {
    let params =
        json!({"RoleArn": role, "PrincipalArn": SAML, "SAMLAssertion": STANDARD.encode(xml)});
    desk.sts(&Caller::anonymous(), "AssumeRoleWithSAML", &params)
}

#[test]
fn an_assertion_of_a_registered_provider_gets_the_role() {
    let (mut desk, role) = saml();
    let more = attribute("PrincipalTag:team", "red") + &attribute("TransitiveTagKeys", "team");
    let xml = response(&role, &more);
    let value = assert_saml(&mut desk, &role, &xml).unwrap();
    assert_eq!(value["Subject"], "eve&co");
    assert_eq!(value["SubjectType"], "persistent");
    assert_eq!(value["Issuer"], ENTITY);
    assert_eq!(value["Audience"], "https://signin.aws.amazon.com/saml");
    let session = desk.bearer(&value);
    assert_eq!(
        desk.arn(&session),
        format!("arn:aws:sts::{HOME}:assumed-role/staff/eve@corp.example")
    );
    let session = session.session.unwrap();
    assert_eq!(session.tags.get("team").map(String::as_str), Some("red"));
    assert_eq!(session.expires_at - session.issued_at, 3600);
    let params = json!({"PrincipalArn": SAML, "SAMLAssertion": STANDARD.encode(&xml)});
    let operation = Service::Sts.operation("AssumeRoleWithSAML").unwrap();
    let bearer = unchain_lab::sts::bearer(operation, params.as_object().unwrap()).unwrap();
    assert_eq!(
        bearer.who,
        Who::Saml {
            provider: SAML.to_owned(),
            subject: "eve&co".to_owned()
        }
    );
}

#[test]
fn the_assertion_shortens_the_session() {
    let (mut desk, role) = saml();
    let xml = response(&role, &attribute("SessionDuration", "1800"));
    let value = assert_saml(&mut desk, &role, &xml).unwrap();
    let session = desk.bearer(&value).session.unwrap();
    assert_eq!(session.expires_at - session.issued_at, 1800);
}

#[test]
fn an_assertion_is_refused_for_its_form_provider_issuer_end_role_and_name() {
    let (mut desk, role) = saml();
    let good = response(&role, "");
    for (xml, code, words) in [
        (
            "<nothing/>".to_owned(),
            "InvalidIdentityToken",
            "Invalid SAML assertion",
        ),
        (
            good.replace(ENTITY, "https://evil.example/"),
            "InvalidIdentityToken",
            "Issuer not present in specified provider",
        ),
        (
            good.replace(":role/staff", ":role/other"),
            "AccessDenied",
            "Not authorized to perform sts:AssumeRoleWithSAML",
        ),
        (
            good.replace("RoleSessionName", "Name"),
            "InvalidIdentityToken",
            "RoleSessionName is required in AuthnResponse",
        ),
        (
            good.replace("eve@corp.example", "a b"),
            "InvalidIdentityToken",
            "must match",
        ),
        (
            good.replace("signin.aws", "elsewhere"),
            "AccessDenied",
            "Not authorized",
        ),
    ] {
        refused(assert_saml(&mut desk, &role, &xml), (code, words));
    }
    let missing = json!({
        "RoleArn": role, "PrincipalArn": format!("{SAML}x"), "SAMLAssertion": STANDARD.encode(&good),
    });
    refused(
        desk.sts(&Caller::anonymous(), "AssumeRoleWithSAML", &missing),
        ("InvalidIdentityToken", "Specified provider doesn't exist"),
    );
    desk.world.now += 300;
    refused(
        assert_saml(&mut desk, &role, &good),
        ("ExpiredTokenException", ""),
    );
}

#[test]
fn deep_and_broken_documents_are_refused() {
    let (mut desk, role) = saml();
    let deep = "<a>".repeat(7000);
    let entity = r#"<!DOCTYPE a [<!ENTITY b "x">]><Assertion><Issuer>&b;</Issuer></Assertion>"#;
    for xml in [deep.as_str(), entity, "<a", "\u{0}", "<a></b>"] {
        refused(
            assert_saml(&mut desk, &role, xml),
            ("InvalidIdentityToken", "Invalid SAML assertion"),
        );
    }
}
