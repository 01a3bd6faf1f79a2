//! A report as Markdown (CommonMark with GitHub's tables), readable as plain text too.
//!
//! Log text is escaped or stands in a code span that it cannot leave. Must not know what is reported.

use super::block::{Block, Branch, Line, Span};
use super::content::Form;
use super::{Document, content};
use std::io::{self, Write};
use unchain_core::text::{self, Untrusted};

/// Levels of a tree that are indented; a deeper line says how deep it is.
const INDENTED: usize = 12;

/// Writes the report.
pub(crate) fn markdown(out: &mut dyn Write, document: &Document<'_>) -> io::Result<()> {
    writeln!(out, "# {}\n", text::markdown(&document.about.title))?;
    writeln!(out, "{}", line(&content::imprint(document), Place::Text))?;
    for block in content::blocks(document, Form::Text) {
        writeln!(out)?;
        write(out, &block)?;
    }
    Ok(())
}

/// Where a line stands: a cell of a table cannot hold a line break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Text,
    Cell,
    Item,
}

fn write(out: &mut dyn Write, block: &Block) -> io::Result<()> {
    match block {
        Block::Heading(level, id, words) => heading(out, (*level, id), words),
        Block::Paragraph(words) => writeln!(out, "{}", line(words, Place::Text)),
        Block::Warning(words) => writeln!(out, "> **Note.** {}", line(words, Place::Text)),
        Block::Facts(facts) => facts.iter().try_for_each(|(name, value)| {
            writeln!(out, "- **{name}:** {}", line(value, Place::Item))
        }),
        Block::Figures(figures) => figures
            .iter()
            .try_for_each(|(number, of)| writeln!(out, "- **{}** {of}", text::markdown(number))),
        Block::Table(columns, rows) => table(out, columns, rows),
        Block::List(lines) => lines
            .iter()
            .try_for_each(|words| writeln!(out, "- {}", line(words, Place::Item))),
        Block::Folded(words, blocks) => {
            writeln!(out, "{}\n", line(words, Place::Text))?;
            blocks.iter().try_for_each(|block| write(out, block))
        }
        // Views are HTML; in this form their rows are written out.
        Block::View(_) => Ok(()),
        Block::Tree(branches) => branches.iter().try_for_each(|branch| tree(out, branch)),
        Block::Commands(commands) => {
            // Four blanks make a block that no text can end.
            commands
                .iter()
                .try_for_each(|command| writeln!(out, "    {}", text::terminal(command)))
        }
    }
}

fn heading(out: &mut dyn Write, (level, id): (u8, &str), words: &Line) -> io::Result<()> {
    let marks = "#".repeat(usize::from(level.clamp(1, 6)));
    // An anchor of our own, since headings hold log text. Ids are made here: letters, digits, hyphens.
    if !id.is_empty() {
        writeln!(out, "<a id=\"{}\"></a>\n", Untrusted::new(id).html())?;
    }
    writeln!(out, "{marks} {}", line(words, Place::Cell))
}

fn table(out: &mut dyn Write, columns: &[&str], rows: &[Vec<Line>]) -> io::Result<()> {
    writeln!(out, "| {} |", columns.join(" | "))?;
    writeln!(out, "|{}", " --- |".repeat(columns.len()))?;
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| line(cell, Place::Cell)).collect();
        writeln!(out, "| {} |", cells.join(" | "))?;
    }
    Ok(())
}

fn tree(out: &mut dyn Write, branch: &Branch) -> io::Result<()> {
    let shown = branch.depth.min(INDENTED);
    let deeper = match branch.depth - shown {
        0 => String::new(),
        more => format!("({more} levels deeper) "),
    };
    let indent = "  ".repeat(shown);
    writeln!(out, "{indent}- {deeper}{}", line(&branch.line, Place::Item))
}

fn line(words: &Line, place: Place) -> String {
    words.0.iter().map(|span| set(span, place)).collect()
}

fn set(span: &Span, place: Place) -> String {
    match span {
        Span::Words(words) | Span::Small(words) => words.markdown().into_owned(),
        Span::Time(time) => text::markdown(time).into_owned(),
        Span::Strong(words) => format!("**{}**", words.markdown()),
        Span::Name(name) => code(name),
        Span::Label(name) => format!("**{}**", name.replace('-', " ")),
        Span::Page(words, url) => format!("[{}]({url})", text::markdown(words)),
        Span::Place(words, id) => {
            format!(
                "[{}](#{})",
                words.markdown(),
                Untrusted::new(id.as_str()).html()
            )
        }
        Span::Break => match place {
            Place::Cell => "<br>".to_owned(),
            Place::Item => " · ".to_owned(),
            Place::Text => "  \n".to_owned(),
        },
    }
}

/// A name as code if it holds nothing that could end the code or the cell, else escaped.
fn code(name: &Untrusted) -> String {
    let shown = name.terminal();
    let plain = |c: char| c.is_ascii_alphanumeric() || " _@%+=:,./*-()[]<>#".contains(c);
    if !shown.is_empty() && shown.trim() == shown && shown.chars().all(plain) {
        return format!("`{shown}`");
    }
    name.markdown().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_code_only_if_it_cannot_leave_it() {
        let set = |text: &str| code(&Untrusted::new(text));
        assert_eq!(set("AKIA-1"), "`AKIA-1`");
        assert_eq!(set("a`b|c"), "a\\`b\\|c");
        assert_eq!(set(" a"), " a");
        assert_eq!(set("a\nb"), "a\\\\u\\{a\\}b");
        assert_eq!(set("https://x.example"), "`https://x.example`");
    }

    #[test]
    fn deep_lines_are_counted_and_not_indented_for_ever() {
        let mut out = Vec::new();
        let branch = Branch {
            depth: 1000,
            line: Line::of("x"),
        };
        tree(&mut out, &branch).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            format!("{}- (988 levels deeper) x\n", "  ".repeat(12))
        );
    }
}
