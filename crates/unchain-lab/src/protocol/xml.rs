//! XML out of JSON: query, EC2 and S3 replies. Null members are left out.

use serde_json::{Map, Value};
use unchain_core::time::Timestamp;

use crate::call::lower_first;
use crate::operation::Operation;
use crate::service::Service;

use super::names;

/// How a service writes lists, maps and dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Lists in `<member>`, maps in `<entry>`.
    Query,
    /// Lists in `<item>`, names in camel case.
    Ec2,
    /// Lists without a layer of their own, maps as `<Name>`, `<Value>`.
    Sqs,
    /// Lists without a layer of their own.
    S3,
}

/// `<GetUserResponse><GetUserResult>…`; an operation that answers nothing has no result element.
pub(super) fn query_reply(operation: &Operation, value: &Value, request_id: &str) -> Vec<u8> {
    let (name, service) = (operation.name, operation.service);
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    out.push_str(&format!(
        "<{name}Response xmlns=\"{}\">",
        names::namespace(service)
    ));
    let form = if service == Service::Sqs {
        Form::Sqs
    } else {
        Form::Query
    };
    if !value.is_null() || service == Service::Sns {
        element(&mut out, (&format!("{name}Result"), value), form);
    }
    out.push_str("<ResponseMetadata>");
    leaf(&mut out, "RequestId", request_id);
    out.push_str(&format!("</ResponseMetadata></{name}Response>"));
    out.into_bytes()
}

/// `<DescribeInstancesResponse><requestId>…`; what answers nothing says `<return>true</return>`.
pub(super) fn ec2_reply(operation: &Operation, value: &Value, request_id: &str) -> Vec<u8> {
    let name = operation.name;
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    out.push_str(&format!(
        "<{name}Response xmlns=\"{}\">",
        names::namespace(Service::Ec2)
    ));
    leaf(&mut out, "requestId", request_id);
    match value {
        Value::Object(members) => inside(&mut out, members, Form::Ec2),
        _ => leaf(&mut out, "return", "true"),
    }
    out.push_str(&format!("</{name}Response>"));
    out.into_bytes()
}

/// S3's document: a value with one member, which is the root element. Arrays are repeated elements.
pub(super) fn s3_reply(value: &Value) -> Option<Vec<u8>> {
    let (root, value) = value
        .as_object()
        .filter(|members| members.len() == 1)?
        .iter()
        .next()?;
    Some(document(root, value))
}

/// A document in S3's namespace.
pub fn document(root: &str, value: &Value) -> Vec<u8> {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    out.push_str(&format!(
        "<{root} xmlns=\"{}\">",
        names::namespace(Service::S3)
    ));
    content(&mut out, value, Form::S3);
    out.push_str(&format!("</{root}>"));
    out.into_bytes()
}

/// One element with all that is in it.
fn element(out: &mut String, (name, value): (&str, &Value), form: Form) {
    out.push_str(&format!("<{name}>"));
    content(out, value, form);
    out.push_str(&format!("</{name}>"));
}

/// An element of plain text.
pub(super) fn leaf(out: &mut String, name: &str, text: &str) {
    out.push_str(&format!("<{name}>{}</{name}>", escape(text)));
}

fn content(out: &mut String, value: &Value, form: Form) {
    match value {
        Value::Object(members) => match time(members, form) {
            Some(time) => out.push_str(&time),
            None => inside(out, members, form),
        },
        Value::Array(items) => {
            let name = if form == Form::Ec2 { "item" } else { "member" };
            items
                .iter()
                .for_each(|item| element(out, (name, item), form));
        }
        Value::String(text) => out.push_str(&escape(text)),
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Null => {}
    }
}

fn inside(out: &mut String, members: &Map<String, Value>, form: Form) {
    for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
        match form {
            Form::Query if names::MAPS.contains(&name.as_str()) => map(out, name, value),
            Form::Query => element(out, (name, value), form),
            Form::Ec2 => element(out, (&ec2_name(name, value), value), form),
            Form::Sqs => repeated(
                out,
                (names::other(names::SQS_REPLY, name).unwrap_or(name), value),
                form,
            ),
            Form::S3 => repeated(out, (name, value), form),
        }
    }
}

fn map(out: &mut String, name: &str, value: &Value) {
    let Some(members) = value.as_object() else {
        return element(out, (name, value), Form::Query);
    };
    out.push_str(&format!("<{name}>"));
    for (key, value) in members.iter().filter(|(_, value)| !value.is_null()) {
        out.push_str("<entry>");
        leaf(out, "key", key);
        element(out, ("value", value), Form::Query);
        out.push_str("</entry>");
    }
    out.push_str(&format!("</{name}>"));
}

/// A list as elements of the same name; SQS's maps likewise.
fn repeated(out: &mut String, (name, value): (&str, &Value), form: Form) {
    match value {
        Value::Array(items) => items
            .iter()
            .for_each(|item| element(out, (name, item), form)),
        Value::Object(members)
            if form == Form::Sqs && names::SQS_REPLY.iter().any(|(_, short)| *short == name) =>
        {
            for (key, value) in members {
                out.push_str(&format!("<{name}>"));
                leaf(out, if name == "Tag" { "Key" } else { "Name" }, key);
                element(out, ("Value", value), form);
                out.push_str(&format!("</{name}>"));
            }
        }
        value => element(out, (name, value), form),
    }
}

fn ec2_name(name: &str, value: &Value) -> String {
    match (names::other(names::EC2_REPLY, name), value) {
        (Some(other), _) => other.to_owned(),
        (None, Value::Array(_)) => {
            format!("{}Set", lower_first(name.strip_suffix('s').unwrap_or(name)))
        }
        (None, _) => lower_first(name),
    }
}

/// `{"$time": seconds}` as ISO 8601; S3 and EC2 write milliseconds.
fn time(members: &Map<String, Value>, form: Form) -> Option<String> {
    let seconds = members
        .get("$time")
        .filter(|_| members.len() == 1)?
        .as_f64()?;
    let seconds = i64::try_from(
        std::time::Duration::try_from_secs_f64(seconds.max(0.0))
            .ok()?
            .as_secs(),
    )
    .ok()?;
    let text = Timestamp::from_seconds(seconds).to_string();
    Some(match form {
        Form::S3 | Form::Ec2 => text.replace('Z', ".000Z"),
        Form::Query | Form::Sqs => text,
    })
}

/// Text that is safe between tags and in quotes. Characters that XML 1.0 has no form for become U+FFFD.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push_str("&#13;"),
            '\t' | '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'.. => {
                out.push(letter)
            }
            _ => out.push('\u{fffd}'),
        }
    }
    out
}
