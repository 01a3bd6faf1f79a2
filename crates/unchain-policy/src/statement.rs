//! Whether a statement applies to a request.

use crate::context::Context;
use crate::pattern::Pattern;
use crate::policy::{Patterns, Statement};
use crate::truth::Truth;
use crate::{Principal, Request};

/// A request, with what every statement asks of it prepared.
#[derive(Debug, Clone)]
pub(crate) struct Asked<'a> {
    pub(crate) principal: &'a Principal,
    /// The action in lower case.
    pub(crate) action: String,
    resource: &'a str,
    context: &'a Context,
}

impl<'a> Asked<'a> {
    pub(crate) fn new(request: &Request<'a>) -> Self {
        Self {
            principal: request.principal,
            action: request.action.to_lowercase(),
            resource: request.resource,
            context: request.context,
        }
    }

    /// Whether `statement` applies, its principal aside.
    pub(crate) fn meets(&self, statement: &Statement) -> Truth {
        let action = statement.action.hold(&self.action, self.context);
        if action == Truth::False {
            return action;
        }
        let resource = statement.resource.as_ref();
        let resource = resource.map_or(Truth::True, |resource| {
            resource.hold(self.resource, self.context)
        });
        let conditions = || {
            statement
                .conditions
                .iter()
                .map(|condition| condition.holds(self.context))
        };
        Truth::all([action, resource]).min(match resource {
            Truth::False => Truth::False,
            _ => Truth::all(conditions()),
        })
    }

    /// The unknown keys that decide whether `statement` applies.
    pub(crate) fn open_keys(&self, statement: &'a Statement) -> impl Iterator<Item = &'a str> {
        let context = self.context;
        let resource = statement.resource.iter().flat_map(move |resource| {
            let open = resource.any_of.iter();
            open.filter(move |pattern| resource.is_open(pattern, self.resource, context))
                .flat_map(move |pattern| pattern.unknown_variables(context))
        });
        let conditions = statement.conditions.iter();
        let conditions = conditions
            .filter(move |condition| condition.holds(context) == Truth::Unknown)
            .flat_map(move |condition| condition.unknown_keys(context));
        resource.chain(conditions)
    }
}

impl Patterns {
    fn hold(&self, value: &str, context: &Context) -> Truth {
        let patterns = self.any_of.iter();
        let matched = Truth::any(patterns.map(|pattern| pattern.matches(value, context)));
        if !self.negated {
            return matched;
        }
        let patterns = self.any_of.iter();
        let readable = patterns.map(|pattern| readable(pattern, value, context));
        Truth::all([!matched, Truth::all(readable)])
    }

    /// Whether it depends on unknown variables of `pattern` if the statement applies.
    fn is_open(&self, pattern: &Pattern, value: &str, context: &Context) -> bool {
        let open = |truth: Truth| truth == Truth::Unknown;
        open(self.hold(value, context))
            && (open(pattern.matches(value, context))
                || self.negated && open(readable(pattern, value, context)))
    }
}

/// A variable does not matter in a pattern for another service, Region, account or resource type.
fn readable(pattern: &Pattern, value: &str, context: &Context) -> Truth {
    if pattern.is_apart(value) {
        Truth::True
    } else {
        pattern.is_readable(context)
    }
}
