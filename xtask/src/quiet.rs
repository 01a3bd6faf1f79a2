//! The noise bar: what the detections find in the log of a company where nothing is wrong.
//!
//! No public set of logs is both large and known to be quiet, so one is made: six accounts, their
//! machines, pipelines and people, with everything that happens in an honest month and looks bad. The
//! bar: at most one incident per 10,000 events, none of high severity. Stories know nothing of how they
//! are judged, and are told in the trail language.

mod automation;
mod chapter;
mod errands;
mod measure;
mod people;
mod pods;
mod users;
mod workloads;

use anyhow::{Context, Result, bail};
use chapter::Plan;
use clap::Args;
use measure::Noise;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use unchain_core::ledger::Ledger;
use unchain_core::record::parse_at;

/// What to make, and whether to judge it.
#[derive(Debug, Clone, Args)]
pub(crate) struct QuietArgs {
    /// Write the records into this folder too; it must not exist, or be empty
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// How many days, from Monday 2026-03-02
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u16).range(5..=366))]
    pub(crate) days: u16,
    /// The same seed gives the same company
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,
    /// How many of the calls that issue nothing are made, of a hundred
    #[arg(long, value_name = "PERCENT", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=100))]
    pub(crate) busy: u64,
    /// Fail when more is found than the bar allows
    #[arg(long)]
    pub(crate) check: bool,
}

/// Makes the company's log, runs every detection over it and prints what was found.
///
/// # Errors
///
/// A folder that holds something already, or a file that cannot be written.
pub(crate) fn run(args: &QuietArgs, out: &mut dyn Write) -> Result<ExitCode> {
    let plan = Plan {
        days: i64::from(args.days),
        busy: args.busy,
        seed: args.seed,
    };
    let mut ledger = Ledger::default();
    let mut files = args.out.as_deref().map(Files::new).transpose()?;
    for story in stories(plan) {
        for record in records(&story)? {
            apply(&mut ledger, &record)?;
            if let Some(files) = &mut files {
                files.add(record)?;
            }
        }
    }
    if let Some(files) = files {
        files.write()?;
    }
    ledger.settle();
    let noise = Noise::of(&ledger);
    noise.print(out)?;
    Ok(if args.check && !noise.is_within_the_bar() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// The stories of all actors, in the trail language.
fn stories(plan: Plan) -> Vec<String> {
    let chapters = [
        workloads::chapters(plan),
        automation::chapters(plan),
        people::chapters(plan),
        users::chapters(plan),
    ];
    chapters
        .into_iter()
        .flatten()
        .map(chapter::Chapter::finish)
        .collect()
}

fn records(story: &str) -> Result<Vec<Value>> {
    unchain_trail::records(story).map_err(|error| {
        let line = story
            .lines()
            .nth(error.line.saturating_sub(1))
            .unwrap_or_default();
        anyhow::anyhow!("{error}, in `{line}`")
    })
}

fn apply(ledger: &mut Ledger, record: &Value) -> Result<()> {
    let text = record.to_string();
    let (event, _) = parse_at(&text, 0).with_context(|| format!("no event: {text}"))?;
    ledger.apply(&event);
    Ok(())
}

/// Records by the file that they belong to.
struct Files {
    folder: PathBuf,
    records: BTreeMap<PathBuf, Vec<Value>>,
}

impl Files {
    fn new(folder: &Path) -> Result<Self> {
        if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
            bail!(
                "`{}` holds something already\nhint: name a new folder",
                folder.display()
            );
        }
        Ok(Self {
            folder: folder.to_path_buf(),
            records: BTreeMap::new(),
        })
    }

    fn add(&mut self, record: Value) -> Result<()> {
        let path = crate::scenario::log_path(&record)?;
        self.records.entry(path).or_default().push(record);
        Ok(())
    }

    fn write(self) -> Result<()> {
        for (path, records) in self.records {
            let path = self.folder.join(path);
            let parent = path.parent().unwrap_or(&self.folder);
            fs::create_dir_all(parent)
                .with_context(|| format!("cannot make `{}`", parent.display()))?;
            let text = serde_json::json!({ "Records": records }).to_string();
            fs::write(&path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// A short company, in which everything happens that happens in a month, and little else.
    const SHORT: Plan = Plan {
        days: 14,
        busy: 10,
        seed: 1,
    };

    #[test]
    fn a_quiet_company_is_within_the_bar() {
        let mut ledger = Ledger::default();
        let (mut ids, mut keys) = (BTreeSet::new(), BTreeSet::new());
        for story in stories(SHORT) {
            for record in records(&story).unwrap() {
                apply(&mut ledger, &record).unwrap();
                let id = record["eventID"].as_str().unwrap().to_owned();
                assert!(ids.insert(id), "two events have one id: {record}");
                let key = record.pointer("/responseElements/credentials/accessKeyId");
                if record["userIdentity"]["type"] != "AWSAccount"
                    && let Some(key) = key
                {
                    let fresh = keys.insert(key.as_str().unwrap().to_owned());
                    assert!(
                        fresh || record["eventName"] == "GetSigninToken",
                        "issued twice: {record}"
                    );
                }
            }
        }
        ledger.settle();
        let noise = Noise::of(&ledger);
        assert!(noise.events > 15_000, "{} events", noise.events);
        let mut told = Vec::new();
        noise.print(&mut told).unwrap();
        assert!(
            noise.is_within_the_bar(),
            "{}",
            String::from_utf8(told).unwrap()
        );
    }

    #[test]
    fn the_same_seed_tells_the_same_stories() {
        let plan = Plan {
            days: 5,
            busy: 1,
            seed: 7,
        };
        assert_eq!(stories(plan), stories(plan));
        assert_ne!(stories(plan), stories(Plan { seed: 8, ..plan }));
    }

    #[test]
    fn an_intrusion_is_over_the_bar() {
        let mut ledger = Ledger::default();
        let path = crate::workspace().join("scenarios/detections/role-chaining/fires.trail");
        for record in records(&fs::read_to_string(path).unwrap()).unwrap() {
            apply(&mut ledger, &record).unwrap();
        }
        ledger.settle();
        assert!(!Noise::of(&ledger).is_within_the_bar());
    }
}
