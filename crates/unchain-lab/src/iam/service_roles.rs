//! Service-linked roles, which only AWS changes
//! (docs.aws.amazon.com/IAM/latest/UserGuide/create-service-linked-role.html).

use serde_json::json;
use unchain_trail::Prefix;

use super::{Attached, Role, documents, fault, find, names, roles};
use crate::call::{Call, Fault, Reply};
use crate::world::World;

/// Services whose role is not called after the first part of their name with a capital.
const NAMES: &[(&str, &str)] = &[
    ("access-analyzer.amazonaws.com", "AccessAnalyzer"),
    ("autoscaling.amazonaws.com", "AutoScaling"),
    ("cloudtrail.amazonaws.com", "CloudTrail"),
    ("ecs.amazonaws.com", "ECS"),
    ("eks.amazonaws.com", "AmazonEKS"),
    ("elasticloadbalancing.amazonaws.com", "ElasticLoadBalancing"),
    ("guardduty.amazonaws.com", "AmazonGuardDuty"),
    ("rds.amazonaws.com", "RDS"),
    ("securityhub.amazonaws.com", "SecurityHub"),
    ("spot.amazonaws.com", "EC2Spot"),
    ("ssm.amazonaws.com", "AmazonSSM"),
    ("sso.amazonaws.com", "SSO"),
    ("trustedadvisor.amazonaws.com", "TrustedAdvisor"),
];

/// The name of the role that a call makes: the service's, and the suffix where one is given.
pub(super) fn name(call: &Call<'_>) -> Result<String, Fault> {
    let service = call.required("AWSServiceName")?;
    let Some((label, _)) = service.split_once(".amazonaws.com") else {
        let message = format!("{service} is not a valid service principal");
        return Err(fault::input(message));
    };
    let known = NAMES.iter().find(|(known, _)| *known == service);
    let title = known.map_or_else(|| capital(label), |(_, title)| (*title).to_owned());
    let name = match call.text("CustomSuffix") {
        Some(suffix) => format!("AWSServiceRoleFor{title}_{suffix}"),
        None => format!("AWSServiceRoleFor{title}"),
    };
    names::check("AWSServiceName", &name, 64)?;
    Ok(name)
}

fn capital(label: &str) -> String {
    let mut letters = label.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// `CreateServiceLinkedRole`.
pub(super) fn create(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (service, name) = (call.required("AWSServiceName")?, name(call)?);
    let description = names::description(call)?;
    if find::taken(find::iam(world, call)?.roles.keys(), &name) {
        return Err(fault::input(format!(
            "Service role name {name} has been taken in this account, please try a different suffix."
        )));
    }
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Action": ["sts:AssumeRole"], "Effect": "Allow", "Principal": {"Service": [service]},
    }]});
    let role = Role {
        id: world.ids.identifier(Prefix::Role, &call.caller.account),
        path: format!("/aws-service-role/{service}/"),
        created_at: call.at.seconds(),
        attached: Attached::default(),
        trust: documents::trust(world, &trust.to_string())?,
        max_session: 3600,
        description,
        last_used: None,
    };
    roles::keep(world, call, (name, role))
}

/// `DeleteServiceLinkedRole`. In AWS the service is asked whether it still needs the role; nothing in the lab does.
pub(super) fn delete(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let name = call.required("RoleName")?;
    let path = find::role(find::iam(world, call)?, &name)?.path.clone();
    if !path.starts_with("/aws-service-role/") {
        return Err(fault::input(format!("{name} is not a service linked role")));
    }
    roles::remove(world, call, &name)?;
    let task = format!("task{path}{name}/{}", world.ids.guid());
    Ok(Reply::of(json!({ "DeletionTaskId": task })))
}

/// `GetServiceLinkedRoleDeletionStatus`: deletions succeed at once.
pub(super) fn deletion_status(_world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let task = call.required("DeletionTaskId")?;
    if !task.starts_with("task/aws-service-role/") || task.split('/').count() != 5 {
        let message = format!("Deletion task {task} cannot be found.");
        return Err(fault::missing(message));
    }
    Ok(Reply::of(json!({"Status": "SUCCEEDED"})))
}
