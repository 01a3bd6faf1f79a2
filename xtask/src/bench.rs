//! The bench: what a scan costs beside merely decompressing the same files, and whether its answer is
//! right.
//!
//! Everything is measured in one run, round by round, so that a machine that is busy for a while hurts
//! all jobs alike; each number is the median of the rounds. A ratio says what a time does not: it
//! holds on another machine. Must not link the program: it is run as a user runs it.

use crate::bench_compare::{compare, difference};
use crate::bench_measure::{Cost, measure};
use crate::bench_report::{Job, Results, keep, median, megabytes, report};
use crate::reference::Reference;
use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct BenchArgs {
    /// A folder of logs; one is made if not given
    #[arg(long, value_name = "DIR")]
    corpus: Option<PathBuf>,
    /// How many events to make
    #[arg(long, value_name = "N", default_value_t = 2_000_000)]
    events: u64,
    /// How many credentials the made events come from; if not given, 15 of 100 events issue one
    #[arg(long, value_name = "N")]
    credentials: Option<u64>,
    /// How often each job runs
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Also measure the memory of four times the events with the same credentials
    #[arg(long, conflicts_with = "corpus")]
    growth: bool,
    /// Keep the raw results under this name in `bench/runs`
    #[arg(long, value_name = "NAME", requires = "date")]
    keep: Option<String>,
    /// The date to keep them under
    #[arg(long, value_name = "YYYY-MM-DD")]
    date: Option<String>,
}

impl BenchArgs {
    fn credentials(&self) -> u64 {
        self.credentials.unwrap_or(self.events * 15 / 100)
    }
}

/// Measures, prints the ratios, and fails if an answer is wrong; a missed target is only printed.
pub(crate) fn run(args: &BenchArgs, out: &mut dyn Write) -> Result<ExitCode> {
    if cfg!(debug_assertions) {
        return run_release();
    }
    let bench = Bench::prepare(args, out)?;
    let results = bench.rounds(args.runs, out)?;
    report(&results, out)?;
    let mut right = bench.check(out)?;
    if args.growth {
        right &= growth(args, &results, out)?;
    }
    if let (Some(name), Some(date)) = (&args.keep, &args.date) {
        keep(&format!("{date}-{name}"), &results, out)?;
    }
    writeln!(
        out,
        "{}",
        if right {
            "the answer is that of the reference"
        } else {
            "the answer is wrong"
        }
    )?;
    Ok(if right {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Builds everything as a user would and starts over: numbers of a debug build mean nothing.
fn run_release() -> Result<ExitCode> {
    let build = [
        "build",
        "--release",
        "--locked",
        "-p",
        "unchain",
        "-p",
        "xtask",
    ];
    let built = Command::new("cargo")
        .args(build)
        .current_dir(crate::workspace())
        .status()?;
    if !built.success() {
        bail!("the release build failed");
    }
    let debug = std::env::current_exe()?;
    let target = debug
        .parent()
        .and_then(Path::parent)
        .context("the build folder has another form")?;
    let status = Command::new(target.join("release/xtask"))
        .args(std::env::args_os().skip(1))
        .status()?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Where everything is.
struct Bench {
    xtask: PathBuf,
    program: PathBuf,
    /// The logs, with nothing beside them.
    logs: PathBuf,
    /// The true edges, where the corpus was made.
    truth: Option<PathBuf>,
    /// Sigma rules: those of SigmaHQ in `sigmahq`, more beside it. Without them no such job runs.
    rules: Option<PathBuf>,
    scratch: PathBuf,
}

impl Bench {
    fn prepare(args: &BenchArgs, out: &mut dyn Write) -> Result<Self> {
        let corpus = match &args.corpus {
            Some(corpus) => corpus.clone(),
            None => made_corpus(args.events, args.credentials(), out)?,
        };
        Self::of(&corpus)
    }

    fn of(corpus: &Path) -> Result<Self> {
        let xtask = std::env::current_exe()?;
        let scratch = scratch()?;
        let logs = Some(corpus.join("AWSLogs"))
            .filter(|logs| logs.is_dir())
            .unwrap_or_else(|| corpus.to_path_buf());
        let truth = Some(corpus.join("truth.jsonl")).filter(|truth| truth.is_file());
        let rules = std::env::var_os("UNCHAIN_CORPUS").map(|all| PathBuf::from(all).join("sigma"));
        Ok(Self {
            rules: rules.filter(|rules| rules.join("sigmahq").is_dir()),
            program: xtask.with_file_name("unchain"),
            xtask,
            logs,
            truth,
            scratch,
        })
    }

    fn case(&self) -> PathBuf {
        self.scratch.join("bench.case")
    }

    fn rounds(&self, runs: u32, out: &mut dyn Write) -> Result<Results> {
        let mut results = Results::new();
        // The files are read once before anything is measured, so that the first job does not pay for it.
        self.measure(Job::Floor)?;
        for round in 1..=runs {
            let sigma = |job: &Job| matches!(job, Job::SigmaHq | Job::SigmaAll);
            for job in Job::ALL
                .into_iter()
                .filter(|job| self.rules.is_some() || !sigma(job))
            {
                let cost = self.measure(job)?;
                let (cpu, wall) = (cost.cpu.as_secs_f64(), cost.wall.as_secs_f64());
                writeln!(
                    out,
                    "round {round}: {:<28} {cpu:>7.2} s CPU {wall:>7.2} s wall {:>6} MB",
                    job.name(),
                    megabytes(cost.peak)
                )?;
                results.entry(job).or_default().push(cost);
            }
        }
        Ok(results)
    }

    fn measure(&self, job: Job) -> Result<Cost> {
        let mut command = Command::new(match job {
            Job::Floor => &self.xtask,
            _ => &self.program,
        });
        let rules = self.rules.clone().unwrap_or_default();
        match job {
            Job::Floor => command.arg("inflate"),
            Job::Memory { threads } => command.args([
                "scan",
                "--no-case",
                "--no-findings",
                "--threads",
                &threads.to_string(),
            ]),
            Job::Findings => command.args(["scan", "--no-case", "--threads", "1"]),
            Job::SigmaHq | Job::SigmaAll => {
                let plain = [
                    "scan",
                    "--no-case",
                    "--no-findings",
                    "--threads",
                    "1",
                    "--sigma",
                ];
                let all = job == Job::SigmaAll;
                command
                    .args(plain)
                    .arg(if all { rules } else { rules.join("sigmahq") })
            }
            Job::Case { threads } => {
                self.remove_case()?;
                command
                    .args([
                        "scan",
                        "--no-findings",
                        "--threads",
                        &threads.to_string(),
                        "--case",
                    ])
                    .arg(self.case())
            }
        };
        let cost = measure(command.arg(&self.logs), &self.scratch.join("stdout"))?;
        match (job, cost.code) {
            (_, Some(0)) => Ok(cost),
            (Job::Floor, _) => bail!("`{}` failed; hint: run {command:?}", job.name()),
            (_, Some(1..=2)) => Ok(cost),
            _ => bail!("`{}` failed; hint: run {command:?}", job.name()),
        }
    }

    /// SQLite keeps up to two more files beside the database.
    fn remove_case(&self) -> Result<()> {
        for name in ["bench.case", "bench.case-wal", "bench.case-shm"] {
            let path = self.scratch.join(name);
            if path.exists() {
                fs::remove_file(&path)
                    .with_context(|| format!("cannot remove `{}`", path.display()))?;
            }
        }
        Ok(())
    }

    /// Compares the answer of the last case written with the reference, and the reference with the truth.
    fn check(&self, out: &mut dyn Write) -> Result<bool> {
        let reference = Reference::read(&self.logs)?;
        writeln!(
            out,
            "reference: {} records, {} repeated",
            reference.records, reference.repeated
        )?;
        let mut right = true;
        if let Some(truth) = &self.truth {
            right &= difference("true edges", &true_edges(truth)?, &reference.edges(), out)?;
        }
        let answer = |noun: &str| -> Result<String> {
            let mut command = Command::new(&self.program);
            let output = command
                .arg(noun)
                .arg("--case")
                .arg(self.case())
                .args(["--format", "jsonl"])
                .output()?;
            if !matches!(output.status.code(), Some(0..=2)) {
                bail!("`{noun}` failed; hint: run {command:?}");
            }
            String::from_utf8(output.stdout)
                .with_context(|| format!("`{noun}` printed something else than UTF-8"))
        };
        Ok(compare(&reference, &answer("edges")?, &answer("tokens")?, out)? && right)
    }
}

/// The folder for what the bench makes; part of the build folder, so that `cargo clean` removes it.
fn scratch() -> Result<PathBuf> {
    let scratch = crate::workspace().join("target/bench");
    fs::create_dir_all(&scratch).with_context(|| format!("cannot make `{}`", scratch.display()))?;
    Ok(scratch)
}

/// Makes a corpus, unless it is there from an earlier run.
fn made_corpus(events: u64, credentials: u64, out: &mut dyn Write) -> Result<PathBuf> {
    let folder = scratch()?.join(format!("corpus-{events}-{credentials}"));
    if folder.join("truth-summary.json").is_file() {
        return Ok(folder);
    }
    writeln!(out, "making {events} events from {credentials} credentials")?;
    let mut command = Command::new(std::env::current_exe()?);
    command
        .arg("corpus")
        .arg("--out")
        .arg(&folder)
        .args(["--events", &events.to_string()]);
    if !command
        .args(["--credentials", &credentials.to_string()])
        .status()?
        .success()
    {
        bail!("cannot make a corpus; hint: run {command:?}");
    }
    Ok(folder)
}

/// The edges that the load generator wrote down.
fn true_edges(truth: &Path) -> Result<BTreeSet<(Option<String>, String)>> {
    let text =
        fs::read_to_string(truth).with_context(|| format!("cannot read `{}`", truth.display()))?;
    let mut edges = BTreeSet::new();
    for line in text.lines() {
        let edge: serde_json::Value = serde_json::from_str(line)?;
        let key = |name: &str| {
            edge.get(name)
                .and_then(|key| key.as_str())
                .map(str::to_owned)
        };
        edges.extend(key("child_key").map(|child| (key("parent_key"), child)));
    }
    Ok(edges)
}

/// How many bytes of memory each event beyond the first corpus took, credentials being the same.
fn growth(args: &BenchArgs, small: &Results, out: &mut dyn Write) -> Result<bool> {
    const TARGET: u64 = 12;
    let job = Job::Memory { threads: 2 };
    let bench = Bench::of(&made_corpus(args.events * 4, args.credentials(), out)?)?;
    let peaks = (0..args.runs)
        .map(|_| Ok(bench.measure(job)?.peak))
        .collect::<Result<Vec<u64>>>()?;
    let more = peaks
        .into_iter()
        .min()
        .unwrap_or(0)
        .saturating_sub(median(small, job, |cost| cost.peak));
    let tenths = more.saturating_mul(10) / (args.events * 3).max(1);
    let verdict = if tenths <= TARGET * 10 {
        "met"
    } else {
        "missed"
    };
    writeln!(
        out,
        "{:<44} {:>4}.{}  {TARGET} {verdict}",
        "bytes per event more",
        tenths / 10,
        tenths % 10
    )?;
    bench.measure(Job::Case { threads: 2 })?;
    bench.check(out)
}
