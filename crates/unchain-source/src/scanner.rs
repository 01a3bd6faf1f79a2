//! Walks a file's text from record to record.
//!
//! The text is a sequence of JSON values: records, lists of records, objects that hold such lists, in
//! any mixture. A list is never held as a whole, so its file may be larger than memory: the scanner is
//! fed windows and says how much of each it is done with. A record that the fast path accepts costs
//! nothing here; all else is `odd`.
//!
//! One bad record must not cost its neighbours. Where a record does not parse, its end is looked for
//! by brackets; where those are damaged too, the next place from which a record parses is its end.

use crate::boundary::{self, Extent, extent, extent_within, past_space};
use crate::envelope;
use crate::limits::Limits;
use crate::lists::{Holds, Member, begins_with_list, holds_list, member, token_end};
use crate::report::Damage;
use crate::tally::{Raw, Tally};
use crate::view::View;
use memchr::{memchr, memrchr};
use unchain_core::event::Refusal;
use unchain_core::record::{Parser, parse_at};

/// Lists and holders inside each other; deeper ones are read as one value.
const NESTED: usize = 16;
/// A record is usually far smaller, so its end is first looked for within this many bytes.
const NEAR: usize = 4 << 10;
/// An odd record behind damage is recognised only if it ends within this many bytes.
const FAR: usize = 64 << 10;
/// With so many bytes at hand (AWS caps a record at 1 MB) an unfinished record is suspected of damage.
const ENOUGH: usize = 2 << 20;
/// serde_json reads 127 levels.
const LEVELS: u32 = 127;
/// What a record behind damage must have, at whatever depth; parts of a damaged record have less.
const MEMBERS: [&[u8]; 2] = [b"eventName", b"eventSource"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Frame {
    List,
    Holder,
}

/// Where the scanner goes on.
enum Step {
    To(usize),
    /// More bytes are needed to go on from here.
    More,
}

/// A damaged stretch, and why it is refused.
#[derive(Clone, Copy)]
struct Lost {
    from: usize,
    to: usize,
    reason: Refusal,
}

/// The state between two windows of one file.
pub(crate) struct Scanner<'p> {
    parser: &'p mut Parser,
    frames: Vec<Frame>,
    /// The last thing met was refused: garbage behind it belongs to it.
    refused: bool,
    /// Everything up to the next record belongs to a refused one.
    skipping: bool,
    limits: Limits,
}

impl<'p> Scanner<'p> {
    pub(crate) fn new(limits: Limits, parser: &'p mut Parser) -> Self {
        Self {
            parser,
            frames: Vec::new(),
            refused: false,
            skipping: false,
            limits,
        }
    }

    /// Reads what `view` holds and returns how many bytes are done with.
    pub(crate) fn feed(&mut self, view: &mut View<'_>, tally: &mut Tally<'_>) -> usize {
        let mut at = 0;
        while at < view.len() && !tally.stopped {
            let step = if self.skipping {
                self.skip(view, at, tally)
            } else {
                self.step(view, at, tally)
            };
            match step {
                Step::To(next) => at = next,
                Step::More => return at,
            }
        }
        if view.last && !self.frames.is_empty() && !tally.stopped {
            tally.damaged(Damage::EndsEarly);
        }
        at
    }

    /// Gives up on a record for which the window cannot grow any more.
    pub(crate) fn give_up(&mut self, bytes: &[u8], tally: &mut Tally<'_>) {
        tally.evidence(bytes.get(..NEAR).unwrap_or(bytes));
        if !self.skipping {
            tally.refuse(Refusal::TooLarge, 1);
        }
        self.refused = true;
        self.skipping = true;
    }

    fn step(&mut self, view: &mut View<'_>, at: usize, tally: &mut Tally<'_>) -> Step {
        let Some(byte) = view.byte(at) else {
            return Step::More;
        };
        if byte <= b' ' {
            self.refused &= byte != b'\n' || !self.frames.is_empty();
            return Step::To(at + 1);
        }
        tally.anything = true;
        match (byte, self.frames.last()) {
            (b'{', None | Some(Frame::List)) => self.object(view, at, tally),
            (b'[', None | Some(Frame::List)) => self.array(view, at, tally),
            (b',', _) => Step::To(at + 1),
            (b']', Some(Frame::List)) | (b'}', Some(Frame::Holder)) => {
                self.frames.pop();
                Step::To(at + 1)
            }
            (b'"', Some(Frame::Holder)) => self.holder(view, at, tally),
            (0xef, None) if view.slice(at, at + 3) == b"\xef\xbb\xbf" => Step::To(at + 3),
            (_, _) => self.scalar(view, at, tally),
        }
    }

    #[inline]
    fn object(&mut self, view: &mut View<'_>, at: usize, tally: &mut Tally<'_>) -> Step {
        if self.frames.is_empty()
            && let Some(first) = begins_with_list(view.bytes, at)
        {
            return self.enter(1, first, tally);
        }
        let (text, base) = view.text(at);
        // By reference: an event is large, and would be copied out of the pair.
        if let Some((event, end)) = &self.parser.parse_at(text, at - base) {
            let record = text.get(at - base..*end).unwrap_or_default();
            tally.event(event, Raw::Text(record));
            self.refused = false;
            return Step::To(base + end);
        }
        self.odd(view, at, tally)
    }

    fn enter(&mut self, holders: usize, first: usize, tally: &mut Tally<'_>) -> Step {
        tally.cloudtrail = true;
        self.frames
            .extend(std::iter::repeat_n(Frame::Holder, holders));
        self.frames.push(Frame::List);
        self.refused = false;
        Step::To(first)
    }

    fn array(&mut self, view: &mut View<'_>, at: usize, tally: &mut Tally<'_>) -> Step {
        let next = view.byte(past_space(view.bytes, at + 1));
        let list = match next {
            None if !view.last => return Step::More,
            None => true,
            Some(next) => self.frames.is_empty() || matches!(next, b'{' | b'[' | b']'),
        };
        if list && self.frames.len() < NESTED {
            self.frames.push(Frame::List);
            return Step::To(at + 1);
        }
        self.odd(view, at, tally)
    }

    /// A member of an object that holds a list, behind or before it.
    fn holder(&mut self, view: &mut View<'_>, at: usize, tally: &mut Tally<'_>) -> Step {
        match member(view.bytes, at, view.len()) {
            Member::List(first) => self.enter(0, first, tally),
            Member::Holder(first) => {
                self.frames.push(Frame::Holder);
                Step::To(first)
            }
            Member::Other(end) if end < view.len() || view.last => Step::To(end),
            Member::Other(_) | Member::Cut if !view.last => Step::More,
            Member::Other(_) | Member::Cut => Step::To(view.len()),
            Member::Broken => self.garbage(view, at, tally),
        }
    }

    /// An object or array that is not a plain record.
    #[cold]
    fn odd(&mut self, view: &mut View<'_>, at: usize, tally: &mut Tally<'_>) -> Step {
        if view.byte(at) == Some(b'{') && self.frames.len() + 2 < NESTED {
            match holds_list(view.bytes, at) {
                Holds::List { at: first, objects } => return self.enter(objects, first, tally),
                Holds::Cut if !view.last => return Step::More,
                Holds::Cut | Holds::Nothing => {}
            }
        }
        let mut reach = NEAR;
        loop {
            let limit = at.saturating_add(reach).min(view.len());
            let extent = extent(view.bytes, at, limit);
            let depth = match extent {
                Extent::Closed { end, depth } => return self.closed(view, (at, end, depth), tally),
                Extent::Open { depth } | Extent::OpenString { depth } => depth,
            };
            let all = limit == view.len();
            if all && !view.last && limit - at < ENOUGH {
                return Step::More;
            }
            if let Some(next) = self.next_record(view, at + 1, limit) {
                let reason = if depth > LEVELS {
                    Refusal::TooDeep
                } else {
                    Refusal::NotJson
                };
                return self.lost(
                    view,
                    Lost {
                        from: at,
                        to: next,
                        reason,
                    },
                    tally,
                );
            }
            if all {
                return if view.last {
                    self.cut(view, (at, extent), tally)
                } else {
                    Step::More
                };
            }
            reach = reach.saturating_mul(8);
        }
    }

    /// A value whose brackets are whole, from its first byte to before `end`.
    fn closed(
        &mut self,
        view: &mut View<'_>,
        (at, end, depth): (usize, usize, u32),
        tally: &mut Tally<'_>,
    ) -> Step {
        let bytes = view.slice(at, end);
        let reason = if bytes.len() > self.limits.record {
            Refusal::TooLarge
        } else if depth > LEVELS {
            Refusal::TooDeep
        } else {
            let before = tally.counts.refused.total();
            match envelope::element(bytes, tally) {
                Ok(()) => {
                    self.refused = tally.counts.refused.total() > before;
                    return Step::To(end);
                }
                Err(reason) => reason,
            }
        };
        match self.next_record(view, at + 1, end) {
            Some(next) => self.lost(
                view,
                Lost {
                    from: at,
                    to: next,
                    reason,
                },
                tally,
            ),
            None => self.lost(
                view,
                Lost {
                    from: at,
                    to: end,
                    reason,
                },
                tally,
            ),
        }
    }

    /// The last record of the file, which has no end. It was cut off, unless the file ends as a whole
    /// one does: then the record lost a quote or a bracket.
    fn cut(
        &mut self,
        view: &View<'_>,
        (at, extent): (usize, Extent),
        tally: &mut Tally<'_>,
    ) -> Step {
        let rest = view.slice(at, view.len());
        let whole = if self.frames.is_empty() {
            memchr(b'\n', rest) == Some(rest.len() - 1)
        } else {
            matches!(extent, Extent::OpenString { .. })
                && self.ends_whole(rest)
                && ends_outside_string(rest)
        };
        if whole {
            self.frames.clear();
            return self.lost(
                view,
                Lost {
                    from: at,
                    to: view.len(),
                    reason: Refusal::NotJson,
                },
                tally,
            );
        }
        tally.damaged(Damage::EndsEarly);
        self.lost(
            view,
            Lost {
                from: at,
                to: view.len(),
                reason: Refusal::Truncated,
            },
            tally,
        )
    }

    /// Whether `rest` ends with the brackets that are open.
    fn ends_whole(&self, rest: &[u8]) -> bool {
        let mut closing = rest.iter().rev().filter(|&&b| b > b' ');
        let frames = self
            .frames
            .iter()
            .map(|frame| if *frame == Frame::List { b']' } else { b'}' });
        frames
            .zip(&mut closing)
            .all(|(wanted, &found)| wanted == found)
    }

    /// Refuses a damaged stretch: as many records as began in it. What is left of a wrapper around the
    /// next record is none.
    fn lost(&mut self, view: &View<'_>, lost: Lost, tally: &mut Tally<'_>) -> Step {
        let bytes = view.slice(lost.from, lost.to);
        tally.evidence(bytes);
        tally.refuse(Refusal::NotJson, boundary::alike(bytes) - 1);
        if view.byte(lost.to) != Some(b'{') || boundary::may_begin(view.bytes, lost.to) {
            tally.refuse(lost.reason, 1);
        }
        self.refused = true;
        Step::To(lost.to)
    }

    /// A string, number or literal in the place of a record, or something that is no JSON at all.
    fn scalar(&mut self, view: &mut View<'_>, at: usize, tally: &mut Tally<'_>) -> Step {
        let string = view.byte(at) == Some(b'"');
        let end = if string {
            boundary::string_end(view.bytes, at)
        } else {
            Some(token_end(view.bytes, at))
        };
        let short = view.len() - at < ENOUGH;
        let Some(end) = end.filter(|&end| end < view.len() || view.last) else {
            return if !view.last && short {
                Step::More
            } else {
                self.garbage(view, at, tally)
            };
        };
        let rest = view.slice(end, view.len());
        let next = rest
            .iter()
            .find(|&&b| b > b' ' || (b == b'\n' && self.frames.is_empty()));
        let alone = match next {
            None if !view.last && short => return Step::More,
            None => true,
            Some(b'\n') => true,
            Some(b',' | b']') => !self.frames.is_empty(),
            Some(_) => false,
        };
        if !alone || end == at || self.frames.last() == Some(&Frame::Holder) {
            return self.garbage(view, at, tally);
        }
        let token = view.slice(at, end);
        match envelope::element(token, tally) {
            Ok(()) => {
                self.refused = false;
                Step::To(end)
            }
            Err(_) => self.garbage(view, at, tally),
        }
    }

    /// Bytes that cannot begin a value here.
    fn garbage(&mut self, view: &mut View<'_>, at: usize, tally: &mut Tally<'_>) -> Step {
        if self.only_closers(view, at) {
            self.frames.clear();
            return Step::To(view.len());
        }
        if let Some(next) = past_stray_braces(view.bytes, at) {
            return Step::To(next);
        }
        if !self.frames.is_empty() {
            if !self.refused {
                tally.refuse(Refusal::NotJson, 1);
            }
            self.refused = true;
            self.skipping = true;
            return Step::To(at);
        }
        let line = memchr(b'\n', view.slice(at, view.len())).map(|offset| at + offset);
        if line.is_none() && !view.last && view.len() - at < ENOUGH {
            return Step::More;
        }
        let end = line.unwrap_or(view.len());
        // A line may have a prefix before its record, as syslog writes it.
        let record = boundary::objects(view.bytes, at, end)
            .find(|&brace| view.names_event(brace) && self.begins_record(view, brace));
        if let Some(next) = record {
            return Step::To(next);
        }
        tally.evidence(view.slice(at, end));
        if !self.refused {
            tally.refuse(Refusal::NotJson, 1);
        }
        self.refused = true;
        self.skipping = line.is_none() && !view.last;
        Step::To(end)
    }

    /// Whether nothing but closing brackets follows to the end of the file: a bracket more or less than
    /// there should be is no record.
    fn only_closers(&self, view: &View<'_>, at: usize) -> bool {
        let rest = view.slice(at, view.len());
        view.last
            && rest.len() < NEAR
            && rest
                .iter()
                .all(|b| matches!(b, b'}' | b']' | b',' | b' ' | b'\n' | b'\r' | b'\t'))
    }

    /// Leaves out what belongs to a refused record, up to the next one.
    fn skip(&mut self, view: &mut View<'_>, at: usize, tally: &Tally<'_>) -> Step {
        debug_assert!(
            tally.counts.refused.total() > 0,
            "only a refused record is skipped"
        );
        if let Some(next) = self.next_record(view, at, view.len()) {
            self.skipping = false;
            // A record where a member is due: the list was closed too early.
            while self.frames.last() == Some(&Frame::Holder) {
                self.frames.pop();
            }
            return Step::To(next);
        }
        if view.last {
            if self.ends_whole(view.slice(at, view.len())) {
                self.frames.clear();
            }
            return Step::To(view.len());
        }
        // The last record in view may be unfinished, so its bytes are kept.
        let keep = view.len().saturating_sub(ENOUGH / 2);
        if keep > at {
            Step::To(keep)
        } else {
            Step::More
        }
    }

    /// The next place in a stretch where a record begins that can be read.
    fn next_record(&mut self, view: &mut View<'_>, from: usize, to: usize) -> Option<usize> {
        let bytes = view.bytes;
        for at in boundary::objects(bytes, from, to) {
            if !view.names_event(at) {
                return None;
            }
            // A whole record may be inside a wrapper that is damaged.
            let begins = if boundary::may_begin(bytes, at) {
                self.begins_record(view, at)
            } else {
                boundary::member_name(bytes, at).is_some_and(envelope::carries)
                    && (begins_plain_record(view, at) || Self::begins_odd_record(bytes, at))
            };
            if begins {
                return Some(at);
            }
        }
        None
    }

    fn begins_record(&mut self, view: &mut View<'_>, at: usize) -> bool {
        begins_plain_record(view, at)
            || (self.frames.len() + 2 < NESTED && begins_with_list(view.bytes, at).is_some())
            || Self::begins_odd_record(view.bytes, at)
    }

    /// A record that only the slow path reads: it must be whole, near, and have the members of one.
    fn begins_odd_record(bytes: &[u8], at: usize) -> bool {
        let limit = at.saturating_add(FAR).min(bytes.len());
        let Extent::Closed { end, .. } = extent_within(bytes, (at, limit), LEVELS) else {
            return false;
        };
        let value = bytes.get(at..end).unwrap_or_default();
        let named = MEMBERS
            .iter()
            .all(|name| boundary::names_member(value, name));
        named && envelope::is_sound(value)
    }
}

fn begins_plain_record(view: &mut View<'_>, at: usize) -> bool {
    let (text, base) = view.text(at);
    parse_at(text, at - base).is_some()
}

/// Whether the last quote ends a string, judged by what surrounds it.
fn ends_outside_string(bytes: &[u8]) -> bool {
    let Some(quote) = memrchr(b'"', bytes) else {
        return false;
    };
    let escaped = quote.checked_sub(1).and_then(|before| bytes.get(before)) == Some(&b'\\');
    let next = bytes.get(past_space(bytes, quote + 1));
    !escaped && matches!(next, Some(b'}' | b']' | b',' | b':'))
}

/// Closing braces too many between two objects: they are no record and cost none.
fn past_stray_braces(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..).unwrap_or_default();
    let end = at + rest.iter().position(|&b| b != b'}' && b > b' ')?;
    let comma = bytes.get(end) == Some(&b',');
    let next = bytes.get(past_space(bytes, end + usize::from(comma)));
    (bytes.get(at) == Some(&b'}') && next == Some(&b'{')).then_some(end)
}
