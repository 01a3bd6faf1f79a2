//! Runs the built program on made-up trails and compares what it says, through one redactor.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;
use unchain_trail::Trail;

/// The instant at which status is asked for in the tests of `whack-a-mole`.
pub(crate) const NOON: &str = "2026-03-02T12:05:00Z";

/// What a run said.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A folder to run in.
pub(crate) struct Room {
    folder: TempDir,
}

impl Room {
    /// An empty folder.
    pub(crate) fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
        }
    }

    /// A folder with the records of a trail in `logs/`.
    pub(crate) fn with(trail: &Trail) -> Self {
        let room = Self::new();
        room.write("logs/trail.json", log(&trail.records()).as_bytes());
        room
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file, with the folders above it.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path().join(name)).unwrap()
    }

    /// Runs the program here.
    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        self.fed(arguments, b"")
    }

    /// Runs the program here with something on standard input.
    pub(crate) fn fed(&self, arguments: &[&str], input: &[u8]) -> Said {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        Said {
            code: output.status.code().expect("not killed by a signal"),
            out: String::from_utf8(output.stdout).expect("UTF-8 on standard output"),
            err: String::from_utf8(output.stderr).expect("UTF-8 on standard error"),
        }
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_unchain"));
        command
            .args(arguments)
            .current_dir(self.path())
            .env("COLUMNS", "80");
        command
    }

    /// Runs the program and writes down everything it said, redacted.
    pub(crate) fn told(&self, arguments: &[&str]) -> String {
        self.redacted(&self.run(arguments))
    }

    pub(crate) fn redacted(&self, said: &Said) -> String {
        let mut text = said.out.clone();
        if !said.err.is_empty() {
            text.push_str("--- standard error\n");
            text.push_str(&said.err);
        }
        text.push_str(&format!("--- exit code {}\n", said.code));
        text.replace(&*self.path().to_string_lossy(), "[FOLDER]")
    }
}

/// Records as a log file.
pub(crate) fn log(records: &[serde_json::Value]) -> String {
    serde_json::json!({ "Records": records }).to_string()
}

/// All stories of the repository, by name.
pub(crate) fn scenarios() -> Vec<(String, Trail)> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let mut found: Vec<(String, Trail)> = std::fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("story.trail").is_file())
        .map(|path| {
            let text = std::fs::read_to_string(path.join("story.trail")).unwrap();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let trail = Trail::parse(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            (name, trail)
        })
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(!found.is_empty());
    found
}

/// One story by name.
pub(crate) fn scenario(name: &str) -> Trail {
    let found = scenarios().into_iter().find(|(n, _)| n == name);
    found.expect(name).1
}

/// The story in which a detection fires.
pub(crate) fn fires(detection: &str) -> Trail {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/detections");
    let text = std::fs::read_to_string(root.join(detection).join("fires.trail")).unwrap();
    Trail::parse(&text).unwrap()
}

/// The lines of a JSON lines output.
pub(crate) fn lines(said: &Said) -> Vec<serde_json::Value> {
    let each = said.out.lines();
    each.map(|line| serde_json::from_str(line).expect(line))
        .collect()
}
