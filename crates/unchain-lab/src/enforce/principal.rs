//! Who the caller is in the terms of policies.

use unchain_policy::Principal;

use crate::session::{Caller, Who};
use crate::world::World;

/// The ARN of the caller as `GetCallerIdentity` and CloudTrail name it: of a role, the session's
/// (docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html).
pub fn arn(world: &World, caller: &Caller) -> String {
    let account = &caller.account;
    match &caller.who {
        Who::Root => format!("arn:aws:iam::{account}:root"),
        Who::User { name, .. } => {
            format!(
                "arn:aws:iam::{account}:user{}{name}",
                user_path(world, account, name)
            )
        }
        Who::Role { name, session, .. } => {
            format!("arn:aws:sts::{account}:assumed-role/{name}/{session}")
        }
        Who::Federated { name, .. } => format!("arn:aws:sts::{account}:federated-user/{name}"),
        Who::Service(_) | Who::WebIdentity { .. } | Who::Saml { .. } | Who::Anonymous => {
            caller.user_id()
        }
    }
}

/// `aws:PrincipalArn`: as [`arn`], but of a role the role's own, with its path
/// (docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html).
pub fn principal_arn(world: &World, caller: &Caller) -> String {
    match &caller.who {
        Who::Role { name, .. } => role_arn(world, &caller.account, name),
        _ => arn(world, caller),
    }
}

/// The caller as `unchain-policy` knows principals.
pub(super) fn of(world: &World, caller: &Caller) -> Principal {
    let account = &caller.account;
    let known = match &caller.who {
        Who::Service(name) => return Principal::service(name),
        Who::WebIdentity { issuer, .. } => return Principal::federated(issuer),
        Who::Saml { provider, .. } => return Principal::federated(provider),
        Who::Anonymous => return Principal::anonymous(),
        Who::Root | Who::User { .. } => Principal::from_arn(&arn(world, caller)),
        Who::Role { name, .. } => {
            Principal::from_arn(&arn(world, caller)).issued_by(&role_arn(world, account, name))
        }
        Who::Federated { parent, .. } => {
            let issuer = match parent {
                Some((name, _)) => {
                    let path = user_path(world, account, name);
                    format!("arn:aws:iam::{account}:user{path}{name}")
                }
                None => format!("arn:aws:iam::{account}:root"),
            };
            Principal::from_arn(&arn(world, caller)).issued_by(&issuer)
        }
    };
    known.in_account(account).with_user_id(&caller.user_id())
}

fn role_arn(world: &World, account: &str, name: &str) -> String {
    let role = world.accounts.get(account).map(|account| {
        let roles = &account.enforced(world.now).roles;
        roles.get(name).map_or("/", |role| role.path.as_str())
    });
    format!("arn:aws:iam::{account}:role{}{name}", role.unwrap_or("/"))
}

fn user_path<'a>(world: &'a World, account: &str, name: &str) -> &'a str {
    let account = world.accounts.get(account);
    let user = account.and_then(|account| account.enforced(world.now).users.get(name));
    user.map_or("/", |user| user.path.as_str())
}
