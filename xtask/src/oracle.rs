//! The policy evaluator against one that others wrote: `@cloud-copilot/iam-simulate` (npm, AGPL), run as a process
//! of its own and never shipped. Both read the same cases, made up by seed and written by hand.
//!
//! Must not know how either decides: it hands out cases (docs/policy-cases.md) and compares answers. Where the two
//! are known to disagree, AWS's documentation is on our side, and [`KNOWN`] says which page.

mod generate;
mod vocabulary;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const ORACLE: &str = "@cloud-copilot/iam-simulate@0.1.173";

/// How many disagreements are printed in full.
const SHOWN: usize = 20;

/// Arguments of `policy-oracle`.
#[derive(Debug, Args)]
pub(crate) struct OracleArgs {
    /// So many cases are made up
    #[arg(long, default_value_t = 20_000)]
    cases: u64,
    /// Cases follow from this number
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Read cases from this file too, one JSON object a line (docs/policy-cases.md)
    #[arg(long)]
    file: Vec<PathBuf>,
}

/// A way in which the other evaluator is known to differ from AWS's documentation, and which cases show it.
type Known = (&'static str, fn(&Value) -> bool);

/// A case belongs to the first that holds. One written by hand may say so itself, in its member `oracle`.
const KNOWN: [Known; 6] = [
    (
        "a range of all addresses holds every address, one address none of the other family (reference_policies_elements_condition_operators.html)",
        is_about_ranges,
    ),
    (
        "a date may be epoch seconds (reference_policies_elements_condition_operators.html)",
        has_epoch_date,
    ),
    (
        "variables in version 2008-10-17 are literal (reference_policies_elements_version.html)",
        is_old_with_variable,
    ),
    (
        "a grant to everyone, a session, or the user who federated it, beside a session policy (reference_policies_evaluation-logic_policy-eval-denyallow.html)",
        names_session,
    ),
    (
        "NotPrincipal with an account does not spare its users and roles (reference_policies_elements_notprincipal.html)",
        spares_account,
    ),
    (
        "NotResource holds for all that its ARNs do not match, also short ARNs, also an action without a resource (reference_policies_elements_notresource.html)",
        lists_no_resource,
    ),
];

/// Makes cases, has both evaluators answer, compares.
pub(crate) fn run(args: &OracleArgs, out: &mut dyn Write) -> Result<()> {
    let folder = crate::workspace().join("target/policy-oracle");
    fs::create_dir_all(&folder)?;
    let cases = cases(args)?;
    let file = folder.join("cases.jsonl");
    let mut writer = File::create(&file)?;
    for case in &cases {
        writeln!(writer, "{case}")?;
    }
    let ours = answers(&ours(&file)?)?;
    let theirs = answers(&theirs(&folder, &file)?)?;
    ensure!(
        ours.len() == cases.len() && theirs.len() == cases.len(),
        "{} cases, {} answers of ours, {} of theirs",
        cases.len(),
        ours.len(),
        theirs.len()
    );
    compare(&cases, (&ours, &theirs), out)
}

/// Cases made up, written by hand in the crate's tests, and given by the caller.
fn cases(args: &OracleArgs) -> Result<Vec<Value>> {
    let mut cases: Vec<Value> = (0..args.cases)
        .map(|number| generate::case(args.seed, number))
        .collect();
    let by_hand = crate::workspace().join("crates/unchain-policy/tests/cases");
    let mut files: Vec<PathBuf> = fs::read_dir(by_hand)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.sort();
    files.extend(args.file.iter().cloned());
    for file in &files {
        let text =
            fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            cases.push(
                serde_json::from_str(line).with_context(|| format!("in {}", file.display()))?,
            );
        }
    }
    Ok(cases)
}

fn ours(cases: &Path) -> Result<String> {
    let mut command = Command::new("cargo");
    command.args([
        "run",
        "--quiet",
        "--locked",
        "-p",
        "unchain-policy",
        "--example",
        "evaluate",
    ]);
    output(command.current_dir(crate::workspace()), cases)
}

fn theirs(folder: &Path, cases: &Path) -> Result<String> {
    if !folder
        .join("node_modules/@cloud-copilot/iam-simulate")
        .is_dir()
    {
        let mut install = Command::new("npm");
        install.args(["install", "--no-save", "--prefix", ".", ORACLE]);
        let status = install.current_dir(folder).stdout(Stdio::null()).status();
        ensure!(
            status.context("npm is needed: apt install npm")?.success(),
            "npm could not install {ORACLE}"
        );
    }
    let script = folder.join("oracle.mjs");
    fs::copy(
        crate::workspace().join("xtask/src/oracle/oracle.mjs"),
        &script,
    )?;
    output(Command::new("node").arg(&script), cases)
}

fn output(command: &mut Command, input: &Path) -> Result<String> {
    let done = command
        .stdin(File::open(input)?)
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("running {command:?}"))?;
    ensure!(
        done.status.success(),
        "{command:?} ended with {}",
        done.status
    );
    Ok(String::from_utf8(done.stdout)?)
}

/// The decisions, in the order of the cases.
fn answers(text: &str) -> Result<Vec<String>> {
    text.lines()
        .map(|line| {
            let answer: Value = serde_json::from_str(line)?;
            let decision = answer.get("decision").and_then(Value::as_str);
            Ok(decision
                .with_context(|| format!("no decision in {line}"))?
                .to_owned())
        })
        .collect()
}

fn compare(
    cases: &[Value],
    (ours, theirs): (&[String], &[String]),
    out: &mut dyn Write,
) -> Result<()> {
    let mut agreed: BTreeMap<&str, u64> = BTreeMap::new();
    let mut known: BTreeMap<&str, u64> = BTreeMap::new();
    let (mut beyond, mut wrong) = (0_u64, 0_usize);
    for ((case, ours), theirs) in cases.iter().zip(ours).zip(theirs) {
        if ours == "depends" || theirs == "unsupported" {
            beyond += 1;
        } else if ours == theirs {
            *agreed.entry(ours).or_default() += 1;
        } else if let Some(why) = why_known(case) {
            *known.entry(why).or_default() += 1;
        } else {
            wrong += 1;
            if wrong <= SHOWN {
                writeln!(out, "ours {ours}, theirs {theirs}: {case}")?;
            }
        }
    }
    for (decision, count) in &agreed {
        writeln!(out, "both {decision}: {count}")?;
    }
    for (why, count) in &known {
        writeln!(out, "known to differ, {why}: {count}")?;
    }
    writeln!(
        out,
        "beyond the other (a key unknown, an element it refuses): {beyond}"
    )?;
    writeln!(out, "{} cases, {wrong} disagreements", cases.len())?;
    if wrong > 0 {
        bail!("the two evaluators disagree on {wrong} cases");
    }
    Ok(())
}

/// Why the two may differ on a case.
fn why_known(case: &Value) -> Option<&str> {
    let said = case.get("oracle").and_then(Value::as_str);
    let shown = || KNOWN.iter().find(|(_, holds)| holds(case));
    said.or_else(|| shown().map(|(why, _)| *why))
}

fn is_about_ranges(case: &Value) -> bool {
    let key = case.pointer("/request/context/aws:SourceIp");
    let is_ipv6 = key.is_some_and(|key| any_text(key, &|text| text.contains(':')));
    let other = |text: &str| {
        text.parse()
            .is_ok_and(|one: IpAddr| one.is_ipv6() != is_ipv6)
    };
    let values = |value: &Value| any_text(value, &|text| text == "0.0.0.0/0" || other(text));
    any_member(case, &|name| name.contains("IpAddress"), &values)
}

/// Every string of a value.
fn any_text(value: &Value, holds: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => holds(text),
        Value::Array(values) => values.iter().any(|value| any_text(value, holds)),
        Value::Object(members) => members.values().any(|value| any_text(value, holds)),
        Value::Number(number) => holds(&number.to_string()),
        Value::Null | Value::Bool(_) => false,
    }
}

/// The values of every member of a name that holds, however deep.
fn any_member(value: &Value, name: &dyn Fn(&str) -> bool, holds: &dyn Fn(&Value) -> bool) -> bool {
    match value {
        Value::Object(members) => members
            .iter()
            .any(|(key, value)| (name(key) && holds(value)) || any_member(value, name, holds)),
        Value::Array(values) => values.iter().any(|value| any_member(value, name, holds)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn has_epoch_date(case: &Value) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    any_member(case, &|name| name.contains("Date"), &|value| {
        any_text(value, &digits)
    })
}

fn is_old_with_variable(case: &Value) -> bool {
    let old = |value: &Value| {
        let version = value.get("Version").and_then(Value::as_str);
        version != Some("2012-10-17") && any_text(value, &|text| text.contains("${"))
    };
    let documents = [
        "identity",
        "boundary",
        "session",
        "scps",
        "rcps",
        "resource_policy",
        "trust_policy",
    ];
    documents
        .iter()
        .filter_map(|layer| case.get(layer))
        .any(|layer| any_document(layer, &old))
}

fn any_document(layer: &Value, holds: &dyn Fn(&Value) -> bool) -> bool {
    match layer.as_array() {
        Some(documents) => documents
            .iter()
            .any(|document| any_document(document, holds)),
        None => holds(layer),
    }
}

fn names_session(case: &Value) -> bool {
    let arn = case.pointer("/request/principal/arn");
    let federated = arn.and_then(Value::as_str).is_some_and(is_federated);
    let limited = federated || case.get("session").is_some();
    names(case, "Principal", &|text| {
        text.contains(":assumed-role/")
            || is_federated(text)
            || limited && text == "*"
            || federated && text.contains(":user/")
    })
}

fn is_federated(arn: &str) -> bool {
    arn.contains(":federated-user/")
}

fn lists_no_resource(case: &Value) -> bool {
    let is_star = case.pointer("/request/resource") == Some(&Value::from("*"));
    let is_short = |text: &str| text.starts_with("arn:") && text.split(':').count() < 6;
    any_member(case, &|name| name == "NotResource", &|value| {
        is_star || any_text(value, &is_short)
    })
}

fn spares_account(case: &Value) -> bool {
    let account =
        |text: &str| text.ends_with(":root") || text.bytes().all(|byte| byte.is_ascii_digit());
    names(case, "NotPrincipal", &account)
}

/// Whether an element of that name in the policy of the resource has such a text.
fn names(case: &Value, element: &str, holds: &dyn Fn(&str) -> bool) -> bool {
    let policies = ["resource_policy", "trust_policy"];
    let mut policies = policies.iter().filter_map(|policy| case.get(policy));
    policies.any(|policy| {
        any_member(policy, &|name| name == element, &|value| {
            any_text(value, holds)
        })
    })
}
