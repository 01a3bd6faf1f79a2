//! SAML identity providers.

use serde_json::json;

use super::{Provider, answer, fault, find, names};
use crate::call::{Call, Fault, Reply};
use crate::world::World;

/// Most SAML providers of an account.
const MOST: usize = 100;
/// AWS asks for new metadata after a hundred years where the document does not say when it ends.
const VALID: i64 = 100 * 365 * 86_400;

fn metadata(call: &Call<'_>) -> Result<String, Fault> {
    let text = call.required("SAMLMetadataDocument")?;
    if text.len() < 1000 {
        let rule = "have length greater than or equal to 1000";
        return Err(fault::constraint("SAMLMetadataDocument", "…", rule));
    }
    if !text.contains("EntityDescriptor") {
        return Err(fault::input("Could not parse metadata"));
    }
    Ok(text)
}

/// `CreateSAMLProvider`.
pub(super) fn create(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let name = names::new(call, "Name", 128)?;
    let (metadata, tags) = (metadata(call)?, names::tags(call)?);
    let arn = format!("arn:aws:iam::{}:saml-provider/{name}", call.caller.account);
    let iam = find::iam(world, call)?;
    if iam.providers.contains_key(&arn) {
        return Err(fault::exists(format!(
            "Provider with name {name} already exists."
        )));
    }
    let there = iam.providers.values();
    if there
        .filter(|provider| matches!(provider, Provider::Saml { .. }))
        .count()
        >= MOST
    {
        return Err(fault::quota("SAMLProvidersPerAccount", MOST));
    }
    let mut value = json!({"SAMLProviderArn": arn});
    answer::set_tags(&mut value, &tags);
    let provider = Provider::Saml {
        metadata,
        created_at: call.at.seconds(),
    };
    let iam = find::change(world, call)?;
    iam.tags.insert(arn.clone(), tags);
    iam.providers.insert(arn, provider);
    Ok(Reply::of(value))
}

fn there<'w>(world: &'w World, call: &Call<'_>) -> Result<(String, &'w str, i64), Fault> {
    let arn = call.required("SAMLProviderArn")?;
    match find::iam(world, call)?.providers.get(&arn) {
        Some(Provider::Saml {
            metadata,
            created_at,
        }) => Ok((arn, metadata, *created_at)),
        _ => Err(fault::missing(format!("Manifest not found for arn {arn}"))),
    }
}

/// `GetSAMLProvider`.
pub(super) fn get(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (arn, metadata, created_at) = there(world, call)?;
    let mut value = json!({
        "SAMLMetadataDocument": metadata,
        "CreateDate": answer::time(created_at),
        "ValidUntil": answer::time(created_at.saturating_add(VALID)),
    });
    if let Some(tags) = find::iam(world, call)?.tags.get(&arn) {
        answer::set_tags(&mut value, tags);
    }
    Ok(Reply::of(value))
}

/// `UpdateSAMLProvider`.
pub(super) fn update(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (arn, _, _) = there(world, call)?;
    let new = metadata(call)?;
    let iam = find::change(world, call)?;
    if let Some(Provider::Saml { metadata, .. }) = iam.providers.get_mut(&arn) {
        *metadata = new;
    }
    Ok(Reply::of(json!({ "SAMLProviderArn": arn })))
}

/// `DeleteSAMLProvider`.
pub(super) fn delete(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (arn, _, _) = there(world, call)?;
    let iam = find::change(world, call)?;
    iam.providers.remove(&arn);
    iam.tags.remove(&arn);
    Ok(answer::nothing())
}

/// `ListSAMLProviders`, in one answer.
pub(super) fn list(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let providers = find::iam(world, call)?.providers.iter();
    let rows: Vec<_> = providers
        .filter_map(|(arn, provider)| match provider {
            Provider::Saml { created_at, .. } => Some(json!({
                "Arn": arn,
                "CreateDate": answer::time(*created_at),
                "ValidUntil": answer::time(created_at.saturating_add(VALID)),
            })),
            Provider::Oidc { .. } => None,
        })
        .collect();
    Ok(Reply::of(json!({ "SAMLProviderList": rows })))
}
