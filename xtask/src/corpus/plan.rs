//! What exists: accounts, users, roles, and every credential with its parent. It follows from the seed
//! and the number of credentials alone, never from how many events use them.

use super::CorpusArgs;
use super::console::HOUR;
use super::days::{DAY, Days};
use super::mix::Caller;
use super::noise::Noise;
use unchain_trail::{Prefix, identifier};

/// Everything that exists.
#[derive(Debug)]
pub(super) struct Plan {
    /// Seconds since 1970.
    pub(super) start: i64,
    /// Seconds.
    pub(super) span: i64,
    pub(super) accounts: Vec<Account>,
    /// In order of issue.
    pub(super) credentials: Vec<Credential>,
    /// How many console sessions begin in every hour.
    pub(super) slots: u64,
    /// How many credentials back a living one may be.
    window: usize,
}

#[derive(Debug)]
pub(super) struct Account {
    pub(super) number: String,
    pub(super) users: Vec<User>,
    pub(super) roles: Vec<Role>,
}

#[derive(Debug)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) id: String,
    pub(super) key: String,
}

#[derive(Debug)]
pub(super) struct Role {
    pub(super) name: String,
    pub(super) id: String,
    pub(super) region: usize,
}

/// How a credential is issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Issue {
    /// AssumeRole by a service: instances, functions, tasks.
    ByService,
    /// AssumeRole by a user or a role session.
    AssumeRole,
    WebIdentity,
    Saml,
    SessionToken,
}

impl Issue {
    pub(super) fn api(self) -> &'static str {
        match self {
            Self::ByService | Self::AssumeRole => "AssumeRole",
            Self::WebIdentity => "AssumeRoleWithWebIdentity",
            Self::Saml => "AssumeRoleWithSAML",
            Self::SessionToken => "GetSessionToken",
        }
    }
}

/// Who a credential was issued to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parent {
    /// Nobody with a key: a service or an outside subject.
    None,
    /// The long-term key of this user of this account.
    User(usize, usize),
    /// An earlier credential.
    Credential(usize),
}

#[derive(Debug)]
pub(super) struct Credential {
    pub(super) key: String,
    pub(super) issue: Issue,
    pub(super) account: usize,
    /// The role, or the user of a session token.
    pub(super) principal: usize,
    pub(super) parent: Parent,
    /// Whether the parent is of another account, which then has a copy of the record.
    pub(super) crosses: bool,
    pub(super) issued: i64,
    pub(super) expires: i64,
}

impl Plan {
    pub(super) fn new(args: &CorpusArgs, days: &Days) -> Self {
        let span = days.count * DAY;
        let count = args
            .credentials
            .unwrap_or_else(|| share_of(args.events, args.issuing_share));
        let mut noise = Noise::new(args.seed, 0x706c_616e);
        let mut plan = Self {
            start: days.start,
            span,
            accounts: (0..args.accounts)
                .map(|number| account(number, &mut noise))
                .collect(),
            credentials: Vec::new(),
            slots: count / 20 / (24 * u64::from(args.days)),
            window: usize::try_from(count * 6 / (24 * u64::from(args.days)))
                .unwrap_or(0)
                .max(64),
        };
        for number in 0..count {
            let issued = days.start + super::scaled(number, count, span);
            let credential = plan.credential(number, issued, &mut noise);
            plan.credentials.push(credential);
        }
        plan
    }

    /// How many sign-ins begin the console sessions.
    pub(super) fn logins(&self) -> u64 {
        self.slots * u64::try_from(self.span / HOUR).unwrap_or(0)
    }

    /// How many records are second copies of a call across accounts.
    pub(super) fn copies(&self) -> u64 {
        let crossing = self
            .credentials
            .iter()
            .filter(|credential| credential.crosses)
            .count();
        u64::try_from(crossing).unwrap_or(0)
    }

    /// A credential that lives at `at`, of those issued so far, the younger and busier rather.
    pub(super) fn alive(&self, issued: usize, at: i64, noise: &mut Noise) -> Option<Caller> {
        for _ in 0..20 {
            let back = noise.skewed(self.window) + 1;
            let place = issued.checked_sub(back)?;
            let credential = self.credentials.get(place)?;
            // Few are busy, some are used now and then, most hardly ever, as real ones are.
            let quiet = match place % 50 {
                0 => false,
                1..=16 => noise.below(6) != 0,
                _ => noise.below(30) != 0,
            };
            if credential.expires > at && !quiet {
                return Some(Caller::Credential(place));
            }
        }
        None
    }

    pub(super) fn parent_key(&self, credential: &Credential) -> Option<&str> {
        match credential.parent {
            Parent::None => None,
            Parent::User(account, user) => {
                Some(self.accounts.get(account)?.users.get(user)?.key.as_str())
            }
            Parent::Credential(place) => Some(self.credentials.get(place)?.key.as_str()),
        }
    }

    fn credential(&self, number: u64, issued: i64, noise: &mut Noise) -> Credential {
        let home = noise.skewed(self.accounts.len());
        let (issue, parent) = self.origin(home, issued, noise);
        let foreign = issue == Issue::AssumeRole && noise.below(10) < 2;
        let account = if foreign {
            noise.place(self.accounts.len())
        } else {
            home
        };
        let from = match parent {
            Parent::User(account, _) => Some(account),
            Parent::Credential(place) => self.credentials.get(place).map(|parent| parent.account),
            Parent::None => None,
        };
        let (number_of, people, roles) = match self.accounts.get(account) {
            Some(account) => (
                account.number.as_str(),
                account.users.len(),
                account.roles.len(),
            ),
            None => ("", 0, 0),
        };
        let lasts = match (issue, parent) {
            (Issue::ByService, _) => HOUR * 6 + 2_100,
            (Issue::SessionToken, _) => HOUR * 12,
            (_, Parent::Credential(_)) => HOUR,
            _ => HOUR * if noise.below(4) == 0 { 12 } else { 1 },
        };
        let principal = match (issue, parent) {
            (Issue::SessionToken, Parent::User(_, user)) => user.min(people.saturating_sub(1)),
            _ => noise.skewed(roles),
        };
        Credential {
            key: identifier(
                Prefix::TemporaryKey,
                number_of,
                &format!("credential {number}"),
            ),
            issue,
            account,
            principal,
            parent,
            crosses: from.is_some_and(|from| from != account),
            issued,
            expires: issued + lasts,
        }
    }

    /// How the next credential of `home` is issued, and to whom.
    fn origin(&self, home: usize, at: i64, noise: &mut Noise) -> (Issue, Parent) {
        let user = noise.skewed(
            self.accounts
                .get(home)
                .map_or(0, |account| account.users.len()),
        );
        match noise.below(100) {
            0..50 => (Issue::ByService, Parent::None),
            50..60 => (Issue::WebIdentity, Parent::None),
            60..63 => (Issue::Saml, Parent::None),
            63..68 => (Issue::SessionToken, Parent::User(home, user)),
            68..84 => (Issue::AssumeRole, Parent::User(home, user)),
            _ => {
                let parent = match self.alive(self.credentials.len(), at, noise) {
                    Some(Caller::Credential(place)) => Parent::Credential(place),
                    _ => Parent::User(home, user),
                };
                (Issue::AssumeRole, parent)
            }
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a share of a count is a count, and a corpus is far smaller than 2^52 events"
)]
fn share_of(events: u64, share: f64) -> u64 {
    (events as f64 * share) as u64
}

const TEAMS: &[&str] = &["dev", "ops", "ci", "data", "support"];
const WORKS: &[&str] = &["web", "worker", "deploy", "reader", "etl", "audit"];

/// An account with its people and roles.
fn account(number: u32, noise: &mut Noise) -> Account {
    let number = format!(
        "{}",
        100_000_000_000 + noise.below(800_000_000_000) / 10_000 * 10_000 + u64::from(number)
    );
    let (users, roles) = (3 + noise.below(20), 10 + noise.below(60));
    let user = |place: u64, team: usize| {
        let team = TEAMS.get(team).copied().unwrap_or("user");
        let name = format!("{team}-{place}");
        User {
            id: identifier(Prefix::User, &number, &name),
            key: identifier(Prefix::LongTermKey, &number, &name),
            name,
        }
    };
    let role = |place: u64, region: u64| {
        let work = usize::try_from(place).unwrap_or(0) % WORKS.len();
        let name = format!("{}-role-{place}", WORKS.get(work).copied().unwrap_or("app"));
        let region = usize::try_from(region.saturating_sub(2)).unwrap_or(0);
        Role {
            id: identifier(Prefix::Role, &number, &name),
            name,
            region,
        }
    };
    let users = (0..users)
        .map(|place| user(place, noise.place(TEAMS.len())))
        .collect();
    let roles = (0..roles)
        .map(|place| role(place, noise.below(5)))
        .collect();
    Account {
        number,
        users,
        roles,
    }
}
