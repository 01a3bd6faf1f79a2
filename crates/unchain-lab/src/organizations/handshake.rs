//! Invitations of accounts that exist already.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::account::{Member, join};
use super::{error, not_in_use, of, short_id, to_write};
use crate::call::{Call, Fault, Reply};
use crate::world::World;

/// How long an invitation stands, seconds
/// (docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_invites.html).
const STANDS: i64 = 15 * 86_400;

/// An invitation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Handshake {
    /// The management account that invites.
    pub management: String,
    /// The account that is invited.
    pub account: String,
    /// The organization's id.
    pub organization: String,
    /// Virtual seconds since 1970.
    pub asked_at: i64,
    /// It has been accepted.
    pub accepted: bool,
}

fn shown(id: &str, handshake: &Handshake) -> Value {
    let (management, organization) = (&handshake.management, &handshake.organization);
    json!({
        "Id": id,
        "Arn": format!("arn:aws:organizations::{management}:handshake/{organization}/invite/{id}"),
        "Parties": [
            { "Id": organization.trim_start_matches("o-"), "Type": "ORGANIZATION" },
            { "Id": handshake.account, "Type": "ACCOUNT" },
        ],
        "State": if handshake.accepted { "ACCEPTED" } else { "OPEN" },
        "RequestedTimestamp": { "$time": handshake.asked_at },
        "ExpirationTimestamp": { "$time": handshake.asked_at.saturating_add(STANDS) },
        "Action": "INVITE",
    })
}

pub(super) fn invite(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let target = call
        .params
        .get("Target")
        .and_then(|target| target.get("Id"));
    let account = target
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let organization = to_write(world, call)?;
    let (management, organization) = (organization.management.clone(), organization.id.clone());
    if !world.accounts.contains_key(&account) {
        return Err(error(
            "InvalidInputException",
            "You specified an account that doesn't exist.",
        ));
    }
    if of(world, &account).is_some() {
        return Err(error(
            "DuplicateAccountException",
            "The account is already a member of an organization.",
        ));
    }
    let id = short_id(&mut world.ids, "h-", 10);
    let handshake = Handshake {
        management,
        account,
        organization,
        asked_at: world.now,
        accepted: false,
    };
    let answer = json!({ "Handshake": shown(&id, &handshake) });
    world.organizations.handshakes.insert(id, handshake);
    Ok(Reply::of(answer))
}

pub(super) fn accept(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let id = call.required("HandshakeId")?;
    let account = call.caller.account.clone();
    if of(world, &account).is_some() {
        return Err(error(
            "AlreadyInOrganizationException",
            "The AWS account is already a member of an organization.",
        ));
    }
    let (now, delay) = (world.now, world.settings.consistency_delay);
    let name = world.accounts.get(&account).map(|found| found.name.clone());
    let state = &mut world.organizations;
    let found = state.handshakes.get_mut(&id);
    let handshake = found
        .filter(|handshake| handshake.account == account)
        .ok_or_else(|| {
            error(
                "HandshakeNotFoundException",
                "We can't find a handshake with the HandshakeId that you specified.",
            )
        })?;
    if handshake.accepted || handshake.asked_at.saturating_add(STANDS) <= now {
        return Err(error(
            "InvalidHandshakeTransitionException",
            "You can't perform the operation on the handshake in its current state.",
        ));
    }
    let organization = state.organizations.get_mut(&handshake.management);
    let organization = organization.ok_or_else(not_in_use)?;
    handshake.accepted = true;
    let answer = json!({ "Handshake": shown(&id, handshake) });
    let member = Member {
        name: name.unwrap_or_default(),
        email: format!("root+{account}@example.com"),
        joined_at: now,
        invited: true,
    };
    join(organization, (&account, member), (now, delay));
    Ok(Reply::of(answer))
}
