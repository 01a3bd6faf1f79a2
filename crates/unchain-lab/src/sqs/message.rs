//! Messages: sending, receiving, deleting.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{MOST_MESSAGES, Queue, arn_of_url, digest, queue};
use crate::call::{Call, Fault, Reply};
use crate::params;
use crate::world::World;

/// One message.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Message {
    /// `MessageId`.
    pub id: String,
    /// The body.
    pub body: String,
    /// Attributes of the sender's choice.
    pub attributes: BTreeMap<String, Attribute>,
    /// `SenderId`: the caller's `aws:userid`, or a service.
    pub sender_id: String,
    /// Virtual seconds since 1970.
    pub sent_at: i64,
    /// Virtual seconds after `sent_at` until it can be received.
    pub delay: i64,
    /// When it can be received, virtual seconds since 1970.
    pub(crate) visible_at: i64,
    /// How often it was received.
    pub(crate) received: u32,
    /// First time, virtual seconds since 1970.
    pub(crate) first_received_at: i64,
}

/// One attribute of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    /// `String`, `Number` or `Binary`, and a custom label after a dot.
    pub data_type: String,
    /// The text, or the bytes in base64.
    pub value: String,
}

impl Attribute {
    /// An attribute out of a parameter.
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let data_type = value.get("DataType")?.as_str()?.to_owned();
        let text = value
            .get("StringValue")
            .or_else(|| value.get("BinaryValue"))?
            .as_str()?;
        Some(Self {
            data_type,
            value: text.to_owned(),
        })
    }

    /// Whether the value is base64.
    pub(crate) fn is_binary(&self) -> bool {
        self.data_type.starts_with("Binary")
    }

    /// The value's bytes.
    pub(super) fn bytes(&self) -> Vec<u8> {
        match self.is_binary() {
            true => STANDARD.decode(&self.value).unwrap_or_default(),
            false => self.value.clone().into_bytes(),
        }
    }

    fn to_json(&self) -> Value {
        let name = match self.is_binary() {
            true => "BinaryValue",
            false => "StringValue",
        };
        json!({ "DataType": self.data_type, name: self.value })
    }
}

impl Queue {
    /// Takes a message; the oldest goes if there are too many.
    pub(super) fn push(&mut self, mut message: Message) {
        if self.messages.len() >= MOST_MESSAGES
            && let Some((number, oldest)) = self.messages.pop_first()
        {
            self.ready.remove(&(oldest.visible_at, number));
        }
        message.visible_at = message.sent_at.saturating_add(message.delay);
        self.ready.insert((message.visible_at, self.next));
        self.messages.insert(self.next, message);
        self.next = self.next.saturating_add(1);
    }

    pub(super) fn clear(&mut self) {
        self.messages.clear();
        self.ready.clear();
    }

    fn remove(&mut self, number: u64) -> Option<Message> {
        let message = self.messages.remove(&number)?;
        self.ready.remove(&(message.visible_at, number));
        Some(message)
    }

    /// Forgets messages that are older than the retention period.
    pub(super) fn drop_expired(&mut self, now: i64) {
        let oldest_kept = now.saturating_sub(self.number("MessageRetentionPeriod"));
        while let Some((number, message)) = self.messages.first_key_value() {
            if message.sent_at > oldest_kept {
                break;
            }
            let number = *number;
            self.remove(number);
        }
    }

    /// How many can be received, are being worked on, are delayed.
    pub(super) fn counts(&self, now: i64) -> (usize, usize, usize) {
        let waiting = self.ready.range(..=(now, u64::MAX)).count();
        let hidden = self.ready.range((now.saturating_add(1), 0)..);
        let delayed = hidden
            .filter_map(|(_, number)| self.messages.get(number))
            .filter(|message| message.received == 0)
            .count();
        let rest = self.messages.len().saturating_sub(waiting);
        (waiting, rest.saturating_sub(delayed), delayed)
    }

    fn hide(&mut self, number: u64, until: i64) {
        if let Some(message) = self.messages.get_mut(&number) {
            self.ready.remove(&(message.visible_at, number));
            message.visible_at = until;
            self.ready.insert((until, number));
        }
    }
}

pub(super) fn send(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let answer = send_one(world, call, &Value::Object(call.params.clone()))?;
    Ok(Reply::of(answer))
}

fn send_one(world: &mut World, call: &Call<'_>, entry: &Value) -> Result<Value, Fault> {
    let body = entry
        .get("MessageBody")
        .and_then(Value::as_str)
        .filter(|body| !body.is_empty())
        .ok_or_else(|| {
            Fault::api(
                400,
                "MissingParameter",
                "The request must contain the parameter MessageBody.",
            )
        })?;
    let attributes: BTreeMap<String, Attribute> = params::entries(entry.get("MessageAttributes"))
        .into_iter()
        .filter_map(|(name, value)| Some((name, Attribute::read(value)?)))
        .collect();
    let delay = entry
        .get("DelaySeconds")
        .and_then(params::text)
        .and_then(|text| text.parse().ok());
    let (id, now) = (world.ids.guid(), world.now);
    let queue = queue(world, call)?;
    queue.drop_expired(now);
    check(queue, body)?;
    let message = Message {
        id: id.clone(),
        body: body.to_owned(),
        sender_id: call.caller.user_id(),
        sent_at: now,
        delay: delay
            .unwrap_or_else(|| queue.number("DelaySeconds"))
            .clamp(0, 900),
        attributes,
        ..Message::default()
    };
    let mut answer = json!({ "MessageId": id, "MD5OfMessageBody": digest::of_body(body) });
    if let (Value::Object(fields), Some(md5)) =
        (&mut answer, digest::of_attributes(&message.attributes))
    {
        fields.insert("MD5OfMessageAttributes".to_owned(), json!(md5));
    }
    queue.push(message);
    Ok(answer)
}

fn check(queue: &Queue, body: &str) -> Result<(), Fault> {
    let most = usize::try_from(queue.number("MaximumMessageSize")).unwrap_or(usize::MAX);
    if body.len() > most {
        return Err(Fault::api(
            400,
            "InvalidParameterValue",
            format!(
                "One or more parameters are invalid. Reason: Message must be shorter than {most} bytes."
            ),
        ));
    }
    let allowed = |character: char| !matches!(character, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
    if !body.chars().all(allowed) {
        return Err(Fault::api(
            400,
            "InvalidMessageContents",
            "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to \
             #xFFFD | #x10000 to #x10FFFF",
        ));
    }
    match queue.messages.len() < MOST_MESSAGES {
        true => Ok(()),
        false => Err(Fault::api(
            403,
            "OverLimit",
            "The queue holds too many messages.",
        )),
    }
}

/// Does an operation for each entry of a batch and sorts the answers.
fn batch(
    world: &mut World,
    call: &Call<'_>,
    each: impl Fn(&mut World, &Call<'_>, &Value) -> Result<Value, Fault>,
) -> Result<Reply, Fault> {
    let entries = call.list("Entries");
    let ids: Vec<&str> = entries
        .iter()
        .map(|entry| entry.get("Id").and_then(Value::as_str).unwrap_or_default())
        .collect();
    check_batch(&ids)?;
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for (entry, id) in entries.iter().zip(&ids) {
        match each(world, call, entry) {
            Ok(Value::Object(mut answer)) => {
                answer.insert("Id".to_owned(), json!(id));
                successful.push(Value::Object(answer));
            }
            Ok(_) => successful.push(json!({ "Id": id })),
            Err(fault) => failed.push(failure(id, &fault)),
        }
    }
    Ok(Reply::of(match failed.is_empty() {
        true => json!({ "Successful": successful }),
        false => json!({ "Successful": successful, "Failed": failed }),
    }))
}

fn check_batch(ids: &[&str]) -> Result<(), Fault> {
    let refuse = |code: &str, message: &str| Err(Fault::api(400, code, message));
    match ids.len() {
        0 => {
            return refuse(
                "EmptyBatchRequest",
                "There should be at least one entry in the request.",
            );
        }
        1..=10 => {}
        _ => {
            return refuse(
                "TooManyEntriesInBatchRequest",
                "Maximum number of entries per request are 10.",
            );
        }
    }
    let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
    match distinct.len() == ids.len() {
        true => Ok(()),
        false => refuse(
            "BatchEntryIdsNotDistinct",
            "Two or more batch entries have the same Id.",
        ),
    }
}

fn failure(id: &str, fault: &Fault) -> Value {
    let code = match &fault.trouble {
        crate::call::Trouble::Api(code) => code.clone(),
        other => format!("{other:?}"),
    };
    json!({ "Id": id, "Code": code, "Message": fault.message, "SenderFault": true })
}

pub(super) fn send_batch(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    batch(world, call, send_one)
}

pub(super) fn receive(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let now = world.now;
    let most = usize::try_from(call.number("MaxNumberOfMessages")?.unwrap_or(1));
    let most = most.ok().filter(|most| (1..=10).contains(most)).ok_or_else(|| {
        Fault::api(
            400,
            "InvalidParameterValue",
            "Value for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.",
        )
    })?;
    let timeout = call.number("VisibilityTimeout")?;
    let arn = arn_of_url(call);
    redrive(world, &arn, most);
    let queue = queue(world, call)?;
    let timeout = timeout.unwrap_or_else(|| queue.number("VisibilityTimeout"));
    let taken: Vec<u64> = queue
        .ready
        .range(..=(now, u64::MAX))
        .map(|(_, number)| *number)
        .take(most)
        .collect();
    let mut shown = Vec::new();
    for number in taken {
        queue.hide(number, now.saturating_add(timeout.clamp(0, 43_200)));
        let Some(message) = queue.messages.get_mut(&number) else {
            continue;
        };
        message.received = message.received.saturating_add(1);
        if message.received == 1 {
            message.first_received_at = now;
        }
        let handle = STANDARD.encode(format!("{arn} {number} {}", message.received));
        shown.push(show(message, &handle, call));
    }
    Ok(Reply::of(match shown.is_empty() {
        true => json!({}),
        false => json!({ "Messages": shown }),
    }))
}

/// Forgets the expired, and moves what was received too often to the dead-letter queue, so that the next `most` can
/// be given out.
fn redrive(world: &mut World, arn: &str, most: usize) {
    let now = world.now;
    let Some(queue) = world.sqs.queues.get_mut(arn) else {
        return;
    };
    queue.drop_expired(now);
    let Some((target, most_received)) = queue.redrive() else {
        return;
    };
    let mut dead = Vec::new();
    let mut fresh = 0;
    for (_, number) in queue.ready.range(..=(now, u64::MAX)) {
        let received = queue
            .messages
            .get(number)
            .map_or(0, |message| message.received);
        match received >= most_received {
            true => dead.push(*number),
            false => fresh += 1,
        }
        if fresh >= most {
            break;
        }
    }
    let moved: Vec<Message> = dead
        .into_iter()
        .filter_map(|number| queue.remove(number))
        .collect();
    if let Some(target) = world.sqs.queues.get_mut(&target) {
        moved.into_iter().for_each(|message| target.push(message));
    }
}

fn show(message: &Message, handle: &str, call: &Call<'_>) -> Value {
    let mut shown = Map::new();
    let mut put = |name: &str, value: Value| {
        shown.insert(name.to_owned(), value);
    };
    put("MessageId", json!(message.id));
    put("ReceiptHandle", json!(handle));
    put("MD5OfBody", json!(digest::of_body(&message.body)));
    put("Body", json!(message.body));
    let system = system_attributes(message, call);
    if !system.is_empty() {
        put("Attributes", Value::Object(system));
    }
    let wanted = params::text_list(call, "MessageAttributeNames");
    let own: BTreeMap<String, Attribute> = message
        .attributes
        .iter()
        .filter(|(name, _)| wanted.iter().any(|wanted| selects(wanted, name)))
        .map(|(name, attribute)| (name.clone(), attribute.clone()))
        .collect();
    if let Some(md5) = digest::of_attributes(&own) {
        put("MD5OfMessageAttributes", json!(md5));
        let own: Map<String, Value> = own
            .iter()
            .map(|(name, attribute)| (name.clone(), attribute.to_json()))
            .collect();
        put("MessageAttributes", Value::Object(own));
    }
    Value::Object(shown)
}

fn selects(wanted: &str, name: &str) -> bool {
    match wanted.strip_suffix(".*") {
        Some(prefix) => name.starts_with(prefix),
        None => wanted == name || wanted == "All",
    }
}

fn system_attributes(message: &Message, call: &Call<'_>) -> Map<String, Value> {
    let mut wanted = params::text_list(call, "AttributeNames");
    wanted.extend(params::text_list(call, "MessageSystemAttributeNames"));
    let milliseconds = |seconds: i64| seconds.saturating_mul(1000).to_string();
    let all = [
        ("SenderId", message.sender_id.clone()),
        ("SentTimestamp", milliseconds(message.sent_at)),
        ("ApproximateReceiveCount", message.received.to_string()),
        (
            "ApproximateFirstReceiveTimestamp",
            milliseconds(message.first_received_at),
        ),
    ];
    all.into_iter()
        .filter(|(name, _)| {
            wanted
                .iter()
                .any(|wanted| wanted == name || wanted == "All")
        })
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect()
}

/// The message that a receipt handle stands for.
fn number_of(call: &Call<'_>, entry: &Value) -> Result<u64, Fault> {
    let handle = entry.get("ReceiptHandle").and_then(Value::as_str);
    let invalid = || {
        Fault::api(
            404,
            "ReceiptHandleIsInvalid",
            "The input receipt handle is not a valid receipt handle.",
        )
    };
    let bytes = handle.and_then(|handle| STANDARD.decode(handle).ok());
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let text = text.ok_or_else(invalid)?;
    let mut words = text.split(' ');
    match (words.next(), words.next().map(str::parse)) {
        (Some(arn), Some(Ok(number))) if arn == arn_of_url(call) => Ok(number),
        _ => Err(invalid()),
    }
}

fn delete_one(world: &mut World, call: &Call<'_>, entry: &Value) -> Result<Value, Fault> {
    let number = number_of(call, entry)?;
    queue(world, call)?.remove(number);
    Ok(Value::Null)
}

pub(super) fn delete(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    delete_one(world, call, &Value::Object(call.params.clone())).map(|_| Reply::default())
}

pub(super) fn delete_batch(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    batch(world, call, delete_one)
}

fn change_one(world: &mut World, call: &Call<'_>, entry: &Value) -> Result<Value, Fault> {
    let number = number_of(call, entry)?;
    let timeout = entry
        .get("VisibilityTimeout")
        .and_then(params::text)
        .and_then(|text| text.parse::<i64>().ok())
        .filter(|timeout| (0..=43_200).contains(timeout));
    let Some(timeout) = timeout else {
        return Err(Fault::api(
            400,
            "InvalidParameterValue",
            "Value for parameter VisibilityTimeout is invalid. Reason: Must be between 0 and 43200.",
        ));
    };
    let now = world.now;
    let queue = queue(world, call)?;
    let in_flight = |message: &Message| message.received > 0 && message.visible_at > now;
    if !queue.messages.get(&number).is_some_and(in_flight) {
        return Err(Fault::api(
            400,
            "MessageNotInflight",
            "The message referred to isn't in flight.",
        ));
    }
    queue.hide(number, now.saturating_add(timeout));
    Ok(Value::Null)
}

pub(super) fn change_visibility(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    change_one(world, call, &Value::Object(call.params.clone())).map(|_| Reply::default())
}

pub(super) fn change_visibility_batch(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    batch(world, call, change_one)
}
