//! Dates of the `Date` operators.

/// A moment: nanoseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(i128);

const NANOSECONDS: i128 = 1_000_000_000;

impl Moment {
    /// Reads the forms of W3C NOTE-datetime, that is, a year, month, day, or a time of day with a zone, and epoch
    /// seconds (IAM User Guide, "Date condition operators"). Beyond these: a time without a zone is UTC, and of digits
    /// alone four are a year. The basic form `20260302T093000Z` is not one of that note's.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if is_epoch(text) {
            return epoch(text);
        }
        let (date, time) = match text.split_once(['T', 't']) {
            Some((date, time)) => (date, Some(time)),
            None => (text, None),
        };
        let days = days(date)?;
        let nanoseconds = match time {
            Some(time) => time_of_day(time)?,
            None => 0,
        };
        Some(Self(i128::from(days) * 86_400 * NANOSECONDS + nanoseconds))
    }
}

fn is_epoch(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_number = digits
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    is_number && text.len() != 4
}

fn epoch(text: &str) -> Option<Moment> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(text) => (-1, text),
        None => (1, text),
    };
    let (whole, rest) = text.split_once('.').unwrap_or((text, "0"));
    let seconds = i128::from(digits(whole, 1..=15)?);
    Some(Moment(sign * (seconds * NANOSECONDS + fraction(rest)?)))
}

/// Nanoseconds of the digits after a point; what is finer is cut off.
fn fraction(text: &str) -> Option<i128> {
    let kept = text.get(..text.len().min(9))?;
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let missing = u32::try_from(9 - kept.len()).ok()?;
    Some(i128::from(digits(kept, 1..=9)?) * 10_i128.pow(missing))
}

fn digits(text: &str, length: std::ops::RangeInclusive<usize>) -> Option<i64> {
    let sound = length.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| sound)
}

/// Days since 1970-01-01 of `2026`, `2026-03` or `2026-03-02`.
fn days(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, '-');
    let year = parts.next()?;
    let month = parts.next().unwrap_or("01");
    let day = parts.next().unwrap_or("01");
    let (year, month, day) = (
        digits(year, 4..=4)?,
        digits(month, 2..=2)?,
        digits(day, 2..=2)?,
    );
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    // Years that begin in March put the leap day last, so that the lengths of the months before it are regular.
    let shifted = if month > 2 { year } else { year - 1 };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let leap_days = shifted.div_euclid(4) - shifted.div_euclid(100) + shifted.div_euclid(400);
    Some(shifted * 365 + leap_days + day_of_year - 719_468)
}

/// Nanoseconds since midnight UTC of `09:30`, `09:30:00` or `09:30:00.5`, each with a zone.
fn time_of_day(text: &str) -> Option<i128> {
    let (clock, offset) = match text.find(['Z', 'z', '+', '-']) {
        Some(at) => (text.get(..at)?, zone(text.get(at..)?)?),
        None => (text, 0),
    };
    let (clock, nanoseconds) = match clock.split_once('.') {
        Some((clock, rest)) => (clock, fraction(rest)?),
        None => (clock, 0),
    };
    let mut parts = clock.splitn(3, ':');
    let (hour, minute) = (parts.next()?, parts.next()?);
    let second = parts.next().unwrap_or("00");
    let hour = digits(hour, 2..=2).filter(|hour| *hour < 24)?;
    let minute = digits(minute, 2..=2).filter(|minute| *minute < 60)?;
    let second = digits(second, 2..=2).filter(|second| *second < 60)?;
    let seconds = hour * 3600 + minute * 60 + second - offset;
    Some(i128::from(seconds) * NANOSECONDS + nanoseconds)
}

/// Seconds east of UTC of `Z`, `+01:00` or `-0530`.
fn zone(text: &str) -> Option<i64> {
    if text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let rest = text.get(1..)?;
    let (hours, minutes) = match rest.split_once(':') {
        Some(parts) => parts,
        None => (rest.get(..2)?, rest.get(2..)?),
    };
    let hours = digits(hours, 2..=2).filter(|hours| *hours < 24)?;
    let minutes = digits(minutes, 2..=2).filter(|minutes| *minutes < 60)?;
    Some(sign * (hours * 3600 + minutes * 60))
}
