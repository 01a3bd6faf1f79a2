//! Every call that neither issues, makes nor ends anything: a use of a credential.

use super::Event;
use crate::error::Fault;
use crate::record::Draft;
use crate::world::World;
use serde_json::{Map, Value, json};

/// Calls that need no `service:` before them, with the service and the parameter of a bare object.
const USUAL: &[(&str, &str, &str)] = &[
    ("GetCallerIdentity", "sts", ""),
    ("ListBuckets", "s3", ""),
    ("ListObjects", "s3", "bucketName"),
    ("GetObject", "s3", "key"),
    ("PutObject", "s3", "key"),
    ("DeleteObject", "s3", "key"),
    ("HeadObject", "s3", "key"),
    ("CopyObject", "s3", "key"),
    ("GetBucketAcl", "s3", "bucketName"),
    ("GetBucketPolicy", "s3", "bucketName"),
    ("ListUsers", "iam", ""),
    ("ListRoles", "iam", ""),
    ("GetUser", "iam", "userName"),
    ("GetRole", "iam", "roleName"),
    ("ListAccessKeys", "iam", "userName"),
    ("ListAttachedUserPolicies", "iam", "userName"),
    ("ListAttachedRolePolicies", "iam", "roleName"),
    ("ListMFADevices", "iam", "userName"),
    ("GetAccountAuthorizationDetails", "iam", ""),
    ("GetAccountSummary", "iam", ""),
    ("CreateRole", "iam", "roleName"),
    ("DescribeInstances", "ec2", ""),
    ("DescribeVpcs", "ec2", ""),
    ("DescribeSecurityGroups", "ec2", ""),
    ("DescribeRegions", "ec2", ""),
    ("GetSecretValue", "secretsmanager", "secretId"),
    ("ListSecrets", "secretsmanager", ""),
    ("Decrypt", "kms", "keyId"),
    ("Encrypt", "kms", "keyId"),
    ("Sign", "kms", "keyId"),
    ("GenerateDataKey", "kms", "keyId"),
    ("GetParameter", "ssm", "name"),
    ("DescribeParameters", "ssm", ""),
    ("SendCommand", "ssm", "instanceIds"),
    ("UpdateInstanceInformation", "ssm", "instanceId"),
    ("Invoke", "lambda", "functionName"),
    ("ListFunctions20150331", "lambda", ""),
    ("CreateLogStream", "logs", "logGroupName"),
    ("PutLogEvents", "logs", "logGroupName"),
    ("DescribeLogGroups", "logs", ""),
    ("DescribeTrails", "cloudtrail", ""),
    ("GetTrailStatus", "cloudtrail", "name"),
    ("LookupEvents", "cloudtrail", ""),
    ("DescribeStacks", "cloudformation", "stackName"),
    ("CreateStack", "cloudformation", "stackName"),
    ("ListTables", "dynamodb", ""),
    ("GetItem", "dynamodb", "tableName"),
    ("Query", "dynamodb", "tableName"),
    ("ExitRole", "signin", ""),
    ("RenewRole", "signin", ""),
    ("CheckMfa", "signin", ""),
    ("ListAccounts", "organizations", ""),
    ("LeaveOrganization", "organizations", ""),
];

/// Data events, which management trails do not hold.
const DATA: &[(&str, &[&str])] = &[
    (
        "s3",
        &[
            "GetObject",
            "PutObject",
            "DeleteObject",
            "HeadObject",
            "CopyObject",
            "ListObjects",
        ],
    ),
    ("lambda", &["Invoke"]),
    (
        "dynamodb",
        &[
            "GetItem",
            "PutItem",
            "Query",
            "Scan",
            "BatchGetItem",
            "UpdateItem",
            "DeleteItem",
        ],
    ),
];

/// The service that a call belongs to when the line does not say.
pub(super) fn usual_source(name: &str) -> Option<&'static str> {
    USUAL
        .iter()
        .find(|(usual, _, _)| *usual == name)
        .map(|(_, source, _)| *source)
}

/// `readOnly`, by the verb; AWS counts the role-assuming calls as reads.
pub(super) fn reads(name: &str) -> bool {
    const VERBS: &[&str] = &[
        "Get",
        "List",
        "Describe",
        "Head",
        "Lookup",
        "Search",
        "BatchGet",
        "Select",
        "Query",
        "Scan",
        "Decrypt",
        "Encrypt",
        "Sign",
        "GenerateDataKey",
        "AssumeRole",
    ];
    const WRITES: &[&str] = &["GetSessionToken", "GetFederationToken", "GetSigninToken"];
    !WRITES.contains(&name) && VERBS.iter().any(|verb| name.starts_with(verb))
}

/// Writes a plain call: what it was called on, and `name=value` words as parameters.
pub(super) fn call(world: &mut World, event: &Event<'_>) -> Result<(), Fault> {
    if let Some(label) = &event.statement.gives {
        return Err(Fault::new(
            label,
            "`->` only behind a call that gives a credential",
        ));
    }
    let source = match event.source.or_else(|| usual_source(event.name)) {
        Some(source) => source,
        None => {
            let expected = format!("a service before the call, as in `ec2:{}`", event.name);
            return Err(Fault::new(event.name, expected));
        }
    };
    let mut draft = world.draft(event, source, event.name);
    draft.data = DATA
        .iter()
        .any(|(of, names)| *of == source && names.contains(&event.name));
    let mut params = Map::new();
    for word in event.objects {
        object(&mut draft, &mut params, event.name, word);
    }
    if !params.is_empty() {
        draft.params = Value::Object(params);
    }
    if source == "signin" {
        draft.event_type = "AwsConsoleSignIn";
    }
    world.emit(draft);
    Ok(())
}

fn object(draft: &mut Draft, params: &mut Map<String, Value>, name: &str, word: &str) {
    if let Some(path) = word.strip_prefix("s3://") {
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        params.insert("bucketName".to_owned(), json!(bucket));
        params.insert(
            "Host".to_owned(),
            json!(format!("{bucket}.s3.{}.amazonaws.com", draft.region)),
        );
        if !key.is_empty() {
            params.insert("key".to_owned(), json!(key));
            let arn = format!("arn:aws:s3:::{bucket}/{key}");
            draft
                .resources
                .push(json!({ "type": "AWS::S3::Object", "ARN": arn }));
        }
        draft.resources.push(json!({
            "accountId": draft.recipient,
            "type": "AWS::S3::Bucket",
            "ARN": format!("arn:aws:s3:::{bucket}"),
        }));
        return;
    }
    let bare = USUAL
        .iter()
        .find(|(usual, _, _)| *usual == name)
        .map_or("name", |(_, _, bare)| bare);
    let (field, value) = match word.split_once('=') {
        Some((field, value)) if !field.is_empty() => (field, value),
        _ => (if bare.is_empty() { "name" } else { bare }, word),
    };
    params.insert(field.to_owned(), json!(value));
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_endpoint_stands_in_the_record_of_its_call_only() {
        let text = "account 111122223333\nuser alice key A\n\
            09:00 A ListBuckets from 10.0.0.8 endpoint vpce-0a1b2c3d\n09:01 A ListBuckets";
        let records = crate::records(text).unwrap();
        assert_eq!(records[0]["vpcEndpointId"], "vpce-0a1b2c3d");
        assert!(records[1].get("vpcEndpointId").is_none());
    }
}
