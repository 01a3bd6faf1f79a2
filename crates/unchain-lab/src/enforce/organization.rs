//! What the organization adds: its id, its policies, and whose root users may be assumed. An account that is in no
//! organization has none of it.

use crate::iam::Document;
use crate::operation::Ask;
use crate::session::{Caller, Who};
use crate::world::World;

/// The organization's policies for one question: one list a level, from the root of the organization down.
#[derive(Debug, Default)]
pub(super) struct Policies {
    /// Service control policies of the caller's account.
    pub(super) scps: Vec<Vec<Document>>,
    /// Resource control policies of the resource's account.
    pub(super) rcps: Vec<Vec<Document>>,
}

impl Policies {
    /// Those for a caller and a question. Neither kind applies to service-linked roles
    /// (docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html).
    pub(super) fn of(world: &World, caller: &Caller, ask: &Ask) -> Self {
        if is_service_linked(world, caller) {
            return Self::default();
        }
        let owner = ask.resource_account.as_deref().unwrap_or(&caller.account);
        Self {
            scps: Vec::new(),
            rcps: rcps(world, (owner, ask)),
        }
    }

    /// Those for a caller who is of no account.
    pub(super) fn of_resource(world: &World, ask: &Ask) -> Self {
        let owner = ask.resource_account.as_deref().unwrap_or_default();
        Self {
            scps: Vec::new(),
            rcps: rcps(world, (owner, ask)),
        }
    }
}

/// Resource control policies bear on S3, STS, SQS, KMS, Secrets Manager, DynamoDB and others with resource policies,
/// of which the lab has these
/// (docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html).
fn rcps(world: &World, (owner, ask): (&str, &Ask)) -> Vec<Vec<Document>> {
    let service = ask
        .action
        .split_once(':')
        .map_or("", |(service, _)| service);
    match service {
        "s3" | "sts" | "sqs" | "secretsmanager" | "dynamodb" => {
            let _ = (world, owner);
            Vec::new()
        }
        _ => Vec::new(),
    }
}

fn is_service_linked(world: &World, caller: &Caller) -> bool {
    let Who::Role { name, .. } = &caller.who else {
        return false;
    };
    let account = world.accounts.get(&caller.account);
    let role = account.and_then(|account| account.enforced(world.now).roles.get(name));
    role.is_some_and(|role| role.path.starts_with("/aws-service-role/"))
}

/// `aws:PrincipalOrgID`.
pub(super) fn id(_world: &World, _account: &str) -> Option<String> {
    None
}

/// Whether `caller` is the management account, or IAM's delegated administrator, of the organization that `target`
/// is a member of
/// (docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user-privileged-task.html).
pub fn may_assume_root(_world: &World, _caller: &str, _target: &str) -> bool {
    false
}
