//! Every action of the table goes to a service and back.

use crate::support::{ACCOUNT, Key, OTHER, Served, administrator, ask, call_in, world};
use aws_sdk_iam::Client;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use unchain_aws::{Session, known};
use unchain_core::contain::{Actuator as _, RefusalKind};
use unchain_lab::mfa::{STEP, code_of_step};

/// The lab has no Roles Anywhere.
const NOT_IN_THE_LAB: &str = "rolesanywhere";

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}"#;

fn deny(sid: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Sid": sid, "Effect": "Deny", "Action": "*", "Resource": "*"}]})
}

/// What the calls are about, and cannot be made by them.
async fn furnish(iam: Client) -> String {
    iam.create_user().user_name("mallory").send().await.unwrap();
    let role = iam.create_role().role_name("deploy");
    role.assume_role_policy_document(TRUST)
        .send()
        .await
        .unwrap();
    let password = iam.create_login_profile().user_name("mallory");
    password.password("Aa1!Aa1!Aa1!Aa1!").send().await.unwrap();
    iam.create_group().group_name("staff").send().await.unwrap();
    let join = iam.add_user_to_group().group_name("staff");
    join.user_name("mallory").send().await.unwrap();
    let profile = iam.create_instance_profile().instance_profile_name("host");
    profile.send().await.unwrap();
    let add = iam.add_role_to_instance_profile().role_name("deploy");
    add.instance_profile_name("host").send().await.unwrap();
    let open_id = iam
        .create_open_id_connect_provider()
        .url("https://id.example");
    open_id.client_id_list("aud").send().await.unwrap();
    let saml = iam.create_saml_provider().name("sso");
    let metadata = format!("<EntityDescriptor>{}</EntityDescriptor>", " ".repeat(1_000));
    saml.saml_metadata_document(metadata).send().await.unwrap();
    let alias = iam.create_account_alias().account_alias("one-example");
    alias.send().await.unwrap();
    let length = iam.update_account_password_policy();
    length.minimum_password_length(14).send().await.unwrap();
    let key = iam
        .create_access_key()
        .user_name("mallory")
        .send()
        .await
        .unwrap();
    key.access_key().unwrap().access_key_id().to_owned()
}

/// A device needs two codes of its seed; the seed is taken from the lab.
fn enable_mfa(served: &Served, root: &Key, now: i64) -> String {
    let made = served.prepare(root, async |iam| {
        let device = iam.create_virtual_mfa_device();
        let made = device
            .virtual_mfa_device_name("phone")
            .send()
            .await
            .unwrap();
        made.virtual_mfa_device()
            .unwrap()
            .serial_number()
            .to_owned()
    });
    let seed = {
        let world = served.world();
        world.accounts[ACCOUNT].iam.mfa_devices[&made].seed.clone()
    };
    let code = |step: i64| code_of_step(&seed, now / STEP + step);
    served.prepare(root, async |iam| {
        let device = iam.enable_mfa_device().user_name("mallory");
        let device = device.serial_number(&made);
        let codes = device
            .authentication_code1(code(-1))
            .authentication_code2(code(0));
        codes.send().await.unwrap();
    });
    made
}

fn service_credential(served: &Served, root: &Key) -> String {
    served.prepare(root, async |iam| {
        let credential = iam
            .create_service_specific_credential()
            .user_name("mallory");
        let made = credential
            .service_name("codecommit.amazonaws.com")
            .send()
            .await;
        let made = made.unwrap();
        let made = made.service_specific_credential().unwrap();
        made.service_specific_credential_id().to_owned()
    })
}

/// Asks, and notes what was asked.
struct Script {
    session: Session,
    asked: BTreeSet<(String, String)>,
}

impl Script {
    fn ask(&mut self, service: &str, action: &str, parameters: &Value) -> Value {
        self.asked.insert((service.to_owned(), action.to_owned()));
        let answer = ask(&mut self.session, service, action, parameters);
        let answer = answer
            .map_err(|refusal| format!("{action}: {refusal:?}"))
            .unwrap();
        assert!(answer.request_id.is_some(), "{action} has no request id");
        answer.value
    }

    fn iam(&mut self, action: &str, parameters: &Value) -> Value {
        self.ask("iam", action, parameters)
    }

    /// Asks, and expects a member of the answer.
    fn finds(&mut self, action: &str, parameters: &Value, (member, value): (&str, Value)) {
        let answer = self.iam(action, parameters);
        assert_eq!(answer.pointer(member), Some(&value), "{action}: {answer}");
    }
}

fn furnished() -> (Served, Script, [String; 3]) {
    let (world, root) = world();
    let served = Served::new(world);
    let responder = administrator(&served, &root);
    let mut session = served.session(&responder);
    let key = served.prepare(&root, furnish);
    served.with_trail_and_scps(&responder);
    let now = session.now().seconds();
    let device = enable_mfa(&served, &root, now);
    let credential = service_credential(&served, &root);
    let script = Script {
        session,
        asked: BTreeSet::new(),
    };
    (served, script, [key, device, credential])
}

/// A document comes back as it was sent; IAM's is percent-encoded (RFC 3986, section 2.1).
fn decoded(text: &Value) -> Value {
    let mut bytes = text.as_str().unwrap().bytes();
    let mut plain = Vec::new();
    while let Some(byte) = bytes.next() {
        let mut digit = || char::from(bytes.next().unwrap()).to_digit(16).unwrap();
        plain.push(match byte {
            b'%' => u8::try_from(digit() * 16 + digit()).unwrap(),
            byte => byte,
        });
    }
    serde_json::from_slice(&plain).unwrap()
}

fn policies(script: &mut Script) {
    let arn = format!("arn:aws:iam::{ACCOUNT}:policy/ours");
    let document = json!({"PolicyName": "ours", "PolicyDocument": deny("One")});
    let made = script.iam("CreatePolicy", &document);
    assert_eq!(made["Policy"]["Arn"], json!(arn));
    let named = json!({"PolicyArn": arn});
    script.finds(
        "GetPolicy",
        &named,
        ("/Policy/DefaultVersionId", json!("v1")),
    );
    let second = json!({"PolicyArn": arn, "PolicyDocument": deny("Two"), "SetAsDefault": true});
    script.finds(
        "CreatePolicyVersion",
        &second,
        ("/PolicyVersion/VersionId", json!("v2")),
    );
    let version = |id: &str| json!({"PolicyArn": arn, "VersionId": id});
    let read = script.iam("GetPolicyVersion", &version("v2"));
    assert_eq!(decoded(&read["PolicyVersion"]["Document"]), deny("Two"));
    assert_eq!(read["PolicyVersion"]["IsDefaultVersion"], json!(true));
    script.iam("SetDefaultPolicyVersion", &version("v1"));
    script.iam("DeletePolicyVersion", &version("v2"));
    script.finds(
        "ListPolicyVersions",
        &named,
        ("/Versions/0/VersionId", json!("v1")),
    );
    for (kind, name) in [("User", "mallory"), ("Role", "deploy")] {
        let of = |more: Value| {
            let mut all = more;
            all[format!("{kind}Name")] = json!(name);
            all
        };
        let attached = of(json!({"PolicyArn": arn}));
        script.iam(&format!("Attach{kind}Policy"), &attached);
        let list = format!("ListAttached{kind}Policies");
        script.finds(
            &list,
            &of(json!({})),
            ("/AttachedPolicies/0/PolicyArn", json!(arn)),
        );
        script.iam(&format!("Detach{kind}Policy"), &attached);
        let own = of(json!({"PolicyName": "cut"}));
        let mut put = own.clone();
        put["PolicyDocument"] = deny("Cut");
        script.iam(&format!("Put{kind}Policy"), &put);
        let list = format!("List{kind}Policies");
        script.finds(&list, &of(json!({})), ("/PolicyNames", json!(["cut"])));
        let read = script.iam(&format!("Get{kind}Policy"), &own);
        assert_eq!(decoded(&read["PolicyDocument"]), deny("Cut"));
        script.iam(&format!("Delete{kind}Policy"), &own);
        script.finds(&list, &of(json!({})), ("/PolicyNames", json!([])));
    }
    script.iam("DeletePolicy", &named);
}

fn credentials(script: &mut Script, [key, device, credential]: [String; 3]) {
    let user = json!({"UserName": "mallory"});
    let of_key =
        |status: &str| json!({"UserName": "mallory", "AccessKeyId": key, "Status": status});
    script.iam("UpdateAccessKey", &of_key("Inactive"));
    script.finds(
        "ListAccessKeys",
        &user,
        ("/AccessKeyMetadata/0/Status", json!("Inactive")),
    );
    let last = json!({"AccessKeyId": key});
    script.finds(
        "GetAccessKeyLastUsed",
        &last,
        ("/UserName", json!("mallory")),
    );
    script.iam(
        "DeleteAccessKey",
        &json!({"UserName": "mallory", "AccessKeyId": key}),
    );
    script.finds("ListAccessKeys", &user, ("/AccessKeyMetadata", json!([])));
    script.finds(
        "GetLoginProfile",
        &user,
        ("/LoginProfile/UserName", json!("mallory")),
    );
    script.iam("DeleteLoginProfile", &user);
    script.finds(
        "ListMFADevices",
        &user,
        ("/MFADevices/0/SerialNumber", json!(device)),
    );
    let all = script.iam("ListVirtualMFADevices", &json!({}));
    assert_eq!(
        all["VirtualMFADevices"][0]["User"]["UserName"],
        json!("mallory")
    );
    assert!(
        !all.to_string().contains("Seed"),
        "the seed is a secret: {all}"
    );
    script.iam(
        "DeactivateMFADevice",
        &json!({"UserName": "mallory", "SerialNumber": device}),
    );
    script.iam("DeleteVirtualMFADevice", &json!({"SerialNumber": device}));
    let id = json!({"UserName": "mallory", "ServiceSpecificCredentialId": credential});
    let mut inactive = id.clone();
    inactive["Status"] = json!("Inactive");
    script.iam("UpdateServiceSpecificCredential", &inactive);
    let first = "/ServiceSpecificCredentials/0/Status";
    script.finds(
        "ListServiceSpecificCredentials",
        &user,
        (first, json!("Inactive")),
    );
    script.iam("DeleteServiceSpecificCredential", &id);
}

fn account(script: &mut Script) {
    script.finds(
        "GetAccountSummary",
        &json!({}),
        ("/SummaryMap/Groups", json!(1)),
    );
    script.finds(
        "ListAccountAliases",
        &json!({}),
        ("/AccountAliases", json!(["one-example"])),
    );
    let length = ("/PasswordPolicy/MinimumPasswordLength", json!(14));
    script.finds("GetAccountPasswordPolicy", &json!({}), length);
    script.iam("GenerateCredentialReport", &json!({}));
    script.finds(
        "GetCredentialReport",
        &json!({}),
        ("/ReportFormat", json!("text/csv")),
    );
    let users = script.iam("ListUsers", &json!({}));
    assert_eq!(users["Users"].as_array().unwrap().len(), 2);
    let roles = script.iam("ListRoles", &json!({}));
    let deploy = roles["Roles"]
        .as_array()
        .unwrap()
        .iter()
        .find(|role| role["RoleName"] == "deploy");
    assert_eq!(deploy.unwrap()["MaxSessionDuration"], json!(3600));
    let details = script.iam("GetAccountAuthorizationDetails", &json!({}));
    assert_eq!(details["GroupDetailList"][0]["GroupName"], json!("staff"));
    assert_eq!(details["IsTruncated"], json!(false));
}

fn principals(script: &mut Script) {
    let (user, role) = (
        json!({"UserName": "mallory"}),
        json!({"RoleName": "deploy"}),
    );
    script.finds("GetUser", &user, ("/User/UserName", json!("mallory")));
    script.finds(
        "ListGroupsForUser",
        &user,
        ("/Groups/0/GroupName", json!("staff")),
    );
    script.iam(
        "RemoveUserFromGroup",
        &json!({"UserName": "mallory", "GroupName": "staff"}),
    );
    let trust: Value = serde_json::from_str(&TRUST.replace("Allow", "Deny")).unwrap();
    script.iam(
        "UpdateAssumeRolePolicy",
        &json!({"RoleName": "deploy", "PolicyDocument": trust}),
    );
    let read = script.iam("GetRole", &role);
    assert_eq!(decoded(&read["Role"]["AssumeRolePolicyDocument"]), trust);
    let host = json!({"InstanceProfileName": "host"});
    let name = json!("deploy");
    script.finds(
        "GetInstanceProfile",
        &host,
        ("/InstanceProfile/Roles/0/RoleName", name),
    );
    let profile = ("/InstanceProfiles/0/InstanceProfileName", json!("host"));
    script.finds("ListInstanceProfilesForRole", &role, profile);
    let both = json!({"InstanceProfileName": "host", "RoleName": "deploy"});
    script.iam("RemoveRoleFromInstanceProfile", &both);
    script.iam("DeleteRole", &role);
    script.iam("DeleteUser", &user);
    let saml = format!("arn:aws:iam::{ACCOUNT}:saml-provider/sso");
    script.finds(
        "ListSAMLProviders",
        &json!({}),
        ("/SAMLProviderList/0/Arn", json!(saml)),
    );
    let named = json!({"SAMLProviderArn": saml});
    assert!(script.iam("GetSAMLProvider", &named)["SAMLMetadataDocument"].is_string());
    script.iam("DeleteSAMLProvider", &named);
    let open_id = format!("arn:aws:iam::{ACCOUNT}:oidc-provider/id.example");
    let first = ("/OpenIDConnectProviderList/0/Arn", json!(open_id));
    script.finds("ListOpenIDConnectProviders", &json!({}), first);
    let named = json!({"OpenIDConnectProviderArn": open_id});
    script.finds(
        "GetOpenIDConnectProvider",
        &named,
        ("/ClientIDList", json!(["aud"])),
    );
    script.iam("DeleteOpenIDConnectProvider", &named);
}

fn organization(script: &mut Script) {
    let mut ask =
        |action: &str, parameters: Value| script.ask("organizations", action, &parameters);
    let described = ask("DescribeOrganization", json!({}));
    assert_eq!(described["Organization"]["MasterAccountId"], json!(ACCOUNT));
    assert_eq!(
        ask("ListAccounts", json!({}))["Accounts"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let root = ask("ListRoots", json!({}))["Roots"][0]["Id"].clone();
    assert_eq!(
        ask("ListParents", json!({"ChildId": OTHER}))["Parents"][0]["Id"],
        root
    );
    let kind = "SERVICE_CONTROL_POLICY";
    let made = ask(
        "CreatePolicy",
        json!({"Name": "cut", "Description": "d", "Type": kind, "Content": deny("Scp")}),
    );
    let id = made["Policy"]["PolicySummary"]["Id"].clone();
    ask(
        "UpdatePolicy",
        json!({"PolicyId": id, "Content": deny("Later")}),
    );
    let read = ask("DescribePolicy", json!({"PolicyId": id}));
    assert_eq!(decoded(&read["Policy"]["Content"]), deny("Later"));
    let both = json!({"PolicyId": id, "TargetId": OTHER});
    ask("AttachPolicy", both.clone());
    let on = json!({"TargetId": OTHER, "Filter": kind});
    let listed = ask("ListPoliciesForTarget", on);
    assert!(
        listed["Policies"]
            .as_array()
            .unwrap()
            .iter()
            .any(|policy| policy["Id"] == id)
    );
    let targets = ask("ListTargetsForPolicy", json!({"PolicyId": id}));
    assert_eq!(targets["Targets"][0]["TargetId"], json!(OTHER));
    ask("DetachPolicy", both);
    ask("DeletePolicy", json!({"PolicyId": id}));
    let left = ask("ListPolicies", json!({"Filter": kind}));
    assert!(
        left["Policies"]
            .as_array()
            .unwrap()
            .iter()
            .all(|policy| policy["Id"] != id)
    );
}

fn trail(script: &mut Script) {
    let mut ask = |action: &str, parameters: Value| script.ask("cloudtrail", action, &parameters);
    let name = ask("DescribeTrails", json!({}))["trailList"][0]["TrailARN"].clone();
    assert_eq!(
        ask("GetTrailStatus", json!({"Name": name}))["IsLogging"],
        json!(true)
    );
    assert_eq!(
        ask("GetEventSelectors", json!({"TrailName": name}))["TrailARN"],
        name
    );
    let attribute = json!([{"AttributeKey": "EventName", "AttributeValue": "CreateUser"}]);
    let found = ask(
        "LookupEvents",
        json!({"LookupAttributes": attribute, "MaxResults": 5}),
    );
    assert!(
        found["Events"]
            .as_array()
            .unwrap()
            .iter()
            .all(|e| e["EventName"] == "CreateUser")
    );
    let who = script.ask("sts", "GetCallerIdentity", &json!({}));
    assert_eq!(who["Account"], json!(ACCOUNT));
}

#[test]
fn every_action_goes_there_and_back() {
    let (_served, mut script, made) = furnished();
    account(&mut script);
    policies(&mut script);
    credentials(&mut script, made);
    principals(&mut script);
    organization(&mut script);
    trail(&mut script);
    let table = known().filter(|known| known.service != NOT_IN_THE_LAB);
    let table: BTreeSet<(String, String)> = table
        .map(|known| (known.service.to_owned(), known.action.to_owned()))
        .collect();
    let missing: Vec<_> = table.symmetric_difference(&script.asked).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn a_list_comes_whole() {
    let (world, root) = world();
    let served = Served::new(world);
    served.prepare(&root, async |iam| {
        for n in 0..120 {
            let user = iam.create_user().user_name(format!("user-{n}"));
            user.send().await.unwrap();
        }
    });
    let mut session = served.session(&root);
    let users = ask(&mut session, "iam", "ListUsers", &json!({}))
        .unwrap()
        .value;
    assert_eq!(users["Users"].as_array().unwrap().len(), 120);
    assert_eq!(users.get("Marker"), None);
    assert_eq!(users["IsTruncated"], json!(false));
}

#[test]
fn refusals_say_what_kind_they_are() {
    let (_served, mut script, _) = furnished();
    let mut refused = |service: &str, action: &str, parameters: Value| {
        let refusal = ask(&mut script.session, service, action, &parameters).unwrap_err();
        (
            refusal.kind,
            refusal.code.raw().to_owned(),
            refusal.request_id.is_some(),
        )
    };
    let code = |text: &str, sent| (RefusalKind::NotFound, text.to_owned(), sent);
    assert_eq!(
        refused("iam", "GetUser", json!({"UserName": "nobody"})),
        code("NoSuchEntity", true)
    );
    assert_eq!(
        refused(
            "organizations",
            "DescribePolicy",
            json!({"PolicyId": "p-12345678"})
        ),
        code("PolicyNotFoundException", true)
    );
    let ours = |text: &str| (RefusalKind::Refused, text.to_owned(), false);
    let sent = |text: &str| (RefusalKind::Refused, text.to_owned(), true);
    assert_eq!(
        refused("iam", "DeleteUser", json!({"UserName": "mallory"})),
        sent("DeleteConflict")
    );
    let broken = json!({"UserName": "mallory", "PolicyName": "p", "PolicyDocument": "{"});
    assert_eq!(
        refused("iam", "PutUserPolicy", broken),
        sent("MalformedPolicyDocument")
    );
    assert_eq!(
        refused("iam", "CreateUser", json!({"UserName": "x"})),
        ours("UnknownAction")
    );
    assert_eq!(refused("s3", "GetObject", json!({})), ours("UnknownAction"));
    assert_eq!(
        refused("iam", "GetUser", json!({"UserName": "mallory", "More": 1})),
        ours("UnknownParameter")
    );
    assert_eq!(
        refused("iam", "GetUser", json!({"UserName": 7})),
        ours("BadParameter")
    );
}

#[test]
fn an_administrator_in_one_account_acts_in_another_by_its_role() {
    let (world, root) = world();
    let served = Served::new(world);
    let responder = administrator(&served, &root);
    let user = call_in(OTHER, "iam", "ListUsers", &json!({}));
    let mut session = served.session(&responder);
    let refusal = session.call(&user).unwrap_err();
    assert_eq!(refusal.kind, RefusalKind::Denied);
    assert!(
        refusal.message.raw().contains("; name the role"),
        "{refusal:?}"
    );
    let mut options = served.options(&responder);
    options.role_name = Some("OrganizationAccountAccessRole".to_owned());
    let mut session = Session::connect(options).unwrap();
    assert_eq!(session.call(&user).unwrap().value["Users"], json!([]));
    let mut options = served.options(&responder);
    let missing = format!("arn:aws:iam::{OTHER}:role/missing");
    options.role_for.insert(OTHER.to_owned(), missing);
    let mut session = Session::connect(options).unwrap();
    let refusal = session.call(&user).unwrap_err();
    assert_eq!(
        (refusal.kind, refusal.code.raw()),
        (RefusalKind::Denied, "NoCredential")
    );
}

#[test]
fn a_session_says_who_it_is_and_shows_no_secret() {
    let (world, root) = world();
    let served = Served::new(world);
    let responder = administrator(&served, &root);
    let mut options = served.options(&responder);
    options.role_arn = Some(format!(
        "arn:aws:iam::{OTHER}:role/OrganizationAccountAccessRole"
    ));
    options.session_name = Some("case-7".to_owned());
    let session = Session::connect(options).unwrap();
    let who = session.identity();
    assert_eq!(who.account, OTHER);
    assert!(who.arn.ends_with("/unchain-case-7"), "{who:?}");
    assert_eq!(who.partition(), "aws");
    let shown = format!("{session:?}");
    assert!(
        shown.contains(&responder.id) && !shown.contains(&responder.secret),
        "{shown}"
    );
}

/// Each session that is begun is a line in CloudTrail and one more credential.
#[test]
fn a_role_is_assumed_once_whatever_is_called() {
    let (world, root) = world();
    let served = Served::new(world);
    let responder = administrator(&served, &root);
    let mut options = served.options(&responder);
    options.role_name = Some("OrganizationAccountAccessRole".to_owned());
    let mut session = Session::connect(options).unwrap();
    let document = json!({"PolicyName": "ours", "PolicyDocument": deny("One")});
    for (service, action, parameters) in [
        ("iam", "ListUsers", json!({})),
        ("iam", "CreatePolicy", document),
        ("organizations", "DescribeOrganization", json!({})),
        ("cloudtrail", "DescribeTrails", json!({})),
        (
            "cloudtrail",
            "DescribeTrails",
            json!({"region": "eu-west-1"}),
        ),
        ("sts", "GetCallerIdentity", json!({})),
    ] {
        let call = call_in(OTHER, service, action, &parameters);
        assert!(session.call(&call).is_ok(), "{action}");
    }
    assert_eq!(served.world().sessions.len(), 1);
}
