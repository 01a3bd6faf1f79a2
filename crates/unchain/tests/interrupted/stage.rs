//! The seed story, played, with its plan by the program; and runs of the program on a copy of all that.

use super::front::{Fault, Front, Meanwhile, Seen, clock};
use super::scene::{BREAK_GLASS, SECURITY, Scene, Setting};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;
use unchain_case::Case;
use unchain_core::contain::{Action, Happened, Plan, Receipt, digest, from_json, to_json};
use unchain_lab::story::Keys;
use unchain_lab::world::World;

/// When the plan is made: the story goes on until then.
const NOON: (i64, i64) = (12, 5);
const AT: &str = "2026-03-02T12:05:00Z";
/// What was read of the accounts.
const FACTS: &str = "facts.json";

/// The story with its plan.
pub(crate) struct Stage {
    world: World,
    responder: Keys,
    accounts: Vec<String>,
    /// The case, the plan, and what is known of the accounts.
    folder: TempDir,
    pub(crate) digest: String,
}

/// A run of the program.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) seen: Vec<Seen>,
}

impl Said {
    /// Whether it came to the end of what it may do now; its exit code tells of steps that wait for a look.
    pub(crate) fn ended(&self) -> bool {
        let told = self.out.contains("\nDONE  ") || self.out.contains("\nUNDONE  ");
        told && matches!(self.code, Some(0 | 2)) && !self.err.contains("error: ")
    }
}

/// A lab of its own, and a folder with the case and the plan.
pub(crate) struct Room<'s> {
    stage: &'s Stage,
    front: Front,
    folder: TempDir,
    /// Every change that the lab made, in order.
    pub(crate) changes: Vec<Seen>,
}

impl Stage {
    /// Plays the story and plans, with these options.
    pub(crate) fn new(options: &[&str]) -> Self {
        let setting = Setting {
            organized: true,
            guarded: true,
            until: Some(NOON),
        };
        let scene = Scene::of("whack-a-mole", setting);
        scene.wire().control("deliver", &json!({})).unwrap();
        let (pivot, logs) = (scene.held["A"].id.clone(), scene.logs[0].path().to_owned());
        let mut stage = Self {
            world: world(&scene),
            responder: scene.responder.clone(),
            accounts: scene.accounts.clone(),
            folder: tempfile::tempdir().unwrap(),
            digest: String::new(),
        };
        let front = Front::new(stage.world.clone());
        let run = |what: &[&str]| {
            let mut command = stage.command(stage.folder.path());
            let (code, said, _) = front.watch(command.args(what), None);
            // A lab has not all services: 2 may say that something was not read.
            assert!(
                code.is_some() && !said.contains("error: "),
                "{what:?} {said}"
            );
        };
        run(&["scan", logs.to_str().unwrap(), "--case", "unchain.case"]);
        let reached = stage.reached(&front);
        let inspect = ["inspect", "--save", FACTS].into_iter();
        let inspect: Vec<&str> = inspect.chain(reached.iter().map(String::as_str)).collect();
        run(&inspect);
        let exempt: Vec<String> = scene
            .exempt()
            .iter()
            .map(|arn| arn.raw().to_owned())
            .collect();
        let spared = exempt.iter().flat_map(|arn| ["--exempt", arn.as_str()]);
        let plan = ["plan", &pivot, "--at", AT];
        let plan = plan.into_iter().chain(["--facts", FACTS]).chain(spared);
        let plan: Vec<&str> = plan.chain(options.iter().copied()).collect();
        run(&plan);
        stage.digest = timely(&stage.folder.path().join("plan.json"));
        stage
    }

    /// The options by which the accounts are reached.
    fn reached(&self, front: &Front) -> Vec<String> {
        let mut options = vec!["--endpoint-url".to_owned(), front.url()];
        options.extend(["--role-name", BREAK_GLASS].map(str::to_owned));
        for account in self.accounts.iter().filter(|account| *account != SECURITY) {
            options.extend(["--in".to_owned(), account.clone()]);
        }
        options
    }

    /// The program, as the responder, in a folder.
    fn command(&self, folder: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_unchain"));
        command
            .current_dir(folder)
            .env_clear()
            .env("AWS_ACCESS_KEY_ID", &self.responder.id)
            .env("AWS_SECRET_ACCESS_KEY", &self.responder.secret)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_CONFIG_FILE", "none")
            .env("AWS_SHARED_CREDENTIALS_FILE", "none")
            .stdin(Stdio::null())
            .stdout(File::create(folder.join("out.txt")).unwrap())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn room(&self) -> Room<'_> {
        self.copied(self.folder.path(), self.world.clone())
    }

    fn copied(&self, from: &Path, world: World) -> Room<'_> {
        let folder = tempfile::tempdir().unwrap();
        for name in ["unchain.case", "plan.json", FACTS] {
            fs::copy(from.join(name), folder.path().join(name)).unwrap();
        }
        Room {
            stage: self,
            front: Front::new(world),
            folder,
            changes: Vec::new(),
        }
    }
}

impl Room<'_> {
    /// The same again, to be changed for itself.
    pub(crate) fn copy(&self) -> Self {
        self.stage.copied(self.folder.path(), self.front.world())
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The program, about to do something to the plan that was approved.
    pub(crate) fn command(&self, what: &str) -> Command {
        let mut command = self.stage.command(self.folder.path());
        command.args([what, "plan.json", "--approve", &self.stage.digest]);
        command.args(["--endpoint-url", &self.front.url()]);
        command.args(["--role-name", BREAK_GLASS]);
        if what == "apply" {
            command.args(["--facts", FACTS]);
        }
        command
    }

    /// The program, about to show the case and to ask this room's lab for the accounts.
    pub(crate) fn serving(&self, more: &[&str]) -> Command {
        let mut command = self.stage.command(self.folder.path());
        command.arg("serve").args(self.stage.reached(&self.front));
        command
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        command
    }

    /// The plan that was made of the story.
    pub(crate) fn plan(&self) -> Plan {
        from_json(&fs::read_to_string(self.path().join("plan.json")).unwrap()).unwrap()
    }

    /// Does `apply` or `undo`, with a fault at a request.
    pub(crate) fn run(&mut self, what: &str, fault: Option<(usize, Fault)>) -> Said {
        let (code, err, seen) = self.front.watch(&mut self.command(what), fault);
        let changes = seen.iter().filter(|seen| seen.changes() && seen.done);
        self.changes.extend(changes.cloned());
        let out = fs::read_to_string(self.folder.path().join("out.txt")).unwrap();
        Said {
            code,
            out,
            err,
            seen,
        }
    }

    /// Writes into the journal that no credential of the lineage works.
    pub(crate) fn verified(&mut self) {
        let mut case = Case::open_existing(&self.folder.path().join("unchain.case")).unwrap();
        let lines = case.receipts(&self.stage.digest).unwrap();
        let last = lines.last().unwrap();
        let line = Receipt {
            sequence: last.sequence + 1,
            step: 0,
            what: Happened::Verified,
            ..last.clone()
        };
        case.add_receipt(&line).unwrap();
    }

    /// What is to happen at the fault of the next run.
    pub(crate) fn meanwhile(&self, what: Meanwhile) {
        self.front.meanwhile(what);
    }

    /// All that the accounts and the organization are.
    pub(crate) fn state(&self) -> Value {
        let world = self.front.world();
        let accounts = world.accounts.iter();
        let accounts = accounts.map(|(id, account)| (id.clone(), json!(account.iam)));
        let accounts: serde_json::Map<String, Value> = accounts.collect();
        let organizations = json!(world.organizations);
        let own = organizations.pointer("/organizations/999999999999/tree/policies");
        let own = own.and_then(Value::as_object).unwrap();
        let names = own
            .iter()
            .map(|(id, policy)| (id.clone(), policy["name"].to_string()));
        let names = names.collect();
        settled(
            json!({"accounts": accounts, "organizations": organizations}),
            &names,
        )
    }
}

/// A state without instants and uses, which differ from run to run, and with the names of policies for their ids.
fn settled(state: Value, names: &BTreeMap<String, String>) -> Value {
    const DIFFER: [&str; 6] = [
        "access_jobs",
        "created_at",
        "credential_report",
        "last_used",
        "password_last_used",
        "updated_at",
    ];
    let named = |text: &str| {
        let text = text.to_owned();
        names
            .iter()
            .fold(text, |text, (id, name)| text.replace(id, name))
    };
    match state {
        Value::Object(members) => {
            let kept = members
                .into_iter()
                .filter(|(name, _)| !DIFFER.contains(&name.as_str()));
            Value::Object(kept.map(|(n, v)| (named(&n), settled(v, names))).collect())
        }
        Value::Array(items) => {
            let mut items: Vec<Value> =
                items.into_iter().map(|item| settled(item, names)).collect();
            items.sort_by_key(Value::to_string);
            Value::Array(items)
        }
        Value::String(text) => Value::String(named(&text)),
        other => other,
    }
}

/// The world of a scene, its clock that of the machine: the program renews sessions by it.
fn world(scene: &Scene) -> World {
    let mut wire = scene.wire();
    wire.now = clock;
    let now = clock().to_string();
    wire.control("clock", &json!({"set": now, "freeze": false}))
        .unwrap();
    scene.lab.world().clone()
}

/// Makes a plan wait no longer than a test may.
pub(crate) fn hurried(plan: &mut Plan) {
    for step in &mut plan.steps {
        if let Action::Wait(seconds) = &mut step.action {
            *seconds = 1;
        }
    }
}

/// Makes the plan one of today, with a short wait; gives its digest.
fn timely(path: &Path) -> String {
    let mut plan: Plan = from_json(&fs::read_to_string(path).unwrap()).unwrap();
    plan.valid_until = clock().plus(86_400);
    hurried(&mut plan);
    fs::write(path, to_json(&plan).unwrap()).unwrap();
    digest(&plan).unwrap()
}
