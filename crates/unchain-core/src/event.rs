//! One CloudTrail record, typed.
//!
//! An [`Event`] borrows from the record's text. What every record is asked for is typed at once; the
//! parts that only some events need (`requestParameters`, `responseElements` …) stay [`Node`]s and
//! are read by whoever knows the event's name. The session token inside `responseElements` is never
//! read out of them: no type here has a place for it.
//! Field names: docs.aws.amazon.com/awscloudtrail/latest/userguide/
//! cloudtrail-event-reference-record-contents.html and …-user-identity.html.

use crate::json::Node;
use crate::time::Timestamp;
use std::borrow::Cow;
use std::num::NonZeroU64;

/// What was odd about a record that was parsed all the same. Bits, counted per file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Notes(u16);

impl Notes {
    /// Bytes that are not UTF-8 were replaced by U+FFFD.
    pub const NON_UTF8: Self = Self(1);
    /// A bare `NaN` or `Infinity` was read as null.
    pub const NOT_A_NUMBER: Self = Self(1 << 1);
    /// An object names a member twice; the last one counts, as in most JSON readers.
    pub const DUPLICATE_KEY: Self = Self(1 << 2);
    /// A part that is usually an object is of another kind.
    pub const UNUSUAL_TYPE: Self = Self(1 << 3);
    /// The record has no `eventID`; its content identifies it.
    pub const NO_EVENT_ID: Self = Self(1 << 4);
    /// The time came from `@timestamp` or another field of the envelope.
    pub const TIME_FROM_ENVELOPE: Self = Self(1 << 5);
    /// The record's text had to be repaired: raw control characters, cut-off escapes, a byte order
    /// mark.
    pub const REPAIRED: Self = Self(1 << 6);

    /// All notes with their stable names.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::NON_UTF8, "non_utf8"),
        (Self::NOT_A_NUMBER, "not_a_number"),
        (Self::DUPLICATE_KEY, "duplicate_key"),
        (Self::UNUSUAL_TYPE, "unusual_type"),
        (Self::NO_EVENT_ID, "no_event_id"),
        (Self::TIME_FROM_ENVELOPE, "time_from_envelope"),
        (Self::REPAIRED, "repaired"),
    ];

    /// Adds the notes of `other`.
    pub fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Whether every note of `other` is set.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether nothing was odd.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// Why a record was not parsed. `read = parsed + refused`, per reason and per file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refusal {
    /// The text is not JSON, even after repair.
    NotJson,
    /// It is nested deeper than 127 levels.
    TooDeep,
    /// It is JSON but not an object.
    NotAnObject,
    /// It has no `eventName`.
    NoEventName,
    /// It has no time in any known field or form.
    NoTime,
    /// It is larger than the stated cap for one record.
    TooLarge,
    /// The text ends inside the record.
    Truncated,
}

impl Refusal {
    /// All reasons with their stable names.
    pub const ALL: [Self; 7] = [
        Self::NotJson,
        Self::TooDeep,
        Self::NotAnObject,
        Self::NoEventName,
        Self::NoTime,
        Self::TooLarge,
        Self::Truncated,
    ];

    /// A stable name for machine output.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotJson => "not_json",
            Self::TooDeep => "too_deep",
            Self::NotAnObject => "not_an_object",
            Self::NoEventName => "no_event_name",
            Self::NoTime => "no_time",
            Self::TooLarge => "too_large",
            Self::Truncated => "truncated",
        }
    }
}

/// `eventCategory`, where it is given; older records have only `managementEvent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// Control-plane calls.
    Management,
    /// Data-plane calls: objects, functions, tables.
    Data,
    /// Calls denied at a VPC endpoint.
    NetworkActivity,
    /// Statistics about calls, not calls.
    Insight,
    /// A value this version does not know.
    Other,
    /// Not given.
    Unknown,
}

/// One parsed record. All texts are as logged, escapes decoded.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// `eventTime`, UTC, whole seconds.
    pub time: Timestamp,
    /// `eventName`.
    pub name: &'a str,
    /// `eventSource`, such as `sts.amazonaws.com`; empty if not given.
    pub source: &'a str,
    /// `eventID`; empty if not given.
    pub id: &'a str,
    /// `awsRegion`; empty if not given.
    pub region: &'a str,
    /// `sourceIPAddress`: an address or the DNS name of a service; empty if not given.
    pub address: &'a str,
    /// `userAgent`; empty if not given.
    pub user_agent: &'a str,
    /// `errorCode`; empty if the call succeeded or the code is not given.
    pub error_code: &'a str,
    /// `recipientAccountId`; empty if not given.
    pub recipient: &'a str,
    /// `sharedEventID`; empty if not given.
    pub shared_id: &'a str,
    /// `vpcEndpointId`; empty if not given.
    pub vpc_endpoint: &'a str,
    /// `eventType`; empty if not given.
    pub event_type: &'a str,
    /// `eventCategory` or what `managementEvent` says.
    pub category: Category,
    /// `readOnly`.
    pub read_only: Option<bool>,
    /// `sessionCredentialFromConsole`.
    pub from_console: bool,
    /// `errorMessage`.
    pub error_message: Option<Node<'a>>,
    /// `userIdentity`; see [`crate::ledger`].
    pub identity: Option<Node<'a>>,
    /// Set where a parser of records remembers the text of `identity`. Equal tokens mean equal
    /// texts, byte for byte, across all parsers of the process; nothing follows from different ones.
    pub identity_token: Option<NonZeroU64>,
    /// `requestParameters`.
    pub request: Option<Node<'a>>,
    /// `responseElements`.
    pub response: Option<Node<'a>>,
    /// `additionalEventData`.
    pub additional: Option<Node<'a>>,
    /// `serviceEventDetails`.
    pub details: Option<Node<'a>>,
    /// What was odd about the record.
    pub notes: Notes,
}

impl<'a> Event<'a> {
    /// Whether the call failed: an error code is given, or the response says `Failure` (console).
    pub fn failed(&self) -> bool {
        !self.error_code.is_empty()
            || self.error_message.is_some_and(|m| !m.is_null())
            || self.console_failure()
    }

    fn console_failure(&self) -> bool {
        self.source.starts_with("signin.")
            && self.response_str(&[self.name]).as_deref() == Some("Failure")
    }

    /// A string in `requestParameters`.
    pub fn request_str(&self, path: &[&str]) -> Option<Cow<'a, str>> {
        self.request?.at(path)?.str().filter(|s| !s.is_empty())
    }

    /// A string in `responseElements`.
    pub fn response_str(&self, path: &[&str]) -> Option<Cow<'a, str>> {
        self.response?.at(path)?.str().filter(|s| !s.is_empty())
    }

    /// A string in `additionalEventData`.
    pub fn additional_str(&self, path: &[&str]) -> Option<Cow<'a, str>> {
        self.additional?.at(path)?.str().filter(|s| !s.is_empty())
    }
}
