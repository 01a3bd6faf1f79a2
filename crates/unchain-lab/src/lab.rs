//! One request through the lab.

use std::sync::{Mutex, MutexGuard, PoisonError};

use unchain_core::time::Timestamp;

use crate::call::{Call, Fault, Reply, Trouble};
use crate::http::{Request, Response};
use crate::operation::Operation;
use crate::service::Service;
use crate::session::Caller;
use crate::world::{Source, World};
use crate::{control, enforce, protocol, sigv4, trail};

/// The pretend AWS, ready for requests from any number of threads; one is served at a time.
#[derive(Debug)]
pub struct Lab {
    world: Mutex<World>,
}

impl Lab {
    /// A lab over a world.
    pub fn new(world: World) -> Self {
        Self {
            world: Mutex::new(world),
        }
    }

    /// The world, for control, stories and tests.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers one request. `host` is the host's time, UTC; the lab never reads a clock.
    pub fn handle(&self, request: &Request, host: Timestamp) -> Response {
        let mut world = self.world();
        world.now = world.clock.at(host).seconds();
        if request.path.starts_with(control::PREFIX) {
            return control::handle(&mut world, request, host);
        }
        let response = serve(&mut world, request, host);
        trail::deliver_due(&mut world);
        response
    }
}

fn serve(world: &mut World, request: &Request, host: Timestamp) -> Response {
    let request_id = world.ids.guid();
    let service = match route(request) {
        Ok(service) => service,
        Err(fault) => return protocol::fault(None, request, &fault, &request_id),
    };
    match call(world, (service, request, &request_id), host) {
        Ok((operation, reply)) => protocol::reply(operation, request, &reply, &request_id),
        Err(fault) => protocol::fault(Some(service), request, &fault, &request_id),
    }
}

/// The service that the signature's scope names; without one, a form with an action is STS's (the calls that need
/// no signature), anything else S3's.
fn route(request: &Request) -> Result<Service, Fault> {
    match sigv4::scope(request)? {
        Some(scope) => Service::named(&scope.service).ok_or_else(|| {
            let message = format!("the lab has no service `{}`", scope.service);
            Fault::of(404, Trouble::UnknownOperation, message)
        }),
        None if request.method == "POST" && request.path == "/" => Ok(Service::Sts),
        None => Ok(Service::S3),
    }
}

/// Verifies, reads, authorises, runs and records one call. Requests whose signature is wrong leave no record
/// (docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html: authenticated requests are logged).
fn call(
    world: &mut World,
    (service, request, request_id): (Service, &Request, &str),
    host: Timestamp,
) -> Result<(&'static Operation, Reply), Fault> {
    let scope = sigv4::scope(request)?;
    let (caller, body) = match &scope {
        Some(_) => {
            let signed = sigv4::verify(world, request, host)?;
            (signed.caller, signed.body)
        }
        None => (Caller::anonymous(), request.body.clone()),
    };
    let asked = protocol::read(service, request, &body)?;
    let source = source(world, &caller);
    let call = Call {
        operation: asked.operation,
        region: region(service, scope.as_ref()),
        params: asked.params,
        http: request,
        body,
        at: world.time(),
        source_ip: source.ip.unwrap_or_else(|| request.peer.to_string()),
        user_agent: source
            .agent
            .or_else(|| request.header("user-agent").map(str::to_owned))
            .unwrap_or_default(),
        request_id: request_id.to_owned(),
        caller,
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
fn region(service: Service, scope: Option<&sigv4::Scope>) -> String {
    match (service, scope) {
        (Service::Iam | Service::Organizations, _) | (_, None) => "us-east-1".to_owned(),
        (_, Some(scope)) => scope.region.clone(),
    }
}
