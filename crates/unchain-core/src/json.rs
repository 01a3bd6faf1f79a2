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
                // The text was checked when it was cut out, so a failure cannot lose a member.
                let _ = Cursor::new(text, 0).object(|cursor, key| {
                    let mut slots = found.iter_mut().zip(names.clone());
                    match slots.find(|(_, name)| key.may_be(name) && key.is(name)) {
                        Some((slot, _)) => *slot = Some(cursor.node()?),
                        None => cursor.skip()?,
                    }
                    Some(())
                });
            }
        }
        found
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
    pub raw: &'a [u8],
    /// Whether `raw` holds a backslash.
    pub escaped: bool,
}

impl Key<'_> {
    /// A quick look at length and last byte, which differ for most names.
    #[inline]
    fn may_be(self, name: &str) -> bool {
        let same = self.raw.len() == name.len() && self.raw.last() == name.as_bytes().last();
        same || self.escaped
    }

    /// Whether the key, as JSON means it, is `name`.
    #[inline]
    pub fn is(self, name: &str) -> bool {
        if self.escaped {
            return self.decode() == name;
        }
        self.raw == name.as_bytes()
    }

    #[cold]
    fn decode(self) -> String {
        let quoted = [b"\"", self.raw, b"\""].concat();
        serde_json::from_slice(&quoted).unwrap_or_default()
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

    /// The bytes from here on.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Skips a value whose length is known, because the same bytes were walked before.
    pub(crate) fn skip_known(&mut self, length: usize) -> Option<Node<'a>> {
        let node = self.text.get(self.at..self.at + length).map(Node::Text)?;
        self.at += length;
        Some(node)
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
            let start = self.at + 1;
            let end = plain_end(self.bytes, start);
            let escaped = self.bytes.get(end) != Some(&b'"');
            if escaped {
                self.escaped_string(end)?;
            } else {
                self.at = end + 1;
            }
            let raw = self.bytes.get(start..self.at - 1)?;
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
    #[inline]
    pub fn skip(&mut self) -> Option<()> {
        match self.peek()? {
            b'"' => self.skip_string(),
            b'{' | b'[' => self.skip_container(),
            _ => self.skip_scalar(),
        }
    }

    fn skip_scalar(&mut self) -> Option<()> {
        match self.bytes.get(self.at)? {
            b't' => self.literal(b"true"),
            b'f' => self.literal(b"false"),
            b'n' => self.literal(b"null"),
            _ => self.number(),
        }
    }

    /// Skips an object or array. One loop and a bit for each level in place of recursion: most bytes
    /// of a record are skipped here.
    fn skip_container(&mut self) -> Option<()> {
        // The lowest bit is the innermost level: 1 for an object.
        let mut levels: u64 = 0;
        let mut depth = self.depth;
        loop {
            // Before a value.
            match self.peek()? {
                b'"' => self.skip_string()?,
                open @ (b'{' | b'[') => {
                    let object = open == b'{';
                    levels = levels << 1 | u64::from(object);
                    depth += 1;
                    if depth > MAX_DEPTH {
                        return None;
                    }
                    self.at += 1;
                    let empty = self.peek()? == if object { b'}' } else { b']' };
                    if !empty {
                        if object {
                            self.skip_key()?;
                        }
                        continue;
                    }
                    // The closing bracket is read below.
                }
                _ => self.skip_scalar()?,
            }
            // Behind a value.
            loop {
                if depth == self.depth {
                    return Some(());
                }
                match self.peek()? {
                    b',' => {
                        self.at += 1;
                        if levels & 1 == 1 {
                            self.skip_key()?;
                        }
                        break;
                    }
                    close @ (b'}' | b']') if (close == b'}') == (levels & 1 == 1) => {
                        self.at += 1;
                        levels >>= 1;
                        depth -= 1;
                    }
                    _ => return None,
                }
            }
        }
    }

    #[inline]
    fn skip_key(&mut self) -> Option<()> {
        if self.peek()? != b'"' {
            return None;
        }
        self.skip_string()?;
        self.expect(b':')
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
        let start = self.at + 1;
        let end = plain_end(self.bytes, start);
        if self.bytes.get(end) == Some(&b'"') {
            self.at = end + 1;
            return Some((self.text.get(start..end)?, false));
        }
        self.escaped_string(end)?;
        Some((self.text.get(start..self.at - 1)?, true))
    }

    #[inline]
    fn skip_string(&mut self) -> Option<()> {
        let end = plain_end(self.bytes, self.at + 1);
        if self.bytes.get(end) == Some(&b'"') {
            self.at = end + 1;
            return Some(());
        }
        self.escaped_string(end)
    }

    /// Goes on behind the first byte of a string that is not plain.
    #[cold]
    fn escaped_string(&mut self, at: usize) -> Option<()> {
        self.at = at;
        loop {
            match *self.bytes.get(self.at)? {
                b'"' => {
                    self.at += 1;
                    return Some(());
                }
                b'\\' => self.escape()?,
                _ => return None,
            }
            self.at = plain_end(self.bytes, self.at);
        }
    }

    /// One escape. Surrogates are left to the plain path: their pairing has rules of its own.
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

/// Where the first quote, backslash or control character from `at` on is; the end if there is none.
///
/// Sixteen bytes at a time: most strings of a record end within one or two steps, and this is the
/// inner loop of the whole scan (`cargo xtask bench`).
#[inline]
fn plain_end(bytes: &[u8], mut at: usize) -> usize {
    let start = at;
    while let Some(block) = bytes.get(at..).and_then(|rest| rest.first_chunk::<16>()) {
        let mask = stops_in(u8x16::new(*block)).to_bitmask();
        if mask != 0 {
            return at + mask.trailing_zeros() as usize;
        }
        at += 16;
        if at - start == 64 {
            at = skip_plain_blocks(bytes, at);
        }
    }
    let stops = |&b: &u8| b == b'"' || b == b'\\' || b <= 0x1f;
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(stops).unwrap_or(rest.len())
}

/// Skips blocks of 64 plain bytes: session tokens and policies are long.
fn skip_plain_blocks(bytes: &[u8], mut at: usize) -> usize {
    while let Some(block) = bytes.get(at..).and_then(|rest| rest.first_chunk::<64>()) {
        let stops = block
            .as_chunks::<16>()
            .0
            .iter()
            .map(|part| stops_in(u8x16::new(*part)));
        if stops
            .fold(u8x16::splat(0), |all, stop| all | stop)
            .to_bitmask()
            != 0
        {
            break;
        }
        at += 64;
    }
    at
}

/// All bits of every byte that ends a plain run.
#[inline]
fn stops_in(v: u8x16) -> u8x16 {
    v.simd_eq(QUOTE) | v.simd_eq(BACKSLASH) | v.min(LAST_CONTROL).simd_eq(v)
}

const QUOTE: u8x16 = u8x16::new([b'"'; 16]);
const BACKSLASH: u8x16 = u8x16::new([b'\\'; 16]);
const LAST_CONTROL: u8x16 = u8x16::new([0x1f; 16]);
