//! From what the user named to a sorted list of files. Looks at names, never into files.

use crate::error::SourceError;
use crate::layout::Layout;
use crate::units::Units;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use unchain_core::text::terminal;
use walkdir::{DirEntry, WalkDir};

/// One file, or standard input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// None for standard input. Files of one folder share it: trees have many small files, and their
    /// whole paths would weigh more than what the ledger keeps of them.
    folder: Option<Arc<Path>>,
    file: Box<OsStr>,
}

/// A place inside a named folder that could not be listed or is not a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreachable {
    /// The place. From outside, so escape it before showing it.
    pub name: String,
    /// Why, in words.
    pub reason: String,
}

impl Unit {
    /// A file.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self {
            folder: Some(Arc::from(Path::new(""))),
            file: path.into().into_os_string().into_boxed_os_str(),
        }
    }

    /// A file of a folder.
    pub(crate) fn within(folder: &Arc<Path>, name: &OsStr) -> Self {
        Self {
            folder: Some(Arc::clone(folder)),
            file: Box::from(name),
        }
    }

    /// Standard input.
    pub fn stdin() -> Self {
        Self {
            folder: None,
            file: Box::from(OsStr::new("-")),
        }
    }

    /// The file's path; `None` for standard input.
    pub fn path(&self) -> Option<PathBuf> {
        Some(self.folder.as_deref()?.join(&*self.file))
    }

    /// The folder that the unit is in, or nothing of it, and the rest of its path; `None` for standard input.
    pub(crate) fn place(&self) -> Option<(&Arc<Path>, &OsStr)> {
        Some((self.folder.as_ref()?, &self.file))
    }

    /// The path as text, or `-`. What is not UTF-8 is replaced. From outside, so escape it before
    /// showing it.
    pub fn name(&self) -> String {
        match self.path() {
            Some(path) => as_text(path.as_os_str()),
            None => as_text(&self.file),
        }
    }

    /// The end of the path, with the file's own name.
    pub(crate) fn end(&self) -> &OsStr {
        &self.file
    }

    /// Bytes as stored, asked of the file system: for a tree of small files that costs a tenth of reading
    /// them. 0 where that is not known before reading.
    pub fn size(&self) -> u64 {
        let metadata = self.path().and_then(|path| std::fs::metadata(path).ok());
        metadata
            .filter(std::fs::Metadata::is_file)
            .map_or(0, |metadata| metadata.len())
    }

    /// What the path says about the content.
    pub fn layout(&self) -> Option<Layout> {
        Layout::of(&self.path()?)
    }
}

/// A path as text. What is not UTF-8 is replaced, for which nearly no path need be searched.
pub(crate) fn as_text(path: &OsStr) -> String {
    match path.to_str() {
        Some(text) => text.to_owned(),
        None => path.to_string_lossy().into_owned(),
    }
}

/// What a list of sources amounts to.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) units: Units,
    pub(crate) unreachable: Vec<Unreachable>,
}

/// Lists the files behind `sources`, sorted by path, each once. Symbolic links are followed.
pub(crate) fn discover<S: AsRef<OsStr>>(sources: &[S]) -> Result<Found, SourceError> {
    if sources.is_empty() {
        return Err(SourceError::NoSource);
    }
    let mut found = Found::default();
    for source in sources {
        add(source.as_ref(), &mut found)?;
    }
    // One folder is listed in order; comparing its paths again would cost more than listing it.
    if sources.len() > 1 {
        found.units.sort();
    }
    found.units.shrink();
    found.unreachable.sort_by(|a, b| a.name.cmp(&b.name));
    found.unreachable.dedup();
    Ok(found)
}

fn add(source: &OsStr, found: &mut Found) -> Result<(), SourceError> {
    if source == "-" {
        found.units.push(Unit::stdin());
        return Ok(());
    }
    let shown = || terminal(&source.to_string_lossy()).into_owned();
    let path = Path::new(source);
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(_) if source.to_str().is_some_and(is_remote) => {
            return Err(SourceError::Remote { name: shown() });
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(SourceError::Missing { name: shown() });
        }
        Err(source) => {
            return Err(SourceError::Unreachable {
                name: shown(),
                source,
            });
        }
    };
    if metadata.is_dir() {
        walk(path, found);
    } else {
        // A pipe or device is read too if the user names it: shells pass `<(command)` that way.
        found.units.push(Unit::file(path));
    }
    Ok(())
}

fn is_remote(source: &str) -> bool {
    source == "lookup-events" || source.contains("://")
}

fn walk(folder: &Path, found: &mut Found) {
    // Names are compared far more quickly here, folder by folder, than whole paths are afterwards.
    // What is compared is in one folder: its paths are in the order of its names, which would have to be cut off.
    let by_name = |a: &DirEntry, b: &DirEntry| a.path().as_os_str().cmp(b.path().as_os_str());
    let sorted = WalkDir::new(folder).sort_by(by_name);
    let mut folder: Arc<Path> = Arc::from(folder);
    for entry in sorted.follow_links(true) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                found.unreachable.push(trouble(&error));
                continue;
            }
        };
        if entry.file_type().is_dir() {
            continue;
        }
        if entry.file_type().is_file() {
            if let Some(parent) = entry.path().parent().filter(|parent| **parent != *folder) {
                folder = Arc::from(parent);
            }
            found.units.push_within(&folder, entry.file_name());
        } else {
            found.unreachable.push(Unreachable {
                name: entry.path().to_string_lossy().into_owned(),
                reason: "not a regular file".to_owned(),
            });
        }
    }
}

fn trouble(error: &walkdir::Error) -> Unreachable {
    let name = error
        .path()
        .map(|path| path.to_string_lossy().into_owned())
        .unwrap_or_default();
    let reason = match (error.loop_ancestor(), error.io_error()) {
        (Some(_), _) => "a symbolic link to a folder that it is in".to_owned(),
        (None, Some(error)) => error.kind().to_string(),
        (None, None) => "unknown trouble".to_owned(),
    };
    Unreachable { name, reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn names(found: &Found, root: &Path) -> Vec<String> {
        let relative = |unit: Unit| {
            unit.path()
                .and_then(|p| Some(p.strip_prefix(root).ok()?.to_string_lossy().into_owned()))
        };
        found
            .units
            .iter()
            .map(|unit| relative(unit).unwrap_or_else(|| "-".to_owned()))
            .collect()
    }

    #[test]
    fn folders_are_listed_in_order_and_each_file_once() {
        let root = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(root.path().join("b/c")).expect("a folder");
        for file in ["b/c/2.json", "b/1.json", "a.json"] {
            fs::write(root.path().join(file), "12345").expect("a file");
        }
        let whole = root.path().as_os_str();
        let file = root.path().join("a.json");
        let found =
            discover(&[OsStr::new("-"), file.as_os_str(), whole, OsStr::new("-")]).expect("found");
        assert_eq!(
            names(&found, root.path()),
            ["-", "a.json", "b/1.json", "b/c/2.json"]
        );
        assert_eq!(found.units.iter().map(|unit| unit.size()).sum::<u64>(), 15);
        assert!(found.unreachable.is_empty());
    }

    #[test]
    fn what_cannot_be_used_says_what_to_do() {
        let error = discover(&["no/such/place"]).expect_err("missing");
        assert!(
            error
                .to_string()
                .starts_with("`no/such/place` does not exist; "),
            "{error}"
        );
        assert!(matches!(
            discover(&["s3://bucket/prefix"]),
            Err(SourceError::Remote { .. })
        ));
        assert!(matches!(discover::<&str>(&[]), Err(SourceError::NoSource)));
    }

    #[cfg(unix)]
    #[test]
    fn links_in_a_circle_broken_links_and_odd_names() {
        use std::os::unix::ffi::OsStrExt as _;
        use std::os::unix::fs::symlink;
        let root = tempfile::tempdir().expect("a folder");
        fs::create_dir(root.path().join("d")).expect("a folder");
        symlink(root.path(), root.path().join("d/loop")).expect("a link");
        symlink("nowhere", root.path().join("broken")).expect("a link");
        let odd = root.path().join(OsStr::from_bytes(b"\xff\x1b[31m.json"));
        fs::write(&odd, "{}").expect("a file");
        let found = discover(&[root.path()]).expect("found");
        assert_eq!(found.units.len(), 1);
        assert_eq!(found.units.get(0).and_then(|unit| unit.path()), Some(odd));
        assert_eq!(found.unreachable.len(), 2, "{:?}", found.unreachable);
    }
}
