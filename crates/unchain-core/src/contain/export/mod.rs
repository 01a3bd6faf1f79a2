//! A plan in the forms of other tools, and the permissions that it needs. Every writer is a pure function of the plan.
//!
//! A plan holds names that somebody else chose. What a form cannot hold for sure as plain text is not written in it,
//! but said to be left out.

mod changes;
mod cli_script;
mod cloudformation;
mod command;
mod held;
mod permissions;
mod terraform;

pub use cli_script::write as cli_script;
pub use cloudformation::write as cloudformation;
pub use permissions::{Duty, permissions};
pub use terraform::write as terraform;

use super::plan::{Action, Call, Plan, Step};
use crate::text::terminal;
use serde_json::Value;
use std::fmt::Write as _;

/// The steps that are calls.
fn calls(plan: &Plan) -> impl Iterator<Item = (&Step, &Call)> {
    plan.steps.iter().filter_map(|step| match &step.action {
        Action::Call(call) => Some((step, call)),
        Action::Wait(_) | Action::Verify { .. } => None,
    })
}

/// A member of a call that is text.
fn text<'c>(call: &'c Call, name: &str) -> &'c str {
    call.parameters
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// `${N:Member.Member}`: a member of the answer to step N.
fn reference(text: &str) -> Option<(u32, &str)> {
    let (number, members) = text
        .strip_prefix("${")?
        .strip_suffix('}')?
        .split_once(':')?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '.';
    let sound = !members.is_empty() && members.chars().all(plain);
    number
        .parse()
        .ok()
        .filter(|_| sound)
        .map(|number| (number, members))
}

/// Whether a text is one line that shows all that it holds.
fn is_plain(text: &str) -> bool {
    terminal(text) == text
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// JSON in which all that is not printable ASCII is written `\uXXXX`: it means the same and hides nothing.
fn ascii(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c == '\n' || c == ' ' || c.is_ascii_graphic() {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\u{unit:04x}");
        }
    }
    out
}

/// A value on one line.
fn compact(value: &Value) -> String {
    ascii(&value.to_string())
}

/// A value over several lines, with a line break at its end.
fn pretty(value: &Value) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string());
    ascii(&text) + "\n"
}

/// What stands at the head of each form.
fn heading(plan: &Plan) -> String {
    let digest = super::document::digest(plan).unwrap_or_default();
    format!(
        "Containment plan {}, digest {digest}, made at {}.",
        plan.id, plan.made_at
    )
}
