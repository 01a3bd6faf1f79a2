//! What drives the pages: Chromium, node, and the packages of the tests. Installs what can be installed.

use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The first version of node that Playwright runs on.
const NODE: u32 = 20;

/// Under these names Chromium is installed.
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Everything that is needed, as paths.
pub(super) struct Tools {
    pub(super) chromium: PathBuf,
    pub(super) node: PathBuf,
    /// The test files, beside the packages that they use.
    pub(super) tests: Vec<PathBuf>,
}

impl Tools {
    /// Finds or installs all of it; else what this machine lacks.
    pub(super) fn find(folder: &Path) -> Result<Result<Self, String>> {
        let Some(chromium) = installed(&BROWSERS, &["chromium"]) else {
            return Ok(Err(
                "no Chromium on this machine, and not root to install Debian's".to_owned(),
            ));
        };
        let node = installed(&["node"], &["nodejs", "npm"]);
        let node = node.filter(|node| version(node).is_some_and(|version| version >= NODE));
        let (Some(node), Some(npm)) = (node, installed(&["npm"], &["npm"])) else {
            return Ok(Err(format!("Playwright needs node from {NODE} with npm")));
        };
        let Some(tests) = packed(&npm, &folder.join("tests"))? else {
            return Ok(Err("npm cannot have the packages of the tests".to_owned()));
        };
        Ok(Ok(Self {
            chromium,
            node,
            tests,
        }))
    }
}

/// A program by its names; where there is none, it is installed if this is Debian and root asks.
fn installed(names: &[&str], packages: &[&str]) -> Option<PathBuf> {
    let found = || names.iter().find_map(|name| on_path(name));
    found().or_else(|| {
        install(packages);
        found()
    })
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let mut files = std::env::split_paths(&path).map(|folder| folder.join(name));
    files.find(|file| file.is_file())
}

/// Whether it could be is seen by looking for it again.
fn install(packages: &[&str]) {
    let quietly = |arguments: &[&str]| {
        let mut apt = Command::new("apt-get");
        apt.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        apt.stdout(Stdio::null()).stdin(Stdio::null());
        apt.status().is_ok_and(|status| status.success())
    };
    if quietly(&["update", "-qq"]) {
        quietly(
            &[
                &["install", "-y", "-qq", "--no-install-recommends"],
                packages,
            ]
            .concat(),
        );
    }
}

/// The first part of what `node --version` says.
fn version(node: &Path) -> Option<u32> {
    let output = Command::new(node).arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.trim()
        .strip_prefix('v')?
        .split('.')
        .next()?
        .parse()
        .ok()
}

/// The test files, copied beside their packages, so that the source tree holds none of those; nothing if npm could
/// not have them. Packages that are there already are taken as they are.
fn packed(npm: &Path, folder: &Path) -> Result<Option<Vec<PathBuf>>> {
    let lock = "package-lock.json";
    let held = folder.join("node_modules/held.json");
    fs::create_dir_all(folder)?;
    let files = copied(folder)?;
    let wanted = fs::read(folder.join(lock)).context("the tests have no lock file")?;
    if fs::read(&held).is_ok_and(|held| held == wanted) {
        return Ok(Some(files));
    }
    let mut install = Command::new(npm);
    install.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
    install.env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
    install.current_dir(folder).stdout(Stdio::null());
    if !install.status().context("cannot run npm")?.success() {
        return Ok(None);
    }
    fs::write(held, wanted)?;
    Ok(Some(files))
}

/// Copies the tests into a folder that holds no older ones, and names those to run.
fn copied(folder: &Path) -> Result<Vec<PathBuf>> {
    let is_test = |path: &Path| path.to_string_lossy().ends_with(".test.mjs");
    for old in fs::read_dir(folder)? {
        let old = old?.path();
        if is_test(&old) {
            fs::remove_file(old)?;
        }
    }
    let mut tests = Vec::new();
    for file in fs::read_dir(crate::workspace().join("crates/unchain-web/browser"))? {
        let file = file?;
        if file.file_type()?.is_file() {
            let copy = folder.join(file.file_name());
            fs::copy(file.path(), &copy)?;
            tests.push(copy);
        }
    }
    tests.retain(|path| is_test(path));
    tests.sort();
    Ok(tests)
}
