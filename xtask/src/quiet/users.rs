//! The IAM users that are left: some with a vault that asks for session tokens, some in the console.

use super::chapter::{Chapter, DAY, HOUR, MINUTE, Menu, Plan, Span, works};

const CLI: &str =
    "\"aws-cli/2.27.50 md/awscrt#0.26.1 ua/2.1 os/linux#6.8.0 md/arch#x86_64 lang/python#3.13.4\"";
const VAULT: &str =
    "\"aws-sdk-go-v2/1.36.3 os/linux lang/go#1.23.4 md/GOOS#linux aws-vault/7.2.0\"";
const OFFICE: &str = "192.0.2.10";
const SHELL: Menu<'_> = &[
    "DescribeInstances",
    "ListBuckets",
    "logs:FilterLogEvents web",
    "DescribeStacks shop",
    "GetCallerIdentity",
    "ListObjects s3://shop-assets",
    "GetObject s3://shop-config/app.json",
    "ecs:DescribeServices shop",
];
const PAGES: Menu<'_> = &[
    "DescribeInstances",
    "DescribeSecurityGroups",
    "ListBuckets",
    "cloudwatch:DescribeAlarms",
    "ListUsers",
    "ListRoles",
    "LookupEvents",
    "rds:DescribeDBInstances",
    "DescribeLogGroups",
];

/// How a user works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Habit {
    /// Session tokens of this many hours.
    Vault(i64),
    Console,
}

const USERS: &[(&str, Habit)] = &[
    ("ivan", Habit::Vault(1)),
    ("jun", Habit::Vault(12)),
    ("kim", Habit::Vault(8)),
    ("lena", Habit::Console),
    ("mario", Habit::Console),
];

pub(super) fn chapters(plan: Plan) -> Vec<Chapter> {
    let users = (1..)
        .zip(USERS)
        .map(|(number, (name, habit))| user(plan, (number, name, *habit)));
    users.chain([upload_portal(plan)]).collect()
}

/// Office, home on one of two stacks, or the road.
fn place(chapter: &mut Chapter, number: i64) -> String {
    match chapter.noise.below(10) {
        0..4 => OFFICE.to_owned(),
        4..7 => format!("198.19.{}.23", 100 + number),
        7..9 => format!(
            "2001:db8:{:x}:7::{:x}",
            0x200 + number,
            1 + chapter.within(9)
        ),
        _ => format!(
            "198.19.{}.{}",
            220 + chapter.within(20),
            1 + chapter.within(250)
        ),
    }
}

fn user(plan: Plan, (number, name, habit): (i64, &str, Habit)) -> Chapter {
    let mut chapter = Chapter::new(plan, name);
    let key = format!("KEY-{name}");
    chapter.declare(&format!("user {name} in shop key {key} from {OFFICE}"));
    let mut current = key.clone();
    for day in (0..plan.days).filter(|day| works(*day)) {
        let at = day * DAY + 7 * HOUR + chapter.within(HOUR);
        match habit {
            Habit::Vault(hours) => vault(&mut chapter, (name, &current, number), (at, hours)),
            Habit::Console => console(&mut chapter, (name, number), (at, day)),
        }
        if name == "ivan" && day == plan.day_at(40) {
            current = rotate(&mut chapter, (name, &current), at + 9 * HOUR);
        }
    }
    chapter
}

/// A token for each piece of work, a wrong code now and then; with it calls, and roles.
fn vault(chapter: &mut Chapter, (name, key, number): (&str, &str, i64), (at, hours): (i64, i64)) {
    for part in 0..if hours == 1 { 4 } else { 2 } {
        let begin = at + part * 100 * MINUTE + chapter.within(30 * MINUTE);
        let from = format!(" from {} agent {VAULT}", place(chapter, number));
        if chapter.chance(12) {
            chapter.at(
                begin - 25,
                &format!("{key} GetSessionToken for {hours}h mfa {name}-phone denied{from}"),
            );
        }
        let token = chapter.issue(
            begin,
            &format!("{key} GetSessionToken for {hours}h mfa {name}-phone{from}"),
        );
        let from = from.replace(VAULT, CLI);
        if chapter.chance(60) {
            let deploy = chapter.issue(
                begin + 2,
                &format!("{token} AssumeRole staging/ops as {name}{from}"),
            );
            chapter.calls(
                (&deploy, ""),
                SHELL,
                (
                    Span {
                        from: begin + 3,
                        lasts: 40 * MINUTE,
                    },
                    15,
                ),
            );
        }
        chapter.calls(
            (&token, &from),
            SHELL,
            (
                Span {
                    from: begin + 4,
                    lasts: 50 * MINUTE,
                },
                12,
            ),
        );
        if hours > 8 && chapter.chance(30) {
            // The rest of the day's work with the same token, from home or the road.
            let from = format!(" from {} agent {CLI}", place(chapter, number));
            let span = Span {
                from: begin + 6 * HOUR,
                lasts: HOUR,
            };
            chapter.calls((&token, &from), SHELL, (span, 10));
        }
    }
}

/// A portal of the company's own: customers upload with federation tokens that may do little.
fn upload_portal(plan: Plan) -> Chapter {
    let mut chapter = Chapter::new(plan, "uploads");
    chapter.declare("user upload-portal in shop key UPLOADS from 192.0.2.44 agent Boto3/1.39.3");
    for hour in 0..plan.days * 24 {
        let at = hour * HOUR + chapter.within(HOUR);
        let customer = 1 + chapter.within(60);
        let policy = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";
        let line = format!(
            "UPLOADS GetFederationToken customer-{customer} for 1h policy {policy} from 192.0.2.44"
        );
        let key = chapter.issue(at, &line);
        let from = format!(
            " from 198.19.{}.{customer} agent aws-sdk-js/3.859.0",
            30 + customer / 4
        );
        let span = Span {
            from: at + 5,
            lasts: HOUR / 2,
        };
        chapter.calls(
            (&key, &from),
            &["PutObject s3://shop-inbox/invoice.pdf"],
            (span, 4),
        );
    }
    chapter
}

/// A new key of one's own, the old one switched off and deleted, all within minutes.
fn rotate(chapter: &mut Chapter, (name, old): (&str, &str), at: i64) -> String {
    let from = format!(" from {OFFICE} agent {VAULT}");
    let token = chapter.issue(
        at,
        &format!("{old} GetSessionToken for 1h mfa {name}-phone{from}"),
    );
    let new = chapter.issue(at + 3, &format!("{token} CreateAccessKey {name}{from}"));
    let fresh = chapter.issue(
        at + 15,
        &format!("{new} GetSessionToken for 1h mfa {name}-phone{from}"),
    );
    chapter.at(
        at + 17,
        &format!("{fresh} UpdateAccessKey {old} Inactive{from}"),
    );
    chapter.at(at + 20, &format!("{fresh} DeleteAccessKey {old}{from}"));
    new
}

/// A morning in the console, often in another role; once a new phone.
fn console(chapter: &mut Chapter, (name, number): (&str, i64), (at, day): (i64, i64)) {
    let new_phone = name == "mario" && day == chapter.plan.day_at(65);
    let phone = if name == "mario" && day > chapter.plan.day_at(65) {
        "mario-phone-2"
    } else {
        "phone"
    };
    let device = if phone == "phone" {
        format!("{name}-phone")
    } else {
        phone.to_owned()
    };
    let from = format!(" from {}", place(chapter, number));
    if chapter.chance(10) {
        chapter.at(
            at - 30,
            &format!("{name} ConsoleLogin mfa {device} denied{from}"),
        );
    }
    let session = chapter.issue(at, &format!("{name} ConsoleLogin mfa {device}{from}"));
    chapter.calls(
        (&session, &from),
        PAGES,
        (
            Span {
                from: at + 5,
                lasts: 2 * HOUR,
            },
            40,
        ),
    );
    if chapter.chance(60) {
        let other = chapter.issue(
            at + HOUR,
            &format!("{session} SwitchRole staging/ops as {name}"),
        );
        chapter.calls(
            (&other, &from),
            PAGES,
            (
                Span {
                    from: at + HOUR + 3,
                    lasts: 30 * MINUTE,
                },
                20,
            ),
        );
    }
    if name == "lena" && chapter.chance(30) {
        // `aws login`: the browser's session gives the command line beside it a key.
        chapter.at(
            at + 2 * HOUR,
            &format!("{session} AuthorizeOAuth2Access{from}"),
        );
        let key = chapter.issue(
            at + 2 * HOUR + 3,
            &format!("{session} CreateOAuth2Token{from} agent {CLI}"),
        );
        let span = Span {
            from: at + 2 * HOUR + 5,
            lasts: 10 * MINUTE,
        };
        chapter.calls((&key, &format!("{from} agent {CLI}")), SHELL, (span, 8));
    }
    if new_phone {
        let end = at + 3 * HOUR;
        chapter.at(
            end,
            &format!("{session} DeactivateMFADevice {name} mfa {name}-phone{from}"),
        );
        chapter.at(end + 5, &format!("{session} iam:DeleteVirtualMFADevice serialNumber=arn:aws:iam::111122220005:mfa/{name}-phone{from}"));
        chapter.at(
            end + 40,
            &format!("{session} CreateVirtualMFADevice mario-phone-2{from}"),
        );
        chapter.at(
            end + 80,
            &format!("{session} EnableMFADevice {name} mfa mario-phone-2{from}"),
        );
    }
}
