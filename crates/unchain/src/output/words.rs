//! Numbers, instants and names in the form that people read. Must not know the report's types.

use std::io::{self, Write};
use unchain_core::text::{Untrusted, terminal};
use unchain_core::time::Timestamp;

/// Log text longer than this is cut in tables and trees; JSON has it whole.
const LONGEST: usize = 160;

/// Log text for a terminal, cut if it is very long.
pub(crate) fn shown(text: &Untrusted) -> String {
    clipped(text.raw())
}

/// Any text from outside for a terminal, cut if it is very long.
pub(crate) fn clipped(text: &str) -> String {
    let mut kept = text.char_indices();
    match kept.nth(LONGEST) {
        Some((end, _)) => format!("{}…", terminal(text.get(..end).unwrap_or_default())),
        None => terminal(text).into_owned(),
    }
}

/// Text from outside as one word of a shell command that a person may paste; none if it holds anything
/// that could mean something else there.
pub(crate) fn pasted(text: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !text.is_empty() && !text.starts_with('-') && text.chars().all(plain) {
        return Some(text.to_owned());
    }
    let quotable = |c: char| c == ' ' || c.is_ascii_graphic() && c != '\'';
    let fits = !text.is_empty() && !text.starts_with('-') && text.chars().all(quotable);
    fits.then(|| format!("'{text}'"))
}

/// A principal in short: an ARN loses what is alike in all of them.
pub(crate) fn principal(text: &Untrusted) -> String {
    let raw = text.raw();
    let mut parts = raw.splitn(6, ':').skip(5);
    let Some(resource) = parts.next().filter(|_| raw.starts_with("arn:")) else {
        return clipped(raw);
    };
    clipped(resource.strip_prefix("assumed-role/").unwrap_or(resource))
}

/// An instant, UTC: `2026-03-02 09:20:05`.
pub(crate) fn moment(time: Timestamp) -> String {
    time.to_string().replace('T', " ").replace('Z', "")
}

/// An instant to the minute.
pub(crate) fn minute(time: Timestamp) -> String {
    let text = moment(time);
    text.get(..text.len().saturating_sub(3))
        .unwrap_or_default()
        .to_owned()
}

/// A number with its thousands apart.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number with what it counts: `1 file`, `2 files`.
pub(crate) fn counted(number: u64, one: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{} {one}{s}", count(number))
}

/// A size: `512 bytes`, `1.5 MB`.
pub(crate) fn size(bytes: u64) -> String {
    let mut value = bytes;
    let mut rest = 0;
    for unit in ["bytes", "kB", "MB", "GB"] {
        if value < 1000 && unit == "bytes" {
            return format!("{value} bytes");
        }
        if value < 1000 {
            return format!("{value}.{} {unit}", rest / 100);
        }
        (value, rest) = (value / 1000, value % 1000);
    }
    format!("{value}.{} TB", rest / 100)
}

/// Lines of at most `width` characters made of pieces that stay whole, ` · ` between them.
pub(crate) fn wrapped(pieces: &[String], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for piece in pieces.iter().filter(|piece| !piece.is_empty()) {
        match lines.last_mut() {
            Some(line) if line.chars().count() + piece.chars().count() + 3 <= width => {
                line.push_str(" · ");
                line.push_str(piece);
            }
            _ => lines.push(piece.clone()),
        }
    }
    lines
}

/// Words in lines of at most `width` characters.
pub(crate) fn folded(text: &str, width: usize) -> Vec<String> {
    folded_behind(text, (width, width))
}

/// Words in lines of at most so many characters: the first, and the others.
pub(crate) fn folded_behind(text: &str, (first, others): (usize, usize)) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in clipped_words(text) {
        let width = if lines.len() == 1 { first } else { others };
        let long = |line: &String| line.chars().count() + word.chars().count() + 1 > width;
        if lines
            .last()
            .is_some_and(|line| !line.is_empty() && long(line))
        {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&word);
        }
    }
    lines
}

/// Words, folded at the width, made safe for a terminal.
pub(crate) fn paragraph(
    out: &mut dyn Write,
    width: usize,
    (begin, margin): (&str, &str),
    text: &str,
) -> io::Result<()> {
    let room = |before: &str| width.saturating_sub(before.chars().count());
    let lines = folded_behind(text, (room(begin), room(margin)));
    for (n, line) in lines.iter().enumerate() {
        writeln!(out, "{}{line}", if n == 0 { begin } else { margin })?;
    }
    Ok(())
}

fn clipped_words(text: &str) -> impl Iterator<Item = String> {
    text.split_whitespace().map(clipped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_sizes() {
        assert_eq!(
            [0, 999, 1000, 1_234_567].map(count),
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!(
            [0, 999, 1500, 2_000_000, 3_400_000_000, 5_000_000_000_000].map(size),
            [
                "0 bytes",
                "999 bytes",
                "1.5 kB",
                "2.0 MB",
                "3.4 GB",
                "5.0 TB"
            ]
        );
        assert_eq!(counted(1, "file"), "1 file");
    }

    #[test]
    fn principals_in_short() {
        let short = |text: &str| principal(&Untrusted::new(text));
        assert_eq!(
            short("arn:aws:sts::111122223333:assumed-role/app/build"),
            "app/build"
        );
        assert_eq!(short("arn:aws:iam::111122223333:user/alice"), "user/alice");
        assert_eq!(short("ec2.amazonaws.com"), "ec2.amazonaws.com");
        assert_eq!(short("arn:cut"), "arn:cut");
        assert_eq!(short("arn:a:b:c:d:\u{1b}"), "\\u{1b}");
        assert_eq!(short(&"x".repeat(1000)).chars().count(), LONGEST + 1);
    }

    #[test]
    fn only_harmless_text_is_pasted() {
        assert_eq!(pasted("AKIA").as_deref(), Some("AKIA"));
        assert_eq!(pasted("$(id) `x`").as_deref(), Some("'$(id) `x`'"));
        for text in ["", "--all", "a'b", "a\nb", "\u{1b}", "é"] {
            assert_eq!(pasted(text), None, "{text:?}");
        }
    }

    #[test]
    fn pieces_stay_whole() {
        let pieces = ["one", "", "two", "three"].map(str::to_owned);
        assert_eq!(wrapped(&pieces, 9), ["one · two", "three"]);
    }
}
