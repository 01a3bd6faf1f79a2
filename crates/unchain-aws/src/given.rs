//! The parameters of a call, taken one by one, so that none is passed over in silence.

use crate::refusal::refused;
use aws_smithy_types::DateTime;
use serde_json::{Map, Value};
use unchain_core::contain::{Refusal, RefusalKind};
use unchain_core::time::Timestamp;

/// What is left of the parameters of a call.
#[derive(Debug)]
pub(crate) struct Given(Map<String, Value>);

impl Given {
    pub(crate) fn new(parameters: &Map<String, Value>) -> Self {
        Self(parameters.clone())
    }

    /// A text, or a word that the SDK has a type for.
    pub(crate) fn text<T: for<'t> From<&'t str>>(
        &mut self,
        member: &str,
    ) -> Result<Option<T>, Refusal> {
        match self.0.remove(member) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(T::from(&text))),
            Some(_) => Err(wrong(member, "a text")),
        }
    }

    /// A policy document: an object is sent as compact JSON.
    pub(crate) fn document(&mut self, member: &str) -> Result<Option<String>, Refusal> {
        match self.0.remove(member) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(object @ Value::Object(_)) => Ok(Some(object.to_string())),
            Some(_) => Err(wrong(member, "a document")),
        }
    }

    /// Yes or no.
    pub(crate) fn flag(&mut self, member: &str) -> Result<Option<bool>, Refusal> {
        match self.0.remove(member) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(_) => Err(wrong(member, "true or false")),
        }
    }

    /// A whole number.
    pub(crate) fn number(&mut self, member: &str) -> Result<Option<i32>, Refusal> {
        let Some(value) = self.0.remove(member) else {
            return Ok(None);
        };
        let number = value.as_i64().and_then(|number| i32::try_from(number).ok());
        number.map(Some).ok_or_else(|| wrong(member, "a number"))
    }

    /// An instant: a text in any form that CloudTrail writes, or seconds since 1970, UTC.
    pub(crate) fn time(&mut self, member: &str) -> Result<Option<DateTime>, Refusal> {
        let seconds = match self.0.remove(member) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(text)) => Timestamp::parse(&text).map(Timestamp::seconds),
            Some(value) => value.as_i64(),
        };
        let time = seconds.map(DateTime::from_secs);
        time.map(Some).ok_or_else(|| wrong(member, "an instant"))
    }

    /// A list of texts.
    pub(crate) fn texts(&mut self, member: &str) -> Result<Option<Vec<String>>, Refusal> {
        let Some(value) = self.0.remove(member) else {
            return Ok(None);
        };
        serde_json::from_value(value)
            .map(Some)
            .map_err(|_| wrong(member, "a list of texts"))
    }

    /// Whatever it is.
    pub(crate) fn value(&mut self, member: &str) -> Option<Value> {
        self.0.remove(member)
    }

    /// Sets a parameter.
    pub(crate) fn set(&mut self, member: &str, value: &str) {
        self.0
            .insert(member.to_owned(), Value::String(value.to_owned()));
    }

    /// Refuses a call with a parameter that was not taken: without it, it would be another call.
    pub(crate) fn done(&mut self) -> Result<(), Refusal> {
        match std::mem::take(&mut self.0).keys().next() {
            None => Ok(()),
            Some(member) => Err(refused(
                RefusalKind::Refused,
                "UnknownParameter",
                format!("`{member}` is no parameter of this call here"),
            )),
        }
    }
}

/// A parameter that is not what it must be.
pub(crate) fn wrong(member: &str, what: &str) -> Refusal {
    let message = format!("`{member}` is not {what}");
    refused(RefusalKind::Refused, "BadParameter", message)
}
