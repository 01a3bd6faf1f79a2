//! `GetAccountAuthorizationDetails`: everything at once, in pages that run over users, groups, roles and policies
//! (docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::answer::{self, Uses};
use super::{
    Attached, Document, Group, Iam, ManagedPolicy, Role, User, aws_managed, names, page, profiles,
};
use crate::call::{Call, Fault, Reply};
use crate::world::World;

/// The lists of the answer, in the order of pages.
const LISTS: [(char, &str); 4] = [
    ('1', "UserDetailList"),
    ('2', "GroupDetailList"),
    ('3', "RoleDetailList"),
    ('4', "Policies"),
];

/// `GetAccountAuthorizationDetails`.
pub(super) fn get(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (account, iam) = answer::here(world, call)?;
    let filter = names::strings(call.list("Filter"));
    let wanted = |kind: &str| filter.is_empty() || filter.iter().any(|one| one == kind);
    let uses = answer::uses(iam);
    let users = iam.users.iter().filter(|_| wanted("User"));
    let groups = iam.groups.iter().filter(|_| wanted("Group"));
    let roles = iam.roles.iter().filter(|_| wanted("Role"));
    let local = iam.policies.iter().filter(|_| wanted("LocalManagedPolicy"));
    let aws = aws_managed::all().iter();
    let aws = aws.filter(|(arn, _)| wanted("AWSManagedPolicy") && uses.contains_key(arn.as_str()));
    let things = users
        .map(|(name, user)| ('1', name, Thing::User(user)))
        .chain(groups.map(|(name, group)| ('2', name, Thing::Group(group))))
        .chain(roles.map(|(name, role)| ('3', name, Thing::Role(role))))
        .chain(sorted(local.chain(aws)).map(|(arn, policy)| ('4', arn, Thing::Policy(policy))));
    let rows = things.map(|(list, name, thing)| (format!("{list}{name}"), (list, name, thing)));
    let page = page::page(call, rows)?;
    let mut value = json!({});
    for (mark, list) in LISTS {
        let rows = page.rows.iter().filter(|(of, _, _)| *of == mark);
        let rows = rows.map(|(_, name, thing)| thing.detail((account, iam), name, &uses));
        answer::set(&mut value, list, Some(rows.collect()));
    }
    Ok(Reply::of(page::ended(value, page.marker)))
}

type Policies<'i> = std::vec::IntoIter<(&'i String, &'i ManagedPolicy)>;

fn sorted<'i>(policies: impl Iterator<Item = (&'i String, &'i ManagedPolicy)>) -> Policies<'i> {
    let mut all: Vec<_> = policies.collect();
    all.sort_by_key(|(arn, _)| *arn);
    all.into_iter()
}

enum Thing<'i> {
    User(&'i User),
    Group(&'i Group),
    Role(&'i Role),
    Policy(&'i ManagedPolicy),
}

impl Thing<'_> {
    fn detail(&self, here: (&str, &Iam), name: &str, uses: &BTreeMap<&str, Uses>) -> Value {
        match self {
            Self::User(user) => user_detail(here.0, name, user),
            Self::Group(group) => group_detail(here.0, name, group),
            Self::Role(role) => role_detail(here, name, role),
            Self::Policy(policy) => {
                policy_detail(name, policy, uses.get(name).copied().unwrap_or_default())
            }
        }
    }
}

fn inline(attached: &Attached) -> Value {
    let row = |(name, document): (&String, &Document)| json!({"PolicyName": name, "PolicyDocument": answer::document(document)});
    attached.inline.iter().map(row).collect()
}

fn managed(attached: &Attached) -> Value {
    let arns = attached.managed.iter();
    arns.map(|arn| answer::attached_policy(arn)).collect()
}

fn user_detail(account: &str, name: &str, user: &User) -> Value {
    let mut value = json!({
        "Path": user.path,
        "UserName": name,
        "UserId": user.id,
        "Arn": user.arn(account, name),
        "CreateDate": answer::time(user.created_at),
        "UserPolicyList": inline(&user.attached),
        "GroupList": user.groups,
        "AttachedManagedPolicies": managed(&user.attached),
    });
    answer::set_user_extras(&mut value, user);
    value
}

fn group_detail(account: &str, name: &str, group: &Group) -> Value {
    let mut value = answer::group(account, name, group);
    let (inline, managed) = (inline(&group.attached), managed(&group.attached));
    answer::set(&mut value, "GroupPolicyList", Some(inline));
    answer::set(&mut value, "AttachedManagedPolicies", Some(managed));
    value
}

fn role_detail(here: (&str, &Iam), name: &str, role: &Role) -> Value {
    let mut value = answer::role_made(here.0, name, role);
    answer::set_role_extras(&mut value, role);
    let fields = [
        ("InstanceProfileList", profiles::holding(here, name)),
        ("RolePolicyList", inline(&role.attached)),
        ("AttachedManagedPolicies", managed(&role.attached)),
        ("RoleLastUsed", answer::role_last_used(role)),
    ];
    for (field, list) in fields {
        answer::set(&mut value, field, Some(list));
    }
    value
}

fn policy_detail(arn: &str, policy: &ManagedPolicy, uses: Uses) -> Value {
    let mut value = answer::policy_listed(arn, policy, uses);
    let versions = policy.versions.iter().rev();
    let versions = versions.map(|(number, (document, made))| {
        let mut version = answer::version(policy, *number, *made);
        answer::set(&mut version, "Document", Some(answer::document(document)));
        version
    });
    answer::set(&mut value, "PolicyVersionList", Some(versions.collect()));
    value
}
