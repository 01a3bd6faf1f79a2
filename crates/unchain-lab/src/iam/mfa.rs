//! Virtual MFA devices. A device counts once two codes of it, one after the other, were given
//! (docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_enable_virtual.html).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::{Iam, MfaDevice, answer, fault, find, names, page, record};
use crate::call::{Call, Fault, Reply};
use crate::mfa::{STEP, code_of_step};
use crate::world::World;

/// Most devices of one user.
const MOST: usize = 8;
/// Time steps around now in which a device that went wrong is looked for.
const RESYNC: i64 = 100;

/// `CreateVirtualMFADevice`. The seed is in the answer only; the picture of it that AWS gives too is not drawn.
pub(super) fn create(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let name = names::new(call, "VirtualMFADeviceName", 226)?;
    let path = names::path(call, "Path")?;
    let tags = names::tags(call)?;
    let serial = format!("arn:aws:iam::{}:mfa{path}{name}", call.caller.account);
    if find::iam(world, call)?.mfa_devices.contains_key(&serial) {
        return Err(fault::exists(
            "MFADevice entity at the same path and name already exists.",
        ));
    }
    let seed: Vec<u8> = (0..5)
        .flat_map(|_| world.ids.number().to_be_bytes())
        .collect();
    let text = base32(&seed);
    let device = MfaDevice {
        seed,
        enabled: None,
        last_step: None,
    };
    let mut shown = json!({"SerialNumber": serial});
    answer::set_tags(&mut shown, &tags);
    let mut fields = answer::fields(shown);
    fields.insert("Base32StringSeed".to_owned(), json!(STANDARD.encode(text)));
    let iam = find::change(world, call)?;
    if !tags.is_empty() {
        iam.tags.insert(serial.clone(), tags);
    }
    iam.mfa_devices.insert(serial, device);
    Ok(record::hiding(
        "VirtualMFADevice",
        fields,
        &["Base32StringSeed"],
    ))
}

/// RFC 4648 base32; forty bytes need no padding.
fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    bytes
        .chunks(5)
        .flat_map(|chunk| {
            let bits = chunk
                .iter()
                .fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
            (0..8_u32).rev().filter_map(move |place| {
                let at = usize::try_from(bits >> (place * 5) & 31).ok()?;
                ALPHABET.get(at).copied().map(char::from)
            })
        })
        .collect()
}

fn device<'i>(iam: &'i Iam, serial: &str) -> Result<&'i MfaDevice, Fault> {
    iam.mfa_devices.get(serial).ok_or_else(|| {
        fault::missing(format!(
            "VirtualMFADevice with serial number {serial} does not exist."
        ))
    })
}

/// The serials of a user's devices.
fn serials<'i>(iam: &'i Iam, owner: &str) -> Vec<&'i String> {
    let of_owner = |device: &MfaDevice| {
        let user = device.enabled.as_ref().map(|(user, _)| user.as_str());
        user == Some(owner)
    };
    iam.mfa_devices
        .iter()
        .filter(|(_, device)| of_owner(device))
        .map(|(serial, _)| serial)
        .collect()
}

/// Parameters of a call that proves a device with two codes.
fn codes(call: &Call<'_>) -> Result<(String, String), Fault> {
    Ok((
        call.required("AuthenticationCode1")?,
        call.required("AuthenticationCode2")?,
    ))
}

/// The step of the second of two codes, both within `reach` steps of now.
fn proven(device: &MfaDevice, call: &Call<'_>, reach: i64) -> Result<i64, Fault> {
    let (first, second) = codes(call)?;
    let now = call.at.seconds().div_euclid(STEP);
    (now - reach..=now + reach)
        .find(|step| {
            code_of_step(&device.seed, step - 1) == first
                && code_of_step(&device.seed, *step) == second
        })
        .ok_or_else(|| {
            fault::other(
                403,
                "InvalidAuthenticationCode",
                "Authentication code for device is not valid.",
            )
        })
}

const CODES: &[&str] = &["AuthenticationCode1", "AuthenticationCode2"];

/// `EnableMFADevice`.
pub(super) fn enable(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let serial = call.required("SerialNumber")?;
    let iam = find::iam(world, call)?;
    let owner = find::known_owner(iam, call)?;
    let device = device(iam, &serial)?;
    if device.enabled.is_some() {
        return Err(fault::exists(format!(
            "MFADevice with serial number {serial} is already in use."
        )));
    }
    if serials(iam, &owner).len() >= MOST {
        return Err(fault::quota("MFADevicesPerUser", MOST));
    }
    let step = proven(device, call, 1)?;
    let iam = find::change(world, call)?;
    if let Some(device) = iam.mfa_devices.get_mut(&serial) {
        device.enabled = Some((owner.clone(), call.at.seconds()));
        device.last_step = Some(step);
    }
    if let Some(user) = iam.users.get_mut(&owner) {
        user.mfa.push(serial);
    }
    Ok(record::quiet(call, CODES))
}

/// The device that a call names, which must be the owner's.
fn owned(iam: &Iam, call: &Call<'_>) -> Result<(String, String), Fault> {
    let owner = find::known_owner(iam, call)?;
    let serial = call.required("SerialNumber")?;
    if serials(iam, &owner).contains(&&serial) {
        return Ok((owner, serial));
    }
    Err(fault::missing(format!(
        "MFA Device with serial number {serial} cannot be found for user {owner}."
    )))
}

/// `DeactivateMFADevice`.
pub(super) fn deactivate(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (owner, serial) = owned(find::iam(world, call)?, call)?;
    let iam = find::change(world, call)?;
    if let Some(device) = iam.mfa_devices.get_mut(&serial) {
        device.enabled = None;
    }
    if let Some(user) = iam.users.get_mut(&owner) {
        user.mfa.retain(|there| *there != serial);
    }
    Ok(answer::nothing())
}

/// `ResyncMFADevice`.
pub(super) fn resync(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let iam = find::iam(world, call)?;
    let (_, serial) = owned(iam, call)?;
    let step = proven(device(iam, &serial)?, call, RESYNC)?;
    if let Some(device) = find::change(world, call)?.mfa_devices.get_mut(&serial) {
        device.last_step = device.last_step.max(Some(step));
    }
    Ok(record::quiet(call, CODES))
}

/// `DeleteVirtualMFADevice`, of a device that is nobody's.
pub(super) fn delete(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let serial = call.required("SerialNumber")?;
    if device(find::iam(world, call)?, &serial)?.enabled.is_some() {
        return Err(fault::conflict(
            "MFA VirtualDevice in use. Must deactivate first.",
        ));
    }
    let iam = find::change(world, call)?;
    iam.mfa_devices.remove(&serial);
    iam.tags.remove(&serial);
    Ok(answer::nothing())
}

/// `GetMFADevice`.
pub(super) fn get(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let serial = call.required("SerialNumber")?;
    let device = device(find::iam(world, call)?, &serial)?;
    let mut value = json!({"SerialNumber": serial, "Certifications": {}});
    if let Some((user, since)) = &device.enabled {
        answer::set(&mut value, "UserName", Some(json!(user)));
        answer::set(&mut value, "EnableDate", Some(answer::time(*since)));
    }
    Ok(Reply::of(value))
}

/// `ListMFADevices` of a user, else of the caller.
pub(super) fn list(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let iam = find::iam(world, call)?;
    let owner = find::known_owner(iam, call)?;
    let rows = serials(iam, &owner).into_iter().filter_map(|serial| {
        let (user, since) = iam.mfa_devices.get(serial)?.enabled.as_ref()?;
        let row = json!({
            "UserName": user, "SerialNumber": serial, "EnableDate": answer::time(*since),
        });
        Some((serial.clone(), row))
    });
    page::list(call, "MFADevices", rows)
}

/// `ListVirtualMFADevices`.
pub(super) fn list_virtual(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (account, iam) = answer::here(world, call)?;
    let wanted = call.text("AssignmentStatus");
    let rows = iam
        .mfa_devices
        .iter()
        .filter(|(_, device)| match wanted.as_deref() {
            Some("Assigned") => device.enabled.is_some(),
            Some("Unassigned") => device.enabled.is_none(),
            _ => true,
        })
        .map(|(serial, device)| {
            let mut row = Map::new();
            row.insert("SerialNumber".to_owned(), json!(serial));
            if let Some((user, since)) = &device.enabled {
                row.insert("EnableDate".to_owned(), answer::time(*since));
                row.insert("User".to_owned(), owner_shown((account, iam), user));
            }
            (serial.clone(), Value::Object(row))
        });
    page::list(call, "VirtualMFADevices", rows)
}

fn owner_shown((account, iam): (&str, &Iam), name: &str) -> Value {
    match iam.users.get(name) {
        Some(user) => answer::user(account, name, user),
        None => json!({"UserId": account, "Arn": format!("arn:aws:iam::{account}:root")}),
    }
}
