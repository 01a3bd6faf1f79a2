//! The second proof: what the log says of the lineage after the cut-off.
//!
//! It reads events by when they happened. CloudTrail delivers late and in any order, so silence counts only as far as
//! the log is shown to reach.

use super::super::apply::{Happened, Receipt, Work};
use super::super::plan::{Action, PROPAGATION, Phase, Plan, Subject};
use super::reach::reach;
use super::{CodeClass, Conclusion, Now, Reason, Snapshot, name};
use crate::ledger::{Ledger, Seconds, Use, seconds};
use crate::report::Report;
use crate::text::Untrusted;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// From when on no call may succeed, and how far the log must reach.
pub(super) struct Window {
    pub(super) after: Timestamp,
    pub(super) until: Timestamp,
}

impl Window {
    /// The plan's own, or as much later as the plan was carried out later: a run that was broken off and resumed puts
    /// its denies after the instant that the plan foresaw.
    pub(super) fn of<'r>(plan: &Plan, receipts: impl Iterator<Item = &'r Receipt>) -> Self {
        let planned = plan.steps.iter().find_map(|step| match step.action {
            Action::Verify { after, until } => Some((after, until)),
            Action::Call(_) | Action::Wait(_) => None,
        });
        let (after, until) = planned.unwrap_or((plan.cut_off, plan.cut_off));
        let before = |number: u32| {
            let step = plan.steps.iter().find(|step| step.number == number);
            step.is_some_and(|step| step.phase < Phase::Verify)
        };
        let done = receipts.filter(|r| r.work == Work::Apply && before(r.step));
        let acted = done.filter(|r| matches!(r.what, Happened::Done { already: false, .. }));
        let acted = acted.map(|r| r.at.plus(i64::from(PROPAGATION))).max();
        let later = acted.map_or(0, |acted| (acted.seconds() - after.seconds()).max(0));
        Self {
            after: after.plus(later),
            until: until.plus(later),
        }
    }
}

/// A call of the lineage that succeeded after the cut-off.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Success {
    /// The credential.
    pub who: Untrusted,
    /// `service:Action`.
    pub action: Untrusted,
    /// How often.
    pub count: u64,
    /// The last time, UTC.
    pub last: Timestamp,
    /// The event id of the last.
    pub event_id: Untrusted,
    /// Whether nothing can be concluded from it: no policy denies it, or it was only a sign-in.
    pub harmless: bool,
}

/// Calls of one credential that failed after the cut-off.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Failures {
    /// The credential.
    pub who: Untrusted,
    /// What kind of failure.
    pub class: CodeClass,
    /// The error codes.
    pub codes: BTreeSet<Untrusted>,
    /// What was called, `service:Action`.
    pub actions: BTreeSet<Untrusted>,
    /// How often.
    pub count: u64,
    /// The last time, UTC.
    pub last: Timestamp,
}

/// A member of the lineage that the plan did not know.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Descendant {
    /// Its key id, or its principal.
    pub who: Untrusted,
    /// A node kind's name.
    pub kind: Untrusted,
    /// When it was made, UTC.
    pub made_at: Option<Timestamp>,
    /// The records that made it.
    pub evidence: Vec<Untrusted>,
}

/// What the log says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// Whether nothing of the lineage succeeded, nothing new was made, and the log reaches far enough.
    pub conclusion: Conclusion,
    /// From when on no call may succeed, UTC.
    pub after: Timestamp,
    /// How far the log must reach, UTC.
    pub until: Timestamp,
    /// How far it reaches in every account of the lineage, UTC.
    pub reached: Option<Timestamp>,
    /// What succeeded.
    pub successes: Vec<Success>,
    /// What failed.
    pub failures: Vec<Failures>,
    /// What the plan did not know.
    pub descendants: Vec<Descendant>,
}

impl Watch {
    pub(super) fn not_asked(window: &Window) -> Self {
        Self {
            conclusion: Conclusion::not_asked("no log was given"),
            after: window.after,
            until: window.until,
            reached: None,
            successes: Vec::new(),
            failures: Vec::new(),
            descendants: Vec::new(),
        }
    }
}

pub(super) fn watch(
    now: &Now,
    report: &Report<'_, '_>,
    (window, snapshot): (&Window, &Snapshot),
) -> Watch {
    let ledger = report.lineage().ledger();
    let mut seen = Seen::default();
    for &(node, place) in &now.nodes {
        let Some(subject) = now.plan.subjects.get(place) else {
            continue;
        };
        for usage in report.uses().uses(report.lineage(), node) {
            seen.add(ledger, usage, (subject, seconds(window.after)));
        }
    }
    let (reached, gaps) = reach(now, report, window);
    let late = || {
        now.subjects()
            .filter(|(place, _)| now.is_late(*place))
            .map(|(_, s)| s)
    };
    let (mut against, mut unknown) = (seen.against(), seen.doubtful());
    unknown.extend(gaps);
    for subject in late() {
        of_late(subject, (window, snapshot), (&mut against, &mut unknown));
    }
    seen.successes.sort();
    Watch {
        conclusion: Conclusion::of(against, unknown),
        after: window.after,
        until: window.until,
        reached,
        successes: seen.successes,
        failures: seen.failures.into_values().collect(),
        descendants: late().map(descendant).collect(),
    }
}

/// What came into being although the plan was carried out is against it, unless it was there before the cut-off, or is
/// only a session of a sign-in, and the evaluator shows that it does not work.
fn of_late(
    subject: &Subject,
    (window, snapshot): (&Window, &Snapshot),
    (against, unknown): (&mut Vec<Reason>, &mut Vec<Reason>),
) {
    let who = name(subject);
    if snapshot.ends(&who) {
        return;
    }
    let earlier = subject.issued_at.is_some_and(|made| made <= window.after);
    if earlier && subject.credential && snapshot.credentials.is_empty() {
        let why = "the plan does not know it: fresh facts must show that it is denied";
        unknown.push(Reason::new(&who, why));
    } else {
        against.push(Reason::new(
            &who,
            "the plan does not know it: make another plan",
        ));
    }
}

fn descendant(subject: &Subject) -> Descendant {
    Descendant {
        who: name(subject),
        kind: subject.kind.clone(),
        made_at: subject.issued_at,
        evidence: subject.evidence.clone(),
    }
}

#[derive(Default)]
struct Seen {
    successes: Vec<Success>,
    failures: BTreeMap<(Untrusted, CodeClass), Failures>,
}

impl Seen {
    fn add(&mut self, ledger: &Ledger, usage: &Use, (subject, after): (&Subject, Seconds)) {
        let (last, id) = ledger.last(usage);
        if last.seconds() <= after {
            return;
        }
        let Some(call) = ledger.call_of(&usage.key) else {
            return;
        };
        let (source, called) = (ledger.text(call.source), ledger.text(call.name));
        let service = source.split('.').next().unwrap_or_default();
        let action = Untrusted::new(format!("{service}:{called}"));
        let marks = ledger.marks(usage);
        let count = marks.iter().filter(|mark| mark.seconds() > after).count() as u64;
        let code = ledger.text(ledger.act(&usage.key).outcome);
        if code.is_empty() {
            self.successes.push(Success {
                who: name(subject),
                action,
                count,
                last: last.time(),
                event_id: Untrusted::new(ledger.event_id(id)),
                harmless: is_harmless(service, called),
            });
            return;
        }
        let class = match CodeClass::of(code) {
            CodeClass::Other if service == "signin" => CodeClass::NotAuthenticated,
            class => class,
        };
        let failures = self
            .failures
            .entry((name(subject), class))
            .or_insert_with(|| Failures {
                who: name(subject),
                class,
                codes: BTreeSet::new(),
                actions: BTreeSet::new(),
                count: 0,
                last: last.time(),
            });
        failures.codes.insert(Untrusted::new(code));
        failures.actions.insert(action);
        failures.count += count;
        failures.last = failures.last.max(last.time());
    }

    /// Calls that succeeded, or would have.
    fn against(&self) -> Vec<Reason> {
        let mut by_who: BTreeMap<&Untrusted, BTreeSet<Untrusted>> = BTreeMap::new();
        for success in self.successes.iter().filter(|success| !success.harmless) {
            by_who
                .entry(&success.who)
                .or_default()
                .insert(success.action.clone());
        }
        let dry = self
            .failures
            .values()
            .filter(|f| f.class == CodeClass::WouldSucceed);
        for failures in dry {
            by_who
                .entry(&failures.who)
                .or_default()
                .extend(failures.actions.iter().cloned());
        }
        let why = "calls succeeded after the cut-off";
        by_who
            .into_iter()
            .map(|(who, actions)| Reason::new(who, why).naming(actions))
            .collect()
    }

    /// Failures of which it is not clear that a policy or a dead key was the cause.
    fn doubtful(&self) -> Vec<Reason> {
        let other = self
            .failures
            .values()
            .filter(|f| f.class == CodeClass::Other);
        let why = "calls failed after the cut-off, but nothing says that they were denied";
        other
            .map(|f| Reason::new(&f.who, why).naming(f.codes.iter().cloned()))
            .collect()
    }
}

/// `GetCallerIdentity` answers whatever is denied (AWS STS API Reference). A sign-in to the console asks for the
/// password and not for a permission; the session that it begins is judged by itself.
fn is_harmless(service: &str, called: &str) -> bool {
    const SIGN_IN: [&str; 6] = [
        "ConsoleLogin",
        "CheckMfa",
        "CredentialChallenge",
        "CredentialVerification",
        "UserAuthentication",
        "Logout",
    ];
    match service {
        "sts" => called == "GetCallerIdentity",
        "signin" => SIGN_IN.contains(&called),
        _ => false,
    }
}
