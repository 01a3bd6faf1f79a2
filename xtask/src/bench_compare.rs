//! The program's answer beside the plain reference: the same edges between keys, the same uses of each.
//!
//! Only what both can say is compared: edges that one record shows, from key to key. What the program
//! matches or infers beyond that is the business of its own tests. Reads machine output only.

use crate::reference::{Reference, Uses, issues};
use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::io::Write;

/// Parent key, where one is known, and child key.
pub(crate) type Edges = BTreeSet<(Option<String>, String)>;

/// Compares the output of `edges --format jsonl` and `tokens --format jsonl`; true if nothing differs.
pub(crate) fn compare(
    reference: &Reference,
    edges: &str,
    tokens: &str,
    out: &mut dyn Write,
) -> Result<bool> {
    let same_edges = difference("edges", &reference.edges(), &program_edges(edges)?, out)?;
    let expected = reference
        .uses
        .iter()
        .map(|(key, uses)| (key.clone(), uses.clone()))
        .collect();
    // Of a key that was issued and not used the reference has no uses to compare.
    let found = program_uses(tokens)?
        .into_iter()
        .filter(|(_, uses)| uses.count > 0)
        .collect();
    Ok(difference("uses", &expected, &found, out)? && same_edges)
}

/// Prints how two sets differ; true if they do not.
pub(crate) fn difference<T: Ord + Debug>(
    what: &str,
    expected: &BTreeSet<T>,
    found: &BTreeSet<T>,
    out: &mut dyn Write,
) -> Result<bool> {
    let missing: Vec<&T> = expected.difference(found).collect();
    let extra: Vec<&T> = found.difference(expected).collect();
    writeln!(
        out,
        "{what}: {} expected, {} missing, {} too many",
        expected.len(),
        missing.len(),
        extra.len()
    )?;
    for (sign, items) in [('-', &missing), ('+', &extra)] {
        for item in items.iter().take(5) {
            // Debug form: these texts come from a log.
            writeln!(out, "  {sign} {item:?}")?;
        }
    }
    Ok(missing.is_empty() && extra.is_empty())
}

/// The recorded edges from key to key.
fn program_edges(jsonl: &str) -> Result<Edges> {
    let mut parents: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for edge in lines(jsonl)? {
        let text = |path: &str| {
            edge.pointer(path)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
        };
        if text("/basis") != Some("recorded") || !text("/api").is_some_and(issues) {
            continue;
        }
        if let Some(child) = text("/child/access_key_id") {
            parents
                .entry(child.to_owned())
                .or_default()
                .extend(text("/parent/access_key_id").map(str::to_owned));
        }
    }
    Ok(crate::reference::edges(&parents))
}

/// Uses by key id: several credentials may share one id where ids are masked or issued again.
fn program_uses(jsonl: &str) -> Result<BTreeMap<String, Uses>> {
    let mut uses: BTreeMap<String, Uses> = BTreeMap::new();
    for token in lines(jsonl)? {
        let text = |name: &str| {
            token
                .get(name)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
        };
        let Some(key) = text("access_key_id") else {
            continue;
        };
        let entry = uses.entry(key.to_owned()).or_default();
        let (before, count) = (
            entry.count,
            token.get("uses").and_then(Value::as_u64).unwrap_or(0),
        );
        for time in [text("first_used"), text("last_used")]
            .into_iter()
            .flatten()
        {
            entry.add(time);
        }
        entry.count = before + count;
    }
    Ok(uses)
}

fn lines(jsonl: &str) -> Result<Vec<Value>> {
    let numbered = jsonl
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty());
    numbered
        .map(|(at, line)| {
            serde_json::from_str(line).with_context(|| format!("line {} is not JSON", at + 1))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EDGES: &str = r#"{"parent":{"access_key_id":"A"},"child":{"access_key_id":"B"},"api":"AssumeRole","basis":"recorded"}
{"parent":{"access_key_id":"A"},"child":{"access_key_id":"X"},"api":"AssumeRole","basis":"inferred"}
{"parent":{"access_key_id":"A"},"child":{"access_key_id":"X"},"api":"CreateUser","basis":"recorded"}
{"parent":{"access_key_id":null},"child":{"access_key_id":"C"},"api":"AssumeRole","basis":"recorded"}
"#;
    const TOKENS: &str = r#"{"access_key_id":"A","uses":2,"first_used":"2024-05-01T08:00:00Z","last_used":"2024-05-01T09:00:00Z"}
{"access_key_id":"A","uses":1,"first_used":"2024-05-01T10:00:00Z","last_used":"2024-05-01T10:00:00Z"}
{"access_key_id":"B","uses":0,"first_used":null,"last_used":null}
"#;

    fn reference() -> Reference {
        let mut reference = Reference::default();
        reference
            .issued
            .insert("B".into(), BTreeSet::from(["A".into()]));
        reference.issued.insert("C".into(), BTreeSet::new());
        let uses = Uses {
            count: 3,
            first: "2024-05-01T08:00:00Z".into(),
            last: "2024-05-01T10:00:00Z".into(),
        };
        reference.uses.insert("A".into(), uses);
        reference
    }

    fn check(reference: &Reference) -> (bool, String) {
        let mut out = Vec::new();
        let same = compare(reference, EDGES, TOKENS, &mut out).unwrap();
        (same, String::from_utf8(out).unwrap())
    }

    #[test]
    fn equal_answers_are_equal() {
        assert_eq!(check(&reference()), (true, "edges: 2 expected, 0 missing, 0 too many\nuses: 1 expected, 0 missing, 0 too many\n".into()));
    }

    #[test]
    fn an_edge_that_differs_is_shown() {
        let mut reference = reference();
        reference
            .issued
            .insert("D".into(), BTreeSet::from(["B".into()]));
        let (same, text) = check(&reference);
        assert!(!same && text.contains("  - (Some(\"B\"), \"D\")"), "{text}");
    }

    #[test]
    fn a_use_that_differs_is_shown() {
        let mut reference = reference();
        reference.uses.insert(
            "B".into(),
            Uses {
                count: 1,
                ..Uses::default()
            },
        );
        let (same, text) = check(&reference);
        assert!(
            !same && text.contains("uses: 2 expected, 1 missing, 0 too many"),
            "{text}"
        );
    }

    #[test]
    fn output_that_is_not_json_is_an_error() {
        assert!(compare(&Reference::default(), "no", "", &mut Vec::new()).is_err());
    }
}
