//! Any text is read as a policy or refused, prints as the same policy, and is evaluated; knowing more of the context
//! never contradicts.

#![no_main]

use libfuzzer_sys::fuzz_target;
use unchain_policy::{
    Context, Decision, Layers, Named, Policy, Principal, Request, ResourceKind, ResourcePolicy, evaluate,
};

fuzz_target!(|text: &str| {
    let Ok(policy) = Policy::parse(text) else {
        return;
    };
    let printed = policy.to_json();
    let again = Policy::from_value(&printed).expect("what was printed can be read");
    assert!(again == policy, "read from `{printed}`");
    assert_eq!(again.to_json(), printed);
    let known = Context::new()
        .with("aws:TokenIssueTime", "2026-03-02T09:30:00Z")
        .with("aws:username", "eve")
        .with("aws:SourceIp", "203.0.113.7")
        .with("s3:max-keys", "10")
        .with_all("aws:TagKeys", ["Cost", "Team"]);
    let unknown = ["aws:TokenIssueTime", "aws:username", "aws:SourceIp", "s3:max-keys", "aws:TagKeys"];
    let open = unknown.into_iter().fold(Context::new(), Context::unknown);
    for kind in [None, Some(ResourceKind::Ordinary), Some(ResourceKind::Trust)] {
        let (answer, completed) = (decide(&policy, kind, &open), decide(&policy, kind, &known));
        let same = std::mem::discriminant(&answer) == std::mem::discriminant(&completed);
        assert!(same || matches!(answer, Decision::Depends(_)), "{answer:?} then {completed:?}");
        assert!(answer.may_be_allowed() || !completed.may_be_allowed(), "{answer:?} then {completed:?}");
    }
});

/// Asks of the policy as an identity-based one, or as that of a resource.
fn decide(policy: &Policy, kind: Option<ResourceKind>, context: &Context) -> Decision {
    let principal = Principal::from_arn("arn:aws:sts::111122223333:assumed-role/app/eve");
    let named = Named { name: "fuzz", policy };
    let layers = match kind {
        None => Layers { identity: vec![named], ..Layers::default() },
        Some(kind) => Layers { resource: Some(ResourcePolicy { named, kind }), ..Layers::default() },
    };
    let request = Request {
        principal: &principal,
        action: "s3:GetObject",
        resource: "arn:aws:s3:::logs/eve/1",
        resource_account: None,
        context,
    };
    evaluate(&request, &layers)
}
