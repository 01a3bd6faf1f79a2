//! The bench: what a scan costs beside merely decompressing the same files, and whether its answer is
//! right.
//!
//! Everything is measured in one run, round by round, so that a machine that is busy for a while hurts
//! all jobs alike; each number is the median of the rounds. A ratio says what a time does not: it
//! holds on another machine. Must not link the program: it is run as a user runs it.

use crate::bench_compare::{compare, difference};
use crate::bench_measure::{Cost, measure};
use crate::reference::Reference;
use anyhow::{Context, Result, bail};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct BenchArgs {
    /// A folder of logs; one is made if not given
    #[arg(long, value_name = "DIR")]
    corpus: Option<PathBuf>,
    /// How many events to make
    #[arg(long, value_name = "N", default_value_t = 2_000_000)]
    events: u64,
    /// How many credentials the made events come from
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    credentials: u64,
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

/// One thing to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Job {
    /// Decompress only.
    Floor,
    /// Scan, everything in memory.
    Memory { threads: u8 },
    /// Scan into a new case file.
    Case { threads: u8 },
}

impl Job {
    const ALL: [Self; 5] = [
        Self::Floor,
        Self::Memory { threads: 1 },
        Self::Memory { threads: 2 },
        Self::Case { threads: 1 },
        Self::Case { threads: 2 },
    ];

    fn name(self) -> String {
        match self {
            Self::Floor => "inflate".to_owned(),
            Self::Memory { threads } => format!("scan --no-case, threads {threads}"),
            Self::Case { threads } => format!("scan --case, threads {threads}"),
        }
    }
}

type Results = BTreeMap<Job, Vec<Cost>>;

/// Where everything is.
struct Bench {
    xtask: PathBuf,
    program: PathBuf,
    /// The logs, with nothing beside them.
    logs: PathBuf,
    /// The true edges, where the corpus was made.
    truth: Option<PathBuf>,
    scratch: PathBuf,
}

impl Bench {
    fn prepare(args: &BenchArgs, out: &mut dyn Write) -> Result<Self> {
        let corpus = match &args.corpus {
            Some(corpus) => corpus.clone(),
            None => made_corpus(args.events, args.credentials, out)?,
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
        Ok(Self {
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
            for job in Job::ALL {
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
        let mut command = match job {
            Job::Floor => Command::new(&self.xtask),
            Job::Memory { .. } | Job::Case { .. } => Command::new(&self.program),
        };
        match job {
            Job::Floor => command.arg("inflate"),
            Job::Memory { threads } => {
                command.args(["scan", "--no-case", "--threads", &threads.to_string()])
            }
            Job::Case { threads } => {
                self.remove_case()?;
                command
                    .args(["scan", "--threads", &threads.to_string(), "--case"])
                    .arg(self.case())
            }
        };
        let cost = measure(command.arg(&self.logs), &self.scratch.join("stdout"))?;
        match (job, cost.code) {
            (Job::Floor, Some(0)) | (Job::Memory { .. } | Job::Case { .. }, Some(0..=2)) => {
                Ok(cost)
            }
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

fn report(results: &Results, out: &mut dyn Write) -> Result<()> {
    let (one, two) = (Job::Memory { threads: 1 }, Job::Memory { threads: 2 });
    let (case_one, case_two) = (Job::Case { threads: 1 }, Job::Case { threads: 2 });
    let cpu = |job, part| ratio(results, (job, Job::Floor), part);
    let floor = |cost: &Cost| cost.cpu;
    writeln!(out, "\n{:<44} {:>6}  target", "ratio", "")?;
    for (job, target) in [(one, 1.8), (two, 1.8), (case_one, 2.4), (case_two, 2.4)] {
        line(
            out,
            &format!("{} / inflate, CPU", job.name()),
            cpu(job, floor),
            target,
        )?;
    }
    for (two, one) in [(two, one), (case_two, case_one)] {
        line(
            out,
            &format!("{} / threads 1, wall", two.name()),
            ratio(results, (two, one), |cost| cost.wall),
            0.6,
        )?;
    }
    for job in Job::ALL {
        let peak = megabytes(median(results, job, |cost| cost.peak));
        writeln!(
            out,
            "{:<44} {peak:>6}  400",
            format!("{}, peak MB", job.name())
        )?;
    }
    Ok(())
}

fn line(out: &mut dyn Write, what: &str, value: f64, target: f64) -> Result<()> {
    let verdict = if value <= target { "met" } else { "missed" };
    writeln!(out, "{what:<44} {value:>6.2}  {target:.2} {verdict}")?;
    Ok(())
}

/// The median cost of the first job over that of the second.
fn ratio(results: &Results, (job, base): (Job, Job), part: fn(&Cost) -> Duration) -> f64 {
    median(results, job, part).as_secs_f64() / median(results, base, part).as_secs_f64()
}

/// The lower median of one part of the costs of a job.
fn median<T: Ord + Default + Copy>(results: &Results, job: Job, part: fn(&Cost) -> T) -> T {
    let mut values: Vec<T> = results.get(&job).into_iter().flatten().map(part).collect();
    values.sort_unstable();
    values
        .get(values.len().saturating_sub(1) / 2)
        .copied()
        .unwrap_or_default()
}

fn megabytes(bytes: u64) -> u64 {
    bytes / 1_000_000
}

/// How many bytes of memory each event beyond the first corpus took, credentials being the same.
fn growth(args: &BenchArgs, small: &Results, out: &mut dyn Write) -> Result<bool> {
    const TARGET: u64 = 12;
    let job = Job::Memory { threads: 2 };
    let bench = Bench::of(&made_corpus(args.events * 4, args.credentials, out)?)?;
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

/// Writes every single measurement and what it was made on.
fn keep(name: &str, results: &Results, out: &mut dyn Write) -> Result<()> {
    let folder = crate::workspace().join("bench/runs").join(name);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    fs::write(folder.join("results.csv"), csv(results)?)?;
    fs::write(folder.join("machine.txt"), machine())?;
    writeln!(out, "kept in bench/runs/{name}")?;
    Ok(())
}

fn csv(results: &Results) -> Result<String> {
    let mut csv = "job,round,cpu_s,wall_s,peak_bytes,exit_code\n".to_owned();
    for (job, costs) in results {
        for (round, cost) in costs.iter().enumerate() {
            let (cpu, wall, code) = (
                cost.cpu.as_secs_f64(),
                cost.wall.as_secs_f64(),
                cost.code.unwrap_or(-1),
            );
            writeln!(
                csv,
                "\"{}\",{},{cpu:.2},{wall:.3},{},{code}",
                job.name(),
                round + 1,
                cost.peak
            )?;
        }
    }
    Ok(csv)
}

/// The processor, memory, kernel, compiler and commit; nothing that names the machine.
fn machine() -> String {
    let first = |path: &str, name: &str| {
        let text = fs::read_to_string(path).unwrap_or_default();
        text.lines()
            .find(|line| line.starts_with(name))
            .map(str::to_owned)
            .unwrap_or_default()
    };
    let said = |program: &str, words: &[&str]| {
        let output = Command::new(program)
            .args(words)
            .current_dir(crate::workspace())
            .output();
        output
            .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
            .unwrap_or_default()
    };
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    [
        first("/proc/cpuinfo", "model name"),
        format!("processors: {processors}"),
        first("/proc/meminfo", "MemTotal"),
        said("uname", &["-srm"]),
        said("rustc", &["--version"]),
        format!("commit: {}", said("git", &["rev-parse", "HEAD"])),
    ]
    .map(|line| line + "\n")
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(hundredths: u64) -> Cost {
        let time = Duration::from_millis(hundredths * 10);
        Cost {
            cpu: time,
            wall: time * 2,
            peak: hundredths,
            code: Some(0),
        }
    }

    fn results() -> Results {
        let job = Job::Memory { threads: 1 };
        Results::from([
            (Job::Floor, [300, 100, 200].map(cost).to_vec()),
            (job, [350, 900, 340].map(cost).to_vec()),
        ])
    }

    #[test]
    fn ratios_are_of_medians() {
        let job = Job::Memory { threads: 1 };
        assert!((ratio(&results(), (job, Job::Floor), |cost| cost.cpu) - 1.75).abs() < 1e-9);
        assert_eq!(median(&results(), job, |cost| cost.peak), 350);
        assert_eq!(
            median(&results(), Job::Case { threads: 1 }, |cost| cost.peak),
            0
        );
    }

    #[test]
    fn a_missed_target_is_called_missed() {
        let mut out = Vec::new();
        report(&results(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let line = |what: &str| {
            text.lines()
                .find(|line| line.starts_with(what))
                .unwrap_or_default()
                .to_owned()
        };
        assert!(
            line("scan --no-case, threads 1 / inflate").ends_with("1.75  1.80 met"),
            "{text}"
        );
        let mut out = Vec::new();
        super::line(&mut out, "x", 1.81, 1.8).unwrap();
        assert!(String::from_utf8(out).unwrap().ends_with("missed\n"));
    }

    #[test]
    fn every_measurement_is_kept() {
        let csv = csv(&results()).unwrap();
        assert_eq!(csv.lines().count(), 7);
        assert!(csv.contains("\"inflate\",1,3.00,6.000,300,0\n"), "{csv}");
    }
}
