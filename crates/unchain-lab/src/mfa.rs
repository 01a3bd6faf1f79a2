//! Codes of virtual MFA devices: TOTP (RFC 6238) with SHA-1, thirty seconds a step and six digits, which is what
//! AWS's virtual devices use (docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_enable_virtual.html).
//!
//! Knows seeds and instants, not who owns a device or which call asks.

use hmac::{Hmac, Mac};
use sha1::Sha1;

use crate::iam::MfaDevice;

/// Seconds that a code stands for.
pub const STEP: i64 = 30;

/// The code that a device of this seed shows at an instant (seconds since 1970, UTC).
pub fn totp(seed: &[u8], at: i64) -> String {
    code_of_step(seed, at.div_euclid(STEP))
}

/// The code of a time step: HOTP (RFC 4226, section 5.3) of the step's number.
pub fn code_of_step(seed: &[u8], step: i64) -> String {
    let digest = Hmac::<Sha1>::new_from_slice(seed).map_or([0; 20], |mut mac| {
        mac.update(&step.to_be_bytes());
        mac.finalize().into_bytes().into()
    });
    let offset = usize::from(digest.last().copied().unwrap_or_default() & 0x0f);
    let number = digest
        .get(offset..offset + 4)
        .unwrap_or_default()
        .iter()
        .fold(0_u32, |number, byte| (number << 8) | u32::from(*byte));
    format!("{:06}", (number & 0x7fff_ffff) % 1_000_000)
}

/// The step whose code this is: the current one, the one before or the one after, and later than the last step that
/// the device was used in, because a code counts once
/// (docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_sync.html).
pub fn step_of_code(device: &MfaDevice, code: &str, at: i64) -> Option<i64> {
    let now = at.div_euclid(STEP);
    [now, now - 1, now + 1]
        .into_iter()
        .filter(|step| device.last_step.is_none_or(|last| *step > last))
        .find(|step| code_of_step(&device.seed, *step) == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, the SHA-1 rows, cut to six digits.
    #[test]
    fn codes_are_those_of_the_rfc() {
        let seed = b"12345678901234567890";
        for (at, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(totp(seed, at), code, "at {at}");
        }
    }

    #[test]
    fn a_code_counts_once_and_one_step_around() {
        let mut device = MfaDevice {
            seed: b"12345678901234567890".to_vec(),
            enabled: None,
            last_step: None,
        };
        let code = totp(&device.seed, 3000);
        assert_eq!(step_of_code(&device, &code, 3000), Some(100));
        assert_eq!(step_of_code(&device, &code, 3030), Some(100));
        assert_eq!(step_of_code(&device, &code, 2999), Some(100));
        assert_eq!(step_of_code(&device, &code, 3060), None);
        device.last_step = Some(100);
        assert_eq!(step_of_code(&device, &code, 3000), None);
        let next = totp(&device.seed, 3030);
        assert_eq!(step_of_code(&device, &next, 3000), Some(101));
    }
}
