//! Whether a document is a plan that may be carried out at all: it is a file, and could be anybody's.
//!
//! INVARIANT: what passes here calls nothing but the actions of [`super::thing`], each in its phase; denies and never
//! allows in policies of its own name; adds nothing but denies to trust policies; and refers backwards only.

use super::thing::{Kind, Leaves, Rule, SCP_ID, rule};
use crate::contain::plan::{Action, Call, Phase, Plan, Step, Undo};
use crate::deed::listed;
use serde_json::Value;

/// The longest wait that a plan may have, in seconds.
const LONGEST: u32 = 3_600;

/// Why a plan cannot be carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the plan cannot be carried out: step {step}: {why}; make it with `unchain plan`")]
pub struct PlanError {
    /// The place of the step, from 1; 0 for the plan as a whole.
    pub step: u32,
    /// What is wrong.
    pub why: &'static str,
}

/// Checks that a plan can be carried out: that its steps are numbered and in order, and that each does only what a plan
/// of this program may do.
///
/// # Errors
///
/// The first step that does not.
pub fn validate(plan: &Plan) -> Result<(), PlanError> {
    let id = plan.id.len() == 8 && plan.id.bytes().all(|b| b.is_ascii_hexdigit());
    let wrong = |step, why| Err(PlanError { step, why });
    if !id {
        return wrong(0, "its id is not eight hexadecimal digits");
    }
    if !plan.steps.is_sorted_by_key(|step| step.phase) {
        return wrong(0, "its phases are not in order");
    }
    for (place, step) in (1u32..).zip(&plan.steps) {
        let checked = if step.number == place {
            valid(plan, step)
        } else {
            Err("its number is not its place")
        };
        if let Err(why) = checked {
            return wrong(place, why);
        }
    }
    Ok(())
}

type Checked = Result<(), &'static str>;

fn that(holds: bool, why: &'static str) -> Checked {
    if holds { Ok(()) } else { Err(why) }
}

fn valid(plan: &Plan, step: &Step) -> Checked {
    match &step.action {
        Action::Wait(seconds) => that(
            step.phase == Phase::Wait && *seconds <= LONGEST,
            "it waits too long, or where nothing is waited for",
        ),
        Action::Verify { .. } => that(
            step.phase == Phase::Verify,
            "it looks for calls in a phase that changes things",
        ),
        Action::Call(call) => {
            let known = "its action is none that a plan may have";
            let rule = rule(call).ok_or(known)?;
            that(
                rule.phases.contains(&step.phase),
                "its action is of another phase",
            )?;
            members(rule, call)?;
            references(plan, step.number, call)?;
            own(plan, rule, call)?;
            document(rule, call, &step.undo)
        }
    }
}

/// Every member that the action needs is there, in its form, and no other.
fn members(rule: &Rule, call: &Call) -> Checked {
    let account = call.account.raw();
    let digits = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    that(digits, "its account is not twelve digits")?;
    let named = rule.kind.names().iter().copied();
    let creates = call.service == "iam" && call.action == "CreatePolicy";
    let left = match rule.leaves {
        Leaves::Member(name) | Leaves::Document(name) => Some(name),
        _ => None,
    };
    let needed: Vec<&str> = named
        .filter(|_| !creates)
        .chain(left)
        .chain(rule.beside.iter().copied())
        .collect();
    let known = call
        .parameters
        .keys()
        .all(|name| needed.contains(&name.as_str()));
    that(
        known && call.parameters.len() == needed.len(),
        "its request lacks members, or has others",
    )?;
    let sound = call
        .parameters
        .iter()
        .all(|(name, value)| match name.as_str() {
            "PolicyDocument" | "Content" => value.is_object(),
            "SetAsDefault" => *value == Value::Bool(true),
            "Status" => *value == "Inactive",
            "Type" => *value == "SERVICE_CONTROL_POLICY",
            _ => value.as_str().is_some_and(|text| !text.is_empty()),
        });
    that(sound, "a member of its request is not of its form")
}

/// A text of the form `${N:Member.Member}`: the step, and the pointer to the member.
pub(super) fn reference(text: &str) -> Option<(u32, String)> {
    let (step, path) = text
        .strip_prefix("${")?
        .strip_suffix('}')?
        .split_once(':')?;
    Some((step.parse().ok()?, format!("/{}", path.replace('.', "/"))))
}

/// Only the id of a service control policy is referred to, and only after the step that makes it.
fn references(plan: &Plan, number: u32, call: &Call) -> Checked {
    for (name, text) in &call.parameters {
        let Some(text) = text.as_str() else { continue };
        let id = name == "PolicyId";
        that(
            id || !text.contains("${"),
            "a reference stands where none may",
        )?;
        if !id {
            continue;
        }
        let (step, path) = reference(text).ok_or("its policy is no reference to a step")?;
        let made = plan
            .steps
            .iter()
            .find(|made| made.number == step && step < number);
        let made = made.is_some_and(|made| match &made.action {
            Action::Call(call) => rule(call).is_some_and(|rule| rule.kind == Kind::Scp),
            _ => false,
        });
        that(
            made && path == SCP_ID,
            "it refers to a step that gives no such thing",
        )?;
    }
    Ok(())
}

/// Policies that a plan puts or attaches have its name, and so have the managed policies that it deletes.
fn own(plan: &Plan, rule: &Rule, call: &Call) -> Checked {
    let removes = rule.leaves == Leaves::Nothing && rule.kind != Kind::ManagedPolicy;
    if removes || !rule.kind.holds_denies() {
        return Ok(());
    }
    let name = own_name(plan);
    let sound = ["PolicyName", "Name", "PolicyArn"].iter().all(|member| {
        let text = call.parameters.get(*member).and_then(Value::as_str);
        text.is_none_or(|text| {
            let (prefix, last) = text.rsplit_once(":policy/").unwrap_or(("", text));
            last.starts_with(&name) && (*member == "PolicyArn") == prefix.starts_with("arn:")
        })
    });
    that(sound, "its policy has not the name of the plan's own")
}

/// How the names of a plan's own policies begin.
pub(super) fn own_name(plan: &Plan) -> String {
    format!("UnchainContain-{}", plan.id)
}

/// What a plan puts denies; a trust policy keeps of what it allowed at most that.
fn document(rule: &Rule, call: &Call, undo: &Undo) -> Checked {
    let Leaves::Document(name) = rule.leaves else {
        return Ok(());
    };
    let statements = |document: Option<&Value>| -> Vec<Value> {
        let list = document.and_then(|d| d.get("Statement")).map(listed);
        list.unwrap_or_default().into_iter().cloned().collect()
    };
    let new = statements(call.parameters.get(name));
    let kept = match (rule.kind, undo) {
        (Kind::TrustPolicy, Undo::Calls(calls)) => calls
            .iter()
            .filter(|back| back.action == call.action)
            .flat_map(|back| statements(back.parameters.get(name)))
            .collect(),
        _ => Vec::new(),
    };
    let denies = |s: &Value| s.get("Effect").and_then(Value::as_str) == Some("Deny");
    that(
        !new.is_empty() && new.iter().all(|s| denies(s) || kept.contains(s)),
        "its document allows something",
    )
}
