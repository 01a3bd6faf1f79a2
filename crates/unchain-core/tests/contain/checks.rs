//! One plan for each thing that speaks against a plan.

use super::common::{NOW, SHOP, STORY, facts, keys, now, seed_plan, settings, trail, with_report};
use serde_json::{Map, Value, json};
use unchain_core::contain::{
    Action, Call, Facts, Note, Organization, Phase, Plan, ScpLevel, Settings, Severity, check,
    locked_out, plan,
};
use unchain_core::text::Untrusted;
use unchain_core::time::Timestamp;

fn notes(plan: &Plan, facts: &Facts, at: Timestamp) -> Vec<Note> {
    with_report(&trail(STORY), |report| check(plan, report, facts, at))
}

fn seed() -> Plan {
    let trail = trail(STORY);
    with_report(&trail, |report| seed_plan(report, &trail, &settings()))
}

/// The notes of one kind about a sound plan whose first deny is this call instead.
fn with_call(
    (service, action): (&str, &str),
    parameters: Value,
    facts: &Facts,
) -> Vec<(Severity, &'static str)> {
    let mut plan = seed();
    let before: Vec<Note> = notes(&plan, facts, now());
    let deny = |step: &&mut unchain_core::contain::Step| step.phase == Phase::Deny;
    let step = plan.steps.iter_mut().find(deny).unwrap();
    let Value::Object(parameters) = parameters else {
        return Vec::new();
    };
    step.target = Untrusted::new("of the test");
    step.action = call((service, action), parameters);
    let new = notes(&plan, facts, now());
    let new = new.into_iter().filter(|note| !before.contains(note));
    new.map(|note| (note.severity, note.code)).collect()
}

fn call((service, action): (&str, &str), parameters: Map<String, Value>) -> Action {
    Action::Call(Call {
        service: service.to_owned(),
        action: action.to_owned(),
        account: Untrusted::new(SHOP),
        parameters,
    })
}

/// A document of so many characters.
fn long(characters: usize) -> Value {
    let empty = json!({"Version": "2012-10-17", "Statement": [], "Id": ""});
    let more = characters - empty.to_string().len();
    json!({"Version": "2012-10-17", "Statement": [], "Id": "x".repeat(more)})
}

const REFUSED: (Severity, &str) = (Severity::Refuse, "quota");

/// docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html.
#[test]
fn one_character_more_than_iam_allows_is_refused() {
    let facts = facts();
    let held = |document: &Value| document.to_string().len();
    let account = &facts.accounts[SHOP];
    let user: usize = account.users["bob"]
        .policies
        .inline
        .values()
        .map(held)
        .sum();
    let role: usize = account.roles["deploy"]
        .policies
        .inline
        .values()
        .map(held)
        .sum();
    type Case = (&'static str, &'static str, &'static str, usize);
    let cases: [Case; 3] = [
        ("PutUserPolicy", "UserName", "bob", 2_048 - user),
        ("PutRolePolicy", "RoleName", "deploy", 10_240 - role),
        ("CreatePolicy", "Description", "", 6_144),
    ];
    for (action, member, name, room) in cases {
        let said = |size: usize| {
            let asked = json!({member: name, "PolicyName": "more", "PolicyDocument": long(size)});
            with_call(("iam", action), asked, &facts).contains(&REFUSED)
        };
        assert!(!said(room), "{action} of {room} characters");
        assert!(said(room + 1), "{action} of {room} characters and one");
    }
}

#[test]
fn an_eleventh_attached_policy_is_refused() {
    let said = |count: usize| {
        let mut facts = facts();
        let bob = facts
            .accounts
            .get_mut(SHOP)
            .unwrap()
            .users
            .get_mut("bob")
            .unwrap();
        bob.policies.attached = (0..count)
            .map(|n| format!("arn:aws:iam::aws:policy/p{n}"))
            .collect();
        let asked = json!({"UserName": "bob", "PolicyArn": "arn:aws:iam::aws:policy/AWSDenyAll"});
        with_call(("iam", "AttachUserPolicy"), asked, &facts).contains(&REFUSED)
    };
    assert!(!said(9) && said(10));
}

/// docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html; white space counts there.
#[test]
fn a_long_or_sixth_service_control_policy_is_refused() {
    let create = |size| {
        let asked =
            json!({"Name": "more", "Type": "SERVICE_CONTROL_POLICY", "Content": long(size)});
        with_call(("organizations", "CreatePolicy"), asked, &facts()).contains(&REFUSED)
    };
    assert!(!create(5_120) && create(5_121));
    // Somebody attached others since the plan was made.
    let attached = |count: usize| {
        let own = ScpLevel {
            target: SHOP.to_owned(),
            policies: (0..count).map(|n| (format!("p-{n}"), json!({}))).collect(),
        };
        let mut facts = facts();
        facts.organization = Some(Organization {
            management_account: "999999999999".to_owned(),
            scps: [(SHOP.to_owned(), vec![own])].into(),
        });
        facts
    };
    let trail = trail(STORY);
    with_report(&trail, |report| {
        let asked = (trail.key("A").unwrap(), now());
        let plan = plan(report, &attached(1), &settings(), asked);
        assert_eq!(plan.steps.first().unwrap().phase, Phase::Organization);
        let refused = |count| {
            let notes = check(&plan, report, &attached(count), now());
            has(&notes, Severity::Refuse, "quota")
        };
        assert!(!refused(4) && refused(5));
    });
}

#[test]
fn a_long_trust_policy_is_told() {
    let said = |size| {
        let asked = json!({"RoleName": "deploy", "PolicyDocument": long(size)});
        with_call(("iam", "UpdateAssumeRolePolicy"), asked, &facts())
    };
    assert!(!said(2_048).contains(&(Severity::Warn, "quota")));
    assert!(said(2_049).contains(&(Severity::Warn, "quota")));
}

#[test]
fn a_role_that_iam_does_not_let_change_is_refused() {
    for (name, refused) in [
        ("AWSServiceRoleForSupport", true),
        ("AWSReservedSSO_ReadOnly_0123456789abcdef", true),
        ("deploy", false),
    ] {
        let asked = json!({"RoleName": name, "PolicyName": "p", "PolicyDocument": long(200)});
        let said = with_call(("iam", "PutRolePolicy"), asked, &facts());
        let is_refused = said.contains(&(Severity::Refuse, "service-linked"));
        assert_eq!(is_refused, refused, "{name}: {said:?}");
    }
}

fn has(notes: &[Note], severity: Severity, code: &str) -> bool {
    notes
        .iter()
        .any(|n| n.severity == severity && n.code == code)
}

#[test]
fn steps_out_of_their_order_are_refused() {
    let mut plan = seed();
    assert!(!has(
        &notes(&plan, &facts(), now()),
        Severity::Refuse,
        "order"
    ));
    plan.steps.reverse();
    assert!(has(
        &notes(&plan, &facts(), now()),
        Severity::Refuse,
        "order"
    ));
}

#[test]
fn accounts_that_were_read_again_or_in_part_are_told() {
    let (plan, mut other) = (seed(), facts());
    let told = |facts: &Facts, code| has(&notes(&plan, facts, now()), Severity::Warn, code);
    assert!(!told(&other, "other-facts") && !told(&other, "unread"));
    other.unread.insert("organizations".to_owned());
    assert!(told(&other, "unread"));
    other.accounts.get_mut(SHOP).unwrap().users.remove("bob");
    assert!(told(&other, "other-facts"));
}

#[test]
fn a_pivot_that_means_nothing_is_refused() {
    let trail = trail(STORY);
    let at = Timestamp::parse(NOW).unwrap();
    with_report(&trail, |report| {
        let plan = plan(report, &facts(), &settings(), ("AKIAIOSFODNN7EXAMPLE", at));
        assert!(plan.steps.is_empty());
        assert!(has(
            &check(&plan, report, &facts(), at),
            Severity::Refuse,
            "empty"
        ));
    });
}

#[test]
fn a_plan_that_looks_after_nobody_is_told() {
    let mut plan = seed();
    plan.settings.exempt.clear();
    assert!(has(
        &notes(&plan, &facts(), now()),
        Severity::Warn,
        "no-exemption"
    ));
}

/// Whoever carries a plan out may be another than who made it.
#[test]
fn who_would_be_denied_is_told_from_who_would_not() {
    let plan = seed();
    let named = |name: &str| Untrusted::new(format!("arn:aws:iam::{SHOP}:{name}"));
    let session = format!("arn:aws:sts::{SHOP}:assumed-role/customer-data-admin/me");
    let keep = [
        named("user/alice"),
        named("user/olivia"),
        named("role/deploy"),
        Untrusted::new(session),
    ];
    let out = locked_out(&plan, &keep);
    let out: Vec<&str> = out.iter().map(|owner| owner.name.raw()).collect();
    assert_eq!(out, ["alice", "customer-data-admin"]);
}

#[test]
fn who_is_not_exempt_is_locked_out_of_an_account_that_is_frozen() {
    let own = ScpLevel {
        target: SHOP.to_owned(),
        policies: [("p-1".to_owned(), json!({}))].into(),
    };
    let mut facts = facts();
    facts.organization = Some(Organization {
        management_account: "999999999999".to_owned(),
        scps: [(SHOP.to_owned(), vec![own])].into(),
    });
    let trail = trail(STORY);
    let out = |freeze| {
        let settings = Settings {
            freeze,
            ..settings()
        };
        let asked = (trail.key("A").unwrap(), now());
        let plan = with_report(&trail, |report| plan(report, &facts, &settings, asked));
        let keep = ["deploy", "olivia"];
        let arns = [
            format!("arn:aws:iam::{SHOP}:role/deploy"),
            format!("arn:aws:iam::{SHOP}:user/olivia"),
        ];
        let out = locked_out(&plan, &arns.map(Untrusted::new));
        keep.map(|name| out.iter().any(|owner| owner.name.raw() == name))
    };
    assert_eq!(out(false), [false, false]);
    assert_eq!(out(true), [true, false]);
}

/// Root made everybody: who is named as exempt is not climbed to, and is no reason to refuse.
#[test]
fn a_lineage_that_root_began_ends_below_root_where_root_is_exempt() {
    let trail = trail(
        "day 2026-03-02\nregion us-east-1\naccount 111122223333 as shop\nroot owner in shop key OWNER\n\
         08:00 OWNER CreateUser olivia\n08:01 OWNER CreateAccessKey olivia -> OLIVIA\n\
         08:02 OWNER CreateUser alice\n08:03 OWNER CreateAccessKey alice -> A\n\
         09:00 A GetSessionToken -> B\n",
    );
    let root = format!("arn:aws:iam::{SHOP}:root");
    let mut spared = settings();
    with_report(&trail, |report| {
        let planned = |settings: &Settings| {
            plan(report, &facts(), settings, (trail.key("B").unwrap(), now()))
        };
        let refusals = |plan: &Plan| {
            let notes = check(plan, report, &facts(), now()).into_iter();
            notes
                .filter(|note| note.severity == Severity::Refuse)
                .map(|note| note.code)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            refusals(&planned(&spared)),
            ["locks-out"],
            "olivia is root's"
        );
        spared.exempt.push(Untrusted::new(root));
        let plan = planned(&spared);
        let ends = ["A", "B"].map(|label| trail.key(label).unwrap().to_owned());
        assert_eq!(keys(&plan), ends.into());
        assert_eq!(refusals(&plan), [""; 0]);
        let warned = check(&plan, report, &facts(), now());
        let reach = warned
            .iter()
            .find(|note| note.code == "exempt-in-reach" && note.about.raw().ends_with(":root"));
        assert_eq!(reach, None, "nobody takes root by IAM");
    });
}
