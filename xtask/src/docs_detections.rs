//! The pages that are made from the registry of detections, so that a page cannot say what the code does not.

use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use unchain_core::detect::attack::{self, Technique};
use unchain_core::detect::{Detection, REGISTRY};

/// Whether pages are written, or compared with what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pages {
    Write,
    Check,
}

/// Writes or compares the pages; gives a complaint for each that is stale.
pub(crate) fn pages(root: &Path, what: Pages) -> Result<Vec<String>> {
    let made = [
        ("docs/detections.md", detections()),
        ("docs/attack.md", techniques()),
    ];
    let mut stale = Vec::new();
    for (name, text) in made {
        let path = root.join(name);
        match what {
            Pages::Write => {
                fs::write(&path, text).with_context(|| format!("cannot write `{name}`"))?;
            }
            Pages::Check if fs::read_to_string(&path).ok().as_deref() != Some(&text) => {
                stale.push(format!(
                    "{name}: not what the detections say; run `cargo xtask docs`"
                ));
            }
            Pages::Check => {}
        }
    }
    Ok(stale)
}

fn detections() -> String {
    let mut page = "\
# Detections

Made by `cargo xtask docs` from the registry in `crates/unchain-core/src/detect`; `unchain explain ID` says the same.
The severity is the usual one: a finding may have a lower or a higher one, and says why. An incident
needs a finding of at least medium severity. By technique: [attack.md](attack.md).

[coverage.csv](coverage.csv) goes the other way: for each public rule about sessions and tokens, which of
these finds the same (`sigma` means that it is best run as a Sigma rule), and how, or why nothing does.

| id | finds | severity |
|---|---|---|
"
    .to_owned();
    for detection in REGISTRY {
        let (id, title) = (detection.id, cell(detection.title));
        // Writing to a text cannot fail.
        let _ = writeln!(
            page,
            "| [`{id}`](#{id}) | {title} | {} |",
            detection.severity.name()
        );
    }
    for detection in REGISTRY {
        section(&mut page, detection);
    }
    page
}

fn section(page: &mut String, detection: &Detection) {
    let id = detection.id;
    let techniques: Vec<String> = detection.techniques.iter().map(|t| link(t)).collect();
    let _ = write!(
        page,
        "\n## {id}\n\n**{}.** Usual severity: {}. ATT&CK: {}.\n\n{}\n\n**Why it matters.** {}\n\n**How it is evaded.** {}\n\n",
        prose(detection.title),
        detection.severity.name(),
        techniques.join(", "),
        prose(detection.finds),
        prose(detection.matters),
        prose(detection.evaded),
    );
    page.push_str("**What else looks like it.**\n\n");
    for other in detection.false_positives {
        let _ = writeln!(page, "- {}", prose(other));
    }
    page.push_str("\n**More.**\n\n");
    for reference in detection.references {
        let _ = writeln!(page, "- <{reference}>");
    }
    let stories = format!("../scenarios/detections/{id}");
    let _ = writeln!(
        page,
        "- A story in which it fires, and one in which it must not: [fires.trail]({stories}/fires.trail), \
         [benign.trail]({stories}/benign.trail)."
    );
}

fn techniques() -> String {
    let mut by_technique: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for detection in REGISTRY {
        for technique in detection.techniques {
            by_technique
                .entry(technique)
                .or_default()
                .push(detection.id);
        }
    }
    let mut page = format!(
        "\
# ATT&CK techniques

Made by `cargo xtask docs` from the registry of detections. Names and tactics are those of ATT&CK {}. A
technique is listed when a detection finds a use of it, not when it finds every use.

| technique | name | tactics | detections |
|---|---|---|---|
",
        attack::VERSION
    );
    for (technique, ids) in by_technique {
        let ids: Vec<String> = ids
            .iter()
            .map(|id| format!("[`{id}`](detections.md#{id})"))
            .collect();
        let known = Technique::find(technique);
        let name = known.map(Technique::full_name).unwrap_or_default();
        let tactics: Vec<&str> = known
            .into_iter()
            .flat_map(|known| known.tactics)
            .map(|tactic| tactic.name())
            .collect();
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} |",
            link(technique),
            cell(&name),
            tactics.join(", "),
            ids.join(", ")
        );
    }
    page
}

/// A technique with its page.
fn link(technique: &str) -> String {
    match Technique::find(technique) {
        Some(known) => format!("[{technique}]({})", known.url()),
        None => technique.to_owned(),
    }
}

/// Plain words as Markdown: what would be marks stays text, except between backticks.
fn prose(words: &str) -> String {
    let mut text = String::new();
    for (number, part) in words.split('`').enumerate() {
        if number > 0 {
            text.push('`');
        }
        if number % 2 == 1 {
            text.push_str(part);
            continue;
        }
        for letter in part.chars() {
            if matches!(letter, '*' | '_' | '<' | '[' | ']') {
                text.push('\\');
            }
            text.push(letter);
        }
    }
    text
}

fn cell(words: &str) -> String {
    prose(words).replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_in_words_stay_text() {
        assert_eq!(prose("a * of `arn:*` <b>"), "a \\* of `arn:*` \\<b>");
        assert_eq!(cell("this | that"), "this \\| that");
    }

    #[test]
    fn every_detection_has_its_section_and_its_techniques() {
        let (page, table) = (detections(), techniques());
        for detection in REGISTRY {
            assert!(
                page.contains(&format!("\n## {}\n", detection.id)),
                "{}",
                detection.id
            );
            for technique in detection.techniques {
                let row = table
                    .lines()
                    .find(|line| line.starts_with(&format!("| [{technique}](https://")));
                assert!(
                    row.is_some_and(|row| row.contains(&format!("`{}`", detection.id))),
                    "{technique}"
                );
            }
        }
    }

    #[test]
    fn the_pages_are_what_the_detections_say() {
        assert_eq!(pages(&crate::workspace(), Pages::Check).unwrap(), [""; 0]);
    }
}
