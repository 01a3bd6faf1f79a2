//! A world with two accounts, and calls to it without a wire.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use unchain_lab::call::{Call, Fault, Reply, Trouble};
use unchain_lab::enforce;
use unchain_lab::http::Request;
use unchain_lab::iam::{Attached, Document, MfaDevice, Provider, Role, User};
use unchain_lab::operation::{Ask, Event, Operation, Permission};
use unchain_lab::service::Service;
use unchain_lab::session::{Caller, Who};
use unchain_lab::world::{Settings, World};
use unchain_trail::Prefix;

pub(crate) const HOME: &str = "111122223333";
pub(crate) const AWAY: &str = "444455556666";
/// 2026-11-22T09:00:00Z.
pub(crate) const START: i64 = 1_795_338_000;
pub(crate) const ALLOW_ALL: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

pub(crate) struct Desk {
    pub(crate) world: World,
    pub(crate) host: String,
}

pub(crate) fn allow(action: &str) -> String {
    policy(&json!({"Effect": "Allow", "Action": action, "Resource": "*"}))
}

pub(crate) fn deny_if(condition: &Value) -> String {
    policy(&json!({"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition}))
}

pub(crate) fn policy(statement: &Value) -> String {
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

/// A trust policy for `AssumeRole`, tagging and naming.
pub(crate) fn trust(principal: &Value) -> String {
    let actions = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"];
    policy(&json!({"Effect": "Allow", "Principal": principal, "Action": actions}))
}

pub(crate) fn trust_account(account: &str) -> String {
    trust(&json!({"AWS": format!("arn:aws:iam::{account}:root")}))
}

impl Desk {
    pub(crate) fn new() -> Self {
        let mut world = World::new(7, Settings::default());
        world.now = START;
        world.add_account(HOME, "home");
        world.add_account(AWAY, "away");
        Self {
            world,
            host: "sts.eu-west-1.amazonaws.com".to_owned(),
        }
    }

    pub(crate) fn root(&self) -> Caller {
        Caller {
            account: HOME.to_owned(),
            who: Who::Root,
            ..Caller::anonymous()
        }
    }

    /// A user of the home account with one inline policy, by its long-term key.
    pub(crate) fn user(&mut self, name: &str, policy: &str) -> Caller {
        let id = self.world.ids.identifier(Prefix::User, HOME);
        let user = User {
            id: id.clone(),
            path: "/".to_owned(),
            created_at: START,
            attached: attached(policy),
            keys: Vec::new(),
            login: None,
            mfa: Vec::new(),
            groups: Vec::new(),
            password_last_used: None,
        };
        let iam = self.world.change_iam(HOME).unwrap();
        iam.users.insert(name.to_owned(), user);
        Caller {
            account: HOME.to_owned(),
            who: Who::User {
                name: name.to_owned(),
                id,
            },
            access_key_id: Some(self.world.ids.identifier(Prefix::LongTermKey, HOME)),
            ..Caller::anonymous()
        }
    }

    /// A role with an inline policy that allows everything; its ARN.
    pub(crate) fn role(&mut self, account: &str, name: &str, trust: &str) -> String {
        let role = Role {
            id: self.world.ids.identifier(Prefix::Role, account),
            path: "/".to_owned(),
            created_at: START,
            attached: attached(ALLOW_ALL),
            trust: Document::parse("trust", trust).unwrap(),
            max_session: 3600,
            description: None,
            last_used: None,
        };
        let iam = self.world.change_iam(account).unwrap();
        iam.roles.insert(name.to_owned(), role);
        format!("arn:aws:iam::{account}:role/{name}")
    }

    pub(crate) fn edit_role(&mut self, account: &str, name: &str) -> &mut Role {
        let iam = self.world.change_iam(account).unwrap();
        iam.roles.get_mut(name).unwrap()
    }

    pub(crate) fn edit_user(&mut self, name: &str) -> &mut User {
        let iam = self.world.change_iam(HOME).unwrap();
        iam.users.get_mut(name).unwrap()
    }

    /// Puts an inline policy on a user.
    pub(crate) fn put(&mut self, user: &str, name: &str, text: &str) {
        let document = Document::parse(name, text).unwrap();
        let inline = &mut self.edit_user(user).attached.inline;
        inline.insert(name.to_owned(), document);
    }

    /// An MFA device of a user; its serial.
    pub(crate) fn device(&mut self, user: &str) -> String {
        let serial = format!("arn:aws:iam::{HOME}:mfa/{user}");
        let device = MfaDevice {
            seed: SEED.to_vec(),
            enabled: Some((user.to_owned(), START)),
            last_step: None,
        };
        let iam = self.world.change_iam(HOME).unwrap();
        iam.mfa_devices.insert(serial.clone(), device);
        serial
    }

    pub(crate) fn provider(&mut self, arn: &str, provider: Provider) {
        let iam = self.world.change_iam(HOME).unwrap();
        iam.providers.insert(arn.to_owned(), provider);
    }

    /// One call, authorised and run as the lab does it.
    pub(crate) fn reply(
        &mut self,
        caller: &Caller,
        operation: &'static Operation,
        params: &Value,
    ) -> Result<Reply, Fault> {
        let http = Request {
            headers: vec![("host".to_owned(), self.host.clone())],
            ..Request::default()
        };
        let call = Call {
            operation,
            caller: caller.clone(),
            region: "eu-west-1".to_owned(),
            params: params.as_object().unwrap().clone(),
            http: &http,
            body: Vec::new(),
            at: self.world.time(),
            source_ip: "127.0.0.1".to_owned(),
            user_agent: "test".to_owned(),
            request_id: "1".to_owned(),
        };
        enforce::authorize(&self.world, &call)?;
        (operation.run)(&mut self.world, &call)
    }

    pub(crate) fn sts(
        &mut self,
        caller: &Caller,
        name: &str,
        params: &Value,
    ) -> Result<Value, Fault> {
        let operation = Service::Sts.operation(name).unwrap();
        self.reply(caller, operation, params)
            .map(|reply| reply.value)
    }

    pub(crate) fn assume(&mut self, caller: &Caller, role: &str) -> Caller {
        let params = json!({"RoleArn": role, "RoleSessionName": "test"});
        let value = self.sts(caller, "AssumeRole", &params).unwrap();
        self.bearer(&value)
    }

    pub(crate) fn token(&mut self, caller: &Caller) -> Caller {
        let value = self.sts(caller, "GetSessionToken", &json!({})).unwrap();
        self.bearer(&value)
    }

    /// The caller who has the credentials of a reply.
    pub(crate) fn bearer(&self, value: &Value) -> Caller {
        let key = value["Credentials"]["AccessKeyId"].as_str().unwrap();
        let session = self.world.sessions.get(key).unwrap();
        Caller {
            account: session.account.clone(),
            who: session.who.clone(),
            access_key_id: Some(key.to_owned()),
            session: Some(session.clone()),
            invoked_by: None,
        }
    }

    pub(crate) fn arn(&mut self, caller: &Caller) -> String {
        let value = self.sts(caller, "GetCallerIdentity", &json!({})).unwrap();
        value["Arn"].as_str().unwrap().to_owned()
    }

    /// What `s3:ListAllMyBuckets` is answered with.
    pub(crate) fn list_buckets(&mut self, caller: &Caller) -> Result<(), Fault> {
        self.reply(caller, &LIST_BUCKETS, &json!({})).map(|_| ())
    }

    pub(crate) fn may(&mut self, caller: &Caller) -> bool {
        self.list_buckets(caller).is_ok()
    }
}

pub(crate) const SEED: &[u8] = b"12345678901234567890";

fn attached(policy: &str) -> Attached {
    let document = Document::parse("first", policy).unwrap();
    Attached {
        inline: BTreeMap::from([("first".to_owned(), document)]),
        ..Attached::default()
    }
}

pub(crate) static LIST_BUCKETS: Operation = harmless(
    Service::S3,
    "ListBuckets",
    Permission::Asks(|_, _| Ok(vec![Ask::on("s3:ListAllMyBuckets", "*")])),
);
pub(crate) static LIST_USERS: Operation = harmless(
    Service::Iam,
    "ListUsers",
    Permission::Asks(|_, call| {
        let account = &call.caller.account;
        Ok(vec![Ask::on(
            "iam:ListUsers",
            format!("arn:aws:iam::{account}:user/"),
        )])
    }),
);
pub(crate) static DESCRIBE_INSTANCES: Operation =
    harmless(Service::Ec2, "DescribeInstances", Permission::Any);

const fn harmless(service: Service, name: &'static str, permission: Permission) -> Operation {
    Operation {
        service,
        name,
        read_only: true,
        event: Event::Management,
        permission,
        run: |_, _| Ok(Reply::default()),
    }
}

/// The code of a fault, as the query protocol writes it.
pub(crate) fn code(fault: &Fault) -> &str {
    match &fault.trouble {
        Trouble::Api(code) => code,
        Trouble::Denied => "AccessDenied",
        Trouble::UnknownKey => "InvalidClientTokenId",
        Trouble::Unsigned => "MissingAuthenticationToken",
        other => panic!("{other:?}"),
    }
}

/// That a call was refused so.
#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(
    outcome: Result<T, Fault>,
    (expected, words): (&str, &str),
) {
    let fault = outcome.expect_err("is refused");
    assert_eq!(code(&fault), expected, "{}", fault.message);
    assert!(fault.message.contains(words), "{}", fault.message);
}
