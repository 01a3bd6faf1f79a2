//! A digest file: which log files CloudTrail says it delivered in an hour, and which digest came before.
//!
//! Its signature and hashes are not checked here; what it says is text from a file like any other.
//! Fields: docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html.
//! Must not know ledgers.

use crate::time::{Seconds, Timestamp, seconds};
use serde_json::{Map, Value};

/// A digest file. Texts are as logged; `T` is a text or what stands for one. Times are seconds since
/// 1970, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest<T> {
    /// `awsAccountId`.
    pub account: T,
    /// The region whose log files it lists, from `digestS3Object`.
    pub region: T,
    /// The name of the trail, from `digestS3Object`.
    pub trail: T,
    /// Whether it belongs to the chain that CloudTrail writes afterwards, for files that came late.
    pub backfill: bool,
    /// `digestStartTime`.
    pub start: Seconds,
    /// `digestEndTime`; the name of the file has it too.
    pub end: Seconds,
    /// The end of the digest before, from the name in `previousDigestS3Object`; none at the start of a
    /// chain.
    pub previous: Option<Seconds>,
    /// How many files with records of calls it lists.
    pub files: u32,
    /// `oldestEventTime` and `newestEventTime` over these files.
    pub events: Option<(Seconds, Seconds)>,
}

impl<T> Digest<T> {
    /// The same with other texts.
    pub fn map<U>(&self, mut text: impl FnMut(&T) -> U) -> Digest<U> {
        Digest {
            account: text(&self.account),
            region: text(&self.region),
            trail: text(&self.trail),
            backfill: self.backfill,
            start: self.start,
            end: self.end,
            previous: self.previous,
            files: self.files,
            events: self.events,
        }
    }
}

impl Digest<String> {
    /// Reads a digest; `None` if a part that places it in its chain is missing or not as documented.
    pub fn read(members: &Map<String, Value>) -> Option<Self> {
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        let account = text("awsAccountId").filter(|a| is_account(a))?;
        let name = Name::of(text("digestS3Object")?)?;
        let (start, end) = (
            time(members, "digestStartTime")?,
            time(members, "digestEndTime")?,
        );
        let previous = match members.get("previousDigestS3Object") {
            None | Some(Value::Null) => None,
            Some(key) => Some(Name::of(key.as_str()?)?.end),
        };
        let listed = members.get("logFiles")?.as_array()?;
        let logs = || {
            listed
                .iter()
                .filter_map(Value::as_object)
                .filter(|file| is_log(file))
        };
        let oldest = logs()
            .filter_map(|file| time(file, "oldestEventTime"))
            .min();
        let newest = logs()
            .filter_map(|file| time(file, "newestEventTime"))
            .max();
        (start <= end).then(|| Self {
            account: account.to_owned(),
            region: name.region.to_owned(),
            trail: name.trail.to_owned(),
            backfill: name.backfill,
            start,
            end,
            previous,
            files: u32::try_from(logs().count()).unwrap_or(u32::MAX),
            events: oldest
                .zip(newest)
                .filter(|(oldest, newest)| oldest <= newest),
        })
    }
}

/// What the name of a digest file says:
/// `ACCOUNT_CloudTrail-Digest_REGION_TRAIL_HOME_YYYYMMDDTHHMMSSZ[_backfill].json.gz`. A trail's name may
/// hold underscores.
struct Name<'a> {
    region: &'a str,
    trail: &'a str,
    end: Seconds,
    backfill: bool,
}

impl<'a> Name<'a> {
    fn of(key: &'a str) -> Option<Self> {
        let name = key.rsplit('/').next()?;
        let name = name.split_once(".json").map_or(name, |(name, _)| name);
        let plain = name.strip_suffix("_backfill");
        let (_, rest) = plain.unwrap_or(name).split_once("_CloudTrail-Digest_")?;
        let (region, rest) = rest.split_once('_')?;
        let (rest, end) = rest.rsplit_once('_')?;
        let (trail, _home) = rest.rsplit_once('_')?;
        Some(Self {
            region,
            trail,
            end: Timestamp::parse(end).map(seconds)?,
            backfill: plain.is_some(),
        })
    }
}

fn time(members: &Map<String, Value>, name: &str) -> Option<Seconds> {
    let text = members.get(name)?.as_str()?;
    Timestamp::parse(text).map(seconds)
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// Whether a listed file holds records of calls: insights and aggregated records are listed too.
fn is_log(file: &Map<String, Value>) -> bool {
    let key = file.get("s3Object").and_then(Value::as_str);
    let name = key.and_then(|key| key.rsplit('/').next());
    name.is_some_and(|name| name.split('_').nth(1) == Some("CloudTrail"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn digest(change: impl FnOnce(&mut Value)) -> Option<Digest<String>> {
        let mut value = json!({
            "awsAccountId": "111122223333",
            "digestStartTime": "2026-03-02T09:01:31Z", "digestEndTime": "2026-03-02T10:01:31Z",
            "digestS3Object": "p/AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/03/02/111122223333_CloudTrail-Digest_eu-west-1_my_own_trail_us-east-1_20260302T100131Z.json.gz",
            "previousDigestS3Object": "x/111122223333_CloudTrail-Digest_eu-west-1_my_own_trail_us-east-1_20260302T090131Z.json.gz",
            "logFiles": [
                {"s3Object": "a/111122223333_CloudTrail_eu-west-1_20260302T0905Z_a.json.gz", "oldestEventTime": "2026-03-02T08:58:00Z", "newestEventTime": "2026-03-02T09:04:00Z"},
                {"s3Object": "a/111122223333_CloudTrail_eu-west-1_20260302T0915Z_b.json.gz", "oldestEventTime": "2026-03-02T09:03:00Z", "newestEventTime": "2026-03-02T09:12:00Z"},
                {"s3Object": "a/111122223333_CloudTrail-Insight_eu-west-1_20260302T0915Z_b.json.gz", "oldestEventTime": "2026-03-01T00:00:00Z", "newestEventTime": "2026-03-02T09:12:00Z"},
            ],
        });
        change(&mut value);
        Digest::read(value.as_object()?)
    }

    fn at(text: &str) -> Seconds {
        Timestamp::parse(text).map(seconds).expect(text)
    }

    #[test]
    fn its_place_in_the_chain_is_read() {
        let read = digest(|_| {}).expect("a digest");
        let (region, trail) = (read.region.as_str(), read.trail.as_str());
        assert_eq!(
            (region, trail, read.backfill),
            ("eu-west-1", "my_own_trail", false)
        );
        assert_eq!(
            (read.end, read.previous),
            (at("2026-03-02T10:01:31Z"), Some(at("2026-03-02T09:01:31Z")))
        );
        assert_eq!(read.files, 2, "an insight is no log");
        assert_eq!(
            read.events,
            Some((at("2026-03-02T08:58:00Z"), at("2026-03-02T09:12:00Z")))
        );
        let late = digest(|d| {
            let key = d["digestS3Object"]
                .as_str()
                .expect("a key")
                .replace("Z.json", "Z_backfill.json");
            d["digestS3Object"] = key.into();
        });
        assert!(late.expect("a digest").backfill);
        let first = digest(|d| d["previousDigestS3Object"] = Value::Null);
        assert_eq!(first.expect("a digest").previous, None);
    }

    #[test]
    fn one_that_cannot_be_placed_is_none() {
        for (member, value) in [
            ("awsAccountId", json!("\u{1b}[2J")),
            ("digestStartTime", json!("2026-03-02T11:00:00Z")),
            ("digestEndTime", json!(7)),
            ("digestS3Object", json!("k")),
            ("previousDigestS3Object", json!("k")),
            ("logFiles", json!({})),
        ] {
            assert_eq!(digest(|d| d[member] = value), None, "{member}");
        }
    }
}
