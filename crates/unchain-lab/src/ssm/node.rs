//! Managed nodes: instances whose agent reports.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{error, page};
use crate::call::{Call, Fault, Recorded, Reply};
use crate::operation::Ask;
use crate::params::text;
use crate::world::World;

/// The most nodes of all accounts; what reports then is refused.
const MOST: usize = 100_000;

/// A node is connected this long after its agent reported, in seconds. AWS does not say how long it waits.
const CONNECTED: i64 = 1800;

/// One node.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Node {
    /// The instance's id.
    pub id: String,
    /// What the agent said of itself and its machine, under the names of the API.
    pub said: Map<String, Value>,
    /// The first report, virtual seconds since 1970.
    pub registered_at: i64,
    /// The last report, virtual seconds since 1970.
    pub reported_at: i64,
}

const SAID: &[&str] = &[
    "AgentVersion",
    "PlatformType",
    "PlatformName",
    "PlatformVersion",
    "IPAddress",
    "ComputerName",
];

impl Node {
    /// Whether the agent reported a short while ago.
    pub(super) fn connected(&self, now: i64) -> bool {
        now - self.reported_at <= CONNECTED
    }

    fn shown(&self, now: i64) -> Value {
        let status = match self.connected(now) {
            true => "Online",
            false => "ConnectionLost",
        };
        let mut fields = self.said.clone();
        let own = [
            ("InstanceId", json!(self.id)),
            ("PingStatus", json!(status)),
            ("LastPingDateTime", json!({ "$time": self.reported_at })),
            ("RegistrationDate", json!({ "$time": self.registered_at })),
            ("ResourceType", json!("EC2Instance")),
            ("SourceId", json!(self.id)),
            ("SourceType", json!("AWS::EC2::Instance")),
        ];
        fields.extend(own.map(|(name, value)| (name.to_owned(), value)));
        Value::Object(fields)
    }
}

/// The ARN of an instance of the caller's account and region.
pub(super) fn arn(call: &Call<'_>, id: &str) -> String {
    format!("{}{id}", first(call))
}

fn first(call: &Call<'_>) -> String {
    format!(
        "arn:aws:ec2:{}:{}:instance/",
        call.region, call.caller.account
    )
}

/// The node of an instance that has not been terminated.
pub(super) fn living<'a>(world: &'a World, call: &Call<'_>, id: &str) -> Option<&'a Node> {
    let instance = world.compute.instances.get(id);
    if instance.is_some_and(|instance| instance.terminated) {
        return None;
    }
    world.ssm.nodes.get(&arn(call, id))
}

pub(super) fn update_asks(_world: &World, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
    let arn = arn(call, &call.required("InstanceId")?);
    Ok(vec![Ask::on("ssm:UpdateInstanceInformation", arn)])
}

/// The agent's report; the first one makes the instance a managed node.
pub(super) fn update(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let id = call.required("InstanceId")?;
    let arn = arn(call, &id);
    if world.ssm.nodes.len() >= MOST && !world.ssm.nodes.contains_key(&arn) {
        return Err(error("ThrottlingException", "Rate exceeded"));
    }
    let now = world.now;
    let node = world.ssm.nodes.entry(arn).or_insert_with(|| Node {
        id,
        said: Map::new(),
        registered_at: now,
        reported_at: now,
    });
    node.reported_at = now;
    for name in SAID {
        if let Some(value) = call.text(name) {
            node.said.insert((*name).to_owned(), value.into());
        }
    }
    Ok(Reply {
        recorded: Recorded {
            response: Some(Value::Null),
            ..Recorded::default()
        },
        ..Reply::of(json!({}))
    })
}

/// The ids that the filters name; none: all nodes.
fn wanted(call: &Call<'_>) -> Result<Option<Vec<String>>, Fault> {
    let mut ids: Option<Vec<String>> = None;
    let lists = [
        ("Filters", "Key", "Values"),
        ("InstanceInformationFilterList", "key", "valueSet"),
    ];
    for (list, key, values) in lists {
        for filter in call.list(list) {
            if filter.get(key).and_then(Value::as_str) != Some("InstanceIds") {
                let message = "The lab filters nodes by InstanceIds only.";
                return Err(error("InvalidFilterKey", message));
            }
            let values = filter.get(values).and_then(Value::as_array);
            let named = values.into_iter().flatten().filter_map(text);
            ids.get_or_insert_default().extend(named);
        }
    }
    Ok(ids)
}

pub(super) fn describe(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (wanted, first, now) = (wanted(call)?, first(call), world.now);
    let own = world.ssm.nodes.range(first.clone()..);
    let rows = own
        .take_while(|(arn, _)| arn.starts_with(&first))
        .filter(|(_, node)| wanted.as_ref().is_none_or(|ids| ids.contains(&node.id)))
        .filter(|(_, node)| living(world, call, &node.id).is_some())
        .map(|(arn, node)| (arn.clone(), node.shown(now)));
    let (rows, next) = page(call, rows)?;
    Ok(Reply::of(
        json!({ "InstanceInformationList": rows, "NextToken": next }),
    ))
}
