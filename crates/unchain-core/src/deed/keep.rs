//! Reading what is kept of a deed out of its record.

use super::table::{GROUPS, MEMBERS, Part};
use super::{Attribute as A, Deed, Rule, Value, denies};
use crate::event::Event;
use crate::id::{is_session_of, split_principal};
use crate::json::Node;
use crate::time::{Timestamp, seconds};
use std::borrow::Cow;

/// A policy of IAM has at most 6,144 characters, and CloudTrail caps a part at 100 KB. More is cut.
const LONGEST: usize = 8192;

type Kept<'a> = Vec<(A, Value<'a>)>;

/// What the ledger keeps of an event that is a deed, in the order of the attributes.
pub fn attributes<'a>(event: &Event<'a>, rule: Rule) -> Vec<(A, Value<'a>)> {
    let mut out = Vec::with_capacity(12);
    // A response holds the session token, a kilobyte of text: its members are found in one pass.
    let parts = rule
        .0
        .keep
        .iter()
        .filter(|(part, path, _)| matches!(part, Part::Response) && path.len() == 1);
    let first = parts.map(|(_, path, _)| path.first().copied().unwrap_or_default());
    let response: [Option<Node<'a>>; GROUPS] = match event.response {
        Some(node) => node.named(first),
        None => [None; GROUPS],
    };
    let mut response = response.into_iter();
    for (part, path, members) in rule.0.keep {
        let object = match part {
            Part::Response if path.len() == 1 => response.next().flatten(),
            Part::Request => event.request.and_then(|node| node.at(path)),
            Part::Response => event.response.and_then(|node| node.at(path)),
            Part::Additional => event.additional.and_then(|node| node.at(path)),
            Part::Details => event.details.and_then(|node| node.at(path)),
        };
        let Some(object) = object else { continue };
        let found: [Option<Node<'a>>; MEMBERS] =
            object.named(members.iter().map(|(name, _)| *name));
        for ((_, attribute), value) in members.iter().zip(found) {
            if let Some(value) = value {
                keep(*attribute, value, &mut out);
            }
        }
    }
    special(event, rule.deed(), &mut out);
    child(&mut out);
    out.sort_by_key(|(attribute, _)| *attribute);
    out.dedup();
    out
}

/// A session name stands in the request, in the child's principal id and in its ARN; it is often
/// unique to one session, so it is kept once.
fn child(out: &mut Kept<'_>) {
    let find = |wanted: A| out.iter().position(|(a, _)| *a == wanted);
    let (id, arn) = (find(A::ChildId), find(A::ChildArn));
    let text = |at: Option<usize>| match at.and_then(|at| out.get(at)) {
        Some((_, Value::Text(text))) => text.as_ref(),
        _ => "",
    };
    let (unique_id, session) = split_principal(text(id));
    let named = session == text(find(A::SessionName));
    let follows = arn.is_some() && is_session_of(text(arn), text(find(A::Role)), session);
    let (unique_id, session) = (unique_id.len(), session.to_owned());
    if id.is_some() && !named {
        out.push((A::ChildSession, Value::Text(Cow::Owned(session))));
    }
    if let Some((_, Value::Text(principal))) = id.and_then(|at| out.get_mut(at)) {
        match principal {
            Cow::Borrowed(text) => *text = text.get(..unique_id).unwrap_or_default(),
            Cow::Owned(text) => text.truncate(unique_id),
        }
    }
    if let Some(at) = arn.filter(|_| follows) {
        out.swap_remove(at);
    }
}

/// Keeps one value. The first of an attribute wins: request before response where both name a thing.
fn keep<'a>(attribute: A, node: Node<'a>, out: &mut Kept<'a>) {
    if out.iter().any(|(a, _)| *a == attribute) {
        return;
    }
    let value = match attribute {
        A::Expires => {
            let time = node.scalar().and_then(|t| Timestamp::parse(&t));
            time.map(|t| Value::Number(seconds(t)))
        }
        A::Duration => node
            .u64()
            .and_then(|n| u32::try_from(n).ok())
            .map(Value::Number),
        A::Document | A::Policy => {
            let text = node
                .str()
                .unwrap_or_else(|| Cow::Owned(node.to_value().to_string()));
            if attribute == A::Document {
                out.extend(denies::denies(&text));
            }
            Some(Value::Text(capped(text)))
        }
        _ => node.scalar().map(|t| Value::Text(capped(t))),
    };
    let empty = matches!(&value, Some(Value::Text(t)) if t.is_empty());
    out.extend(value.filter(|_| !empty).map(|value| (attribute, value)));
}

fn capped(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.len() <= LONGEST {
        return text;
    }
    let cut = (0..=LONGEST)
        .rev()
        .find_map(|at| text.get(..at))
        .unwrap_or_default();
    Cow::Owned(cut.to_owned())
}

/// What the table cannot say: lists, and what stands in an error message only.
fn special<'a>(event: &Event<'a>, deed: Deed, out: &mut Kept<'a>) {
    match deed {
        Deed::RunInstances => {
            let instances = event
                .response
                .and_then(|r| r.at(&["instancesSet", "items"]));
            for instance in instances.map(Node::items).unwrap_or_default() {
                if let Some(id) = instance.get("instanceId").and_then(Node::str) {
                    out.push((A::Instance, Value::Text(id)));
                }
            }
        }
        Deed::RolesAnywhereCreateSession => credential_set(event, out),
        Deed::AttachPolicy => {
            let all = |t: &str| t.ends_with(":policy/AWSDenyAll");
            if out
                .iter()
                .any(|(a, v)| *a == A::PolicyArn && matches!(v, Value::Text(t) if all(t)))
            {
                out.push((A::DenyAll, Value::Number(1)));
            }
        }
        Deed::Vend => vended(event, out),
        _ => {}
    }
    if event.failed() {
        failure(event, out);
    }
}

/// Roles Anywhere wraps credentials in a list of one.
fn credential_set<'a>(event: &Event<'a>, out: &mut Kept<'a>) {
    let sets = event
        .response
        .and_then(|r| r.get("credentialSet"))
        .map(Node::items);
    let Some(set) = sets.unwrap_or_default().into_iter().next() else {
        return;
    };
    let wanted = [
        (["credentials", "accessKeyId"], A::ChildKey),
        (["credentials", "expiration"], A::Expires),
        (["assumedRoleUser", "assumedRoleId"], A::ChildId),
        (["assumedRoleUser", "arn"], A::ChildArn),
    ];
    for (path, attribute) in wanted {
        if let Some(node) = set.at(&path) {
            keep(attribute, node, out);
        }
    }
}

/// Whether a response carries credentials in some wrapping, so that its call is a [`Deed::Vend`].
pub fn vends(response: Node<'_>) -> bool {
    let plain = match response {
        // Nearly every response is done with here. An escape may spell the name another way.
        Node::Text(text) => {
            let bytes = text.as_bytes();
            memchr::memmem::find(bytes, b"accessKeyId").is_some()
                || memchr::memmem::find(bytes, b"\\u").is_some()
        }
        Node::Value(_) => true,
    };
    plain && credentials(&response.to_value(), WRAPPINGS).is_some()
}

/// Objects inside each other in which credentials are looked for.
const WRAPPINGS: u32 = 4;

/// Services wrap vended credentials in many ways; the first object with an access key id is taken.
fn credentials(value: &serde_json::Value, depth: u32) -> Option<&serde_json::Value> {
    let object = value.as_object().filter(|_| depth > 0)?;
    if object
        .get("accessKeyId")
        .is_some_and(serde_json::Value::is_string)
    {
        return Some(value);
    }
    object
        .values()
        .find_map(|value| credentials(value, depth - 1))
}

fn vended(event: &Event<'_>, out: &mut Kept<'_>) {
    let response = event.response.map(Node::to_value).unwrap_or_default();
    let Some(found) = credentials(&response, WRAPPINGS) else {
        return;
    };
    for (name, attribute) in [("accessKeyId", A::ChildKey), ("expiration", A::Expires)] {
        let mut kept = Vec::new();
        if let Some(value) = found.get(name) {
            keep(attribute, Node::Value(value), &mut kept);
        }
        out.extend(
            kept.into_iter()
                .map(|(attribute, value)| (attribute, value.into_owned())),
        );
    }
}

/// A denied call has null parameters; its role stands in the message only
/// (`… to perform: sts:AssumeRole on resource: arn:…`).
fn failure(event: &Event<'_>, out: &mut Kept<'_>) {
    let Some(message) = event.error_message.and_then(Node::str) else {
        return;
    };
    let after = message.split("on resource: ").nth(1);
    let role = after
        .and_then(|rest| rest.split_whitespace().next())
        .filter(|arn| arn.contains(":role/"));
    if let Some(role) = role
        && !out.iter().any(|(a, _)| *a == A::Role)
    {
        out.push((A::Role, Value::Text(Cow::Owned(role.to_owned()))));
    }
}
