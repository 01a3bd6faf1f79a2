//! A table whose columns have fixed widths, so that its rows can be written as they come.

use comfy_table::{ColumnConstraint, ContentArrangement, Width, presets};
use std::io::{self, Write};

/// Rows that are laid out together. Any number gives the same table.
const TOGETHER: usize = 200;
/// Between two columns.
const GAP: usize = 2;

/// One column.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    title: &'static str,
    width: usize,
    shape: Shape,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Left,
    Right,
    /// Every line after the first is indented, so that one can see where a row begins.
    Hanging,
}

impl Column {
    /// A column of so many characters.
    pub(crate) fn new(title: &'static str, width: usize) -> Self {
        Self {
            title,
            width,
            shape: Shape::Left,
        }
    }

    /// The same with its cells at the right: for numbers.
    pub(crate) fn right(self) -> Self {
        Self {
            shape: Shape::Right,
            ..self
        }
    }

    /// The same with all lines of a cell but the first indented: for names.
    pub(crate) fn hanging(self) -> Self {
        Self {
            shape: Shape::Hanging,
            ..self
        }
    }

    fn fold(&self, cell: &str) -> String {
        let mut out = String::with_capacity(cell.len() + 8);
        let indent = if self.shape == Shape::Hanging {
            "  "
        } else {
            ""
        };
        for (n, line) in cell.lines().enumerate() {
            let mut rest = line;
            let mut first = n == 0;
            loop {
                let margin = if first { "" } else { indent };
                let (now, later) = cut(rest, self.width.saturating_sub(margin.len()).max(1));
                if !out.is_empty() {
                    out.push('\n');
                }
                out.push_str(margin);
                out.push_str(now);
                first = false;
                rest = later;
                if rest.is_empty() {
                    break;
                }
            }
        }
        out
    }
}

/// The characters left for flexible columns when the others take `fixed` characters in `count`
/// columns altogether.
pub(crate) fn room(width: usize, count: usize, fixed: usize) -> usize {
    width.saturating_sub(fixed + GAP * count.saturating_sub(1))
}

/// Cuts a line after a blank, or after a slash or a colon in a word that is too long for a line of its own.
fn cut(line: &str, width: usize) -> (&str, &str) {
    let Some((end, _)) = line.char_indices().nth(width) else {
        return (line, "");
    };
    let head = line.get(..end).unwrap_or(line);
    let after = |what: &[char]| head.rfind(what).map(|at| at + 1);
    // A name stays whole where it can, so that it can be copied.
    let word = line.get(after(&[' ']).unwrap_or(0)..).unwrap_or_default();
    let fits = word.split(' ').next().unwrap_or_default().chars().count() <= width;
    let blank = after(&[' ']).filter(|at| fits || *at > width / 3);
    let inside = after(&[' ', '/', ':']).filter(|at| *at > width / 3);
    let at = if fits { blank.or(inside) } else { inside }.unwrap_or(end);
    line.split_at_checked(at)
        .map_or((line, ""), |(now, later)| (now, later.trim_start()))
}

/// Writes rows in columns.
pub(crate) struct Table<'o> {
    out: &'o mut dyn Write,
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
    headed: bool,
}

impl<'o> Table<'o> {
    /// A table without rows; its header comes with the first.
    pub(crate) fn new(out: &'o mut dyn Write, columns: Vec<Column>) -> Self {
        Self {
            out,
            columns,
            rows: Vec::new(),
            headed: false,
        }
    }

    /// Adds a row. Cells may have several lines.
    pub(crate) fn row(&mut self, cells: &[String]) -> io::Result<()> {
        let cells = cells.iter().zip(&self.columns);
        self.rows
            .push(cells.map(|(cell, column)| column.fold(cell)).collect());
        if self.rows.len() >= TOGETHER {
            self.flush()?;
        }
        Ok(())
    }

    /// Writes what is left.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.flush()
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let mut table = comfy_table::Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(u16::MAX);
        if !std::mem::replace(&mut self.headed, true) {
            table.set_header(self.columns.iter().map(|c| c.title));
        }
        table.add_rows(self.rows.drain(..));
        let last = self.columns.len().saturating_sub(1);
        for (n, (column, spec)) in table.column_iter_mut().zip(&self.columns).enumerate() {
            let gap = if n == last { 0 } else { GAP };
            column.set_padding((0, u16::try_from(gap).unwrap_or_default()));
            let width = u16::try_from(spec.width + gap).unwrap_or(u16::MAX);
            column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(width)));
            if spec.shape == Shape::Right {
                column.set_cell_alignment(comfy_table::CellAlignment::Right);
            }
        }
        for line in table.lines() {
            writeln!(self.out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_in_parts_look_like_rows_together() {
        let columns = || vec![Column::new("NAME", 6), Column::new("COUNT", 5).right()];
        let mut out = Vec::new();
        let mut table = Table::new(&mut out, columns());
        for n in 0..TOGETHER * 2 + 1 {
            table.row(&[format!("n {n}"), n.to_string()]).unwrap();
        }
        table.finish().unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.lines().count(), TOGETHER * 2 + 2);
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("NAME    COUNT"));
        assert_eq!(lines.next(), Some("n 0         0"));
        assert_eq!(lines.last(), Some("n 400     400"));
    }

    #[test]
    fn names_are_cut_at_slashes_and_hang() {
        let column = Column::new("", 12).hanging();
        assert_eq!(
            column.fold("ASIA\nassumed-role/build\nx"),
            "ASIA\n  assumed-ro\n  le/build\n  x"
        );
        assert_eq!(
            Column::new("", 12).fold("role/web-server/i-1"),
            "role/\nweb-server/\ni-1"
        );
        assert_eq!(
            Column::new("", 4).fold("äöüß\u{1f600}x"),
            "äöüß\n\u{1f600}x"
        );
        assert_eq!(Column::new("", 4).fold(""), "");
    }
}
