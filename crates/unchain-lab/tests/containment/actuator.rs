//! Carries plans out in the lab: signed calls with the responder's own sessions, on a clock of milliseconds on which an
//! attacker acts too.

use super::answer;
use super::attacker::Attacker;
use super::scene::Scene;
use serde_json::Value;
use std::collections::BTreeMap;
use unchain_core::contain::{Actuator, Answer, Call, Refusal, RefusalKind};
use unchain_core::text::Untrusted;
use unchain_core::time::Timestamp;
use unchain_lab::service::Service;
use unchain_lab::story::Keys;

/// A session of the responder is taken anew after so many milliseconds.
const FRESH: i64 = 30 * 60_000;

/// A scene on a clock.
pub(crate) struct Stage<'s> {
    pub(crate) scene: &'s Scene,
    /// Who acts meanwhile.
    pub(crate) attacker: Option<Attacker>,
    /// How long a call of the responder takes, milliseconds.
    pub(crate) pace: i64,
    /// Virtual milliseconds since 1970.
    ms: i64,
    sessions: BTreeMap<String, (Keys, i64)>,
}

impl<'s> Stage<'s> {
    pub(crate) fn new(scene: &'s Scene) -> Self {
        Self {
            scene,
            attacker: None,
            pace: 0,
            ms: scene.now().seconds() * 1000,
            sessions: BTreeMap::new(),
        }
    }

    /// Lets so many milliseconds pass.
    pub(crate) fn pass(&mut self, ms: i64) {
        let until = self.ms + ms;
        if let Some(attacker) = &mut self.attacker {
            while attacker.next <= until {
                self.scene.set(attacker.next / 1000);
                attacker.act(self.scene);
            }
        }
        self.ms = until;
        self.scene.set(until / 1000);
    }

    /// The responder's session in an account; none in one that is not theirs.
    fn session(&mut self, account: &str) -> Option<Keys> {
        if let Some((keys, since)) = self.sessions.get(account)
            && self.ms - since < FRESH
        {
            return Some(keys.clone());
        }
        let keys = self.scene.break_glass(account)?;
        self.sessions
            .insert(account.to_owned(), (keys.clone(), self.ms));
        Some(keys)
    }
}

impl Actuator for Stage<'_> {
    fn now(&mut self) -> Timestamp {
        Timestamp::from_seconds(self.ms / 1000)
    }

    fn wait(&mut self, until: Timestamp) {
        let rest = until.seconds() * 1000 - self.ms;
        if rest > 0 {
            self.pass(rest);
        }
    }

    fn call(&mut self, call: &Call) -> Result<Answer, Refusal> {
        self.pass(self.pace);
        let Some(keys) = self.session(call.account.raw()) else {
            return Err(refusal(
                (
                    RefusalKind::Denied,
                    "AccessDenied",
                    "no role in this account",
                ),
                None,
            ));
        };
        let Some(service) = Service::named(&call.service) else {
            return Err(refusal(
                (
                    RefusalKind::Refused,
                    "NoService",
                    "the lab does not have it",
                ),
                None,
            ));
        };
        let params = call
            .parameters
            .iter()
            .map(|(name, value)| (name.clone(), document(value)));
        let wire = self.scene.wire();
        let response = wire.ask((service, &call.action), params.collect(), Some(&keys));
        let response = response.map_err(|error| {
            refusal(
                (RefusalKind::Unanswered, "NoAnswer", &error.to_string()),
                None,
            )
        })?;
        let request_id = answer::request_id(&response);
        match answer::read(&response) {
            Ok(value) => Ok(Answer { value, request_id }),
            Err((code, message)) => Err(refusal((kind(&code), &code, &message), request_id)),
        }
    }
}

/// Documents are sent as compact text.
fn document(value: &Value) -> Value {
    match value {
        Value::Object(fields) if fields.contains_key("Statement") => {
            Value::String(value.to_string())
        }
        other => other.clone(),
    }
}

fn kind(code: &str) -> RefusalKind {
    match code {
        "NoSuchEntity"
        | "PolicyNotFoundException"
        | "TargetNotFoundException"
        | "PolicyNotAttachedException" => RefusalKind::NotFound,
        "AccessDenied" | "AccessDeniedException" => RefusalKind::Denied,
        _ => RefusalKind::Refused,
    }
}

fn refusal(
    (kind, code, message): (RefusalKind, &str, &str),
    request_id: Option<String>,
) -> Refusal {
    Refusal {
        kind,
        code: Untrusted::new(code),
        message: Untrusted::new(message),
        request_id,
    }
}
