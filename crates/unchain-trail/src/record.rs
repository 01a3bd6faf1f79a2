//! One CloudTrail record in the making: the fields all records share, in the order AWS writes them. It
//! knows the envelope and not what any call means.

use crate::ident::guid;
use crate::truth::Kind;
use crate::world::{Credential, Identity};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// A record before it is written.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) at: Timestamp,
    /// The service, without `.amazonaws.com`.
    pub(crate) source: String,
    pub(crate) name: String,
    pub(crate) identity: Value,
    pub(crate) region: String,
    pub(crate) address: String,
    pub(crate) agent: String,
    pub(crate) failure: Option<Failure>,
    pub(crate) params: Value,
    pub(crate) response: Value,
    pub(crate) additional: Value,
    pub(crate) request_id: String,
    pub(crate) event_id: String,
    pub(crate) read_only: bool,
    pub(crate) resources: Vec<Value>,
    pub(crate) event_type: &'static str,
    pub(crate) data: bool,
    pub(crate) recipient: String,
    /// The VPC endpoint that the request came through.
    pub(crate) endpoint: Option<String>,
    pub(crate) shared: Option<String>,
    pub(crate) details: Value,
    pub(crate) from_console: bool,
}

/// Why a call failed, and whether AWS still logged what it asked for.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) keeps_params: bool,
}

impl Draft {
    /// The finished record.
    pub(crate) fn write(self) -> Value {
        let mut record = Map::new();
        let mut put = |name: &str, value: Value| {
            record.insert(name.to_owned(), value);
        };
        let by_service = self.address.ends_with(".amazonaws.com") || self.address == "AWS Internal";
        put("eventVersion", json!(event_version(&self.source)));
        put("userIdentity", self.identity);
        put("eventTime", json!(self.at.to_string()));
        put(
            "eventSource",
            json!(format!("{}.amazonaws.com", self.source)),
        );
        put("eventName", json!(self.name));
        put("awsRegion", json!(self.region));
        put("sourceIPAddress", json!(self.address));
        put("userAgent", json!(self.agent));
        let (mut params, mut response) = (self.params, self.response);
        if let Some(failure) = self.failure {
            // A refused sign-in has a message and no code, and says `Failure` in its response.
            if !failure.code.is_empty() {
                put("errorCode", json!(failure.code));
                response = Value::Null;
            }
            put("errorMessage", json!(failure.message));
            if !failure.keeps_params {
                params = Value::Null;
            }
        }
        put("requestParameters", params);
        put("responseElements", response);
        if !self.additional.is_null() {
            put("additionalEventData", self.additional);
        }
        put("requestID", json!(self.request_id));
        put("eventID", json!(self.event_id));
        put("readOnly", json!(self.read_only));
        if !self.resources.is_empty() {
            put("resources", Value::Array(self.resources));
        }
        put("eventType", json!(self.event_type));
        put("managementEvent", json!(!self.data));
        put("recipientAccountId", json!(self.recipient));
        let shared = self.shared.map(|id| ("sharedEventID", id));
        let endpoint = self.endpoint.map(|id| ("vpcEndpointId", id));
        for (name, id) in shared.into_iter().chain(endpoint) {
            put(name, json!(id));
        }
        if !self.details.is_null() {
            put("serviceEventDetails", self.details);
        }
        put(
            "eventCategory",
            json!(if self.data { "Data" } else { "Management" }),
        );
        if !by_service && self.event_type != "AwsServiceEvent" {
            put("tlsDetails", tls_details(&self.source, &self.region));
        }
        if self.from_console {
            put("sessionCredentialFromConsole", json!("true"));
        }
        Value::Object(record)
    }
}

/// `userIdentity` of a credential that acts with `key`, or with none as at a sign-in.
pub(crate) fn user_identity(credential: &Credential, key: Option<&str>) -> Value {
    if credential.kind == Kind::PortalSession {
        return portal_identity(credential);
    }
    let mut identity = base_identity(&credential.identity, key);
    if credential.kind == Kind::LongTermKey {
        return identity;
    }
    let mut context = Map::new();
    let of = &credential.identity;
    context.insert("sessionIssuer".to_owned(), of.issuer.clone());
    context.insert("webIdFederationData".to_owned(), of.federation.clone());
    context.insert(
        "attributes".to_owned(),
        json!({
            "creationDate": credential.created.to_string(),
            "mfaAuthenticated": if credential.mfa { "true" } else { "false" },
        }),
    );
    if let Some(source) = &of.source_identity {
        context.insert("sourceIdentity".to_owned(), json!(source));
    }
    if let Some(delivery) = &of.delivery {
        context.insert("ec2RoleDelivery".to_owned(), json!(delivery));
    }
    if credential.kind == Kind::RootSession {
        context.insert("assumedRoot".to_owned(), json!("true"));
    }
    if let Value::Object(fields) = &mut identity {
        fields.insert("sessionContext".to_owned(), Value::Object(context));
        if !of.on_behalf_of.is_null() {
            fields.insert("onBehalfOf".to_owned(), of.on_behalf_of.clone());
        }
    }
    identity
}

/// `userIdentity` without a session.
pub(crate) fn base_identity(of: &Identity, key: Option<&str>) -> Value {
    let mut identity = Map::new();
    identity.insert("type".to_owned(), json!(of.kind));
    identity.insert("principalId".to_owned(), json!(of.principal_id));
    identity.insert("arn".to_owned(), json!(of.arn));
    identity.insert("accountId".to_owned(), json!(of.account));
    if let Some(key) = key {
        identity.insert("accessKeyId".to_owned(), json!(key));
    }
    if let Some(name) = &of.user_name {
        identity.insert("userName".to_owned(), json!(name));
    }
    Value::Object(identity)
}

/// `userIdentity` of a portal session: the person, and the bearer token by its id.
fn portal_identity(portal: &Credential) -> Value {
    json!({
        "type": portal.identity.kind,
        "accountId": portal.identity.account,
        "onBehalfOf": portal.identity.on_behalf_of,
        "credentialId": guid(&["portal", &portal.label, &portal.issued.to_string()]),
    })
}

/// Services moved to new record versions at different times, and a trail holds a mixture.
fn event_version(source: &str) -> &'static str {
    match source {
        "sts" | "kms" | "sso" | "secretsmanager" => "1.08",
        "ec2" | "lambda" => "1.10",
        "ssm" | "rolesanywhere" | "eks-auth" => "1.09",
        _ => "1.11",
    }
}

fn tls_details(source: &str, region: &str) -> Value {
    let host = match source {
        "iam" => "iam.amazonaws.com".to_owned(),
        "signin" => format!("{region}.signin.aws.amazon.com"),
        other => format!("{other}.{region}.amazonaws.com"),
    };
    json!({
        "tlsVersion": "TLSv1.3",
        "cipherSuite": "TLS_AES_128_GCM_SHA256",
        "clientProvidedHostHeader": host,
    })
}
