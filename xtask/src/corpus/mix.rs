//! How often what happens: shares of callers and calls, rounded from counts over public CloudTrail sets (a
//! production account, a people's account under test, an attacked account, and the noise of CloudTrail
//! itself). It must not know how a record is written.

use super::noise::Noise;

/// The regions, the first three times as busy as the others together.
pub(super) const REGIONS: &[&str] = &["us-east-1", "eu-west-1", "us-west-2"];

/// Refused calls.
pub(super) const DENIED_PER_THOUSAND: u64 = 40;

/// Who makes a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    /// A credential of the plan that lives at the time, still to be chosen.
    Temporary,
    /// This credential of the plan.
    Credential(usize),
    /// A user with a long-term key.
    User,
    /// An AWS service.
    Service,
    /// Another account, as its copy shows it: no key.
    Account,
    /// A service on behalf of a user: a key that nobody issued.
    Forwarded,
    /// A console session: keys that nobody issued, one beginning.
    Console,
}

/// Callers of the calls that issue nothing, with their share of a thousand.
const CALLERS: &[(Caller, u64)] = &[
    (Caller::Temporary, 570),
    (Caller::Service, 160),
    (Caller::User, 150),
    (Caller::Account, 60),
    (Caller::Forwarded, 35),
    (Caller::Console, 25),
];

/// A call, its service, its share, and what its record holds.
#[derive(Debug)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) source: &'static str,
    weight: u64,
    pub(super) read_only: bool,
    pub(super) form: Form,
}

/// The parts of a record that differ between calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Parameters with a filter or two, no response.
    Describe,
    /// Bucket and key, with transfer figures and two resources; a data event.
    Object,
    /// A bucket and one resource.
    Bucket,
    /// A KMS key as parameter and resource.
    Key,
    /// A named thing, and a response.
    Named,
    /// No parameters.
    Bare,
}

const fn kind(name: &'static str, source: &'static str, weight: u64, form: Form) -> Kind {
    Kind {
        name,
        source,
        weight,
        read_only: true,
        form,
    }
}

const fn write(name: &'static str, source: &'static str, weight: u64, form: Form) -> Kind {
    Kind {
        name,
        source,
        weight,
        read_only: false,
        form,
    }
}

/// What people, workloads and other accounts call.
const CALLS: &[Kind] = &[
    kind("Sign", "kms", 200, Form::Key),
    write("PutObject", "s3", 130, Form::Object),
    kind("Decrypt", "kms", 85, Form::Key),
    kind("GetObject", "s3", 60, Form::Object),
    kind("GetCallerIdentity", "sts", 45, Form::Bare),
    kind("GetSecretValue", "secretsmanager", 30, Form::Named),
    write("CreateLogStream", "logs", 28, Form::Named),
    kind("GetParameter", "ssm", 25, Form::Named),
    kind("DescribeRouteTables", "ec2", 24, Form::Describe),
    kind("DescribeInstances", "ec2", 22, Form::Describe),
    kind("DescribeParameters", "ssm", 20, Form::Describe),
    write("UpdateInstanceInformation", "ssm", 20, Form::Named),
    kind("GetUser", "iam", 18, Form::Named),
    kind("ListTagsForResource", "rds", 16, Form::Describe),
    write("PutParameter", "ssm", 15, Form::Named),
    kind("ListSecrets", "secretsmanager", 14, Form::Bare),
    kind(
        "DescribeLoadBalancers",
        "elasticloadbalancing",
        14,
        Form::Describe,
    ),
    kind("DescribeNetworkInterfaces", "ec2", 13, Form::Describe),
    kind("Encrypt", "kms", 12, Form::Key),
    kind("DescribeVpcs", "ec2", 12, Form::Describe),
    kind("DescribeInstanceStatus", "ec2", 12, Form::Describe),
    kind("GetResources", "tagging", 10, Form::Describe),
    kind("DescribeSubnets", "ec2", 10, Form::Describe),
    kind("ListAttachedRolePolicies", "iam", 9, Form::Named),
    kind("DescribeSecurityGroups", "ec2", 9, Form::Describe),
    kind("HeadBucket", "s3", 9, Form::Bucket),
    kind("ListRolePolicies", "iam", 8, Form::Named),
    kind("DescribeDBInstances", "rds", 8, Form::Describe),
    kind("GetTrailStatus", "cloudtrail", 6, Form::Named),
    kind("ListBuckets", "s3", 6, Form::Bare),
    write("RunInstances", "ec2", 3, Form::Named),
    write("CreateRole", "iam", 2, Form::Named),
    write("DeleteRole", "iam", 2, Form::Named),
    write("StopInstances", "ec2", 2, Form::Named),
];

/// What services call on their own account.
const SERVICE_CALLS: &[Kind] = &[
    kind("GetBucketAcl", "s3", 420, Form::Bucket),
    kind("GenerateDataKey", "kms", 330, Form::Key),
    write("PutObject", "s3", 180, Form::Object),
    kind("Decrypt", "kms", 70, Form::Key),
];

/// Tables ready to draw from.
#[derive(Debug)]
pub(super) struct Mix {
    calls: Vec<u64>,
    service_calls: Vec<u64>,
}

impl Mix {
    pub(super) fn new() -> Self {
        Self {
            calls: sums(CALLS),
            service_calls: sums(SERVICE_CALLS),
        }
    }

    pub(super) fn caller(&self, noise: &mut Noise) -> Caller {
        let mut left = noise.below(CALLERS.iter().map(|(_, weight)| weight).sum());
        for (caller, weight) in CALLERS {
            if left < *weight {
                return *caller;
            }
            left -= weight;
        }
        Caller::User
    }

    pub(super) fn kind(&self, caller: Caller, noise: &mut Noise) -> &'static Kind {
        const FALLBACK: &Kind = &kind("GetCallerIdentity", "sts", 1, Form::Bare);
        let (kinds, sums) = match caller {
            Caller::Service => (SERVICE_CALLS, &self.service_calls),
            Caller::Account => return if noise.below(8) == 0 { DECRYPT } else { SIGN },
            Caller::Temporary
            | Caller::Credential(_)
            | Caller::User
            | Caller::Forwarded
            | Caller::Console => (CALLS, &self.calls),
        };
        let drawn = noise.below(sums.last().copied().unwrap_or(1));
        let place = sums.partition_point(|sum| *sum <= drawn);
        kinds.get(place).unwrap_or(FALLBACK)
    }
}

const SIGN: &Kind = &kind("Sign", "kms", 1, Form::Key);
const DECRYPT: &Kind = &kind("Decrypt", "kms", 1, Form::Key);

fn sums(kinds: &[Kind]) -> Vec<u64> {
    let mut sum = 0;
    let add = |kind: &Kind| {
        sum += kind.weight;
        sum
    };
    kinds.iter().map(add).collect()
}
