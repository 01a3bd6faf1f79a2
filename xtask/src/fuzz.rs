//! Fuzzing: runs the targets of `fuzz/` for a stated time each, beginning from our own scenarios.
//!
//! cargo-fuzz asks for compiler switches that a stable compiler keeps behind `RUSTC_BOOTSTRAP`; that
//! is set for these builds and for nothing else, so that one pinned toolchain serves every chore.

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use unchain_trail::Trail;
use walkdir::WalkDir;

/// What to fuzz, and for how long.
#[derive(Debug, clap::Args)]
pub(crate) struct FuzzArgs {
    /// One target; all of them, one after another, if not given
    target: Option<Target>,
    /// How long each target runs
    #[arg(long, value_name = "N", default_value_t = 60)]
    seconds: u32,
}

/// A file of `fuzz/fuzz_targets`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Target {
    /// The fast path reads what the plain path reads
    Record,
    /// Any bytes are read, and read = parsed + refused
    Envelope,
    /// Identifiers print as they were read
    Arn,
    /// A trail prints as it was read
    Trail,
    /// Asking few Sigma rules finds what asking all finds
    Sigma,
    /// A policy prints as it was read, and knowing more never contradicts
    Policy,
    /// Signed requests are answered, and a saved world answers as it did
    Lab,
    /// Answers about accounts are read or refused, and facts that were kept are the same facts
    Facts,
    /// A plan prints as it was read, and can be asked
    Plan,
}

/// Runs the targets; the first that finds something ends it.
pub(crate) fn run(args: &FuzzArgs, out: &mut dyn Write) -> Result<()> {
    let version = Command::new("cargo")
        .args(["fuzz", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !version.is_ok_and(|status| status.success()) {
        bail!("cargo-fuzz is not installed; hint: cargo install cargo-fuzz --locked");
    }
    let root = crate::workspace();
    for target in args
        .target
        .map_or(Target::value_variants().to_vec(), |target| vec![target])
    {
        let corpus = root.join("fuzz/corpus").join(target.name());
        let seeds = write_seeds(&seeds(target, &root.join("scenarios"))?, &corpus)?;
        writeln!(
            out,
            "== {}: {seeds} seeds, {} s",
            target.name(),
            args.seconds
        )?;
        let run = |mut command: Command| {
            command
                .current_dir(&root)
                .status()
                .context("cannot start cargo-fuzz")
        };
        if !run(target.build())?.success() {
            bail!("target `{}` does not build", target.name());
        }
        if !run(target.command(args.seconds))?.success() {
            bail!(
                "target `{}` found something; hint: the input is in fuzz/artifacts/{0}",
                target.name()
            );
        }
        writeln!(
            out,
            "{}: nothing found in {} s",
            target.name(),
            args.seconds
        )?;
    }
    Ok(())
}

impl Target {
    fn name(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::Envelope => "envelope",
            Self::Arn => "arn",
            Self::Trail => "trail",
            Self::Sigma => "sigma",
            Self::Policy => "policy",
            Self::Lab => "lab",
            Self::Facts => "facts",
            Self::Plan => "plan",
        }
    }

    fn build(self) -> Command {
        let mut command = Command::new("cargo");
        command
            .env("RUSTC_BOOTSTRAP", "1")
            .args(["fuzz", "build", self.name()]);
        command
    }

    fn command(self, seconds: u32) -> Command {
        let mut command = Command::new("cargo");
        command
            .env("RUSTC_BOOTSTRAP", "1")
            .args(["fuzz", "run", self.name(), "--"]);
        command
            .arg(format!("-max_total_time={seconds}"))
            .args(["-timeout=10", "-print_final_stats=1"]);
        match self {
            Self::Record | Self::Envelope => {
                command.args(["-max_len=16384", "-dict=fuzz/record.dict"])
            }
            Self::Arn => command.args(["-max_len=512"]),
            Self::Trail => command.args(["-max_len=4096", "-dict=fuzz/trail.dict"]),
            Self::Sigma => command.args(["-max_len=4096", "-dict=fuzz/sigma.dict"]),
            Self::Policy => command.args(["-max_len=2048", "-dict=fuzz/policy.dict"]),
            Self::Lab => command.args(["-max_len=4096", "-dict=fuzz/lab.dict"]),
            Self::Facts => command.args(["-max_len=8192", "-dict=fuzz/facts.dict"]),
            Self::Plan => command.args(["-max_len=32768", "-dict=fuzz/policy.dict"]),
        };
        command
    }
}

/// Inputs to begin from: our own stories and what they expand to.
fn seeds(target: Target, scenarios: &Path) -> Result<Vec<Vec<u8>>> {
    match target {
        Target::Policy => return Ok(policies_of_the_cases()),
        Target::Lab => return Ok(requests_of_the_lab()),
        Target::Facts => return Ok(lines(include_str!("../../fuzz/facts.seeds"))),
        Target::Plan => return Ok(lines(include_str!("../../fuzz/plan.seeds"))),
        _ => {}
    }
    let mut seeds = Vec::new();
    for entry in WalkDir::new(scenarios).sort_by_file_name() {
        let path = entry?.into_path();
        if path
            .extension()
            .is_none_or(|extension| extension != "trail")
            || !path.is_file()
        {
            continue;
        }
        let story = fs::read_to_string(&path)
            .with_context(|| format!("cannot read `{}`", path.display()))?;
        seeds.extend(
            seeds_of_story(target, &story).with_context(|| format!("in `{}`", path.display()))?,
        );
    }
    Ok(seeds)
}

/// The rules that docs/sigma.md gives as examples.
fn rules_of_the_paper() -> Vec<Vec<u8>> {
    let paper = include_str!("../../docs/sigma.md");
    let blocks = paper.split("```yaml\n").skip(1);
    let rules = blocks.filter_map(|block| block.split("```").next());
    rules.map(|rule| rule.as_bytes().to_vec()).collect()
}

/// Requests of every service, one input each.
fn requests_of_the_lab() -> Vec<Vec<u8>> {
    let inputs = include_str!("../../fuzz/lab.seeds").split("\n====\n");
    inputs.map(|input| input.as_bytes().to_vec()).collect()
}

/// Each line is an input.
fn lines(text: &str) -> Vec<Vec<u8>> {
    text.lines().map(|line| line.as_bytes().to_vec()).collect()
}

/// The identity-based and resource policies of the cases of policy evaluation.
fn policies_of_the_cases() -> Vec<Vec<u8>> {
    let cases = [
        include_str!("../../crates/unchain-policy/tests/cases/dates.jsonl"),
        include_str!("../../crates/unchain-policy/tests/cases/elements.jsonl"),
        include_str!("../../crates/unchain-policy/tests/cases/operators.jsonl"),
        include_str!("../../crates/unchain-policy/tests/cases/principals.jsonl"),
        include_str!("../../crates/unchain-policy/tests/cases/variables.jsonl"),
    ];
    let lines = cases.into_iter().flat_map(str::lines);
    let cases = lines.filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let policies = cases.flat_map(|case| {
        let identity = case
            .get("identity")
            .and_then(|list| list.as_array().cloned());
        let resource = case.get("resource_policy").cloned();
        identity.into_iter().flatten().chain(resource)
    });
    policies
        .map(|policy| policy.to_string().into_bytes())
        .collect()
}

fn seeds_of_story(target: Target, story: &str) -> Result<Vec<Vec<u8>>> {
    let records = Trail::parse(story)?.records();
    Ok(match target {
        Target::Trail => vec![story.as_bytes().to_vec()],
        Target::Sigma => rules_of_the_paper(),
        // No story tells a policy or a request.
        Target::Policy | Target::Lab | Target::Facts | Target::Plan => Vec::new(),
        Target::Record => records
            .iter()
            .map(|record| record.to_string().into_bytes())
            .collect(),
        Target::Envelope => {
            let few = records.get(..8).unwrap_or(&records);
            let lines: Vec<String> = few.iter().map(ToString::to_string).collect();
            let messages: Vec<_> = lines
                .iter()
                .map(|line| serde_json::json!({ "message": line }))
                .collect();
            let whole = serde_json::json!({ "Records": few });
            let logs = serde_json::json!({ "logEvents": messages });
            let bridge = serde_json::json!({ "source": "aws.sts", "detail-type": "AWS API Call via CloudTrail", "detail": few.first() });
            [
                whole.to_string(),
                lines.join("\n"),
                logs.to_string(),
                bridge.to_string(),
            ]
            .map(String::into_bytes)
            .to_vec()
        }
        Target::Arn => {
            let names = ["arn", "principalId", "accessKeyId"].into_iter();
            let texts = names.flat_map(|name| {
                records
                    .iter()
                    .filter_map(move |record| record.get("userIdentity")?.get(name)?.as_str())
            });
            texts.map(|text| text.as_bytes().to_vec()).collect()
        }
    })
}

/// Writes each seed once, under a number; returns how many.
fn write_seeds(seeds: &[Vec<u8>], corpus: &Path) -> Result<usize> {
    fs::create_dir_all(corpus).with_context(|| format!("cannot make `{}`", corpus.display()))?;
    for (number, seed) in seeds.iter().enumerate() {
        let path = corpus.join(format!("seed-{number:05}"));
        fs::write(&path, seed).with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    Ok(seeds.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_its_file() {
        for target in Target::value_variants() {
            let path = crate::workspace().join(format!("fuzz/fuzz_targets/{}.rs", target.name()));
            assert!(path.is_file(), "{}", path.display());
        }
    }

    #[test]
    fn scenarios_give_seeds_to_every_target() {
        for target in Target::value_variants() {
            let seeds = seeds(*target, &crate::workspace().join("scenarios")).unwrap();
            assert!(
                !seeds.is_empty() && seeds.iter().all(|seed| !seed.is_empty()),
                "{target:?}"
            );
        }
    }
}
