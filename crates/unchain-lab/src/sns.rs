//! Simple Notification Service: topics and their delivery to queues, which is how CloudTrail and S3 tell a collector.
//! Other protocols than `sqs` are refused. The envelope's signature is a placeholder: the lab has no key of AWS.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::call::{Call, Fault, Reply};
use crate::grant::{self, Sender};
use crate::iam::Document;
use crate::operation::{Ask, Event, Operation, Permission};
use crate::service::Service;
use crate::sqs::{self, Attribute, Message};
use crate::world::World;
use crate::{http, params};

/// All topics.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    /// Topics by ARN.
    pub topics: BTreeMap<String, Topic>,
}

/// One topic.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Topic {
    /// The owner's account, twelve digits.
    pub account: String,
    /// Attributes that were set, as given.
    pub attributes: BTreeMap<String, String>,
    /// The access policy.
    pub policy: Document,
    /// Subscriptions by ARN.
    pub subscriptions: BTreeMap<String, Subscription>,
}

/// A queue that receives what is published.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Subscription {
    /// The queue's ARN.
    pub queue: String,
    /// Who subscribed, twelve digits.
    pub account: String,
    /// `RawMessageDelivery`: the message alone, without an envelope.
    pub raw: bool,
}

/// What is published.
#[derive(Debug, Clone, Default)]
struct Publication {
    id: String,
    subject: Option<String>,
    message: String,
    attributes: BTreeMap<String, Attribute>,
}

/// Publishes for a service, if the topic's policy lets it. Whether it did.
pub fn announce(
    world: &mut World,
    topic: &str,
    sender: &Sender,
    (subject, message): (Option<&str>, &str),
) -> bool {
    let id = world.ids.guid();
    let Some(found) = world.sns.topics.get(topic) else {
        return false;
    };
    let allowed = grant::allows(&found.policy, sender, ("sns:Publish", topic), &[]);
    if allowed {
        let publication = Publication {
            id,
            subject: subject.map(str::to_owned),
            message: message.to_owned(),
            attributes: BTreeMap::new(),
        };
        fan_out(world, topic, &publication);
    }
    allowed
}

fn fan_out(world: &mut World, topic: &str, publication: &Publication) {
    let Some(found) = world.sns.topics.get(topic) else {
        return;
    };
    let sender = Sender {
        service: "sns.amazonaws.com",
        arn: topic.to_owned(),
        account: found.account.clone(),
    };
    let messages: Vec<(String, Message)> = found
        .subscriptions
        .iter()
        .map(|(arn, subscription)| {
            let message = Message {
                sender_id: sender.service.to_owned(),
                sent_at: world.now,
                ..written(world, (topic, arn), subscription, publication)
            };
            (subscription.queue.clone(), message)
        })
        .collect();
    for (queue, message) in messages {
        let message = Message {
            id: world.ids.guid(),
            ..message
        };
        sqs::deliver_message(world, &queue, &sender, message);
    }
}

/// docs.aws.amazon.com/sns/latest/dg/sns-large-payload-raw-message-delivery.html and
/// sns-message-and-json-formats.html
fn written(
    world: &World,
    (topic, arn): (&str, &str),
    subscription: &Subscription,
    publication: &Publication,
) -> Message {
    if subscription.raw {
        return Message {
            body: publication.message.clone(),
            attributes: publication.attributes.clone(),
            ..Message::default()
        };
    }
    let region = topic.split(':').nth(3).unwrap_or_default();
    let host = format!("https://sns.{region}.amazonaws.com");
    let mut envelope = Map::new();
    let mut put = |name: &str, value: Value| {
        envelope.insert(name.to_owned(), value);
    };
    put("Type", json!("Notification"));
    put("MessageId", json!(publication.id));
    put("TopicArn", json!(topic));
    if let Some(subject) = &publication.subject {
        put("Subject", json!(subject));
    }
    put("Message", json!(publication.message));
    put(
        "Timestamp",
        json!(world.time().to_string().replace('Z', ".000Z")),
    );
    put("SignatureVersion", json!("1"));
    put("Signature", json!("EXAMPLE"));
    put(
        "SigningCertURL",
        json!(format!("{host}/SimpleNotificationService-EXAMPLE.pem")),
    );
    put(
        "UnsubscribeURL",
        json!(format!(
            "{host}/?Action=Unsubscribe&SubscriptionArn={}",
            http::encode(arn)
        )),
    );
    if !publication.attributes.is_empty() {
        let shown: Map<String, Value> = publication
            .attributes
            .iter()
            .map(|(name, attribute)| {
                let value = json!({ "Type": attribute.data_type, "Value": attribute.value });
                (name.clone(), value)
            })
            .collect();
        put("MessageAttributes", Value::Object(shown));
    }
    Message {
        body: Value::Object(envelope).to_string(),
        ..Message::default()
    }
}

fn topic_arn(call: &Call<'_>) -> String {
    call.text("TopicArn")
        .or_else(|| call.text("TargetArn"))
        .unwrap_or_default()
}

fn not_found(what: &str) -> Fault {
    Fault::api(404, "NotFound", format!("{what} does not exist"))
}

fn invalid(message: &str) -> Fault {
    let message = format!("Invalid parameter: {message}");
    Fault::api(400, "InvalidParameter", message)
}

fn topic<'a>(world: &'a mut World, call: &Call<'_>) -> Result<&'a mut Topic, Fault> {
    let found = world.sns.topics.get_mut(&topic_arn(call));
    found.ok_or_else(|| not_found("Topic"))
}

fn on_topic(world: &World, call: &Call<'_>, action: &'static str) -> Result<Vec<Ask>, Fault> {
    let arn = topic_arn(call);
    let topic = world.sns.topics.get(&arn);
    let topic = topic.ok_or_else(|| not_found("Topic"))?;
    Ok(vec![Ask {
        resource_account: Some(topic.account.clone()),
        resource_policy: Some(topic.policy.policy.clone()),
        ..Ask::on(action, arn)
    }])
}

fn create_topic(_world: &World, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
    Ok(vec![Ask::on("sns:CreateTopic", named(call))])
}

fn unsubscribe_ask(_world: &World, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
    let arn = call.text("SubscriptionArn").unwrap_or_default();
    let topic = arn.rsplit_once(':').map_or("*", |(topic, _)| topic);
    Ok(vec![Ask::on("sns:Unsubscribe", topic)])
}

fn named(call: &Call<'_>) -> String {
    let name = call.text("Name").unwrap_or_default();
    format!("arn:aws:sns:{}:{}:{name}", call.region, call.caller.account)
}

fn create(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let name = call.required("Name")?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if !(1..=256).contains(&name.len()) || !name.bytes().all(fits) {
        return Err(invalid("Topic Name"));
    }
    let arn = named(call);
    if !world.sns.topics.contains_key(&arn) {
        let account = call.caller.account.clone();
        let mut topic = Topic {
            policy: default_policy(&arn, &account)?,
            account,
            attributes: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
        };
        for (name, value) in params::texts(call, "Attributes") {
            set(&mut topic, (&name, value))?;
        }
        world.sns.topics.insert(arn.clone(), topic);
    }
    Ok(Reply::of(json!({ "TopicArn": arn })))
}

/// The policy of a new topic lets its owner do everything
/// (docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html).
fn default_policy(arn: &str, account: &str) -> Result<Document, Fault> {
    let text = json!({
        "Version": "2008-10-17",
        "Id": "__default_policy_ID",
        "Statement": [{
            "Sid": "__default_statement_ID",
            "Effect": "Allow",
            "Principal": { "AWS": "*" },
            "Action": ["SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:AddPermission",
                "SNS:RemovePermission", "SNS:DeleteTopic", "SNS:Subscribe", "SNS:ListSubscriptionsByTopic",
                "SNS:Publish"],
            "Resource": arn,
            "Condition": { "StringEquals": { "AWS:SourceOwner": account } },
        }],
    });
    policy(&text.to_string())
}

fn policy(text: &str) -> Result<Document, Fault> {
    Document::parse("topic policy", text).map_err(|_| invalid("Policy statement"))
}

fn set(topic: &mut Topic, (name, value): (&str, String)) -> Result<(), Fault> {
    match name {
        "Policy" => topic.policy = policy(&value)?,
        "DisplayName" | "KmsMasterKeyId" | "DeliveryPolicy" | "TracingConfig"
        | "SignatureVersion" => {
            topic.attributes.insert(name.to_owned(), value);
        }
        _ => return Err(invalid("AttributeName")),
    }
    Ok(())
}

fn set_attributes(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let name = call.required("AttributeName")?;
    let value = call.text("AttributeValue").unwrap_or_default();
    set(topic(world, call)?, (&name, value))?;
    Ok(Reply::default())
}

fn get_attributes(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let arn = topic_arn(call);
    let topic = topic(world, call)?;
    let mut shown = Map::new();
    shown.insert("TopicArn".to_owned(), json!(arn));
    shown.insert("Owner".to_owned(), json!(topic.account));
    shown.insert("Policy".to_owned(), json!(topic.policy.text));
    let confirmed = topic.subscriptions.len().to_string();
    shown.insert("SubscriptionsConfirmed".to_owned(), json!(confirmed));
    shown.insert("SubscriptionsPending".to_owned(), json!("0"));
    shown.insert("SubscriptionsDeleted".to_owned(), json!("0"));
    shown.insert("DisplayName".to_owned(), json!(""));
    for (name, value) in &topic.attributes {
        shown.insert(name.clone(), json!(value));
    }
    Ok(Reply::of(json!({ "Attributes": shown })))
}

/// Deleting a topic that does not exist succeeds (docs.aws.amazon.com/sns/latest/api/API_DeleteTopic.html).
fn delete(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    world.sns.topics.remove(&topic_arn(call));
    Ok(Reply::default())
}

fn delete_topic(world: &World, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
    match world.sns.topics.contains_key(&topic_arn(call)) {
        true => on_topic(world, call, "sns:DeleteTopic"),
        false => Ok(vec![Ask::on("sns:DeleteTopic", topic_arn(call))]),
    }
}

fn subscribe(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    if call.text("Protocol").as_deref() != Some("sqs") {
        return Err(invalid("Protocol: the lab delivers to sqs only"));
    }
    let queue = call.text("Endpoint").unwrap_or_default();
    if !queue.starts_with("arn:aws:sqs:") {
        return Err(invalid("SQS endpoint ARN"));
    }
    let mut raw = false;
    for (name, value) in params::texts(call, "Attributes") {
        match name.as_str() {
            "RawMessageDelivery" => raw = value.eq_ignore_ascii_case("true"),
            _ => {
                return Err(invalid(
                    "Attributes Reason: the lab knows RawMessageDelivery only",
                ));
            }
        }
    }
    let (arn, id) = (topic_arn(call), world.ids.guid());
    let topic = topic(world, call)?;
    let existing = topic
        .subscriptions
        .iter()
        .find(|(_, subscription)| subscription.queue == queue);
    let subscription_arn = match existing {
        Some((existing, _)) => existing.clone(),
        None => format!("{arn}:{id}"),
    };
    let subscription = Subscription {
        queue,
        account: call.caller.account.clone(),
        raw,
    };
    topic
        .subscriptions
        .insert(subscription_arn.clone(), subscription);
    Ok(Reply::of(json!({ "SubscriptionArn": subscription_arn })))
}

fn unsubscribe(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let arn = call.required("SubscriptionArn")?;
    let topic = arn.rsplit_once(':').map_or("", |(topic, _)| topic);
    let found = world
        .sns
        .topics
        .get_mut(topic)
        .and_then(|topic| topic.subscriptions.remove(&arn));
    found
        .map(|_| Reply::default())
        .ok_or_else(|| not_found("Subscription"))
}

fn publish(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let message = call.text("Message").unwrap_or_default();
    if message.is_empty() {
        return Err(invalid("Empty message"));
    }
    if message.len() > 262_144 {
        return Err(invalid("Message too long"));
    }
    topic(world, call)?;
    let publication = Publication {
        id: world.ids.guid(),
        subject: call.text("Subject"),
        message,
        attributes: params::entries(call.params.get("MessageAttributes"))
            .into_iter()
            .filter_map(|(name, value)| Some((name, Attribute::read(value)?)))
            .collect(),
    };
    fan_out(world, &topic_arn(call), &publication);
    Ok(Reply::of(json!({ "MessageId": publication.id })))
}

fn own_topics<'a>(
    world: &'a World,
    call: &'a Call<'_>,
) -> impl Iterator<Item = (&'a String, &'a Topic)> {
    let first = format!("arn:aws:sns:{}:{}:", call.region, call.caller.account);
    world
        .sns
        .topics
        .iter()
        .filter(move |(arn, _)| arn.starts_with(&first))
}

fn list_topics(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let topics: Vec<Value> = own_topics(world, call)
        .map(|(arn, _)| json!({ "TopicArn": arn }))
        .collect();
    Ok(Reply::of(json!({ "Topics": topics })))
}

fn shown((topic, found): (&str, &Topic)) -> Vec<Value> {
    let subscriptions = found.subscriptions.iter();
    subscriptions
        .map(|(arn, subscription)| {
            json!({ "SubscriptionArn": arn, "Owner": subscription.account, "Protocol": "sqs",
                "Endpoint": subscription.queue, "TopicArn": topic })
        })
        .collect()
}

fn list_subscriptions(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let all: Vec<Value> = own_topics(world, call)
        .flat_map(|(arn, topic)| shown((arn, topic)))
        .collect();
    Ok(Reply::of(json!({ "Subscriptions": all })))
}

fn list_by_topic(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let arn = topic_arn(call);
    let all = shown((&arn, topic(world, call)?));
    Ok(Reply::of(json!({ "Subscriptions": all })))
}

macro_rules! row {
    ($name:literal, $read_only:literal, $event:ident, $permission:expr, $run:path) => {
        Operation {
            service: Service::Sns,
            name: $name,
            read_only: $read_only,
            event: Event::$event,
            permission: $permission,
            run: $run,
        }
    };
}

macro_rules! on_topic {
    ($action:literal) => {
        Permission::Asks(|world, call| on_topic(world, call, $action))
    };
}

/// Its operations.
#[rustfmt::skip]
pub const OPERATIONS: &[Operation] = &[
    row!("CreateTopic", false, Management, Permission::Asks(create_topic), create),
    row!("DeleteTopic", false, Management, Permission::Asks(delete_topic), delete),
    row!("ListTopics", true, Management, Permission::Any, list_topics),
    row!("GetTopicAttributes", true, Management, on_topic!("sns:GetTopicAttributes"), get_attributes),
    row!("SetTopicAttributes", false, Management, on_topic!("sns:SetTopicAttributes"), set_attributes),
    row!("Subscribe", false, Management, on_topic!("sns:Subscribe"), subscribe),
    row!("Unsubscribe", false, Management, Permission::Asks(unsubscribe_ask), unsubscribe),
    row!("ListSubscriptions", true, Management, Permission::Any, list_subscriptions),
    row!("ListSubscriptionsByTopic", true, Management, on_topic!("sns:ListSubscriptionsByTopic"), list_by_topic),
    row!("Publish", false, Data, on_topic!("sns:Publish"), publish),
];
