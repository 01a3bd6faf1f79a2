//! One actor's month as a text in the trail language. It knows accounts, roles and clocks, and not what
//! anybody does with them.

use crate::corpus::noise::Noise;
use std::fmt::Write as _;

pub(super) const MINUTE: i64 = 60;
pub(super) const HOUR: i64 = 3_600;
pub(super) const DAY: i64 = 24 * HOUR;

/// The accounts of the company, and at the end the one of a vendor whose trail it does not have.
const ACCOUNTS: &[(&str, &str)] = &[
    ("log", "111122220002"),
    ("org", "111122220001"),
    ("tools", "111122220003"),
    ("staging", "111122220004"),
    ("shop", "111122220005"),
    ("lake", "111122220006"),
];
const VENDOR: &str = "account 999988887777 as vendor unlogged";

/// The members of the organization that run something.
pub(super) const MEMBERS: [&str; 4] = ["tools", "staging", "shop", "lake"];

/// Roles that every account has.
const ROLES: &[&str] = &[
    "deploy",
    "cdk-assets",
    "terraform",
    "security-audit",
    "ops",
    "backup",
    "web",
    "batch",
    "api",
    "mail",
    "node",
    "cart",
    "search",
    "thumbnails",
    "invoices",
    "events",
    "config",
    "lake-reader",
    "builds",
    "guest",
    "reports",
];

/// Roles that only the shared account has.
const SHARED_ROLES: &[&str] = &["github-hub", "atlantis", "scanner"];

/// The roles of Identity Center's permission sets, as they stand in every account.
pub(super) const ADMIN: &str = "AWSReservedSSO_Administrator_1a2b3c4d5e6f7081";
pub(super) const DEVELOPER: &str = "AWSReservedSSO_Developer_2b3c4d5e6f708192";
pub(super) const READER: &str = "AWSReservedSSO_ReadOnly_3c4d5e6f70819203";

/// What a company is made from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) days: i64,
    /// How many of the plain calls are made, of a hundred.
    pub(super) busy: u64,
    pub(super) seed: u64,
}

impl Plan {
    /// The working day that lies this share of a hundred into the time.
    pub(super) fn day_at(self, share: i64) -> i64 {
        let day = self.days * share / 100;
        if works(day) { day } else { day - 2 }.max(0)
    }
}

/// Whether people work that day; the first day is a Monday.
pub(super) fn works(day: i64) -> bool {
    day.rem_euclid(7) < 5
}

/// Calls that somebody makes, each as the trail language writes it behind the actor.
pub(super) type Menu<'m> = &'m [&'m str];

/// A stretch of time, in seconds since the first midnight.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) from: i64,
    pub(super) lasts: i64,
}

/// A text in the making.
#[derive(Debug)]
pub(super) struct Chapter {
    pub(super) plan: Plan,
    pub(super) noise: Noise,
    text: String,
    name: String,
    labels: u32,
}

impl Chapter {
    /// Begins the text of one actor, whose name makes its keys and its choices its own.
    pub(super) fn new(plan: Plan, name: &str) -> Self {
        let purpose = name.bytes().fold(0x0071_7569_6574, |sum: u64, byte| {
            sum.wrapping_mul(0x0100_0000_01b3) ^ u64::from(byte)
        });
        let mut chapter = Self {
            plan,
            noise: Noise::new(plan.seed, purpose),
            text: "region eu-west-1\n".to_owned(),
            name: name.to_owned(),
            labels: 0,
        };
        for (account, number) in ACCOUNTS {
            chapter.declare(&format!("account {number} as {account}"));
        }
        chapter.declare(VENDOR);
        for (account, _) in ACCOUNTS {
            for role in ROLES {
                chapter.declare(&format!("role {role} in {account} max 12h"));
            }
            for role in [ADMIN, DEVELOPER, READER] {
                let path = "/aws-reserved/sso.amazonaws.com/eu-west-1/";
                chapter.declare(&format!("role {role} in {account} max 12h path {path}"));
            }
        }
        for role in SHARED_ROLES {
            chapter.declare(&format!("role {role} in tools max 12h"));
        }
        chapter
    }

    /// The text.
    pub(super) fn finish(self) -> String {
        self.text
    }

    pub(super) fn declare(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// A name for a credential that no other chapter gives.
    pub(super) fn label(&mut self) -> String {
        self.labels += 1;
        format!("{}-{}", self.name, self.labels)
    }

    /// Something that happens at an instant.
    pub(super) fn at(&mut self, second: i64, line: &str) {
        let (day, rest) = (second.div_euclid(DAY), second.rem_euclid(DAY));
        let date = jiff::civil::date(2026, 3, 2).saturating_add(jiff::Span::new().days(day));
        let (hour, minute, second) = (rest / HOUR, rest / MINUTE % 60, rest % 60);
        // Writing to a text cannot fail.
        let _ = writeln!(self.text, "{date}T{hour:02}:{minute:02}:{second:02} {line}");
    }

    /// Issues a credential and gives its name: `line` is what stands before the arrow.
    pub(super) fn issue(&mut self, second: i64, line: &str) -> String {
        let label = self.label();
        self.at(second, &format!("{line} -> {label}"));
        label
    }

    /// Calls picked from a menu, spread over a time; one in a hundred is refused. `from` tells the place and
    /// the client of each.
    pub(super) fn calls(&mut self, who: (&str, &str), menu: Menu<'_>, (span, count): (Span, u64)) {
        let (who, from) = who;
        let count = (count * self.plan.busy / 100).max(1);
        let step = span.lasts / i64::try_from(count).unwrap_or(i64::MAX).max(1);
        let mut second = span.from;
        for _ in 0..count {
            let call = menu
                .get(self.noise.place(menu.len()))
                .copied()
                .unwrap_or("GetCallerIdentity");
            let refused = if self.noise.below(100) == 0 {
                " denied"
            } else {
                ""
            };
            let late = self.within(step);
            self.at(second + late, &format!("{who} {call}{from}{refused}"));
            second += step;
        }
    }

    /// The same time in seconds that are this actor's own among those who share a role: two of them never ask
    /// in one second, which would give two records one id.
    pub(super) fn own_second(&self, at: i64) -> i64 {
        at - at.rem_euclid(MINUTE) + self.number() % MINUTE
    }

    /// A number of the actor's own, from its name.
    pub(super) fn number(&self) -> i64 {
        self.name.bytes().map(i64::from).sum()
    }

    /// A number of seconds below a bound.
    pub(super) fn within(&mut self, bound: i64) -> i64 {
        let bound = u64::try_from(bound).unwrap_or(0);
        i64::try_from(self.noise.below(bound)).unwrap_or(0)
    }

    /// True in so many of a hundred cases.
    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.noise.below(100) < percent
    }
}
