//! The part of time that is shown, and where an instant stands in it. Must not know what is drawn.

use unchain_core::time::Timestamp;

/// The whole width, in hundredths of a percent.
pub(crate) const WIDTH: i64 = 10_000;
/// Marks on an axis, at most.
const TICKS: i64 = 8;
/// Seconds of a day.
const DAY: i64 = 86_400;
/// 1970 began on a Thursday; weeks begin on a Monday.
const MONDAY: i64 = 4 * DAY;

/// Distances of marks in seconds.
const STEPS: [i64; 21] = [
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1800,
    3600,
    2 * 3600,
    3 * 3600,
    6 * 3600,
    12 * 3600,
    DAY,
    2 * DAY,
    7 * DAY,
    14 * DAY,
];
/// Distances of marks in months, where days are too many.
const MONTHS: [i64; 12] = [1, 2, 3, 6, 12, 24, 60, 120, 300, 600, 1200, 24_000];

/// From one instant to a later one, in seconds since 1970 (UTC).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    from: i64,
    to: i64,
}

/// A mark of an axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tick {
    /// Where, in hundredths of a percent.
    pub(crate) place: i64,
    /// What it says: a time of day, a day or a month.
    pub(crate) label: String,
    /// The day or the year, where it is another than that of the mark before.
    pub(crate) under: Option<String>,
}

impl Window {
    /// From `from` to `to`, at least a second, within the years that a [`Timestamp`] has.
    pub(crate) fn new(from: i64, to: i64) -> Self {
        let clamped = |seconds| Timestamp::from_seconds(seconds).seconds();
        let last = clamped(i64::MAX);
        let from = clamped(from).min(last - 1);
        Self {
            from,
            to: clamped(to).max(from + 1),
        }
    }

    /// Around what happened, with a little room on both sides.
    pub(crate) fn around(first: i64, last: i64) -> Self {
        let room = (last.saturating_sub(first) / 40).max(30);
        Self::new(first.saturating_sub(room), last.saturating_add(room))
    }

    /// Where it begins.
    pub(crate) fn from(self) -> Timestamp {
        Timestamp::from_seconds(self.from)
    }

    /// Where it ends.
    pub(crate) fn to(self) -> Timestamp {
        Timestamp::from_seconds(self.to)
    }

    /// Its length in seconds, one at least.
    pub(crate) fn span(self) -> i64 {
        self.to - self.from
    }

    /// Whether an instant is in it.
    pub(crate) fn holds(self, at: i64) -> bool {
        (self.from..=self.to).contains(&at)
    }

    /// Where an instant stands: 0 at the beginning and before, [`WIDTH`] at the end and after.
    pub(crate) fn place(self, at: i64) -> i64 {
        self.share(at, WIDTH)
    }

    /// The same as a part of `whole`.
    pub(crate) fn share(self, at: i64, whole: i64) -> i64 {
        // Both are within ten thousand years: no product here comes near the end of the numbers.
        (at.clamp(self.from, self.to) - self.from) * whole / self.span()
    }

    /// Half or double as long (`num`/`den`), about an instant that stays where it stands.
    pub(crate) fn scaled(self, about: i64, (num, den): (i64, i64)) -> Self {
        let about = if self.holds(about) {
            about
        } else {
            self.from + self.span() / 2
        };
        let left = (about - self.from) * num / den;
        let span = (self.span() * num / den).max(1);
        Self::new(about - left, about - left + span)
    }

    /// Moved by half its length: later, or with -1 earlier.
    pub(crate) fn moved(self, direction: i64) -> Self {
        let by = (self.span() / 2).max(1) * direction;
        Self::new(self.from + by, self.to + by)
    }

    /// The marks of its axis.
    pub(crate) fn ticks(self) -> Vec<Tick> {
        let fits = |step: &&i64| self.span() / **step <= TICKS;
        let (at, step) = match STEPS.iter().find(fits) {
            Some(&step) => (self.multiples(step), step),
            None => (self.months(), i64::MAX),
        };
        let mut before = String::new();
        let mut ticks = Vec::new();
        for at in at {
            let (label, whole) = words(at, step);
            ticks.push(Tick {
                place: self.place(at),
                label,
                under: (!whole.is_empty() && whole != before).then(|| whole.clone()),
            });
            before = whole;
        }
        ticks
    }

    fn multiples(self, step: i64) -> Vec<i64> {
        let origin = if step >= 7 * DAY { MONDAY } else { 0 };
        let first = (self.from - origin).div_euclid(step) * step + origin;
        let mut found = Vec::new();
        let mut at = first;
        while at <= self.to {
            if at >= self.from {
                found.push(at);
            }
            at += step;
        }
        found
    }

    fn months(self) -> Vec<i64> {
        let (first, last) = (month(self.from), month(self.to));
        let fits = |step: &i64| (last - first) / step <= TICKS;
        let step = MONTHS.into_iter().find(fits).unwrap_or(24_000);
        let begins = |month: i64| beginning(month).filter(|&at| self.holds(at));
        let rounds = first.div_euclid(step)..=last.div_euclid(step);
        rounds.filter_map(|n| begins(n * step)).collect()
    }
}

/// What is written at a mark, and beneath it.
fn words(at: i64, step: i64) -> (String, String) {
    let text = Timestamp::from_seconds(at).to_string();
    let (date, time) = text.split_once('T').unwrap_or((&text, ""));
    let (year, day) = date.split_once('-').unwrap_or((date, ""));
    let clock = time.get(..if step < 60 { 8 } else { 5 });
    match step {
        ..DAY => (clock.unwrap_or_default().to_owned(), date.to_owned()),
        DAY..i64::MAX => (day.to_owned(), year.to_owned()),
        i64::MAX => (date.get(..7).unwrap_or(date).to_owned(), String::new()),
    }
}

/// The number of an instant's month, from year 0 on.
fn month(at: i64) -> i64 {
    let text = Timestamp::from_seconds(at).to_string();
    let mut parts = text.split('-').map(|part| part.parse().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    next() * 12 + next() - 1
}

/// When a month begins, in seconds since 1970.
fn beginning(month: i64) -> Option<i64> {
    let (year, month) = (month.div_euclid(12), month.rem_euclid(12) + 1);
    let text = format!("{year:04}-{month:02}-01T00:00:00Z");
    Timestamp::parse(&text).map(Timestamp::seconds)
}

/// A place as SVG writes it.
pub(crate) fn percent(place: i64) -> String {
    format!("{}.{:02}%", place / 100, place % 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn labels(from: &str, to: &str) -> Vec<String> {
        let at = |text| Timestamp::parse(text).unwrap().seconds();
        let ticks = Window::new(at(from), at(to)).ticks().into_iter();
        ticks
            .map(|tick| match tick.under {
                Some(under) => format!("{} {under}", tick.label),
                None => tick.label,
            })
            .collect()
    }

    #[test]
    fn marks_fit_the_span() {
        assert_eq!(
            labels("2026-03-02T23:59:58Z", "2026-03-03T00:00:00Z"),
            ["23:59:58 2026-03-02", "23:59:59", "00:00:00 2026-03-03"]
        );
        assert_eq!(
            labels("2026-03-02T22:10:00Z", "2026-03-03T04:00:00Z"),
            [
                "23:00 2026-03-02",
                "00:00 2026-03-03",
                "01:00",
                "02:00",
                "03:00",
                "04:00"
            ]
        );
        assert_eq!(
            labels("2025-12-20T00:00:00Z", "2026-01-20T00:00:00Z"),
            ["12-22 2025", "12-29", "01-05 2026", "01-12", "01-19"]
        );
        assert_eq!(
            labels("2025-11-15T00:00:00Z", "2026-06-02T00:00:00Z"),
            [
                "2025-12", "2026-01", "2026-02", "2026-03", "2026-04", "2026-05", "2026-06"
            ]
        );
    }

    #[test]
    fn all_of_time_has_an_axis() {
        let window = Window::new(i64::MIN, i64::MAX);
        assert!((2..=10).contains(&window.ticks().len()));
        assert_eq!(window.from().to_string(), "0000-01-01T00:00:00Z");
        assert_eq!(window.to().to_string(), "9999-12-31T23:59:59Z");
    }

    proptest! {
        #[test]
        fn any_window_is_sound(a in any::<i64>(), b in any::<i64>(), at in any::<i64>(), short in 0i64..100_000) {
            for window in [Window::new(a, b), Window::around(a, b), Window::new(a, a.saturating_add(short))] {
                prop_assert!(window.span() >= 1);
                prop_assert!((0..=WIDTH).contains(&window.place(at)));
                let ticks = window.ticks();
                prop_assert!(ticks.len() <= 10, "{ticks:?}");
                prop_assert!(ticks.is_sorted_by_key(|tick| tick.place));
                let others = [window.scaled(at, (1, 2)), window.scaled(at, (2, 1)), window.moved(1), window.moved(-1)];
                for other in others {
                    prop_assert!(other.span() >= 1);
                    prop_assert!(Timestamp::parse(&other.from().to_string()) == Some(other.from()));
                }
            }
        }

        #[test]
        fn order_is_kept(a in any::<i64>(), b in any::<i64>(), one in any::<i64>(), other in any::<i64>()) {
            let window = Window::new(a.min(b), a.max(b));
            prop_assert_eq!(one.min(other) == one, window.place(one) <= window.place(other) && one <= other);
        }
    }
}
