//! The lines that say what principals may do and who may assume a role. Records do not follow from them; they are
//! for whoever plays the trail, where the answer of a call follows from policy.

use crate::cast::{Bucket, PrincipalKind, Rule, Trust};
use crate::error::Fault;
use crate::syntax::Statement;
use crate::world::World;

/// `allow`, `deny` and `trust`.
pub(super) fn apply(world: &mut World, what: &str, line: &Statement) -> Result<(), Fault> {
    if let Some(label) = &line.gives {
        return Err(Fault::new(label, "`->` only behind a call"));
    }
    let Some((who, words)) = line.words.split_first() else {
        return Err(Fault::new("", "the name of a user or role"));
    };
    if what == "trust" {
        return trust(world, who, (words, line));
    }
    let find = |kind| world.principal(kind, who, None).map(|found| found.arn());
    let principal = find(PrincipalKind::User).or_else(|_| find(PrincipalKind::Role))?;
    if words.is_empty() {
        return Err(Fault::new("", "an action such as `s3:Get*`"));
    }
    if let Some(wrong) = words
        .iter()
        .find(|word| !word.contains(':') && *word != "*")
    {
        return Err(Fault::new(wrong, "an action such as `s3:Get*`"));
    }
    let mut resources: Vec<String> = line.options_named("on").map(str::to_owned).collect();
    if resources.is_empty() {
        resources.push("*".to_owned());
    }
    world.rules.push(Rule {
        principal,
        effect: if what == "allow" { "Allow" } else { "Deny" },
        actions: words.to_vec(),
        resources,
    });
    Ok(())
}

/// Who may assume a role, in place of its own account and whoever the trail lets assume it.
fn trust(
    world: &mut World,
    who: &str,
    (words, line): (&[String], &Statement),
) -> Result<(), Fault> {
    let role = world.principal(PrincipalKind::Role, who, None)?;
    let (arn, home) = (role.arn(), role.account.clone());
    let mfa = match line.option("mfa") {
        None => false,
        Some("required") => true,
        Some(other) => return Err(Fault::new(other, "`required` behind `mfa`")),
    };
    let principals: Result<Vec<_>, _> = words
        .iter()
        .map(|word| trusted(world, word, &home))
        .collect();
    let trust = Trust {
        role: arn,
        principals: principals?,
        external_id: line.option("external-id").map(str::to_owned),
        mfa,
    };
    if trust.principals.is_empty() {
        return Err(Fault::new("", "an account, user, role, service or ARN"));
    }
    world.trusts.push(trust);
    Ok(())
}

/// The principal of a trust policy that a word means.
fn trusted(world: &World, word: &str, home: &str) -> Result<String, Fault> {
    if word == "*" || word.starts_with("arn:") || word.ends_with(".amazonaws.com") {
        return Ok(word.to_owned());
    }
    if let Ok(account) = world.account(word) {
        return Ok(format!("arn:aws:iam::{}:root", account.number));
    }
    let find = |kind| world.principal(kind, word, Some(home));
    let found = find(PrincipalKind::User).or_else(|_| find(PrincipalKind::Role));
    found.map(crate::world::Principal::arn)
}

/// A bucket of an account.
pub(super) fn bucket(world: &mut World, name: &str, line: &Statement) -> Result<(), Fault> {
    let account = match line.option("in") {
        Some(account) => world.account(account)?.number.clone(),
        None => match world.accounts.first() {
            Some(first) => first.number.clone(),
            None => return Err(Fault::new(name, "an `account` line before this one")),
        },
    };
    if name.is_empty() || world.buckets.iter().any(|bucket| bucket.name == name) {
        return Err(Fault::new(name, "the name of a bucket not declared before"));
    }
    let name = name.to_owned();
    world.buckets.push(Bucket { name, account });
    Ok(())
}
