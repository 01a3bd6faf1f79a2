//! Session tokens of a user as a way to stay.

use super::minted::{
    Issue, attempts, count, each_key, issues, network, newcomer, span, worked_after,
};
use super::{Detection, Scene};
use crate::deed::{Attribute, Deed};
use crate::finding::{Confidence, Draft, Severity};
use crate::ledger::{Fact, Seconds};
use crate::time::{DAY, HOUR};

/// Session tokens as persistence.
pub(super) const DETECTION: Detection = Detection {
    id: "session-token-persistence",
    title: "Session tokens as a way to stay",
    severity: Severity::Medium,
    techniques: &["T1550.001", "T1078.004", "T1098.001"],
    finds: "GetSessionToken by a long-term key where at least two things point to a spare: it was never used \
        while it lived, asked for more than half a day, without MFA where the user's other tokens have \
        it, from a network that came to the key within the last day, one of several unused in an hour, \
        still used after its key was switched off. High if its first use was after that, or with four of \
        these; medium with three, else low; an unused one is low by itself. One finding for each key.",
    matters: "A session token works for up to 36 hours, cannot be listed, and deactivating or deleting the key \
        that made it does not end it.",
    evaded: "Tokens of ordinary length, used at once from where the key is at home.",
    false_positives: &[
        "Tools such as aws-vault, which ask for a session token for every working day: used at once, from \
         where the user is, with MFA if the user has it.",
        "A key that leaves tokens unused day after day: being unused is no sign then.",
        "A user who moves to another network, or who once asks for a long token: one such sign alone is not reported.",
    ],
    references: &[
        "https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html",
        "https://www.netskope.com/blog/aws-loopholes-with-temporary-credentials",
    ],
    run,
};

/// The default of GetSessionToken is 12 h; who asks for more wants to need the key less often.
const LONG: Seconds = 12 * HOUR;

/// A token is called unused when the log goes on this long after it: a tool uses what it asks for at once.
const SILENT: Seconds = 6 * HOUR;

/// Unused tokens of one key within an hour from which on they are spares and no mishap.
const SPARES: usize = 3;

/// The sign that is told alone as well: tools use what they ask for.
const UNUSED: &str = "never used";

/// Signs from which on a token is reported: each alone happens in ordinary work.
const LOW: usize = 2;

/// Signs from which on it is medium.
const MEDIUM: usize = 3;

/// Signs from which on it is high.
const HIGH: usize = 4;

/// One token and what points to a spare.
struct Token<'i, 's, 'l> {
    issue: &'i Issue<'s, 'l>,
    signs: Vec<&'static str>,
    weight: usize,
    foreign: bool,
}

fn run(scene: &Scene<'_, '_>, found: &mut Vec<Draft>) {
    let all = issues(scene, |deed| deed == Deed::GetSessionToken);
    each_key(scene, &all, |of_key, off| {
        found.extend(judge(scene, of_key, off))
    });
}

fn judge(scene: &Scene<'_, '_>, of_key: &[Issue<'_, '_>], off: Option<&Fact>) -> Option<Draft> {
    let attempts = attempts(scene, of_key);
    let with_mfa = of_key.iter().any(|issue| has_mfa(scene, issue));
    let idle: Vec<Seconds> = attempts
        .iter()
        .filter(|group| group.iter().all(|i| dormant(scene, i)))
        .filter_map(|group| group.first().map(|i| i.fact.time))
        .collect();
    let idle = if habit(&idle) { Vec::new() } else { idle };
    let mut tokens: Vec<Token<'_, '_, '_>> = Vec::new();
    for group in &attempts {
        let used = group.iter().find(|i| scene.activity(i.edge.child).any());
        let Some(issue) = used.or(group.first()) else {
            continue;
        };
        tokens.push(token(scene, issue, (with_mfa, &idle, off)));
    }
    tokens.retain(|token| token.weight >= LOW || token.signs.contains(&UNUSED));
    let most = tokens.iter().map(|token| token.weight).max()?;
    let worst = tokens.iter().find(|token| token.weight == most)?;
    Some(draft(scene, worst, &tokens, (of_key.len(), off)))
}

/// Whether a key leaves tokens unused day after day: then one more says nothing.
fn habit(idle: &[Seconds]) -> bool {
    let (first, last) = (idle.first().copied(), idle.last().copied());
    idle.len() > SPARES && last.unwrap_or_default() - first.unwrap_or_default() >= 2 * DAY
}

fn has_mfa(scene: &Scene<'_, '_>, issue: &Issue<'_, '_>) -> bool {
    !scene
        .ledger
        .attribute(issue.fact, Attribute::Serial)
        .is_empty()
}

fn dormant(scene: &Scene<'_, '_>, issue: &Issue<'_, '_>) -> bool {
    let (_, end) = scene.span();
    !scene.activity(issue.edge.child).any() && end.saturating_sub(issue.fact.time) >= SILENT
}

fn lasts(scene: &Scene<'_, '_>, fact: &Fact) -> Seconds {
    let asked = scene.ledger.number(fact, Attribute::Duration);
    let until = scene.ledger.number(fact, Attribute::Expires);
    asked
        .or_else(|| until.map(|end| end.saturating_sub(fact.time)))
        .unwrap_or(LONG)
}

fn token<'i, 's, 'l>(
    scene: &Scene<'s, 'l>,
    issue: &'i Issue<'s, 'l>,
    (with_mfa, idle, off): (bool, &[Seconds], Option<&Fact>),
) -> Token<'i, 's, 'l> {
    let (key, child) = (issue.edge.parent, issue.edge.child);
    let off = off.filter(|off| off.time > issue.fact.time);
    let near = |time: &&Seconds| time.abs_diff(issue.fact.time) <= HOUR;
    let spare = dormant(scene, issue) && idle.contains(&issue.fact.time);
    let foreign = newcomer(scene, key, (network(scene, issue.fact), issue.fact.time));
    let activity = scene.activity(child);
    let first_after = off.is_some_and(|off| activity.any() && activity.first > off.time);
    let works_on = off.is_some_and(|off| worked_after(scene, child, off.time).next().is_some());
    let signs = [
        (spare, 1, UNUSED),
        (
            lasts(scene, issue.fact) > LONG,
            1,
            "asked for more than 12 h",
        ),
        (
            with_mfa && !has_mfa(scene, issue),
            1,
            "without MFA, which other tokens of the key have",
        ),
        (foreign, 1, "from a network new to the key"),
        (
            spare && idle.iter().filter(near).count() >= SPARES,
            1,
            "one of several unused within an hour",
        ),
        (
            first_after,
            HIGH,
            "first used after its key was switched off",
        ),
        (
            works_on && !first_after,
            1,
            "still used after its key was switched off",
        ),
    ];
    let found = || signs.iter().filter(|(is, ..)| *is);
    Token {
        issue,
        signs: found().map(|(_, _, words)| *words).collect(),
        weight: found().map(|(_, weight, _)| weight).sum(),
        foreign,
    }
}

fn looks(number: usize) -> String {
    if number == 1 {
        "1 looks".to_owned()
    } else {
        format!("{number} look")
    }
}

fn draft(
    scene: &Scene<'_, '_>,
    worst: &Token<'_, '_, '_>,
    tokens: &[Token<'_, '_, '_>],
    (made, off): (usize, Option<&Fact>),
) -> Draft {
    let severity = match worst.weight {
        ..MEDIUM => Severity::Low,
        MEDIUM => Severity::Medium,
        _ => Severity::High,
    };
    let key = scene.label(worst.issue.edge.parent);
    let (child, fact) = (worst.issue.edge.child, worst.issue.fact);
    let what = format!(
        "{key} made {}, of which {} as if to stay; {} for {}: {}",
        count(made, "session token"),
        looks(tokens.len()),
        scene.label(child),
        span(lasts(scene, fact)),
        worst.signs.join("; "),
    );
    let used = scene.uses(child).flat_map(|usage| scene.records(usage));
    let draft = Draft::new(child, what)
        .severity(severity)
        .confidence(if worst.weight >= HIGH {
            Confidence::High
        } else {
            Confidence::Medium
        })
        .also(tokens.iter().map(|token| token.issue.edge.child))
        .seen_in(tokens.iter().map(|token| token.issue.record()))
        .seen_in(off.map(|off| (off.time, off.id)))
        .seen_in(used);
    let draft = if worst.foreign {
        draft.from(scene.address(fact.key.client))
    } else {
        draft
    };
    if worst.signs.contains(&UNUSED) {
        return draft.not_visible(
            "Uses in accounts, regions and data events that are not in the log: a token that seems unused may \
             have worked there.",
        );
    }
    draft
}
