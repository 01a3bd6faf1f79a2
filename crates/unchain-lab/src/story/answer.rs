//! What comes back from AWS, whatever the protocol: outcome and values by name.

use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::Value;

use crate::http::Response;

/// A response that has been read.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    /// The error code; none when the call succeeded.
    pub(super) error: Option<String>,
    /// AWS's message about the error.
    pub(super) message: String,
    body: Vec<u8>,
}

impl Answer {
    /// Reads a response of any service.
    pub(super) fn of(response: &Response) -> Self {
        let mut answer = Self {
            error: None,
            message: String::new(),
            body: response.body.clone(),
        };
        if response.status < 400 {
            return answer;
        }
        let header = response
            .headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("x-amzn-errortype"))
            .map(|(_, value)| value.split(':').next().unwrap_or_default().to_owned());
        let typed = answer.find("__type");
        let typed = typed.map(|text| text.rsplit('#').next().unwrap_or_default().to_owned());
        answer.error = answer
            .find("Code")
            .or(header)
            .or(typed)
            .or_else(|| Some(by_status(response.status)));
        let message = answer.find("Message").or_else(|| answer.find("message"));
        answer.message = message.unwrap_or_default();
        answer
    }

    /// A success whose values are a JSON text.
    pub(super) fn success(body: Vec<u8>) -> Self {
        Self {
            error: None,
            message: String::new(),
            body,
        }
    }

    /// A failure told in another way than by a response.
    pub(super) fn failure(code: &str, message: &str) -> Self {
        Self {
            error: Some(code.to_owned()),
            message: message.to_owned(),
            body: Vec::new(),
        }
    }

    /// The first scalar of a name, at any depth.
    pub(super) fn find(&self, name: &str) -> Option<String> {
        match serde_json::from_slice::<Value>(&self.body) {
            Ok(value) => in_json(&value, name),
            Err(_) => in_xml(&self.body, name),
        }
    }
}

/// A response to HEAD has no body to hold a code.
fn by_status(status: u16) -> String {
    match status {
        403 => "AccessDenied".to_owned(),
        404 => "NotFound".to_owned(),
        other => format!("HTTP {other}"),
    }
}

fn in_json(value: &Value, name: &str) -> Option<String> {
    match value {
        Value::Object(fields) => {
            let own = fields.get(name).and_then(scalar);
            own.or_else(|| fields.values().find_map(|inner| in_json(inner, name)))
        }
        Value::Array(items) => items.iter().find_map(|inner| in_json(inner, name)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The text of the first element of a local name. Text that cannot be read is no text.
fn in_xml(body: &[u8], name: &str) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let mut reader = Reader::from_str(text);
    let mut inside = false;
    let mut found = String::new();
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => inside = start.local_name().as_ref() == name.as_bytes(),
            Event::Text(part) if inside => found.push_str(&part.decode().ok()?),
            Event::GeneralRef(part) if inside => {
                found.push_str(entity(&part.decode().ok()?));
            }
            Event::End(_) if inside => return Some(found),
            Event::Eof => return None,
            _ => {}
        }
    }
}

fn entity(name: &str) -> &'static str {
    match name {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, body: &str) -> Response {
        Response {
            status,
            headers: Vec::new(),
            body: body.as_bytes().to_vec(),
        }
    }

    #[test]
    fn values_are_found_in_both_forms() {
        let xml = Answer::of(&response(
            200,
            "<a xmlns=\"x\"><b><AccessKeyId>ASIA&amp;1</AccessKeyId></b></a>",
        ));
        assert_eq!(xml.find("AccessKeyId").as_deref(), Some("ASIA&1"));
        let json = Answer::of(&response(200, r#"{"a":[{"Arn":"x"}],"n":5}"#));
        assert_eq!(json.find("Arn").as_deref(), Some("x"));
        assert_eq!(json.find("n").as_deref(), Some("5"));
        assert_eq!(json.find("m"), None);
    }

    #[test]
    fn errors_are_told_by_their_code() {
        let query = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>";
        let answer = Answer::of(&response(403, query));
        assert_eq!(answer.error.as_deref(), Some("AccessDenied"));
        assert_eq!(answer.message, "no");
        let json = r#"{"__type":"com.amazonaws.x#ValidationException","message":"m"}"#;
        assert_eq!(
            Answer::of(&response(400, json)).error.as_deref(),
            Some("ValidationException")
        );
        assert_eq!(
            Answer::of(&response(403, "")).error.as_deref(),
            Some("AccessDenied")
        );
    }
}
