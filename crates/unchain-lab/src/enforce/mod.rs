//! May the caller do this? Puts the layers of policy together and asks `unchain-policy`.
//!
//! Four steps, each a module: what the kind of credential may not call at all (`credential`), the context keys
//! (`context`), the policies that apply (`layers`, `organization`), and AWS's words for a refusal (`message`).
//!
//! Must not know: what an operation does. Operations say what they need ([`crate::operation::Permission`]).

mod context;
mod credential;
mod layers;
mod message;
mod organization;
mod principal;

use unchain_policy::{Context, Decision, Layer, Request, evaluate};

pub use layers::managed;
pub use message::decode as decode_message;
pub use organization::may_assume_root;
pub use principal::{arn, principal_arn};

use crate::call::{Call, Fault, Trouble};
use crate::operation::{Ask, Permission};
use crate::service::Service;
use crate::session::{Caller, Who};
use crate::world::World;

/// Checks what the kind of credential may not do at all, then every permission that the call needs.
///
/// # Errors
///
/// `AccessDenied` in AWS's words; `InvalidClientTokenId` for credentials that a service does not take; what the
/// operation says of its parameters, where it must read them to know what to ask.
pub fn authorize(world: &World, call: &Call<'_>) -> Result<(), Fault> {
    credential::check(call)?;
    let asks = match call.operation.permission {
        Permission::Free => return Ok(()),
        _ if call.caller.who == Who::Anonymous && call.operation.service != Service::S3 => {
            let message = "Request is missing Authentication Token";
            return Err(Fault::of(403, Trouble::Unsigned, message));
        }
        Permission::Any => {
            let (service, name) = (call.operation.service.name(), call.operation.name);
            vec![Ask::on(format!("{service}:{name}"), "*")]
        }
        Permission::Asks(asks) => asks(world, call)?,
    };
    let context = context::of_call(world, call);
    for ask in &asks {
        let decision = decide_in(world, &call.caller, (ask, context.clone()));
        if !matches!(decision, Decision::Allowed(_)) {
            return Err(message::refusal(world, call, (ask, &decision)));
        }
    }
    Ok(())
}

/// What the policies say of a question at the world's time, with the context keys that follow from the caller and
/// those of the question; keys of a request (address, user agent, region) are absent unless the question has them.
/// Whether the kind of credential may make the call at all is not asked here.
pub fn decide(world: &World, caller: &Caller, ask: &Ask) -> Decision {
    decide_in(world, caller, (ask, context::of_caller(world, caller)))
}

/// Whether a role trusts the bearer of a token or assertion that `provider` (an ARN, or the host of a provider that
/// is built in) vouches for.
pub fn trusts(world: &World, call: &Call<'_>, provider: &str, ask: &Ask) -> bool {
    let layers = layers::of_resource(world, ask);
    let principal = unchain_policy::Principal::federated(provider);
    let context = context::with(context::of_request(world, call), ask);
    let context = context.with("aws:FederatedProvider", provider);
    let decision = evaluate(&request(&principal, (ask, &context)), &layers);
    matches!(decision, Decision::Allowed(_))
}

fn decide_in(world: &World, caller: &Caller, (ask, context): (&Ask, Context)) -> Decision {
    let Some(layers) = layers::of(world, caller, ask) else {
        return Decision::ImplicitlyDenied(Layer::Identity);
    };
    let principal = principal::of(world, caller);
    let context = context::with(context, ask);
    evaluate(&request(&principal, (ask, &context)), &layers)
}

fn request<'a>(
    principal: &'a unchain_policy::Principal,
    (ask, context): (&'a Ask, &'a Context),
) -> Request<'a> {
    Request {
        principal,
        action: &ask.action,
        resource: &ask.resource,
        resource_account: ask.resource_account.as_deref(),
        context,
    }
}
