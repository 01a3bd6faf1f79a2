//! The lab asked by clients that nobody here wrote: boto3, the AWS CLI, terraform's S3 backend.
//!
//! Python's packages come from PyPI into the build folder; what else is not installed is skipped, and said to be.
//! Must not know how the lab answers: the probe, the client's own `validate-logs` and the story's truth judge.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The clients, in the versions that the checks were written against.
const CLIENTS: [&str; 2] = ["boto3==1.43.11", "awscli==1.45.11"];

/// The key of the root user that the probe begins with; only the lab knows it.
const ROOT: (&str, &str) = (
    "AKIAQAAAAAAAAAAAAAAA",
    "secretsecretsecretsecretsecretsecret1234",
);

/// Runs every client against a fresh lab.
pub(crate) fn run(out: &mut dyn Write) -> Result<()> {
    let program = crate::built()?;
    let folder = crate::workspace().join("target/lab");
    fs::create_dir_all(&folder)?;
    let clients = crate::python::environment(&folder.join("clients"), &CLIENTS)?;
    let clients = clients.context("pip could not install the clients")?;
    probe(&program, &clients, out)?;
    digests(&program, &clients, out)?;
    terraform(&program, &folder, out)?;
    story(&program, &clients, &folder, out)
}

/// Measures the lab, built for release. It prints what it finds and fails if memory grows or a record is missing.
pub(crate) fn bench() -> Result<()> {
    for mode in ["loopback", "memory"] {
        let mut run = crate::by_hand("cargo");
        run.args(["run", "--release", "--locked", "-p", "unchain-lab"]);
        run.args(["--example", "throughput", "--", mode]);
        crate::must(run.current_dir(crate::workspace()))?;
    }
    Ok(())
}

/// A lab on loopback, ended with the value.
struct Lab {
    process: Child,
    url: String,
}

impl Lab {
    /// Starts one, and reads from its first lines where it listens.
    fn start(program: &Path) -> Result<Self> {
        Self::run(Command::new(program).args(["lab", "serve"]))
    }

    fn run(command: &mut Command) -> Result<Self> {
        let mut process = command
            .args(["--listen", "127.0.0.1:0", "--root-key"])
            .arg(format!("{}:{}", ROOT.0, ROOT.1))
            .stdout(Stdio::piped())
            .spawn()?;
        let mut lines = BufReader::new(process.stdout.take().context("no output")?).lines();
        let url = loop {
            let line = lines.next().context("the lab ended before it listened")??;
            if let Some((_, url)) = line.split_once("AWS_ENDPOINT_URL=") {
                break url.trim_matches('"').to_owned();
            }
        };
        Ok(Self { process, url })
    }

    /// A client with the root key in its environment and nothing of the user's own.
    fn client(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env("AWS_ENDPOINT_URL", &self.url)
            .env("AWS_ACCESS_KEY_ID", ROOT.0)
            .env("AWS_SECRET_ACCESS_KEY", ROOT.1)
            .env("AWS_DEFAULT_REGION", "us-east-1")
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
            .env("AWS_EC2_METADATA_DISABLED", "true");
        command
    }
}

impl Drop for Lab {
    /// Whether it could be ended is of no use to anybody here.
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// The checks of `lab/probe.py`, all of which must pass.
fn probe(program: &Path, clients: &Path, out: &mut dyn Write) -> Result<()> {
    let lab = Lab::start(program)?;
    let script = crate::workspace().join("xtask/src/lab/probe.py");
    let done = lab
        .client(&clients.join("python"))
        .arg(script)
        .args([&lab.url, ROOT.0, ROOT.1])
        .arg(format!("{}/_lab/clock", lab.url))
        .output()?;
    out.write_all(&done.stdout)?;
    ensure!(
        done.status.success(),
        "the lab is not as AWS is: {}",
        String::from_utf8_lossy(&done.stderr)
    );
    Ok(())
}

/// The seed story, every call made by the AWS CLI; what `edges` reads from the delivered logs must be the story's own
/// truth.
fn story(program: &Path, clients: &Path, folder: &Path, out: &mut dyn Write) -> Result<()> {
    let logs = folder.join("story");
    if logs.exists() {
        fs::remove_dir_all(&logs)?;
    }
    let truth = folder.join("truth.json");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut paths = vec![clients.to_path_buf()];
    paths.extend(std::env::split_paths(&path));
    let lab = Lab::run(
        Command::new(program)
            .args(["lab", "serve", "--logs"])
            .arg(&logs),
    )?;
    let mut play = Command::new(program);
    play.args(["lab", "play", "whack-a-mole", "--with", "aws-cli"]);
    play.args(["--endpoint", &lab.url, "--logs"]);
    play.arg(&logs).arg("--truth").arg(&truth);
    crate::must(play.env("PATH", std::env::join_paths(paths)?))?;
    let edges = Command::new(program)
        .args(["edges", "--format", "jsonl", "--source"])
        .arg(&logs)
        .output()?;
    let seen = String::from_utf8(edges.stdout)?
        .lines()
        .map(|line| Ok(edge(&serde_json::from_str(line)?)))
        .collect::<Result<Vec<_>>>()?;
    let truth: Value = serde_json::from_str(&fs::read_to_string(truth)?)?;
    let told = truth.get("edges").and_then(Value::as_array);
    let told = told_edges(told.context("no edges in truth.json")?);
    let seen: BTreeSet<String> = seen.into_iter().flatten().collect();
    let missing: Vec<_> = told.difference(&seen).collect();
    // A key may have a second edge, such as the sign-in behind the portal that gave it; no key may be untold.
    let keys: BTreeSet<String> = told.iter().filter_map(|line| child(line)).collect();
    let untold = |line: &&String| child(line).is_none_or(|key| !keys.contains(&key));
    let beyond: Vec<_> = seen.iter().filter(untold).collect();
    ensure!(
        missing.is_empty() && beyond.is_empty() && !told.is_empty(),
        "what was read is not what the story says: missing {missing:#?}, beyond {beyond:#?}"
    );
    writeln!(
        out,
        "seed story by the AWS CLI: {} edges, all read, none beyond",
        told.len()
    )?;
    Ok(())
}

/// An edge that `edges` printed, as one line; none where no key was made.
fn edge(row: &Value) -> Option<String> {
    let key = |end: &str| row.get(end)?.get("access_key_id").cloned();
    let child = key("child").filter(|key| !key.is_null())?;
    let rest = ["api", "time", "basis", "cross_account"].map(|name| row.get(name).cloned());
    Some(json!([key("parent"), child, rest]).to_string())
}

/// The key that the edge of a line made.
fn child(line: &str) -> Option<String> {
    let parts: Vec<Value> = serde_json::from_str(line).ok()?;
    parts.get(1)?.as_str().map(str::to_owned)
}

/// The edges of a story's truth that made a key. A story lets a switched session mint its keys; a reader says which
/// key assumed the role.
fn told_edges(edges: &[Value]) -> BTreeSet<String> {
    let text = |edge: &Value, name: &str| edge.get(name).and_then(Value::as_str).map(str::to_owned);
    let made = edges
        .iter()
        .filter(|edge| text(edge, "child_key").is_some());
    made.map(|edge| {
        let switched = text(edge, "api").as_deref() == Some("SwitchRole")
            && text(edge, "basis").as_deref() == Some("matched");
        let from = edges.iter().find(|other| {
            switched
                && text(other, "api").as_deref() == Some("AssumeRole")
                && text(other, "time") == text(edge, "time")
                && text(other, "child_principal") == text(edge, "child_principal")
        });
        let from = from.unwrap_or(edge);
        let rest = [
            from.get("api"),
            from.get("time"),
            edge.get("basis"),
            from.get("cross_account"),
        ];
        json!([from.get("parent_key"), edge.get("child_key"), rest]).to_string()
    })
    .collect()
}

/// Digest files as the AWS CLI judges them.
fn digests(program: &Path, clients: &Path, out: &mut dyn Write) -> Result<()> {
    let lab = Lab::start(program)?;
    let aws = |arguments: &[&str]| -> Result<String> {
        let done = lab.client(&clients.join("aws")).args(arguments).output()?;
        let complaint = String::from_utf8_lossy(&done.stderr);
        ensure!(done.status.success(), "aws {arguments:?}: {complaint}");
        Ok(String::from_utf8(done.stdout)?)
    };
    let bucket = "lab-trail-logs";
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "s3:GetBucketAcl", "Resource": format!("arn:aws:s3:::{bucket}")},
        {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "s3:PutObject", "Resource": format!("arn:aws:s3:::{bucket}/*")},
    ]});
    aws(&["s3api", "create-bucket", "--bucket", bucket])?;
    aws(&[
        "s3api",
        "put-bucket-policy",
        "--bucket",
        bucket,
        "--policy",
        &policy.to_string(),
    ])?;
    let trail = aws(&[
        "cloudtrail",
        "create-trail",
        "--name",
        "lab",
        "--s3-bucket-name",
        bucket,
        "--is-multi-region-trail",
        "--enable-log-file-validation",
        "--query",
        "TrailARN",
        "--output",
        "text",
    ])?;
    aws(&["cloudtrail", "start-logging", "--name", "lab"])?;
    for _ in 0..3 {
        aws(&["iam", "list-users"])?;
        crate::must(Command::new(program).args(["lab", "clock", "+1h", "--endpoint", &lab.url]))?;
    }
    aws(&["iam", "list-users"])?;
    let verdict = aws(&[
        "cloudtrail",
        "validate-logs",
        "--trail-arn",
        trail.trim(),
        "--start-time",
        "2020-01-01T00:00:00Z",
        "--end-time",
        "2100-01-01T00:00:00Z",
    ])?;
    let summary: Vec<_> = verdict
        .lines()
        .filter(|line| line.contains("valid"))
        .collect();
    ensure!(
        summary.len() >= 2
            && summary
                .iter()
                .all(|line| !line.contains("INVALID") && !line.starts_with("0/")),
        "the AWS CLI does not take the digests: {verdict}"
    );
    writeln!(out, "aws cloudtrail validate-logs: {}", summary.join("; "))?;
    Ok(())
}

const BACKEND: &str = r#"
terraform {
  backend "s3" {
    bucket                      = "terraform-state"
    key                         = "lab.tfstate"
    region                      = "us-east-1"
    use_path_style              = true
    use_lockfile                = true
    skip_credentials_validation = false
    skip_metadata_api_check     = true
  }
}
resource "terraform_data" "answer" {
  input = "42"
}
"#;

/// Terraform keeps its state in the lab's S3, locked by a file there.
fn terraform(program: &Path, folder: &Path, out: &mut dyn Write) -> Result<()> {
    if Command::new("terraform").arg("-version").output().is_err() {
        writeln!(out, "terraform: not installed, skipped")?;
        return Ok(());
    }
    let lab = Lab::start(program)?;
    let work = folder.join("terraform");
    if work.exists() {
        fs::remove_dir_all(&work)?;
    }
    fs::create_dir_all(&work)?;
    fs::write(work.join("main.tf"), BACKEND)?;
    let clients = folder.join("clients/bin");
    let mut bucket = lab.client(&clients.join("aws"));
    crate::must(bucket.args(["s3api", "create-bucket", "--bucket", "terraform-state"]))?;
    for step in [
        &["init", "-input=false"][..],
        &["apply", "-auto-approve", "-input=false"],
    ] {
        crate::must(
            lab.client(Path::new("terraform"))
                .args(step)
                .current_dir(&work)
                .stdout(Stdio::null()),
        )?;
    }
    let mut head = lab.client(&clients.join("aws"));
    crate::must(
        head.args([
            "s3api",
            "head-object",
            "--bucket",
            "terraform-state",
            "--key",
            "lab.tfstate",
        ])
        .stdout(Stdio::null()),
    )?;
    writeln!(out, "terraform: state and lock file kept in the lab's S3")?;
    Ok(())
}
