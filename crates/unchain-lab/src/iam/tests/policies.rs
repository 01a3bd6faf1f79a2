//! Inline and managed policies, versions, boundaries, and the simulator.

use super::*;

fn sized(characters: usize) -> String {
    let sid = "x".repeat(characters.saturating_sub(S3_ALL.len() + 9));
    S3_ALL.replace("\"Effect\"", &format!("\"Sid\":\"{sid}\",\"Effect\""))
}

fn managed(bench: &mut Bench, name: &str) -> String {
    let made = bench.ok(
        "CreatePolicy",
        json!({"PolicyName": name, "PolicyDocument": S3_ALL}),
    );
    made["Policy"]["Arn"].as_str().unwrap().to_owned()
}

#[test]
fn inline_policies_of_all_three_kinds() {
    let mut bench = Bench::new();
    bench.user("eve");
    bench.role("app");
    bench.ok("CreateGroup", json!({"GroupName": "devs"}));
    for (kind, name, most) in [
        ("User", "eve", 2048),
        ("Role", "app", 10_240),
        ("Group", "devs", 5120),
    ] {
        let of = |policy: &str| json!({format!("{kind}Name"): name, "PolicyName": policy});
        let put = |policy: &str, text: String| {
            let mut params = of(policy);
            params["PolicyDocument"] = json!(text);
            params
        };
        let operation = |verb: &str| format!("{verb}{kind}Policy");
        bench.ok(&operation("Put"), put("p", sized(most)));
        let (code, message) = bench.refused(&operation("Put"), put("q", S3_ALL.to_owned()));
        assert_eq!(code, "LimitExceeded");
        assert_eq!(
            message,
            format!(
                "Maximum policy size of {most} bytes exceeded for {} {name}",
                kind.to_lowercase()
            )
        );
        let spaced = format!("{S3_ALL}{}", " ".repeat(most));
        bench.ok(&operation("Put"), put("p", spaced.clone()));
        let got = bench.ok(&operation("Get"), of("p"));
        assert_eq!(
            crate::http::decode(got["PolicyDocument"].as_str().unwrap()),
            spaced
        );
        let listed = bench.ok(&format!("List{kind}Policies"), of("p"));
        assert_eq!(listed["PolicyNames"], json!(["p"]));
        bench.ok(&operation("Delete"), of("p"));
        assert_eq!(
            bench.refused(&operation("Delete"), of("p")).1,
            format!(
                "The {} policy with name p cannot be found.",
                kind.to_lowercase()
            )
        );
    }
    let bad = json!({"UserName": "eve", "PolicyName": "p", "PolicyDocument": "{}"});
    assert_eq!(bench.code("PutUserPolicy", bad), "MalformedPolicyDocument");
}

#[test]
fn managed_policies_are_attached_ten_at_most() {
    let mut bench = Bench::new();
    bench.role("app");
    for number in 0..11 {
        let arn = managed(&mut bench, &format!("p{number}"));
        let attach = json!({"RoleName": "app", "PolicyArn": arn});
        if number < 10 {
            bench.ok("AttachRolePolicy", attach.clone());
            bench.ok("AttachRolePolicy", attach);
        } else {
            assert_eq!(
                bench.refused("AttachRolePolicy", attach).1,
                "Cannot exceed quota for PoliciesPerRole: 10"
            );
        }
    }
    let listed = bench.ok(
        "ListAttachedRolePolicies",
        json!({"RoleName": "app", "MaxItems": "3"}),
    );
    assert_eq!(
        names(&listed["AttachedPolicies"], "PolicyName"),
        ["p0", "p1", "p2"]
    );
    let gone = "arn:aws:iam::111122223333:policy/gone";
    assert_eq!(
        bench
            .refused(
                "AttachRolePolicy",
                json!({"RoleName": "app", "PolicyArn": gone})
            )
            .1,
        format!("Policy {gone} does not exist or is not attachable.")
    );
    assert_eq!(
        bench
            .refused(
                "DetachRolePolicy",
                json!({"RoleName": "app", "PolicyArn": gone})
            )
            .1,
        format!("Policy {gone} was not found.")
    );
}

#[test]
fn a_policy_has_five_versions_and_one_in_force() {
    let mut bench = Bench::new();
    let arn = managed(&mut bench, "p");
    let version = |id: &str| json!({"PolicyArn": arn, "VersionId": id});
    for number in 2..=5 {
        let made = bench.ok(
            "CreatePolicyVersion",
            json!({"PolicyArn": arn, "PolicyDocument": S3_ALL, "SetAsDefault": "true"}),
        );
        assert_eq!(made["PolicyVersion"]["VersionId"], format!("v{number}"));
    }
    let sixth = json!({"PolicyArn": arn, "PolicyDocument": S3_ALL});
    assert_eq!(
        bench.code("CreatePolicyVersion", sixth.clone()),
        "LimitExceeded"
    );
    assert_eq!(
        bench.code("DeletePolicyVersion", version("v5")),
        "DeleteConflict"
    );
    bench.ok("SetDefaultPolicyVersion", version("v2"));
    bench.ok("DeletePolicyVersion", version("v5"));
    assert_eq!(
        bench.ok("CreatePolicyVersion", sixth)["PolicyVersion"]["VersionId"],
        "v6"
    );
    assert_eq!(
        bench.code("GetPolicyVersion", version("v5")),
        "NoSuchEntity"
    );
    let listed = bench.ok("ListPolicyVersions", json!({"PolicyArn": arn}));
    assert_eq!(
        names(&listed["Versions"], "VersionId"),
        ["v6", "v4", "v3", "v2", "v1"]
    );
    let shown = bench.ok("GetPolicyVersion", version("v2"));
    assert_eq!(shown["PolicyVersion"]["IsDefaultVersion"], true);
    assert_eq!(
        crate::http::decode(shown["PolicyVersion"]["Document"].as_str().unwrap()),
        S3_ALL
    );
    assert_eq!(
        bench.code("DeletePolicy", json!({"PolicyArn": arn})),
        "DeleteConflict"
    );
    let aws = json!({"PolicyArn": "arn:aws:iam::aws:policy/AWSDenyAll", "PolicyDocument": S3_ALL});
    assert_eq!(bench.code("CreatePolicyVersion", aws), "NoSuchEntity");
}

#[test]
fn a_policy_in_use_stays_and_its_users_are_told() {
    let mut bench = Bench::new();
    bench.user("eve");
    bench.role("app");
    let arn = managed(&mut bench, "p");
    let too_long = json!({"PolicyName": "q", "PolicyDocument": sized(6145)});
    assert_eq!(
        bench.refused("CreatePolicy", too_long).1,
        "Cannot exceed quota for PolicySize: 6144"
    );
    bench.ok(
        "AttachUserPolicy",
        json!({"UserName": "eve", "PolicyArn": arn}),
    );
    bench.ok(
        "PutRolePermissionsBoundary",
        json!({"RoleName": "app", "PermissionsBoundary": arn}),
    );
    assert_eq!(
        bench.refused("DeletePolicy", json!({"PolicyArn": arn})).1,
        "Cannot delete a policy attached to entities."
    );
    let shown = bench.ok("GetPolicy", json!({"PolicyArn": arn}))["Policy"].clone();
    assert_eq!(
        (
            &shown["AttachmentCount"],
            &shown["PermissionsBoundaryUsageCount"]
        ),
        (&json!(1), &json!(1))
    );
    let entities = bench.ok("ListEntitiesForPolicy", json!({"PolicyArn": arn}));
    assert_eq!(names(&entities["PolicyUsers"], "UserName"), ["eve"]);
    assert_eq!(names(&entities["PolicyRoles"], "RoleName"), ["app"]);
    let only = bench.ok(
        "ListEntitiesForPolicy",
        json!({"PolicyArn": arn, "PolicyUsageFilter": "PermissionsPolicy"}),
    );
    assert_eq!(only["PolicyRoles"], json!([]));
    let local = bench.ok(
        "ListPolicies",
        json!({"Scope": "Local", "OnlyAttached": "true"}),
    );
    assert_eq!(names(&local["Policies"], "Arn"), [arn.as_str()]);
    let all = bench.ok("ListPolicies", json!({"MaxItems": "1000"}));
    assert!(names(&all["Policies"], "PolicyName").contains(&"AdministratorAccess".to_owned()));
    bench.ok(
        "DetachUserPolicy",
        json!({"UserName": "eve", "PolicyArn": arn}),
    );
    bench.ok("DeleteRolePermissionsBoundary", json!({"RoleName": "app"}));
    assert_eq!(
        bench.code("DeleteRolePermissionsBoundary", json!({"RoleName": "app"})),
        "NoSuchEntity"
    );
    bench.ok("DeletePolicy", json!({"PolicyArn": arn}));
}

#[test]
fn a_boundary_must_be_there() {
    let mut bench = Bench::new();
    bench.user("eve");
    let gone = "arn:aws:iam::111122223333:policy/gone";
    let boundary = json!({"UserName": "eve", "PermissionsBoundary": gone});
    assert_eq!(
        bench.code("PutUserPermissionsBoundary", boundary),
        "NoSuchEntity"
    );
    assert_eq!(
        bench.code(
            "CreateUser",
            json!({"UserName": "mallory", "PermissionsBoundary": gone})
        ),
        "NoSuchEntity"
    );
    let view = "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess";
    let made = bench.ok(
        "CreateUser",
        json!({"UserName": "mallory", "PermissionsBoundary": view}),
    );
    assert_eq!(
        made["User"]["PermissionsBoundary"]["PermissionsBoundaryArn"],
        view
    );
}

/// Eve may do everything in S3, and a question about her with one more policy.
fn simulation() -> (Bench, Value) {
    let mut bench = Bench::new();
    bench.user("eve");
    bench.ok(
        "PutUserPolicy",
        json!({"UserName": "eve", "PolicyName": "own", "PolicyDocument": S3_ALL}),
    );
    let deny = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Action": "s3:DeleteBucket", "Resource": "*",
        "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "false"}},
    }]});
    let ask = json!({
        "PolicySourceArn": "arn:aws:iam::111122223333:user/eve",
        "PolicyInputList": [deny.to_string()],
        "ActionNames": ["s3:GetObject", "s3:DeleteBucket", "ec2:RunInstances"],
        "ContextEntries": [],
    });
    (bench, ask)
}

fn word(answer: &Value, at: usize) -> Value {
    answer["EvaluationResults"][at]["EvalDecision"].clone()
}

#[test]
fn the_simulator_says_what_the_policies_say() {
    let (mut bench, ask) = simulation();
    let answer = bench.ok("SimulatePrincipalPolicy", ask.clone());
    assert_eq!(
        (word(&answer, 0), word(&answer, 1), word(&answer, 2)),
        (json!("allowed"), json!("allowed"), json!("implicitDeny"))
    );
    assert_eq!(
        answer["EvaluationResults"][0]["MatchedStatements"][0]["SourcePolicyId"],
        "own"
    );
    assert_eq!(
        answer["EvaluationResults"][1]["MissingContextValues"],
        json!(["aws:MultiFactorAuthPresent"])
    );

    let mut without_mfa = ask;
    without_mfa["ContextEntries"] = json!([{
        "ContextKeyName": "aws:MultiFactorAuthPresent", "ContextKeyType": "boolean", "ContextKeyValues": ["false"],
    }]);
    let answer = bench.ok("SimulatePrincipalPolicy", without_mfa);
    assert_eq!(word(&answer, 1), "explicitDeny");
    assert_eq!(
        answer["EvaluationResults"][1]["MatchedStatements"][0]["SourcePolicyId"],
        "PolicyInputList.1"
    );
}

#[test]
fn the_simulator_knows_boundaries_and_policies_of_nobody() {
    let (mut bench, ask) = simulation();
    let boundary = "arn:aws:iam::aws:policy/AmazonSQSFullAccess";
    bench.ok(
        "PutUserPermissionsBoundary",
        json!({"UserName": "eve", "PermissionsBoundary": boundary}),
    );
    let answer = bench.ok("SimulatePrincipalPolicy", ask);
    assert_eq!(word(&answer, 0), "implicitDeny");
    assert_eq!(
        answer["EvaluationResults"][0]["PermissionsBoundaryDecisionDetail"]["AllowedByPermissionsBoundary"],
        false
    );
    let custom = bench.ok(
        "SimulateCustomPolicy",
        json!({"PolicyInputList": [S3_ALL], "ActionNames": ["s3:GetObject"], "ResourceArns": ["arn:aws:s3:::b/k"]}),
    );
    assert_eq!(word(&custom, 0), "allowed");
    assert_eq!(
        custom["EvaluationResults"][0]["EvalResourceName"],
        "arn:aws:s3:::b/k"
    );
    assert_eq!(
        bench.code(
            "SimulateCustomPolicy",
            json!({"PolicyInputList": [S3_ALL], "ActionNames": ["x"]})
        ),
        "InvalidInput"
    );
}
