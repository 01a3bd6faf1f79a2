//! What every pass does: the theft, its plan, carrying it out, and asking who still gets in.

use super::emulator::{ACCOUNT, Peer};
use super::matrix::{self, Stands};
use super::program::{Program, Said};
use super::trail::Log;
use super::{items, text};
use anyhow::{Result, ensure};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The credentials of the thief.
pub(super) const THIEF: [&str; 9] = ["A", "B", "C", "D", "E", "F", "SPARE", "W", "X"];
/// Those of bob, who goes on working, and of the responder.
const BYSTANDERS: [&str; 4] = ["BOB", "OLIVIA", "Y", "Z"];
pub(super) const LONG_TERM: [&str; 4] = ["A", "BOB", "OLIVIA", "SPARE"];
pub(super) const RESPONDER: &str = "OLIVIA";
/// The stolen session that `verify` tries as well.
const HELD: &str = "C";
pub(super) const PLAN: &str = "plan.json";
const ACCOUNTS: &str = "accounts.json";
/// Calls that read an account, and that the emulator does not know.
const ABSENT: [&str; 3] = [
    "iam ListServiceSpecificCredentials",
    "rolesanywhere ListProfiles",
    "rolesanywhere ListTrustAnchors",
];

/// A theft in an emulator, and the program beside it.
pub(super) struct Suite<'p> {
    pub(super) program: Program<'p>,
    pub(super) peer: Peer,
    pub(super) log: Log,
    /// What was found, line by line.
    pub(super) told: Vec<String>,
}

impl Suite<'_> {
    /// The theft is played, and read by the program; the key that leaked.
    pub(super) fn theft(&mut self) -> Result<String> {
        let played = self.peer.ask(&json!({"ask": "play"}))?;
        let pivot = text(&played, "/ids/key A")?.to_owned();
        let records = self.log.add(&played)?;
        self.stand(&everybody(), |_| Stands::Works, "before")?;
        self.program.profiles(&mut self.peer, &everybody())?;
        self.scan()?;
        let works = THIEF.len();
        self.tell(format!(
            "theft: {records} records; {works} stolen credentials work"
        ));
        Ok(pivot)
    }

    pub(super) fn tell(&mut self, line: String) {
        self.told.push(line);
    }

    fn scan(&self) -> Result<()> {
        let logs = self.log.folder.to_string_lossy().into_owned();
        Program::must(self.program.run(&["scan", &logs])?, "scan", &[0, 1])?;
        Ok(())
    }

    /// The plan around the key that leaked, from the account as the program read it; its digest.
    pub(super) fn plan(&mut self, pivot: &str, options: &[&str]) -> Result<String> {
        self.save(ACCOUNTS)?;
        let exempt = format!("arn:aws:iam::{ACCOUNT}:user/olivia");
        let ask = ["plan", pivot, "--facts", ACCOUNTS, "--output", PLAN];
        let ask = [
            &ask[..],
            &["--exempt", &exempt, "--format", "json"],
            options,
        ]
        .concat();
        let said = Program::must(self.program.run(&ask)?, "plan", &[0, 1])?.json()?;
        let standings = items(&said, "/proof/standings")?.len();
        let calls = self.steps()?.len();
        self.tell(format!(
            "plan: {calls} calls to end {standings} credentials"
        ));
        Ok(text(&said, "/digest")?.to_owned())
    }

    /// Has the program read the account, and keep it. All that it cannot read is what the emulator does not have.
    pub(super) fn save(&self, name: &str) -> Result<()> {
        self.live(&["inspect", "--save", name], &[2])?;
        let facts = self.program.file(name)?;
        let unread: BTreeSet<&str> = items(&facts, "/unread")?
            .iter()
            .filter_map(Value::as_str)
            .map(|what| {
                ABSENT
                    .into_iter()
                    .find(|call| what.starts_with(call))
                    .unwrap_or(what)
            })
            .collect();
        ensure!(
            unread == ABSENT.into(),
            "the program could not read {unread:#?}"
        );
        Ok(())
    }

    /// Runs a command that asks the emulator, as the responder.
    pub(super) fn live(&self, arguments: &[&str], codes: &[i32]) -> Result<Said> {
        let said = self.program.live(RESPONDER, arguments)?;
        Program::must(said, &arguments.join(" "), codes)
    }

    /// The steps of the plan that are calls.
    pub(super) fn steps(&self) -> Result<Vec<Value>> {
        let plan = self.program.file(PLAN)?;
        let steps = items(&plan, "/steps")?.iter().cloned();
        Ok(steps
            .filter(|step| step.pointer("/action/call").is_some())
            .collect())
    }

    pub(super) fn state(&mut self) -> Result<Value> {
        self.peer.ask(&json!({"ask": "state"}))
    }

    pub(super) fn matrix(&mut self, names: &[&str]) -> Result<Value> {
        self.peer.ask(&json!({"ask": "matrix", "names": names}))
    }

    /// Asks every service with these credentials; the number of answers, each of which was as it must be.
    pub(super) fn stand(
        &mut self,
        names: &[&str],
        stands: impl Fn(&str) -> Stands,
        when: &str,
    ) -> Result<usize> {
        let rows = self.matrix(names)?;
        let wrong = matrix::otherwise(&rows, &LONG_TERM, stands);
        ensure!(wrong.is_empty(), "{when}: {wrong:#?}");
        Ok(matrix::asked(&rows))
    }

    /// The thief and `cut_off` are refused everywhere with the code for it, and nobody else anywhere.
    pub(super) fn ended(&mut self, when: &str, cut_off: &[&str]) -> Result<()> {
        let stands = |name: &str| match THIEF.contains(&name) || cut_off.contains(&name) {
            true => Stands::Refused,
            false => Stands::Works,
        };
        let asked = self.stand(&everybody(), stands, when)?;
        self.shut(when)?;
        self.tell(format!(
            "{when}: {asked} answers are as they must be; bob's session of the shared role works on"
        ));
        Ok(())
    }

    /// The identity provider of the thief opens nothing.
    pub(super) fn shut(&mut self, when: &str) -> Result<()> {
        let door = self.peer.ask(&json!({"ask": "door"}))?;
        ensure!(
            door == "AccessDenied/403",
            "{when}: the thief's identity provider still opens a role: {door}"
        );
        Ok(())
    }

    /// The thief tries on; the program reads that, asks with what was stolen, and finds that nothing works.
    pub(super) fn verified(&mut self) -> Result<()> {
        let played = self.peer.ask(&json!({"ask": "attempts"}))?;
        let records = self.log.add(&played)?;
        self.scan()?;
        let said = self.verify(&self.probing(), &[0])?;
        let says = |place: &str| text(&said, place);
        let outcome = says("/outcome")?;
        let (accounts, probe) = (
            says("/snapshot/conclusion/is")?,
            says("/probe/conclusion/is")?,
        );
        ensure!(
            (outcome, accounts, probe) == ("contained", "proven", "proven"),
            "verify says {outcome}: {said:#}"
        );
        let line = format!(
            "verify: {outcome}, {accounts} by the account and by session {HELD}; {records} later records"
        );
        self.tell(line);
        Ok(())
    }

    /// Has the program read the account afresh, and say whether the plan holds.
    pub(super) fn verify(&self, options: &[&str], codes: &[i32]) -> Result<Value> {
        let ask = [&["verify", PLAN, "--format", "json"], options].concat();
        self.live(&ask, codes)?.json()
    }

    /// The options that have `verify` try a stolen session as well.
    pub(super) fn probing(&self) -> [&str; 4] {
        let url = &self.program.emulator.url;
        ["--probe-profile", HELD, "--probe-endpoint-url", url]
    }

    /// A call of a plan, made by the responder without the program.
    pub(super) fn call(&mut self, call: &Value) -> Result<()> {
        let parameters = super::at(call, "/parameters")?.clone();
        let action = (text(call, "/action")?, parameters);
        self.peer.call(RESPONDER, text(call, "/service")?, action)?;
        Ok(())
    }
}

/// Every credential of the story.
pub(super) fn everybody() -> Vec<&'static str> {
    [&THIEF[..], &BYSTANDERS[..]].concat()
}
