//! What the organization adds: its id, its policies, and whose root users may be assumed. An account that is in no
//! organization has none of it.

use unchain_policy::Named;

use super::layers::named;
use crate::operation::Ask;
use crate::organizations;
use crate::session::{Caller, Who};
use crate::world::World;

/// Policies by level, from the root of the organization down to the account.
pub(super) type Levels<'a> = Vec<Vec<Named<'a>>>;

/// The feature of centralised root access that lets root users be assumed.
const ROOT_SESSIONS: &str = "RootSessions";

/// Service control policies over the caller. They do not bear on service-linked roles
/// (docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html).
pub(super) fn scps<'a>(world: &'a World, caller: &Caller) -> Levels<'a> {
    if is_service_linked(world, caller) {
        return Vec::new();
    }
    levels(organizations::scps(world, &caller.account))
}

/// Resource control policies over a question's resource, which `owner` owns. They bear on S3, STS, SQS, KMS, Secrets
/// Manager, DynamoDB and a few more, and not on what service-linked roles do
/// (docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html).
pub(super) fn rcps<'a>(world: &'a World, caller: Option<&Caller>, ask: &Ask) -> Levels<'a> {
    if caller.is_some_and(|caller| is_service_linked(world, caller)) {
        return Vec::new();
    }
    let caller = caller.map(|caller| caller.account.as_str());
    let owner = ask.resource_account.as_deref().or(caller);
    let service = ask.action.split_once(':').map(|(service, _)| service);
    match (service, owner) {
        (Some("s3" | "sts" | "sqs" | "secretsmanager" | "dynamodb"), Some(owner)) => {
            levels(organizations::rcps(world, owner))
        }
        _ => Vec::new(),
    }
}

fn levels(levels: Vec<Vec<&crate::iam::Document>>) -> Levels<'_> {
    let levels = levels.into_iter();
    levels
        .map(|level| level.into_iter().map(named).collect())
        .collect()
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
pub(super) fn id<'a>(world: &'a World, account: &str) -> Option<&'a str> {
    organizations::of(world, account).map(|organization| organization.id.as_str())
}

/// Whether `caller` is the management account, or IAM's delegated administrator, of the organization that `target`
/// is another member of, and root sessions are enabled there
/// (docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user-privileged-task.html).
pub fn may_assume_root(world: &World, caller: &str, target: &str) -> bool {
    let Some(organization) = organizations::of(world, caller) else {
        return false;
    };
    let administers = organization.management == caller
        || organizations::is_delegated(world, caller, "iam.amazonaws.com");
    administers
        && organization.root_features.contains(ROOT_SESSIONS)
        && organization.management != target
        && organization.members.contains_key(target)
}
