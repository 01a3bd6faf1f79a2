//! A queue's attributes (docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html).

use serde_json::{Map, Value, json};

use super::{Queue, arn_of_url, queue};
use crate::call::{Call, Fault, Reply};
use crate::iam::Document;
use crate::params;
use crate::world::World;

/// Attributes that are whole numbers: name, least, most, default.
const NUMBERS: &[(&str, i64, i64, i64)] = &[
    ("DelaySeconds", 0, 900, 0),
    ("MaximumMessageSize", 1024, 1_048_576, 1_048_576),
    ("MessageRetentionPeriod", 60, 1_209_600, 345_600),
    ("ReceiveMessageWaitTimeSeconds", 0, 20, 0),
    ("VisibilityTimeout", 0, 43_200, 30),
];

/// Attributes that are kept as given.
const TEXTS: &[&str] = &[
    "KmsMasterKeyId",
    "KmsDataKeyReusePeriodSeconds",
    "RedriveAllowPolicy",
    "SqsManagedSseEnabled",
];

impl Queue {
    /// An attribute that is a number, with its default.
    pub(super) fn number(&self, name: &str) -> i64 {
        let given = self.attributes.get(name).and_then(|text| text.parse().ok());
        let default = || {
            let row = NUMBERS.iter().find(|(row, ..)| *row == name);
            row.map_or(0, |(.., default)| *default)
        };
        given.unwrap_or_else(default)
    }

    /// A settable attribute as `GetQueueAttributes` shows it.
    pub(super) fn value(&self, name: &str) -> Option<String> {
        match NUMBERS.iter().any(|(row, ..)| *row == name) {
            true => Some(self.number(name).to_string()),
            false => self.attributes.get(name).cloned(),
        }
    }

    /// Where messages go that were received too often, and after how many times.
    pub(super) fn redrive(&self) -> Option<(String, u32)> {
        let policy: Value = serde_json::from_str(self.attributes.get("RedrivePolicy")?).ok()?;
        let most = params::text(policy.get("maxReceiveCount")?)?.parse().ok()?;
        let target = policy.get("deadLetterTargetArn")?.as_str()?;
        Some((target.to_owned(), most))
    }

    /// Sets attributes that [`read`] has checked.
    pub(super) fn set(&mut self, given: Vec<(String, String)>, now: i64) -> Result<(), Fault> {
        for (name, value) in given {
            if name == "Policy" {
                self.policy = policy(&value)?;
            }
            match value.is_empty() {
                true => self.attributes.remove(&name),
                false => self.attributes.insert(name, value),
            };
        }
        self.changed_at = now;
        Ok(())
    }
}

fn policy(text: &str) -> Result<Option<Document>, Fault> {
    match text {
        "" => Ok(None),
        text => Document::parse("queue policy", text)
            .map(Some)
            .map_err(|_| invalid_value("Policy")),
    }
}

fn invalid_value(name: &str) -> Fault {
    Fault::api(
        400,
        "InvalidAttributeValue",
        format!("Invalid value for the parameter {name}."),
    )
}

/// The attributes that a call gives.
pub(super) fn read(call: &Call<'_>) -> Result<Vec<(String, String)>, Fault> {
    let given = params::texts(call, "Attributes");
    for (name, value) in &given {
        let fits = match NUMBERS.iter().find(|(row, ..)| row == name) {
            Some((_, least, most, _)) => value
                .parse::<i64>()
                .is_ok_and(|number| (*least..=*most).contains(&number)),
            None if name == "Policy" => policy(value).is_ok(),
            None if name == "RedrivePolicy" => serde_json::from_str::<Value>(value).is_ok(),
            None if TEXTS.contains(&name.as_str()) => true,
            None => {
                let message = format!("Unknown Attribute {name}.");
                return Err(Fault::api(400, "InvalidAttributeName", message));
            }
        };
        if !fits {
            return Err(invalid_value(name));
        }
    }
    Ok(given)
}

pub(super) fn set(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (given, now) = (read(call)?, world.now);
    queue(world, call)?.set(given, now)?;
    Ok(Reply::default())
}

pub(super) fn get(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let now = world.now;
    let queue = queue(world, call)?;
    queue.drop_expired(now);
    let (waiting, in_flight, delayed) = queue.counts(now);
    let mut all: Vec<(&str, Option<String>)> = vec![
        ("ApproximateNumberOfMessages", Some(waiting.to_string())),
        (
            "ApproximateNumberOfMessagesNotVisible",
            Some(in_flight.to_string()),
        ),
        (
            "ApproximateNumberOfMessagesDelayed",
            Some(delayed.to_string()),
        ),
        ("CreatedTimestamp", Some(queue.created_at.to_string())),
        ("LastModifiedTimestamp", Some(queue.changed_at.to_string())),
        ("QueueArn", Some(arn_of_url(call))),
        ("Policy", queue.value("Policy")),
        ("RedrivePolicy", queue.value("RedrivePolicy")),
    ];
    all.extend(NUMBERS.iter().map(|(name, ..)| (*name, queue.value(name))));
    all.extend(TEXTS.iter().map(|name| (*name, queue.value(name))));
    let wanted = params::text_list(call, "AttributeNames");
    let is_wanted = |name: &str| {
        wanted
            .iter()
            .any(|wanted| wanted == name || wanted == "All")
    };
    let shown: Map<String, Value> = all
        .into_iter()
        .filter(|(name, _)| is_wanted(name))
        .filter_map(|(name, value)| Some((name.to_owned(), json!(value?))))
        .collect();
    Ok(Reply::of(match shown.is_empty() {
        true => json!({}),
        false => json!({ "Attributes": shown }),
    }))
}
