//! Signing in with a password, and with a code where a device is assigned: `CheckMfa`, then `ConsoleLogin`.

use serde_json::{Map, Value, json};

use super::request::Asked;
use super::{CONSOLE, Console, open};
use crate::call::Fault;
use crate::iam::{Iam, ROOT};
use crate::mfa;
use crate::session::{Caller, MadeBy, Session, Who};
use crate::trail::{self, elements, identity};
use crate::world::World;

/// How the check of the second factor went.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Second {
    /// No device is assigned.
    None,
    /// The code of this device was right, at this time step.
    Right(String, i64),
    /// No code, or a wrong one.
    Wrong,
}

/// Signs in a user (`user`, `password`), or the root user (`root`: true; it has no password in the lab, `wrong`:
/// true makes the attempt fail), with `mfa` as the code.
pub(super) fn login(world: &mut World, asked: &Asked<'_>) -> Result<Value, Fault> {
    let account = asked.account(world)?;
    let Some((who, right)) = principal(world, asked, &account)? else {
        unknown_user(world, asked, &account);
        return Err(failed());
    };
    let second = second_factor(world, asked, (&account, &who));
    let caller = Caller {
        account: account.clone(),
        who,
        access_key_id: None,
        session: None,
        invoked_by: None,
    };
    if right && second != Second::None {
        check_mfa(world, asked, (&caller, &second));
    }
    let success = right && second != Second::Wrong;
    record(world, asked, (&caller, &second, success));
    if !success {
        return Err(failed());
    }
    remember(world, &caller, &second);
    let console = console(world, caller, &second);
    Ok(open(world, console))
}

fn failed() -> Fault {
    Fault::api(403, "FailedAuthentication", "Failed authentication")
}

/// Who signs in and whether the password is right; none when there is no such user.
fn principal(
    world: &World,
    asked: &Asked<'_>,
    account: &str,
) -> Result<Option<(Who, bool)>, Fault> {
    if asked.flag("root") {
        return Ok(Some((Who::Root, !asked.flag("wrong"))));
    }
    let (name, password) = (asked.required("user")?, asked.required("password")?);
    let user = world.iam(account).and_then(|iam| iam.users.get(name));
    Ok(user.map(|user| {
        let login = user.login.as_ref();
        let right = login.is_some_and(|login| login.password == password);
        let who = Who::User {
            name: name.to_owned(),
            id: user.id.clone(),
        };
        (who, right)
    }))
}

fn owner(who: &Who) -> &str {
    match who {
        Who::User { name, .. } => name,
        _ => ROOT,
    }
}

fn second_factor(world: &World, asked: &Asked<'_>, (account, who): (&str, &Who)) -> Second {
    let devices = |iam: &Iam| {
        let of_owner = iam.mfa_devices.iter().filter(|(_, device)| {
            let enabled = device.enabled.as_ref();
            enabled.is_some_and(|(user, _)| user == owner(who))
        });
        let steps = of_owner.map(|(serial, device)| {
            let code = asked.text("mfa").unwrap_or_default();
            let step = mfa::step_of_code(device, code, world.now);
            step.map(|step| Second::Right(serial.clone(), step))
        });
        let steps: Vec<Option<Second>> = steps.collect();
        if steps.is_empty() {
            return Second::None;
        }
        steps.into_iter().flatten().next().unwrap_or(Second::Wrong)
    };
    world.iam(account).map_or(Second::None, devices)
}

/// A code counts once, and IAM tells when a password was last used.
fn remember(world: &mut World, caller: &Caller, second: &Second) {
    let now = world.now;
    let Some(account) = world.accounts.get_mut(&caller.account) else {
        return;
    };
    if let Second::Right(serial, step) = second
        && let Some(device) = account.iam.mfa_devices.get_mut(serial)
    {
        device.last_step = Some(*step);
    }
    if let Some(user) = account.iam.users.get_mut(owner(&caller.who)) {
        user.password_last_used = Some(now);
    }
}

/// The session without a key that the sign-in begins.
fn console(world: &World, caller: Caller, second: &Second) -> Console {
    let serial = match second {
        Second::Right(serial, _) => Some(serial.clone()),
        Second::None | Second::Wrong => None,
    };
    Console {
        session: Session {
            access_key_id: String::new(),
            secret: String::new(),
            token_hash: String::new(),
            account: caller.account,
            who: caller.who,
            issued_at: world.now,
            expires_at: world.now.saturating_add(CONSOLE),
            created_at: world.now,
            mfa_logged: serial.is_some(),
            mfa_serial: serial,
            policies: Vec::new(),
            tags: std::collections::BTreeMap::new(),
            transitive: Vec::new(),
            source_identity: None,
            chained: false,
            made_by: MadeBy::Console,
        },
        before: None,
    }
}

fn check_mfa(world: &mut World, asked: &Asked<'_>, (caller, second): (&Caller, &Second)) {
    let right = *second != Second::Wrong;
    let mut identity = identity::of(world, caller);
    if let Some(members) = identity.as_object_mut() {
        members.shift_remove("arn");
        let name = members.shift_remove("userName");
        members.insert("accessKeyId".to_owned(), "".into());
        members.extend(name.map(|name| ("userName".to_owned(), name)));
    }
    let mut draft = asked.draft("CheckMfa", &caller.account);
    draft.identity = identity;
    draft.response = json!({"CheckMfa": if right { "Success" } else { "Failure" }});
    draft.additional = Some(json!({"MfaType": "Virtual MFA"}));
    trail::emit(world, draft);
}

fn record(
    world: &mut World,
    asked: &Asked<'_>,
    (caller, second, success): (&Caller, &Second, bool),
) {
    let mut draft = asked.draft("ConsoleLogin", &caller.account);
    draft.identity = identity::of(world, caller);
    let mut additional = Map::new();
    additional.insert("LoginTo".to_owned(), asked.console_url().into());
    additional.insert("MobileVersion".to_owned(), "No".into());
    if let Second::Right(serial, _) = second {
        additional.insert("MFAIdentifier".to_owned(), serial.as_str().into());
    }
    let used = if *second == Second::None { "No" } else { "Yes" };
    additional.insert("MFAUsed".to_owned(), used.into());
    draft.additional = Some(additional.into());
    draft.response = json!({"ConsoleLogin": if success { "Success" } else { "Failure" }});
    draft.error_message = (!success).then(|| "Failed authentication".to_owned());
    trail::emit(world, draft);
}

/// The name of a user who does not exist may be a password typed in the wrong field: it is hidden.
fn unknown_user(world: &mut World, asked: &Asked<'_>, account: &str) {
    let mut draft = asked.draft("ConsoleLogin", account);
    draft.identity = json!({
        "type": "IAMUser", "accountId": account, "accessKeyId": "",
        "userName": elements::HIDDEN_TEXT,
    });
    draft.error_message = Some("No username found in supplied account".to_owned());
    draft.response = json!({"ConsoleLogin": "Failure"});
    draft.additional = Some(json!({
        "LoginTo": asked.console_url(), "MobileVersion": "No", "MFAUsed": "No",
    }));
    trail::emit(world, draft);
}
