//! The role that is to be assumed, and how long its session may last.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::call::{Call, Fault};
use crate::enforce;
use crate::iam::Role;
use crate::operation::Ask;
use crate::session::{Caller, MadeBy, Who};
use crate::world::World;

/// Seconds of a session when the call says nothing.
pub(super) const DEFAULT: i64 = 3600;
/// The limits of `DurationSeconds`; the role's own is checked beside.
pub(super) const LIMITS: (i64, i64) = (900, 43_200);
/// The longest session that a temporary credential may make of a role, seconds
/// (docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html, role chaining).
const CHAINED: i64 = 3600;

/// A role's ARN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RoleArn {
    /// As given.
    pub(super) text: String,
    /// Twelve digits.
    pub(super) account: String,
    /// Without path.
    pub(super) name: String,
    /// Begins and ends with `/`.
    pub(super) path: String,
}

/// What the bearer of a token or assertion asks of a role.
#[derive(Debug)]
pub(super) struct Bearing<'a> {
    /// What the trust policy names: a provider's ARN, or the host of one that is built in.
    pub(super) provider: &'a str,
    /// The action that assumes the role.
    pub(super) action: &'static str,
    /// The session gets tags.
    pub(super) tagged: bool,
    /// The session gets a source identity.
    pub(super) named: bool,
    /// Context keys.
    pub(super) context: Vec<(String, Vec<String>)>,
}

impl RoleArn {
    /// Whether the role's trust policy lets the bearer do all that it asks.
    pub(super) fn trusts(
        &self,
        world: &World,
        call: &Call<'_>,
        (role, bearing): (&Role, &Bearing<'_>),
    ) -> bool {
        let tagging = bearing.tagged.then_some("sts:TagSession");
        let naming = bearing.named.then_some("sts:SetSourceIdentity");
        let mut actions = [Some(bearing.action), tagging, naming]
            .into_iter()
            .flatten();
        actions.all(|action| {
            let mut ask = self.ask(role, action);
            ask.context.extend_from_slice(&bearing.context);
            enforce::trusts(world, call, bearing.provider, &ask)
        })
    }

    /// Reads `arn:aws:iam::111122223333:role/path/name`.
    ///
    /// # Errors
    ///
    /// `ValidationError` for anything else.
    pub(super) fn read(text: &str) -> Result<Self, Fault> {
        let parts = || {
            let (account, resource) = text.strip_prefix("arn:aws:iam::")?.split_once(':')?;
            let path_and_name = resource.strip_prefix("role")?;
            let (path, name) = path_and_name.rsplit_once('/')?;
            let sound = account.len() == 12
                && account.bytes().all(|byte| byte.is_ascii_digit())
                && !name.is_empty()
                && (path.is_empty() || path.starts_with('/'));
            sound.then(|| (account.to_owned(), format!("{path}/"), name.to_owned()))
        };
        let (account, path, name) =
            parts().ok_or_else(|| Fault::validation(format!("{text} is invalid")))?;
        Ok(Self {
            text: text.to_owned(),
            account,
            name,
            path,
        })
    }

    /// The role as authorisation sees it now.
    pub(super) fn find<'a>(&self, world: &'a World) -> Option<&'a Role> {
        let account = world.accounts.get(&self.account)?;
        let role = account.enforced(world.now).roles.get(&self.name)?;
        (role.path == self.path).then_some(role)
    }

    /// The question whether the role may be assumed by `action`, with the role's tags among the context keys.
    pub(super) fn ask(&self, role: &Role, action: &str) -> Ask {
        let tags = role.attached.tags.iter();
        Ask {
            resource_account: Some(self.account.clone()),
            resource_policy: Some(Arc::clone(&role.trust.policy)),
            trust: true,
            context: tags
                .flat_map(|(key, value)| {
                    ["aws", "iam"]
                        .map(|prefix| (format!("{prefix}:ResourceTag/{key}"), vec![value.clone()]))
                })
                .collect(),
            ..Ask::on(action, &self.text)
        }
    }

    /// CloudTrail's `resources`.
    pub(super) fn resource(&self) -> Value {
        json!({"accountId": self.account, "type": "AWS::IAM::Role", "ARN": self.text})
    }

    /// The session's principal.
    pub(super) fn session(&self, role: &Role, name: &str) -> Who {
        Who::Role {
            name: self.name.clone(),
            id: role.id.clone(),
            session: name.to_owned(),
        }
    }

    /// `AssumedRoleUser` of a reply. The session's ARN does not have the role's path.
    pub(super) fn assumed(&self, role: &Role, session: &str) -> Value {
        let (id, arn) = self.ids(role, session);
        json!({"AssumedRoleId": id, "Arn": arn})
    }

    /// `assumedRoleUser` of CloudTrail's `responseElements`.
    pub(super) fn recorded(&self, role: &Role, session: &str) -> Value {
        let (id, arn) = self.ids(role, session);
        json!({"assumedRoleId": id, "arn": arn})
    }

    fn ids(&self, role: &Role, session: &str) -> (String, String) {
        let (account, name) = (&self.account, &self.name);
        (
            format!("{}:{session}", role.id),
            format!("arn:aws:sts::{account}:assumed-role/{name}/{session}"),
        )
    }
}

/// Whether a session made by this caller counts as chained. The credentials of an instance do not
/// (docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_sts-comparison.html), any other temporary ones do.
pub(super) fn chained(caller: &Caller) -> bool {
    caller.session.as_ref().is_some_and(|session| {
        !matches!(&session.made_by, MadeBy::Service { service, .. } if service == "ec2.amazonaws.com")
    })
}

/// Seconds that the session lasts.
///
/// # Errors
///
/// `ValidationError` beyond an hour in a chain, and beyond the role's `MaxSessionDuration`.
pub(super) fn duration(role: &Role, asked: Option<i64>, chained: bool) -> Result<i64, Fault> {
    let duration = asked.unwrap_or(DEFAULT);
    if chained && duration > CHAINED {
        return Err(Fault::validation(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
        ));
    }
    if duration > role.max_session {
        return Err(Fault::validation(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ));
    }
    Ok(duration)
}
