//! The decision about a request.

use crate::decision::{Decision, Depends, Grant};
use crate::finding::{Basis, Finding};
use crate::flow::Flow;
use crate::layers::{Layers, Request};
use crate::principal::is_account;
use crate::statement::Asked;
use crate::truth::Truth;
use std::collections::BTreeMap;

/// Decides a request.
///
/// Beyond the order of the IAM User Guide, "Policy evaluation logic":
///
/// - `sts:GetCallerIdentity` is allowed even where it is denied (AWS STS API Reference, "GetCallerIdentity").
/// - `sts:GetSessionToken` needs no allow. A deny is honoured, as AWS's own example that denies all but listed
///   actions without MFA expects, although the STS reference says that policies cannot control it; who plans a
///   containment should not rely on that deny.
/// - `sts:AssumeRole`, `…WithSAML` and `…WithWebIdentity` are denied without a trust policy.
/// - A service, a federated and an anonymous caller have no identity-based policies; the resource's policy decides.
#[must_use]
pub fn evaluate(request: &Request<'_>, layers: &Layers<'_>) -> Decision {
    let asked = Asked::new(request);
    if asked.action == "sts:getcalleridentity" {
        return Decision::Allowed(Grant::NoPermissionNeeded);
    }
    let flow = Flow {
        asked: &asked,
        layers,
        crosses: crosses_accounts(request),
    };
    let denied = flow.denied();
    if denied.truth == Truth::True
        && let Some(Basis::Statement(source)) = denied.basis
    {
        return Decision::ExplicitlyDenied(source.cited());
    }
    let allowed = if asked.action == "sts:getsessiontoken" {
        Finding::certain(Basis::NoPermissionNeeded)
    } else {
        flow.allowed()
    };
    conclude(&denied, &allowed)
}

fn conclude(denied: &Finding<'_>, allowed: &Finding<'_>) -> Decision {
    match (denied.truth, allowed.truth) {
        (Truth::False, Truth::False) => Decision::ImplicitlyDenied(allowed.lacking),
        (Truth::False, Truth::True) => Decision::Allowed(allowed.grant()),
        (_, truth) => {
            let mut keys = BTreeMap::new();
            for key in denied.keys.iter().chain(&allowed.keys) {
                let spelled = keys.entry(key.to_lowercase()).or_insert(*key);
                *spelled = (*spelled).min(key);
            }
            Decision::Depends(Depends {
                keys: keys.into_values().map(str::to_owned).collect(),
                explicitly_denied: denied.basis.and_then(Basis::cited),
                implicitly_denied: (truth != Truth::True).then_some(allowed.lacking),
                allowed: (truth != Truth::False).then(|| allowed.grant()),
            })
        }
    }
}

/// Whether the resource belongs to another account than the principal (IAM User Guide, "Cross-account policy
/// evaluation logic"). Where one of the two is not known it is taken to be the same.
fn crosses_accounts(request: &Request<'_>) -> bool {
    let of_arn = || {
        request
            .resource
            .split(':')
            .nth(4)
            .filter(|account| is_account(account))
    };
    match (
        request.principal.account(),
        request.resource_account.or_else(of_arn),
    ) {
        (Some(own), Some(other)) => own != other,
        _ => false,
    }
}
