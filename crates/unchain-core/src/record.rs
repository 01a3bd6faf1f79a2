//! From the text of one record to an [`Event`], by two paths that must agree.
//!
//! [`parse_at`] walks the text in place and is what a scan runs on; where it is not sure it answers
//! `None` and the caller takes [`plain`], which reads a `serde_json` tree and decides. The fast path
//! exists because a tree costs 8 microseconds a record where decompression costs 1.2
//! (`cargo xtask bench`); `tests/record_paths.rs` and the fuzz target `record` hold the two equal.

use crate::event::{Category, Event, Notes, Refusal};
use crate::json::{Cursor, Node};
use crate::time::Timestamp;
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

/// Parses the record that begins at byte `at` of `text` and returns it with the offset behind it.
///
/// `None` means "not sure": the record may be odd, damaged or cut off, and [`plain`] decides.
pub fn parse_at(text: &str, at: usize) -> Option<(Event<'_>, usize)> {
    let nothing = || Memo { slots: Vec::new() };
    let mut parser = Parser {
        identities: nothing(),
        others: nothing(),
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
        let mut cursor = Cursor::new(text, at);
        let mut fields = Fields::default();
        cursor.object(|cursor, key| {
            if key.escaped {
                return None;
            }
            fields.member(cursor, key.raw, self)
        })?;
        Some((fields.finish()?, cursor.position()))
    }
}

/// Values met before, each in a slot chosen by its first bytes.
#[derive(Debug)]
struct Memo {
    slots: Vec<Vec<u8>>,
}

/// A power of two, so that a hash picks a slot by its low bits.
const SLOTS: usize = 256;
/// How many bytes choose the slot: enough to reach into `principalId`, and into the host name of
/// `tlsDetails`.
const PREFIX: usize = 120;
/// Larger values rarely come again, and keeping them would cost memory.
const LONGEST: usize = 2048;

impl Default for Memo {
    fn default() -> Self {
        Self {
            slots: vec![Vec::new(); SLOTS],
        }
    }
}

impl Memo {
    /// Skips one value and returns its text, as [`Cursor::node`].
    #[inline]
    fn node<'a>(&mut self, cursor: &mut Cursor<'a>) -> Option<Node<'a>> {
        if !matches!(cursor.peek()?, b'{' | b'[') {
            return cursor.node();
        }
        let rest = cursor.rest();
        let prefix = rest.get(..PREFIX).unwrap_or(rest);
        let slot = usize::try_from(xxh3_64(prefix)).unwrap_or_default() % SLOTS;
        let Some(known) = self.slots.get_mut(slot) else {
            return cursor.node();
        };
        if !known.is_empty() && rest.starts_with(known) {
            return cursor.skip_known(known.len());
        }
        let node = cursor.node()?;
        if let Node::Text(text) = node
            && text.len() <= LONGEST
        {
            known.clear();
            known.extend_from_slice(text.as_bytes());
        }
        Some(node)
    }
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
    request: Option<Node<'a>>,
    response: Option<Node<'a>>,
    additional: Option<Node<'a>>,
    details: Option<Node<'a>>,
    seen: u32,
}

impl<'a> Fields<'a> {
    fn member(&mut self, cursor: &mut Cursor<'a>, key: &[u8], parser: &mut Parser) -> Option<()> {
        match key {
            b"eventTime" => self.time = Some(self.text(cursor, 0)?),
            b"eventName" => self.name = Some(self.text(cursor, 1)?),
            b"eventSource" => self.source = self.text(cursor, 2)?,
            b"eventID" => self.id = self.text(cursor, 3)?,
            b"awsRegion" => self.region = self.text(cursor, 4)?,
            b"sourceIPAddress" => self.address = self.text(cursor, 5)?,
            b"userAgent" => self.user_agent = self.text(cursor, 6)?,
            b"errorCode" => self.error_code = self.text(cursor, 7)?,
            b"recipientAccountId" => self.recipient = self.text(cursor, 8)?,
            b"sharedEventID" => self.shared_id = self.text(cursor, 9)?,
            b"vpcEndpointId" => self.vpc_endpoint = self.text(cursor, 10)?,
            b"eventType" => self.event_type = self.text(cursor, 11)?,
            b"eventCategory" => self.category = self.text(cursor, 12)?,
            b"managementEvent" => self.management = self.node(cursor, 13)?.bool(),
            b"readOnly" => self.read_only = self.node(cursor, 14)?.bool(),
            b"sessionCredentialFromConsole" => {
                self.from_console = self.node(cursor, 15)?.bool() == Some(true)
            }
            b"errorMessage" => self.error_message = Some(self.node(cursor, 16)?),
            b"userIdentity" => {
                self.once(17)?;
                let node = parser.identities.node(cursor)?;
                self.identity = Some(node).filter(|node| node.is_object());
                self.identity?;
            }
            b"tlsDetails" | b"resources" => {
                parser.others.node(cursor)?;
            }
            b"requestParameters" => self.request = Some(self.node(cursor, 18)?),
            b"responseElements" => self.response = Some(self.node(cursor, 19)?),
            b"additionalEventData" => self.additional = Some(self.node(cursor, 20)?),
            b"serviceEventDetails" => self.details = Some(self.node(cursor, 21)?),
            b"@timestamp" => return None,
            _ => cursor.skip()?,
        }
        Some(())
    }

    /// A repeated member is left to the plain path, which notes it.
    fn once(&mut self, bit: u32) -> Option<()> {
        let fresh = self.seen & 1 << bit == 0;
        self.seen |= 1 << bit;
        fresh.then_some(())
    }

    #[inline]
    fn text(&mut self, cursor: &mut Cursor<'a>, bit: u32) -> Option<&'a str> {
        self.once(bit)?;
        if cursor.peek()? != b'"' {
            return None;
        }
        let (text, escaped) = cursor.string()?;
        (!escaped).then_some(text)
    }

    #[inline]
    fn node(&mut self, cursor: &mut Cursor<'a>, bit: u32) -> Option<Node<'a>> {
        self.once(bit)?;
        cursor.node()
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
