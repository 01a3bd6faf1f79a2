//! AWS's own managed policies that the lab has (docs.aws.amazon.com/aws-managed-policy/latest/reference/). Of the
//! three that list thousands of actions (`ReadOnlyAccess`, `SecurityAudit`, `ViewOnlyAccess`) it has the actions of
//! the services a lab is used for.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;
use unchain_trail::{Prefix, identifier};

use super::{Document, ManagedPolicy};

const TEXT: &str = include_str!("aws_managed.json");

static POLICIES: LazyLock<BTreeMap<String, ManagedPolicy>> = LazyLock::new(|| {
    let rows: Vec<Row> = serde_json::from_str(TEXT).unwrap_or_default();
    rows.into_iter().filter_map(Row::into_policy).collect()
});

/// The policy of an ARN.
pub(super) fn find(arn: &str) -> Option<&'static ManagedPolicy> {
    POLICIES.get(arn)
}

/// All of them by ARN.
pub(super) fn all() -> &'static BTreeMap<String, ManagedPolicy> {
    &POLICIES
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Row {
    arn: String,
    version: u32,
    create_date: i64,
    update_date: i64,
    document: Value,
}

impl Row {
    fn into_policy(self) -> Option<(String, ManagedPolicy)> {
        let (_, path_and_name) = self.arn.split_once(":policy")?;
        let (path, name) = path_and_name.rsplit_once('/')?;
        let text = serde_json::to_string_pretty(&self.document).ok()?;
        let document = Document::parse(&self.arn, &text).ok()?;
        let id = identifier(Prefix::User, "0", name);
        let policy = ManagedPolicy {
            id: format!("ANPA{}", id.get(4..)?),
            name: name.to_owned(),
            path: format!("{path}/"),
            versions: BTreeMap::from([(self.version, (document, self.update_date))]),
            default_version: self.version,
            newest_version: self.version,
            created_at: self.create_date,
            description: None,
            tags: BTreeMap::new(),
        };
        Some((self.arn, policy))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_a_policy_under_its_own_arn() {
        let rows: Vec<Row> = serde_json::from_str(TEXT).unwrap();
        assert_eq!(rows.len(), all().len());
        for (arn, policy) in all() {
            assert_eq!(&policy.arn("aws"), arn);
            assert!(policy.document().is_some());
        }
    }

    #[test]
    fn the_policies_that_containment_and_root_tasks_name_are_there() {
        for path in [
            "AWSDenyAll",
            "AWSCompromisedKeyQuarantineV3",
            "root-task/IAMAuditRootUserCredentials",
            "root-task/IAMCreateRootUserPassword",
            "root-task/IAMDeleteRootUserCredentials",
            "root-task/S3UnlockBucketPolicy",
            "root-task/SQSUnlockQueuePolicy",
        ] {
            assert!(
                find(&format!("arn:aws:iam::aws:policy/{path}")).is_some(),
                "{path}"
            );
        }
    }
}
