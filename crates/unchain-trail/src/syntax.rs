//! The form of a trail: lines, words, options, quotes, and the way back to text. It must not know what
//! any word means beyond being a keyword; that is the expansion's part.

use crate::error::{ParseError, shown};
use crate::time::Moment;
use std::fmt;

/// What a declaration declares: the first word of its line.
pub(crate) const DECLARATIONS: &[&str] = &[
    "day", "region", "dates", "account", "user", "root", "role", "person", "bucket", "allow",
    "deny", "trust",
];

/// Option words and whether a value follows. Any other word is an object of the line.
const OPTIONS: &[(&str, bool)] = &[
    ("in", true),
    ("on", true),
    ("as", true),
    ("from", true),
    ("agent", true),
    ("region", true),
    ("key", true),
    ("path", true),
    ("max", true),
    ("for", true),
    ("mfa", true),
    ("via", true),
    ("source-identity", true),
    ("external-id", true),
    ("policy", true),
    ("trust", true),
    ("before", true),
    ("using", true),
    ("profile", true),
    ("cluster", true),
    ("namespace", true),
    ("pod", true),
    ("subject", true),
    ("delivery", true),
    ("endpoint", true),
    ("error", true),
    ("reissues", true),
    ("every", true),
    ("times", true),
    ("denied", false),
    ("mfa-unrecorded", false),
    ("without-login", false),
    ("unlogged", false),
];

/// The word before the name of what a line gives.
const ARROW: &str = "->";

/// One line that is not blank: a declaration or an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statement {
    pub(crate) head: Head,
    /// Objects in order; of an event, the first is the actor.
    pub(crate) words: Vec<String>,
    /// Options in order; a flag has an empty value.
    pub(crate) options: Vec<(&'static str, String)>,
    /// The name behind the arrow.
    pub(crate) gives: Option<String>,
}

/// How a line begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Head {
    Declare(&'static str),
    At(Moment),
}

impl Statement {
    pub(crate) fn option(&self, name: &'static str) -> Option<&str> {
        self.options_named(name).next()
    }

    pub(crate) fn options_named(&self, name: &'static str) -> impl Iterator<Item = &str> {
        self.options
            .iter()
            .filter(move |(option, _)| *option == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Reads one line; `None` when it is blank or only a comment.
pub(crate) fn parse_line(line: usize, text: &str) -> Result<Option<Statement>, ParseError> {
    let reader = Reader {
        line,
        width: text.chars().count(),
    };
    let mut tokens = reader.tokens(text)?.into_iter();
    let Some(first) = tokens.next() else {
        return Ok(None);
    };
    let head = reader.head(&first)?;
    let mut statement = Statement {
        head,
        words: Vec::new(),
        options: Vec::new(),
        gives: None,
    };
    while let Some(token) = tokens.next() {
        if token.quoted {
            statement.words.push(token.text);
        } else if token.text == ARROW {
            let name = tokens
                .next()
                .ok_or_else(|| reader.ended("a name behind `->`"))?;
            if statement.gives.replace(name.text.clone()).is_some() {
                return Err(reader.wrong(&name, "one name behind `->`"));
            }
        } else if let Some((option, valued)) = option_word(&token.text) {
            let value = match valued {
                true => {
                    tokens
                        .next()
                        .ok_or_else(|| reader.ended("a value behind the option"))?
                        .text
                }
                false => String::new(),
            };
            statement.options.push((option, value));
        } else {
            statement.words.push(token.text);
        }
    }
    Ok(Some(statement))
}

impl fmt::Display for Statement {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.head {
            Head::Declare(word) => write!(out, "{word}")?,
            Head::At(moment) => write!(out, "{moment}")?,
        }
        for word in &self.words {
            write!(out, " {}", Quoted(word))?;
        }
        if let Some(name) = &self.gives {
            write!(out, " {ARROW} {}", Quoted(name))?;
        }
        for (option, value) in &self.options {
            write!(out, " {option}")?;
            if option_word(option).is_some_and(|(_, valued)| valued) {
                write!(out, " {}", Quoted(value))?;
            }
        }
        Ok(())
    }
}

/// Prints a word so that reading it gives the same word again.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = !self.0.is_empty()
            && !self.0.starts_with('#')
            && !self
                .0
                .contains(|c: char| c.is_whitespace() || c.is_control() || c == '"')
            && self.0 != ARROW
            && option_word(self.0).is_none();
        if plain {
            return out.write_str(self.0);
        }
        out.write_str("\"")?;
        for letter in self.0.chars() {
            match letter {
                '"' => out.write_str("\\\"")?,
                '\\' => out.write_str("\\\\")?,
                '\n' => out.write_str("\\n")?,
                '\r' => out.write_str("\\r")?,
                '\t' => out.write_str("\\t")?,
                other => write!(out, "{other}")?,
            }
        }
        out.write_str("\"")
    }
}

struct Token {
    text: String,
    column: usize,
    quoted: bool,
}

/// Reads the tokens of one line and words the errors about it.
struct Reader {
    line: usize,
    width: usize,
}

impl Reader {
    fn tokens(&self, text: &str) -> Result<Vec<Token>, ParseError> {
        let mut tokens = Vec::new();
        let mut letters = text.chars().enumerate().peekable();
        while let Some((at, letter)) = letters.next() {
            let column = at + 1;
            if letter.is_whitespace() {
                continue;
            }
            if letter == '#' {
                break;
            }
            if letter == '"' {
                let text = self.quoted(&mut letters)?;
                tokens.push(Token {
                    text,
                    column,
                    quoted: true,
                });
                continue;
            }
            let mut text = String::from(letter);
            while let Some((_, next)) = letters.next_if(|(_, c)| !c.is_whitespace()) {
                text.push(next);
            }
            tokens.push(Token {
                text,
                column,
                quoted: false,
            });
        }
        Ok(tokens)
    }

    fn quoted(
        &self,
        letters: &mut impl Iterator<Item = (usize, char)>,
    ) -> Result<String, ParseError> {
        let mut text = String::new();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' => return Ok(text),
                '\\' => match letters.next() {
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, 'r')) => text.push('\r'),
                    Some((_, 't')) => text.push('\t'),
                    Some((_, same @ ('"' | '\\'))) => text.push(same),
                    other => {
                        let found = other.map(|(_, c)| c.to_string()).unwrap_or_default();
                        return Err(self.error(at + 2, "one of `\" \\ n r t` behind `\\`", &found));
                    }
                },
                other => text.push(other),
            }
        }
        Err(self.ended("a closing quote"))
    }

    fn head(&self, token: &Token) -> Result<Head, ParseError> {
        if let Some(word) = DECLARATIONS
            .iter()
            .find(|word| **word == token.text && !token.quoted)
        {
            return Ok(Head::Declare(word));
        }
        match Moment::parse(&token.text) {
            Some(moment) if !token.quoted => Ok(Head::At(moment)),
            _ => Err(self.wrong(
                token,
                "a time such as `09:00`, or a declaration such as `account`",
            )),
        }
    }

    fn wrong(&self, token: &Token, expected: &str) -> ParseError {
        self.error(token.column, expected, &token.text)
    }

    fn ended(&self, expected: &str) -> ParseError {
        self.error(self.width + 1, expected, "")
    }

    fn error(&self, column: usize, expected: &str, found: &str) -> ParseError {
        ParseError {
            line: self.line,
            column,
            expected: expected.to_owned(),
            found: shown(found),
        }
    }
}

fn option_word(word: &str) -> Option<(&'static str, bool)> {
    OPTIONS.iter().copied().find(|(option, _)| *option == word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Words of every kind: plain, keywords, and anything at all.
    fn word() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-zA-Z0-9:/._=-]{1,12}",
            prop::sample::select(OPTIONS).prop_map(|(option, _)| option.to_owned()),
            Just(ARROW.to_owned()),
            any::<String>(),
        ]
    }

    fn statement() -> impl Strategy<Value = Statement> {
        let head = prop_oneof![
            prop::sample::select(DECLARATIONS).prop_map(Head::Declare),
            (0..24_i8, 0..60_i8, 0..60_i8, any::<bool>()).prop_map(
                |(hour, minute, second, dated)| {
                    let date = dated.then_some(jiff::civil::date(2026, 2, 28));
                    let time = jiff::civil::time(hour, minute, second, 0);
                    Head::At(Moment { date, time })
                }
            ),
        ];
        let option =
            (prop::sample::select(OPTIONS), word()).prop_map(|((option, valued), value)| {
                (option, if valued { value } else { String::new() })
            });
        let words = prop::collection::vec(word(), 0..6);
        let options = prop::collection::vec(option, 0..5);
        (head, words, options, prop::option::of(word())).prop_map(
            |(head, words, options, gives)| Statement {
                head,
                words,
                options,
                gives,
            },
        )
    }

    proptest! {
        #[test]
        fn printing_and_parsing_gives_the_same_statement(statement in statement()) {
            let printed = statement.to_string();
            prop_assert!(!printed.contains('\n'));
            prop_assert_eq!(parse_line(1, &printed), Ok(Some(statement)));
        }
    }

    fn printed(text: &str) -> String {
        parse_line(1, text).unwrap().unwrap().to_string()
    }

    #[test]
    fn options_stand_anywhere_and_are_printed_last() {
        assert_eq!(
            printed(
                "09:00  alice A from 198.51.100.7 agent \"aws cli\" GetSessionToken -> B for 36h # why"
            ),
            "09:00 alice A GetSessionToken -> B from 198.51.100.7 agent \"aws cli\" for 36h"
        );
    }

    #[test]
    fn a_quoted_keyword_is_a_word() {
        let line = "09:00 A PutObject \"for\" \"->\" \"#x\" \"\" \"a\\\"b\\\\c\\n\"";
        assert_eq!(printed(line), line);
    }

    #[test]
    fn errors_name_the_column() {
        let column = |text| parse_line(7, text).unwrap_err().column;
        assert_eq!(column("  nonsense"), 3);
        assert_eq!(column("09:00 A \"open"), 14);
        assert_eq!(column("09:00 A ->"), 11);
        assert_eq!(column("09:00 A x for"), 14);
        assert_eq!(column("09:00 \"a\\qb\""), 10);
        assert_eq!(
            parse_line(7, "at nine").unwrap_err().to_string(),
            "line 7, column 1: expected a time such as `09:00`, or a declaration such as `account`, found `at`"
        );
    }
}
