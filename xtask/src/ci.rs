//! The whole check: what runs here is what must pass before a change goes in.
//!
//! Each step is a command line that a person can paste; the first and the test command are those of
//! the README, and a test holds the two texts equal. Must not know what the steps check.

use anyhow::{Context, Result};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// The README's first command: the main job on the trail that the repository carries.
pub(crate) const FIRST_COMMAND: &str = "cargo run --release -- scan scenarios/whack-a-mole/trail";
/// The README's test command.
pub(crate) const TEST_COMMAND: &str = "cargo test --workspace --locked";

/// Runs the steps in order, stops at the first failure, and ends with the line `N passed, N failed`.
pub(crate) fn run(out: &mut dyn Write) -> Result<ExitCode> {
    let mut tests = Tests::default();
    let mut done = Vec::new();
    let mut failure = None;
    for step in STEPS {
        writeln!(out, "\n== {}: {}", step.name, step.line())?;
        let outcome = step.run(out)?;
        tests.add(outcome.tests);
        failure = step.failure(&outcome);
        done.push((step, outcome));
        if failure.is_some() {
            break;
        }
    }
    writeln!(out, "\n{:<12} {:>9}  exit code", "step", "time")?;
    for (step, outcome) in &done {
        let code = outcome
            .code
            .map_or_else(|| "killed".to_owned(), |code| code.to_string());
        let skipped = if outcome.skipped { ", SKIPPED" } else { "" };
        writeln!(
            out,
            "{:<12} {:>8.1}s  {code}{skipped}",
            step.name,
            outcome.time.as_secs_f64()
        )?;
    }
    if let Some(failure) = &failure {
        writeln!(out, "failed: {failure}")?;
    }
    writeln!(out, "{tests}")?;
    Ok(if failure.is_some() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// What a step must show besides its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Proof {
    /// Nothing: exit code 0 is enough.
    ExitCode,
    /// Tests ran, or the machine lacks what they need.
    Tests,
    /// The program did its job: it printed an answer and ended with 0 (clean) or 1 (findings).
    Answer,
}

/// One command line, and what makes it a success.
#[derive(Clone, Copy, Debug)]
struct Step {
    name: &'static str,
    environment: &'static [(&'static str, &'static str)],
    command: &'static str,
    proof: Proof,
}

const STEPS: &[Step] = &[
    Step {
        name: "tests",
        environment: &[],
        command: TEST_COMMAND,
        proof: Proof::Tests,
    },
    Step {
        name: "format",
        environment: &[],
        command: "cargo fmt --all --check",
        proof: Proof::ExitCode,
    },
    Step {
        name: "lints",
        environment: &[],
        command: "cargo clippy --workspace --all-targets --locked -- -D warnings",
        proof: Proof::ExitCode,
    },
    Step {
        name: "rustdoc",
        environment: &[("RUSTDOCFLAGS", "-D warnings")],
        command: "cargo doc --workspace --no-deps --locked",
        proof: Proof::ExitCode,
    },
    Step {
        name: "papers",
        environment: &[],
        command: "cargo xtask docs --check",
        proof: Proof::ExitCode,
    },
    Step {
        name: "scenarios",
        environment: &[],
        command: "cargo xtask scenario check",
        proof: Proof::ExitCode,
    },
    Step {
        name: "ministack",
        environment: &[],
        command: "cargo xtask ministack",
        proof: Proof::ExitCode,
    },
    Step {
        name: "api",
        environment: &[],
        command: "cargo xtask api",
        proof: Proof::ExitCode,
    },
    Step {
        name: "browser",
        environment: &[],
        command: "cargo xtask browser",
        proof: Proof::Tests,
    },
    Step {
        name: "fresh user",
        environment: &[],
        command: FIRST_COMMAND,
        proof: Proof::Answer,
    },
];

/// What a step did.
#[derive(Debug)]
struct Outcome {
    /// `None` if a signal ended it.
    code: Option<i32>,
    time: Duration,
    tests: Tests,
    /// How many lines it wrote to standard output.
    lines: u64,
    /// It said that this machine lacks what it needs.
    skipped: bool,
}

/// How many tests ran, added up over the `test result:` lines of `cargo test`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tests {
    passed: u64,
    failed: u64,
}

impl Tests {
    fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }

    /// Reads `test result: ok. 3 passed; 0 failed; …`; `None` for any other line.
    fn of_line(line: &str) -> Option<Self> {
        let counts = line.strip_prefix("test result: ")?;
        let count = |what: &str| -> Option<u64> {
            let part = counts
                .split([';', '.'])
                .find(|part| part.trim_end().ends_with(what))?;
            part.split_whitespace().next()?.parse().ok()
        };
        Some(Self {
            passed: count(" passed")?,
            failed: count(" failed")?,
        })
    }
}

impl std::fmt::Display for Tests {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

impl Step {
    fn line(&self) -> String {
        let variables = self
            .environment
            .iter()
            .map(|(name, value)| format!("{name}=\"{value}\" "));
        variables.chain([self.command.to_owned()]).collect()
    }

    /// Runs the command with its output passed on line by line.
    fn run(&self, out: &mut dyn Write) -> Result<Outcome> {
        let started = Instant::now();
        let mut child = self
            .prepare()
            .spawn()
            .with_context(|| format!("cannot start `{}`", self.command))?;
        let mut outcome = Outcome {
            code: None,
            time: Duration::ZERO,
            tests: Tests::default(),
            lines: 0,
            skipped: false,
        };
        if let Some(stdout) = child.stdout.take() {
            for line in BufReader::new(stdout).split(b'\n') {
                let line = line?;
                let line = String::from_utf8_lossy(&line);
                writeln!(out, "{line}")?;
                outcome.lines += 1;
                outcome.skipped |= line.starts_with("SKIPPED");
                if self.proof == Proof::Tests {
                    outcome.tests.add(Tests::of_line(&line).unwrap_or_default());
                }
            }
        }
        outcome.code = child.wait()?.code();
        outcome.time = started.elapsed();
        Ok(outcome)
    }

    fn prepare(&self) -> Command {
        let mut words = self.command.split_whitespace();
        let mut command = crate::by_hand(words.next().unwrap_or("cargo"));
        command.args(words).envs(self.environment.iter().copied());
        command
            .current_dir(crate::workspace())
            .stdout(Stdio::piped());
        if self.proof == Proof::Answer {
            // A fresh user has none of our settings.
            command.env_remove("UNCHAIN_CORPUS");
        }
        command
    }

    fn failure(&self, outcome: &Outcome) -> Option<String> {
        let good_code = match self.proof {
            Proof::ExitCode | Proof::Tests => outcome.code == Some(0),
            Proof::Answer => matches!(outcome.code, Some(0 | 1)),
        };
        let reason = match self.proof {
            _ if !good_code => "it ended with a bad exit code",
            Proof::Tests if outcome.tests.passed == 0 && !outcome.skipped => "no test ran",
            Proof::Tests if outcome.tests.failed > 0 => "a test failed",
            Proof::Answer if outcome.lines == 0 => "it printed no answer",
            Proof::ExitCode | Proof::Tests | Proof::Answer => return None,
        };
        Some(format!("{}: {reason}", self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_results_are_read_from_their_lines() {
        let line = "test result: FAILED. 12 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.02s";
        assert_eq!(
            Tests::of_line(line),
            Some(Tests {
                passed: 12,
                failed: 3
            })
        );
        assert_eq!(Tests::of_line("test result"), None);
        assert_eq!(Tests::of_line("12 passed; 3 failed"), None);
    }

    #[test]
    fn the_closing_line_has_its_exact_form() {
        assert_eq!(
            Tests {
                passed: 340,
                failed: 0
            }
            .to_string(),
            "340 passed, 0 failed"
        );
    }

    #[test]
    fn readme_gives_the_commands_that_ci_runs() {
        let readme = std::fs::read_to_string(crate::workspace().join("README.md")).unwrap();
        let commands: Vec<&str> = readme
            .lines()
            .filter(|line| line.starts_with("cargo "))
            .collect();
        assert_eq!(commands.first(), Some(&FIRST_COMMAND));
        assert_eq!(commands.get(1), Some(&TEST_COMMAND));
    }

    #[test]
    fn a_step_fails_for_what_it_did_not_show() {
        let tests = Step {
            name: "tests",
            environment: &[],
            command: "true",
            proof: Proof::Tests,
        };
        let answer = Step {
            proof: Proof::Answer,
            ..tests
        };
        let outcome = |code, passed, lines| Outcome {
            code: Some(code),
            time: Duration::ZERO,
            tests: Tests { passed, failed: 0 },
            lines,
            skipped: false,
        };
        assert_eq!(tests.failure(&outcome(0, 3, 9)), None);
        assert!(tests.failure(&outcome(0, 0, 9)).is_some());
        assert!(tests.failure(&outcome(101, 3, 9)).is_some());
        assert_eq!(answer.failure(&outcome(1, 0, 9)), None);
        assert!(answer.failure(&outcome(1, 0, 0)).is_some());
        assert!(answer.failure(&outcome(2, 0, 9)).is_some());
    }

    #[test]
    fn steps_run_and_are_counted() {
        let step = Step {
            name: "echo",
            environment: &[],
            command: "echo test result: ok. 2 passed; 0 failed;",
            proof: Proof::Tests,
        };
        let mut out = Vec::new();
        let outcome = step.run(&mut out).unwrap();
        assert_eq!(
            (outcome.code, outcome.tests, outcome.lines),
            (
                Some(0),
                Tests {
                    passed: 2,
                    failed: 0
                },
                1
            )
        );
        assert_eq!(out, b"test result: ok. 2 passed; 0 failed;\n");
        assert!(!outcome.skipped);
    }

    #[test]
    fn a_step_is_not_told_what_cargo_told_us() {
        let step = Step {
            name: "environment",
            environment: &[],
            command: "env",
            proof: Proof::ExitCode,
        };
        let mut out = Vec::new();
        step.run(&mut out).unwrap();
        let told = String::from_utf8_lossy(&out);
        assert!(told.contains("PATH=") && !told.contains("CARGO_MANIFEST_DIR="));
        assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    }

    #[test]
    fn a_step_says_that_it_was_skipped() {
        let step = Step {
            name: "echo",
            environment: &[],
            command: "echo SKIPPED  for want of it",
            proof: Proof::ExitCode,
        };
        let outcome = step.run(&mut Vec::new()).unwrap();
        assert!(outcome.skipped);
        assert_eq!(step.failure(&outcome), None);
    }
}
