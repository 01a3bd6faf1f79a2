//! What the process holds while records are made: after a tenth of the calls, and at the end.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::time::Instant;

use flate2::read::GzDecoder;
use unchain_core::time::Timestamp;
use unchain_lab::{Lab, trail};

use super::{Failure, calls};

/// When the first call is made: 2026-11-22.
const START: i64 = 1_795_333_766;

/// A process may hold this part more at the end than at the half, which is the allocator's.
const SLACK: u64 = 10;

/// Makes `calls` and prints what memory they took. A second of the lab's time passes from one to the next, so that
/// sessions end and are forgotten as they would be. The event history has its hundred thousand records when a sixth
/// of a million calls is made; nothing may grow in the second half.
pub(super) fn measure(calls: usize) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let (mut world, root) = super::world();
    trail::deliver_to(&mut world, Some(folder.path().to_owned()));
    let lab = Lab::new(world);
    let user = calls::prepare(&lab, &root, Timestamp::from_seconds(START))?;
    let start = Instant::now();
    let mut half = None;
    for number in 0..calls {
        let at = Timestamp::from_seconds(START + i64::try_from(number)?);
        calls::must(&lab, &calls::call(&user, (0, number), at), at)?;
        if (number + 1) % (calls / 10).max(1) == 0 {
            print(&lab, number + 1);
        }
        if number == calls / 2 {
            half = memory("VmRSS:");
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    trail::deliver_all(&mut lab.world());
    let (files, records) = delivered(folder.path())?;
    println!(
        "{calls} signed calls in process in {seconds:.2} s: {:.0} calls/s; {records} records in {files} files",
        f64::from(u32::try_from(calls)?) / seconds
    );
    if records < calls {
        return Err("records are missing".into());
    }
    match (half, memory("VmRSS:")) {
        (Some(half), Some(end)) if end > half + half / SLACK => {
            Err(format!("memory grew from {half} to {end} KiB").into())
        }
        _ => Ok(()),
    }
}

fn print(lab: &Lab, calls: usize) {
    let text = |name| memory(name).map_or_else(|| "unknown".to_owned(), |size| size.to_string());
    let (now, most) = (text("VmRSS:"), text("VmHWM:"));
    let sessions = lab.world().sessions.len();
    println!("{calls} calls: {now} KiB in memory, {most} at most, {sessions} sessions remembered");
}

/// What the process holds, in KiB, where the system is Linux.
fn memory(name: &str) -> Option<u64> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

/// How many log files there are, and how many records in them.
fn delivered(folder: &Path) -> Result<(usize, usize), Failure> {
    let (mut files, mut records) = (0, 0);
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.ends_with("CloudTrail-Digest") {
            continue;
        }
        let (more_files, more_records) = match path.is_dir() {
            true => delivered(&path)?,
            false => (1, in_file(&path)?),
        };
        files += more_files;
        records += more_records;
    }
    Ok((files, records))
}

fn in_file(path: &Path) -> Result<usize, Failure> {
    let mut text = String::new();
    GzDecoder::new(fs::File::open(path)?).read_to_string(&mut text)?;
    let file: serde_json::Value = serde_json::from_str(&text)?;
    let records = file.get("Records").and_then(|records| records.as_array());
    Ok(records.ok_or("a log file without records")?.len())
}
