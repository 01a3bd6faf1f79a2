//! Machines with a purpose: pipelines, Terraform, a scanner, a vendor's backup, an old deployment user.

use super::chapter::{Chapter, DAY, HOUR, MEMBERS, MINUTE, Menu, Plan, Span, works};

pub(super) fn chapters(plan: Plan) -> Vec<Chapter> {
    let mut all: Vec<Chapter> = REPOSITORIES.iter().map(|of| pipeline(plan, *of)).collect();
    all.extend([
        terraform(plan),
        scanner(plan),
        vendor(plan),
        old_deployer(plan),
    ]);
    all
}

/// A repository, its target accounts, and the share of the time after which it is first deployed.
const REPOSITORIES: &[(&str, &[&str], i64)] = &[
    ("storefront", &["staging", "shop"], 0),
    ("checkout", &["staging", "shop"], 0),
    ("infrastructure", &["tools", "staging", "shop"], 0),
    ("catalogue", &["staging", "shop"], 0),
    // A new service, in an account that no pipeline went to before.
    ("lake-reports", &["staging", "lake"], 60),
];

const DEPLOYMENT: Menu<'_> = &[
    "DescribeStacks shop",
    "cloudformation:DescribeStackEvents shop",
    "cloudformation:CreateChangeSet shop",
    "cloudformation:ExecuteChangeSet shop",
    "ecs:DescribeServices shop",
    "ecs:UpdateService shop",
    "GetParameter /cdk-bootstrap/version",
];

/// Runs of a repository: a hosted runner, the shared hub, a role in each account, and from that one the
/// role that uploads assets.
fn pipeline(plan: Plan, (repository, targets, share): (&str, &[&str], i64)) -> Chapter {
    let mut chapter = Chapter::new(plan, repository);
    let begin = if share == 0 { 0 } else { plan.day_at(share) };
    for day in begin..plan.days {
        let runs = if works(day) { 6 } else { 1 };
        for _ in 0..runs {
            let at = day * DAY + 6 * HOUR + chapter.within(13 * HOUR);
            let at = chapter.own_second(at);
            run(&mut chapter, (repository, targets), at);
        }
    }
    chapter
}

fn run(chapter: &mut Chapter, (repository, targets): (&str, &[&str]), at: i64) {
    let (net, host) = (chapter.within(180), 1 + chapter.within(250));
    let from = format!(
        " from 198.18.{net}.{host} agent \"aws-sdk-nodejs/3.859.0 configure-aws-credentials-for-github-actions\""
    );
    let line = format!(
        "idp token.actions.githubusercontent.com AssumeRoleWithWebIdentity tools/github-hub as GitHubActions \
         for 1h subject repo:example/{repository}:ref:refs/heads/main{from}"
    );
    let hub = chapter.issue(at, &line);
    chapter.at(at + 1, &format!("{hub} GetCallerIdentity"));
    let mut next = at + 5;
    for target in targets {
        let line = format!("{hub} AssumeRole {target}/deploy as {repository}-{at}");
        let deploy = chapter.issue(next, &line);
        chapter.at(next + 1, &format!("{deploy} GetCallerIdentity"));
        let assets = chapter.issue(
            next + 3,
            &format!("{deploy} AssumeRole {target}/cdk-assets as {repository}-{at}"),
        );
        let span = Span {
            from: next + 4,
            lasts: MINUTE,
        };
        chapter.calls(
            (&assets, ""),
            &[
                "PutObject s3://cdk-assets/asset.zip",
                "s3:HeadBucket s3://cdk-assets",
            ],
            (span, 5),
        );
        let span = Span {
            from: next + MINUTE,
            lasts: 5 * MINUTE,
        };
        chapter.calls((&deploy, ""), DEPLOYMENT, (span, 12));
        // What CloudFormation does with the session that asked it to.
        let via = " via cloudformation.amazonaws.com";
        chapter.calls(
            (&deploy, via),
            &[
                "ecs:RegisterTaskDefinition shop",
                "iam:PassRole api",
                "elasticloadbalancing:DescribeRules",
            ],
            (span, 6),
        );
        next += 7 * MINUTE;
    }
}

/// Plans and applies: forty roles in a minute, then hundreds of reads.
fn terraform(plan: Plan) -> Chapter {
    const READS: Menu<'_> = &[
        "DescribeVpcs",
        "ec2:DescribeSubnets",
        "DescribeSecurityGroups",
        "ec2:DescribeRouteTables",
        "GetRole web",
        "iam:ListRolePolicies roleName=web",
        "ListAttachedRolePolicies web",
        "iam:GetPolicy web",
        "s3:GetBucketTagging s3://shop-assets",
        "GetBucketPolicy s3://shop-assets",
        "kms:DescribeKey alias/shop",
        "lambda:GetFunction20150331v2 functionName=thumbnails",
        "rds:DescribeDBInstances",
        "route53:ListHostedZones",
    ];
    let mut chapter = Chapter::new(plan, "atlantis");
    for part in 0..plan.days * 4 {
        let at = part * 6 * HOUR + chapter.within(10 * MINUTE);
        let from = " from 192.0.2.90 agent \"APN/1.0 HashiCorp/1.0 Terraform/1.12.2 aws-sdk-go-v2/1.36.5\"";
        let key = chapter.issue(
            at,
            "ecs-tasks.amazonaws.com AssumeRole tools/atlantis as 5d0c1f0e7a2b4c6d8e9f",
        );
        chapter.at(
            at + 1,
            &format!("{key} GetSecretValue atlantis/webhook{from}"),
        );
        let day = part / 4;
        if part % 4 == 1 || part % 4 == 2 {
            let begin = at + HOUR + chapter.within(3 * HOUR);
            let mut sessions = Vec::new();
            for number in 0..40 {
                let member = MEMBERS
                    .get(number % MEMBERS.len())
                    .copied()
                    .unwrap_or_default();
                let second = begin + i64::try_from(number).unwrap_or(0) * 3 / 2;
                sessions.push(chapter.issue(
                    second,
                    &format!("{key} AssumeRole {member}/terraform as aws-go-sdk-{second}{number}"),
                ));
            }
            for session in &sessions {
                let span = Span {
                    from: begin + MINUTE,
                    lasts: 5 * MINUTE,
                };
                chapter.calls((session, ""), READS, (span, 7));
            }
            if part % 4 == 1
                && let Some(session) = sessions.get(2)
            {
                apply(&mut chapter, session, (begin + 10 * MINUTE, day));
            }
        }
    }
    chapter
}

/// What an apply changes: roles for services of the company, rarely a provider for a new cluster.
fn apply(chapter: &mut Chapter, session: &str, (at, day): (i64, i64)) {
    if day % 7 == 1 {
        chapter.at(
            at,
            &format!("{session} CreateRole shop-service-{day} trust tools"),
        );
        chapter.at(
            at + 2,
            &format!("{session} AttachRolePolicy shop-service-{day} AmazonSQSFullAccess"),
        );
        chapter.at(
            at + 4,
            &format!("{session} UpdateAssumeRolePolicy shop-service-{day} trust shop"),
        );
    }
    if day % 7 == 3 {
        chapter.at(
            at,
            &format!("{session} AttachRolePolicy web AmazonS3ReadOnlyAccess"),
        );
        chapter.at(
            at + 2,
            &format!("{session} DetachRolePolicy web AmazonS3FullAccess"),
        );
        chapter.at(
            at + 4,
            &format!("{session} PutRolePolicy web queues policy allow"),
        );
        chapter.at(at + 6, &format!("{session} DeleteRolePolicy web buckets"));
    }
    if day == chapter.plan.day_at(30) {
        chapter.at(at, &format!("{session} PutEventSelectors trail All"));
    }
    if day == chapter.plan.day_at(45) {
        let url = "https://oidc.eks.eu-west-1.amazonaws.com/id/SECOND";
        chapter.at(
            at + 30,
            &format!("{session} CreateOpenIDConnectProvider {url}"),
        );
        for hour in 1..24 {
            let from = " from 192.0.2.61 agent aws-sdk-go/1.55.6";
            let line = format!(
                "idp oidc.eks.eu-west-1.amazonaws.com/id/SECOND AssumeRoleWithWebIdentity shop/cart as cart-{hour} \
                 subject system:serviceaccount:shop:cart{from}"
            );
            let key = chapter.issue(at + hour * HOUR, &line);
            chapter.calls(
                (&key, from),
                &["dynamodb:GetItem carts"],
                (
                    Span {
                        from: at + hour * HOUR + 2,
                        lasts: HOUR / 2,
                    },
                    5,
                ),
            );
        }
    }
}

/// What the scanner asks, all of it every time.
const LOOK: Menu<'_> = &[
    "ListUsers",
    "ListRoles",
    "iam:ListPolicies",
    "GetAccountSummary",
    "GetAccountAuthorizationDetails",
    "iam:GetCredentialReport",
    "iam:ListVirtualMFADevices",
    "iam:GetAccountPasswordPolicy",
    "ListBuckets",
    "GetBucketAcl s3://shop-assets",
    "GetBucketPolicy s3://shop-assets",
    "s3:GetBucketPublicAccessBlock s3://shop-assets",
    "DescribeInstances",
    "DescribeVpcs",
    "DescribeSecurityGroups",
    "ec2:DescribeSnapshots",
    "ec2:DescribeImages",
    "ec2:DescribeVolumes",
    "ec2:DescribeAddresses",
    "rds:DescribeDBInstances",
    "rds:DescribeDBSnapshots",
    "ListFunctions20150331",
    "lambda:GetPolicy20150331v2 functionName=thumbnails",
    "ListSecrets",
    "DescribeParameters",
    "DescribeTrails",
    "GetTrailStatus trail",
    "cloudtrail:GetEventSelectors trail",
    "guardduty:ListDetectors",
    "config:DescribeConfigurationRecorders",
    "kms:ListKeys",
    "kms:GetKeyRotationStatus",
    "ecr:DescribeRepositories",
    "eks:ListClusters",
    "sns:ListTopics",
    "sqs:ListQueues",
    "ListTables",
    "elasticloadbalancing:DescribeLoadBalancers",
    "cloudfront:ListDistributions",
    "route53:ListHostedZones",
    "acm:ListCertificates",
    "apigateway:GetRestApis",
];

/// Every List and Describe, in every account, every night.
fn scanner(plan: Plan) -> Chapter {
    let mut chapter = Chapter::new(plan, "prowler");
    let from =
        " from 192.0.2.91 agent \"Boto3/1.40.4 md/Botocore#1.40.4 lang/python#3.12.9 APN_1826889\"";
    for day in 0..plan.days {
        let at = day * DAY + 2 * HOUR + chapter.within(10 * MINUTE);
        let line = "ecs-tasks.amazonaws.com AssumeRole tools/scanner as 0f3e2d1c4b5a69788796";
        let task = chapter.issue(at, line);
        chapter.at(at + 3, &format!("{task} GetCallerIdentity{from}"));
        for (number, account) in (0..).zip(["tools", "org", "log", "staging", "shop", "lake"]) {
            let begin = at + 10 + number * 12 * MINUTE;
            let line = format!("{task} AssumeRole {account}/security-audit as ProwlerSession");
            let key = chapter.issue(begin, &line);
            chapter.at(begin + 1, &format!("{key} GetCallerIdentity"));
            for (late, call) in (2..).zip(LOOK) {
                let second = begin + 10 * late + chapter.within(10);
                chapter.at(second, &format!("{key} {call}"));
            }
        }
    }
    chapter
}

/// A backup product in its vendor's account, every night, with an external id.
fn vendor(plan: Plan) -> Chapter {
    const MENU: Menu<'_> = &[
        "ec2:DescribeVolumes",
        "ec2:CreateSnapshot vol-0123456789abcdef0",
        "ec2:DescribeSnapshots",
        "ec2:CreateTags",
        "rds:DescribeDBInstances",
        "rds:CreateDBSnapshot shop",
    ];
    let mut chapter = Chapter::new(plan, "backup-vendor");
    chapter.declare("user backup-engine in vendor key VENDOR from 203.0.113.200 agent \"Boto3/1.38.0 backup-engine\"");
    for day in 0..plan.days {
        for account in ["shop", "lake"] {
            let at = day * DAY + HOUR + chapter.within(HOUR);
            let key = chapter.issue(
                at,
                &format!("VENDOR AssumeRole {account}/backup as nightly external-id e1f2a3b4"),
            );
            let host = 200 + chapter.within(20);
            let from = format!(" from 203.0.113.{host}");
            chapter.calls(
                (&key, &from),
                MENU,
                (
                    Span {
                        from: at + 1,
                        lasts: 40 * MINUTE,
                    },
                    30,
                ),
            );
        }
    }
    chapter
}

/// The deployment user that nobody has replaced yet, and the yearly new key for it: made by itself, both
/// used for a day, the old one switched off, then deleted.
fn old_deployer(plan: Plan) -> Chapter {
    const MENU: Menu<'_> = &[
        "PutObject s3://shop-site/index.html",
        "ListObjects s3://shop-site",
        "cloudfront:CreateInvalidation E1EXAMPLE",
    ];
    let mut chapter = Chapter::new(plan, "old-deployer");
    chapter.declare("user site-deployer in shop key SITE from 192.0.2.130 agent \"aws-cli/1.42.4 Python/3.11.2 Linux/6.1.0\"");
    let rotation = plan.day_at(50);
    let mut fresh = None;
    for day in 0..plan.days {
        let at = day * DAY + 7 * HOUR + chapter.within(8 * HOUR);
        if day == rotation {
            fresh = Some(chapter.issue(at - HOUR, "SITE CreateAccessKey site-deployer"));
            chapter.at(at - HOUR + 60, "SITE ListAccessKeys site-deployer");
        }
        let key = fresh
            .clone()
            .filter(|_| day > rotation || chapter.chance(50))
            .unwrap_or_else(|| "SITE".to_owned());
        chapter.calls(
            (&key, " from 192.0.2.130"),
            MENU,
            (
                Span {
                    from: at,
                    lasts: 10 * MINUTE,
                },
                40,
            ),
        );
        if day == rotation {
            chapter.calls(
                ("SITE", ""),
                MENU,
                (
                    Span {
                        from: at + HOUR,
                        lasts: 10 * MINUTE,
                    },
                    10,
                ),
            );
        }
        let Some(key) = fresh.as_ref() else { continue };
        if day == rotation + 1 {
            chapter.at(at + HOUR, &format!("{key} UpdateAccessKey SITE Inactive"));
        }
        if day == rotation + 2 {
            chapter.at(at + HOUR, &format!("{key} DeleteAccessKey SITE"));
        }
    }
    chapter
}
