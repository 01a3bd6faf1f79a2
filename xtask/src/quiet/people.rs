//! People who sign in through Identity Center, from office, home and road, to the command line and the
//! console; analysts who read the lake through a further role; administrators who do their rare chores.

use super::chapter::{
    ADMIN, Chapter, DAY, DEVELOPER, HOUR, MINUTE, Menu, Plan, READER, Span, works,
};

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

const CLI: &str =
    "\"aws-cli/2.27.50 md/awscrt#0.26.1 ua/2.1 os/macos#24.5.0 md/arch#arm64 lang/python#3.13.4\"";
const BROWSER: &str = "\"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15\"";
const OFFICE: &str = "192.0.2.10";

const SHELL: Menu<'_> = &[
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
const PAGES: Menu<'_> = &[
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
struct Place {
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
    fn one(&self, chapter: &mut Chapter) -> String {
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

fn role(chapter: &mut Chapter, (portal, place): (&str, &Place), (at, role): (i64, &str)) -> String {
    let from = format!(" from {} agent {CLI}", place.one(chapter));
    chapter.issue(
        at,
        &format!("{portal} GetRoleCredentials {role}{from} for 8h"),
    )
}

/// Calls of one session, each from one of the addresses.
fn shell(
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

fn administer(
    chapter: &mut Chapter,
    (portal, place, name): (&str, &Place, &str),
    (at, day): (i64, i64),
) {
    let key = role(
        chapter,
        (portal, place),
        (at + MINUTE, &format!("org/{ADMIN}")),
    );
    shell(
        chapter,
        (&key, place),
        (
            PAGES,
            Span {
                from: at + 2 * MINUTE,
                lasts: 5 * HOUR,
            },
            40,
        ),
    );
    let shop = role(
        chapter,
        (portal, place),
        (at + 5 * MINUTE, &format!("shop/{ADMIN}")),
    );
    shell(
        chapter,
        (&shop, place),
        (
            SHELL,
            Span {
                from: at + 6 * MINUTE,
                lasts: 4 * HOUR,
            },
            30,
        ),
    );
    let plan = chapter.plan;
    if name == "olga" && day == plan.day_at(55) {
        colleague(chapter, (&shop, place), at + HOUR);
    }
    if name == "piet" && day == plan.day_at(70) {
        chapter.at(
            at + HOUR,
            &format!("{shop} CreateRole monitoring trust 999988887777"),
        );
        chapter.at(
            at + HOUR + 20,
            &format!("{shop} AttachRolePolicy monitoring ReadOnlyAccess"),
        );
    }
    if name == "rosa" && day == plan.day_at(35) {
        leaver(chapter, &shop, at + HOUR);
    }
}

/// A new colleague: user, password, key and group; then the colleague signs in, enables a device, and uses the key.
fn colleague(chapter: &mut Chapter, (admin, place): (&str, &Place), at: i64) {
    let from = format!(" from {} agent {CLI}", place.one(chapter));
    for (late, look) in (0..).zip(["ListUsers", "iam:ListGroups", "iam:ListPolicies"]) {
        chapter.at(at - 60 + 10 * late, &format!("{admin} {look}{from}"));
    }
    chapter.at(at, &format!("{admin} CreateUser nina{from}"));
    chapter.at(at + 15, &format!("{admin} CreateLoginProfile nina{from}"));
    let key = chapter.issue(at + 30, &format!("{admin} CreateAccessKey nina{from}"));
    chapter.at(
        at + 45,
        &format!("{admin} iam:AddUserToGroup userName=nina groupName=developers{from}"),
    );
    let desk = format!(" from {OFFICE} agent {BROWSER}");
    let later = at + 2 * HOUR;
    let session = chapter.issue(later, &format!("nina ConsoleLogin{desk}"));
    chapter.at(later + 20, &format!("{session} iam:ChangePassword{desk}"));
    chapter.at(
        later + 90,
        &format!("{session} CreateVirtualMFADevice nina-phone{desk}"),
    );
    chapter.at(
        later + 130,
        &format!("{session} EnableMFADevice nina mfa nina-phone{desk}"),
    );
    let again = chapter.issue(
        later + 300,
        &format!("nina ConsoleLogin mfa nina-phone{desk}"),
    );
    chapter.calls(
        (&again, ""),
        PAGES,
        (
            Span {
                from: later + 310,
                lasts: HOUR,
            },
            20,
        ),
    );
    let token = chapter.issue(
        later + HOUR,
        &format!("{key} GetSessionToken for 12h mfa nina-phone from {OFFICE} agent {CLI}"),
    );
    chapter.calls(
        (&token, ""),
        SHELL,
        (
            Span {
                from: later + HOUR + 5,
                lasts: 3 * HOUR,
            },
            20,
        ),
    );
}

/// A colleague leaves: the key is switched off, then password, key and user are deleted.
fn leaver(chapter: &mut Chapter, admin: &str, at: i64) {
    chapter.declare("user walt in shop key WALT from 198.19.99.7");
    chapter.at(
        at - 2 * DAY,
        "WALT ListObjects s3://shop-assets every 10m times 3",
    );
    chapter.at(at, &format!("{admin} UpdateAccessKey WALT Inactive"));
    chapter.at(at + 10, &format!("{admin} DeleteLoginProfile walt"));
    chapter.at(at + 20, &format!("{admin} DeleteAccessKey WALT"));
    chapter.at(at + 40, &format!("{admin} DeleteUser walt"));
}
