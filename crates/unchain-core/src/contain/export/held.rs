//! What a plan leaves behind, as far as a template can hold it: policies of its own. The rest is told, call by call.

use super::command::command;
use super::{is_account, reference, text};
use crate::contain::owner::is_name;
use crate::contain::plan::{Action, Call, Plan, Step};
use serde_json::{Value, json};

/// Whose a policy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Of<'p> {
    User(&'p str),
    Role(&'p str),
}

/// What a template makes.
#[derive(Clone, Debug)]
pub(super) enum Kind<'p> {
    /// A policy in a user or role.
    Inline(Of<'p>),
    /// A managed policy, and to what it is attached.
    Managed(Vec<Of<'p>>),
    /// A service control policy, with its description, and to what it is attached.
    Scp(&'p str, Vec<&'p str>),
}

/// One policy.
#[derive(Clone, Debug)]
pub(super) struct Held<'p> {
    /// The step that makes it.
    pub(super) step: u32,
    pub(super) account: &'p str,
    pub(super) name: &'p str,
    /// As the last step leaves it.
    pub(super) document: &'p Value,
    pub(super) kind: Kind<'p>,
}

/// What a template cannot hold.
#[derive(Clone, Debug)]
pub(super) struct Left<'p> {
    pub(super) step: &'p Step,
    pub(super) why: &'static str,
}

/// A plan, parted into what a template can hold and what it cannot.
#[derive(Clone, Debug, Default)]
pub(super) struct Parted<'p> {
    pub(super) held: Vec<Held<'p>>,
    pub(super) left: Vec<Left<'p>>,
}

const WAIT: &str = "a template does not wait";
const VERIFY: &str = "a template does not look whether it worked";
const AGAIN: &str =
    "the template has this later cut-off from the beginning: it is not moved a second time";
const UNMADE: &str = "a template cannot change what it did not make";
const ACCOUNT: &str = "its account is none";
const NAME: &str = "one of its names has characters that IAM does not allow";

impl<'p> Parted<'p> {
    /// Parts a plan. What `keeps` says no to is left.
    pub(super) fn of(
        plan: &'p Plan,
        keeps: &dyn Fn(&Held<'p>) -> Result<(), &'static str>,
    ) -> Self {
        let mut parted = Self::default();
        for step in &plan.steps {
            match &step.action {
                Action::Call(call) => parted.call(step, call, keeps),
                Action::Wait(_) => parted.leave(step, WAIT),
                Action::Verify { .. } => parted.leave(step, VERIFY),
            }
        }
        parted
    }

    fn leave(&mut self, step: &'p Step, why: &'static str) {
        self.left.push(Left { step, why });
    }

    fn call(
        &mut self,
        step: &'p Step,
        call: &'p Call,
        keeps: &dyn Fn(&Held<'p>) -> Result<(), &'static str>,
    ) {
        if self.goes_on(step, call) {
            return;
        }
        match made(step.number, call)
            .map(|held| sound(&held).and_then(|()| keeps(&held)).map(|()| held))
        {
            Some(Ok(held)) => self.held.push(held),
            Some(Err(why)) => self.leave(step, why),
            None => self.leave(step, UNMADE),
        }
    }

    /// Whether the call goes on with a policy that is held already.
    fn goes_on(&mut self, step: &'p Step, call: &'p Call) -> bool {
        let of = |held: &&mut Held<'p>| held.account == call.account.raw();
        let found = self
            .held
            .iter_mut()
            .filter(of)
            .find_map(|held| held.goes_on(call));
        if found == Some(Next::Again) {
            self.leave(step, AGAIN);
        }
        found.is_some()
    }
}

/// How a call goes on with a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// It has another document.
    Again,
    /// It is attached.
    Attached,
}

impl<'p> Held<'p> {
    fn goes_on(&mut self, call: &'p Call) -> Option<Next> {
        let named = self.is(text(call, "PolicyArn"));
        let to = match (&mut self.kind, call.action.as_str()) {
            (Kind::Inline(_), "PutUserPolicy" | "PutRolePolicy") => return self.put_again(call),
            (Kind::Managed(_), "CreatePolicyVersion") if named => {
                self.document = call.parameters.get("PolicyDocument")?;
                return Some(Next::Again);
            }
            (Kind::Managed(to), "AttachUserPolicy" | "AttachRolePolicy") if named => {
                let (user, role) = (text(call, "UserName"), text(call, "RoleName"));
                let whose = if role.is_empty() {
                    Of::User(user)
                } else {
                    Of::Role(role)
                };
                let sound = is_name(user) != is_name(role);
                to.extend(sound.then_some(whose));
                return sound.then_some(Next::Attached);
            }
            (Kind::Scp(_, to), "AttachPolicy") => to,
            _ => return None,
        };
        let (of, _) = reference(text(call, "PolicyId"))?;
        let target = text(call, "TargetId");
        let own = of == self.step && is_name(target);
        to.extend(own.then_some(target));
        own.then_some(Next::Attached)
    }

    fn put_again(&mut self, call: &'p Call) -> Option<Next> {
        let again = made(self.step, call)?;
        let same = match (&again.kind, &self.kind) {
            (Kind::Inline(one), Kind::Inline(other)) => one == other && again.name == self.name,
            _ => false,
        };
        self.document = if same { again.document } else { self.document };
        same.then_some(Next::Again)
    }

    /// Whether it is the managed policy of an ARN.
    fn is(&self, arn: &str) -> bool {
        let start = arn.strip_suffix(self.name);
        start.is_some_and(|start| start.ends_with(&format!(":{}:policy/", self.account)))
    }
}

/// The policy that a call makes.
fn made(step: u32, call: &Call) -> Option<Held<'_>> {
    let document = |name: &str| call.parameters.get(name);
    let held = |name, document, kind| Held {
        step,
        account: call.account.raw(),
        name,
        document,
        kind,
    };
    let name = text(call, "PolicyName");
    match (call.service.as_str(), call.action.as_str()) {
        ("iam", "PutUserPolicy") => {
            let of = Of::User(text(call, "UserName"));
            Some(held(name, document("PolicyDocument")?, Kind::Inline(of)))
        }
        ("iam", "PutRolePolicy") => {
            let of = Of::Role(text(call, "RoleName"));
            Some(held(name, document("PolicyDocument")?, Kind::Inline(of)))
        }
        ("iam", "CreatePolicy") => Some(held(
            name,
            document("PolicyDocument")?,
            Kind::Managed(Vec::new()),
        )),
        ("organizations", "CreatePolicy") => {
            let kind = Kind::Scp(text(call, "Description"), Vec::new());
            Some(held(text(call, "Name"), document("Content")?, kind))
        }
        _ => None,
    }
}

/// Whether all names are of the characters that IAM allows.
fn sound(held: &Held<'_>) -> Result<(), &'static str> {
    let whose = match &held.kind {
        Kind::Inline(Of::User(name) | Of::Role(name)) => Some(*name),
        Kind::Managed(_) | Kind::Scp(..) => None,
    };
    if !is_account(held.account) {
        return Err(ACCOUNT);
    }
    let all = whose.into_iter().chain([held.name]).all(is_name);
    all.then_some(()).ok_or(NAME)
}

impl Left<'_> {
    /// What a person is told of it: the step, why, and how to do it by hand.
    pub(super) fn told(&self) -> Value {
        let mut told = json!({
            "Step": self.step.number,
            "Target": self.step.target.raw(),
            "Why": self.why,
        });
        let by_hand = match &self.step.action {
            Action::Call(call) => command(call)
                .map(|line| format!("aws {line}"))
                .unwrap_or_else(|why| format!("in the console: {why}")),
            Action::Wait(seconds) => format!("sleep {seconds}"),
            Action::Verify { .. } => "unchain verify".to_owned(),
        };
        if let Some(told) = told.as_object_mut() {
            told.insert("ByHand".to_owned(), Value::String(by_hand));
            if let Action::Call(call) = &self.step.action {
                told.insert(
                    "Account".to_owned(),
                    Value::String(call.account.raw().to_owned()),
                );
            }
        }
        told
    }
}
