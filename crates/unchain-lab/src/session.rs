//! Temporary credentials: what the lab knows of a token that it gave out, and who is calling.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use unchain_core::time::Timestamp;

use crate::iam::Document;

/// A temporary credential. The token itself is not kept, only its hash.
#[derive(Clone, Serialize, Deserialize)]
pub struct Session {
    /// The access key id, `ASIA…`.
    pub access_key_id: String,
    /// The secret that requests are signed with.
    pub secret: String,
    /// SHA-256 of the session token, lower-case hexadecimal.
    pub token_hash: String,
    /// The account the credential acts in, twelve digits.
    pub account: String,
    /// Whose it is.
    pub who: Who,
    /// When it was issued, virtual seconds since 1970.
    pub issued_at: i64,
    /// When it ends, virtual seconds since 1970.
    pub expires_at: i64,
    /// What `aws:TokenIssueTime` and CloudTrail's `creationDate` say: `issued_at`, or for keys that a console session
    /// makes the time of the sign-in.
    pub created_at: i64,
    /// The serial of the MFA device given at issue, where one was.
    pub mfa_serial: Option<String>,
    /// What CloudTrail's `mfaAuthenticated` says: also true where an ancestor used MFA.
    pub mfa_logged: bool,
    /// Session policies, inline and managed, in order given. Empty: none was passed.
    pub policies: Vec<Document>,
    /// Session tags.
    pub tags: BTreeMap<String, String>,
    /// Those of the tags that go on to sessions made from this one.
    pub transitive: Vec<String>,
    /// The source identity, which a chain cannot change.
    pub source_identity: Option<String>,
    /// Made by role chaining or from another temporary credential's call.
    pub chained: bool,
    /// How the session came to be, where it shows in CloudTrail or restricts what it may do.
    pub made_by: MadeBy,
}

shown!(Session: access_key_id, account, who, issued_at, expires_at, made_by);

/// What issued a temporary credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum MadeBy {
    /// `AssumeRole` by a principal.
    AssumeRole,
    /// `AssumeRoleWithSAML`.
    Saml,
    /// A permission set of Identity Center, for a person; both go to `onBehalfOf`.
    IdentityCenter {
        /// The person's id in the identity store.
        user_id: String,
        /// The identity store's ARN.
        store: String,
    },
    /// `AssumeRoleWithWebIdentity`; the provider and attributes go to `webIdFederationData`.
    WebIdentity {
        /// The provider's ARN or host name.
        provider: String,
    },
    /// `GetSessionToken`.
    SessionToken,
    /// `GetFederationToken`.
    FederationToken,
    /// `AssumeRoot` with a root-task policy.
    AssumeRoot {
        /// The task policy's ARN.
        task: String,
    },
    /// A console sign-in, its switch of role, or a key the console made.
    Console,
    /// A service assumed the role for a workload.
    Service {
        /// Such as `ec2.amazonaws.com`.
        service: String,
        /// `1.0` or `2.0` for an instance's credentials (IMDSv1, IMDSv2).
        ec2_role_delivery: Option<String>,
    },
}

/// A principal, apart from the credential that it calls with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Who {
    /// The root user of the account.
    Root,
    /// An IAM user, by name and unique id (a recreated user of the same name is another).
    User {
        /// The name, without path.
        name: String,
        /// `AIDA…`
        id: String,
    },
    /// A session of a role.
    Role {
        /// The role's name, without path.
        name: String,
        /// `AROA…`
        id: String,
        /// The session name.
        session: String,
    },
    /// A federated user made with `GetFederationToken`, by the name given there.
    Federated {
        /// The name given in the call.
        name: String,
        /// The user whose key asked; none when root did.
        parent: Option<(String, String)>,
    },
    /// An AWS service acting by itself.
    Service(String),
    /// The bearer of an OIDC token, before it has a role.
    WebIdentity {
        /// Issuer host name.
        issuer: String,
        /// The token's audience.
        audience: String,
        /// The token's subject.
        subject: String,
    },
    /// The bearer of a SAML assertion, before it has a role.
    Saml {
        /// The provider's ARN.
        provider: String,
        /// The assertion's subject.
        subject: String,
    },
    /// Nobody: an unsigned request.
    Anonymous,
}

/// Who makes a call, with which credential.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The account the credential belongs to, twelve digits; empty for [`Who::Anonymous`] and [`Who::Service`].
    pub account: String,
    /// The principal.
    pub who: Who,
    /// The key that signed; none for unsigned calls and services.
    pub access_key_id: Option<String>,
    /// The temporary credential behind that key; none for a long-term key.
    pub session: Option<Arc<Session>>,
    /// The service that forwards the call (`invokedBy`).
    pub invoked_by: Option<String>,
}

impl Caller {
    /// A caller with no credential at all.
    pub fn anonymous() -> Self {
        Self {
            account: String::new(),
            who: Who::Anonymous,
            access_key_id: None,
            session: None,
            invoked_by: None,
        }
    }

    /// `aws:userid` and CloudTrail's `principalId`
    /// (docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html, table of principal values).
    pub fn user_id(&self) -> String {
        match &self.who {
            Who::Root => self.account.clone(),
            Who::User { id, .. } => id.clone(),
            Who::Role { id, session, .. } => format!("{id}:{session}"),
            Who::Federated { name, .. } => format!("{}:{name}", self.account),
            Who::Service(service) => service.clone(),
            Who::WebIdentity {
                issuer,
                audience,
                subject,
            } => format!("{issuer}:{audience}:{subject}"),
            Who::Saml { provider, subject } => format!("{provider}:{subject}"),
            Who::Anonymous => "ANONYMOUS".to_owned(),
        }
    }

    /// When the token was issued, as `aws:TokenIssueTime` says; none for a long-term key.
    pub fn token_issued(&self) -> Option<Timestamp> {
        self.session
            .as_ref()
            .map(|session| Timestamp::from_seconds(session.created_at))
    }
}
