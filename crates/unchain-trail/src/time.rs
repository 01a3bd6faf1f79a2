//! Times, durations, and the forms CloudTrail prints them in. It knows no zone but UTC and no clock.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

/// How a date inside request or response elements is printed. Services disagree, and so do years.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DateForm {
    /// `Jul 10, 2023, 12:31:14 PM`.
    Comma,
    /// `Jul 30, 2021 12:56:03 AM`.
    Old,
    /// As `Comma`, with U+202F before AM or PM.
    Narrow,
}

/// A time of day, with its date when the line gave one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) date: Option<Date>,
    pub(crate) time: Time,
}

impl Moment {
    /// Reads `09:00`, `09:00:30`, or either behind `2026-03-02T`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (date, clock) = match text.split_once('T') {
            Some((day, clock)) => (Some(parse_date(day)?), clock),
            None => (None, text),
        };
        let mut parts = clock.split(':').map(two_digits);
        let (hour, minute) = (parts.next()??, parts.next()??);
        let second = match parts.next() {
            None => 0,
            Some(second) => second?,
        };
        if parts.next().is_some() {
            return None;
        }
        let time = Time::new(hour, minute, second, 0).ok()?;
        Some(Self { date, time })
    }

    /// The instant this is, on `day` unless the line gave a date.
    pub(crate) fn on(self, day: Date) -> Option<Timestamp> {
        let moment = DateTime::from_parts(self.date.unwrap_or(day), self.time);
        Some(moment.to_zoned(TimeZone::UTC).ok()?.timestamp())
    }
}

impl std::fmt::Display for Moment {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(date) = self.date {
            write!(out, "{}T", date.strftime("%Y-%m-%d"))?;
        }
        let form = if self.time.second() == 0 {
            "%H:%M"
        } else {
            "%H:%M:%S"
        };
        write!(out, "{}", self.time.strftime(form))
    }
}

/// Reads `2026-03-02`, of the years that CloudTrail can hold and some to come.
pub(crate) fn parse_date(text: &str) -> Option<Date> {
    let well_formed = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    let date = Date::strptime("%Y-%m-%d", text)
        .ok()
        .filter(|_| well_formed)?;
    (2000..2100).contains(&date.year()).then_some(date)
}

/// Reads `900s`, `15m`, `36h` or `2d`, as seconds.
pub(crate) fn parse_duration(text: &str) -> Option<i64> {
    let unit = match text.chars().next_back()? {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    let digits = text.get(..text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 6 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(digits.parse::<i64>().ok()? * unit)
}

/// `at` plus seconds. The years a trail may name leave room on both sides, so nothing saturates.
pub(crate) fn later(at: Timestamp, seconds: i64) -> Timestamp {
    let moved = at.as_second().saturating_add(seconds);
    Timestamp::from_second(moved).unwrap_or(at)
}

/// Prints a date as response elements hold it.
pub(crate) fn elements_date(at: Timestamp, form: DateForm) -> String {
    let pattern = match form {
        DateForm::Comma => "%b %-d, %Y, %-I:%M:%S %p",
        DateForm::Old => "%b %-d, %Y %-I:%M:%S %p",
        DateForm::Narrow => "%b %-d, %Y, %-I:%M:%S\u{202f}%p",
    };
    at.to_zoned(TimeZone::UTC).strftime(pattern).to_string()
}

fn two_digits(text: &str) -> Option<i8> {
    if text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit()) {
        text.parse().ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_of_an_expiration() {
        let at: Timestamp = "2023-07-10T00:31:14Z".parse().unwrap();
        assert_eq!(
            elements_date(at, DateForm::Comma),
            "Jul 10, 2023, 12:31:14 AM"
        );
        assert_eq!(elements_date(at, DateForm::Old), "Jul 10, 2023 12:31:14 AM");
        assert_eq!(
            elements_date(at, DateForm::Narrow),
            "Jul 10, 2023, 12:31:14\u{202f}AM"
        );
    }

    #[test]
    fn moments_print_back() {
        for text in [
            "09:00",
            "23:59:59",
            "2026-03-02T00:00",
            "2026-03-02T01:02:03",
        ] {
            assert_eq!(Moment::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "9:00",
            "24:00",
            "09:00:60",
            "09",
            "2026-3-2T09:00",
            "09:00:00:00",
            "1999-01-01T00:00",
        ] {
            assert!(Moment::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn durations() {
        assert_eq!(parse_duration("36h"), Some(129_600));
        assert_eq!(parse_duration("15m"), Some(900));
        for text in ["", "h", "1.5h", "-1h", "9999999s", "5é"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }
}
