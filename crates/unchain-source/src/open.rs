//! Opening files, most of which are in the folder of the one before.
//!
//! A trail has eight folders above each file, and the system looks every one of them up for a whole path. From an
//! open folder it looks up one name. Must not know what files hold.

use crate::discover::Unit;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// The folder of the last file.
#[derive(Debug, Default)]
pub(crate) struct Folder {
    #[cfg(unix)]
    open: Option<(Arc<Path>, std::os::fd::OwnedFd)>,
}

impl Folder {
    /// Opens a unit to read it; `None` for standard input.
    pub(crate) fn file(&mut self, unit: &Unit) -> Option<io::Result<File>> {
        let (folder, name) = unit.place()?;
        Some(match self.within(folder, Path::new(name)) {
            Some(opened) => opened,
            None => File::open(folder.join(name)),
        })
    }

    /// `None` where folders are not opened.
    #[cfg(unix)]
    fn within(&mut self, folder: &Arc<Path>, name: &Path) -> Option<io::Result<File>> {
        use rustix::fs::{Mode, OFlags, open, openat};
        use rustix::io::retry_on_intr;
        if self
            .open
            .as_ref()
            .is_none_or(|(known, _)| !Arc::ptr_eq(known, folder))
        {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let opened = retry_on_intr(|| open(&**folder, flags, Mode::empty()));
            self.open = opened.ok().map(|opened| (Arc::clone(folder), opened));
        }
        let (_, opened) = self.open.as_ref()?;
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let file = retry_on_intr(|| openat(opened, name, flags, Mode::empty()));
        Some(file.map(File::from).map_err(io::Error::from))
    }

    #[cfg(not(unix))]
    fn within(&mut self, _: &Arc<Path>, _: &Path) -> Option<io::Result<File>> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[test]
    fn files_of_one_folder_of_another_and_of_none() {
        let root = tempfile::tempdir().expect("a folder");
        let paths = ["a/1", "a/2", "b/1", "a/3"].map(|name| root.path().join(name));
        for path in &paths {
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            std::fs::write(path, path.to_str().expect("a path")).expect("written");
        }
        let found = crate::discover::discover(&[root.path()]).expect("found");
        let single = paths.iter().map(Unit::file);
        let mut folder = Folder::default();
        for unit in found.units.iter().chain(single) {
            let mut text = String::new();
            let mut file = folder.file(&unit).expect("no input").expect("opened");
            file.read_to_string(&mut text).expect("read");
            assert_eq!(unit.name(), text);
        }
        let missing = [root.path().join("a/4"), root.path().join("c/1")].map(Unit::file);
        for unit in &missing {
            let error = folder.file(unit).expect("no input").expect_err("missing");
            assert_eq!(error.kind(), io::ErrorKind::NotFound);
        }
        assert!(folder.file(&Unit::stdin()).is_none());
    }
}
