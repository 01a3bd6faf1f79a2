//! Single answers, in any order, make one state of the accounts.

#![expect(
    clippy::needless_pass_by_value,
    clippy::too_many_lines,
    reason = "JSON is written where it is handed over, and one state is told whole"
)]

use super::common::SHOP;
use proptest::prelude::*;
use proptest::sample::subsequence;
use serde_json::{Value, json};
use unchain_core::contain::{Facts, FactsError, Recorded};
use unchain_core::time::Timestamp;

const MANAGEMENT: &str = "999999999999";
const TRAIL: &str = "arn:aws:cloudtrail:us-east-1:999999999999:trail/all";
const REPORT: &str = "user,arn,password_enabled,mfa_active,access_key_1_active,access_key_1_last_rotated,\
access_key_1_last_used_date,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date
<root_account>,arn:aws:iam::111122223333:root,not_supported,true,false,N/A,N/A,false,N/A,N/A
bob,arn:aws:iam::111122223333:user/people/bob,true,false,true,2025-01-01T00:00:00+00:00,2026-02-01T10:00:00+00:00,true,2026-01-01T00:00:00+00:00,N/A
";

/// An answer beside its call.
pub(crate) fn wrapped(call: &str, parameters: Value, answer: Value) -> String {
    let (service, action) = call.split_once(' ').unwrap();
    json!({"unchain_call": {"service": service, "action": action, "account": SHOP, "parameters": parameters},
        "answer": answer})
    .to_string()
}

fn arn(what: &str) -> String {
    format!("arn:aws:iam::{SHOP}:{what}")
}

fn trust() -> Value {
    json!({"Statement": [{"Effect": "Allow", "Principal": {"AWS": arn("root")}, "Action": "sts:AssumeRole"}]})
}

fn of_iam() -> Vec<String> {
    let bob = json!({"UserName": "bob", "UserId": "AIDABOB", "Arn": arn("user/people/bob"), "GroupList": ["team"],
        "UserPolicyList": [], "AttachedManagedPolicies": [{"PolicyArn": arn("policy/all")}]});
    let app = json!({"RoleName": "app", "RoleId": "AROAAPP", "Arn": arn("role/app"), "AssumeRolePolicyDocument": trust(),
        "RolePolicyList": [], "RoleLastUsed": {"LastUsedDate": "2026-02-28T00:00:00+00:00", "Region": "us-east-1"}});
    let role = json!({"RoleName": "app", "RoleId": "AROAAPP", "Arn": arn("role/app"), "AssumeRolePolicyDocument": trust(),
        "MaxSessionDuration": 43_200});
    let details = "iam GetAccountAuthorizationDetails";
    vec![
        wrapped(details, json!({}), json!({"UserDetailList": [bob], "RoleDetailList": [], "IsTruncated": true, "Marker": "m1"})),
        wrapped(details, json!({"Marker": "m1"}), json!({"RoleDetailList": [app], "GroupDetailList": [{"GroupName": "team",
            "Arn": arn("group/team"), "GroupPolicyList": []}], "IsTruncated": false})),
        REPORT.to_owned(),
        json!({"AccessKeyMetadata": [
            {"UserName": "bob", "AccessKeyId": "AKIABOB1", "Status": "Active", "CreateDate": "2025-01-01T00:00:00Z"},
            {"UserName": "bob", "AccessKeyId": "AKIABOB2", "Status": "Inactive"}]}).to_string(),
        wrapped("iam GetAccessKeyLastUsed", json!({"AccessKeyId": "AKIABOB1"}), json!({"UserName": "bob",
            "AccessKeyLastUsed": {"LastUsedDate": "2026-02-01T10:00:00Z", "ServiceName": "s3", "Region": "us-east-1"}})),
        wrapped("iam GetAccessKeyLastUsed", json!({"AccessKeyId": "AKIABOB2"}), json!({"UserName": "bob",
            "AccessKeyLastUsed": {"ServiceName": "N/A", "Region": "N/A"}})),
        json!({"MFADevices": [{"UserName": "bob", "SerialNumber": arn("mfa/bob")}]}).to_string(),
        json!({"ServiceSpecificCredentials": [{"UserName": "bob", "Status": "Active",
            "ServiceSpecificCredentialId": "ACCABOB", "ServiceName": "codecommit.amazonaws.com"}]}).to_string(),
        json!({"LoginProfile": {"UserName": "bob", "CreateDate": "2025-01-01T00:00:00Z"}}).to_string(),
        json!({"unchain_call": {"service": "iam", "action": "GetLoginProfile", "account": SHOP,
            "parameters": {"UserName": "robot"}}, "error": "NoSuchEntity"}).to_string(),
        json!({"Roles": [role]}).to_string(),
        json!({"Role": role}).to_string(),
        json!({"SummaryMap": {"AccountMFAEnabled": 1, "AccountAccessKeysPresent": 0, "AttachedPoliciesPerRoleQuota": 20}}).to_string(),
        json!({"PasswordPolicy": {"MinimumPasswordLength": 8}}).to_string(),
        json!({"AccountAliases": ["shop"]}).to_string(),
        json!({"SAMLProviderList": [{"Arn": arn("saml-provider/idp")}]}).to_string(),
        json!({"UserId": "AROAIR:eva", "Account": SHOP, "Arn": format!("arn:aws:sts::{SHOP}:assumed-role/ir/eva")}).to_string(),
    ]
}

pub(crate) fn of_organization() -> Vec<String> {
    let policy = |id: &str, effect: &str, action: &str| {
        let content =
            json!({"Statement": {"Effect": effect, "Action": action, "Resource": "*"}}).to_string();
        json!({"Policy": {"PolicySummary": {"Id": id, "Type": "SERVICE_CONTROL_POLICY"}, "Content": content}}).to_string()
    };
    let attached = |target: &str, ids: &[&str]| {
        let policies: Vec<Value> = ids
            .iter()
            .map(|id| json!({"Id": id, "Type": "SERVICE_CONTROL_POLICY"}))
            .collect();
        wrapped(
            "organizations ListPoliciesForTarget",
            json!({"TargetId": target, "Filter": "SERVICE_CONTROL_POLICY"}),
            json!({"Policies": policies}),
        )
    };
    let parent = |child: &str, parent: &str| {
        wrapped(
            "organizations ListParents",
            json!({"ChildId": child}),
            json!({"Parents": [{"Id": parent}]}),
        )
    };
    vec![
        json!({"Organization": {"Id": "o-1", "MasterAccountId": MANAGEMENT}}).to_string(),
        json!({"Roots": [{"Id": "r-1", "PolicyTypes": [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}]}]}).to_string(),
        json!({"Accounts": [{"Id": SHOP, "Arn": format!("arn:aws:organizations::{MANAGEMENT}:account/o-1/{SHOP}"),
            "Status": "ACTIVE"}]}).to_string(),
        parent(SHOP, "ou-1"), parent("ou-1", "r-1"),
        attached("r-1", &["p-FullAWSAccess"]), attached("ou-1", &["p-FullAWSAccess", "p-trails"]),
        attached(SHOP, &["p-FullAWSAccess"]),
        policy("p-FullAWSAccess", "Allow", "*"), policy("p-trails", "Deny", "cloudtrail:*"),
        wrapped("organizations ListPoliciesForTarget", json!({"TargetId": SHOP, "Filter": "TAG_POLICY"}),
            json!({"Policies": [{"Id": "p-tags", "Type": "TAG_POLICY"}]})),
    ]
}

fn of_others() -> Vec<String> {
    let anywhere = |what: &str| format!("arn:aws:rolesanywhere:us-east-1:{SHOP}:{what}");
    vec![
        json!({"trailList": [{"Name": "all", "TrailARN": TRAIL, "IsMultiRegionTrail": true, "HomeRegion": "us-east-1",
            "LogFileValidationEnabled": true, "IsOrganizationTrail": true, "IncludeGlobalServiceEvents": true}]}).to_string(),
        wrapped("cloudtrail GetTrailStatus", json!({"Name": TRAIL}), json!({"IsLogging": true})),
        json!({"TrailARN": TRAIL, "EventSelectors": [{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": true}]}).to_string(),
        json!({"trustAnchors": [{"trustAnchorArn": anywhere("trust-anchor/1"), "enabled": true}]}).to_string(),
        json!({"profiles": [{"profileArn": anywhere("profile/1"), "enabled": true, "durationSeconds": 3600,
            "roleArns": [arn("role/app")]}]}).to_string(),
    ]
}

fn texts() -> Vec<String> {
    [of_iam(), of_organization(), of_others()].concat()
}

fn read(texts: &[String]) -> Facts {
    let mut facts = Facts::default();
    for text in texts {
        facts.read(text, Some(SHOP)).unwrap();
    }
    facts
}

#[test]
fn every_answer_says_its_part() {
    let facts = read(&texts());
    assert!(facts.unread.is_empty(), "{:?}", facts.unread);
    let account = &facts.accounts[SHOP];
    assert!(account.authorization_details);
    let bob = &account.users["bob"];
    assert_eq!(
        (bob.arn.as_str(), bob.password),
        (arn("user/people/bob").as_str(), Some(true))
    );
    assert_eq!(account.users["robot"].password, Some(false));
    assert_eq!((bob.keys["AKIABOB1"], bob.keys["AKIABOB2"]), (true, false));
    assert_eq!(
        bob.keys_made["AKIABOB1"],
        Timestamp::parse("2025-01-01T00:00:00Z").unwrap()
    );
    assert_eq!(
        (bob.reported_keys.len(), bob.service_credentials["ACCABOB"]),
        (2, true)
    );
    let used = Timestamp::parse("2026-02-01T10:00:00Z");
    assert_eq!(
        (
            account.last_used.keys["AKIABOB1"],
            account.last_used.keys["AKIABOB2"]
        ),
        (used, None)
    );
    assert_eq!(account.last_used.reported["bob"], [used, None]);
    let app = &account.roles["app"];
    assert_eq!(
        (app.max_session, app.id.as_str()),
        (Some(43_200), "AROAAPP")
    );
    assert_eq!(
        account.last_used.roles["app"],
        Timestamp::parse("2026-02-28T00:00:00Z")
    );
    assert_eq!(
        (account.root_keys, account.root_mfa),
        (Some(false), Some(true))
    );
    assert_eq!(
        (
            account.summary["AttachedPoliciesPerRoleQuota"],
            account.password_length
        ),
        (20, Some(8))
    );
    let trail = &account.trails[TRAIL];
    assert_eq!(
        (trail.logging, trail.recorded),
        (
            Some(true),
            Some(Recorded {
                issuing: false,
                changing: true
            })
        )
    );
    assert!(trail.organization && trail.multi_region && trail.validated && account.trails_read);
    assert!(
        account.trust_anchors.values().all(|on| *on)
            && account.profiles.values().all(|p| p.enabled)
    );
    assert_eq!(
        (
            account.aliases.len(),
            account.providers.len(),
            account.read_as.len()
        ),
        (1, 1, 1)
    );
    let levels: Vec<(&str, usize)> = facts
        .scps(SHOP)
        .iter()
        .map(|l| (l.target.as_str(), l.policies.len()))
        .collect();
    assert_eq!(levels, [("r-1", 1), ("ou-1", 2), (SHOP, 1)]);
    assert_eq!(
        facts.scps(SHOP)[1].policies["p-trails"]["Statement"]["Effect"],
        "Deny"
    );
}

#[test]
fn what_the_answers_call_for_is_unread_until_it_is_read() {
    let whole = texts();
    let without = |word: &str| {
        let kept: Vec<String> = whole
            .iter()
            .filter(|text| !text.contains(word))
            .cloned()
            .collect();
        assert!(kept.len() < whole.len(), "{word}");
        read(&kept)
            .unread
            .into_iter()
            .collect::<Vec<_>>()
            .join("; ")
    };
    assert!(without("\"ChildId\":\"ou-1\"").contains("the parent of ou-1"));
    assert!(without("\"TargetId\":\"ou-1\"").contains("the service control policies of ou-1"));
    assert!(without("cloudtrail:*").contains("the service control policy p-trails"));
    assert!(
        without("\"parameters\":{\"Marker\":\"m1\"}")
            .contains("the other pages of iam GetAccountAuthorizationDetails")
    );
    assert!(without("GetTrailStatus").contains("the status of arn:aws:cloudtrail"));
    assert!(without("ReadWriteType").contains("the event selectors of arn:aws:cloudtrail"));
}

/// Who cannot see the organization's pieces does not know that there are no policies.
#[test]
fn levels_without_a_management_account_are_no_levels() {
    let pieces: Vec<String> = of_organization()
        .into_iter()
        .filter(|text| !text.contains(MANAGEMENT))
        .collect();
    let facts = read(&pieces);
    assert!(facts.scps(SHOP).is_empty() && !facts.unread.is_empty());
}

#[test]
fn use_and_reader_are_not_in_the_digest() {
    let mut facts = read(&texts());
    let before = facts.digest();
    let account = facts.accounts.get_mut(SHOP).unwrap();
    account.last_used = unchain_core::contain::LastUsed::default();
    account.read_as.clear();
    assert_eq!(facts.digest(), before);
    facts
        .accounts
        .get_mut(SHOP)
        .unwrap()
        .users
        .get_mut("bob")
        .unwrap()
        .keys
        .clear();
    assert_ne!(facts.digest(), before);
}

#[test]
fn a_refusal_is_said_and_an_answer_about_nobody_refused() {
    let mut facts = Facts::default();
    let denied = json!({"unchain_call": {"service": "iam", "action": "GetLoginProfile", "account": SHOP,
        "parameters": {"UserName": "bob"}}, "error": "AccessDenied"});
    facts.read(&denied.to_string(), None).unwrap();
    let said: Vec<String> = facts.unread.iter().cloned().collect();
    assert_eq!(
        said,
        [format!("iam GetLoginProfile bob in {SHOP}: AccessDenied")]
    );
    let before = facts.clone();
    for text in [
        r#"{"Policies": []}"#,
        r#"{"Parents": []}"#,
        r#"{"IsLogging": true}"#,
        r#"{"AccessKeyLastUsed": {}}"#,
        r#"{"LoginProfile": {}}"#,
    ] {
        assert!(
            matches!(facts.read(text, Some(SHOP)), Err(FactsError::NoSubject)),
            "{text}"
        );
    }
    for text in [
        r#"{"unchain_call": {"service": "iam", "action": "DeleteUser"}, "answer": {}}"#,
        r#"{"unchain_call": null}"#,
        r#"{"Policy": {"Arn": "x"}}"#,
        "[1]",
        "null",
        "3",
    ] {
        assert!(
            matches!(facts.read(text, Some(SHOP)), Err(FactsError::Unknown)),
            "{text}"
        );
    }
    assert!(matches!(
        facts.read(r#"{"SummaryMap": {}}"#, None),
        Err(FactsError::NoAccount)
    ));
    assert_eq!(facts, before);
}

#[test]
fn selectors_are_read_as_cloudtrail_means_them() {
    let recorded = |selectors: Value| {
        let mut answer = selectors;
        answer["TrailARN"] = json!(TRAIL);
        let told = read(&[of_others()[0].clone(), answer.to_string()]).accounts[SHOP].trails[TRAIL]
            .recorded
            .unwrap();
        (told.issuing, told.changing)
    };
    let basic = |kind: &str| json!({"EventSelectors": [{"ReadWriteType": kind, "IncludeManagementEvents": true}]});
    assert_eq!(recorded(basic("All")), (true, true));
    assert_eq!(recorded(basic("ReadOnly")), (true, false));
    assert_eq!(
        recorded(
            json!({"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": false}]})
        ),
        (false, false)
    );
    assert_eq!(recorded(json!({"EventSelectors": []})), (false, false));
    let advanced = |fields: Value| {
        let mut all = vec![json!({"Field": "eventCategory", "Equals": ["Management"]})];
        all.extend(fields.as_array().unwrap().iter().cloned());
        recorded(json!({"AdvancedEventSelectors": [{"Name": "x", "FieldSelectors": all}]}))
    };
    assert_eq!(advanced(json!([])), (true, true));
    assert_eq!(
        advanced(json!([{"Field": "readOnly", "Equals": ["false"]}])),
        (false, true)
    );
    assert_eq!(
        advanced(
            json!([{"Field": "eventSource", "NotEquals": ["kms.amazonaws.com", "rdsdata.amazonaws.com"]}])
        ),
        (true, true)
    );
    assert_eq!(
        advanced(json!([{"Field": "eventSource", "NotStartsWith": ["sts."]}])),
        (false, true)
    );
    assert_eq!(
        advanced(json!([{"Field": "userIdentity.arn", "NotEquals": ["arn:aws:iam::1:role/x"]}])),
        (false, false)
    );
    let data = json!([{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}]}]);
    assert_eq!(
        recorded(json!({"AdvancedEventSelectors": data})),
        (false, false)
    );
}

/// Everything once, in some order, and some of it again.
fn shuffled() -> impl Strategy<Value = Vec<String>> {
    let all = texts();
    let count = all.len();
    (Just(all.clone()).prop_shuffle(), subsequence(all, 0..count))
        .prop_map(|(once, again)| [once, again].concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_order_and_repetition_gives_equal_facts(order in shuffled()) {
        let (one, other) = (read(&texts()), read(&order));
        prop_assert_eq!(one.digest(), other.digest());
        prop_assert_eq!(one, other);
    }

    /// Facts that were kept half way, and read by two people, are what one would have read.
    #[test]
    fn facts_kept_half_way_lose_nothing(order in shuffled(), at in 0usize..40) {
        let (first, second) = order.split_at(at.min(order.len()));
        let mut both = Facts::default();
        for half in [second, first] {
            let kept = serde_json::to_string(&read(half)).unwrap();
            both.read(&kept, None).unwrap();
        }
        prop_assert_eq!(both, read(&texts()));
    }

    #[test]
    fn any_json_is_read_or_refused(text in any_json(), account in proptest::option::of("[0-9]{0,12}")) {
        let mut facts = Facts::default();
        let before = facts.clone();
        if facts.read(&text.to_string(), account.as_deref()).is_err() {
            prop_assert_eq!(&facts, &before);
        }
        let kept = serde_json::to_string(&facts).unwrap();
        let mut again = Facts::default();
        again.read(&kept, None).unwrap();
        prop_assert_eq!(again, facts);
    }
}

/// One of the texts with something else in one place.
fn any_json() -> impl Strategy<Value = Value> {
    let documents: Vec<Value> = texts()
        .iter()
        .filter_map(|text| serde_json::from_str(text).ok())
        .collect();
    let other = prop_oneof![
        Just(Value::Null),
        Just(json!(true)),
        Just(json!([])),
        Just(json!({})),
        Just(json!(-1.5e300)),
        Just(json!("arn:aws:iam::")),
        Just(json!([{}, null, [1]])),
        any::<String>().prop_map(Value::String),
    ];
    (
        proptest::sample::select(documents),
        any::<proptest::sample::Index>(),
        other,
    )
        .prop_map(|(mut document, place, other)| {
            let paths: Vec<String> = paths(&document, "");
            let path: &String = place.get(&paths);
            *document.pointer_mut(path).unwrap() = other;
            document
        })
}

fn paths(value: &Value, at: &str) -> Vec<String> {
    let deeper: Vec<String> = match value {
        Value::Object(map) => map
            .iter()
            .flat_map(|(name, value)| paths(value, &format!("{at}/{}", name.replace('/', "~1"))))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .flat_map(|(n, value)| paths(value, &format!("{at}/{n}")))
            .collect(),
        _ => Vec::new(),
    };
    [vec![at.to_owned()], deeper].concat()
}
