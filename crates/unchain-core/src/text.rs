//! Text that came from a log, and the only ways to show it.
//!
//! Log text is hostile: a user agent or a role session name may carry terminal escapes, HTML or a
//! spreadsheet formula. [`Untrusted`] has no `Display`; a writer must say where the text will land.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Text from a log. It can be compared and searched, but shown only through a named escape.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Untrusted(Box<str>);

impl Untrusted {
    /// Wraps text taken from a log.
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The text as it was logged, for comparing and for machine formats that escape by themselves
    /// (JSON). Never print it to a terminal, page or CSV.
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text for a terminal: control, format and bidirectional characters become `\u{…}`.
    pub fn terminal(&self) -> Cow<'_, str> {
        terminal(&self.0)
    }

    /// The text for HTML content or a quoted attribute.
    pub fn html(&self) -> Cow<'_, str> {
        html(&self.0)
    }

    /// The text within a line of Markdown: characters that mark something up are taken literally, also in
    /// a cell of a table, and nothing becomes a link. A caller begins the line with words of its own.
    pub fn markdown(&self) -> Cow<'_, str> {
        markdown(&self.0)
    }

    /// The text for one CSV cell, quoted where needed and with formulas defused.
    pub fn csv(&self) -> Cow<'_, str> {
        csv(&self.0)
    }
}

/// The debug form is the escaped one, so that a stray `{:?}` cannot drive a terminal.
impl std::fmt::Debug for Untrusted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.terminal())
    }
}

/// Escapes what could drive a terminal or reorder a line. See [`Untrusted::terminal`].
pub fn terminal(text: &str) -> Cow<'_, str> {
    if !text.chars().any(drives_terminal) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if drives_terminal(c) {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Control characters, line separators, zero-width and bidirectional controls, tags, and the
/// variation selectors that can hide text.
fn drives_terminal(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            0x00ad | 0x061c | 0x115f | 0x1160 | 0x180e | 0x200b..=0x200f | 0x2028..=0x202e
            | 0x2060..=0x206f | 0x3164 | 0xfe00..=0xfe0f | 0xfeff | 0xffa0 | 0xfff0..=0xfffb
            | 0xe0000..=0xe0fff)
}

fn html(text: &str) -> Cow<'_, str> {
    let escape = |c: char| match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '"' => Some("&quot;"),
        '\'' => Some("&#39;"),
        _ => None,
    };
    let shown = terminal(text);
    if !shown.chars().any(|c| escape(c).is_some()) {
        return shown;
    }
    let mut out = String::with_capacity(shown.len() + 16);
    for c in shown.chars() {
        match escape(c) {
            Some(entity) => out.push_str(entity),
            None => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// See [`Untrusted::markdown`]. A backslash before ASCII punctuation takes it literally
/// (spec.commonmark.org/0.31.2, 2.4). What GitHub would link or notify by itself (github.github.com/gfm,
/// 6.9) is broken: `://` and `www` by a character reference, `@` by standing as code.
pub fn markdown(text: &str) -> Cow<'_, str> {
    let shown = terminal(text);
    if !shown.contains(|c| marks_up(c) || matches!(c, ':' | 'w' | '@')) {
        return shown;
    }
    let mut out = String::with_capacity(shown.len() + 16);
    let mut rest = shown.chars().peekable();
    let mut before = ' ';
    while let Some(c) = rest.next() {
        let next = rest.peek().copied();
        let begins_link = (c == ':' && next == Some('/')) || (c == 'w' && next == Some('w'));
        if begins_link {
            // Writing to a String cannot fail.
            let _ = write!(out, "&#{};", u32::from(c));
        } else {
            out.push_str(match c {
                '@' if before != '@' => "`",
                c if marks_up(c) => "\\",
                _ => "",
            });
            out.push(c);
            out.push_str(if c == '@' && next != Some('@') {
                "`"
            } else {
                ""
            });
        }
        before = c;
    }
    Cow::Owned(out)
}

fn marks_up(c: char) -> bool {
    "\\`*_{}[]<>#|&~$!".contains(c)
}

/// One CSV cell. A cell that a spreadsheet would take for a formula gets a leading apostrophe, as
/// OWASP's page on CSV injection advises; then it is quoted when it holds a comma, quote or break.
pub fn csv(text: &str) -> Cow<'_, str> {
    let shown = terminal(text);
    let formula = shown.starts_with([
        '=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
    ]);
    let quoted = shown.contains([',', '"', '\n', '\r', ';', '\t']);
    if !formula && !quoted {
        return shown;
    }
    let body = shown.replace('"', "\"\"");
    let guard = if formula { "'" } else { "" };
    Cow::Owned(format!("\"{guard}{body}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_escapes_and_bidi_are_shown_as_text() {
        let text = Untrusted::new("a\u{1b}[31mred\u{202e}evil\u{7}");
        assert_eq!(text.terminal(), "a\\u{1b}[31mred\\u{202e}evil\\u{7}");
        assert_eq!(Untrusted::new("plain ünïcode").terminal(), "plain ünïcode");
    }

    #[test]
    fn markdown_marks_nothing_up_and_links_nothing() {
        for (text, wanted) in [
            ("a|b*c_d", "a\\|b\\*c\\_d"),
            ("`x` <b>", "\\`x\\` \\<b\\>"),
            ("http://x", "http&#58;//x"),
            ("www.x", "&#119;&#119;w.x"),
            ("a@b @@", "a`@`b `@@`"),
            ("a\nb", "a\\\\u\\{a\\}b"),
            ("plain: text", "plain: text"),
        ] {
            assert_eq!(Untrusted::new(text).markdown(), wanted);
        }
    }

    #[test]
    fn html_and_csv_are_defused() {
        assert_eq!(
            Untrusted::new("<a href='x'>&").html(),
            "&lt;a href=&#39;x&#39;&gt;&amp;"
        );
        assert_eq!(
            Untrusted::new("=cmd|' /C calc'!A0").csv(),
            "\"'=cmd|' /C calc'!A0\""
        );
        assert_eq!(Untrusted::new("a,\"b\"").csv(), "\"a,\"\"b\"\"\"");
        assert_eq!(Untrusted::new("plain").csv(), "plain");
    }
}
