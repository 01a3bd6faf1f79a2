//! Principals in trust policies. IAM keeps the unique id behind an ARN: the principal must be there when the policy
//! is saved, and when it is deleted the id is all that is left, so that another of the same name is not trusted
//! (docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html).

use serde_json::Value;

use super::{Document, Iam, documents, fault};
use crate::call::Fault;
use crate::world::World;

/// Checks that the principals of a trust policy are there. What an account outside the lab has cannot be known, and
/// is believed.
pub(super) fn check(world: &World, principal: &Value) -> Result<(), Fault> {
    let Some(kinds) = principal.as_object() else {
        return if principal.as_str() == Some("*") {
            Ok(())
        } else {
            Err(fault::malformed("Syntax errors in policy."))
        };
    };
    for (kind, named) in kinds {
        for name in documents::texts(Some(named)) {
            let known = match kind.as_str() {
                "AWS" => aws_exists(world, name),
                "Service" => name.contains('.') && name.contains("amazon"),
                _ => !name.is_empty(),
            };
            if !known {
                return Err(fault::malformed(format!(
                    "Invalid principal in policy: \"{}\":\"{name}\"",
                    if kind == "AWS" {
                        kind.clone()
                    } else {
                        kind.to_uppercase()
                    }
                )));
            }
        }
    }
    Ok(())
}

fn aws_exists(world: &World, name: &str) -> bool {
    if name == "*" || is_account(name) {
        return true;
    }
    match arn(name) {
        Some(arn) if !is_account(arn.account) => false,
        Some(arn) => world
            .iam(arn.account)
            .map_or_else(|| arn.well_formed(), |iam| arn.is_in(iam)),
        None => world
            .accounts
            .values()
            .any(|account| has_id(&account.iam, name)),
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn has_id(iam: &Iam, id: &str) -> bool {
    let id = id.split(':').next().unwrap_or_default();
    iam.users.values().any(|user| user.id == id) || iam.roles.values().any(|role| role.id == id)
}

/// An ARN of IAM or STS, in its parts.
struct Arn<'a> {
    account: &'a str,
    kind: &'a str,
    /// With the path's first slash.
    rest: &'a str,
}

fn arn(text: &str) -> Option<Arn<'_>> {
    let (_, rest) = text
        .strip_prefix("arn:")?
        .split_once(":iam::")
        .or_else(|| text.strip_prefix("arn:")?.split_once(":sts::"))?;
    let (account, resource) = rest.split_once(':')?;
    let at = resource.find('/').unwrap_or(resource.len());
    let (kind, rest) = resource.split_at_checked(at)?;
    Some(Arn {
        account,
        kind,
        rest,
    })
}

impl Arn<'_> {
    fn well_formed(&self) -> bool {
        match self.kind {
            "root" => self.rest.is_empty(),
            "user" | "role" | "assumed-role" | "federated-user" => {
                self.rest.len() > 1 && !self.rest.contains('*')
            }
            _ => false,
        }
    }

    fn is_in(&self, iam: &Iam) -> bool {
        let Some((path, name)) = self.rest.rsplit_once('/') else {
            return self.well_formed();
        };
        let with_path = |there: &str| there.trim_end_matches('/') == path;
        match self.kind {
            "user" => iam
                .users
                .get(name)
                .is_some_and(|user| with_path(&user.path)),
            "role" => iam
                .roles
                .get(name)
                .is_some_and(|role| with_path(&role.path)),
            "assumed-role" => iam.roles.contains_key(path.trim_start_matches('/')),
            _ => self.well_formed(),
        }
    }
}

/// A principal that was deleted or renamed.
pub(super) struct Gone<'a> {
    /// Its ARN until now.
    pub arn: &'a str,
    /// What stands for it from now on: its unique id, or its new ARN.
    pub now: &'a str,
}

/// Writes what stands for a deleted or renamed principal into every trust policy of the lab that names it.
pub(super) fn rewrite(world: &mut World, gone: &Gone<'_>) {
    let sessions = sessions_prefix(gone.arn);
    let named = |text: &str| {
        text.contains(gone.arn)
            || sessions
                .as_ref()
                .is_some_and(|prefix| text.contains(prefix))
    };
    let mut found = Vec::new();
    for (account, state) in &world.accounts {
        for (name, role) in &state.iam.roles {
            if named(&role.trust.text)
                && let Some(trust) = rewritten(&role.trust, gone, sessions.as_deref())
            {
                found.push((account.clone(), name.clone(), trust));
            }
        }
    }
    for (account, name, trust) in found {
        if let Some(role) = world
            .change_iam(&account)
            .and_then(|iam| iam.roles.get_mut(&name))
        {
            role.trust = trust;
        }
    }
}

/// The beginning of the ARNs of a role's sessions.
fn sessions_prefix(arn: &str) -> Option<String> {
    let (head, rest) = arn.split_once(":role/")?;
    let name = rest.rsplit('/').next()?;
    Some(format!(
        "{}:assumed-role/{name}/",
        head.replacen(":iam:", ":sts:", 1)
    ))
}

fn rewritten(trust: &Document, gone: &Gone<'_>, sessions: Option<&str>) -> Option<Document> {
    let mut value: Value = serde_json::from_str(&trust.text).ok()?;
    let statements = match value.get_mut("Statement")? {
        Value::Array(items) => items.iter_mut().collect(),
        one => vec![one],
    };
    for statement in statements {
        let Some(named) = statement.pointer_mut("/Principal/AWS") else {
            continue;
        };
        match named {
            Value::Array(items) => items
                .iter_mut()
                .for_each(|item| replace(item, gone, sessions)),
            one => replace(one, gone, sessions),
        }
    }
    Document::parse(&trust.name, &value.to_string()).ok()
}

fn replace(name: &mut Value, gone: &Gone<'_>, sessions: Option<&str>) {
    let Some(text) = name.as_str() else { return };
    let is_id = !gone.now.starts_with("arn:");
    let session = sessions.and_then(|prefix| text.strip_prefix(prefix));
    match session {
        _ if text == gone.arn => *name = Value::String(gone.now.to_owned()),
        Some(session) if is_id => *name = Value::String(format!("{}:{session}", gone.now)),
        _ => {}
    }
}
