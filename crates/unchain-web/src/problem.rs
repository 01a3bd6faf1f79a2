//! Why there is no answer: a sentence for people, `application/problem+json` for programs. Must not know what was
//! asked.

use axum::http::header::{ALLOW, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

/// Below this, readers are programs.
const PROGRAMS: &str = "/api/";

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    /// One sentence, which may hold text of a request.
    pub(crate) detail: String,
    /// What to do next, in one sentence of ours.
    pub(crate) hint: String,
}

/// Why a request has no answer (RFC 9457).
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub(crate) struct ProblemBody<'p> {
    /// Always `about:blank`: the status says what kind of problem it is.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The status in words.
    title: &'static str,
    /// The status of the answer.
    #[schemars(range(min = 400, max = 599))]
    status: u16,
    /// What is wrong with this request.
    detail: &'p str,
    /// What to do next.
    hint: &'p str,
}

impl Problem {
    /// What is wrong, and what to do next.
    pub(crate) fn new(status: StatusCode, detail: &str, hint: &str) -> Self {
        let (detail, hint) = (detail.to_owned(), hint.to_owned());
        Self {
            status,
            detail,
            hint,
        }
    }

    /// Something in the address is not as it must be.
    pub(crate) fn asked_wrongly(detail: &str, hint: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail, hint)
    }

    /// Nothing has the name in the address.
    pub(crate) fn missing(what: &str) -> Self {
        let detail = format!("The case has no {what} of this name.");
        let hint = "It may be that of another case: ask for the list.";
        Self::new(StatusCode::NOT_FOUND, &detail, hint)
    }

    /// In the form that whoever asked for a path can read.
    pub(crate) fn answer(&self, path: &str) -> Response {
        let mut answer = match path.starts_with(PROGRAMS) {
            true => self.for_programs(),
            false => (self.status, format!("{} {}\n", self.detail, self.hint)).into_response(),
        };
        let mut say = |name: HeaderName, value: &'static str| {
            let value = axum::http::HeaderValue::from_static(value);
            answer.headers_mut().insert(name, value);
        };
        match self.status {
            StatusCode::METHOD_NOT_ALLOWED => say(ALLOW, "GET, HEAD"),
            StatusCode::UNAUTHORIZED => say(WWW_AUTHENTICATE, "Bearer realm=\"unchain\""),
            _ => {}
        }
        answer
    }

    fn for_programs(&self) -> Response {
        let body = ProblemBody {
            kind: "about:blank",
            title: self.status.canonical_reason().unwrap_or_default(),
            status: self.status.as_u16(),
            detail: &self.detail,
            hint: &self.hint,
        };
        let body = ascii(&serde_json::to_string(&body).unwrap_or_default());
        let kind = [(CONTENT_TYPE, "application/problem+json")];
        (self.status, kind, body).into_response()
    }
}

/// JSON in plain ASCII, so that what a terminal shows of it cannot drive the terminal. A reader of JSON gets back the
/// same text: outside of strings JSON has no other characters.
pub(crate) fn ascii(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            ' '..='~' | '\n' => out.push(c),
            _ => {
                let mut units = [0; 2];
                out.extend(
                    c.encode_utf16(&mut units)
                        .iter()
                        .map(|unit| format!("\\u{unit:04x}")),
                );
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_is_ascii_and_the_same_text() {
        let text = "a\u{1b}[31m\u{7f}\u{202e}\u{9b}é😀\"\\\n";
        let json = ascii(&serde_json::to_string(text).unwrap());
        assert!(
            json.bytes().all(|byte| (0x20..0x7f).contains(&byte)),
            "{json}"
        );
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }
}
