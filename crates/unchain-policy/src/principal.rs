//! Who makes a request, and whom a `Principal` element names.

/// What kind of principal makes a request (IAM User Guide, "AWS JSON policy elements: Principal").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PrincipalKind {
    /// An account's root user, or a session of it.
    Root,
    /// An IAM user, by its long-term key or a session from `GetSessionToken`.
    User,
    /// An IAM role: a session of it, or the role itself where no session is named.
    Role,
    /// A session from `GetFederationToken`.
    FederatedUser,
    /// An AWS service.
    Service,
    /// A caller known to a SAML or OIDC provider, before it has a role.
    Federated,
    /// A caller who did not sign.
    Anonymous,
    /// An ARN of a kind that is not known here; it is matched as text.
    Other,
}

/// Who makes a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    kind: PrincipalKind,
    arn: Option<String>,
    account: Option<String>,
    user_id: Option<String>,
    issuer_arn: Option<String>,
    canonical_user: Option<String>,
    provider: Option<String>,
}

impl Principal {
    /// The principal with this ARN, of a user, a role, an assumed-role session, a federated user or the root user.
    ///
    /// The role of an assumed-role session is taken to be without a path, because the session's ARN does not tell
    /// it; [`Principal::issued_by`] says better.
    ///
    /// ```
    /// use unchain_policy::{Principal, PrincipalKind};
    ///
    /// let session = Principal::from_arn("arn:aws:sts::111122223333:assumed-role/app/eve");
    /// assert_eq!(session.kind(), PrincipalKind::Role);
    /// assert_eq!(session.account(), Some("111122223333"));
    /// assert_eq!(session.issuer_arn(), Some("arn:aws:iam::111122223333:role/app"));
    /// ```
    #[must_use]
    pub fn from_arn(arn: &str) -> Self {
        let mut fields = arn.splitn(6, ':');
        let partition = fields.nth(1).unwrap_or_default();
        let account = fields.nth(2).unwrap_or_default();
        let resource = fields.next().unwrap_or_default();
        let (kind, issuer_arn) = match resource.split_once('/') {
            None if resource == "root" => (PrincipalKind::Root, None),
            Some(("user", _)) => (PrincipalKind::User, None),
            Some(("role", _)) => (PrincipalKind::Role, Some(arn.to_owned())),
            Some(("federated-user", _)) => (PrincipalKind::FederatedUser, None),
            Some(("assumed-role", name)) => {
                let role = name.split('/').next().unwrap_or_default();
                let issuer = format!("arn:{partition}:iam::{account}:role/{role}");
                (PrincipalKind::Role, Some(issuer))
            }
            _ => (PrincipalKind::Other, None),
        };
        Self {
            arn: Some(arn.to_owned()),
            account: is_account(account).then(|| account.to_owned()),
            issuer_arn,
            ..Self::of(kind)
        }
    }

    /// An AWS service, such as `ec2.amazonaws.com`.
    #[must_use]
    pub fn service(name: &str) -> Self {
        Self {
            provider: Some(name.to_owned()),
            ..Self::of(PrincipalKind::Service)
        }
    }

    /// A caller that a SAML provider (its ARN) or an OIDC provider (its ARN or host) vouches for.
    #[must_use]
    pub fn federated(provider: &str) -> Self {
        Self {
            provider: Some(provider.to_owned()),
            ..Self::of(PrincipalKind::Federated)
        }
    }

    /// A caller who did not sign.
    #[must_use]
    pub fn anonymous() -> Self {
        Self::of(PrincipalKind::Anonymous)
    }

    fn of(kind: PrincipalKind) -> Self {
        Self {
            kind,
            arn: None,
            account: None,
            user_id: None,
            issuer_arn: None,
            canonical_user: None,
            provider: None,
        }
    }

    /// The same in this account, 12 digits.
    #[must_use]
    pub fn in_account(mut self, account: &str) -> Self {
        self.account = Some(account.to_owned());
        self
    }

    /// The same with this value of `aws:userid`: `AIDA…` of a user, `AROA…:session` of a role session.
    #[must_use]
    pub fn with_user_id(mut self, user_id: &str) -> Self {
        self.user_id = Some(user_id.to_owned());
        self
    }

    /// The same session, issued by this role, or by this user or root user for `GetFederationToken`.
    #[must_use]
    pub fn issued_by(mut self, arn: &str) -> Self {
        self.issuer_arn = Some(arn.to_owned());
        self
    }

    /// The same with the canonical user id of its account, as Amazon S3 uses it.
    #[must_use]
    pub fn with_canonical_user(mut self, id: &str) -> Self {
        self.canonical_user = Some(id.to_owned());
        self
    }

    /// What kind of principal it is.
    #[must_use]
    pub fn kind(&self) -> PrincipalKind {
        self.kind
    }

    /// Its ARN; a service, a federated and an anonymous caller have none.
    #[must_use]
    pub fn arn(&self) -> Option<&str> {
        self.arn.as_deref()
    }

    /// Its account, 12 digits.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// Its value of `aws:userid`.
    #[must_use]
    pub fn user_id(&self) -> Option<&str> {
        self.user_id.as_deref()
    }

    /// The ARN of the role, user or root user that the session was issued by.
    #[must_use]
    pub fn issuer_arn(&self) -> Option<&str> {
        self.issuer_arn.as_deref()
    }

    /// Whether its own account gives it everything without a policy.
    pub(crate) fn has_full_access(&self) -> bool {
        let issued_by_root = || {
            self.issuer_arn().is_some_and(|arn| {
                arn.ends_with(":root") && self.kind == PrincipalKind::FederatedUser
            })
        };
        self.kind == PrincipalKind::Root || issued_by_root()
    }

    /// Whether it belongs to an account whose identity-based policies speak about it.
    pub(crate) fn has_identity(&self) -> bool {
        !matches!(
            self.kind,
            PrincipalKind::Service | PrincipalKind::Federated | PrincipalKind::Anonymous
        )
    }
}

/// Whether `text` is an account id.
pub(crate) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// How closely a `Principal` element names a principal. The more direct, the fewer other layers limit the grant
/// (IAM User Guide, "Policy evaluation logic", the table of resource-based policies and implicit denies).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Naming {
    /// Not at all.
    No,
    /// By its account, to which the policy delegates.
    Account,
    /// By the role or user that its session was issued by.
    Issuer,
    /// By itself, or as one of everyone.
    Direct,
}

/// An entry under `AWS` in a `Principal` element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AwsPrincipal {
    pub(crate) text: String,
    account: Option<String>,
}

impl AwsPrincipal {
    pub(crate) fn new(text: &str) -> Self {
        let of_root = || {
            let mut fields = text.splitn(6, ':');
            let is_iam = fields.next() == Some("arn") && fields.nth(1) == Some("iam");
            let account = fields.nth(1)?;
            (is_iam && fields.next() == Some("root")).then_some(account)
        };
        let account = is_account(text).then_some(text).or_else(of_root);
        Self {
            text: text.to_owned(),
            account: account.map(str::to_owned),
        }
    }

    fn names(&self, principal: &Principal) -> Naming {
        let text = Some(self.text.as_str());
        if text == Some("*") {
            return Naming::Direct;
        }
        if let Some(account) = self.account.as_deref() {
            return match principal.kind {
                _ if principal.account() != Some(account) => Naming::No,
                PrincipalKind::Root => Naming::Direct,
                _ => Naming::Account,
            };
        }
        let of_session = |id: &str| id.split_once(':').map(|(role, _)| role) == text;
        if text == principal.issuer_arn() || principal.user_id().is_some_and(of_session) {
            Naming::Issuer
        } else if text == principal.arn() || text == principal.user_id() {
            Naming::Direct
        } else {
            Naming::No
        }
    }
}

/// A `Principal` or `NotPrincipal` element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PrincipalElement {
    /// Whether it is `NotPrincipal`.
    pub(crate) negated: bool,
    pub(crate) named: NamedPrincipals,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NamedPrincipals {
    Everyone,
    Listed(Listed),
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Listed {
    pub(crate) aws: Vec<AwsPrincipal>,
    pub(crate) service: Vec<String>,
    pub(crate) federated: Vec<String>,
    pub(crate) canonical_user: Vec<String>,
}

impl PrincipalElement {
    /// How closely the element names `principal`. `NotPrincipal` spares those whom it names themselves or by their
    /// role; naming their account, or the user who federated them, does not spare them, as in the example of the IAM User Guide, "AWS JSON
    /// policy elements: NotPrincipal".
    pub(crate) fn names(&self, principal: &Principal) -> Naming {
        let naming = match &self.named {
            NamedPrincipals::Everyone => Naming::Direct,
            NamedPrincipals::Listed(listed) => listed.names(principal),
        };
        match (self.negated, naming) {
            (false, naming) => naming,
            (true, Naming::No | Naming::Account) => Naming::Direct,
            (true, Naming::Issuer) if principal.kind == PrincipalKind::FederatedUser => {
                Naming::Direct
            }
            (true, Naming::Issuer | Naming::Direct) => Naming::No,
        }
    }
}

impl Listed {
    fn names(&self, principal: &Principal) -> Naming {
        let aws = self.aws.iter().map(|entry| entry.names(principal)).max();
        let provider = principal.provider.as_deref();
        let vouched = match principal.kind {
            PrincipalKind::Service => holds(&self.service, provider),
            _ => holds(&self.federated, provider),
        };
        let canonical = holds(&self.canonical_user, principal.canonical_user.as_deref());
        let other = match (vouched, canonical) {
            (true, _) => Naming::Direct,
            (false, true) => Naming::Account,
            (false, false) => Naming::No,
        };
        aws.unwrap_or(Naming::No).max(other)
    }
}

fn holds(names: &[String], name: Option<&str>) -> bool {
    name.is_some_and(|name| names.iter().any(|each| each == name))
}
