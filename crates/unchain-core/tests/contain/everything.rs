//! A plan with every action that a plan may have, and the account that it is for.

use super::account::{Account, State};
use super::common::{SHOP, now};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use unchain_core::contain::{
    Action, Approved, Call, Happened, Mark, Outcome, PLAN_VERSION, Phase, Plan, Receipt, Settings,
    Step, Stop, Undo, Undone, Work, apply, digest, undo,
};
use unchain_core::text::Untrusted;

pub(crate) const OWN: &str = "UnchainContain-0badcafe";
pub(crate) const MANAGED: &str =
    "arn:aws:iam::111122223333:policy/UnchainContain-0badcafe-role-big-0";
const SAML: &str = "arn:aws:iam::111122223333:saml-provider/evil";
const OPEN_ID: &str = "arn:aws:iam::111122223333:oidc-provider/evil.example";
const TOLD: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

pub(crate) fn deny(cut: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Sid": "UnchainIssuedBefore", "Effect": "Deny", "Action": "*",
        "Resource": "*", "Condition": {"DateLessThan": {"aws:TokenIssueTime": cut}}}]})
}

pub(crate) const FIRST: &str = "2026-03-02T16:15:30Z";
pub(crate) const SECOND: &str = "2026-03-02T16:21:30Z";

/// As it stands in the account: with white space, in another order, and with an account for its root.
const TRUST: &str = r#"{ "Version": "2012-10-17",
  "Statement": { "Action": "sts:AssumeRole", "Effect": "Allow", "Principal": { "AWS": "111122223333" } } }"#;

fn trust(closed: bool) -> Value {
    let mut statements = vec![json!({"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"AWS": ["arn:aws:iam::111122223333:root"]}})];
    if closed {
        statements.push(
            json!({"Sid": "UnchainClosed", "Effect": "Deny", "Principal": "*", "Action": "sts:*"}),
        );
    }
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn call(service: &str, action: &str, parameters: &Value) -> Call {
    let parameters: Map<String, Value> = parameters.as_object().unwrap().clone();
    Call {
        service: service.to_owned(),
        action: action.to_owned(),
        account: Untrusted::new(SHOP),
        parameters,
    }
}

pub(crate) fn iam(action: &str, parameters: &Value) -> Action {
    Action::Call(call("iam", action, parameters))
}

fn back(action: &str, parameters: &Value) -> Undo {
    Undo::Calls(vec![call("iam", action, parameters)])
}

fn step(phase: Phase, action: Action, undo: Undo) -> Step {
    Step {
        number: 0,
        phase,
        target: Untrusted::new("arn:aws:iam::111122223333:user/alice"),
        action,
        reason: String::new(),
        subjects: Vec::new(),
        evidence: Vec::new(),
        breaks: Vec::new(),
        undo,
    }
}

/// A plan of these steps, numbered.
pub(crate) fn of_steps(steps: Vec<Step>) -> Plan {
    let steps = (1u32..)
        .zip(steps)
        .map(|(number, step)| Step { number, ..step });
    Plan {
        version: PLAN_VERSION,
        id: "0badcafe".to_owned(),
        pivot: Untrusted::new("AKIAIOSFODNN7EXAMPLE"),
        settings: Settings::default(),
        made_at: now(),
        valid_until: now().plus(900),
        cut_off: now().plus(1_290),
        ledger: Mark {
            events: 1,
            last: None,
        },
        facts: String::new(),
        subjects: Vec::new(),
        made: Vec::new(),
        steps: steps.collect(),
        open: Vec::new(),
    }
}

fn organization(action: &str, parameters: &Value) -> Call {
    call("organizations", action, parameters)
}

fn scps() -> Vec<Step> {
    let scp = json!({"Name": format!("{OWN}-{SHOP}-0"), "Description": "Containment by Unchain",
        "Type": "SERVICE_CONTROL_POLICY", "Content": deny(SECOND)});
    let id = json!({"PolicyId": "${1:Policy.PolicySummary.Id}"});
    let attach = json!({"PolicyId": "${1:Policy.PolicySummary.Id}", "TargetId": SHOP});
    vec![
        step(
            Phase::Organization,
            Action::Call(organization("CreatePolicy", &scp)),
            Undo::Calls(vec![organization("DeletePolicy", &id)]),
        ),
        step(
            Phase::Organization,
            Action::Call(organization("AttachPolicy", &attach)),
            Undo::Calls(vec![organization("DetachPolicy", &attach)]),
        ),
    ]
}

fn denies() -> Vec<Step> {
    let user =
        |policy: &Value| json!({"UserName": "alice", "PolicyName": OWN, "PolicyDocument": policy});
    let role =
        |policy: &Value| json!({"RoleName": "app", "PolicyName": OWN, "PolicyDocument": policy});
    let [first, second] = [deny(FIRST), deny(SECOND)];
    let create = json!({"PolicyName": format!("{OWN}-role-big-0"), "PolicyDocument": first});
    let attach = json!({"RoleName": "big", "PolicyArn": MANAGED});
    let version = json!({"PolicyArn": MANAGED, "PolicyDocument": second, "SetAsDefault": true});
    let of_version = |id: &str| json!({"PolicyArn": MANAGED, "VersionId": id});
    let step = |phase, (action, parameters): (&str, &Value), (undo, back_to): (&str, &Value)| {
        step(phase, iam(action, parameters), back(undo, back_to))
    };
    vec![
        step(
            Phase::Deny,
            ("PutUserPolicy", &user(&first)),
            (
                "DeleteUserPolicy",
                &json!({"UserName": "alice", "PolicyName": OWN}),
            ),
        ),
        step(
            Phase::Deny,
            ("PutRolePolicy", &role(&first)),
            (
                "DeleteRolePolicy",
                &json!({"RoleName": "app", "PolicyName": OWN}),
            ),
        ),
        step(
            Phase::Deny,
            ("CreatePolicy", &create),
            ("DeletePolicy", &json!({"PolicyArn": MANAGED})),
        ),
        step(
            Phase::Deny,
            ("AttachRolePolicy", &attach),
            ("DetachRolePolicy", &attach),
        ),
        self::step(Phase::Wait, Action::Wait(60), Undo::Nothing),
        step(
            Phase::CutAgain,
            ("PutUserPolicy", &user(&second)),
            ("PutUserPolicy", &user(&first)),
        ),
        step(
            Phase::CutAgain,
            ("PutRolePolicy", &role(&second)),
            ("PutRolePolicy", &role(&first)),
        ),
        self::step(
            Phase::CutAgain,
            iam("CreatePolicyVersion", &version),
            Undo::Calls(vec![
                call("iam", "SetDefaultPolicyVersion", &of_version("v1")),
                call("iam", "DeletePolicyVersion", &of_version("v2")),
            ]),
        ),
    ]
}

fn keys_and_trust() -> Vec<Step> {
    let key =
        |id: &str, status: &str| json!({"UserName": "alice", "AccessKeyId": id, "Status": status});
    let service = |status: &str| json!({"UserName": "alice", "ServiceSpecificCredentialId": "ACCA1", "Status": status});
    let trusting = |closed| json!({"RoleName": "app", "PolicyDocument": trust(closed)});
    let anchor = json!({"trustAnchorId": "anchor-1", "region": "eu-west-1"});
    let inactive = |id: &str| iam("UpdateAccessKey", &key(id, "Inactive"));
    vec![
        step(
            Phase::Keys,
            inactive("AKIA1"),
            back("UpdateAccessKey", &key("AKIA1", "Active")),
        ),
        step(Phase::Keys, inactive("AKIA2"), Undo::Nothing),
        step(
            Phase::Keys,
            iam("UpdateServiceSpecificCredential", &service("Inactive")),
            back("UpdateServiceSpecificCredential", &service("Active")),
        ),
        step(
            Phase::Trust,
            iam("UpdateAssumeRolePolicy", &trusting(true)),
            back("UpdateAssumeRolePolicy", &trusting(false)),
        ),
        step(
            Phase::Trust,
            Action::Call(call("rolesanywhere", "DisableTrustAnchor", &anchor)),
            Undo::Calls(vec![call("rolesanywhere", "EnableTrustAnchor", &anchor)]),
        ),
    ]
}

/// All that can be undone, up to the look.
fn containing() -> Vec<Step> {
    let look = Action::Verify {
        after: now().plus(1_290),
        until: now().plus(3_090),
    };
    let look = step(Phase::Verify, look, Undo::Nothing);
    [scps(), denies(), keys_and_trust(), vec![look]].concat()
}

/// All that cannot be undone: before the look, and after it.
fn removing() -> (Vec<Step>, Vec<Step>) {
    let never = |phase, action, parameters: Value| {
        step(
            phase,
            iam(action, &parameters),
            Undo::Never("gone is gone".to_owned()),
        )
    };
    let mallory = |name: &str, value: &str| json!({"UserName": "mallory", name: value});
    let evil = |name: &str, value: &str| json!({"RoleName": "evil", name: value});
    let device = mallory("SerialNumber", "arn:aws:iam::111122223333:mfa/m");
    let before = vec![
        never(
            Phase::SignIn,
            "DeleteLoginProfile",
            json!({"UserName": "mallory"}),
        ),
        never(Phase::SignIn, "DeactivateMFADevice", device.clone()),
    ];
    let after = [
        ("DeleteAccessKey", mallory("AccessKeyId", "AKIA3")),
        ("DeactivateMFADevice", device),
        (
            "DeleteVirtualMFADevice",
            json!({"SerialNumber": "arn:aws:iam::111122223333:mfa/m"}),
        ),
        ("RemoveUserFromGroup", mallory("GroupName", "admins")),
        ("DeleteUserPolicy", mallory("PolicyName", "all")),
        ("DetachUserPolicy", mallory("PolicyArn", TOLD)),
        ("DeleteUser", json!({"UserName": "mallory"})),
        (
            "RemoveRoleFromInstanceProfile",
            evil("InstanceProfileName", "evil"),
        ),
        ("DeleteRolePolicy", evil("PolicyName", "all")),
        ("DetachRolePolicy", evil("PolicyArn", TOLD)),
        ("DeleteRole", json!({"RoleName": "evil"})),
        ("DeleteSAMLProvider", json!({"SAMLProviderArn": SAML})),
        (
            "DeleteOpenIDConnectProvider",
            json!({"OpenIDConnectProviderArn": OPEN_ID}),
        ),
    ];
    let after = after.map(|(action, parameters)| never(Phase::Remove, action, parameters));
    (before, after.into())
}

/// Which steps a plan has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    Reversible,
    Everything,
}

pub(crate) fn everything(which: Which) -> Plan {
    let mut steps = containing();
    if which == Which::Everything {
        let (before, after) = removing();
        steps.extend(before);
        steps.extend(after);
        steps.sort_by_key(|step| step.phase);
    }
    of_steps(steps)
}

/// The account before the plan.
pub(crate) fn before() -> State {
    let text = |text: &str| text.to_owned();
    let pair = |one: &str, two: &str| (text(one), text(two));
    State {
        inline: BTreeMap::from([
            (pair("user/mallory", "all"), text("{\"Statement\":[]}")),
            (pair("role/evil", "all"), text("{\"Statement\":[]}")),
            (pair("user/alice", "own"), text("{\"Statement\":[]}")),
        ]),
        attached: BTreeSet::from([
            pair("user/mallory", TOLD),
            pair("role/evil", TOLD),
            pair("role/big", TOLD),
        ]),
        keys: BTreeMap::from([
            (pair("alice", "AKIA0"), text("Active")),
            (pair("alice", "AKIA1"), text("Active")),
            (pair("alice", "AKIA2"), text("Inactive")),
            (pair("alice", "ACCA0"), text("Active")),
            (pair("alice", "ACCA1"), text("Active")),
            (pair("mallory", "AKIA3"), text("Active")),
        ]),
        passwords: BTreeSet::from([text("mallory"), text("alice")]),
        devices: BTreeSet::from([
            pair("mallory", "arn:aws:iam::111122223333:mfa/m"),
            pair("alice", "arn:aws:iam::111122223333:mfa/a"),
        ]),
        virtual_devices: ["a", "m"]
            .map(|n| format!("arn:aws:iam::111122223333:mfa/{n}"))
            .into(),
        users: ["alice", "mallory"].map(text).into(),
        roles: ["app", "big", "evil"]
            .map(|role| (text(role), text(TRUST)))
            .into(),
        groups: BTreeSet::from([
            pair("admins", "mallory"),
            pair("admins", "alice"),
            pair("all", "mallory"),
        ]),
        profiles: BTreeSet::from([pair("evil", "evil"), pair("app", "app")]),
        providers: [SAML, OPEN_ID].map(text).into(),
        scps: BTreeMap::from([(text("FullAWSAccess"), text("{}"))]),
        scps_attached: BTreeSet::from([pair("FullAWSAccess", SHOP)]),
        anchors: BTreeMap::from([(text("anchor-1"), true)]),
        managed: BTreeMap::new(),
    }
}

/// The journal cannot be written, or the program is dead.
#[derive(Debug, thiserror::Error)]
#[error("dead")]
pub(crate) struct Dead;

/// A journal that survives the program, and may kill it at its n-th line: before it is on disk, or after.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    pub(crate) lines: Vec<Receipt>,
    pub(crate) kill: Option<(usize, bool)>,
    pub(crate) full: bool,
}

impl Journal {
    fn write(&mut self, receipt: &Receipt) -> Result<(), Dead> {
        let kill = self.kill.filter(|(at, _)| *at == self.lines.len());
        self.full |= kill.is_some();
        if self.full && !kill.is_some_and(|(_, after)| after) {
            return Err(Dead);
        }
        assert_eq!(receipt.sequence as usize, self.lines.len() + 1);
        // As it comes back from a file.
        let text = serde_json::to_string(receipt).unwrap();
        self.lines.push(serde_json::from_str(&text).unwrap());
        if self.full { Err(Dead) } else { Ok(()) }
    }

    pub(crate) fn verified(&mut self, plan: &Plan) {
        let sequence = u32::try_from(self.lines.len()).unwrap() + 1;
        self.lines.push(Receipt {
            plan: digest(plan).unwrap(),
            sequence,
            at: now(),
            work: Work::Apply,
            step: 0,
            what: Happened::Verified,
        });
    }
}

pub(crate) fn run(
    plan: &Plan,
    journal: &mut Journal,
    account: &mut Account,
) -> Result<Outcome, Stop<Dead>> {
    let digest = digest(plan).unwrap();
    let approved = Approved::by_digest(plan, &digest).unwrap();
    let past = journal.lines.clone();
    let result = apply(&approved, &past, &mut |r| journal.write(r), account);
    revive(journal, account);
    result
}

pub(crate) fn run_back(
    plan: &Plan,
    journal: &mut Journal,
    account: &mut Account,
) -> Result<Undone, Stop<Dead>> {
    let digest = digest(plan).unwrap();
    let approved = Approved::by_digest(plan, &digest).unwrap();
    let past = journal.lines.clone();
    let result = undo(&approved, &past, &mut |r| journal.write(r), account);
    revive(journal, account);
    result
}

fn revive(journal: &mut Journal, account: &mut Account) {
    (journal.kill, journal.full) = (None, false);
    (account.fault, account.dead) = (None, false);
}
