//! The program, run as a responder runs it: by its commands, with the profiles of a responder.

use super::emulator::{Emulator, Peer};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Where the credentials are, from the folder that the program runs in.
const CREDENTIALS: &str = "credentials";

/// The program in a folder of its own, where its case and its plans are.
pub(super) struct Program<'p> {
    pub(super) path: &'p Path,
    pub(super) folder: &'p Path,
    pub(super) emulator: &'p Emulator,
}

/// What a command said, and its exit code.
pub(super) struct Said {
    pub(super) code: i32,
    pub(super) text: String,
    pub(super) complaint: String,
}

impl Said {
    fn of(output: Output) -> Result<Self> {
        Ok(Self {
            code: output.status.code().context("the program was killed")?,
            text: String::from_utf8(output.stdout)?,
            complaint: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Its one JSON object.
    pub(super) fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.text).with_context(|| self.complaint.clone())
    }
}

impl Program<'_> {
    /// Writes the file of the AWS CLI that has these credentials, each as a profile.
    pub(super) fn profiles(&self, peer: &mut Peer, names: &[&str]) -> Result<()> {
        let mut text = String::new();
        for name in names {
            let held = peer.ask(&json!({"ask": "credentials", "name": name}))?;
            text.push_str(&format!("[{name}]\n"));
            for (setting, member) in [
                ("aws_access_key_id", "AccessKeyId"),
                ("aws_secret_access_key", "SecretAccessKey"),
                ("aws_session_token", "SessionToken"),
            ] {
                if let Some(value) = held.get(member).and_then(Value::as_str) {
                    text.push_str(&format!("{setting} = {value}\n"));
                }
            }
        }
        Ok(fs::write(self.folder.join(CREDENTIALS), text)?)
    }

    /// Runs a command that does not ask AWS.
    pub(super) fn run(&self, arguments: &[&str]) -> Result<Said> {
        Said::of(self.command(arguments).output()?)
    }

    /// Runs a command that asks AWS, as somebody who has a profile.
    pub(super) fn live(&self, who: &str, arguments: &[&str]) -> Result<Said> {
        let mut command = self.command(arguments);
        let asking = ["--profile", who, "--endpoint-url", &self.emulator.url];
        Said::of(command.args(asking).output()?)
    }

    /// Nothing of the user's own is in the environment.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.path);
        for variable in [
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "AWS_PROFILE",
            "AWS_ENDPOINT_URL",
        ] {
            command.env_remove(variable);
        }
        command
            .current_dir(self.folder)
            .env("AWS_REGION", "us-east-1")
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", CREDENTIALS)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .args(arguments);
        command
    }

    /// Runs a command whose exit code must be one of these.
    pub(super) fn must(said: Said, what: &str, codes: &[i32]) -> Result<Said> {
        ensure!(
            codes.contains(&said.code),
            "`unchain {what}` ended with {}: {}{}",
            said.code,
            said.text,
            said.complaint
        );
        Ok(said)
    }

    /// A file of the folder, read as JSON.
    pub(super) fn file(&self, name: &str) -> Result<Value> {
        let path: PathBuf = self.folder.join(name);
        let text = fs::read_to_string(&path).with_context(|| format!("no {}", path.display()))?;
        Ok(serde_json::from_str(&text)?)
    }
}
