//! Queues themselves.

use serde_json::{Map, Value, json};

use super::{Queue, arn, arn_of_url, attribute, does_not_exist, queue};
use crate::call::{Call, Fault, Reply};
use crate::params;
use crate::world::World;

/// Account and name as a URL at the address by which the client reached the lab.
fn url_at(call: &Call<'_>, account: &str, name: &str) -> String {
    let host = call.http.header("host").unwrap_or("localhost");
    format!("http://{host}/{account}/{name}")
}

/// docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
pub(super) fn create(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let name = call.required("QueueName")?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if !(1..=80).contains(&name.len()) || !name.bytes().all(fits) {
        return Err(Fault::api(
            400,
            "InvalidParameterValue",
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
        ));
    }
    let account = call.caller.account.clone();
    let arn = arn((&call.region, &account), &name);
    let given = attribute::read(call)?;
    let answer = Reply::of(json!({ "QueueUrl": url_at(call, &account, &name) }));
    if let Some(queue) = world.sqs.queues.get(&arn) {
        let same = given
            .iter()
            .all(|(name, value)| queue.value(name).as_ref() == Some(value));
        return match same {
            true => Ok(answer),
            false => Err(Fault::api(
                400,
                "QueueNameExists",
                "A queue already exists with the same name and a different value for an attribute",
            )),
        };
    }
    let mut queue = Queue {
        name,
        account,
        created_at: world.now,
        tags: params::texts(call, "tags").into_iter().collect(),
        ..Queue::default()
    };
    queue.set(given, world.now)?;
    world.sqs.queues.insert(arn, queue);
    Ok(answer)
}

/// The ARN of the queue that a call names by `QueueName`.
pub(super) fn named(call: &Call<'_>) -> String {
    let owner = call.text("QueueOwnerAWSAccountId");
    let account = owner.as_ref().unwrap_or(&call.caller.account);
    let name = call.text("QueueName").unwrap_or_default();
    arn((&call.region, account), &name)
}

pub(super) fn url(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let queue = world.sqs.queues.get(&named(call));
    let queue = queue.ok_or_else(does_not_exist)?;
    let url = url_at(call, &queue.account, &queue.name);
    Ok(Reply::of(json!({ "QueueUrl": url })))
}

pub(super) fn list(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let prefix = call.text("QueueNamePrefix").unwrap_or_default();
    let first = arn((&call.region, &call.caller.account), "");
    let urls: Vec<String> = world
        .sqs
        .queues
        .range(first.clone()..)
        .take_while(|(arn, _)| arn.starts_with(&first))
        .filter(|(_, queue)| queue.name.starts_with(&prefix))
        .map(|(_, queue)| url_at(call, &queue.account, &queue.name))
        .take(1000)
        .collect();
    Ok(Reply::of(match urls.is_empty() {
        true => json!({}),
        false => json!({ "QueueUrls": urls }),
    }))
}

pub(super) fn delete(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let removed = world.sqs.queues.remove(&arn_of_url(call));
    removed.map(|_| Reply::default()).ok_or_else(does_not_exist)
}

pub(super) fn purge(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    queue(world, call)?.clear();
    Ok(Reply::default())
}

pub(super) fn tag(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let tags = params::texts(call, "Tags");
    queue(world, call)?.tags.extend(tags);
    Ok(Reply::default())
}

pub(super) fn untag(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let names = params::text_list(call, "TagKeys");
    let queue = queue(world, call)?;
    queue.tags.retain(|name, _| !names.contains(name));
    Ok(Reply::default())
}

pub(super) fn tags(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let tags = &queue(world, call)?.tags;
    let tags: Map<String, Value> = tags
        .iter()
        .map(|(name, value)| (name.clone(), json!(value)))
        .collect();
    Ok(Reply::of(json!({ "Tags": tags })))
}
