//! Keys, passwords and devices: what they need, and that CloudTrail is not told their secrets.

use super::*;
use crate::mfa::{STEP, totp};

#[test]
fn a_user_has_two_keys_at_most() {
    let mut bench = Bench::new();
    bench.user("eve");
    let eve = json!({"UserName": "eve"});
    let made = bench.reply("CreateAccessKey", eve.clone());
    let key = &made.value["AccessKey"];
    assert_eq!(
        (&key["UserName"], &key["Status"]),
        (&json!("eve"), &json!("Active"))
    );
    assert_eq!(key["SecretAccessKey"].as_str().unwrap().len(), 40);
    let id = key["AccessKeyId"].as_str().unwrap().to_owned();
    assert_eq!(
        made.recorded.response.unwrap(),
        json!({"accessKey": {"userName": "eve", "accessKeyId": id, "status": "Active", "createDate": "Mar 2, 2026, 12:00:00 PM"}})
    );
    assert_eq!(
        bench.world.key_owners[&id],
        (ACCOUNT.to_owned(), Some("eve".to_owned()))
    );
    bench.ok("CreateAccessKey", eve.clone());
    assert_eq!(
        bench.refused("CreateAccessKey", eve).1,
        "Cannot exceed quota for AccessKeysPerUser: 2"
    );
}

#[test]
fn a_key_is_switched_off_looked_at_and_deleted() {
    let mut bench = Bench::new();
    bench.user("eve");
    let eve = json!({"UserName": "eve"});
    let made = bench.ok("CreateAccessKey", eve.clone());
    let id = made["AccessKey"]["AccessKeyId"]
        .as_str()
        .unwrap()
        .to_owned();
    bench.ok(
        "UpdateAccessKey",
        json!({"UserName": "eve", "AccessKeyId": id, "Status": "Inactive"}),
    );
    assert_eq!(
        bench.code(
            "UpdateAccessKey",
            json!({"UserName": "eve", "AccessKeyId": id, "Status": "Off"})
        ),
        "ValidationError"
    );
    let listed = bench.ok("ListAccessKeys", eve);
    let row = listed["AccessKeyMetadata"].as_array().unwrap().iter();
    let row = row
        .into_iter()
        .find(|row| row["AccessKeyId"] == json!(id))
        .unwrap();
    assert_eq!(row["Status"], "Inactive");
    assert!(row.get("SecretAccessKey").is_none());
    let used = bench.ok("GetAccessKeyLastUsed", json!({"AccessKeyId": id}));
    assert_eq!(
        (&used["UserName"], &used["AccessKeyLastUsed"]["ServiceName"]),
        (&json!("eve"), &json!("N/A"))
    );
    bench.ok(
        "DeleteAccessKey",
        json!({"UserName": "eve", "AccessKeyId": id}),
    );
    assert_eq!(
        bench
            .refused(
                "DeleteAccessKey",
                json!({"UserName": "eve", "AccessKeyId": id})
            )
            .1,
        format!("The Access Key with id {id} cannot be found.")
    );
}

#[test]
fn who_names_no_user_means_itself() {
    let mut bench = Bench::new();
    let root = bench.ok("ListAccessKeys", json!({}));
    assert_eq!(root["AccessKeyMetadata"].as_array().unwrap().len(), 1);
    assert_eq!(
        bench.ok("GetUser", json!({}))["User"]["Arn"],
        "arn:aws:iam::111122223333:root"
    );
    bench.ok("CreateAccessKey", json!({}));
    assert_eq!(bench.code("CreateAccessKey", json!({})), "LimitExceeded");
    bench.user("eve");
    bench.become_user("eve");
    assert_eq!(bench.ok("GetUser", json!({}))["User"]["UserName"], "eve");
    assert_eq!(
        bench.ok("CreateAccessKey", json!({}))["AccessKey"]["UserName"],
        "eve"
    );
    bench.who = Who::Role {
        name: "app".to_owned(),
        id: "AROAEXAMPLE".to_owned(),
        session: "s".to_owned(),
    };
    assert_eq!(
        bench.refused("CreateAccessKey", json!({})),
        (
            "ValidationError".to_owned(),
            "Must specify userName when calling with non-User credentials".to_owned()
        )
    );
}

#[test]
fn passwords_are_in_no_answer_and_no_record() {
    let mut bench = Bench::new();
    bench.user("eve");
    let weak = json!({"UserName": "eve", "Password": "weak"});
    assert_eq!(
        bench.code("CreateLoginProfile", weak),
        "PasswordPolicyViolation"
    );
    let params =
        json!({"UserName": "eve", "Password": "Hunter2!!", "PasswordResetRequired": "true"});
    let made = bench.reply("CreateLoginProfile", params.clone());
    assert_eq!(
        made.value["LoginProfile"],
        json!({"UserName": "eve", "CreateDate": {"$time": NOON}, "PasswordResetRequired": true})
    );
    assert_eq!(
        made.recorded.request.unwrap(),
        json!({"userName": "eve", "passwordResetRequired": true})
    );
    assert_eq!(
        bench.refused("CreateLoginProfile", params),
        (
            "EntityAlreadyExists".to_owned(),
            "Login Profile for user eve already exists.".to_owned()
        )
    );
    let update = bench.reply(
        "UpdateLoginProfile",
        json!({"UserName": "eve", "Password": "Hunter3!!"}),
    );
    assert_eq!(update.recorded.request.unwrap(), json!({"userName": "eve"}));
    assert_eq!(
        bench.code(
            "ChangePassword",
            json!({"OldPassword": "a", "NewPassword": "b"})
        ),
        "InvalidUserType"
    );
    bench.become_user("eve");
    let wrong = json!({"OldPassword": "Hunter2!!", "NewPassword": "Hunter4!!"});
    assert_eq!(bench.code("ChangePassword", wrong), "Denied");
    let changed = bench.reply(
        "ChangePassword",
        json!({"OldPassword": "Hunter3!!", "NewPassword": "Hunter4!!"}),
    );
    assert_eq!(changed.recorded.request, Some(Value::Null));
    assert_eq!(
        bench.world.iam(ACCOUNT).unwrap().users["eve"]
            .login
            .as_ref()
            .unwrap()
            .password,
        "Hunter4!!"
    );
    bench.ok("DeleteLoginProfile", json!({}));
    assert_eq!(
        bench.refused("GetLoginProfile", json!({})).1,
        "Login Profile for User eve cannot be found."
    );
}

#[test]
fn the_password_policy_is_the_accounts() {
    let mut bench = Bench::new();
    bench.user("eve");
    assert_eq!(
        bench.refused("GetAccountPasswordPolicy", json!({})).1,
        "The Password Policy with domain name 111122223333 cannot be found."
    );
    bench.ok(
        "UpdateAccountPasswordPolicy",
        json!({"MinimumPasswordLength": "14", "MaxPasswordAge": "90"}),
    );
    let policy = bench.ok("GetAccountPasswordPolicy", json!({}))["PasswordPolicy"].clone();
    assert_eq!(
        (&policy["MinimumPasswordLength"], &policy["ExpirePasswords"]),
        (&json!(14), &json!(true))
    );
    assert_eq!(
        bench.code(
            "CreateLoginProfile",
            json!({"UserName": "eve", "Password": "Hunter2!!"})
        ),
        "PasswordPolicyViolation"
    );
    bench.ok(
        "CreateLoginProfile",
        json!({"UserName": "eve", "Password": "allsmallletters"}),
    );
    bench.ok("DeleteAccountPasswordPolicy", json!({}));
}

const SERIAL: &str = "arn:aws:iam::111122223333:mfa/phone";

/// Eve and a device that is nobody's yet.
fn phone() -> Bench {
    let mut bench = Bench::new();
    bench.user("eve");
    let made = bench.reply(
        "CreateVirtualMFADevice",
        json!({"VirtualMFADeviceName": "phone"}),
    );
    assert_eq!(
        made.recorded.response.unwrap(),
        json!({"virtualMFADevice": {"serialNumber": SERIAL}})
    );
    bench
}

/// Parameters that prove the device with the codes of two time steps, counted from now.
fn codes(bench: &Bench, first: i64, second: i64) -> Value {
    let seed = &bench.world.iam(ACCOUNT).unwrap().mfa_devices[SERIAL].seed;
    let code = |steps: i64| totp(seed, NOON + steps * STEP);
    json!({
        "UserName": "eve", "SerialNumber": SERIAL,
        "AuthenticationCode1": code(first), "AuthenticationCode2": code(second),
    })
}

#[test]
fn a_device_counts_after_two_codes_in_a_row() {
    let mut bench = phone();
    for (first, second) in [(0, 0), (0, -1), (-9, -8)] {
        let wrong = codes(&bench, first, second);
        assert_eq!(
            bench.code("EnableMFADevice", wrong),
            "InvalidAuthenticationCode"
        );
    }
    let right = codes(&bench, -1, 0);
    let done = bench.reply("EnableMFADevice", right.clone());
    assert_eq!(
        done.recorded.request.unwrap(),
        json!({"userName": "eve", "serialNumber": SERIAL})
    );
    assert_eq!(bench.code("EnableMFADevice", right), "EntityAlreadyExists");
    let older = codes(&bench, -9, -8);
    bench.ok("ResyncMFADevice", older);
    let device = &bench.world.iam(ACCOUNT).unwrap().mfa_devices[SERIAL];
    assert_eq!(device.last_step, Some(NOON / STEP), "a code counts once");
}

#[test]
fn a_device_in_use_stays() {
    let mut bench = phone();
    let right = codes(&bench, 0, 1);
    bench.ok("EnableMFADevice", right);
    let serial = SERIAL;
    let listed = bench.ok("ListMFADevices", json!({"UserName": "eve"}));
    assert_eq!(names(&listed["MFADevices"], "SerialNumber"), [serial]);
    let assigned = bench.ok(
        "ListVirtualMFADevices",
        json!({"AssignmentStatus": "Assigned"}),
    );
    assert_eq!(assigned["VirtualMFADevices"][0]["User"]["UserName"], "eve");
    assert_eq!(
        bench.code("DeleteVirtualMFADevice", json!({"SerialNumber": serial})),
        "DeleteConflict"
    );
    assert_eq!(
        bench.code("DeleteUser", json!({"UserName": "eve"})),
        "DeleteConflict"
    );
    bench.ok(
        "DeactivateMFADevice",
        json!({"UserName": "eve", "SerialNumber": serial}),
    );
    bench.ok("DeleteVirtualMFADevice", json!({"SerialNumber": serial}));
    assert!(
        bench.world.iam(ACCOUNT).unwrap().users["eve"]
            .mfa
            .is_empty()
    );
}

#[test]
fn passwords_of_services() {
    let mut bench = Bench::new();
    bench.user("eve");
    let ask = json!({"UserName": "eve", "ServiceName": "codecommit.amazonaws.com"});
    let made = bench.reply("CreateServiceSpecificCredential", ask.clone());
    let credential = &made.value["ServiceSpecificCredential"];
    assert!(credential["ServicePassword"].is_string());
    let recorded = made.recorded.response.unwrap().to_string();
    assert!(!recorded.contains(credential["ServicePassword"].as_str().unwrap()));
    let id = credential["ServiceSpecificCredentialId"].clone();
    bench.ok(
        "UpdateServiceSpecificCredential",
        json!({"UserName": "eve", "ServiceSpecificCredentialId": id, "Status": "Inactive"}),
    );
    let listed = bench.ok("ListServiceSpecificCredentials", json!({"UserName": "eve"}));
    assert_eq!(
        listed["ServiceSpecificCredentials"][0]["Status"],
        "Inactive"
    );
    assert!(
        listed["ServiceSpecificCredentials"][0]
            .get("ServicePassword")
            .is_none()
    );
    assert_eq!(
        bench.code("DeleteUser", json!({"UserName": "eve"})),
        "DeleteConflict"
    );
    bench.ok("CreateServiceSpecificCredential", ask.clone());
    assert_eq!(
        bench.code("CreateServiceSpecificCredential", ask),
        "LimitExceeded"
    );
    bench.ok(
        "DeleteServiceSpecificCredential",
        json!({"UserName": "eve", "ServiceSpecificCredentialId": id}),
    );
    let unknown = json!({"UserName": "eve", "ServiceName": "s3.amazonaws.com"});
    assert_eq!(
        bench.code("CreateServiceSpecificCredential", unknown),
        "NotSupportedService"
    );
}
