//! Writing a file that a person asked for.

use anyhow::Context as _;
use std::io::Write as _;
use std::path::Path;

/// Whether a file that exists is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Replace {
    /// It must be new.
    Never,
    /// It may be there.
    Always,
}

/// Writes a file that only its owner may read: it tells where the accounts are weak.
pub(super) fn private(path: &Path, text: &str, replace: Replace) -> anyhow::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let write = || -> std::io::Result<()> {
        // A name of its own until all is written: who reads the file never sees half of it.
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        match replace {
            Replace::Never => file.persist_noclobber(path)?,
            Replace::Always => file.persist(path)?,
        };
        Ok(())
    };
    write().with_context(|| {
        let path = path.display();
        format!("cannot write `{path}`; name another file, or give `--force` to replace one")
    })
}
