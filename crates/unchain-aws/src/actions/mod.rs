//! The calls that can be made: one closed table a service, from the call's parameters to the SDK's request and from the
//! SDK's answer to JSON.
//!
//! What changes something is either the same done twice (`Put…`, `Attach…`, `Delete…`: the second finds it done) or goes
//! through a client that never sends it again once it may have arrived (`Create…`).

mod cloudtrail;
mod iam;
mod organizations;
mod rolesanywhere;
mod shapes;
mod sts;

use crate::clients::Clients;
use crate::given::Given;
use crate::refusal::{refusal, refused};
use aws_sdk_iam::config::http::HttpResponse;
use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_iam::operation::RequestId;
use serde_json::{Map, Value};
use std::error::Error;
use unchain_core::contain::{Answer, Call, Refusal, RefusalKind};

/// One service's table. A row: the action, the SDK's method, its parameters (setter, kind, name), and the answer.
macro_rules! actions {
    ($client:ty; $($name:literal $method:ident [$($set:ident $kind:ident $member:literal),* $(,)?] $answer:expr;)*) => {
        /// The actions of the table.
        pub(crate) const NAMES: &[&str] = &[$($name),*];

        /// Makes one call.
        pub(crate) async fn call(
            client: &$client,
            action: &str,
            mut given: $crate::given::Given,
        ) -> Result<unchain_core::contain::Answer, unchain_core::contain::Refusal> {
            match action {
                $($name => {
                    let request = client.$method()$(.$set(given.$kind($member)?))*;
                    given.done()?;
                    $crate::actions::answered(request.send().await, action, $answer)
                })*
                _ => Err($crate::actions::unknown(action)),
            }
        }
    };
}
use actions;

/// An action that this crate can call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Known {
    /// The service, as the AWS CLI names it.
    pub service: &'static str,
    /// The action.
    pub action: &'static str,
}

/// Every action that this crate can call.
pub fn known() -> impl Iterator<Item = Known> {
    let tables = [
        ("cloudtrail", cloudtrail::NAMES),
        ("iam", iam::NAMES),
        ("organizations", organizations::NAMES),
        ("rolesanywhere", rolesanywhere::NAMES),
        ("sts", sts::NAMES),
    ];
    tables
        .into_iter()
        .flat_map(|(service, actions)| actions.iter().map(move |action| Known { service, action }))
}

/// Makes a call. A list comes whole, all its pages put together, unless the call itself asks for one page; the events of
/// `LookupEvents` always come by the page, as nobody knows how many there are.
pub(crate) async fn call(clients: &Clients, call: &Call) -> Result<Answer, Refusal> {
    let parameters = of_ours_removed(&call.parameters);
    let paged = call.action == "LookupEvents"
        || MARKERS
            .iter()
            .any(|[_, member]| parameters.contains_key(*member));
    let mut whole = page(clients, call, Given::new(&parameters)).await?;
    while let Some(([answer, member], marker)) = marker(&whole.value).filter(|_| !paged) {
        let mut given = Given::new(&parameters);
        given.set(member, &marker);
        let more = page(clients, call, given).await?;
        add(&mut whole.value, more.value);
        if whole.value.get(answer).and_then(Value::as_str) == Some(&marker) {
            let message = "the service gives the same page again and again";
            return Err(refused(RefusalKind::Refused, "EndlessList", message));
        }
    }
    Ok(whole)
}

/// Where an answer says how its list goes on, and the parameter that asks for that.
const MARKERS: [[&str; 2]; 3] = [
    ["Marker", "Marker"],
    ["NextToken", "NextToken"],
    ["nextToken", "nextToken"],
];

fn marker(value: &Value) -> Option<([&'static str; 2], String)> {
    MARKERS.into_iter().find_map(|names| {
        let [answer, _] = names;
        let marker = value.get(answer)?.as_str().filter(|m| !m.is_empty())?;
        Some((names, marker.to_owned()))
    })
}

/// Adds a page: lists grow, all else is as the last page says.
fn add(whole: &mut Value, page: Value) {
    let (Value::Object(whole), Value::Object(page)) = (whole, page) else {
        return;
    };
    whole.retain(|name, value| value.is_array() || page.contains_key(name));
    for (name, value) in page {
        match (whole.get_mut(&name), value) {
            (Some(Value::Array(items)), Value::Array(more)) => items.extend(more),
            (_, value) => {
                whole.insert(name, value);
            }
        }
    }
}

/// A plan says beside the parameters which region a call is for.
fn of_ours_removed(parameters: &Map<String, Value>) -> Map<String, Value> {
    let mut parameters = parameters.clone();
    parameters.remove("region");
    parameters
}

async fn page(clients: &Clients, call: &Call, given: Given) -> Result<Answer, Refusal> {
    let action = call.action.as_str();
    match call.service.as_str() {
        "iam" if once(action) => iam::call(&clients.iam_once, action, given).await,
        "iam" => iam::call(&clients.iam, action, given).await,
        "organizations" if once(action) => {
            organizations::call(&clients.organizations_once, action, given).await
        }
        "organizations" => organizations::call(&clients.organizations, action, given).await,
        "rolesanywhere" => rolesanywhere::call(&clients.rolesanywhere, action, given).await,
        "cloudtrail" => cloudtrail::call(&clients.cloudtrail, action, given).await,
        "sts" => sts::call(&clients.sts, action, given).await,
        _ => Err(unknown(action)),
    }
}

/// Whether a call does something else when it is made twice.
fn once(action: &str) -> bool {
    action.starts_with("Create")
}

/// Refuses an action that is in no table.
fn unknown(action: &str) -> Refusal {
    let message = format!("`{action}` is no call that is made here");
    refused(RefusalKind::Refused, "UnknownAction", message)
}

/// An answer, or what the SDK's error says.
fn answered<O, E>(
    result: Result<O, SdkError<E, HttpResponse>>,
    action: &str,
    value: impl FnOnce(&O) -> Value,
) -> Result<Answer, Refusal>
where
    O: RequestId,
    E: ProvideErrorMetadata + Error + 'static,
{
    match result {
        Ok(output) => Ok(Answer {
            value: value(&output),
            request_id: output.request_id().map(str::to_owned),
        }),
        Err(error) => Err(refusal(&error, once(action))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn pages_become_one_list_and_the_marker_goes_with_the_last() {
        let mut whole = json!({"Users": [1, 2], "IsTruncated": true, "Marker": "m"});
        assert!(marker(&whole).is_some());
        add(&mut whole, json!({"Users": [3], "IsTruncated": false}));
        assert_eq!(whole, json!({"Users": [1, 2, 3], "IsTruncated": false}));
        assert!(marker(&whole).is_none());
    }

    #[test]
    fn no_action_is_twice_in_the_tables() {
        let mut all: Vec<Known> = known().collect();
        let number = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), number);
    }
}
