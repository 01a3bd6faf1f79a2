//! Reads cases of policy evaluation, one JSON object a line, and prints an answer to each; docs/policy-cases.md
//! says what they hold. The exit code is 1 when an answer is not the expected one or a line cannot be read.

#[path = "../tests/common/case.rs"]
mod case;

use case::Case;
use serde_json::json;
use std::io::{self, BufRead, Write};
use std::process::ExitCode;

fn main() -> io::Result<ExitCode> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut failed = false;
    for (line, text) in io::stdin().lock().lines().enumerate() {
        let answer = serde_json::from_str::<Case>(&text?)
            .map_err(|error| error.to_string())
            .and_then(|case| {
                case.answer()
                    .map_err(|error| format!("{}: {error}", case.name))
            });
        match answer {
            Ok(answer) => {
                failed |= answer.agrees == Some(false);
                serde_json::to_writer(&mut out, &answer)?;
                writeln!(out)?;
            }
            Err(error) => {
                failed = true;
                writeln!(out, "{}", json!({ "line": line + 1, "error": error }))?;
            }
        }
    }
    out.flush()?;
    Ok(ExitCode::from(u8::from(failed)))
}
