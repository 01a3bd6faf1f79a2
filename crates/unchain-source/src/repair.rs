//! Makes JSON of text that is nearly JSON: what exporters and hand editing are known to break.
//!
//! Only damage whose meaning is certain is repaired. A missing bracket or quote is not: there the
//! repairer would have to guess where a value ends.

use std::borrow::Cow;
use unchain_core::event::Notes;

/// The bytes as text; what is not UTF-8 becomes U+FFFD.
pub(crate) fn text(bytes: &[u8]) -> (Cow<'_, str>, Notes) {
    let mut notes = Notes::default();
    match simdutf8::basic::from_utf8(bytes) {
        Ok(text) => (Cow::Borrowed(text), notes),
        Err(_) => {
            notes.add(Notes::NON_UTF8);
            (String::from_utf8_lossy(bytes), notes)
        }
    }
}

/// Replaces numbers that are none by null, escapes raw control characters in strings, and mends
/// broken escapes; `None` if there is nothing of the kind.
pub(crate) fn json(text: &str) -> Option<(String, Notes)> {
    let mut repair = Repair {
        out: String::with_capacity(text.len() + 16),
        notes: Notes::default(),
    };
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (piece, tail) = match first {
            '"' => leading_string(rest),
            c if is_token(c) => {
                rest.split_at_checked(rest.find(|c| !is_token(c)).unwrap_or(rest.len()))?
            }
            c => rest.split_at_checked(c.len_utf8())?,
        };
        match first {
            '"' => repair.string(piece),
            c if is_token(c) => repair.token(piece),
            _ => repair.out.push_str(piece),
        }
        rest = tail;
    }
    (!repair.notes.is_empty()).then_some((repair.out, repair.notes))
}

fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')
}

/// The string at the start of `text`, quotes included, and what follows it.
fn leading_string(text: &str) -> (&str, &str) {
    let end = crate::boundary::string_end(text.as_bytes(), 0).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

struct Repair {
    out: String,
    notes: Notes,
}

impl Repair {
    /// `NaN`, `Infinity`, and numbers too large for any reader, in every spelling that Rust reads.
    fn token(&mut self, token: &str) {
        if token.parse::<f64>().is_ok_and(|number| !number.is_finite()) {
            self.notes.add(Notes::NOT_A_NUMBER);
            self.out.push_str("null");
        } else {
            self.out.push_str(token);
        }
    }

    fn string(&mut self, token: &str) {
        let mut chars = token.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => {
                    let rest = token.get(at..).unwrap_or_default();
                    let taken = self.escape(rest);
                    // The backslash itself is consumed already.
                    for _ in 1..taken {
                        chars.next();
                    }
                }
                c if c < ' ' => {
                    self.notes.add(Notes::REPAIRED);
                    self.out.push_str(&format!("\\u{:04x}", u32::from(c)));
                }
                c => self.out.push(c),
            }
        }
    }

    /// Writes the escape at the start of `rest`; returns how many characters it took.
    fn escape(&mut self, rest: &str) -> usize {
        match rest.as_bytes() {
            [
                _,
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't',
                ..,
            ] => self.keep(rest, 2),
            [_, b'u', ..] => match unit(rest) {
                Some(0xd800..=0xdbff)
                    if matches!(
                        unit(rest.get(6..).unwrap_or_default()),
                        Some(0xdc00..=0xdfff)
                    ) =>
                {
                    self.keep(rest, 12)
                }
                Some(0xd800..=0xdfff) => {
                    self.notes.add(Notes::REPAIRED);
                    self.out.push('\u{fffd}');
                    6
                }
                Some(_) => self.keep(rest, 6),
                None => self.literal(),
            },
            _ => self.literal(),
        }
    }

    fn keep(&mut self, rest: &str, taken: usize) -> usize {
        self.out.push_str(rest.get(..taken).unwrap_or_default());
        taken
    }

    /// A backslash that begins no escape stands for itself.
    fn literal(&mut self) -> usize {
        self.notes.add(Notes::REPAIRED);
        self.out.push_str("\\\\");
        1
    }
}

/// The UTF-16 unit of a `\uXXXX` escape.
fn unit(rest: &str) -> Option<u16> {
    let hex = rest.strip_prefix("\\u")?.get(..4)?;
    hex.bytes()
        .all(|b| b.is_ascii_hexdigit())
        .then(|| u16::from_str_radix(hex, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, want: &str, note: Notes) {
        let (repaired, notes) = json(text).expect(text);
        assert_eq!(repaired, want);
        assert_eq!(notes, note);
        assert!(
            serde_json::from_str::<serde_json::Value>(&repaired).is_ok(),
            "{repaired}"
        );
    }

    #[test]
    fn what_is_repaired() {
        check(
            r#"{"a":NaN,"b":[-Infinity,1e999],"c":"NaN"}"#,
            r#"{"a":null,"b":[null,null],"c":"NaN"}"#,
            Notes::NOT_A_NUMBER,
        );
        check("{\"a\":\"x\ny\"}", r#"{"a":"x\u000ay"}"#, Notes::REPAIRED);
        check(
            r#"{"a":"\d\u12","b":"\ud800 \ud83d\ude00"}"#,
            "{\"a\":\"\\\\d\\\\u12\",\"b\":\"\u{fffd} \\ud83d\\ude00\"}",
            Notes::REPAIRED,
        );
    }

    #[test]
    fn sound_and_hopeless_text_is_left_alone() {
        assert_eq!(json(r#"{"a":"\"b\\","c":[1,true]}"#), None);
        assert_eq!(json(r#"{"a":"b"#), None);
    }

    proptest! {
        #[test]
        fn sound_json_is_never_changed(text in r#"\PC*"#) {
            let sound = serde_json::Value::String(text).to_string();
            prop_assert_eq!(json(&sound), None);
        }

        #[test]
        fn any_text_survives(text in ".*") {
            let _ = json(&text);
        }
    }
}
