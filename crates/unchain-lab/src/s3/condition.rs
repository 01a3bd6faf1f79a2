//! Conditional headers and byte ranges (RFC 9110 §13 and §14, as S3 keeps to them).

use std::ops::Range;

use unchain_core::time::Timestamp;

use super::{Object, fault, no_such_key};
use crate::call::Fault;
use crate::http::Request;

/// Whether an object is to be sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Send,
    NotModified,
}

/// Judges the conditions of a reading request.
pub(super) fn of_read(request: &Request, object: &Object) -> Result<Outcome, Fault> {
    let matches = |name: &str| {
        request
            .header(name)
            .map(|tags| names_tag(tags, &object.etag))
    };
    let changed_since = |name: &str| {
        let date = request.header(name).and_then(read_date)?;
        Some(object.modified_at > date.seconds())
    };
    match matches("if-match") {
        Some(false) => return Err(failed("If-Match")),
        None if changed_since("if-unmodified-since") == Some(true) => {
            return Err(failed("If-Unmodified-Since"));
        }
        _ => {}
    }
    let not_modified = match matches("if-none-match") {
        Some(found) => found,
        None => changed_since("if-modified-since") == Some(false),
    };
    match not_modified {
        true => Ok(Outcome::NotModified),
        false => Ok(Outcome::Send),
    }
}

/// Judges the conditions of a writing request: `If-None-Match: *` creates only, `If-Match` replaces only what it names
/// (docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html).
pub(super) fn of_write(request: &Request, current: Option<&Object>) -> Result<(), Fault> {
    if request.header("if-none-match").is_some() && current.is_some() {
        return Err(failed("If-None-Match"));
    }
    match (request.header("if-match"), current) {
        (None, _) => Ok(()),
        (Some(_), None) => Err(no_such_key()),
        (Some(tags), Some(object)) if names_tag(tags, &object.etag) => Ok(()),
        (Some(_), Some(_)) => Err(failed("If-Match")),
    }
}

fn failed(_condition: &str) -> Fault {
    fault(
        412,
        "PreconditionFailed",
        "At least one of the pre-conditions you specified did not hold",
    )
}

fn names_tag(tags: &str, etag: &str) -> bool {
    tags.split(',')
        .map(|tag| tag.trim().trim_start_matches("W/").trim_matches('"'))
        .any(|tag| tag == "*" || tag == etag)
}

/// `Sun, 22 Nov 2026 07:45:56 GMT` as an instant.
fn read_date(text: &str) -> Option<Timestamp> {
    let time = jiff::fmt::strtime::parse("%a, %d %b %Y %H:%M:%S GMT", text).ok()?;
    let zoned = time
        .to_datetime()
        .ok()?
        .to_zoned(jiff::tz::TimeZone::UTC)
        .ok()?;
    Some(Timestamp::from_seconds(zoned.timestamp().as_second()))
}

/// An instant as HTTP writes it.
pub(super) fn http_date(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(
        |_| String::new(),
        |time| time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string(),
    )
}

/// The bytes a `Range` header asks for; none: all of them, as also for several ranges, which S3 does not serve.
pub(super) fn range(request: &Request, size: u64) -> Result<Option<Range<u64>>, Fault> {
    let Some(asked) = request
        .header("range")
        .and_then(|range| range.strip_prefix("bytes="))
        .filter(|range| !range.contains(','))
        .and_then(|range| range.split_once('-'))
    else {
        return Ok(None);
    };
    let range = match (asked.0.trim().parse::<u64>(), asked.1.trim().parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => first..last.saturating_add(1).min(size),
        (Ok(first), Err(_)) if asked.1.is_empty() => first..size,
        (Err(_), Ok(last)) if asked.0.is_empty() => size.saturating_sub(last)..size,
        _ => return Ok(None),
    };
    match range.start < range.end {
        true => Ok(Some(range)),
        false => Err(fault(
            416,
            "InvalidRange",
            "The requested range is not satisfiable",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &str, value: &str) -> Request {
        Request {
            headers: vec![(name.to_owned(), value.to_owned())],
            ..Request::default()
        }
    }

    #[test]
    fn ranges_are_cut_to_the_object() {
        let range = |text: &str| range(&with("range", text), 10);
        assert_eq!(range("bytes=0-3").unwrap(), Some(0..4));
        assert_eq!(range("bytes=4-").unwrap(), Some(4..10));
        assert_eq!(range("bytes=-3").unwrap(), Some(7..10));
        assert_eq!(range("bytes=-30").unwrap(), Some(0..10));
        assert_eq!(range("bytes=8-99").unwrap(), Some(8..10));
        assert_eq!(range("bytes=5-2").unwrap(), None);
        assert_eq!(range("bytes=0-1,3-4").unwrap(), None);
        assert_eq!(range("bytes=0-18446744073709551615").unwrap(), Some(0..10));
        assert_eq!(range("bytes=10-").unwrap_err().status, 416);
    }

    #[test]
    fn conditions_follow_tag_before_date() {
        let object = Object {
            etag: "abc".to_owned(),
            modified_at: 1_000_000_000,
            ..Object::default()
        };
        let read = |name: &str, value: &str| of_read(&with(name, value), &object);
        assert_eq!(
            read("if-none-match", "\"abc\"").unwrap(),
            Outcome::NotModified
        );
        assert_eq!(read("if-none-match", "\"abd\"").unwrap(), Outcome::Send);
        assert_eq!(read("if-match", "\"x\"").unwrap_err().status, 412);
        let date = http_date(1_000_000_000);
        assert_eq!(date, "Sun, 09 Sep 2001 01:46:40 GMT");
        assert_eq!(
            read("if-modified-since", &date).unwrap(),
            Outcome::NotModified
        );
        assert_eq!(read("if-unmodified-since", &date).unwrap(), Outcome::Send);
        assert_eq!(
            of_write(&with("if-none-match", "*"), Some(&object))
                .unwrap_err()
                .status,
            412
        );
        assert!(of_write(&with("if-none-match", "*"), None).is_ok());
        assert_eq!(
            of_write(&with("if-match", "abc"), None).unwrap_err().status,
            404
        );
    }
}
