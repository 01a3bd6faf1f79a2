//! Instances and their instance profiles.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{association, network, pass_role, role_arn};
use crate::call::{Call, Fault, Recorded, Reply};
use crate::operation::{Ask, Event, Operation, Permission};
use crate::params::text_list;
use crate::service::Service;
use crate::world::World;

/// The most instances of one account and region.
const MOST: usize = 1000;

/// One instance.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Instance {
    /// The owner's account, twelve digits.
    pub account: String,
    /// The region.
    pub region: String,
    /// `r-…`
    pub reservation: String,
    /// `ami-…`, as given.
    pub image: String,
    /// Such as `t3.micro`.
    pub kind: String,
    /// Virtual seconds since 1970.
    pub launched_at: i64,
    /// The name of its instance profile, and the association's id.
    pub profile: Option<(String, String)>,
    /// The metadata service takes requests with a token only (IMDSv2).
    pub tokens_required: bool,
    /// It has been terminated.
    pub terminated: bool,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

impl Instance {
    fn state(&self) -> Value {
        match self.terminated {
            true => json!({ "Code": 48, "Name": "terminated" }),
            false => json!({ "Code": 16, "Name": "running" }),
        }
    }
}

pub(super) fn error(code: &str, message: impl Into<String>) -> Fault {
    Fault::api(400, code, message)
}

/// The name of the profile that a call gives by name or ARN.
fn profile_name(call: &Call<'_>) -> Option<String> {
    let given = call.params.get("IamInstanceProfile")?;
    let text = |name: &str| given.get(name).and_then(Value::as_str);
    let name = text("Name").or_else(|| text("Arn")?.rsplit('/').next())?;
    Some(name.to_owned())
}

/// The role of a profile of the caller's account.
fn role_of(world: &World, call: &Call<'_>, profile: &str) -> Option<String> {
    let account = &call.caller.account;
    let found = world.iam(account)?.instance_profiles.get(profile)?;
    role_arn(world, account, found.role.as_ref()?)
}

pub(super) fn arn(call: &Call<'_>, id: &str) -> String {
    format!(
        "arn:aws:ec2:{}:{}:instance/{id}",
        call.region, call.caller.account
    )
}

fn run_asks(world: &World, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
    let mut asks = vec![Ask::on("ec2:RunInstances", arn(call, "*"))];
    let role = profile_name(call).and_then(|name| role_of(world, call, &name));
    asks.extend(role.map(|role| pass_role(&role, "ec2.amazonaws.com")));
    Ok(asks)
}

fn associate_asks(world: &World, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
    let id = call.text("InstanceId").unwrap_or_default();
    let action = "ec2:AssociateIamInstanceProfile";
    Ok(associate_asks_on(world, call, (action, &id)))
}

/// The questions of giving a profile to an instance: the role in it is passed on.
pub(super) fn associate_asks_on(
    world: &World,
    call: &Call<'_>,
    (action, id): (&str, &str),
) -> Vec<Ask> {
    let mut asks = vec![Ask::on(action, arn(call, id))];
    let role = profile_name(call).and_then(|name| role_of(world, call, &name));
    asks.extend(role.map(|role| pass_role(&role, "ec2.amazonaws.com")));
    asks
}

fn password_asks(_world: &World, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
    let id = call.text("InstanceId").unwrap_or_default();
    Ok(vec![Ask::on("ec2:GetPasswordData", arn(call, &id))])
}

fn terminate_asks(_world: &World, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
    let ids = text_list(call, "InstanceIds");
    Ok(ids
        .iter()
        .map(|id| Ask::on("ec2:TerminateInstances", arn(call, id)))
        .collect())
}

pub(super) fn known_profile(world: &World, call: &Call<'_>) -> Result<Option<String>, Fault> {
    let Some(name) = profile_name(call) else {
        return Ok(None);
    };
    let iam = world.iam(&call.caller.account);
    match iam.is_some_and(|iam| iam.instance_profiles.contains_key(&name)) {
        true => Ok(Some(name)),
        false => Err(error(
            "InvalidParameterValue",
            format!(
                "Value ({name}) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name"
            ),
        )),
    }
}

fn run(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let profile = known_profile(world, call)?;
    let count = call.number("MaxCount")?.unwrap_or(1);
    let count = usize::try_from(count).unwrap_or_default();
    let existing = own(world, call).count();
    if count == 0 || existing.saturating_add(count) > MOST {
        return Err(error(
            "InstanceLimitExceeded",
            "You have requested more instances than your current instance limit allows.",
        ));
    }
    let image = call.text("ImageId").ok_or_else(|| {
        error(
            "MissingParameter",
            "The request must contain the parameter ImageId",
        )
    })?;
    let reservation = format!("r-0{:016x}", world.ids.number());
    let mut made = Vec::new();
    for _ in 0..count {
        let instance = Instance {
            account: call.caller.account.clone(),
            region: call.region.clone(),
            reservation: reservation.clone(),
            image: image.clone(),
            kind: call
                .text("InstanceType")
                .unwrap_or_else(|| "m1.small".to_owned()),
            launched_at: world.now,
            profile: profile.clone().map(|name| (name, association::id(world))),
            tokens_required: tokens_required(call),
            terminated: false,
            tags: tags(call),
        };
        let id = format!("i-0{:016x}", world.ids.number());
        made.push(shown(world, (&id, &instance)));
        world.compute.instances.insert(id, instance);
    }
    let recorded = recorded_launch(call, &made);
    Ok(Reply {
        recorded,
        ..Reply::of(json!({
            "ReservationId": reservation,
            "OwnerId": call.caller.account,
            "Groups": [],
            "Instances": made,
        }))
    })
}

fn tokens_required(call: &Call<'_>) -> bool {
    let options = call.params.get("MetadataOptions");
    let tokens = options.and_then(|options| options.get("HttpTokens"));
    tokens.and_then(Value::as_str) == Some("required")
}

fn tags(call: &Call<'_>) -> BTreeMap<String, String> {
    let of_instances = call
        .list("TagSpecifications")
        .iter()
        .filter(|given| given.get("ResourceType").and_then(Value::as_str) == Some("instance"));
    of_instances
        .filter_map(|given| given.get("Tags")?.as_array())
        .flatten()
        .filter_map(|tag| {
            let text = |name: &str| Some(tag.get(name)?.as_str()?.to_owned());
            Some((text("Key")?, text("Value").unwrap_or_default()))
        })
        .collect()
}

/// CloudTrail writes EC2's lists as `…Set` with `items` (recorded events of RunInstances).
fn recorded_launch(call: &Call<'_>, made: &[Value]) -> Recorded {
    let mut request = json!({
        "instancesSet": { "items": [{
            "imageId": call.text("ImageId"),
            "minCount": call.number("MinCount").ok().flatten(),
            "maxCount": call.number("MaxCount").ok().flatten(),
        }] },
        "instanceType": call.text("InstanceType"),
    });
    if let (Value::Object(fields), Some(name)) = (&mut request, profile_name(call)) {
        fields.insert("iamInstanceProfile".to_owned(), json!({ "name": name }));
    }
    let items: Vec<Value> = made
        .iter()
        .map(|instance| {
            json!({
                "instanceId": instance.get("InstanceId"),
                "imageId": instance.get("ImageId"),
                "instanceState": { "code": 0, "name": "pending" },
                "instanceType": instance.get("InstanceType"),
            })
        })
        .collect();
    Recorded {
        request: Some(request),
        response: Some(json!({
            "requestId": call.request_id,
            "ownerId": call.caller.account,
            "instancesSet": { "items": items },
        })),
        ..Recorded::default()
    }
}

fn recorded_ids(call: &Call<'_>) -> Value {
    let items: Vec<Value> = text_list(call, "InstanceIds")
        .iter()
        .map(|id| json!({ "instanceId": id }))
        .collect();
    match items.is_empty() {
        true => json!({ "instancesSet": {}, "filterSet": {} }),
        false => json!({ "instancesSet": { "items": items }, "filterSet": {} }),
    }
}

pub(super) fn own<'a>(
    world: &'a World,
    call: &'a Call<'_>,
) -> impl Iterator<Item = (&'a String, &'a Instance)> {
    world.compute.instances.iter().filter(|(_, instance)| {
        instance.account == call.caller.account && instance.region == call.region
    })
}

fn shown(world: &World, (id, instance): (&str, &Instance)) -> Value {
    let tags: Vec<Value> = instance
        .tags
        .iter()
        .map(|(key, value)| json!({ "Key": key, "Value": value }))
        .collect();
    let profile = instance
        .profile
        .as_ref()
        .map(|(name, _)| shown_profile(world, instance, name));
    let tokens = match instance.tokens_required {
        true => "required",
        false => "optional",
    };
    json!({
        "InstanceId": id,
        "ImageId": instance.image,
        "InstanceState": instance.state(),
        "InstanceType": instance.kind,
        "LaunchTime": { "$time": instance.launched_at },
        "Placement": { "AvailabilityZone": format!("{}a", instance.region) },
        "MetadataOptions": { "HttpTokens": tokens, "HttpEndpoint": "enabled" },
        "IamInstanceProfile": profile,
        "TagSet": tags,
    })
}

pub(super) fn shown_profile(world: &World, instance: &Instance, name: &str) -> Value {
    let iam = world.iam(&instance.account);
    let profile = iam.and_then(|iam| iam.instance_profiles.get(name));
    let path = profile.map_or("/", |profile| profile.path.as_str());
    json!({
        "Arn": format!("arn:aws:iam::{}:instance-profile{path}{name}", instance.account),
        "Id": profile.map(|profile| profile.id.clone()),
    })
}

pub(super) fn not_found(id: &str) -> Fault {
    error(
        "InvalidInstanceID.NotFound",
        format!("The instance ID '{id}' does not exist"),
    )
}

/// An instance of the caller's account and region.
pub(super) fn own_named<'a>(
    world: &'a World,
    call: &'a Call<'_>,
    id: &str,
) -> Result<&'a Instance, Fault> {
    let found = own(world, call).find(|(known, _)| *known == id);
    found
        .map(|(_, instance)| instance)
        .ok_or_else(|| not_found(id))
}

/// Filters are not offered.
fn describe(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    if !call.list("Filters").is_empty() {
        return Err(error(
            "InvalidParameterValue",
            "The lab has no filters of instances.",
        ));
    }
    let wanted = text_list(call, "InstanceIds");
    let all: BTreeMap<&String, &Instance> = own(world, call).collect();
    if let Some(id) = wanted.iter().find(|id| !all.contains_key(id)) {
        return Err(not_found(id));
    }
    let reservations: Vec<Value> = all
        .into_iter()
        .filter(|(id, _)| wanted.is_empty() || wanted.contains(id))
        .map(|(id, instance)| {
            json!({
                "ReservationId": instance.reservation,
                "OwnerId": instance.account,
                "Instances": [shown(world, (id, instance))],
            })
        })
        .collect();
    Ok(Reply {
        recorded: Recorded {
            request: Some(recorded_ids(call)),
            ..Recorded::default()
        },
        ..Reply::of(json!({ "Reservations": reservations }))
    })
}

fn terminate(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let ids = text_list(call, "InstanceIds");
    let known: Vec<&String> = own(world, call).map(|(id, _)| id).collect();
    if let Some(id) = ids.iter().find(|id| !known.contains(id)) {
        return Err(not_found(id));
    }
    let mut changes = Vec::new();
    for id in &ids {
        let Some(instance) = world.compute.instances.get_mut(id) else {
            continue;
        };
        let previous = instance.state();
        instance.terminated = true;
        instance.profile = None;
        changes.push(json!({ "InstanceId": id, "PreviousState": previous,
            "CurrentState": instance.state() }));
    }
    Ok(Reply {
        recorded: Recorded {
            request: Some(recorded_ids(call)),
            ..Recorded::default()
        },
        ..Reply::of(json!({ "TerminatingInstances": changes }))
    })
}

/// Regions that every account has enabled
/// (docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html).
const REGIONS: &[&str] = &[
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

fn regions(_world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let wanted = text_list(call, "RegionNames");
    let regions: Vec<Value> = REGIONS
        .iter()
        .filter(|region| wanted.is_empty() || wanted.iter().any(|name| name == *region))
        .map(|region| {
            json!({ "RegionName": region, "RegionEndpoint": format!("ec2.{region}.amazonaws.com"),
                "OptInStatus": "opt-in-not-required" })
        })
        .collect();
    Ok(Reply::of(json!({ "Regions": regions })))
}

macro_rules! row {
    ($name:literal, $read_only:literal, $permission:expr, $run:path) => {
        Operation {
            service: Service::Ec2,
            name: $name,
            read_only: $read_only,
            event: Event::Management,
            permission: $permission,
            run: $run,
        }
    };
}

/// EC2's operations.
#[rustfmt::skip]
pub const OPERATIONS: &[Operation] = &[
    row!("DescribeInstances", true, Permission::Any, describe),
    row!("DescribeRegions", true, Permission::Any, regions),
    row!("RunInstances", false, Permission::Asks(run_asks), run),
    row!("TerminateInstances", false, Permission::Asks(terminate_asks), terminate),
    row!("AssociateIamInstanceProfile", false, Permission::Asks(associate_asks), association::associate),
    row!("DescribeIamInstanceProfileAssociations", true, Permission::Any, association::list),
    row!("DisassociateIamInstanceProfile", false, Permission::Asks(association::disassociate_asks), association::disassociate),
    row!("ReplaceIamInstanceProfileAssociation", false, Permission::Asks(association::replace_asks), association::replace),
    row!("DescribeVpcs", true, Permission::Any, network::vpcs),
    row!("DescribeSecurityGroups", true, Permission::Any, network::groups),
    row!("GetPasswordData", true, Permission::Asks(password_asks), network::password),
];
