//! Subjects of identity providers who come with an assertion instead of a key.

use super::call::{Grant, Link, Parent, role_resource, role_session};
use super::console::wrong_actor;
use super::sts::{new_child, session_name};
use super::{Actor, Event};
use crate::cast::PrincipalKind;
use crate::error::Fault;
use crate::ident::{Noise, guid};
use crate::record::Draft;
use crate::time::later;
use crate::truth::Kind;
use crate::world::{Identity, Principal, World};
use serde_json::json;

const HOUR: i64 = 3_600;

/// AssumeRoleWithSAML by the subject that the session is named after.
pub(super) fn with_saml(world: &mut World, event: &Event<'_>) -> Result<(), Fault> {
    let (provider, role, lasts) = terms(world, event)?;
    let subject = session_name(event);
    let draft = world.draft(event, "sts", "AssumeRoleWithSAML");
    let Some((draft, key, identity)) =
        saml(world, event, draft, (&provider, &subject, &role, lasts))
    else {
        return Ok(());
    };
    let link = Link::recorded(&draft);
    world.emit(draft);
    let kind = Kind::RoleSession;
    let grant = Grant {
        kind,
        key: Some(key),
        identity,
        lasts: Some(lasts),
        mfa: false,
    };
    world.grant(event, grant, link);
    Ok(())
}

/// Fills in an AssumeRoleWithSAML record; writes it and gives nothing when the call failed.
pub(super) fn saml(
    world: &mut World,
    event: &Event<'_>,
    mut draft: Draft,
    (provider, subject, role, lasts): (&str, &str, &Principal, i64),
) -> Option<(Draft, String, Identity)> {
    let qualifier = qualifier(provider, &role.account);
    let provider_arn = format!("arn:aws:iam::{}:saml-provider/{provider}", role.account);
    draft.identity = json!({
        "type": "SAMLUser",
        "principalId": format!("{qualifier}:{subject}"),
        "userName": subject,
        "identityProvider": qualifier,
    });
    draft.recipient.clone_from(&role.account);
    draft.params = json!({
        "sAMLAssertionID": format!("_{}", guid(&["assertion", &draft.event_id])),
        "roleSessionName": subject,
        "durationSeconds": lasts,
        "roleArn": role.arn(),
        "principalArn": provider_arn,
    });
    if event.failed() {
        world.emit(draft);
        return None;
    }
    let key = new_child(world, event, &role.account);
    let child = role_session(role, subject);
    draft.response = json!({
        "subjectType": "persistent",
        "issuer": format!("https://{provider}.example.com/saml"),
        "credentials": world.credentials_element(&key, later(event.at, lasts)),
        "nameQualifier": qualifier,
        "assumedRoleUser": { "assumedRoleId": child.principal_id, "arn": child.arn },
        "subject": subject,
        "audience": "https://signin.aws.amazon.com/saml",
    });
    draft.resources = vec![
        role_resource(role),
        json!({ "accountId": role.account, "type": "AWS::IAM::SAMLProvider", "ARN": provider_arn }),
    ];
    Some((draft, key, child))
}

/// AssumeRoleWithWebIdentity by an OpenID Connect subject.
pub(super) fn with_web_identity(world: &mut World, event: &Event<'_>) -> Result<(), Fault> {
    let (provider, role, lasts) = terms(world, event)?;
    let session = session_name(event);
    let subject = event.option("subject").unwrap_or(&session);
    let mut draft = world.draft(event, "sts", "AssumeRoleWithWebIdentity");
    draft.identity = json!({
        "type": "WebIdentityUser",
        "principalId": format!("{provider}:sts.amazonaws.com:{subject}"),
        "userName": subject,
        "identityProvider": provider,
    });
    draft.recipient.clone_from(&role.account);
    draft.params =
        json!({ "roleArn": role.arn(), "roleSessionName": session, "durationSeconds": lasts });
    if event.failed() {
        world.emit(draft);
        return Ok(());
    }
    let provider_arn = format!("arn:aws:iam::{}:oidc-provider/{provider}", role.account);
    let key = new_child(world, event, &role.account);
    let mut child = role_session(&role, &session);
    child.federation = json!({ "federatedProvider": provider_arn, "attributes": {} });
    draft.response = json!({
        "subjectFromWebIdentityToken": subject,
        "credentials": world.credentials_element(&key, later(event.at, lasts)),
        "assumedRoleUser": { "assumedRoleId": child.principal_id, "arn": child.arn },
        "provider": provider_arn,
        "audience": "sts.amazonaws.com",
    });
    draft.additional = json!({ "identityProviderConnectionVerificationMethod": "IAMTrustStore" });
    draft.resources = vec![role_resource(&role)];
    let link = Link::recorded(&draft);
    world.emit(draft);
    let kind = Kind::RoleSession;
    let grant = Grant {
        kind,
        key: Some(key),
        identity: child,
        lasts: Some(lasts),
        mfa: false,
    };
    world.grant(event, grant, link);
    Ok(())
}

/// GetCredentialsForIdentity of Cognito, a data event whose caller is unknown.
pub(super) fn cognito(world: &mut World, event: &Event<'_>) -> Result<(), Fault> {
    let (provider, role, lasts) = terms(world, event)?;
    let mut draft = world.draft(event, "cognito-identity", "GetCredentialsForIdentity");
    let identity_id = format!("{}:{}", draft.region, guid(&["cognito", &provider]));
    draft.identity = json!({ "type": "Unknown" });
    draft.recipient.clone_from(&role.account);
    draft.data = true;
    draft.params = match event.option("without-login") {
        Some(_) => json!({ "identityId": identity_id }),
        None => json!({
            "identityId": identity_id,
            "logins": { provider: "HIDDEN_DUE_TO_SECURITY_REASONS" },
        }),
    };
    if event.failed() {
        world.emit(draft);
        return Ok(());
    }
    let key = new_child(world, event, &role.account);
    draft.response = json!({
        "identityId": identity_id,
        "credentials": world.credentials_element(&key, later(event.at, lasts)),
    });
    let pool = guid(&["pool", &role.account]);
    draft.resources = vec![json!({
        "accountId": role.account,
        "type": "AWS::Cognito::IdentityPool",
        "ARN": format!("arn:aws:cognito-identity:{}:{}:identitypool/{}:{pool}",
            draft.region, role.account, draft.region),
    })];
    let parent = Parent {
        key: None,
        principal: identity_id,
        account: None,
    };
    let link = Link {
        parent,
        ..Link::recorded(&draft)
    };
    world.emit(draft);
    let identity = role_session(&role, "CognitoIdentityCredentials");
    let kind = Kind::RoleSession;
    let grant = Grant {
        kind,
        key: Some(key),
        identity,
        lasts: Some(lasts),
        mfa: false,
    };
    world.grant(event, grant, link);
    Ok(())
}

/// `sessionIssuer`-like qualifier of a SAML provider, in base64 as AWS writes it.
fn qualifier(provider: &str, account: &str) -> String {
    let mut noise = Noise::new(&["saml", provider, account]);
    let mut text: String = (0..27)
        .map(|_| {
            let digit = u8::try_from(noise.next() % 26).unwrap_or(0);
            char::from(b'a' + digit)
        })
        .collect();
    text.push('=');
    text
}

/// The provider, role and duration of a federated call.
fn terms(world: &World, event: &Event<'_>) -> Result<(String, Principal, i64), Fault> {
    world.check_gives(event)?;
    let Actor::Provider(provider) = &event.actor else {
        return Err(wrong_actor(
            event,
            "`idp` and the name of an identity provider",
        ));
    };
    let role = event.object(0, "a role")?;
    let role = world.principal(PrincipalKind::Role, role, None)?.clone();
    let lasts = event.duration("for")?.unwrap_or(HOUR);
    if !(900..=role.longest).contains(&lasts) {
        let text = event.option("for").unwrap_or("");
        return Err(Fault::new(
            text,
            "a duration of at least 15m and at most the role's `max`",
        ));
    }
    Ok((provider.clone(), role, lasts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_web_identity_leads_into_its_role() {
        let trail = crate::Trail::parse(
            "account 111122223333\nrole deploy\n\
             09:00 idp token.example.com AssumeRoleWithWebIdentity deploy -> K subject repo:shop/api\n\
             09:01 K PutObject s3://site/index.html",
        )
        .unwrap();
        let records = trail.records();
        assert_eq!(records[0]["userIdentity"]["userName"], "repo:shop/api");
        assert_eq!(
            records[1]["userIdentity"]["accessKeyId"],
            trail.key("K").unwrap()
        );
        let federation = &records[1]["userIdentity"]["sessionContext"]["webIdFederationData"];
        assert_eq!(
            federation["federatedProvider"],
            "arn:aws:iam::111122223333:oidc-provider/token.example.com"
        );
    }

    #[test]
    fn cognito_is_a_data_event_without_a_caller() {
        let text =
            "account 111122223333\nrole app\n09:00 idp pool GetCredentialsForIdentity app -> K";
        let records = crate::records(text).unwrap();
        assert_eq!(records[0]["userIdentity"], json!({ "type": "Unknown" }));
        assert_eq!(records[0]["eventCategory"], "Data");
        assert!(records[0]["requestParameters"]["logins"].is_object());
        let guest = crate::records(&format!("{text} without-login")).unwrap();
        assert!(guest[0]["requestParameters"].get("logins").is_none());
    }
}
