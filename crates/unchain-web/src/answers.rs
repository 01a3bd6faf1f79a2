//! What is dear to compute, kept for the last few instants. Must not know HTTP or HTML.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use unchain_core::detect::Incident;
use unchain_core::finding::Finding;
use unchain_core::report::{Findings, Report, Token};
use unchain_core::time::Timestamp;

/// How many instants are kept.
const KEPT: usize = 4;

/// What was found, with the nodes that it is about.
#[derive(Clone, Debug, Default)]
pub struct Judged {
    /// As `unchain findings --format json` tells them.
    pub findings: Findings,
    /// The node that each finding is about, in the order of `findings.findings`.
    pub subjects: Vec<u32>,
    /// The node at which each incident begins, in the order of `findings.incidents`.
    pub roots: Vec<u32>,
    /// The credentials that each incident reaches, ascending, in the order of `findings.incidents`.
    pub reached: Vec<Vec<u32>>,
}

impl Judged {
    /// `findings` are the rows of what was found, in the order of `found` and `incidents`; the nodes are those of the
    /// report's lineage.
    pub fn new(
        report: &Report<'_, '_>,
        findings: Findings,
        (found, incidents): (&[Finding], &[Incident]),
    ) -> Self {
        Self {
            findings,
            subjects: found.iter().map(|finding| finding.subject).collect(),
            roots: incidents.iter().map(|incident| incident.root).collect(),
            reached: incidents
                .iter()
                .map(|incident| report.reached(incident))
                .collect(),
        }
    }

    /// What the findings of incidents are about, the worst incident's first.
    pub(crate) fn subjects_by_incident(&self) -> Vec<u32> {
        let findings = self.findings.findings.iter().zip(&self.subjects);
        let by_id: HashMap<&str, u32> = findings.map(|(f, node)| (f.id.as_str(), *node)).collect();
        let incidents = self.findings.incidents.iter();
        let ids = incidents.flat_map(|incident| &incident.findings);
        ids.filter_map(|id| by_id.get(id.as_str()).copied())
            .collect()
    }
}

/// The instant of an answer where nobody names one.
#[derive(Clone, Copy, Debug)]
pub enum Now {
    /// Always this one.
    At(Timestamp),
    /// What a clock says (UTC), in whole minutes.
    Clock(fn() -> Timestamp),
}

impl Now {
    /// The instant.
    pub(crate) fn instant(self) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Clock(read) => {
                let now = read();
                now.plus(-now.seconds().rem_euclid(60))
            }
        }
    }
}

/// The answers as of one instant, each computed when first asked for.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    tokens: OnceLock<Vec<(u32, Token)>>,
    judged: OnceLock<Judged>,
    last_used: OnceLock<HashMap<u32, Timestamp>>,
}

impl Answers {
    /// With what was found.
    pub(crate) fn of(judged: Judged) -> Self {
        Self {
            judged: OnceLock::from(judged),
            ..Self::default()
        }
    }

    /// Every credential in order of creation.
    pub(crate) fn tokens(&self, report: &Report<'_, '_>) -> &[(u32, Token)] {
        self.tokens.get_or_init(|| {
            let nodes = report.credentials().into_iter();
            nodes.map(|node| (node, report.token(node))).collect()
        })
    }

    /// When each credential that was used was used last, UTC.
    pub(crate) fn last_used(&self, report: &Report<'_, '_>) -> &HashMap<u32, Timestamp> {
        self.last_used.get_or_init(|| {
            let all = self.tokens(report).iter();
            all.filter_map(|(node, token)| Some((*node, token.last_used?)))
                .collect()
        })
    }

    /// What was found.
    pub(crate) fn judged(&self, judge: impl FnOnce() -> Judged) -> &Judged {
        self.judged.get_or_init(judge)
    }
}

/// The answers of the last few instants, the newest last.
#[derive(Debug, Default)]
pub(crate) struct Shelf(Mutex<Vec<(Timestamp, Arc<Answers>)>>);

impl Shelf {
    /// The answers as of an instant.
    pub(crate) fn at(&self, at: Timestamp) -> Arc<Answers> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = kept.iter().position(|(instant, _)| *instant == at);
        let entry = match known {
            Some(place) => kept.remove(place),
            None => (at, Arc::default()),
        };
        if kept.len() >= KEPT {
            kept.remove(0);
        }
        let answers = Arc::clone(&entry.1);
        kept.push(entry);
        answers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_in_use_is_kept_and_an_old_one_is_not() {
        let shelf = Shelf::default();
        let at = |n: usize| Timestamp::from_seconds(i64::try_from(n).unwrap());
        let first = shelf.at(at(0));
        for n in 1..KEPT {
            shelf.at(at(n));
            assert!(Arc::ptr_eq(&first, &shelf.at(at(0))));
        }
        (1..=KEPT).for_each(|n| drop(shelf.at(at(n))));
        assert!(!Arc::ptr_eq(&first, &shelf.at(at(0))));
    }

    #[test]
    fn a_clock_is_read_in_whole_minutes() {
        let now = Now::Clock(|| Timestamp::from_seconds(125));
        assert_eq!(now.instant(), Timestamp::from_seconds(120));
        assert_eq!(
            Now::At(Timestamp::from_seconds(5)).instant(),
            Timestamp::from_seconds(5)
        );
    }
}
