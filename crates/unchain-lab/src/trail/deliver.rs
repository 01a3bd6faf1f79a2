//! Log files: records wait by trail, account and region, and are delivered when their time has come or when they are
//! many, so that memory does not grow with the number of calls
//! (docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html).

use std::collections::BTreeMap;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use unchain_core::time::Timestamp;

use super::digest::{self, Chain, LogFile};
use super::draft::{Category, Draft};
use super::trails::Trail;
use super::{hex, place, selector};
use crate::world::World;

/// Bytes of records that are delivered without waiting for their time.
const MANY: usize = 1 << 20;

/// Services whose events are those of all regions.
const GLOBAL: &[&str] = &[
    "iam.amazonaws.com",
    "organizations.amazonaws.com",
    "signin.amazonaws.com",
];

/// Records of one account and region that wait for one trail.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Buffer {
    trail: String,
    account: String,
    region: String,
    /// When the first came, virtual seconds since 1970.
    since: i64,
    bytes: usize,
    records: Vec<Waiting>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Waiting {
    at: i64,
    text: String,
    /// Was held back or is a duplicate: goes with the next file for certain.
    again: bool,
}

/// Gives a record to every trail that wants it.
pub(super) fn accept(world: &mut World, draft: &Draft, (at, text): (i64, &str)) {
    let global = GLOBAL.contains(&draft.source.as_str());
    let wanting = |trail: &&Trail| {
        trail.logging
            && trail.covers_region(&draft.region, global)
            && covers_account(world, trail, &draft.account)
            && (draft.category == Category::Management || world.settings.data_events)
            && selector::takes(trail, draft)
    };
    let trails = world.trail.trails.values().filter(wanting);
    let trails: Vec<String> = trails.map(|trail| trail.arn.clone()).collect();
    for trail in trails {
        let waiting = Waiting {
            at,
            text: text.to_owned(),
            again: false,
        };
        let name = wait(
            world,
            (&trail, &draft.account, &draft.region),
            vec![waiting],
        );
        let many = world.trail.buffers.get(&name);
        if many.is_some_and(|buffer| buffer.bytes > MANY) {
            flush(world, &name, world.now);
        }
    }
}

fn covers_account(world: &World, trail: &Trail, account: &str) -> bool {
    let of = |account| place::organization(world, account).map(|(id, _)| id);
    trail.is_own()
        || trail.account == account
        || (trail.organization && of(account).is_some() && of(account) == of(&trail.account))
}

/// Adds to what waits; the name of the buffer.
fn wait(
    world: &mut World,
    (trail, account, region): (&str, &str, &str),
    records: Vec<Waiting>,
) -> String {
    let now = world.now;
    let name = format!("{trail} {account} {region}");
    let buffer = world
        .trail
        .buffers
        .entry(name.clone())
        .or_insert_with(|| Buffer {
            trail: trail.to_owned(),
            account: account.to_owned(),
            region: region.to_owned(),
            since: now,
            bytes: 0,
            records: Vec::new(),
        });
    buffer.since = buffer.since.min(now);
    buffer.bytes += records
        .iter()
        .map(|record| record.text.len())
        .sum::<usize>();
    buffer.records.extend(records);
    let due = buffer
        .since
        .saturating_add(world.settings.delivery_interval);
    world.trail.due = world.trail.due.min(due);
    name
}

/// Delivers what is due at the world's time. A leap of the clock delivers what was waiting at the time it was due.
pub fn deliver_due(world: &mut World) {
    if world.now < world.trail.due {
        return;
    }
    let interval = world.settings.delivery_interval;
    while let Some((name, due)) = first_due(world, interval) {
        let at = due.min(world.now);
        flush(world, &name, at);
    }
    for name in world.trail.trails.keys().cloned().collect::<Vec<_>>() {
        with_trail(world, &name, digest::write_due);
    }
    world.trail.due = next_due(world, interval);
}

/// Delivers all that waits, whatever its time.
pub fn deliver_all(world: &mut World) {
    while let Some(name) = world.trail.buffers.keys().next().cloned() {
        flush(world, &name, world.now);
    }
    deliver_due(world);
}

/// Delivers what waits for one trail.
pub(super) fn deliver_trail(world: &mut World, arn: &str) {
    let of_trail = |world: &World| {
        let mut buffers = world.trail.buffers.iter();
        let found = buffers.find(|(_, buffer)| buffer.trail == arn);
        found.map(|(name, _)| name.clone())
    };
    while let Some(name) = of_trail(world) {
        flush(world, &name, world.now);
    }
}

fn first_due(world: &World, interval: i64) -> Option<(String, i64)> {
    let buffers = world.trail.buffers.iter();
    let due = buffers.map(|(name, buffer)| (name, buffer.since.saturating_add(interval)));
    due.filter(|(_, due)| *due <= world.now)
        .min_by_key(|(_, due)| *due)
        .map(|(name, due)| (name.clone(), due))
}

pub(super) fn next_due(world: &World, interval: i64) -> i64 {
    let buffers = world.trail.buffers.values();
    let files = buffers.map(|buffer| buffer.since.saturating_add(interval));
    let trails = world.trail.trails.values();
    let digests = trails.flat_map(|trail| trail.chains.values().map(Chain::due));
    files.chain(digests).min().unwrap_or(i64::MAX)
}

/// Takes a trail out of the world while it is worked on.
pub(super) fn with_trail(world: &mut World, arn: &str, work: impl FnOnce(&mut World, &mut Trail)) {
    if let Some(mut trail) = world.trail.trails.remove(arn) {
        work(world, &mut trail);
        world.trail.trails.insert(arn.to_owned(), trail);
    }
}

/// Writes the file of a buffer.
fn flush(world: &mut World, name: &str, at: i64) {
    let Some(mut buffer) = world.trail.buffers.remove(name) else {
        return;
    };
    let later = hold_back(world, &mut buffer.records);
    if !later.is_empty() {
        let place = (
            buffer.trail.as_str(),
            buffer.account.as_str(),
            buffer.region.as_str(),
        );
        let name = wait(world, place, later);
        if let Some(waiting) = world.trail.buffers.get_mut(&name) {
            waiting.since = at;
        }
    }
    if !buffer.records.is_empty() {
        let arn = buffer.trail.clone();
        with_trail(world, &arn, |world, trail| {
            write(world, trail, &buffer, at);
        });
    }
}

/// Takes out what the settings send with a later file: some of the records, and second copies of others.
fn hold_back(world: &mut World, records: &mut Vec<Waiting>) -> Vec<Waiting> {
    let (shuffle, duplicates) = (world.settings.out_of_order, world.settings.duplicates);
    if !shuffle && duplicates == 0 {
        return Vec::new();
    }
    let (mut now, mut later) = (Vec::new(), Vec::new());
    for record in records.drain(..) {
        let drawn = world.ids.number();
        let again = Waiting {
            again: true,
            ..record.clone()
        };
        if !record.again && drawn % 100 < u64::from(duplicates) {
            later.push(again);
        } else if !record.again && shuffle && (drawn >> 32).is_multiple_of(4) {
            later.push(again);
            continue;
        }
        now.push((drawn >> 8, record));
    }
    if shuffle {
        now.sort_by_key(|(drawn, _)| *drawn);
    }
    records.extend(now.into_iter().map(|(_, record)| record));
    later
}

fn write(world: &mut World, trail: &mut Trail, buffer: &Buffer, at: i64) {
    let texts: Vec<&str> = buffer
        .records
        .iter()
        .map(|record| record.text.as_str())
        .collect();
    let text = format!("{{\"Records\":[{}]}}", texts.join(","));
    let key = key(world, trail, buffer, at);
    let file = (packed(text.as_bytes()), BTreeMap::new());
    trail.status.delivery_error = place::put(world, trail, &key, file).err();
    if trail.status.delivery_error.is_some() {
        return;
    }
    trail.status.delivered = Some(at);
    let events = buffer.records.iter().map(|record| record.at);
    let events = (
        events.clone().min().unwrap_or(at),
        events.max().unwrap_or(at),
    );
    if trail.topic.is_some() {
        let message = json!({"s3Bucket": trail.bucket(), "s3ObjectKey": [key]});
        if place::notify(world, trail, &message.to_string()) {
            trail.status.notified = Some(at);
        }
    }
    list(
        trail,
        buffer,
        LogFile {
            key,
            hash: hex(&Sha256::digest(text.as_bytes())),
            events,
            at,
        },
    );
}

/// Notes a file for the next digest.
fn list(trail: &mut Trail, buffer: &Buffer, file: LogFile) {
    if !trail.validation {
        return;
    }
    let (account, region) = (&buffer.account, &buffer.region);
    trail
        .chains
        .entry(format!("{account} {region}"))
        .or_insert_with(|| Chain::new(account, region, file.at))
        .files
        .push(file);
}

fn key(world: &mut World, trail: &Trail, buffer: &Buffer, at: i64) -> String {
    let (account, region) = (&buffer.account, &buffer.region);
    let stamp = Stamp::of(at);
    let drawn = world.ids.text(64);
    let unique: String = drawn
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(16)
        .collect();
    format!(
        "{}{account}/CloudTrail/{region}/{}/{account}_CloudTrail_{region}_{}_{unique}.json.gz",
        root(world, trail),
        stamp.day,
        stamp.minute,
    )
}

/// `[prefix/]AWSLogs/[o-…/]`, what every key of a trail begins with.
pub(super) fn root(world: &World, trail: &Trail) -> String {
    let organization = trail
        .organization
        .then(|| place::organization(world, &trail.account))
        .flatten();
    let organization = organization.map_or_else(String::new, |(id, _)| format!("{id}/"));
    format!("{}AWSLogs/{organization}", trail.prefix())
}

/// The forms of an instant in keys.
pub(super) struct Stamp {
    /// `2026/11/22`
    pub(super) day: String,
    /// `20261122T0746Z`
    pub(super) minute: String,
    /// `20261122T074629Z`
    pub(super) second: String,
}

impl Stamp {
    pub(super) fn of(at: i64) -> Self {
        let text = Timestamp::from_seconds(at).to_string();
        let plain = text.replace(['-', ':'], "");
        Self {
            day: text.get(..10).unwrap_or_default().replace('-', "/"),
            minute: format!("{}Z", plain.get(..13).unwrap_or_default()),
            second: plain,
        }
    }
}

/// Compressed with gzip. Writing into memory does not fail.
pub(super) fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let written = encoder.write_all(bytes);
    written.and_then(|()| encoder.finish()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
