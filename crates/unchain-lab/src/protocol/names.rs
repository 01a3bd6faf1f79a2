//! Names that differ between the API and the wire, and XML namespaces, by service.

use crate::service::Service;

/// The API version that query clients send.
pub(super) fn version(service: Service) -> &'static str {
    match service {
        Service::Sts => "2011-06-15",
        Service::Iam => "2010-05-08",
        Service::Sns => "2010-03-31",
        Service::Sqs => "2012-11-05",
        Service::Ec2 => "2016-11-15",
        Service::CloudFormation => "2010-05-15",
        _ => "2006-03-01",
    }
}

/// The namespace of XML replies.
pub(super) fn namespace(service: Service) -> String {
    let version = version(service);
    match service {
        Service::Sts | Service::Iam => {
            format!("https://{}.amazonaws.com/doc/{version}/", service.name())
        }
        Service::Sqs => format!("http://queue.amazonaws.com/doc/{version}/"),
        _ => format!("http://{}.amazonaws.com/doc/{version}/", service.name()),
    }
}

/// Whether a text is the first part of a service's `X-Amz-Target`. CloudTrail takes its own with the namespace, as the
/// AWS CLI sends it, and without, as the SDKs that are made from its Smithy model do.
pub(super) fn is_target(service: Service, prefix: &str) -> bool {
    let whole = target(service);
    whole == prefix
        || whole
            .rsplit_once('.')
            .is_some_and(|(_, name)| name == prefix)
}

/// The first part of `X-Amz-Target`.
fn target(service: Service) -> &'static str {
    match service {
        Service::Sqs => "AmazonSQS",
        Service::CloudTrail => "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101",
        Service::Organizations => "AWSOrganizationsV20161128",
        Service::Athena => "AmazonAthena",
        Service::DynamoDb => "DynamoDB_20120810",
        Service::SecretsManager => "secretsmanager",
        Service::Ssm => "AmazonSSM",
        _ => "",
    }
}

/// Members of query replies that are maps, not structures.
pub(super) const MAPS: &[&str] = &[
    "Attributes",
    "SummaryMap",
    "EvalDecisionDetails",
    "Certifications",
];

/// EC2's lists: the name in the request and the name in the API. Others only lack the plural's `s`.
pub(super) const EC2_REQUEST: &[(&str, &str)] = &[
    ("Owner", "OwnerIds"),
    ("RestorableBy", "RestorableByUserIds"),
    ("ExecutableBy", "ExecutableUsers"),
    ("UserGroup", "GroupNames"),
    ("ResourceId", "Resources"),
    ("Ipv6Address", "Ipv6Addresses"),
    ("networkInterface", "NetworkInterfaces"),
];

/// EC2's members whose name in XML is neither the API's in camel case nor, for a list, its singular with `Set`.
pub(super) const EC2_REPLY: &[(&str, &str)] = &[
    ("BlockDeviceMappings", "blockDeviceMapping"),
    ("Groups", "groupSet"),
    ("Images", "imagesSet"),
    ("IpPermissions", "ipPermissions"),
    ("IpPermissionsEgress", "ipPermissionsEgress"),
    ("IpRanges", "ipRanges"),
    ("Instances", "instancesSet"),
    ("PrivateIpAddresses", "privateIpAddressesSet"),
    ("ProductCodes", "productCodes"),
    ("PublicDnsName", "dnsName"),
    ("PublicIpAddress", "ipAddress"),
    ("Regions", "regionInfo"),
    ("SecurityGroups", "securityGroupInfo"),
    ("StartingInstances", "instancesSet"),
    ("StateTransitionReason", "reason"),
    ("StoppingInstances", "instancesSet"),
    ("TerminatingInstances", "instancesSet"),
    ("UserIdGroupPairs", "groups"),
];

/// SQS's lists and maps: the name in a query request and the name in the API.
pub(super) const SQS_REQUEST: &[(&str, &str)] = &[
    ("AWSAccountId", "AWSAccountIds"),
    ("ActionName", "Actions"),
    ("Attribute", "Attributes"),
    ("AttributeName", "AttributeNames"),
    ("ChangeMessageVisibilityBatchRequestEntry", "Entries"),
    ("DeleteMessageBatchRequestEntry", "Entries"),
    ("MessageAttribute", "MessageAttributes"),
    ("MessageAttributeName", "MessageAttributeNames"),
    ("MessageSystemAttribute", "MessageSystemAttributes"),
    ("MessageSystemAttributeName", "MessageSystemAttributeNames"),
    ("SendMessageBatchRequestEntry", "Entries"),
    ("Tag", "Tags"),
    ("TagKey", "TagKeys"),
];

/// SQS's lists and maps in a query reply.
pub(super) const SQS_REPLY: &[(&str, &str)] = &[
    ("Attributes", "Attribute"),
    ("Failed", "BatchResultErrorEntry"),
    ("MessageAttributes", "MessageAttribute"),
    ("Messages", "Message"),
    ("QueueUrls", "QueueUrl"),
    ("Tags", "Tag"),
    ("queueUrls", "QueueUrl"),
];

/// The other name of a pair.
pub(super) fn other(
    table: &'static [(&'static str, &'static str)],
    name: &str,
) -> Option<&'static str> {
    table
        .iter()
        .find(|(from, _)| *from == name)
        .map(|(_, to)| *to)
}
