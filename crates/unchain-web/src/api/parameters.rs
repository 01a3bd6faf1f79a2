//! What an address of the API may say after `?`. An address that says anything else is refused: a filter with a typing
//! error in its name would otherwise give an answer to another question.

use crate::problem::Problem;
use crate::query::Query;
use crate::views::{findings, tokens};
use unchain_core::time::Timestamp;

/// Rows of a page where nobody says how many.
pub(crate) const LIMIT_DEFAULT: usize = 100;
/// Rows of a page at most.
pub(crate) const LIMIT_MOST: usize = 1000;

/// What a value must be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    /// An instant of RFC 3339, or a date, which is its first second (UTC).
    Instant,
    /// A number of rows.
    Limit,
    /// What an earlier answer gave.
    Cursor,
    /// Any text but the empty one.
    Text,
    /// The name of a node.
    Node,
    /// One of some names.
    OneOf(fn() -> Vec<&'static str>),
}

/// One name and what may stand for it.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    /// What it does, in one sentence.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "the document is made by a test")
    )]
    pub(crate) says: &'static str,
}

/// A parameter.
const fn parameter(name: &'static str, shape: Shape, says: &'static str) -> Parameter {
    Parameter { name, shape, says }
}

pub(crate) const AT: Parameter = parameter(
    "at",
    Shape::Instant,
    "The instant of the answer, UTC; by default what `serve --at` says.",
);
pub(crate) const LIMIT: Parameter = parameter("limit", Shape::Limit, "How many at most.");
pub(crate) const CURSOR: Parameter = parameter(
    "cursor",
    Shape::Cursor,
    "Where to go on: part of the `next` of an answer; nothing can be made of it by hand.",
);
pub(crate) const TEXT: Parameter = parameter(
    "q",
    Shape::Text,
    "Only what holds this text, whatever the case of its letters.",
);
pub(crate) const SEVERITY: Parameter = parameter(
    "severity",
    Shape::OneOf(|| findings::SEVERITIES.to_vec()),
    "Only this severity.",
);
pub(crate) const EXPECTED: Parameter = parameter(
    "expected",
    Shape::OneOf(|| vec!["without", "with"]),
    "Whether findings that the settings expect are left out, which is the default.",
);
pub(crate) const STATUS: Parameter = parameter(
    "status",
    Shape::OneOf(|| tokens::STATUSES.to_vec()),
    "Only this status at the instant.",
);
pub(crate) const KIND: Parameter = parameter(
    "kind",
    Shape::OneOf(|| tokens::KINDS.to_vec()),
    "Only this kind of credential.",
);
pub(crate) const SORT: Parameter = parameter(
    "sort",
    Shape::OneOf(|| tokens::ORDERS.iter().map(|order| order.0).collect()),
    "By what to sort; by default the order of creation.",
);
pub(crate) const ORDER: Parameter = parameter(
    "order",
    Shape::OneOf(|| vec!["asc", "desc"]),
    "In which direction.",
);
pub(crate) const PARENT: Parameter = parameter(
    "parent",
    Shape::Node,
    "Only steps from the node of this name.",
);
pub(crate) const CHILD: Parameter =
    parameter("child", Shape::Node, "Only steps to the node of this name.");
pub(crate) const BASIS: Parameter = parameter(
    "basis",
    Shape::OneOf(|| vec!["recorded", "matched", "inferred"]),
    "Only steps that rest on this.",
);
pub(crate) const OF: Parameter = parameter("of", Shape::Node, "Around the node of this name.");
pub(crate) const PIVOT: Parameter = parameter(
    "q",
    Shape::Text,
    "Around what this means: a key id, ARN, role, user, session name, address, user agent, event id, as for `unchain trace`.",
);

/// Whether an address says only what it may.
pub(crate) fn checked(query: &Query, known: &[&'static Parameter]) -> Result<(), Problem> {
    let mut said = Vec::new();
    for (name, value) in query.pairs() {
        let Some(parameter) = known.iter().find(|parameter| parameter.name == name) else {
            return Err(unknown(name, known));
        };
        if said.contains(&name) {
            let why = format!("The address says `{name}` twice.");
            return Err(Problem::asked_wrongly(&why, "Say it once."));
        }
        said.push(name);
        if !parameter.shape.fits(value) {
            let why = format!("This is nothing for `{name}`.");
            return Err(Problem::asked_wrongly(&why, &parameter.shape.hint()));
        }
    }
    Ok(())
}

fn unknown(name: &str, known: &[&'static Parameter]) -> Problem {
    let names: Vec<_> = known.iter().map(|parameter| parameter.name).collect();
    let hint = match names.is_empty() {
        true => "This address takes none.".to_owned(),
        false => format!("This address takes: {}.", names.join(", ")),
    };
    let shown: String = name.chars().take(60).collect();
    Problem::asked_wrongly(&format!("There is no parameter `{shown}` here."), &hint)
}

impl Shape {
    /// Whether a value may stand here.
    fn fits(self, value: &str) -> bool {
        match self {
            Self::Instant => is_instant(value) && Timestamp::parse(value).is_some(),
            Self::Limit => limit(value).is_some(),
            Self::Cursor => cursor(value).is_some(),
            Self::Text => !value.trim().is_empty(),
            Self::Node => is_name(value),
            Self::OneOf(names) => names().contains(&value),
        }
    }

    /// What to write instead.
    fn hint(self) -> String {
        match self {
            Self::Instant => "Give an instant such as 2026-03-02T11:40:00Z, or a date.".to_owned(),
            Self::Limit => format!("Give a number from 1 to {LIMIT_MOST}."),
            Self::Cursor => "Follow `next` of an answer as it is.".to_owned(),
            Self::Text => "Give some text, or leave it out.".to_owned(),
            Self::Node => "Give the name of a node, as in `node_name`.".to_owned(),
            Self::OneOf(names) => format!("Give one of: {}.", names().join(", ")),
        }
    }
}

/// Whether a text has the form of a date, or of an instant that begins with one. Epoch seconds and the forms of
/// exports, which the log may have, are not for addresses.
fn is_instant(text: &str) -> bool {
    let date = text.bytes().take(10).enumerate();
    let mut fits = date.map(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    text.len() >= 10
        && fits.all(|fits| fits)
        && matches!(text.as_bytes().get(10), None | Some(b'T' | b't'))
}

/// A number of rows.
pub(crate) fn limit(text: &str) -> Option<usize> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| digits);
    number.filter(|number| (1..=LIMIT_MOST).contains(number))
}

/// How many rows came before, and the mark of the last of them.
pub(crate) fn cursor(text: &str) -> Option<(usize, &str)> {
    let (number, mark) = text.split_once('-')?;
    let is_number =
        (1..=10).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    let number = number.parse().ok().filter(|_| is_number)?;
    is_hexadecimal(mark).then_some((number, mark))
}

/// Whether a text has the form of a node's name.
fn is_name(text: &str) -> bool {
    let (name, number) = text.split_once('-').unwrap_or((text, "2"));
    let digits =
        (1..=10).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    is_hexadecimal(name) && digits
}

fn is_hexadecimal(text: &str) -> bool {
    let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == 12 && text.bytes().all(digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(query: &str) -> Option<String> {
        let known = [&AT, &LIMIT, &CURSOR, &TEXT, &STATUS, &PARENT];
        let problem = checked(&Query::read(query), &known).err()?;
        Some(problem.detail + " " + &problem.hint)
    }

    #[test]
    fn what_an_address_may_say() {
        for good in [
            "",
            "at=2026-03-02",
            "at=2026-03-02T11:40:00Z&limit=1&q=%20a",
            "at=2026-03-02T11:40:00.25%2B01:00",
            "limit=1000&status=alive",
            "cursor=100-0123456789ab&parent=0123456789ab-2",
        ] {
            assert_eq!(refused(good), None, "{good}");
        }
        for bad in [
            "at=",
            "at=now",
            "at=1700000000",
            "at=2026-03-32",
            "at=2026-03-02X",
            "at=2026-03-02%2011:40:00Z",
            "limit=0",
            "limit=1001",
            "limit=%2B5",
            "limit=5&limit=5",
            "cursor=1",
            "cursor=-0123456789ab",
            "cursor=1-0123456789AB",
            "cursor=99999999999-0123456789ab",
            "q=",
            "q=+",
            "status=dead",
            "status=",
            "parent=x",
            "parent=0123456789ab-",
            "page=2",
            "Limit=2",
            "&=1",
        ] {
            assert!(refused(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn a_refusal_says_what_would_be_taken() {
        assert_eq!(
            refused("stauts=alive").unwrap(),
            "There is no parameter `stauts` here. This address takes: at, limit, cursor, q, status, parent."
        );
        assert!(
            refused("status=dead")
                .unwrap()
                .contains("alive, unknown, revoked")
        );
    }
}
