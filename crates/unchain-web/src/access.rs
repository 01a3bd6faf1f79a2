//! Who may ask, and what a browser may do with an answer. Must not know what is asked.

use crate::problem::Problem;
use axum::extract::{Request, State};
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE, HOST, ORIGIN,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// How many random bytes the secret of an [`Access`] has.
pub const SECRET_BYTES: usize = 32;

/// Below this are the only addresses to which something may be sent.
const FORMS: &str = "/containment/";
/// How a person gets in.
const OPEN: &str = "Open the address that the program printed.";
/// How a program gets in.
const BEARER: &str =
    "Send it as `Authorization: Bearer TOKEN`, or the cookie that /enter gives for it.";

/// Headers of every answer, also of a refusal.
const HEADERS: [(HeaderName, &str); 6] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // Not `no-referrer`: with it browsers say `Origin: null` of our own forms (fetch.spec.whatwg.org/#origin-header).
    (REFERRER_POLICY, "same-origin"),
    (CACHE_CONTROL, "no-store"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

/// Who may ask: whoever has the token, by a name that this server has.
#[derive(Clone)]
pub struct Access(Arc<Inner>);

struct Inner {
    token: String,
    cookie: String,
    /// What the tokens of forms are made from.
    forms: String,
    address: SocketAddr,
}

/// Its secrets are not shown.
impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Access")
            .field("address", &self.0.address)
            .finish_non_exhaustive()
    }
}

impl Access {
    /// Access to a server at an address, from random bytes that nobody else knows.
    pub fn new(secret: [u8; SECRET_BYTES], address: SocketAddr) -> Self {
        let derived = |purpose: &str| hash(purpose.as_bytes(), &secret);
        Self(Arc::new(Inner {
            token: derived("token"),
            cookie: derived("cookie"),
            forms: derived("forms"),
            address,
        }))
    }

    /// The address to open in a browser. It is a secret.
    pub fn url(&self) -> String {
        format!("http://{}/enter?token={}", self.0.address, self.0.token)
    }

    /// The cookie for whoever has the token; none for others.
    pub(crate) fn cookie_for(&self, token: &str) -> Option<String> {
        let name = self.cookie_name();
        same(token, &self.0.token).then(|| {
            format!(
                "{name}={}; Path=/; HttpOnly; SameSite=Strict",
                self.0.cookie
            )
        })
    }

    /// What a form that is sent to this address must hold: another site cannot read it, nor use that of another form.
    pub(crate) fn form_token(&self, path: &str) -> String {
        hash(self.0.forms.as_bytes(), path.as_bytes())
    }

    /// Whether a form holds the token of the address that it was sent to.
    pub(crate) fn knows_form(&self, path: &str, token: &str) -> bool {
        same(token, &self.form_token(path))
    }

    /// A browser keeps cookies by host and not by port: without the port two servers would undo each other.
    fn cookie_name(&self) -> String {
        format!("unchain-{}", self.0.address.port())
    }

    fn has_cookie(&self, headers: &HeaderMap) -> bool {
        let name = self.cookie_name();
        let cookies = headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok());
        cookies
            .flat_map(|cookies| cookies.split(';'))
            .filter_map(|cookie| cookie.trim().split_once('='))
            .any(|(known, value)| known == name && same(value, &self.0.cookie))
    }

    /// Whether a request to the API holds the token itself. No browser sends this header by itself.
    fn has_token(&self, request: &Request) -> bool {
        let headers = request.headers().get_all(AUTHORIZATION);
        let mut values = headers.iter().filter_map(|value| value.to_str().ok());
        let token = |value: &str| {
            let (scheme, token) = value.split_once(' ')?;
            let is_bearer = scheme.eq_ignore_ascii_case("bearer");
            is_bearer.then(|| same(token.trim(), &self.0.token))
        };
        request.uri().path().starts_with("/api/")
            && values.any(|value| token(value).unwrap_or(false))
    }

    /// Whether a request was made for this server, by a name that nobody else can point here.
    fn knows_host(&self, host: &str) -> bool {
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
            _ => host,
        };
        if name.eq_ignore_ascii_case("localhost") {
            return true;
        }
        let bare = name
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        let Ok(named) = bare.unwrap_or(name).parse::<IpAddr>() else {
            return false;
        };
        let bound = self.0.address.ip();
        named == bound || bound.is_unspecified() || (bound.is_loopback() && named.is_loopback())
    }
}

/// SHA-256 of two parts in hexadecimal digits.
fn hash(one: &[u8], other: &[u8]) -> String {
    let digest = Sha256::new()
        .chain_update(one)
        .chain_update(other)
        .finalize();
    digest.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Compares in a time that does not tell how much is alike.
fn same(given: &str, known: &str) -> bool {
    given.as_bytes().ct_eq(known.as_bytes()).into()
}

/// Lets a request through, or says why not, and adds the headers.
pub(crate) async fn guard(State(access): State<Access>, request: Request, next: Next) -> Response {
    let mut response = match refusal(&access, &request) {
        Some(problem) => problem.answer(request.uri().path()),
        None => next.run(request).await,
    };
    for (name, value) in HEADERS {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

fn refusal(access: &Access, request: &Request) -> Option<Problem> {
    let headers = request.headers();
    let refused = |status, why, hint| Some(Problem::new(status, why, hint));
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let only = |name: HeaderName| headers.get_all(name).iter().count() == 1;
    let host = text(HOST)
        .filter(|_| only(HOST))
        .filter(|host| access.knows_host(host));
    let Some(host) = host else {
        let why = "This server is not called that.";
        return refused(StatusCode::MISDIRECTED_REQUEST, why, OPEN);
    };
    let foreign = |origin: &str| origin.strip_prefix("http://") != Some(host);
    if headers.contains_key(ORIGIN) && text(ORIGIN).is_none_or(foreign) {
        let why = "Another site asked for this.";
        return refused(StatusCode::FORBIDDEN, why, OPEN);
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        if *request.method() != Method::POST || !request.uri().path().starts_with(FORMS) {
            let hint = "Ask with GET or HEAD.";
            return refused(
                StatusCode::METHOD_NOT_ALLOWED,
                "Here one can only read.",
                hint,
            );
        }
        if let Some(why) = no_form_of_ours(access, headers) {
            return refused(StatusCode::FORBIDDEN, why, "Load the page again.");
        }
    }
    if request.uri().path() == "/enter" || access.has_cookie(headers) || access.has_token(request) {
        return None;
    }
    let why = "This needs the token in the address that the program printed.";
    match request.uri().path().starts_with("/api/") {
        true => refused(StatusCode::UNAUTHORIZED, why, BEARER),
        false => refused(StatusCode::FORBIDDEN, why, OPEN),
    }
}

/// Why what was sent is not a form of this page. Its origin, where there is one, is known to be ours; a browser gives one
/// with every form.
fn no_form_of_ours(access: &Access, headers: &HeaderMap) -> Option<&'static str> {
    // Programs, which send the token itself, have no forms.
    if !access.has_cookie(headers) {
        return Some("A form is sent by a browser that was let in.");
    }
    if headers.get_all(ORIGIN).iter().count() != 1 {
        return Some("A form says once from which site it comes.");
    }
    let site = headers.get("sec-fetch-site");
    if site.is_some_and(|site| site != "same-origin") {
        return Some("Another site asked for this.");
    }
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
    (kind != Some("application/x-www-form-urlencoded")).then_some("This is not a form.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(address: &str) -> Access {
        Access::new([7; SECRET_BYTES], address.parse().unwrap())
    }

    #[test]
    fn names_that_somebody_else_can_point_here_are_refused() {
        let access = at("127.0.0.1:8080");
        for ours in [
            "127.0.0.1:8080",
            "localhost:9000",
            "LOCALHOST",
            "[::1]:8080",
            "127.0.0.1",
        ] {
            assert!(access.knows_host(ours), "{ours}");
        }
        for foreign in [
            "evil.example:8080",
            "localhost.evil.example",
            "127.0.0.1.nip.io:8080",
            "10.0.0.1:8080",
            "",
            ":8080",
            "[::1",
            "localhost:80:80",
            "127.1",
        ] {
            assert!(!access.knows_host(foreign), "{foreign}");
        }
        assert!(at("0.0.0.0:80").knows_host("10.0.0.1"));
        assert!(!at("0.0.0.0:80").knows_host("evil.example"));
        assert!(!at("10.0.0.1:80").knows_host("10.0.0.2"));
    }

    #[test]
    fn the_token_is_not_the_cookie_and_is_not_shown() {
        let access = at("127.0.0.1:8080");
        let token = access.url().rsplit_once('=').unwrap().1.to_owned();
        let cookie = access.cookie_for(&token).unwrap();
        assert!(!cookie.contains(&token));
        assert!(!format!("{access:?}").contains(&token));
        assert_eq!(access.cookie_for(""), None);
        assert_eq!(access.cookie_for(token.get(1..).unwrap()), None);
        let other = Access::new([8; SECRET_BYTES], "127.0.0.1:8080".parse().unwrap());
        assert_eq!(other.cookie_for(&token), None);
    }
}
