//! Reports over the whole account.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;

#[test]
fn the_credential_report_has_awss_columns() {
    let mut bench = Bench::new();
    bench.user("eve");
    bench.ok("CreateAccessKey", json!({"UserName": "eve"}));
    bench.ok(
        "CreateLoginProfile",
        json!({"UserName": "eve", "Password": "Hunter2!!"}),
    );
    assert_eq!(
        bench.code("GetCredentialReport", json!({})),
        "ReportNotPresent"
    );
    assert_eq!(
        bench.ok("GenerateCredentialReport", json!({}))["State"],
        "STARTED"
    );
    assert_eq!(
        bench.ok("GenerateCredentialReport", json!({}))["State"],
        "COMPLETE"
    );
    let report = bench.ok("GetCredentialReport", json!({}));
    let content = STANDARD
        .decode(report["Content"].as_str().unwrap())
        .unwrap();
    let text = String::from_utf8(content).unwrap();
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(lines.len(), 3);
    assert!(lines.iter().all(|line| line.len() == 22));
    let cell = |line: usize, column: &str| {
        let at = lines[0].iter().position(|name| *name == column).unwrap();
        lines[line][at]
    };
    assert_eq!(
        (cell(1, "user"), cell(1, "password_enabled")),
        ("<root_account>", "not_supported")
    );
    assert_eq!(
        (cell(2, "user"), cell(2, "password_last_used")),
        ("eve", "no_information")
    );
    assert_eq!(
        (
            cell(2, "access_key_1_active"),
            cell(2, "access_key_2_active")
        ),
        ("true", "false")
    );
    assert_eq!(cell(2, "user_creation_time"), "2026-03-02T12:00:00+00:00");
    assert_eq!(cell(2, "mfa_active"), "false");
    bench.world.now += 4 * 3600;
    assert_eq!(
        bench.code("GetCredentialReport", json!({})),
        "ReportExpired"
    );
    assert_eq!(
        bench.ok("GenerateCredentialReport", json!({}))["State"],
        "STARTED"
    );
}

/// An account with one of each kind.
fn one_of_each() -> Bench {
    let mut bench = Bench::new();
    bench.user("eve");
    bench.ok("CreateGroup", json!({"GroupName": "devs"}));
    bench.ok(
        "AddUserToGroup",
        json!({"GroupName": "devs", "UserName": "eve"}),
    );
    bench.role("app");
    bench.ok(
        "PutRolePolicy",
        json!({"RoleName": "app", "PolicyName": "own", "PolicyDocument": S3_ALL}),
    );
    bench.ok(
        "CreatePolicy",
        json!({"PolicyName": "p", "PolicyDocument": S3_ALL}),
    );
    bench.ok(
        "AttachUserPolicy",
        json!({"UserName": "eve", "PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}),
    );
    bench
}

#[test]
fn everything_at_once() {
    let mut bench = one_of_each();
    let all = bench.ok("GetAccountAuthorizationDetails", json!({}));
    assert_eq!(all["UserDetailList"][0]["GroupList"], json!(["devs"]));
    assert_eq!(all["GroupDetailList"][0]["GroupName"], "devs");
    assert_eq!(
        all["RoleDetailList"][0]["RolePolicyList"][0]["PolicyName"],
        "own"
    );
    assert_eq!(
        names(&all["Policies"], "PolicyName"),
        ["p", "ReadOnlyAccess"]
    );
    assert_eq!(
        all["Policies"][0]["PolicyVersionList"][0]["IsDefaultVersion"],
        true
    );

    let only = bench.ok(
        "GetAccountAuthorizationDetails",
        json!({"Filter": ["Role", "AWSManagedPolicy"]}),
    );
    assert_eq!(only["UserDetailList"], json!([]));
    assert_eq!(names(&only["Policies"], "PolicyName"), ["ReadOnlyAccess"]);
}

#[test]
fn everything_in_pages() {
    let mut bench = one_of_each();
    let mut rows = 0;
    let mut params = json!({"MaxItems": "1"});
    loop {
        let page = bench.ok("GetAccountAuthorizationDetails", params.clone());
        let lists = [
            "UserDetailList",
            "GroupDetailList",
            "RoleDetailList",
            "Policies",
        ];
        rows += lists
            .iter()
            .map(|list| page[*list].as_array().unwrap().len())
            .sum::<usize>();
        let Some(marker) = page["Marker"].as_str() else {
            break;
        };
        params["Marker"] = json!(marker);
    }
    assert_eq!(rows, 5);
}

#[test]
fn the_summary_counts() {
    let mut bench = Bench::new();
    bench.user("eve");
    bench.role("app");
    let map = bench.ok("GetAccountSummary", json!({}))["SummaryMap"].clone();
    assert_eq!(
        (&map["Users"], &map["Roles"], &map["Groups"]),
        (&json!(1), &json!(1), &json!(0))
    );
    assert_eq!(
        (&map["AccountAccessKeysPresent"], &map["AccountMFAEnabled"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(map["AccessKeysPerUserQuota"], 2);
    bench.ok("CreateAccountAlias", json!({"AccountAlias": "example-one"}));
    assert_eq!(
        bench.ok("ListAccountAliases", json!({}))["AccountAliases"],
        json!(["example-one"])
    );
    assert_eq!(
        bench.code("CreateAccountAlias", json!({"AccountAlias": "-x-"})),
        "ValidationError"
    );
    bench.ok("DeleteAccountAlias", json!({"AccountAlias": "example-one"}));
}

#[test]
fn last_use_by_service() {
    let mut bench = Bench::new();
    bench.user("eve");
    bench.ok("CreateAccessKey", json!({"UserName": "eve"}));
    bench.ok(
        "PutUserPolicy",
        json!({"UserName": "eve", "PolicyName": "own", "PolicyDocument": S3_ALL}),
    );
    bench.ok(
        "AttachUserPolicy",
        json!({"UserName": "eve", "PolicyArn": "arn:aws:iam::aws:policy/AmazonSQSFullAccess"}),
    );
    let iam = bench.world.change_iam(ACCOUNT).unwrap();
    let key = &mut iam.users.get_mut("eve").unwrap().keys[0];
    key.last_used = Some((NOON, "s3".to_owned(), "eu-west-1".to_owned()));
    let arn = "arn:aws:iam::111122223333:user/eve";
    let job = bench.ok("GenerateServiceLastAccessedDetails", json!({"Arn": arn}));
    let services = bench.ok("GetServiceLastAccessedDetails", job)["ServicesLastAccessed"].clone();
    assert_eq!(names(&services, "ServiceNamespace"), ["s3", "sqs"]);
    assert_eq!(services[0]["LastAuthenticatedRegion"], "eu-west-1");
    assert_eq!(services[0]["LastAuthenticated"], json!({"$time": NOON}));
    assert!(services[1].get("LastAuthenticated").is_none());
    assert_eq!(
        bench.code("GetServiceLastAccessedDetails", json!({"JobId": "x"})),
        "NoSuchEntity"
    );
    assert_eq!(
        bench.code(
            "GenerateServiceLastAccessedDetails",
            json!({"Arn": "arn:x"})
        ),
        "NoSuchEntity"
    );
}
