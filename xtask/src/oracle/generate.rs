//! Policy cases by seed.

use super::vocabulary::{
    ACTION_PATTERNS, ACTIONS, KEYS, Kind, OTHER, OWN, PRINCIPALS, RCP_ACTIONS, RESOURCE_PATTERNS,
    TRUST_ACTIONS,
};
use serde_json::{Map, Value, json};

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

    /// One of them, or a list of two.
    fn some(&mut self, of: &[&str]) -> Value {
        match self.roll(3) {
            0 => json!([self.text(of), self.text(of)]),
            _ => json!(self.text(of)),
        }
    }
}

/// Who asks.
#[derive(Clone, Copy, PartialEq)]
enum Caller {
    Eve,
    Alice,
    Session,
    Federated,
    Root,
    Service,
    Anonymous,
}

impl Caller {
    fn of(dice: &mut Dice) -> Self {
        match dice.roll(16) {
            0..=3 => Self::Eve,
            4..=6 => Self::Alice,
            7..=11 => Self::Session,
            12 => Self::Federated,
            13 => Self::Root,
            14 => Self::Service,
            _ => Self::Anonymous,
        }
    }

    fn principal(self) -> Value {
        match self {
            Self::Eve => json!({"arn": "arn:aws:iam::111122223333:user/eve", "user_id": "AIDAEVE"}),
            Self::Alice => {
                json!({"arn": "arn:aws:iam::111122223333:user/team/alice", "user_id": "AIDAALICE"})
            }
            Self::Session => json!({
                "arn": "arn:aws:sts::111122223333:assumed-role/app/work", "user_id": "AROAAPP:work",
                "role_arn": "arn:aws:iam::111122223333:role/app",
            }),
            Self::Federated => json!({
                "arn": "arn:aws:sts::111122223333:federated-user/bob",
                "role_arn": "arn:aws:iam::111122223333:user/eve",
            }),
            Self::Root => json!({"arn": "arn:aws:iam::111122223333:root"}),
            Self::Service => json!({"service": "cloudtrail.amazonaws.com"}),
            Self::Anonymous => json!({}),
        }
    }

    fn has_identity(self) -> bool {
        !matches!(self, Self::Service | Self::Anonymous)
    }
}

/// The case of a seed and a number.
pub(super) fn case(seed: u64, number: u64) -> Value {
    let dice = &mut Dice(seed.wrapping_mul(1_000_003).wrapping_add(number));
    let caller = Caller::of(dice);
    let action = dice.text(&ACTIONS);
    let (resource, owner) = resource(dice, &action);
    let request = json!({
        "principal": caller.principal(), "action": action, "resource": resource,
        "resource_account": owner, "context": context(dice, caller, &action),
    });
    let mut case = Map::new();
    case.insert("name".to_owned(), json!(format!("random-{seed}-{number}")));
    case.insert("request".to_owned(), request);
    if caller.has_identity() {
        give_identity(&mut case, caller, dice);
    }
    if action == "sts:AssumeRole" {
        let trust = document(dice, Role::Trust);
        case.insert("trust_policy".to_owned(), trust);
    } else if owner != OWN || !caller.has_identity() || dice.once_in(3) {
        let policy = document(dice, Role::Resource);
        case.insert("resource_policy".to_owned(), policy);
    }
    if dice.once_in(6) {
        case.insert("rcps".to_owned(), rcps(dice));
    }
    Value::Object(case)
}

/// What limits and gives permissions on the caller's side.
fn give_identity(case: &mut Map<String, Value>, caller: Caller, dice: &mut Dice) {
    case.insert("identity".to_owned(), with_allow(dice, 2));
    if dice.once_in(4) && caller != Caller::Root {
        case.insert("boundary".to_owned(), with_allow(dice, 1));
    }
    let session = caller == Caller::Session && dice.once_in(3);
    if session || caller == Caller::Federated && !dice.once_in(8) {
        case.insert("session".to_owned(), of_one_version(with_allow(dice, 1)));
    }
    if dice.once_in(3) {
        let levels: Vec<Value> = (0..=dice.roll(3)).map(|_| with_allow(dice, 2)).collect();
        case.insert("scps".to_owned(), json!(levels));
    }
}

/// Resource control policies only deny; every level has the one that AWS attaches.
fn rcps(dice: &mut Dice) -> Value {
    let all = json!({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"});
    let levels = (0..=dice.roll(2)).map(|_| {
        let mut level = vec![json!({"Version": "2012-10-17", "Statement": [all]})];
        level.extend((0..dice.roll(2)).map(|_| document(dice, Role::Rcp)));
        json!(level)
    });
    Value::Array(levels.collect())
}

fn resource(dice: &mut Dice, action: &str) -> (String, &'static str) {
    let owner = if dice.once_in(4) { OTHER } else { OWN };
    let queues = &["jobs", "mail"];
    let arn = match action.split_once(':').unwrap_or_default() {
        ("s3", "ListBucket") => format!("arn:aws:s3:::{}", dice.text(&["data", "logs"])),
        ("s3", _) => {
            let objects = &["data/a.txt", "data/eve/b", "logs/x", "data/${x}"];
            format!("arn:aws:s3:::{}", dice.text(objects))
        }
        ("sts", _) => format!(
            "arn:aws:iam::{owner}:role/{}",
            dice.text(&["target", "app"])
        ),
        ("dynamodb", _) => format!(
            "arn:aws:dynamodb:us-east-1:{owner}:table/{}",
            dice.text(queues)
        ),
        (service, _) => format!("arn:aws:{service}:us-east-1:{owner}:{}", dice.text(queues)),
    };
    (arn, owner)
}

fn context(dice: &mut Dice, caller: Caller, action: &str) -> Value {
    let mut context = Map::new();
    for (key, values, kind) in KEYS {
        let absent = match key {
            "aws:username" => !matches!(caller, Caller::Eve | Caller::Alice),
            "aws:TokenIssueTime" => caller != Caller::Session,
            _ => key.starts_with("sts:") && action != "sts:AssumeRole",
        };
        if absent || dice.once_in(3) {
            continue;
        }
        let value = match kind {
            Kind::Texts => (0..=dice.roll(2)).map(|_| dice.text(values)).collect(),
            _ => json!(dice.text(values)),
        };
        context.insert(key.to_owned(), value);
    }
    Value::Object(context)
}

/// Policies of which one often allows all, so that what the others take away shows.
fn with_allow(dice: &mut Dice, most: usize) -> Value {
    let mut policies: Vec<Value> = (0..=dice.roll(most))
        .map(|_| document(dice, Role::Identity))
        .collect();
    if !dice.once_in(3) {
        let all = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
        policies.push(json!({"Version": "2012-10-17", "Statement": [all]}));
    }
    Value::Array(policies)
}

/// The oracle takes one session policy, into which several are put together.
fn of_one_version(mut policies: Value) -> Value {
    for policy in policies.as_array_mut().into_iter().flatten() {
        if let Some(version) = policy.get_mut("Version") {
            *version = json!("2012-10-17");
        }
    }
    policies
}

/// What a policy is for.
#[derive(Clone, Copy, PartialEq)]
enum Role {
    Identity,
    Resource,
    Trust,
    Rcp,
}

fn document(dice: &mut Dice, role: Role) -> Value {
    let old = role != Role::Rcp && dice.once_in(12);
    let version = if old { "2008-10-17" } else { "2012-10-17" };
    let statements: Vec<Value> = (0..=dice.roll(3)).map(|_| statement(dice, role)).collect();
    json!({"Version": version, "Statement": statements})
}

fn statement(dice: &mut Dice, role: Role) -> Value {
    let mut statement = Map::new();
    let denies = role == Role::Rcp || dice.once_in(3);
    let effect = if denies { "Deny" } else { "Allow" };
    statement.insert("Effect".to_owned(), json!(effect));
    match role {
        Role::Identity => {}
        Role::Rcp => {
            statement.insert("Principal".to_owned(), json!("*"));
        }
        Role::Resource | Role::Trust => {
            let negated = denies && dice.once_in(4);
            let element = if negated { "NotPrincipal" } else { "Principal" };
            statement.insert(element.to_owned(), principals(dice, negated));
        }
    }
    let actions: &[&str] = match role {
        Role::Identity | Role::Resource => &ACTION_PATTERNS,
        Role::Trust => &TRUST_ACTIONS,
        Role::Rcp => &RCP_ACTIONS,
    };
    let negated = role != Role::Rcp && dice.once_in(6);
    let element = if negated { "NotAction" } else { "Action" };
    statement.insert(element.to_owned(), dice.some(actions));
    if role != Role::Trust {
        let element = if dice.once_in(6) {
            "NotResource"
        } else {
            "Resource"
        };
        statement.insert(element.to_owned(), dice.some(&RESOURCE_PATTERNS));
    }
    if dice.once_in(2) {
        statement.insert("Condition".to_owned(), condition(dice));
    }
    Value::Object(statement)
}

/// `NotPrincipal` takes no star (reference_policies_elements_notprincipal.html).
fn principals(dice: &mut Dice, negated: bool) -> Value {
    match dice.roll(6) + 3 * usize::from(negated) {
        0 => json!("*"),
        1 => json!({"AWS": "*"}),
        2 => json!({"Service": "cloudtrail.amazonaws.com", "AWS": dice.some(&PRINCIPALS)}),
        _ => json!({"AWS": dice.some(&PRINCIPALS)}),
    }
}

fn condition(dice: &mut Dice) -> Value {
    let mut condition = Map::new();
    for _ in 0..=dice.roll(2) {
        let Some((key, _, kind)) = dice.one(&KEYS) else {
            continue;
        };
        let key = match dice.roll(8) {
            0 => key.to_lowercase(),
            1 => key.to_uppercase(),
            _ => key.to_owned(),
        };
        let (operator, values) = test(dice, kind);
        let block = condition.entry(operator).or_insert_with(|| json!({}));
        if let Some(block) = block.as_object_mut() {
            block.insert(key, values);
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
    if kind == Kind::Texts || dice.once_in(8) {
        operator.insert_str(0, &dice.text(&["ForAllValues:", "ForAnyValue:"]));
    }
    (operator, dice.some(kind.patterns()))
}
