//! CSV by RFC 4180, with cells that a spreadsheet would run as a formula defused.

use std::io::{self, Write};
use unchain_core::text;

/// Writes one line.
pub(crate) fn line<'a>(
    out: &mut dyn Write,
    cells: impl Iterator<Item = &'a str>,
) -> io::Result<()> {
    for (n, cell) in cells.enumerate() {
        if n > 0 {
            out.write_all(b",")?;
        }
        out.write_all(text::csv(cell).as_bytes())?;
    }
    out.write_all(b"\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_defused() {
        let mut out = Vec::new();
        line(&mut out, ["a", "b,c", "=1+1", "\u{1b}[2J"].into_iter()).unwrap();
        assert_eq!(out, b"a,\"b,c\",\"'=1+1\",\\u{1b}[2J\r\n");
    }
}
