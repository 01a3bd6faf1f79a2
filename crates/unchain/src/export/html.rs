//! A report as one HTML file: no script, nothing loaded, fit to print, with the views of the page.
//!
//! Every text is escaped, and the page's own policy forbids whatever an escape might have missed: it may
//! load nothing and run nothing. Must not know what is reported.

use super::block::{Block, Branch, Line, Span};
use super::content::Form;
use super::{Document, content};
use std::io::{self, Write};
use std::sync::Arc;
use unchain_core::text::Untrusted;
use unchain_web::{Judged, PlanRecord, STYLE, View, Views, style_source};

/// Levels of a tree that are indented; a deeper line says how deep it is.
const INDENTED: usize = 24;

/// Writes the report.
pub(crate) fn html(out: &mut dyn Write, document: &Document<'_>) -> io::Result<()> {
    let title = escaped(&document.about.title);
    let blocks = content::blocks(document, Form::Views);
    let views = views(document, &blocks);
    head(out, &title)?;
    writeln!(out, "<header>\n<h1>{title}</h1>")?;
    writeln!(
        out,
        "<p class=\"imprint\">{}</p>",
        line(&content::imprint(document))
    )?;
    contents(out, &blocks)?;
    writeln!(out, "</header>\n<main>")?;
    let html = |view| views.html(view);
    let mut page = Page::new(out, &html);
    for block in &blocks {
        page.block(block)?;
    }
    page.close(0)?;
    writeln!(page.out, "</main>\n</body>\n</html>")
}

/// The page's views of what is reported, whose links lead to headings of the report.
fn views<'d>(document: &Document<'d>, blocks: &[Block]) -> Views<'d> {
    let found = (document.found, document.incidents);
    let judged = Judged::new(document.report, document.findings.clone(), found);
    let places = blocks.iter().filter_map(|block| match block {
        Block::Heading(_, id, _) => Some(id.clone()),
        _ => None,
    });
    let plans = document.containment.iter().map(|record| {
        Arc::new(PlanRecord {
            digest: record.digest.clone(),
            plan: record.plan.clone().into(),
            receipts: record.receipts.clone(),
            verification: record.verification.clone(),
            opinion: None,
        })
    });
    let known = (judged, plans.collect(), document.about.at);
    Views::new(document.report.lineage(), known, places)
}

fn head(out: &mut dyn Write, title: &str) -> io::Result<()> {
    writeln!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">"
    )?;
    writeln!(
        out,
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src {}; \
         base-uri 'none'; form-action 'none'\">",
        style_source()
    )?;
    writeln!(
        out,
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
    )?;
    writeln!(out, "<meta name=\"referrer\" content=\"no-referrer\">")?;
    writeln!(out, "<meta name=\"color-scheme\" content=\"light dark\">")?;
    writeln!(
        out,
        "<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body class=\"report\">"
    )
}

/// The chapters, and below them what they are about.
fn contents(out: &mut dyn Write, blocks: &[Block]) -> io::Result<()> {
    writeln!(out, "<nav aria-label=\"Contents\">\n<ul>")?;
    for block in blocks {
        if let Block::Heading(2, id, words) = block {
            writeln!(
                out,
                "<li><a href=\"#{}\">{}</a></li>",
                escaped(id),
                line(words)
            )?;
        }
    }
    writeln!(out, "</ul>\n</nav>")
}

struct Page<'o> {
    out: &'o mut dyn Write,
    views: &'o dyn Fn(View) -> String,
    /// Sections that are open: the level of the innermost, at most 4.
    open: u8,
    /// The words of the last heading as an attribute has them.
    under: String,
}

impl<'o> Page<'o> {
    fn new(out: &'o mut dyn Write, views: &'o dyn Fn(View) -> String) -> Self {
        Self {
            out,
            views,
            open: 0,
            under: String::new(),
        }
    }

    fn block(&mut self, block: &Block) -> io::Result<()> {
        match block {
            Block::Heading(level, id, words) => self.heading(*level, id, words),
            Block::Paragraph(words) => writeln!(self.out, "<p>{}</p>", line(words)),
            Block::Warning(words) => {
                writeln!(
                    self.out,
                    "<p class=\"warning\" role=\"note\">{}</p>",
                    line(words)
                )
            }
            Block::Facts(facts) => self.facts(facts),
            Block::Figures(figures) => self.figures(figures),
            Block::Table(columns, rows) => self.table(columns, rows),
            Block::Folded(words, blocks) => self.folded(words, blocks),
            Block::View(view) => writeln!(self.out, "{}", (self.views)(*view)),
            Block::List(lines) => self.list(lines),
            Block::Tree(branches) => self.tree(branches),
            Block::Commands(commands) => {
                let lines: Vec<String> = commands.iter().map(|c| escaped(c)).collect();
                writeln!(self.out, "<pre><code>{}</code></pre>", lines.join("\n"))
            }
        }
    }

    fn heading(&mut self, level: u8, id: &str, words: &Line) -> io::Result<()> {
        let level = level.clamp(2, 4);
        self.close(level)?;
        // A part right below a chapter: a reader who goes from heading to heading must not miss a level.
        let shown = level.min(self.open.max(1) + 1);
        self.under = plain(words);
        if level < 4 {
            writeln!(self.out, "<section class=\"level-{level}\">")?;
            self.open = level;
        }
        let id = if id.is_empty() {
            String::new()
        } else {
            format!(" id=\"{}\"", escaped(id))
        };
        writeln!(self.out, "<h{shown}{id}>{}</h{shown}>", line(words))
    }

    /// Ends the sections at this level and below; 0 ends all.
    fn close(&mut self, level: u8) -> io::Result<()> {
        while self.open >= level.max(2) && self.open >= 2 {
            writeln!(self.out, "</section>")?;
            self.open = if self.open > 2 { self.open - 1 } else { 0 };
        }
        Ok(())
    }

    fn facts(&mut self, facts: &[(&'static str, Line)]) -> io::Result<()> {
        writeln!(self.out, "<dl>")?;
        for (name, value) in facts {
            writeln!(
                self.out,
                "<dt>{}</dt><dd>{}</dd>",
                escaped(name),
                line(value)
            )?;
        }
        writeln!(self.out, "</dl>")
    }

    fn figures(&mut self, figures: &[(String, &'static str)]) -> io::Result<()> {
        writeln!(self.out, "<ul class=\"figures\">")?;
        for (number, of) in figures {
            writeln!(
                self.out,
                "<li><b>{}</b> {}</li>",
                escaped(number),
                escaped(of)
            )?;
        }
        writeln!(self.out, "</ul>")
    }

    fn folded(&mut self, words: &Line, blocks: &[Block]) -> io::Result<()> {
        writeln!(self.out, "<details>\n<summary>{}</summary>", line(words))?;
        blocks.iter().try_for_each(|block| self.block(block))?;
        writeln!(self.out, "</details>")
    }

    /// A table that scrolls by itself where it is wider than the page, as those of the views.
    fn table(&mut self, columns: &[&str], rows: &[Vec<Line>]) -> io::Result<()> {
        let heads: String = columns
            .iter()
            .map(|name| format!("<th scope=\"col\">{}</th>", escaped(name)))
            .collect();
        writeln!(
            self.out,
            "<div class=\"scroll\" role=\"group\" aria-label=\"{}\" tabindex=\"0\">\n<table>\n\
             <thead><tr>{heads}</tr></thead>\n<tbody>",
            self.under
        )?;
        for row in rows {
            let cells: String = row
                .iter()
                .map(|cell| format!("<td>{}</td>", line(cell)))
                .collect();
            writeln!(self.out, "<tr>{cells}</tr>")?;
        }
        writeln!(self.out, "</tbody>\n</table>\n</div>")
    }

    fn list(&mut self, lines: &[Line]) -> io::Result<()> {
        writeln!(self.out, "<ul>")?;
        for words in lines {
            writeln!(self.out, "<li>{}</li>", line(words))?;
        }
        writeln!(self.out, "</ul>")
    }

    /// Lists within lists; a line may be at most one level deeper than the one before.
    fn tree(&mut self, branches: &[Branch]) -> io::Result<()> {
        let mut open = 0;
        for branch in branches {
            let depth = branch.depth.min(INDENTED).min(open);
            if depth == open {
                let class = if open == 0 { " class=\"tree\"" } else { "" };
                write!(self.out, "<ul{class}>\n<li>")?;
                open += 1;
            } else {
                write!(
                    self.out,
                    "{}</li>\n<li>",
                    "</li></ul>".repeat(open - depth - 1)
                )?;
                open = depth + 1;
            }
            let deeper = match branch.depth.saturating_sub(INDENTED) {
                0 => String::new(),
                more => format!("({more} levels deeper) "),
            };
            write!(self.out, "<div>{deeper}{}</div>", line(&branch.line))?;
        }
        writeln!(self.out, "{}", "</li></ul>".repeat(open))
    }
}

/// The words alone, as the value of an attribute.
fn plain(words: &Line) -> String {
    let text = |span: &Span| match span {
        Span::Words(words) | Span::Strong(words) | Span::Name(words) | Span::Small(words) => {
            words.html().into_owned()
        }
        Span::Label(name) => escaped(name),
        Span::Place(words, _) => words.html().into_owned(),
        Span::Time(words) | Span::Page(words, _) => escaped(words),
        Span::Break => " ".to_owned(),
    };
    words.0.iter().map(text).collect()
}

fn line(words: &Line) -> String {
    words.0.iter().map(set).collect()
}

fn set(span: &Span) -> String {
    match span {
        Span::Words(words) => words.html().into_owned(),
        Span::Small(words) => format!("<small>{}</small>", words.html()),
        Span::Time(time) => format!("<time>{}</time>", escaped(time)),
        Span::Strong(words) => format!("<b>{}</b>", words.html()),
        Span::Name(name) => format!("<code>{}</code>", name.html()),
        Span::Label(name) => {
            let words = escaped(&name.replace('-', " "));
            format!(
                "<span class=\"word\" data-word=\"{}\">{words}</span>",
                escaped(name)
            )
        }
        Span::Page(words, url) => format!(
            "<a href=\"{}\" rel=\"noreferrer\">{}</a>",
            escaped(url),
            escaped(words)
        ),
        Span::Place(words, id) => format!("<a href=\"#{}\">{}</a>", escaped(id), words.html()),
        Span::Break => "<br>".to_owned(),
    }
}

fn escaped(text: &str) -> String {
    Untrusted::new(text).html().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(depths: &[usize]) -> String {
        let mut out = Vec::new();
        let no_views = |_| String::new();
        let mut page = Page::new(&mut out, &no_views);
        let branches: Vec<Branch> = depths
            .iter()
            .map(|&depth| Branch {
                depth,
                line: Line::of(depth.to_string()),
            })
            .collect();
        page.tree(&branches).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_tree_is_lists_within_lists() {
        let text = drawn(&[0, 1, 2, 1, 0]).replace('\n', "");
        assert_eq!(
            text,
            "<ul class=\"tree\"><li><div>0</div><ul><li><div>1</div><ul><li><div>2</div></li></ul></li>\
             <li><div>1</div></li></ul></li><li><div>0</div></li></ul>"
        );
    }

    #[test]
    fn as_many_lists_end_as_begin_however_deep_and_odd() {
        for depths in [&[][..], &[0, 5, 1, 9, 0], &[3], &[0, 1, 2, 3, 40, 41, 1]] {
            let text = drawn(depths);
            assert_eq!(
                text.matches("<ul").count(),
                text.matches("</ul>").count(),
                "{depths:?}"
            );
            assert_eq!(
                text.matches("<li").count(),
                text.matches("</li>").count(),
                "{depths:?}"
            );
        }
        let deep: Vec<usize> = (0..100).collect();
        assert!(drawn(&deep).contains("(75 levels deeper) 99"));
    }
}
