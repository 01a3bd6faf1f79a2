//! Virtual environments of Python under the build folder, with packages from PyPI.

use anyhow::Result;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of programs of an environment that holds these packages; none if pip could not have them. One that
/// holds them already is taken as it is.
pub(crate) fn environment(home: &Path, packages: &[&str]) -> Result<Option<PathBuf>> {
    let bin = home.join("bin");
    let held = home.join("unchain-packages");
    let wanted = packages.join("\n");
    if fs::read_to_string(&held).is_ok_and(|held| held == wanted) {
        return Ok(Some(bin));
    }
    if !bin.join("python").is_file() {
        crate::must(Command::new("python3").args(["-m", "venv"]).arg(home))?;
    }
    let mut pip = Command::new(bin.join("python"));
    pip.args(["-m", "pip", "install", "--quiet"]);
    pip.arg("--disable-pip-version-check").args(packages);
    if !pip.status()?.success() {
        return Ok(None);
    }
    fs::write(held, wanted)?;
    Ok(Some(bin))
}

/// The programs of an environment with one package; none, and a word about it, where this machine cannot have it.
pub(crate) fn installed(
    home: &Path,
    package: &str,
    out: &mut dyn Write,
) -> Result<Option<PathBuf>> {
    let bin = match can_isolate() {
        true => environment(home, &[package])?,
        false => None,
    };
    if bin.is_none() {
        writeln!(
            out,
            "SKIPPED  {package} cannot be had: it needs python3 from 3.10 with venv (Debian: python3-venv), and PyPI"
        )?;
    }
    Ok(bin)
}

/// Whether there is a Python that can make such environments: Debian packs the module `ensurepip` apart.
pub(crate) fn can_isolate() -> bool {
    let mut python = Command::new("python3");
    python.args(["-c", "import venv, ensurepip"]);
    python.output().is_ok_and(|output| output.status.success())
}
