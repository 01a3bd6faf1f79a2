//! The days of a corpus and the ways CloudTrail writes them, made once because millions of records print
//! them.

use anyhow::Context;
use jiff::civil::{Date, date};

/// Seconds of a day.
pub(super) const DAY: i64 = 86_400;

/// The days from the first one, and some more for what expires after the last.
#[derive(Debug)]
pub(super) struct Days {
    /// Seconds since 1970 at the start of the first day.
    pub(super) start: i64,
    /// How many days the corpus covers.
    pub(super) count: i64,
    written: Vec<Written>,
}

/// One day in the forms that records and paths need.
#[derive(Debug)]
pub(super) struct Written {
    /// `2026-03-01`.
    pub(super) iso: String,
    /// `Mar 1, 2026`.
    pub(super) words: String,
    /// `2026/03/01`.
    pub(super) path: String,
    /// `20260301`.
    pub(super) plain: String,
}

impl Days {
    pub(super) fn new(count: u32) -> anyhow::Result<Self> {
        let first: Date = date(2026, 3, 1);
        let days = first.series(jiff::Span::new().days(1));
        let extra = usize::try_from(count)? + 4;
        let written = days.take(extra).map(|day| Written {
            iso: day.strftime("%Y-%m-%d").to_string(),
            words: day.strftime("%b %-d, %Y").to_string(),
            path: day.strftime("%Y/%m/%d").to_string(),
            plain: day.strftime("%Y%m%d").to_string(),
        });
        let start = first
            .to_zoned(jiff::tz::TimeZone::UTC)
            .context("a day out of range")?;
        Ok(Self {
            start: start.timestamp().as_second(),
            count: i64::from(count),
            written: written.collect(),
        })
    }

    /// The day of `at` and the hour, minute and second in it.
    pub(super) fn split(&self, at: i64) -> (&Written, [i64; 3]) {
        const NONE: &Written = &Written {
            iso: String::new(),
            words: String::new(),
            path: String::new(),
            plain: String::new(),
        };
        let since = (at - self.start).max(0);
        let second = since % DAY;
        let day = usize::try_from(since / DAY)
            .ok()
            .and_then(|place| self.written.get(place));
        (
            day.unwrap_or(NONE),
            [second / 3_600, second / 60 % 60, second % 60],
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_splits_into_day_and_clock() {
        let days = Days::new(2).unwrap();
        let (day, clock) = days.split(days.start + DAY + 3_723);
        assert_eq!(
            (day.iso.as_str(), day.words.as_str()),
            ("2026-03-02", "Mar 2, 2026")
        );
        assert_eq!(
            (day.path.as_str(), day.plain.as_str()),
            ("2026/03/02", "20260302")
        );
        assert_eq!(clock, [1, 2, 3]);
    }
}
