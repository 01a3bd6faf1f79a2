//! People who sign in through Identity Center, from office, home and road, to the command line and the
//! console; analysts who read the lake through a further role.

use super::chapter::{Chapter, DAY, DEVELOPER, HOUR, MINUTE, Menu, Plan, READER, Span, works};
use super::errands::administer;

/// What somebody does all day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    Develops,
    Analyses,
    Administers,
}

const PEOPLE: &[(&str, Work)] = &[
    ("olga", Work::Administers),
    ("piet", Work::Administers),
    ("rosa", Work::Administers),
    ("abel", Work::Analyses),
    ("bea", Work::Analyses),
    ("cem", Work::Analyses),
    ("dora", Work::Analyses),
    ("emil", Work::Analyses),
    ("finn", Work::Develops),
    ("gita", Work::Develops),
    ("hugo", Work::Develops),
    ("ines", Work::Develops),
    ("jana", Work::Develops),
    ("kofi", Work::Develops),
    ("lars", Work::Develops),
    ("mina", Work::Develops),
    ("nuri", Work::Develops),
    ("oskar", Work::Develops),
    ("paula", Work::Develops),
    ("quinn", Work::Develops),
    ("rene", Work::Develops),
    ("sara", Work::Develops),
    ("theo", Work::Develops),
    ("uma", Work::Develops),
    ("vera", Work::Develops),
];

pub(super) const CLI: &str =
    "\"aws-cli/2.27.50 md/awscrt#0.26.1 ua/2.1 os/macos#24.5.0 md/arch#arm64 lang/python#3.13.4\"";
pub(super) const BROWSER: &str = "\"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15\"";
pub(super) const OFFICE: &str = "192.0.2.10";

pub(super) const SHELL: Menu<'_> = &[
    "DescribeStacks shop",
    "logs:FilterLogEvents web",
    "DescribeInstances",
    "ecs:DescribeTasks",
    "ListBuckets",
    "ecs:ListTasks",
    "ListFunctions20150331",
    "GetParameter /shop/config",
    "DescribeLogGroups",
    "GetCallerIdentity",
    "ssm:StartSession i-0123456789abcdef0",
    "ListObjects s3://shop-assets",
    "cloudwatch:GetMetricData",
];
pub(super) const PAGES: Menu<'_> = &[
    "DescribeInstances",
    "DescribeVpcs",
    "DescribeSecurityGroups",
    "ec2:DescribeVolumes",
    "ListBuckets",
    "ListUsers",
    "ListRoles",
    "GetAccountSummary",
    "cloudwatch:DescribeAlarms",
    "health:DescribeEventAggregates",
    "LookupEvents",
    "rds:DescribeDBInstances",
    "ListFunctions20150331",
    "ce:GetCostAndUsage",
    "logs:DescribeLogStreams web",
    "notifications:ListNotificationHubs",
    "DescribeTrails",
];

pub(super) fn chapters(plan: Plan) -> Vec<Chapter> {
    (1..)
        .zip(PEOPLE)
        .map(|(number, (name, work))| person(plan, (number, name, *work)))
        .collect()
}

/// Where somebody is: the office or at home, there on two stacks at once, or with the office's tunnel now and
/// then.
pub(super) struct Place {
    addresses: Vec<String>,
}

impl Place {
    fn of(chapter: &mut Chapter, number: i64, day: i64) -> Self {
        let home = format!("198.19.{number}.{}", 10 + day / 9);
        let addresses = match chapter.noise.below(10) {
            0..5 => vec![OFFICE.to_owned()],
            _ if number % 5 == 1 => vec![home, "192.0.2.11".to_owned()],
            _ if number % 3 == 0 => vec![
                home,
                format!("2001:db8:{:x}:1::{:x}", 0x100 + number, 16 + day),
            ],
            _ => vec![home],
        };
        Self { addresses }
    }

    /// A call is made from one of the addresses.
    pub(super) fn one(&self, chapter: &mut Chapter) -> String {
        let place = chapter.noise.place(self.addresses.len());
        self.addresses.get(place).cloned().unwrap_or_default()
    }
}

fn person(plan: Plan, (number, name, work): (i64, &str, Work)) -> Chapter {
    let mut chapter = Chapter::new(plan, name);
    chapter.declare(&format!("person {name} in org from {OFFICE}"));
    for day in (0..plan.days).filter(|day| works(*day)) {
        // Somebody is always on leave or in meetings; the errands of administrators are not put off.
        if chapter.chance(15) && work != Work::Administers {
            continue;
        }
        let place = Place::of(&mut chapter, number, day);
        let at = day * DAY + 7 * HOUR + chapter.within(90 * MINUTE);
        let portal = sign_in(&mut chapter, (name, &place), at);
        // One works on a machine in the cloud, and signs in on it with the browser at hand.
        let remote = Place {
            addresses: vec!["192.0.2.150".to_owned()],
        };
        let place = if name == "theo" { remote } else { place };
        match work {
            Work::Develops => develop(&mut chapter, (&portal, &place), at),
            Work::Analyses => analyse(&mut chapter, (&portal, &place, name), at),
            Work::Administers => administer(&mut chapter, (&portal, &place, name), (at, day)),
        }
        if chapter.chance(40) {
            console(&mut chapter, (&portal, &place), at + 3 * HOUR);
        }
    }
    chapter
}

/// The portal: a password, a second factor, now and then a wrong one.
fn sign_in(chapter: &mut Chapter, (name, place): (&str, &Place), at: i64) -> String {
    let from = format!(" from {} agent {BROWSER}", place.one(chapter));
    chapter.at(at - 30, &format!("{name} CredentialVerification{from}"));
    if chapter.chance(8) {
        chapter.at(
            at - 20,
            &format!("{name} UserAuthentication mfa {name}-phone denied{from}"),
        );
    }
    chapter.at(
        at - 5,
        &format!("{name} UserAuthentication mfa {name}-phone{from}"),
    );
    let device = match name {
        "theo" => " from 192.0.2.150 agent aws-cli/2.27.50".to_owned(),
        _ => from,
    };
    chapter.issue(at, &format!("{name} CreateToken{device}"))
}

pub(super) fn role(
    chapter: &mut Chapter,
    (portal, place): (&str, &Place),
    (at, role): (i64, &str),
) -> String {
    let from = format!(" from {} agent {CLI}", place.one(chapter));
    chapter.issue(
        at,
        &format!("{portal} GetRoleCredentials {role}{from} for 8h"),
    )
}

/// Calls of one session, each from one of the addresses.
pub(super) fn shell(
    chapter: &mut Chapter,
    (key, place): (&str, &Place),
    (menu, span, count): (Menu<'_>, Span, u64),
) {
    let parts = 6;
    for part in 0..parts {
        let from = format!(" from {} agent {CLI}", place.one(chapter));
        let lasts = span.lasts / parts;
        chapter.calls(
            (key, &from),
            menu,
            (
                Span {
                    from: span.from + part * lasts,
                    lasts,
                },
                count / 6,
            ),
        );
    }
}

fn develop(chapter: &mut Chapter, (portal, place): (&str, &Place), at: i64) {
    for account in ["staging", "shop"] {
        let begin = at + MINUTE + chapter.within(HOUR);
        let key = role(
            chapter,
            (portal, place),
            (begin, &format!("{account}/{DEVELOPER}")),
        );
        shell(
            chapter,
            (&key, place),
            (
                SHELL,
                Span {
                    from: begin + 2,
                    lasts: 5 * HOUR,
                },
                24,
            ),
        );
        // The way home: the same session, from the road and then from another network.
        if chapter.chance(20) {
            let road = format!(
                "198.19.{}.{}",
                200 + chapter.within(20),
                1 + chapter.within(250)
            );
            let from = format!(" from {road} agent {CLI}");
            chapter.calls(
                (&key, &from),
                SHELL,
                (
                    Span {
                        from: begin + 6 * HOUR,
                        lasts: HOUR,
                    },
                    10,
                ),
            );
        }
    }
}

/// An analyst reads thousands of objects through a role in the lake.
fn analyse(chapter: &mut Chapter, (portal, place, name): (&str, &Place, &str), at: i64) {
    const LAKE: Menu<'_> = &[
        "GetObject s3://lake-orders/day=1/part-0000.parquet",
        "GetObject s3://lake-orders/day=2/part-0000.parquet",
        "GetObject s3://lake-clicks/hour=3/part-0007.parquet",
        "ListObjects s3://lake-orders",
        "glue:GetTable orders",
        "athena:GetQueryResults orders",
    ];
    let begin = at + MINUTE;
    let key = role(
        chapter,
        (portal, place),
        (begin, &format!("tools/{READER}")),
    );
    for part in 0..4 {
        let start = begin + part * 2 * HOUR + chapter.within(30 * MINUTE);
        let address = place.one(chapter);
        let agent = "\"Boto3/1.39.3 md/Botocore#1.39.3 os/macos#24.5.0 lang/python#3.12.11\"";
        let from = format!(" from {address} agent {agent}");
        let reader = chapter.issue(
            start,
            &format!("{key} AssumeRole lake/lake-reader as {name}{from}"),
        );
        chapter.calls(
            (&reader, &from),
            LAKE,
            (
                Span {
                    from: start + 1,
                    lasts: 50 * MINUTE,
                },
                90,
            ),
        );
    }
}

/// The console through the portal: the sign-in token is asked for by the portal itself.
fn console(chapter: &mut Chapter, (portal, place): (&str, &Place), at: i64) {
    let key = role(chapter, (portal, place), (at, &format!("shop/{READER}")));
    let address = place.one(chapter);
    let jersey = "\"Jersey/${project.version} (HttpUrlConnection 21.0.7)\"";
    let token = chapter.issue(
        at + 1,
        &format!("{key} GetSigninToken for 8h from {address} agent {jersey}"),
    );
    let session = chapter.issue(
        at + 2,
        &format!("{token} ConsoleLogin from {address} agent {BROWSER}"),
    );
    chapter.calls(
        (&session, &format!(" from {address}")),
        PAGES,
        (
            Span {
                from: at + 4,
                lasts: 2 * HOUR,
            },
            30,
        ),
    );
    if chapter.chance(15) {
        // CloudShell: a command line with the console's own credentials, from inside AWS.
        let host = 1 + chapter.within(250);
        let agent = "\"aws-cli/2.27.50 md/awscrt#0.26.1 exec-env/CloudShell lang/python#3.13.4\"";
        let span = Span {
            from: at + HOUR,
            lasts: HOUR / 2,
        };
        let from = format!(" from 198.51.103.{host} agent {agent}");
        chapter.calls((&session, &from), SHELL, (span, 8));
    }
}
