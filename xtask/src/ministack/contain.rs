//! The pass that contains and takes back: what the plan ends, what each step is worth, undoing it, and policies that
//! are only stored.

use super::matrix::{self, Stands};
use super::suite::{LONG_TERM, PLAN, Suite, THIEF, everybody};
use super::{at, items, text};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

/// The account as it was read when the plan was in force.
const DENIED: &str = "denied.json";

impl Suite<'_> {
    /// Everything, in its order. What is not as it must be ends it.
    pub(super) fn contained(&mut self) -> Result<()> {
        let pivot = self.theft()?;
        let before = self.state()?;
        let digest = self.plan(&pivot, &[])?;
        self.live(&["apply", PLAN, "--approve", &digest], &[0])?;
        self.ended("applied", &[])?;
        self.verified()?;
        self.save(DENIED)?;
        self.left_out()?;
        self.undone(&before, &digest)?;
        self.only_told()?;
        self.stored_only()
    }

    /// Each step taken back alone: whatever that opens, `verify` must say; and it must always miss the step.
    fn left_out(&mut self) -> Result<()> {
        let (steps, mut opened) = (self.steps()?, 0_usize);
        for step in &steps {
            self.back(step)?;
            let rows = self.matrix(&THIEF)?;
            let open = matrix::open(&rows);
            let said = self.verify(&[], &[0, 1, 2])?;
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
        self.tell(format!(
            "left out: each of {count} steps is missed; {opened} alone let something live, and verify says so"
        ));
        self.ended("put again", &[])
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

    /// Undoing gives back exactly what was there.
    fn undone(&mut self, before: &Value, digest: &str) -> Result<()> {
        self.live(&["undo", PLAN, "--approve", digest], &[0])?;
        let after = self.state()?;
        ensure!(
            &after == before,
            "undone, the account is not as it was: {before:#} and {after:#}"
        );
        self.stand(&everybody(), |_| Stands::Works, "undone")?;
        self.tell("undo: the account is as it was, and every credential works again".to_owned());
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
        let accounts = self.lives(&[])?;
        self.tell(format!(
            "AWSDenyAll attached, and not enforced here: the account is {accounts}, the stolen session works, and \
             verify says so"
        ));
        Ok(())
    }

    /// Denies that are there to be read, and that nobody enforces: only the stolen session tells.
    fn only_told(&mut self) -> Result<()> {
        let accounts = self.lives(&["--facts", DENIED])?;
        ensure!(accounts == "proven", "the denies of {DENIED}: {accounts}");
        self.tell(
            "denies that are read and not in force: the stolen session alone makes verify fail"
                .to_owned(),
        );
        Ok(())
    }

    /// `verify` finds that the stolen session works; what it says by the account alone.
    fn lives(&self, options: &[&str]) -> Result<String> {
        let said = self.verify(&[options, &self.probing()].concat(), &[1])?;
        let (outcome, probe) = (
            text(&said, "/outcome")?,
            text(&said, "/probe/conclusion/is")?,
        );
        ensure!(
            (outcome, probe) == ("lives", "refuted"),
            "a stolen session works, and verify says {outcome}: {said:#}"
        );
        Ok(text(&said, "/snapshot/conclusion/is")?.to_owned())
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
