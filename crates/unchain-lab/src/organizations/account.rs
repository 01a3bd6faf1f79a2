//! Member accounts and delegated administrators.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use unchain_trail::Prefix;

use super::{Organization, error, not_in_use, own, to_read, to_write};
use crate::call::{Call, Fault, Reply};
use crate::iam::{Attached, Document, Iam, Role};
use crate::world::{Account, World};

/// An account's place in its organization.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Member {
    /// The name.
    pub name: String,
    /// The root user's address.
    pub email: String,
    /// Virtual seconds since 1970.
    pub joined_at: i64,
    /// It was invited, not created.
    pub invited: bool,
}

/// A request to create an account. AWS does it after it has answered; in the lab it is done when it answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Creation {
    /// The new account.
    pub account: String,
    /// Its name.
    pub name: String,
    /// Virtual seconds since 1970.
    pub asked_at: i64,
}

fn no_account() -> Fault {
    error(
        "AccountNotFoundException",
        "You specified an account that doesn't exist.",
    )
}

pub(super) fn shown(organization: &Organization, id: &str) -> Option<Value> {
    let member = organization.members.get(id)?;
    let method = match member.invited {
        true => "INVITED",
        false => "CREATED",
    };
    Some(json!({
        "Id": id,
        "Arn": organization.arn("account", id),
        "Email": member.email,
        "Name": member.name,
        "Status": "ACTIVE",
        "State": "ACTIVE",
        "JoinedMethod": method,
        "JoinedTimestamp": { "$time": member.joined_at },
    }))
}

pub(super) fn list(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let organization = to_read(world, call)?;
    let accounts: Vec<Value> = organization
        .members
        .keys()
        .filter_map(|id| shown(organization, id))
        .collect();
    Ok(Reply::of(json!({ "Accounts": accounts })))
}

pub(super) fn describe(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let id = call.required("AccountId")?;
    let account = shown(to_read(world, call)?, &id).ok_or_else(no_account)?;
    Ok(Reply::of(json!({ "Account": account })))
}

/// An account of the world joins the organization of `management`, with the role that lets it be administered.
pub(super) fn admit(world: &mut World, management: &str, id: &str) -> Result<(), Fault> {
    let access = access_role(world, id, management)?;
    let Some(account) = world.accounts.get_mut(id) else {
        return Ok(());
    };
    let role = "OrganizationAccountAccessRole".to_owned();
    account.iam.roles.insert(role, access);
    let member = Member {
        name: account.name.clone(),
        email: format!("root+{id}@example.com"),
        joined_at: world.now,
        invited: false,
    };
    let now = world.now;
    if let Some(organization) = world.organizations.organizations.get_mut(management) {
        join(organization, (id, member), (now, 0));
    }
    Ok(())
}

/// The new account trusts the management account with a role of full access
/// (docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access.html).
pub(super) fn create(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (name, email) = (call.required("AccountName")?, call.required("Email")?);
    let role = call.text("RoleName");
    let role = role.unwrap_or_else(|| "OrganizationAccountAccessRole".to_owned());
    let management = to_write(world, call)?.management.clone();
    let id = loop {
        let id = format!("{:012}", world.ids.number() % 1_000_000_000_000);
        if !world.accounts.contains_key(&id) {
            break id;
        }
    };
    let access = access_role(world, &id, &management)?;
    let mut iam = Iam::default();
    iam.roles.insert(role, access);
    let account = Account {
        id: id.clone(),
        name: name.clone(),
        iam,
        earlier: VecDeque::new(),
    };
    world.accounts.insert(id.clone(), account);
    let member = Member {
        name: name.clone(),
        email,
        joined_at: world.now,
        invited: false,
    };
    let request = super::short_id(&mut world.ids, "car-", 32);
    let (now, delay) = (world.now, world.settings.consistency_delay);
    let organization = to_write(world, call)?;
    join(organization, (&id, member), (now, delay));
    let creation = Creation {
        account: id,
        name,
        asked_at: now,
    };
    let answer = json!({
        "Id": request,
        "AccountName": creation.name,
        "State": "IN_PROGRESS",
        "RequestedTimestamp": { "$time": now },
    });
    organization.creations.insert(request, creation);
    Ok(Reply::of(json!({ "CreateAccountStatus": answer })))
}

fn access_role(world: &mut World, account: &str, management: &str) -> Result<Role, Fault> {
    let trust = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "AWS": format!("arn:aws:iam::{management}:root") },
            "Action": "sts:AssumeRole",
        }],
    });
    let trust = Document::parse("trust policy", &trust.to_string())
        .map_err(|problem| error("ServiceException", problem.to_string()))?;
    Ok(Role {
        id: world.ids.identifier(Prefix::Role, account),
        path: "/".to_owned(),
        created_at: world.now,
        attached: Attached {
            managed: vec!["arn:aws:iam::aws:policy/AdministratorAccess".to_owned()],
            ..Attached::default()
        },
        trust,
        max_session: 3600,
        description: None,
        last_used: None,
    })
}

/// Takes an account in, below the root.
pub(super) fn join(
    organization: &mut Organization,
    (id, member): (&str, Member),
    (now, delay): (i64, i64),
) {
    organization.members.insert(id.to_owned(), member);
    let tree = organization.change(now, delay);
    let root = tree.root.clone();
    tree.accounts.insert(id.to_owned(), root);
    tree.open(id);
}

pub(super) fn status(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let id = call.required("CreateAccountRequestId")?;
    let creation = to_read(world, call)?.creations.get(&id).ok_or_else(|| {
        error(
            "CreateAccountStatusNotFoundException",
            "We can't find an create account request with the CreateAccountRequestId that you specified.",
        )
    })?;
    Ok(Reply::of(json!({ "CreateAccountStatus": {
        "Id": id,
        "AccountName": creation.name,
        "State": "SUCCEEDED",
        "RequestedTimestamp": { "$time": creation.asked_at },
        "CompletedTimestamp": { "$time": creation.asked_at },
        "AccountId": creation.account,
    } })))
}

pub(super) fn leave(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let account = call.caller.account.clone();
    let management = own(world, call)?.management.clone();
    go(world, &management, &account)
}

pub(super) fn remove(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let account = call.required("AccountId")?;
    let organization = to_write(world, call)?;
    if !organization.members.contains_key(&account) {
        return Err(no_account());
    }
    let management = organization.management.clone();
    go(world, &management, &account)
}

fn go(world: &mut World, management: &str, account: &str) -> Result<Reply, Fault> {
    if management == account {
        return Err(error(
            "MasterCannotLeaveOrganizationException",
            "You can't remove a management account from an organization.",
        ));
    }
    let (now, delay) = (world.now, world.settings.consistency_delay);
    let found = world.organizations.organizations.get_mut(management);
    let organization = found.ok_or_else(not_in_use)?;
    organization.members.remove(account);
    organization.delegated.remove(account);
    let tree = organization.change(now, delay);
    tree.accounts.remove(account);
    tree.attached.remove(account);
    Ok(Reply::default())
}

pub(super) fn transfer(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let account = call.required("AccountId")?;
    let (from, to) = (
        call.required("SourceParentId")?,
        call.required("DestinationParentId")?,
    );
    let tree = super::tree_to_change(world, call)?;
    if !tree.is_parent(&to) {
        return Err(error(
            "DestinationParentNotFoundException",
            "We can't find the destination container (a root or OU) with the ParentId that you specified.",
        ));
    }
    let parent = tree.accounts.get_mut(&account).ok_or_else(no_account)?;
    if *parent != from {
        return Err(error(
            "SourceParentNotFoundException",
            "We can't find a source root or OU with the ParentId that you specified.",
        ));
    }
    *parent = to;
    Ok(Reply::default())
}

pub(super) fn register(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (account, service) = (
        call.required("AccountId")?,
        call.required("ServicePrincipal")?,
    );
    let now = world.now;
    let organization = to_write(world, call)?;
    if !organization.members.contains_key(&account) {
        return Err(no_account());
    }
    if account == organization.management {
        return Err(error(
            "ConstraintViolationException",
            "You cannot register the management account as a delegated administrator.",
        ));
    }
    let services = organization.delegated.entry(account).or_default();
    match services.insert(service, now) {
        None => Ok(Reply::default()),
        Some(_) => Err(error(
            "AccountAlreadyRegisteredException",
            "The specified account is already a delegated administrator for this AWS service.",
        )),
    }
}

pub(super) fn deregister(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (account, service) = (
        call.required("AccountId")?,
        call.required("ServicePrincipal")?,
    );
    let delegated = &mut to_write(world, call)?.delegated;
    let services = delegated.get_mut(&account);
    let removed = services.and_then(|services| services.remove(&service));
    delegated.retain(|_, services| !services.is_empty());
    removed.map(|_| Reply::default()).ok_or_else(|| {
        error(
            "AccountNotRegisteredException",
            "The specified account is not a delegated administrator for this AWS service.",
        )
    })
}

pub(super) fn delegated(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let service = call.text("ServicePrincipal");
    let organization = to_read(world, call)?;
    let administrators: Vec<Value> = organization
        .delegated
        .iter()
        .filter_map(|(id, services)| {
            let since = match &service {
                Some(service) => *services.get(service)?,
                None => *services.values().min()?,
            };
            let mut administrator = shown(organization, id)?;
            if let Value::Object(fields) = &mut administrator {
                let since = json!({ "$time": since });
                fields.insert("DelegationEnabledDate".to_owned(), since);
            }
            Some(administrator)
        })
        .collect();
    Ok(Reply::of(
        json!({ "DelegatedAdministrators": administrators }),
    ))
}
