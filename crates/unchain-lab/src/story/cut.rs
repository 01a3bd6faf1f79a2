//! A story without the lines that the lab cannot play: services that it does not have, and all that rests on them.

use std::collections::BTreeMap;

use unchain_trail::{ParseError, Step, Trail, Who};

use super::{desk, params};

/// A line that is not played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The line, counted from 1.
    pub line: usize,
    /// Why.
    pub why: String,
}

/// The part of a story that the lab can play, and the lines that it cannot.
///
/// # Errors
///
/// The text is no trail.
pub fn playable(text: &str) -> Result<(Trail, Vec<LeftOut>), ParseError> {
    let mut trail = Trail::parse(text)?;
    let mut out: BTreeMap<usize, String> = BTreeMap::new();
    loop {
        let before = out.len();
        for step in trail.script().steps {
            if let Err(why) = can(&step) {
                out.entry(step.line).or_insert(why);
            }
        }
        if out.len() == before {
            break;
        }
        trail = rest(text, &mut out);
    }
    let left = out.into_iter().map(|(line, why)| LeftOut { line, why });
    Ok((trail, left.collect()))
}

/// The lines that are left; those that no longer mean anything go out as well.
fn rest(text: &str, out: &mut BTreeMap<usize, String>) -> Trail {
    loop {
        let lines: Vec<&str> = (1..)
            .zip(text.split('\n'))
            .map(|(number, line)| if out.contains_key(&number) { "" } else { line })
            .collect();
        match Trail::parse(&lines.join("\n")) {
            Ok(trail) => return trail,
            Err(error) => {
                let why = format!("it needs `{}`, which is left out", error.found);
                out.insert(error.line, why);
            }
        }
    }
}

/// Whether the lab can be asked for a step.
fn can(step: &Step) -> Result<(), String> {
    for option in ["via", "reissues", "mfa-unrecorded"] {
        if step.option(option).is_some() {
            return Err(format!("no client can ask for `{option}`"));
        }
    }
    if let Who::Certificate(_) = step.who {
        return Err("the lab has no Roles Anywhere".to_owned());
    }
    if let Some(why) = desk::refuses(step) {
        return Err(why.to_owned());
    }
    if desk::knows(step) {
        return Ok(());
    }
    if let Who::Service(name) = &step.who {
        return Err(format!(
            "the lab does not play `{name}` calling {}",
            step.call
        ));
    }
    params::ask(step).map(drop)
}
