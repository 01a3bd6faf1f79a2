//! Centralised root access: which of its two features the organization uses
//! (docs.aws.amazon.com/IAM/latest/UserGuide/id_root-enable-root-access.html).

use serde_json::json;

use crate::call::{Call, Fault, Reply};
use crate::organizations::{self, Organization};
use crate::world::World;

const CREDENTIALS: &str = "RootCredentialsManagement";
const SESSIONS: &str = "RootSessions";

/// `EnableOrganizationsRootCredentialsManagement`.
pub(super) fn enable_credentials(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let organization = change(world, call)?;
    organization.root_features.insert(CREDENTIALS.to_owned());
    Ok(features(organization))
}

/// `EnableOrganizationsRootSessions`, without which nobody calls `AssumeRoot`.
pub(super) fn enable_sessions(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let organization = change(world, call)?;
    organization.root_features.insert(SESSIONS.to_owned());
    Ok(features(organization))
}

/// `DisableOrganizationsRootCredentialsManagement`.
pub(super) fn disable_credentials(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let organization = change(world, call)?;
    organization.root_features.remove(CREDENTIALS);
    Ok(features(organization))
}

/// `DisableOrganizationsRootSessions`; sessions that were made live on.
pub(super) fn disable_sessions(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let organization = change(world, call)?;
    organization.root_features.remove(SESSIONS);
    Ok(features(organization))
}

/// `ListOrganizationsFeatures`.
pub(super) fn list(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    Ok(features(change(world, call)?))
}

fn features(organization: &Organization) -> Reply {
    Reply::of(json!({
        "OrganizationId": organization.id,
        "EnabledFeatures": organization.root_features,
    }))
}

/// The caller's organization, which only its management account and IAM's delegated administrator may ask about.
fn change<'w>(world: &'w mut World, call: &Call<'_>) -> Result<&'w mut Organization, Fault> {
    let account = call.caller.account.as_str();
    let delegated = organizations::is_delegated(world, account, "iam.amazonaws.com");
    let management = organizations::of(world, account).map(|found| found.management.clone());
    let Some(management) = management else {
        let message =
            "The request was rejected because your account is not part of an organization.";
        return Err(Fault::api(404, "OrganizationNotFoundException", message));
    };
    if management != account && !delegated {
        let message = "The request was rejected because the account making the request is not the management account or delegated administrator account for centralized root access.";
        return Err(Fault::api(
            400,
            "CallerIsNotManagementAccountException",
            message,
        ));
    }
    let organizations = &mut world.organizations.organizations;
    organizations
        .get_mut(&management)
        .ok_or_else(|| Fault::api(404, "OrganizationNotFoundException", "no organization"))
}
