//! Long-term credentials that are old, idle or more than needed.
//!
//! docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html; the 90 days are those of
//! docs.aws.amazon.com/securityhub/latest/userguide/iam-controls.html (IAM.3, IAM.8).

use super::super::facts::{Account, User};
use super::controls::Found;
use crate::time::{DAY, Timestamp};
use std::collections::BTreeSet;

/// Seconds after which a key is old, and an idle one forgotten.
const LONG: i64 = 90 * DAY as i64;

/// An active access key, as far as it is known.
struct Key<'a> {
    name: &'a str,
    made: Option<Timestamp>,
    /// When it was last used, if that was read; then nothing stands for never.
    used: Option<Option<Timestamp>>,
}

pub(super) fn controls(account: &Account, now: Timestamp, found: &mut Found) {
    for (name, user) in &account.users {
        let about = user.arn.as_str();
        if user.password == Some(true) && user.mfa == Some(false) && user.mfa_devices.is_empty() {
            let fix = "enable an MFA device, and deny all else without one";
            let missing = "the user signs in with a password alone";
            found.add("password-without-mfa", about, (missing, fix));
        }
        let active = user.keys.values().filter(|active| **active).count();
        if user.active_keys.is_some_and(|count| count > 1) || active > 1 {
            let missing = "two access keys work: one can be lost without being missed";
            found.add(
                "two-active-keys",
                about,
                (missing, "make the one that is not used inactive"),
            );
        }
        by_age(&keys(account, (name, user)), (about, now), found);
        let special = user
            .service_credentials
            .iter()
            .filter(|(_, active)| **active);
        let missing = "a credential for one service works that no access key's end touches";
        let fix = "use temporary credentials, and make it inactive";
        let special = special.map(|(id, _)| id.as_str()).collect();
        found.of("service-credential", (about, special), (missing, fix));
    }
}

fn by_age(keys: &[Key<'_>], (about, now): (&str, Timestamp), found: &mut Found) {
    let long_ago = |at: Timestamp| now.seconds().saturating_sub(at.seconds()) > LONG;
    let of = |test: &dyn Fn(&Key<'_>) -> bool| -> BTreeSet<&str> {
        let matching = keys.iter().filter(|key| test(key));
        matching.map(|key| key.name).collect()
    };
    let old = of(&|key| key.made.is_some_and(long_ago));
    let missing = "an access key works for more than 90 days";
    let fix = "replace it by a role, or by a new key";
    found.of("old-key", (about, old), (missing, fix));
    let fix = "make it inactive, then delete it";
    let never = of(&|key| key.used == Some(None));
    let missing = "an access key works that was never used";
    found.of("never-used-key", (about, never), (missing, fix));
    let idle = of(&|key| key.used.flatten().is_some_and(long_ago));
    let missing = "an access key works that was not used for 90 days";
    found.of("idle-key", (about, idle), (missing, fix));
}

/// A user's active keys: by id where they were listed, else as the credential report has them.
fn keys<'a>(account: &'a Account, (name, user): (&str, &'a User)) -> Vec<Key<'a>> {
    if user.keys.is_empty() {
        let reported = account.last_used.reported.get(name);
        let keys = ["access key 1", "access key 2"]
            .into_iter()
            .zip(&user.reported_keys);
        return keys
            .enumerate()
            .filter(|(_, (_, key))| key.active)
            .map(|(place, (name, key))| Key {
                name,
                made: key.made,
                used: reported.and_then(|used| used.get(place)).copied(),
            })
            .collect();
    }
    let active = user.keys.iter().filter(|(_, active)| **active);
    active
        .map(|(id, _)| Key {
            name: id,
            made: user.keys_made.get(id).copied(),
            used: account.last_used.keys.get(id).copied(),
        })
        .collect()
}
