//! By what rows are found again: hashes of the texts that a lineage joins on.
//!
//! A lineage is built from a part of a case, so every join that `unchain_core::lineage` makes has a
//! hash here, under which callers and facts are linked. The hashes are 32 bits: a false hit brings a row too
//! many and changes no answer, because the lineage compares the texts themselves.
//! Must not know SQLite.

use unchain_core::deed::{Attribute, Deed};
use unchain_core::ledger::IdentityType;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Of what a hash is. The numbers are in every case: append only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Join {
    /// Callers by access key id.
    Key = 1,
    /// Callers without a key by what names their node: a name and a session.
    Named = 2,
    /// Callers by (principal, session name, creation time).
    Session = 3,
    /// Callers by session name.
    SessionName = 4,
    /// Callers by the number of a client that they used.
    Client = 5,
    /// Facts by the key that they gave.
    ChildKey = 6,
    /// Facts by the number of their caller.
    ByCaller = 7,
    /// Facts by event id and by shared event id.
    Event = 8,
    /// Facts by the (principal, session name, creation time) of the session that they began.
    Begun = 9,
    /// Sign-ins, sign-in tokens and role switches by (principal, session name).
    Principal = 10,
    /// OAuth grants by the ARN of the sign-in session.
    SignIn = 11,
    /// Changes to a user or role, and sign-ins of a user, by the user's or role's name.
    Owner = 12,
    /// Changes to a key by the key.
    KeyStatus = 13,
    /// Facts that made something by its name.
    Made = 14,
    /// Facts by which a service issued a credential, by session name.
    Workload = 15,
    /// Facts by which a provider's subject got a credential, by the provider.
    Provider = 16,
    /// Requests that make a service issue a credential, by time.
    Asked = 17,
    /// Facts by which a service answers such a request, by time.
    Answered = 18,
    /// Facts by the session name that they gave.
    ChildSession = 19,
    /// Facts by a text in them: role, MFA device, source identity, subject.
    Mentioned = 20,
    /// Identities by a text in them.
    Identity = 21,
    /// Callers by the number of their identity.
    OfIdentity = 22,
}

/// Requests and answers are found by spans of this many seconds; the lineage joins those within 5.
pub(crate) const SPAN: u32 = 16;

/// Under this text the making of any identity provider is found.
pub(crate) const PROVIDER: &str = "identity-provider";

/// Makes hashes, with one buffer for all.
#[derive(Default)]
pub(crate) struct Hasher {
    buffer: Vec<u8>,
}

impl Hasher {
    /// The hash of some parts. Their lengths are in it, so that no two lists of parts are alike.
    pub(crate) fn of(&mut self, join: Join, parts: &[&[u8]]) -> u32 {
        self.buffer.clear();
        for part in parts {
            self.buffer.extend_from_slice(part);
            self.buffer.extend_from_slice(&part.len().to_le_bytes());
        }
        high(xxh3_64_with_seed(&self.buffer, join as u64))
    }

    /// The hash of a text.
    pub(crate) fn text(&mut self, join: Join, text: &str) -> u32 {
        self.of(join, &[text.as_bytes()])
    }

    /// The hash of whose session it is and since when.
    pub(crate) fn session(&mut self, join: Join, (id, name, time): (&str, &str, u32)) -> u32 {
        self.of(join, &[id.as_bytes(), name.as_bytes(), &time.to_le_bytes()])
    }
}

/// The hash of a row's number.
pub(crate) fn of_number(join: Join, number: u32) -> u32 {
    high((u64::from(number) << 8 | join as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// The hash of a span of time in which some deed was done.
pub(crate) fn of_span(join: Join, deed: Deed, span: u32) -> u32 {
    high(
        (u64::from(span) << 16 | (deed as u64) << 8 | join as u64)
            .wrapping_mul(0xa076_1d64_78bd_642f),
    )
}

fn high(hash: u64) -> u32 {
    u32::try_from(hash >> 32).unwrap_or_default()
}

/// The texts of a caller that joins are made on.
#[derive(Clone, Copy, Default)]
pub(crate) struct CallerTexts<'a> {
    pub(crate) kind: IdentityType,
    pub(crate) key: &'a str,
    pub(crate) unique_id: &'a str,
    pub(crate) session: &'a str,
    /// Without the session name at its end.
    pub(crate) arn: &'a str,
    pub(crate) user_name: &'a str,
    pub(crate) invoked_by: &'a str,
    pub(crate) on_behalf_of: &'a str,
    pub(crate) credential_id: &'a str,
    pub(crate) created: Option<u32>,
}

impl<'a> CallerTexts<'a> {
    /// Whose calls they are.
    pub(crate) fn own(&self) -> &'a str {
        if self.unique_id.is_empty() {
            self.arn
        } else {
            self.unique_id
        }
    }

    /// What names the node of a caller without a key: a name and a session.
    pub(crate) fn name(&self) -> (&'a str, &'a str) {
        match self.kind {
            IdentityType::AwsService => {
                let names = [self.invoked_by, self.arn, self.unique_id];
                (
                    names
                        .into_iter()
                        .find(|n| !n.is_empty())
                        .unwrap_or_default(),
                    "",
                )
            }
            IdentityType::Absent if self.own().is_empty() => (self.invoked_by, ""),
            IdentityType::IdentityCenterUser | IdentityType::Unknown
                if !self.on_behalf_of.is_empty() =>
            {
                (self.on_behalf_of, self.credential_id)
            }
            _ => (self.own(), self.session),
        }
    }

    /// The hash under which every caller of the same node is found.
    pub(crate) fn node(&self, hasher: &mut Hasher) -> u32 {
        if self.key.is_empty() {
            let (name, session) = self.name();
            hasher.of(Join::Named, &[name.as_bytes(), session.as_bytes()])
        } else {
            hasher.text(Join::Key, self.key)
        }
    }

    /// Every hash under which the caller is found.
    pub(crate) fn joins(&self, hasher: &mut Hasher, mut push: impl FnMut(u32)) {
        push(self.node(hasher));
        if let Some(created) = self.created {
            push(hasher.session(Join::Session, (self.own(), self.session, created)));
        }
        if !self.session.is_empty() {
            push(hasher.text(Join::SessionName, self.session));
        }
    }
}

/// The texts of a fact that joins are made on.
pub(crate) struct FactTexts<'a> {
    pub(crate) deed: Deed,
    pub(crate) time: u32,
    pub(crate) caller: CallerTexts<'a>,
    /// Whose session an issued credential is: a unique id and a session name.
    pub(crate) child: (&'a str, &'a str),
    /// Its text attributes, in their order.
    pub(crate) attributes: &'a [(Attribute, &'a str)],
}

impl<'a> FactTexts<'a> {
    /// An attribute; empty if it has none.
    pub(crate) fn get(&self, wanted: Attribute) -> &'a str {
        self.all(wanted).next().unwrap_or_default()
    }

    fn all(&self, wanted: Attribute) -> impl Iterator<Item = &'a str> + use<'a> {
        self.attributes
            .iter()
            .filter(move |(attribute, _)| *attribute == wanted)
            .map(|(_, text)| *text)
    }

    /// What names the thing that was made or changed.
    pub(crate) fn made(&self) -> Vec<&'a str> {
        let named = |attribute| {
            let name = self.get(attribute);
            match (name.is_empty(), attribute) {
                (false, _) => name,
                (true, Attribute::User) => self.caller.user_name,
                (true, _) => self.get(Attribute::Resource),
            }
        };
        match self.deed {
            Deed::CreateUser | Deed::CreateLoginProfile | Deed::UpdateLoginProfile => {
                vec![named(Attribute::User)]
            }
            Deed::CreateVirtualMfaDevice | Deed::EnableMfaDevice => vec![named(Attribute::Serial)],
            Deed::CreateRole | Deed::UpdateAssumeRolePolicy => vec![named(Attribute::Role)],
            Deed::IdentityProvider | Deed::TrustAnchor => vec![named(Attribute::Provider)],
            Deed::CreateServiceSpecificCredential => vec![named(Attribute::Key)],
            Deed::RunInstances | Deed::InstanceProfile | Deed::Function | Deed::TaskDefinition => {
                let instances = self.all(Attribute::Instance);
                instances.chain(self.all(Attribute::Function)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The service in whose workloads' names the thing that was made stands, or that it is a provider.
    fn service(&self) -> &'static str {
        match self.deed {
            Deed::RunInstances | Deed::InstanceProfile => "ec2.amazonaws.com",
            Deed::Function => "lambda.amazonaws.com",
            Deed::TaskDefinition => "ecs-tasks.amazonaws.com",
            Deed::IdentityProvider | Deed::TrustAnchor => PROVIDER,
            _ => "",
        }
    }

    /// The user or role that the fact changed or signed in.
    pub(crate) fn owners(&self) -> impl Iterator<Item = &'a str> {
        let role = self.get(Attribute::Role);
        let role = role.rsplit('/').next().unwrap_or_default();
        let own = match self.deed {
            Deed::ConsoleLogin | Deed::CreateLoginProfile | Deed::UpdateLoginProfile => {
                self.caller.user_name
            }
            _ => "",
        };
        let names = match self.deed {
            deed if deed.issues() && deed != Deed::ConsoleLogin => [""; 3],
            Deed::Function | Deed::TaskDefinition | Deed::CreateAccessKey => [""; 3],
            _ => [self.get(Attribute::User), role, own],
        };
        names.into_iter().filter(|name| !name.is_empty())
    }

    /// The request that a service answers with this issue, as the lineage infers it.
    pub(crate) fn answers(&self) -> Option<Deed> {
        match (self.deed, self.caller.invoked_by) {
            (Deed::AssumeRole, "pods.eks.amazonaws.com") => Some(Deed::AssumeRoleForPodIdentity),
            (Deed::AssumeRole, "access-grants.s3.amazonaws.com") => Some(Deed::GetDataAccess),
            (Deed::AssumeRoleWithSaml, _) => Some(Deed::GetRoleCredentials),
            (Deed::AssumeRole, service) if service.starts_with("sso.") => {
                Some(Deed::GetRoleCredentials)
            }
            _ => None,
        }
    }

    /// Whether the call makes a service issue a credential.
    pub(crate) fn asks(&self) -> bool {
        matches!(
            self.deed,
            Deed::AssumeRoleForPodIdentity | Deed::GetRoleCredentials | Deed::GetDataAccess
        )
    }

    /// Every hash under which the fact is found, but those of its event ids and its caller.
    pub(crate) fn joins(&self, hasher: &mut Hasher, mut push: impl FnMut(u32)) {
        let mut text = |join, text: &str| {
            if !text.is_empty() {
                push(hasher.text(join, text));
            }
        };
        text(Join::ChildKey, self.get(Attribute::ChildKey));
        text(Join::ChildSession, self.child.1);
        for attribute in [
            Attribute::ChildId,
            Attribute::ChildArn,
            Attribute::Role,
            Attribute::Serial,
            Attribute::SourceIdentity,
            Attribute::Subject,
            Attribute::IdentityId,
        ] {
            text(Join::Mentioned, self.get(attribute));
        }
        text(Join::Mentioned, self.service());
        self.owners().for_each(|name| text(Join::Owner, name));
        self.made()
            .into_iter()
            .for_each(|name| text(Join::Made, name));
        match self.deed {
            Deed::UpdateAccessKey | Deed::DeleteAccessKey => {
                text(Join::KeyStatus, self.get(Attribute::Key));
            }
            Deed::CreateOAuth2Token => text(Join::SignIn, self.get(Attribute::SignInSession)),
            Deed::AssumeRoleWithSaml | Deed::AssumeRoleWithWebIdentity => {
                text(Join::Provider, self.get(Attribute::Provider));
            }
            _ if self.deed.issues() && self.caller.kind == IdentityType::AwsService => {
                text(Join::Workload, self.get(Attribute::SessionName));
            }
            _ => {}
        }
        self.joins_of_sessions(hasher, push);
    }

    /// Whether a fact of this deed is found by its caller's principal and session, and not only by its caller's
    /// kind, user name and forwarding service; see [`Self::joins_of_sessions`].
    pub(crate) fn names_its_caller(deed: Deed) -> bool {
        use Deed::{ConsoleLogin, CreateOAuth2Token, GetSigninToken, SwitchRole};
        matches!(
            deed,
            ConsoleLogin | CreateOAuth2Token | GetSigninToken | SwitchRole
        )
    }

    fn joins_of_sessions(&self, hasher: &mut Hasher, mut push: impl FnMut(u32)) {
        let caller = &self.caller;
        match self.deed {
            Deed::ConsoleLogin => {
                push(hasher.session(Join::Begun, (caller.own(), caller.session, self.time)));
            }
            Deed::CreateOAuth2Token => {
                let created = caller.created.unwrap_or(self.time);
                push(hasher.session(Join::Begun, (caller.own(), caller.session, self.time)));
                push(hasher.session(Join::Begun, (caller.own(), caller.session, created)));
            }
            _ => {
                let (id, session) = self.child;
                if !id.is_empty() {
                    push(hasher.session(Join::Begun, (id, session, self.time)));
                }
            }
        }
        if matches!(
            self.deed,
            Deed::ConsoleLogin | Deed::GetSigninToken | Deed::SwitchRole
        ) {
            let parts = [caller.unique_id.as_bytes(), caller.session.as_bytes()];
            push(hasher.of(Join::Principal, &parts));
        }
        if self.asks() {
            push(of_span(Join::Asked, self.deed, self.time / SPAN));
        }
        if let Some(deed) = self.answers() {
            push(of_span(Join::Answered, deed, self.time / SPAN));
        }
    }
}

/// A hash of an access key id or principal id that is the same in every run: what
/// [`crate::FileRow::keys`] holds.
pub fn key_hash(id: &str) -> u32 {
    high(xxh3_64_with_seed(id.as_bytes(), 0x006b_6579))
}
