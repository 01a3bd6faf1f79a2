//! Where JSON values end. Every function takes the text and a place in it and gives the place behind
//! what it read, or `None` where the text is not certain to be JSON.
//!
//! The place is a number that is handed on, never kept behind a reference: then it stays in a register,
//! and the chain from one byte to the next is short. This is the inner loop of the whole scan
//! (`cargo xtask bench`). Must not know what the values mean.

use std::borrow::Cow;
use wide::u8x16;

/// Nesting beyond this is left to the plain path, which refuses beyond 127 levels.
const MAX_DEPTH: u32 = 60;
/// Longer numbers might overflow `f64`; the plain path decides.
const MAX_NUMBER: usize = 20;

/// An object's key as it stands in the text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key<'a> {
    /// What stands between the quotes, escapes not decoded.
    pub(crate) raw: &'a [u8],
    /// Whether `raw` holds a backslash.
    pub(crate) escaped: bool,
}

impl<'a> Key<'a> {
    /// The key as JSON means it.
    pub(crate) fn text(self) -> Cow<'a, str> {
        match std::str::from_utf8(self.raw) {
            Ok(text) if !self.escaped => Cow::Borrowed(text),
            _ => Cow::Owned(self.decoded()),
        }
    }

    /// Whether the key, as JSON means it, is `name`.
    #[inline]
    pub(crate) fn is(self, name: &str) -> bool {
        if self.escaped {
            return self.decoded() == name;
        }
        // Length and last byte differ for most names.
        self.raw.len() == name.len()
            && self.raw.last() == name.as_bytes().last()
            && self.raw == name.as_bytes()
    }

    #[cold]
    fn decoded(self) -> String {
        let quoted = [b"\"", self.raw, b"\""].concat();
        serde_json::from_slice(&quoted).unwrap_or_default()
    }
}

/// Reads an object, calling `member` with each key and the place of its value; it gives the place
/// behind the value.
#[inline(always)]
pub(crate) fn object<'a>(
    bytes: &'a [u8],
    at: usize,
    mut member: impl FnMut(Key<'a>, usize) -> Option<usize>,
) -> Option<usize> {
    let mut at = space(bytes, expect(bytes, at, b'{')?);
    if bytes.get(at) == Some(&b'}') {
        return Some(at + 1);
    }
    loop {
        let start = expect(bytes, at, b'"')?;
        let quote = plain_end(bytes, start);
        let escaped = bytes.get(quote) != Some(&b'"');
        let end = if escaped {
            escaped_string(bytes, quote)?
        } else {
            quote + 1
        };
        let raw = bytes.get(start..end - 1)?;
        let value = space(bytes, expect(bytes, end, b':')?);
        at = space(bytes, member(Key { raw, escaped }, value)?);
        match bytes.get(at)? {
            b',' => at = space(bytes, at + 1),
            b'}' => return Some(at + 1),
            _ => return None,
        }
    }
}

/// Reads an array, calling `element` with the place of each value; it gives the place behind it.
pub(crate) fn array(
    bytes: &[u8],
    at: usize,
    mut element: impl FnMut(usize) -> Option<usize>,
) -> Option<usize> {
    let mut at = space(bytes, expect(bytes, at, b'[')?);
    if bytes.get(at) == Some(&b']') {
        return Some(at + 1);
    }
    loop {
        at = space(bytes, element(at)?);
        match bytes.get(at)? {
            b',' => at = space(bytes, at + 1),
            b']' => return Some(at + 1),
            _ => return None,
        }
    }
}

/// The place of the next byte that is not white space.
#[inline(always)]
pub(crate) fn space(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(at) {
        at += 1;
    }
    at
}

/// The place behind `wanted`, which is the next byte that is not white space.
#[inline(always)]
pub(crate) fn expect(bytes: &[u8], at: usize, wanted: u8) -> Option<usize> {
    let at = space(bytes, at);
    (*bytes.get(at)? == wanted).then_some(at + 1)
}

/// Skips a value that begins here.
#[inline]
pub(crate) fn value(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at)? {
        b'"' => string(bytes, at + 1),
        b'{' | b'[' => container(bytes, at),
        _ => scalar(bytes, at),
    }
}

/// Skips a string behind its opening quote.
#[inline(always)]
pub(crate) fn string(bytes: &[u8], at: usize) -> Option<usize> {
    let end = plain_end(bytes, at);
    if bytes.get(end) == Some(&b'"') {
        return Some(end + 1);
    }
    escaped_string(bytes, end)
}

/// Skips an object or array.
fn container(bytes: &[u8], at: usize) -> Option<usize> {
    let mut levels = Levels::default();
    let (mut at, mut next) = levels.before(bytes, at)?;
    loop {
        at = match next {
            Next::Text => string(bytes, at)?,
            Next::Number => number(bytes, at)?,
            Next::End => return Some(at),
        };
        (at, next) = levels.behind(bytes, at)?;
    }
}

/// What comes behind brackets, keys, commas and literals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// The content of a string; the opening quote is passed.
    Text,
    /// A number.
    Number,
    /// Nothing more of the object or array.
    End,
}

/// The objects and arrays that a place is in. A bit for each level in place of recursion.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Levels {
    /// The lowest bit is the innermost level: 1 for an object.
    objects: u64,
    depth: u32,
}

impl Levels {
    /// Goes on from before a value to the next string or number, or to the end of the outermost level.
    #[inline(always)]
    pub(crate) fn before(&mut self, bytes: &[u8], mut at: usize) -> Option<(usize, Next)> {
        loop {
            match *bytes.get(at)? {
                b'"' => return Some((at + 1, Next::Text)),
                open @ (b'{' | b'[') => {
                    let object = open == b'{';
                    self.objects = self.objects << 1 | u64::from(object);
                    self.depth += 1;
                    if self.depth > MAX_DEPTH {
                        return None;
                    }
                    at = space(bytes, at + 1);
                    if *bytes.get(at)? != open + 2 {
                        if object {
                            at = key(bytes, at)?;
                        }
                        continue;
                    }
                    // The closing bracket is read below: it is two behind the opening one in ASCII.
                }
                b't' | b'f' | b'n' => at = scalar(bytes, at)?,
                _ => return Some((at, Next::Number)),
            }
            at = self.close(bytes, at)?;
            if self.depth == 0 {
                return Some((at, Next::End));
            }
        }
    }

    /// As [`Levels::before`], from behind a value.
    #[inline(always)]
    pub(crate) fn behind(&mut self, bytes: &[u8], at: usize) -> Option<(usize, Next)> {
        let at = self.close(bytes, at)?;
        if self.depth == 0 {
            return Some((at, Next::End));
        }
        self.before(bytes, at)
    }

    /// From behind a value to before the next, or behind the outermost level.
    #[inline(always)]
    fn close(&mut self, bytes: &[u8], mut at: usize) -> Option<usize> {
        loop {
            at = space(bytes, at);
            let object = self.objects & 1 == 1;
            match *bytes.get(at)? {
                b',' => {
                    at = space(bytes, at + 1);
                    return if object { key(bytes, at) } else { Some(at) };
                }
                close @ (b'}' | b']') if (close == b'}') == object => {
                    at += 1;
                    self.objects >>= 1;
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Some(at);
                    }
                }
                _ => return None,
            }
        }
    }
}

/// Skips a key and its colon, up to the value.
#[inline(always)]
fn key(bytes: &[u8], at: usize) -> Option<usize> {
    if *bytes.get(at)? != b'"' {
        return None;
    }
    let at = expect(bytes, string(bytes, at + 1)?, b':')?;
    Some(space(bytes, at))
}

fn scalar(bytes: &[u8], at: usize) -> Option<usize> {
    let literal =
        |word: &[u8]| (bytes.get(at..at + word.len())? == word).then_some(at + word.len());
    match bytes.get(at)? {
        b't' => literal(b"true"),
        b'f' => literal(b"false"),
        b'n' => literal(b"null"),
        _ => number(bytes, at),
    }
}

/// `-?(0|[1-9][0-9]*)(\.[0-9]+)?`; an exponent is left to the plain path.
pub(crate) fn number(bytes: &[u8], start: usize) -> Option<usize> {
    let digits = |mut at: usize| {
        while bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        at
    };
    let first = start + usize::from(bytes.get(start) == Some(&b'-'));
    let mut at = digits(first);
    let zero = bytes.get(first) == Some(&b'0');
    if at == first || (zero && at > first + 1) {
        return None;
    }
    if bytes.get(at) == Some(&b'.') {
        let fraction = digits(at + 1);
        if fraction == at + 1 {
            return None;
        }
        at = fraction;
    }
    let exponent = matches!(bytes.get(at), Some(b'e' | b'E'));
    (!exponent && at - start <= MAX_NUMBER).then_some(at)
}

/// The closing quote of a string whose first escape stands here.
#[cold]
pub(crate) fn escaped_end(bytes: &[u8], at: usize) -> Option<usize> {
    let escape = bytes.get(at) == Some(&b'\\');
    escaped_string(bytes, at)
        .filter(|_| escape)
        .map(|behind| behind - 1)
}

/// Goes on from the first byte of a string that is not plain.
#[cold]
fn escaped_string(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at = escape(bytes, at)?,
            _ => return None,
        }
        at = plain_end(bytes, at);
    }
}

/// One escape. Surrogates are left to the plain path: their pairing has rules of its own.
fn escape(bytes: &[u8], at: usize) -> Option<usize> {
    match *bytes.get(at + 1)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(at + 2),
        b'u' => {
            let hex = bytes.get(at + 2..at + 6)?;
            let surrogate = matches!(
                hex,
                [b'd' | b'D', b'8'..=b'9' | b'a'..=b'f' | b'A'..=b'F', ..]
            );
            (!surrogate && hex.iter().all(u8::is_ascii_hexdigit)).then_some(at + 6)
        }
        _ => None,
    }
}

/// Where the first quote, backslash or control character from `at` on is; the end if there is none.
/// Sixteen bytes at a time: most strings of a record end within one or two steps.
#[inline(always)]
pub(crate) fn plain_end(bytes: &[u8], at: usize) -> usize {
    let Some(block) = chunk_at::<16>(bytes, at) else {
        return short_plain_end(bytes, at);
    };
    let mask = stops(u8x16::new(*block)).to_bitmask();
    if mask != 0 {
        return at + mask.trailing_zeros() as usize;
    }
    long_plain_end(bytes, at + 16)
}

/// Whether `N` bytes without a quote, backslash or control character are followed by a quote: one
/// decision where the length is known beforehand. `N` is at least 16.
#[inline(always)]
pub(crate) fn is_plain<const N: usize>(bytes: &[u8], at: usize) -> bool {
    let end = at.saturating_add(N + 1);
    let rest = bytes.get(at..end).unwrap_or_default();
    let Some((text, [b'"'])) = rest.split_first_chunk::<N>() else {
        return false;
    };
    let Some(last) = text.last_chunk::<16>() else {
        return false;
    };
    let mut found = stops(u8x16::new(*last));
    for part in text.as_chunks::<16>().0 {
        found |= stops(u8x16::new(*part));
    }
    found.to_bitmask() == 0
}

/// Whether there is a backslash. Most texts that are asked about are too short for what `memchr` prepares.
#[inline]
pub(crate) fn has_backslash(text: &[u8]) -> bool {
    let Some(last) = text.last_chunk::<16>() else {
        return text.contains(&b'\\');
    };
    let parts = text.as_chunks::<16>().0.iter().chain([last]);
    let found = parts.fold(u8x16::ZERO, |found, part| {
        found | u8x16::new(*part).simd_eq(BACKSLASH)
    });
    found.to_bitmask() != 0
}

#[inline(always)]
fn long_plain_end(bytes: &[u8], mut at: usize) -> usize {
    let start = at;
    while let Some(block) = chunk_at::<32>(bytes, at) {
        let [a, b] = halves(block).map(|half| stops(half).to_bitmask());
        let mask = a | b << 16;
        if mask != 0 {
            return at + mask.trailing_zeros() as usize;
        }
        at += 32;
        if at - start == 64 {
            at = skip_plain_blocks(bytes, at);
        }
    }
    short_plain_end(bytes, at)
}

/// The next bytes, if there are so many. One comparison with the length, where cutting off what stands before takes
/// another.
#[inline(always)]
pub(crate) fn chunk_at<const N: usize>(bytes: &[u8], at: usize) -> Option<&[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.first_chunk()
}

/// Thirty-two bytes as the processor compares them.
#[inline(always)]
pub(crate) fn halves(text: &[u8; 32]) -> [u8x16; 2] {
    match text.as_chunks::<16>().0 {
        [a, b] => [u8x16::new(*a), u8x16::new(*b)],
        _ => [u8x16::ZERO; 2],
    }
}

#[cold]
fn short_plain_end(bytes: &[u8], at: usize) -> usize {
    let stops = |&b: &u8| b == b'"' || b == b'\\' || b <= 0x1f;
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(stops).unwrap_or(rest.len())
}

/// Skips blocks of 64 plain bytes: session tokens and policies are long.
#[inline(never)]
fn skip_plain_blocks(bytes: &[u8], mut at: usize) -> usize {
    while let Some(block) = chunk_at::<64>(bytes, at) {
        let parts = block
            .as_chunks::<16>()
            .0
            .iter()
            .map(|part| stops(u8x16::new(*part)));
        if parts
            .fold(u8x16::splat(0), |all, part| all | part)
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
#[inline(always)]
fn stops(v: u8x16) -> u8x16 {
    v.simd_eq(QUOTE) | v.simd_eq(BACKSLASH) | v.min(LAST_CONTROL).simd_eq(v)
}

const QUOTE: u8x16 = u8x16::new([b'"'; 16]);
const BACKSLASH: u8x16 = u8x16::new([b'\\'; 16]);
const LAST_CONTROL: u8x16 = u8x16::new([0x1f; 16]);
