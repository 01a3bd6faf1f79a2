//! A JSON value inside a record, read without building a tree.
//!
//! [`Cursor`] walks JSON text in place and checks it as strictly as `serde_json` does; where it is
//! not sure (an escaped surrogate, an exponent, deep nesting) it gives up and the caller takes the
//! plain `serde_json` path. So whatever the cursor accepts, `serde_json` accepts with the same
//! meaning; the fuzz target `record` and the property tests in `record.rs` hold that.
//! Must not know CloudTrail.

use serde_json::Value;
use std::borrow::Cow;
use wide::u8x16;

/// Nesting beyond this is left to the plain path, which refuses beyond 127 levels.
const MAX_DEPTH: u32 = 64;
/// Longer numbers might overflow `f64`; the plain path decides.
const MAX_NUMBER: usize = 20;

/// A JSON value: either text that a [`Cursor`] has checked, or a parsed value.
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
        let mut found = [None; N];
        match self {
            Self::Value(value) => {
                for (slot, name) in found.iter_mut().zip(names) {
                    *slot = value
                        .get(name)
                        .filter(|_| value.is_object())
                        .map(Node::Value);
                }
            }
            Self::Text(text) => {
                let mut cursor = Cursor::new(text, 0);
                // The text was checked when it was cut out, so a failure cannot lose a member.
                let _ = cursor.object(|cursor, key| {
                    let value = cursor.node()?;
                    let key = key.decode();
                    for (slot, name) in found.iter_mut().zip(names) {
                        if key == name {
                            *slot = Some(value);
                        }
                    }
                    Some(())
                });
            }
        }
        found
    }

    /// Calls `each` with every member of an object, in order; the last of a repeated name counts.
    pub fn members(self, mut each: impl FnMut(&str, Node<'a>)) {
        match self {
            Self::Value(value) => {
                for (key, value) in value.as_object().into_iter().flatten() {
                    each(key, Node::Value(value));
                }
            }
            Self::Text(text) => {
                let mut members: Vec<(Cow<'a, str>, Node<'a>)> = Vec::with_capacity(8);
                let _ = Cursor::new(text, 0).object(|cursor, key| {
                    let (key, value) = (key.decode(), cursor.node()?);
                    match members.iter_mut().find(|(k, _)| *k == key) {
                        Some((_, slot)) => *slot = value,
                        None => members.push((key, value)),
                    }
                    Some(())
                });
                for (key, value) in members {
                    each(&key, value);
                }
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
                let mut items = Vec::new();
                let mut cursor = Cursor::new(text, 0);
                let _ = cursor.array(|cursor| {
                    items.push(cursor.node()?);
                    Some(())
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
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    if inner.as_bytes().contains(&b'\\') {
        return serde_json::from_str::<String>(text).ok().map(Cow::Owned);
    }
    Some(Cow::Borrowed(inner))
}

/// An object's key as it stands in the text.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    /// What stands between the quotes, escapes not decoded.
    pub raw: &'a str,
    /// Whether `raw` holds a backslash.
    pub escaped: bool,
}

impl<'a> Key<'a> {
    /// The key as JSON means it.
    pub fn decode(self) -> Cow<'a, str> {
        if !self.escaped {
            return Cow::Borrowed(self.raw);
        }
        let quoted = format!("\"{}\"", self.raw);
        serde_json::from_str(&quoted).map_or(Cow::Borrowed(self.raw), Cow::Owned)
    }
}

/// Walks JSON text in place. Every method returns `None` when the text is not certain to be JSON.
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    depth: u32,
}

impl<'a> Cursor<'a> {
    /// A cursor on `text` at byte `at`.
    pub fn new(text: &'a str, at: usize) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            at,
            depth: 0,
        }
    }

    /// The byte offset of the next byte to read.
    pub fn position(&self) -> usize {
        self.at
    }

    /// The next byte after white space, not consumed.
    #[inline]
    pub fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = *self.bytes.get(self.at)?;
            if byte > b' ' {
                return Some(byte);
            }
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return None;
            }
            self.at += 1;
        }
    }

    #[inline]
    fn expect(&mut self, wanted: u8) -> Option<()> {
        (self.peek()? == wanted).then(|| self.at += 1)
    }

    /// Reads an object, calling `member` with the cursor before each value; it must consume the value.
    #[inline]
    pub fn object(
        &mut self,
        mut member: impl FnMut(&mut Self, Key<'a>) -> Option<()>,
    ) -> Option<()> {
        self.open(b'{')?;
        if self.peek()? == b'}' {
            return self.close();
        }
        loop {
            if self.peek()? != b'"' {
                return None;
            }
            let (raw, escaped) = self.string()?;
            self.expect(b':')?;
            member(self, Key { raw, escaped })?;
            match self.peek()? {
                b',' => self.at += 1,
                b'}' => return self.close(),
                _ => return None,
            }
        }
    }

    /// Reads an array, calling `element` with the cursor before each value; it must consume the value.
    #[inline]
    pub fn array(&mut self, mut element: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.open(b'[')?;
        if self.peek()? == b']' {
            return self.close();
        }
        loop {
            element(self)?;
            match self.peek()? {
                b',' => self.at += 1,
                b']' => return self.close(),
                _ => return None,
            }
        }
    }

    fn open(&mut self, bracket: u8) -> Option<()> {
        self.expect(bracket)?;
        self.depth += 1;
        (self.depth <= MAX_DEPTH).then_some(())
    }

    fn close(&mut self) -> Option<()> {
        self.at += 1;
        self.depth -= 1;
        Some(())
    }

    /// Skips one value and returns its text.
    #[inline]
    pub fn node(&mut self) -> Option<Node<'a>> {
        self.peek()?;
        let start = self.at;
        self.skip()?;
        self.text.get(start..self.at).map(Node::Text)
    }

    /// Skips one value.
    pub fn skip(&mut self) -> Option<()> {
        match self.peek()? {
            b'"' => self.string().map(|_| ()),
            b'{' => self.object(|cursor, _| cursor.skip()),
            b'[' => self.array(Self::skip),
            b't' => self.literal(b"true"),
            b'f' => self.literal(b"false"),
            b'n' => self.literal(b"null"),
            _ => self.number(),
        }
    }

    fn literal(&mut self, word: &[u8]) -> Option<()> {
        let end = self.at + word.len();
        (self.bytes.get(self.at..end)? == word).then(|| self.at = end)
    }

    /// `-?(0|[1-9][0-9]*)(\.[0-9]+)?`; an exponent is left to the plain path.
    fn number(&mut self) -> Option<()> {
        let start = self.at;
        if self.bytes.get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        let lead = *self.bytes.get(self.at)?;
        let whole = self.digits();
        if whole == 0 || (lead == b'0' && whole > 1) {
            return None;
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return None;
            }
        }
        let exponent = matches!(self.bytes.get(self.at), Some(b'e' | b'E'));
        (!exponent && self.at - start <= MAX_NUMBER).then_some(())
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        self.at - start
    }

    /// Reads a string that begins here: what stands between its quotes, and whether it has escapes.
    #[inline]
    pub fn string(&mut self) -> Option<(&'a str, bool)> {
        self.at += 1;
        let start = self.at;
        let mut escaped = false;
        loop {
            self.at += plain_run(self.bytes.get(self.at..)?);
            match *self.bytes.get(self.at)? {
                b'"' => {
                    let content = self.text.get(start..self.at)?;
                    self.at += 1;
                    return Some((content, escaped));
                }
                b'\\' => {
                    escaped = true;
                    self.escape()?;
                }
                _ => return None,
            }
        }
    }

    /// One escape. Surrogates are left to the plain path: their pairing has rules of its own.
    #[cold]
    fn escape(&mut self) -> Option<()> {
        match *self.bytes.get(self.at + 1)? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 2,
            b'u' => {
                let hex = self.bytes.get(self.at + 2..self.at + 6)?;
                let surrogate = matches!(
                    hex,
                    [b'd' | b'D', b'8'..=b'9' | b'a'..=b'f' | b'A'..=b'F', ..]
                );
                if surrogate || !hex.iter().all(u8::is_ascii_hexdigit) {
                    return None;
                }
                self.at += 6;
            }
            _ => return None,
        }
        Some(())
    }
}

/// How many bytes come before the first quote, backslash or control character.
///
/// Sixteen bytes at a time: most strings of a record end within one or two steps, and this is the
/// inner loop of the whole scan (`cargo xtask bench`).
#[inline]
fn plain_run(bytes: &[u8]) -> usize {
    let quote = u8x16::splat(b'"');
    let backslash = u8x16::splat(b'\\');
    let control = u8x16::splat(0x1f);
    let (blocks, rest) = bytes.as_chunks::<16>();
    let mut at = 0;
    for block in blocks {
        let v = u8x16::new(*block);
        let stop = v.simd_eq(quote) | v.simd_eq(backslash) | v.min(control).simd_eq(v);
        let mask = stop.to_bitmask();
        if mask != 0 {
            return at + mask.trailing_zeros() as usize;
        }
        at += 16;
    }
    at + rest
        .iter()
        .position(|&b| b == b'"' || b == b'\\' || b <= 0x1f)
        .unwrap_or(rest.len())
}
