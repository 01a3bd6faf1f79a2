//! Holes in the chains of digests: which are told, how bad they are, and which are let through.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail where the test should"
)]

use unchain_core::detect;
use unchain_core::digest::Digest;
use unchain_core::finding::{Finding, Severity};
use unchain_core::ledger::Ledger;
use unchain_core::lineage::Lineage;
use unchain_core::record::plain;
use unchain_core::report::{DigestCoverage, coverage};
use unchain_core::time::{Seconds, Timestamp, seconds};

/// One call in each hour from 9 to 17, of a credential in one account and region.
const DAY: &str = "day 2026-03-02\naccount 111122223333 as shop\nuser alice in shop key A from 192.0.2.14\n\
    user carl in shop key C from 192.0.2.15\n09:00 A DescribeInstances every 1h times 9\n";

fn at(hour: Seconds) -> Seconds {
    seconds(Timestamp::parse("2026-03-02T00:00:00Z").unwrap()) + hour * 3600
}

/// The digest of the hour that ends at `hour`.
fn digest(hour: Seconds) -> Digest<String> {
    Digest {
        account: "111122223333".to_owned(),
        region: "us-east-1".to_owned(),
        trail: "main".to_owned(),
        backfill: false,
        start: at(hour - 1),
        end: at(hour),
        previous: Some(at(hour - 1)),
        files: 1,
        events: Some((at(hour - 1), at(hour) - 1)),
    }
}

/// The digests of some hours.
fn digests(hours: impl IntoIterator<Item = Seconds>) -> Vec<Digest<String>> {
    hours.into_iter().map(digest).collect()
}

/// What is found about digests in a story, and what is covered.
fn found(story: &str, digests: &[Digest<String>]) -> (Vec<Finding>, Option<DigestCoverage>) {
    let mut ledger = Ledger::default();
    for record in unchain_trail::records(story).unwrap() {
        ledger.apply(&plain(&record).unwrap());
    }
    digests.iter().for_each(|digest| ledger.add_digest(digest));
    ledger.settle();
    let lineage = Lineage::build(&ledger);
    let mut findings = detect::with_defaults(&lineage, &ledger);
    findings.retain(|f| f.detection == "log-gap" && f.what.raw().contains("digest"));
    (findings, coverage(&lineage).digests)
}

/// The severities of what is found about digests.
fn severities(story: &str, digests: &[Digest<String>]) -> Vec<Severity> {
    let (findings, _) = found(story, digests);
    findings.iter().map(|finding| finding.severity).collect()
}

/// A chain in which the digest that follows a hole names `previous`.
fn broken(before: Seconds, after: Seconds, previous: Option<Seconds>) -> Vec<Digest<String>> {
    let mut all = digests((10..=before).chain(after..=17));
    let next = all.iter_mut().find(|digest| digest.end == at(after));
    next.unwrap().previous = previous.map(at);
    all
}

#[test]
fn an_unbroken_chain_is_no_finding_however_short() {
    assert_eq!(severities(DAY, &digests(12..=15)), []);
    let (_, covered) = found(DAY, &digests(12..=15));
    let covered = covered.unwrap();
    assert_eq!((covered.seen, covered.holes), (4, 0));
    assert_eq!(covered.from.to_string(), "2026-03-02T11:00:00Z");
    assert_eq!(covered.to.to_string(), "2026-03-02T15:00:00Z");
    assert_eq!(found(DAY, &[]).1, None);
}

#[test]
fn a_digest_that_is_named_and_gone_is_told() {
    let (findings, covered) = found(DAY, &broken(11, 14, Some(13)));
    let finding = findings.first().unwrap();
    assert_eq!(
        finding.severity,
        Severity::Medium,
        "there are events of that time"
    );
    let what = finding.what.raw();
    assert!(
        what.contains("from 2026-03-02T11:00:00Z to 2026-03-02T13:00:00Z"),
        "{what}"
    );
    assert!(
        what.contains("names one that is not here, and there are events"),
        "{what}"
    );
    assert_eq!((findings.len(), covered.unwrap().holes), (1, 1));
    let morning = DAY.replace("times 9", "times 2");
    let mut quiet = broken(11, 14, Some(13));
    quiet.iter_mut().for_each(|digest| digest.files = 0);
    assert_eq!(severities(&morning, &quiet), [Severity::Low]);
}

#[test]
fn a_new_chain_and_a_pause_without_a_reason_are_told() {
    for previous in [None, Some(11)] {
        assert_eq!(
            severities(DAY, &broken(11, 14, previous)),
            [Severity::Medium]
        );
    }
    let deleted = format!("{DAY}10:50 C DeleteTrail main\n");
    assert_eq!(
        severities(&deleted, &broken(11, 14, None)),
        [Severity::High]
    );
}

#[test]
fn what_the_owner_did_is_let_through() {
    let restart = format!("{DAY}10:50 A StopLogging main\n12:55 A StartLogging main\n");
    for previous in [None, Some(11)] {
        assert_eq!(severities(&restart, &broken(11, 14, previous)), []);
    }
    let by_another = restart.replace("12:55 A", "12:55 C");
    assert_eq!(
        severities(&by_another, &broken(11, 14, None)),
        [Severity::High]
    );
    assert_eq!(
        severities(&restart, &broken(11, 14, Some(13))),
        [Severity::High]
    );
    let off =
        format!("{DAY}10:50 C cloudtrail:UpdateTrail name=main enableLogFileValidation=false\n");
    assert_eq!(
        severities(&off, &broken(11, 14, None)),
        [Severity::Informational]
    );
    assert_eq!(
        severities(&off, &broken(11, 14, Some(13))),
        [Severity::Medium]
    );
    let mut late = digest(12);
    late.backfill = true;
    let mut filled = broken(11, 14, Some(13));
    filled.push(late);
    assert_eq!(severities(DAY, &filled), []);
}

#[test]
fn files_that_are_listed_and_not_here_are_told_if_others_are_here() {
    let morning = DAY.replace("times 9", "times 2");
    let (findings, _) = found(&morning, &digests(10..=14));
    let finding = findings.first().unwrap();
    assert_eq!((findings.len(), finding.severity), (1, Severity::Low));
    let what = finding.what.raw();
    assert!(
        what.starts_with("3 log files of account 111122223333 that 3 digests list"),
        "{what}"
    );
    assert_eq!(
        severities(&morning, &digests(12..=14)),
        [],
        "none of those listed is here"
    );
    let mut nothing = digests(10..=14);
    nothing.iter_mut().for_each(|digest| digest.files = 0);
    assert_eq!(severities(&morning, &nothing), [], "an hour may be empty");
}
