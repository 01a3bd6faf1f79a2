//! The account's password policy
//! (docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_account-policy.html).

use serde_json::json;

use super::{Iam, PasswordPolicy, answer, fault, find};
use crate::call::{Call, Fault, Reply};
use crate::world::World;

const MISSING: &str = "The Password Policy with domain name";

/// Checks a new password: against the policy where one was set, else against IAM's default: eight characters of three
/// of the four kinds, and not the account's name.
pub(super) fn check(iam: &Iam, call: &Call<'_>, password: &str) -> Result<(), Fault> {
    let has = |kind: fn(char) -> bool| password.chars().any(kind);
    let lower = has(|letter| letter.is_ascii_lowercase());
    let upper = has(|letter| letter.is_ascii_uppercase());
    let number = has(|letter| letter.is_ascii_digit());
    let symbol = has(|letter| !letter.is_ascii_alphanumeric());
    let length = i64::try_from(password.chars().count()).unwrap_or(i64::MAX);
    if length > 128 {
        return Err(violation("Password should have a maximum length of 128"));
    }
    let broken = match &iam.password_policy {
        Some(policy) => [
            (length < policy.minimum_length, "have a sufficient length"),
            (policy.lowercase && !lower, "have at least one lowercase letter"),
            (policy.uppercase && !upper, "have at least one uppercase letter"),
            (policy.numbers && !number, "have at least one number"),
            (policy.symbols && !symbol, "have at least one of the following symbols: ! @ # $ % ^ & * ( ) _ + - = [ ] { } | '"),
        ]
        .into_iter()
        .find_map(|(broken, rule)| broken.then_some(rule)),
        None => {
            let kinds = [lower, upper, number, symbol].into_iter().filter(|has| *has);
            let weak = length < 8 || kinds.count() < 3 || password == call.caller.account;
            weak.then_some("have at least 8 characters of three of the kinds lowercase, uppercase, number, symbol")
        }
    };
    match broken {
        Some(rule) => Err(violation(format!("Password should {rule}"))),
        None => Ok(()),
    }
}

fn violation(message: impl Into<String>) -> Fault {
    fault::other(400, "PasswordPolicyViolation", message)
}

fn missing(call: &Call<'_>) -> Fault {
    fault::missing(format!(
        "{MISSING} {} cannot be found.",
        call.caller.account
    ))
}

/// `GetAccountPasswordPolicy`.
pub(super) fn get(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let iam = find::iam(world, call)?;
    let policy = iam.password_policy.as_ref().ok_or_else(|| missing(call))?;
    let mut value = json!({
        "MinimumPasswordLength": policy.minimum_length,
        "RequireSymbols": policy.symbols,
        "RequireNumbers": policy.numbers,
        "RequireUppercaseCharacters": policy.uppercase,
        "RequireLowercaseCharacters": policy.lowercase,
        "AllowUsersToChangePassword": policy.users_may_change,
        "ExpirePasswords": policy.max_age.is_some(),
        "HardExpiry": policy.hard_expiry,
    });
    let (age, reuse) = (policy.max_age, policy.reuse_prevention);
    answer::set(&mut value, "MaxPasswordAge", age.map(Into::into));
    answer::set(&mut value, "PasswordReusePrevention", reuse.map(Into::into));
    Ok(Reply::of(json!({ "PasswordPolicy": value })))
}

/// `UpdateAccountPasswordPolicy`: what is not said goes back to its default.
pub(super) fn update(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let flag = |name: &str| call.text(name).as_deref() == Some("true");
    let within = |name: &str, low: i64, high: i64| {
        let asked = call.number(name)?;
        let rule = match asked {
            Some(number) if number < low => format!("have value greater than or equal to {low}"),
            Some(number) if number > high => format!("have value less than or equal to {high}"),
            _ => return Ok(asked),
        };
        let value = asked.unwrap_or_default().to_string();
        Err(fault::constraint(name, &value, &rule))
    };
    let policy = PasswordPolicy {
        minimum_length: within("MinimumPasswordLength", 6, 128)?.unwrap_or(6),
        symbols: flag("RequireSymbols"),
        numbers: flag("RequireNumbers"),
        uppercase: flag("RequireUppercaseCharacters"),
        lowercase: flag("RequireLowercaseCharacters"),
        users_may_change: flag("AllowUsersToChangePassword"),
        max_age: within("MaxPasswordAge", 1, 1095)?,
        reuse_prevention: within("PasswordReusePrevention", 1, 24)?,
        hard_expiry: flag("HardExpiry"),
    };
    find::change(world, call)?.password_policy = Some(policy);
    Ok(answer::nothing())
}

/// `DeleteAccountPasswordPolicy`.
pub(super) fn delete(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    if find::iam(world, call)?.password_policy.is_none() {
        return Err(missing(call));
    }
    find::change(world, call)?.password_policy = None;
    Ok(answer::nothing())
}
