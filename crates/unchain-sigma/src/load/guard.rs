//! What a rule may cost, and what it may ask. A rule file may come from anybody: it must be able to neither
//! exhaust memory or stack nor to mean something else than it says.

use rsigma_parser::{ConditionExpr, Detection, Modifier, SigmaRule, version};

/// YAML repeats a part by `*name`; each repetition can double what is read.
const MOST_ALIASES: usize = 8;
/// With repetitions a document may be so large.
const LARGEST_WITH_ALIASES: usize = 16 << 10;
/// Levels of brackets, flow lists and indentation.
const DEEPEST: usize = 64;

/// Whether a document can be handed to the parser.
pub(super) fn harmless(document: &str) -> Result<(), &'static str> {
    let aliases = marks(document, '*');
    if aliases > 0 && marks(document, '&') > 0 {
        if aliases > MOST_ALIASES {
            return Err("it repeats parts of itself by more than eight YAML aliases");
        }
        if document.len() > LARGEST_WITH_ALIASES {
            return Err("it is larger than 16 kB and uses YAML aliases");
        }
    }
    if brackets(document) > DEEPEST || negations(document) > DEEPEST {
        return Err("it is nested deeper than 64 levels");
    }
    Ok(())
}

/// How often a mark begins a word, as those of YAML do. Quoted text may be counted too.
fn marks(document: &str, mark: char) -> usize {
    let mut before = ' ';
    let mut count = 0;
    for c in document.chars() {
        count += usize::from(c == mark && (before.is_whitespace() || "[{,:-".contains(before)));
        before = c;
    }
    count
}

/// How deep brackets stand in each other. Those in quoted text count too, but they are closed there.
fn brackets(document: &str) -> usize {
    let (mut depth, mut deepest) = (0usize, 0);
    for byte in document.bytes() {
        match byte {
            b'[' | b'{' | b'(' => depth += 1,
            b']' | b'}' | b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// The longest run of the word `not`.
fn negations(document: &str) -> usize {
    let (mut run, mut longest) = (0, 0);
    for word in document.split_whitespace() {
        run = if word.eq_ignore_ascii_case("not") {
            run + 1
        } else {
            0
        };
        longest = longest.max(run);
    }
    longest
}

/// Whether a rule asks only what can be answered from one record.
pub(super) fn can_be_asked(rule: &SigmaRule) -> Result<(), String> {
    if version::is_unsupported(rule.sigma_version) {
        return Err("it is written for a later version of Sigma".to_owned());
    }
    for detection in rule.detection.named.values() {
        answerable(detection, DEEPEST)?;
    }
    rule.detection
        .conditions
        .iter()
        .try_for_each(|condition| can_be_decided(Some(condition)))
}

/// Whether a condition is of a depth that recursion can follow.
pub(super) fn can_be_decided(condition: Option<&ConditionExpr>) -> Result<(), String> {
    let mut level: Vec<&ConditionExpr> = condition.into_iter().collect();
    for _ in 0..DEEPEST {
        if level.is_empty() {
            return Ok(());
        }
        level = level.into_iter().flat_map(parts).collect();
    }
    Err("its condition is nested deeper than 64 levels".to_owned())
}

fn parts(condition: &ConditionExpr) -> Vec<&ConditionExpr> {
    match condition {
        ConditionExpr::And(parts) | ConditionExpr::Or(parts) => parts.iter().collect(),
        ConditionExpr::Not(part) => vec![part],
        ConditionExpr::Identifier(_) | ConditionExpr::Selector { .. } => Vec::new(),
    }
}

fn answerable(detection: &Detection, depth: usize) -> Result<(), String> {
    let Some(deeper) = depth.checked_sub(1) else {
        return Err("its detection is nested deeper than 64 levels".to_owned());
    };
    match detection {
        Detection::AllOf(items) => {
            let expands =
                |item: &rsigma_parser::DetectionItem| item.field.has_modifier(Modifier::Expand);
            if items.iter().any(expands) {
                return Err(
                    "it uses placeholders (`expand`), for which there are no values".to_owned(),
                );
            }
            Ok(())
        }
        Detection::AnyOf(list) | Detection::And(list) => list
            .iter()
            .try_for_each(|detection| answerable(detection, deeper)),
        Detection::ArrayMatch { body, .. } => answerable(body, deeper),
        Detection::Conditional { named, condition } => {
            can_be_decided(Some(condition))?;
            named
                .values()
                .try_for_each(|detection| answerable(detection, deeper))
        }
        Detection::Keywords(_) => Ok(()),
    }
}
