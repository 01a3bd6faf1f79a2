//! `SerialNumber` and `TokenCode`: was the caller's MFA device at hand
//! (docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html).

use super::input::{CODE, Checks, SERIAL};
use crate::call::{Call, Fault};
use crate::mfa;
use crate::session::{Caller, Who};
use crate::world::World;

/// A device and its code as the call gives them.
#[derive(Debug, Clone)]
pub(super) struct SecondFactor {
    /// The device's serial.
    pub(super) serial: String,
    code: String,
}

impl SecondFactor {
    /// Reads both parameters; none when both are absent.
    ///
    /// # Errors
    ///
    /// `ValidationError` for their form, `AccessDenied` when only one is there.
    pub(super) fn read(call: &Call<'_>) -> Result<Option<Self>, Fault> {
        match (call.text("SerialNumber"), call.text("TokenCode")) {
            (None, None) => Ok(None),
            (Some(serial), Some(code)) => {
                let mut checks = Checks::default();
                checks.length(("serialNumber", &serial), (9, 256));
                checks.pattern(("serialNumber", &serial), SERIAL);
                checks.length(("tokenCode", &code), (6, 6));
                checks.pattern(("tokenCode", &code), CODE);
                checks.done()?;
                Ok(Some(Self { serial, code }))
            }
            _ => Err(refused(
                "must provide both MFA serial number and one time pass code.",
            )),
        }
    }

    /// The time step whose code it is.
    ///
    /// # Errors
    ///
    /// `AccessDenied`: the device is not the caller's, or the code is wrong or was used.
    pub(super) fn verify(&self, world: &World, caller: &Caller) -> Result<i64, Fault> {
        let device = world
            .iam(&caller.account)
            .and_then(|iam| iam.mfa_devices.get(&self.serial))
            .filter(|device| {
                let owner = device.enabled.as_ref().map(|(owner, _)| owner.as_str());
                owner.is_some_and(|owner| is_of(owner, &caller.who))
            })
            .ok_or_else(|| {
                refused(
                    "unable to validate MFA code.  Please verify your MFA serial number is valid and associated \
                     with this user.",
                )
            })?;
        mfa::step_of_code(device, &self.code, world.now)
            .ok_or_else(|| refused("with invalid MFA one time pass code. "))
    }

    /// Verifies, and remembers that the code was used.
    ///
    /// # Errors
    ///
    /// As [`SecondFactor::verify`].
    pub(super) fn redeem(&self, world: &mut World, caller: &Caller) -> Result<(), Fault> {
        let step = self.verify(world, caller)?;
        // Not a change of IAM: authorisation need not see the device as it was.
        let account = world.accounts.get_mut(&caller.account);
        if let Some(device) =
            account.and_then(|account| account.iam.mfa_devices.get_mut(&self.serial))
        {
            device.last_step = Some(step);
        }
        Ok(())
    }
}

/// Whether a device assigned to `owner` is this principal's. The root user has no name; IAM lists its device without
/// a user name, the ARN ends with `root`.
fn is_of(owner: &str, who: &Who) -> bool {
    match who {
        Who::User { name, .. } => owner == name,
        Who::Root => matches!(owner, "" | "root" | "<root_account>"),
        _ => false,
    }
}

/// CloudTrail keeps the parameters of this refusal, unlike those of others.
fn refused(why: &str) -> Fault {
    let how = if why.starts_with("with") { " " } else { ", " };
    Fault {
        keep_request: true,
        ..Fault::denied(format!("MultiFactorAuthentication failed{how}{why}"))
    }
}
