//! What the page is told of containment, and what it may have done. The program passes all of it as functions, so that
//! here nothing is judged and no account is reached.

pub(crate) mod routes;

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use unchain_core::contain::{Level, Note, Plan, Proof, Receipt, Removal, Verification};
use unchain_core::report::Report;
use unchain_core::text::Untrusted;
use unchain_core::time::Timestamp;

/// A plan with all that is known of it.
#[derive(Clone, Debug)]
pub struct PlanRecord {
    /// By which it is approved.
    pub digest: String,
    /// The plan. Records of one plan share it.
    pub plan: Arc<Plan>,
    /// Its journal, in order.
    pub receipts: Vec<Receipt>,
    /// The last look at whether it holds, if one is known.
    pub verification: Option<Verification>,
    /// What was last said of it by the accounts, if anything was.
    pub opinion: Option<Arc<Opinion>>,
}

/// What speaks against a plan, and what it does, by accounts that were read at an instant.
#[derive(Clone, Debug)]
pub struct Opinion {
    /// When, UTC.
    pub at: Timestamp,
    /// What speaks against it, the most grave first.
    pub notes: Vec<Note>,
    /// What each credential may do after it.
    pub proof: Proof,
}

/// What a reader decides about a new plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// What the plan is about, as for `unchain plan`.
    pub pivot: String,
    /// How much is done.
    pub level: Level,
    /// What happens to what the lineage made.
    pub removal: Removal,
    /// Whether the member accounts of the lineage are frozen.
    pub freeze: bool,
    /// Principals that keep access: text that the reader typed.
    pub exempt: Vec<String>,
    /// Roles whose other sessions go on: text that the reader typed.
    pub shared: Vec<String>,
}

/// What is asked of somebody who has read the accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// A new plan.
    Plan(Wish),
    /// What speaks against a plan that is known by this digest, and what it does.
    Opinion(String),
}

/// A plan that was made or looked at.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The plan.
    pub record: Arc<PlanRecord>,
    /// Whether it is kept. One that was refused is not.
    pub kept: bool,
}

/// What is done beside the page, one at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errand {
    /// Look whether a plan that was carried out holds. Changes no account.
    Verify,
    /// Look at what each step of a plan would find. Changes no account.
    Look,
    /// Carry a plan out, after such a look.
    Apply,
    /// Put back what a plan changed.
    Undo,
}

impl Errand {
    /// The last part of its address.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Look => "look",
            Self::Apply => "apply",
            Self::Undo => "undo",
        }
    }
}

/// What is to be done with which plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// What.
    pub errand: Errand,
    /// The plan's whole digest.
    pub digest: String,
    /// What the reader typed to approve it: not checked yet.
    pub approval: String,
}

/// The errand that is under way, or was the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// What.
    pub errand: Errand,
    /// The plan's whole digest.
    pub digest: String,
    /// How it ended; none while it is under way.
    pub ended: Option<Ended>,
}

/// How an errand ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Whether it came to its end, or stopped.
    pub well: bool,
    /// What a command would have printed: text with escapes defused.
    pub said: String,
}

/// A command of the program that does the same.
#[derive(Clone, Copy, Debug)]
pub enum Command<'a> {
    /// Makes a plan about a pivot.
    Plan(&'a str),
    /// Does an errand with the plan of this id or digest.
    Errand(Errand, &'a str),
}

/// Answers a [`Question`] by a report.
pub type Answering = Box<dyn FnOnce(&Report<'_, '_>) -> Result<Planned, String> + Send>;
/// Reads the accounts, which may take long, to answer a question. The error says what to do next.
pub type Reading = Arc<dyn Fn(Question) -> Result<Answering, String> + Send + Sync>;
/// Begins an errand, or says why not.
pub type Starting = Arc<dyn Fn(Order) -> Result<(), String> + Send + Sync>;

/// What the page may ask of the program. By default nothing is known and nothing may be done.
#[derive(Clone)]
pub struct Containment {
    /// Every plan that is known, the oldest first.
    pub plans: Arc<dyn Fn() -> Result<Vec<Arc<PlanRecord>>, String> + Send + Sync>,
    /// Who makes plans; nobody where the program was not told how to read the accounts.
    pub read: Option<Reading>,
    /// Who verifies.
    pub verify: Option<Starting>,
    /// Who looks, carries out and undoes; nobody unless the program was told so. Then their addresses do not exist.
    pub act: Option<Starting>,
    /// The errand under way, or the last.
    pub run: Arc<dyn Fn() -> Option<Run> + Send + Sync>,
    /// A command that does the same, to be copied.
    pub command: Arc<dyn Fn(Command<'_>) -> String + Send + Sync>,
}

impl Default for Containment {
    fn default() -> Self {
        Self {
            plans: Arc::new(|| Ok(Vec::new())),
            read: None,
            verify: None,
            act: None,
            run: Arc::new(|| None),
            command: Arc::new(command),
        }
    }
}

impl fmt::Debug for Containment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Containment")
            .field("read", &self.read.is_some())
            .field("verify", &self.verify.is_some())
            .field("act", &self.act.is_some())
            .finish_non_exhaustive()
    }
}

fn command(command: Command<'_>) -> String {
    match command {
        Command::Plan(_) => "unchain plan …".to_owned(),
        Command::Errand(errand, _) => format!("unchain {} …", errand.name()),
    }
}

impl Containment {
    /// The plan of an address: by its id, or by its digest or the beginning of it.
    pub(crate) fn plan(&self, name: &str) -> Result<Option<Arc<PlanRecord>>, String> {
        let all = (self.plans)()?;
        let mut named = all.iter().filter(|record| record.plan.id == name);
        if let (Some(one), None) = (named.next(), named.next()) {
            return Ok(Some(Arc::clone(one)));
        }
        let begins =
            |record: &&Arc<PlanRecord>| record.digest.starts_with(name) && name.len() >= SHORT;
        Ok(all.iter().find(begins).cloned())
    }

    /// The errand that is under way with a plan.
    pub(crate) fn under_way(&self, digest: &str) -> Option<Errand> {
        let run = (self.run)()?;
        (run.ended.is_none() && run.digest == digest).then_some(run.errand)
    }
}

/// Digits of a digest that name a plan in an address.
const SHORT: usize = 12;

impl PlanRecord {
    /// The address of a plan; by its digest, as two plans may have one id.
    pub(crate) fn path(&self) -> String {
        let short: String = self.digest.chars().take(SHORT).collect();
        format!("/containment/{short}")
    }

    /// Who is in the lineage of the plan: key ids, and principals of what has none.
    pub(crate) fn members(&self) -> HashSet<&str> {
        let names = self.plan.subjects.iter();
        let names = names.filter_map(|s| s.access_key_id.as_ref().or(s.principal_arn.as_ref()));
        names.map(Untrusted::raw).collect()
    }
}
