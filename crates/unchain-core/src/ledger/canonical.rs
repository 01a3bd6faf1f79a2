//! A ledger as sorted lines of text: what equality means, and what tests print when it fails.

use super::fact::Fact;
use super::usage::UseKey;
use super::{Ledger, Symbol};
use crate::deed::ATTRIBUTES;
use std::fmt::Write as _;

impl Ledger {
    /// Every row as a line, sorted. Two ledgers are equal when these are.
    pub fn canonical(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .facts()
            .iter()
            .map(|fact| self.fact_line(fact))
            .collect();
        for usage in self.uses() {
            let (last, last_id) = self.last(usage);
            let marks = self.marks(usage);
            let mut line = format!("use {}", self.key_text(&usage.key));
            let ends = [(usage.first, usage.first_id), (last, last_id)];
            for (mark, id) in ends {
                let _ = write!(line, " {:016x}={}", { mark.0 }, self.event_id(id));
            }
            for mark in marks {
                let _ = write!(line, " {:016x}", { mark.0 });
            }
            lines.push(line);
        }
        for (key, attempt) in &self.attempts {
            let text = self.key_text(&key.key);
            let (target, serial) = (self.text(key.target), self.text(key.serial));
            let ends = [attempt.first, attempt.last]
                .map(|(mark, id)| format!("{:016x}={}", { mark.0 }, self.event_id(id)));
            lines.push(format!(
                "attempt {:?} {text} {target:?} {serial:?} {ends:?}",
                key.deed
            ));
        }
        for (place, hours) in self.places() {
            lines.push(format!(
                "place {:?} {:?} {hours:?}",
                self.text(place.region),
                self.text(place.account)
            ));
        }
        for digest in self.digests() {
            lines.push(format!("{:?}", digest.map(|text| self.text(*text))));
        }
        lines.sort_unstable();
        lines
    }

    pub(super) fn fact_line(&self, fact: &Fact) -> String {
        let mut line = format!(
            "fact {} {:?} {} {:08x} {} {}",
            fact.time(),
            fact.deed,
            self.event_id(fact.id),
            fact.hash,
            self.event_id(fact.shared),
            self.key_text(&fact.key)
        );
        for kept in self.kept(fact) {
            let name = ATTRIBUTES
                .get(kept.attribute as usize)
                .map_or("", |(_, name)| name);
            // Writing to a String cannot fail.
            let _ = if kept.attribute.is_number() {
                write!(line, " {name}={}", kept.value)
            } else {
                write!(line, " {name}={:?}", self.text(kept.symbol()))
            };
        }
        line
    }

    fn key_text(&self, key: &UseKey) -> String {
        let caller = self.caller(key.caller);
        let rare = self.rare(&caller);
        let mut line = format!(
            "{:?} {:?} {:?} {:?} {}",
            caller.kind,
            caller.created,
            caller.mfa,
            caller.from_console,
            caller.arn_ends_with_session
        );
        let act = self.act(key);
        let mut push = |symbol: Symbol| {
            let _ = write!(line, " {:?}", self.text(symbol));
        };
        for symbol in [
            caller.key,
            caller.unique_id,
            caller.session,
            caller.arn,
            caller.account,
            caller.user_name,
            caller.issuer_arn,
            caller.issuer_id,
            caller.invoked_by,
            rare.type_name,
            rare.source_identity,
            rare.sign_in_session,
            rare.on_behalf_of,
            rare.identity_store,
            rare.credential_id,
            rare.provider,
            rare.delegate,
            rare.role_delivery,
            rare.in_scope_of,
            rare.assumed_root,
            act.outcome,
        ] {
            push(symbol);
        }
        if let Some(call) = self.call(act.call) {
            push(call.source);
            push(call.name);
        }
        if let Some(client) = self.client(key.client) {
            push(client.address);
            push(client.agent);
            push(client.endpoint);
        }
        if let Some(place) = self.place(act.place) {
            push(place.region);
            push(place.account);
        }
        let flags = self
            .call(act.call)
            .map(|call| (call.category, call.read_only));
        let _ = write!(line, " {flags:?}");
        line
    }
}

/// Ledgers are equal when they hold the same events, whatever their order of arrival.
impl PartialEq for Ledger {
    fn eq(&self, other: &Self) -> bool {
        self.canonical() == other.canonical()
    }
}
