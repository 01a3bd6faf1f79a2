//! What the program writes for others, read by those others: Graphviz, networkx, Mermaid, DuckDB, sqlglot,
//! models of OCSF, Timesketch's client.
//!
//! They are not needed to work on this repository, so this is no part of the check that gates a change:
//! what is not installed is skipped, and said to be. Python's and Node's packages come from their
//! registries into the build folder. Must not judge a graph or a query itself.

mod handing;
mod stories;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use unchain_trail::Trail;

/// Marks, quotes and codes of every language that is written.
const EVIL: &str = "\"<b>&#quot;]]>\\`%%{init}%% ' -- \n\u{1b}[31m\u{202e}\u{fffe}";

/// So many keys of each story are asked about.
const KEYS: usize = 4;

const GRAPHS: [&str; 4] = ["dot", "mermaid", "graphml", "jsonl"];
const ENGINES: [(&str, &str); 3] = [
    ("athena", "athena"),
    ("lake", "lake"),
    ("duckdb", "logs/*.json"),
];

/// Writes exports of every story and of a hostile log, and has them read.
pub(crate) fn run(out: &mut dyn Write) -> Result<()> {
    let program = crate::built()?;
    let folder = crate::workspace().join("target/exports");
    let made = folder.join("made");
    if made.is_dir() {
        fs::remove_dir_all(&made)?;
    }
    for (name, records) in logs()? {
        write(&program, &made.join(name), &records)?;
    }
    graphviz(&made, out)?;
    python(&folder, out)?;
    handing::run(&program, &folder, out)?;
    node(&folder, out)
}

/// The stories' records by name, and those of one with hostile text wherever a caller chooses it.
fn logs() -> Result<Vec<(String, Vec<Value>)>> {
    let mut logs = Vec::new();
    for entry in fs::read_dir(crate::workspace().join("scenarios"))? {
        let path = entry?.path();
        let Ok(story) = fs::read_to_string(path.join("story.trail")) else {
            continue;
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let trail = Trail::parse(&story).with_context(|| format!("cannot read `{name}`"))?;
        if name == "role-chain" {
            let mut records = trail.records();
            records.iter_mut().for_each(poison);
            logs.push(("hostile".to_owned(), records));
        }
        logs.push((name.into_owned(), trail.records()));
    }
    Ok(logs)
}

fn poison(value: &mut Value) {
    let chosen = |name: &str| {
        [
            "arn",
            "principalId",
            "userName",
            "roleSessionName",
            "assumedRoleId",
            "userAgent",
        ]
        .contains(&name)
    };
    match value {
        Value::Array(items) => items.iter_mut().for_each(poison),
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(text) if chosen(name) => text.push_str(EVIL),
                    other => poison(other),
                }
            }
        }
        _ => {}
    }
}

/// Every graph and every query about some keys of a log.
fn write(program: &Path, folder: &Path, records: &[Value]) -> Result<()> {
    fs::create_dir_all(folder.join("logs"))?;
    let log = serde_json::json!({ "Records": records });
    fs::write(folder.join("logs/trail.json"), log.to_string())?;
    let keys = records
        .iter()
        .filter_map(|record| record.pointer("/userIdentity/accessKeyId")?.as_str());
    let keys: BTreeSet<&str> = keys.collect();
    for (n, key) in keys.into_iter().take(KEYS).enumerate() {
        fs::write(
            folder.join(format!("{n}.pivot")),
            Value::from(key).to_string(),
        )?;
        for format in GRAPHS {
            let ask = ["trace", key, "--source", "logs", "--format", format];
            said(program, folder, (&ask, &format!("{n}.{format}")))?;
        }
        for (engine, table) in ENGINES {
            let files = folder.join(table);
            let table = if engine == "duckdb" {
                &*files.to_string_lossy()
            } else {
                table
            };
            let ask = ["queries", key, "--engine", engine, "--table", table];
            said(program, folder, (&ask, &format!("{n}.{engine}.sql")))?;
        }
    }
    Ok(())
}

fn said(program: &Path, folder: &Path, (arguments, file): (&[&str], &str)) -> Result<()> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output()?;
    if !output.status.success() {
        bail!(
            "`{}`: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(fs::write(folder.join(file), output.stdout)?)
}

fn graphviz(made: &Path, out: &mut dyn Write) -> Result<()> {
    if !there("dot", "-V") {
        return skipped("dot (Graphviz) is not installed", out);
    }
    let files = crate::files(made)?;
    let graphs = files
        .iter()
        .filter(|path| path.extension().is_some_and(|e| e == "dot"));
    let mut drawn = 0;
    for graph in graphs {
        crate::must(
            Command::new("dot")
                .arg("-Tsvg")
                .arg("-o")
                .arg(graph.with_extension("svg"))
                .arg(graph),
        )?;
        drawn += 1;
    }
    Ok(writeln!(out, "dot: {drawn} graphs drawn")?)
}

fn python(folder: &Path, out: &mut dyn Write) -> Result<()> {
    if !there("python3", "--version") {
        return skipped("python3 is not installed", out);
    }
    let packages = ["duckdb", "networkx", "sqlglot"];
    let Some(bin) = crate::python::environment(&folder.join("venv"), &packages)? else {
        return skipped("pip could not install duckdb, networkx and sqlglot", out);
    };
    out.flush()?;
    let script = crate::workspace().join("xtask/exports/check.py");
    crate::must(
        Command::new(bin.join("python"))
            .arg(script)
            .arg(folder.join("made")),
    )
}

fn node(folder: &Path, out: &mut dyn Write) -> Result<()> {
    if !there("npm", "--version") {
        return skipped("npm is not installed", out);
    }
    let place = folder.join("node");
    fs::create_dir_all(&place)?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--silent", "--no-audit", "--no-fund", "--prefix"]);
    npm.arg(&place).args(["mermaid@11", "jsdom"]);
    if !npm.status()?.success() {
        return skipped("npm could not install mermaid and jsdom", out);
    }
    // Node looks for packages beside the script.
    let script = place.join("check.mjs");
    fs::copy(crate::workspace().join("xtask/exports/check.mjs"), &script)?;
    out.flush()?;
    crate::must(Command::new("node").arg(script).arg(folder.join("made")))
}

fn skipped(why: &str, out: &mut dyn Write) -> Result<()> {
    Ok(writeln!(out, "SKIPPED: {why}")?)
}

fn there(program: &str, question: &str) -> bool {
    let mut command = Command::new(program);
    command
        .arg(question)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
