//! Lists of records inside an object, found without reading the list: `{"Records":[…`,
//! `{"logGroup":"…","logEvents":[…`, `{"hits":{"hits":[…`. A list may be larger than memory.

use crate::boundary::{Extent, extent, past_space, string_end};

/// The members under which exports keep a list of records.
pub(crate) const LISTS: [&str; 8] = [
    "Records",
    "records",
    "Events",
    "events",
    "logEvents",
    "Messages",
    "hits",
    "results",
];
/// How far before its list an object is searched.
const HEAD: usize = 64 << 10;

/// One member of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Member {
    /// A list of records; its first element is expected at this byte.
    List(usize),
    /// An object that may hold such a list; its first key is expected at this byte.
    Holder(usize),
    /// Something else, which ends before this byte.
    Other(usize),
    /// The bytes end inside it.
    Cut,
    /// It is not a member.
    Broken,
}

/// What an object holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    /// A list, `objects` levels inside, whose first element is expected at byte `at`.
    List { at: usize, objects: usize },
    /// No list within its first part.
    Nothing,
    /// The bytes end too early to know.
    Cut,
}

/// Whether the object at `at` begins with a list of records; the usual case, and cheap to ask.
#[inline]
pub(crate) fn begins_with_list(bytes: &[u8], at: usize) -> Option<usize> {
    let key = past_space(bytes, at + 1);
    if bytes.get(key..key + 7) == Some(b"\"eventV") {
        return None;
    }
    if !matches!(
        bytes.get(key..key + 2),
        Some([b'"', b'R' | b'E' | b'e' | b'l' | b'M' | b'h' | b'r'])
    ) {
        return None;
    }
    match member(bytes, key, (key + 64).min(bytes.len())) {
        Member::List(first) => Some(first),
        Member::Holder(_) | Member::Other(_) | Member::Cut | Member::Broken => None,
    }
}

/// Looks for a list of records behind other members of the object at `at`.
pub(crate) fn holds_list(bytes: &[u8], at: usize) -> Holds {
    let limit = at.saturating_add(HEAD).min(bytes.len());
    let cut = if limit < bytes.len() {
        Holds::Nothing
    } else {
        Holds::Cut
    };
    let mut next = at + 1;
    let mut objects = 1;
    loop {
        next = past_space(bytes, next);
        match bytes.get(next) {
            Some(b',') => next += 1,
            Some(b'}') | None => {
                return if next >= bytes.len() {
                    cut
                } else {
                    Holds::Nothing
                };
            }
            Some(b'"') => match member(bytes, next, limit) {
                Member::List(first) => return Holds::List { at: first, objects },
                Member::Holder(first) => {
                    next = first;
                    objects += 1;
                }
                Member::Other(end) => next = end,
                Member::Cut => return cut,
                Member::Broken => return Holds::Nothing,
            },
            Some(_) => return Holds::Nothing,
        }
    }
}

/// Reads the member whose key begins at `at`, not beyond byte `limit`.
pub(crate) fn member(bytes: &[u8], at: usize, limit: usize) -> Member {
    let bytes = bytes.get(..limit).unwrap_or(bytes);
    let Some(end) = string_end(bytes, at) else {
        return Member::Cut;
    };
    let key = bytes.get(at + 1..end - 1).unwrap_or_default();
    let colon = past_space(bytes, end);
    let value = past_space(bytes, colon + 1);
    match (bytes.get(colon), bytes.get(value)) {
        (Some(b':'), Some(b'[')) if LISTS.iter().any(|list| list.as_bytes() == key) => {
            Member::List(value + 1)
        }
        (Some(b':'), Some(b'{')) if key == b"hits" => Member::Holder(value + 1),
        (Some(b':'), Some(b'{' | b'[')) => match extent(bytes, value, limit) {
            Extent::Closed { end, .. } => Member::Other(end),
            Extent::Open { .. } | Extent::OpenString { .. } => Member::Cut,
        },
        (Some(b':'), Some(b'"')) => string_end(bytes, value).map_or(Member::Cut, Member::Other),
        (Some(b':'), Some(_)) => Member::Other(token_end(bytes, value)),
        (Some(b':') | None, None) => Member::Cut,
        (_, _) => Member::Broken,
    }
}

/// The end of a number, literal or anything else that is not a string or in brackets.
pub(crate) fn token_end(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    let stop = |&b: &u8| b <= b' ' || matches!(b, b',' | b']' | b'}' | b'{' | b'[' | b'"' | b':');
    at + rest.iter().position(stop).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_may_come_first_or_later_or_inside() {
        assert_eq!(begins_with_list(b"{ \"Records\" : [ 1", 0), Some(15));
        assert_eq!(begins_with_list(b"{\"eventVersion\":[", 0), None);
        let later = br#"{"logGroup":"a]","x":{"Records":[]},"n":1,"logEvents":[{}]}"#;
        assert_eq!(holds_list(later, 0), Holds::List { at: 55, objects: 1 });
        let inside = br#"{"took":1,"hits":{"total":3,"hits":[{"#;
        assert_eq!(holds_list(inside, 0), Holds::List { at: 36, objects: 2 });
        assert_eq!(holds_list(br#"{"a":1}"#, 0), Holds::Nothing);
        assert_eq!(holds_list(br#"{"a":1,"b"#, 0), Holds::Cut);
        assert_eq!(holds_list(br#"{"a" 1,"Records":[]}"#, 0), Holds::Nothing);
    }
}
