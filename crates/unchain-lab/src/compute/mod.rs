//! Where workloads run and what they read: EC2, Lambda, DynamoDB and Secrets Manager, as far as a role is given to an
//! instance or a function and a stolen session is used on data. Nothing is computed: functions are not run.

mod association;
mod dynamodb;
mod ec2;
mod lambda;
mod network;
mod secret;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::operation::Ask;
use crate::world::World;

pub use dynamodb::OPERATIONS as DYNAMODB;
pub use dynamodb::Table;
pub use ec2::{Instance, OPERATIONS as EC2};
pub use lambda::{Function, OPERATIONS as LAMBDA};
pub use secret::{OPERATIONS as SECRETS_MANAGER, Secret};

/// The state of the services.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    /// EC2's instances by id.
    pub instances: BTreeMap<String, Instance>,
    /// Lambda's functions by ARN.
    pub functions: BTreeMap<String, Function>,
    /// DynamoDB's tables by ARN.
    pub tables: BTreeMap<String, Table>,
    /// Secrets by ARN.
    pub secrets: BTreeMap<String, Secret>,
}

/// CloudTrail's `eventName` for an operation of Lambda: the API's version is part of it
/// (docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html).
pub fn event_name(operation: &'static str) -> &'static str {
    match operation {
        "CreateFunction" => "CreateFunction20150331",
        "ListFunctions" => "ListFunctions20150331",
        "GetFunction" => "GetFunction20150331v2",
        "DeleteFunction" => "DeleteFunction20150331",
        other => other,
    }
}

/// The permission to give a role to a service
/// (docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html).
pub(crate) fn pass_role(role: &str, service: &str) -> Ask {
    Ask {
        context: vec![("iam:PassedToService".to_owned(), vec![service.to_owned()])],
        ..Ask::on("iam:PassRole", role)
    }
}

/// The ARN of a role of an account, by its name; none if it does not exist.
fn role_arn(world: &World, account: &str, name: &str) -> Option<String> {
    let role = world.iam(account)?.roles.get(name)?;
    Some(format!("arn:aws:iam::{account}:role{}{name}", role.path))
}
