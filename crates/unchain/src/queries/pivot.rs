//! What a text is, judged by its form alone: a responder may have no case yet.

use clap::ValueEnum;
use std::net::IpAddr;
use unchain_core::id::{AccessKeyId, Arn, Id};

/// What a pivot is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    /// An access key id
    Key,
    /// The serial number of an MFA device
    Mfa,
    /// A role session: its ARN, or its principal id `AROA…:name`
    Session,
    /// The ARN or unique id of a user, root, a federated user or a role
    Principal,
    /// The ARN of a role
    Role,
    /// A source identity
    SourceIdentity,
    /// An address, or the DNS name of a service
    Address,
}

impl Kind {
    /// A name for people.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Key => "access key id",
            Self::Mfa => "MFA device",
            Self::Session => "role session",
            Self::Principal => "principal",
            Self::Role => "role",
            Self::SourceIdentity => "source identity",
            Self::Address => "address",
        }
    }

    /// What `text` looks like. A hardware device's serial number and a source identity look like
    /// anything.
    ///
    /// The prefixes: docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html.
    pub(super) fn guess(text: &str) -> Option<Self> {
        if Arn::parse(text).is_ok() {
            return Some(Self::of_arn(text));
        }
        if text.parse::<IpAddr>().is_ok() || text.ends_with(".amazonaws.com") {
            return Some(Self::Address);
        }
        let prefix = text.get(..4).unwrap_or_default();
        let id = text.split(':').next().unwrap_or_default();
        let is_id = AccessKeyId::parse(id).is_ok();
        match prefix {
            "AKIA" | "ASIA" if is_id && id == text => Some(Self::Key),
            "AROA" if is_id && id != text => Some(Self::Session),
            "AIDA" | "AROA" if is_id && id == text => Some(Self::Principal),
            // The principal id of a federated user: `account:name`.
            _ if id != text && is_account(id) => Some(Self::Principal),
            _ => None,
        }
    }

    fn of_arn(arn: &str) -> Self {
        let resource = arn.splitn(6, ':').nth(5).unwrap_or_default();
        match resource.split_once('/').unwrap_or_default() {
            ("mfa" | "u2f", _) => Self::Mfa,
            ("assumed-role", rest) if rest.contains('/') => Self::Session,
            ("role", _) => Self::Role,
            _ => Self::Principal,
        }
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// A user's or role's name and its account, from its ARN; none for anything else.
pub(super) fn name_and_account<'a>(arn: &'a str, resource: &str) -> Option<(&'a str, &'a str)> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [_, _, "iam", _, account, path] = parts.as_slice() else {
        return None;
    };
    let (first, rest) = path.split_once('/')?;
    let name = rest.rsplit('/').next()?;
    (first == resource && !name.is_empty()).then_some((name, account))
}

/// A role session's role name, session name and account, from its ARN.
pub(super) fn session_parts(arn: &str) -> Option<(&str, &str, &str)> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [_, _, "sts", _, account, path] = parts.as_slice() else {
        return None;
    };
    let (role, session) = path.strip_prefix("assumed-role/")?.split_once('/')?;
    Some((role, session, account))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_says_the_kind() {
        for (text, kind) in [
            ("AKIAQNZGKIQY56JQ7WML", Some(Kind::Key)),
            ("ASIAQNZGKIQY56JQ7WML", Some(Kind::Key)),
            ("AIDAUB266OVZCWROZTVQR", Some(Kind::Principal)),
            ("AROAUB266OVZCWROZTVQR", Some(Kind::Principal)),
            ("AROAUB266OVZCWROZTVQR:bob", Some(Kind::Session)),
            ("111122223333:bob", Some(Kind::Principal)),
            ("arn:aws:iam::111122223333:mfa/alice", Some(Kind::Mfa)),
            ("arn:aws-cn:iam::111122223333:u2f/user/a/b", Some(Kind::Mfa)),
            ("arn:aws:iam::111122223333:role/x/app", Some(Kind::Role)),
            (
                "arn:aws:iam::111122223333:user/alice",
                Some(Kind::Principal),
            ),
            ("arn:aws:iam::111122223333:root", Some(Kind::Principal)),
            (
                "arn:aws:sts::111122223333:assumed-role/app/s",
                Some(Kind::Session),
            ),
            ("198.51.100.23", Some(Kind::Address)),
            ("2001:db8::1", Some(Kind::Address)),
            ("ec2.amazonaws.com", Some(Kind::Address)),
            ("alice", None),
            ("GAHT12345678", None),
            ("", None),
            ("AKIA' OR 1=1 --", None),
            ("ÄKIA", None),
        ] {
            assert_eq!(Kind::guess(text), kind, "{text}");
        }
    }

    #[test]
    fn arns_are_taken_apart() {
        let arn = "arn:aws:iam::111122223333:user/team/alice";
        assert_eq!(
            name_and_account(arn, "user"),
            Some(("alice", "111122223333"))
        );
        assert_eq!(name_and_account(arn, "role"), None);
        assert_eq!(
            session_parts("arn:aws:sts::111122223333:assumed-role/app/a@b"),
            Some(("app", "a@b", "111122223333"))
        );
        assert_eq!(session_parts("arn:aws:sts::1:assumed-role/app"), None);
    }
}
