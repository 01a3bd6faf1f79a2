//! Event notifications to queues and topics (docs.aws.amazon.com/AmazonS3/latest/userguide/
//! notification-content-structure.html).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use unchain_core::time::Timestamp;

use super::xml::{Node, malformed, parse};
use super::{Bucket, bucket_of, bucket_to_change, canonical_id, document, fault, written};
use crate::call::{Call, Fault, Reply};
use crate::grant::Sender;
use crate::http::encode;
use crate::world::World;
use crate::{sns, sqs};

/// One destination of a bucket's events.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Notification {
    /// The configuration's id.
    pub id: String,
    /// The ARN of a queue or topic.
    pub destination: String,
    /// Events such as `s3:ObjectCreated:*`.
    pub events: Vec<String>,
    /// Only keys that begin so.
    pub prefix: String,
    /// Only keys that end so.
    pub suffix: String,
}

impl Notification {
    fn wants(&self, event: &str, key: &str) -> bool {
        key.starts_with(&self.prefix)
            && key.ends_with(&self.suffix)
            && self.events.iter().any(|wanted| {
                let wanted = wanted.strip_prefix("s3:").unwrap_or(wanted);
                match wanted.strip_suffix('*') {
                    Some(family) => event.starts_with(family),
                    None => event == wanted,
                }
            })
    }
}

/// What happened to an object, and by whom.
#[derive(Debug)]
pub(super) struct Change {
    event: &'static str,
    principal: String,
    source_ip: String,
    request_id: String,
}

impl Change {
    pub(super) fn by_call(call: &Call<'_>, event: &'static str) -> Self {
        Self {
            event,
            principal: format!("AWS:{}", call.caller.user_id()),
            source_ip: call.source_ip.clone(),
            request_id: call.request_id.clone(),
        }
    }

    pub(super) fn by_service(service: &str, request_id: &str) -> Self {
        Self {
            event: "ObjectCreated:Put",
            principal: format!("AWS:{service}"),
            source_ip: service.to_owned(),
            request_id: request_id.to_owned(),
        }
    }
}

/// Sends a change to every destination that wants it. What a destination's policy refuses is lost, as in AWS.
pub(super) fn tell(world: &mut World, (name, key): (&str, &str), change: &Change) {
    let Some(bucket) = world.s3.buckets.get(name) else {
        return;
    };
    let wanted: Vec<Notification> = bucket
        .notifications
        .iter()
        .filter(|notification| notification.wants(change.event, key))
        .cloned()
        .collect();
    for notification in wanted {
        let sequencer = format!("{:016X}", world.ids.number());
        let Some(bucket) = world.s3.buckets.get(name) else {
            return;
        };
        let object = match bucket.objects.get(key) {
            Some(object) => json!({ "key": written_key(key), "size": object.size,
                "eTag": object.etag, "sequencer": sequencer }),
            None => json!({ "key": written_key(key), "sequencer": sequencer }),
        };
        let record = record(
            (name, bucket),
            change,
            (&notification.id, object),
            world.now,
        );
        let message = json!({ "Records": [record] }).to_string();
        send(world, name, &notification.destination, &message);
    }
}

fn record(
    (name, bucket): (&str, &Bucket),
    change: &Change,
    (configuration, object): (&str, Value),
    now: i64,
) -> Value {
    json!({
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": bucket.region,
        "eventTime": written(now),
        "eventName": change.event,
        "userIdentity": { "principalId": change.principal },
        "requestParameters": { "sourceIPAddress": change.source_ip },
        "responseElements": {
            "x-amz-request-id": change.request_id,
            "x-amz-id-2": canonical_id(&change.request_id),
        },
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": configuration,
            "bucket": {
                "name": name,
                "ownerIdentity": { "principalId": canonical_id(&bucket.account) },
                "arn": Bucket::arn(name),
            },
            "object": object,
        },
    })
}

/// Keys are form-encoded: a space is a plus sign.
fn written_key(key: &str) -> String {
    encode(key).replace("%20", "+").replace("%2F", "/")
}

fn send(world: &mut World, bucket: &str, destination: &str, message: &str) -> bool {
    let Some(owner) = world.s3.buckets.get(bucket) else {
        return false;
    };
    let sender = Sender {
        service: "s3.amazonaws.com",
        arn: Bucket::arn(bucket),
        account: owner.account.clone(),
    };
    match destination.split(':').nth(2) {
        Some("sqs") => sqs::deliver(world, destination, &sender, message),
        Some("sns") => {
            let subject = Some("Amazon S3 Notification");
            sns::announce(world, destination, &sender, (subject, message))
        }
        _ => false,
    }
}

pub(super) fn get(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (_, bucket) = bucket_of(world, call)?;
    match &bucket.notification {
        Some(given) => Ok(document(&parse(given.as_bytes())?)),
        None => Ok(document(&Node::new("NotificationConfiguration"))),
    }
}

/// Takes a configuration whose every destination takes the test message
/// (docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html, `s3:TestEvent`).
pub(super) fn put(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let asked = parse(&call.body)?;
    let notifications = read(&asked, call)?;
    let (name, _) = bucket_of(world, call)?;
    let test = json!({
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": written(Timestamp::seconds(call.at)),
        "Bucket": name,
        "RequestId": call.request_id,
        "HostId": canonical_id(&call.request_id),
    })
    .to_string();
    for notification in &notifications {
        if !send(world, &name, &notification.destination, &test) {
            return Err(no_destination());
        }
    }
    let (_, bucket) = bucket_to_change(world, call)?;
    bucket.notification = String::from_utf8(asked.document()).ok();
    bucket.notifications = notifications;
    Ok(Reply::default())
}

fn no_destination() -> Fault {
    fault(
        400,
        "InvalidArgument",
        "Unable to validate the following destination configurations",
    )
}

/// Queues and topics are destinations in the lab; functions and EventBridge are refused.
fn read(asked: &Node, call: &Call<'_>) -> Result<Vec<Notification>, Fault> {
    let mut notifications = Vec::new();
    for (at, configuration) in asked.children().iter().enumerate() {
        let destination = match configuration.name() {
            "QueueConfiguration" => configuration.value("Queue"),
            "TopicConfiguration" => configuration.value("Topic"),
            _ => return Err(no_destination()),
        };
        let rules = configuration
            .child("Filter")
            .and_then(|filter| filter.child("S3Key"));
        let rule = |wanted: &str| {
            let found = rules.into_iter().flat_map(|key| key.named("FilterRule"));
            found
                .filter(|rule| {
                    rule.value("Name")
                        .is_some_and(|name| name.eq_ignore_ascii_case(wanted))
                })
                .find_map(|rule| rule.value("Value"))
                .unwrap_or_default()
                .to_owned()
        };
        let events: Vec<String> = configuration
            .named("Event")
            .map(|event| event.own_text().to_owned())
            .collect();
        if events.is_empty() {
            return Err(malformed());
        }
        notifications.push(Notification {
            id: configuration
                .value("Id")
                .map_or_else(|| format!("{}-{at}", call.request_id), str::to_owned),
            destination: destination.unwrap_or_default().to_owned(),
            events,
            prefix: rule("prefix"),
            suffix: rule("suffix"),
        });
    }
    Ok(notifications)
}
