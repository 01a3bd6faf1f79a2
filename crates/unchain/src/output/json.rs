//! JSON that is plain ASCII: a terminal, a pager and a log viewer show it as it is, whatever a log
//! line carried. A reader of JSON gets back the very text that was logged.

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter};
use std::io::{self, Write};

/// Writes a value in one line, without a line break.
pub(crate) fn value<T: Serialize + ?Sized>(out: &mut dyn Write, value: &T) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::with_formatter(out, Ascii(CompactFormatter));
    value.serialize(&mut serializer).map_err(io::Error::from)
}

/// Writes a value as a line of its own.
pub(crate) fn line<T: Serialize + ?Sized>(out: &mut dyn Write, item: &T) -> io::Result<()> {
    value(out, item)?;
    out.write_all(b"\n")
}

/// A JSON array, one item to a line.
pub(crate) struct List<'o> {
    out: &'o mut dyn Write,
    empty: bool,
}

impl<'o> List<'o> {
    /// Starts an array.
    pub(crate) fn new(out: &'o mut dyn Write) -> Self {
        Self { out, empty: true }
    }

    /// Adds an item.
    pub(crate) fn item<T: Serialize>(&mut self, item: &T) -> io::Result<()> {
        self.out
            .write_all(if self.empty { b"[\n" } else { b",\n" })?;
        self.empty = false;
        value(self.out, item)
    }

    /// Ends the array.
    pub(crate) fn finish(self) -> io::Result<()> {
        self.out
            .write_all(if self.empty { b"[]\n" } else { b"\n]\n" })
    }
}

/// Writes everything beyond printable ASCII as `\uXXXX`.
struct Ascii(CompactFormatter);

impl Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let plain = |c: char| c.is_ascii() && c != '\u{7f}';
        if fragment.chars().all(plain) {
            return self.0.write_string_fragment(writer, fragment);
        }
        for c in fragment.chars() {
            if plain(c) {
                writer.write_all(c.encode_utf8(&mut [0; 4]).as_bytes())?;
            } else {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_survives_as_ascii() {
        let text = "a\u{1b}[31m\u{7f}\u{202e}\u{9b}é😀\"\\\n";
        let mut out = Vec::new();
        value(&mut out, text).unwrap();
        assert!(
            out.iter().all(|b| (0x20..0x7f).contains(b)),
            "{}",
            String::from_utf8_lossy(&out)
        );
        assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
    }

    #[test]
    fn a_list_is_a_document_also_when_empty() {
        for items in [&[][..], &[1], &[1, 2, 3]] {
            let mut out = Vec::new();
            let mut list = List::new(&mut out);
            for item in items {
                list.item(item).unwrap();
            }
            list.finish().unwrap();
            assert_eq!(serde_json::from_slice::<Vec<i32>>(&out).unwrap(), items);
        }
    }
}
