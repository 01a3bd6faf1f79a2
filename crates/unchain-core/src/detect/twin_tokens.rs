//! One call that gave two credentials, of which one was never used.

use super::minted::{Issue, attempts, count, issues};
use super::{Detection, Scene};
use crate::deed::{Attribute, Deed};
use crate::finding::{Draft, Severity};

/// Twin tokens.
pub(super) const DETECTION: Detection = Detection {
    id: "twin-tokens",
    title: "Unused twin of a credential",
    severity: Severity::Informational,
    techniques: &["T1550.001"],
    finds: "The same caller makes the same call twice within a second, both succeed, and one of the two \
        credentials is never used. One finding for each caller.",
    matters: "The unused twin works as long as the used one and is easily forgotten when credentials are \
        counted and revoked.",
    evaded: "Using both, or asking again more than a second later.",
    false_positives: &[
        "SDKs that fetch credentials in two places at once: most twins come from these, so it is never more \
         than informational.",
        "Parallel jobs that use both, attempts of which one is denied, and roles that services assume: not counted.",
    ],
    references: &["https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html"],
    run,
};

fn run(scene: &Scene<'_, '_>, found: &mut Vec<Draft>) {
    let all = issues(scene, |deed| {
        matches!(
            deed,
            Deed::AssumeRole | Deed::GetSessionToken | Deed::GetFederationToken
        )
    });
    for of_caller in all.chunk_by(|a, b| a.edge.parent == b.edge.parent) {
        let near =
            |pair: &[Issue<'_, '_>]| matches!(pair, [a, b] if b.fact.time - a.fact.time <= 1);
        if of_caller.windows(2).any(near) {
            found.extend(judge(scene, of_caller));
        }
    }
}

/// The attempts that gave one credential that was used and others that were not.
fn judge(scene: &Scene<'_, '_>, of_caller: &[Issue<'_, '_>]) -> Option<Draft> {
    let used = |issue: &&Issue<'_, '_>| scene.activity(issue.edge.child).any();
    let mut twins = attempts(scene, of_caller);
    twins.retain(|group| group.iter().any(used) && !group.iter().all(used));
    let first = twins.first()?.first()?;
    let unused = || twins.iter().flatten().filter(|issue| !used(issue));
    let role = match scene.text(first.fact, Attribute::Role) {
        "" => String::new(),
        role => format!(", first for {role}"),
    };
    let what = format!(
        "{} was given two credentials by one call within a second, {}{role}: {} never used",
        scene.label(first.edge.parent),
        count(twins.len(), "time"),
        count(unused().count(), "credential"),
    );
    let draft = Draft::new(first.edge.parent, what)
        .also(unused().map(|issue| issue.edge.child))
        .seen_in(twins.iter().flatten().map(|issue| issue.record()));
    Some(draft.not_visible(
        "Uses in accounts, regions and data events that are not in the log: there the unused one may have worked.",
    ))
}
