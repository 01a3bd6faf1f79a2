//! The pass that evicts and deletes: what the thief made is ended, that is proven, and then it is gone.

use super::emulator::ACCOUNT;
use super::matrix::{self, Stands};
use super::suite::{PLAN, Suite, THIEF, everybody};
use super::text;
use anyhow::{Result, ensure};
use serde_json::{Value, json};

/// The user, device, role and provider that the thief made, as IAM tells of them.
const MADE: [&str; 4] = [
    "svc-backup",
    "svc-backup-phone",
    "ci-sync",
    "tokens.example.net",
];
/// The credentials of what is deleted.
const DELETED: [&str; 3] = ["E", "SPARE", "W"];
/// Bob's session of a role that is not shared: it has to be begun anew.
const CUT_OFF: [&str; 1] = ["Z"];

impl Suite<'_> {
    /// Everything, in its order. What is not as it must be ends it.
    pub(super) fn evicted(&mut self) -> Result<()> {
        let pivot = self.theft()?;
        let (left, password) = self.left()?;
        ensure!(
            left.len() == MADE.len() + 1 && password == "OK",
            "before: {left:?}, password {password}"
        );
        let shared = format!("arn:aws:iam::{ACCOUNT}:role/customer-data-admin");
        let options = ["--level", "evict", "--remove", "--shared", &shared];
        let digest = self.plan(&pivot, &options)?;
        let apply = ["apply", PLAN, "--approve", &digest];
        // 2: what deletes waits for the proof.
        self.live(&apply, &[2])?;
        self.ended("evicted", &CUT_OFF)?;
        let (left, password) = self.left()?;
        ensure!(
            left.len() == MADE.len() + 1 && password == "NoSuchEntity/404",
            "evicted, not verified: {left:?}, password {password}"
        );
        self.verified()?;
        self.live(&apply, &[0])?;
        self.removed()?;
        let said = self.verify(&self.probing(), &[0])?;
        self.tell(format!("verify again: {}", text(&said, "/outcome")?));
        Ok(())
    }

    /// What the thief made is nowhere, what it held opens nothing, and bob works on.
    fn removed(&mut self) -> Result<()> {
        let (left, password) = self.left()?;
        ensure!(
            left.is_empty(),
            "deleted, and IAM still tells of {left:?}; password {password}"
        );
        let rows = self.matrix(&DELETED)?;
        let open = matrix::open(&rows);
        ensure!(open.is_empty(), "deleted, and {open:?} work: {rows:#}");
        let mut others = everybody();
        others.retain(|name| !DELETED.contains(name));
        let stands = |name: &str| match THIEF.contains(&name) || CUT_OFF.contains(&name) {
            true => Stands::Refused,
            false => Stands::Works,
        };
        let asked = self.stand(&others, stands, "deleted")?;
        self.shut("deleted")?;
        let answers = asked + matrix::asked(&rows);
        self.tell(format!(
            "deleted: IAM knows nothing of {MADE:?} any more; {answers} answers are as they must be"
        ));
        Ok(())
    }

    /// What IAM still tells of that the thief made, with the key of its user; and what it says of the user's password.
    fn left(&mut self) -> Result<(Vec<String>, String)> {
        let state = self.state()?;
        let held = self
            .peer
            .ask(&json!({"ask": "credentials", "name": "SPARE"}))?;
        let mut made = MADE.map(str::to_owned).to_vec();
        made.push(text(&held, "/AccessKeyId")?.to_owned());
        let told = state.to_string();
        // A name that begins as another does not stand for it.
        made.retain(|name| told.contains(&format!("{name}\"")));
        let password = state.pointer("/users/svc-backup/password");
        let password = password.and_then(Value::as_str).unwrap_or("of nobody");
        Ok((made, password.to_owned()))
    }
}
