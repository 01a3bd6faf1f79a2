//! One process measured from outside: CPU time, wall time and peak memory.
//!
//! The numbers come from Linux's `/proc`, because asking the kernel directly takes unsafe code and an
//! installed `time` cannot be counted on. CPU time is the parent's count of what its ended children used,
//! exact to the kernel's tick of 10 ms. Peak memory is the child's own high-water mark, read every few
//! milliseconds until it ends, so growth in the last of them would be missed. Knows no program.

use anyhow::{Context, Result};
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

/// What one run cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cost {
    /// User and system time, of all threads.
    pub(crate) cpu: Duration,
    pub(crate) wall: Duration,
    /// Resident bytes at their highest.
    pub(crate) peak: u64,
    /// `None` if a signal ended it.
    pub(crate) code: Option<i32>,
}

/// Runs `command` to its end with its standard output going into the file `stdout`.
pub(crate) fn measure(command: &mut Command, stdout: &Path) -> Result<Cost> {
    let output =
        File::create(stdout).with_context(|| format!("cannot write `{}`", stdout.display()))?;
    let before = children_cpu()?;
    let started = Instant::now();
    let mut child = command
        .stdout(output)
        .spawn()
        .with_context(|| format!("cannot start {command:?}"))?;
    let mut peak = 0;
    let status = loop {
        peak = peak.max(peak_of(child.id()).unwrap_or(0));
        if let Some(status) = child.try_wait()? {
            break status;
        }
        thread::sleep(Duration::from_millis(2));
    };
    let wall = started.elapsed();
    let cpu = children_cpu()?.saturating_sub(before);
    Ok(Cost {
        cpu,
        wall,
        peak,
        code: status.code(),
    })
}

/// The CPU time of all children that have ended.
fn children_cpu() -> Result<Duration> {
    let stat = fs::read_to_string("/proc/self/stat")
        .context("the bench reads /proc and so runs on Linux only")?;
    children_ticks(&stat)
        .map(|ticks| Duration::from_millis(ticks * 10))
        .context("/proc/self/stat has another form")
}

/// `cutime` + `cstime` of proc_pid_stat(5), in hundredths of a second. The name before them is in
/// parentheses and may hold anything.
fn children_ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(13);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    Some(ticks()? + ticks()?)
}

/// `VmHWM` of proc_pid_status(5), in bytes; `None` once the process has ended.
fn peak_of(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_read_behind_any_name() {
        let stat = "7 (a) b) S 1 2 3 4 5 6 7 8 9 10 400 50 30 12 20 0 1 0";
        assert_eq!(children_ticks(stat), Some(42));
        assert_eq!(children_ticks("7 (a"), None);
        assert_eq!(children_ticks("7 (a) S 1 2"), None);
    }

    #[test]
    fn a_process_has_a_peak_and_a_missing_one_has_none() {
        assert!(peak_of(std::process::id()).is_some_and(|bytes| bytes > 100_000));
        assert_eq!(peak_of(u32::MAX), None);
    }

    #[test]
    fn a_run_is_measured_to_its_exit_code() {
        let cost = measure(
            Command::new("sh").args(["-c", "exit 3"]),
            Path::new("/dev/null"),
        )
        .unwrap();
        assert_eq!(cost.code, Some(3));
        assert!(cost.wall > Duration::ZERO);
    }
}
