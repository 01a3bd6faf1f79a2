//! Sessions of the root user of a member account.

use super::minted::{Issue, count, issues, network};
use super::{Detection, Network, Scene};
use crate::deed::{Attribute, Deed};
use crate::finding::{Confidence, Draft, Severity};
use crate::ledger::{EventKey, Seconds, Symbol};
use crate::time::DAY;
use std::collections::{BTreeMap, BTreeSet};

/// Root sessions.
pub(super) const DETECTION: Detection = Detection {
    id: "assume-root",
    title: "Root session of a member account",
    severity: Severity::Medium,
    techniques: &["T1548.005", "T1098.003"],
    finds: "AssumeRoot by a principal that does not use it on three days or more. High if the root session is used from \
        another network than the call, medium for the task that lets the root user set a password \
        (IAMCreateRootUserPassword), low for the others. One finding for each caller and task.",
    matters: "Root of a member account is above every policy of that account; with a password it lasts.",
    evaded: "Calls by a principal that does this on three days or more.",
    false_positives: &[
        "A client with an IPv4 and an IPv6 address, or behind a VPC endpoint: no other network.",
        "Central management of root access by a principal that does it regularly: not reported.",
        "Audits of root credentials (IAMAuditRootUserCredentials), which only read: not reported, unless the session \
         moves to another network.",
    ],
    references: &[
        "https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoot.html",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-track-privileged-tasks.html",
    ],
    run,
};

/// Lets root set a password again, and so sign in.
const PASSWORD: &str = "IAMCreateRootUserPassword";

/// Days with such calls from which on they are the caller's work.
const ROUTINE: usize = 3;

/// Reads only.
const AUDIT: &str = "IAMAuditRootUserCredentials";

fn run(scene: &Scene<'_, '_>, found: &mut Vec<Draft>) {
    let mut by_caller: BTreeMap<(Symbol, &str), Vec<Issue<'_, '_>>> = BTreeMap::new();
    for issue in issues(scene, |deed| deed == Deed::AssumeRoot) {
        let who = scene.ledger.caller(issue.fact.key.caller).unique_id;
        let task = scene.text(issue.fact, Attribute::PolicyArn);
        let task = task.rsplit('/').next().unwrap_or_default();
        by_caller.entry((who, task)).or_default().push(issue);
    }
    for ((_, task), mut issues) in by_caller {
        issues.sort_by_key(|issue| (issue.fact.time, issue.fact.hash));
        found.extend(judge(scene, task, &issues));
    }
}

fn judge(scene: &Scene<'_, '_>, task: &str, issues: &[Issue<'_, '_>]) -> Option<Draft> {
    let first = issues.first()?;
    let days: BTreeSet<Seconds> = issues.iter().map(|issue| issue.fact.time / DAY).collect();
    let routine = days.len() >= ROUTINE;
    let moved = issues.iter().find_map(|issue| moved(scene, issue));
    let severity = match (moved, routine, task) {
        (Some(_), ..) => Severity::High,
        (None, true, _) | (None, false, AUDIT) => return None,
        (None, false, PASSWORD) => Severity::Medium,
        (None, false, _) => Severity::Low,
    };
    let used = match moved {
        Some((_, _, address)) => format!(
            ", and a session was used from {}, another network",
            scene.ledger.text(address)
        ),
        None => String::new(),
    };
    let what = format!(
        "{} took {} in {} for the task {task}{used}",
        scene.label(first.edge.parent),
        count(issues.len(), "root session"),
        accounts(scene, issues),
    );
    let uses = issues.iter().flat_map(|issue| {
        let uses = scene.uses(issue.edge.child);
        uses.flat_map(|usage| scene.records(usage))
    });
    let draft = Draft::new(first.edge.child, what)
        .distinct(task)
        .severity(severity)
        .confidence(Confidence::Medium)
        .also(issues.iter().map(|issue| issue.edge.child))
        .seen_in(issues.iter().map(Issue::record))
        .seen_in(moved.map(|(time, id, _)| (time, id)))
        .seen_in(uses);
    Some(match moved {
        Some((_, _, address)) => draft.from(address),
        None => draft.not_visible(
            "Whether this is usual for the caller: give a log that reaches further back. What the session did, if \
             the member account's trail is not in the log.",
        ),
    })
}

/// The accounts, three of them by name.
fn accounts(scene: &Scene<'_, '_>, issues: &[Issue<'_, '_>]) -> String {
    let account = |issue: &Issue<'_, '_>| scene.lineage.account(issue.edge.child).raw().to_owned();
    let accounts: BTreeSet<String> = issues.iter().map(account).collect();
    let named: Vec<&str> = accounts.iter().take(3).map(String::as_str).collect();
    match accounts.len() {
        ..=3 => named.join(", "),
        n => format!("{} and {} more", named.join(", "), n - 3),
    }
}

/// A use of the root session from another network than the call that made it. A client with both kinds of
/// address shows one here and one there, and calls over a VPC endpoint come from a private address.
fn moved(scene: &Scene<'_, '_>, issue: &Issue<'_, '_>) -> Option<(Seconds, EventKey, Symbol)> {
    let home = network(scene, issue.fact);
    let six = |client| scene.ledger.text(scene.address(client)).contains(':');
    let public = |network: Network| network.is_some() && !scene.networks.is_private(network);
    let uses = scene.uses(issue.edge.child).filter(|usage| {
        let from = scene.network(usage);
        let same_kind = six(usage.key.client) == six(issue.fact.key.client);
        public(home) && public(from) && from != home && same_kind
    });
    let uses = uses.map(|usage| {
        let address = scene.address(usage.key.client);
        (usage.first.seconds(), usage.first_id, address)
    });
    uses.min_by_key(|(time, id, _)| (*time, *id))
}
