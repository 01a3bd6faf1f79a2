//! From a rule as it was written to one that can be asked.

use super::guard;
use crate::rule::{Correlation, CorrelationKind, Rule, Slot, Words};
use rsigma_eval::correlation::compile_correlation;
use rsigma_parser::{
    CorrelationCondition, CorrelationRule, CorrelationType, Level, LogSource, SigmaRule, WindowMode,
};
use unchain_core::text::Untrusted;

/// A rule over events.
pub(super) fn rule(rule: &SigmaRule, path: &Untrusted) -> Result<Rule, String> {
    for_cloudtrail(&rule.logsource)?;
    guard::can_be_asked(rule)?;
    let compiled = rsigma_eval::compile_rule(rule).map_err(|error| error.to_string())?;
    Ok(Rule {
        words: words(
            (&rule.title, rule.id.as_deref()),
            (rule.level, &rule.tags),
            path,
        ),
        base: false,
        name: rule.name.clone(),
        compiled,
    })
}

fn for_cloudtrail(source: &LogSource) -> Result<(), String> {
    let is = |part: &Option<String>, wanted: &str| {
        part.as_deref()
            .is_none_or(|part| part.eq_ignore_ascii_case(wanted))
    };
    let named = source.product.is_some() || source.service.is_some();
    if named && is(&source.product, "aws") && is(&source.service, "cloudtrail") {
        return Ok(());
    }
    let parts = [&source.product, &source.service, &source.category];
    let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
    Err(format!(
        "it is for the logs of `{}`, not for aws cloudtrail",
        parts.join(" ")
    ))
}

/// A rule over the hits of `rules`.
pub(super) fn correlation(
    rule: &CorrelationRule,
    path: &Untrusted,
    rules: &[Rule],
) -> Result<Correlation, String> {
    let kind = match rule.correlation_type {
        CorrelationType::EventCount => CorrelationKind::EventCount,
        CorrelationType::ValueCount => CorrelationKind::ValueCount,
        CorrelationType::Temporal => CorrelationKind::Temporal,
        CorrelationType::TemporalOrdered => CorrelationKind::TemporalOrdered,
        other => {
            return Err(format!(
                "correlations of type `{}` are not evaluated",
                other.as_str()
            ));
        }
    };
    if rule.window != WindowMode::Sliding {
        return Err(format!(
            "windows of type `{}` are not evaluated",
            rule.window.as_str()
        ));
    }
    if kind == CorrelationKind::TemporalOrdered
        && matches!(rule.condition, CorrelationCondition::Extended(_))
    {
        return Err("a condition over rules in order is not evaluated".to_owned());
    }
    let slots = rule.rules.iter().map(|name| slot(name, path, rules));
    let slots: Vec<Slot> = slots.collect::<Result<_, _>>()?;
    if slots.is_empty() || slots.len() > usize::from(u16::MAX) {
        return Err("it refers to no rule, or to too many".to_owned());
    }
    let mut compiled = compile_correlation(rule).map_err(|error| error.to_string())?;
    let expression = compiled.extended_expr.take();
    guard::can_be_decided(expression.as_ref())?;
    if kind == CorrelationKind::ValueCount && compiled.condition.field.is_none() {
        return Err("`value_count` needs a `field`".to_owned());
    }
    Ok(Correlation {
        words: words(
            (&rule.title, rule.id.as_deref()),
            (rule.level, &rule.tags),
            path,
        ),
        kind,
        group_by: rule
            .group_by
            .iter()
            .map(|field| Untrusted::new(field.as_str()))
            .collect(),
        fields: std::mem::take(&mut compiled.group_by),
        slots,
        compiled,
        expression,
    })
}

fn words(
    (title, id): (&str, Option<&str>),
    (level, tags): (Option<Level>, &[String]),
    path: &Untrusted,
) -> Words {
    Words {
        id: id.map(Untrusted::new),
        title: Untrusted::new(title),
        level: level.unwrap_or(Level::Informational),
        tags: tags
            .iter()
            .map(|tag| Untrusted::new(tag.as_str()))
            .collect(),
        path: path.clone(),
    }
}

/// The rules that a reference means: by id, by name, or by title, as Suzaku's rules refer. Of rules of one
/// title those of the same file.
fn slot(name: &str, path: &Untrusted, rules: &[Rule]) -> Result<Slot, String> {
    let find = |is: &dyn Fn(&Rule) -> bool| -> Vec<u32> {
        let found = (0u32..).zip(rules).filter(|(_, rule)| is(rule));
        found.map(|(number, _)| number).collect()
    };
    let by_id = |rule: &Rule| rule.words.id.as_ref().is_some_and(|id| id.raw() == name);
    let by_name = |rule: &Rule| rule.name.as_deref() == Some(name);
    let by_title = |rule: &Rule| rule.words.title.raw() == name;
    let beside = |rule: &Rule| by_title(rule) && rule.words.path == *path;
    let ways: [&dyn Fn(&Rule) -> bool; 4] = [&by_id, &by_name, &beside, &by_title];
    let found = ways.into_iter().map(find).find(|found| !found.is_empty());
    let name = name.to_owned();
    match found {
        Some(rules) => Ok(Slot { name, rules }),
        None => Err(format!(
            "it refers to `{name}`, which is no usable rule over events"
        )),
    }
}
