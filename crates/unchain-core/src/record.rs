//! From the text of one record to an [`Event`], by two paths that must agree.
//!
//! [`parse_at`] walks the text in place and is what a scan runs on; where it is not sure it answers
//! `None` and the caller takes [`plain`], which reads a `serde_json` tree and decides. The fast path
//! exists because a tree costs 8 microseconds a record where decompression costs 1.2
//! (`cargo xtask bench`); `tests/record_paths.rs` and the fuzz target `record` hold the two equal.

use crate::event::{Category, Event, Notes, Refusal};
use crate::json::Node;
use crate::json::walk;
use crate::time::Timestamp;
use serde_json::Value;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering};
use xxhash_rust::xxh3::xxh3_64;

/// Parses the record that begins at byte `at` of `text` and returns it with the offset behind it.
///
/// `None` means "not sure": the record may be odd, damaged or cut off, and [`plain`] decides.
pub fn parse_at(text: &str, at: usize) -> Option<(Event<'_>, usize)> {
    let mut parser = Parser {
        identities: Memo::nothing(),
        others: Memo::nothing(),
    };
    parser.parse_at(text, at)
}

/// The fast path, remembering parts of records that come again and again.
///
/// INVARIANT: what it answers does not depend on what it remembers. An object or array that was read
/// once is known to be JSON; where the text goes on with the same bytes it is the same value, ends at
/// the same byte and need not be walked again.
#[derive(Debug, Default)]
pub struct Parser {
    identities: Memo,
    others: Memo,
}

impl Parser {
    /// As [`parse_at`], quicker the more alike the records are.
    pub fn parse_at<'a>(&mut self, text: &'a str, at: usize) -> Option<(Event<'a>, usize)> {
        let (bytes, mut fields) = (text.as_bytes(), Fields::default());
        let end = walk::object(bytes, at, |key, at| {
            if key.escaped {
                return None;
            }
            fields.member(Place { text, bytes, at }, key.raw, self)
        })?;
        Some((fields.finish()?, end))
    }
}

/// Where a value begins.
#[derive(Clone, Copy)]
struct Place<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Place<'a> {
    #[inline(always)]
    fn node(self) -> Option<(Node<'a>, usize)> {
        let end = walk::value(self.bytes, self.at)?;
        Some((Node::Text(self.text.get(self.at..end)?), end))
    }
}

/// Values met before, each in a slot chosen by its first bytes.
#[derive(Debug)]
struct Memo {
    slots: Vec<Slot>,
    /// What the token of the next value is, if it gets one.
    next: Option<NonZeroU64>,
}

/// One value met before.
#[derive(Clone, Debug, Default)]
struct Slot {
    text: Vec<u8>,
    token: Option<NonZeroU64>,
}

/// A power of two, so that a hash picks a slot by its low bits.
const SLOTS: usize = 256;
/// How many bytes choose the slot: enough to reach into `principalId`, and into the host name of
/// `tlsDetails`.
const PREFIX: usize = 120;
/// Larger values rarely come again, and keeping them would cost memory.
const LONGEST: usize = 2048;

/// Tokens that begin with the same bits are one memory's; this counts the memories.
static MEMORIES: AtomicU64 = AtomicU64::new(1);
/// How many bits of a token count the values of one memory.
const VALUES: u32 = 40;

impl Default for Memo {
    fn default() -> Self {
        let memory = MEMORIES.fetch_add(1, Ordering::Relaxed);
        Self {
            slots: vec![Slot::default(); SLOTS],
            next: NonZeroU64::new(memory << VALUES).filter(|_| memory < 1 << (64 - VALUES)),
        }
    }
}

impl Memo {
    /// A memory that keeps nothing.
    fn nothing() -> Self {
        Self {
            slots: Vec::new(),
            next: None,
        }
    }

    /// Skips one value and returns its text, and its token if it is remembered.
    ///
    /// INVARIANT: equal tokens are given for equal texts only.
    /// Test: `equal_tokens_mean_equal_identities`.
    #[inline]
    fn node<'a>(&mut self, place: Place<'a>) -> Option<(Node<'a>, usize, Option<NonZeroU64>)> {
        let rest = place.bytes.get(place.at..)?;
        let prefix = rest.get(..PREFIX).unwrap_or(rest);
        let slot = usize::try_from(xxh3_64(prefix)).unwrap_or_default() % SLOTS;
        let Some(known) = self
            .slots
            .get_mut(slot)
            .filter(|_| matches!(rest, [b'{' | b'[', ..]))
        else {
            let (node, end) = place.node()?;
            return Some((node, end, None));
        };
        if !known.text.is_empty() && rest.starts_with(&known.text) {
            let end = place.at + known.text.len();
            let node = Node::Text(place.text.get(place.at..end)?);
            return Some((node, end, known.token));
        }
        let (node, end) = place.node()?;
        if end - place.at > LONGEST {
            return Some((node, end, None));
        }
        known.text.clear();
        known
            .text
            .extend_from_slice(place.bytes.get(place.at..end)?);
        known.token = self.next;
        self.next = self.next.and_then(following);
        Some((node, end, known.token))
    }
}

/// The token after `token`; `None` when one memory has used up its own.
fn following(token: NonZeroU64) -> Option<NonZeroU64> {
    let next = token.checked_add(1)?;
    (next.trailing_zeros() < VALUES).then_some(next)
}

/// The members of a record as the fast path meets them.
#[derive(Default)]
struct Fields<'a> {
    time: Option<&'a str>,
    name: Option<&'a str>,
    source: &'a str,
    id: &'a str,
    region: &'a str,
    address: &'a str,
    user_agent: &'a str,
    error_code: &'a str,
    recipient: &'a str,
    shared_id: &'a str,
    vpc_endpoint: &'a str,
    event_type: &'a str,
    category: &'a str,
    management: Option<bool>,
    read_only: Option<bool>,
    from_console: bool,
    error_message: Option<Node<'a>>,
    identity: Option<Node<'a>>,
    identity_token: Option<NonZeroU64>,
    request: Option<Node<'a>>,
    response: Option<Node<'a>>,
    additional: Option<Node<'a>>,
    details: Option<Node<'a>>,
    seen: u32,
}

impl<'a> Fields<'a> {
    /// Reads one member and gives the place behind its value.
    #[inline(always)]
    fn member(&mut self, place: Place<'a>, key: &[u8], parser: &mut Parser) -> Option<usize> {
        match key {
            b"eventTime" => self.text(place, 0, |f, t| f.time = Some(t)),
            b"eventName" => self.text(place, 1, |f, t| f.name = Some(t)),
            b"eventSource" => self.text(place, 2, |f, t| f.source = t),
            b"eventID" => self.text(place, 3, |f, t| f.id = t),
            b"awsRegion" => self.text(place, 4, |f, t| f.region = t),
            b"sourceIPAddress" => self.text(place, 5, |f, t| f.address = t),
            b"userAgent" => self.text(place, 6, |f, t| f.user_agent = t),
            b"errorCode" => self.text(place, 7, |f, t| f.error_code = t),
            b"recipientAccountId" => self.text(place, 8, |f, t| f.recipient = t),
            b"sharedEventID" => self.text(place, 9, |f, t| f.shared_id = t),
            b"vpcEndpointId" => self.text(place, 10, |f, t| f.vpc_endpoint = t),
            b"eventType" => self.text(place, 11, |f, t| f.event_type = t),
            b"eventCategory" => self.text(place, 12, |f, t| f.category = t),
            b"managementEvent" => self.node(place, 13, |f, n| f.management = n.bool()),
            b"readOnly" => self.node(place, 14, |f, n| f.read_only = n.bool()),
            b"sessionCredentialFromConsole" => {
                self.node(place, 15, |f, n| f.from_console = n.bool() == Some(true))
            }
            b"errorMessage" => self.node(place, 16, |f, n| f.error_message = Some(n)),
            b"userIdentity" => {
                self.once(17)?;
                let (node, end, token) = parser.identities.node(place)?;
                self.identity = Some(node).filter(|node| node.is_object());
                self.identity_token = token;
                self.identity.map(|_| end)
            }
            b"requestParameters" => self.node(place, 18, |f, n| f.request = Some(n)),
            b"responseElements" => self.node(place, 19, |f, n| f.response = Some(n)),
            b"additionalEventData" => self.node(place, 20, |f, n| f.additional = Some(n)),
            b"serviceEventDetails" => self.node(place, 21, |f, n| f.details = Some(n)),
            b"tlsDetails" | b"resources" => parser.others.node(place).map(|(_, end, _)| end),
            b"@timestamp" => None,
            _ => walk::value(place.bytes, place.at),
        }
    }

    /// A repeated member is left to the plain path, which notes it.
    #[inline(always)]
    fn once(&mut self, bit: u32) -> Option<()> {
        let fresh = self.seen & 1 << bit == 0;
        self.seen |= 1 << bit;
        fresh.then_some(())
    }

    /// A plain string; anything else is left to the plain path.
    #[inline(always)]
    fn text(
        &mut self,
        place: Place<'a>,
        bit: u32,
        set: impl FnOnce(&mut Self, &'a str),
    ) -> Option<usize> {
        self.once(bit)?;
        let Place { text, bytes, at } = place;
        let end = walk::plain_end(bytes, at + 1);
        if bytes.get(at) != Some(&b'"') || bytes.get(end) != Some(&b'"') {
            return None;
        }
        set(self, text.get(at + 1..end)?);
        Some(end + 1)
    }

    #[inline(always)]
    fn node(
        &mut self,
        place: Place<'a>,
        bit: u32,
        set: impl FnOnce(&mut Self, Node<'a>),
    ) -> Option<usize> {
        self.once(bit)?;
        let (node, end) = place.node()?;
        set(self, node);
        Some(end)
    }

    fn finish(self) -> Option<Event<'a>> {
        if self.id.is_empty() {
            return None;
        }
        Some(Event {
            time: Timestamp::parse(self.time?)?,
            name: self.name.filter(|name| !name.is_empty())?,
            source: self.source,
            id: self.id,
            region: self.region,
            address: self.address,
            user_agent: self.user_agent,
            error_code: self.error_code,
            recipient: self.recipient,
            shared_id: self.shared_id,
            vpc_endpoint: self.vpc_endpoint,
            event_type: self.event_type,
            category: category(
                Some(self.category).filter(|c| !c.is_empty()),
                self.management,
            ),
            read_only: self.read_only,
            from_console: self.from_console,
            error_message: self.error_message,
            identity: self.identity,
            identity_token: self.identity_token,
            request: self.request,
            response: self.response,
            additional: self.additional,
            details: self.details,
            notes: Notes::default(),
        })
    }
}

fn category(name: Option<&str>, management: Option<bool>) -> Category {
    match (name, management) {
        (Some("Management"), _) | (None, Some(true)) => Category::Management,
        (Some("Data"), _) | (None, Some(false)) => Category::Data,
        (Some("NetworkActivity"), _) => Category::NetworkActivity,
        (Some("Insight"), _) => Category::Insight,
        (Some(_), _) => Category::Other,
        (None, None) => Category::Unknown,
    }
}

/// The names under which exports keep the time when `eventTime` is missing, best first.
const TIME_FIELDS: [&str; 6] = [
    "eventTime",
    "@timestamp",
    "event_time",
    "EventTime",
    "timestamp",
    "p_event_time",
];

/// Reads an event from a parsed record.
///
/// # Errors
/// The value is not an object, or has no event name or no time.
pub fn plain(value: &Value) -> Result<Event<'_>, Refusal> {
    let record = value.as_object().ok_or(Refusal::NotAnObject)?;
    let mut notes = Notes::default();
    let text = |name: &str| record.get(name).and_then(Value::as_str).unwrap_or_default();
    let name = text("eventName");
    if name.is_empty() {
        return Err(Refusal::NoEventName);
    }
    let (field, time) = TIME_FIELDS
        .iter()
        .find_map(|field| Some((field, time_of(record.get(*field)?)?)))
        .ok_or(Refusal::NoTime)?;
    if *field != "eventTime" {
        notes.add(Notes::TIME_FROM_ENVELOPE);
    }
    if text("eventID").is_empty() {
        notes.add(Notes::NO_EVENT_ID);
    }
    let flag = |name: &str| record.get(name).map(Node::Value).and_then(Node::bool);
    let identity = record.get("userIdentity");
    if identity.is_some_and(|v| !v.is_object() && !v.is_null()) {
        notes.add(Notes::UNUSUAL_TYPE);
    }
    let part = |name: &str| record.get(name).map(Node::Value);
    Ok(Event {
        time,
        name,
        source: text("eventSource"),
        id: text("eventID"),
        region: text("awsRegion"),
        address: text("sourceIPAddress"),
        user_agent: text("userAgent"),
        error_code: text("errorCode"),
        recipient: text("recipientAccountId"),
        shared_id: text("sharedEventID"),
        vpc_endpoint: text("vpcEndpointId"),
        event_type: text("eventType"),
        category: category(
            Some(text("eventCategory")).filter(|c| !c.is_empty()),
            flag("managementEvent"),
        ),
        read_only: flag("readOnly"),
        from_console: flag("sessionCredentialFromConsole") == Some(true),
        error_message: part("errorMessage"),
        identity: identity.filter(|v| v.is_object()).map(Node::Value),
        identity_token: None,
        request: part("requestParameters"),
        response: part("responseElements"),
        additional: part("additionalEventData"),
        details: part("serviceEventDetails"),
        notes,
    })
}

fn time_of(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => Timestamp::parse(text),
        Value::Number(number) => Timestamp::parse(&number.as_u64()?.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}
