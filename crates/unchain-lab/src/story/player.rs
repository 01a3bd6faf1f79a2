//! Plays a story: turns the clock to each line's time, makes its call as the line's own client, keeps what it gives,
//! and compares what came back with what the line says.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use unchain_core::time::Timestamp;
use unchain_trail::{Script, Step, Token, Trail, Truth, Who};

use super::answer::Answer;
use super::keys::{Keys, base32};
use super::known::Known;
use super::request::Ask;
use super::stage::Stage;
use super::told::Told;
use super::wire::Wire;
use super::{assertion, desk, logs, params};
use crate::mfa;

/// What a name of the story stands for.
#[derive(Debug, Clone)]
pub(super) enum Held {
    /// A key that signs.
    Keys(Keys),
    /// A session that the lab's sign-in pages keep, by what they call it.
    Session(String),
}

/// A story being played.
#[derive(Debug)]
pub struct Player<'a> {
    pub(super) wire: Wire<'a>,
    truth: Truth,
    pub(super) script: Script,
    held: BTreeMap<usize, (String, Held)>,
    pub(super) known: Known,
    seeds: BTreeMap<String, Vec<u8>>,
    sources: BTreeMap<String, (String, String)>,
    /// What the console last gave a program that wants to sign in (`aws login`).
    pub(super) code: String,
}

impl<'a> Player<'a> {
    /// Sets up everything that the story takes for granted; see [`super::playable`] for which lines a trail may have.
    ///
    /// # Errors
    ///
    /// What the lab says against it, or why it cannot be reached.
    pub fn new(wire: Wire<'a>, trail: &Trail) -> Result<Self, String> {
        let script = trail.script();
        let body = json!({"story": trail.to_string()});
        let set = wire.control("story/cast", &body)?;
        let stage: Stage = serde_json::from_value(set).map_err(|error| error.to_string())?;
        let mut player = Self {
            wire,
            truth: trail.truth(),
            script,
            held: BTreeMap::new(),
            known: Known::default(),
            seeds: stage.seeds,
            sources: BTreeMap::new(),
            code: String::new(),
        };
        for key in player.script.cast.principals.iter().flat_map(|p| &p.keys) {
            let keys = Keys {
                id: key.id.clone(),
                secret: stage.secrets.get(&key.id).cloned().unwrap_or_default(),
                token: None,
            };
            let held = (key.label.clone(), Held::Keys(keys));
            player.held.insert(key.number, held);
        }
        Ok(player)
    }

    /// Plays every step in order of time and tells each as it went.
    ///
    /// # Errors
    ///
    /// The lab's clock cannot be turned, or `say` wants no more.
    pub fn play(&mut self, say: &mut dyn FnMut(&Told) -> Result<(), String>) -> Result<(), String> {
        self.wire.control("clock", &json!({"freeze": true}))?;
        let steps = std::mem::take(&mut self.script.steps);
        for step in &steps {
            let time = Timestamp::from_seconds(step.at).to_string();
            self.wire.control("clock", &json!({"set": time}))?;
            say(&self.step(step))?;
        }
        self.script.steps = steps;
        Ok(())
    }

    /// Every credential that somebody of the story holds, by the story's name for it; of a session in the console, a key
    /// that the console makes for it now, or why it makes none.
    pub fn keys(&self) -> BTreeMap<String, Result<Keys, String>> {
        let held = self.held.values().map(|(label, held)| {
            let keys = match held {
                Held::Keys(keys) => Ok(keys.clone()),
                Held::Session(session) => desk::mint(self, session),
            };
            (label.clone(), keys)
        });
        held.collect()
    }

    /// The truth of what was played, with the identifiers that the lab gave, as far as calls and the delivered logs
    /// show them, and what in the logs differs from the story.
    ///
    /// # Errors
    ///
    /// The logs cannot be delivered or read.
    pub fn truth(mut self, logs: Option<&Path>) -> Result<(Truth, Vec<String>), String> {
        let mut wrong = Vec::new();
        if let Some(folder) = logs {
            self.wire.control("deliver", &json!({}))?;
            let records = logs::read(folder).map_err(|error| {
                format!("the logs in `{}` cannot be read: {error}", folder.display())
            })?;
            wrong = logs::pair(&self.script, records, &mut self.known);
        }
        Ok((self.known.truth(self.truth), wrong))
    }

    fn step(&mut self, step: &Step) -> Told {
        let mut told = Told::of(step, self.label(&step.who));
        let answer = match self.act(step) {
            Ok(answer) => answer,
            Err(trouble) => {
                told.trouble = Some(trouble);
                return told;
            }
        };
        told.error.clone_from(&answer.error);
        told.trouble = outcome(step, &answer).err();
        if answer.error.is_none() {
            told.trouble = told.trouble.or_else(|| self.learn(step, &answer).err());
        }
        if let (Some(label), Some(number)) = (&step.label, step.gives) {
            let key = match self.held.get(&number) {
                Some((_, Held::Keys(keys))) => keys.id.clone(),
                _ => String::new(),
            };
            told.gave = Some((label.clone(), key));
        }
        told
    }

    fn label<'s>(&'s self, who: &'s Who) -> &'s str {
        match who {
            Who::Credential(number) => self.held.get(number).map_or("?", |(label, _)| label),
            Who::Principal { name, .. } => name,
            Who::Service(name) | Who::Provider(name) | Who::Certificate(name) => name,
        }
    }

    /// What a credential's number stands for.
    pub(super) fn held(&self, number: usize) -> Result<&Held, String> {
        let found = self.held.get(&number).map(|(_, held)| held);
        found.ok_or_else(|| "the credential was never given".to_owned())
    }

    /// Keeps what a step gave.
    pub(super) fn keep(&mut self, step: &Step, held: Held) {
        if let Some(number) = step.gives {
            let label = step.label.clone().unwrap_or_else(|| "unnamed".to_owned());
            self.held.insert(number, (label, held));
        }
    }

    fn act(&mut self, step: &Step) -> Result<Answer, String> {
        if desk::knows(step) {
            return desk::act(self, step);
        }
        let mut ask = params::ask(step)?;
        if let Value::Object(params) = self.known.value(&Value::Object(ask.params)) {
            ask.params = params;
            self.secrets(&mut ask, step)?;
            let keys = self.signer(step)?;
            let source = keys
                .as_ref()
                .map_or("*", |keys| keys.id.as_str())
                .to_owned();
            self.source(&source, step)?;
            return Ok(self.wire.call(&ask, keys.as_ref()));
        }
        Err("the line has no parameters".to_owned())
    }

    /// The key that signs a step's call: of a console session, one that the console makes for it.
    fn signer(&mut self, step: &Step) -> Result<Option<Keys>, String> {
        let Who::Credential(number) = &step.who else {
            return Ok(None);
        };
        let keys = match self.held(*number)?.clone() {
            Held::Keys(keys) => keys,
            Held::Session(session) => desk::mint(self, &session)?,
        };
        let told = step
            .own()
            .and_then(|own| own.record.pointer("/userIdentity/accessKeyId"));
        if let Some(told) = told.and_then(Value::as_str) {
            self.learn_key(told, &keys.id)?;
        }
        Ok(Some(keys))
    }

    pub(super) fn learn_key(&mut self, told: &str, real: &str) -> Result<(), String> {
        self.known
            .learn(told, real)
            .map_err(|before| format!("the key `{real}` should be `{before}`"))
    }

    /// Says where the requests of a key come from, when that has changed.
    pub(super) fn source(&mut self, key: &str, step: &Step) -> Result<(), String> {
        let Some(own) = step.own() else {
            return Ok(());
        };
        let source = (own.address.clone(), own.agent.clone());
        if self.sources.get(key) != Some(&source) {
            let body = json!({"key": key, "ip": source.0, "agent": source.1});
            self.wire.control("source", &body)?;
            self.sources.insert(key.to_owned(), source);
        }
        Ok(())
    }

    /// What no log holds: codes of devices, assertions and tokens of providers.
    fn secrets(&mut self, ask: &mut Ask, step: &Step) -> Result<(), String> {
        let mut set = |name: &str, value: String| {
            ask.params.insert(name.to_owned(), Value::String(value));
        };
        let own = step.own();
        let param = |name: &str| {
            let found = own.and_then(|own| own.params.get(name));
            found.and_then(Value::as_str).unwrap_or_default()
        };
        match step.call.as_str() {
            "EnableMFADevice" => {
                let serial = param("serialNumber");
                set(
                    "AuthenticationCode1",
                    self.code(serial, step.at - mfa::STEP)?,
                );
                set("AuthenticationCode2", self.code(serial, step.at)?);
            }
            "GetSessionToken" | "AssumeRole" if step.option("mfa").is_some() => {
                let right = self.code(param("serialNumber"), step.at)?;
                set(
                    "TokenCode",
                    if step.fails().is_some() {
                        wrong(&right)
                    } else {
                        right
                    },
                );
            }
            "AssumeRoleWithSAML" => {
                let (role, provider) = (param("roleArn"), param("principalArn"));
                let Who::Provider(name) = &step.who else {
                    return Ok(());
                };
                let subject = param("roleSessionName");
                set(
                    "SAMLAssertion",
                    assertion::saml(name, subject, (role, provider), step.at),
                );
                for logged in ["SAMLAssertionID", "RoleSessionName"] {
                    ask.params.shift_remove(logged);
                }
            }
            "AssumeRoleWithWebIdentity" => {
                let identity = own.and_then(|own| own.record.pointer("/userIdentity/userName"));
                let subject = identity.and_then(Value::as_str).unwrap_or_default();
                if let Who::Provider(issuer) = &step.who {
                    set(
                        "WebIdentityToken",
                        assertion::token(issuer, subject, step.at),
                    );
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// What a device shows at an instant.
    pub(super) fn code(&self, serial: &str, at: i64) -> Result<String, String> {
        let seed = self.seeds.get(serial);
        seed.map(|seed| mfa::totp(seed, at))
            .ok_or_else(|| format!("nobody has the device `{serial}`"))
    }

    /// Takes what a call gave.
    fn learn(&mut self, step: &Step, answer: &Answer) -> Result<(), String> {
        let own = step.own();
        let told = |pointer: &str| {
            let found = own.and_then(|own| own.record.pointer(pointer));
            found.and_then(Value::as_str).map(str::to_owned)
        };
        if step.call == "CreateVirtualMFADevice" {
            let serial = told("/responseElements/virtualMFADevice/serialNumber");
            let seed = answer.find("Base32StringSeed").and_then(|text| seed(&text));
            let seed = seed.ok_or("the reply holds no seed of the device")?;
            self.seeds.insert(serial.unwrap_or_default(), seed);
        }
        let instance = told("/responseElements/instancesSet/items/0/instanceId");
        if let (Some(told), Some(real)) = (
            instance,
            answer
                .find("instanceId")
                .or_else(|| answer.find("InstanceId")),
        ) {
            self.known
                .learn(&told, &real)
                .map_err(|_| "an instance came twice".to_owned())?;
        }
        if step.gives.is_some() && !desk::knows(step) {
            self.given(step, answer)?;
        }
        Ok(())
    }

    /// The token of the story's truth that a step gives.
    pub(super) fn new_token(&self, step: &Step) -> Option<Token> {
        let new = self.truth.tokens.get(step.tokens.clone())?;
        new.last().cloned()
    }

    /// Keeps the credential of a reply, and checks when it ends.
    fn given(&mut self, step: &Step, answer: &Answer) -> Result<(), String> {
        let find = |name: &str| {
            answer
                .find(name)
                .ok_or_else(|| format!("the reply holds no {name}"))
        };
        let keys = Keys {
            id: find("AccessKeyId")?,
            secret: find("SecretAccessKey")?,
            token: answer.find("SessionToken"),
        };
        let id = keys.id.clone();
        self.keep(step, Held::Keys(keys));
        let Some(token) = self.new_token(step) else {
            return Ok(());
        };
        if let Some(told) = &token.key {
            self.learn_key(told, &id)?;
        }
        match (&token.expires_at, answer.find("Expiration")) {
            (Some(told), Some(ends)) if !same_time(told, &ends) => {
                Err(format!("it ends at {ends}, and in the story at {told}"))
            }
            _ => Ok(()),
        }
    }
}

/// Whether two writings of a time mean the same second.
fn same_time(one: &str, other: &str) -> bool {
    let read = |text: &str| text.replace("+00:00", "Z").parse::<jiff::Timestamp>().ok();
    read(one).map(jiff::Timestamp::as_second) == read(other).map(jiff::Timestamp::as_second)
}

/// The seed in the reply of CreateVirtualMFADevice: base32, in base64 where the protocol writes bytes so.
fn seed(text: &str) -> Option<Vec<u8>> {
    let plain = STANDARD
        .decode(text)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let plain = plain.filter(|plain| base32(plain).is_some_and(|seed| !seed.is_empty()));
    base32(plain.as_deref().unwrap_or(text))
}

/// A code that is not the right one.
fn wrong(right: &str) -> String {
    let other = if right.starts_with('0') { "1" } else { "0" };
    format!("{other}{}", right.get(1..).unwrap_or_default())
}

/// Whether the answer is the one that the line tells of.
fn outcome(step: &Step, answer: &Answer) -> Result<(), String> {
    const REFUSALS: [&str; 4] = [
        "AccessDenied",
        "AccessDeniedException",
        "UnauthorizedOperation",
        "Failure",
    ];
    match (step.fails(), answer.error.as_deref()) {
        (None, None) => Ok(()),
        (Some("AccessDenied"), Some(code)) if REFUSALS.contains(&code) => Ok(()),
        (Some(told), Some(code)) if told == code => Ok(()),
        (None, Some(code)) => Err(format!("the call fails with {code}: {}", answer.message)),
        (Some(told), None) => Err(format!(
            "the call succeeds, and in the story it fails with {told}"
        )),
        (Some(told), Some(code)) => Err(format!(
            "the call fails with {code}, and in the story with {told}"
        )),
    }
}
