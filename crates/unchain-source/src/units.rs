//! A list of files in little memory: a large tree has hundreds of thousands of small ones, and their list stays
//! until all are read.

use crate::discover::Unit;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

/// Files and standard input, in an order.
#[derive(Clone, Debug, Default)]
pub struct Units {
    folders: Vec<Arc<Path>>,
    /// The names of files in those folders, one after the other.
    names: String,
    /// What has no folder, or a name that is not UTF-8.
    others: Vec<Unit>,
    rows: Vec<Row>,
}

/// Where a unit is.
#[derive(Clone, Copy, Debug)]
enum Row {
    /// In a folder, by the place of its name.
    In {
        folder: u32,
        start: u32,
        length: u16,
    },
    /// Among the others.
    Other(u32),
}

impl Units {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The one at a place, counted from 0.
    pub fn get(&self, place: usize) -> Option<Unit> {
        self.unit(*self.rows.get(place)?)
    }

    /// All, in their order.
    pub fn iter(&self) -> impl Iterator<Item = Unit> {
        self.rows.iter().filter_map(|row| self.unit(*row))
    }

    fn unit(&self, row: Row) -> Option<Unit> {
        match row {
            Row::In {
                folder,
                start,
                length,
            } => {
                let folder = self.folders.get(folder as usize)?;
                let start = start as usize;
                let name = self.names.get(start..start + usize::from(length))?;
                Some(Unit::within(folder, OsStr::new(name)))
            }
            Row::Other(place) => self.others.get(place as usize).cloned(),
        }
    }

    /// Adds one that shares its folder with no other.
    pub(crate) fn push(&mut self, unit: Unit) {
        let place = u32::try_from(self.others.len()).unwrap_or(u32::MAX);
        self.others.push(unit);
        self.rows.push(Row::Other(place));
    }

    /// Adds a file of a folder.
    pub(crate) fn push_within(&mut self, folder: &Arc<Path>, name: &OsStr) {
        match self.row_of(folder, name) {
            Some(row) => self.rows.push(row),
            None => self.push(Unit::within(folder, name)),
        }
    }

    /// The row of a file whose name is kept with the others, if it can be.
    fn row_of(&mut self, folder: &Arc<Path>, name: &OsStr) -> Option<Row> {
        let name = name.to_str()?;
        let start = u32::try_from(self.names.len()).ok()?;
        let length = u16::try_from(name.len()).ok()?;
        if !self
            .folders
            .last()
            .is_some_and(|last| Arc::ptr_eq(last, folder))
        {
            self.folders.push(Arc::clone(folder));
        }
        let folder = u32::try_from(self.folders.len() - 1).ok()?;
        self.names.push_str(name);
        Some(Row::In {
            folder,
            start,
            length,
        })
    }

    /// Keeps those that `keep` wants.
    pub(crate) fn retain(&mut self, keep: impl Fn(&Unit) -> bool) {
        let mut rows = std::mem::take(&mut self.rows);
        rows.retain(|row| self.unit(*row).is_some_and(|unit| keep(&unit)));
        self.rows = rows;
    }

    /// Orders them by their paths, each once.
    pub(crate) fn sort(&mut self) {
        let mut rows = std::mem::take(&mut self.rows);
        let path = |row: &Row| self.unit(*row).and_then(|unit| unit.path());
        rows.sort_by_cached_key(path);
        rows.dedup_by_key(|row| path(row));
        self.rows = rows;
    }

    /// Frees the room kept for more.
    pub(crate) fn shrink(&mut self) {
        self.names.shrink_to_fit();
        self.rows.shrink_to_fit();
    }
}
