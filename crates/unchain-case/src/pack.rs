//! The packed columns: `caller.uses` (JSON, for people), `caller.ends`, `caller.marks` and
//! `caller_day.marks` (bytes). docs/case-file.md states the formats. A reader gives `None` for anything
//! that a writer does not write. Must not know SQLite.

use crate::usage::{End, EventId, Numbers, UseRow};
use std::borrow::Cow;
use unchain_core::ledger::Mark;

/// The first byte of packed ends and marks.
const VERSION: u8 = 1;
/// The only byte of `caller.marks` when the marks are in `caller_day`.
pub(crate) const BY_DAY: u8 = 2;
/// Uses with more events than their two ends have marks of their own.
const ENDS: u64 = 2;
/// A guard against counts that damage made up: no packed mark is smaller.
const SMALLEST_MARK: usize = 5;

/// The packed columns of a caller, to be filled again and again.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Packed {
    pub(crate) uses: Vec<u8>,
    pub(crate) ends: Vec<u8>,
    /// Empty if no use has more than two events.
    pub(crate) marks: Vec<u8>,
}

impl Packed {
    /// Packs uses that are in the order of their numbers, with their marks or, where those are kept by day,
    /// without.
    pub(crate) fn fill(&mut self, uses: &[UseRow<'_>]) {
        self.uses.clear();
        self.ends.clear();
        self.marks.clear();
        self.ends.push(VERSION);
        self.uses.push(b'[');
        for (n, row) in uses.iter().enumerate() {
            if n > 0 {
                self.uses.push(b',');
            }
            self.push_use(row);
            push_end(&mut self.ends, &row.first);
            if row.count > 1 {
                push_end(&mut self.ends, &row.last);
            }
            if row.count > ENDS && !row.marks.is_empty() {
                if self.marks.is_empty() {
                    self.marks.push(VERSION);
                }
                let inner = row.marks.get(1..row.marks.len() - 1).unwrap_or_default();
                push_marks(&mut self.marks, row.first.0.seconds(), inner);
            }
        }
        self.uses.push(b']');
    }

    /// The column `marks`, which is NULL if there are none.
    pub(crate) fn marks(&self) -> Option<&[u8]> {
        Some(self.marks.as_slice()).filter(|marks| !marks.is_empty())
    }

    fn push_use(&mut self, row: &UseRow<'_>) {
        let Numbers {
            call,
            client,
            place,
            outcome,
        } = row.numbers;
        let (first, last) = (row.first.0.seconds(), row.last.0.seconds());
        self.uses.push(b'[');
        for number in [call, client, place, outcome, first, last] {
            push_decimal(&mut self.uses, u64::from(number));
            self.uses.push(b',');
        }
        push_decimal(&mut self.uses, row.count);
        self.uses.push(b']');
    }
}

/// Reads the uses of a caller. Without `marks` they have none, unless they are the ends.
pub(crate) fn read_uses(
    uses: &str,
    ends: &[u8],
    marks: Option<&[u8]>,
) -> Option<Vec<UseRow<'static>>> {
    let mut numbers = Decimals(uses.as_bytes());
    let mut ends = Bytes(ends.strip_prefix(&[VERSION])?);
    let mut marks = marks
        .map(|m| m.strip_prefix(&[VERSION]).unwrap_or_default())
        .map(Bytes);
    let mut out = Vec::new();
    while let Some(call) = numbers.next() {
        let [client, place, outcome, first, last] = numbers.array()?;
        let count = numbers.next()?;
        let numbers = Numbers {
            call: u32::try_from(call).ok()?,
            client,
            place,
            outcome,
        };
        let first = ends.end(first)?;
        let last = if count > 1 {
            ends.end(last)?
        } else {
            first.clone()
        };
        let mut all = Vec::new();
        match &mut marks {
            Some(_) if count <= ENDS => {
                all.extend([first.0, last.0]);
                all.dedup();
            }
            Some(marks) if !marks.0.is_empty() => {
                let inner = usize::try_from(count.checked_sub(ENDS)?).ok()?;
                all.push(first.0);
                marks.marks(first.0.seconds(), inner, &mut all)?;
                all.push(last.0);
            }
            _ => {}
        }
        out.push(UseRow {
            numbers,
            first,
            last,
            count,
            marks: Cow::Owned(all),
        });
    }
    (ends.0.is_empty() && marks.is_none_or(|m| m.0.is_empty())).then_some(out)
}

/// The marks of one day, by use.
pub(crate) type Day = Vec<(Numbers, Vec<Mark>)>;

/// Packs the marks of a day; `start` is its first second.
pub(crate) fn pack_day(start: u32, day: &Day) -> Vec<u8> {
    let mut out = vec![VERSION];
    for (numbers, marks) in day {
        for number in [numbers.call, numbers.client, numbers.place, numbers.outcome] {
            push_varint(&mut out, u64::from(number));
        }
        push_varint(&mut out, marks.len() as u64);
        push_marks(&mut out, start, marks);
    }
    out
}

/// Reads the marks of a day.
pub(crate) fn read_day(start: u32, bytes: &[u8]) -> Option<Day> {
    let mut bytes = Bytes(bytes.strip_prefix(&[VERSION])?);
    let mut out = Vec::new();
    while !bytes.0.is_empty() {
        let numbers = Numbers {
            call: bytes.number()?,
            client: bytes.number()?,
            place: bytes.number()?,
            outcome: bytes.number()?,
        };
        let count = usize::try_from(bytes.varint()?).ok()?;
        let mut marks = Vec::new();
        bytes.marks(start, count, &mut marks)?;
        out.push((numbers, marks));
    }
    Some(out)
}

fn push_end(out: &mut Vec<u8>, (mark, id): &End<'_>) {
    let hash = mark.0.to_le_bytes();
    out.extend_from_slice(hash.get(..4).unwrap_or_default());
    push_id(out, id);
}

/// An event id: a byte 0 and a GUID, or the length of a text plus one and the text.
pub(crate) fn push_id(out: &mut Vec<u8>, id: &EventId<'_>) {
    match id {
        EventId::Guid(bytes) => {
            out.push(0);
            out.extend_from_slice(bytes);
        }
        EventId::Text(text) => {
            push_varint(out, text.len() as u64 + 1);
            out.extend_from_slice(text.as_bytes());
        }
    }
}

/// Each mark as the seconds since the one before, and the four bytes of its hash.
fn push_marks(out: &mut Vec<u8>, mut before: u32, marks: &[Mark]) {
    for mark in marks {
        push_varint(out, u64::from(mark.seconds().saturating_sub(before)));
        before = mark.seconds();
        out.extend_from_slice(mark.0.to_le_bytes().get(..4).unwrap_or_default());
    }
}

/// LEB128, as in DWARF and WebAssembly.
fn push_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(u8::try_from(number & 0x7f).unwrap_or_default() | 0x80);
        number >>= 7;
    }
    out.push(u8::try_from(number).unwrap_or_default());
}

fn push_decimal(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0u8; 20];
    let mut used = 0;
    for slot in digits.iter_mut().rev() {
        *slot = b'0' + u8::try_from(number % 10).unwrap_or_default();
        used += 1;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(20 - used..).unwrap_or_default());
}

/// The numbers in a JSON text of nested arrays of numbers, whatever their nesting.
struct Decimals<'a>(&'a [u8]);

impl Iterator for Decimals<'_> {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let start = self.0.iter().position(u8::is_ascii_digit)?;
        let rest = self.0.get(start..)?;
        let length = rest
            .iter()
            .position(|b| !b.is_ascii_digit())
            .unwrap_or(rest.len());
        let (digits, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        std::str::from_utf8(digits).ok()?.parse().ok()
    }
}

impl Decimals<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u32; N]> {
        let mut out = [0; N];
        for slot in &mut out {
            *slot = u32::try_from(self.next()?).ok()?;
        }
        Some(out)
    }
}

/// Packed bytes, read from the front.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array()?;
            number |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn number(&mut self) -> Option<u32> {
        u32::try_from(self.varint()?).ok()
    }

    fn end(&mut self, seconds: u32) -> Option<End<'static>> {
        let hash = u32::from_le_bytes(self.array()?);
        let id = match self.varint()? {
            0 => EventId::Guid(self.array()?),
            length => {
                let (text, rest) = self.0.split_at_checked(usize::try_from(length - 1).ok()?)?;
                self.0 = rest;
                EventId::Text(Cow::Owned(std::str::from_utf8(text).ok()?.to_owned()))
            }
        };
        Some((mark(seconds, hash), id))
    }

    fn marks(&mut self, mut before: u32, count: usize, out: &mut Vec<Mark>) -> Option<()> {
        if count > self.0.len() / SMALLEST_MARK {
            return None;
        }
        for _ in 0..count {
            before = before.checked_add(self.number()?)?;
            let hash = u32::from_le_bytes(self.array()?);
            out.push(mark(before, hash));
        }
        Some(())
    }
}

/// A mark from its two halves.
pub(crate) fn mark(seconds: u32, hash: u32) -> Mark {
    Mark::new(seconds, u64::from(hash) << 32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::{btree_map, btree_set, vec};
    use proptest::prelude::*;

    fn id() -> impl Strategy<Value = EventId<'static>> {
        prop_oneof![
            any::<[u8; 16]>().prop_map(EventId::Guid),
            ".{0,12}".prop_map(|text| EventId::Text(Cow::Owned(text))),
        ]
    }

    fn numbers() -> impl Strategy<Value = Numbers> {
        any::<[u32; 4]>().prop_map(|[call, client, place, outcome]| Numbers {
            call,
            client,
            place,
            outcome,
        })
    }

    fn row() -> impl Strategy<Value = (Numbers, UseRow<'static>)> {
        let marks = btree_set(any::<u64>().prop_map(Mark), 1..9);
        (numbers(), marks, id(), id()).prop_map(|(numbers, marks, first, last)| {
            let marks: Vec<Mark> = marks.into_iter().collect();
            let ends = (marks[0], marks[marks.len() - 1]);
            let last = if marks.len() == 1 {
                first.clone()
            } else {
                last
            };
            let row = UseRow {
                numbers,
                first: (ends.0, first),
                last: (ends.1, last),
                count: marks.len() as u64,
                marks: Cow::Owned(marks),
            };
            (numbers, row)
        })
    }

    proptest! {
        #[test]
        fn what_is_packed_is_read(rows in vec(row(), 0..6)) {
            let rows: Vec<_> = rows.into_iter().map(|(_, row)| row).collect();
            let mut packed = Packed::default();
            packed.fill(&rows);
            let read = read_uses(std::str::from_utf8(&packed.uses).expect("text"), &packed.ends, Some(&packed.marks));
            prop_assert_eq!(read.as_ref(), Some(&rows));
            let counts = read_uses(std::str::from_utf8(&packed.uses).expect("text"), &packed.ends, None).expect("without marks");
            for (a, b) in counts.iter().zip(&rows) {
                prop_assert_eq!((a.count, &a.first, &a.last), (b.count, &b.first, &b.last));
                prop_assert!(a.marks.is_empty());
            }
        }

        #[test]
        fn a_packed_day_is_read(
            day in btree_map(numbers(), btree_set(0u64..86_400 << 32, 1..9), 0..5),
            start in 0u32..40_000,
        ) {
            let start = start * 86_400;
            let day: Day = day
                .into_iter()
                .map(|(n, marks)| (n, marks.into_iter().map(|m| Mark(m + (u64::from(start) << 32))).collect()))
                .collect();
            prop_assert_eq!(read_day(start, &pack_day(start, &day)), Some(day));
        }

        #[test]
        fn damage_is_seen_or_harmless(uses in ".{0,60}", bytes in vec(any::<u8>(), 0..60)) {
            let _ = read_uses(&uses, &bytes, Some(&bytes));
            let _ = read_day(0, &bytes);
        }

        #[test]
        fn numbers_are_decimal(number in any::<u64>()) {
            let mut text = Vec::new();
            push_decimal(&mut text, number);
            prop_assert_eq!(&text, &number.to_string().into_bytes());
            prop_assert_eq!(Decimals(&text).next(), Some(number));
        }
    }
}
