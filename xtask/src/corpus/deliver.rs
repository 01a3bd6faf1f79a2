//! From records to files, as CloudTrail leaves them in a bucket: a folder for every account, region and
//! day, most files small, records not quite in order. It must not know what a record says.

use super::days::{DAY, Days};
use super::mix::REGIONS;
use super::noise::Noise;
use anyhow::Context;
use libdeflater::{CompressionLvl, Compressor};
use std::path::{Path, PathBuf};

/// What was delivered.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Distinct events.
    pub(super) events: u64,
    /// Events delivered a second time.
    pub(super) duplicates: u64,
    pub(super) files: u64,
    pub(super) json_bytes: u64,
    pub(super) gzip_bytes: u64,
}

/// Account by place and number, and region by place.
pub(super) type Address<'a> = (usize, &'a str, usize);

/// The open files of all accounts and regions.
pub(super) struct Delivery<'a> {
    out: PathBuf,
    days: &'a Days,
    open: Vec<Open>,
    compressor: Compressor,
    packed: Vec<u8>,
    noise: Noise,
    pub(super) counts: Counts,
}

/// A file being filled.
#[derive(Debug, Default)]
struct Open {
    number: String,
    json: Vec<u8>,
    /// The latest record, kept back so that the next can overtake it.
    held: Vec<u8>,
    records: u64,
    /// How many records it will hold.
    target: u64,
    latest: i64,
}

impl<'a> Delivery<'a> {
    pub(super) fn new(out: &Path, days: &'a Days, level: i32) -> anyhow::Result<Self> {
        let level = CompressionLvl::new(level)
            .map_err(|_| anyhow::anyhow!("no compression level `{level}`"))?;
        Ok(Self {
            out: out.to_path_buf(),
            days,
            open: Vec::new(),
            compressor: Compressor::new(level),
            packed: Vec::new(),
            noise: Noise::new(1, 0x0066_696c_6573),
            counts: Counts::default(),
        })
    }

    /// Delivers an event for the first time.
    pub(super) fn add(&mut self, to: Address<'_>, at: i64, text: &str) -> anyhow::Result<()> {
        self.counts.events += 1;
        self.put(to, at, text)
    }

    /// Delivers an event once more.
    pub(super) fn again(&mut self, to: Address<'_>, at: i64, text: &str) -> anyhow::Result<()> {
        self.counts.duplicates += 1;
        self.put(to, at, text)
    }

    /// Closes all files.
    pub(super) fn finish(&mut self) -> anyhow::Result<()> {
        for place in 0..self.open.len() {
            self.close(place)?;
        }
        Ok(())
    }

    fn put(
        &mut self,
        (account, number, region): Address<'_>,
        at: i64,
        text: &str,
    ) -> anyhow::Result<()> {
        /// AWS closes a file at 50 MB.
        const MOST_BYTES: usize = 45_000_000;
        let place = account * REGIONS.len() + region;
        if self.open.len() <= place {
            self.open.resize_with(place + 1, Open::default);
        }
        let start = self.days.start;
        let day = move |time: i64| (time - start).div_euclid(DAY);
        let full = self.open.get(place).is_some_and(|file| {
            file.records > 0
                && (file.records >= file.target
                    || day(file.latest) != day(at)
                    || file.json.len() > MOST_BYTES)
        });
        if full {
            self.close(place)?;
        }
        let overtakes = self.noise.below(100) < 7;
        let target = file_size(&mut self.noise);
        let Some(file) = self.open.get_mut(place) else {
            return Ok(());
        };
        if file.records == 0 {
            number.clone_into(&mut file.number);
            file.target = target;
            file.json.extend_from_slice(b"{\"Records\":[");
        }
        if overtakes && !file.held.is_empty() {
            file.json.extend_from_slice(text.as_bytes());
            file.json.push(b',');
        } else {
            file.release();
            file.held.extend_from_slice(text.as_bytes());
        }
        file.records += 1;
        file.latest = at;
        Ok(())
    }

    fn close(&mut self, place: usize) -> anyhow::Result<()> {
        let Some(file) = self.open.get_mut(place).filter(|file| file.records > 0) else {
            return Ok(());
        };
        file.json.extend_from_slice(&file.held);
        file.held.clear();
        file.json.extend_from_slice(b"]}");
        let region = REGIONS
            .get(place % REGIONS.len())
            .copied()
            .unwrap_or_default();
        let path = self
            .out
            .join(path(self.days, file, region, &mut self.noise));
        let bound = self.compressor.gzip_compress_bound(file.json.len());
        self.packed.resize(bound, 0);
        let length = self
            .compressor
            .gzip_compress(&file.json, &mut self.packed)
            .context("cannot compress a file of the corpus")?;
        self.counts.files += 1;
        self.counts.json_bytes += u64::try_from(file.json.len())?;
        self.counts.gzip_bytes += u64::try_from(length)?;
        file.json.clear();
        file.records = 0;
        let parent = path.parent().unwrap_or(&self.out);
        std::fs::create_dir_all(parent)
            .with_context(|| format!("cannot make `{}`", parent.display()))?;
        let packed = self.packed.get(..length).unwrap_or_default();
        std::fs::write(&path, packed).with_context(|| format!("cannot write `{}`", path.display()))
    }
}

impl Open {
    fn release(&mut self) {
        if !self.held.is_empty() {
            self.json.append(&mut self.held);
            self.json.push(b',');
        }
    }
}

/// How many records a file holds: half of them a dozen or fewer, some hundreds. Recorded trails have five to
/// twenty in the middle file and eight to fifty on average; here the average is about thirty.
fn file_size(noise: &mut Noise) -> u64 {
    match noise.below(100) {
        0..60 => 1 + noise.below(20),
        60..90 => 20 + noise.below(40),
        90..99 => 60 + noise.below(100),
        _ => 160 + noise.below(440),
    }
}

fn path(days: &Days, file: &Open, region: &str, noise: &mut Noise) -> String {
    let (day, [hour, minute, _]) = days.split(file.latest);
    let number = &file.number;
    let mut mark = String::with_capacity(16);
    for _ in 0..16 {
        let digit = u8::try_from(noise.below(36)).unwrap_or(0);
        mark.push(char::from(if digit < 10 {
            b'0' + digit
        } else {
            b'A' + digit - 10
        }));
    }
    format!(
        "AWSLogs/{number}/CloudTrail/{region}/{}/{number}_CloudTrail_{region}_{}T{hour:02}{minute:02}Z_{mark}.json.gz",
        day.path, day.plain
    )
}
