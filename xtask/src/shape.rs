//! Function and file sizes of our crates, beside those of code we admire and of code we do not.
//!
//! Ours are counted outside tests, because a long table of cases is not a long function; the others'
//! numbers were counted once, over whole repositories, and are here to compare by eye. Judges nothing.

use crate::shape_source::{self, Shape};
use anyhow::{Context, Result};
use std::io::Write;
use std::path::Path;
use walkdir::WalkDir;

/// Measures every crate and prints the table.
pub(crate) fn run(out: &mut dyn Write) -> Result<()> {
    let mut crates = Vec::new();
    for folder in crate_folders()? {
        let name = folder
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        crates.push((name, shapes(&folder)?));
    }
    writeln!(out, "| code | {} |", COLUMNS.join(" | "))?;
    writeln!(out, "|---|{}", "---|".repeat(COLUMNS.len()))?;
    for (name, shapes) in &crates {
        row(out, name, &Row::of(shapes.iter()))?;
    }
    row(
        out,
        "**all of ours**",
        &Row::of(crates.iter().flat_map(|(_, shapes)| shapes)),
    )?;
    write!(out, "{OTHERS}")?;
    writeln!(
        out,
        "\nOurs: functions, unwraps and the last column outside `#[cfg(test)]`, only `src`; files whole."
    )?;
    writeln!(
        out,
        "Comment share: lines with a comment and no code, of lines that are not blank."
    )?;
    for (path, shape) in crates.iter().flat_map(|(_, shapes)| shapes) {
        if shape.lines_before_tests > LONGEST_FILE {
            writeln!(
                out,
                "{path}: {} lines before its tests, the limit is {LONGEST_FILE}",
                shape.lines_before_tests
            )?;
        }
    }
    Ok(())
}

/// Past this, a file is split (STYLE.md).
const LONGEST_FILE: usize = 600;

const COLUMNS: [&str; 10] = [
    "fns",
    "median",
    "p90",
    "p99",
    ">50 lines",
    "longest fn",
    "file median / max",
    "comment share",
    "unwrap+expect",
    "before tests max",
];

/// The cells behind a name.
struct Row([String; 10]);

/// Counted over whole repositories, tests and all, so only the orders of magnitude compare.
const OTHERS: &str = "\
| ripgrep `crates/` | 2323 | 4 | 20 | 65 | 2.2 % | 220 | 181 / 8161 | 22 % | 103 | – |
| jiff `crates/` | 3113 | 4 | 20 | 69 | 2.1 % | 203 | 213 / 7208 | 58 % | 212 | – |
| cedar-policy-core | 2824 | 6 | 24 | 99 | 3.5 % | 799 | 455 / 6431 | 14 % | – | – |
| rustls `rustls/src` | 1647 | 6 | 23 | 92 | 2.8 % | 372 | 372 / 1802 | 15 % | 176 | – |
| axum | 1199 | 6 | 24 | 78 | 2.7 % | 236 | 141 / 1770 | 19 % | 263 | – |
| nextest | 2416 | 8 | 38 | 145 | 6.5 % | 980 | 222 / 4908 | 16 % | 212 | – |
| rust-analyzer `crates/` | 11870 | 7 | 40 | 155 | 7.4 % | 895 | 169 / 7459 | 6 % | 1132 | – |
| omicron `nexus/reconfigurator` | 819 | 7 | 52 | 199 | 10.3 % | 642 | 379 / 3743 | – | 158 | – |
| fd `src` | 155 | 8 | 32 | 83 | 3.9 % | 172 | 156 / 971 | 9 % | 14 | – |
| hyperfine `src` | 121 | 7 | 39 | 193 | 7.4 % | 392 | 67 / 597 | 6 % | 32 | – |
| cloudtrail-rs | 382 | 6 | 32 | 87 | 4.2 % | 260 | 160 / 2878 | 20 % | 116 | – |
| suzaku | 139 | 15 | 53 | 175 | 12.2 % | 209 | 217 / 1119 | 7 % | 44 | – |
| hayabusa | 484 | 15 | 75 | 420 | 18.2 % | 512 | 333 / 4266 | 8 % | 525 | – |
| chainsaw | 182 | 11 | 111 | 327 | 22.0 % | 816 | 256 / 1285 | 3 % | 123 | – |
| matano `lib/rust` | 249 | 13 | 69 | 310 | 14.5 % | 417 | 184 / 1548 | 5 % | 170 | – |
";

impl Row {
    fn of<'a>(shapes: impl Iterator<Item = &'a (String, Shape)> + Clone) -> Self {
        let shapes = shapes.map(|(_, shape)| shape);
        let mut functions: Vec<usize> = shapes
            .clone()
            .flat_map(|s| &s.functions)
            .map(|f| f.lines)
            .collect();
        functions.sort_unstable();
        let mut files: Vec<usize> = shapes.clone().map(|s| s.lines).collect();
        files.sort_unstable();
        let longest = shapes
            .clone()
            .flat_map(|s| &s.functions)
            .max_by_key(|f| f.lines);
        let total = |part: fn(&Shape) -> usize| shapes.clone().map(part).sum::<usize>();
        Self([
            functions.len().to_string(),
            percentile(&functions, 50).to_string(),
            percentile(&functions, 90).to_string(),
            percentile(&functions, 99).to_string(),
            share(
                functions.iter().filter(|lines| **lines > 50).count(),
                functions.len(),
            ),
            longest
                .map(|f| format!("{} `{}`", f.lines, f.name))
                .unwrap_or_default(),
            format!(
                "{} / {}",
                percentile(&files, 50),
                files.last().unwrap_or(&0)
            ),
            share(total(|s| s.comments), total(|s| s.filled)),
            total(|s| s.unwraps).to_string(),
            shapes
                .clone()
                .map(|s| s.lines_before_tests)
                .max()
                .unwrap_or(0)
                .to_string(),
        ])
    }
}

fn row(out: &mut dyn Write, name: &str, row: &Row) -> Result<()> {
    writeln!(out, "| {name} | {} |", row.0.join(" | "))?;
    Ok(())
}

/// The smallest value that at least `percent` of the sorted values do not exceed.
fn percentile(sorted: &[usize], percent: usize) -> usize {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}

/// A share with one decimal, in whole numbers so that nothing is rounded twice.
fn share(part: usize, whole: usize) -> String {
    let permille = (part * 2000 + whole).checked_div(whole * 2).unwrap_or(0);
    format!("{}.{} %", permille / 10, permille % 10)
}

/// Every crate of the workspace that has sources, sorted.
fn crate_folders() -> Result<Vec<std::path::PathBuf>> {
    let root = crate::workspace();
    let entries = std::fs::read_dir(root.join("crates")).context("cannot list `crates`")?;
    let mut folders = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    folders.push(root.join("xtask"));
    folders.retain(|folder| folder.join("src").is_dir());
    folders.sort();
    Ok(folders)
}

/// The shapes of the files in a crate's `src`, with their paths inside the workspace.
fn shapes(folder: &Path) -> Result<Vec<(String, Shape)>> {
    let mut shapes = Vec::new();
    for entry in WalkDir::new(folder.join("src")).sort_by_file_name() {
        let entry = entry?;
        if entry
            .path()
            .extension()
            .is_some_and(|extension| extension == "rs")
        {
            let source = std::fs::read_to_string(entry.path())
                .with_context(|| format!("cannot read `{}`", entry.path().display()))?;
            let path = entry
                .path()
                .strip_prefix(crate::workspace())
                .unwrap_or(entry.path());
            shapes.push((path.display().to_string(), shape_source::measure(&source)));
        }
    }
    Ok(shapes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occur() {
        let sorted: Vec<usize> = (1..=10).collect();
        assert_eq!([50, 90, 99].map(|p| percentile(&sorted, p)), [5, 9, 10]);
        assert_eq!(percentile(&[], 50), 0);
        assert_eq!(percentile(&[7], 99), 7);
    }

    #[test]
    fn shares_round_to_the_nearest_tenth() {
        assert_eq!(share(1, 3), "33.3 %");
        assert_eq!(share(2, 3), "66.7 %");
        assert_eq!(share(0, 0), "0.0 %");
    }

    #[test]
    fn this_crate_is_measured() {
        let shapes = shapes(&crate::workspace().join("xtask")).unwrap();
        let names: Vec<&str> = shapes
            .iter()
            .filter(|(path, _)| path.ends_with("shape.rs"))
            .flat_map(|(_, s)| &s.functions)
            .map(|f| f.name.as_str())
            .collect();
        assert!(names.contains(&"crate_folders") && !names.contains(&"this_crate_is_measured"));
    }

    #[test]
    fn no_file_is_past_the_limit() {
        for folder in crate_folders().unwrap() {
            for (path, shape) in shapes(&folder).unwrap() {
                assert!(
                    shape.lines_before_tests <= LONGEST_FILE,
                    "{path}: {} lines before its tests",
                    shape.lines_before_tests
                );
            }
        }
    }
}
