//! Facts from two readings of one state of the accounts: what either knows.

use super::read::either;
use super::settle::{Pages, details_key};
use super::{Account, Facts, LastUsed, Policies, Role, Trail, User, organization};
use serde_json::Value;
use std::collections::BTreeMap;

pub(super) fn facts(known: &mut Facts, read: Facts) {
    let awaited = read.answers.awaited.clone();
    let pages = &mut known.answers.pages;
    for (id, account) in &read.accounts {
        let key = details_key(id);
        // Facts of a program that did not yet tell pages.
        if account.authorization_details && !read.answers.pages.contains_key(&key) {
            let whole = Pages {
                read: [String::new()].into(),
                ..Pages::default()
            };
            pages.entry(key).or_default().extend(whole);
        }
    }
    for (id, account) in read.accounts {
        self::account(known.accounts.entry(id).or_default(), account);
    }
    organization::merge(&mut known.organization, read.organization);
    let unread = read.unread.into_iter().filter(|u| !awaited.contains(u));
    known.unread.extend(unread);
    answers(&mut known.answers, read.answers);
}

fn answers(known: &mut super::Answers, read: super::Answers) {
    known.parents.extend(read.parents);
    for (target, ids) in read.attached {
        known.attached.entry(target).or_default().extend(ids);
    }
    known.scps.extend(read.scps);
    known.roots.extend(read.roots);
    known.members.extend(read.members);
    known.logging.extend(read.logging);
    known.recorded.extend(read.recorded);
    for (call, pages) in read.pages {
        known.pages.entry(call).or_default().extend(pages);
    }
}

fn account(known: &mut Account, read: Account) {
    known.authorization_details |= read.authorization_details;
    for (name, user) in read.users {
        self::user(known.users.entry(name).or_default(), user);
    }
    for (name, role) in read.roles {
        self::role(known.roles.entry(name).or_default(), role);
    }
    known.groups.extend(read.groups);
    known.policies.extend(read.policies);
    known.providers.extend(read.providers);
    either(&mut known.root_keys, read.root_keys);
    either(&mut known.root_mfa, read.root_mfa);
    known.trust_anchors.extend(read.trust_anchors);
    known.profiles.extend(read.profiles);
    known.trails_read |= read.trails_read;
    for (arn, trail) in read.trails {
        self::trail(known.trails.entry(arn).or_default(), trail);
    }
    known.summary.extend(read.summary);
    known.password_length = read.password_length.or(known.password_length);
    known.aliases.extend(read.aliases);
    last_used(&mut known.last_used, read.last_used);
    known.read_as.extend(read.read_as);
}

fn user(known: &mut User, read: User) {
    // The longer one has the path; an ARN without it may have been put together from the name.
    if read.arn.len() > known.arn.len() {
        known.arn = read.arn;
    }
    fill(&mut known.id, read.id);
    policies(&mut known.policies, read.policies);
    known.groups.extend(read.groups);
    known.keys.extend(read.keys);
    known.active_keys = read.active_keys.or(known.active_keys);
    known.mfa_devices.extend(read.mfa_devices);
    either(&mut known.mfa, read.mfa);
    either(&mut known.password, read.password);
    known.keys_made.extend(read.keys_made);
    if !read.reported_keys.is_empty() {
        known.reported_keys = read.reported_keys;
    }
    known.service_credentials.extend(read.service_credentials);
}

fn role(known: &mut Role, read: Role) {
    fill(&mut known.arn, read.arn);
    fill(&mut known.id, read.id);
    if read.trust != Value::Null {
        known.trust = read.trust;
    }
    policies(&mut known.policies, read.policies);
    known.instance_profiles.extend(read.instance_profiles);
    known.max_session = read.max_session.or(known.max_session);
}

fn policies(known: &mut Policies, read: Policies) {
    known.inline.extend(read.inline);
    known.attached.extend(read.attached);
    known.boundary = read.boundary.or(known.boundary.take());
}

fn trail(known: &mut Trail, read: Trail) {
    *known = Trail {
        logging: read.logging.or(known.logging),
        recorded: read.recorded.or(known.recorded),
        ..read
    };
}

fn last_used(known: &mut LastUsed, read: LastUsed) {
    let later = |known: &mut BTreeMap<_, Option<_>>, read: BTreeMap<String, Option<_>>| {
        for (name, at) in read {
            let known = known.entry(name).or_default();
            *known = at.max(*known);
        }
    };
    later(&mut known.keys, read.keys);
    later(&mut known.roles, read.roles);
    known.reported.extend(read.reported);
}

fn fill(known: &mut String, read: String) {
    if !read.is_empty() {
        *known = read;
    }
}
