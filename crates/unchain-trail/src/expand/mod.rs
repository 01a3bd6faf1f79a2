//! From lines to records and truth. Each call that issues, makes or ends something has its own writer in
//! a module below; every other call is a plain use. It must not know the form of the text.

mod call;
mod console;
mod declare;
mod federation;
mod identity_center;
mod making;
mod permit;
mod plain;
mod revoking;
mod sts;
mod workload;

use crate::cast::Cast;
use crate::cast::PrincipalKind;
use crate::error::Fault;
use crate::script::Step;
use crate::syntax::{Head, Statement};
use crate::time::{later, parse_duration};
use crate::truth::Truth;
use crate::world::{Credential, Principal, World};
use jiff::Timestamp;
use serde_json::Value;

/// A trail being expanded, line by line.
#[derive(Debug)]
pub(crate) struct Expansion(World);

impl Expansion {
    pub(crate) fn new() -> Self {
        Self(World::new())
    }

    /// One that notes what each line asks of AWS.
    pub(crate) fn noting() -> Self {
        let mut new = Self::new();
        new.0.asked = Some(Vec::new());
        new
    }

    /// Adds what one line says. Gives its steps, where they are noted.
    pub(crate) fn add(&mut self, statement: &Statement) -> Result<Vec<Step>, Fault> {
        let moment = match statement.head {
            Head::Declare(what) => {
                declare::apply(&mut self.0, what, statement)?;
                return Ok(Vec::new());
            }
            Head::At(moment) => moment,
        };
        let start = moment
            .on(self.0.day)
            .ok_or_else(|| Fault::new(&moment.to_string(), "a time that exists"))?;
        let (count, step) = repetition(statement)?;
        let mut steps = Vec::new();
        for round in 0..count {
            let at = later(start, step.saturating_mul(round));
            let event = Event::new(&self.0, statement, at)?;
            let (held, told) = (self.0.credentials.len(), self.0.truth.tokens.len());
            dispatch(&mut self.0, &event)?;
            if let Some(asked) = self.0.asked.as_mut().map(std::mem::take) {
                let gives = (self.0.credentials.len() > held).then_some(held);
                let tokens = told..self.0.truth.tokens.len();
                steps.push(Step::of(&event, asked, (gives, tokens)));
            }
        }
        Ok(steps)
    }

    /// What the declarations so far say.
    pub(crate) fn cast(&self) -> Cast {
        Cast::of(&self.0)
    }

    /// Everything written, in order of time.
    pub(crate) fn finish(self) -> (Vec<Value>, Truth) {
        let World {
            mut records,
            mut truth,
            ..
        } = self.0;
        // Both sorts are stable: what happened in the same second stays in the order of the lines.
        records.sort_by_key(|(at, _)| *at);
        truth.edges.sort_by(|a, b| a.time.cmp(&b.time));
        truth.made.sort_by(|a, b| a.time.cmp(&b.time));
        truth.ended.sort_by(|a, b| a.time.cmp(&b.time));
        (
            records.into_iter().map(|(_, record)| record).collect(),
            truth,
        )
    }
}

/// Who acts.
#[derive(Debug, Clone)]
pub(crate) enum Actor {
    /// A credential, by its place in the world.
    Credential(usize),
    /// A user, root user or person who shows a password and no key.
    Principal(Principal),
    /// An AWS service on its own account.
    Service(String),
    /// A subject of an identity provider, who shows an assertion.
    Provider(String),
    /// The holder of a certificate.
    Certificate(String),
}

/// One line at one time.
#[derive(Debug)]
pub(crate) struct Event<'a> {
    pub(crate) at: Timestamp,
    pub(crate) actor: Actor,
    /// The service, when the line gives it as `service:Action`.
    pub(crate) source: Option<&'a str>,
    pub(crate) name: &'a str,
    pub(crate) objects: &'a [String],
    pub(crate) statement: &'a Statement,
}

impl<'a> Event<'a> {
    fn new(world: &World, statement: &'a Statement, at: Timestamp) -> Result<Self, Fault> {
        let mut words = statement.words.as_slice();
        let mut next = |expected: &str| match words.split_first() {
            Some((word, rest)) => {
                words = rest;
                Ok(word.as_str())
            }
            None => Err(Fault::new("", expected)),
        };
        let first = next("who acts")?;
        let second = next("what is done")?;
        let (actor, action) = match first {
            "idp" => (Actor::Provider(second.to_owned()), next("what is done")?),
            "certificate" => (Actor::Certificate(second.to_owned()), next("what is done")?),
            service if service.ends_with(".amazonaws.com") => {
                (Actor::Service(service.to_owned()), second)
            }
            label if world.has_label(label) => {
                (Actor::Credential(world.credential_at(label, at)?), second)
            }
            name => match key_of(world, name, second, at) {
                Some(place) => (Actor::Credential(place), next("what is done")?),
                None => (someone(world, name, second, at)?, second),
            },
        };
        let (source, name) = match action.split_once(':') {
            Some((source, name)) => (Some(source), name),
            None => (None, action),
        };
        let well_formed = |text: &str| {
            !text.is_empty()
                && text
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        };
        if !well_formed(name) || !source.is_none_or(well_formed) {
            return Err(Fault::new(
                action,
                "an action such as `GetObject` or `s3:GetObject`",
            ));
        }
        let event = Self {
            at,
            actor,
            source,
            name,
            objects: words,
            statement,
        };
        let expired = |credential: &Credential| credential.expires.is_some_and(|end| end < at);
        if !event.failed() && world.acting(&event).is_some_and(expired) {
            return Err(Fault::new(
                first,
                "a credential that has not expired by this time",
            ));
        }
        Ok(event)
    }

    /// The object at `place`, or a fault that says what is missing.
    pub(crate) fn object(&self, place: usize, expected: &str) -> Result<&'a str, Fault> {
        let word = self.objects.get(place).map(String::as_str);
        word.ok_or_else(|| Fault::new("", expected))
    }

    pub(crate) fn option(&self, name: &str) -> Option<&'a str> {
        let statement: &'a Statement = self.statement;
        statement
            .options
            .iter()
            .find(|(option, _)| *option == name)
            .map(|(_, value)| value.as_str())
    }

    /// An option's duration in seconds.
    pub(crate) fn duration(&self, name: &str) -> Result<Option<i64>, Fault> {
        match self.option(name) {
            None => Ok(None),
            Some(text) => match parse_duration(text) {
                Some(seconds) => Ok(Some(seconds)),
                None => Err(Fault::new(text, "a duration such as `15m` or `36h`")),
            },
        }
    }

    pub(crate) fn failed(&self) -> bool {
        self.option("denied").is_some() || self.option("error").is_some()
    }
}

/// How often and in which steps a line repeats.
fn repetition(statement: &Statement) -> Result<(i64, i64), Fault> {
    const MOST: i64 = 2_000;
    let Some(every) = statement.option("every") else {
        return match statement.option("times") {
            Some(_) => Err(Fault::new("times", "`every` beside `times`")),
            None => Ok((1, 0)),
        };
    };
    let step = parse_duration(every)
        .ok_or_else(|| Fault::new(every, "a duration such as `10m` behind `every`"))?;
    let times = statement.option("times").unwrap_or("");
    match times.parse::<i64>() {
        Ok(count @ 1..=MOST) => Ok((count, step)),
        _ => Err(Fault::new(
            times,
            format!("a count from 1 to {MOST} behind `times`"),
        )),
    }
}

/// The key `label` when it belongs to the user or root user `name`, as in `alice A`.
fn key_of(world: &World, name: &str, label: &str, at: Timestamp) -> Option<usize> {
    let owner = owner(world, name)?;
    let place = world.credential_at(label, at).ok()?;
    let credential = world.credentials.get(place)?;
    (credential.identity.principal_id == owner.id).then_some(place)
}

fn owner<'w>(world: &'w World, name: &str) -> Option<&'w Principal> {
    let find = |kind| world.principal(kind, name, None).ok();
    find(PrincipalKind::User).or_else(|| find(PrincipalKind::Root))
}

/// A principal named without a key: at a sign-in page there is none, elsewhere the first key is meant.
fn someone(world: &World, name: &str, action: &str, at: Timestamp) -> Result<Actor, Fault> {
    if let Ok(person) = world.principal(PrincipalKind::Person, name, None) {
        return Ok(Actor::Principal(person.clone()));
    }
    let Some(owner) = owner(world, name) else {
        return Err(Fault::new(
            name,
            "a user, key, session or service known by this line",
        ));
    };
    if matches!(
        action,
        "ConsoleLogin" | "CheckMfa" | "PasswordRecoveryRequested"
    ) {
        return Ok(Actor::Principal(owner.clone()));
    }
    let first = world.credentials.iter().position(|credential| {
        credential.identity.principal_id == owner.id && credential.issued <= at
    });
    match first {
        Some(place) => Ok(Actor::Credential(place)),
        None => Err(Fault::new(name, "a user with a key")),
    }
}

fn dispatch(world: &mut World, event: &Event<'_>) -> Result<(), Fault> {
    if let Some(source) = event.source
        && plain::usual_source(event.name).is_some_and(|usual| usual != source)
    {
        return plain::call(world, event);
    }
    match event.name {
        "AssumeRole" => sts::assume_role(world, event),
        "GetSessionToken" => sts::get_session_token(world, event),
        "GetFederationToken" => sts::get_federation_token(world, event),
        "AssumeRoot" => sts::assume_root(world, event),
        "AssumeRoleWithSAML" => federation::with_saml(world, event),
        "AssumeRoleWithWebIdentity" => federation::with_web_identity(world, event),
        "GetCredentialsForIdentity" => federation::cognito(world, event),
        "ConsoleLogin" => console::login(world, event),
        "SwitchRole" => console::switch_role(world, event),
        "GetSigninToken" => console::signin_token(world, event),
        "AuthorizeOAuth2Access" | "CreateOAuth2Token" => console::oauth(world, event),
        "CredentialVerification" | "UserAuthentication" => identity_center::sign_in(world, event),
        "CreateToken" => identity_center::create_token(world, event),
        "GetRoleCredentials" => identity_center::role_credentials(world, event),
        "AssumeRoleForPodIdentity" => workload::pod_identity(world, event),
        "CreateSession" => workload::create_session(world, event),
        "GetDataAccess" => workload::data_access(world, event),
        _ if making::knows(event.name) => making::call(world, event),
        _ if revoking::knows(event.name) => revoking::call(world, event),
        _ => plain::call(world, event),
    }
}
