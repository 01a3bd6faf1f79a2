//! The organization, and the service control policies over the accounts.

use super::{Reader, texts};
use crate::session::call;
use serde_json::Value;
use std::collections::BTreeSet;

const SCP: (&str, &str) = ("Filter", "SERVICE_CONTROL_POLICY");

/// Levels over an account: units are nested five deep at most, below the root
/// (organizations/latest/userguide/orgs_reference_limits.html).
const DEEPEST: usize = 7;

impl Reader<'_> {
    pub(super) fn organization(&mut self, accounts: &[String]) {
        let own = self.session.identity().account.clone();
        let Some(described) = self.read(call(("organizations", "DescribeOrganization"), &own, &[]))
        else {
            return;
        };
        let of = described.get("Organization");
        let management = of.and_then(|of| of.get("MasterAccountId")?.as_str());
        // Only the management account and its delegates may ask for more.
        let at = match management {
            Some(account) if self.session.clients(account, None).is_ok() => account.to_owned(),
            _ => own,
        };
        if self
            .read(call(("organizations", "ListRoots"), &at, &[]))
            .is_none()
        {
            return;
        }
        self.read(call(("organizations", "ListAccounts"), &at, &[]));
        let mut seen = BTreeSet::new();
        let mut policies = BTreeSet::new();
        for account in accounts {
            self.climb(&at, account, (&mut seen, &mut policies));
        }
        for policy in policies {
            let named = [("PolicyId", policy.as_str())];
            self.read(call(("organizations", "DescribePolicy"), &at, &named));
        }
    }

    /// From an account to the root, as far as it was not gone before.
    fn climb(
        &mut self,
        at: &str,
        account: &str,
        (seen, policies): (&mut BTreeSet<String>, &mut BTreeSet<String>),
    ) {
        let mut target = account.to_owned();
        for _ in 0..DEEPEST {
            if !seen.insert(target.clone()) {
                return;
            }
            let parameters = [("TargetId", target.as_str()), SCP];
            let attached = self.read(call(
                ("organizations", "ListPoliciesForTarget"),
                at,
                &parameters,
            ));
            let attached = attached.unwrap_or(Value::Null);
            policies.extend(texts(&attached, "Policies", "Id").map(str::to_owned));
            if target.starts_with("r-") {
                return;
            }
            let child = [("ChildId", target.as_str())];
            let parents = self.read(call(("organizations", "ListParents"), at, &child));
            let parents = parents.unwrap_or(Value::Null);
            match texts(&parents, "Parents", "Id").next() {
                Some(parent) => target = parent.to_owned(),
                None => return,
            }
        }
    }
}
