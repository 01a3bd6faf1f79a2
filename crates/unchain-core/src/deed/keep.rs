//! Reading what is kept of a deed out of its record.

use super::{Attribute as A, Deed, Rule, Value, denies, find};
use crate::event::Event;
use crate::id::{is_session_of, split_principal};
use crate::json::Node;
use crate::json::outlines::Outlines;
use crate::time::{Timestamp, seconds};
use memchr::memmem::Finder;
use std::borrow::Cow;
use std::sync::LazyLock;

/// A policy of IAM has at most 6,144 characters, and CloudTrail caps a part at 100 KB. More is cut.
const LONGEST: usize = 8192;

/// Stands for the serial number of an MFA device that a failed call gave and its record leaves out.
pub const UNNAMED_DEVICE: &str = "a device that the record does not name";

type Kept<'a> = Vec<(A, Value<'a>)>;

/// What the ledger keeps of an event that is a deed, in the order of the attributes.
pub(crate) fn attributes<'a>(
    event: &Event<'a>,
    rule: Rule,
    outlines: &mut Outlines,
) -> Vec<(A, Value<'a>)> {
    let mut out = Vec::with_capacity(12);
    let mut found = find::Found::default();
    find::members(event, rule.0.keep, (outlines, &mut found));
    for ((_, _, members), nodes) in rule.0.keep.iter().zip(&found) {
        for ((_, attribute), node) in members.iter().zip(nodes) {
            if let Some(node) = node {
                keep(*attribute, *node, &mut out);
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
    let id = out.iter().position(|(a, _)| *a == A::ChildId);
    let principal = match id.and_then(|at| out.get_mut(at)) {
        Some((_, Value::Text(principal))) => std::mem::take(principal),
        _ => Cow::default(),
    };
    let (unique_id, session) = split(principal);
    let text = |wanted: A| match out.iter().find(|(a, _)| *a == wanted) {
        Some((_, Value::Text(text))) => text.as_ref(),
        _ => "",
    };
    let named = session == text(A::SessionName);
    let arn = out.iter().position(|(a, _)| *a == A::ChildArn);
    let follows = |_: &usize| is_session_of(text(A::ChildArn), text(A::Role), &session);
    let follows = arn.filter(follows);
    if let Some((_, value)) = id.and_then(|at| out.get_mut(at)) {
        *value = Value::Text(unique_id);
        if !named {
            out.push((A::ChildSession, Value::Text(session)));
        }
    }
    if let Some(at) = follows {
        out.swap_remove(at);
    }
}

/// [`split_principal`] without a copy, where the text stands in the record as it is.
fn split(principal: Cow<'_, str>) -> (Cow<'_, str>, Cow<'_, str>) {
    match principal {
        Cow::Borrowed(text) => {
            let (unique_id, session) = split_principal(text);
            (unique_id.into(), session.into())
        }
        Cow::Owned(text) => {
            let (unique_id, session) = split_principal(&text);
            (unique_id.to_owned().into(), session.to_owned().into())
        }
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
        Deed::GetFederationToken => session_policies(event, out),
        Deed::GetCredentialsForIdentity => logins(event, out),
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
        Deed::Change => selectors(event, out),
        _ => {}
    }
    if event.failed() {
        failure(event, out);
    }
}

/// `policyArns`: managed policies that cut what a federated session may do
/// (docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html).
fn session_policies<'a>(event: &Event<'a>, out: &mut Kept<'a>) {
    let policies = event.request.and_then(|request| request.get("policyArns"));
    for policy in policies.map(Node::items).unwrap_or_default() {
        if let Some(arn) = policy.get("arn").and_then(Node::str) {
            out.push((A::PolicyArn, Value::Text(capped(arn))));
        }
    }
}

/// The management events that selectors leave, over all of them
/// (docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutEventSelectors.html).
fn selectors(event: &Event<'_>, out: &mut Kept<'_>) {
    if event.name != "PutEventSelectors" {
        return;
    }
    let list = |name: &str| event.request.and_then(|r| r.get(name)).map(Node::items);
    let kinds: Vec<&str> = match (list("eventSelectors"), list("advancedEventSelectors")) {
        (_, Some(advanced)) if !advanced.is_empty() => {
            advanced.into_iter().filter_map(advanced_kind).collect()
        }
        (Some(basic), _) => basic.into_iter().filter_map(basic_kind).collect(),
        _ => return,
    };
    let has = |wanted: &str| kinds.contains(&wanted) || kinds.contains(&"All");
    let all = match (has("ReadOnly"), has("WriteOnly")) {
        (true, true) => "All",
        (true, false) => "ReadOnly",
        (false, true) => "WriteOnly",
        (false, false) => "None",
    };
    out.push((A::ManagementEvents, Value::Text(all.into())));
}

fn basic_kind(selector: Node<'_>) -> Option<&'static str> {
    // Left out, both are at their widest.
    let without = selector.get("includeManagementEvents").and_then(Node::bool) == Some(false);
    if without {
        return None;
    }
    let kind = selector.get("readWriteType").and_then(Node::str);
    Some(match kind.as_deref() {
        Some("ReadOnly") => "ReadOnly",
        Some("WriteOnly") => "WriteOnly",
        _ => "All",
    })
}

fn advanced_kind(selector: Node<'_>) -> Option<&'static str> {
    let fields = selector.get("fieldSelectors").map(Node::items)?;
    let says = |field: &str, value: &str| {
        fields.iter().any(|f| {
            let named = f
                .get("field")
                .and_then(Node::str)
                .is_some_and(|n| n == field);
            let values = f.get("equals").map(Node::items).unwrap_or_default();
            named
                && values
                    .iter()
                    .any(|v| v.scalar().is_some_and(|v| v == value))
        })
    };
    if !says("eventCategory", "Management") {
        return None;
    }
    Some(
        match (says("readOnly", "true"), says("readOnly", "false")) {
            (true, false) => "ReadOnly",
            (false, true) => "WriteOnly",
            _ => "All",
        },
    )
}

/// The provider that a Cognito identity logged in with; a guest has none
/// (docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_GetCredentialsForIdentity.html).
fn logins<'a>(event: &Event<'a>, out: &mut Kept<'a>) {
    let logins = event.request.and_then(|request| request.get("logins"));
    let logins = logins.map(Node::to_value).unwrap_or_default();
    let provider = logins.as_object().and_then(|logins| logins.keys().min());
    if let Some(provider) = provider {
        out.push((A::Provider, Value::Text(capped(provider.clone().into()))));
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
    let possible = match response {
        Node::Text(text) => may_name_key(text.as_bytes()),
        Node::Value(_) => true,
    };
    possible && credentials(&response.to_value(), WRAPPINGS).is_some()
}

/// Whether a JSON text may have a member `accessKeyId`. Nearly every response is done with here: most
/// are `null`.
fn may_name_key(text: &[u8]) -> bool {
    static NAME: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("accessKeyId"));
    static ESCAPE: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(r"\u00"));
    if text.len() < r#"{"accessKeyId":""}"#.len() {
        return false;
    }
    // An escape may spell a letter of the name; letters are from 41 to 7a.
    let letter = |at: usize| matches!(text.get(at + r"\u00".len()), Some(b'4'..=b'7'));
    NAME.find(text).is_some() || ESCAPE.find_iter(text).any(letter)
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
    // A refused AssumeRole keeps no serial number; that a code was wrong stands in the message only.
    let guessed = message.starts_with("MultiFactorAuthentication failed");
    if guessed && !out.iter().any(|(a, _)| *a == A::Serial) {
        out.push((A::Serial, Value::Text(UNNAMED_DEVICE.into())));
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::plain;
    use serde_json::json;

    fn kept(name: &str, request: &serde_json::Value) -> Vec<(A, String)> {
        let record = json!({
            "eventTime": "2026-03-02T09:00:00Z", "eventSource": "cloudtrail.amazonaws.com",
            "eventName": name, "requestParameters": request,
        });
        let event = plain(&record).unwrap();
        let rule = Rule::find("cloudtrail.amazonaws.com", name).unwrap();
        let text = |value: Value<'_>| match value {
            Value::Text(text) => text.into_owned(),
            Value::Number(number) => number.to_string(),
        };
        attributes(&event, rule, &mut Outlines::default())
            .into_iter()
            .map(|(a, v)| (a, text(v)))
            .collect()
    }

    fn left(request: &serde_json::Value) -> Option<String> {
        let mut kept = kept("PutEventSelectors", request).into_iter();
        kept.find(|(a, _)| *a == A::ManagementEvents)
            .map(|(_, text)| text)
    }

    #[test]
    fn selectors_say_which_management_events_are_left() {
        let basic = |kind: &str, management: bool| json!({ "readWriteType": kind, "includeManagementEvents": management });
        let of = |selectors: &[serde_json::Value]| left(&json!({ "eventSelectors": selectors }));
        assert_eq!(of(&[basic("All", true)]).unwrap(), "All");
        assert_eq!(of(&[basic("WriteOnly", true)]).unwrap(), "WriteOnly");
        assert_eq!(
            of(&[basic("WriteOnly", true), basic("ReadOnly", true)]).unwrap(),
            "All"
        );
        assert_eq!(of(&[basic("All", false)]).unwrap(), "None");
        assert_eq!(of(&[json!({})]).unwrap(), "All");
        assert_eq!(left(&json!({ "trailName": "main" })), None);
    }

    #[test]
    fn advanced_selectors_are_read_as_well() {
        let of = |fields: &serde_json::Value| {
            left(&json!({ "advancedEventSelectors": [{ "fieldSelectors": fields }] })).unwrap()
        };
        let management = json!({ "field": "eventCategory", "equals": ["Management"] });
        let data = json!({ "field": "eventCategory", "equals": ["Data"] });
        let read = |value: &str| json!({ "field": "readOnly", "equals": [value] });
        assert_eq!(of(&json!([management])), "All");
        assert_eq!(of(&json!([management, read("false")])), "WriteOnly");
        assert_eq!(of(&json!([management, read("true")])), "ReadOnly");
        assert_eq!(of(&json!([data, read("true")])), "None");
    }

    #[test]
    fn settings_of_a_trail_are_kept() {
        let request = json!({ "name": "main", "isMultiRegionTrail": false, "s3BucketName": "b" });
        let kept = kept("UpdateTrail", &request);
        assert!(kept.contains(&(A::MultiRegion, "false".to_owned())));
        assert!(kept.contains(&(A::Resource, "b".to_owned())));
    }
}
