//! Looking at the present state of one thing: the calls that read it, and what of their answers counts.
//!
//! A state is null where the thing is not there; else true, a status, a document as the service sent it, or an object
//! with the id of a policy and its document. No state holds a secret.

use super::super::plan::Call;
use super::thing::{Kind, Thing};
use super::{Answer, Refusal, RefusalKind};
use crate::deed::listed;
use serde_json::{Value, json};

/// Pages of one list, so that a service that never ends it does not keep us.
const PAGES: usize = 10_000;

/// How the state is found in an answer.
#[derive(Clone, Copy)]
enum Find {
    /// Every answer says that it is there.
    Answered,
    /// At this place.
    At(&'static str),
    /// In a list at this place: the item whose member has our name, and the state in another member or just that it
    /// is there.
    Listed {
        list: &'static str,
        member: &'static str,
        name: &'static str,
        state: Option<&'static str>,
    },
}

/// Why a look did not see.
#[derive(Debug)]
pub(super) struct Unseen {
    pub(super) call: Box<Call>,
    /// None where the answer lacks what it must have.
    pub(super) refusal: Option<Box<Refusal>>,
}

const fn listed_by(list: &'static str, member: &'static str) -> Find {
    Find::Listed {
        list,
        member,
        name: member,
        state: None,
    }
}

const fn status_of(list: &'static str, member: &'static str) -> Find {
    Find::Listed {
        list,
        member,
        name: member,
        state: Some("Status"),
    }
}

/// The action that reads a thing; of the two kinds of policy that take two, the first.
fn action(kind: Kind) -> &'static str {
    match kind {
        Kind::UserPolicy => "GetUserPolicy",
        Kind::RolePolicy => "GetRolePolicy",
        Kind::UserAttachment => "ListAttachedUserPolicies",
        Kind::RoleAttachment => "ListAttachedRolePolicies",
        Kind::ManagedPolicy => "GetPolicy",
        Kind::AccessKey => "ListAccessKeys",
        Kind::ServiceCredential => "ListServiceSpecificCredentials",
        Kind::Password => "GetLoginProfile",
        Kind::MfaDevice => "ListMFADevices",
        Kind::VirtualDevice => "ListVirtualMFADevices",
        Kind::GroupMembership => "ListGroupsForUser",
        Kind::ProfileRole => "GetInstanceProfile",
        Kind::User => "GetUser",
        Kind::Role | Kind::TrustPolicy => "GetRole",
        Kind::SamlProvider => "GetSAMLProvider",
        Kind::OpenIdProvider => "GetOpenIDConnectProvider",
        Kind::Scp => "ListPolicies",
        Kind::ScpAttachment => "ListPoliciesForTarget",
        Kind::TrustAnchor => "GetTrustAnchor",
    }
}

/// The names that it is asked with.
fn asked_with(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::UserAttachment
        | Kind::AccessKey
        | Kind::ServiceCredential
        | Kind::MfaDevice
        | Kind::GroupMembership => &["UserName"],
        Kind::RoleAttachment => &["RoleName"],
        Kind::ProfileRole => &["InstanceProfileName"],
        Kind::ScpAttachment => &["TargetId"],
        Kind::VirtualDevice | Kind::Scp => &[],
        kind => kind.names(),
    }
}

/// Which of a list is asked for. A virtual device that nobody uses is one as well (IAM API Reference,
/// "ListVirtualMFADevices").
fn asked_for(kind: Kind) -> Option<(&'static str, &'static str)> {
    match kind {
        Kind::Scp | Kind::ScpAttachment => Some(("Filter", "SERVICE_CONTROL_POLICY")),
        Kind::VirtualDevice => Some(("AssignmentStatus", "Any")),
        _ => None,
    }
}

/// Where its answer has the state.
fn place(kind: Kind) -> Find {
    match kind {
        Kind::Password | Kind::SamlProvider | Kind::OpenIdProvider => Find::Answered,
        Kind::UserPolicy | Kind::RolePolicy => Find::At("/PolicyDocument"),
        Kind::TrustPolicy => Find::At("/Role/AssumeRolePolicyDocument"),
        Kind::User => Find::At("/User/UserId"),
        Kind::Role => Find::At("/Role/RoleId"),
        Kind::ManagedPolicy => Find::At("/Policy/DefaultVersionId"),
        Kind::TrustAnchor => Find::At("/trustAnchor/enabled"),
        Kind::UserAttachment | Kind::RoleAttachment => listed_by("/AttachedPolicies", "PolicyArn"),
        Kind::AccessKey => status_of("/AccessKeyMetadata", "AccessKeyId"),
        Kind::ServiceCredential => {
            status_of("/ServiceSpecificCredentials", "ServiceSpecificCredentialId")
        }
        Kind::MfaDevice => listed_by("/MFADevices", "SerialNumber"),
        Kind::VirtualDevice => listed_by("/VirtualMFADevices", "SerialNumber"),
        Kind::GroupMembership => listed_by("/Groups", "GroupName"),
        Kind::ProfileRole => listed_by("/InstanceProfile/Roles", "RoleName"),
        Kind::Scp => Find::Listed {
            list: "/Policies",
            member: "Name",
            name: "Name",
            state: Some("Id"),
        },
        Kind::ScpAttachment => Find::Listed {
            list: "/Policies",
            member: "Id",
            name: "PolicyId",
            state: None,
        },
    }
}

/// Somebody who answers calls.
pub(super) type Ask<'a> = &'a mut dyn FnMut(&Call) -> Result<Answer, Refusal>;

/// The state of a thing now.
pub(super) fn look(thing: &Thing, ask: Ask<'_>) -> Result<Value, Unseen> {
    let mut call = thing.call(action(thing.kind), asked_with(thing.kind));
    if let Some((name, value)) = asked_for(thing.kind) {
        call.parameters.insert(name.to_owned(), json!(value));
    }
    let state = match place(thing.kind) {
        Find::Answered => Ok(asked(&call, ask)?.map_or(Value::Null, |_| Value::Bool(true))),
        Find::At(place) => at(&call, place, ask),
        Find::Listed {
            list,
            member,
            name,
            state,
        } => find(call, (list, ask), |item| {
            let same = item.get(member).and_then(Value::as_str) == Some(thing.name(name));
            same.then(|| match state {
                Some(state) => item.get(state).cloned().unwrap_or_default(),
                None => Value::Bool(true),
            })
        }),
    }?;
    Ok(match thing.kind {
        Kind::ManagedPolicy if !state.is_null() => version(thing, &state, ask)?,
        Kind::Scp if !state.is_null() => content(thing, &state, ask)?,
        Kind::TrustAnchor => truth(state),
        kind if is_document(kind) => text(state),
        _ => state,
    })
}

/// Whether the state of such things is a document.
fn is_document(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::UserPolicy | Kind::RolePolicy | Kind::TrustPolicy
    )
}

/// A document that came as text, as the text that was put there: to be put back as it was.
fn text(document: Value) -> Value {
    match document.as_str() {
        Some(text) => Value::String(plain(text)),
        None => document,
    }
}

/// The answer; none where what is asked for is not there.
fn asked(call: &Call, ask: Ask<'_>) -> Result<Option<Value>, Unseen> {
    match ask(call) {
        Ok(answer) => Ok(Some(answer.value)),
        Err(refusal) if refusal.kind == RefusalKind::NotFound => Ok(None),
        Err(refusal) => Err(Unseen {
            call: Box::new(call.clone()),
            refusal: Some(Box::new(refusal)),
        }),
    }
}

fn unreadable(call: &Call) -> Unseen {
    Unseen {
        call: Box::new(call.clone()),
        refusal: None,
    }
}

fn at(call: &Call, place: &str, ask: Ask<'_>) -> Result<Value, Unseen> {
    let Some(answer) = asked(call, ask)? else {
        return Ok(Value::Null);
    };
    let state = answer.pointer(place).filter(|state| !state.is_null());
    state.cloned().ok_or_else(|| unreadable(call))
}

/// The first item of a list that is picked, page by page: IAM's lists go on with `Marker`, those of AWS Organizations
/// with `NextToken`.
fn find(
    mut call: Call,
    (list, ask): (&str, Ask<'_>),
    pick: impl Fn(&Value) -> Option<Value>,
) -> Result<Value, Unseen> {
    for _ in 0..PAGES {
        let Some(answer) = asked(&call, ask)? else {
            return Ok(Value::Null);
        };
        let items = answer.pointer(list).map(listed).unwrap_or_default();
        if let Some(found) = items.into_iter().find_map(&pick) {
            return Ok(found);
        }
        let more = |name: &str| answer.get(name).filter(|token| token.is_string()).cloned();
        let (name, token) = match (more("Marker"), more("NextToken")) {
            (Some(marker), _) => ("Marker", marker),
            (None, Some(token)) => ("NextToken", token),
            (None, None) => return Ok(Value::Null),
        };
        call.parameters.insert(name.to_owned(), token);
    }
    Err(unreadable(&call))
}

/// A version of a managed policy.
pub(super) fn version(thing: &Thing, version: &Value, ask: Ask<'_>) -> Result<Value, Unseen> {
    let call = thing.of_version("GetPolicyVersion", version.clone());
    let document = at(&call, "/PolicyVersion/Document", ask)?;
    Ok(json!({"version": version, "document": text(document)}))
}

fn content(thing: &Thing, id: &Value, ask: Ask<'_>) -> Result<Value, Unseen> {
    let mut call = thing.call("DescribePolicy", &[]);
    call.parameters.insert("PolicyId".to_owned(), id.clone());
    let document = at(&call, "/Policy/Content", ask)?;
    Ok(json!({"id": id, "document": text(document)}))
}

/// Every version of a managed policy but the default one.
pub(super) fn other_versions(thing: &Thing, ask: Ask<'_>) -> Result<Vec<String>, Unseen> {
    let call = thing.call("ListPolicyVersions", &["PolicyArn"]);
    let versions = std::cell::RefCell::new(Vec::new());
    find(call, ("/Versions", ask), |item| {
        let is_default = truth(item.get("IsDefaultVersion").cloned().unwrap_or_default());
        let id = item.get("VersionId").and_then(Value::as_str);
        if let Some(id) = id.filter(|_| is_default != Value::Bool(true)) {
            versions.borrow_mut().push(id.to_owned());
        }
        None
    })?;
    Ok(versions.into_inner())
}

/// A truth value that may be written as text.
fn truth(value: Value) -> Value {
    match value.as_str() {
        Some("true") => Value::Bool(true),
        Some("false") => Value::Bool(false),
        _ => value,
    }
}

/// Whether two states of things of one kind are the same: documents are compared by what they mean.
pub(super) fn same(kind: Kind, one: &Value, two: &Value) -> bool {
    essence(kind, one) == essence(kind, two)
}

fn essence(kind: Kind, state: &Value) -> Value {
    match kind {
        _ if state.is_null() => Value::Null,
        _ if is_document(kind) => canonical(&document(state), ""),
        Kind::ManagedPolicy | Kind::Scp => {
            let document = state.get("document").map(document);
            canonical(&document.unwrap_or_default(), "")
        }
        _ => state.clone(),
    }
}

/// A policy document that may have come as text, percent-encoded or plain.
fn document(value: &Value) -> Value {
    let Some(text) = value.as_str() else {
        return value.clone();
    };
    serde_json::from_str(&plain(text)).unwrap_or_else(|_| value.clone())
}

/// The text of a document as it was put there. IAM sends documents percent-encoded as RFC 3986 says (IAM API
/// Reference, "GetRolePolicy").
fn plain(text: &str) -> String {
    if text.trim_start().starts_with('{') {
        return text.to_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let code = after.get(..2).filter(|_| byte == b'%');
        let code = code.and_then(|code| std::str::from_utf8(code).ok());
        if let Some(code) = code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            bytes.push(code);
            rest = after.get(2..).unwrap_or_default();
        } else {
            bytes.push(byte);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A document in one of the forms that mean the same: lists have no order and one item needs no list, an account is
/// named by its number or its root, and truth values are text (IAM User Guide, "IAM JSON policy elements").
fn canonical(value: &Value, member: &str) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(|item| canonical(item, member)).collect();
            items.sort_by_key(Value::to_string);
            items.dedup();
            match <[Value; 1]>::try_from(items) {
                Ok([only]) => only,
                Err(items) => Value::Array(items),
            }
        }
        Value::Object(members) => {
            let members = members.iter().map(|(n, v)| (n.clone(), canonical(v, n)));
            let object = Value::Object(members.collect());
            let everybody = member == "Principal" && object == json!({"AWS": "*"});
            if everybody { json!("*") } else { object }
        }
        Value::String(text) if member == "AWS" => json!(account(text).unwrap_or(text)),
        Value::Bool(_) | Value::Number(_) => json!(value.to_string()),
        Value::String(_) | Value::Null => value.clone(),
    }
}

/// The account of `arn:aws:iam::111122223333:root`.
fn account(arn: &str) -> Option<&str> {
    let rest = arn.strip_prefix("arn:")?.strip_suffix(":root")?;
    rest.split_once(":iam::").map(|(_, account)| account)
}
