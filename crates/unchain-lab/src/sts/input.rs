//! Checks of parameters against the patterns and sizes of the API, all at once, in the words AWS answers with.

use crate::call::{Call, Fault, lower_first};

/// Letters a parameter may have, and the pattern that the message names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pattern {
    text: &'static str,
    allows: fn(char) -> bool,
}

/// Session names, source identities and names of federated users.
pub(super) const NAME: Pattern = Pattern {
    text: r"[\w+=,.@-]*",
    allows: |letter| word(letter) || "+=,.@-".contains(letter),
};
/// External ids.
pub(super) const EXTERNAL_ID: Pattern = Pattern {
    text: r"[\w+=,.@:\/-]*",
    allows: |letter| word(letter) || "+=,.@:/-".contains(letter),
};
/// Serials of MFA devices.
pub(super) const SERIAL: Pattern = Pattern {
    text: r"[\w+=/:,.@-]*",
    allows: |letter| word(letter) || "+=/:,.@-".contains(letter),
};
/// Codes of MFA devices.
pub(super) const CODE: Pattern = Pattern {
    text: r"[\d]*",
    allows: |letter| letter.is_ascii_digit(),
};
/// Access key ids.
pub(super) const KEY_ID: Pattern = Pattern {
    text: r"[\w]*",
    allows: word,
};
/// Keys and values of tags.
pub(super) const TAG: Pattern = Pattern {
    text: r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*",
    allows: |letter| {
        letter.is_alphanumeric() || letter.is_whitespace() || "_.:/=+-@".contains(letter)
    },
};
/// Session policies.
pub(super) const POLICY: Pattern = Pattern {
    text: r"[\u0009\u000A\u000D\u0020-\u00FF]+",
    allows: |letter| matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{ff}'),
};

fn word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

/// Collects what is wrong with the parameters of one call.
#[derive(Debug, Default)]
pub(super) struct Checks(Vec<String>);

impl Checks {
    /// The text of a parameter that must be there.
    pub(super) fn required(&mut self, call: &Call<'_>, name: &str) -> String {
        call.text(name).unwrap_or_else(|| {
            self.0.push(format!(
                "Value null at '{}' failed to satisfy constraint: Member must not be null",
                lower_first(name)
            ));
            String::new()
        })
    }

    /// Length in characters, both ends included.
    pub(super) fn length(&mut self, (name, value): (&str, &str), (least, most): (usize, usize)) {
        let length = value.chars().count();
        if length < least {
            self.refuse((name, value), &at_least("length", least));
        } else if length > most {
            self.refuse((name, value), &at_most("length", most));
        }
    }

    /// Letters.
    pub(super) fn pattern(&mut self, (name, value): (&str, &str), pattern: Pattern) {
        if !value.chars().all(pattern.allows) {
            let constraint = format!(
                "Member must satisfy regular expression pattern: {}",
                pattern.text
            );
            self.refuse((name, value), &constraint);
        }
    }

    /// A duration in seconds, both ends included; none is the default's matter.
    pub(super) fn seconds(&mut self, value: Option<i64>, (least, most): (i64, i64)) {
        let Some(seconds) = value else { return };
        let shown = seconds.to_string();
        if seconds < least {
            self.refuse(("durationSeconds", &shown), &at_least("value", least));
        } else if seconds > most {
            self.refuse(("durationSeconds", &shown), &at_most("value", most));
        }
    }

    fn refuse(&mut self, (name, value): (&str, &str), constraint: &str) {
        self.0.push(format!(
            "Value '{value}' at '{name}' failed to satisfy constraint: {constraint}"
        ));
    }

    /// Nothing was wrong.
    ///
    /// # Errors
    ///
    /// `ValidationError` that lists what was.
    pub(super) fn done(self) -> Result<(), Fault> {
        let many = match self.0.len() {
            0 => return Ok(()),
            1 => "1 validation error".to_owned(),
            count => format!("{count} validation errors"),
        };
        Err(Fault::validation(format!(
            "{many} detected: {}",
            self.0.join("; ")
        )))
    }
}

fn at_least(what: &str, least: impl std::fmt::Display) -> String {
    format!("Member must have {what} greater than or equal to {least}")
}

fn at_most(what: &str, most: impl std::fmt::Display) -> String {
    format!("Member must have {what} less than or equal to {most}")
}
