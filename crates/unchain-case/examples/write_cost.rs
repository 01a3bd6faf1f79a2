//! What a case costs: CPU time to write two million events, to write them again, to add a day, and the time to
//! load the part around a pivot.
//!
//! `cargo run --release -p unchain-case --example write_cost [FOLDER]` (a disk, if it is to mean
//! anything). Decision 4 holds the numbers.

use std::error::Error;
use std::fmt::Write as _;
use std::io::{Write as _, stdout};
use std::path::PathBuf;
use std::time::Instant;
use unchain_case::Case;
use unchain_core::ledger::Ledger;
use unchain_core::lineage::Lineage;
use unchain_core::record::parse_at;

const CREDENTIALS: u32 = 300_000;
const DAYS: u32 = 30;

/// Records as text, one at a time.
#[derive(Default)]
struct World {
    text: String,
    ledger: Ledger,
    events: u64,
}

/// One call.
struct Call<'a> {
    identity: &'a str,
    name: &'a str,
    source: &'a str,
    time: u32,
    account: u32,
    address: u32,
    response: &'a str,
}

impl World {
    fn apply(&mut self, call: &Call<'_>) -> Result<(), Box<dyn Error>> {
        let Call {
            identity,
            name,
            source,
            time,
            account,
            address,
            response,
        } = call;
        self.events += 1;
        let n = self.events.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let (day, second) = (1 + time / 86_400, time % 86_400);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        let (high, low) = (n >> 32, n & 0xffff_ffff);
        let (a, b) = (high & 0xffff, low & 0xffff);
        self.text.clear();
        write!(
            self.text,
            r#"{{"eventVersion":"1.11","userIdentity":{identity},"eventTime":"2026-03-{day:02}T{hour:02}:{minute:02}:{second:02}Z","eventSource":"{source}","eventName":"{name}","awsRegion":"{}","sourceIPAddress":"10.{}.{}.{}","userAgent":"agent/{}","eventID":"{high:08x}-{a:04x}-4000-8{:03x}-{low:08x}{b:04x}","readOnly":true,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"{account:012}","eventCategory":"Management"{response}}}"#,
            ["us-east-1", "eu-west-1", "eu-central-1", "us-west-2"]
                .get(*account as usize % 4)
                .unwrap_or(&""),
            address >> 16 & 255,
            address >> 8 & 255,
            address & 255,
            address % 97,
            n >> 20 & 0xfff,
        )?;
        let (event, _) = parse_at(&self.text, 0).ok_or("a record that cannot be read")?;
        self.ledger.apply(&event);
        Ok(())
    }

    /// One credential: its issue by a user's key or by another session, and about five calls by it.
    fn credential(&mut self, n: u32, day: u32) -> Result<(), Box<dyn Error>> {
        let (account, role) = (100_000_000 + n % 40, n % 1_200);
        let time = day * 86_400 + n * 13 % 80_000;
        let address = n / 3 % 60_000;
        let key = key(n, day);
        let issue = format!(
            r#","requestParameters":{{"roleArn":"arn:aws:iam::{account:012}:role/role-{role}","roleSessionName":"session-{n}-{day}"}},"responseElements":{{"credentials":{{"accessKeyId":"{key}","expiration":"Mar {}, 2026, 11:00:00 PM"}},"assumedRoleUser":{{"assumedRoleId":"AROA{role:017}:session-{n}-{day}","arn":"arn:aws:sts::{account:012}:assumed-role/role-{role}/session-{n}-{day}"}}}}"#,
            day + 1
        );
        let issuer = if n % 10 < 7 || n < 3_000 {
            user(n % 3_000, account)
        } else {
            session(n - 2_991, day, "")
        };
        let call = |identity, name, source, after, response| Call {
            identity,
            name,
            source,
            time: time + after,
            account,
            address,
            response,
        };
        self.apply(&call(
            &issuer,
            "AssumeRole",
            "sts.amazonaws.com",
            0,
            issue.as_str(),
        ))?;
        let own = session(n, day, "");
        let forwarded = session(n, day, r#","invokedBy":"cloudformation.amazonaws.com""#);
        for after in [5, 65, 400] {
            self.apply(&call(&own, "GetObject", "s3.amazonaws.com", after, ""))?;
        }
        let names = [
            "ListBuckets",
            "DescribeInstances",
            "GetCallerIdentity",
            "Decrypt",
        ];
        let name = names.get(n as usize % 4).copied().unwrap_or_default();
        self.apply(&call(&own, name, "ec2.amazonaws.com", 9, ""))?;
        self.apply(&call(
            &forwarded,
            "DescribeStacks",
            "cloudformation.amazonaws.com",
            30,
            "",
        ))?;
        Ok(())
    }
}

fn key(n: u32, day: u32) -> String {
    format!("ASIA{:016}", u64::from(day) << 32 | u64::from(n))
}

fn user(n: u32, account: u32) -> String {
    format!(
        r#"{{"type":"IAMUser","principalId":"AIDA{n:017}","arn":"arn:aws:iam::{account:012}:user/user-{n}","accountId":"{account:012}","accessKeyId":"AKIA{n:016}","userName":"user-{n}"}}"#
    )
}

fn session(n: u32, day: u32, more: &str) -> String {
    let (account, role) = (100_000_000 + n % 40, n % 1_200);
    let time = n * 13 % 80_000;
    let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
    format!(
        r#"{{"type":"AssumedRole","principalId":"AROA{role:017}:session-{n}-{day}","arn":"arn:aws:sts::{account:012}:assumed-role/role-{role}/session-{n}-{day}","accountId":"{account:012}","accessKeyId":"{}","sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"AROA{role:017}","arn":"arn:aws:iam::{account:012}:role/role-{role}","accountId":"{account:012}","userName":"role-{role}"}},"attributes":{{"creationDate":"2026-03-{:02}T{hour:02}:{minute:02}:{second:02}Z","mfaAuthenticated":"false"}}}}{more}}}"#,
        key(n, day),
        day + 1
    )
}

/// Seconds of CPU used by this process, and its peak memory in megabytes.
fn used() -> Result<(f64, u64), Box<dyn Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let mut fields = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(11);
    let ticks: f64 = fields
        .by_ref()
        .take(2)
        .filter_map(|t| t.parse::<f64>().ok())
        .sum();
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak
        .and_then(|text| text.split_whitespace().next())
        .unwrap_or("0")
        .parse::<u64>()?;
    Ok((ticks / 100.0, peak / 1024))
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args()
        .nth(1)
        .map_or_else(std::env::temp_dir, PathBuf::from);
    let path = folder.join("write-cost.case");
    let _ = std::fs::remove_file(&path);
    let mut world = World::default();
    for n in 0..CREDENTIALS {
        world.credential(n, n % (DAYS - 1))?;
    }
    let World {
        mut ledger, events, ..
    } = world;
    ledger.finish();
    report(format_args!(
        "{events} events, {} callers, {} uses, {} facts; peak {} MB",
        ledger.callers().len(),
        ledger.uses().len(),
        ledger.facts().len(),
        used()?.1
    ))?;
    let mut case = Case::open(&path)?;
    timed("write", || Ok(case.write(&mut ledger, &[])?.events))?;
    report(format_args!(
        "{} MB; peak {} MB",
        case.info()?.bytes / 1_000_000,
        used()?.1
    ))?;
    if std::env::args().nth(2).is_some() {
        return Ok(());
    }
    timed("write again", || Ok(case.write(&mut ledger, &[])?.events))?;
    drop(ledger);
    let mut day = World::default();
    for n in 0..CREDENTIALS / 30 {
        day.credential(n, DAYS - 1)?;
    }
    timed("write a day more", || {
        Ok(case.write(&mut day.ledger, &[])?.events)
    })?;
    traces(&case)?;
    timed("load all", || Ok(case.load()?.events()))?;
    Ok(())
}

fn traces(case: &Case) -> Result<(), Box<dyn Error>> {
    let n = 170_004;
    let day = n % (DAYS - 1);
    let part = case.load_around(&key(n, day))?.ok_or("an unknown key")?;
    let issue = part
        .facts()
        .first()
        .map(|fact| part.event_id(fact.id).into_owned());
    let first = part
        .uses()
        .last()
        .map(|usage| part.event_id(usage.first_id).into_owned());
    for pivot in [
        key(n, day),
        format!("session-{n}-{day}"),
        format!(
            "arn:aws:sts::{:012}:assumed-role/role-{}/session-{n}-{day}",
            100_000_000 + n % 40,
            n % 1_200
        ),
        "AKIA0000000000000004".to_owned(),
        "10.0.17.200".to_owned(),
        "role-17".to_owned(),
        issue.unwrap_or_default(),
        first.unwrap_or_default(),
        "00000000-0000-4000-8000-000000000000".to_owned(),
    ] {
        let start = Instant::now();
        let part = case.load_around(&pivot)?;
        let loaded = start.elapsed();
        let nodes = part.as_ref().map(|part| Lineage::build(part).nodes().len());
        report(format_args!(
            "around {pivot}: {:.1} ms to load {} callers and {} facts, {:.1} ms with a lineage of {} nodes",
            loaded.as_secs_f64() * 1e3,
            part.as_ref().map_or(0, |part| part.callers().len()),
            part.as_ref().map_or(0, |part| part.facts().len()),
            start.elapsed().as_secs_f64() * 1e3,
            nodes.unwrap_or_default()
        ))?;
    }
    Ok(())
}

fn timed(
    what: &str,
    work: impl FnOnce() -> Result<u64, Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let (start, before) = (Instant::now(), used()?.0);
    let events = work()?;
    let cpu = used()?.0 - before;
    report(format_args!(
        "{what}: {cpu:.2} s CPU, {:.2} s wall, {events} events",
        start.elapsed().as_secs_f64()
    ))
}

fn report(line: std::fmt::Arguments<'_>) -> Result<(), Box<dyn Error>> {
    Ok(writeln!(stdout(), "{line}")?)
}
