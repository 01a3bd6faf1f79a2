//! A JSON value inside a record, read without building a tree.
//!
//! The functions of `walk` find where values end, in place, and check the text as strictly as
//! `serde_json` does; where one is not sure (an escaped surrogate, an exponent, deep nesting) it gives
//! up and the caller takes the plain `serde_json` path. So whatever they accept, `serde_json` accepts
//! with the same meaning; the fuzz target `record` and the tests in `tests/record_paths.rs` hold that.
//! Must not know CloudTrail.

pub(crate) mod members;
pub(crate) mod outlines;
pub(crate) mod shapes;
pub(crate) mod walk;

pub use members::Members;

use serde_json::Value;
use std::borrow::Cow;

/// A JSON value: either text that `walk` has checked, or a parsed value.
#[derive(Clone, Copy, Debug)]
pub enum Node<'a> {
    /// The value's own text, from its first to its last byte.
    Text(&'a str),
    /// A value parsed by `serde_json`.
    Value(&'a Value),
}

impl<'a> Node<'a> {
    /// The content of a string; `None` for any other kind.
    pub fn str(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Value(value) => value.as_str().map(Cow::Borrowed),
            Self::Text(text) => unquote(text),
        }
    }

    /// A string, number or boolean as text: exports change the types of scalars.
    pub fn scalar(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Value(Value::String(s)) => Some(Cow::Borrowed(s)),
            Self::Value(value @ (Value::Bool(_) | Value::Number(_))) => {
                Some(Cow::Owned(value.to_string()))
            }
            Self::Value(Value::Null | Value::Array(_) | Value::Object(_)) => None,
            Self::Text(text) => match text.as_bytes().first() {
                Some(b'"') => unquote(text),
                Some(b't' | b'f') => Some(Cow::Borrowed(text)),
                // Printed by serde_json, so that both paths write a number alike.
                Some(b'-' | b'0'..=b'9') => {
                    let value: Value = serde_json::from_str(text).ok()?;
                    Some(Cow::Owned(value.to_string()))
                }
                _ => None,
            },
        }
    }

    /// A whole number, also when it is written as a string.
    pub fn u64(self) -> Option<u64> {
        match self {
            Self::Value(Value::Number(n)) => n.as_u64(),
            Self::Value(Value::String(s)) => s.parse().ok(),
            Self::Value(_) => None,
            Self::Text(text) => match text.as_bytes().first() {
                Some(b'"') => unquote(text)?.parse().ok(),
                Some(b'0'..=b'9') => text.parse().ok(),
                _ => None,
            },
        }
    }

    /// A boolean, also when it is written as the string `true` or `false`.
    pub fn bool(self) -> Option<bool> {
        match self.scalar()?.as_ref() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// Whether this is `null`.
    pub fn is_null(self) -> bool {
        match self {
            Self::Value(value) => value.is_null(),
            Self::Text(text) => text == "null",
        }
    }

    /// Whether this is an object.
    pub fn is_object(self) -> bool {
        match self {
            Self::Value(value) => value.is_object(),
            Self::Text(text) => text.starts_with('{'),
        }
    }

    /// The member `name` of an object, the last one where it is repeated.
    pub fn get(self, name: &str) -> Option<Node<'a>> {
        let [node] = self.fields([name]);
        node
    }

    /// The member at a path of names.
    pub fn at(self, path: &[&str]) -> Option<Node<'a>> {
        path.iter().try_fold(self, |node, name| node.get(name))
    }

    /// Several members of an object in one pass; all `None` for any other kind.
    pub fn fields<const N: usize>(self, names: [&str; N]) -> [Option<Node<'a>>; N] {
        self.named(names.iter().copied())
    }

    /// The members of an object by a list of names, the last of a repeated one, in one pass.
    pub fn named<'n, const N: usize>(
        self,
        names: impl Iterator<Item = &'n str> + Clone,
    ) -> [Option<Node<'a>>; N] {
        let mut found = [None; N];
        match self {
            Self::Value(value) => {
                for (slot, name) in found.iter_mut().zip(names) {
                    *slot = value.as_object().and_then(|o| o.get(name)).map(Node::Value);
                }
            }
            Self::Text(text) => {
                let bytes = text.as_bytes();
                // The text was checked when it was cut out, so a failure cannot lose a member.
                let _ = walk::object(bytes, 0, |key, at| {
                    let end = walk::value(bytes, at)?;
                    let mut slots = found.iter_mut().zip(names.clone());
                    if let Some((slot, _)) = slots.find(|(_, name)| key.is(name)) {
                        *slot = text.get(at..end).map(Node::Text);
                    }
                    Some(end)
                });
            }
        }
        found
    }

    /// Calls `member` with each name and value of an object, in the order of the text; with none for any other
    /// kind. A repeated name comes twice.
    pub fn members(self, mut member: impl FnMut(Cow<'a, str>, Node<'a>)) {
        match self {
            Self::Value(value) => {
                for (name, value) in value.as_object().into_iter().flatten() {
                    member(Cow::Borrowed(name), Node::Value(value));
                }
            }
            Self::Text(text) => {
                let bytes = text.as_bytes();
                // The text was checked when it was cut out, so a failure cannot lose a member.
                let _ = walk::object(bytes, 0, |key, at| {
                    let end = walk::value(bytes, at)?;
                    if let Some(value) = text.get(at..end) {
                        member(key.text(), Node::Text(value));
                    }
                    Some(end)
                });
            }
        }
    }

    /// The elements of an array; empty for any other kind.
    pub fn items(self) -> Vec<Node<'a>> {
        match self {
            Self::Value(value) => value
                .as_array()
                .map(|a| a.iter().map(Node::Value).collect())
                .unwrap_or_default(),
            Self::Text(text) => {
                let bytes = text.as_bytes();
                let mut items = Vec::new();
                let _ = walk::array(bytes, 0, |at| {
                    let end = walk::value(bytes, at)?;
                    items.extend(text.get(at..end).map(Node::Text));
                    Some(end)
                });
                items
            }
        }
    }

    /// The value as a tree.
    pub fn to_value(self) -> Value {
        match self {
            Self::Value(value) => value.clone(),
            Self::Text(text) => serde_json::from_str(text).unwrap_or_default(),
        }
    }
}

/// The content of a JSON string token.
fn unquote(text: &str) -> Option<Cow<'_, str>> {
    let [b'"', .., b'"'] = text.as_bytes() else {
        return None;
    };
    if walk::has_backslash(text.as_bytes()) {
        return serde_json::from_str::<String>(text).ok().map(Cow::Owned);
    }
    text.get(1..text.len() - 1).map(Cow::Borrowed)
}
