//! Instants of the log, and every form in which CloudTrail writes them.
//!
//! CloudTrail's `eventTime` is UTC to the second (docs.aws.amazon.com/awscloudtrail/latest/userguide/
//! cloudtrail-event-reference-record-contents.html); exports add fractions, offsets and spaces.

use std::fmt;

/// An instant in UTC, in whole seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Timestamp(i64);

/// The last second of year 9999, the latest instant that can be written with four year digits.
const LATEST: i64 = 253_402_300_799;

/// Seconds since 1970 in the range of `u32`, which is what CloudTrail can hold until 2106: half the
/// size of a [`Timestamp`] where there are millions.
pub type Seconds = u32;

/// Seconds of an hour.
pub const HOUR: Seconds = 3600;
/// Seconds of a day.
pub const DAY: Seconds = 24 * HOUR;

/// Seconds for a timestamp, clamped to the range of [`Seconds`].
pub fn seconds(time: Timestamp) -> Seconds {
    u32::try_from(time.seconds().max(0)).unwrap_or(u32::MAX)
}

impl Timestamp {
    /// The instant `seconds` after the epoch; clamped to years 0000 to 9999.
    pub fn from_seconds(seconds: i64) -> Self {
        Self(seconds.clamp(-62_167_219_200, LATEST))
    }

    /// Seconds since the epoch; negative before 1970.
    pub fn seconds(self) -> i64 {
        self.0
    }

    /// This instant moved by `seconds`, saturating at the ends of the range.
    #[must_use]
    pub fn plus(self, seconds: i64) -> Self {
        Self::from_seconds(self.0.saturating_add(seconds))
    }

    /// Whole hours since the epoch (floor).
    pub fn hour(self) -> i64 {
        self.0.div_euclid(3600)
    }

    /// Whole days since the epoch (floor).
    pub fn day(self) -> i64 {
        self.0.div_euclid(86_400)
    }

    /// Reads any form that CloudTrail or a common export uses for `eventTime`, `creationDate`,
    /// `expiration` and `createDate`: RFC 3339 with `Z` or an offset, a space in place of `T`,
    /// fractions (dropped), the basic form `20131102T010628Z`, `Jul 10, 2023, 12:31:14 PM` and
    /// `Jul 30, 2021 12:56:03 AM` (with any white space before AM or PM), and epoch seconds or
    /// milliseconds in digits.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        canonical(bytes)
            .or_else(|| recorded_expiry(bytes))
            .or_else(|| other_forms(text.trim()))
    }
}

/// RFC 3339 in UTC, to the second.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil(self.day());
        let s = self.0.rem_euclid(86_400);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
            s / 3600,
            s / 60 % 60,
            s % 60
        )
    }
}

/// `2023-07-10T11:54:47Z` exactly: what nearly every record holds, so it is read by hand.
fn canonical(b: &[u8]) -> Option<Timestamp> {
    let &[
        y1,
        y2,
        y3,
        y4,
        b'-',
        mo1,
        mo2,
        b'-',
        d1,
        d2,
        b'T',
        h1,
        h2,
        b':',
        mi1,
        mi2,
        b':',
        s1,
        s2,
        b'Z',
    ] = b
    else {
        return None;
    };
    // One check for all digits: whatever is none becomes larger than nine.
    let digits =
        [y1, y2, y3, y4, mo1, mo2, d1, d2, h1, h2, mi1, mi2, s1, s2].map(|b| b.wrapping_sub(b'0'));
    if digits
        .iter()
        .fold(false, |wrong, digit| wrong | (*digit > 9))
    {
        return None;
    }
    let (pairs, _) = digits.as_chunks::<2>();
    let number = |[tens, ones]: &[u8; 2]| i64::from(tens * 10 + ones);
    let [century, year, month, day, h, m, s] = pairs else {
        return None;
    };
    build(
        (
            number(century) * 100 + number(year),
            number(month),
            number(day),
        ),
        (number(h), number(m), number(s)),
    )
}

/// Reads instants of which most are on the day of the one before: a file holds the events of an hour.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SameDay {
    /// `2023-07-10T`, and that day's first instant.
    known: Option<([u8; 11], Timestamp)>,
}

impl SameDay {
    /// As [`Timestamp::parse`].
    #[inline(always)]
    pub(crate) fn parse(&mut self, text: &str) -> Option<Timestamp> {
        if let Some((day, rest)) = text.as_bytes().split_first_chunk()
            && let Some((known, start)) = self.known
            && *day == known
            && let Some(second) = second_of_day(rest)
        {
            return Some(Timestamp(start.0 + second));
        }
        self.learn(text)
    }

    #[cold]
    fn learn(&mut self, text: &str) -> Option<Timestamp> {
        let time = Timestamp::parse(text)?;
        if let Some((day, rest)) = text.as_bytes().split_first_chunk()
            && let Some(second) = second_of_day(rest)
        {
            self.known = Some((*day, Timestamp(time.0 - second)));
        }
        Some(time)
    }
}

/// The second that `11:54:47Z` is of a day; `None` for anything else, and for a leap second.
#[inline(always)]
fn second_of_day(text: &[u8]) -> Option<i64> {
    let &[h1, h2, b':', m1, m2, b':', s1, s2, b'Z'] = text else {
        return None;
    };
    let number = |tens: u8, ones: u8| {
        let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
        (tens <= 9 && ones <= 9).then(|| i64::from(tens * 10 + ones))
    };
    let (hour, minute, second) = (number(h1, h2)?, number(m1, m2)?, number(s1, s2)?);
    (hour <= 23 && minute <= 59 && second <= 59).then_some(hour * 3600 + minute * 60 + second)
}

fn build((year, month, day): (i64, i64, i64), (h, m, s): (i64, i64, i64)) -> Option<Timestamp> {
    let in_month = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => return None,
    };
    // 60 is a leap second; it is read as the second after :59.
    if day < 1 || day > in_month || h > 23 || m > 59 || s > 60 {
        return None;
    }
    Some(Timestamp::from_seconds(
        days(year, month, day) * 86_400 + h * 3600 + m * 60 + s,
    ))
}

/// Days from the epoch to a civil date (Hinnant, "chrono-compatible low-level date algorithms").
fn days(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let doy = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468
}

/// The inverse of [`days`].
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (
        yoe + era * 400 + i64::from(month <= 2),
        month,
        doy - (153 * mp + 2) / 5 + 1,
    )
}

fn other_forms(text: &str) -> Option<Timestamp> {
    if text.is_empty() || text.len() > 64 {
        return None;
    }
    if text.bytes().all(|b| b.is_ascii_digit()) {
        let n: i64 = text.parse().ok()?;
        return match text.len() {
            9..=10 => Some(Timestamp::from_seconds(n)),
            13 => Some(Timestamp::from_seconds(n / 1000)),
            _ => None,
        };
    }
    if let Ok(t) = text.parse::<jiff::Timestamp>() {
        return Some(Timestamp::from_seconds(floor_second(t)));
    }
    if let Ok(t) = text.parse::<jiff::civil::DateTime>() {
        return t
            .to_zoned(jiff::tz::TimeZone::UTC)
            .ok()
            .map(|z| Timestamp::from_seconds(floor_second(z.timestamp())));
    }
    english(text)
}

/// Fractions are dropped towards the past, so that a use never moves after a later event.
fn floor_second(t: jiff::Timestamp) -> i64 {
    t.as_second() - i64::from(t.subsec_nanosecond() < 0)
}

/// `Jul 10, 2023, 9:31:14 PM` exactly: what every issuing record holds, read by hand since there may be
/// as many as there are credentials. Any other spelling is left to [`english`].
fn recorded_expiry(b: &[u8]) -> Option<Timestamp> {
    let (month, rest) = b.split_first_chunk::<4>()?;
    let &[a, b, c, b' '] = month else { return None };
    let month = MONTHS.iter().position(|m| m.as_bytes() == [a, b, c])?;
    let mut at = 0;
    let mut number = |end: u8| -> Option<i64> {
        let mut value = 0i64;
        let start = at;
        while let Some(digit) = rest
            .get(at)
            .filter(|b| b.is_ascii_digit() && at < start + 5)
        {
            value = value * 10 + i64::from(digit - b'0');
            at += 1;
        }
        let read = (1..=4).contains(&(at - start)) && rest.get(at) == Some(&end);
        at += 1;
        let spaced = end != b',' || rest.get(at) == Some(&b' ');
        at += usize::from(end == b',');
        (read && spaced).then_some(value)
    };
    let (day, year) = (number(b',')?, number(b',')?);
    let (hour, minute, second) = (number(b':')?, number(b':')?, number(b' ')?);
    let hour = match rest.get(at..)? {
        b"AM" if (1..=12).contains(&hour) => hour % 12,
        b"PM" if (1..=12).contains(&hour) => hour % 12 + 12,
        _ => return None,
    };
    build(
        (year, i64::try_from(month).ok()? + 1, day),
        (hour, minute, second),
    )
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// `Jul 10, 2023, 12:31:14 PM`, with or without the comma after the year. Newer Java writes U+202F
/// before AM and PM; a wrong decoding of that shows as `â€¯`, so anything but letters and digits
/// separates.
fn english(text: &str) -> Option<Timestamp> {
    let mut words = text
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|w| !w.is_empty());
    let month = words.next()?;
    let month = MONTHS.iter().position(|m| month.eq_ignore_ascii_case(m))?;
    let mut number = || words.next().and_then(|w| w.parse::<i64>().ok());
    let (day, year, hour, minute, second) = (number()?, number()?, number()?, number()?, number()?);
    if !(1..=12).contains(&hour) || !(0..=9999).contains(&year) {
        return None;
    }
    let half = words.next()?;
    let hour = if half.eq_ignore_ascii_case("PM") {
        hour % 12 + 12
    } else if half.eq_ignore_ascii_case("AM") {
        hour % 12
    } else {
        return None;
    };
    if words.next().is_some() {
        return None;
    }
    build(
        (year, i64::try_from(month).ok()? + 1, day),
        (hour, minute, second),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_form_of_the_same_instant() {
        let want = Timestamp::parse("2023-07-10T12:31:14Z");
        assert!(want.is_some());
        for text in [
            "Jul 10, 2023, 12:31:14 PM",
            "Jul 10, 2023, 12:31:14\u{202f}PM",
            "Jul 10, 2023, 12:31:14â€¯PM",
            "Jul 10, 2023 12:31:14 PM",
            "20230710T123114Z",
            "2023-07-10T12:31:14.000Z",
            "2023-07-10T14:31:14+02:00",
            "2023-07-10 12:31:14",
            "2023-07-10 12:31:14.999999999",
            "1688992274",
            "1688992274123",
        ] {
            assert_eq!(Timestamp::parse(text), want, "{text}");
        }
        for text in [
            "",
            "...",
            "2023-13-10T12:31:14Z",
            "2023-02-30T12:31:14Z",
            "Jul 99999999999999999999, 2023, 1:00:00 AM",
            "Foo 1, 2023, 1:00:00 AM",
            "Jul 10, 2023, 13:31:14 PM",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
        assert_eq!(
            Timestamp::parse("Jul 30, 2021 12:56:03 AM"),
            Timestamp::parse("2021-07-30T00:56:03Z")
        );
    }

    proptest! {
        #[test]
        fn remembering_the_day_changes_nothing(
            seconds in proptest::collection::vec(0i64..200_000, 1..20),
            bad in proptest::collection::vec("2026-0[23]-0[12]T[012][0-9]:[056][0-9]:[056][0-9][Z+]", 1..20),
        ) {
            let good = seconds.iter().map(|s| Timestamp::from_seconds(1_772_300_000 + s).to_string());
            let mut day = SameDay::default();
            for text in good.zip(bad).flat_map(|(good, bad)| [good, bad]) {
                prop_assert_eq!(day.parse(&text), Timestamp::parse(&text), "{}", text);
            }
        }

        #[test]
        fn printing_and_parsing_are_inverse(seconds in -62_167_219_200i64..=LATEST) {
            let t = Timestamp::from_seconds(seconds);
            prop_assert_eq!(Timestamp::parse(&t.to_string()), Some(t));
        }
    }
}
