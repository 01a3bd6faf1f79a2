//! The user, role or root user whose policies decide what a credential may do.

use crate::text::Untrusted;
use serde::{Deserialize, Serialize};

/// What kind of principal decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OwnerKind {
    /// An IAM user.
    User,
    /// An IAM role.
    Role,
    /// The account's root user, whom IAM policies cannot limit.
    Root,
}

/// A principal with policies of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Owner {
    /// Its account, 12 digits.
    pub account: Untrusted,
    /// What it is.
    pub kind: OwnerKind,
    /// Its name without a path; `root` for the root user.
    pub name: Untrusted,
    /// The partition of its ARN: `aws`, `aws-cn`, `aws-us-gov`.
    pub partition: Untrusted,
}

impl Owner {
    /// The principal behind an ARN of a user, role, role session or root user; none for other ARNs, also for a
    /// federated user, whose permissions are those of the user that asked for it.
    pub fn of_arn(arn: &str) -> Option<Self> {
        let mut parts = arn.splitn(6, ':');
        if parts.next()? != "arn" {
            return None;
        }
        let (partition, _, _) = (parts.next()?, parts.next()?, parts.next()?);
        let (account, resource) = (parts.next()?, parts.next()?);
        let (kind, name) = match resource.split_once('/') {
            None if resource == "root" => (OwnerKind::Root, "root"),
            Some(("user", path)) => (OwnerKind::User, path.rsplit('/').next()?),
            Some(("role", path)) => (OwnerKind::Role, path.rsplit('/').next()?),
            Some(("assumed-role", rest)) => (OwnerKind::Role, rest.split('/').next()?),
            _ => return None,
        };
        Some(Self {
            account: Untrusted::new(account),
            kind,
            name: Untrusted::new(name),
            partition: Untrusted::new(partition),
        })
    }

    /// Its ARN, as far as it is known without its path.
    pub fn arn(&self) -> String {
        let (partition, account) = (self.partition.raw(), self.account.raw());
        match self.kind {
            OwnerKind::Root => format!("arn:{partition}:iam::{account}:root"),
            OwnerKind::User => format!("arn:{partition}:iam::{account}:user/{}", self.name.raw()),
            OwnerKind::Role => format!("arn:{partition}:iam::{account}:role/{}", self.name.raw()),
        }
    }

    /// Whether account and name are of the characters that IAM allows (IAM User Guide, "IAM and AWS STS quotas",
    /// name requirements), so that they can stand in a policy without being a wildcard or a variable.
    pub fn is_sound(&self) -> bool {
        let digits = self.account.raw().len() == 12
            && self.account.raw().bytes().all(|b| b.is_ascii_digit());
        digits && is_name(self.name.raw()) && is_name(self.partition.raw())
    }
}

/// Whether a text has only the characters of IAM's names.
pub(super) fn is_name(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"+=,.@-_".contains(&b);
    !text.is_empty() && text.len() <= 128 && text.bytes().all(allowed)
}

/// Whether a text can stand in a policy as a value of `aws:userid` and mean only itself.
pub(super) fn is_user_id(text: &str) -> bool {
    let mut parts = text.splitn(2, ':');
    parts.next().is_some_and(is_name) && parts.next().is_none_or(is_name)
}

/// Whether a text can stand in a policy as a value of `aws:SourceIdentity` and mean only itself
/// (docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html).
pub(super) fn is_source_identity(text: &str) -> bool {
    (2..=64).contains(&text.len()) && is_name(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_of_a_session_is_its_role() {
        let owner = Owner::of_arn("arn:aws:sts::111122223333:assumed-role/app/eve").unwrap();
        assert_eq!(
            (owner.kind, owner.arn().as_str()),
            (OwnerKind::Role, "arn:aws:iam::111122223333:role/app")
        );
        assert!(Owner::of_arn("arn:aws:sts::111122223333:federated-user/eve").is_none());
    }

    #[test]
    fn what_could_be_a_wildcard_is_not_sound() {
        for text in [
            "AROA1:*",
            "AROA1:${aws:userid}",
            "AROA1:",
            "",
            "a:b:c",
            "AROA1:a?",
        ] {
            assert!(!is_user_id(text), "{text}");
        }
        assert!(is_user_id("AROA1:eve@example.com") && is_user_id("AIDA1"));
        assert!(is_source_identity("eve@example.com"));
        assert!(
            !is_source_identity("*") && !is_source_identity("ev*") && !is_source_identity("${a}")
        );
        let named =
            |name: &str| Owner::of_arn(&format!("arn:aws:iam::111122223333:user/{name}")).unwrap();
        assert!(named("eve").is_sound() && !named("*").is_sound());
    }
}
