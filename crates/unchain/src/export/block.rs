//! What a report says, as blocks of text that each writer sets in its own way.
//!
//! Every text in here is escaped by whoever writes it, ours as well as that of the log. Must not know
//! what the blocks are about.

use unchain_core::text::Untrusted;
use unchain_web::View;

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Span {
    /// Words, ours or of the log.
    Words(Untrusted),
    /// Words that stand out.
    Strong(Untrusted),
    /// A name that may be compared or pasted: a key id, an ARN, an event id.
    Name(Untrusted),
    /// A severity or a status, one of a few words.
    Label(&'static str),
    /// Words in small print.
    Small(Untrusted),
    /// An instant, which stays in one line.
    Time(String),
    /// A page outside.
    Page(String, String),
    /// A place in this report: its words, and the id of a heading.
    Place(Untrusted, String),
    /// A new line within the line.
    Break,
}

/// A line or a short paragraph.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line(pub(crate) Vec<Span>);

impl Line {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Words.
    pub(crate) fn of(words: impl Into<Box<str>>) -> Self {
        Self::new().words(words)
    }

    /// And then something else.
    #[must_use]
    pub(crate) fn and(mut self, span: Span) -> Self {
        self.0.push(match span {
            Span::Words(words) => Span::Words(cut(words)),
            Span::Name(name) => Span::Name(cut(name)),
            Span::Small(words) => Span::Small(cut(words)),
            Span::Place(words, id) => Span::Place(cut(words), id),
            other => other,
        });
        self
    }

    /// And then words.
    #[must_use]
    pub(crate) fn words(self, words: impl Into<Box<str>>) -> Self {
        self.and(Span::Words(Untrusted::new(words)))
    }

    /// And then words in small print.
    #[must_use]
    pub(crate) fn small(self, words: impl Into<Box<str>>) -> Self {
        self.and(Span::Small(Untrusted::new(words)))
    }

    /// And then an instant.
    #[must_use]
    pub(crate) fn time(self, time: impl Into<String>) -> Self {
        self.and(Span::Time(time.into()))
    }

    /// And then all of another line.
    #[must_use]
    pub(crate) fn then(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// And then a name.
    #[must_use]
    pub(crate) fn name(self, name: &Untrusted) -> Self {
        self.and(Span::Name(name.clone()))
    }

    /// And then names, a comma between them.
    #[must_use]
    pub(crate) fn names<'n>(mut self, names: impl IntoIterator<Item = &'n Untrusted>) -> Self {
        for (n, name) in names.into_iter().enumerate() {
            self = if n > 0 { self.words(", ") } else { self };
            self = self.name(name);
        }
        self
    }

    /// Goes on in the next line, if there is a line before.
    #[must_use]
    pub(crate) fn below(self) -> Self {
        if self.0.is_empty() {
            return self;
        }
        self.and(Span::Break)
    }

    /// Whether there is nothing in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Text longer than this is cut: a log line can hold a hundred thousand characters.
const LONGEST: usize = 1500;

fn cut(text: Untrusted) -> Untrusted {
    let raw = text.raw();
    match raw.char_indices().nth(LONGEST) {
        Some((end, _)) => Untrusted::new(format!("{}…", raw.get(..end).unwrap_or_default())),
        None => text,
    }
}

/// One line of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Branch {
    /// How far from the top.
    pub(crate) depth: usize,
    /// What stands there.
    pub(crate) line: Line,
}

/// A part of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Block {
    /// Begins a part: how deep (2 is a chapter), what others call it by, its words.
    Heading(u8, String, Line),
    /// Running text.
    Paragraph(Line),
    /// What a reader must not miss.
    Warning(Line),
    /// Names and values.
    Facts(Vec<(&'static str, Line)>),
    /// Large figures with what they count.
    Figures(Vec<(String, &'static str)>),
    /// Columns and rows.
    Table(&'static [&'static str], Vec<Vec<Line>>),
    /// Points.
    List(Vec<Line>),
    /// What came of what, parents before children.
    Tree(Vec<Branch>),
    /// Commands to paste, one to a line.
    Commands(Vec<String>),
    /// What is long and may be opened, with the words that open it.
    Folded(Line, Vec<Block>),
    /// A view as the page shows it.
    View(View),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn very_long_text_is_cut_and_says_so() {
        let long = "ä".repeat(100_000);
        for line in [
            Line::of(long.as_str()),
            Line::new().name(&Untrusted::new(long.as_str())),
        ] {
            let [Span::Words(text) | Span::Name(text)] = line.0.as_slice() else {
                panic!("{line:?}");
            };
            assert_eq!(text.raw().chars().count(), LONGEST + 1);
            assert!(text.raw().ends_with('…'));
        }
    }
}
