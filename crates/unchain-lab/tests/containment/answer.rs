//! A response of AWS as JSON under the API's names, whichever protocol the service speaks.

use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::{Map, Value};
use unchain_lab::http::Response;

/// What a call gave, or the code and message of its refusal.
pub(crate) fn read(response: &Response) -> Result<Value, (String, String)> {
    let body = json(&response.body);
    if response.status < 400 {
        return Ok(unwrapped(body));
    }
    let header = response
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("x-amzn-errortype"));
    let code = find(&body, "Code").or_else(|| find(&body, "__type"));
    let code = code.or_else(|| header.map(|(_, value)| value.clone()));
    let code = code.unwrap_or_else(|| response.status.to_string());
    let message = find(&body, "Message").or_else(|| find(&body, "message"));
    let code = code.rsplit('#').next().unwrap_or_default();
    Err((code.to_owned(), message.unwrap_or_default()))
}

/// The id by which the call is found in the log.
pub(crate) fn request_id(response: &Response) -> Option<String> {
    let named = ["x-amzn-requestid", "x-amz-request-id"];
    let header = response
        .headers
        .iter()
        .find(|(name, _)| named.contains(&name.to_ascii_lowercase().as_str()));
    header
        .map(|(_, value)| value.clone())
        .or_else(|| find(&json(&response.body), "RequestId"))
}

/// The first text of a name, at any depth.
pub(crate) fn find(value: &Value, name: &str) -> Option<String> {
    match value {
        Value::Object(fields) => {
            let own = fields.get(name).and_then(Value::as_str).map(str::to_owned);
            own.or_else(|| fields.values().find_map(|inner| find(inner, name)))
        }
        Value::Array(items) => items.iter().find_map(|inner| find(inner, name)),
        _ => None,
    }
}

fn json(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_else(|_| xml(body).unwrap_or_default())
}

/// `<GetRoleResponse><GetRoleResult>…` is what is in the result.
fn unwrapped(body: Value) -> Value {
    let Value::Object(fields) = body else {
        return body;
    };
    let mut inside = fields.iter().filter(|(name, _)| name.ends_with("Response"));
    let Some((_, Value::Object(response))) = inside.next() else {
        return Value::Object(fields);
    };
    let result = response.iter().find(|(name, _)| name.ends_with("Result"));
    result.map_or(Value::Null, |(_, value)| value.clone())
}

/// An element being read.
#[derive(Default)]
struct Open {
    name: String,
    text: String,
    fields: Map<String, Value>,
    members: Vec<Value>,
}

impl Open {
    /// Elements named `member` are a list's; an element without others is a text.
    fn value(self) -> Value {
        if !self.members.is_empty() {
            return Value::Array(self.members);
        }
        match self.text.as_str() {
            _ if !self.fields.is_empty() => Value::Object(self.fields),
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            text => Value::String(text.to_owned()),
        }
    }
}

fn xml(body: &[u8]) -> Option<Value> {
    let mut reader = Reader::from_str(std::str::from_utf8(body).ok()?);
    let mut open = vec![Open::default()];
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => open.push(Open {
                name: String::from_utf8_lossy(start.local_name().as_ref()).into_owned(),
                ..Open::default()
            }),
            Event::Empty(start) => {
                let name = String::from_utf8_lossy(start.local_name().as_ref()).into_owned();
                open.last_mut()?
                    .fields
                    .insert(name, Value::String(String::new()));
            }
            Event::Text(text) => open.last_mut()?.text.push_str(&text.decode().ok()?),
            Event::GeneralRef(name) => {
                let name = name.decode().ok()?;
                let escaped = format!("&{name};");
                let text = quick_xml::escape::unescape(&escaped).ok()?;
                open.last_mut()?.text.push_str(&text);
            }
            Event::End(_) => {
                let ended = open.pop()?;
                let (name, outer) = (ended.name.clone(), open.last_mut()?);
                match name.as_str() {
                    "member" => outer.members.push(ended.value()),
                    _ => drop(outer.fields.insert(name, ended.value())),
                }
            }
            Event::Eof => return Some(Value::Object(open.pop()?.fields)),
            _ => {}
        }
    }
}

#[test]
fn both_forms_are_read() {
    let response = |status, body: &str| Response {
        status,
        headers: Vec::new(),
        body: body.as_bytes().to_vec(),
    };
    let xml = "<ListKeysResponse><ListKeysResult><Keys><member><Id>a&amp;b</Id></member></Keys>\
        <IsTruncated>false</IsTruncated></ListKeysResult></ListKeysResponse>";
    let value = read(&response(200, xml)).unwrap();
    assert_eq!(
        value,
        serde_json::json!({"Keys": [{"Id": "a&b"}], "IsTruncated": false})
    );
    let refused = read(&response(
        400,
        r#"{"__type":"x#AccessDeniedException","message":"no"}"#,
    ));
    assert_eq!(
        refused,
        Err(("AccessDeniedException".to_owned(), "no".to_owned()))
    );
    let refused = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>";
    assert_eq!(
        read(&response(403, refused)),
        Err(("AccessDenied".to_owned(), "no".to_owned()))
    );
}
