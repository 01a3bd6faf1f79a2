//! Event history: the management events of the last ninety days, as `LookupEvents` finds them. The last hundred
//! thousand are kept, packed in blocks; of each record only hashes of what can be searched for are at hand.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read;

use flate2::read::GzDecoder;
use serde_json::Value;

use super::deliver::packed;
use super::lookup::attributes;

/// Records in a packed block.
const BLOCK: usize = 500;
/// Blocks kept: a hundred thousand records.
const BLOCKS: usize = 200;

/// The history of all accounts and regions.
#[derive(Debug, Clone, Default)]
pub struct History {
    blocks: VecDeque<Block>,
    open: Vec<Entry>,
    /// How many records were ever added: the number of the next.
    added: u64,
}

#[derive(Debug, Clone)]
struct Block {
    /// The number of its first record.
    first: u64,
    index: Vec<Index>,
    packed: Vec<u8>,
}

#[derive(Debug, Clone)]
struct Index {
    at: i64,
    marks: Box<[u64]>,
}

#[derive(Debug, Clone)]
struct Entry {
    index: Index,
    text: String,
}

/// What is looked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    /// Account and region, and the attribute if one is given: all must be among a record's marks.
    pub(super) marks: Vec<u64>,
    /// From and to, virtual seconds since 1970, both included.
    pub(super) between: (i64, i64),
    /// Only records with smaller numbers.
    pub(super) before: u64,
    /// At most so many.
    pub(super) most: usize,
}

/// The mark of an attribute.
pub(super) fn mark(name: &str, value: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (name, value).hash(&mut hasher);
    hasher.finish()
}

impl History {
    /// Adds a record, its time in seconds since 1970 and its text.
    pub(super) fn add(&mut self, record: &Value, (at, text): (i64, String)) {
        let marks = attributes(record);
        let marks = marks.iter().map(|(name, value)| mark(name, value));
        let index = Index {
            at,
            marks: marks.collect(),
        };
        self.open.push(Entry { index, text });
        self.added += 1;
        if self.open.len() >= BLOCK {
            self.pack();
        }
    }

    fn pack(&mut self) {
        let entries = std::mem::take(&mut self.open);
        let first = self.added - entries.len() as u64;
        let mut text = String::new();
        let mut index = Vec::with_capacity(entries.len());
        for entry in entries {
            text.push_str(&entry.text);
            text.push('\n');
            index.push(entry.index);
        }
        let packed = packed(text.as_bytes());
        self.blocks.push_back(Block {
            first,
            index,
            packed,
        });
        if self.blocks.len() > BLOCKS {
            self.blocks.pop_front();
        }
    }

    /// One more than the number of the newest record.
    pub(super) fn end(&self) -> u64 {
        self.added
    }

    /// The records wanted with their numbers, newest first.
    pub(super) fn find(&self, wanted: &Wanted) -> Vec<(u64, String)> {
        let first_open = self.added - self.open.len() as u64;
        let open = self.open.iter().enumerate().rev();
        let mut found: Vec<(u64, String)> = open
            .map(|(at, entry)| (first_open + at as u64, entry))
            .filter(|(number, entry)| wanted.takes(*number, &entry.index))
            .map(|(number, entry)| (number, entry.text.clone()))
            .take(wanted.most)
            .collect();
        for block in self.blocks.iter().rev() {
            if found.len() >= wanted.most {
                break;
            }
            found.extend(block.find(wanted, wanted.most - found.len()));
        }
        found
    }
}

impl Wanted {
    fn takes(&self, number: u64, index: &Index) -> bool {
        number < self.before
            && (self.between.0..=self.between.1).contains(&index.at)
            && self.marks.iter().all(|mark| index.marks.contains(mark))
    }
}

impl Block {
    fn find(&self, wanted: &Wanted, most: usize) -> Vec<(u64, String)> {
        let index = self.index.iter().enumerate().rev();
        let index = index.map(|(at, index)| (self.first + at as u64, index));
        let taken = index.filter(|(number, index)| wanted.takes(*number, index));
        let taken: Vec<u64> = taken.map(|(number, _)| number).take(most).collect();
        if taken.is_empty() {
            return Vec::new();
        }
        let mut text = String::new();
        if GzDecoder::new(&*self.packed)
            .read_to_string(&mut text)
            .is_err()
        {
            return Vec::new();
        }
        let lines = (self.first..).zip(text.lines());
        let mut found: Vec<(u64, String)> = lines
            .filter(|(number, _)| taken.contains(number))
            .map(|(number, line)| (number, line.to_owned()))
            .collect();
        found.reverse();
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_newest_come_first_and_the_oldest_are_forgotten() {
        let mut history = History::default();
        for number in 0..(BLOCK * (BLOCKS + 2) + 10) {
            let at = i64::try_from(number).expect("small");
            let record = json!({"eventName": if number % 7 == 0 { "A" } else { "B" }});
            history.add(&record, (at, format!("{number}")));
        }
        let mut wanted = Wanted {
            marks: vec![mark("EventName", "A")],
            between: (0, i64::MAX),
            before: history.end(),
            most: 200,
        };
        let found = history.find(&wanted);
        assert_eq!(found.len(), 200);
        assert!(found.windows(2).all(|pair| pair[0].0 > pair[1].0));
        assert!(
            found
                .iter()
                .all(|(number, text)| number % 7 == 0 && *text == number.to_string())
        );
        wanted.before = 1000;
        assert_eq!(history.find(&wanted), vec![], "forgotten");
        assert_eq!(history.blocks.len(), BLOCKS);
    }
}
