//! What issues nothing: who am I, whose key is this, what does this refusal say.

use serde_json::json;
use unchain_core::id::{AccessKeyId, Id};

use super::input::{Checks, KEY_ID};
use super::issue::request_details;
use crate::call::{Call, Fault, Reply};
use crate::enforce;
use crate::world::World;

/// `GetCallerIdentity`: needs no permission, and no policy can deny it
/// (docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html).
pub(super) fn get_caller_identity(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let mut reply = Reply::of(json!({
        "UserId": call.caller.user_id(),
        "Account": call.caller.account,
        "Arn": enforce::arn(world, &call.caller),
    }));
    reply.recorded.additional = Some(request_details(call));
    Ok(reply)
}

/// `GetAccessKeyInfo`: the account of any key that has the form of one
/// (docs.aws.amazon.com/STS/latest/APIReference/API_GetAccessKeyInfo.html).
pub(super) fn get_access_key_info(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let mut checks = Checks::default();
    let key = checks.required(call, "AccessKeyId");
    if call.text("AccessKeyId").is_some() {
        checks.length(("accessKeyId", &key), (16, 128));
        checks.pattern(("accessKeyId", &key), KEY_ID);
    }
    checks.done()?;
    let of_session = world
        .sessions
        .get(&key)
        .map(|session| session.account.clone());
    let of_owner = || {
        world
            .key_owners
            .get(&key)
            .map(|(account, _)| account.clone())
    };
    let decoded = || AccessKeyId::parse(&key).ok()?.account();
    let account = of_session.or_else(of_owner).or_else(decoded);
    let account = account.ok_or_else(|| Fault::validation("Invalid value for AccessKeyId"))?;
    let mut reply = Reply::of(json!({"Account": account}));
    reply.recorded.additional = Some(request_details(call));
    Ok(reply)
}

/// `DecodeAuthorizationMessage`: what a refusal's encoded message holds
/// (docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html).
pub(super) fn decode_authorization_message(
    _world: &mut World,
    call: &Call<'_>,
) -> Result<Reply, Fault> {
    let mut checks = Checks::default();
    let encoded = checks.required(call, "EncodedMessage");
    if call.text("EncodedMessage").is_some() {
        checks.length(("encodedMessage", &encoded), (1, 10_240));
    }
    checks.done()?;
    let decoded = enforce::decode_message(&encoded).ok_or_else(|| {
        Fault::api(
            400,
            "InvalidAuthorizationMessageException",
            "Message is not valid",
        )
    })?;
    Ok(Reply::of(json!({"DecodedMessage": decoded})))
}
