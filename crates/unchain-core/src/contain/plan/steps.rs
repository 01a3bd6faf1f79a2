//! Making steps and calls.

use super::super::owner::{Owner, OwnerKind};
use super::{Action, Break, Call, Open, Phase, Step, Subject, Undo};
use crate::text::Untrusted;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// The steps of a plan that is being made. Whoever adds steps adds those of earlier phases first.
#[derive(Clone, Debug, Default)]
pub(super) struct Steps {
    pub(super) list: Vec<Step>,
    pub(super) open: Vec<Open>,
    /// Accounts of the lineage that were not read although others were: not ours, as far as is known.
    pub(super) unread: BTreeSet<String>,
}

const UNREAD: &str = "its account was not read: read it and plan again, or tell its owner";

/// What a step is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct About<'a> {
    pub(super) phase: Phase,
    pub(super) target: &'a str,
    pub(super) reason: &'a str,
    pub(super) subjects: &'a [u32],
    pub(super) breaks: &'a [Break],
}

impl<'a> About<'a> {
    pub(super) fn new(phase: Phase, target: &'a str, reason: &'a str, subjects: &'a [u32]) -> Self {
        Self {
            phase,
            target,
            reason,
            subjects,
            breaks: &[],
        }
    }
}

impl Steps {
    /// The number that the next step will have.
    pub(super) fn next(&self) -> u32 {
        u32::try_from(self.list.len())
            .unwrap_or(u32::MAX)
            .saturating_add(1)
    }

    /// Adds a step, with the evidence of its subjects; none in an account that was not read, in which nobody may be able
    /// to act: a plan is carried out whole or stops.
    pub(super) fn add(
        &mut self,
        about: About<'_>,
        subjects: &[Subject],
        (action, undo): (Action, Undo),
    ) {
        if let Action::Call(call) = &action
            && call.service != "organizations"
            && self.unread.contains(call.account.raw())
        {
            self.leave_open(about.subjects, subjects, UNREAD);
            return;
        }
        let of = about
            .subjects
            .iter()
            .filter_map(|&n| subjects.get(n as usize));
        let evidence: BTreeSet<Untrusted> = of
            .flat_map(|subject| subject.evidence.iter().cloned())
            .collect();
        self.list.push(Step {
            number: self.next(),
            phase: about.phase,
            target: Untrusted::new(about.target),
            action,
            reason: about.reason.to_owned(),
            subjects: about.subjects.to_vec(),
            evidence: evidence.into_iter().collect(),
            breaks: about.breaks.to_vec(),
            undo,
        });
    }

    /// Says what is left open for some subjects.
    pub(super) fn leave_open(&mut self, of: &[u32], subjects: &[Subject], why: &str) {
        for &subject in of {
            let until = subjects.get(subject as usize).and_then(|s| s.expires_at);
            self.open.push(Open {
                subject,
                why: why.to_owned(),
                until,
            });
        }
    }
}

/// A call of IAM in an account.
pub(super) fn iam(account: &Untrusted, action: &str, parameters: &[(&str, Value)]) -> Call {
    Call {
        service: "iam".to_owned(),
        action: action.to_owned(),
        account: account.clone(),
        parameters: members(parameters),
    }
}

/// A call of IAM about a user or a role: `PutUserPolicy` or `PutRolePolicy` for the verb `Put` and the noun `Policy`.
pub(super) fn of_owner(
    owner: &Owner,
    (verb, noun): (&str, &str),
    parameters: &[(&str, Value)],
) -> Call {
    let (kind, member) = match owner.kind {
        OwnerKind::User | OwnerKind::Root => ("User", "UserName"),
        OwnerKind::Role => ("Role", "RoleName"),
    };
    let mut call = iam(
        &owner.account,
        &format!("{verb}{kind}{noun}"),
        &[(member, text(owner.name.raw()))],
    );
    call.parameters.extend(members(parameters));
    call
}

pub(super) fn members(parameters: &[(&str, Value)]) -> Map<String, Value> {
    parameters
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect()
}

pub(super) fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}
