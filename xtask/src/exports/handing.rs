//! Findings as OCSF and as a time line for Timesketch, read by models and by a client made by others.
//!
//! Each reader has a virtual environment of its own, since their packages do not agree with each other.

use super::stories::{self, Story};
use super::{skipped, there};
use crate::must;
use anyhow::{Context, Result, bail};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One format and who reads it.
struct Reader {
    /// What `--format` calls it.
    format: &'static str,
    /// The packages, with their versions.
    packages: &'static [&'static str],
}

const READERS: [Reader; 2] = [
    Reader {
        format: "ocsf",
        packages: &["pydantic-ocsf==3.0.0", "py-ocsf-models==0.10.0"],
    },
    Reader {
        format: "timesketch",
        // The client needs `six` and does not say so.
        packages: &["timesketch-import-client==20261014", "six==1.17.0"],
    },
];

/// Writes every story in which something is found in each format and lets the readers read.
pub(super) fn run(program: &Path, folder: &Path, out: &mut dyn Write) -> Result<()> {
    let scenarios = crate::workspace().join("scenarios");
    let stories = stories::write(&scenarios, &folder.join("handed"))?;
    if !there("python3", "--version") {
        return skipped("python3 is not installed", out);
    }
    for reader in &READERS {
        let files = export(program, reader, &stories)?;
        let home = folder.join(format!("python-{}", reader.format));
        let Some(bin) = crate::python::environment(&home, reader.packages)? else {
            skipped(
                &format!("pip could not install {}", reader.packages.join(" ")),
                out,
            )?;
            continue;
        };
        out.flush()?;
        let script = format!("xtask/exports/read_{}.py", reader.format);
        must(
            Command::new(bin.join("python"))
                .arg(crate::workspace().join(script))
                .args(files),
        )?;
    }
    Ok(())
}

fn export(program: &Path, reader: &Reader, stories: &[Story]) -> Result<Vec<PathBuf>> {
    stories
        .iter()
        .map(|story| {
            let file = story.folder.join(format!("{}.jsonl", reader.format));
            let output = Command::new(program)
                .args(["findings", "--format", reader.format, "--source", "logs"])
                .current_dir(&story.folder)
                .output()?;
            if !matches!(output.status.code(), Some(0 | 1)) {
                bail!(
                    "{}: {}",
                    story.name,
                    String::from_utf8_lossy(&output.stderr)
                );
            }
            fs::write(&file, &output.stdout)
                .with_context(|| format!("cannot write `{}`", file.display()))?;
            Ok(file)
        })
        .collect()
}
