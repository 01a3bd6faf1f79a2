//! What an identity provider of a story hands its subjects: OIDC tokens and SAML assertions. Their signatures are
//! empty; see `sts` for what the lab checks of them.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;
use unchain_core::time::Timestamp;

/// An OIDC token for the audience that AWS's own guides use, valid for ten minutes.
pub(super) fn token(issuer: &str, subject: &str, at: i64) -> String {
    let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let head = part(json!({"alg": "RS256", "typ": "JWT", "kid": "story"}));
    let claims = part(json!({
        "iss": format!("https://{issuer}"),
        "sub": subject,
        "aud": "sts.amazonaws.com",
        "iat": at,
        "nbf": at,
        "exp": at + 600,
    }));
    format!("{head}.{claims}.{}", URL_SAFE_NO_PAD.encode("no signature"))
}

/// A SAML response for a role (docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_saml_assertions.html),
/// in base64.
pub(super) fn saml(
    provider: &str,
    subject: &str,
    (role, provider_arn): (&str, &str),
    at: i64,
) -> String {
    let issued = Timestamp::from_seconds(at);
    let ends = Timestamp::from_seconds(at + 300);
    let subject = escaped(subject);
    let attribute = |name: &str, value: &str| {
        format!(
            "<saml:Attribute Name=\"https://aws.amazon.com/SAML/Attributes/{name}\">\
             <saml:AttributeValue>{value}</saml:AttributeValue></saml:Attribute>"
        )
    };
    let text = format!(
        "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" \
         xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_r{at}\" Version=\"2.0\" IssueInstant=\"{issued}\" \
         Destination=\"https://signin.aws.amazon.com/saml\">\
         <saml:Issuer>https://{provider}.example.com/saml</saml:Issuer>\
         <samlp:Status><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/></samlp:Status>\
         <saml:Assertion ID=\"_a{at}\" Version=\"2.0\" IssueInstant=\"{issued}\">\
         <saml:Issuer>https://{provider}.example.com/saml</saml:Issuer>\
         <saml:Subject><saml:NameID Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\">{subject}</saml:NameID>\
         <saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\">\
         <saml:SubjectConfirmationData NotOnOrAfter=\"{ends}\" Recipient=\"https://signin.aws.amazon.com/saml\"/>\
         </saml:SubjectConfirmation></saml:Subject>\
         <saml:Conditions NotBefore=\"{issued}\" NotOnOrAfter=\"{ends}\"><saml:AudienceRestriction>\
         <saml:Audience>https://signin.aws.amazon.com/saml</saml:Audience></saml:AudienceRestriction></saml:Conditions>\
         <saml:AttributeStatement>{}{}</saml:AttributeStatement></saml:Assertion></samlp:Response>",
        attribute("Role", &format!("{role},{provider_arn}")),
        attribute("RoleSessionName", &subject),
    );
    STANDARD.encode(text)
}

/// A SAML metadata document, of at least the thousand letters that IAM asks for.
pub(super) fn metadata(provider: &str) -> String {
    let certificate = STANDARD.encode(format!("no certificate, {provider}").repeat(30));
    format!(
        "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" \
         entityID=\"https://{provider}.example.com/saml\">\
         <md:IDPSSODescriptor protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">\
         <md:KeyDescriptor use=\"signing\"><ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">\
         <ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>\
         <md:SingleSignOnService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" \
         Location=\"https://{provider}.example.com/sso\"/></md:IDPSSODescriptor></md:EntityDescriptor>"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}
