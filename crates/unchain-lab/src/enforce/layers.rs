//! The policies that apply to a question, borrowed from where they are kept.

use unchain_policy::{Layers, Named, ResourceKind, ResourcePolicy};

use super::organization::Policies;
use crate::iam::{Attached, Document, Iam, User};
use crate::operation::Ask;
use crate::session::{Caller, MadeBy, Who};
use crate::world::World;

/// The policies for a caller and a question. None: the user or role no longer exists, or another has its name.
pub(super) fn of<'a>(
    world: &'a World,
    caller: &'a Caller,
    (ask, organization): (&'a Ask, &'a Policies),
) -> Option<Layers<'a>> {
    let mut layers = of_resource(ask, organization);
    layers.scps = organization
        .scps
        .iter()
        .map(|level| level.iter().map(named).collect())
        .collect();
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
        Who::Root
        | Who::Service(_)
        | Who::WebIdentity { .. }
        | Who::Saml { .. }
        | Who::Anonymous => {}
    }
    layers.session = session(caller);
    Some(layers)
}

/// The resource's own policy and what the organization says of its resources.
pub(super) fn of_resource<'a>(ask: &'a Ask, organization: &'a Policies) -> Layers<'a> {
    let kind = if ask.trust {
        ResourceKind::Trust
    } else {
        ResourceKind::Ordinary
    };
    Layers {
        resource: ask.resource_policy.as_ref().map(|policy| ResourcePolicy {
            named: Named {
                name: "resource policy",
                policy,
            },
            kind,
        }),
        rcps: organization
            .rcps
            .iter()
            .map(|level| level.iter().map(named).collect())
            .collect(),
        ..Layers::default()
    }
}

fn named(document: &Document) -> Named<'_> {
    Named {
        name: &document.name,
        policy: &document.policy,
    }
}

/// Session policies. With none passed a session has what its principal has, except one of a task of a root user,
/// which has nothing else, and a federated user, whom `unchain-policy` gives nothing.
fn session(caller: &Caller) -> Option<Vec<Named<'_>>> {
    let session = caller.session.as_ref()?;
    let task = matches!(session.made_by, MadeBy::AssumeRoot { .. });
    (task || !session.policies.is_empty()).then(|| session.policies.iter().map(named).collect())
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
    let policy = iam.policies.get(arn)?;
    let (document, _) = policy.versions.get(&policy.default_version)?;
    Some(document)
}

/// As authorisation sees it at the world's time.
pub fn managed<'a>(world: &'a World, account: &str, arn: &str) -> Option<&'a Document> {
    find(world.accounts.get(account)?.enforced(world.now), arn)
}
