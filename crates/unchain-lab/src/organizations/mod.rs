//! Organizations: accounts in a tree of units, and the service and resource control policies on it. Answers who is in
//! which organization and which control policies stand over an account; judging by them is `enforce`'s.

mod account;
mod handshake;
mod policy;
mod tree;
mod unit;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::{Call, Fault, Reply};
use crate::iam::Document;
use crate::ids::Ids;
use crate::operation::{Event, Operation, Permission};
use crate::service::Service;
use crate::world::World;

pub use account::{Creation, Member};
pub use handshake::Handshake;
pub use tree::{ControlPolicy, Kind, Tree, Unit};

/// All organizations.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    /// Organizations by the management account.
    pub organizations: BTreeMap<String, Organization>,
    /// Invitations by id.
    pub handshakes: BTreeMap<String, Handshake>,
}

/// One organization.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Organization {
    /// `o-` and ten letters or digits.
    pub id: String,
    /// The management account, twelve digits.
    pub management: String,
    /// All accounts by number.
    pub members: BTreeMap<String, Member>,
    /// The tree as the API shows it.
    pub tree: Tree,
    /// The tree before recent changes: each until its instant (virtual seconds since 1970), oldest first.
    earlier: VecDeque<(i64, Arc<Tree>)>,
    /// Delegated administrators: account and service principal, with virtual seconds since 1970.
    pub delegated: BTreeMap<String, BTreeMap<String, i64>>,
    /// Requests to create accounts, by id.
    pub creations: BTreeMap<String, Creation>,
    /// Centralised root access (`RootCredentialsManagement`, `RootSessions`), which IAM's operations switch
    /// (docs.aws.amazon.com/IAM/latest/UserGuide/id_root-enable-root-access.html).
    pub root_features: BTreeSet<String>,
}

impl Organization {
    /// The tree, to change it. With a consistency delay, authorisation goes on seeing what was.
    fn change(&mut self, now: i64, delay: i64) -> &mut Tree {
        self.earlier.retain(|(until, _)| *until > now);
        if delay > 0 {
            let before = Arc::new(self.tree.clone());
            self.earlier.push_back((now.saturating_add(delay), before));
        }
        &mut self.tree
    }

    /// The tree as authorisation sees it.
    fn enforced(&self, now: i64) -> &Tree {
        self.earlier
            .iter()
            .find(|(until, _)| *until > now)
            .map_or(&self.tree, |(_, tree)| tree)
    }

    /// The ARN of something in the organization: `account`, `ou`, `root`, `handshake`.
    fn arn(&self, kind: &str, id: &str) -> String {
        format!(
            "arn:aws:organizations::{}:{kind}/{}/{id}",
            self.management, self.id
        )
    }
}

/// The organization that an account belongs to.
pub fn of<'a>(world: &'a World, account: &str) -> Option<&'a Organization> {
    let organizations = &world.organizations.organizations;
    organizations.get(account).or_else(|| {
        organizations
            .values()
            .find(|organization| organization.members.contains_key(account))
    })
}

/// Whether an account is a delegated administrator for a service principal such as `iam.amazonaws.com`.
pub fn is_delegated(world: &World, account: &str, service: &str) -> bool {
    of(world, account)
        .and_then(|organization| organization.delegated.get(account))
        .is_some_and(|services| services.contains_key(service))
}

/// `aws:PrincipalOrgPaths` of an account: `o-…/r-…/ou-…/`.
pub fn path(world: &World, account: &str) -> Option<String> {
    let organization = of(world, account)?;
    let mut path = organization.tree.path(account);
    path.pop();
    Some(format!("{}/{}/", organization.id, path.join("/")))
}

/// The service control policies over an account, as authorisation sees them at the world's time: a list for each level
/// from the root to the account. Empty for accounts in no organization and for the management account, which SCPs do
/// not affect (docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html), and while the
/// policy type is not enabled.
pub fn scps<'a>(world: &'a World, account: &str) -> Vec<Vec<&'a Document>> {
    over(world, account, Kind::ServiceControl)
}

/// The resource control policies over the resources of an account, as [`scps`]
/// (docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html, which also lists the services
/// whose resources they govern).
pub fn rcps<'a>(world: &'a World, account: &str) -> Vec<Vec<&'a Document>> {
    over(world, account, Kind::ResourceControl)
}

fn over<'a>(world: &'a World, account: &str, kind: Kind) -> Vec<Vec<&'a Document>> {
    match of(world, account) {
        Some(organization) if organization.management != account => {
            organization.enforced(world.now).over(account, kind)
        }
        _ => Vec::new(),
    }
}

fn error(code: &str, message: impl Into<String>) -> Fault {
    Fault::api(400, code, message)
}

fn not_in_use() -> Fault {
    error(
        "AWSOrganizationsNotInUseException",
        "Your account is not a member of an organization.",
    )
}

fn no_access() -> Fault {
    error(
        "AccessDeniedException",
        "You don't have permissions to access this resource.",
    )
}

/// The caller's organization, which any member may describe.
fn own<'a>(world: &'a World, call: &Call<'_>) -> Result<&'a Organization, Fault> {
    of(world, &call.caller.account).ok_or_else(not_in_use)
}

/// The organization for a reading call: the management account and delegated administrators may read
/// (docs.aws.amazon.com/organizations/latest/userguide/orgs_delegate_policies.html).
fn to_read<'a>(world: &'a World, call: &Call<'_>) -> Result<&'a Organization, Fault> {
    let organization = own(world, call)?;
    let account = &call.caller.account;
    let may = organization.management == *account || organization.delegated.contains_key(account);
    may.then_some(organization).ok_or_else(no_access)
}

/// The organization for a call that only the management account may make.
fn to_write<'a>(world: &'a mut World, call: &Call<'_>) -> Result<&'a mut Organization, Fault> {
    let account = &call.caller.account;
    if own(world, call)?.management != *account {
        return Err(no_access());
    }
    let organizations = &mut world.organizations.organizations;
    organizations.get_mut(account).ok_or_else(not_in_use)
}

/// As [`to_write`], for its tree.
fn tree_to_change<'a>(world: &'a mut World, call: &Call<'_>) -> Result<&'a mut Tree, Fault> {
    let (now, delay) = (world.now, world.settings.consistency_delay);
    Ok(to_write(world, call)?.change(now, delay))
}

/// An id of lower-case letters and digits.
fn short_id(ids: &mut Ids, prefix: &str, length: usize) -> String {
    let mut id = prefix.to_owned();
    let mut bits = 0;
    for at in 0..length {
        // A number of the stream has bits for twelve digits.
        if at % 12 == 0 {
            bits = ids.number();
        }
        let digit = u32::try_from(bits % 36).unwrap_or_default();
        id.extend(char::from_digit(digit, 36));
        bits /= 36;
    }
    id
}

fn create(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let account = call.caller.account.clone();
    if of(world, &account).is_some() {
        return Err(error(
            "AlreadyInOrganizationException",
            "The AWS account is already a member of an organization.",
        ));
    }
    begin(world, &account)?;
    let organization = own(world, call)?;
    Ok(Reply::of(json!({ "Organization": shown(organization) })))
}

/// Makes an organization of one account.
fn begin(world: &mut World, account: &str) -> Result<(), Fault> {
    let name = world.accounts.get(account).map(|found| found.name.clone());
    let root = short_id(&mut world.ids, "r-", 4);
    let member = Member {
        name: name.unwrap_or_default(),
        email: format!("root+{account}@example.com"),
        joined_at: world.now,
        invited: true,
    };
    let organization = Organization {
        id: short_id(&mut world.ids, "o-", 10),
        management: account.to_owned(),
        tree: Tree::new(&root, account)?,
        members: BTreeMap::from([(account.to_owned(), member)]),
        earlier: VecDeque::new(),
        delegated: BTreeMap::new(),
        creations: BTreeMap::new(),
        root_features: BTreeSet::new(),
    };
    let organizations = &mut world.organizations.organizations;
    organizations.insert(account.to_owned(), organization);
    Ok(())
}

/// Puts all accounts of a world into one organization, the first of them its management account; in the others is the
/// role through which that administers them, as in accounts that an organization made.
///
/// # Errors
///
/// None that can be expected: the organization's own policies cannot be read.
pub fn unite(world: &mut World) -> Result<(), Fault> {
    let accounts: Vec<String> = world.accounts.keys().cloned().collect();
    let Some((management, members)) = accounts.split_first() else {
        return Ok(());
    };
    begin(world, management)?;
    for id in members {
        account::admit(world, management, id)?;
    }
    Ok(())
}

fn describe(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let organization = own(world, call)?;
    Ok(Reply::of(json!({ "Organization": shown(organization) })))
}

fn shown(organization: &Organization) -> Value {
    let management = organization.members.get(&organization.management);
    json!({
        "Id": organization.id,
        "Arn": format!("arn:aws:organizations::{}:organization/{}", organization.management, organization.id),
        "FeatureSet": "ALL",
        "MasterAccountArn": organization.arn("account", &organization.management),
        "MasterAccountId": organization.management,
        "MasterAccountEmail": management.map(|member| member.email.clone()),
        "AvailablePolicyTypes": [{ "Type": Kind::ServiceControl.name(), "Status": "ENABLED" }],
    })
}

macro_rules! row {
    ($name:literal, $read_only:literal, $run:path) => {
        Operation {
            service: Service::Organizations,
            name: $name,
            read_only: $read_only,
            event: Event::Management,
            permission: Permission::Any,
            run: $run,
        }
    };
}

/// Its operations.
#[rustfmt::skip]
pub const OPERATIONS: &[Operation] = &[
    row!("CreateOrganization", false, create),
    row!("DescribeOrganization", true, describe),
    row!("ListRoots", true, unit::roots),
    row!("ListAccounts", true, account::list),
    row!("DescribeAccount", true, account::describe),
    row!("CreateAccount", false, account::create),
    row!("DescribeCreateAccountStatus", true, account::status),
    row!("LeaveOrganization", false, account::leave),
    row!("RemoveAccountFromOrganization", false, account::remove),
    row!("MoveAccount", false, account::transfer),
    row!("RegisterDelegatedAdministrator", false, account::register),
    row!("DeregisterDelegatedAdministrator", false, account::deregister),
    row!("ListDelegatedAdministrators", true, account::delegated),
    row!("InviteAccountToOrganization", false, handshake::invite),
    row!("AcceptHandshake", false, handshake::accept),
    row!("CreateOrganizationalUnit", false, unit::create),
    row!("ListOrganizationalUnitsForParent", true, unit::list),
    row!("ListAccountsForParent", true, unit::accounts),
    row!("ListParents", true, unit::parents),
    row!("ListChildren", true, unit::children),
    row!("EnablePolicyType", false, policy::enable),
    row!("DisablePolicyType", false, policy::disable),
    row!("CreatePolicy", false, policy::create),
    row!("UpdatePolicy", false, policy::update),
    row!("DescribePolicy", true, policy::describe),
    row!("DeletePolicy", false, policy::delete),
    row!("ListPolicies", true, policy::list),
    row!("AttachPolicy", false, policy::attach),
    row!("DetachPolicy", false, policy::detach),
    row!("ListPoliciesForTarget", true, policy::list_for_target),
    row!("ListTargetsForPolicy", true, policy::targets),
];
