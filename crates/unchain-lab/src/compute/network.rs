//! What every account has in a region from its first day: a default VPC with a default security group
//! (docs.aws.amazon.com/vpc/latest/userguide/default-vpc-components.html). There are no others.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::ec2::{error, own_named};
use crate::call::{Call, Fault, Recorded, Reply};
use crate::params::{text, text_list};
use crate::world::World;

/// An id that follows from account and region.
fn id(call: &Call<'_>, prefix: &str) -> String {
    let digest = Sha256::digest(format!("{prefix}{}{}", call.caller.account, call.region));
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{prefix}0{}", hex.get(..16).unwrap_or_default())
}

/// Whether the filters take what `value` tells of itself. A filter that it has no value for is refused.
fn taken(call: &Call<'_>, value: impl Fn(&str) -> Option<String>) -> Result<bool, Fault> {
    for filter in call.list("Filters") {
        let name = filter.get("Name").and_then(text).unwrap_or_default();
        let own = value(&name).ok_or_else(|| {
            error(
                "InvalidParameterValue",
                format!("The filter '{name}' is invalid"),
            )
        })?;
        let values = filter.get("Values").and_then(Value::as_array);
        let mut values = values.into_iter().flatten().filter_map(text);
        if !values.any(|value| value == own) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// CloudTrail's form of the ids that a call names.
fn items(call: &Call<'_>, list: &str, member: &str) -> Value {
    let items: Vec<Value> = text_list(call, list)
        .into_iter()
        .map(|id| json!({ member: id }))
        .collect();
    match items.is_empty() {
        true => json!({}),
        false => json!({ "items": items }),
    }
}

fn recorded(request: Value) -> Recorded {
    Recorded {
        request: Some(request),
        ..Recorded::default()
    }
}

pub(super) fn vpcs(_world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let vpc = id(call, "vpc-");
    if let Some(other) = text_list(call, "VpcIds")
        .iter()
        .find(|named| **named != vpc)
    {
        let message = format!("The vpc ID '{other}' does not exist");
        return Err(error("InvalidVpcID.NotFound", message));
    }
    let taken = taken(call, |filter| match filter {
        "vpc-id" => Some(vpc.clone()),
        "is-default" | "isDefault" => Some("true".to_owned()),
        "owner-id" => Some(call.caller.account.clone()),
        _ => None,
    })?;
    let shown = json!({
        "VpcId": vpc, "OwnerId": call.caller.account, "State": "available",
        "CidrBlock": "172.31.0.0/16", "DhcpOptionsId": id(call, "dopt-"),
        "InstanceTenancy": "default", "IsDefault": true,
    });
    let rows: Vec<Value> = taken.then_some(shown).into_iter().collect();
    Ok(Reply {
        recorded: recorded(json!({ "vpcSet": items(call, "VpcIds", "vpcId"), "filterSet": {} })),
        ..Reply::of(json!({ "Vpcs": rows }))
    })
}

pub(super) fn groups(_world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (group, vpc) = (id(call, "sg-"), id(call, "vpc-"));
    if let Some(other) = text_list(call, "GroupIds")
        .iter()
        .find(|named| **named != group)
    {
        let message = format!("The security group '{other}' does not exist");
        return Err(error("InvalidGroup.NotFound", message));
    }
    if let Some(other) = text_list(call, "GroupNames")
        .iter()
        .find(|named| *named != "default")
    {
        let message = format!("The security group '{other}' does not exist in default VPC '{vpc}'");
        return Err(error("InvalidGroup.NotFound", message));
    }
    let taken = taken(call, |filter| match filter {
        "group-id" => Some(group.clone()),
        "group-name" => Some("default".to_owned()),
        "vpc-id" => Some(vpc.clone()),
        "owner-id" => Some(call.caller.account.clone()),
        _ => None,
    })?;
    let member = json!({ "GroupId": group, "UserId": call.caller.account });
    let shown = json!({
        "GroupId": group, "GroupName": "default", "VpcId": vpc, "OwnerId": call.caller.account,
        "GroupDescription": "default VPC security group",
        "IpPermissions": [{ "IpProtocol": "-1", "UserIdGroupPairs": [member] }],
        "IpPermissionsEgress": [{ "IpProtocol": "-1", "IpRanges": [{ "CidrIp": "0.0.0.0/0" }] }],
    });
    let rows: Vec<Value> = taken.then_some(shown).into_iter().collect();
    let request = json!({
        "securityGroupSet": items(call, "GroupNames", "groupName"),
        "securityGroupIdSet": items(call, "GroupIds", "groupId"),
        "filterSet": {},
    });
    Ok(Reply {
        recorded: recorded(request),
        ..Reply::of(json!({ "SecurityGroups": rows }))
    })
}

/// The password of a Windows instance; the lab's instances have none, so it is empty as it is for Linux.
pub(super) fn password(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let id = call.text("InstanceId").unwrap_or_default();
    own_named(world, call, &id)?;
    Ok(Reply::of(json!({
        "InstanceId": id, "Timestamp": { "$time": world.now }, "PasswordData": "",
    })))
}
