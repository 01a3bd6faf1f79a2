//! Who and what is there before the first event of a trail, for whoever builds it for real. It must not know how
//! that is done.

use crate::truth::Kind;
use crate::world::World;
use jiff::Timestamp;

/// Everything that a trail declares.
#[derive(Debug, Clone, Default)]
pub struct Cast {
    /// Accounts, in order of their lines.
    pub accounts: Vec<CastAccount>,
    /// Users, root users, roles and people, in order of their lines.
    pub principals: Vec<CastPrincipal>,
    /// What `allow` and `deny` lines say.
    pub rules: Vec<Rule>,
    /// What `trust` lines say.
    pub trusts: Vec<Trust>,
    /// What `bucket` lines say.
    pub buckets: Vec<Bucket>,
}

/// An account.
#[derive(Debug, Clone)]
pub struct CastAccount {
    /// Twelve digits.
    pub number: String,
    /// The trail's name for it.
    pub name: String,
    /// Whether its log is in our hands.
    pub logged: bool,
}

/// What a principal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrincipalKind {
    /// An IAM user.
    User,
    /// The root user of an account.
    Root,
    /// A role.
    Role,
    /// A person of Identity Center.
    Person,
}

/// A principal that is there from the start.
#[derive(Debug, Clone)]
pub struct CastPrincipal {
    /// What it is.
    pub kind: PrincipalKind,
    /// Its name; of a root user the trail's own.
    pub name: String,
    /// Its account, twelve digits.
    pub account: String,
    /// Begins and ends with `/`.
    pub path: String,
    /// Its ARN.
    pub arn: String,
    /// Its unique id in the trail's records; of a root user the account.
    pub id: String,
    /// The longest session of a role, seconds.
    pub longest: i64,
    /// Its keys.
    pub keys: Vec<CastKey>,
}

/// A long-term key that is there from the start.
#[derive(Debug, Clone)]
pub struct CastKey {
    /// Its number among the trail's credentials.
    pub number: usize,
    /// The trail's name for it.
    pub label: String,
    /// Its id in the trail's records.
    pub id: String,
}

/// An `allow` or `deny` line.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The ARN of the user or role.
    pub principal: String,
    /// `Allow` or `Deny`.
    pub effect: &'static str,
    /// Actions, such as `s3:Get*`.
    pub actions: Vec<String>,
    /// Resources; `*` where the line gives none.
    pub resources: Vec<String>,
}

/// A `trust` line: who may assume a role.
#[derive(Debug, Clone)]
pub struct Trust {
    /// The ARN of the role.
    pub role: String,
    /// ARNs, services, or `*`.
    pub principals: Vec<String>,
    /// The external id that it asks for.
    pub external_id: Option<String>,
    /// Whether it asks for MFA.
    pub mfa: bool,
}

/// A bucket that is there from the start.
#[derive(Debug, Clone)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// Its account, twelve digits.
    pub account: String,
}

impl Cast {
    pub(crate) fn of(world: &World) -> Self {
        let accounts = world.accounts.iter().map(|account| CastAccount {
            number: account.number.clone(),
            name: account.name.clone(),
            logged: account.logged,
        });
        let declared = world.principals.iter().filter(|found| found.declared);
        let principals = declared.map(|found| CastPrincipal {
            kind: found.kind,
            name: found.name.clone(),
            account: found.account.clone(),
            path: found.path.clone(),
            arn: found.arn(),
            id: found.id.clone(),
            longest: found.longest,
            keys: keys(world, &found.id),
        });
        Self {
            accounts: accounts.collect(),
            principals: principals.collect(),
            rules: world.rules.clone(),
            trusts: world.trusts.clone(),
            buckets: world.buckets.clone(),
        }
    }
}

/// The long-term keys that a principal has from the start.
fn keys(world: &World, principal_id: &str) -> Vec<CastKey> {
    let all = world.credentials.iter().enumerate();
    all.filter(|(_, credential)| {
        credential.kind == Kind::LongTermKey
            && credential.issued == Timestamp::UNIX_EPOCH
            && credential.identity.principal_id == principal_id
    })
    .filter_map(|(number, credential)| {
        let (label, id) = (credential.label.clone(), credential.key.clone()?);
        Some(CastKey { number, label, id })
    })
    .collect()
}
