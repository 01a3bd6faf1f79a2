//! From the text of one record to an [`Event`], by two paths that must agree.
//!
//! [`parse_at`] walks the text in place and is what a scan runs on; where it is not sure it answers
//! `None` and the caller takes [`plain`], which reads a `serde_json` tree and decides. The fast path
//! exists because a tree costs 8 microseconds a record where decompression costs 1.2
//! (`cargo xtask bench`); `tests/record_paths.rs` and the fuzz target `record` hold the two equal.

mod memo;
mod order;

use crate::event::{Category, Event, Notes, Refusal};
use crate::json::Node;
use crate::json::shapes::Shapes;
use crate::json::walk;
use crate::record::memo::Memo;
use crate::record::order::{Member, Order};
use crate::time::{SameDay, Timestamp};
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

/// Parses the record that begins at byte `at` of `text` and returns it with the offset behind it.
///
/// `None` means "not sure": the record may be odd, damaged or cut off, and [`plain`] decides.
pub fn parse_at(text: &str, at: usize) -> Option<(Event<'_>, usize)> {
    let mut parser = Parser {
        identities: Memo::nothing(),
        shapes: Shapes::nothing(),
        order: Order::nothing(),
        day: SameDay::default(),
    };
    parser.parse_at(text, at)
}

/// The fast path, remembering parts of records that come again and again.
///
/// INVARIANT: what it answers does not depend on what it remembers. An object or array that was read
/// once is known to be JSON; where the text goes on with the same bytes it is the same value, ends at
/// the same byte and need not be walked again. So with the text between two values.
#[derive(Debug, Default)]
pub struct Parser {
    identities: Memo,
    shapes: Shapes,
    order: Order,
    day: SameDay,
}

impl Parser {
    /// As [`parse_at`], quicker the more alike the records are.
    pub fn parse_at<'a>(&mut self, text: &'a str, at: usize) -> Option<(Event<'a>, usize)> {
        let (bytes, mut fields) = (text.as_bytes(), Fields::new());
        let (mut at, mut last) = (at, Member::Start);
        loop {
            let (member, behind) = self.order.next(bytes, at, last)?;
            if member == Member::End {
                return Some((fields.finish()?, behind));
            }
            let place = Place {
                text,
                bytes,
                at: behind,
            };
            at = fields.member(place, member, self)?;
            last = member;
        }
    }

    /// As [`Place::part`], for a member that most often has the shape that it had in a call of this name.
    #[inline(always)]
    fn part<'a>(
        &mut self,
        place: Place<'a>,
        kind: usize,
        into: &mut Option<Node<'a>>,
    ) -> Option<usize> {
        let (node, end) = place.shaped(&mut self.shapes, kind)?;
        *into = Some(node);
        Some(end)
    }
}

/// How many bytes the ids of events and requests have: a UUID.
const ID: usize = 36;

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

    /// A string that is most often `N` bytes long.
    #[inline(always)]
    fn text_of<const N: usize>(self, into: &mut &'a str) -> Option<usize> {
        if self.is_text_of::<N>() {
            *into = self.text.get(self.at + 1..self.at + 1 + N)?;
            return Some(self.at + N + 2);
        }
        self.text(into)
    }

    #[inline(always)]
    fn is_text_of<const N: usize>(self) -> bool {
        self.bytes.get(self.at) == Some(&b'"') && walk::is_plain::<N>(self.bytes, self.at + 1)
    }

    /// Reads a plain string; anything else is left to the plain path.
    #[inline(always)]
    fn text(self, into: &mut &'a str) -> Option<usize> {
        let Place { text, bytes, at } = self;
        let end = walk::plain_end(bytes, at + 1);
        if bytes.get(at) != Some(&b'"') || bytes.get(end) != Some(&b'"') {
            return None;
        }
        *into = text.get(at + 1..end)?;
        Some(end + 1)
    }

    #[inline(always)]
    fn part(self, into: &mut Option<Node<'a>>) -> Option<usize> {
        let (node, end) = self.node()?;
        *into = Some(node);
        Some(end)
    }

    /// The end of a value that most often has the shape of one of its kind before.
    #[inline(always)]
    fn end(self, parser: &mut Parser, kind: usize) -> Option<usize> {
        parser.shapes.end(self.bytes, self.at, kind)
    }

    /// As [`Place::node`], for a value that most often has the shape of one of its kind before.
    #[inline(always)]
    fn shaped(self, shapes: &mut Shapes, kind: usize) -> Option<(Node<'a>, usize)> {
        let end = shapes.end(self.bytes, self.at, kind)?;
        Some((Node::Text(self.text.get(self.at..end)?), end))
    }

    #[inline(always)]
    fn flag(self, into: &mut Option<bool>) -> Option<usize> {
        let rest = self.bytes.get(self.at..)?;
        if rest.starts_with(b"true") {
            *into = Some(true);
            return Some(self.at + 4);
        }
        if rest.starts_with(b"false") {
            *into = Some(false);
            return Some(self.at + 5);
        }
        let (node, end) = self.node()?;
        *into = node.bool();
        Some(end)
    }
}

/// What values of one call's member have in common, as a number.
#[inline(always)]
fn kind(call: usize, member: Member) -> usize {
    call.wrapping_add(member as usize)
}

/// The members of a record as the fast path meets them.
struct Fields<'a> {
    event: Event<'a>,
    time: Option<Timestamp>,
    category: &'a str,
    management: Option<bool>,
    seen: u64,
    /// A hash of the event's name; zero before that is met.
    call: usize,
}

impl<'a> Fields<'a> {
    #[inline(always)]
    fn new() -> Self {
        Self {
            event: Event {
                time: Timestamp::from_seconds(0),
                name: "",
                source: "",
                id: "",
                region: "",
                address: "",
                user_agent: "",
                error_code: "",
                recipient: "",
                shared_id: "",
                vpc_endpoint: "",
                event_type: "",
                category: Category::Unknown,
                read_only: None,
                from_console: false,
                error_message: None,
                identity: None,
                identity_token: None,
                request: None,
                response: None,
                additional: None,
                details: None,
                notes: Notes::default(),
            },
            time: None,
            category: "",
            management: None,
            seen: 0,
            call: 0,
        }
    }

    /// Reads the value of one member and gives the place behind it.
    #[inline(always)]
    fn member(&mut self, place: Place<'a>, member: Member, parser: &mut Parser) -> Option<usize> {
        // A repeated member is left to the plain path, which notes it.
        let bit = member.bit();
        if self.seen & bit != 0 {
            return None;
        }
        self.seen |= bit;
        let event = &mut self.event;
        match member {
            Member::Time => {
                let mut text = "";
                let end = place.text_of::<20>(&mut text)?;
                self.time = Some(parser.day.parse(text)?);
                Some(end)
            }
            Member::Name => {
                let end = place.text(&mut event.name)?;
                self.call = usize::try_from(xxh3_64(event.name.as_bytes())).unwrap_or_default();
                Some(end)
            }
            Member::Source => place.text(&mut event.source),
            Member::Id => place.text_of::<ID>(&mut event.id),
            Member::Region => place.text(&mut event.region),
            Member::Address => place.text(&mut event.address),
            Member::UserAgent => place.text(&mut event.user_agent),
            Member::ErrorCode => place.text(&mut event.error_code),
            Member::Recipient => place.text(&mut event.recipient),
            Member::SharedId => place.text_of::<ID>(&mut event.shared_id),
            Member::VpcEndpoint => place.text(&mut event.vpc_endpoint),
            Member::Type => place.text(&mut event.event_type),
            Member::Category => place.text(&mut self.category),
            Member::Management => place.flag(&mut self.management),
            Member::ReadOnly => place.flag(&mut event.read_only),
            Member::FromConsole => {
                let mut flag = None;
                let end = place.flag(&mut flag)?;
                event.from_console = flag == Some(true);
                Some(end)
            }
            Member::ErrorMessage => place.part(&mut event.error_message),
            Member::Identity => {
                let (node, end, token) = parser
                    .identities
                    .node(place, (&mut parser.shapes, member as usize))?;
                event.identity = Some(node).filter(|node| node.is_object());
                event.identity_token = token;
                event.identity.map(|_| end)
            }
            Member::Request => parser.part(place, kind(self.call, member), &mut event.request),
            Member::Response => parser.part(place, kind(self.call, member), &mut event.response),
            Member::Additional => {
                parser.part(place, kind(self.call, member), &mut event.additional)
            }
            Member::Details => parser.part(place, kind(self.call, member), &mut event.details),
            Member::Resources => place.end(parser, kind(self.call, member)),
            Member::Tls => place.end(parser, member as usize),
            Member::RequestId if place.is_text_of::<ID>() => Some(place.at + ID + 2),
            Member::Version | Member::RequestId | Member::Other | Member::Start | Member::End => {
                walk::value(place.bytes, place.at)
            }
        }
    }

    fn finish(mut self) -> Option<Event<'a>> {
        if self.event.id.is_empty() || self.event.name.is_empty() {
            return None;
        }
        self.event.time = self.time?;
        self.event.category = category(
            Some(self.category).filter(|c| !c.is_empty()),
            self.management,
        );
        Some(self.event)
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
