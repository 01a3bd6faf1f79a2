//! Identity Center: a person signs in to the access portal and takes credentials of a permission set. The records of
//! the portal are in the account that Identity Center belongs to, the role's `AssumeRoleWithSAML` in the other; its
//! key is not the one that acts (docs.aws.amazon.com/singlesignon/latest/userguide/logging-using-cloudtrail.html).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use unchain_trail::Prefix;

use super::Console;
use super::request::Asked;
use crate::call::Fault;
use crate::iam::{Attached, Document, Role};
use crate::session::{MadeBy, Session, Who};
use crate::sts;
use crate::trail::draft::{Access, Draft, Kind};
use crate::trail::{self, elements, identity};
use crate::world::World;

/// A permission set's sessions last an hour unless it says otherwise, in seconds.
const HOUR: i64 = 3600;
/// The bearer token of the portal lasts eight hours, in seconds.
const PORTAL: i64 = 8 * HOUR;

/// Somebody who signed in to the portal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Person {
    /// The account that Identity Center belongs to.
    account: String,
    user: String,
    user_id: String,
    store: String,
    credential_id: String,
    until: i64,
}

impl Person {
    fn identity(&self) -> Value {
        json!({
            "type": "IdentityCenterUser", "accountId": self.account,
            "onBehalfOf": {"userId": self.user_id, "identityStoreArn": self.store},
            "credentialId": self.credential_id,
        })
    }
}

/// `user` signs in to the portal of `account`: the checks of password and code, then `CreateToken`. `page` asks for one
/// of these by its name, with the `credential` that is checked and `wrong`: true to fail.
pub(super) fn login(world: &mut World, asked: &Asked<'_>) -> Result<Value, Fault> {
    let person = person(world, asked)?;
    match asked.text("page") {
        None => pages(world, asked, &person),
        Some("CreateToken") => {}
        Some(page) => {
            let kind = asked.text("credential").unwrap_or("PASSWORD").to_owned();
            let workflow = world.ids.guid();
            check(world, asked, (&person, &workflow), (page, &kind));
            return match asked.flag("wrong") {
                true => Err(Fault::api(
                    403,
                    "FailedAuthentication",
                    "Failed authentication",
                )),
                false => Ok(json!({})),
            };
        }
    }
    create_token(world, asked, &person);
    let token = world.ids.text(64);
    world
        .signin
        .people
        .retain(|_, person| person.until > world.now);
    world.signin.people.insert(token.clone(), person);
    Ok(json!({"accessToken": token}))
}

fn person(world: &mut World, asked: &Asked<'_>) -> Result<Person, Fault> {
    let account = asked.account(world)?;
    let user = asked.required("user")?.to_owned();
    let store = format!("arn:aws:identitystore::{account}:identitystore/d-{account}");
    let user_id = asked
        .text("userId")
        .map_or_else(|| world.ids.guid(), str::to_owned);
    Ok(Person {
        store,
        user_id,
        user,
        credential_id: world.ids.guid(),
        until: world.now.saturating_add(PORTAL),
        account,
    })
}

/// The pages of a whole sign-in with password and code.
fn pages(world: &mut World, asked: &Asked<'_>, person: &Person) {
    let workflow = world.ids.guid();
    for page in [
        ("CredentialChallenge", "PASSWORD"),
        ("CredentialVerification", "PASSWORD"),
        ("CredentialVerification", "TOTP"),
        ("UserAuthentication", "PASSWORD,TOTP"),
    ] {
        check(world, asked, (person, &workflow), page);
    }
}

fn check(
    world: &mut World,
    asked: &Asked<'_>,
    (person, workflow): (&Person, &str),
    (name, kind): (&str, &str),
) {
    let outcome = if asked.flag("wrong") {
        "Failure"
    } else {
        "Success"
    };
    let mut draft = asked.draft(name, &person.account);
    draft.identity = person.identity();
    draft.kind = Kind::ServiceEvent;
    draft.additional = Some(json!({
        "AuthWorkflowID": workflow, "CredentialType": kind, "LoginTo": portal(person),
    }));
    draft.service_details = Some(
        [(name.to_owned(), Value::from(outcome))]
            .into_iter()
            .collect(),
    );
    trail::emit(world, draft);
}

fn portal(person: &Person) -> String {
    format!("https://d-{}.awsapps.com/start", person.account)
}

fn create_token(world: &mut World, asked: &Asked<'_>, person: &Person) {
    let hidden = elements::HIDDEN_TEXT;
    let draft = Draft {
        source: "sso.amazonaws.com".to_owned(),
        identity: person.identity(),
        kind: Kind::ApiCall,
        request: json!({
            "clientId": hidden, "clientSecret": hidden, "code": hidden,
            "grantType": "authorization_code",
        }),
        response: json!({
            "accessToken": hidden, "tokenType": "Bearer", "expiresIn": PORTAL,
            "refreshToken": hidden, "idToken": hidden,
        }),
        request_id: Some(world.ids.guid()),
        host: Some(format!("oidc.{}.amazonaws.com", asked.region)),
        ..asked.draft("CreateToken", &person.account)
    };
    trail::emit(world, draft);
}

/// Gives a permission set to an account: `name`, and `policy`, the ARN of a managed policy. The role that Identity
/// Center makes for it has a name that nobody else may give; the answer tells it
/// (docs.aws.amazon.com/singlesignon/latest/userguide/using-service-linked-roles.html).
pub(super) fn provision(world: &mut World, asked: &Asked<'_>) -> Result<Value, Fault> {
    let (account, set) = (asked.account(world)?, asked.required("name")?);
    let name = format!("AWSReservedSSO_{set}_{:016x}", world.ids.number());
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": ["sts:AssumeRoleWithSAML", "sts:TagSession"],
        "Principal": {"Federated": provider(&account)},
        "Condition": {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}},
    }]});
    let trust = Document::parse("trust", &trust.to_string())
        .map_err(|error| Fault::validation(error.to_string()))?;
    let role = Role {
        id: world.ids.identifier(Prefix::Role, &account),
        path: "/aws-reserved/sso.amazonaws.com/".to_owned(),
        created_at: world.now,
        attached: Attached {
            managed: asked
                .text("policy")
                .map(str::to_owned)
                .into_iter()
                .collect(),
            ..Attached::default()
        },
        trust,
        max_session: 12 * HOUR,
        description: None,
        last_used: None,
    };
    if let Some(iam) = world.change_iam(&account) {
        iam.roles.insert(name.clone(), role);
    }
    Ok(json!({"role": name}))
}

fn provider(account: &str) -> String {
    format!("arn:aws:iam::{account}:saml-provider/AWSSSO_DO_NOT_DELETE")
}

/// `GetRoleCredentials`: credentials of `role` in `account`, where the role is one of Identity Center's. They last
/// `seconds`, the session duration of the permission set.
pub(super) fn role(world: &mut World, asked: &Asked<'_>) -> Result<Value, Fault> {
    let token = asked.required("accessToken")?;
    let person = world
        .signin
        .people
        .get(token)
        .filter(|person| person.until > world.now);
    let person = person.cloned().ok_or_else(|| {
        Fault::api(
            401,
            "UnauthorizedException",
            "Session token not found or invalid",
        )
    })?;
    let (account, name) = (asked.account(world)?, asked.required("role")?);
    let role = world.iam(&account).and_then(|iam| iam.roles.get(name));
    let role = role.filter(|_| name.starts_with("AWSReservedSSO_"));
    let Some(role) = role.cloned() else {
        return Err(Fault::api(403, "ForbiddenException", "No access"));
    };
    let seconds = asked
        .number("seconds")
        .unwrap_or(HOUR)
        .min(role.max_session);
    get_role_credentials(world, asked, (&person, &account, name));
    let who = Who::Role {
        name: name.to_owned(),
        id: role.id.clone(),
        session: person.user.clone(),
    };
    let recorded = sts::Draft::new(&account, who, MadeBy::Saml, seconds);
    let recorded = sts::issue(world, recorded);
    let shown = recorded.recorded();
    let console = Console {
        session: Session::clone(&recorded.session),
        before: None,
    };
    // Nobody gets the key of the record.
    world.sessions.remove(&recorded.session.access_key_id);
    assume_role(world, asked, (&person, &console.session, shown));
    let made_by = MadeBy::IdentityCenter {
        user_id: person.user_id,
        store: person.store,
    };
    Ok(console.key(world, (made_by, seconds)).1)
}

fn get_role_credentials(
    world: &mut World,
    asked: &Asked<'_>,
    (person, account, role): (&Person, &str, &str),
) {
    let set = role.trim_start_matches("AWSReservedSSO_");
    let set = set.rsplit_once('_').map_or(set, |(set, _)| set);
    let draft = Draft {
        source: "sso.amazonaws.com".to_owned(),
        identity: person.identity(),
        kind: Kind::ServiceEvent,
        access: Access::Read,
        request_id: Some(world.ids.guid()),
        service_details: Some(json!({"role_name": set, "account_id": account})),
        host: Some(format!("portal.sso.{}.amazonaws.com", asked.region)),
        ..asked.draft("GetRoleCredentials", &person.account)
    };
    trail::emit(world, draft);
}

fn assume_role(
    world: &mut World,
    asked: &Asked<'_>,
    (person, session, credentials): (&Person, &Session, Value),
) {
    let account = &session.account;
    let Who::Role { name, id, .. } = &session.who else {
        return;
    };
    let (arn, user) = (identity::role_arn(world, account, name), &person.user);
    let provider = provider(account);
    let qualifier = world.ids.text(27);
    let draft = Draft {
        source: "sts.amazonaws.com".to_owned(),
        identity: json!({
            "type": "SAMLUser", "principalId": format!("{qualifier}=:{user}"), "userName": user,
            "identityProvider": format!("{qualifier}="),
        }),
        kind: Kind::ApiCall,
        access: Access::Read,
        source_ip: "sso.amazonaws.com".to_owned(),
        user_agent: "sso.amazonaws.com".to_owned(),
        request: json!({
            "sAMLAssertionID": format!("_{}", world.ids.guid()), "roleSessionName": user,
            "durationSeconds": session.expires_at - session.issued_at,
            "roleArn": arn, "principalArn": provider,
        }),
        response: json!({
            "credentials": credentials,
            "assumedRoleUser": {
                "assumedRoleId": format!("{id}:{user}"),
                "arn": identity::arn(world, account, &session.who),
            },
            "subject": user, "subjectType": "persistent", "issuer": portal(person),
            "audience": "https://signin.aws.amazon.com/saml", "nameQualifier": format!("{qualifier}="),
        }),
        request_id: Some(world.ids.guid()),
        resources: vec![
            json!({"accountId": account, "type": "AWS::IAM::Role", "ARN": arn}),
            json!({"accountId": account, "type": "AWS::IAM::SAMLProvider", "ARN": provider}),
        ],
        host: None,
        ..asked.draft("AssumeRoleWithSAML", account)
    };
    trail::emit(world, draft);
}
