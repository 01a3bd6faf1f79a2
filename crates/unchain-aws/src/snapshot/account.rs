//! IAM of one account.

use super::{Reader, texts};
use crate::session::call;
use serde_json::Value;
use std::time::Duration;
use unchain_core::contain::{Actuator as _, Call};

/// What is asked once.
const ONCE: [&str; 8] = [
    "GetAccountSummary",
    "GetAccountPasswordPolicy",
    "ListAccountAliases",
    "ListRoles",
    "ListVirtualMFADevices",
    "ListSAMLProviders",
    "ListOpenIDConnectProviders",
    "GetCredentialReport",
];

/// What is asked of every user. The credential report would tell some of it, but may be four hours old
/// (IAM User Guide, "id_credentials_getting-report.html").
const PER_USER: [&str; 4] = [
    "ListAccessKeys",
    "ListMFADevices",
    "ListServiceSpecificCredentials",
    "GetLoginProfile",
];

/// How often it is asked whether the credential report is written, and the pause between.
const TRIES: u32 = 30;
const PAUSE: Duration = Duration::from_secs(2);

impl Reader<'_> {
    pub(super) fn account(&mut self, account: &str) {
        let details = self.read(call(
            ("iam", "GetAccountAuthorizationDetails"),
            account,
            &[],
        ));
        let users: Vec<String> = match details {
            Some(details) => names(&details, "UserDetailList"),
            None => self.users(account),
        };
        self.have_report_written(account);
        let once = ONCE.map(|action| call(("iam", action), account, &[]));
        self.read_all(account, once.to_vec());
        let of_users = users.iter().flat_map(|user| {
            PER_USER.map(|action| call(("iam", action), account, &[("UserName", user)]))
        });
        let answers = self.read_all(account, of_users.collect());
        let keys = answers
            .iter()
            .flat_map(|answer| texts(answer, "AccessKeyMetadata", "AccessKeyId"));
        let last_used: Vec<Call> = keys
            .map(|key| {
                call(
                    ("iam", "GetAccessKeyLastUsed"),
                    account,
                    &[("AccessKeyId", key)],
                )
            })
            .collect();
        self.read_all(account, last_used);
    }

    /// Where the authorization details may not be read, perhaps the names of the users may.
    fn users(&mut self, account: &str) -> Vec<String> {
        let list = call(("iam", "ListUsers"), account, &[]);
        let answer = self.session.call(&list);
        answer.map_or_else(|_| Vec::new(), |answer| names(&answer.value, "Users"))
    }

    /// One that was written within the last four hours is there at once. Whether it came to be is seen when it is read.
    fn have_report_written(&mut self, account: &str) {
        let generate = call(("iam", "GenerateCredentialReport"), account, &[]);
        for _ in 0..TRIES {
            let answer = self.session.call(&generate);
            let state = answer.map(|answer| answer.value.get("State").cloned());
            match state {
                Ok(Some(Value::String(state))) if state != "COMPLETE" => {
                    self.session.run(async { tokio::time::sleep(PAUSE).await });
                }
                _ => return,
            }
        }
    }
}

fn names(answer: &Value, list: &str) -> Vec<String> {
    texts(answer, list, "UserName").map(str::to_owned).collect()
}
