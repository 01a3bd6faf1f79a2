//! Whether the case has grown since it was last looked at. Must not know who wants to know.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use unchain_case::{Case, CaseError, Pulse};

/// What is new in a case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct News {
    /// Something was added to the ledger.
    pub(super) ledger: bool,
    /// A plan, or a line in the journal of one.
    pub(super) plans: bool,
}

/// A case that is looked at again and again.
#[derive(Debug)]
pub(super) struct Watch {
    path: PathBuf,
    open: Option<Open>,
    pulse: Pulse,
}

#[derive(Debug)]
struct Open {
    case: Case,
    /// The file behind the name: another one may be put there.
    file: (u64, u64),
    version: i64,
}

impl Watch {
    /// Begins now: what was written before is no news.
    pub(super) fn new(path: &Path) -> Result<Self, CaseError> {
        let case = Case::open_existing(path)?;
        let (version, pulse) = (case.version_of_data()?, case.pulse()?);
        let open = file(path).map(|file| Open {
            case,
            file,
            version,
        });
        let path = path.to_owned();
        Ok(Self { path, open, pulse })
    }

    /// What is new. A case that cannot be read now has none, and is tried again at the next look.
    pub(super) fn look(&mut self) -> News {
        self.try_look().unwrap_or_else(|| {
            self.open = None;
            News::default()
        })
    }

    fn try_look(&mut self) -> Option<News> {
        let file = file(&self.path)?;
        if self.open.as_ref().is_none_or(|open| open.file != file) {
            return self.reopened(file);
        }
        let open = self.open.as_mut()?;
        let version = open.case.version_of_data().ok()?;
        if version == open.version {
            return Some(News::default());
        }
        let pulse = open.case.pulse().ok()?;
        open.version = version;
        Some(self.news(pulse))
    }

    /// Another file may hold anything, also less.
    fn reopened(&mut self, file: (u64, u64)) -> Option<News> {
        let case = Case::open_existing(&self.path).ok()?;
        let (version, pulse) = (case.version_of_data().ok()?, case.pulse().ok()?);
        self.open = Some(Open {
            case,
            file,
            version,
        });
        self.pulse = pulse;
        Some(News {
            ledger: true,
            plans: true,
        })
    }

    fn news(&mut self, pulse: Pulse) -> News {
        let before = std::mem::replace(&mut self.pulse, pulse);
        News {
            ledger: before.scans != pulse.scans,
            plans: (before.plans, before.receipts) != (pulse.plans, pulse.receipts),
        }
    }
}

fn file(path: &Path) -> Option<(u64, u64)> {
    let data = std::fs::metadata(path).ok()?;
    Some((data.dev(), data.ino()))
}

/// Looks whenever `wait` comes back with true, and tells what is new.
pub(super) fn follow(mut watch: Watch, mut wait: impl FnMut() -> bool, mut tell: impl FnMut(News)) {
    while wait() {
        let news = watch.look();
        if news != News::default() {
            tell(news);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use unchain_case::FileRow;
    use unchain_core::ledger::Ledger;

    const LEDGER: News = News {
        ledger: true,
        plans: false,
    };

    fn scan(path: &Path, name: &str) {
        let file = FileRow {
            path: name.to_owned(),
            read: 1,
            ..FileRow::default()
        };
        let mut case = Case::open(path).unwrap();
        case.write(&mut Ledger::default(), &[file]).unwrap();
    }

    #[test]
    fn each_growth_is_told_once_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("unchain.case");
        scan(&path, "before");
        let watch = Watch::new(&path).unwrap();
        let mut turns = 0;
        let wait = || {
            turns += 1;
            match turns {
                2 | 5 => scan(&path, &format!("turn {turns}")),
                3 => scan(&path, "before"),
                _ => {}
            }
            turns < 7
        };
        let mut told = Vec::new();
        follow(watch, wait, |news| told.push(news));
        assert_eq!(told, [LEDGER, LEDGER]);
    }

    #[test]
    fn a_case_that_is_away_for_a_while_or_another_is_read_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("unchain.case");
        scan(&path, "before");
        let mut watch = Watch::new(&path).unwrap();
        std::fs::rename(&path, folder.path().join("away")).unwrap();
        assert_eq!(watch.look(), News::default());
        scan(&path, "another");
        assert!(watch.look().ledger);
        assert_eq!(watch.look(), News::default());
    }
}
