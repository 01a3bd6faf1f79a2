//! From a call and its outcome to records: one in the log of the caller's account, a copy in each other account that
//! the call reached.

use serde_json::Value;

use super::draft::{Access, Category, Draft};
use super::{elements, identity};
use crate::call::{Call, Fault, Reply, Trouble};
use crate::operation::Event;
use crate::protocol;
use crate::s3;
use crate::service::Service;
use crate::session::{Caller, Who};
use crate::sts;
use crate::world::World;

/// The version of the record format: IAM and S3 are one behind.
fn version(service: Service) -> &'static str {
    match service {
        Service::Iam | Service::S3 => "1.10",
        _ => "1.11",
    }
}

/// What happened, with what belongs to it.
pub(super) struct Happened<'a> {
    pub(super) call: &'a Call<'a>,
    pub(super) outcome: &'a Result<Reply, Fault>,
}

/// The records of a call; none where CloudTrail keeps none.
pub(super) fn drafts(world: &mut World, happened: &Happened<'_>) -> Vec<Draft> {
    let call = happened.call;
    let silent = happened.reply().is_some_and(|reply| reply.recorded.silent);
    if silent || call.operation.event == Event::None {
        return Vec::new();
    }
    let home = happened.home(world);
    let mut others = happened.others(world);
    others.retain(|account| *account != home && world.accounts.contains_key(account));
    others.dedup();
    let by_service = matches!(call.caller.who, Who::Service(_));
    let shared = (by_service || !others.is_empty()).then(|| world.ids.guid());
    let own = Draft {
        account: home,
        shared,
        ..happened.draft(world)
    };
    let foreign = others.into_iter().map(|account| Draft {
        account,
        identity: identity::foreign(&call.caller),
        from_console: false,
        ..own.clone()
    });
    let mut drafts: Vec<Draft> = foreign.collect();
    drafts.insert(0, own);
    drafts
}

impl Happened<'_> {
    fn reply(&self) -> Option<&Reply> {
        self.outcome.as_ref().ok()
    }

    fn service(&self) -> Service {
        self.call.operation.service
    }

    /// The account whose log a call is in first: the caller's, or for callers without one the account that owns what
    /// was asked for.
    fn home(&self, world: &World) -> String {
        let call = self.call;
        if !call.caller.account.is_empty() {
            return call.caller.account.clone();
        }
        let role = call.text("RoleArn");
        let of_role = role.and_then(|arn| arn.split(':').nth(4).map(str::to_owned));
        of_role
            .or_else(|| self.bucket_owner(world))
            .unwrap_or_default()
    }

    fn others(&self, world: &World) -> Vec<String> {
        let mut others = self
            .reply()
            .map(|reply| reply.recorded.also_in.clone())
            .unwrap_or_default();
        others.extend(self.bucket_owner(world));
        others
    }

    fn bucket_owner(&self, world: &World) -> Option<String> {
        if self.service() != Service::S3 {
            return None;
        }
        super::place::bucket_owner(world, &self.call.text("Bucket")?)
    }

    fn draft(&self, world: &World) -> Draft {
        let call = self.call;
        let by_service = call.caller.invoked_by.clone().or(match &call.caller.who {
            Who::Service(service) => Some(service.clone()),
            _ => None,
        });
        let mut draft = Draft {
            version: version(self.service()),
            identity: self.identity(world),
            at: Some(call.at),
            source: format!("{}.amazonaws.com", self.service().name()),
            name: event_name(self.service(), call.operation.name),
            region: call.region.clone(),
            source_ip: by_service.clone().unwrap_or(call.source_ip.clone()),
            user_agent: by_service.clone().unwrap_or(call.user_agent.clone()),
            request_id: Some(call.request_id.clone()),
            host: by_service.is_none().then(|| self.host()),
            from_console: from_console(&call.caller),
            ..Draft::default()
        };
        if call.operation.read_only {
            draft.access = Access::Read;
        }
        if call.operation.event == Event::Data {
            draft.category = Category::Data;
        }
        self.outcome_of(&mut draft, world);
        draft
    }

    /// Who called. Calls that need no signature name their caller in a token among the parameters.
    fn identity(&self, world: &World) -> Value {
        let call = self.call;
        match sts::bearer(call.operation, &call.params) {
            Some(bearer) if call.caller.who == Who::Anonymous => identity::of(world, &bearer),
            _ => identity::of(world, &call.caller),
        }
    }

    fn outcome_of(&self, draft: &mut Draft, world: &World) {
        match self.outcome {
            Ok(reply) => self.success(draft, reply),
            Err(fault) => self.failure(draft, (world, fault)),
        }
    }

    fn success(&self, draft: &mut Draft, reply: &Reply) {
        let recorded = &reply.recorded;
        draft.request = match &recorded.request {
            Some(request) => elements::own_words(self.service(), request),
            None => self.request(),
        };
        draft.response = match &recorded.response {
            Some(response) => elements::own_words(self.service(), response),
            None if self.call.operation.read_only => Value::Null,
            None if self.service() == Service::S3 => Value::Null,
            None => elements::response(&reply.value),
        };
        draft.additional.clone_from(&recorded.additional);
        draft.resources.clone_from(&recorded.resources);
    }

    /// A refusal hides what was asked, except with EC2 and S3 and where the operation says otherwise.
    fn failure(&self, draft: &mut Draft, (world, fault): (&World, &Fault)) {
        let refused = fault.trouble == Trouble::Denied;
        if self.service() == Service::S3 {
            let recorded = s3::recorded(world, self.call, 0);
            draft.request = recorded.request.unwrap_or_default();
            draft.additional = recorded.additional;
            draft.resources = recorded.resources;
        } else if !refused || self.service() == Service::Ec2 || fault.keep_request {
            draft.request = self.request();
        }
        draft.error_code = Some(error_code(self.service(), fault));
        draft.error_message = Some(fault.message.clone());
    }

    fn request(&self) -> Value {
        elements::request(self.service(), &self.call.params)
    }

    fn host(&self) -> String {
        match self.service() {
            Service::S3 => match self.call.text("Bucket") {
                Some(bucket) => format!("{bucket}.s3.{}.amazonaws.com", self.call.region),
                None => format!("s3.{}.amazonaws.com", self.call.region),
            },
            service @ (Service::Iam | Service::Organizations) => {
                format!("{}.amazonaws.com", service.name())
            }
            service => format!("{}.{}.amazonaws.com", service.name(), self.call.region),
        }
    }
}

/// Whether the key was made by the console.
fn from_console(caller: &Caller) -> bool {
    caller
        .session
        .as_ref()
        .is_some_and(|session| session.made_by == crate::session::MadeBy::Console)
}

/// `eventName`: the API's name, but Lambda's with the date of its API and some of S3's by their older names.
fn event_name(service: Service, operation: &'static str) -> String {
    match (service, operation) {
        (Service::S3, name) => s3::event_name(name).to_owned(),
        (Service::Lambda, "Invoke") => "Invoke".to_owned(),
        (Service::Lambda, name @ ("GetFunction" | "UpdateFunctionCode" | "AddPermission")) => {
            format!("{name}20150331v2")
        }
        (Service::Lambda, name) => format!("{name}20150331"),
        (_, name) => name.to_owned(),
    }
}

/// `errorCode`: IAM and STS write the exception's name, EC2 says whose fault it is, and a refusal is `AccessDenied`
/// whatever the protocol calls it.
fn error_code(service: Service, fault: &Fault) -> String {
    let code = protocol::code(service, fault);
    match service {
        Service::Ec2 => format!("Client.{code}"),
        _ if fault.trouble == Trouble::Denied => "AccessDenied".to_owned(),
        Service::Iam | Service::Sts
            if matches!(fault.trouble, Trouble::Api(_))
                && !code.ends_with("Exception")
                && code != "AccessDenied"
                && code != "ValidationError" =>
        {
            format!("{code}Exception")
        }
        _ => code,
    }
}
