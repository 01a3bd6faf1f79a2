//! AWS's words for a refusal
//! (docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html), which clients and CloudTrail show.

use std::io::{Read, Write};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use serde_json::{Value, json};
use unchain_policy::{Cited, Decision, Layer};

use super::principal;
use crate::call::{Call, Fault};
use crate::operation::Ask;
use crate::service::Service;
use crate::world::World;

/// What the lab's encoded messages begin with: AWS's are encrypted, these can be read by anyone.
const MARK: &[u8] = b"unchain-lab:";
/// No decoded message is longer, bytes.
const LONGEST: u64 = 65_536;

/// The refusal of a question, in the words of the service that was called.
pub(super) fn refusal(world: &World, call: &Call<'_>, (ask, decision): (&Ask, &Decision)) -> Fault {
    let arn = principal::arn(world, &call.caller);
    let sentence = || sentence(&arn, call.operation.service, (ask, decision));
    match call.operation.service {
        Service::Ec2 => {
            let encoded = encode(&contents(world, call, (ask, decision)));
            Fault::denied(format!(
                "You are not authorized to perform this operation. {}. Encoded authorization failure message: \
                 {encoded}",
                sentence()
            ))
        }
        Service::S3 if !is_own(call, ask) => Fault::denied("Access Denied"),
        _ => Fault::denied(sentence()),
    }
}

/// S3 gives reasons to callers of the resource's account only
/// (docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html).
fn is_own(call: &Call<'_>, ask: &Ask) -> bool {
    let owner = ask.resource_account.as_ref();
    !call.caller.account.is_empty() && owner.is_none_or(|owner| *owner == call.caller.account)
}

fn sentence(arn: &str, service: Service, (ask, decision): (&Ask, &Decision)) -> String {
    let action = &ask.action;
    let resource = match (service, ask.resource.as_str()) {
        (Service::S3 | Service::Ec2, "*") => String::new(),
        (Service::S3, resource) => format!(" on resource: \"{resource}\""),
        (_, resource) => format!(" on resource: {resource}"),
    };
    let reason = match decision {
        Decision::ExplicitlyDenied(Cited { layer, .. }) => {
            format!(" with an explicit deny in {}", with_article(*layer))
        }
        // AWS gives no reason where a role is not to be assumed.
        Decision::ImplicitlyDenied(_) if ask.trust => String::new(),
        Decision::ImplicitlyDenied(layer) => {
            format!(" because no {} allows the {action} action", kind(*layer))
        }
        Decision::Allowed(_) | Decision::Depends(_) => String::new(),
    };
    format!("User: {arn} is not authorized to perform: {action}{resource}{reason}")
}

fn kind(layer: Layer) -> &'static str {
    match layer {
        Layer::Identity => "identity-based policy",
        Layer::Boundary => "permissions boundary",
        Layer::Session => "session policy",
        Layer::Resource | Layer::Trust | Layer::Key => "resource-based policy",
        Layer::Scp { .. } => "service control policy",
        Layer::Rcp { .. } => "resource control policy",
    }
}

fn with_article(layer: Layer) -> String {
    let article = if layer == Layer::Identity { "an" } else { "a" };
    format!("{article} {}", kind(layer))
}

/// The decoded form of EC2's encoded message
/// (docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html).
fn contents(world: &World, call: &Call<'_>, (ask, decision): (&Ask, &Decision)) -> Value {
    let (explicit, matched) = match decision {
        Decision::ExplicitlyDenied(cited) => (true, vec![statement(cited)]),
        _ => (false, Vec::new()),
    };
    let conditions: Vec<Value> = ask
        .context
        .iter()
        .map(|(key, values)| {
            let values: Vec<_> = values.iter().map(|value| json!({"value": value})).collect();
            json!({"key": key, "values": {"items": values}})
        })
        .collect();
    json!({
        "allowed": false,
        "explicitDeny": explicit,
        "matchedStatements": {"items": matched},
        "failures": {"items": []},
        "context": {
            "principal": {
                "id": call.caller.user_id(),
                "arn": principal::arn(world, &call.caller),
            },
            "action": ask.action,
            "resource": ask.resource,
            "conditions": {"items": conditions},
        },
    })
}

fn statement(cited: &Cited) -> Value {
    json!({
        "statementId": cited.sid.clone().unwrap_or_default(),
        "effect": "DENY",
        "sourcePolicyId": cited.policy,
        "sourcePolicyType": kind(cited.layer),
    })
}

fn encode(contents: &Value) -> String {
    let mut packer = DeflateEncoder::new(MARK.to_vec(), Compression::default());
    // Writing to memory cannot fail.
    let _ = packer.write_all(contents.to_string().as_bytes());
    URL_SAFE_NO_PAD.encode(packer.finish().unwrap_or_default())
}

/// What an encoded message of the lab says, as JSON text; none for anything else.
pub fn decode(encoded: &str) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(encoded).ok()?;
    let packed = bytes.strip_prefix(MARK)?;
    let mut text = String::new();
    DeflateDecoder::new(packed)
        .take(LONGEST)
        .read_to_string(&mut text)
        .ok()?;
    serde_json::from_str::<Value>(&text).ok().map(|_| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoded_message_is_decoded_and_nothing_else_is() {
        let contents = json!({"allowed": false, "context": {"action": "ec2:RunInstances"}});
        let encoded = encode(&contents);
        assert_eq!(decode(&encoded), Some(contents.to_string()));
        assert_eq!(decode("not base64!"), None);
        assert_eq!(
            decode(&URL_SAFE_NO_PAD.encode(b"unchain-lab:\xff\xff")),
            None
        );
        assert_eq!(decode(encoded.trim_start_matches('d')), None);
    }
}
