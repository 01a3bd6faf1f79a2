//! Makes a temporary credential and keeps what the lab must know of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use jiff::Timestamp as Instant;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use unchain_trail::Prefix;

use crate::call::Call;
use crate::iam::Document;
use crate::session::{MadeBy, Session, Who};
use crate::world::World;

/// A temporary credential to be issued.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The account it acts in, twelve digits.
    pub account: String,
    /// Whose it is.
    pub who: Who,
    /// How it comes to be.
    pub made_by: MadeBy,
    /// Seconds that it lasts.
    pub duration: i64,
    /// The MFA device used for it.
    pub mfa_serial: Option<String>,
    /// What CloudTrail's `mfaAuthenticated` says.
    pub mfa_logged: bool,
    /// Session policies.
    pub policies: Vec<Document>,
    /// Session tags.
    pub tags: BTreeMap<String, String>,
    /// Keys of the tags that go on along a chain.
    pub transitive: Vec<String>,
    /// The source identity.
    pub source_identity: Option<String>,
    /// From another temporary credential.
    pub chained: bool,
}

impl Draft {
    /// A credential with nothing passed for it.
    pub fn new(account: &str, who: Who, made_by: MadeBy, duration: i64) -> Self {
        Self {
            account: account.to_owned(),
            who,
            made_by,
            duration,
            mfa_serial: None,
            mfa_logged: false,
            policies: Vec::new(),
            tags: BTreeMap::new(),
            transitive: Vec::new(),
            source_identity: None,
            chained: false,
        }
    }
}

/// A credential as its receiver gets it: the only place where the token is.
#[derive(Clone)]
pub struct Issued {
    /// What the lab keeps.
    pub session: Arc<Session>,
    token: String,
}

shown!(Issued: session);

impl Issued {
    /// `Credentials` of a reply.
    pub fn credentials(&self) -> Value {
        json!({
            "AccessKeyId": self.session.access_key_id,
            "SecretAccessKey": self.session.secret,
            "SessionToken": self.token,
            "Expiration": {"$time": self.session.expires_at},
        })
    }

    /// `credentials` of CloudTrail's `responseElements`: AWS records the session token, which cannot sign alone, and
    /// never the secret (docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html).
    pub fn recorded(&self) -> Value {
        json!({
            "accessKeyId": self.session.access_key_id,
            "sessionToken": self.token,
            "expiration": recorded_time(self.session.expires_at),
        })
    }
}

/// Issues a credential now. The lab forgets it when it has long ended.
pub fn issue(world: &mut World, draft: Draft) -> Issued {
    let token = world.ids.session_token();
    let access_key_id = world.ids.identifier(Prefix::TemporaryKey, &draft.account);
    let session = Arc::new(Session {
        access_key_id: access_key_id.clone(),
        secret: world.ids.secret(),
        token_hash: token_hash(&token),
        account: draft.account,
        who: draft.who,
        issued_at: world.now,
        expires_at: world.now.saturating_add(draft.duration),
        created_at: world.now,
        mfa_serial: draft.mfa_serial,
        mfa_logged: draft.mfa_logged,
        policies: draft.policies,
        tags: draft.tags,
        transitive: draft.transitive,
        source_identity: draft.source_identity,
        chained: draft.chained,
        made_by: draft.made_by,
    });
    world.sessions.insert(access_key_id, Arc::clone(&session));
    Issued { session, token }
}

/// SHA-256 of a session token, lower-case hexadecimal.
pub fn token_hash(token: &str) -> String {
    Sha256::digest(token)
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// An instant (seconds since 1970, UTC) as `expiration` has it in CloudTrail: `Nov 22, 2026, 9:46:15 PM`.
fn recorded_time(at: i64) -> String {
    Instant::from_second(at).map_or_else(
        |_| String::new(),
        |instant| instant.strftime("%b %-d, %Y, %-I:%M:%S %p").to_string(),
    )
}

/// `additionalEventData` of a call to STS: which endpoint was called
/// (docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_enable-regions.html).
pub(super) fn request_details(call: &Call<'_>) -> Value {
    let endpoint = if is_global(call) {
        "global"
    } else {
        "regional"
    };
    json!({"RequestDetails": {"awsServingRegion": call.region, "endpointType": endpoint}})
}

/// Whether the call came to the global endpoint.
pub(super) fn is_global(call: &Call<'_>) -> bool {
    call.http.header("host").is_some_and(|host| {
        host.split(':')
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case("sts.amazonaws.com"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_cloudtrail_writes_them() {
        assert_eq!(recorded_time(1_722_375_975), "Jul 30, 2024, 9:46:15 PM");
        assert_eq!(recorded_time(1_688_990_501), "Jul 10, 2023, 12:01:41 PM");
    }
}
