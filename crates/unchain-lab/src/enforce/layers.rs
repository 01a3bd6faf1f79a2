//! The policies that apply to a question, borrowed from where they are kept.

use unchain_policy::{Layers, Named, ResourceKind, ResourcePolicy};

use super::organization;
use crate::iam::{Attached, Document, Iam, User};
use crate::operation::Ask;
use crate::session::{Caller, MadeBy, Session, Who};
use crate::world::World;

/// The policies for a caller and a question. None: the user or role no longer exists, or another has its name.
pub(super) fn of<'a>(world: &'a World, caller: &'a Caller, ask: &'a Ask) -> Option<Layers<'a>> {
    let mut layers = Layers {
        resource: resource(ask),
        scps: organization::scps(world, caller),
        rcps: organization::rcps(world, Some(caller), ask),
        session: session(caller),
        ..Layers::default()
    };
    let iam = || {
        let account = world.accounts.get(&caller.account)?;
        Some(account.enforced(world.now))
    };
    match &caller.who {
        Who::User { name, id } => add_user(&mut layers, iam()?, (name, id))?,
        Who::Role { name, id, .. } => {
            let iam = iam()?;
            let role = iam.roles.get(name).filter(|role| role.id == *id)?;
            add_attached(&mut layers, iam, &role.attached);
        }
        Who::Federated { parent, .. } => {
            if let Some((name, id)) = parent {
                add_user(&mut layers, iam()?, (name, id))?;
            }
        }
        Who::Root => {
            let session = caller.session.iter().filter(|session| is_task(session));
            let tasks = session.flat_map(|session| &session.policies);
            layers.identity.extend(tasks.map(named));
        }
        Who::Service(_) | Who::WebIdentity { .. } | Who::Saml { .. } | Who::Anonymous => {}
    }
    Some(layers)
}

/// The resource's own policy and what its organization says, for a caller who is of no account.
pub(super) fn of_resource<'a>(world: &'a World, ask: &'a Ask) -> Layers<'a> {
    Layers {
        resource: resource(ask),
        rcps: organization::rcps(world, None, ask),
        ..Layers::default()
    }
}

fn resource(ask: &Ask) -> Option<ResourcePolicy<'_>> {
    let kind = if ask.trust {
        ResourceKind::Trust
    } else {
        ResourceKind::Ordinary
    };
    let policy = ask.resource_policy.as_ref()?;
    let named = Named {
        name: "resource policy",
        policy,
    };
    Some(ResourcePolicy { named, kind })
}

/// A policy under the name by which a refusal cites it.
pub(super) fn named(document: &Document) -> Named<'_> {
    Named {
        name: &document.name,
        policy: &document.policy,
    }
}

/// Session policies. With none passed a session has what its principal has, except a federated user, whom
/// `unchain-policy` then gives nothing.
fn session(caller: &Caller) -> Option<Vec<Named<'_>>> {
    let session = caller.session.as_ref()?;
    let passed = !session.policies.is_empty() && !is_task(session);
    passed.then(|| session.policies.iter().map(named).collect())
}

/// Whether the session's policy is one of AWS's for tasks of a root user. These only deny: what they leave, the root
/// user may do.
fn is_task(session: &Session) -> bool {
    matches!(session.made_by, MadeBy::AssumeRoot { .. })
}

fn add_user<'a>(layers: &mut Layers<'a>, iam: &'a Iam, (name, id): (&str, &str)) -> Option<()> {
    let user: &User = iam.users.get(name).filter(|user| user.id == id)?;
    add_attached(layers, iam, &user.attached);
    for group in &user.groups {
        if let Some(group) = iam.groups.get(group) {
            add_policies(layers, iam, &group.attached);
        }
    }
    Some(())
}

fn add_attached<'a>(layers: &mut Layers<'a>, iam: &'a Iam, attached: &'a Attached) {
    add_policies(layers, iam, attached);
    if let Some(arn) = &attached.boundary {
        let policy = find(iam, arn).map(named);
        layers.boundary = Some(policy.into_iter().collect());
    }
}

fn add_policies<'a>(layers: &mut Layers<'a>, iam: &'a Iam, attached: &'a Attached) {
    layers.identity.extend(attached.inline.values().map(named));
    let managed = attached.managed.iter().filter_map(|arn| find(iam, arn));
    layers.identity.extend(managed.map(named));
}

/// The version in force of a managed policy of the account, or of AWS.
fn find<'a>(iam: &'a Iam, arn: &str) -> Option<&'a Document> {
    iam.managed(arn)?.document()
}

/// The version in force of a managed policy of an account, or of AWS, as authorisation sees it at the world's time.
pub fn managed<'a>(world: &'a World, account: &str, arn: &str) -> Option<&'a Document> {
    find(world.accounts.get(account)?.enforced(world.now), arn)
}
