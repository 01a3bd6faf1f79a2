//! What a resource's policy grants an AWS service that acts by itself: S3 and SNS that send to a queue, CloudTrail that
//! writes to a bucket.

use unchain_policy::{
    Context, Decision, Layers, Named, Principal, Request, ResourceKind, ResourcePolicy, evaluate,
};

use crate::iam::Document;

/// A service and the resource for which it acts
/// (docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html).
#[derive(Debug, Clone)]
pub struct Sender {
    /// Such as `s3.amazonaws.com`.
    pub service: &'static str,
    /// `aws:SourceArn`.
    pub arn: String,
    /// `aws:SourceAccount`, twelve digits.
    pub account: String,
}

/// Whether the policy lets the service do the action on the resource. `context` are keys of the action itself.
pub fn allows(
    policy: &Document,
    sender: &Sender,
    (action, resource): (&str, &str),
    context: &[(&str, &str)],
) -> bool {
    let keys = Context::new()
        .with("aws:SourceArn", &sender.arn)
        .with("aws:SourceAccount", &sender.account)
        .with("aws:SourceOwner", &sender.account)
        .with("aws:PrincipalIsAWSService", "true")
        .with("aws:PrincipalServiceName", sender.service)
        .with("aws:SecureTransport", "true");
    let keys = context
        .iter()
        .fold(keys, |keys, (name, value)| keys.with(name, *value));
    let request = Request {
        principal: &Principal::service(sender.service),
        action,
        resource,
        resource_account: None,
        context: &keys,
    };
    let layers = Layers {
        resource: Some(ResourcePolicy {
            named: Named {
                name: &policy.name,
                policy: &policy.policy,
            },
            kind: ResourceKind::Ordinary,
        }),
        ..Layers::default()
    };
    matches!(evaluate(&request, &layers), Decision::Allowed(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_named_service_for_the_named_bucket() {
        let policy = Document::parse(
            "queue policy",
            r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow",
                "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": "*",
                "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::logs"}}}}"#,
        )
        .unwrap();
        let asks = |service, bucket: &str| {
            let sender = Sender {
                service,
                arn: format!("arn:aws:s3:::{bucket}"),
                account: "111122223333".to_owned(),
            };
            let queue = "arn:aws:sqs:us-east-1:111122223333:q";
            allows(&policy, &sender, ("sqs:SendMessage", queue), &[])
        };
        assert!(asks("s3.amazonaws.com", "logs"));
        assert!(!asks("s3.amazonaws.com", "other"));
        assert!(!asks("sns.amazonaws.com", "logs"));
    }
}
