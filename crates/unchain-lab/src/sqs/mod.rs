//! Simple Queue Service: standard queues, by virtual time. Long polling is answered at once, since nothing can arrive
//! while the lab serves one request. Queues that keep order (FIFO) are not offered.

mod attribute;
mod digest;
mod message;
mod queue;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::call::{Call, Fault};
use crate::grant::{self, Sender};
use crate::iam::Document;
use crate::operation::{Ask, Event, Operation, Permission};
use crate::service::Service;
use crate::world::World;

pub use message::{Attribute, Message};

/// The most messages that a queue holds; the lab must not grow without end. What a service sends beyond it drives out
/// the oldest, as the retention period would.
const MOST_MESSAGES: usize = 120_000;

/// All queues.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    /// Queues by ARN.
    pub queues: BTreeMap<String, Queue>,
}

/// One queue.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Queue {
    /// The name.
    pub name: String,
    /// The owner's account, twelve digits.
    pub account: String,
    /// Virtual seconds since 1970.
    pub created_at: i64,
    /// When its attributes were last set, virtual seconds since 1970.
    pub changed_at: i64,
    /// Attributes that were set, as given.
    pub attributes: BTreeMap<String, String>,
    /// The attribute `Policy`.
    pub policy: Option<Document>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// Messages by the order of their arrival.
    messages: BTreeMap<u64, Message>,
    /// When each may be received: virtual seconds since 1970, and its number in `messages`.
    ready: BTreeSet<(i64, u64)>,
    /// The number of the next message.
    next: u64,
}

/// The queue of an ARN takes a message from a service, if its policy lets the service send. Whether it did.
pub fn deliver(world: &mut World, queue: &str, sender: &Sender, body: &str) -> bool {
    let message = Message {
        id: world.ids.guid(),
        sender_id: sender.service.to_owned(),
        sent_at: world.now,
        body: body.to_owned(),
        ..Message::default()
    };
    deliver_message(world, queue, sender, message)
}

/// As [`deliver`], with attributes of the sender's choice.
pub(crate) fn deliver_message(
    world: &mut World,
    queue: &str,
    sender: &Sender,
    message: Message,
) -> bool {
    let Some(found) = world.sqs.queues.get_mut(queue) else {
        return false;
    };
    let allowed = found
        .policy
        .as_ref()
        .is_some_and(|policy| grant::allows(policy, sender, ("sqs:SendMessage", queue), &[]));
    if allowed {
        found.push(message);
    }
    allowed
}

/// The ARN of the queue that a call names by `QueueUrl`: its last two parts are account and name.
fn arn_of_url(call: &Call<'_>) -> String {
    let url = call.text("QueueUrl").unwrap_or_default();
    let mut parts = url.trim_end_matches('/').rsplit('/');
    let (name, account) = (parts.next().unwrap_or_default(), parts.next());
    let account = account
        .filter(|part| part.len() == 12 && part.bytes().all(|byte| byte.is_ascii_digit()))
        .unwrap_or(&call.caller.account);
    arn((&call.region, account), name)
}

fn arn((region, account): (&str, &str), name: &str) -> String {
    format!("arn:aws:sqs:{region}:{account}:{name}")
}

fn does_not_exist() -> Fault {
    Fault::api(
        400,
        "QueueDoesNotExist",
        "The specified queue does not exist.",
    )
}

fn queue<'a>(world: &'a mut World, call: &Call<'_>) -> Result<&'a mut Queue, Fault> {
    let found = world.sqs.queues.get_mut(&arn_of_url(call));
    found.ok_or_else(does_not_exist)
}

/// An action on the queue that the call names.
fn on_queue(world: &World, call: &Call<'_>, action: &'static str) -> Result<Vec<Ask>, Fault> {
    let arn = arn_of_url(call);
    let queue = world.sqs.queues.get(&arn).ok_or_else(does_not_exist)?;
    Ok(vec![ask(queue, arn, action)])
}

fn ask(queue: &Queue, arn: String, action: &'static str) -> Ask {
    Ask {
        resource_account: Some(queue.account.clone()),
        resource_policy: queue.policy.as_ref().map(|policy| policy.policy.clone()),
        ..Ask::on(action, arn)
    }
}

fn create_queue(_world: &World, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
    let name = call.text("QueueName").unwrap_or_default();
    let arn = arn((&call.region, &call.caller.account), &name);
    Ok(vec![Ask::on("sqs:CreateQueue", arn)])
}

fn get_queue_url(world: &World, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
    let arn = queue::named(call);
    let queue = world.sqs.queues.get(&arn).ok_or_else(does_not_exist)?;
    Ok(vec![ask(queue, arn, "sqs:GetQueueUrl")])
}

macro_rules! row {
    ($name:literal, $read_only:literal, $event:ident, $permission:expr, $run:path) => {
        Operation {
            service: Service::Sqs,
            name: $name,
            read_only: $read_only,
            event: Event::$event,
            permission: $permission,
            run: $run,
        }
    };
}

macro_rules! on_queue {
    ($action:literal) => {
        Permission::Asks(|world, call| on_queue(world, call, $action))
    };
}

/// Its operations. Batches need the permission of the single call
/// (docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html).
#[rustfmt::skip]
pub const OPERATIONS: &[Operation] = &[
    row!("CreateQueue", false, Management, Permission::Asks(create_queue), queue::create),
    row!("GetQueueUrl", true, Management, Permission::Asks(get_queue_url), queue::url),
    row!("ListQueues", true, Management, Permission::Any, queue::list),
    row!("DeleteQueue", false, Management, on_queue!("sqs:DeleteQueue"), queue::delete),
    row!("PurgeQueue", false, Management, on_queue!("sqs:PurgeQueue"), queue::purge),
    row!("TagQueue", false, Management, on_queue!("sqs:TagQueue"), queue::tag),
    row!("UntagQueue", false, Management, on_queue!("sqs:UntagQueue"), queue::untag),
    row!("ListQueueTags", true, Management, on_queue!("sqs:ListQueueTags"), queue::tags),
    row!("GetQueueAttributes", true, Management, on_queue!("sqs:GetQueueAttributes"), attribute::get),
    row!("SetQueueAttributes", false, Management, on_queue!("sqs:SetQueueAttributes"), attribute::set),
    row!("SendMessage", false, Data, on_queue!("sqs:SendMessage"), message::send),
    row!("SendMessageBatch", false, Data, on_queue!("sqs:SendMessage"), message::send_batch),
    row!("ReceiveMessage", true, Data, on_queue!("sqs:ReceiveMessage"), message::receive),
    row!("DeleteMessage", false, Data, on_queue!("sqs:DeleteMessage"), message::delete),
    row!("DeleteMessageBatch", false, Data, on_queue!("sqs:DeleteMessage"), message::delete_batch),
    row!("ChangeMessageVisibility", false, Data, on_queue!("sqs:ChangeMessageVisibility"), message::change_visibility),
    row!("ChangeMessageVisibilityBatch", false, Data, on_queue!("sqs:ChangeMessageVisibility"), message::change_visibility_batch),
];
