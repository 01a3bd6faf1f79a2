//! The accounts, principals and credentials that a trail has named so far. It answers "who is that" and
//! must not know how a call is written.

use crate::cast::{Bucket, PrincipalKind, Rule, Trust};
use crate::error::Fault;
use crate::ident::{Prefix, identifier};
use crate::script::Asked;
use crate::time::DateForm;
use crate::truth::{Kind, Truth};
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::Value;
use std::collections::BTreeMap;

/// An account and whether its trail is in our hands.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) number: String,
    pub(crate) name: String,
    pub(crate) logged: bool,
}

/// A user, root user, role, or person of Identity Center.
#[derive(Debug, Clone)]
pub(crate) struct Principal {
    pub(crate) kind: PrincipalKind,
    pub(crate) name: String,
    pub(crate) account: String,
    pub(crate) path: String,
    pub(crate) id: String,
    /// The longest session of a role, in seconds.
    pub(crate) longest: i64,
    pub(crate) address: String,
    pub(crate) agent: String,
    /// It was there before the first event.
    pub(crate) declared: bool,
}

impl Principal {
    pub(crate) fn arn(&self) -> String {
        let (account, path, name) = (&self.account, &self.path, &self.name);
        match self.kind {
            PrincipalKind::Root => format!("arn:aws:iam::{account}:root"),
            PrincipalKind::User => format!("arn:aws:iam::{account}:user{path}{name}"),
            PrincipalKind::Role => format!("arn:aws:iam::{account}:role{path}{name}"),
            PrincipalKind::Person => format!("arn:aws:identitystore:::user/{}", self.id),
        }
    }
}

/// Who a credential acts as, in the terms of `userIdentity`.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    /// `type`.
    pub(crate) kind: &'static str,
    pub(crate) principal_id: String,
    pub(crate) arn: String,
    pub(crate) account: String,
    pub(crate) user_name: Option<String>,
    /// `sessionContext.sessionIssuer`; an empty object where AWS writes one.
    pub(crate) issuer: Value,
    /// `sessionContext.webIdFederationData`.
    pub(crate) federation: Value,
    pub(crate) source_identity: Option<String>,
    pub(crate) delivery: Option<String>,
    pub(crate) on_behalf_of: Value,
}

/// A credential, and what it needs to act.
#[derive(Debug, Clone)]
pub(crate) struct Credential {
    pub(crate) label: String,
    pub(crate) kind: Kind,
    pub(crate) key: Option<String>,
    pub(crate) identity: Identity,
    /// When it came to be; long-term keys that the trail only declares always were.
    pub(crate) issued: Timestamp,
    /// `creationDate`, which of an `aws login` key is that of the browser session.
    pub(crate) created: Timestamp,
    pub(crate) expires: Option<Timestamp>,
    pub(crate) mfa: bool,
    pub(crate) address: String,
    pub(crate) agent: String,
    /// Its place in the truth.
    pub(crate) token: usize,
    /// The records that began it, for the keys that it mints.
    pub(crate) began: Vec<String>,
    /// The call that began it.
    pub(crate) api: String,
}

impl Credential {
    /// Whether it is a role session, from which another role gives at most an hour.
    pub(crate) fn chains(&self) -> bool {
        self.identity.kind == "AssumedRole" && self.identity.delivery.is_none()
    }

    /// Whether it acts through keys that no record issues.
    pub(crate) fn mints(&self) -> bool {
        self.kind == Kind::ConsoleSession
    }
}

/// Everything named so far, and everything written.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) accounts: Vec<Account>,
    pub(crate) principals: Vec<Principal>,
    pub(crate) credentials: Vec<Credential>,
    pub(crate) day: Date,
    pub(crate) region: String,
    pub(crate) dates: DateForm,
    pub(crate) records: Vec<(Timestamp, Value)>,
    pub(crate) truth: Truth,
    pub(crate) rules: Vec<Rule>,
    pub(crate) trusts: Vec<Trust>,
    pub(crate) buckets: Vec<Bucket>,
    /// The calls of the line in hand, noted only where somebody wants to make them.
    pub(crate) asked: Option<Vec<Asked>>,
    ordinals: BTreeMap<String, u32>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            accounts: Vec::new(),
            principals: Vec::new(),
            credentials: Vec::new(),
            day: jiff::civil::date(2026, 3, 2),
            region: "us-east-1".to_owned(),
            dates: DateForm::Comma,
            records: Vec::new(),
            truth: Truth::default(),
            rules: Vec::new(),
            trusts: Vec::new(),
            buckets: Vec::new(),
            asked: None,
            ordinals: BTreeMap::new(),
        }
    }

    /// A seed made unique: the first is itself, later ones carry their number.
    pub(crate) fn unique(&mut self, seed: &str) -> String {
        let count = self.ordinals.entry(seed.to_owned()).or_insert(0);
        *count += 1;
        match *count {
            1 => seed.to_owned(),
            number => format!("{seed}#{number}"),
        }
    }

    pub(crate) fn new_key(&mut self, prefix: Prefix, account: &str, label: &str) -> String {
        let family = format!("key/{account}/");
        let name = self.unique(&format!("{family}{label}"));
        identifier(prefix, account, name.strip_prefix(&family).unwrap_or(label))
    }

    pub(crate) fn account(&self, word: &str) -> Result<&Account, Fault> {
        self.accounts
            .iter()
            .find(|account| account.name == word || account.number == word)
            .ok_or_else(|| Fault::new(word, "the name of an account declared above"))
    }

    pub(crate) fn is_logged(&self, number: &str) -> bool {
        self.accounts
            .iter()
            .any(|account| account.number == number && account.logged)
    }

    /// Finds `name` or `account/name`; a bare name is looked for in `home` before other accounts. Of
    /// principals that had one name in turn, the last is meant.
    pub(crate) fn principal(
        &self,
        kind: PrincipalKind,
        word: &str,
        home: Option<&str>,
    ) -> Result<&Principal, Fault> {
        let (home, name) = match word.split_once('/') {
            Some((account, name)) => (Some(self.account(account)?.number.as_str()), name),
            None => (home, word),
        };
        let named = || {
            self.principals
                .iter()
                .rev()
                .filter(|p| p.kind == kind && p.name == name)
        };
        let qualified = word.contains('/');
        named()
            .find(|principal| Some(principal.account.as_str()) == home)
            .or_else(|| named().next().filter(|_| !qualified))
            .ok_or_else(|| {
                let what = match kind {
                    PrincipalKind::User => "a user",
                    PrincipalKind::Root => "a root user",
                    PrincipalKind::Role => "a role",
                    PrincipalKind::Person => "a person",
                };
                Fault::new(word, format!("{what} declared above"))
            })
    }

    /// The place of the credential that `label` means at `at`: the last one issued by then.
    pub(crate) fn credential_at(&self, label: &str, at: Timestamp) -> Result<usize, Fault> {
        let mut known = false;
        let mut best: Option<(Timestamp, usize)> = None;
        for (place, credential) in self.credentials.iter().enumerate() {
            if credential.label == label {
                known = true;
                let later = best.is_none_or(|(issued, _)| credential.issued >= issued);
                if credential.issued <= at && later {
                    best = Some((credential.issued, place));
                }
            }
        }
        match best {
            Some((_, place)) => Ok(place),
            None if known => Err(Fault::new(label, "a credential that exists at this time")),
            None => Err(Fault::new(
                label,
                "a user, key, session or service known by this line",
            )),
        }
    }

    /// Whether any credential has this label, of whatever time.
    pub(crate) fn has_label(&self, label: &str) -> bool {
        self.credentials
            .iter()
            .any(|credential| credential.label == label)
    }
}
