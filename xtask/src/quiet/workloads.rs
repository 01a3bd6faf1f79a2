//! What runs by itself: instances, functions and tasks whose credentials a service renews, and the
//! services' own calls.

use super::chapter::{Chapter, DAY, HOUR, MEMBERS, MINUTE, Menu, Plan, Span};
use super::pods;

/// Where a workload's calls come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// One NAT address for all, another one from the middle of the time on.
    Nat,
    /// A NAT address; S3 through an endpoint of the VPC at the same time.
    Mixed,
    /// A NAT address in the first third of the time, then an endpoint for everything.
    Moves,
    /// A NAT with two addresses, of which each connection takes one.
    TwoAddresses,
}

/// Name, account, role and way of every instance.
const INSTANCES: &[(&str, &str, &str, Way)] = &[
    ("web-1", "shop", "web", Way::Nat),
    ("web-2", "shop", "web", Way::Nat),
    ("web-3", "shop", "web", Way::Mixed),
    ("batch-1", "lake", "batch", Way::TwoAddresses),
    ("batch-2", "lake", "batch", Way::Moves),
    ("mail-1", "shop", "mail", Way::Moves),
    ("web-s", "staging", "web", Way::Nat),
    ("batch-s", "staging", "batch", Way::Nat),
];

const SERVER: Menu<'_> = &[
    "GetParameter /shop/config",
    "Decrypt alias/shop",
    "ec2:DescribeTags",
    "logs:CreateLogStream web",
    "cloudwatch:DescribeAlarms",
];
const STORAGE: Menu<'_> = &[
    "GetObject s3://shop-assets/site.css",
    "PutObject s3://shop-uploads/picture.jpg",
    "GetObject s3://shop-config/app.json",
];
const SERVER_AGENT: &str = "\"aws-sdk-go-v2/1.36.3 os/linux lang/go#1.24.4 md/GOOS#linux\"";

pub(super) fn chapters(plan: Plan) -> Vec<Chapter> {
    let mut all: Vec<Chapter> = INSTANCES.iter().map(|of| instance(plan, *of)).collect();
    all.extend(FUNCTIONS.iter().map(|of| function(plan, *of)));
    all.extend(TASKS.iter().map(|of| task(plan, *of)));
    all.extend(pods::chapters(plan));
    all.push(services(plan));
    all.push(build_host(plan));
    all.push(guests(plan));
    all
}

/// The NAT address of an account, at a time.
pub(super) fn nat(plan: Plan, account: &str, second: i64) -> &'static str {
    let late = second > plan.days * DAY / 2;
    match (account, late) {
        ("shop", false) => "192.0.2.40",
        ("shop", true) => "198.51.100.41",
        ("lake", _) => "192.0.2.60",
        ("staging", _) => "192.0.2.80",
        _ => "192.0.2.90",
    }
}

fn instance(plan: Plan, (name, account, role, way): (&str, &str, &str, Way)) -> Chapter {
    let mut chapter = Chapter::new(plan, name);
    let mut at = chapter.within(HOUR);
    let mut before: Option<String> = None;
    while at < plan.days * DAY {
        at = chapter.own_second(at);
        let line = format!("ec2.amazonaws.com AssumeRole {account}/{role} as instance:{name}");
        let key = chapter.issue(at, &line);
        let renewed = 6 * HOUR - chapter.within(20 * MINUTE);
        // A process that started earlier holds the credentials before these for some minutes more.
        if let Some(before) = before.replace(key.clone()) {
            let from = format!(
                " from {} agent {SERVER_AGENT}",
                address(&mut chapter, (account, way), at)
            );
            let span = Span {
                from: at + 10,
                lasts: 5 * MINUTE,
            };
            chapter.calls((&before, &from), SERVER, (span, 3));
        }
        for hour in 0..6 {
            let span = Span {
                from: at + 5 + hour * HOUR,
                lasts: renewed / 6,
            };
            serve(&mut chapter, (&key, account, way), span);
        }
        if chapter.chance(8) {
            // Somebody looks into a fault with the command line of the instance itself.
            let address = address(&mut chapter, (account, way), at + 2 * HOUR);
            let agent = "\"aws-cli/2.15.30 Python/3.9.16 Linux/6.1.141 source/x86_64.amzn.2023 prompt/off\"";
            let span = Span {
                from: at + 2 * HOUR,
                lasts: 10 * MINUTE,
            };
            let from = format!(" from {address} agent {agent}");
            chapter.at(span.from - 5, &format!("{key} GetCallerIdentity{from}"));
            chapter.calls((&key, &from), STORAGE, (span, 6));
        }
        at += renewed;
    }
    chapter
}

/// An hour of an instance: its agent's heartbeat, its own calls, and S3.
fn serve(chapter: &mut Chapter, (key, account, way): (&str, &str, Way), span: Span) {
    let beat = ["ssm:UpdateInstanceInformation agentStatus=Active"];
    let part = Span {
        lasts: span.lasts / 2,
        ..span
    };
    for part in [
        part,
        Span {
            from: part.from + part.lasts,
            ..part
        },
    ] {
        let address = address(chapter, (account, way), part.from);
        let from = format!(" from {address} agent {SERVER_AGENT}");
        chapter.calls((key, &from), SERVER, (part, 2));
        let agent = format!(" from {address} agent amazon-ssm-agent/3.3.2299");
        chapter.calls((key, &agent), &beat, (part, 6));
        let storage = if way == Way::Mixed {
            "10.20.1.16"
        } else {
            address
        };
        let from = format!(" from {storage} agent {SERVER_AGENT}");
        chapter.calls((key, &from), STORAGE, (part, 3));
    }
}

/// From where an instance calls at a time.
fn address(chapter: &mut Chapter, (account, way): (&str, Way), at: i64) -> &'static str {
    match way {
        Way::Moves if at > chapter.plan.days * DAY / 3 => "10.20.1.15",
        Way::TwoAddresses if chapter.chance(50) => "198.51.100.61",
        _ => nat(chapter.plan, account, at),
    }
}

const FUNCTIONS: &[(&str, &str, &str)] = &[
    ("thumbnails", "shop", "thumbnails"),
    ("invoices", "shop", "invoices"),
    ("events", "lake", "events"),
    ("search", "shop", "search"),
    ("events-s", "staging", "events"),
];

/// A function: several environments at once, each with credentials of its own, some of which are never used.
fn function(plan: Plan, (name, account, role): (&str, &str, &str)) -> Chapter {
    const MENU: Menu<'_> = &[
        "logs:CreateLogStream function",
        "dynamodb:PutItem orders",
        "GetObject s3://shop-uploads/picture.jpg",
        "Decrypt alias/shop",
    ];
    let agent =
        "\"Boto3/1.40.4 md/Botocore#1.40.4 lang/python#3.13.5 exec-env/AWS_Lambda_python3.13\"";
    let mut chapter = Chapter::new(plan, name);
    for hour in 0..plan.days * 24 {
        let at = hour * HOUR + chapter.within(20 * MINUTE);
        let line = format!("lambda.amazonaws.com AssumeRole {account}/{role} as {name}");
        let environments = 1 + i64::from(chapter.chance(20));
        for other in 0..environments {
            // A second environment starts in the same second when a burst comes.
            let key = chapter.issue(at, &line);
            if other == 0 || chapter.chance(50) {
                let host = 1 + chapter.within(250);
                let from = format!(" from 198.51.{}.{host} agent {agent}", 101 + other);
                if chapter.chance(50) {
                    chapter.at(
                        at + 1,
                        &format!("{key} GetSecretValue {name}/database{from}"),
                    );
                }
                chapter.calls(
                    (&key, &from),
                    MENU,
                    (
                        Span {
                            from: at + 2,
                            lasts: HOUR,
                        },
                        7,
                    ),
                );
            }
        }
    }
    chapter
}

const TASKS: &[(&str, &str, &str)] = &[
    ("api-a", "shop", "api"),
    ("api-b", "shop", "api"),
    ("api-c", "staging", "api"),
    ("mailer", "shop", "mail"),
];

/// A task: secrets at its start, renewed credentials, a new task at each release.
fn task(plan: Plan, (name, account, role): (&str, &str, &str)) -> Chapter {
    const SECRETS: [&str; 4] = ["database", "payments", "session", "mail"];
    const MENU: Menu<'_> = &[
        "dynamodb:GetItem carts",
        "Decrypt alias/shop",
        "sqs:ReceiveMessage orders",
        "GetObject s3://shop-config/app.json",
        "GetParameter /shop/features",
    ];
    let agent = "aws-sdk-java/2.31.60";
    let mut chapter = Chapter::new(plan, name);
    for part in 0..plan.days * 4 {
        let at = part * 6 * HOUR + chapter.within(30 * MINUTE);
        let at = chapter.own_second(at);
        // A release every two days starts a new task.
        let line = format!(
            "ecs-tasks.amazonaws.com AssumeRole {account}/{role} as {:032x}",
            chapter.number() * 1_000_003 + part / 8
        );
        let key = chapter.issue(at, &line);
        let from = format!(" from {} agent {agent}", nat(plan, account, at));
        if part % 8 == 0 {
            for (late, secret) in (1..).zip(SECRETS) {
                chapter.at(
                    at + late,
                    &format!("{key} GetSecretValue {account}/{secret}{from}"),
                );
            }
        }
        let span = Span {
            from: at + 10,
            lasts: 6 * HOUR,
        };
        chapter.calls((&key, &from), MENU, (span, 120));
    }
    chapter
}

/// A machine outside AWS that shows its certificate every hour.
fn build_host(plan: Plan) -> Chapter {
    let mut chapter = Chapter::new(plan, "build-host");
    for hour in 0..plan.days * 24 {
        let from = " from 192.0.2.170 agent \"CredHelper/1.7.0 (rolesanywhere; linux; amd64)\"";
        let line = format!("certificate build-host CreateSession shop/builds{from}");
        let key = chapter.issue(hour * HOUR + 120, &line);
        let span = Span {
            from: hour * HOUR + 122,
            lasts: 50 * MINUTE,
        };
        let from = " from 192.0.2.170 agent \"aws-cli/2.27.50 md/awscrt#0.26.1 os/linux#6.8.0\"";
        let menu = [
            "PutObject s3://shop-builds/app.zip",
            "GetObject s3://shop-builds/cache.zip",
        ];
        chapter.calls((&key, from), &menu, (span, 4));
    }
    chapter
}

/// Visitors of the shop's site, whose browsers get credentials without a sign-in.
fn guests(plan: Plan) -> Chapter {
    const MENU: Menu<'_> = &[
        "mobiletargeting:PutEvents shop",
        "GetObject s3://shop-public/menu.json",
    ];
    let mut chapter = Chapter::new(plan, "guests");
    for visit in 0..plan.days * 24 {
        let at = visit * HOUR + chapter.within(HOUR);
        let host = format!(
            "198.19.{}.{}",
            60 + chapter.within(40),
            1 + chapter.within(250)
        );
        let from = format!(" from {host} agent \"aws-amplify/6.15.4 Mozilla/5.0\"");
        let line = format!("idp shop-visitors GetCredentialsForIdentity shop/guest{from}");
        let key = chapter.issue(at, &line);
        chapter.calls(
            (&key, &from),
            MENU,
            (
                Span {
                    from: at + 1,
                    lasts: 20 * MINUTE,
                },
                4,
            ),
        );
    }
    chapter
}

/// Services for themselves, and for the role that they hold in an account.
fn services(plan: Plan) -> Chapter {
    let mut chapter = Chapter::new(plan, "services");
    for hour in 0..plan.days * 24 {
        let span = Span {
            from: hour * HOUR,
            lasts: HOUR,
        };
        chapter.calls(
            ("cloudtrail.amazonaws.com", ""),
            &["GetBucketAcl example-trail", "GenerateDataKey alias/trail"],
            (span, 20),
        );
        if hour % 6 == 0 {
            for account in MEMBERS {
                let line = format!(
                    "config.amazonaws.com AssumeRole {account}/config as AWSConfig-Describe"
                );
                let key = chapter.issue(hour * HOUR + 30, &line);
                let menu = [
                    "DescribeInstances",
                    "ListRoles",
                    "ListBuckets",
                    "ec2:DescribeSubnets",
                ];
                let via = " via config.amazonaws.com";
                chapter.calls(
                    (&key, via),
                    &menu,
                    (
                        Span {
                            from: hour * HOUR + 31,
                            lasts: 20 * MINUTE,
                        },
                        20,
                    ),
                );
            }
        }
    }
    chapter
}
