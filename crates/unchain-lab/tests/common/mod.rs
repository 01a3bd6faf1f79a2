//! A small company in the lab, called in process with no socket and no signature.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail where the test should"
)]

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};
use unchain_lab::call::{Call, Fault, Reply};
use unchain_lab::http::Request;
use unchain_lab::service::Service;
use unchain_lab::session::{Caller, Who};
use unchain_lab::world::{Settings, World};
use unchain_lab::{enforce, trail};

pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const OTHER: &str = "444455556666";

/// A world of two accounts whose logs go to a folder.
pub(crate) struct Company {
    pub(crate) world: World,
    folder: tempfile::TempDir,
}

impl Company {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut world = World::new(1, Settings::default());
        world.now = 1_793_700_000;
        world.add_account(ACCOUNT, "main");
        world.add_account(OTHER, "other");
        trail::deliver_to(&mut world, Some(folder.path().to_owned()));
        Self { world, folder }
    }

    /// The root user of an account with its long-term key.
    pub(crate) fn root(&self, account: &str) -> Caller {
        let keys = &self.world.iam(account).expect("an account").root_keys;
        Caller {
            account: account.to_owned(),
            who: Who::Root,
            access_key_id: Some(keys[0].id.clone()),
            session: None,
            invoked_by: None,
        }
    }

    /// A user with a new long-term key.
    pub(crate) fn user(&mut self, name: &str) -> Caller {
        let root = self.root(ACCOUNT);
        let made = self.must(&root, "iam CreateUser", json!({"UserName": name}));
        let id = made.value["User"]["UserId"]
            .as_str()
            .expect("an id")
            .to_owned();
        let key = self.must(&root, "iam CreateAccessKey", json!({"UserName": name}));
        let key = key.value["AccessKey"]["AccessKeyId"]
            .as_str()
            .expect("a key");
        Caller {
            who: Who::User {
                name: name.to_owned(),
                id,
            },
            access_key_id: Some(key.to_owned()),
            ..root
        }
    }

    /// Who calls with a temporary key.
    pub(crate) fn with_key(&self, key: &str) -> Caller {
        let session = self.world.sessions.get(key).expect("a session");
        Caller {
            account: session.account.clone(),
            who: session.who.clone(),
            access_key_id: Some(key.to_owned()),
            session: Some(Arc::clone(session)),
            invoked_by: None,
        }
    }

    pub(crate) fn must(&mut self, caller: &Caller, what: &str, params: Value) -> Reply {
        self.call(caller, what, params).expect(what)
    }

    /// A call as the lab makes it after the signature: authorised, run, recorded.
    pub(crate) fn call(
        &mut self,
        caller: &Caller,
        what: &str,
        params: Value,
    ) -> Result<Reply, Fault> {
        self.call_with(caller, what, (params, Vec::new()))
    }

    pub(crate) fn call_with(
        &mut self,
        caller: &Caller,
        what: &str,
        (params, body): (Value, Vec<u8>),
    ) -> Result<Reply, Fault> {
        let (service, name) = what.split_once(' ').expect("service and operation");
        let service = Service::named(service).expect("a service");
        let operation = service.operation(name).expect("an operation");
        let http = Request {
            headers: vec![(
                "host".to_owned(),
                format!("{}.amazonaws.com", service.name()),
            )],
            query: match name {
                "PutBucketPolicy" => "policy=".to_owned(),
                _ => String::new(),
            },
            ..Request::default()
        };
        let world = &mut self.world;
        let call = Call {
            operation,
            caller: caller.clone(),
            region: "us-east-1".to_owned(),
            params: params.as_object().cloned().expect("an object"),
            http: &http,
            body,
            at: world.time(),
            source_ip: "203.0.113.7".to_owned(),
            user_agent: "a client".to_owned(),
            request_id: world.ids.guid(),
        };
        let outcome = enforce::authorize(world, &call).and_then(|()| (operation.run)(world, &call));
        trail::record(world, &call, &outcome);
        world.now += 1;
        outcome
    }

    /// All records so far.
    pub(crate) fn records(&mut self) -> Vec<Value> {
        trail::deliver_all(&mut self.world);
        let mut records = Vec::new();
        for path in files(self.folder.path()) {
            let bytes = std::fs::read(&path).expect("a file");
            let mut text = String::new();
            flate2::read::GzDecoder::new(&*bytes)
                .read_to_string(&mut text)
                .expect("gzip");
            let file: Value = serde_json::from_str(&text).expect("JSON");
            records.extend(file["Records"].as_array().into_iter().flatten().cloned());
        }
        records
    }
}

/// The files below a folder, in order.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    found.sort();
    let within = |path: PathBuf| match path.is_dir() {
        true => files(&path),
        false => vec![path],
    };
    found.into_iter().flat_map(within).collect()
}
