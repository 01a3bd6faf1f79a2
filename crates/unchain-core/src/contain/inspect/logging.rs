//! Whether trails record what a lineage is told by.
//!
//! docs.aws.amazon.com/awscloudtrail/latest/userguide/best-practices-security.html and
//! …/logging-management-events-with-cloudtrail.html: `AssumeRole` is a read event.

use super::super::facts::{Account, Facts, Recorded, Trail};
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
    let mut lacks = |code, test: &dyn Fn(&Trail) -> bool, words| {
        let lacks = !live().any(|trail| test(trail));
        if lacks {
            found.add(code, id, words);
        }
        lacks
    };
    let words = (
        "no trail records: event history is all there is, for 90 days",
        "make a trail for all regions",
    );
    if lacks("no-trail", &|_| true, words) {
        return;
    }
    lacks(
        "no-trail-of-all-regions",
        &|trail| trail.multi_region,
        (
            "no trail records every region: a session used elsewhere leaves nothing",
            "make the trail a multi-region trail",
        ),
    );
    lacks(
        "log-validation-off",
        &|trail| trail.validated,
        (
            "no trail writes digests: that files are missing or changed cannot be seen",
            "enable log file validation",
        ),
    );
    let recorded = |trail: &Trail, test: fn(Recorded) -> bool| trail.recorded.is_none_or(test);
    lacks(
        "issuing-not-logged",
        &|trail| recorded(trail, |recorded| recorded.issuing),
        (
            "no trail records read events of STS: AssumeRole is one, so sessions have no origin",
            "record all management events, read and write",
        ),
    );
    lacks(
        "changes-not-logged",
        &|trail| recorded(trail, |recorded| recorded.changing),
        (
            "no trail records write events of IAM: new keys and policies leave nothing",
            "record all management events, read and write",
        ),
    );
}
