//! Policy cases by seed: small worlds in which a pattern often just matches or just misses.

use serde_json::{Map, Value, json};

const ACCOUNTS: [&str; 2] = ["111122223333", "444455556666"];
const ACTIONS: [&str; 8] = [
    "s3:GetObject",
    "s3:PutObject",
    "s3:ListBucket",
    "s3:DeleteObject",
    "sqs:SendMessage",
    "sqs:ReceiveMessage",
    "dynamodb:GetItem",
    "sns:Publish",
];

/// What a key may hold, and the operators that fit it.
const KEYS: [(&str, &[&str], Kind); 9] = [
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
    ("aws:TagKeys", &["team", "cost", "Team"], Kind::Texts),
    (
        "aws:userid",
        &["AIDAEVE", "AROAAPP:work", "AROAAPP:other"],
        Kind::Text,
    ),
];

/// What kind of value a key holds.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Text,
    Texts,
    Address,
    Date,
    Number,
    Truth,
    Arn,
}

impl Kind {
    fn operators(self) -> &'static [&'static str] {
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
        }
    }

    fn patterns(self) -> &'static [&'static str] {
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
                "${aws:PrincipalTag/team}",
                "${aws:username}",
                "${aws:nothing, 'red'}",
            ],
            Self::Texts => &["team", "cost", "*", "t*m", "other"],
            Self::Address => &[
                "192.0.2.0/24",
                "198.51.100.9",
                "0.0.0.0/0",
                "2001:db8::/32",
                "10.0.0.0/8",
            ],
            Self::Date => &[
                "2026-11-22T12:00:00Z",
                "2026-11-22T12:00:00.000Z",
                "2026-11-22",
                "1795348800",
                "2027-01-01T00:00:00Z",
            ],
            Self::Number => &["10", "3600", "100000", "0", "3600.0"],
            Self::Truth => &["true", "false"],
            Self::Arn => &[
                "arn:aws:iam::111122223333:role/app",
                "arn:aws:iam::*:role/*",
                "arn:aws:*:*:role/app",
                "arn:aws:iam::111122223333:user/*",
                "arn:*:iam::111122223333:*",
            ],
        }
    }
}

/// Splitmix64 from a seed and a number.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(sides.max(1)).unwrap_or(1))
            .unwrap_or(0)
    }

    /// True once in so many times.
    fn once_in(&mut self, times: usize) -> bool {
        self.roll(times) == 0
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> Option<T> {
        of.get(self.roll(of.len())).copied()
    }

    fn text(&mut self, of: &[&str]) -> String {
        self.one(of).unwrap_or_default().to_owned()
    }
}

/// The case of a seed and a number.
pub(super) fn case(seed: u64, number: u64) -> Value {
    let dice = &mut Dice(seed.wrapping_mul(1_000_003).wrapping_add(number));
    let mut case = Map::new();
    case.insert("name".to_owned(), json!(format!("random-{seed}-{number}")));
    let principal = principal(dice);
    let session = principal.get("role_arn").is_some();
    let action = dice.text(&ACTIONS);
    let (resource, owner) = resource(dice, &action);
    let foreign = owner != ACCOUNTS.first().copied().unwrap_or_default();
    let request = json!({
        "principal": principal, "action": action, "resource": resource,
        "resource_account": owner, "context": context(dice, session),
    });
    case.insert("request".to_owned(), request);
    case.insert("identity".to_owned(), with_allow(dice, 2));
    if dice.once_in(4) {
        case.insert("boundary".to_owned(), with_allow(dice, 1));
    }
    if session && dice.once_in(3) {
        case.insert("session".to_owned(), documents(dice, 1));
    }
    if foreign || dice.once_in(3) {
        case.insert("resource_policy".to_owned(), document(dice, Some(())));
    }
    if dice.once_in(3) {
        let levels: Vec<Value> = (0..=dice.roll(2)).map(|_| with_allow(dice, 2)).collect();
        case.insert("scps".to_owned(), json!(levels));
    }
    Value::Object(case)
}

fn principal(dice: &mut Dice) -> Value {
    match dice.roll(3) {
        0 => {
            json!({"arn": "arn:aws:iam::111122223333:user/eve", "account": ACCOUNTS.first(), "user_id": "AIDAEVE"})
        }
        1 => {
            json!({"arn": "arn:aws:iam::111122223333:user/team/alice", "account": ACCOUNTS.first(), "user_id": "AIDAALICE"})
        }
        _ => json!({
            "arn": "arn:aws:sts::111122223333:assumed-role/app/work", "account": ACCOUNTS.first(),
            "user_id": "AROAAPP:work", "role_arn": "arn:aws:iam::111122223333:role/app",
        }),
    }
}

fn resource(dice: &mut Dice, action: &str) -> (String, &'static str) {
    let owner = if dice.once_in(4) {
        ACCOUNTS.get(1)
    } else {
        ACCOUNTS.first()
    };
    let owner = owner.copied().unwrap_or_default();
    let arn = match action {
        "s3:ListBucket" => format!("arn:aws:s3:::{}", dice.text(&["data", "logs"])),
        _ if action.starts_with("s3:") => format!(
            "arn:aws:s3:::{}",
            dice.text(&["data/a.txt", "data/eve/b", "logs/x", "data/${x}"])
        ),
        _ if action.starts_with("sqs:") => format!(
            "arn:aws:sqs:us-east-1:{owner}:{}",
            dice.text(&["jobs", "mail"])
        ),
        _ if action.starts_with("sns:") => format!(
            "arn:aws:sns:us-east-1:{owner}:{}",
            dice.text(&["jobs", "mail"])
        ),
        _ => format!(
            "arn:aws:dynamodb:us-east-1:{owner}:table/{}",
            dice.text(&["jobs", "mail"])
        ),
    };
    (arn, owner)
}

fn context(dice: &mut Dice, session: bool) -> Value {
    let mut context = Map::new();
    for (key, values, kind) in KEYS {
        let absent = key == "aws:username" && session || key == "aws:TokenIssueTime" && !session;
        if absent || dice.once_in(3) {
            continue;
        }
        let value = match kind {
            Kind::Texts => json!(
                (0..=dice.roll(2))
                    .map(|_| dice.text(values))
                    .collect::<Vec<_>>()
            ),
            Kind::Text | Kind::Address | Kind::Date | Kind::Number | Kind::Truth | Kind::Arn => {
                json!(dice.text(values))
            }
        };
        context.insert(key.to_owned(), value);
    }
    Value::Object(context)
}

/// Policies of which one often allows all, so that what the others take away shows.
fn with_allow(dice: &mut Dice, most: usize) -> Value {
    let mut policies = documents(dice, most);
    if let Some(list) = policies.as_array_mut().filter(|_| !dice.once_in(3)) {
        let all = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
        list.push(json!({"Version": "2012-10-17", "Statement": [all]}));
    }
    policies
}

fn documents(dice: &mut Dice, most: usize) -> Value {
    Value::Array(
        (0..=dice.roll(most))
            .map(|_| document(dice, None))
            .collect(),
    )
}

/// A policy; with a principal it is a resource's.
fn document(dice: &mut Dice, resource: Option<()>) -> Value {
    let version = if dice.once_in(12) {
        "2008-10-17"
    } else {
        "2012-10-17"
    };
    let statements: Vec<Value> = (0..=dice.roll(3))
        .map(|_| statement(dice, resource))
        .collect();
    json!({"Version": version, "Statement": statements})
}

fn statement(dice: &mut Dice, resource: Option<()>) -> Value {
    let mut statement = Map::new();
    let effect = if dice.once_in(4) { "Deny" } else { "Allow" };
    statement.insert("Effect".to_owned(), json!(effect));
    if resource.is_some() {
        let element = if effect == "Deny" && dice.once_in(4) {
            "NotPrincipal"
        } else {
            "Principal"
        };
        statement.insert(element.to_owned(), principals(dice, element));
    }
    let element = if dice.once_in(6) {
        "NotAction"
    } else {
        "Action"
    };
    statement.insert(
        element.to_owned(),
        some(
            dice,
            &[
                "*",
                "s3:*",
                "s3:Get*",
                "S3:getobject",
                "s3:?utObject",
                "sqs:*",
                "dynamodb:GetItem",
                "sns:P*",
                "s3:ListBucket",
            ],
        ),
    );
    let element = if dice.once_in(6) {
        "NotResource"
    } else {
        "Resource"
    };
    statement.insert(
        element.to_owned(),
        some(
            dice,
            &[
                "*",
                "arn:aws:s3:::data/*",
                "arn:aws:s3:::data",
                "arn:aws:s3:::*",
                "arn:aws:s3:::data/${aws:username}/*",
                "arn:aws:s3:::data/${$}{x}",
                "arn:aws:s3:::dat?/?.txt",
                "arn:aws:sqs:*:*:jobs",
                "arn:aws:sqs:us-east-1:111122223333:*",
                "arn:aws:sns:*:111122223333:m*",
                "arn:aws:dynamodb:us-east-1:*:table/*",
            ],
        ),
    );
    if dice.once_in(2) {
        statement.insert("Condition".to_owned(), condition(dice));
    }
    Value::Object(statement)
}

/// `NotPrincipal` takes no star (reference_policies_elements_notprincipal.html).
fn principals(dice: &mut Dice, element: &str) -> Value {
    match dice.roll(4) + 2 * usize::from(element == "NotPrincipal") {
        0 => json!("*"),
        1 => json!({"AWS": "*"}),
        _ => json!({"AWS": some(dice, &[
            "arn:aws:iam::111122223333:user/eve",
            "arn:aws:iam::111122223333:role/app",
            "arn:aws:iam::111122223333:root",
            "111122223333",
            "arn:aws:iam::444455556666:root",
            "arn:aws:iam::111122223333:user/team/alice",
            "arn:aws:sts::111122223333:assumed-role/app/work",
        ])}),
    }
}

fn some(dice: &mut Dice, of: &[&str]) -> Value {
    match dice.roll(3) {
        0 => json!([dice.text(of), dice.text(of)]),
        _ => json!(dice.text(of)),
    }
}

fn condition(dice: &mut Dice) -> Value {
    let mut condition = Map::new();
    for _ in 0..=dice.roll(2) {
        let Some((key, _, kind)) = dice.one(&KEYS) else {
            continue;
        };
        let (operator, values) = test(dice, kind);
        let block = condition.entry(operator).or_insert_with(|| json!({}));
        if let Some(block) = block.as_object_mut() {
            block.insert(key.to_owned(), values);
        }
    }
    Value::Object(condition)
}

/// An operator with its modifiers, and the values it compares with.
fn test(dice: &mut Dice, kind: Kind) -> (String, Value) {
    if dice.once_in(8) {
        return ("Null".to_owned(), json!(dice.text(&["true", "false"])));
    }
    let mut operator = dice.text(kind.operators());
    if dice.once_in(4) {
        operator.push_str("IfExists");
    }
    if kind == Kind::Texts {
        operator.insert_str(0, &dice.text(&["ForAllValues:", "ForAnyValue:"]));
    }
    (operator, some(dice, kind.patterns()))
}
