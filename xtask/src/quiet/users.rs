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

/// A morning in the console, often in another role; for one now and then the command line beside it, for
/// another once a new phone.
fn console(chapter: &mut Chapter, (name, number): (&str, i64), (at, day): (i64, i64)) {
    let change = chapter.plan.day_at(65);
    let device = match name {
        "mario" if day > change => "mario-phone-2".to_owned(),
        _ => format!("{name}-phone"),
    };
    let from = format!(" from {}", place(chapter, number));
    let sign_in = format!("{name} ConsoleLogin mfa {device}");
    if chapter.chance(10) {
        chapter.at(at - 30, &format!("{sign_in} denied{from}"));
    }
    let session = chapter.issue(at, &format!("{sign_in}{from}"));
    let span = Span {
        from: at + 5,
        lasts: 2 * HOUR,
    };
    chapter.calls((&session, &from), PAGES, (span, 40));
    if chapter.chance(60) {
        let line = format!("{session} SwitchRole staging/ops as {name}");
        let other = chapter.issue(at + HOUR, &line);
        let span = Span {
            from: at + HOUR + 3,
            lasts: 30 * MINUTE,
        };
        chapter.calls((&other, &from), PAGES, (span, 20));
    }
    if name == "lena" && chapter.chance(30) {
        command_line(chapter, (&session, &from), at + 2 * HOUR);
    }
    if name == "mario" && day == change {
        new_phone(chapter, (&session, &from), at + 3 * HOUR);
    }
}

/// `aws login`: the browser's session gives the command line beside it a key.
fn command_line(chapter: &mut Chapter, (session, from): (&str, &str), at: i64) {
    chapter.at(at, &format!("{session} AuthorizeOAuth2Access{from}"));
    let line = format!("{session} CreateOAuth2Token{from} agent {CLI}");
    let key = chapter.issue(at + 3, &line);
    let span = Span {
        from: at + 5,
        lasts: 10 * MINUTE,
    };
    chapter.calls((&key, &format!("{from} agent {CLI}")), SHELL, (span, 8));
}

/// The old device is taken away and the new one enabled, within two minutes.
fn new_phone(chapter: &mut Chapter, (session, from): (&str, &str), at: i64) {
    let old = "arn:aws:iam::111122220005:mfa/mario-phone";
    let steps = [
        "DeactivateMFADevice mario mfa mario-phone".to_owned(),
        format!("iam:DeleteVirtualMFADevice serialNumber={old}"),
        "CreateVirtualMFADevice mario-phone-2".to_owned(),
        "EnableMFADevice mario mfa mario-phone-2".to_owned(),
    ];
    for (late, step) in (0..).zip(steps) {
        chapter.at(at + 30 * late, &format!("{session} {step}{from}"));
    }
}
