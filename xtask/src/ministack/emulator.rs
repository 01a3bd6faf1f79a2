//! MiniStack on loopback, and the process that is thief, bystander and responder in it.

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// Invented, like everything here.
pub(super) const ACCOUNT: &str = "111122223333";

const ROOT: (&str, &str) = (
    "AKIAQAAAAAAAAAAAAAAA",
    "secretsecretsecretsecretsecretsecret1234",
);

/// Starting takes a second; a machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running emulator, ended with the value.
pub(super) struct Emulator {
    process: Child,
    pub(super) url: String,
}

impl Emulator {
    /// Starts one that asks for signatures and policies, and waits until it listens.
    pub(super) fn start(bin: &Path, folder: &Path) -> Result<Self> {
        // Whoever takes the port in between makes the emulator end, which is seen below.
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let process = Command::new(bin.join("ministack"))
            .env("AUTH", "true")
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", port.to_string())
            .env("CLOUDTRAIL_RECORDING", "0")
            .env("SFTP_ENABLED", "0")
            .env("IOT_MTLS_ENABLED", "0")
            .env("LOG_LEVEL", "ERROR")
            .env("MINISTACK_ACCOUNT_ID", ACCOUNT)
            .env("AWS_ACCESS_KEY_ID", ROOT.0)
            .env("AWS_SECRET_ACCESS_KEY", ROOT.1)
            .env("TMPDIR", folder)
            .stdout(Stdio::null())
            .spawn()
            .context("cannot start MiniStack")?;
        let url = format!("http://127.0.0.1:{port}");
        let mut emulator = Self { process, url };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = emulator.process.try_wait()?;
            ensure!(ended.is_none(), "MiniStack ended before it listened");
            ensure!(begun.elapsed() < PATIENCE, "MiniStack does not listen");
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(emulator)
    }
}

impl Drop for Emulator {
    /// Whether it could be ended is of no use to anybody here.
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// `peer.py`, asked line by line; it ends when nobody asks any more.
pub(super) struct Peer {
    process: Child,
    asked: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Peer {
    pub(super) fn start(bin: &Path, emulator: &Emulator) -> Result<Self> {
        let script = crate::workspace().join("xtask/src/ministack/peer.py");
        let mut process = Command::new(bin.join("python"))
            .arg(script)
            .args([&emulator.url, ROOT.0, ROOT.1, ACCOUNT])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let asked = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().context("no output")?);
        Ok(Self {
            process,
            asked,
            answers,
        })
    }

    /// The answer to a question.
    pub(super) fn ask(&mut self, question: &Value) -> Result<Value> {
        let asked = self.asked.as_mut().context("nobody is asked any more")?;
        writeln!(asked, "{question}")?;
        asked.flush()?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        let mut reply: Value = serde_json::from_str(&line).context("the peer ended")?;
        match reply.get_mut("answer") {
            Some(answer) => Ok(answer.take()),
            None => bail!("{question}: {reply}"),
        }
    }

    /// Makes one call as somebody.
    pub(super) fn call(
        &mut self,
        who: &str,
        service: &str,
        (action, parameters): (&str, Value),
    ) -> Result<Value> {
        self.ask(&json!({"ask": "call", "as": who, "service": service, "action": action, "parameters": parameters}))
    }
}

impl Drop for Peer {
    /// It ends at the end of its input.
    fn drop(&mut self) {
        drop(self.asked.take());
        drop(self.process.wait());
    }
}
