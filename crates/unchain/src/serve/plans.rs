//! The plans that the page shows: those of the case, with what this run of the program has learnt of them. Must not
//! change an account.

use crate::contain::{Accounts, FactsArgs, Sparing, again, judged, made, verification};
use crate::input::Input;
use crate::judge::SettingsArg;
use crate::lab::host_time;
use crate::output::words::pasted;
use crate::trace::find;
use anyhow::{anyhow, bail};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use unchain_case::Case;
use unchain_core::contain::{Plan, Receipt, Settings, Verification};
use unchain_core::report::Report;
use unchain_web::{Answering, Command, Errand, Opinion, PlanRecord, Planned, Question, Wish};

/// Keeps plans for the page.
#[derive(Debug)]
pub(super) struct Keeper {
    pub(super) input: Input,
    pub(super) accounts: FactsArgs,
    settings: SettingsArg,
    memory: Mutex<Memory>,
    /// Taken while the accounts are read: one at a time asks AWS.
    reading: Mutex<()>,
}

#[derive(Debug, Default)]
struct Memory {
    /// The plans as they were told last.
    told: Vec<Arc<PlanRecord>>,
    /// Plans that were made from logs, which no case keeps.
    made: Vec<Arc<PlanRecord>>,
    opinions: BTreeMap<String, Arc<Opinion>>,
    verifications: BTreeMap<String, Verification>,
}

impl Keeper {
    /// Reads the verifications that were saved.
    pub(super) fn new(
        (input, accounts): (&Input, &FactsArgs),
        settings: SettingsArg,
        verifications: &[PathBuf],
    ) -> anyhow::Result<Self> {
        let keeper = Self {
            input: input.clone(),
            accounts: accounts.clone(),
            settings,
            memory: Mutex::default(),
            reading: Mutex::default(),
        };
        for path in verifications {
            keeper.verified(verification(path)?);
        }
        Ok(keeper)
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last look at a plan counts.
    pub(super) fn verified(&self, found: Verification) {
        let mut memory = self.memory();
        let known = memory.verifications.get(&found.plan);
        if known.is_none_or(|known| known.at <= found.at) {
            memory.verifications.insert(found.plan.clone(), found);
        }
    }

    /// Every plan, the oldest first.
    pub(super) fn plans(&self) -> anyhow::Result<Vec<Arc<PlanRecord>>> {
        if !self.input.source.is_empty() {
            let memory = self.memory();
            let made = memory.made.iter();
            return Ok(made.map(|record| memory.told_anew(record)).collect());
        }
        let case = Case::open_existing(&self.input.case)?;
        let mut plans = Vec::new();
        for row in case.plans()? {
            let lines = usize::try_from(row.receipts).unwrap_or(usize::MAX);
            let known = self
                .memory()
                .told
                .iter()
                .find(|known| known.digest == row.digest)
                .cloned();
            // A plan never changes, and a journal only grows.
            let record = match known {
                Some(known) if known.receipts.len() == lines => known,
                Some(known) => {
                    let receipts = case.receipts(&row.digest)?;
                    Arc::new(PlanRecord {
                        receipts,
                        ..(*known).clone()
                    })
                }
                None => match case.plan(&row.digest)? {
                    Some(plan) => record(plan, case.receipts(&row.digest)?, row.digest),
                    None => continue,
                },
            };
            plans.push(self.memory().told_anew(&record));
        }
        self.memory().told.clone_from(&plans);
        Ok(plans)
    }

    /// The plan of a digest.
    pub(super) fn plan(&self, digest: &str) -> anyhow::Result<Arc<PlanRecord>> {
        let found = self
            .plans()?
            .into_iter()
            .find(|record| record.digest == digest);
        found
            .ok_or_else(|| anyhow!("the case has no such plan any more; look at the list of plans"))
    }

    /// Reads the accounts, to answer a question by them.
    pub(super) fn read(self: &Arc<Self>, question: Question) -> anyhow::Result<Answering> {
        let Ok(_alone) = self.reading.try_lock() else {
            bail!("the accounts are being read already; wait until that has come to its end");
        };
        let keeper = Arc::clone(self);
        Ok(match question {
            Question::Plan(wish) => {
                let typed = (wish.exempt.as_slice(), wish.shared.as_slice());
                let sparing = Sparing::typed(typed, self.settings.clone())?;
                let accounts = self.accounts.read()?;
                Box::new(move |report| {
                    keeper
                        .make(report, &accounts, (&sparing, &wish))
                        .map_err(|error| told(&error))
                })
            }
            Question::Opinion(digest) => {
                let record = self.plan(&digest)?;
                let accounts = self.accounts.read_for(&record.plan)?;
                Box::new(move |report| {
                    keeper
                        .look(report, &accounts, &record)
                        .map_err(|error| told(&error))
                })
            }
        })
    }

    fn make(
        &self,
        report: &Report<'_, '_>,
        accounts: &Accounts,
        (sparing, wish): (&Sparing, &Wish),
    ) -> anyhow::Result<Planned> {
        // Says what is spelled alike where nothing is called so.
        find(report, &wish.pivot)?;
        let settings = Settings {
            level: wish.level,
            removal: wish.removal,
            freeze: wish.freeze,
            ..sparing.settings(report.lineage(), accounts)?
        };
        let planned = made(report, accounts, (&settings, &wish.pivot, report.at()))?;
        let kept = !planned.refused();
        if kept && self.input.source.is_empty() {
            Case::open_existing(&self.input.case)?.add_plan(&planned.plan)?;
        }
        let opinion = Arc::new(Opinion {
            at: host_time(),
            notes: planned.notes,
            proof: planned.proof,
        });
        let record = PlanRecord {
            digest: planned.digest,
            plan: Arc::new(planned.plan),
            receipts: Vec::new(),
            verification: None,
            opinion: Some(Arc::clone(&opinion)),
        };
        let record = Arc::new(record);
        if kept {
            self.keep(&record, opinion);
        }
        Ok(Planned { record, kept })
    }

    fn keep(&self, record: &Arc<PlanRecord>, opinion: Arc<Opinion>) {
        let mut memory = self.memory();
        memory.opinions.insert(record.digest.clone(), opinion);
        let known = memory
            .made
            .iter()
            .any(|known| known.digest == record.digest);
        if !self.input.source.is_empty() && !known {
            memory.made.push(Arc::clone(record));
        }
    }

    fn look(
        &self,
        report: &Report<'_, '_>,
        accounts: &Accounts,
        record: &Arc<PlanRecord>,
    ) -> anyhow::Result<Planned> {
        let judged = judged(report, accounts, (Plan::clone(&record.plan), report.at()))?;
        let opinion = Arc::new(Opinion {
            at: host_time(),
            notes: judged.notes,
            proof: judged.proof,
        });
        self.memory()
            .opinions
            .insert(record.digest.clone(), opinion);
        let record = Arc::clone(record);
        Ok(Planned { record, kept: true })
    }

    /// The command that does the same.
    pub(super) fn command(&self, command: Command<'_>) -> String {
        let accounts = self.accounts.words();
        let (name, digest, words) = match command {
            Command::Plan(pivot) => {
                let pivot = pasted(pivot).filter(|pivot| !pivot.is_empty());
                let pivot = pivot.unwrap_or_else(|| "…".to_owned());
                return format!("unchain plan {pivot}{}{accounts}", self.input.again());
            }
            Command::Errand(Errand::Verify, digest) => ("verify", digest, accounts),
            Command::Errand(Errand::Look, digest) => {
                ("apply", digest, format!("{accounts} --dry-run"))
            }
            Command::Errand(Errand::Apply, digest) => ("apply", digest, accounts),
            Command::Errand(Errand::Undo, digest) => ("undo", digest, self.accounts.aws().words()),
        };
        let short: String = digest.chars().take(12).collect();
        again(name, (&short, &self.input.case), &words)
    }
}

impl Memory {
    /// A plan with what was learnt of it since.
    fn told_anew(&self, record: &Arc<PlanRecord>) -> Arc<PlanRecord> {
        let opinion = self.opinions.get(&record.digest);
        let verification = self.verifications.get(&record.digest);
        let same = match (opinion, &record.opinion) {
            (Some(now), Some(then)) => Arc::ptr_eq(now, then),
            (None, None) => true,
            _ => false,
        };
        if same && verification == record.verification.as_ref() {
            return Arc::clone(record);
        }
        Arc::new(PlanRecord {
            opinion: opinion.cloned(),
            verification: verification.cloned(),
            ..(**record).clone()
        })
    }
}

fn record(plan: Plan, receipts: Vec<Receipt>, digest: String) -> Arc<PlanRecord> {
    Arc::new(PlanRecord {
        digest,
        plan: Arc::new(plan),
        receipts,
        verification: None,
        opinion: None,
    })
}

/// An error with its causes in one line, what to do next after the last `; `.
pub(super) fn told(error: &anyhow::Error) -> String {
    let mut texts = error.chain().map(ToString::to_string);
    let first = texts.next().unwrap_or_default();
    let (what, hint) = first.rsplit_once("; ").unwrap_or((&first, ""));
    let mut words = what.to_owned();
    for cause in texts {
        words.push_str(": ");
        words.push_str(&cause);
    }
    if !hint.is_empty() {
        words.push_str("; ");
        words.push_str(hint);
    }
    words
}
