//! The user, group or role that a call about policies is about: the three have the same operations under three names.

use super::{Attached, Iam, find};
use crate::call::{Call, Fault};

/// Which of the three.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A user.
    User,
    /// A group.
    Group,
    /// A role.
    Role,
}

impl Kind {
    /// In lower case, as messages write it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
            Self::Role => "role",
        }
    }

    /// In upper case, as parameters write it.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Group => "Group",
            Self::Role => "Role",
        }
    }
}

/// What holds policies.
#[derive(Debug, Clone)]
pub(super) struct Holder {
    /// Which of the three.
    pub kind: Kind,
    /// Its name.
    pub name: String,
}

impl Holder {
    /// The holder that the operation's name and parameters tell.
    pub(super) fn of(call: &Call<'_>) -> Result<Self, Fault> {
        let operation = call.operation.name;
        let kind = if operation.contains("User") {
            Kind::User
        } else if operation.contains("Group") {
            Kind::Group
        } else {
            Kind::Role
        };
        let name = call.required(&format!("{}Name", kind.title()))?;
        Ok(Self { kind, name })
    }

    /// What is attached to it.
    pub(super) fn attached<'i>(&self, iam: &'i Iam) -> Result<&'i Attached, Fault> {
        match self.kind {
            Kind::User => find::user(iam, &self.name).map(|user| &user.attached),
            Kind::Group => find::group(iam, &self.name).map(|group| &group.attached),
            Kind::Role => find::role(iam, &self.name).map(|role| &role.attached),
        }
    }

    /// What is attached to it, where the account may change that.
    pub(super) fn own<'i>(&self, iam: &'i Iam) -> Result<&'i Attached, Fault> {
        if self.kind == Kind::Role {
            find::own_role(iam, &self.name)?;
        }
        self.attached(iam)
    }

    /// What is attached to it, to change it.
    pub(super) fn attached_mut<'i>(&self, iam: &'i mut Iam) -> Result<&'i mut Attached, Fault> {
        match self.kind {
            Kind::User => find::user_mut(iam, &self.name).map(|user| &mut user.attached),
            Kind::Group => find::group_mut(iam, &self.name).map(|group| &mut group.attached),
            Kind::Role => find::role_mut(iam, &self.name).map(|role| &mut role.attached),
        }
    }
}

/// What is attached to the user, group or role of an ARN, and for a user to its groups; empty when it is not there.
pub(super) fn attached_at<'i>(account: &str, iam: &'i Iam, arn: &str) -> Vec<&'i Attached> {
    let name = arn.rsplit('/').next().unwrap_or_default();
    let user = iam.users.get(name);
    if let Some(user) = user.filter(|user| user.arn(account, name) == arn) {
        let groups = user.groups.iter().filter_map(|group| iam.groups.get(group));
        let groups = groups.map(|group| &group.attached);
        return std::iter::once(&user.attached).chain(groups).collect();
    }
    let role = iam.roles.get(name);
    let role = role.filter(|role| role.arn(account, name) == arn);
    let group = iam.groups.get(name);
    let group = group.filter(|group| group.arn(account, name) == arn);
    role.map(|role| &role.attached)
        .or(group.map(|group| &group.attached))
        .into_iter()
        .collect()
}
