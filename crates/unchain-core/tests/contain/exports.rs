//! Plans for other tools: what a shell and a parser make of them, also where somebody chose the names.

use super::account::Account;
use super::common::{SHOP, STORY, member, now, settings, trail, with_report};
use super::everything::{Journal, Which, before, everything, run, run_back};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::LazyLock;
use unchain_core::contain::{
    Action, Call, Duty, Level, Plan, Removal, Settings, Undo, cli_script, cloudformation,
    permissions, plan, terraform,
};
use unchain_core::text::Untrusted;
use unchain_policy::{Context, Layers, Named, Policy, Principal, Request, evaluate};

/// A plan with service control policies, a managed policy, inline policies and deletions.
fn whole() -> Plan {
    static WHOLE: LazyLock<Plan> = LazyLock::new(make_whole);
    WHOLE.clone()
}

fn make_whole() -> Plan {
    let mut facts = member([]);
    // Alice has no room for another inline policy.
    let alice = facts
        .accounts
        .get_mut(SHOP)
        .unwrap()
        .users
        .get_mut("alice")
        .unwrap();
    let long = json!({"Statement": [{"Sid": "a".repeat(1_900)}]});
    alice.policies.inline.insert("long".to_owned(), long);
    let settings = Settings {
        level: Level::Evict,
        removal: Removal::Remove,
        ..settings()
    };
    let trail = trail(STORY);
    with_report(&trail, |report| {
        plan(report, &facts, &settings, (trail.key("A").unwrap(), now()))
    })
}

fn calls(plan: &Plan) -> Vec<&Call> {
    let calls = plan.steps.iter().filter_map(|step| match &step.action {
        Action::Call(call) => Some(call),
        _ => None,
    });
    calls.collect()
}

/// What a shell makes of a line of words: only quoted text, plain characters and the variables that the script sets.
/// Anything else would be something that a shell could act on.
fn shell_words(line: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut rest) = (Vec::new(), String::new(), line);
    while let Some(c) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix('\'') {
            let (text, after) = after.split_once('\'')?;
            word.push_str(text);
            rest = after;
        } else if let Some(after) = rest.strip_prefix(r"\'") {
            word.push('\'');
            rest = after;
        } else if let Some(after) = rest.strip_prefix("\"$") {
            let (name, after) = after.split_once('"')?;
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if !name.starts_with("step_") || !name.chars().all(plain) {
                return None;
            }
            word.push_str(&format!("<{name}>"));
            rest = after;
        } else if let Some(after) = rest.strip_prefix("${PROFILE_") {
            let account = after.get(..12)?;
            let whole = format!("{account}:+--profile=\"$PROFILE_{account}\"}}");
            rest = after.strip_prefix(whole.as_str())?;
        } else if c == ' ' {
            words.push(std::mem::take(&mut word));
            rest = rest.strip_prefix(c)?;
        } else if c.is_ascii_alphanumeric() || "_=./:,@%+-".contains(c) {
            word.push(c);
            rest = rest.strip_prefix(c)?;
        } else {
            return None;
        }
    }
    words.push(word);
    Some(words)
}

/// The calls of a script, as words; panics at any line that is none of those that a script may have.
fn commands(script: &str) -> Vec<Vec<String>> {
    let fixed = [
        "",
        "set -euo pipefail",
        "export AWS_PAGER=''",
        "  exit 1",
        "exit 1",
        "fi",
        "read -r answer",
        "[ \"$answer\" = yes ] || exit 1",
        "printf 'Does no credential of the lineage work any more? Then what it made can go. Type yes: '",
    ];
    let mut found = Vec::new();
    for line in script.lines() {
        let call = line
            .strip_prefix("answer=$(")
            .and_then(|rest| rest.strip_suffix(')'));
        let call = call.or(line.starts_with("aws ").then_some(line));
        if let Some(call) = call {
            let call = call.replace(" --output=text", "");
            let call = match call.split_once(" --query='[") {
                Some((call, _)) => call.to_owned(),
                None => call,
            };
            let words = shell_words(&call);
            assert!(words.is_some(), "a shell would act on this: {call}");
            found.extend(words);
            continue;
        }
        let begins = [
            "# ",
            "#!",
            "sleep ",
            "if [ \"$(date -u +%s)\" -ge ",
            "if [ \"$(aws ${PROFILE_",
            "read -r step_",
        ];
        let said = line
            .trim_start()
            .strip_prefix("echo ")
            .and_then(|rest| rest.strip_suffix(" >&2"));
        let told = said.is_some_and(|said| shell_words(said).is_some_and(|words| words.len() == 1));
        let known = fixed.contains(&line)
            || line == "#"
            || told
            || begins.iter().any(|b| line.starts_with(b));
        assert!(known, "what is this: {line}");
    }
    found
}

fn value_of<'w>(words: &'w [String], name: &str) -> Option<&'w str> {
    words
        .iter()
        .find_map(|word| word.strip_prefix(&format!("--{name}=")))
}

#[test]
fn a_script_makes_the_calls_of_the_plan_in_their_order() {
    let plan = whole();
    let script = cli_script(&plan);
    let commands = commands(&script);
    assert_eq!(commands.len(), calls(&plan).len());
    for (call, words) in calls(&plan).into_iter().zip(&commands) {
        assert_eq!(
            (words[0].as_str(), words[2].as_str()),
            ("aws", call.service.as_str())
        );
        let action = words[3].replace('-', "");
        assert_eq!(action, call.action.to_lowercase());
        assert_eq!(words.len(), 4 + call.parameters.len(), "{words:?}");
        for name in [
            "UserName",
            "RoleName",
            "PolicyName",
            "AccessKeyId",
            "Status",
        ] {
            let wanted = call.parameters.get(name).and_then(Value::as_str);
            let option: String = name.chars().fold(String::new(), |mut out, c| {
                if c.is_uppercase() && !out.is_empty() {
                    out.push('-');
                }
                out.push(c.to_ascii_lowercase());
                out
            });
            assert_eq!(value_of(words, &option), wanted, "{words:?}");
        }
        if let Some(document) = call.parameters.get("PolicyDocument") {
            let sent: Value =
                serde_json::from_str(value_of(words, "policy-document").unwrap()).unwrap();
            assert_eq!(&sent, document);
        }
    }
    for word in [
        "sleep 60",
        "<<< \"$answer\"",
        "# Step 1: ",
        "undo: aws",
        "\"$step_1_Policy_PolicySummary_Id\"",
    ] {
        assert!(script.contains(word), "{word} is not in\n{script}");
    }
    let (before, after) = script.split_once("read -r answer").unwrap();
    let deletes = |text: &str| {
        text.lines()
            .any(|line| line.contains(" iam delete-user ") && line.starts_with("aws"))
    };
    assert!(deletes(after) && !deletes(before));
}

/// The plan with every text of its calls and steps replaced.
fn with_texts(texts: &[String]) -> Plan {
    let mut plan = whole();
    let mut next = texts.iter().cycle();
    let mut take = || next.next().unwrap().clone();
    for step in &mut plan.steps {
        step.target = Untrusted::new(take());
        step.reason = take();
        let undo = match &mut step.undo {
            Undo::Calls(calls) => calls.as_mut_slice(),
            _ => &mut [],
        };
        let own = match &mut step.action {
            Action::Call(call) => Some(call),
            _ => None,
        };
        for call in undo.iter_mut().chain(own) {
            let members: Map<String, Value> = std::mem::take(&mut call.parameters);
            call.parameters = members
                .into_iter()
                .map(|(name, value)| match value {
                    Value::String(_) => (name, Value::String(take())),
                    Value::Object(_) => (name, json!({take(): [take()], "Ref": take()})),
                    other => (name, other),
                })
                .collect();
        }
    }
    plan
}

fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[a-z'\"$`\\\\;|&<>(){}%!#*?~\n\t -]{0,24}",
        Just("'; rm -rf ~; echo '".to_owned()),
        Just("$(id)".to_owned()),
        Just("--help".to_owned()),
        Just("file:///etc/passwd".to_owned()),
        Just("${1:Policy.Arn}".to_owned()),
        Just("{{resolve:ssm:key}}".to_owned()),
        Just("${file(\"/etc/passwd\")}%{ if true }".to_owned()),
        Just("a\u{202e}b\u{1b}[2J".to_owned()),
    ]
}

/// No `${` or `%{` that Terraform would evaluate, but for references of our own.
fn evaluated(text: &str) -> bool {
    let own = |text: &str| {
        let inner = text
            .strip_prefix("${")
            .and_then(|rest| rest.strip_suffix('}'));
        inner.is_some_and(|inner| {
            let plain = inner
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "._".contains(c));
            plain && (inner.starts_with("var.") || inner.starts_with("aws_"))
        })
    };
    let rest = text.replace("$${", "").replace("%%{", "");
    !own(text) && (rest.contains("${") || rest.contains("%{"))
}

fn texts(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::String(text) => out.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, out)),
        Value::Object(members) => members.values().for_each(|item| texts(item, out)),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_name_leaves_its_place(chosen in proptest::collection::vec(hostile(), 1..12)) {
        let plan = with_texts(&chosen);
        let script = cli_script(&plan);
        for words in commands(&script) {
            for word in &words[4..] {
                let value = word.split_once('=').map_or("", |(_, value)| value);
                let document = serde_json::from_str::<Value>(value).is_ok();
                let known = value.is_empty() || value.starts_with("<step_") || document || chosen.iter().any(|c| c == value);
                prop_assert!(known, "{}", word);
                prop_assert!(!value.starts_with("file://"));
            }
        }
        for text in [cloudformation(&plan), terraform(&plan), script] {
            prop_assert!(text.chars().all(|c| c == '\n' || c == ' ' || c.is_ascii_graphic()) || text.starts_with("#!"));
        }
        let template: Value = serde_json::from_str(&cloudformation(&plan)).unwrap();
        let resources = template["Resources"].to_string();
        prop_assert!(!template.to_string().contains("{{resolve:") && !resources.contains("\"Ref\""));
        let file: Value = serde_json::from_str(&terraform(&plan)).unwrap();
        let mut all = Vec::new();
        for member in ["resource", "provider", "variable"] {
            texts(&file[member], &mut all);
        }
        for text in all {
            prop_assert!(!evaluated(&text), "{}", text);
        }
    }
}

fn attached(plan: &Plan) -> usize {
    let attach = |call: &&&Call| call.action.starts_with("Attach");
    calls(plan).iter().filter(attach).count()
}

#[test]
fn templates_hold_every_policy_and_list_the_rest() {
    let plan = whole();
    let template: Value = serde_json::from_str(&cloudformation(&plan)).unwrap();
    let kinds: BTreeSet<&str> = template["Resources"]
        .as_object()
        .unwrap()
        .values()
        .map(|r| r["Type"].as_str().unwrap())
        .collect();
    let wanted = [
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::RolePolicy",
        "AWS::IAM::UserPolicy",
        "AWS::Organizations::Policy",
    ];
    assert_eq!(kinds, BTreeSet::from(wanted));
    let left: BTreeSet<u64> = template["Metadata"]["NotInThisTemplate"]
        .as_array()
        .unwrap()
        .iter()
        .map(|l| l["Step"].as_u64().unwrap())
        .collect();
    let attached = attached(&plan);
    let resources = template["Resources"].as_object().unwrap();
    assert_eq!(resources.len() + left.len() + attached, plan.steps.len());
    // The document is that of the later cut-off.
    let text = template["Resources"].to_string();
    assert!(text.contains(&plan.cut_off.to_string()));
    for resource in resources.values() {
        let condition = resource["Condition"].as_str().unwrap();
        assert!(
            template["Conditions"].get(condition).is_some(),
            "{condition}"
        );
    }
    let managed = resources
        .values()
        .find(|r| r["Type"] == "AWS::IAM::ManagedPolicy")
        .unwrap();
    assert_eq!(managed["Properties"]["Users"], json!(["alice"]));
    let scp = resources
        .values()
        .find(|r| r["Type"] == "AWS::Organizations::Policy")
        .unwrap();
    assert_eq!(
        (&scp["Properties"]["TargetIds"], &scp["Condition"]),
        (&json!([SHOP]), &json!("Account999999999999"))
    );
}

#[test]
fn terraform_makes_what_cloudformation_makes() {
    let plan = whole();
    let template: Value = serde_json::from_str(&cloudformation(&plan)).unwrap();
    let resources = template["Resources"].as_object().unwrap();
    let left = template["Metadata"]["NotInThisTemplate"]
        .as_array()
        .unwrap();
    let attached = attached(&plan);
    let file: Value = serde_json::from_str(&terraform(&plan)).unwrap();
    let listed = file["//"]["not_in_this_configuration"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(listed, left.len());
    let count = |kind: &str| file["resource"][kind].as_object().map_or(0, Map::len);
    let policies = count("aws_iam_user_policy")
        + count("aws_iam_role_policy")
        + count("aws_iam_policy")
        + count("aws_organizations_policy");
    assert_eq!(policies, resources.len());
    let attachments = count("aws_iam_user_policy_attachment")
        + count("aws_iam_role_policy_attachment")
        + count("aws_organizations_policy_attachment");
    assert_eq!(attachments, attached);
    let keys = file["//"].to_string();
    assert!(keys.contains("aws iam update-access-key"), "{keys}");
}

fn allowed(policy: &Value, (action, resource): (&str, &str), context: &Context) -> bool {
    let policy = Policy::from_value(policy).unwrap();
    // The responder has a role in every account.
    let account = resource.split(':').nth(4).unwrap_or(SHOP);
    let principal = Principal::from_arn(&format!("arn:aws:iam::{account}:role/responder"));
    let layers = Layers {
        identity: vec![Named {
            name: "printed",
            policy: &policy,
        }],
        ..Layers::default()
    };
    let request = Request {
        principal: &principal,
        action,
        resource,
        resource_account: None,
        context,
    };
    evaluate(&request, &layers).word() == "allowed"
}

/// The ARN that a call is about, as AWS would ask.
fn asked(call: &Call) -> (String, Context) {
    let of = |name: &str| call.parameters.get(name).and_then(Value::as_str);
    let account = call.account.raw();
    let iam = |kind: &str, name: &str| format!("arn:aws:iam::{account}:{kind}/{name}");
    let mut context = Context::new();
    if let Some(arn) = of("PolicyArn") {
        context = context.with("iam:PolicyARN", arn);
    }
    let resource = match (call.service.as_str(), call.action.as_str()) {
        ("organizations", "CreatePolicy" | "ListPolicies") | (_, "ListVirtualMFADevices") => {
            "*".to_owned()
        }
        ("organizations", "AttachPolicy" | "DetachPolicy" | "ListPoliciesForTarget") => {
            format!(
                "arn:aws:organizations::{account}:account/o-1/{}",
                of("TargetId").unwrap()
            )
        }
        ("organizations", _) => {
            format!("arn:aws:organizations::{account}:policy/o-1/service_control_policy/p-1")
        }
        ("rolesanywhere", _) => format!(
            "arn:aws:rolesanywhere:{}:{account}:trust-anchor/{}",
            of("region").unwrap(),
            of("trustAnchorId").unwrap()
        ),
        (_, "DeleteVirtualMFADevice") => of("SerialNumber").unwrap().to_owned(),
        (_, "RemoveUserFromGroup") => iam("group", of("GroupName").unwrap()),
        (_, "RemoveRoleFromInstanceProfile" | "GetInstanceProfile") => {
            iam("instance-profile/path", of("InstanceProfileName").unwrap())
        }
        (_, "CreatePolicy") => iam("policy", of("PolicyName").unwrap()),
        _ => match (of("UserName"), of("RoleName")) {
            (Some(user), _) => iam("user", user),
            (_, Some(role)) => iam("role", role),
            _ => ["PolicyArn", "SAMLProviderArn", "OpenIDConnectProviderArn"]
                .into_iter()
                .find_map(of)
                .unwrap()
                .to_owned(),
        },
    };
    (
        resource,
        context.with("organizations:PolicyType", "SERVICE_CONTROL_POLICY"),
    )
}

fn asks_allowed(policy: &Value, call: &Call) {
    let (resource, context) = asked(call);
    let action = format!("{}:{}", call.service, call.action);
    let allowed = allowed(policy, (&action, &resource), &context);
    assert!(allowed, "{action} {resource}\n{policy:#}");
}

fn denies(policy: &Value, actions: &[&str], (resource, context): (&str, &Context)) {
    for action in actions {
        let allowed = allowed(policy, (action, resource), context);
        assert!(!allowed, "{action} {resource}\n{policy:#}");
    }
}

#[test]
fn the_printed_policy_allows_the_calls_of_the_plan() {
    let plan = whole();
    for policy in [Some(&plan), None].map(|plan| permissions(Duty::Apply, plan)) {
        for call in calls(&plan) {
            asks_allowed(&policy, call);
        }
    }
    for policy in [Some(&plan), None].map(|plan| permissions(Duty::Undo, plan)) {
        for step in &plan.steps {
            if let Undo::Calls(calls) = &step.undo {
                calls.iter().for_each(|call| asks_allowed(&policy, call));
            }
        }
    }
}

/// A plan with every action that there is, carried out and taken back.
#[test]
fn the_printed_policy_allows_all_that_carrying_out_and_undoing_asks() {
    let plan = everything(Which::Everything);
    let (mut account, mut journal) = (Account::new(before(), now()), Journal::default());
    run(&plan, &mut journal, &mut account).unwrap();
    journal.verified(&plan);
    run(&plan, &mut journal, &mut account).unwrap();
    let carried_out = std::mem::take(&mut account.calls);
    run_back(&plan, &mut journal, &mut account).unwrap();
    assert!(carried_out.len() > 2 * plan.steps.len() && !account.calls.is_empty());
    for (duty, calls) in [(Duty::Apply, &carried_out), (Duty::Undo, &account.calls)] {
        for policy in [Some(&plan), None].map(|plan| permissions(duty, plan)) {
            calls.iter().for_each(|call| asks_allowed(&policy, call));
        }
    }
}

#[test]
fn the_printed_policy_allows_nothing_else() {
    let plan = whole();
    let both = |duty| [permissions(duty, Some(&plan)), permissions(duty, None)];
    let [apply, any_apply] = both(Duty::Apply);
    let [undo, any_undo] = both(Duty::Undo);
    let read = permissions(Duty::Read, None);
    let own = format!("arn:aws:iam::{SHOP}:user/alice");
    let other = format!("arn:aws:iam::{SHOP}:user/olivia");
    let nothing = Context::new();
    let admin = "arn:aws:iam::aws:policy/AdministratorAccess";
    let admin = Context::new().with("iam:PolicyARN", admin);
    for policy in [&apply, &any_apply, &undo, &any_undo, &read] {
        let minting = [
            "iam:CreateUser",
            "iam:CreateAccessKey",
            "iam:PassRole",
            "sts:AssumeRole",
            "iam:CreateRole",
        ];
        denies(policy, &minting, (&own, &nothing));
        let attach = ["iam:AttachUserPolicy", "iam:AttachRolePolicy"];
        denies(policy, &attach, (&own, &admin));
    }
    let changes = [
        "iam:PutUserPolicy",
        "iam:UpdateAccessKey",
        "iam:DeleteUserPolicy",
    ];
    for policy in [&apply, &undo, &read] {
        denies(policy, &changes, (&other, &nothing));
    }
    denies(&read, &changes, ("*", &nothing));
}

#[test]
fn wildcards_in_names_are_allowed_nothing() {
    let plan = with_texts(&["*".to_owned(), "${aws:username}".to_owned(), "?".to_owned()]);
    for duty in [Duty::Apply, Duty::Undo] {
        let policy = permissions(duty, Some(&plan));
        for statement in policy["Statement"].as_array().unwrap() {
            let actions = statement["Action"].to_string();
            let unbound =
                actions.contains("organizations:") || actions.contains("ListVirtualMFADevices");
            let resources = statement["Resource"].to_string();
            assert!(unbound || !resources.contains('*'), "{statement:#}");
        }
    }
}
