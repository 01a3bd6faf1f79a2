//! `AssumeRole` (docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html).

use serde_json::{Map, Value, json};

use super::input::{Checks, EXTERNAL_ID, NAME};
use super::issue::{Draft, issue, request_details};
use super::packed::Passed;
use super::role::{self, RoleArn};
use super::second_factor::SecondFactor;
use super::tags::{self, Tags};
use crate::call::{Call, Fault, Recorded, Reply};
use crate::enforce;
use crate::operation::Ask;
use crate::session::{Caller, MadeBy};
use crate::world::World;

/// The parameters, checked.
#[derive(Debug)]
struct Asked {
    role: RoleArn,
    session_name: String,
    duration: Option<i64>,
    external_id: Option<String>,
    source_identity: Option<String>,
    tags: Tags,
    second_factor: Option<SecondFactor>,
}

impl Asked {
    fn read(call: &Call<'_>) -> Result<Self, Fault> {
        let mut checks = Checks::default();
        let role = checks.required(call, "RoleArn");
        let session_name = checks.required(call, "RoleSessionName");
        let (duration, external_id) = (call.number("DurationSeconds")?, call.text("ExternalId"));
        if call.text("RoleArn").is_some() {
            checks.length(("roleArn", &role), (20, 2048));
        }
        if call.text("RoleSessionName").is_some() {
            checks.length(("roleSessionName", &session_name), (2, 64));
            checks.pattern(("roleSessionName", &session_name), NAME);
        }
        checks.seconds(duration, role::LIMITS);
        if let Some(id) = &external_id {
            checks.length(("externalId", id), (2, 1224));
            checks.pattern(("externalId", id), EXTERNAL_ID);
        }
        let source_identity = call.text("SourceIdentity");
        if let Some(identity) = &source_identity {
            checks.length(("sourceIdentity", identity), (2, 64));
            checks.pattern(("sourceIdentity", identity), NAME);
        }
        checks.done()?;
        Ok(Self {
            role: RoleArn::read(&role)?,
            session_name,
            duration,
            external_id,
            source_identity: tags::source_identity(&call.caller, source_identity)?,
            tags: Tags::read(call)?,
            second_factor: SecondFactor::read(call)?,
        })
    }

    fn context(&self) -> Vec<(String, Vec<String>)> {
        let mut keys = self.tags.context();
        let mut add = |key: &str, value: &str| keys.push((key.to_owned(), vec![value.to_owned()]));
        add("sts:RoleSessionName", &self.session_name);
        if let Some(id) = &self.external_id {
            add("sts:ExternalId", id);
        }
        if let Some(identity) = &self.source_identity {
            add("sts:SourceIdentity", identity);
        }
        if self.second_factor.is_some() {
            add("aws:MultiFactorAuthPresent", "true");
            add("aws:MultiFactorAuthAge", "0");
        }
        keys
    }

    fn recorded(&self, call: &Call<'_>, passed: &Passed) -> Value {
        let mut request = Map::new();
        let mut put = |name: &str, value: Value| request.insert(name.to_owned(), value);
        put("roleArn", json!(self.role.text));
        put("roleSessionName", json!(self.session_name));
        let sent = call.text("SourceIdentity");
        for (name, value) in [("externalId", &self.external_id), ("sourceIdentity", &sent)] {
            if let Some(value) = value {
                put(name, json!(value));
            }
        }
        if let Some(factor) = &self.second_factor {
            put("serialNumber", json!(factor.serial));
        }
        if let Some(seconds) = self.duration {
            put("durationSeconds", json!(seconds));
        }
        passed.record(&mut request);
        self.tags.record(&mut request);
        Value::Object(request)
    }
}

/// What must be allowed: to assume the role, and to tag and name its session where that happens. A role that does
/// not exist is refused as one that does not trust the caller.
pub(super) fn asks(world: &World, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
    let asked = Asked::read(call)?;
    if let Some(factor) = &asked.second_factor {
        factor.verify(world, &call.caller)?;
    }
    let role = asked
        .role
        .find(world)
        .ok_or_else(|| refused(world, call, &asked.role))?;
    let tagging = asked.tags.any().then_some("sts:TagSession");
    let naming = asked
        .source_identity
        .as_ref()
        .map(|_| "sts:SetSourceIdentity");
    let actions = ["sts:AssumeRole"].into_iter().chain(tagging).chain(naming);
    let context = asked.context();
    Ok(actions
        .map(|action| {
            let mut ask = asked.role.ask(role, action);
            ask.context.extend_from_slice(&context);
            ask
        })
        .collect())
}

fn refused(world: &World, call: &Call<'_>, role: &RoleArn) -> Fault {
    let caller = enforce::arn(world, &call.caller);
    Fault::denied(format!(
        "User: {caller} is not authorized to perform: sts:AssumeRole on resource: {}",
        role.text
    ))
}

/// Issues the session.
pub(super) fn run(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let asked = Asked::read(call)?;
    let found = asked.role.find(world);
    let role = found
        .ok_or_else(|| refused(world, call, &asked.role))?
        .clone();
    let chained = role::chained(&call.caller);
    let duration = role::duration(&role, asked.duration, chained)?;
    let passed = Passed::read(world, call, &asked.role.account)?;
    let all_tags = asked.tags.all();
    let size = passed.packed_size(&all_tags)?;
    if let Some(factor) = &asked.second_factor {
        factor.redeem(world, &call.caller)?;
    }
    let who = asked.role.session(&role, &asked.session_name);
    let draft = Draft {
        mfa_serial: asked
            .second_factor
            .as_ref()
            .map(|factor| factor.serial.clone()),
        mfa_logged: asked.second_factor.is_some() || mfa_logged(&call.caller),
        policies: passed.documents.clone(),
        tags: all_tags,
        transitive: asked.tags.all_transitive(),
        source_identity: asked.source_identity.clone(),
        chained,
        ..Draft::new(&asked.role.account, who, MadeBy::AssumeRole, duration)
    };
    let issued = issue(world, draft);
    let assumed = asked.role.assumed(&role, &asked.session_name);
    let mut value = json!({"Credentials": issued.credentials(), "AssumedRoleUser": assumed});
    let assumed = asked.role.recorded(&role, &asked.session_name);
    let mut response = json!({"credentials": issued.recorded(), "assumedRoleUser": assumed});
    add_details(&mut value, &mut response, (size, &asked.source_identity));
    let mut reply = Reply::of(value);
    reply.recorded = Recorded {
        request: Some(asked.recorded(call, &passed)),
        response: Some(response),
        additional: Some(request_details(call)),
        resources: vec![asked.role.resource()],
        also_in: other_account(&call.caller, &asked.role),
        silent: false,
    };
    Ok(reply)
}

fn mfa_logged(caller: &Caller) -> bool {
    caller
        .session
        .as_ref()
        .is_some_and(|session| session.mfa_logged)
}

fn other_account(caller: &Caller, role: &RoleArn) -> Vec<String> {
    let other = (caller.account != role.account).then(|| role.account.clone());
    other.into_iter().collect()
}

/// Adds what is only in some replies to the reply and to its record.
pub(super) fn add_details(
    value: &mut Value,
    response: &mut Value,
    (size, source_identity): (Option<usize>, &Option<String>),
) {
    let mut add = |name: &str, detail: Value| {
        for (object, name) in [
            (value.as_object_mut(), name.to_owned()),
            (response.as_object_mut(), crate::call::lower_first(name)),
        ] {
            if let Some(object) = object {
                object.insert(name, detail.clone());
            }
        }
    };
    if let Some(size) = size {
        add("PackedPolicySize", json!(size));
    }
    if let Some(identity) = source_identity {
        add("SourceIdentity", json!(identity));
    }
}
