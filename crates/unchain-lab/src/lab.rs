//! One request through the lab.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use unchain_core::time::Timestamp;

use crate::call::{Call, Fault, Reply, Trouble};
use crate::http::{Request, Response};
use crate::operation::Operation;
use crate::protocol::{Asked, json};
use crate::service::Service;
use crate::session::{Caller, Who};
use crate::sigv4::{self, Claim, Credential, Moment, Signed};
use crate::world::{Source, World};
use crate::{control, enforce, http, protocol, sts, trail};

/// After so many calls, tokens that ended long ago are forgotten.
const SWEEP: u64 = 4096;

/// The pretend AWS, ready for requests from any number of threads. Signatures are checked side by side; the world is
/// changed by one call at a time.
#[derive(Debug)]
pub struct Lab {
    world: Mutex<World>,
    served: AtomicU64,
}

/// A request on its way: what it names before anything of it is believed.
#[derive(Debug)]
struct Arrival<'a> {
    request: &'a Request,
    service: Service,
    claim: Option<Claim>,
    request_id: String,
}

impl Lab {
    /// A lab over a world.
    pub fn new(world: World) -> Self {
        Self {
            world: Mutex::new(world),
            served: AtomicU64::new(0),
        }
    }

    /// The world, for control, stories and tests.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many requests were served since the lab was made.
    pub fn served(&self) -> u64 {
        self.served.load(Ordering::Relaxed)
    }

    /// Answers one request. `host` is the host's time, UTC; the lab never reads a clock.
    pub fn handle(&self, request: &Request, host: Timestamp) -> Response {
        let served = self.served.fetch_add(1, Ordering::Relaxed);
        if request.path.starts_with(control::PREFIX) {
            return control::handle(&mut self.world_at(host), request, host);
        }
        if served % SWEEP == SWEEP - 1 {
            forget(&mut self.world_at(host));
        }
        self.serve(request, host)
    }

    /// The world with its clock set by the host's.
    fn world_at(&self, host: Timestamp) -> MutexGuard<'_, World> {
        let mut world = self.world();
        world.now = world.clock.at(host).seconds();
        world
    }

    fn serve(&self, request: &Request, host: Timestamp) -> Response {
        let request_id = self.world().ids.guid();
        let claim = match Claim::read(request) {
            Ok(claim) => claim,
            Err(fault) => return protocol::fault(guessed(request), request, &fault, &request_id),
        };
        let service = match route(request, claim.as_ref()) {
            Ok(service) => service,
            Err(fault) => return protocol::fault(None, request, &fault, &request_id),
        };
        let arrival = Arrival {
            request,
            service,
            claim,
            request_id,
        };
        let outcome = protocol::fits(service, request).and_then(|()| self.call(&arrival, host));
        match outcome {
            Ok((operation, reply)) => {
                protocol::reply(operation, request, &reply, &arrival.request_id)
            }
            Err(fault) => protocol::fault(Some(service), request, &fault, &arrival.request_id),
        }
    }

    /// Verifies, reads, authorises, runs and records one call. Requests whose signature is wrong leave no record
    /// (docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html: authenticated requests are logged).
    fn call(
        &self,
        arrival: &Arrival<'_>,
        host: Timestamp,
    ) -> Result<(&'static Operation, Reply), Fault> {
        let signed = self.caller(arrival, host)?;
        let asked = read(arrival, &signed)?;
        let request = with_trailers(arrival.request, &signed.trailers);
        let mut world = self.world_at(host);
        key_used(&mut world, arrival, &signed.caller);
        let outcome = run(&mut world, (arrival, &request), signed, asked);
        trail::deliver_due(&mut world);
        outcome
    }

    /// Who calls, by the signature; nobody where there is none. The world is locked only to look the key up.
    fn caller(&self, arrival: &Arrival<'_>, host: Timestamp) -> Result<Signed, Fault> {
        let request = arrival.request;
        let Some(claim) = &arrival.claim else {
            return Ok(Signed {
                caller: Caller::anonymous(),
                body: request.body.clone(),
                trailers: Vec::new(),
            });
        };
        let (credential, moment): (Credential, Moment) = {
            let world = self.world_at(host);
            (
                sigv4::credential::find(&world, claim)?,
                Moment::of(&world, claim, host),
            )
        };
        claim.verify(request, credential, moment)
    }
}

/// Forgets tokens that ended so long ago that AWS no longer says they have expired.
fn forget(world: &mut World) {
    let limit = world.now.saturating_sub(sigv4::credential::FORGOTTEN);
    world
        .sessions
        .retain(|_, session| session.expires_at >= limit);
}

/// The service that the signature's scope names. Without one: the target's, a form with an action is STS's (which
/// has the calls that need no signature), anything else S3's.
fn route(request: &Request, claim: Option<&Claim>) -> Result<Service, Fault> {
    if let Some(claim) = claim {
        let name = &claim.scope.service;
        return Service::named(name).ok_or_else(|| {
            let message = format!("the lab has no service `{name}`");
            Fault::of(404, Trouble::UnknownOperation, message)
        });
    }
    let form =
        request.path == "/" && (request.method == "POST" || request.query.contains("Action="));
    Ok(match json::service_of(request) {
        Some(service) => service,
        None if form => Service::Sts,
        None => Service::S3,
    })
}

/// The service that a request whose signature cannot be read seems to be meant for: its client reads that service's
/// errors.
fn guessed(request: &Request) -> Option<Service> {
    let header = request.header("authorization").unwrap_or_default();
    let signed_for = |service: &&Service| {
        let end = format!("/{}/aws4_request", service.name());
        header.contains(&end) || http::decode(&request.query).contains(&end)
    };
    let named = Service::ALL.iter().find(signed_for).copied();
    let lambda = request.path.starts_with("/2015-03-31/functions");
    let named = named.or_else(|| lambda.then_some(Service::Lambda));
    named.or_else(|| route(request, None).ok())
}

/// What is asked. Without a signature only S3 and the two calls that bring a token of another kind are served.
fn read(arrival: &Arrival<'_>, signed: &Signed) -> Result<Asked, Fault> {
    let asked = protocol::read(arrival.service, arrival.request, &signed.body);
    if arrival.claim.is_some() || arrival.service == Service::S3 {
        return asked;
    }
    let open = ["AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"];
    match asked {
        Ok(asked) if open.contains(&asked.operation.name) => Ok(asked),
        _ => Err(sigv4::unsigned()),
    }
}

/// Trailers count as headers once their signature is checked. The body goes on in the call, so it is not copied.
fn with_trailers<'a>(request: &'a Request, trailers: &[(String, String)]) -> Cow<'a, Request> {
    if trailers.is_empty() {
        return Cow::Borrowed(request);
    }
    let headers = request.headers.iter().chain(trailers).cloned().collect();
    Cow::Owned(Request {
        method: request.method.clone(),
        path: request.path.clone(),
        query: request.query.clone(),
        headers,
        body: Vec::new(),
        peer: request.peer,
    })
}

fn run(
    world: &mut World,
    (arrival, request): (&Arrival<'_>, &Request),
    signed: Signed,
    asked: Asked,
) -> Result<(&'static Operation, Reply), Fault> {
    let source = source(world, &signed.caller);
    let agent = request.header("user-agent").map(str::to_owned);
    // The bearer of a token or assertion is the caller, also where the request happens to be signed.
    let bearer = sts::bearer(asked.operation, &asked.params);
    let call = Call {
        operation: asked.operation,
        region: region(arrival),
        params: asked.params,
        http: request,
        body: signed.body,
        at: world.time(),
        source_ip: source.ip.unwrap_or_else(|| request.peer.to_string()),
        user_agent: source.agent.or(agent).unwrap_or_default(),
        request_id: arrival.request_id.clone(),
        caller: bearer.unwrap_or(signed.caller),
    };
    let outcome =
        enforce::authorize(world, &call).and_then(|()| (call.operation.run)(world, &call));
    trail::record(world, &call, &outcome);
    outcome.map(|reply| (asked.operation, reply))
}

/// Where the operator or a story said that this key's requests come from.
fn source(world: &World, caller: &Caller) -> Source {
    caller
        .access_key_id
        .as_ref()
        .and_then(|key| world.sources.get(key))
        .or_else(|| world.sources.get("*"))
        .cloned()
        .unwrap_or_default()
}

/// Global services answer and are logged in us-east-1
/// (docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-concepts.html, global service events).
fn region(arrival: &Arrival<'_>) -> String {
    match (arrival.service, &arrival.claim) {
        (Service::Iam | Service::Organizations, _) | (_, None) => "us-east-1".to_owned(),
        (_, Some(claim)) => claim.scope.region.clone(),
    }
}

/// Notes when and with what a long-term key or a role was last used, allowed or not
/// (docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKeyLastUsed.html, API_RoleLastUsed.html).
fn key_used(world: &mut World, arrival: &Arrival<'_>, caller: &Caller) {
    let now = world.now;
    let Some(account) = world.accounts.get_mut(&caller.account) else {
        return;
    };
    if let (Who::Role { name, .. }, iam) = (&caller.who, &mut account.iam) {
        if let Some(role) = iam.roles.get_mut(name) {
            role.last_used = Some((now, region(arrival)));
        }
        return;
    }
    let keys = match &caller.who {
        Who::User { name, .. } => account.iam.users.get_mut(name).map(|user| &mut user.keys),
        Who::Root => Some(&mut account.iam.root_keys),
        _ => None,
    };
    let mut keys = keys.into_iter().flatten();
    let used = keys.find(|key| Some(&key.id) == caller.access_key_id.as_ref());
    if let Some(key) = used {
        key.last_used = Some((now, arrival.service.name().to_owned(), region(arrival)));
    }
}
