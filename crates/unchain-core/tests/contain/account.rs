//! A small account that keeps what calls leave, and fails where a test says so.

use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use unchain_core::contain::{Actuator, Answer, Call, Refusal, RefusalKind};
use unchain_core::text::Untrusted;
use unchain_core::time::Timestamp;

/// What can be compared before and after.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    /// Documents by `user/alice` and the policy's name.
    pub(crate) inline: BTreeMap<(String, String), String>,
    /// `user/alice` and an ARN.
    pub(crate) attached: BTreeSet<(String, String)>,
    /// Managed policies: the default version, and documents by version.
    pub(crate) managed: BTreeMap<String, (u32, BTreeMap<u32, String>)>,
    /// The status of access keys and of credentials for one service, by user and id.
    pub(crate) keys: BTreeMap<(String, String), String>,
    pub(crate) passwords: BTreeSet<String>,
    /// User and serial number.
    pub(crate) devices: BTreeSet<(String, String)>,
    pub(crate) virtual_devices: BTreeSet<String>,
    pub(crate) users: BTreeSet<String>,
    /// Trust policies by role.
    pub(crate) roles: BTreeMap<String, String>,
    /// Group and user.
    pub(crate) groups: BTreeSet<(String, String)>,
    /// Instance profile and role.
    pub(crate) profiles: BTreeSet<(String, String)>,
    pub(crate) providers: BTreeSet<String>,
    /// Service control policies: documents by name.
    pub(crate) scps: BTreeMap<String, String>,
    /// Name and target.
    pub(crate) scps_attached: BTreeSet<(String, String)>,
    pub(crate) anchors: BTreeMap<String, bool>,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The program dies before the call is carried out.
    DieBefore,
    /// It dies after, and sees no answer.
    DieAfter,
    /// The call is carried out and its answer is lost.
    Lost,
    /// The call is lost.
    NeverSent,
    Throttle,
    Deny,
}

/// Something that somebody else does to the state before each call.
pub(crate) type Meddler = Box<dyn FnMut(&mut State, Timestamp)>;

pub(crate) struct Account {
    pub(crate) state: State,
    pub(crate) now: Timestamp,
    /// Calls that changed something, in order.
    pub(crate) changes: Vec<Call>,
    /// Every call.
    pub(crate) calls: Vec<Call>,
    pub(crate) fault: Option<(usize, Fault)>,
    pub(crate) dead: bool,
    pub(crate) meddler: Option<Meddler>,
}

type Answered = Result<Value, (RefusalKind, &'static str)>;

const MISSING: (RefusalKind, &str) = (RefusalKind::NotFound, "NoSuchEntity");
const THERE: (RefusalKind, &str) = (RefusalKind::Refused, "EntityAlreadyExists");

impl Account {
    pub(crate) fn new(state: State, now: Timestamp) -> Self {
        Self {
            state,
            now,
            changes: Vec::new(),
            calls: Vec::new(),
            fault: None,
            dead: false,
            meddler: None,
        }
    }

    fn id(&self, name: &str) -> String {
        let place = self.state.scps.keys().position(|n| n == name);
        place.map_or_else(String::new, |_| format!("p-{name}"))
    }
}

fn refusal((kind, code): (RefusalKind, &str)) -> Refusal {
    Refusal {
        kind,
        code: Untrusted::new(code),
        message: Untrusted::new("no"),
        request_id: None,
    }
}

impl Actuator for Account {
    fn now(&mut self) -> Timestamp {
        self.now
    }

    fn wait(&mut self, until: Timestamp) {
        self.now = self.now.max(until);
    }

    fn call(&mut self, call: &Call) -> Result<Answer, Refusal> {
        if self.dead {
            return Err(refusal((RefusalKind::Unanswered, "Dead")));
        }
        if let Some(meddler) = &mut self.meddler {
            // Time passes only where somebody uses it.
            self.now = self.now.plus(1);
            meddler(&mut self.state, self.now);
        }
        self.calls.push(call.clone());
        let fault = self
            .fault
            .filter(|(at, _)| *at + 1 == self.calls.len())
            .map(|(_, fault)| fault);
        match fault {
            Some(Fault::DieBefore) => self.dead = true,
            Some(Fault::Throttle) => return Err(refusal((RefusalKind::Throttled, "Throttling"))),
            Some(Fault::Deny) => return Err(refusal((RefusalKind::Denied, "AccessDenied"))),
            Some(Fault::NeverSent) => return Err(refusal((RefusalKind::Unanswered, "Timeout"))),
            _ => {}
        }
        if self.dead {
            return Err(refusal((RefusalKind::Unanswered, "Dead")));
        }
        let reads = ["Get", "List", "Describe"]
            .iter()
            .any(|verb| call.action.starts_with(verb));
        let before = (!reads).then(|| self.state.clone());
        let answered = self.answer(call);
        if before.is_some_and(|before| before != self.state) {
            self.changes.push(call.clone());
        }
        match fault {
            Some(Fault::DieAfter) => self.dead = true,
            Some(Fault::Lost) => return Err(refusal((RefusalKind::Unanswered, "Timeout"))),
            _ => {}
        }
        if self.dead {
            return Err(refusal((RefusalKind::Unanswered, "Dead")));
        }
        let value = answered.map_err(refusal)?;
        let request_id = Some(format!("request-{}", self.calls.len()));
        Ok(Answer { value, request_id })
    }
}

fn text<'c>(call: &'c Call, name: &str) -> &'c str {
    call.parameters
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn pair(call: &Call, one: &str, two: &str) -> (String, String) {
    (text(call, one).to_owned(), text(call, two).to_owned())
}

/// `user/alice` or `role/app`.
fn holder(call: &Call) -> String {
    match (text(call, "UserName"), text(call, "RoleName")) {
        (user, "") => format!("user/{user}"),
        (_, role) => format!("role/{role}"),
    }
}

/// A document as the service keeps it: as text.
fn document(call: &Call, name: &str) -> String {
    match call.parameters.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => String::new(),
    }
}

/// As IAM sends documents.
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                (byte as char).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

/// One page with one item, and the token of the next.
fn paged(call: &Call, (list, token): (&str, &str), items: &[Value]) -> Value {
    let at: usize = text(call, token).parse().unwrap_or(0);
    let page: Vec<Value> = items.iter().skip(at).take(1).cloned().collect();
    let mut answer = Map::new();
    answer.insert(list.to_owned(), Value::Array(page));
    if at + 1 < items.len() {
        answer.insert("IsTruncated".to_owned(), json!(true));
        answer.insert(token.to_owned(), json!((at + 1).to_string()));
    }
    Value::Object(answer)
}

fn done(was_there: bool) -> Answered {
    if was_there {
        Ok(Value::Null)
    } else {
        Err(MISSING)
    }
}

impl Account {
    fn answer(&mut self, call: &Call) -> Answered {
        match call.service.as_str() {
            "organizations" => self.organizations(call),
            "rolesanywhere" => self.anchors(call),
            _ if call.action.starts_with("Get") || call.action.starts_with("List") => {
                self.read(call)
            }
            _ => self.change(call),
        }
    }

    fn has_holder(&self, call: &Call) -> bool {
        let (user, role) = (text(call, "UserName"), text(call, "RoleName"));
        (user.is_empty() || self.state.users.contains(user))
            && (role.is_empty() || self.state.roles.contains_key(role))
    }

    fn read(&self, call: &Call) -> Answered {
        let state = &self.state;
        if !self.has_holder(call) {
            return Err(MISSING);
        }
        let user = text(call, "UserName");
        let own =
            |list: &BTreeMap<(String, String), String>, service: bool| -> Vec<(String, String)> {
                let own = list
                    .iter()
                    .filter(|((of, id), _)| of == user && id.starts_with("ACCA") == service);
                own.map(|((_, id), status)| (id.clone(), status.clone()))
                    .collect()
            };
        match call.action.as_str() {
            "GetUserPolicy" | "GetRolePolicy" => {
                let key = (holder(call), text(call, "PolicyName").to_owned());
                let document = state.inline.get(&key).ok_or(MISSING)?;
                Ok(json!({"PolicyName": key.1, "PolicyDocument": encoded(document)}))
            }
            "ListAttachedUserPolicies" | "ListAttachedRolePolicies" => {
                let own = state.attached.iter().filter(|(of, _)| *of == holder(call));
                let items: Vec<Value> = own.map(|(_, arn)| json!({"PolicyArn": arn})).collect();
                Ok(paged(call, ("AttachedPolicies", "Marker"), &items))
            }
            "ListAccessKeys" => {
                let item =
                    |(id, status)| json!({"AccessKeyId": id, "Status": status, "UserName": user});
                let items: Vec<Value> = own(&state.keys, false).into_iter().map(item).collect();
                Ok(paged(call, ("AccessKeyMetadata", "Marker"), &items))
            }
            "ListServiceSpecificCredentials" => {
                let item =
                    |(id, status)| json!({"ServiceSpecificCredentialId": id, "Status": status});
                let items: Vec<Value> = own(&state.keys, true).into_iter().map(item).collect();
                Ok(json!({"ServiceSpecificCredentials": items}))
            }
            "GetLoginProfile" if state.passwords.contains(user) => {
                Ok(json!({"LoginProfile": {"UserName": user}}))
            }
            "GetLoginProfile" => Err(MISSING),
            _ => self.lists(call),
        }
    }

    fn lists(&self, call: &Call) -> Answered {
        let state = &self.state;
        let user = text(call, "UserName");
        match call.action.as_str() {
            "ListMFADevices" => {
                let own = state.devices.iter().filter(|(of, _)| of == user);
                let items: Vec<Value> = own
                    .map(|(_, serial)| json!({"SerialNumber": serial}))
                    .collect();
                Ok(paged(call, ("MFADevices", "Marker"), &items))
            }
            "ListVirtualMFADevices" => {
                // AWS lists all of them to whom does not say which; not everybody who speaks its language does.
                let all = text(call, "AssignmentStatus") == "Any";
                let enabled = |serial: &&String| state.devices.iter().any(|(_, of)| of == *serial);
                let items = state
                    .virtual_devices
                    .iter()
                    .filter(|serial| all || enabled(serial))
                    .map(|serial| json!({"SerialNumber": serial}));
                Ok(paged(
                    call,
                    ("VirtualMFADevices", "Marker"),
                    &items.collect::<Vec<_>>(),
                ))
            }
            "ListGroupsForUser" => {
                let own = state.groups.iter().filter(|(_, of)| of == user);
                let items: Vec<Value> = own.map(|(group, _)| json!({"GroupName": group})).collect();
                Ok(paged(call, ("Groups", "Marker"), &items))
            }
            _ => self.read_more(call),
        }
    }

    fn read_more(&self, call: &Call) -> Answered {
        let state = &self.state;
        let arn = text(call, "PolicyArn");
        let provider = pair(call, "SAMLProviderArn", "OpenIDConnectProviderArn");
        match call.action.as_str() {
            "GetUser" => Ok(json!({"User": {"UserId": format!("AIDA{}", text(call, "UserName"))}})),
            "GetRole" => {
                let role = text(call, "RoleName");
                let trust = encoded(&state.roles[role]);
                Ok(
                    json!({"Role": {"RoleId": format!("AROA{role}"), "AssumeRolePolicyDocument": trust}}),
                )
            }
            "GetInstanceProfile" => {
                let profile = text(call, "InstanceProfileName");
                let own = state.profiles.iter().filter(|(of, _)| of == profile);
                let roles: Vec<Value> = own.map(|(_, role)| json!({"RoleName": role})).collect();
                Ok(json!({"InstanceProfile": {"Roles": roles}}))
            }
            "GetSAMLProvider" | "GetOpenIDConnectProvider" => {
                let there =
                    state.providers.contains(&provider.0) || state.providers.contains(&provider.1);
                done(there)
            }
            "GetPolicy" => {
                let (default, _) = state.managed.get(arn).ok_or(MISSING)?;
                Ok(json!({"Policy": {"Arn": arn, "DefaultVersionId": format!("v{default}")}}))
            }
            "GetPolicyVersion" => {
                let (_, versions) = state.managed.get(arn).ok_or(MISSING)?;
                let version: u32 = text(call, "VersionId")
                    .trim_start_matches('v')
                    .parse()
                    .unwrap();
                let document = versions.get(&version).ok_or(MISSING)?;
                Ok(json!({"PolicyVersion": {"Document": encoded(document)}}))
            }
            "ListPolicyVersions" => {
                let (default, versions) = state.managed.get(arn).ok_or(MISSING)?;
                let item = |v: &u32| json!({"VersionId": format!("v{v}"), "IsDefaultVersion": v == default});
                let items: Vec<Value> = versions.keys().map(item).collect();
                Ok(paged(call, ("Versions", "Marker"), &items))
            }
            other => panic!("nobody reads {other}"),
        }
    }

    fn change(&mut self, call: &Call) -> Answered {
        let has_holder = self.has_holder(call);
        let state = &mut self.state;
        if !has_holder {
            return Err(MISSING);
        }
        let user = text(call, "UserName");
        let policy = (holder(call), text(call, "PolicyName").to_owned());
        let attachment = (holder(call), text(call, "PolicyArn").to_owned());
        match call.action.as_str() {
            "PutUserPolicy" | "PutRolePolicy" => {
                state
                    .inline
                    .insert(policy, document(call, "PolicyDocument"));
                Ok(Value::Null)
            }
            "DeleteUserPolicy" | "DeleteRolePolicy" => done(state.inline.remove(&policy).is_some()),
            "AttachUserPolicy" | "AttachRolePolicy" => {
                if !attachment.1.starts_with("arn:aws:iam::aws:")
                    && !state.managed.contains_key(&attachment.1)
                {
                    return Err(MISSING);
                }
                state.attached.insert(attachment);
                Ok(Value::Null)
            }
            "DetachUserPolicy" | "DetachRolePolicy" => done(state.attached.remove(&attachment)),
            "UpdateAccessKey" | "UpdateServiceSpecificCredential" => {
                let id = text(call, "AccessKeyId").to_owned()
                    + text(call, "ServiceSpecificCredentialId");
                let status = state.keys.get_mut(&(user.to_owned(), id)).ok_or(MISSING)?;
                text(call, "Status").clone_into(status);
                Ok(Value::Null)
            }
            _ => self.take_away(call),
        }
    }

    fn take_away(&mut self, call: &Call) -> Answered {
        let state = &mut self.state;
        let (user, role) = (text(call, "UserName"), text(call, "RoleName"));
        match call.action.as_str() {
            "DeleteAccessKey" => done(
                state
                    .keys
                    .remove(&pair(call, "UserName", "AccessKeyId"))
                    .is_some(),
            ),
            "DeleteLoginProfile" => done(state.passwords.remove(user)),
            "DeactivateMFADevice" => done(state.devices.remove(&pair(
                call,
                "UserName",
                "SerialNumber",
            ))),
            "DeleteVirtualMFADevice" => {
                done(state.virtual_devices.remove(text(call, "SerialNumber")))
            }
            "UpdateAssumeRolePolicy" => {
                state
                    .roles
                    .insert(role.to_owned(), document(call, "PolicyDocument"));
                Ok(Value::Null)
            }
            "RemoveUserFromGroup" => {
                done(state.groups.remove(&pair(call, "GroupName", "UserName")))
            }
            "RemoveRoleFromInstanceProfile" => done(state.profiles.remove(&pair(
                call,
                "InstanceProfileName",
                "RoleName",
            ))),
            "DeleteUser" => self.delete(&format!("user/{user}")),
            "DeleteRole" => self.delete(&format!("role/{role}")),
            "DeleteSAMLProvider" => done(state.providers.remove(text(call, "SAMLProviderArn"))),
            "DeleteOpenIDConnectProvider" => done(
                state
                    .providers
                    .remove(text(call, "OpenIDConnectProviderArn")),
            ),
            _ => self.managed(call),
        }
    }

    /// IAM deletes nobody who still has policies or keys.
    fn delete(&mut self, who: &str) -> Answered {
        let state = &mut self.state;
        let (kind, name) = who.split_once('/').unwrap();
        let busy = state.inline.keys().any(|(of, _)| of == who)
            || state.attached.iter().any(|(of, _)| of == who)
            || (kind == "user" && state.keys.keys().any(|(of, _)| of == name));
        if busy {
            return Err((RefusalKind::Refused, "DeleteConflict"));
        }
        done(if kind == "user" {
            state.users.remove(name)
        } else {
            state.roles.remove(name).is_some()
        })
    }

    fn managed(&mut self, call: &Call) -> Answered {
        let state = &mut self.state;
        let arn = text(call, "PolicyArn").to_owned();
        let version = text(call, "VersionId")
            .trim_start_matches('v')
            .parse()
            .unwrap_or(0);
        match call.action.as_str() {
            "CreatePolicy" => {
                let arn = format!(
                    "arn:aws:iam::{}:policy/{}",
                    call.account.raw(),
                    text(call, "PolicyName")
                );
                if state.managed.contains_key(&arn) {
                    return Err(THERE);
                }
                let versions = BTreeMap::from([(1, document(call, "PolicyDocument"))]);
                state.managed.insert(arn.clone(), (1, versions));
                Ok(json!({"Policy": {"Arn": arn, "PolicyName": "not kept"}}))
            }
            "CreatePolicyVersion" => {
                let (default, versions) = state.managed.get_mut(&arn).ok_or(MISSING)?;
                if versions.len() >= 5 {
                    return Err((RefusalKind::Refused, "LimitExceeded"));
                }
                let next = versions.keys().max().unwrap() + 1;
                versions.insert(next, document(call, "PolicyDocument"));
                *default = next;
                Ok(json!({"PolicyVersion": {"VersionId": format!("v{next}")}}))
            }
            "SetDefaultPolicyVersion" => {
                state.managed.get_mut(&arn).ok_or(MISSING)?.0 = version;
                Ok(Value::Null)
            }
            "DeletePolicyVersion" => {
                let (default, versions) = state.managed.get_mut(&arn).ok_or(MISSING)?;
                assert_ne!(*default, version, "the default version cannot be deleted");
                done(versions.remove(&version).is_some())
            }
            "DeletePolicy" => {
                let one = state
                    .managed
                    .get(&arn)
                    .is_some_and(|(_, versions)| versions.len() == 1);
                if !one || state.attached.iter().any(|(_, attached)| *attached == arn) {
                    return Err((RefusalKind::Refused, "DeleteConflict"));
                }
                done(state.managed.remove(&arn).is_some())
            }
            other => panic!("nobody calls {other}"),
        }
    }

    fn organizations(&mut self, call: &Call) -> Answered {
        let id = text(call, "PolicyId").to_owned();
        let name = id.strip_prefix("p-").unwrap_or_default().to_owned();
        let attachment = (name.clone(), text(call, "TargetId").to_owned());
        let known = self.state.scps.contains_key(&name);
        match call.action.as_str() {
            "ListPolicies" => {
                assert_eq!(text(call, "Filter"), "SERVICE_CONTROL_POLICY");
                let all = self.state.scps.keys();
                let items: Vec<Value> = all
                    .map(|name| json!({"Name": name, "Id": self.id(name)}))
                    .collect();
                Ok(paged(call, ("Policies", "NextToken"), &items))
            }
            "DescribePolicy" => {
                let content = self.state.scps.get(&name).ok_or(MISSING)?;
                Ok(json!({"Policy": {"Content": content}}))
            }
            "ListPoliciesForTarget" => {
                let all = self
                    .state
                    .scps_attached
                    .iter()
                    .filter(|(_, target)| *target == attachment.1);
                let items: Vec<Value> = all
                    .map(|(name, _)| json!({"Id": format!("p-{name}")}))
                    .collect();
                Ok(paged(call, ("Policies", "NextToken"), &items))
            }
            "CreatePolicy" => {
                let name = text(call, "Name").to_owned();
                if self.state.scps.contains_key(&name) {
                    return Err((RefusalKind::Refused, "DuplicatePolicyException"));
                }
                self.state
                    .scps
                    .insert(name.clone(), document(call, "Content"));
                Ok(json!({"Policy": {"PolicySummary": {"Id": self.id(&name), "Name": name}}}))
            }
            "AttachPolicy" if known => {
                self.state.scps_attached.insert(attachment);
                Ok(Value::Null)
            }
            "DetachPolicy" => done(self.state.scps_attached.remove(&attachment)),
            "DeletePolicy" => done(self.state.scps.remove(&name).is_some()),
            _ => Err(MISSING),
        }
    }

    fn anchors(&mut self, call: &Call) -> Answered {
        assert_eq!(text(call, "region"), "eu-west-1");
        let anchor = self
            .state
            .anchors
            .get_mut(text(call, "trustAnchorId"))
            .ok_or(MISSING)?;
        match call.action.as_str() {
            "DisableTrustAnchor" => *anchor = false,
            "EnableTrustAnchor" => *anchor = true,
            _ => {}
        }
        Ok(json!({"trustAnchor": {"enabled": *anchor}}))
    }
}
