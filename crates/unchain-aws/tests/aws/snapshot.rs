//! A snapshot of the lab's accounts becomes facts.

use crate::support::{ACCOUNT, Key, OTHER, Served, administrator, ask, world};
use serde_json::{Value, json};
use unchain_aws::{Piece, Scope, Session, facts, snapshot};
use unchain_core::contain::{Facts, RefusalKind};

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}"#;

/// More users than fit on a page, one of them with all that a user may have.
fn furnish(served: &Served, root: &Key) -> String {
    served.prepare(root, async |iam| {
        for n in 0..110 {
            let user = iam.create_user().user_name(format!("user-{n}"));
            user.send().await.unwrap();
        }
        let role = iam
            .create_role()
            .role_name("deploy")
            .max_session_duration(43_200);
        role.assume_role_policy_document(TRUST)
            .send()
            .await
            .unwrap();
        let put = iam.put_role_policy().role_name("deploy").policy_name("own");
        put.policy_document(TRUST.replace(r#""Principal":{"AWS":"*"}"#, r#""Resource":"*""#))
            .send()
            .await
            .unwrap();
        let password = iam.create_login_profile().user_name("user-7");
        password.password("Aa1!Aa1!Aa1!Aa1!").send().await.unwrap();
        let credential = iam.create_service_specific_credential().user_name("user-7");
        let service = credential.service_name("codecommit.amazonaws.com");
        service.send().await.unwrap();
        let key = iam
            .create_access_key()
            .user_name("user-7")
            .send()
            .await
            .unwrap();
        key.access_key().unwrap().access_key_id().to_owned()
    })
}

fn quiet(_: &Piece) {}

fn has_users_and_roles(facts: &Facts, key: &str) {
    let here = &facts.accounts[ACCOUNT];
    assert!(here.authorization_details && facts.accounts[OTHER].authorization_details);
    assert_eq!(here.users.len(), 111);
    let user = &here.users["user-7"];
    assert_eq!(user.keys.get(key), Some(&true));
    assert_eq!(user.password, Some(true));
    assert_eq!(user.service_credentials.len(), 1);
    assert_eq!(here.users["user-8"].password, Some(false));
    assert!(
        here.last_used.keys.contains_key(key),
        "{:?}",
        here.last_used
    );
    let role = &here.roles["deploy"];
    assert_eq!(role.max_session, Some(43_200));
    assert_eq!(role.trust, serde_json::from_str::<Value>(TRUST).unwrap());
    assert_eq!(
        role.policies.inline["own"]["Statement"][0]["Resource"],
        json!("*")
    );
    assert_eq!(here.root_keys, Some(true));
    assert_eq!(here.summary.get("Users"), Some(&111));
}

fn has_trails_and_organization(facts: &Facts) {
    let here = &facts.accounts[ACCOUNT];
    assert!(here.trails_read && !here.trails.is_empty());
    assert!(
        here.trails
            .values()
            .all(|trail| trail.logging.is_some() && trail.recorded.is_some())
    );
    let organization = facts.organization.as_ref().unwrap();
    assert_eq!(organization.management_account, ACCOUNT);
    let levels = facts.scps(OTHER);
    assert_eq!(
        levels.last().map(|level| level.target.as_str()),
        Some(OTHER)
    );
    assert!(
        levels[0].target.starts_with("r-") && !levels[0].policies.is_empty(),
        "{levels:?}"
    );
    assert!(
        levels
            .iter()
            .all(|level| level.policies.values().all(|document| !document.is_null()))
    );
    let unread: Vec<&String> = facts
        .unread
        .iter()
        .filter(|u| !u.starts_with("rolesanywhere"))
        .collect();
    assert!(
        unread.is_empty(),
        "the lab has all but Roles Anywhere: {unread:?}"
    );
}

#[test]
fn what_accounts_hold_is_read_whole() {
    let (world, root) = world();
    let served = Served::new(world);
    let responder = administrator(&served, &root);
    let key = furnish(&served, &root);
    served.with_trail_and_scps(&responder);
    let mut options = served.options(&responder);
    options.role_name = Some("OrganizationAccountAccessRole".to_owned());
    let mut session = Session::connect(options).unwrap();
    let scope = Scope {
        accounts: vec![ACCOUNT.to_owned(), OTHER.to_owned()],
        regions: vec!["us-east-1".to_owned(), "eu-west-1".to_owned()],
    };
    let mut told = 0;
    let pieces = snapshot(&mut session, &scope, &mut |_| told += 1).unwrap();
    assert_eq!(told, pieces.len());
    let facts = facts(&pieces);
    assert_eq!(served.world().accounts.len(), facts.accounts.len());
    has_users_and_roles(&facts, &key);
    has_trails_and_organization(&facts);
}

/// A user with one policy: what its actions name may be read.
fn reader(served: &Served, root: &Key, actions: &[&str]) -> Key {
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]});
    served.prepare(root, async |iam| {
        iam.create_user().user_name("reader").send().await.unwrap();
        let put = iam
            .put_user_policy()
            .user_name("reader")
            .policy_name("read");
        put.policy_document(policy.to_string())
            .send()
            .await
            .unwrap();
        let made = iam
            .create_access_key()
            .user_name("reader")
            .send()
            .await
            .unwrap();
        let key = made.access_key().unwrap();
        Key {
            id: key.access_key_id().to_owned(),
            secret: key.secret_access_key().to_owned(),
        }
    })
}

fn of(key: &Key, served: &Served) -> Result<Facts, RefusalKind> {
    let mut session = served.session(key);
    let pieces = snapshot(&mut session, &Scope::default(), &mut quiet);
    pieces
        .map(|pieces| facts(&pieces))
        .map_err(|refusal| refusal.kind)
}

#[test]
fn what_may_not_be_read_is_told_and_the_rest_is_read() {
    let (world, root) = world();
    let served = Served::new(world);
    let key = reader(&served, &root, &["iam:ListUsers", "iam:ListAccessKeys"]);
    let facts = of(&key, &served).unwrap();
    let here = &facts.accounts[ACCOUNT];
    assert!(!here.authorization_details);
    assert_eq!(here.users["reader"].keys.get(&key.id), Some(&true));
    let told = |what: &str| facts.unread.iter().any(|unread| unread.contains(what));
    for what in [
        "GetAccountAuthorizationDetails",
        "ListMFADevices",
        "GetCredentialReport",
        "DescribeTrails",
        "DescribeOrganization",
    ] {
        assert!(told(what), "{what}: {:?}", facts.unread);
    }
}

#[test]
fn nothing_read_is_an_error() {
    let (world, root) = world();
    let served = Served::new(world);
    let key = reader(&served, &root, &["s3:GetObject"]);
    assert_eq!(of(&key, &served).unwrap_err(), RefusalKind::Denied);
}

#[test]
fn an_account_out_of_reach_does_not_keep_the_others_from_being_read() {
    let (world, root) = world();
    let served = Served::new(world);
    let responder = administrator(&served, &root);
    let mut session = served.session(&responder);
    assert!(ask(&mut session, "iam", "ListUsers", &json!({})).is_ok());
    let scope = Scope {
        accounts: vec![OTHER.to_owned(), ACCOUNT.to_owned()],
        regions: Vec::new(),
    };
    let facts = facts(&snapshot(&mut session, &scope, &mut quiet).unwrap());
    assert!(facts.accounts[ACCOUNT].authorization_details);
    let unread = format!("{:?}", facts.unread);
    assert!(
        unread.contains(OTHER) && unread.contains("NoRoleForAccount"),
        "{unread}"
    );
}
