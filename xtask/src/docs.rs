//! The papers, held to what they say: links lead somewhere, a test that is named exists, and what is made
//! from the code is what the code makes.
//!
//! Prose is not judged. Must not read anything outside the repository.

use crate::docs_coverage;
use crate::docs_detections::{self, Pages};
use anyhow::{Context, Result};
use clap::Args;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use walkdir::WalkDir;

/// Whether to write.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct DocsArgs {
    /// Write nothing: fail if a page about detections is stale
    #[arg(long)]
    pub(crate) check: bool,
}

/// Makes the pages that are made, then prints every complaint; fails if there is one.
pub(crate) fn run(args: &DocsArgs, out: &mut dyn Write) -> Result<ExitCode> {
    let root = crate::workspace();
    let pages = if args.check {
        Pages::Check
    } else {
        Pages::Write
    };
    let mut complaints = docs_detections::pages(&root, pages)?;
    complaints.extend(docs_coverage::complaints(&root)?);
    for paper in papers(&root)? {
        let text = fs::read_to_string(&paper)
            .with_context(|| format!("cannot read `{}`", paper.display()))?;
        let name = paper.strip_prefix(&root).unwrap_or(&paper).display();
        complaints.extend(
            dead_links(&paper, &text).map(|link| format!("{name}: `{link}` leads nowhere")),
        );
    }
    let architecture = fs::read_to_string(root.join("ARCHITECTURE.md"))
        .context("cannot read `ARCHITECTURE.md`")?;
    complaints.extend(missing_proofs(&architecture, &Proofs::of(&root)?));
    complaints.extend(decisions(&root)?);
    for complaint in &complaints {
        writeln!(out, "{complaint}")?;
    }
    writeln!(out, "{} complaints about the papers", complaints.len())?;
    Ok(if complaints.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What can hold an invariant.
struct Proofs {
    /// The names of all functions in our sources.
    functions: BTreeSet<String>,
    /// The names of the fuzz targets.
    targets: BTreeSet<String>,
}

impl Proofs {
    fn of(root: &Path) -> Result<Self> {
        let mut proofs = Self {
            functions: BTreeSet::new(),
            targets: BTreeSet::new(),
        };
        for path in sources(root)? {
            let text = fs::read_to_string(&path)
                .with_context(|| format!("cannot read `{}`", path.display()))?;
            let names = text.split("fn ").skip(1).filter_map(|rest| {
                rest.split(|c: char| !c.is_alphanumeric() && c != '_')
                    .next()
            });
            proofs.functions.extend(names.map(str::to_owned));
            if path
                .parent()
                .is_some_and(|folder| folder.ends_with("fuzz_targets"))
            {
                proofs.targets.extend(
                    path.file_stem()
                        .map(|name| name.to_string_lossy().into_owned()),
                );
            }
        }
        Ok(proofs)
    }
}

fn sources(root: &Path) -> Result<Vec<PathBuf>> {
    let mut sources = Vec::new();
    for folder in ["crates", "xtask", "fuzz/fuzz_targets"] {
        let files = crate::files(&root.join(folder))?;
        sources.extend(
            files
                .into_iter()
                .filter(|path| path.extension().is_some_and(|extension| extension == "rs")),
        );
    }
    Ok(sources)
}

/// Every Markdown file at the root, under `docs` and under `scenarios`.
fn papers(root: &Path) -> Result<Vec<PathBuf>> {
    let mut papers = Vec::new();
    for (folder, depth) in [("", 1), ("docs", usize::MAX), ("scenarios", usize::MAX)] {
        for entry in WalkDir::new(root.join(folder))
            .max_depth(depth)
            .sort_by_file_name()
        {
            let path = entry?.into_path();
            if path.extension().is_some_and(|extension| extension == "md") {
                papers.push(path);
            }
        }
    }
    Ok(papers)
}

/// The targets of links to files that are not there.
fn dead_links<'a>(paper: &'a Path, text: &'a str) -> impl Iterator<Item = &'a str> {
    let targets = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target);
    let files = targets.filter(|target| !target.contains("://") && !target.starts_with('#'));
    files.filter(move |target| {
        let file = target.split('#').next().unwrap_or_default();
        !paper
            .parent()
            .is_some_and(|folder| folder.join(file).exists())
    })
}

/// Invariants that name no proof, or one that does not exist.
fn missing_proofs(architecture: &str, proofs: &Proofs) -> Vec<String> {
    let mut complaints = Vec::new();
    for invariant in architecture.split("**Architecture Invariant:**").skip(1) {
        let paragraph = invariant.split("\n\n").next().unwrap_or_default();
        let subject = paragraph
            .split(['.', '\n'])
            .next()
            .unwrap_or_default()
            .trim();
        let (_, named) = paragraph.split_once("Test:").unwrap_or_default();
        let mut names = named.split('`').skip(1).step_by(2).peekable();
        if names.peek().is_none() {
            complaints.push(format!("ARCHITECTURE.md: no test is named for `{subject}`"));
        }
        let exists = |name: &str| {
            name.starts_with("cargo ")
                || proofs.functions.contains(name)
                || proofs.targets.contains(name)
        };
        complaints.extend(
            names
                .filter(|name| !exists(name))
                .map(|name| format!("ARCHITECTURE.md: there is no test `{name}`")),
        );
    }
    complaints
}

/// Decisions with a number twice, or without one of their four parts.
fn decisions(root: &Path) -> Result<Vec<String>> {
    const PARTS: [&str; 4] = [
        "## Question",
        "## Choice",
        "## Given up",
        "## What would change our mind",
    ];
    let mut complaints = Vec::new();
    let mut numbers: BTreeMap<String, String> = BTreeMap::new();
    for path in crate::files(&root.join("docs/decisions"))? {
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let text = fs::read_to_string(&path)
            .with_context(|| format!("cannot read `{}`", path.display()))?;
        complaints.extend(
            PARTS
                .iter()
                .filter(|part| !text.contains(*part))
                .map(|part| format!("{name}: no `{part}`")),
        );
        let number = name.split('-').next().unwrap_or_default().to_owned();
        if let Some(other) = numbers.insert(number, name.clone()) {
            complaints.push(format!("{name}: has the number of {other}"));
        }
    }
    Ok(complaints)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proofs() -> Proofs {
        Proofs {
            functions: BTreeSet::from(["holds".to_owned()]),
            targets: BTreeSet::from(["record".to_owned()]),
        }
    }

    #[test]
    fn an_invariant_names_a_proof_that_exists() {
        let complaints =
            |text: &str| missing_proofs(&format!("**Architecture Invariant:** {text}"), &proofs());
        assert_eq!(
            complaints("it is so.\nTest: `holds`; fuzz target: `record`.\n\nMore `words`."),
            [""; 0]
        );
        assert_eq!(complaints("it is so. Test: `cargo xtask ci`."), [""; 0]);
        assert_eq!(
            complaints("it is so. Test: `fails`."),
            ["ARCHITECTURE.md: there is no test `fails`"]
        );
        assert_eq!(
            complaints("it is so."),
            ["ARCHITECTURE.md: no test is named for `it is so`"]
        );
    }

    #[test]
    fn links_to_files_are_followed_and_others_are_not() {
        let paper = crate::workspace().join("README.md");
        let text = "[a](LICENSE) [b](docs/glossary.md#who) [c](https://example.com/x) [d](#here) [e](nowhere.md)";
        assert_eq!(dead_links(&paper, text).collect::<Vec<_>>(), ["nowhere.md"]);
    }

    #[test]
    fn no_paper_has_a_dead_link() {
        for paper in papers(&crate::workspace()).unwrap() {
            let text = fs::read_to_string(&paper).unwrap();
            assert_eq!(
                dead_links(&paper, &text).collect::<Vec<_>>(),
                [""; 0],
                "{}",
                paper.display()
            );
        }
    }

    #[test]
    fn every_decision_has_its_parts_and_its_own_number() {
        assert_eq!(decisions(&crate::workspace()).unwrap(), [""; 0]);
    }

    #[test]
    fn crates_depend_only_downwards() {
        let allowed = BTreeMap::from([
            (
                "crates/unchain",
                [
                    "unchain-web",
                    "unchain-aws",
                    "unchain-lab",
                    "unchain-case",
                    "unchain-sigma",
                    "unchain-source",
                    "unchain-core",
                ]
                .as_slice(),
            ),
            ("crates/unchain-web", &["unchain-core"]),
            ("crates/unchain-aws", &["unchain-core"]),
            ("crates/unchain-case", &["unchain-core"]),
            ("crates/unchain-sigma", &["unchain-core"]),
            ("crates/unchain-source", &["unchain-core"]),
            ("crates/unchain-core", &["unchain-policy"]),
            (
                "crates/unchain-lab",
                &["unchain-core", "unchain-policy", "unchain-trail"],
            ),
            ("crates/unchain-policy", &[]),
            ("crates/unchain-trail", &[]),
            ("xtask", &["unchain-trail", "unchain-core"]),
        ]);
        let root = crate::workspace();
        let entries = fs::read_dir(root.join("crates")).unwrap().count();
        assert_eq!(
            entries + 1,
            allowed.len(),
            "a crate is missing from this table"
        );
        for (folder, allowed) in allowed {
            let manifest = fs::read_to_string(root.join(folder).join("Cargo.toml")).unwrap();
            let section = manifest
                .split("[dependencies]")
                .nth(1)
                .unwrap_or_default()
                .split("\n[")
                .next()
                .unwrap_or_default();
            let ours = section.lines().filter(|line| line.starts_with("unchain"));
            let names: Vec<&str> = ours
                .filter_map(|line| line.split([' ', '=', '.']).next())
                .collect();
            assert!(
                names.iter().all(|name| allowed.contains(name)),
                "{folder} depends on {names:?}"
            );
        }
    }
}
