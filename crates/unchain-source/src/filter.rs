//! Which part of the logs is wanted: by path before a file is opened, then exactly by record.
//!
//! A path may only rule a file out when no event inside could match, so its margins are wide; the
//! answer is the same with and without it, and a test holds that.

use crate::layout::Layout;
use unchain_core::event::Event;
use unchain_core::time::Timestamp;

/// CloudTrail tries for 30 days to deliver a file that a bucket refused, and late records carry their
/// own old time, so a file may hold events this many seconds older than its name (31 days).
const DELIVERED_LATE: i64 = 31 * 86_400;
/// A file is named by the time of writing; clocks and renamed copies are given one day.
const WRITTEN_EARLY: i64 = 86_400;
/// Where the global services of each partition are logged. A trail of one region holds their events
/// in its own folder, so a search for these regions looks into every folder.
const GLOBAL_REGIONS: [&str; 3] = ["us-east-1", "us-gov-west-1", "cn-north-1"];

/// What to read. An empty filter keeps all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Keep events at or after this instant.
    pub since: Option<Timestamp>,
    /// Keep events before this instant.
    pub until: Option<Timestamp>,
    /// Keep events received by these accounts (`recipientAccountId`, or the caller's account where a
    /// record has none); empty for all.
    pub accounts: Vec<String>,
    /// Keep events of these regions (`awsRegion`); empty for all.
    pub regions: Vec<String>,
}

impl Filter {
    /// Whether everything is kept.
    pub fn is_empty(&self) -> bool {
        self.since.is_none()
            && self.until.is_none()
            && self.accounts.is_empty()
            && self.regions.is_empty()
    }

    /// Whether no event of a file at this place in the layout can be kept.
    pub fn rules_out(&self, layout: &Layout) -> bool {
        self.time_rules_out(layout)
            || self.account_rules_out(layout)
            || self.region_rules_out(layout)
    }

    /// Whether an event is wanted.
    pub fn keeps(&self, event: &Event<'_>) -> bool {
        self.since.is_none_or(|since| event.time >= since)
            && self.until.is_none_or(|until| event.time < until)
            && (self.regions.is_empty() || self.regions.iter().any(|r| r == event.region))
            && (self.accounts.is_empty() || self.keeps_account(event))
    }

    fn keeps_account(&self, event: &Event<'_>) -> bool {
        if !event.recipient.is_empty() {
            return self.accounts.iter().any(|a| a == event.recipient);
        }
        let caller = event
            .identity
            .and_then(|identity| identity.get("accountId")?.scalar());
        caller.is_some_and(|caller| self.accounts.iter().any(|a| *a == caller))
    }

    fn time_rules_out(&self, layout: &Layout) -> bool {
        let Some((first, last)) = layout.written else {
            return false;
        };
        self.since
            .is_some_and(|since| last.plus(WRITTEN_EARLY) < since)
            || self
                .until
                .is_some_and(|until| first.plus(-DELIVERED_LATE) >= until)
    }

    fn account_rules_out(&self, layout: &Layout) -> bool {
        let Some(account) = &layout.account else {
            return false;
        };
        !self.accounts.is_empty() && !self.accounts.contains(account)
    }

    fn region_rules_out(&self, layout: &Layout) -> bool {
        let Some(region) = &layout.region else {
            return false;
        };
        let global = self
            .regions
            .iter()
            .any(|r| GLOBAL_REGIONS.contains(&r.as_str()));
        !self.regions.is_empty() && !global && !self.regions.contains(region)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use unchain_core::record::parse_at;

    fn at(text: &str) -> Option<Timestamp> {
        Some(Timestamp::parse(text).expect(text))
    }

    fn file() -> Layout {
        let path = "AWSLogs/111122223333/CloudTrail/eu-west-1/2024/03/10/111122223333_CloudTrail_eu-west-1_20240310T1200Z_x.json.gz";
        Layout::of(Path::new(path)).expect(path)
    }

    #[test]
    fn time_prunes_only_outside_the_margins() {
        let since = |text| {
            Filter {
                since: at(text),
                ..Filter::default()
            }
            .rules_out(&file())
        };
        let until = |text| {
            Filter {
                until: at(text),
                ..Filter::default()
            }
            .rules_out(&file())
        };
        assert!(!since("2024-03-11T12:00:59Z"));
        assert!(since("2024-03-11T12:01:00Z"));
        assert!(!until("2024-02-09T12:00:01Z"));
        assert!(until("2024-02-08T12:00:00Z"));
    }

    #[test]
    fn account_and_region_prune_where_they_clearly_differ() {
        let account = |a: &str| {
            Filter {
                accounts: vec![a.into()],
                ..Filter::default()
            }
            .rules_out(&file())
        };
        assert!(account("999988887777"));
        assert!(!account("111122223333"));
        let region = |r: &str| {
            Filter {
                regions: vec![r.into()],
                ..Filter::default()
            }
            .rules_out(&file())
        };
        assert!(region("eu-central-1"));
        assert!(!region("eu-west-1"));
        assert!(
            !region("us-east-1"),
            "a trail of one region holds global events in its own folder"
        );
    }

    #[test]
    fn records_are_kept_exactly() {
        let text = r#"{"eventTime":"2024-03-10T12:00:00Z","eventName":"A","eventID":"1","awsRegion":"eu-west-1","userIdentity":{"accountId":"111122223333"}}"#;
        let (event, _) = parse_at(text, 0).expect("an event");
        let keeps = |filter: Filter| filter.keeps(&event);
        assert!(keeps(Filter {
            since: at("2024-03-10T12:00:00Z"),
            ..Filter::default()
        }));
        assert!(!keeps(Filter {
            until: at("2024-03-10T12:00:00Z"),
            ..Filter::default()
        }));
        assert!(keeps(Filter {
            accounts: vec!["111122223333".into()],
            ..Filter::default()
        }));
        assert!(!keeps(Filter {
            accounts: vec!["111122223334".into()],
            ..Filter::default()
        }));
        assert!(!keeps(Filter {
            regions: vec!["us-east-1".into()],
            ..Filter::default()
        }));
    }
}
