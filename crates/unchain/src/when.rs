//! Instants as a person types them. Must not read the clock: now is an argument.

use clap::Args;
use std::str::FromStr;
use unchain_core::time::Timestamp;

/// The option of all commands that tell what works.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct At {
    /// The instant that status is asked for: `2026-03-02T11:40:00Z`, `2026-03-02`, `-2h`, `now`
    #[arg(
        long,
        value_name = "T",
        default_value = "now",
        allow_hyphen_values = true
    )]
    at: When,
}

impl At {
    /// The instant, given what now is.
    pub(crate) fn instant(self, now: Timestamp) -> Timestamp {
        self.at.instant(now)
    }
}

/// An instant on the command line: absolute, or relative to now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// This instant.
    At(Timestamp),
    /// So many seconds before now; `now` is 0.
    Ago(i64),
}

impl When {
    /// The instant, given what now is.
    pub(crate) fn instant(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(time) => time,
            Self::Ago(seconds) => now.plus(-seconds),
        }
    }
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "now" {
            return Ok(Self::Ago(0));
        }
        if let Some(ago) = text.strip_prefix('-').and_then(seconds) {
            return Ok(Self::Ago(ago));
        }
        Timestamp::parse(text).map(Self::At).ok_or_else(|| {
            "not an instant; give `2026-03-02T11:40:00Z`, `2026-03-02`, `-2h`, `-7d` or `now`"
                .to_owned()
        })
    }
}

/// `2h`, `30m`, `7d`, `90s`, `2w` in seconds.
fn seconds(text: &str) -> Option<i64> {
    let unit = match text.bytes().next_back()? {
        b's' => 1,
        b'm' => 60,
        b'h' => 3600,
        b'd' => 86_400,
        b'w' => 7 * 86_400,
        _ => return None,
    };
    let number = text.get(..text.len() - 1)?;
    if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    number.parse::<i64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absolute_and_relative() {
        let now = Timestamp::parse("2026-03-02T12:00:00Z").unwrap();
        let at = |text: &str| text.parse::<When>().map(|w| w.instant(now).to_string());
        assert_eq!(at("now").unwrap(), "2026-03-02T12:00:00Z");
        assert_eq!(at("-2h").unwrap(), "2026-03-02T10:00:00Z");
        assert_eq!(at("-7d").unwrap(), "2026-02-23T12:00:00Z");
        assert_eq!(at("2026-03-01").unwrap(), "2026-03-01T00:00:00Z");
        assert_eq!(
            at("2026-03-01T05:06:07+02:00").unwrap(),
            "2026-03-01T03:06:07Z"
        );
        for wrong in [
            "",
            "-",
            "-h",
            "-2y",
            "--2h",
            "-9999999999999999999d",
            "yesterday",
        ] {
            assert!(at(wrong).is_err(), "{wrong}");
        }
    }
}
