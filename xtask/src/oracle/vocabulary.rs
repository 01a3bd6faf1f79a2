//! What the made-up policies and requests consist of: few words, so that a pattern often just matches or just misses.

pub(super) const OWN: &str = "111122223333";
pub(super) const OTHER: &str = "444455556666";

pub(super) const ACTIONS: [&str; 9] = [
    "s3:GetObject",
    "s3:PutObject",
    "s3:ListBucket",
    "s3:DeleteObject",
    "sqs:SendMessage",
    "sqs:ReceiveMessage",
    "dynamodb:GetItem",
    "sns:Publish",
    "sts:AssumeRole",
];

pub(super) const ACTION_PATTERNS: [&str; 11] = [
    "*",
    "*",
    "s3:*",
    "s3:Get*",
    "S3:getobject",
    "s3:?utObject",
    "sqs:*",
    "dynamodb:GetItem",
    "sns:P*",
    "s3:ListBucket",
    "sts:Assume*",
];

/// A resource control policy names the actions of few services, and never all.
pub(super) const RCP_ACTIONS: [&str; 5] =
    ["s3:*", "s3:GetObject", "sqs:*", "sts:AssumeRole", "sts:*"];

pub(super) const TRUST_ACTIONS: [&str; 4] =
    ["sts:AssumeRole", "sts:*", "sts:Assume*", "sts:TagSession"];

pub(super) const RESOURCE_PATTERNS: [&str; 17] = [
    "*",
    "*",
    "*",
    "arn:aws:s3:::data/*",
    "arn:aws:s3:::data",
    "arn:aws:s3:::*",
    "arn:aws:s3:::data/${aws:username}/*",
    "arn:aws:s3:::data/${aws:username, 'eve'}/*",
    "arn:aws:s3:::${aws:PrincipalTag/area, 'data'}/*",
    "arn:aws:s3:::data/${$}{x}",
    "arn:aws:s3:::dat?/?.txt",
    "arn:aws:sqs:*:*:jobs",
    "arn:aws:sqs:us-east-1:111122223333:*",
    "arn:aws:sns:*:111122223333:m*",
    "arn:aws:dynamodb:us-east-1:*:table/*",
    "arn:aws:iam::111122223333:role/*",
    "arn:aws:iam::*:role/target",
];

/// Entries under `AWS`.
pub(super) const PRINCIPALS: [&str; 9] = [
    "arn:aws:iam::111122223333:user/eve",
    "arn:aws:iam::111122223333:user/eve",
    "arn:aws:iam::111122223333:role/app",
    "arn:aws:iam::111122223333:root",
    "111122223333",
    "arn:aws:iam::444455556666:root",
    "arn:aws:iam::111122223333:user/team/alice",
    "arn:aws:sts::111122223333:assumed-role/app/work",
    "arn:aws:sts::111122223333:federated-user/bob",
];

/// A condition key, what it may hold, and of what kind that is.
pub(super) type Key = (&'static str, &'static [&'static str], Kind);

pub(super) const KEYS: [Key; 13] = [
    ("aws:username", &["eve", "Eve", "alice", "e*e"], Kind::Text),
    (
        "aws:SourceIp",
        &["192.0.2.7", "198.51.100.9", "2001:db8::1"],
        Kind::Address,
    ),
    (
        "aws:TokenIssueTime",
        &[
            "2026-11-22T10:00:00Z",
            "2026-11-22T12:00:00Z",
            "2026-11-22T12:00:01Z",
        ],
        Kind::Date,
    ),
    (
        "aws:MultiFactorAuthAge",
        &["10", "3600", "86400"],
        Kind::Number,
    ),
    (
        "aws:MultiFactorAuthPresent",
        &["true", "false"],
        Kind::Truth,
    ),
    (
        "aws:PrincipalArn",
        &[
            "arn:aws:iam::111122223333:role/app",
            "arn:aws:iam::111122223333:user/eve",
        ],
        Kind::Arn,
    ),
    ("aws:PrincipalTag/team", &["red", "blue", "RED"], Kind::Text),
    ("aws:PrincipalTag/area", &["data", "logs"], Kind::Text),
    ("aws:PrincipalTag/blob", &["QUJD", "QUJE"], Kind::Binary),
    ("aws:TagKeys", &["team", "cost", "Team"], Kind::Texts),
    (
        "aws:userid",
        &["AIDAEVE", "AROAAPP:work", "AROAAPP:other"],
        Kind::Text,
    ),
    ("sts:ExternalId", &["red", "eve"], Kind::Text),
    ("sts:RoleSessionName", &["eve", "work"], Kind::Text),
];

/// What kind of value a key holds.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Text,
    Texts,
    Address,
    Date,
    Number,
    Truth,
    Arn,
    Binary,
}

impl Kind {
    /// The operators that fit.
    pub(super) fn operators(self) -> &'static [&'static str] {
        match self {
            Self::Text | Self::Texts => &[
                "StringEquals",
                "StringNotEquals",
                "StringEqualsIgnoreCase",
                "StringNotEqualsIgnoreCase",
                "StringLike",
                "StringNotLike",
            ],
            Self::Address => &["IpAddress", "NotIpAddress"],
            Self::Date => &[
                "DateEquals",
                "DateNotEquals",
                "DateLessThan",
                "DateLessThanEquals",
                "DateGreaterThan",
                "DateGreaterThanEquals",
            ],
            Self::Number => &[
                "NumericEquals",
                "NumericNotEquals",
                "NumericLessThan",
                "NumericLessThanEquals",
                "NumericGreaterThan",
                "NumericGreaterThanEquals",
            ],
            Self::Truth => &["Bool"],
            Self::Arn => &["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"],
            Self::Binary => &["BinaryEquals"],
        }
    }

    /// What a policy compares with; some of it no operator can read.
    pub(super) fn patterns(self) -> &'static [&'static str] {
        match self {
            Self::Text => &[
                "eve",
                "EVE",
                "e?e",
                "al*",
                "*",
                "AROAAPP:*",
                "AIDAEVE",
                "red",
                "work",
                "${aws:PrincipalTag/team}",
                "${aws:PrincipalTag/team, 'red'}",
                "${aws:username}",
                "${aws:nothing, 'red'}",
                "${aws:nothing}",
            ],
            Self::Texts => &["team", "cost", "*", "t*m", "other"],
            Self::Address => &[
                "192.0.2.0/24",
                "198.51.100.9",
                "0.0.0.0/0",
                "2001:db8::/32",
                "10.0.0.0/8",
                "office",
            ],
            Self::Date => &[
                "2026-11-22T12:00:00Z",
                "2026-11-22T12:00:00.000Z",
                "2026-11-22",
                "1795348800",
                "2027-01-01T00:00:00Z",
                "tomorrow",
            ],
            Self::Number => &["10", "3600", "100000", "0", "3600.0", "many"],
            Self::Truth => &["true", "false", "True", "yes"],
            Self::Arn => &[
                "arn:aws:iam::111122223333:role/app",
                "arn:aws:iam::*:role/*",
                "arn:aws:*:*:role/app",
                "arn:aws:iam::111122223333:user/*",
                "arn:*:iam::111122223333:*",
                "arn:aws:iam::111122223333:user/${aws:username}",
                "arn:aws:iam",
            ],
            Self::Binary => &["QUJD", "QUJF"],
        }
    }
}
