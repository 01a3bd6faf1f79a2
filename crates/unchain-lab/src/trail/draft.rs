//! A record before it is written: the fields of CloudTrail's record format, in its order
//! (docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html).
//! It knows how a record looks, not when one is made.

use serde_json::{Map, Value, json};
use unchain_core::time::Timestamp;

/// `eventType`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Kind {
    /// A call of a public API.
    #[default]
    ApiCall,
    /// Made by the service itself, for no call of the customer's.
    ServiceEvent,
    /// Sign-in, MFA check, switch of role.
    ConsoleSignIn,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::ApiCall => "AwsApiCall",
            Self::ServiceEvent => "AwsServiceEvent",
            Self::ConsoleSignIn => "AwsConsoleSignIn",
        }
    }
}

/// Whether a record is a change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Access {
    /// `readOnly` is true.
    Read,
    /// `readOnly` is false.
    #[default]
    Write,
}

/// `eventCategory`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Category {
    /// A management event.
    #[default]
    Management,
    /// A data event.
    Data,
}

/// The fields of one record. Empty texts and `None` are fields that are left out.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// `eventVersion`.
    pub version: &'static str,
    /// `userIdentity`.
    pub identity: Value,
    /// `eventTime`, UTC; none: the world's time.
    pub at: Option<Timestamp>,
    /// `eventSource`.
    pub source: String,
    /// `eventName`.
    pub name: String,
    /// `awsRegion`.
    pub region: String,
    /// `sourceIPAddress`.
    pub source_ip: String,
    /// `userAgent`.
    pub user_agent: String,
    /// `errorCode`.
    pub error_code: Option<String>,
    /// `errorMessage`.
    pub error_message: Option<String>,
    /// `requestParameters`.
    pub request: Value,
    /// `responseElements`.
    pub response: Value,
    /// `additionalEventData`.
    pub additional: Option<Value>,
    /// `requestID`.
    pub request_id: Option<String>,
    /// `readOnly`.
    pub access: Access,
    /// `resources`.
    pub resources: Vec<Value>,
    /// `eventType`.
    pub kind: Kind,
    /// `managementEvent` and `eventCategory`.
    pub category: Category,
    /// `recipientAccountId`: the account whose log the record is in.
    pub account: String,
    /// `sharedEventID`.
    pub shared: Option<String>,
    /// `serviceEventDetails`.
    pub service_details: Option<Value>,
    /// `tlsDetails.clientProvidedHostHeader`; none: the call did not come over the customer's connection.
    pub host: Option<String>,
    /// `sessionCredentialFromConsole`.
    pub from_console: bool,
}

/// Most bytes of `userAgent`, `errorCode`, `errorMessage` and `requestID`.
const SHORT: usize = 1024;
/// Most bytes of `requestParameters`, `responseElements` and `serviceEventDetails`; larger ones are left out.
const LONG: usize = 100 * 1024;
/// Most bytes of `additionalEventData`.
const ADDITIONAL: usize = 28 * 1024;

impl Draft {
    /// The record.
    pub fn write(&self, event_id: &str, now: Timestamp) -> Value {
        let mut record = Map::new();
        self.what(&mut record, now);
        self.how(&mut record);
        self.whose(&mut record, event_id);
        Value::Object(record)
    }

    fn what(&self, record: &mut Map<String, Value>, now: Timestamp) {
        put(record, "eventVersion", self.version);
        record.insert("userIdentity".to_owned(), self.identity.clone());
        put(record, "eventTime", self.at.unwrap_or(now).to_string());
        put(record, "eventSource", self.source.as_str());
        put(record, "eventName", self.name.as_str());
        put(record, "awsRegion", self.region.as_str());
        put(record, "sourceIPAddress", self.source_ip.as_str());
        put(record, "userAgent", cut(&self.user_agent));
        put_some(record, "errorCode", self.error_code.as_deref().map(cut));
        put_some(
            record,
            "errorMessage",
            self.error_message.as_deref().map(cut),
        );
    }

    fn how(&self, record: &mut Map<String, Value>) {
        put_within(record, ("requestParameters", LONG), Some(&self.request));
        put_within(record, ("responseElements", LONG), Some(&self.response));
        put_within(
            record,
            ("additionalEventData", ADDITIONAL),
            self.additional.as_ref(),
        );
        put_some(record, "requestID", self.request_id.as_deref().map(cut));
    }

    fn whose(&self, record: &mut Map<String, Value>, event_id: &str) {
        let management = self.category == Category::Management;
        put(record, "eventID", event_id);
        put(record, "readOnly", self.access == Access::Read);
        if !self.resources.is_empty() {
            put(record, "resources", self.resources.clone());
        }
        put(record, "eventType", self.kind.name());
        put(record, "managementEvent", management);
        put(record, "recipientAccountId", self.account.as_str());
        put_some(record, "sharedEventID", self.shared.as_deref());
        put_within(
            record,
            ("serviceEventDetails", LONG),
            self.service_details.as_ref(),
        );
        let category = if management { "Management" } else { "Data" };
        put(record, "eventCategory", category);
        put_some(record, "tlsDetails", self.host.as_deref().map(tls));
        put_some(
            record,
            "sessionCredentialFromConsole",
            self.from_console.then_some("true"),
        );
    }
}

fn tls(host: &str) -> Value {
    json!({
        "tlsVersion": "TLSv1.3",
        "cipherSuite": "TLS_AES_128_GCM_SHA256",
        "clientProvidedHostHeader": cut(host),
    })
}

fn put(record: &mut Map<String, Value>, name: &str, value: impl Into<Value>) {
    record.insert(name.to_owned(), value.into());
}

fn put_some(record: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        put(record, name, value);
    }
}

/// A field that is left out when it is larger than CloudTrail keeps.
fn put_within(record: &mut Map<String, Value>, (name, most): (&str, usize), value: Option<&Value>) {
    if let Some(value) = value.filter(|value| value.is_null() || value.to_string().len() <= most) {
        put(record, name, value.clone());
    }
}

fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(SHORT)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_cut_or_left_out() {
        let draft = Draft {
            user_agent: "ä".repeat(SHORT),
            request: json!({"text": "x".repeat(LONG)}),
            ..Draft::default()
        };
        let record = draft.write("id", Timestamp::from_seconds(0));
        assert_eq!(record["userAgent"].as_str().map(str::len), Some(SHORT));
        assert_eq!(record.get("requestParameters"), None);
        assert_eq!(record["responseElements"], Value::Null);
        assert_eq!(record["eventTime"], "1970-01-01T00:00:00Z");
    }
}
