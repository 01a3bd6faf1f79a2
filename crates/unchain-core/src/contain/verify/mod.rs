//! Whether a plan that was carried out holds: three proofs that do not rest on each other, reported apart.
//!
//! 1. [`Snapshot`]: the policy evaluator on facts read afresh, and on nothing that the plan says of itself.
//! 2. [`Watch`]: the log after the cut-off.
//! 3. [`Probe`]: the answers to calls that the responder made with a credential of the lineage.
//!
//! The rule: the lineage *lives* if any proof is refuted. It is *contained* if none is, no step of the plan was found
//! missing or changed, and the first or the second is proven. Anything else is *incomplete*. The third proof speaks
//! of single credentials and alone proves nothing of the whole; it can only refute.

mod code;
mod missing;
mod probe;
mod reach;
mod snapshot;
mod trail;

pub use code::CodeClass;
pub use missing::{Missing, MissingHow};
pub use probe::{Denier, Probe, ProbeRow, Reply, Sign, classify};
pub use snapshot::{Snapshot, State, StateRow};
pub use trail::{Descendant, Failures, Success, Watch};

use super::apply::Receipt;
use super::document::digest;
use super::facts::Facts;
use super::plan::{Plan, Subject};
use super::prove::identity;
use super::scope::{Scope, subject};
use crate::report::Report;
use crate::text::Untrusted;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What a verification is made from. Whatever is not given leaves its proof unknown.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'e> {
    /// The accounts, read after the plan was carried out.
    pub facts: Option<&'e Facts>,
    /// The log, read until now.
    pub report: Option<&'e Report<'e, 'e>>,
    /// The journal of the plan: when its calls were made.
    pub receipts: &'e [Receipt],
    /// Answers to calls made with credentials of the lineage.
    pub replies: &'e [Reply],
}

/// Something that a conclusion rests on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reason {
    /// The credential, principal, account or region that it is about.
    pub about: Untrusted,
    /// What there is to say, in our words.
    pub why: String,
    /// Actions, policies or keys that it names.
    pub names: BTreeSet<Untrusted>,
}

impl Reason {
    fn new(about: &Untrusted, why: &str) -> Self {
        Self {
            about: about.clone(),
            why: why.to_owned(),
            names: BTreeSet::new(),
        }
    }

    fn naming(self, names: impl IntoIterator<Item = Untrusted>) -> Self {
        let names = names.into_iter().collect();
        Self { names, ..self }
    }
}

/// What one proof says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is", content = "because")]
pub enum Conclusion {
    /// What was asked is so.
    Proven,
    /// It is not, and this shows it.
    Refuted(Vec<Reason>),
    /// It cannot be told.
    Unknown(Vec<Reason>),
}

impl Conclusion {
    fn of(mut against: Vec<Reason>, mut unknown: Vec<Reason>) -> Self {
        against.sort();
        unknown.sort();
        match (against.is_empty(), unknown.is_empty()) {
            (false, _) => Self::Refuted(against),
            (true, false) => Self::Unknown(unknown),
            (true, true) => Self::Proven,
        }
    }

    fn not_asked(why: &str) -> Self {
        Self::Unknown(vec![Reason::new(&Untrusted::default(), why)])
    }

    /// Its reasons; none where it is proven.
    pub fn reasons(&self) -> &[Reason] {
        match self {
            Self::Proven => &[],
            Self::Refuted(reasons) | Self::Unknown(reasons) => reasons,
        }
    }
}

/// What the proofs say together; see the rule above.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Containment {
    /// No credential of the lineage works.
    Contained,
    /// Something lives.
    Lives,
    /// It is not known, or part of the plan is not in force.
    Incomplete,
}

/// The answer of [`verify`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// The digest of the plan.
    pub plan: String,
    /// When it was asked, UTC.
    pub at: Timestamp,
    /// All together.
    pub outcome: Containment,
    /// Steps whose effect was not found in the fresh facts, though no deletion explains it, or could not be looked at.
    pub missing: Vec<Missing>,
    /// The first proof.
    pub snapshot: Snapshot,
    /// The second proof.
    pub trail: Watch,
    /// The third proof.
    pub probe: Probe,
}

impl Verification {
    /// Whether what the lineage made may now be deleted: the lineage is contained, and the evaluator has proven it.
    /// A quiet log alone is not enough, as deleting takes the denies away with what they are on.
    pub fn allows_removal(&self) -> bool {
        self.outcome == Containment::Contained && self.snapshot.conclusion == Conclusion::Proven
    }

    /// What still lives, by every proof that says so.
    pub fn living(&self) -> impl Iterator<Item = &Reason> {
        let proofs = [
            &self.snapshot.conclusion,
            &self.trail.conclusion,
            &self.probe.conclusion,
        ];
        let refuted = proofs
            .into_iter()
            .filter(|c| matches!(c, Conclusion::Refuted(_)));
        refuted.flat_map(Conclusion::reasons)
    }
}

/// Looks whether a plan holds. `at` is when its evidence was read.
pub fn verify(plan: &Plan, evidence: Evidence<'_>, at: Timestamp) -> Verification {
    let now = Now::of(plan, evidence.report);
    let missing = evidence.facts.map(|facts| missing::missing(plan, facts));
    let snapshot = match evidence.facts {
        Some(facts) => snapshot::snapshot(&now, facts, at),
        None => Snapshot::not_asked(),
    };
    let digest = digest(plan).unwrap_or_default();
    let own = evidence.receipts.iter().filter(|r| r.plan == digest);
    let window = trail::Window::of(plan, own);
    let trail = match evidence.report {
        Some(report) => trail::watch(&now, report, (&window, &snapshot)),
        None => Watch::not_asked(&window),
    };
    let probe = probe::probe(&now, evidence.replies, at);
    let missing = missing.unwrap_or_default();
    Verification {
        plan: digest,
        at,
        outcome: outcome(
            &missing,
            [&snapshot.conclusion, &trail.conclusion, &probe.conclusion],
        ),
        missing,
        snapshot,
        trail,
        probe,
    }
}

fn outcome(missing: &[Missing], proofs: [&Conclusion; 3]) -> Containment {
    let [snapshot, trail, _] = proofs;
    if proofs
        .iter()
        .any(|proof| matches!(proof, Conclusion::Refuted(_)))
    {
        return Containment::Lives;
    }
    let proven = *snapshot == Conclusion::Proven || *trail == Conclusion::Proven;
    let removed = missing.iter().any(|step| step.how != MissingHow::Unread);
    if proven && !removed {
        Containment::Contained
    } else {
        Containment::Incomplete
    }
}

/// A plan whose subjects are all that the lineage has now.
struct Now {
    plan: Plan,
    /// So many subjects the plan knew; those after them it did not.
    known: usize,
    /// The nodes of the subjects, where a log was read.
    nodes: Vec<(u32, usize)>,
}

impl Now {
    fn of(plan: &Plan, report: Option<&Report<'_, '_>>) -> Self {
        let mut now = Self {
            plan: plan.clone(),
            known: plan.subjects.len(),
            nodes: Vec::new(),
        };
        if let Some(report) = report {
            now.look(report);
        }
        now
    }

    fn look(&mut self, report: &Report<'_, '_>) {
        let scope = Scope::of(report, self.plan.pivot.raw(), &self.plan.settings.exempt);
        let members: BTreeSet<u32> = scope.nodes.iter().copied().collect();
        for &node in &scope.nodes {
            let Some(found) = subject(report, node, &members).filter(super::plan::belongs) else {
                continue;
            };
            let place = self.place(&found).unwrap_or(self.plan.subjects.len());
            match self.plan.subjects.get_mut(place) {
                // What it was seen doing since counts as well.
                Some(known) => {
                    let all: BTreeSet<_> = known.actions.drain(..).chain(found.actions).collect();
                    known.actions = all.into_iter().collect();
                }
                None => self.plan.subjects.push(found),
            }
            self.nodes.push((node, place));
        }
    }

    /// Which of the plan's subjects this is. A key and its principal are enough where a longer log tells of an earlier
    /// beginning.
    fn place(&self, found: &Subject) -> Option<usize> {
        let known = self.plan.subjects.get(..self.known)?;
        let same = |s: &Subject| identity(s) == identity(found) && s.kind == found.kind;
        let keyed = |s: &Subject| {
            let key = s.access_key_id.is_some() && s.access_key_id == found.access_key_id;
            let earlier = s
                .issued_at
                .zip(found.issued_at)
                .is_none_or(|(known, now)| now <= known);
            key && s.principal_arn == found.principal_arn && earlier
        };
        known
            .iter()
            .position(same)
            .or_else(|| known.iter().position(keyed))
    }

    /// Whether a subject came into being after the plan was made, or was not known to it.
    fn is_late(&self, place: usize) -> bool {
        place >= self.known
    }

    fn subjects(&self) -> impl Iterator<Item = (usize, &Subject)> {
        self.plan.subjects.iter().enumerate()
    }
}

/// A subject in one word: its key id, or its principal.
fn name(subject: &Subject) -> Untrusted {
    let name = subject
        .access_key_id
        .as_ref()
        .or(subject.principal_arn.as_ref());
    name.cloned().unwrap_or_default()
}
