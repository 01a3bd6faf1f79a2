//! A trail as calls to make: what each line asks of AWS, apart from what AWS then writes. It must not know how the
//! calls are made.

use crate::cast::{Cast, PrincipalKind};
use crate::expand::{Actor, Event};
use crate::record::Draft;
use serde_json::Value;
use std::ops::Range;

/// Who and what is there, and what happens.
#[derive(Debug, Clone)]
pub struct Script {
    /// What is there before the first call.
    pub cast: Cast,
    /// Calls in order of time; within a second, of the lines.
    pub steps: Vec<Step>,
}

/// One line at one time.
#[derive(Debug, Clone)]
pub struct Step {
    /// The line, counted from 1.
    pub line: usize,
    /// When, seconds since 1970, UTC.
    pub at: i64,
    /// Who acts.
    pub who: Who,
    /// The call: the API's name of it, as the line has it.
    pub call: String,
    /// The other words of the line.
    pub objects: Vec<String>,
    /// The line's options; a flag has an empty value.
    pub options: Vec<(&'static str, String)>,
    /// The name of what the line gives.
    pub label: Option<String>,
    /// The number of the credential that it gives.
    pub gives: Option<usize>,
    /// The tokens of the truth that it adds.
    pub tokens: Range<usize>,
    /// The calls that are logged for it, the line's own among them.
    pub asked: Vec<Asked>,
}

/// Who acts in a step.
#[derive(Debug, Clone)]
pub enum Who {
    /// A credential, by its number.
    Credential(usize),
    /// Somebody with a password.
    Principal {
        /// What they are.
        kind: PrincipalKind,
        /// Their name.
        name: String,
        /// Their account, twelve digits.
        account: String,
    },
    /// A service.
    Service(String),
    /// A subject of an identity provider.
    Provider(String),
    /// The holder of a certificate.
    Certificate(String),
}

/// One logged call of a step.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The service, without `.amazonaws.com`.
    pub source: String,
    /// The event's name.
    pub name: String,
    /// The region.
    pub region: String,
    /// Where it comes from.
    pub address: String,
    /// The client's name for itself.
    pub agent: String,
    /// `requestParameters`, of failed calls as well.
    pub params: Value,
    /// The id of its record in the trail.
    pub event_id: String,
    /// The account that gets the record, twelve digits.
    pub recipient: String,
    /// Whether that account's log is in our hands.
    pub logged: bool,
    /// The record that the trail writes of it.
    pub record: Value,
}

impl Step {
    pub(crate) fn of(
        event: &Event<'_>,
        asked: Vec<Asked>,
        (gives, tokens): (Option<usize>, Range<usize>),
    ) -> Self {
        Self {
            line: 0,
            at: event.at.as_second(),
            who: Who::of(&event.actor),
            call: event.name.to_owned(),
            objects: event.objects.to_vec(),
            options: event.statement.options.clone(),
            label: event.statement.gives.clone(),
            gives,
            tokens,
            asked,
        }
    }

    /// The value of an option; empty for a flag.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<&str> {
        let found = self.options.iter().find(|(option, _)| *option == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The error code that the line says the call gets.
    #[must_use]
    pub fn fails(&self) -> Option<&str> {
        let denied = || self.option("denied").map(|_| "AccessDenied");
        self.option("error").or_else(denied)
    }

    /// The logged call of the line's own name, or else the first.
    #[must_use]
    pub fn own(&self) -> Option<&Asked> {
        let named = self.asked.iter().find(|asked| asked.name == self.call);
        named.or_else(|| self.asked.first())
    }
}

impl Who {
    fn of(actor: &Actor) -> Self {
        match actor {
            Actor::Credential(number) => Self::Credential(*number),
            Actor::Principal(principal) => Self::Principal {
                kind: principal.kind,
                name: principal.name.clone(),
                account: principal.account.clone(),
            },
            Actor::Service(name) => Self::Service(name.clone()),
            Actor::Provider(name) => Self::Provider(name.clone()),
            Actor::Certificate(name) => Self::Certificate(name.clone()),
        }
    }
}

impl Asked {
    pub(crate) fn of(draft: &Draft, logged: bool) -> Self {
        Self {
            source: draft.source.clone(),
            name: draft.name.clone(),
            region: draft.region.clone(),
            address: draft.address.clone(),
            agent: draft.agent.clone(),
            params: draft.params.clone(),
            event_id: draft.event_id.clone(),
            recipient: draft.recipient.clone(),
            logged,
            record: draft.clone().write(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRAIL: &str = "account 111122223333 as prod\naccount 444455556666 as audit\n\
        user alice in prod key A\nrole app in prod\nrole look in audit\nperson dana in prod\n\
        bucket data in prod\nallow alice sts:* on *\ndeny app s3:Get* on arn:aws:s3:::data/*\n\
        trust audit/look prod ec2.amazonaws.com external-id x mfa required\n\
        09:10 C GetObject s3://data/a denied\n";

    fn script(lines: &str) -> Script {
        let (head, tail) = TRAIL.split_at(TRAIL.find("09:10").unwrap());
        let text =
            format!("{head}09:05 A AssumeRole app as x -> C every 1m times 2\n{tail}{lines}");
        crate::Trail::parse(&text).unwrap().script()
    }

    #[test]
    fn steps_are_in_order_of_time_and_know_who_acts_and_what_is_given() {
        let script = script("09:07 C AssumeRole audit/look as y -> D\n09:08 D ListBuckets");
        let times: Vec<i64> = script.steps.iter().map(|step| step.at % 3_600).collect();
        assert_eq!(times, [300, 360, 420, 480, 600]);
        let second = script.steps[1].gives.unwrap();
        assert_eq!(script.steps[0].gives, Some(second - 1));
        assert!(matches!(script.steps[2].who, Who::Credential(number) if number == second));
        assert!(
            matches!(script.steps[3].who, Who::Credential(number) if Some(number) == script.steps[2].gives)
        );
        assert_eq!(script.steps[2].asked.len(), 2, "both accounts log it");
        assert_eq!(script.steps[2].line, 13);
    }

    #[test]
    fn a_failed_call_still_says_what_it_asks_for() {
        let script = script("");
        let denied = script.steps.last().unwrap();
        assert_eq!(denied.fails(), Some("AccessDenied"));
        let own = denied.own().unwrap();
        assert_eq!(own.params["bucketName"], "data");
        assert!(own.record["requestParameters"].is_null());
    }

    #[test]
    fn the_cast_is_what_is_declared() {
        let cast = script("09:20 C CreateUser later").cast;
        assert_eq!(
            cast.principals.len(),
            4,
            "what is made later is not there yet"
        );
        assert_eq!(cast.principals[0].keys.len(), 1);
        assert_eq!(cast.buckets[0].account, "111122223333");
        assert_eq!(cast.rules[1].effect, "Deny");
        let trust = &cast.trusts[0];
        assert!(trust.mfa && trust.external_id.as_deref() == Some("x"));
        assert_eq!(
            trust.principals,
            ["arn:aws:iam::111122223333:root", "ec2.amazonaws.com"]
        );
    }

    #[test]
    fn a_line_about_permissions_names_what_exists() {
        for line in [
            "allow nobody s3:*",
            "allow alice",
            "deny alice GetObject",
            "trust app",
            "trust app nobody",
            "trust nobody prod",
            "trust app prod mfa maybe",
            "bucket data in prod",
        ] {
            let text = format!("{TRAIL}{line}");
            let text = text.replace("09:10 C GetObject s3://data/a denied\n", "");
            assert!(crate::Trail::parse(&text).is_err(), "{line}");
        }
    }
}
