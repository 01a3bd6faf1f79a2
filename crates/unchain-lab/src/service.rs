//! The services of the lab and how each of them speaks.

use serde::{Deserialize, Serialize};

use crate::operation::Operation;

/// A service, by what its clients sign for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Service {
    /// Security Token Service.
    Sts,
    /// Identity and Access Management.
    Iam,
    /// Simple Storage Service.
    S3,
    /// Simple Queue Service.
    Sqs,
    /// Simple Notification Service.
    Sns,
    /// CloudTrail.
    CloudTrail,
    /// Organizations.
    Organizations,
    /// Athena.
    Athena,
    /// Elastic Compute Cloud.
    Ec2,
    /// Lambda.
    Lambda,
    /// DynamoDB.
    DynamoDb,
    /// Secrets Manager.
    SecretsManager,
    /// Systems Manager.
    Ssm,
    /// CloudFormation.
    CloudFormation,
}

/// How a service puts calls into HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Form in, XML out (`Action=…&Version=…`).
    Query,
    /// As `Query`, with EC2's lists (`<item>`) and error document.
    Ec2,
    /// JSON both ways, the operation in `X-Amz-Target`; the number is the content type's version.
    Json(&'static str),
    /// Path and method name the operation, JSON both ways.
    RestJson,
    /// S3: path, query, headers; XML.
    RestXml,
}

impl Service {
    /// All services.
    pub const ALL: &[Self] = &[
        Self::Sts,
        Self::Iam,
        Self::S3,
        Self::Sqs,
        Self::Sns,
        Self::CloudTrail,
        Self::Organizations,
        Self::Athena,
        Self::Ec2,
        Self::Lambda,
        Self::DynamoDb,
        Self::SecretsManager,
        Self::Ssm,
        Self::CloudFormation,
    ];

    /// The name in a signature's scope, in action names and before `.amazonaws.com`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sts => "sts",
            Self::Iam => "iam",
            Self::S3 => "s3",
            Self::Sqs => "sqs",
            Self::Sns => "sns",
            Self::CloudTrail => "cloudtrail",
            Self::Organizations => "organizations",
            Self::Athena => "athena",
            Self::Ec2 => "ec2",
            Self::Lambda => "lambda",
            Self::DynamoDb => "dynamodb",
            Self::SecretsManager => "secretsmanager",
            Self::Ssm => "ssm",
            Self::CloudFormation => "cloudformation",
        }
    }

    /// The service that a signature's scope names.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|service| service.name() == name)
    }

    /// How it speaks. SQS answers JSON 1.0 today and the query protocol to older clients, told by the request.
    pub fn protocol(self) -> Protocol {
        match self {
            Self::Sts | Self::Iam | Self::Sns | Self::CloudFormation => Protocol::Query,
            Self::S3 => Protocol::RestXml,
            Self::Ec2 => Protocol::Ec2,
            Self::Lambda => Protocol::RestJson,
            Self::Sqs | Self::DynamoDb => Protocol::Json("1.0"),
            Self::CloudTrail
            | Self::Organizations
            | Self::Athena
            | Self::SecretsManager
            | Self::Ssm => Protocol::Json("1.1"),
        }
    }

    /// Its operations.
    pub fn operations(self) -> &'static [Operation] {
        match self {
            Self::Sts => crate::sts::OPERATIONS,
            Self::Iam => crate::iam::OPERATIONS,
            Self::S3 => crate::s3::OPERATIONS,
            Self::Sqs => crate::sqs::OPERATIONS,
            Self::Sns => crate::sns::OPERATIONS,
            Self::CloudTrail => crate::trail::OPERATIONS,
            Self::Organizations => crate::organizations::OPERATIONS,
            Self::Athena => crate::athena::OPERATIONS,
            Self::Ec2 => crate::compute::EC2,
            Self::Lambda => crate::compute::LAMBDA,
            Self::DynamoDb => crate::compute::DYNAMODB,
            Self::SecretsManager => crate::compute::SECRETS_MANAGER,
            Self::Ssm => crate::ssm::OPERATIONS,
            Self::CloudFormation => crate::cloudformation::OPERATIONS,
        }
    }

    /// The operation of a name.
    pub fn operation(self, name: &str) -> Option<&'static Operation> {
        self.operations()
            .iter()
            .find(|operation| operation.name == name)
    }
}
