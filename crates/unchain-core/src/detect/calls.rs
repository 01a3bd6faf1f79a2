//! What kind of thing a call does, as far as a judgement needs it.
//!
//! Names: the services' API references. AWS's data events for S3, DynamoDB and Lambda are off by
//! default (docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html).

use crate::ledger::{Call, Ledger};

/// Kinds of a call, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds(pub(super) u8);

impl Kinds {
    /// It looks around: who am I, who else is there, what may I do.
    pub const RECON: Self = Self(1);
    /// It reads what an account is there to hold: objects, items, secrets, parameters.
    pub const DATA: Self = Self(1 << 1);
    /// It reads a secret: a password, a key, a parameter.
    pub const SECRET: Self = Self(1 << 2);
    /// It is a call of IAM, STS excluded.
    pub const IAM: Self = Self(1 << 3);
    /// It does lasting harm, or costs much.
    pub const IMPACT: Self = Self(1 << 4);
    /// A service's agent makes it by itself all day.
    pub const ROUTINE: Self = Self(1 << 5);

    /// Whether any kind of `other` is among these.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// These and those.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// (first label of `eventSource`, `eventName`). A name that ends in `*` stands for all that begin so.
type Names = &'static [(&'static str, &'static [&'static str])];

const RECON: Names = &[
    (
        "sts",
        &[
            "GetCallerIdentity",
            "GetAccessKeyInfo",
            "DecodeAuthorizationMessage",
        ],
    ),
    (
        "iam",
        &[
            "List*",
            "GetAccountAuthorizationDetails",
            "GetAccountSummary",
            "GetUser",
            "GetRole",
            "GetPolicy*",
            "GetUserPolicy",
            "GetRolePolicy",
            "GetGroup*",
            "GetLoginProfile",
            "GetCredentialReport",
            "GenerateCredentialReport",
            "SimulatePrincipalPolicy",
            "SimulateCustomPolicy",
            "GetAccountPasswordPolicy",
        ],
    ),
    (
        "s3",
        &[
            "ListBuckets",
            "ListAllMyBuckets",
            "GetBucketAcl",
            "GetBucketPolicy*",
            "GetBucketPublicAccessBlock",
            "GetBucketVersioning",
            "GetBucketLogging",
        ],
    ),
    (
        "ec2",
        &[
            "DescribeInstances",
            "DescribeRegions",
            "DescribeSecurityGroups",
            "DescribeVpcs",
            "DescribeSubnets",
            "DescribeSnapshots",
            "DescribeVolumes",
            "DescribeImages",
            "DescribeKeyPairs",
            "DescribeAccountAttributes",
            "DescribeInstanceAttribute",
            "DescribeLaunchTemplate*",
            "DescribeNetworkInterfaces",
            "DescribeRouteTables",
            "DescribeInternetGateways",
        ],
    ),
    (
        "organizations",
        &["DescribeOrganization", "List*", "DescribeAccount"],
    ),
    (
        "cloudtrail",
        &[
            "DescribeTrails",
            "LookupEvents",
            "GetTrailStatus",
            "ListTrails",
            "GetEventSelectors",
        ],
    ),
    (
        "guardduty",
        &["ListDetectors", "GetDetector", "ListFindings"],
    ),
    ("lambda", &["ListFunctions*", "GetAccountSettings*"]),
    ("secretsmanager", &["ListSecrets"]),
    (
        "ssm",
        &[
            "DescribeParameters",
            "DescribeInstanceInformation",
            "GetInventory",
        ],
    ),
    (
        "rds",
        &[
            "DescribeDBInstances",
            "DescribeDBSnapshots",
            "DescribeDBClusters",
        ],
    ),
    ("dynamodb", &["ListTables"]),
    ("kms", &["ListKeys", "ListAliases"]),
    (
        "ses",
        &[
            "GetAccount",
            "GetSendQuota",
            "ListIdentities",
            "GetAccountSendingEnabled",
        ],
    ),
    ("servicequotas", &["ListServiceQuotas", "GetServiceQuota"]),
    (
        "bedrock",
        &[
            "ListFoundationModels",
            "GetFoundationModelAvailability",
            "GetModelInvocationLoggingConfiguration",
            "ListFoundationModelAgreementOffers",
        ],
    ),
    ("resource-explorer-2", &["Search", "ListIndexes"]),
    ("tagging", &["GetResources"]),
];

const DATA: Names = &[
    (
        "s3",
        &[
            "GetObject",
            "GetObjectTorrent",
            "SelectObjectContent",
            "ListObjects",
            "ListObjectsV2",
            "ListObjectVersions",
            "CopyObject",
        ],
    ),
    ("s3express", &["GetObject", "ListObjectsV2"]),
    (
        "dynamodb",
        &[
            "GetItem",
            "BatchGetItem",
            "Query",
            "Scan",
            "ExecuteStatement",
            "ExportTableToPointInTime",
        ],
    ),
    (
        "rds",
        &[
            "CreateDBSnapshot",
            "ModifyDBSnapshotAttribute",
            "CopyDBSnapshot",
            "StartExportTask",
        ],
    ),
    ("rds-data", &["ExecuteStatement", "BatchExecuteStatement"]),
    ("redshift-data", &["GetStatementResult"]),
    ("athena", &["GetQueryResults"]),
    (
        "ec2",
        &[
            "CreateSnapshot",
            "ModifySnapshotAttribute",
            "CopySnapshot",
            "CreateStoreImageTask",
            "ModifyImageAttribute",
        ],
    ),
    ("ebs", &["GetSnapshotBlock"]),
];

const SECRET: Names = &[
    ("secretsmanager", &["GetSecretValue", "BatchGetSecretValue"]),
    (
        "ssm",
        &[
            "GetParameter",
            "GetParameters",
            "GetParametersByPath",
            "GetParameterHistory",
        ],
    ),
    ("ec2", &["GetPasswordData", "GetConsoleOutput"]),
    ("redshift", &["GetClusterCredentials*"]),
    (
        "lightsail",
        &["DownloadDefaultKeyPair", "GetInstanceAccessDetails"],
    ),
];

const IMPACT: Names = &[
    (
        "organizations",
        &[
            "LeaveOrganization",
            "RemoveAccountFromOrganization",
            "DetachPolicy",
        ],
    ),
    ("account", &["CloseAccount"]),
    (
        "ec2",
        &[
            "RunInstances",
            "RequestSpotInstances",
            "RequestSpotFleet",
            "GetPasswordData",
            "ModifySnapshotAttribute",
            "ModifyImageAttribute",
            "DeleteSnapshot",
            "AuthorizeSecurityGroupIngress",
        ],
    ),
    (
        "s3",
        &[
            "PutBucketPolicy",
            "DeleteBucket",
            "PutBucketLifecycle*",
            "PutBucketVersioning",
            "DeleteObjects",
            "PutBucketPublicAccessBlock",
        ],
    ),
    (
        "kms",
        &["ScheduleKeyDeletion", "DisableKey", "PutKeyPolicy"],
    ),
    (
        "rds",
        &[
            "ModifyDBSnapshotAttribute",
            "DeleteDBInstance",
            "DeleteDBCluster",
        ],
    ),
    (
        "bedrock",
        &[
            "InvokeModel*",
            "PutFoundationModelEntitlement",
            "PutUseCaseForModelAccess",
        ],
    ),
    (
        "ses",
        &[
            "SendEmail",
            "SendRawEmail",
            "VerifyEmailIdentity",
            "PutAccountDetails",
        ],
    ),
    ("ssm", &["SendCommand", "StartSession"]),
    ("lambda", &["UpdateFunctionCode*", "AddPermission*"]),
    (
        "guardduty",
        &["DeleteDetector", "UpdateDetector", "StopMonitoringMembers"],
    ),
    (
        "config",
        &["StopConfigurationRecorder", "DeleteConfigurationRecorder"],
    ),
];

const ROUTINE: Names = &[
    (
        "ssm",
        &[
            "UpdateInstanceInformation",
            "ListInstanceAssociations",
            "PutInventory",
            "UpdateInstanceAssociationStatus",
            "PutComplianceItems",
            "GetDeployablePatchSnapshotForInstance",
        ],
    ),
    (
        "ssmmessages",
        &[
            "OpenControlChannel",
            "OpenDataChannel",
            "CreateControlChannel",
            "CreateDataChannel",
        ],
    ),
    ("ec2messages", &["*"]),
    (
        "logs",
        &[
            "CreateLogStream",
            "CreateLogGroup",
            "PutLogEvents",
            "DescribeLogStreams",
        ],
    ),
    ("xray", &["*"]),
    (
        "ecr",
        &[
            "GetAuthorizationToken",
            "BatchGetImage",
            "GetDownloadUrlForLayer",
            "BatchCheckLayerAvailability",
        ],
    ),
];

/// The kinds of a call.
pub(super) fn kinds(ledger: &Ledger, call: &Call) -> Kinds {
    let source = ledger.text(call.source);
    let service = source.split('.').next().unwrap_or_default();
    let name = ledger.text(call.name);
    let in_iam = if service == "iam" {
        Kinds::IAM
    } else {
        Kinds::default()
    };
    let lists = [
        (RECON, Kinds::RECON),
        (DATA, Kinds::DATA),
        (SECRET, Kinds::DATA.with(Kinds::SECRET)),
        (IMPACT, Kinds::IMPACT),
        (ROUTINE, Kinds::ROUTINE),
    ];
    lists
        .into_iter()
        .filter(|(names, _)| listed(names, service, name))
        .fold(in_iam, |kinds, (_, kind)| kinds.with(kind))
}

fn listed(names: Names, service: &str, name: &str) -> bool {
    let same = |pattern: &&str| match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == *pattern,
    };
    names
        .iter()
        .any(|(of, patterns)| *of == service && patterns.iter().any(same))
}
