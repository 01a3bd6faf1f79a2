//! What the program writes for other programs, read by those programs' own readers.
//!
//! The readers are Python packages, put into a virtual environment under `target/` on first use. What could
//! not be checked, for want of Python or of a package, is said and is no failure unless it is asked for.
//! Must not know how the program makes what it writes.

mod graphs;
mod stories;

use anyhow::{Context, Result, bail};
use clap::Args;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use stories::Story;

/// How to check.
#[derive(Debug, Args)]
pub(crate) struct ExportsArgs {
    /// Fail also if a reader cannot be installed
    #[arg(long)]
    require: bool,
}

/// One format and who reads it.
struct Reader {
    /// What `--format` calls it.
    format: &'static str,
    /// How the reader wants the file to end.
    ending: &'static str,
    /// The packages, with their versions.
    packages: &'static [&'static str],
    /// Reads the files that it is given, says what it checked, and fails at the first mistake.
    script: &'static str,
}

const READERS: &[Reader] = &[
    Reader {
        format: "ocsf",
        ending: "jsonl",
        packages: &["pydantic-ocsf==3.0.0", "py-ocsf-models==0.10.0"],
        script: include_str!("ocsf.py"),
    },
    Reader {
        format: "timesketch",
        ending: "jsonl",
        // The client needs `six` and does not say so.
        packages: &["timesketch-import-client==20261014", "six==1.17.0"],
        script: include_str!("timesketch.py"),
    },
];

/// Writes every story in every format and lets the readers read.
pub(crate) fn run(args: &ExportsArgs, out: &mut dyn Write) -> Result<ExitCode> {
    let root = crate::workspace();
    let folder = root.join("target/exports");
    let program = build(&root)?;
    let stories = stories::write(&root.join("scenarios"), &folder)?;
    writeln!(out, "{} stories written to logs", stories.len())?;
    let mut failed = false;
    for reader in READERS {
        let files = export(&program, reader, &stories)?;
        match environment(&folder, reader) {
            Ok(python) => failed |= !read(&python, (reader, &folder), &files, out)?,
            Err(why) => {
                writeln!(out, "skipped: {}: {why:#}", reader.format)?;
                failed |= args.require;
            }
        }
    }
    graphs::run(&program, &folder.join("graphs"), out)?;
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// Builds the program, so that what is checked is what is in the sources.
fn build(root: &Path) -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--quiet", "--locked", "--package", "unchain"])
        .current_dir(root)
        .status()
        .context("cannot start `cargo build`")?;
    if !status.success() {
        bail!("the program does not build");
    }
    let xtask = std::env::current_exe().context("cannot find the running program")?;
    Ok(xtask.with_file_name("unchain"))
}

/// Lets the program write each story in one format.
fn export(program: &Path, reader: &Reader, stories: &[Story]) -> Result<Vec<PathBuf>> {
    stories
        .iter()
        .map(|story| {
            let file = story
                .folder
                .join(format!("{}.{}", reader.format, reader.ending));
            let output = Command::new(program)
                .args([
                    "report",
                    "--format",
                    reader.format,
                    "--at",
                    story.at,
                    "--source",
                ])
                .arg(story.folder.join("logs"))
                .output()
                .with_context(|| format!("cannot start `{}`", program.display()))?;
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

/// The interpreter of an environment that holds the reader's packages.
fn environment(folder: &Path, reader: &Reader) -> Result<PathBuf> {
    let home = folder.join(format!("python-{}", reader.format));
    let python = home.join("bin/python");
    let mark = home.join("installed");
    let wanted = reader.packages.join("\n");
    if fs::read_to_string(&mark).is_ok_and(|found| found == wanted) {
        return Ok(python);
    }
    succeed(Command::new("python3").args(["-m", "venv"]).arg(&home))?;
    let install = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ];
    succeed(Command::new(&python).args(install).args(reader.packages))?;
    fs::write(&mark, wanted).with_context(|| format!("cannot write `{}`", mark.display()))?;
    Ok(python)
}

fn succeed(command: &mut Command) -> Result<()> {
    let output = command
        .output()
        .with_context(|| format!("cannot start {command:?}"))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        bail!(
            "{}",
            text.lines().last().unwrap_or("it failed and said nothing")
        );
    }
    Ok(())
}

/// Whether the reader took every file.
fn read(
    python: &Path,
    (reader, folder): (&Reader, &Path),
    files: &[PathBuf],
    out: &mut dyn Write,
) -> Result<bool> {
    let script = folder.join(format!("read_{}.py", reader.format));
    fs::write(&script, reader.script)
        .with_context(|| format!("cannot write `{}`", script.display()))?;
    let output = Command::new(python)
        .arg(&script)
        .args(files)
        .output()
        .with_context(|| format!("cannot start `{}`", python.display()))?;
    out.write_all(&output.stdout)?;
    if !output.status.success() {
        writeln!(out, "failed: {}", reader.format)?;
        out.write_all(&output.stderr)?;
    }
    Ok(output.status.success())
}
