//! Whether trails record what a lineage is told by.
//!
//! docs.aws.amazon.com/awscloudtrail/latest/userguide/best-practices-security.html and
//! …/logging-management-events-with-cloudtrail.html: `AssumeRole` is a read event.

use super::super::facts::{Account, Facts, Trail};
use super::controls::Found;

pub(super) fn controls(facts: &Facts, (id, account): (&str, &Account), found: &mut Found) {
    for (arn, trail) in &account.trails {
        if trail.logging == Some(false) {
            let missing = "the trail was stopped";
            found.add(
                "trail-stopped",
                arn,
                (missing, "start it, and find out who stopped it"),
            );
        }
    }
    let others = facts
        .accounts
        .values()
        .flat_map(|account| account.trails.values());
    let member = facts.answers.members.contains_key(id) || !facts.scps(id).is_empty();
    let of_organization = others.filter(|trail| trail.organization && member);
    let trails: Vec<&Trail> = account.trails.values().chain(of_organization).collect();
    if !account.trails_read {
        return;
    }
    let live = || trails.iter().filter(|trail| trail.logging != Some(false));
    for (code, test, words) in WANTED {
        if !live().any(|trail| test(trail)) {
            found.add(code, id, words);
            // What is not there at all lacks nothing else.
            if code == "no-trail" {
                return;
            }
        }
    }
}

type Wanted = (
    &'static str,
    fn(&Trail) -> bool,
    (&'static str, &'static str),
);

/// What at least one trail must do. What was not read of a trail is not held against it.
const WANTED: [Wanted; 5] = [
    (
        "no-trail",
        |_| true,
        (
            "no trail records: event history is all there is, for 90 days",
            "make a trail for all regions",
        ),
    ),
    (
        "no-trail-of-all-regions",
        |trail| trail.multi_region,
        (
            "no trail records every region: a session used elsewhere leaves nothing",
            "make the trail a multi-region trail",
        ),
    ),
    (
        "log-validation-off",
        |trail| trail.validated,
        (
            "no trail writes digests: that files are missing or changed cannot be seen",
            "enable log file validation",
        ),
    ),
    (
        "issuing-not-logged",
        |trail| trail.recorded.is_none_or(|recorded| recorded.issuing),
        (
            "no trail records read events of STS: AssumeRole is one, so sessions have no origin",
            "record all management events, read and write",
        ),
    ),
    (
        "changes-not-logged",
        |trail| trail.recorded.is_none_or(|recorded| recorded.changing),
        (
            "no trail records write events of IAM: new keys and policies leave nothing",
            "record all management events, read and write",
        ),
    ),
];
