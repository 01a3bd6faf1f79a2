//! The suite: the theft, its containment, what each step is worth, undoing it, and policies that are only stored.

use super::emulator::{ACCOUNT, Peer};
use super::matrix::{self, Stands};
use super::program::{Program, Said};
use super::trail::Log;
use super::{at, items, text};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::fs;
use std::io::Write;

/// The credentials of the thief, of bob, who goes on working, and of the responder.
const THIEF: [&str; 9] = ["A", "B", "C", "D", "E", "F", "SPARE", "W", "X"];
const BYSTANDERS: [&str; 3] = ["BOB", "OLIVIA", "Y"];
const LONG_TERM: [&str; 4] = ["A", "BOB", "OLIVIA", "SPARE"];
const RESPONDER: &str = "OLIVIA";
const PLAN: &str = "plan.json";
const ACCOUNTS: &str = "accounts";

/// A theft in an emulator, and the program beside it.
pub(super) struct Suite<'p, 'o> {
    pub(super) program: Program<'p>,
    pub(super) peer: Peer,
    pub(super) log: Log,
    pub(super) out: &'o mut dyn Write,
}

impl Suite<'_, '_> {
    /// Everything, in its order. What is not as it must be ends it.
    pub(super) fn run(&mut self) -> Result<()> {
        let pivot = self.theft()?;
        let before = self.state()?;
        let digest = self.plan(&pivot)?;
        self.apply(&digest)?;
        self.ended("applied")?;
        self.verified()?;
        self.left_out()?;
        self.undone(&before, &digest)?;
        self.stored_only()
    }

    /// The theft is played, and read by the program; the key that leaked.
    fn theft(&mut self) -> Result<String> {
        let played = self.peer.ask(&json!({"ask": "play"}))?;
        let pivot = text(&played, "/ids/key A")?.to_owned();
        let records = self.log.add(&played)?;
        self.stand(|_| Stands::Works, "before")?;
        self.scan()?;
        let works = THIEF.len();
        writeln!(
            self.out,
            "theft: {records} records; {works} stolen credentials work"
        )?;
        Ok(pivot)
    }

    fn scan(&self) -> Result<()> {
        let logs = self.log.folder.to_string_lossy().into_owned();
        Program::must(self.program.run(&["scan", &logs])?, "scan", &[0, 1])?;
        Ok(())
    }

    /// The plan around the key that leaked; its digest.
    fn plan(&mut self, pivot: &str) -> Result<String> {
        self.printed()?;
        let exempt = format!("arn:aws:iam::{ACCOUNT}:user/olivia");
        let ask = ["plan", pivot, "--facts", ACCOUNTS, "--output", PLAN];
        let ask = [&ask[..], &["--exempt", &exempt, "--format", "json"]].concat();
        let said = Program::must(self.program.run(&ask)?, "plan", &[0, 1])?.json()?;
        let standings = items(&said, "/proof/standings")?;
        let calls = self.steps()?.len();
        writeln!(
            self.out,
            "plan: {calls} calls to end {} credentials",
            standings.len()
        )?;
        Ok(text(&said, "/digest")?.to_owned())
    }

    /// Writes the account as it is now, as the AWS CLI would have printed it.
    fn printed(&mut self) -> Result<()> {
        let folder = self.program.folder.join(ACCOUNTS);
        fs::create_dir_all(&folder)?;
        let printed = self.peer.ask(&json!({"ask": "facts"}))?;
        for (name, text) in printed.as_object().into_iter().flatten() {
            fs::write(folder.join(format!("{name}.json")), text.to_string())?;
        }
        Ok(())
    }

    fn apply(&mut self, digest: &str) -> Result<()> {
        self.live(&["apply", PLAN, "--approve", digest, "--facts", ACCOUNTS])?;
        Ok(())
    }

    /// Runs a command that acts in the account, as the responder.
    fn live(&mut self, arguments: &[&str]) -> Result<Said> {
        let said = self.program.live(&mut self.peer, RESPONDER, arguments)?;
        Program::must(said, &arguments.join(" "), &[0])
    }

    /// The steps of the plan that are calls.
    fn steps(&self) -> Result<Vec<Value>> {
        let plan = self.program.file(PLAN)?;
        let steps = items(&plan, "/steps")?.iter().cloned();
        Ok(steps
            .filter(|step| step.pointer("/action/call").is_some())
            .collect())
    }

    fn state(&mut self) -> Result<Value> {
        self.peer.ask(&json!({"ask": "state"}))
    }

    fn matrix(&mut self, names: &[&str]) -> Result<Value> {
        self.peer.ask(&json!({"ask": "matrix", "names": names}))
    }

    /// Asks every service with every credential.
    fn stand(&mut self, stands: impl Fn(&str) -> Stands, when: &str) -> Result<usize> {
        let names = [&THIEF[..], &BYSTANDERS[..]].concat();
        let rows = self.matrix(&names)?;
        let wrong = matrix::otherwise(&rows, &LONG_TERM, stands);
        ensure!(wrong.is_empty(), "{when}: {wrong:#?}");
        Ok(matrix::asked(&rows))
    }

    /// The thief is refused everywhere with the code for it, and nobody else anywhere.
    fn ended(&mut self, when: &str) -> Result<()> {
        let stands = |name: &str| match THIEF.contains(&name) {
            true => Stands::Refused,
            false => Stands::Works,
        };
        let asked = self.stand(stands, when)?;
        let door = self.peer.ask(&json!({"ask": "door"}))?;
        ensure!(
            door == "AccessDenied/403",
            "{when}: the thief's identity provider still opens a role: {door}"
        );
        writeln!(
            self.out,
            "{when}: {asked} answers are as they must be; bob's session of the shared role works on"
        )?;
        Ok(())
    }

    /// The thief tries on; the program reads that, asks with what was stolen, and finds that nothing works.
    fn verified(&mut self) -> Result<()> {
        let played = self.peer.ask(&json!({"ask": "attempts"}))?;
        let records = self.log.add(&played)?;
        self.scan()?;
        let said = self.verify(&[0])?;
        let outcome = text(&said, "/outcome")?;
        let proof = text(&said, "/snapshot/conclusion/is")?;
        ensure!(
            (outcome, proof) == ("contained", "proven"),
            "verify says {outcome}: {said:#}"
        );
        writeln!(
            self.out,
            "verify: {outcome}, {proof} by a fresh snapshot; {records} later records"
        )?;
        Ok(())
    }

    /// Reads the account afresh and asks whether the plan holds.
    fn verify(&mut self, codes: &[i32]) -> Result<Value> {
        self.printed()?;
        let ask = ["verify", PLAN, "--facts", ACCOUNTS, "--format", "json"];
        Program::must(self.program.run(&ask)?, "verify", codes)?.json()
    }

    /// Each step taken back alone: whatever that opens, `verify` must say; and it must always miss the step.
    fn left_out(&mut self) -> Result<()> {
        let (steps, mut opened) = (self.steps()?, 0_usize);
        for step in &steps {
            self.back(step)?;
            let rows = self.matrix(&THIEF)?;
            let open = matrix::open(&rows);
            let said = self.verify(&[0, 1, 2])?;
            let (outcome, number) = (text(&said, "/outcome")?, at(step, "/number")?);
            let missed = items(&said, "/missing")?.iter();
            ensure!(
                missed
                    .clone()
                    .any(|missed| missed.get("step") == Some(number)),
                "step {number} was taken back, and verify does not miss it: {said:#}"
            );
            ensure!(
                outcome != "contained" && (open.is_empty() || outcome == "lives"),
                "step {number} was taken back and opened {open:?}; verify says {outcome}: {said:#}"
            );
            opened += usize::from(!open.is_empty());
            self.again(step, &steps)?;
        }
        let count = steps.len();
        writeln!(
            self.out,
            "left out: each of {count} steps is missed; {opened} alone let something live, and verify says so"
        )?;
        self.ended("put again")
    }

    /// Takes back a step, by the calls that the plan says would.
    fn back(&mut self, step: &Value) -> Result<()> {
        for call in items(step, "/undo/calls")? {
            self.call(call)?;
        }
        Ok(())
    }

    /// Carries a step out again, and those after it that change the same.
    fn again(&mut self, step: &Value, steps: &[Value]) -> Result<()> {
        let (number, target) = (at(step, "/number")?, at(step, "/target")?);
        for other in steps {
            let later = at(other, "/number")?.as_u64() >= number.as_u64();
            if later && at(other, "/target")? == target {
                self.call(at(other, "/action/call")?)?;
            }
        }
        Ok(())
    }

    /// A call of the plan, made by the responder without the program.
    fn call(&mut self, call: &Value) -> Result<()> {
        let action = (text(call, "/action")?, at(call, "/parameters")?.clone());
        self.peer.call(RESPONDER, text(call, "/service")?, action)?;
        Ok(())
    }

    /// Undoing gives back exactly what was there.
    fn undone(&mut self, before: &Value, digest: &str) -> Result<()> {
        self.live(&["undo", PLAN, "--approve", digest])?;
        let after = self.state()?;
        ensure!(
            &after == before,
            "undone, the account is not as it was: {before:#} and {after:#}"
        );
        self.stand(|_| Stands::Works, "undone")?;
        writeln!(
            self.out,
            "undo: the account is as it was, and every credential works again"
        )?;
        Ok(())
    }

    /// Policies that are stored and not enforced: the emulator attaches AWS's own without their documents. In the place
    /// of ours they leave the thief's sessions alive, and `verify` must not be content with what is attached.
    fn stored_only(&mut self) -> Result<()> {
        for step in self.steps()? {
            let call = at(&step, "/action/call")?;
            match text(&step, "/phase")? {
                "deny" => self.call(&attach_deny_all(call)?)?,
                "keys" => self.call(call)?,
                _ => {}
            }
        }
        let sessions = THIEF.into_iter().filter(|name| !LONG_TERM.contains(name));
        let rows = self.matrix(&sessions.collect::<Vec<_>>())?;
        let wrong = matrix::otherwise(&rows, &LONG_TERM, |_| Stands::Works);
        ensure!(
            wrong.is_empty(),
            "the emulator enforces AWSDenyAll now: {wrong:#?}"
        );
        let said = self.verify(&[1, 2])?;
        let outcome = text(&said, "/outcome")?;
        ensure!(
            outcome != "contained",
            "verify is content with AWSDenyAll: {said:#}"
        );
        writeln!(
            self.out,
            "AWSDenyAll attached, and not enforced here: verify says {outcome}"
        )?;
        Ok(())
    }
}

/// Attaching AWS's own deny to whom a step puts ours on.
fn attach_deny_all(call: &Value) -> Result<Value> {
    let members = ["User", "Role"].into_iter();
    let mut of = members.filter_map(|kind| {
        let member = format!("{kind}Name");
        let name = call.get("parameters")?.get(&member)?.clone();
        Some((kind, member, name))
    });
    let (kind, member, name) = of.next().context("a deny on nobody")?;
    let parameters = json!({member: name, "PolicyArn": "arn:aws:iam::aws:policy/AWSDenyAll"});
    Ok(json!({"service": "iam", "action": format!("Attach{kind}Policy"), "parameters": parameters}))
}
