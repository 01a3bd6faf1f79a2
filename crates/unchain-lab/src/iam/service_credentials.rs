//! Passwords of single services, and the two kinds of credential that a user may have and nobody in the lab has.

use serde_json::{Map, Value, json};

use super::{ServiceCredential, answer, fault, find, keys, page, record};
use crate::call::{Call, Fault, Reply};
use crate::world::World;

/// Services that take such a password
/// (docs.aws.amazon.com/IAM/latest/APIReference/API_CreateServiceSpecificCredential.html).
const SERVICES: &[&str] = &[
    "bedrock.amazonaws.com",
    "cassandra.amazonaws.com",
    "codecommit.amazonaws.com",
];
/// Most passwords for one service of one user.
const MOST: usize = 2;
const DAY: i64 = 86_400;

fn shown(user: &str, credential: &ServiceCredential) -> Map<String, Value> {
    let mut value = json!({
        "UserName": user,
        "Status": if credential.active { "Active" } else { "Inactive" },
        "CreateDate": answer::time(credential.created_at),
        "ServiceName": credential.service,
        "ServiceUserName": credential.service_user,
        "ServiceSpecificCredentialId": credential.id,
    });
    let end = credential.expires_at.map(answer::time);
    answer::set(&mut value, "ExpirationDate", end);
    answer::fields(value)
}

/// `CreateServiceSpecificCredential`.
pub(super) fn create(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (name, service) = (call.required("UserName")?, call.required("ServiceName")?);
    let iam = find::iam(world, call)?;
    find::user(iam, &name)?;
    if !SERVICES.contains(&service.as_str()) {
        let message = format!("The specified service {service} is not supported.");
        return Err(fault::other(404, "NotSupportedService", message));
    }
    let there = iam.service_credentials.get(&name).into_iter().flatten();
    if there.filter(|other| other.service == service).count() >= MOST {
        return Err(fault::quota("ServiceSpecificCredentialsPerUser", MOST));
    }
    let (account, now) = (&call.caller.account, call.at.seconds());
    let days = call.number("CredentialAgeDays")?;
    let credential = ServiceCredential {
        id: world.ids.unique("ACCA", account),
        service_user: format!("{name}-at-{account}"),
        password: world.ids.text(44),
        active: true,
        created_at: now,
        expires_at: days.map(|days| now.saturating_add(days.saturating_mul(DAY))),
        service,
    };
    let mut fields = shown(&name, &credential);
    fields.insert("ServicePassword".to_owned(), json!(credential.password));
    let all = &mut find::change(world, call)?.service_credentials;
    all.entry(name).or_default().push(credential);
    Ok(record::hiding(
        "ServiceSpecificCredential",
        fields,
        &["ServicePassword"],
    ))
}

/// `ListServiceSpecificCredentials` of a user, or of all.
pub(super) fn list(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let iam = find::iam(world, call)?;
    let all = call.text("AllUsers").as_deref() == Some("true");
    let name = if all {
        String::new()
    } else {
        find::known_owner(iam, call)?
    };
    let service = call.text("ServiceName");
    let rows = iam
        .service_credentials
        .iter()
        .filter(|(user, _)| all || **user == name)
        .flat_map(|(user, there)| there.iter().map(move |one| (user, one)))
        .filter(|(_, one)| {
            service
                .as_ref()
                .is_none_or(|service| one.service == *service)
        })
        .enumerate()
        .map(|(at, (user, one))| (format!("{at:08}"), Value::Object(shown(user, one))));
    page::list(call, "ServiceSpecificCredentials", rows)
}

/// The user and the id that a call names, both there.
fn named(world: &World, call: &Call<'_>) -> Result<(String, String), Fault> {
    let iam = find::iam(world, call)?;
    let name = find::known_owner(iam, call)?;
    let id = call.required("ServiceSpecificCredentialId")?;
    let mut there = iam.service_credentials.get(&name).into_iter().flatten();
    if there.any(|credential| credential.id == id) {
        return Ok((name, id));
    }
    Err(fault::missing(format!(
        "Service Specific Credential {id} cannot be found."
    )))
}

/// `UpdateServiceSpecificCredential`.
pub(super) fn update(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let active = keys::active(call)?;
    let (name, id) = named(world, call)?;
    let all = &mut find::change(world, call)?.service_credentials;
    for credential in all.entry(name).or_default() {
        if credential.id == id {
            credential.active = active;
        }
    }
    Ok(answer::nothing())
}

/// `DeleteServiceSpecificCredential`.
pub(super) fn delete(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (name, id) = named(world, call)?;
    let all = &mut find::change(world, call)?.service_credentials;
    all.entry(name).or_default().retain(|one| one.id != id);
    Ok(answer::nothing())
}

/// `ListSigningCertificates`: there is no operation in the lab that makes one.
pub(super) fn list_certificates(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    find::known_owner(find::iam(world, call)?, call)?;
    page::list(call, "Certificates", std::iter::empty())
}

/// `ListSSHPublicKeys`: there is no operation in the lab that uploads one.
pub(super) fn list_ssh_keys(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    find::known_owner(find::iam(world, call)?, call)?;
    page::list(call, "SSHPublicKeys", std::iter::empty())
}
