//! The key that a signature names: whose it is and whether it may be used now.

use std::fmt;
use std::sync::Arc;

use crate::call::{Fault, Trouble};
use crate::iam::{AccessKey, Iam};
use crate::session::{Caller, Session, Who};
use crate::world::World;

use super::claim::Claim;
use super::key;

/// A token that ended this many seconds ago is no longer known as an expired one.
pub const FORGOTTEN: i64 = 86_400;

/// What a signature is checked with.
#[derive(Clone)]
pub struct Credential {
    /// The secret access key.
    pub(super) secret: String,
    /// Who calls.
    pub(super) caller: Caller,
    /// The token has ended.
    pub(super) expired: bool,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("access_key_id", &self.caller.access_key_id)
            .finish_non_exhaustive()
    }
}

/// Looks up the key of a claim as authorisation sees it at the world's time.
///
/// # Errors
///
/// The key is unknown, inactive or deleted, or the session token is not its own.
pub fn find(world: &World, claim: &Claim) -> Result<Credential, Fault> {
    let id = &claim.scope.access_key_id;
    match world.sessions.get(id) {
        Some(session) => temporary(world, session, claim.token.as_deref()),
        None if claim.token.is_some() && world.key_owners.contains_key(id) => Err(wrong_token()),
        None => long_term(world, id).ok_or_else(unknown),
    }
}

fn long_term(world: &World, id: &str) -> Option<Credential> {
    let (account, user) = world.key_owners.get(id)?;
    let iam = world.accounts.get(account)?.enforced(world.now);
    let (who, key) = owner(iam, user.as_deref(), id)?;
    key.active.then(|| Credential {
        secret: key.secret.clone(),
        caller: Caller {
            account: account.clone(),
            who,
            access_key_id: Some(id.to_owned()),
            ..Caller::anonymous()
        },
        expired: false,
    })
}

/// The principal and key of an account; root's key where no user is named.
fn owner<'a>(iam: &'a Iam, user: Option<&str>, id: &str) -> Option<(Who, &'a AccessKey)> {
    let (who, keys) = match user {
        None => (Who::Root, &iam.root_keys),
        Some(name) => {
            let user = iam.users.get(name)?;
            let who = Who::User {
                name: name.to_owned(),
                id: user.id.clone(),
            };
            (who, &user.keys)
        }
    };
    Some((who, keys.iter().find(|key| key.id == id)?))
}

fn temporary(
    world: &World,
    session: &Arc<Session>,
    token: Option<&str>,
) -> Result<Credential, Fault> {
    let ended = world.now.saturating_sub(session.expires_at);
    if ended > FORGOTTEN {
        return Err(unknown());
    }
    let hash = key::sha256_hex(token.unwrap_or_default().as_bytes());
    if !key::same(&hash, &session.token_hash) {
        return Err(if token.is_some() {
            wrong_token()
        } else {
            unknown()
        });
    }
    Ok(Credential {
        secret: session.secret.clone(),
        caller: Caller {
            account: session.account.clone(),
            who: session.who.clone(),
            access_key_id: Some(session.access_key_id.clone()),
            session: Some(Arc::clone(session)),
            invoked_by: None,
        },
        expired: ended >= 0,
    })
}

fn unknown() -> Fault {
    Fault::of(
        403,
        Trouble::UnknownKey,
        "The security token included in the request is invalid.",
    )
}

fn wrong_token() -> Fault {
    Fault::of(
        403,
        Trouble::WrongToken,
        "The security token included in the request is invalid",
    )
}
