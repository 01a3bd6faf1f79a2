//! A story that was played in a lab, with somebody to answer it: a responder in an account of its own, who has a role in
//! every account of the story, and an organization over them where the test wants one.

use super::answer;
use flate2::read::GzDecoder;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use unchain_core::contain::Facts;
use unchain_core::ledger::Ledger;
use unchain_core::lineage::Lineage;
use unchain_core::record::plain;
use unchain_core::report::Report;
use unchain_core::text::Untrusted;
use unchain_core::time::Timestamp;
use unchain_lab::Lab;
use unchain_lab::service::Service;
use unchain_lab::story::{Client, Keys, Place, Player, Story, Told, Wire, playable};
use unchain_lab::trail::deliver_to;
use unchain_lab::world::{Settings, World};

/// The account of those who answer incidents.
pub(crate) const SECURITY: &str = "999999999999";
/// The role that they have in every account.
pub(crate) const BREAK_GLASS: &str = "break-glass";

/// What a call gave, or the code and message of its refusal.
pub(crate) type Outcome = Result<Value, (String, String)>;

/// A host clock that stands: the tests turn the lab's.
fn host() -> Timestamp {
    Timestamp::from_seconds(1_795_000_000)
}

/// How the accounts of a story are set up.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Setting {
    /// The accounts are members of an organization that the security account manages.
    pub(crate) organized: bool,
    /// A service control policy keeps everybody else from the break-glass role.
    pub(crate) guarded: bool,
    /// The story ends here: hours and minutes of its day.
    pub(crate) until: Option<(i64, i64)>,
}

/// A story that was played, and its lab.
pub(crate) struct Scene {
    pub(crate) lab: Lab,
    /// What the people of the story hold, by its names.
    pub(crate) held: BTreeMap<String, Keys>,
    /// The story's accounts, as far as they and their logs are in our hands.
    pub(crate) accounts: Vec<String>,
    /// The responder's long-term key.
    pub(crate) responder: Keys,
    /// Where the logs are: what a copy shares with its original, and its own.
    pub(crate) logs: Vec<Arc<tempfile::TempDir>>,
}

impl Scene {
    /// Plays a story of the lab.
    pub(crate) fn of(name: &str, setting: Setting) -> Self {
        Self::play(Story::named(name).unwrap().text, setting)
    }

    /// Plays a text.
    pub(crate) fn play(text: &str, setting: Setting) -> Self {
        let logs = tempfile::tempdir().unwrap();
        let lab = Lab::new(World::new(7, Settings::default()));
        deliver_to(&mut lab.world(), Some(logs.path().to_owned()));
        let (trail, _) = playable(text).unwrap();
        let begin = trail.script().steps[0].at;
        wire(&lab)
            .control("clock", &json!({"freeze": true}))
            .unwrap();
        set(&wire(&lab), begin - 43_200);
        let mut player = Player::new(wire(&lab), &trail).unwrap();
        let accounts = trail
            .script()
            .cast
            .accounts
            .into_iter()
            .filter(|a| a.logged);
        let accounts: Vec<String> = accounts.map(|a| a.number).collect();
        let responder = prepare(&lab, &accounts, setting);
        let end = setting
            .until
            .map(|(hours, minutes)| begin - begin % 86_400 + hours * 3600 + minutes * 60);
        let steps = trail.script().steps;
        let mut left = steps
            .iter()
            .filter(|step| end.is_none_or(|end| step.at <= end))
            .count();
        let mut say = |_: &Told| {
            left -= 1;
            (left > 0)
                .then_some(())
                .ok_or_else(|| "that is enough".to_owned())
        };
        // It ends early, always.
        assert!(player.play(&mut say).is_err());
        if let Some(end) = end {
            set(&wire(&lab), end);
        }
        let held = player.keys().into_iter();
        let held = held
            .filter_map(|(label, keys)| Some((label, keys.ok()?)))
            .collect();
        Self {
            lab,
            held,
            accounts,
            responder,
            logs: vec![Arc::new(logs)],
        }
    }

    /// The same again, to be changed for itself.
    pub(crate) fn copy(&self) -> Self {
        self.wire().control("deliver", &json!({})).unwrap();
        let logs = Arc::new(tempfile::tempdir().unwrap());
        let lab = Lab::new(self.lab.world().clone());
        deliver_to(&mut lab.world(), Some(logs.path().to_owned()));
        Self {
            lab,
            held: self.held.clone(),
            accounts: self.accounts.clone(),
            responder: self.responder.clone(),
            logs: self.logs.iter().cloned().chain([logs]).collect(),
        }
    }

    pub(crate) fn wire(&self) -> Wire<'_> {
        wire(&self.lab)
    }

    /// A call with somebody's keys.
    pub(crate) fn ask(&self, what: (Service, &str), params: Value, keys: &Keys) -> Outcome {
        ask(&self.wire(), what, params, keys)
    }

    /// The lab's time.
    pub(crate) fn now(&self) -> Timestamp {
        self.lab.world().time()
    }

    /// Turns the lab's clock.
    pub(crate) fn set(&self, at: i64) {
        set(&self.wire(), at);
    }

    /// ARNs of those who carry out plans.
    pub(crate) fn exempt(&self) -> Vec<Untrusted> {
        let roles = self
            .accounts
            .iter()
            .map(|a| format!("arn:aws:iam::{a}:role/{BREAK_GLASS}"));
        let user = format!("arn:aws:iam::{SECURITY}:user/responder");
        roles.chain([user]).map(Untrusted::new).collect()
    }

    /// A session of the break-glass role of an account; in their own account the responder's key; none in an
    /// account that is not theirs.
    pub(crate) fn break_glass(&self, account: &str) -> Option<Keys> {
        if account == SECURITY {
            return Some(self.responder.clone());
        }
        let role = format!("arn:aws:iam::{account}:role/{BREAK_GLASS}");
        let params = json!({"RoleArn": role, "RoleSessionName": "incident"});
        let taken = self.ask((Service::Sts, "AssumeRole"), params, &self.responder);
        taken.ok().map(|taken| keys(&taken))
    }

    /// What the logs that were delivered up to now say.
    pub(crate) fn ledger(&self) -> Ledger {
        self.wire().control("deliver", &json!({})).unwrap();
        let mut ledger = Ledger::default();
        for path in self.logs.iter().flat_map(|folder| files(folder.path())) {
            let mut text = String::new();
            let file = std::fs::File::open(path).unwrap();
            GzDecoder::new(file).read_to_string(&mut text).unwrap();
            let log: Value = serde_json::from_str(&text).unwrap();
            for record in log["Records"].as_array().into_iter().flatten() {
                let account = record["recipientAccountId"].as_str().unwrap();
                if account == SECURITY || self.accounts.iter().any(|own| own == account) {
                    ledger.apply(&plain(record).unwrap());
                }
            }
        }
        ledger.settle();
        ledger
    }

    /// Calls with the report of the logs up to now.
    pub(crate) fn report<T>(&self, ask: impl FnOnce(&Report<'_, '_>) -> T) -> T {
        let ledger = self.ledger();
        let lineage = Lineage::build(&ledger);
        ask(&Report::new(&lineage, self.now()))
    }

    /// The state of the story's accounts, as the responder reads it.
    pub(crate) fn facts(&self) -> Facts {
        let mut facts = Facts::default();
        for account in &self.accounts {
            self.read_account(&mut facts, account);
        }
        self.read_organization(&mut facts);
        facts
    }

    fn read_account(&self, facts: &mut Facts, account: &str) {
        self.read(
            facts,
            account,
            (
                "iam GetAccountAuthorizationDetails",
                json!({"MaxItems": 1000}),
            ),
        );
        let users: Vec<String> = facts.accounts[account].users.keys().cloned().collect();
        for user in users {
            for call in ["iam ListAccessKeys", "iam ListMFADevices"] {
                self.read(facts, account, (call, json!({"UserName": user})));
            }
        }
        for call in ["iam ListSAMLProviders", "iam ListOpenIDConnectProviders"] {
            self.read(facts, account, (call, json!({})));
        }
    }

    /// The organization, if there is one, with the policies over each account.
    fn read_organization(&self, facts: &mut Facts) {
        let any = self.break_glass(&self.accounts[0]).unwrap();
        let found = self.ask(
            (Service::Organizations, "DescribeOrganization"),
            json!({}),
            &any,
        );
        let Some(management) = found
            .ok()
            .and_then(|found| answer::find(&found, "MasterAccountId"))
        else {
            return;
        };
        let mut read = |call: &str, params: Value| self.read(facts, &management, (call, params));
        read("organizations DescribeOrganization", json!({}));
        let roots = read("organizations ListRoots", json!({}));
        read("organizations ListAccounts", json!({}));
        let mut targets = vec![answer::find(&roots, "Id").unwrap()];
        for account in self
            .accounts
            .iter()
            .filter(|account| **account != management)
        {
            let mut child = account.clone();
            while !child.starts_with("r-") {
                targets.push(child.clone());
                let parents = read("organizations ListParents", json!({"ChildId": child}));
                child = answer::find(&parents, "Id").unwrap();
            }
        }
        for target in targets {
            let filter = json!({"TargetId": target, "Filter": "SERVICE_CONTROL_POLICY"});
            let list = read("organizations ListPoliciesForTarget", filter);
            for policy in list["Policies"].as_array().into_iter().flatten() {
                read(
                    "organizations DescribePolicy",
                    json!({"PolicyId": policy["Id"]}),
                );
            }
        }
    }

    /// Reads the answer to a call, all its pages, into the facts; gives the last page.
    fn read(&self, facts: &mut Facts, account: &str, (call, mut params): (&str, Value)) -> Value {
        let (service, action) = call.split_once(' ').unwrap();
        let keys = self.break_glass(account).unwrap();
        loop {
            let page = self.ask(
                (Service::named(service).unwrap(), action),
                params.clone(),
                &keys,
            );
            let page = page.unwrap_or_else(|refused| panic!("{call} in {account}: {refused:?}"));
            let form = json!({"answer": page, "unchain_call": {
                "service": service, "action": action, "account": account, "parameters": params}});
            facts.read(&form.to_string(), Some(account)).unwrap();
            match answer::find(&page, "Marker") {
                Some(marker) => params["Marker"] = json!(marker),
                None => return page,
            }
        }
    }
}

fn wire(lab: &Lab) -> Wire<'_> {
    Wire {
        place: Place::Here(lab),
        client: Client::Own,
        now: host,
    }
}

fn set(wire: &Wire<'_>, at: i64) {
    let time = Timestamp::from_seconds(at).to_string();
    wire.control("clock", &json!({"set": time})).unwrap();
}

/// A call with somebody's keys.
pub(crate) fn ask(wire: &Wire<'_>, what: (Service, &str), params: Value, keys: &Keys) -> Outcome {
    let params = match params {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    let params = params.into_iter().filter(|(_, value)| !value.is_null());
    answer::read(&wire.ask(what, params.collect(), Some(keys)).unwrap())
}

/// The credential in an answer.
pub(crate) fn keys(answer: &Value) -> Keys {
    let find = |name: &str| answer::find(answer, name);
    Keys {
        id: find("AccessKeyId").unwrap(),
        secret: find("SecretAccessKey").unwrap(),
        token: find("SessionToken"),
    }
}

/// The responder, their roles, and the organization; gives the responder's key.
fn prepare(lab: &Lab, accounts: &[String], setting: Setting) -> Keys {
    lab.world().add_account(SECURITY, "security");
    let wire = wire(lab);
    let roots = roots(&wire);
    let call = |account: &str, what: (Service, &str), params: Value| {
        let made = ask(&wire, what, params, &roots[account]);
        made.unwrap_or_else(|refused| panic!("{what:?} in {account}: {refused:?}"))
    };
    let admin = "arn:aws:iam::aws:policy/AdministratorAccess";
    call(
        SECURITY,
        (Service::Iam, "CreateUser"),
        json!({"UserName": "responder"}),
    );
    let attach = json!({"UserName": "responder", "PolicyArn": admin});
    call(SECURITY, (Service::Iam, "AttachUserPolicy"), attach);
    let key = call(
        SECURITY,
        (Service::Iam, "CreateAccessKey"),
        json!({"UserName": "responder"}),
    );
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"AWS": format!("arn:aws:iam::{SECURITY}:user/responder")}}]});
    for account in accounts {
        let role = json!({"RoleName": BREAK_GLASS, "AssumeRolePolicyDocument": trust.to_string()});
        call(account, (Service::Iam, "CreateRole"), role);
        let attach = json!({"RoleName": BREAK_GLASS, "PolicyArn": admin});
        call(account, (Service::Iam, "AttachRolePolicy"), attach);
    }
    if setting.organized {
        organize(&call, accounts, setting.guarded);
    }
    keys(&key)
}

fn roots(wire: &Wire<'_>) -> BTreeMap<String, Keys> {
    let accounts = wire.read("accounts").unwrap();
    let list = accounts["accounts"].as_array().cloned().unwrap();
    let key = |account: &Value| Keys {
        id: account["root_keys"][0]["access_key_id"]
            .as_str()
            .unwrap()
            .to_owned(),
        secret: account["root_keys"][0]["secret_access_key"]
            .as_str()
            .unwrap()
            .to_owned(),
        token: None,
    };
    let id = |account: &Value| account["id"].as_str().unwrap().to_owned();
    list.iter()
        .map(|account| (id(account), key(account)))
        .collect()
}

/// A call as the root user of an account.
type AsRoot<'a> = &'a dyn Fn(&str, (Service, &str), Value) -> Value;

/// All accounts become members; with a guard, nobody but the role itself and its responder touches break-glass.
fn organize(call: AsRoot<'_>, accounts: &[String], guarded: bool) {
    let ours = |operation, params| call(SECURITY, (Service::Organizations, operation), params);
    ours("CreateOrganization", json!({"FeatureSet": "ALL"}));
    let root = answer::find(&ours("ListRoots", json!({})), "Id").unwrap();
    ours(
        "EnablePolicyType",
        json!({"RootId": root, "PolicyType": "SERVICE_CONTROL_POLICY"}),
    );
    for account in accounts {
        let target = json!({"Target": {"Id": account, "Type": "ACCOUNT"}});
        let invited = ours("InviteAccountToOrganization", target);
        let handshake = invited["Handshake"]["Id"].clone();
        call(
            account,
            (Service::Organizations, "AcceptHandshake"),
            json!({"HandshakeId": handshake}),
        );
    }
    if !guarded {
        return;
    }
    let role = format!("arn:aws:iam::*:role/{BREAK_GLASS}");
    let guard = json!({"Version": "2012-10-17", "Statement": [{"Sid": "BreakGlass", "Effect": "Deny",
        "Action": ["iam:*", "sts:AssumeRole"], "Resource": role,
        "Condition": {"ArnNotLike": {"aws:PrincipalArn": role}}}]});
    let policy = json!({"Name": "break-glass", "Description": "", "Type": "SERVICE_CONTROL_POLICY",
        "Content": guard.to_string()});
    let id = answer::find(&ours("CreatePolicy", policy), "Id").unwrap();
    ours("AttachPolicy", json!({"PolicyId": id, "TargetId": root}));
}

/// The log files below a folder, in order, without the digests.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut entries: Vec<PathBuf> = entries.collect();
    entries.sort();
    let mut found = Vec::new();
    for path in entries {
        match path.is_dir() {
            true if path.ends_with("CloudTrail-Digest") => {}
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found
}
