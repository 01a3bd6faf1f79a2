//! Whether a case has changed: cheap enough to be asked every second.

use crate::{Case, CaseError};

/// How much a case has had written to it. It only grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pulse {
    /// Writes of ledgers that added something.
    pub scans: u64,
    /// Plans.
    pub plans: u64,
    /// Lines in the journals of all plans.
    pub receipts: u64,
}

impl Case {
    /// What was written so far.
    ///
    /// # Errors
    ///
    /// The case cannot be read or is damaged.
    pub fn pulse(&self) -> Result<Pulse, CaseError> {
        self.snapshot(|connection| {
            let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
            let count = |sql: &str| number(sql).map(|n| u64::try_from(n).unwrap_or_default());
            Ok(Pulse {
                scans: count("SELECT coalesce(max(id), 0) FROM scan")?,
                plans: count("SELECT count(*) FROM plan")?,
                receipts: count("SELECT count(*) FROM receipt")?,
            })
        })
    }

    /// A number that changes when another connection, also of another program, has written to the case
    /// (sqlite.org/pragma.html#pragma_data_version).
    ///
    /// # Errors
    ///
    /// The case cannot be read.
    pub fn version_of_data(&self) -> Result<i64, CaseError> {
        self.snapshot(|connection| {
            Ok(connection.query_row("PRAGMA data_version", [], |row| row.get(0))?)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FileRow;
    use unchain_core::ledger::Ledger;

    #[test]
    fn what_another_connection_writes_is_noticed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("unchain.case");
        let mut writer = Case::open(&path).unwrap();
        let reader = Case::open_existing(&path).unwrap();
        let (version, pulse) = (reader.version_of_data().unwrap(), reader.pulse().unwrap());
        assert_eq!(pulse, Pulse::default());
        assert_eq!(reader.version_of_data().unwrap(), version);
        let file = FileRow {
            path: "a".to_owned(),
            read: 1,
            ..FileRow::default()
        };
        writer
            .write(&mut Ledger::default(), std::slice::from_ref(&file))
            .unwrap();
        let later = reader.version_of_data().unwrap();
        assert_ne!(later, version);
        assert_eq!(reader.pulse().unwrap(), Pulse { scans: 1, ..pulse });
        writer.write(&mut Ledger::default(), &[file]).unwrap();
        assert_eq!(
            reader.version_of_data().unwrap(),
            later,
            "the same again changes nothing"
        );
    }
}
