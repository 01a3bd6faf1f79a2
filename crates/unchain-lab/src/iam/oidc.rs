//! OpenID Connect identity providers.

use serde_json::json;

use super::{Iam, Provider, answer, fault, find, names};
use crate::call::{Call, Fault, Reply};
use crate::world::World;

/// Most OIDC providers of an account.
const MOST: usize = 100;
/// Most audiences of one provider.
const CLIENTS: usize = 100;
/// Most thumbprints of one provider.
const THUMBPRINTS: usize = 5;

fn thumbprints(call: &Call<'_>) -> Result<Vec<String>, Fault> {
    let all = names::strings(call.list("ThumbprintList"));
    if all.len() > THUMBPRINTS {
        let message = "Thumbprint list must contain fewer than 5 entries.";
        return Err(fault::input(message));
    }
    match all.iter().find(|one| one.len() != 40) {
        Some(one) => Err(fault::constraint(
            "thumbprintList",
            one,
            "have length greater than or equal to 40",
        )),
        None => Ok(all),
    }
}

/// `CreateOpenIDConnectProvider`.
pub(super) fn create(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let given = call.required("Url")?;
    let url = given
        .strip_prefix("https://")
        .filter(|rest| !rest.is_empty() && !rest.contains('?'))
        .ok_or_else(|| fault::input("Invalid Open ID Connect Provider URL"))?
        .trim_end_matches('/');
    let tags = names::tags(call)?;
    let provider = Provider::Oidc {
        url: url.to_owned(),
        client_ids: names::strings(call.list("ClientIDList")),
        thumbprints: thumbprints(call)?,
        created_at: call.at.seconds(),
    };
    let arn = format!("arn:aws:iam::{}:oidc-provider/{url}", call.caller.account);
    check_new(find::iam(world, call)?, (&arn, &given))?;
    let mut value = json!({"OpenIDConnectProviderArn": arn});
    answer::set_tags(&mut value, &tags);
    let iam = find::change(world, call)?;
    iam.tags.insert(arn.clone(), tags);
    iam.providers.insert(arn, provider);
    Ok(Reply::of(value))
}

fn check_new(iam: &Iam, (arn, url): (&str, &str)) -> Result<(), Fault> {
    if iam.providers.contains_key(arn) {
        return Err(fault::exists(format!(
            "Provider with url {url} already exists."
        )));
    }
    let there = iam.providers.values();
    if there
        .filter(|provider| matches!(provider, Provider::Oidc { .. }))
        .count()
        >= MOST
    {
        return Err(fault::quota("OpenIdConnectProvidersPerAccount", MOST));
    }
    Ok(())
}

/// The ARN that a call names, of a provider that is there.
fn named(world: &World, call: &Call<'_>) -> Result<(String, Provider), Fault> {
    let arn = call.required("OpenIDConnectProviderArn")?;
    match find::iam(world, call)?.providers.get(&arn) {
        Some(provider @ Provider::Oidc { .. }) => Ok((arn, provider.clone())),
        _ => Err(fault::missing(format!(
            "OpenIDConnect Provider not found for arn {arn}"
        ))),
    }
}

/// `GetOpenIDConnectProvider`.
pub(super) fn get(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (arn, provider) = named(world, call)?;
    let mut value = match provider {
        Provider::Oidc {
            url,
            client_ids,
            thumbprints,
            created_at,
        } => json!({
            "Url": url,
            "ClientIDList": client_ids,
            "ThumbprintList": thumbprints,
            "CreateDate": answer::time(created_at),
        }),
        Provider::Saml { .. } => json!({}),
    };
    if let Some(tags) = find::iam(world, call)?.tags.get(&arn) {
        answer::set_tags(&mut value, tags);
    }
    Ok(Reply::of(value))
}

/// `ListOpenIDConnectProviders`, in one answer.
pub(super) fn list(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let providers = find::iam(world, call)?.providers.iter();
    let rows: Vec<_> = providers
        .filter(|(_, provider)| matches!(provider, Provider::Oidc { .. }))
        .map(|(arn, _)| json!({ "Arn": arn }))
        .collect();
    Ok(Reply::of(json!({ "OpenIDConnectProviderList": rows })))
}

/// `DeleteOpenIDConnectProvider`.
pub(super) fn delete(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (arn, _) = named(world, call)?;
    let iam = find::change(world, call)?;
    iam.providers.remove(&arn);
    iam.tags.remove(&arn);
    Ok(answer::nothing())
}

/// `AddClientIDToOpenIDConnectProvider`.
pub(super) fn add_client(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let client = call.required("ClientID")?;
    change(world, call, |clients, _| {
        if clients.contains(&client) {
            return Ok(());
        }
        if clients.len() >= CLIENTS {
            return Err(fault::quota("ClientIdsPerOpenIdConnectProvider", CLIENTS));
        }
        clients.push(client);
        Ok(())
    })
}

/// `RemoveClientIDFromOpenIDConnectProvider`.
pub(super) fn remove_client(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let client = call.required("ClientID")?;
    change(world, call, |clients, _| {
        clients.retain(|there| *there != client);
        Ok(())
    })
}

/// `UpdateOpenIDConnectProviderThumbprint`.
pub(super) fn update_thumbprints(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let new = thumbprints(call)?;
    change(world, call, |_, thumbprints| {
        *thumbprints = new;
        Ok(())
    })
}

/// Changes audiences and thumbprints of the provider that a call names.
fn change(
    world: &mut World,
    call: &Call<'_>,
    how: impl FnOnce(&mut Vec<String>, &mut Vec<String>) -> Result<(), Fault>,
) -> Result<Reply, Fault> {
    let (arn, mut provider) = named(world, call)?;
    if let Provider::Oidc {
        client_ids,
        thumbprints,
        ..
    } = &mut provider
    {
        how(client_ids, thumbprints)?;
    }
    find::change(world, call)?.providers.insert(arn, provider);
    Ok(answer::nothing())
}
