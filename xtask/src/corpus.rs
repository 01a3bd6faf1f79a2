//! The load generator: a bucket of CloudTrail files of any size, with the lineage it was made from beside
//! it.
//!
//! What exists (accounts, users, roles, credentials and who came from whom) is planned first and depends
//! only on the seed and the number of credentials; then time runs once from start to end and records are
//! written as text. So two corpora of different size can hold the same credentials. Must not share code
//! with what reads it: a mistake that both made would not be seen.

mod console;
mod days;
mod deliver;
mod issue;
mod mix;
pub(crate) mod noise;
mod plan;
mod record;

use anyhow::{Context, bail};
use clap::Args;
use console::Session;
use days::Days;
use deliver::Delivery;
use mix::{Caller, Mix};
use noise::Noise;
use plan::Plan;
use record::{Outcome, Scribe, Spent};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// What to make.
#[derive(Debug, Clone, Args)]
pub(crate) struct CorpusArgs {
    /// The folder to write; it must not exist, or be empty
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// How many distinct events; those delivered twice come on top
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub(crate) events: u64,
    /// How many accounts, some busier than others
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) accounts: u32,
    /// How many days, from 2026-03-01
    #[arg(long, value_name = "N", default_value_t = 7)]
    pub(crate) days: u32,
    /// The same seed gives the same bytes
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,
    /// The share of events that issue a credential, from 0 to 0.5
    #[arg(
        long,
        value_name = "SHARE",
        default_value_t = 0.15,
        conflicts_with = "credentials"
    )]
    pub(crate) issuing_share: f64,
    /// How many credentials are issued, in place of a share: the same number and seed give the same
    /// credentials, however many events use them
    #[arg(long, value_name = "N")]
    pub(crate) credentials: Option<u64>,
    /// The share of events that are delivered a second time, in another file
    #[arg(long, value_name = "SHARE", default_value_t = 0.02)]
    pub(crate) duplicates: f64,
    /// How hard to compress, from 1 to 12
    #[arg(long, value_name = "LEVEL", default_value_t = 6, value_parser = clap::value_parser!(i32).range(1..=12))]
    pub(crate) level: i32,
}

/// Makes a corpus.
///
/// # Errors
///
/// A folder that holds something already, sizes that do not go together, or a file that cannot be
/// written.
pub(crate) fn run(args: &CorpusArgs) -> anyhow::Result<()> {
    check(args)?;
    std::fs::create_dir_all(&args.out)
        .with_context(|| format!("cannot make `{}`", args.out.display()))?;
    let days = Days::new(args.days)?;
    let plan = Plan::new(args, &days);
    let mut corpus = Corpus {
        mix: Mix::new(),
        scribe: Scribe::new(&plan, &days),
        delivery: Delivery::new(&args.out, &days, args.level)?,
        noise: Noise::new(args.seed, 0x0065_7665_6e74),
        duplicates: args.duplicates,
        uses: vec![0; plan.credentials.len()],
        denied: 0,
        plan: &plan,
    };
    corpus.write(args.events)?;
    corpus.delivery.finish()?;
    write_truth(&args.out.join("truth.jsonl"), &corpus)?;
    write_summary(&args.out.join("truth-summary.json"), &corpus)
}

/// How many different calls a credential makes.
const HABITS: usize = 4;

/// The run of time over a plan.
struct Corpus<'a> {
    plan: &'a Plan,
    mix: Mix,
    scribe: Scribe<'a>,
    delivery: Delivery<'a>,
    noise: Noise,
    duplicates: f64,
    /// Uses of each credential, duplicates not counted.
    uses: Vec<u32>,
    denied: u64,
}

impl Corpus<'_> {
    fn write(&mut self, events: u64) -> anyhow::Result<()> {
        let plan = self.plan;
        let issues = u64::try_from(plan.credentials.len())?;
        let uses = events.saturating_sub(issues + plan.copies() + plan.logins());
        let (mut next, mut hour) = (0_usize, 0_i64);
        for number in 0..uses {
            let at = plan.start + scaled(number, uses, plan.span);
            while let Some(credential) = plan.credentials.get(next).filter(|c| c.issued <= at) {
                self.issue(next, credential)?;
                next += 1;
            }
            while hour <= (at - plan.start).div_euclid(console::HOUR) {
                self.sign_in(hour)?;
                hour += 1;
            }
            self.spend(at, next)?;
        }
        while hour < plan.span / console::HOUR {
            self.sign_in(hour)?;
            hour += 1;
        }
        while let Some(credential) = plan.credentials.get(next) {
            self.issue(next, credential)?;
            next += 1;
        }
        Ok(())
    }

    fn issue(&mut self, place: usize, credential: &plan::Credential) -> anyhow::Result<()> {
        if let plan::Parent::Credential(parent) = credential.parent
            && let Some(count) = self.uses.get_mut(parent)
        {
            *count += 1;
        }
        let (account, region) = self.scribe.issue(place, credential)?;
        self.deliver(account, region, credential.issued)?;
        if self.scribe.copy(place, credential)? {
            self.deliver(credential.account, region, credential.issued)?;
        }
        Ok(())
    }

    /// The sign-ins of an hour.
    fn sign_in(&mut self, hour: i64) -> anyhow::Result<()> {
        for slot in 0..self.plan.slots {
            let (account, region) = self.scribe.login(Session { hour, slot })?;
            self.deliver(account, region, self.plan.start + hour * console::HOUR)?;
        }
        Ok(())
    }

    /// One event that issues nothing.
    fn spend(&mut self, at: i64, issued: usize) -> anyhow::Result<()> {
        let caller = match self.mix.caller(&mut self.noise) {
            Caller::Temporary => self.plan.alive(issued, at, &mut self.noise),
            other => Some(other),
        };
        let caller = caller.unwrap_or(Caller::User);
        if let Caller::Credential(place) = caller
            && let Some(count) = self.uses.get_mut(place)
        {
            *count += 1;
        }
        // A credential does few things again and again, refused ones too, as workloads do.
        let mut habit = match caller {
            Caller::Credential(place) => {
                let which = self.noise.skewed(HABITS);
                Noise::new(u64::try_from(place * HABITS + which)?, 0x0068_6162_6974)
            }
            _ => Noise::new(self.noise.next(), 0),
        };
        let denied = habit.below(1_000) < mix::DENIED_PER_THOUSAND;
        self.denied += u64::from(denied);
        let kind = self.mix.kind(caller, &mut habit);
        let outcome = if denied {
            Outcome::Denied
        } else {
            Outcome::Done
        };
        let spent = Spent {
            caller,
            kind,
            outcome,
            at,
        };
        let (account, region) = self.scribe.spend(&spent, &mut self.noise)?;
        self.deliver(account, region, at)
    }

    fn deliver(&mut self, account: usize, region: usize, at: i64) -> anyhow::Result<()> {
        let number = self
            .plan
            .accounts
            .get(account)
            .map_or("", |account| account.number.as_str());
        let text = self.scribe.text();
        self.delivery.add((account, number, region), at, text)?;
        if self.noise.share() < self.duplicates {
            let other = (region + 1) % mix::REGIONS.len();
            self.delivery.again((account, number, other), at, text)?;
        }
        Ok(())
    }
}

/// `span * number / of`, without overflow or floating point.
fn scaled(number: u64, of: u64, span: i64) -> i64 {
    let product = i128::from(span) * i128::from(number) / i128::from(of.max(1));
    i64::try_from(product).unwrap_or(span)
}

fn check(args: &CorpusArgs) -> anyhow::Result<()> {
    let taken = std::fs::read_dir(&args.out).is_ok_and(|mut entries| entries.next().is_some());
    if taken {
        bail!(
            "`{}` holds something already\nhint: name a new folder",
            args.out.display()
        );
    }
    if args.accounts == 0 || args.days == 0 || args.events == 0 {
        bail!("a corpus needs at least one account, one day and one event");
    }
    if args.days > 366 || args.accounts > 10_000 {
        bail!("a corpus has at most 366 days and 10000 accounts");
    }
    if !(0.0..=0.5).contains(&args.issuing_share) || !(0.0..=0.5).contains(&args.duplicates) {
        bail!("a share is between 0 and 0.5");
    }
    if args
        .credentials
        .is_some_and(|count| count > args.events / 2)
    {
        bail!("at most half of the events can issue a credential\nhint: ask for more `--events`");
    }
    Ok(())
}

/// The true lineage: one edge a line.
fn write_truth(path: &Path, corpus: &Corpus<'_>) -> anyhow::Result<()> {
    let cannot = || format!("cannot write `{}`", path.display());
    let mut out = BufWriter::new(File::create(path).with_context(cannot)?);
    for (place, credential) in corpus.plan.credentials.iter().enumerate() {
        let parent = corpus.plan.parent_key(credential);
        let parent = parent.map_or("null".to_owned(), |key| format!("\"{key}\""));
        let line = format!(
            r#"{{"parent_key":{parent},"child_key":"{}","api":"{}","time":"{}","event_id":"{}"}}"#,
            credential.key,
            credential.issue.api(),
            corpus.scribe.time(credential.issued),
            corpus.scribe.issue_id(place),
        );
        writeln!(out, "{line}").with_context(cannot)?;
    }
    out.flush().with_context(cannot)
}

fn write_summary(path: &Path, corpus: &Corpus<'_>) -> anyhow::Result<()> {
    const SAMPLE: usize = 200;
    // An odd step, so that the sample does not fall in with the pattern of busy credentials.
    let step = (corpus.uses.len() / SAMPLE).max(1) | 1;
    let sampled = corpus
        .plan
        .credentials
        .iter()
        .zip(&corpus.uses)
        .step_by(step);
    let sample: serde_json::Map<String, serde_json::Value> = sampled
        .map(|(credential, uses)| (credential.key.clone(), (*uses).into()))
        .collect();
    let counts = &corpus.delivery.counts;
    let summary = serde_json::json!({
        "events": counts.events,
        "records": counts.events + counts.duplicates,
        "duplicates": counts.duplicates,
        "edges": corpus.plan.credentials.len(),
        "credentials": corpus.plan.credentials.len(),
        "denied": corpus.denied,
        "accounts": corpus.plan.accounts.len(),
        "files": counts.files,
        "json_bytes": counts.json_bytes,
        "gzip_bytes": counts.gzip_bytes,
        "uses": sample,
    });
    let text = serde_json::to_string_pretty(&summary).context("cannot write the summary")?;
    std::fs::write(path, text + "\n").with_context(|| format!("cannot write `{}`", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::collections::{BTreeMap, BTreeSet};
    use std::io::Read;

    struct Folder(PathBuf);

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn made(name: &str, change: impl FnOnce(&mut CorpusArgs)) -> Folder {
        let out = std::env::temp_dir().join(format!("corpus-test-{}-{name}", std::process::id()));
        let mut args = CorpusArgs {
            out: out.clone(),
            events: 4_000,
            accounts: 5,
            days: 2,
            seed: 1,
            issuing_share: 0.15,
            credentials: None,
            duplicates: 0.02,
            level: 1,
        };
        change(&mut args);
        run(&args).unwrap();
        Folder(out)
    }

    fn records(folder: &Folder) -> Vec<Value> {
        let mut records = Vec::new();
        for path in crate::files(&folder.0.join("AWSLogs")).unwrap() {
            let mut text = String::new();
            flate2::read::MultiGzDecoder::new(File::open(path).unwrap())
                .read_to_string(&mut text)
                .unwrap();
            let mut file: Value = serde_json::from_str(&text).unwrap();
            records.append(file["Records"].as_array_mut().unwrap());
        }
        records
    }

    fn bytes(folder: &Folder) -> BTreeMap<PathBuf, Vec<u8>> {
        let files = crate::files(&folder.0).unwrap().into_iter();
        files
            .map(|path| {
                let inside = path.strip_prefix(&folder.0).unwrap().to_path_buf();
                (inside, std::fs::read(&path).unwrap())
            })
            .collect()
    }

    #[test]
    fn the_truth_is_what_the_records_say() {
        let folder = made("truth", |_| {});
        let mut said = BTreeSet::new();
        for record in records(&folder) {
            let child = record.pointer("/responseElements/credentials/accessKeyId");
            if let Some(child) = child.and_then(Value::as_str) {
                let parent = record
                    .pointer("/userIdentity/accessKeyId")
                    .and_then(Value::as_str);
                if record["userIdentity"]["type"] != "AWSAccount" {
                    said.insert((parent.map(str::to_owned), child.to_owned()));
                }
            }
        }
        let truth = std::fs::read_to_string(folder.0.join("truth.jsonl")).unwrap();
        let edges: BTreeSet<_> = truth
            .lines()
            .map(|line| {
                let edge: Value = serde_json::from_str(line).unwrap();
                let key = |name: &str| edge[name].as_str().map(str::to_owned);
                (key("parent_key"), key("child_key").unwrap())
            })
            .collect();
        assert_eq!(said, edges);
        assert_eq!(edges.len(), 600);
    }

    #[test]
    fn counts_and_uses_are_those_of_the_records() {
        let folder = made("counts", |args| args.duplicates = 0.1);
        let text = std::fs::read_to_string(folder.0.join("truth-summary.json")).unwrap();
        let summary: Value = serde_json::from_str(&text).unwrap();
        let (mut seen, mut uses) = (BTreeSet::new(), BTreeMap::new());
        let records = records(&folder);
        for record in &records {
            if seen.insert(record["eventID"].as_str().unwrap()) {
                let key = record
                    .pointer("/userIdentity/accessKeyId")
                    .and_then(Value::as_str);
                *uses.entry(key.unwrap_or_default()).or_insert(0_u64) += 1;
            }
        }
        assert_eq!(summary["events"], 4_000);
        assert_eq!(summary["events"], seen.len());
        assert_eq!(summary["records"], records.len());
        assert!(summary["duplicates"].as_u64().unwrap() > 200);
        for (key, count) in summary["uses"].as_object().unwrap() {
            assert_eq!(
                count.as_u64(),
                Some(uses.get(key.as_str()).copied().unwrap_or(0)),
                "{key}"
            );
        }
    }

    #[test]
    fn a_child_is_used_while_it_lives() {
        let folder = made("alive", |_| {});
        let mut issued = BTreeMap::new();
        let records = records(&folder);
        for record in &records {
            if let Some(child) = record.pointer("/responseElements/credentials/accessKeyId") {
                issued.insert(
                    child.as_str().unwrap(),
                    record["eventTime"].as_str().unwrap(),
                );
            }
        }
        let mut uses = 0;
        for record in &records {
            let key = record
                .pointer("/userIdentity/accessKeyId")
                .and_then(Value::as_str);
            if let Some(since) = key.and_then(|key| issued.get(key)) {
                let context = &record["userIdentity"]["sessionContext"]["attributes"];
                assert_eq!(context["creationDate"], **since);
                assert!(record["eventTime"].as_str().unwrap() >= *since);
                uses += 1;
            }
        }
        assert!(uses > 1_000, "{uses}");
    }

    #[test]
    fn a_seed_gives_the_same_bytes_and_another_seed_others() {
        let (one, same) = (made("one", |_| {}), made("same", |_| {}));
        let other = made("other", |args| args.seed = 2);
        assert_eq!(bytes(&one), bytes(&same));
        assert_ne!(bytes(&one), bytes(&other));
    }

    #[test]
    fn more_events_keep_the_credentials() {
        let few = made("few", |args| args.credentials = Some(300));
        let many = made("many", |args| {
            args.credentials = Some(300);
            args.events = 8_000;
        });
        let truth =
            |folder: &Folder| std::fs::read_to_string(folder.0.join("truth.jsonl")).unwrap();
        assert_eq!(truth(&few), truth(&many));
        assert_eq!(truth(&few).lines().count(), 300);
    }
}
