//! Users, groups, roles, instance profiles and providers.

use super::*;

#[test]
fn a_user_is_made_found_listed_renamed_and_deleted() {
    let mut bench = Bench::new();
    let made = bench.ok(
        "CreateUser",
        json!({"UserName": "eve", "Path": "/dev/", "Tags": [{"Key": "team", "Value": "a"}]}),
    );
    assert_eq!(
        made["User"]["Arn"],
        "arn:aws:iam::111122223333:user/dev/eve"
    );
    assert!(made["User"]["UserId"].as_str().unwrap().starts_with("AIDA"));
    assert_eq!(made["User"]["CreateDate"], json!({"$time": NOON}));
    assert_eq!(made["User"]["Tags"], json!([{"Key": "team", "Value": "a"}]));
    assert_eq!(
        bench.refused("CreateUser", json!({"UserName": "EVE"})),
        (
            "EntityAlreadyExists".to_owned(),
            "User with name EVE already exists.".to_owned()
        )
    );
    bench.ok(
        "UpdateUser",
        json!({"UserName": "eve", "NewUserName": "mallory"}),
    );
    assert_eq!(
        bench.refused("GetUser", json!({"UserName": "eve"})),
        (
            "NoSuchEntity".to_owned(),
            "The user with name eve cannot be found.".to_owned()
        )
    );
    let listed = bench.ok("ListUsers", json!({"PathPrefix": "/dev/"}));
    assert_eq!(names(&listed["Users"], "UserName"), ["mallory"]);
    assert_eq!(
        bench.ok("ListUsers", json!({"PathPrefix": "/ops/"}))["Users"],
        json!([])
    );
    bench.ok(
        "UntagUser",
        json!({"UserName": "mallory", "TagKeys": ["team"]}),
    );
    assert_eq!(
        bench.ok("ListUserTags", json!({"UserName": "mallory"}))["Tags"],
        json!([])
    );
    bench.ok("DeleteUser", json!({"UserName": "mallory"}));
    assert_eq!(
        bench.code("GetUser", json!({"UserName": "mallory"})),
        "NoSuchEntity"
    );
}

#[test]
fn names_and_paths_are_checked() {
    let mut bench = Bench::new();
    let (code, message) = bench.refused("CreateUser", json!({"UserName": "e v e"}));
    assert_eq!(code, "ValidationError");
    assert!(
        message.starts_with("The specified value for userName is invalid."),
        "{message}"
    );
    let (_, message) = bench.refused("CreateUser", json!({"UserName": "x".repeat(65)}));
    assert!(
        message.contains("length less than or equal to 64"),
        "{message}"
    );
    bench.ok("CreateGroup", json!({"GroupName": "x".repeat(128)}));
    assert_eq!(
        bench.code("CreateUser", json!({"UserName": "eve", "Path": "dev"})),
        "ValidationError"
    );
    assert_eq!(bench.code("CreateUser", json!({})), "ValidationError");
    let reserved = json!({"UserName": "eve", "Tags": [{"Key": "aws:x", "Value": ""}]});
    assert_eq!(bench.code("CreateUser", reserved), "InvalidInput");
}

#[test]
fn a_user_goes_only_when_everything_of_it_is_gone() {
    let mut bench = Bench::new();
    bench.user("eve");
    let eve = json!({"UserName": "eve"});
    let key = bench.ok("CreateAccessKey", eve.clone());
    bench.ok("CreateGroup", json!({"GroupName": "devs"}));
    bench.ok(
        "AddUserToGroup",
        json!({"GroupName": "devs", "UserName": "eve"}),
    );
    bench.ok(
        "CreateLoginProfile",
        json!({"UserName": "eve", "Password": "Aa1!aa1!"}),
    );
    let admin =
        json!({"UserName": "eve", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"});
    bench.ok("AttachUserPolicy", admin.clone());
    bench.ok(
        "PutUserPolicy",
        json!({"UserName": "eve", "PolicyName": "p", "PolicyDocument": S3_ALL}),
    );
    let id = key["AccessKey"]["AccessKeyId"].clone();
    for (message, operation, params) in [
        ("must detach all policies first", "DetachUserPolicy", admin),
        (
            "must delete policies first",
            "DeleteUserPolicy",
            json!({"UserName": "eve", "PolicyName": "p"}),
        ),
        (
            "must delete access keys first",
            "DeleteAccessKey",
            json!({"UserName": "eve", "AccessKeyId": id}),
        ),
        (
            "must delete login profile first",
            "DeleteLoginProfile",
            eve.clone(),
        ),
        (
            "must remove users from group first",
            "RemoveUserFromGroup",
            json!({"GroupName": "devs", "UserName": "eve"}),
        ),
    ] {
        let (code, said) = bench.refused("DeleteUser", eve.clone());
        assert_eq!(
            (code.as_str(), said),
            (
                "DeleteConflict",
                format!("Cannot delete entity, {message}.")
            )
        );
        bench.ok(operation, params);
    }
    bench.ok("DeleteUser", eve);
}

#[test]
fn lists_come_in_pages() {
    let mut bench = Bench::new();
    for number in 0..5 {
        bench.user(&format!("user{number}"));
    }
    let mut seen = Vec::new();
    let mut params = json!({"MaxItems": "2"});
    loop {
        let page = bench.ok("ListUsers", params.clone());
        seen.extend(names(&page["Users"], "UserName"));
        let Some(marker) = page["Marker"].as_str() else {
            assert_eq!(page["IsTruncated"], false);
            break;
        };
        assert_eq!(page["IsTruncated"], true);
        params["Marker"] = json!(marker);
    }
    assert_eq!(seen, ["user0", "user1", "user2", "user3", "user4"]);
    assert_eq!(
        bench.code("ListUsers", json!({"MaxItems": "1001"})),
        "ValidationError"
    );
    assert_eq!(
        bench.code("ListUsers", json!({"Marker": "!"})),
        "ValidationError"
    );
}

#[test]
fn groups_have_members() {
    let mut bench = Bench::new();
    bench.user("eve");
    bench.ok("CreateGroup", json!({"GroupName": "devs"}));
    bench.ok(
        "AddUserToGroup",
        json!({"GroupName": "devs", "UserName": "eve"}),
    );
    let group = bench.ok("GetGroup", json!({"GroupName": "devs"}));
    assert!(
        group["Group"]["GroupId"]
            .as_str()
            .unwrap()
            .starts_with("AGPA")
    );
    assert_eq!(names(&group["Users"], "UserName"), ["eve"]);
    let groups = bench.ok("ListGroupsForUser", json!({"UserName": "eve"}));
    assert_eq!(names(&groups["Groups"], "GroupName"), ["devs"]);
    assert_eq!(
        bench.code("DeleteGroup", json!({"GroupName": "devs"})),
        "DeleteConflict"
    );
    bench.ok(
        "RemoveUserFromGroup",
        json!({"GroupName": "devs", "UserName": "eve"}),
    );
    bench.ok("DeleteGroup", json!({"GroupName": "devs"}));
    for number in 0..11 {
        bench.ok("CreateGroup", json!({"GroupName": format!("g{number}")}));
        let add = json!({"GroupName": format!("g{number}"), "UserName": "eve"});
        if number < 10 {
            bench.ok("AddUserToGroup", add);
        } else {
            assert_eq!(
                bench.refused("AddUserToGroup", add).1,
                "Cannot exceed quota for GroupsPerUser: 10"
            );
        }
    }
}

#[test]
fn a_role_is_made_changed_and_deleted() {
    let mut bench = Bench::new();
    bench.role("app");
    let made = bench.ok("GetRole", json!({"RoleName": "app"}));
    assert_eq!(made["Role"]["MaxSessionDuration"], 3600);
    let trust = made["Role"]["AssumeRolePolicyDocument"].as_str().unwrap();
    assert!(trust.starts_with("%7B%22Version%22%3A"), "{trust}");
    assert_eq!(crate::http::decode(trust), bench.trust_of("app"));
    bench.ok(
        "UpdateRole",
        json!({"RoleName": "app", "MaxSessionDuration": "7200", "Description": "d"}),
    );
    let after = bench.ok(
        "UpdateRoleDescription",
        json!({"RoleName": "app", "Description": "e"}),
    );
    assert_eq!(after["Role"]["MaxSessionDuration"], 7200);
    assert_eq!(after["Role"]["Description"], "e");
    assert_eq!(
        bench.code(
            "UpdateRole",
            json!({"RoleName": "app", "MaxSessionDuration": "60"})
        ),
        "ValidationError"
    );
    bench.ok(
        "CreateInstanceProfile",
        json!({"InstanceProfileName": "app"}),
    );
    let both = json!({"InstanceProfileName": "app", "RoleName": "app"});
    bench.ok("AddRoleToInstanceProfile", both.clone());
    assert_eq!(
        bench.refused("AddRoleToInstanceProfile", both.clone()).1,
        "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1"
    );
    let profiles = bench.ok("ListInstanceProfilesForRole", json!({"RoleName": "app"}));
    assert_eq!(
        profiles["InstanceProfiles"][0]["Roles"][0]["RoleName"],
        "app"
    );
    assert_eq!(
        bench.refused("DeleteRole", json!({"RoleName": "app"})).1,
        "Cannot delete entity, must remove roles from instance profile first."
    );
    assert_eq!(
        bench.code(
            "DeleteInstanceProfile",
            json!({"InstanceProfileName": "app"})
        ),
        "DeleteConflict"
    );
    bench.ok("RemoveRoleFromInstanceProfile", both);
    bench.ok(
        "DeleteInstanceProfile",
        json!({"InstanceProfileName": "app"}),
    );
    bench.ok("DeleteRole", json!({"RoleName": "app"}));
    assert_eq!(
        bench.refused("GetRole", json!({"RoleName": "app"})).1,
        "The role with name app cannot be found."
    );
}

#[test]
fn only_aws_changes_a_service_linked_role() {
    let mut bench = Bench::new();
    let made = bench.ok(
        "CreateServiceLinkedRole",
        json!({"AWSServiceName": "sso.amazonaws.com"}),
    );
    assert_eq!(
        made["Role"]["Arn"],
        "arn:aws:iam::111122223333:role/aws-service-role/sso.amazonaws.com/AWSServiceRoleForSSO"
    );
    let role = json!({"RoleName": "AWSServiceRoleForSSO"});
    let (code, message) = bench.refused("DeleteRole", role.clone());
    assert_eq!(code, "UnmodifiableEntity");
    assert!(message.contains("protected role 'AWSServiceRoleForSSO'"));
    let put =
        json!({"RoleName": "AWSServiceRoleForSSO", "PolicyName": "p", "PolicyDocument": S3_ALL});
    assert_eq!(bench.code("PutRolePolicy", put), "UnmodifiableEntity");
    let trust = json!({"RoleName": "AWSServiceRoleForSSO", "PolicyDocument": trusts(json!("*"))});
    assert_eq!(
        bench.code("UpdateAssumeRolePolicy", trust),
        "UnmodifiableEntity"
    );
    assert_eq!(
        bench.code(
            "CreateServiceLinkedRole",
            json!({"AWSServiceName": "sso.amazonaws.com"})
        ),
        "InvalidInput"
    );
    let task = bench.ok("DeleteServiceLinkedRole", role);
    let status = bench.ok("GetServiceLinkedRoleDeletionStatus", task);
    assert_eq!(status["Status"], "SUCCEEDED");
    let reserved = json!({
        "RoleName": "AWSReservedSSO_Admin_0123", "AssumeRolePolicyDocument": trusts(json!("*")),
    });
    assert_eq!(bench.code("CreateRole", reserved), "ValidationError");
}

#[test]
fn a_trust_policy_names_principals_that_are_there() {
    let mut bench = Bench::new();
    bench.user("eve");
    let create = |principal: Value| json!({"RoleName": "app", "AssumeRolePolicyDocument": trusts(principal)});
    let nobody = "arn:aws:iam::111122223333:user/nobody";
    assert_eq!(
        bench.refused("CreateRole", create(json!({"AWS": nobody}))),
        (
            "MalformedPolicyDocument".to_owned(),
            format!("Invalid principal in policy: \"AWS\":\"{nobody}\"")
        )
    );
    for wrong in [
        "eve",
        "AIDAAAAAAAAAAAAAAAAAA",
        "arn:aws:iam::111122223333:user/*",
        "arn:aws:s3:::b",
        "12",
    ] {
        assert_eq!(
            bench.code("CreateRole", create(json!({"AWS": wrong}))),
            "MalformedPolicyDocument",
            "{wrong}"
        );
    }
    assert_eq!(
        bench.code("CreateRole", create(json!({"Service": "ec2"}))),
        "MalformedPolicyDocument"
    );
    bench.ok(
        "CreateRole",
        create(json!({"AWS": ["arn:aws:iam::111122223333:user/eve", OTHER, "*"]})),
    );
    for outside in [
        "arn:aws:iam::999900001111:user/x",
        "arn:aws:iam::999900001111:root",
    ] {
        let update = json!({"RoleName": "app", "PolicyDocument": trusts(json!({"AWS": outside}))});
        bench.ok("UpdateAssumeRolePolicy", update);
    }
}

#[test]
fn a_recreated_principal_is_not_the_one_that_was_trusted() {
    let mut bench = Bench::new();
    bench.user("eve");
    bench.role("ops");
    let trust = trusts(json!({"AWS": [
        "arn:aws:iam::111122223333:user/eve",
        "arn:aws:sts::111122223333:assumed-role/ops/night",
        "arn:aws:iam::111122223333:root",
    ]}));
    bench.ok(
        "CreateRole",
        json!({"RoleName": "app", "AssumeRolePolicyDocument": trust}),
    );
    let iam = bench.world.iam(ACCOUNT).unwrap();
    let (eve, ops) = (iam.users["eve"].id.clone(), iam.roles["ops"].id.clone());

    bench.ok(
        "UpdateUser",
        json!({"UserName": "eve", "NewUserName": "mallory"}),
    );
    assert!(
        bench.trust_of("app").contains("user/mallory"),
        "a renamed user stays trusted"
    );
    bench.ok("DeleteUser", json!({"UserName": "mallory"}));
    bench.ok("DeleteRole", json!({"RoleName": "ops"}));
    bench.user("mallory");
    bench.role("ops");
    let trust: Value = serde_json::from_str(&bench.trust_of("app")).unwrap();
    assert_eq!(
        trust["Statement"][0]["Principal"]["AWS"],
        json!([
            eve,
            format!("{ops}:night"),
            "arn:aws:iam::111122223333:root"
        ])
    );
}

#[test]
fn saml_providers_are_kept_by_arn() {
    let mut bench = Bench::new();
    let metadata = format!("<EntityDescriptor>{}</EntityDescriptor>", "x".repeat(1000));
    let made = bench.ok(
        "CreateSAMLProvider",
        json!({"Name": "idp", "SAMLMetadataDocument": metadata}),
    );
    assert_eq!(
        made["SAMLProviderArn"],
        "arn:aws:iam::111122223333:saml-provider/idp"
    );
    assert_eq!(
        bench.ok("GetSAMLProvider", made.clone())["SAMLMetadataDocument"],
        json!(metadata)
    );
    assert_eq!(
        bench.ok("ListSAMLProviders", json!({}))["SAMLProviderList"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    bench.ok("DeleteSAMLProvider", made.clone());
    assert_eq!(bench.code("GetSAMLProvider", made), "NoSuchEntity");
}

#[test]
fn oidc_providers_are_kept_by_arn() {
    let mut bench = Bench::new();
    let made = bench.ok(
        "CreateOpenIDConnectProvider",
        json!({"Url": "https://token.actions.githubusercontent.com", "ClientIDList": ["sts.amazonaws.com"]}),
    );
    let arn = made["OpenIDConnectProviderArn"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        arn,
        "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"
    );
    bench.ok(
        "AddClientIDToOpenIDConnectProvider",
        json!({"OpenIDConnectProviderArn": arn, "ClientID": "b"}),
    );
    bench.ok(
        "RemoveClientIDFromOpenIDConnectProvider",
        json!({"OpenIDConnectProviderArn": arn, "ClientID": "sts.amazonaws.com"}),
    );
    let print = "a".repeat(40);
    bench.ok(
        "UpdateOpenIDConnectProviderThumbprint",
        json!({"OpenIDConnectProviderArn": arn, "ThumbprintList": [print]}),
    );
    let shown = bench.ok("GetOpenIDConnectProvider", made.clone());
    assert_eq!(
        (&shown["ClientIDList"], &shown["ThumbprintList"]),
        (&json!(["b"]), &json!([print]))
    );
    assert_eq!(
        bench.ok("ListSAMLProviders", json!({}))["SAMLProviderList"],
        json!([])
    );
    bench.ok("DeleteOpenIDConnectProvider", made);
    assert_eq!(
        bench.ok("ListOpenIDConnectProviders", json!({}))["OpenIDConnectProviderList"],
        json!([])
    );
}

#[test]
fn authorisation_lags_behind_a_change() {
    let mut bench = Bench::new();
    bench.user("eve");
    bench.world.settings.consistency_delay = 4;
    let admin = json!({"UserName": "eve", "PolicyArn": "arn:aws:iam::aws:policy/AWSDenyAll"});
    bench.ok("AttachUserPolicy", admin);
    let account = &bench.world.accounts[ACCOUNT];
    assert_eq!(account.iam.users["eve"].attached.managed.len(), 1);
    assert!(
        account.enforced(NOON + 3).users["eve"]
            .attached
            .managed
            .is_empty()
    );
    assert_eq!(
        account.enforced(NOON + 4).users["eve"]
            .attached
            .managed
            .len(),
        1
    );
}
