//! Systems Manager as far as an instance's agent reports, parameters are read and commands are sent: Parameter Store,
//! managed nodes, Run Command and Session Manager. Nothing is run: a command succeeds at once and prints nothing, and
//! a session's stream leads nowhere.

mod command;
mod node;
mod parameter;
mod session;

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::call::{Call, Fault};
use crate::operation::{Ask, Event, Operation, Permission};
use crate::service::Service;

pub use command::Command;
pub use node::Node;
pub use parameter::Parameter;
pub use session::ShellSession;

/// The state of Systems Manager.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    /// Parameters by ARN.
    pub parameters: BTreeMap<String, Parameter>,
    /// Managed nodes by the ARN of their instance.
    pub nodes: BTreeMap<String, Node>,
    /// The last commands, oldest first.
    pub commands: VecDeque<Command>,
    /// The last sessions, oldest first.
    pub sessions: VecDeque<ShellSession>,
}

/// How many commands, and how many sessions, are remembered.
const REMEMBERED: usize = 1000;

/// Adds to a list that forgets its oldest.
fn remember<T>(list: &mut VecDeque<T>, new: T) {
    if list.len() >= REMEMBERED {
        list.pop_front();
    }
    list.push_back(new);
}

fn error(code: &str, message: impl Into<String>) -> Fault {
    Fault::api(400, code, message)
}

/// `arn:aws:ssm:…` of the caller's account and region.
fn own(call: &Call<'_>, resource: &str) -> String {
    format!(
        "arn:aws:ssm:{}:{}:{resource}",
        call.region, call.caller.account
    )
}

/// What lists are asked on: everything of the account and region.
fn on_all(call: &Call<'_>, action: &str) -> Result<Vec<Ask>, Fault> {
    Ok(vec![Ask::on(action, own(call, "*"))])
}

/// The rows of one page, in the order of their keys: up to `MaxResults`, behind the key that `NextToken` is. Gives the
/// next token too.
fn page<T>(
    call: &Call<'_>,
    rows: impl Iterator<Item = (String, T)>,
) -> Result<(Vec<T>, Option<String>), Fault> {
    const MOST: i64 = 50;
    let most = call.number("MaxResults")?.unwrap_or(MOST);
    if !(1..=MOST).contains(&most) {
        let message = format!("Value '{most}' at 'maxResults' must be between 1 and {MOST}");
        return Err(error("ValidationException", message));
    }
    let most = usize::try_from(most).unwrap_or_default();
    let after = call.text("NextToken").unwrap_or_default();
    let (mut kept, mut last) = (Vec::new(), String::new());
    for (key, row) in rows.filter(|(key, _)| after.is_empty() || *key > after) {
        if kept.len() == most {
            return Ok((kept, Some(last)));
        }
        kept.push(row);
        last = key;
    }
    Ok((kept, None))
}

macro_rules! row {
    ($name:literal, $read_only:literal, $asks:expr, $run:path) => {
        Operation {
            service: Service::Ssm,
            name: $name,
            read_only: $read_only,
            event: Event::Management,
            permission: Permission::Asks($asks),
            run: $run,
        }
    };
}

/// Systems Manager's operations.
#[rustfmt::skip]
pub const OPERATIONS: &[Operation] = &[
    row!("PutParameter", false, |_, call| parameter::asks(call, "ssm:PutParameter"), parameter::put),
    row!("GetParameter", true, |_, call| parameter::asks(call, "ssm:GetParameter"), parameter::get),
    row!("GetParameters", true, |_, call| parameter::asks(call, "ssm:GetParameters"), parameter::get_several),
    row!("GetParametersByPath", true, |_, call| parameter::asks_path(call), parameter::get_by_path),
    row!("DescribeParameters", true, |_, call| on_all(call, "ssm:DescribeParameters"), parameter::describe),
    row!("DeleteParameter", false, |_, call| parameter::asks(call, "ssm:DeleteParameter"), parameter::delete),
    row!("UpdateInstanceInformation", false, node::update_asks, node::update),
    row!("DescribeInstanceInformation", true, |_, call| on_all(call, "ssm:DescribeInstanceInformation"), node::describe),
    row!("SendCommand", false, command::send_asks, command::send),
    row!("GetCommandInvocation", true, |_, call| on_all(call, "ssm:GetCommandInvocation"), command::invocation),
    row!("StartSession", false, session::start_asks, session::start),
    row!("TerminateSession", false, session::terminate_asks, session::terminate),
    row!("DescribeSessions", true, |_, call| on_all(call, "ssm:DescribeSessions"), session::describe),
];
