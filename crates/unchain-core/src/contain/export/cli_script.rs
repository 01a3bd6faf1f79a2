//! A plan as a shell script of AWS CLI calls.

use super::command::{command, hyphenated, profile, quoted, variable};
use super::{calls, heading, is_account, reference};
use crate::contain::plan::{Action, Call, Phase, Plan, Step, Undo};
use crate::text::terminal;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

const ABOUT: &str = "\
# Each call is made once, in the order of the plan. Unlike `unchain apply`, this script does not look at what is
# there before it changes it, keeps no journal, and does not notice somebody who takes a deny away again. If it
# stops, go on after the last call that worked. What undoes a call stands before it; undo in the reverse order.
#
# The credentials for an account are those of the AWS CLI profile that a variable names, such as
# PROFILE_111122223333; without it those that the AWS CLI finds by itself.
";

/// The script, for bash. Names from a log are quoted; a call that cannot be written so that it means just itself is
/// not in it, and the script says so and stops there.
pub fn write(plan: &Plan) -> String {
    let mut out = String::from("#!/usr/bin/env bash\n");
    comment(&mut out, &heading(plan));
    out.push_str("#\n");
    out.push_str(ABOUT);
    out.push_str("set -euo pipefail\nexport AWS_PAGER=''\n\n");
    guard(&mut out, plan);
    let wanted = references(plan);
    let mut removing = false;
    for step in &plan.steps {
        if step.phase == Phase::Remove && !removing {
            out.push_str(ASK);
            removing = true;
        }
        if let Some(version) = first_version(plan, step) {
            write_call(&mut out, (step.number, &version), None);
        }
        write_step(&mut out, step, wanted.get(&step.number));
    }
    out
}

const ASK: &str = "
printf 'Does no credential of the lineage work any more? Then what it made can go. Type yes: '
read -r answer
[ \"$answer\" = yes ] || exit 1
";

/// The call that deletes the first version of a policy before the policy, as IAM asks for (IAM API Reference,
/// "DeletePolicy"): a plan gives each of its own a second one at most.
fn first_version(plan: &Plan, step: &Step) -> Option<Call> {
    let Action::Call(call) = &step.action else {
        return None;
    };
    let arn = call.parameters.get("PolicyArn");
    let is = |of: &Call, action: &str| {
        let same = of.service == "iam" && of.action == action;
        same && of.parameters.get("PolicyArn") == arn
    };
    let again = calls(plan).any(|(_, other)| is(other, "CreatePolicyVersion"));
    let mut version = call.clone();
    "DeletePolicyVersion".clone_into(&mut version.action);
    let first = ("VersionId".to_owned(), Value::from("v1"));
    version.parameters.extend([first]);
    (again && is(call, "DeletePolicy")).then_some(version)
}

/// A comment stays one line whatever it says.
fn comment(out: &mut String, text: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "# {}", terminal(text));
}

/// Nothing is done too late or in the wrong account.
fn guard(out: &mut String, plan: &Plan) {
    let _ = write!(
        out,
        "if [ \"$(date -u +%s)\" -ge {} ]; then\n  echo 'too late: a token could be newer than the cut-off; plan again' >&2\n  exit 1\nfi\n",
        plan.valid_until.seconds(),
    );
    let accounts: BTreeSet<&str> = calls(plan).map(|(_, call)| call.account.raw()).collect();
    for account in accounts.into_iter().filter(|account| is_account(account)) {
        let profile = profile(account).unwrap_or_default();
        let _ = write!(
            out,
            "if [ \"$(aws {profile} sts get-caller-identity --query Account --output text)\" != {account} ]; then\n  echo 'PROFILE_{account} must name a profile of account {account}' >&2\n  exit 1\nfi\n",
        );
    }
}

/// The members of answers that later calls, or what undoes them, refer to.
fn references(plan: &Plan) -> BTreeMap<u32, BTreeSet<&str>> {
    let mut found: BTreeMap<u32, BTreeSet<&str>> = BTreeMap::new();
    for step in &plan.steps {
        let undo = match &step.undo {
            Undo::Calls(calls) => calls.as_slice(),
            Undo::Nothing | Undo::Never(_) => &[],
        };
        let own = match &step.action {
            Action::Call(call) => Some(call),
            Action::Wait(_) | Action::Verify { .. } => None,
        };
        for call in undo.iter().chain(own) {
            let texts = call.parameters.values().filter_map(|value| value.as_str());
            for (number, members) in texts.filter_map(reference) {
                found.entry(number).or_default().insert(members);
            }
        }
    }
    found
}

fn write_step(out: &mut String, step: &Step, wanted: Option<&BTreeSet<&str>>) {
    out.push('\n');
    // A wait and a look have no target.
    let target = Some(step.target.raw()).filter(|target| !target.is_empty());
    let target = target.map(|target| format!("{target}: "));
    let target = target.unwrap_or_default();
    comment(
        out,
        &format!("Step {}: {target}{}", step.number, step.reason),
    );
    for broken in &step.breaks {
        comment(
            out,
            &format!("  breaks: {} {}", broken.who.raw(), broken.what),
        );
    }
    undo(out, &step.undo);
    match &step.action {
        Action::Call(call) => write_call(out, (step.number, call), wanted),
        Action::Wait(seconds) => {
            let _ = writeln!(out, "sleep {seconds}");
        }
        Action::Verify { after, until } => {
            let text = format!("look for calls after {after}, until {until}: unchain verify");
            comment(out, &format!("  not in this script: {text}"));
        }
    }
}

fn undo(out: &mut String, undo: &Undo) {
    match undo {
        Undo::Calls(calls) => {
            for call in calls {
                let line = line(call).unwrap_or_else(|why| format!("by hand: {why}"));
                comment(out, &format!("  undo: {line}"));
            }
        }
        Undo::Never(why) => comment(out, &format!("  cannot be undone: {why}")),
        Undo::Nothing => {}
    }
}

/// A call as a whole command.
fn line(call: &Call) -> Result<String, &'static str> {
    let profile = profile(call.account.raw()).ok_or("its account is none")?;
    Ok(format!("aws {profile} {}", command(call)?))
}

fn write_call(out: &mut String, (number, call): (u32, &Call), wanted: Option<&BTreeSet<&str>>) {
    let line = match line(call) {
        Ok(line) => line,
        Err(why) => {
            let name = hyphenated(&call.action);
            let what = format!("step {number} ({name}) is not in this script: {why}");
            let what = quoted(&terminal(&what));
            let _ = writeln!(out, "echo {what} >&2\nexit 1");
            return;
        }
    };
    let Some(members) = wanted.filter(|members| !members.is_empty()) else {
        out.push_str(&line);
        out.push('\n');
        return;
    };
    // Text output puts the members of a list on one line, with tabs between them.
    let names: Vec<String> = members.iter().map(|m| variable(number, m)).collect();
    let query: Vec<&str> = members.iter().copied().collect();
    let _ = writeln!(
        out,
        "answer=$({line} --query='[{}]' --output=text)\nread -r {} <<< \"$answer\"",
        query.join(","),
        names.join(" "),
    );
}
