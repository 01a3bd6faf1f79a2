//! `unchain lab clock`: shows and turns the clock of a running lab.

use super::{Reach, control};
use crate::args::Context;
use crate::exit::Exit;
use clap::Args;
use serde_json::{Value, json};

/// Show the lab's clock, turn it, stop it or let it run
#[derive(Debug, Args)]
pub(super) struct ClockCommand {
    /// `+13h` or `-1d` to move it, a time to set it, `freeze`, or `run`
    #[arg(value_name = "WHAT", allow_hyphen_values = true)]
    what: Option<String>,
    #[command(flatten)]
    reach: Reach,
}

impl ClockCommand {
    pub(super) fn run(&self, context: &mut Context<'_>) -> anyhow::Result<Exit> {
        let wire = self.reach.wire()?;
        let shown = match self.what.as_deref() {
            None => wire.read("clock").map_err(anyhow::Error::msg)?,
            Some(what) => control(&wire, "clock", &turn(what))?,
        };
        let now = shown.get("now").and_then(Value::as_str).unwrap_or("-");
        let frozen = shown.get("frozen") == Some(&Value::Bool(true));
        writeln!(
            context.out,
            "{now}{}",
            if frozen { " (frozen)" } else { "" }
        )?;
        Ok(Exit::Clean)
    }
}

/// What to ask the lab.
fn turn(what: &str) -> Value {
    match what {
        "freeze" => json!({"freeze": true}),
        "run" => json!({"freeze": false}),
        _ if what.starts_with(['+', '-']) => json!({"advance": what}),
        _ => json!({"set": what}),
    }
}
