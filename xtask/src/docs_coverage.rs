//! The map from public rules to our detections, held to the registry: a row that names a detection which
//! does not exist, or a detection that covers nothing, is a complaint.

use anyhow::{Context, Result};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use unchain_core::detect::Detection;

const FILE: &str = "docs/coverage.csv";
const HEADER: [&str; 5] = ["source", "rule_id", "rule_name", "ours", "how"];

/// In place of a detection: the rule itself can be run.
const AS_SIGMA: &str = "sigma";

/// Every complaint about the map.
pub(crate) fn complaints(root: &Path) -> Result<Vec<String>> {
    let text =
        fs::read_to_string(root.join(FILE)).with_context(|| format!("cannot read `{FILE}`"))?;
    Ok(judge(&text, &|id| Detection::find(id).is_some()))
}

fn judge(text: &str, exists: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut seen = BTreeSet::new();
    for (number, line) in (1..).zip(text.lines()) {
        let mut complain = |what: String| complaints.push(format!("{FILE}, line {number}: {what}"));
        let Some(cells) = cells(line) else {
            complain("a quote is not closed, or stands inside a cell".to_owned());
            continue;
        };
        let Ok([source, rule, name, ours, how]) = <[String; 5]>::try_from(cells) else {
            complain("not five cells".to_owned());
            continue;
        };
        if number == 1 {
            if [&source, &rule, &name, &ours, &how] != HEADER.map(str::to_owned).each_ref() {
                complain(format!("the columns are {}", HEADER.join(", ")));
            }
            continue;
        }
        if source.is_empty() || name.is_empty() || how.is_empty() {
            complain("source, name and how are never empty".to_owned());
        }
        for id in ours
            .split_whitespace()
            .filter(|id| *id != AS_SIGMA && !exists(id))
        {
            complain(format!("there is no detection `{id}`"));
        }
        if !seen.insert((source, if rule.is_empty() { name } else { rule })) {
            complain("this rule is here twice".to_owned());
        }
    }
    if seen.is_empty() {
        complaints.push(format!("{FILE}: no rows"));
    }
    complaints
}

/// The cells of a line of RFC 4180; none if its quotes do not pair.
fn cells(line: &str) -> Option<Vec<String>> {
    let mut cells = Vec::new();
    let mut rest = line;
    loop {
        let behind;
        match rest.strip_prefix('"') {
            Some(quoted) => {
                let mut cell = String::new();
                let mut open = quoted;
                loop {
                    let (part, after) = open.split_once('"')?;
                    cell.push_str(part);
                    match after.strip_prefix('"') {
                        Some(more) => {
                            cell.push('"');
                            open = more;
                        }
                        None => {
                            behind = after;
                            break;
                        }
                    }
                }
                cells.push(cell);
            }
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                let (cell, after) = rest.split_at_checked(end)?;
                if cell.contains('"') {
                    return None;
                }
                cells.push(cell.to_owned());
                behind = after;
            }
        }
        match behind.strip_prefix(',') {
            Some(more) => rest = more,
            None if behind.is_empty() => return Some(cells),
            None => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_read_as_rfc_4180_says() {
        let read = |line| cells(line).map(|cells| cells.join("|"));
        assert_eq!(
            read("a,\"b, \"\"c\"\"\",,d").as_deref(),
            Some("a|b, \"c\"||d")
        );
        assert_eq!(read("a,"), Some("a|".to_owned()));
        for wrong in ["a,\"b", "a\"b", "\"a\"b"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_row_is_told() {
        let told = |rows: &str| {
            let text = format!("source,rule_id,rule_name,ours,how\n{rows}");
            judge(&text, &|id| id == "ours").join("\n")
        };
        assert_eq!(told("s,1,n,ours sigma,as it is.\ns,2,n,,not visible."), "");
        assert!(told("s,1,n,ours other,as it is.").contains("no detection `other`"));
        assert!(told("s,1,n,,x.\ns,1,m,,x.").contains("twice"));
        assert!(told("s,,n,,x.\ns,,n,,x.").contains("twice"));
        assert!(told("s,1,n,ours").contains("not five cells"));
        assert!(told("s,1,n,,").contains("never empty"));
        assert!(told("").contains("no rows"));
        assert!(
            judge("a,b,c,d,e\ns,1,n,,x.", &|_| true)
                .join("")
                .contains("the columns are")
        );
    }

    #[test]
    fn the_map_names_detections_that_exist() {
        assert_eq!(complaints(&crate::workspace()).unwrap(), [""; 0]);
    }
}
