//! Pods of the clusters, whose credentials come by a token of their service account, or through the node. It
//! must not know what else runs.

use super::chapter::{Chapter, HOUR, MINUTE, Menu, Plan, Span};
use super::workloads::nat;

pub(super) fn chapters(plan: Plan) -> Vec<Chapter> {
    let pods = PODS.iter().map(|of| web_identity_pod(plan, *of));
    pods.chain([pod_identity(plan)]).collect()
}

const PODS: &[(&str, &str, &str)] = &[
    ("cart", "shop", "cart"),
    ("search-pod", "shop", "search"),
    ("cart-s", "staging", "cart"),
    ("reports-pod", "lake", "reports"),
];
const POD_MENU: Menu<'_> = &[
    "dynamodb:GetItem carts",
    "dynamodb:Query carts",
    "sqs:SendMessage orders",
    "GetObject s3://shop-config/app.json",
];

/// A pod that shows its service account's token every hour; two replicas at once.
fn web_identity_pod(plan: Plan, (name, account, role): (&str, &str, &str)) -> Chapter {
    let mut chapter = Chapter::new(plan, name);
    let agent = "\"aws-sdk-go-v2/1.36.3 os/linux lang/go#1.24.4 md/GOOS#linux\"";
    for hour in 0..plan.days * 24 {
        for replica in 0..2 {
            let at = hour * HOUR + replica * 20 * MINUTE + chapter.within(10 * MINUTE);
            let from = format!(" from {} agent {agent}", nat(plan, account, at));
            let idp = format!("oidc.eks.eu-west-1.amazonaws.com/id/{account}");
            let line = format!(
                "idp {idp} AssumeRoleWithWebIdentity {account}/{role} as {} subject system:serviceaccount:shop:{name}{from}",
                1_772_000_000_000_000_000 + at * 1_000_000 + replica
            );
            let key = chapter.issue(at, &line);
            let span = Span {
                from: at + 1,
                lasts: 50 * MINUTE,
            };
            chapter.calls((&key, &from), POD_MENU, (span, 6));
        }
    }
    chapter
}

/// Pods whose node asks for their credentials, and what the node does itself.
fn pod_identity(plan: Plan) -> Chapter {
    let mut chapter = Chapter::new(plan, "node-1");
    for part in 0..plan.days * 4 {
        let at = part * 6 * HOUR + chapter.within(10 * MINUTE);
        let address = nat(plan, "shop", at);
        let line = "ec2.amazonaws.com AssumeRole shop/node as instance:node-1";
        let node = chapter.issue(at, line);
        let span = Span {
            from: at + 2,
            lasts: 5 * HOUR,
        };
        let agent = " agent aws-sdk-go/1.55.6";
        let from = format!(" from {address}{agent}");
        chapter.calls(
            (&node, &from),
            &[
                "ecr:GetAuthorizationToken",
                "ecr:BatchGetImage shop",
                "ec2:DescribeInstances",
            ],
            (span, 40),
        );
        for pod in ["cart-7d9f", "search-55c4", "mail-8b2a"] {
            let late = at + 60 + chapter.within(10 * MINUTE);
            let role = pod.split('-').next().unwrap_or_default();
            let line = format!(
                "{node} AssumeRoleForPodIdentity {role} cluster main namespace shop pod {pod}{from}"
            );
            let key = chapter.issue(late, &line);
            let span = Span {
                from: late + 1,
                lasts: 5 * HOUR,
            };
            chapter.calls((&key, &from), POD_MENU, (span, 40));
        }
    }
    chapter
}
