//! The lines that declare: accounts, principals, and what holds for the lines below.

use super::call::{BROWSER, USER_AGENT, own_identity};
use super::permit;
use crate::cast::PrincipalKind;
use crate::error::Fault;
use crate::ident::{Prefix, address, guid, identifier};
use crate::syntax::Statement;
use crate::time::{DateForm, parse_date, parse_duration};
use crate::truth::{Kind, Token};
use crate::world::{Account, Credential, Principal, World};
use jiff::Timestamp;

pub(super) fn apply(world: &mut World, what: &str, line: &Statement) -> Result<(), Fault> {
    let word = line.words.first().map_or("", String::as_str);
    if let "allow" | "deny" | "trust" = what {
        return permit::apply(world, what, line);
    }
    if let Some(extra) = line.words.get(1) {
        return Err(Fault::new(extra, "one name and then options"));
    }
    if let Some(label) = &line.gives {
        return Err(Fault::new(label, "`->` only behind a call"));
    }
    match what {
        "day" => {
            world.day =
                parse_date(word).ok_or_else(|| Fault::new(word, "a day such as `2026-03-02`"))?;
        }
        "region" => {
            let lawful = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            if word.is_empty() || !word.chars().all(lawful) {
                return Err(Fault::new(word, "a region such as `eu-west-1`"));
            }
            word.clone_into(&mut world.region);
        }
        "dates" => {
            world.dates = match word {
                "comma" => DateForm::Comma,
                "old" => DateForm::Old,
                "narrow" => DateForm::Narrow,
                _ => return Err(Fault::new(word, "`comma`, `old` or `narrow`")),
            };
        }
        "account" => return account(world, word, line),
        "bucket" => return permit::bucket(world, word, line),
        "user" => return principal(world, PrincipalKind::User, line),
        "root" => return principal(world, PrincipalKind::Root, line),
        "person" => return principal(world, PrincipalKind::Person, line),
        _ => return principal(world, PrincipalKind::Role, line),
    }
    Ok(())
}

fn account(world: &mut World, number: &str, line: &Statement) -> Result<(), Fault> {
    if number.len() != 12 || !number.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Fault::new(number, "an account of twelve digits"));
    }
    let name = line.option("as").unwrap_or(number);
    if world.account(name).is_ok() || world.account(number).is_ok() {
        return Err(Fault::new(name, "an account not declared before"));
    }
    world.accounts.push(Account {
        number: number.to_owned(),
        name: name.to_owned(),
        logged: line.option("unlogged").is_none(),
    });
    Ok(())
}

fn principal(world: &mut World, kind: PrincipalKind, line: &Statement) -> Result<(), Fault> {
    let name = line.words.first().map_or("", String::as_str);
    let account = match line.option("in") {
        Some(account) => world.account(account)?.number.clone(),
        None => match world.accounts.first() {
            Some(first) => first.number.clone(),
            None => return Err(Fault::new(name, "an `account` line before this one")),
        },
    };
    let declared = declared(world, kind, &account, name)?;
    let mut declared = options(declared, line)?;
    declared.declared = true;
    for label in line.options_named("key") {
        if !matches!(kind, PrincipalKind::User | PrincipalKind::Root) {
            return Err(Fault::new("key", "a key only for a user or root user"));
        }
        if world.has_label(label) {
            return Err(Fault::new(label, "a key name not used before"));
        }
        let key = world.new_key(Prefix::LongTermKey, &account, label);
        let known_since = Timestamp::UNIX_EPOCH;
        long_term_key(world, &declared, (label, &key), known_since);
    }
    world.principals.push(declared);
    Ok(())
}

/// A new principal of this name, with an id not given before.
pub(super) fn declared(
    world: &mut World,
    kind: PrincipalKind,
    account: &str,
    name: &str,
) -> Result<Principal, Fault> {
    let lawful = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c);
    if name.is_empty() || name.len() > 64 || !name.chars().all(lawful) {
        return Err(Fault::new(
            name,
            "a name of letters, digits and `+=,.@_-`, at most 64",
        ));
    }
    let seed = world.unique(&format!("principal/{account}/{kind:?}/{name}"));
    let id = match kind {
        PrincipalKind::User => identifier(Prefix::User, account, &seed),
        PrincipalKind::Role => identifier(Prefix::Role, account, &seed),
        PrincipalKind::Root => account.to_owned(),
        PrincipalKind::Person => guid(&["person", &seed]),
    };
    let agent = if kind == PrincipalKind::Person {
        BROWSER
    } else {
        USER_AGENT
    };
    Ok(Principal {
        kind,
        name: name.to_owned(),
        account: account.to_owned(),
        path: "/".to_owned(),
        id,
        longest: 3_600,
        address: address(name),
        agent: agent.to_owned(),
        declared: false,
    })
}

/// Enters a long-term key of `owner`, given as its label and id.
pub(super) fn long_term_key(
    world: &mut World,
    owner: &Principal,
    (label, key): (&str, &str),
    issued: Timestamp,
) {
    let declared = issued == Timestamp::UNIX_EPOCH;
    world.truth.tokens.push(Token {
        label: label.to_owned(),
        key: Some(key.to_owned()),
        kind: Kind::LongTermKey,
        principal: owner.arn(),
        account: owner.account.clone(),
        issued_at: (!declared).then(|| issued.to_string()),
        expires_at: None,
        uses: 0,
    });
    world.credentials.push(Credential {
        label: label.to_owned(),
        kind: Kind::LongTermKey,
        key: Some(key.to_owned()),
        identity: own_identity(owner),
        issued,
        created: issued,
        expires: None,
        mfa: false,
        address: owner.address.clone(),
        agent: owner.agent.clone(),
        token: world.truth.tokens.len().saturating_sub(1),
        began: Vec::new(),
        api: String::new(),
    });
}

fn options(mut principal: Principal, line: &Statement) -> Result<Principal, Fault> {
    if let Some(path) = line.option("path") {
        if !path.starts_with('/') || !path.ends_with('/') {
            return Err(Fault::new(path, "a path that begins and ends with `/`"));
        }
        path.clone_into(&mut principal.path);
    }
    if let Some(longest) = line.option("max") {
        principal.longest = parse_duration(longest)
            .filter(|seconds| (3_600..=43_200).contains(seconds))
            .ok_or_else(|| Fault::new(longest, "a duration from 1h to 12h"))?;
    }
    if let Some(from) = line.option("from") {
        from.clone_into(&mut principal.address);
    }
    if let Some(agent) = line.option("agent") {
        agent.clone_into(&mut principal.agent);
    }
    Ok(principal)
}
