//! Where a JSON value ends, found by brackets and quotes alone, so that it also works on values that
//! no parser accepts. Must not know CloudTrail, and must not recurse: depth is the attacker's choice.

use memchr::{memchr_iter, memchr2, memmem, memrchr};

/// What the brackets say about a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// It ends before byte `end` and is `depth` levels deep.
    Closed { end: usize, depth: u32 },
    /// It does not end here; so far it is `depth` levels deep.
    Open { depth: u32 },
    /// The same, and the last thing met is a string that does not end.
    OpenString { depth: u32 },
}

/// Follows the brackets of the object or array at `at`, not beyond byte `limit`.
pub(crate) fn extent(bytes: &[u8], at: usize, limit: usize) -> Extent {
    extent_within(bytes, (at, limit), u32::MAX)
}

/// The same, and stops as [`Extent::Open`] where the value is deeper than `levels`. So of the values
/// that do not end, only `levels` are followed over any byte: looking from each brace costs no more
/// than that many times the size of the text.
pub(crate) fn extent_within(bytes: &[u8], (at, limit): (usize, usize), levels: u32) -> Extent {
    let bytes = bytes.get(..limit).unwrap_or(bytes);
    let (mut level, mut depth) = (0u32, 0u32);
    let mut at = at;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'"' => match string_rest(bytes, at) {
                Some(end) => at = end,
                None => return Extent::OpenString { depth },
            },
            b'{' | b'[' => {
                level += 1;
                depth = depth.max(level);
                if level > levels {
                    return Extent::Open { depth };
                }
            }
            b'}' | b']' => {
                level = level.saturating_sub(1);
                if level == 0 {
                    return Extent::Closed { end: at, depth };
                }
            }
            _ => {}
        }
    }
    Extent::Open { depth }
}

/// The end of the string that begins with the quote at `at`.
pub(crate) fn string_end(bytes: &[u8], at: usize) -> Option<usize> {
    string_rest(bytes, at + 1)
}

fn string_rest(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes.get(at) == Some(&b'"') {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// The first byte at or after `at` that is not white space.
pub(crate) fn past_space(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|&b| b > b' ').unwrap_or(rest.len())
}

/// The key of the object at `at`, quotes included, if it begins with one.
pub(crate) fn first_key(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let start = past_space(bytes, at + 1);
    if bytes.get(at) != Some(&b'{') || bytes.get(start) != Some(&b'"') {
        return None;
    }
    bytes.get(start..string_end(bytes, start)?)
}

/// Whether a record may begin at `at`: anywhere but as the value of a member, unless on a new line. A
/// damaged record's own parts are values, and some of them hold enough to pass for a record.
pub(crate) fn may_begin(bytes: &[u8], at: usize) -> bool {
    let before = bytes.get(..at).unwrap_or_default();
    before.iter().rev().find(|&&b| b > b' ' || b == b'\n') != Some(&b':')
}

/// The name of the member whose value begins at `at`, as it is written; `None` if it is no member.
pub(crate) fn member_name(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let before = bytes.get(..at)?.trim_ascii_end().strip_suffix(b":")?;
    let name = before.trim_ascii_end().strip_suffix(b"\"")?;
    name.get(memrchr(b'"', name)? + 1..)
}

/// Whether a member of this name is somewhere in the text, at any depth, also inside a string that
/// holds JSON.
pub(crate) fn names_member(bytes: &[u8], name: &[u8]) -> bool {
    memmem::find_iter(bytes, name).any(|at| {
        let rest = bytes.get(at + name.len()..).unwrap_or_default();
        let quote = rest.iter().position(|&b| b != b'\\').unwrap_or(rest.len());
        let colon = past_space(rest, quote + 1);
        rest.get(quote) == Some(&b'"') && rest.get(colon) == Some(&b':')
    })
}

/// The objects in a stretch that could be the start of a record: a brace and a key.
pub(crate) fn objects(bytes: &[u8], from: usize, to: usize) -> impl Iterator<Item = usize> + '_ {
    let stretch = bytes.get(from..to.min(bytes.len())).unwrap_or_default();
    memchr_iter(b'{', stretch)
        .map(move |offset| from + offset)
        .filter(|&at| bytes.get(past_space(bytes, at + 1)) == Some(&b'"'))
}

/// How many objects in a damaged stretch begin as its first one does: so many records were lost.
pub(crate) fn alike(stretch: &[u8]) -> u64 {
    let Some(key) = first_key(stretch, 0).filter(|key| key.len() <= 64) else {
        return 1;
    };
    let starts = memmem::find_iter(stretch, key).filter(|&at| {
        let before = stretch.get(..at).unwrap_or_default();
        let brace = before.iter().rposition(|&b| b > b' ');
        brace.is_some_and(|brace| stretch.get(brace) == Some(&b'{') && may_begin(stretch, brace))
    });
    starts.map(|_| 1).sum::<u64>().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_in_strings_do_not_count() {
        let text = br#" {"a":"}\"]","b":[{}]} ,"#;
        assert_eq!(
            extent(text, 1, text.len()),
            Extent::Closed {
                end: text.len() - 2,
                depth: 3
            }
        );
        assert_eq!(extent(text, 1, 12), Extent::Open { depth: 1 });
        assert_eq!(extent(text, 1, 8), Extent::OpenString { depth: 1 });
        assert_eq!(extent(br#"{"a\"#, 0, 9), Extent::OpenString { depth: 1 });
    }

    #[test]
    fn depth_does_not_recurse() {
        let deep = b"[".repeat(1_000_000);
        assert_eq!(
            extent(&deep, 0, deep.len()),
            Extent::Open { depth: 1_000_000 }
        );
    }

    #[test]
    fn members_are_told_from_mentions() {
        assert!(names_member(br#"{"x":[{"eventName" : 1}]}"#, b"eventName"));
        assert!(names_member(br#"{"x":"{\"eventName\":1}"}"#, b"eventName"));
        assert!(!names_member(
            br#"{"field":"eventName","equals":["eventName"]}"#,
            b"eventName"
        ));
        assert!(!names_member(br#"eventName"#, b"eventName"));
    }

    #[test]
    fn records_lost_in_a_stretch() {
        assert_eq!(alike(br#"{"a":1,"b":{"a":2}}"#), 1);
        assert_eq!(alike(b"{\"a\":1,\n{\"a\":\"x\", { \"a\":2}"), 3);
        assert_eq!(alike(b"rubbish"), 1);
    }
}
