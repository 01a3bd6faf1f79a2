//! Any text as an SQL string that nothing in the text can end.
//!
//! Standard SQL has one way out of a literal, the apostrophe, and writes it twice; a backslash is a
//! character like any other. What could drive a terminal is written by its number. Must not know
//! what is asked.

use std::borrow::Cow;
use unchain_core::text::terminal;

/// `text` as an expression of one string. `by_number` is the engine's function from a code point to
/// a character; without one, a text that needs it has no form.
pub(super) fn literal(text: &str, by_number: Option<&str>) -> Option<String> {
    let mut parts = Vec::new();
    let mut plain = String::new();
    for c in text.chars() {
        if !needs_number(c) {
            plain.push(c);
            continue;
        }
        if !plain.is_empty() {
            parts.push(quoted(&plain));
            plain.clear();
        }
        parts.push(format!("{}({})", by_number?, u32::from(c)));
    }
    if !plain.is_empty() || parts.is_empty() {
        parts.push(quoted(&plain));
    }
    let joined = parts.join(" || ");
    // In brackets, so that no operator beside it binds to a part.
    Some(if parts.len() == 1 {
        joined
    } else {
        format!("({joined})")
    })
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn needs_number(c: char) -> bool {
    matches!(terminal(c.encode_utf8(&mut [0; 4])), Cow::Owned(_))
}

/// A comment of one line.
pub(super) fn comment(text: &str) -> String {
    format!("-- {}", terminal(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What SQLite, which follows the standard here, reads.
    fn read(sql: &str) -> String {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        connection
            .query_row(&format!("SELECT {sql}"), [], |row| row.get(0))
            .unwrap()
    }

    #[test]
    fn quotes_are_doubled_and_controls_numbered() {
        assert_eq!(literal("a'b--\\", None).as_deref(), Some("'a''b--\\'"));
        assert_eq!(
            literal("\n'\u{202e}x", Some("chr")).as_deref(),
            Some("(chr(10) || '''' || chr(8238) || 'x')")
        );
        assert_eq!(literal("a\nb", None), None);
        assert_eq!(literal("", None).as_deref(), Some("''"));
    }

    proptest! {
        #[test]
        fn every_text_comes_back_and_nothing_else(text in "[^\0]{0,40}") {
            let sql = literal(&text, Some("char")).unwrap();
            let safe = !sql.chars().any(needs_number);
            prop_assert!(safe);
            prop_assert_eq!(read(&sql), text);
        }

        #[test]
        fn what_breaks_out_elsewhere_does_not_here(parts in prop::collection::vec("'|\"|--|/\\*|\\*/|;|\\\\|\n|\r|\u{2028}|`|\\$|%|a", 0..12)) {
            let text = parts.concat();
            prop_assert_eq!(read(&literal(&text, Some("char")).unwrap()), text);
        }

        #[test]
        fn a_comment_is_one_line(text in "\\PC{0,10}[\n\r\u{85}\u{2028}]{1,3}SELECT") {
            let broken = comment(&text).contains(['\n', '\r', '\u{85}', '\u{2028}']);
            prop_assert!(!broken);
        }
    }
}
