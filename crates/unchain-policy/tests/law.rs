//! Laws of evaluation, over made policies, requests and contexts.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail where the test should"
)]

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};
use unchain_policy::{
    Context, Decision, Known, Layers, Named, Policy, Principal, Request, ResourceKind,
    ResourcePolicy, evaluate,
};

const USER: &str = "arn:aws:iam::111122223333:user/eve";
const ROLE: &str = "arn:aws:iam::111122223333:role/app";
const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/app/eve";
const FEDERATED: &str = "arn:aws:sts::111122223333:federated-user/eve";
const ACCOUNT: &str = "arn:aws:iam::111122223333:root";

/// Keys with values on either side of what the conditions ask.
const KEYS: [(&str, [&str; 3]); 5] = [
    (
        "aws:TokenIssueTime",
        ["2026-03-02T09:00:00Z", "2026-03-02T09:30:00Z", "1772444000"],
    ),
    ("aws:username", ["eve", "bob", ""]),
    (
        "aws:SourceIp",
        ["203.0.113.7", "198.51.100.1", "2001:db8::1"],
    ),
    ("s3:max-keys", ["5", "10", "50"]),
    ("aws:TagKeys", ["Cost", "Team", ""]),
];

fn key() -> impl Strategy<Value = &'static str> {
    select(KEYS.map(|(key, _)| key).to_vec())
}

fn condition() -> impl Strategy<Value = Value> {
    let operator = select(vec![
        "StringEquals",
        "StringNotEqualsIgnoreCase",
        "StringLike",
        "StringNotLike",
        "NumericLessThan",
        "DateLessThan",
        "DateGreaterThanEquals",
        "IpAddress",
        "NotIpAddress",
        "ArnLike",
        "Bool",
    ]);
    let value = select(vec![
        "eve",
        "e*",
        "*",
        "${aws:username}",
        "10",
        "2026-03-02T09:30:00Z",
        "203.0.113.0/24",
        "Team",
        "arn:*:*:*:*:*",
        "true",
    ]);
    let modified = (
        select(vec!["", "ForAllValues:", "ForAnyValue:"]),
        operator,
        select(vec!["", "IfExists"]),
    )
        .prop_map(|(quantifier, operator, presence)| format!("{quantifier}{operator}{presence}"));
    let null = (key(), select(vec!["true", "false"]))
        .prop_map(|(key, absent)| json!({"Null": {key: absent}}));
    let test = (modified, key(), prop::collection::vec(value, 0..3))
        .prop_map(|(operator, key, values)| json!({operator: {key: values}}));
    prop_oneof![1 => null, 5 => test, 3 => Just(json!({}))]
}

fn statement() -> impl Strategy<Value = Value> {
    let action = select(vec!["*", "s3:*", "S3:getobject", "s3:Put*", "ec2:*"]);
    let resource = select(vec![
        "*",
        "arn:aws:s3:::logs/*",
        "arn:aws:s3:::logs/${aws:username}",
        "arn:aws:s3:::other",
    ]);
    let shape = (select(vec!["Allow", "Deny"]), any::<bool>(), any::<bool>());
    (shape, action, resource, condition()).prop_map(
        |((effect, not_action, not_resource), action, resource, condition)| {
            let action_element = if not_action { "NotAction" } else { "Action" };
            let resource_element = if not_resource { "NotResource" } else { "Resource" };
            json!({"Effect": effect, action_element: action, resource_element: resource, "Condition": condition})
        },
    )
}

fn document() -> impl Strategy<Value = Value> {
    let version = select(vec!["2008-10-17", "2012-10-17"]);
    (version, prop::collection::vec(statement(), 1..4))
        .prop_map(|(version, statements)| json!({"Version": version, "Statement": statements}))
}

fn principal_element() -> impl Strategy<Value = Value> {
    let arns = subsequence(vec![USER, ROLE, SESSION, FEDERATED, ACCOUNT, "*"], 1..3);
    prop_oneof![Just(json!("*")), arns.prop_map(|arns| json!({"AWS": arns}))]
}

fn resource_document() -> impl Strategy<Value = Value> {
    (document(), principal_element(), any::<bool>()).prop_map(
        |(mut document, principal, negated)| {
            let element = if negated { "NotPrincipal" } else { "Principal" };
            for statement in document["Statement"].as_array_mut().unwrap() {
                statement[element] = principal.clone();
            }
            document
        },
    )
}

/// All policies of a request, as documents.
#[derive(Debug, Clone)]
struct World {
    identity: Vec<Policy>,
    boundary: Option<Vec<Policy>>,
    session: Option<Vec<Policy>>,
    resource: Option<Policy>,
    kind: ResourceKind,
    scps: Vec<Vec<Policy>>,
    rcps: Vec<Vec<Policy>>,
    principal: Principal,
    resource_account: &'static str,
    context: Context,
}

fn policies() -> impl Strategy<Value = Vec<Policy>> {
    prop::collection::vec(
        document().prop_map(|document| Policy::from_value(&document).unwrap()),
        0..3,
    )
}

fn known(values: [&'static str; 3]) -> impl Strategy<Value = Known> {
    prop_oneof![
        1 => Just(Known::Absent),
        2 => Just(Known::Unknown),
        3 => subsequence(values.to_vec(), 1..3)
            .prop_map(|values| Known::Values(values.into_iter().map(str::to_owned).collect())),
    ]
}

fn context() -> impl Strategy<Value = Context> {
    KEYS.map(|(_, values)| known(values)).prop_map(|all| {
        let keys = KEYS.iter().map(|(key, _)| *key);
        keys.zip(all).fold(Context::new(), |context, (key, known)| {
            context.set(key, known)
        })
    })
}

fn world() -> impl Strategy<Value = World> {
    let kind = select(vec![
        ResourceKind::Ordinary,
        ResourceKind::Trust,
        ResourceKind::Key,
    ]);
    let resource = prop::option::of(
        resource_document().prop_map(|document| Policy::from_value(&document).unwrap()),
    );
    let limits = (
        prop::option::weighted(0.3, policies()),
        prop::option::weighted(0.3, policies()),
    );
    let organization = (
        prop::collection::vec(policies(), 0..2),
        prop::collection::vec(policies(), 0..2),
    );
    let principal = select(vec![USER, SESSION, FEDERATED, ACCOUNT]);
    let asked = (
        principal,
        select(vec!["111122223333", "444455556666"]),
        context(),
    );
    (policies(), limits, resource, kind, organization, asked).prop_map(
        |(
            identity,
            (boundary, session),
            resource,
            kind,
            (scps, rcps),
            (arn, resource_account, context),
        )| World {
            identity,
            boundary,
            session,
            resource,
            kind,
            scps,
            rcps,
            principal: Principal::from_arn(arn),
            resource_account,
            context,
        },
    )
}

fn named(policies: &[Policy]) -> Vec<Named<'_>> {
    policies
        .iter()
        .map(|policy| Named {
            name: "policy",
            policy,
        })
        .collect()
}

impl World {
    fn decide(&self) -> Decision {
        let layers = Layers {
            identity: named(&self.identity),
            boundary: self.boundary.as_deref().map(named),
            session: self.session.as_deref().map(named),
            resource: self.resource.as_ref().map(|policy| ResourcePolicy {
                named: Named {
                    name: "policy",
                    policy,
                },
                kind: self.kind,
            }),
            scps: self.scps.iter().map(|list| named(list)).collect(),
            rcps: self.rcps.iter().map(|list| named(list)).collect(),
        };
        let request = Request {
            principal: &self.principal,
            action: "s3:GetObject",
            resource: "arn:aws:s3:::logs/eve",
            resource_account: Some(self.resource_account),
            context: &self.context,
        };
        evaluate(&request, &layers)
    }

    fn with(&self, key: &str, known: Known) -> Self {
        Self {
            context: self.context.clone().set(key, known),
            ..self.clone()
        }
    }

    /// Every world in which `key` has one of its values, two of them, or is absent.
    fn completions(&self, key: &str) -> Vec<Self> {
        let values = KEYS
            .iter()
            .find(|(name, _)| *name == key)
            .unwrap()
            .1
            .map(str::to_owned);
        let mut all: Vec<Known> = values
            .iter()
            .map(|value| Known::Values(vec![value.clone()]))
            .collect();
        all.extend([Known::Absent, Known::Values(values.to_vec())]);
        all.into_iter().map(|known| self.with(key, known)).collect()
    }

    fn every_list(&mut self) -> Vec<&mut Vec<Policy>> {
        let optional = [&mut self.boundary, &mut self.session]
            .into_iter()
            .flatten();
        let organization = self.scps.iter_mut().chain(&mut self.rcps);
        [&mut self.identity]
            .into_iter()
            .chain(optional)
            .chain(organization)
            .collect()
    }
}

/// The answer without what it cites, which the order of policies may change.
fn gist(decision: &Decision) -> (&'static str, Vec<String>, [bool; 3]) {
    match decision {
        Decision::Depends(depends) => (
            decision.word(),
            depends.keys.iter().cloned().collect(),
            [
                depends.allowed.is_some(),
                depends.explicitly_denied.is_some(),
                depends.implicitly_denied.is_some(),
            ],
        ),
        _ => (decision.word(), Vec::new(), [false; 3]),
    }
}

fn possible(decision: &Decision) -> [bool; 3] {
    match decision {
        Decision::Allowed(_) => [true, false, false],
        Decision::ExplicitlyDenied(_) => [false, true, false],
        Decision::ImplicitlyDenied(_) => [false, false, true],
        Decision::Depends(_) => gist(decision).2,
    }
}

fn reversed(policy: &Policy) -> Policy {
    let mut document = policy.to_json();
    if let Some(statements) = document["Statement"].as_array_mut() {
        statements.reverse();
    }
    Policy::from_value(&document).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, ..ProptestConfig::default() })]

    #[test]
    fn a_deny_added_never_allows_more(world in world(), denied in document(), at in any::<prop::sample::Index>()) {
        let before = possible(&world.decide());
        let mut document = denied;
        for statement in document["Statement"].as_array_mut().unwrap() {
            statement["Effect"] = json!("Deny");
        }
        let mut after = world;
        let mut lists = after.every_list();
        let list = at.index(lists.len());
        lists[list].push(Policy::from_value(&document).unwrap());
        let decision = after.decide();
        prop_assert!(before[0] || !possible(&decision)[0], "{decision:?}");
        prop_assert!(before != [false, true, false] || possible(&decision) == before, "{decision:?}");
    }

    #[test]
    fn order_does_not_matter(world in world()) {
        let mut other = world.clone();
        for list in other.every_list() {
            list.reverse();
            list.iter_mut().for_each(|policy| *policy = reversed(policy));
        }
        other.resource = other.resource.as_ref().map(reversed);
        prop_assert_eq!(gist(&world.decide()), gist(&other.decide()));
    }

    #[test]
    fn knowing_more_never_contradicts(world in world()) {
        let decision = world.decide();
        let may = possible(&decision);
        let unknown = KEYS.map(|(key, _)| key).into_iter().filter(|key| *world.context.get(key) == Known::Unknown);
        for key in unknown {
            for completed in world.completions(key) {
                let then = completed.decide();
                let within = possible(&then).iter().zip(may).all(|(then, may)| may || !then);
                prop_assert!(within, "{key}: {decision:?} then {then:?}");
            }
        }
    }

    #[test]
    fn a_key_that_is_not_told_does_not_matter(world in world()) {
        let decision = world.decide();
        let told = gist(&decision).1;
        for (key, _) in KEYS {
            if *world.context.get(key) == Known::Unknown && !told.iter().any(|each| each == key) {
                for completed in world.completions(key) {
                    prop_assert_eq!(gist(&completed.decide()), gist(&decision), "{}", key);
                }
            }
        }
    }

    #[test]
    fn what_is_printed_reads_as_the_same_policy(document in prop_oneof![document(), resource_document()]) {
        let policy = Policy::from_value(&document).unwrap();
        let printed = policy.to_json();
        prop_assert_eq!(&Policy::parse(&printed.to_string()).unwrap(), &policy);
        prop_assert_eq!(Policy::from_value(&printed).unwrap().to_json(), printed);
    }
}

/// Conditions on one unknown key each, whose two sides its values reach.
fn decisive() -> impl Strategy<Value = Value> {
    select(vec![
        json!({"DateLessThan": {"aws:TokenIssueTime": "2026-03-02T09:30:00Z"}}),
        json!({"DateGreaterThan": {"aws:TokenIssueTime": "1772443800"}}),
        json!({"Null": {"aws:TokenIssueTime": "true"}}),
        json!({"StringLike": {"aws:username": "e*"}}),
        json!({"StringNotEqualsIfExists": {"aws:username": "bob"}}),
        json!({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}),
        json!({"NotIpAddress": {"aws:SourceIp": ["203.0.113.0/24", "198.51.100.0/24"]}}),
        json!({"NumericGreaterThanEquals": {"s3:max-keys": 10}}),
        json!({"ForAllValues:StringEquals": {"aws:TagKeys": ["Cost"]}}),
        json!({"ForAnyValue:StringLike": {"aws:TagKeys": ["T*"]}}),
    ])
}

proptest! {
    #[test]
    fn a_key_that_decides_alone_gives_each_answer_that_is_left(
        condition in decisive(),
        effect in select(vec!["Allow", "Deny"]),
        granted in any::<bool>(),
    ) {
        let parse = |statement: Value| Policy::from_value(&json!({"Statement": statement})).unwrap();
        let mut identity = vec![parse(json!({"Effect": effect, "Action": "*", "Resource": "*", "Condition": condition}))];
        if granted && effect == "Deny" {
            identity.push(parse(json!({"Effect": "Allow", "Action": "*", "Resource": "*"})));
        }
        let world = World {
            identity,
            boundary: None,
            session: None,
            resource: None,
            kind: ResourceKind::Ordinary,
            scps: Vec::new(),
            rcps: Vec::new(),
            principal: Principal::from_arn(SESSION),
            resource_account: "111122223333",
            context: Context::new().others_unknown(),
        };
        let decision = world.decide();
        let Decision::Depends(depends) = &decision else {
            return Err(TestCaseError::fail(format!("{decision:?}")));
        };
        prop_assert_eq!(depends.keys.len(), 1);
        let mut reached = [false; 3];
        for completed in world.completions(depends.keys.first().unwrap()) {
            for (reached, possible) in reached.iter_mut().zip(possible(&completed.decide())) {
                *reached |= possible;
            }
        }
        prop_assert_eq!(reached, possible(&decision));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        if let Ok(policy) = Policy::parse(&text) {
            prop_assert_eq!(Policy::from_value(&policy.to_json()).unwrap(), policy);
        }
    }
}
