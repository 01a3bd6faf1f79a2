//! What can be wrong with a trail, and where. It knows positions and words, never what a word means.

/// The first thing in a trail that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: expected {expected}, found `{found}`")]
pub struct ParseError {
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// What could have stood here.
    pub expected: String,
    /// What stood here, with control characters escaped; `end of line` when nothing did.
    pub found: String,
}

/// A fault of meaning, found while a line is expanded. The position is looked up afterwards, by the
/// word, because the expansion works on words alone.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) word: String,
    pub(crate) expected: String,
}

impl Fault {
    pub(crate) fn new(word: &str, expected: impl Into<String>) -> Self {
        Self {
            word: word.to_owned(),
            expected: expected.into(),
        }
    }

    /// Turns the fault into an error on `line`, whose text is `text`.
    pub(crate) fn at(self, line: usize, text: &str) -> ParseError {
        let column = match text.find(&self.word) {
            Some(byte) if !self.word.is_empty() => {
                text.char_indices().take_while(|(at, _)| *at < byte).count() + 1
            }
            _ => text.chars().count() + 1,
        };
        ParseError {
            line,
            column,
            expected: self.expected,
            found: shown(&self.word),
        }
    }
}

/// A word as an error may print it.
pub(crate) fn shown(word: &str) -> String {
    const LONGEST: usize = 60;
    if word.is_empty() {
        return "end of line".to_owned();
    }
    word.chars()
        .take(LONGEST)
        .flat_map(char::escape_debug)
        .collect()
}
