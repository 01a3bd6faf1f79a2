//! What the bench found: medians, ratios beside their targets, and the raw results that are kept.
//!
//! Knows what was measured but not how.

use crate::bench_measure::Cost;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write;
use std::process::Command;
use std::time::Duration;

/// One thing to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Job {
    /// Decompress only.
    Floor,
    /// Scan, everything in memory, nothing looked for.
    Memory { threads: u8 },
    /// The same, and all detections.
    Findings,
    /// The same without detections, and the Sigma rules of SigmaHQ.
    SigmaHq,
    /// The same, and all Sigma rules.
    SigmaAll,
    /// Scan into a new case file.
    Case { threads: u8 },
}

impl Job {
    pub(crate) const ALL: [Self; 8] = [
        Self::Floor,
        Self::Memory { threads: 1 },
        Self::Memory { threads: 2 },
        Self::Findings,
        Self::SigmaHq,
        Self::SigmaAll,
        Self::Case { threads: 1 },
        Self::Case { threads: 2 },
    ];

    /// What the tables call it.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Floor => "inflate".to_owned(),
            Self::Memory { threads } => format!("scan --no-case, threads {threads}"),
            Self::Case { threads } => format!("scan --case, threads {threads}"),
            Self::Findings => "scan with detections".to_owned(),
            Self::SigmaHq => "scan with SigmaHQ's rules".to_owned(),
            Self::SigmaAll => "scan with all Sigma rules".to_owned(),
        }
    }
}

/// The costs of each job, one a round.
pub(crate) type Results = BTreeMap<Job, Vec<Cost>>;

/// Below this the kernel's tick of 10 ms is more than two hundredths of what is measured.
const SHORTEST_FLOOR: Duration = Duration::from_millis(500);

/// Prints the ratios that do not depend on the machine, beside their targets.
pub(crate) fn report(results: &Results, out: &mut dyn Write) -> Result<()> {
    let (one, two) = (Job::Memory { threads: 1 }, Job::Memory { threads: 2 });
    let (case_one, case_two) = (Job::Case { threads: 1 }, Job::Case { threads: 2 });
    let cpu = |job, part| ratio(results, (job, Job::Floor), part);
    let floor = |cost: &Cost| cost.cpu;
    if median(results, Job::Floor, floor) < SHORTEST_FLOOR {
        writeln!(
            out,
            "\nthe floor is too short to measure: these ratios mean nothing"
        )?;
    }
    writeln!(out, "\n{:<44} {:>6}  target", "ratio", "")?;
    for (job, target) in [(one, 1.8), (two, 1.8), (case_one, 2.4), (case_two, 2.4)] {
        line(
            out,
            &format!("{} / inflate, CPU", job.name()),
            cpu(job, floor),
            target,
        )?;
    }
    for (job, target) in [
        (Job::Findings, 1.15),
        (Job::SigmaHq, 3.5),
        (Job::SigmaAll, 6.0),
    ] {
        if results.contains_key(&job) {
            let beside = ratio(results, (job, one), floor);
            line(
                out,
                &format!("{} / plain scan, CPU", job.name()),
                beside,
                target,
            )?;
        }
    }
    for (two, one) in [(two, one), (case_two, case_one)] {
        line(
            out,
            &format!("{} / threads 1, wall", two.name()),
            ratio(results, (two, one), |cost| cost.wall),
            0.6,
        )?;
    }
    for job in Job::ALL.into_iter().filter(|job| results.contains_key(job)) {
        let peak = megabytes(median(results, job, |cost| cost.peak));
        writeln!(
            out,
            "{:<44} {peak:>6}  400",
            format!("{}, peak MB", job.name())
        )?;
    }
    Ok(())
}

/// Writes every single measurement and what it was made on.
pub(crate) fn keep(name: &str, results: &Results, out: &mut dyn Write) -> Result<()> {
    let folder = crate::workspace().join("bench/runs").join(name);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    fs::write(folder.join("results.csv"), csv(results)?)?;
    fs::write(folder.join("machine.txt"), machine())?;
    writeln!(out, "kept in bench/runs/{name}")?;
    Ok(())
}

/// The lower median of one part of the costs of a job.
pub(crate) fn median<T: Ord + Default + Copy>(
    results: &Results,
    job: Job,
    part: fn(&Cost) -> T,
) -> T {
    let mut values: Vec<T> = results.get(&job).into_iter().flatten().map(part).collect();
    values.sort_unstable();
    values
        .get(values.len().saturating_sub(1) / 2)
        .copied()
        .unwrap_or_default()
}

/// Whole megabytes.
pub(crate) fn megabytes(bytes: u64) -> u64 {
    bytes / 1_000_000
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
