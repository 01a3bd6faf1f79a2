//! What a session is made from.

use crate::error::AwsError;
use aws_sdk_sts::config::Credentials;
use std::collections::BTreeMap;

/// A long-term or temporary credential that was handed over, instead of one that the environment has.
#[derive(Clone)]
pub struct Credential(pub(crate) Credentials);

impl Credential {
    /// From an access key id, its secret, and the token that a temporary one has.
    pub fn new(id: &str, secret: &str, token: Option<&str>) -> Self {
        Self(Credentials::new(
            id,
            secret,
            token.map(str::to_owned),
            None,
            "unchain",
        ))
    }

    /// The access key id, which is no secret.
    pub fn access_key_id(&self) -> &str {
        self.0.access_key_id()
    }
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Credential")
            .field(&self.access_key_id())
            .finish_non_exhaustive()
    }
}

/// Who acts, and where. All may stay empty: then it is the environment's credentials in their own account.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// A profile of the AWS configuration files; else as the AWS CLI finds credentials (sdkref/latest/guide/standardized-credentials.html).
    pub profile: Option<String>,
    /// A credential of its own, before any profile.
    pub credential: Option<Credential>,
    /// The region of regional services; else the profile's, else `us-east-1`, which IAM and Organizations are in.
    pub region: Option<String>,
    /// Where all services are reached, for a lab or an emulator: `http://127.0.0.1:PORT`.
    pub endpoint_url: Option<String>,
    /// The ARN of a role that is assumed before anything else is done.
    pub role_arn: Option<String>,
    /// The external id that roles ask for (IAM User Guide, "id_roles_common-scenarios_third-party.html").
    pub external_id: Option<String>,
    /// The name of the sessions of assumed roles, as CloudTrail will show them; else `unchain`.
    pub session_name: Option<String>,
    /// For accounts other than the caller's: the ARN of the role that acts there, by account id.
    pub role_for: BTreeMap<String, String>,
    /// For accounts that have no entry in `role_for`: the name of the role, with its path but without a leading slash.
    pub role_name: Option<String>,
}

impl Options {
    /// The name of sessions: begins with `unchain`, so that a responder's own calls are told apart in CloudTrail.
    pub(crate) fn session_name(&self) -> String {
        match self.session_name.as_deref() {
            None | Some("") => "unchain".to_owned(),
            Some(name) if name.starts_with("unchain") => name.to_owned(),
            Some(name) => format!("unchain-{name}"),
        }
    }

    /// The role that acts in an account, in a partition (`aws`, `aws-cn`, `aws-us-gov`).
    pub(crate) fn role(&self, partition: &str, account: &str) -> Option<String> {
        let named = || {
            let name = self.role_name.as_deref()?;
            Some(format!("arn:{partition}:iam::{account}:role/{name}"))
        };
        self.role_for.get(account).cloned().or_else(named)
    }

    /// The endpoint, if one is given and credentials may be sent there.
    pub(crate) fn endpoint(&self) -> Result<Option<&str>, AwsError> {
        let Some(url) = self.endpoint_url.as_deref() else {
            return Ok(None);
        };
        if url.starts_with("https://") || url.strip_prefix("http://").is_some_and(is_loopback) {
            return Ok(Some(url));
        }
        Err(AwsError::Endpoint(
            unchain_core::text::terminal(url).into_owned(),
        ))
    }
}

/// Whether an authority, with or without a path, is this machine. A name with `@` is none: before it stands a user.
fn is_loopback(rest: &str) -> bool {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let port = |text: &str| {
        text.strip_prefix(':')
            .is_some_and(|p| p.parse::<u16>().is_ok())
    };
    ["127.0.0.1", "[::1]", "localhost"]
        .iter()
        .filter_map(|host| authority.strip_prefix(host))
        .any(|rest| rest.is_empty() || port(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(url: &str) -> bool {
        let options = Options {
            endpoint_url: Some(url.to_owned()),
            ..Options::default()
        };
        options.endpoint().is_ok()
    }

    #[test]
    fn plain_http_stays_on_this_machine() {
        for url in [
            "http://127.0.0.1:4566",
            "http://localhost/",
            "http://[::1]:80/x",
            "https://vpce.example",
        ] {
            assert!(accepts(url), "{url}");
        }
        for url in [
            "http://127.0.0.1.example",
            "http://127.0.0.1:80@example.com/",
            "http://localhost.example:80",
            "http://10.0.0.1",
            "127.0.0.1:80",
            "ftp://127.0.0.1",
        ] {
            assert!(!accepts(url), "{url}");
        }
    }

    #[test]
    fn a_role_of_its_own_comes_before_the_common_name() {
        let mut options = Options::default();
        assert_eq!(options.role("aws", "1"), None);
        options.role_name = Some("security/responder".to_owned());
        options
            .role_for
            .insert("1".to_owned(), "arn:aws:iam::1:role/own".to_owned());
        let role = |account| options.role("aws-cn", account).unwrap();
        assert_eq!(role("1"), "arn:aws:iam::1:role/own");
        assert_eq!(role("2"), "arn:aws-cn:iam::2:role/security/responder");
    }

    #[test]
    fn sessions_are_known_by_their_name() {
        let name = |name: Option<&str>| {
            Options {
                session_name: name.map(str::to_owned),
                ..Options::default()
            }
            .session_name()
        };
        assert_eq!(name(None), "unchain");
        assert_eq!(name(Some("case-7")), "unchain-case-7");
        assert_eq!(name(Some("unchain-x")), "unchain-x");
    }

    #[test]
    fn a_credential_shows_its_id_and_no_secret() {
        let options = Options {
            credential: Some(Credential::new(
                "AKIDSHOWN",
                "hush-secret",
                Some("hush-token"),
            )),
            ..Options::default()
        };
        let shown = format!("{options:?}");
        assert!(
            shown.contains("AKIDSHOWN") && !shown.contains("hush"),
            "{shown}"
        );
    }
}
