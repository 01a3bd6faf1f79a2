//! What a request says of its signature, taken apart but not believed.

use std::fmt;

use unchain_core::time::Timestamp;

use super::version2;
use crate::call::{Fault, Trouble};
use crate::http::Request;

/// What a signature says before it is checked: enough to route the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The access key id.
    pub access_key_id: String,
    /// The region.
    pub region: String,
    /// The service's signing name.
    pub service: String,
}

/// A signature as the request carries it. The token is a secret: it does not show in debug output.
#[derive(Clone)]
pub struct Claim {
    /// Key, region, service.
    pub scope: Scope,
    /// When it was signed, by the clock of whoever signed; UTC.
    pub date: Timestamp,
    /// For how many seconds a presigned URL holds; none: the signature is in the header.
    pub lifetime: Option<i64>,
    /// The session token, where one is given.
    pub token: Option<String>,
    /// Names of the signed headers, in the order given.
    pub(super) headers: Vec<String>,
    /// The signature, lower-case hexadecimal.
    pub(super) signature: String,
    /// The date in basic ISO 8601 form, as it is signed.
    pub(super) stamp: String,
    /// A URL of S3 presigned in the form before this one; its `date` is when it ends.
    pub(super) version2: bool,
}

/// A presigned URL holds for at most seven days
/// (docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html).
const LONGEST: i64 = 604_800;

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim")
            .field("scope", &self.scope)
            .field("date", &self.date)
            .finish_non_exhaustive()
    }
}

impl Claim {
    /// Reads the signature of a request; none where it carries none.
    ///
    /// # Errors
    ///
    /// `IncompleteSignature` and its like where there is one that cannot be read.
    pub fn read(request: &Request) -> Result<Option<Self>, Fault> {
        if let Some(header) = request.header("authorization") {
            return Self::from_header(request, header).map(Some);
        }
        if request.query.contains("X-Amz-Signature=") {
            return Self::from_query(request).map(Some);
        }
        if version2::is_signed(request) {
            return Self::from_version2(request).map(Some);
        }
        Ok(None)
    }

    /// The day of the scope, `YYYYMMDD`.
    pub(super) fn day(&self) -> &str {
        self.stamp.get(..8).unwrap_or_default()
    }

    fn from_header(request: &Request, header: &str) -> Result<Self, Fault> {
        let parts = header
            .strip_prefix("AWS4-HMAC-SHA256")
            .ok_or_else(other_scheme)?;
        let part = |name: &str| {
            parts
                .split(',')
                .find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
                .map(str::to_owned)
                .ok_or_else(|| {
                    incomplete(&format!(
                        "Authorization header requires '{name}' parameter."
                    ))
                })
        };
        let date = request
            .header("x-amz-date")
            .or_else(|| request.header("date"));
        Self {
            scope: no_scope(),
            date: Timestamp::from_seconds(0),
            lifetime: None,
            token: request.header("x-amz-security-token").map(str::to_owned),
            headers: names(&part("SignedHeaders")?),
            signature: part("Signature")?,
            stamp: String::new(),
            version2: false,
        }
        .of(date, &part("Credential")?)
    }

    fn from_query(request: &Request) -> Result<Self, Fault> {
        let pairs = request.query_pairs();
        let find = |name: &str| {
            let mut values = pairs.iter().filter(|(found, _)| found == name);
            values.next().map(|(_, value)| value.clone())
        };
        let part =
            |name: &str| find(name).ok_or_else(|| query_parameters(format!("{name} is missing")));
        if part("X-Amz-Algorithm")? != "AWS4-HMAC-SHA256" {
            return Err(query_parameters(
                "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"",
            ));
        }
        Self {
            scope: no_scope(),
            date: Timestamp::from_seconds(0),
            lifetime: Some(lifetime(find("X-Amz-Expires").as_deref())?),
            token: find("X-Amz-Security-Token"),
            headers: names(&part("X-Amz-SignedHeaders")?),
            signature: part("X-Amz-Signature")?,
            stamp: String::new(),
            version2: false,
        }
        .of(Some(&part("X-Amz-Date")?), &part("X-Amz-Credential")?)
    }

    fn from_version2(request: &Request) -> Result<Self, Fault> {
        let pairs = request.query_pairs();
        let find = |name: &str| {
            let mut values = pairs.iter().filter(|(found, _)| found == name);
            values.next().map(|(_, value)| value.clone())
        };
        let expires = find("Expires").and_then(|text| text.parse().ok());
        let missing = "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters";
        let denied = || Fault::denied(missing);
        Ok(Self {
            scope: Scope {
                access_key_id: find("AWSAccessKeyId").ok_or_else(denied)?,
                region: "us-east-1".to_owned(),
                service: "s3".to_owned(),
            },
            date: Timestamp::from_seconds(expires.ok_or_else(denied)?),
            lifetime: Some(0),
            token: find("x-amz-security-token"),
            headers: Vec::new(),
            signature: find("Signature").ok_or_else(denied)?,
            stamp: String::new(),
            version2: true,
        })
    }

    /// Adds date and credential scope; the scope's day must be the date's.
    fn of(mut self, date: Option<&str>, credential: &str) -> Result<Self, Fault> {
        let date = date.ok_or_else(|| {
            incomplete("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
        })?;
        self.date =
            instant(date).ok_or_else(|| incomplete("Date must be in ISO-8601 'basic format'."))?;
        self.stamp = self.date.to_string().replace(['-', ':'], "");
        let mut parts = credential.rsplitn(5, '/');
        let mut part = || {
            parts
                .next()
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
        };
        let (end, service, region, day, key) = (part(), part(), part(), part(), part());
        let (Some(service), Some(region), Some(day), Some(access_key_id)) =
            (service, region, day, key)
        else {
            return Err(incomplete(
                "Credential must have exactly 5 slash-delimited elements.",
            ));
        };
        if end.as_deref() != Some("aws4_request") || day != self.day() {
            let message = "Credential should be scoped to the date and end in 'aws4_request'.";
            return Err(Fault::of(403, Trouble::BadSignature, message));
        }
        self.scope = Scope {
            access_key_id,
            region,
            service,
        };
        Ok(self)
    }
}

fn no_scope() -> Scope {
    Scope {
        access_key_id: String::new(),
        region: String::new(),
        service: String::new(),
    }
}

fn names(list: &str) -> Vec<String> {
    list.split(';').map(str::to_ascii_lowercase).collect()
}

/// `20261122T074926Z`, or the form of the HTTP `Date` header.
fn instant(text: &str) -> Option<Timestamp> {
    if text.len() == 16 && text.ends_with('Z') && text.as_bytes().get(8) == Some(&b'T') {
        return Timestamp::parse(text);
    }
    let parsed = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(Timestamp::from_seconds(parsed.timestamp().as_second()))
}

fn lifetime(text: Option<&str>) -> Result<i64, Fault> {
    // Services other than S3 take presigned requests without X-Amz-Expires and hold them to the usual quarter hour.
    let Some(text) = text else {
        return Ok(super::SKEW);
    };
    match text.parse::<i64>() {
        Ok(seconds) if (0..=LONGEST).contains(&seconds) => Ok(seconds),
        Ok(seconds) if seconds > LONGEST => Err(query_parameters(
            "X-Amz-Expires must be less than a week (in seconds) that is, the given X-Amz-Expires must be less than 604800 seconds",
        )),
        Ok(_) => Err(query_parameters("X-Amz-Expires must be non-negative")),
        Err(_) => Err(query_parameters("X-Amz-Expires should be a number")),
    }
}

fn incomplete(message: &str) -> Fault {
    Fault::of(400, Trouble::Unreadable, message)
}

fn query_parameters(message: impl Into<String>) -> Fault {
    Fault::api(400, "AuthorizationQueryParametersError", message)
}

fn other_scheme() -> Fault {
    Fault::of(
        400,
        Trouble::OtherScheme,
        "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
    )
}
