//! Plans that were carried out, and the journal of each. Must not know what a step does.
//!
//! INVARIANT: when [`Case::add_receipt`] comes back its line is on the disk, so that whoever makes a change after it can
//! be sure that the change is found again.

use crate::error::Fault;
use crate::{Case, CaseError};
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};
use unchain_core::contain::{Plan, Receipt, digest, from_json, to_json};
use unchain_core::time::Timestamp;

/// A plan that a case has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanRow {
    /// SHA-256 of the plan, in hexadecimal digits.
    pub digest: String,
    /// The plan's own short name.
    pub id: String,
    /// When it was made, UTC.
    pub made_at: Timestamp,
    /// Lines in its journal.
    pub receipts: u64,
}

impl Case {
    /// Adds a plan, and gives its digest. A plan that is there is left as it is.
    ///
    /// # Errors
    ///
    /// The case cannot be written.
    pub fn add_plan(&mut self, plan: &Plan) -> Result<String, CaseError> {
        self.durably(|connection| {
            let unfit = |_| Fault::Damaged("plan", 0);
            let (name, document) = (digest(plan).map_err(unfit)?, to_json(plan).map_err(unfit)?);
            connection.execute(
                "INSERT OR IGNORE INTO plan VALUES (?,?,?,?)",
                (&name, &plan.id, plan.made_at.seconds(), document),
            )?;
            Ok(name)
        })
    }

    /// Every plan, the oldest first.
    ///
    /// # Errors
    ///
    /// The case cannot be read or is damaged.
    pub fn plans(&self) -> Result<Vec<PlanRow>, CaseError> {
        self.snapshot(|connection| {
            let mut statement = connection.prepare(
                "SELECT digest, id, made_at, (SELECT count(*) FROM receipt WHERE plan = digest) FROM plan \
                 ORDER BY made_at, digest",
            )?;
            let mut rows = statement.query([])?;
            let mut plans = Vec::new();
            while let Some(row) = rows.next()? {
                plans.push(PlanRow {
                    digest: row.get(0)?,
                    id: row.get(1)?,
                    made_at: Timestamp::from_seconds(row.get(2)?),
                    receipts: u64::try_from(row.get::<_, i64>(3)?).unwrap_or_default(),
                });
            }
            Ok(plans)
        })
    }

    /// The one plan whose digest or id begins with `name`; none if there is no such plan.
    ///
    /// # Errors
    ///
    /// Several plans are named so, or the case cannot be read or is damaged.
    pub fn plan(&self, name: &str) -> Result<Option<Plan>, CaseError> {
        let named = |plan: &PlanRow| plan.digest.starts_with(name) || plan.id.starts_with(name);
        let plans = self.plans()?;
        let mut found = plans.iter().filter(|plan| !name.is_empty() && named(plan));
        let Some(first) = found.next() else {
            return Ok(None);
        };
        if found.next().is_some() {
            let path = crate::error::shown(&self.path);
            let name = unchain_core::text::terminal(name).into_owned();
            return Err(CaseError::SeveralPlans { path, name });
        }
        self.snapshot(|connection| read(connection, &first.digest))
            .map(Some)
    }

    /// Adds a line to the journal of a plan that is in the case. The same line again changes nothing.
    ///
    /// # Errors
    ///
    /// Another line has its place: then two programs carry out one plan at once. Or the case cannot be written.
    pub fn add_receipt(&mut self, receipt: &Receipt) -> Result<(), CaseError> {
        self.durably(|connection| add(connection, receipt))
    }

    /// The journal of a plan by its whole digest, in order.
    ///
    /// # Errors
    ///
    /// The case cannot be read or is damaged.
    pub fn receipts(&self, plan: &str) -> Result<Vec<Receipt>, CaseError> {
        self.snapshot(|connection| {
            let mut statement = connection.prepare(
                "SELECT sequence, receipt FROM receipt WHERE plan = ?1 ORDER BY sequence",
            )?;
            let mut rows = statement.query([plan])?;
            let mut receipts = Vec::new();
            while let Some(row) = rows.next()? {
                let (sequence, text): (i64, String) = (row.get(0)?, row.get(1)?);
                let read: Result<Receipt, _> = serde_json::from_str(&text);
                receipts.push(read.map_err(|_| Fault::Damaged("receipt", sequence))?);
            }
            Ok(receipts)
        })
    }

    /// One transaction that is on the disk when it is over. `EXTRA`, as a rollback journal that is deleted may come
    /// back after a power failure until its folder is synchronized too (sqlite.org/pragma.html#pragma_synchronous).
    fn durably<T>(
        &mut self,
        write: impl FnOnce(&Connection) -> Result<T, Fault>,
    ) -> Result<T, CaseError> {
        let write = |connection: &mut Connection| {
            connection.pragma_update(None, "synchronous", "EXTRA")?;
            let behavior = TransactionBehavior::Immediate;
            let transaction = connection.transaction_with_behavior(behavior)?;
            let written = write(&transaction)?;
            transaction.commit()?;
            Ok(written)
        };
        let written = write(&mut self.connection);
        let restored = self.connection.pragma_update(None, "synchronous", "NORMAL");
        let written = written.and_then(|written| restored.map(|()| written).map_err(Fault::Sql));
        written.map_err(|fault| fault.at(&self.path))
    }
}

fn add(connection: &Connection, receipt: &Receipt) -> Result<(), Fault> {
    let place = (&receipt.plan, receipt.sequence);
    let text = serde_json::to_string(receipt).map_err(|_| Fault::Damaged("receipt", 0))?;
    let known = connection
        .query_row(
            "SELECT receipt FROM receipt WHERE plan = ?1 AND sequence = ?2",
            place,
            |row| row.get::<_, String>(0),
        )
        .optional()?;
    match known {
        Some(known) if known == text => Ok(()),
        Some(_) => Err(Fault::Contested(receipt.sequence)),
        None => {
            connection.execute(
                "INSERT INTO receipt VALUES (?,?,?,?)",
                (place.0, place.1, receipt.at.seconds(), text),
            )?;
            Ok(())
        }
    }
}

/// A plan by its digest, which it still has.
fn read(connection: &Connection, name: &str) -> Result<Plan, Fault> {
    let text: String = connection.query_row(
        "SELECT document FROM plan WHERE digest = ?1",
        [name],
        |row| row.get(0),
    )?;
    let damaged = || Fault::Damaged("plan", 0);
    let plan = from_json(&text).map_err(|_| damaged())?;
    let same = digest(&plan).is_ok_and(|digest| digest == name);
    if same { Ok(plan) } else { Err(damaged()) }
}
