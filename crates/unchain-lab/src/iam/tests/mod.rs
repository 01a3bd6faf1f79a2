//! Every theme of IAM, by calls in process.

mod entities;
mod guarded;
mod policies;
mod reports;
mod secrets;

use serde_json::{Map, Value, json};
use unchain_core::time::Timestamp;

use super::answer;
use crate::call::{Call, Fault, Reply, Trouble};
use crate::http::Request;
use crate::operation::{Ask, Permission};
use crate::service::Service;
use crate::session::{Caller, Who};
use crate::world::{Settings, World};

const ACCOUNT: &str = "111122223333";
const OTHER: &str = "444455556666";
const NOON: i64 = 1_772_452_800;

const S3_ALL: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;

/// A world of two accounts and who calls in it.
struct Bench {
    world: World,
    who: Who,
    request: Request,
}

impl Bench {
    fn new() -> Self {
        let mut world = World::new(7, Settings::default());
        world.now = NOON;
        world.add_account(ACCOUNT, "one");
        world.add_account(OTHER, "two");
        Self {
            world,
            who: Who::Root,
            request: Request::default(),
        }
    }

    fn call(&self, operation: &str, params: Value) -> Call<'_> {
        let params = answer::fields(params);
        call(&self.world, (&self.who, &self.request), (operation, params))
    }

    fn try_reply(&mut self, operation: &str, params: Value) -> Result<Reply, Fault> {
        let request = self.request.clone();
        let params = answer::fields(params);
        let call = call(&self.world, (&self.who, &request), (operation, params));
        (call.operation.run)(&mut self.world, &call)
    }

    fn reply(&mut self, operation: &str, params: Value) -> Reply {
        self.try_reply(operation, params)
            .unwrap_or_else(|fault| panic!("{operation}: {:?} {}", fault.trouble, fault.message))
    }

    fn ok(&mut self, operation: &str, params: Value) -> Value {
        self.reply(operation, params).value
    }

    /// Code and message of a refusal.
    fn refused(&mut self, operation: &str, params: Value) -> (String, String) {
        let fault = self.try_reply(operation, params).unwrap_err();
        let code = match fault.trouble {
            Trouble::Api(code) => code,
            other => format!("{other:?}"),
        };
        (code, fault.message)
    }

    fn code(&mut self, operation: &str, params: Value) -> String {
        self.refused(operation, params).0
    }

    fn asks(&self, operation: &str, params: Value) -> Vec<Ask> {
        let call = self.call(operation, params);
        match call.operation.permission {
            Permission::Asks(asks) => asks(&self.world, &call).unwrap(),
            _ => Vec::new(),
        }
    }

    fn user(&mut self, name: &str) {
        self.ok("CreateUser", json!({"UserName": name}));
    }

    fn role(&mut self, name: &str) {
        let trust = trusts(json!({"Service": "ec2.amazonaws.com"}));
        self.ok(
            "CreateRole",
            json!({"RoleName": name, "AssumeRolePolicyDocument": trust}),
        );
    }

    fn become_user(&mut self, name: &str) {
        let id = self.world.iam(ACCOUNT).unwrap().users[name].id.clone();
        self.who = Who::User {
            name: name.to_owned(),
            id,
        };
    }

    fn trust_of(&self, role: &str) -> String {
        self.world.iam(ACCOUNT).unwrap().roles[role]
            .trust
            .text
            .clone()
    }
}

fn call<'a>(
    world: &World,
    (who, request): (&Who, &'a Request),
    (operation, params): (&str, Map<String, Value>),
) -> Call<'a> {
    Call {
        operation: Service::Iam.operation(operation).unwrap(),
        caller: Caller {
            account: ACCOUNT.to_owned(),
            who: who.clone(),
            access_key_id: None,
            session: None,
            invoked_by: None,
        },
        region: "us-east-1".to_owned(),
        params,
        http: request,
        body: Vec::new(),
        at: Timestamp::from_seconds(world.now),
        source_ip: "203.0.113.9".to_owned(),
        user_agent: "test".to_owned(),
        request_id: "r".to_owned(),
    }
}

fn trusts(principal: Value) -> String {
    let mut policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole"}
    ]});
    policy["Statement"][0]["Principal"] = principal;
    policy.to_string()
}

fn names(list: &Value, field: &str) -> Vec<String> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|row| row[field].as_str().unwrap_or_default().to_owned())
        .collect()
}
