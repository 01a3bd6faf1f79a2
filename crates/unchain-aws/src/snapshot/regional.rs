//! What is asked region by region: IAM Roles Anywhere, and the trails of CloudTrail.

use super::Reader;
use crate::session::call;
use serde_json::Value;
use std::collections::BTreeSet;

impl Reader<'_> {
    pub(super) fn regional(&mut self, account: &str, regions: &[String]) {
        let mut seen = BTreeSet::new();
        match regions {
            [] => self.region(account, &[], &mut seen),
            regions => {
                for region in regions {
                    self.region(account, &[("region", region)], &mut seen);
                }
            }
        }
    }

    fn region(&mut self, account: &str, at: &[(&str, &str)], seen: &mut BTreeSet<String>) {
        for action in ["ListTrustAnchors", "ListProfiles"] {
            self.read(call(("rolesanywhere", action), account, at));
        }
        let trails = self.read(call(("cloudtrail", "DescribeTrails"), account, at));
        let trails = trails
            .as_ref()
            .and_then(|all| all.get("trailList")?.as_array());
        for trail in trails.into_iter().flatten() {
            self.trail(account, trail, seen);
        }
    }

    /// A trail of all regions is told in each; its own region knows it best.
    fn trail(&mut self, account: &str, trail: &Value, seen: &mut BTreeSet<String>) {
        let text = |name: &str| trail.get(name).and_then(Value::as_str);
        let Some(arn) = text("TrailARN").filter(|arn| seen.insert((*arn).to_owned())) else {
            return;
        };
        let home = text("HomeRegion").map(|region| ("region", region));
        for (action, name) in [
            ("GetTrailStatus", "Name"),
            ("GetEventSelectors", "TrailName"),
        ] {
            let parameters: Vec<(&str, &str)> = [(name, arn)].into_iter().chain(home).collect();
            self.read(call(("cloudtrail", action), account, &parameters));
        }
    }
}
