//! What a record may be wrapped in, recognised by content: the shapes of CLI output, EventBridge,
//! CloudWatch Logs, SNS, SQS, Lambda, Kinesis, Elastic, Security Onion, OpenSearch and Splunk.
//!
//! This is the slow path: the scanner comes here only with values that are not plain records.

use crate::inflate::{self, GzipReader};
use crate::lists::LISTS;
use crate::parse;
use crate::repair;
use crate::tally::{Other, Raw, Tally};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use std::io::Read as _;
use unchain_core::event::{Notes, Refusal};
use unchain_core::record::{parse_at, plain};

/// Wrappers inside wrappers are followed this far.
const DEPTH: u32 = 8;
/// Packed data inside a record unpacks to at most this many bytes; AWS sends at most 6 MB.
const PACKED: u64 = 16 << 20;

/// Members that may hold a record, as an object, a list, or JSON in a string; the first that does wins.
const CARRIERS: [&str; 18] = [
    "detail",
    "CloudTrailEvent",
    "_source",
    "event.original",
    "original",
    "event",
    "message",
    "Message",
    "body",
    "Body",
    "Sns",
    "result",
    "_raw",
    "raw",
    "cloudtrail",
    "aws",
    "awslogs",
    "kinesis",
];

/// What is known about a value from around it.
#[derive(Clone, Default)]
struct Around {
    depth: u32,
    notes: Notes,
    /// `@timestamp` of the nearest wrapper.
    time: Option<Value>,
}

/// Reads the JSON text of one element: a record or something that wraps records.
///
/// # Errors
/// The text is not JSON or too deep, even after repair. Nothing has been counted then.
pub(crate) fn element(bytes: &[u8], tally: &mut Tally<'_>) -> Result<(), Refusal> {
    let (text, mut notes) = repair::text(bytes);
    let (value, found) = value(&text)?;
    notes.add(found);
    let around = Around {
        notes,
        ..Around::default()
    };
    if let Err(refusal) = open(value, around, tally) {
        tally.evidence(bytes);
        tally.refuse(refusal, 1);
    }
    Ok(())
}

/// Whether a member of this name may hold a record.
pub(crate) fn carries(name: &[u8]) -> bool {
    CARRIERS.iter().any(|carrier| carrier.as_bytes() == name)
}

/// Whether the text of one element is JSON, if need be after repair.
pub(crate) fn is_sound(bytes: &[u8]) -> bool {
    value(&repair::text(bytes).0).is_ok()
}

/// A value, repaired where that is certain.
fn value(text: &str) -> Result<(Value, Notes), Refusal> {
    let refusal = match parse::tree(text) {
        Ok(parsed) => return Ok(parsed),
        Err(refusal) => refusal,
    };
    let (repaired, mut notes) = repair::json(text).ok_or(refusal)?;
    let (value, found) = parse::tree(&repaired)?;
    notes.add(found);
    Ok((value, notes))
}

/// Hands on what `value` holds, or says why it holds nothing; then nothing has been counted.
fn open(value: Value, around: Around, tally: &mut Tally<'_>) -> Result<(), Refusal> {
    if around.depth > DEPTH {
        return Err(Refusal::TooDeep);
    }
    match value {
        Value::Object(members) => object(members, around, tally),
        Value::Array(elements) => list(elements, &around, tally),
        Value::String(text) => inner_text(&text, around, tally),
        Value::Null | Value::Bool(_) | Value::Number(_) => Err(Refusal::NotAnObject),
    }
}

fn object(
    mut members: Map<String, Value>,
    mut around: Around,
    tally: &mut Tally<'_>,
) -> Result<(), Refusal> {
    if let Some(other) = other(&members) {
        tally.cloudtrail = true;
        tally.other(other);
        if other == Other::Digest {
            tally.digest(&members);
        }
        return Ok(());
    }
    if is_record(&members) {
        record(members, around, tally);
        return Ok(());
    }
    if let Some(time) = members.get("@timestamp") {
        around.time = Some(time.clone());
    }
    around.depth += 1;
    let mut refusal = Refusal::NoEventName;
    for name in CARRIERS.iter().chain(&LISTS) {
        let Some(value) = members.get_mut(*name).map(Value::take) else {
            continue;
        };
        match carried(name, value, &around, tally) {
            Ok(()) => return Ok(()),
            // A carrier that is cut or broken says more than one that is merely something else.
            Err(inner @ (Refusal::NotJson | Refusal::TooDeep)) => refusal = inner,
            Err(_) => {}
        }
    }
    Err(refusal)
}

/// Reads a member that may hold a record. A string that is not JSON is an ordinary text, not damage.
fn carried(
    name: &str,
    value: Value,
    around: &Around,
    tally: &mut Tally<'_>,
) -> Result<(), Refusal> {
    let packed = matches!(name, "awslogs" | "kinesis");
    match value {
        Value::Object(members) if packed => {
            let data = members
                .get("data")
                .and_then(Value::as_str)
                .ok_or(Refusal::NoEventName)?;
            packed_text(data, around.clone(), tally)
        }
        value @ (Value::Object(_) | Value::Array(_)) => open(value, around.clone(), tally),
        Value::String(text) => inner_text(&text, around.clone(), tally),
        Value::Null | Value::Bool(_) | Value::Number(_) => Err(Refusal::NoEventName),
    }
}

/// One good element makes a list; then each bad one is refused for itself.
fn list(elements: Vec<Value>, around: &Around, tally: &mut Tally<'_>) -> Result<(), Refusal> {
    let around = Around {
        depth: around.depth + 1,
        ..around.clone()
    };
    let mut refused: Vec<Refusal> = Vec::new();
    let mut good = false;
    for element in elements {
        match open(element, around.clone(), tally) {
            Ok(()) => good = true,
            Err(refusal) => refused.push(refusal),
        }
    }
    if !good {
        return Err(refused.into_iter().next().unwrap_or(Refusal::NoEventName));
    }
    refused
        .into_iter()
        .for_each(|refusal| tally.refuse(refusal, 1));
    Ok(())
}

fn inner_text(text: &str, mut around: Around, tally: &mut Tally<'_>) -> Result<(), Refusal> {
    let text = text.trim();
    if !text.starts_with(['{', '[', '"']) {
        return Err(Refusal::NoEventName);
    }
    if let Some((mut event, _)) = parse_at(text, 0).filter(|(_, end)| *end == text.len()) {
        event.notes.add(around.notes);
        tally.event(&event, Raw::Text(text));
        return Ok(());
    }
    let (value, notes) = value(text)?;
    around.notes.add(notes);
    around.depth += 1;
    open(value, around, tally)
}

/// base64 of JSON, gzipped or not.
fn packed_text(data: &str, mut around: Around, tally: &mut Tally<'_>) -> Result<(), Refusal> {
    let packed = STANDARD.decode(data.trim()).map_err(|_| Refusal::NotJson)?;
    let mut bytes = Vec::new();
    if packed.starts_with(&inflate::MAGIC) {
        let mut reader = GzipReader::new(packed.as_slice()).take(PACKED + 1);
        let size = reader
            .read_to_end(&mut bytes)
            .map_err(|_| Refusal::NotJson)?;
        if u64::try_from(size).is_ok_and(|size| size > PACKED) {
            return Err(Refusal::TooLarge);
        }
    } else {
        bytes = packed;
    }
    let (text, notes) = repair::text(&bytes);
    around.notes.add(notes);
    inner_text(&text, around, tally)
}

fn record(mut members: Map<String, Value>, around: Around, tally: &mut Tally<'_>) {
    let timed = members.contains_key("eventTime") || members.contains_key("@timestamp");
    if let Some(time) = around.time.filter(|_| !timed) {
        members.insert("@timestamp".to_owned(), time);
    }
    tally.cloudtrail = true;
    let value = Value::Object(members);
    match plain(&value) {
        Ok(mut event) => {
            event.notes.add(around.notes);
            tally.event(&event, Raw::Value(&value));
        }
        Err(refusal) => tally.refuse(refusal, 1),
    }
}

/// A record of a call, however incomplete. No wrapper has two of these members.
fn is_record(members: &Map<String, Value>) -> bool {
    let has = |name: &str| members.contains_key(name);
    let named = members
        .get("eventName")
        .and_then(Value::as_str)
        .is_some_and(|name| !name.is_empty());
    let signs = [
        "eventVersion",
        "eventSource",
        "userIdentity",
        "eventTime",
        "eventID",
        "awsRegion",
        "sourceIPAddress",
    ];
    let signs = signs.iter().filter(|name| has(name)).count();
    (named && signs > 0) || (signs > 2 && has("userIdentity"))
}

/// What is CloudTrail's or S3's and not a record of a call.
fn other(members: &Map<String, Value>) -> Option<Other> {
    let has = |name: &str| members.contains_key(name);
    let is = |name: &str, wanted: &str| members.get(name).and_then(Value::as_str) == Some(wanted);
    if is("eventType", "AwsCloudTrailInsight") || is("eventCategory", "Insight") {
        Some(Other::Insight)
    } else if is("eventType", "AwsAggregatedEvent") || is("eventCategory", "Aggregated") {
        Some(Other::Aggregated)
    } else if has("digestS3Object") || (has("digestStartTime") && has("logFiles")) {
        Some(Other::Digest)
    } else if announces(members) {
        Some(Other::Notification)
    } else {
        None
    }
}

/// An S3 event, S3's test event, or CloudTrail's own message about new files.
fn announces(members: &Map<String, Value>) -> bool {
    let s3 = members.get("s3").and_then(Value::as_object);
    s3.is_some_and(|s3| s3.contains_key("object") && s3.contains_key("bucket"))
        || (members.contains_key("s3Bucket") && members.contains_key("s3ObjectKey"))
        || members.get("Event").and_then(Value::as_str) == Some("s3:TestEvent")
}
