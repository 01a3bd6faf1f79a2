//! What was found to be wrong, and how it is said: the values that detections make.
//!
//! A finding names its evidence and what could not be seen. Must not know any one detection.

use crate::ledger::{EventKey, Seconds, Symbol};
use crate::text::Untrusted;

/// How bad it is if it is true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing while looking at the credential for another reason.
    Informational,
    /// Seen in ordinary work too.
    Low,
    /// Rare in ordinary work.
    Medium,
    /// Hard to explain by ordinary work.
    High,
    /// An intrusion that goes on or that has taken hold.
    Critical,
}

impl Severity {
    /// All, the lowest first.
    pub const ALL: [Self; 5] = [
        Self::Informational,
        Self::Low,
        Self::Medium,
        Self::High,
        Self::Critical,
    ];

    /// A stable name for output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Informational => "informational",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The severity of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|severity| severity.name() == name)
    }

    /// The one above, if there is one.
    #[must_use]
    pub fn raised(self) -> Self {
        match self {
            Self::Informational => Self::Low,
            Self::Low => Self::Medium,
            Self::Medium => Self::High,
            Self::High | Self::Critical => Self::Critical,
        }
    }
}

/// How sure it is that it is true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// Other explanations are as likely.
    Low,
    /// Other explanations are possible.
    Medium,
    /// The records say so.
    High,
}

impl Confidence {
    /// A stable name for output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// One thing that a detection found. Nodes are numbers of the lineage it was found in.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The same on every run and machine: made of the detection, the subject's names and what tells
    /// this finding from others about the same subject.
    pub id: String,
    /// The detection's id.
    pub detection: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// How sure it is.
    pub confidence: Confidence,
    /// The credential it is about.
    pub subject: u32,
    /// Other nodes that it names: twins, children, things made.
    pub also: Vec<u32>,
    /// What happened, in one sentence with the names in it.
    pub what: Untrusted,
    /// When it began, seconds since 1970.
    pub first: Seconds,
    /// When it was last seen.
    pub last: Seconds,
    /// The records that show it, by time, each once.
    pub evidence: Vec<(Seconds, EventKey)>,
    /// An address from which whoever did this acted, if it is not where the subject is at home.
    pub foreign: Option<Symbol>,
    /// What the log would have to hold to be surer.
    pub not_visible: Vec<String>,
    /// Which entry of the allow-list covers it, if one does.
    pub allowed_by: Option<String>,
}

/// A finding as a detection writes it down; see [`Finding`] for the meaning of its parts.
#[derive(Clone, Debug)]
pub struct Draft {
    pub(crate) subject: u32,
    pub(crate) distinct: String,
    pub(crate) severity: Option<Severity>,
    pub(crate) confidence: Confidence,
    pub(crate) also: Vec<u32>,
    pub(crate) what: String,
    pub(crate) evidence: Vec<(Seconds, EventKey)>,
    pub(crate) background: Vec<(Seconds, EventKey)>,
    pub(crate) foreign: Option<Symbol>,
    pub(crate) not_visible: Vec<String>,
}

impl Draft {
    /// About a node: what happened, in one sentence that may hold texts of the log.
    pub fn new(subject: u32, what: impl Into<String>) -> Self {
        Self {
            subject,
            distinct: String::new(),
            severity: None,
            confidence: Confidence::High,
            also: Vec::new(),
            what: what.into(),
            evidence: Vec::new(),
            background: Vec::new(),
            foreign: None,
            not_visible: Vec::new(),
        }
    }

    /// What tells this finding from others of the same detection about the same subject: texts of the
    /// log, never numbers of the ledger.
    #[must_use]
    pub fn distinct(mut self, text: impl Into<String>) -> Self {
        self.distinct = text.into();
        self
    }

    /// Another severity than the detection's own.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }

    /// Another confidence than high.
    #[must_use]
    pub fn confidence(mut self, confidence: Confidence) -> Self {
        self.confidence = confidence;
        self
    }

    /// Another node that it names.
    #[must_use]
    pub fn also(mut self, nodes: impl IntoIterator<Item = u32>) -> Self {
        self.also.extend(nodes);
        self
    }

    /// A record that shows it.
    #[must_use]
    pub fn seen(mut self, time: Seconds, id: EventKey) -> Self {
        self.evidence.push((time, id));
        self
    }

    /// Records that show it.
    #[must_use]
    pub fn seen_in(mut self, records: impl IntoIterator<Item = (Seconds, EventKey)>) -> Self {
        self.evidence.extend(records);
        self
    }

    /// Records that are part of the evidence and not of what happened: where the subject was at home, who
    /// had made it. They do not count for when it began.
    #[must_use]
    pub fn beside(mut self, records: impl IntoIterator<Item = (Seconds, EventKey)>) -> Self {
        self.background.extend(records);
        self
    }

    /// The address from which whoever did this acted.
    #[must_use]
    pub fn from(mut self, address: Symbol) -> Self {
        self.foreign = Some(address).filter(|a| !a.is_empty());
        self
    }

    /// What the log would have to hold to be surer.
    #[must_use]
    pub fn not_visible(mut self, what: impl Into<String>) -> Self {
        self.not_visible.push(what.into());
        self
    }
}
