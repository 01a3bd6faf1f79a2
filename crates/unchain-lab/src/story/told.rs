//! What the player says of each step, in one line.

use std::fmt;

use unchain_core::time::Timestamp;
use unchain_trail::{Step, Who};

/// One step as it went.
#[derive(Debug, Clone)]
pub struct Told {
    /// The story's line, counted from 1.
    pub line: usize,
    /// When, seconds since 1970, UTC.
    pub at: i64,
    /// Who acted, by the story's name.
    pub who: String,
    /// The call and its objects.
    pub call: String,
    /// The error code that came back; none for success.
    pub error: Option<String>,
    /// The name and key of what the call gave.
    pub gave: Option<(String, String)>,
    /// How it went otherwise than the story says.
    pub trouble: Option<String>,
}

impl Told {
    /// What is known before the call is made.
    pub(super) fn of(step: &Step, who: &str) -> Self {
        let who = match &step.who {
            Who::Credential(_) => who.to_owned(),
            Who::Principal { name, .. } => name.clone(),
            Who::Service(name) | Who::Provider(name) | Who::Certificate(name) => name.clone(),
        };
        let mut call = step.call.clone();
        for object in &step.objects {
            call.push(' ');
            call.push_str(object);
        }
        Self {
            line: step.line,
            at: step.at,
            who,
            call,
            error: None,
            gave: None,
            trouble: None,
        }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (at, who, call) = (Timestamp::from_seconds(self.at), &self.who, &self.call);
        write!(out, "{at}  {who:<12}  {call}")?;
        match (&self.error, &self.gave) {
            (Some(error), _) => write!(out, "  [{error}]")?,
            (None, Some((label, key))) if key.is_empty() => write!(out, "  -> {label}")?,
            (None, Some((label, key))) => write!(out, "  -> {label} {key}")?,
            (None, None) => {}
        }
        if let Some(trouble) = &self.trouble {
            write!(out, "\n    line {}: {trouble}", self.line)?;
        }
        Ok(())
    }
}
