//! The records that issue a credential, in the caller's account and, where that is another one, in the
//! role's. What they say follows from the plan alone, however many events there are.

use super::noise::Noise;
use super::plan::{Credential, Issue, Parent};
use super::record::{Address, Envelope, Scribe, guid, push_base64, session};
use anyhow::Context;
use std::fmt::Write;
use unchain_trail::TOKEN_MARKER;

/// Which account's copy of an issuing call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Copied {
    Callers,
    Roles,
}

impl Scribe<'_> {
    /// `eventID` of the record that issues the credential at `place`, in the caller's account.
    pub(super) fn issue_id(&self, place: usize) -> String {
        guid(&mut issue_noise(place, 1))
    }

    /// Writes the record that issues a credential; gives the place of the account that receives it, and of
    /// the region.
    pub(super) fn issue(
        &mut self,
        place: usize,
        credential: &Credential,
    ) -> anyhow::Result<(usize, usize)> {
        self.write_issue(place, credential, Copied::Callers)?;
        let home = self.home(credential);
        let region = self.role(credential).map_or(0, |role| role.region);
        Ok((home, region))
    }

    /// Writes the copy for the role's account, if that is another one.
    pub(super) fn copy(&mut self, place: usize, credential: &Credential) -> anyhow::Result<bool> {
        if credential.crosses {
            self.write_issue(place, credential, Copied::Roles)?;
        }
        Ok(credential.crosses)
    }

    fn write_issue(
        &mut self,
        place: usize,
        credential: &Credential,
        copied: Copied,
    ) -> anyhow::Result<()> {
        self.text.clear();
        self.text
            .push_str("{\"eventVersion\":\"1.08\",\"userIdentity\":");
        self.issuer_identity(place, credential, copied)?;
        let by_service = credential.issue == Issue::ByService;
        let agents = std::mem::take(&mut self.agents);
        let region = self.role(credential).map_or(0, |role| role.region);
        let (address, agent) = if by_service {
            (Address::Service(service(place)), service(place))
        } else {
            let (number, agent) = home(place, credential);
            let address = Address::Network(u64::try_from(number)?);
            (
                address,
                agents.get(agent % 64).map_or("aws-cli", String::as_str),
            )
        };
        let (at, source, name) = (credential.issued, "sts", credential.issue.api());
        self.envelope(&Envelope {
            at,
            source,
            name,
            region,
            address,
            agent,
        })?;
        self.agents = agents;
        self.issue_elements(place, credential)?;
        self.issue_end(place, credential, copied)?;
        if !by_service {
            self.tls("sts", region)?;
        }
        self.text.push('}');
        Ok(())
    }

    /// Everything behind the response, down to the category.
    fn issue_end(
        &mut self,
        place: usize,
        credential: &Credential,
        copied: Copied,
    ) -> anyhow::Result<()> {
        let target = self
            .plan
            .accounts
            .get(credential.account)
            .context("an account of the plan")?;
        let event_id = match copied {
            Copied::Callers => self.issue_id(place),
            Copied::Roles => guid(&mut issue_noise(place, 3)),
        };
        let request = guid(&mut issue_noise(place, 4));
        let read_only = credential.issue != Issue::SessionToken;
        write!(
            self.text,
            r#""requestID":"{request}","eventID":"{event_id}","readOnly":{read_only},"#
        )?;
        if let Some(role) = self.role(credential) {
            write!(
                self.text,
                r#""resources":[{{"accountId":"{0}","type":"AWS::IAM::Role","ARN":"arn:aws:iam::{0}:role/{1}"}}],"#,
                target.number, role.name
            )?;
        }
        let recipient = match copied {
            Copied::Callers => self.plan.accounts.get(self.home(credential)),
            Copied::Roles => Some(target),
        };
        let recipient = recipient.map_or("", |account| account.number.as_str());
        write!(
            self.text,
            r#""eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"{recipient}","#
        )?;
        if credential.crosses || credential.issue == Issue::ByService {
            let shared = guid(&mut issue_noise(place, 2));
            write!(self.text, r#""sharedEventID":"{shared}","#)?;
        }
        self.text.push_str("\"eventCategory\":\"Management\"");
        Ok(())
    }

    /// The place of the account whose caller asked.
    fn home(&self, credential: &Credential) -> usize {
        match credential.parent {
            Parent::None => credential.account,
            Parent::User(account, _) => account,
            Parent::Credential(parent) => self
                .plan
                .credentials
                .get(parent)
                .map_or(0, |parent| parent.account),
        }
    }

    /// Who asks for a credential.
    fn issuer_identity(
        &mut self,
        place: usize,
        credential: &Credential,
        copied: Copied,
    ) -> anyhow::Result<()> {
        if copied == Copied::Roles {
            return self.foreign_identity(credential);
        }
        let plan = self.plan;
        match (credential.issue, credential.parent) {
            (_, Parent::User(account, user)) => self.user_identity((account, user)),
            (_, Parent::Credential(parent)) => {
                let parent = plan
                    .credentials
                    .get(parent)
                    .context("a credential of the plan")?;
                self.credential_identity(parent)
            }
            (Issue::WebIdentity, Parent::None) => Ok(write!(
                self.text,
                r#"{{"type":"WebIdentityUser","principalId":"arn:aws:iam::oidc-provider/tokens.ci.example.com:sts.amazonaws.com:repo:team/app-{0}","userName":"repo:team/app-{0}","identityProvider":"tokens.ci.example.com"}}"#,
                place % 400
            )?),
            (Issue::Saml, Parent::None) => Ok(write!(
                self.text,
                r#"{{"type":"SAMLUser","principalId":"q8Yb1hV0ZkJrT2nW5sXcE7uDm4A=:person{0}@example.com","userName":"person{0}@example.com","identityProvider":"q8Yb1hV0ZkJrT2nW5sXcE7uDm4A="}}"#,
                place % 300
            )?),
            (_, Parent::None) => {
                let service = service(place);
                Ok(write!(
                    self.text,
                    r#"{{"type":"AWSService","invokedBy":"{service}"}}"#
                )?)
            }
        }
    }

    /// The caller as the role's account sees it: principal and account, no key.
    fn foreign_identity(&mut self, credential: &Credential) -> anyhow::Result<()> {
        let account = self
            .plan
            .accounts
            .get(self.home(credential))
            .context("an account of the plan")?;
        let principal = match credential.parent {
            Parent::User(_, user) => account.users.get(user).map(|user| user.id.clone()),
            Parent::Credential(parent) => self
                .plan
                .credentials
                .get(parent)
                .map(|parent| self.principal_id(parent)),
            Parent::None => None,
        };
        Ok(write!(
            self.text,
            r#"{{"type":"AWSAccount","principalId":"{}","accountId":"{}"}}"#,
            principal.unwrap_or_default(),
            account.number
        )?)
    }

    /// Parameters and response of an issuing call.
    fn issue_elements(&mut self, place: usize, credential: &Credential) -> anyhow::Result<()> {
        let plan = self.plan;
        let account = plan
            .accounts
            .get(credential.account)
            .context("an account of the plan")?;
        let number = &account.number;
        let seconds = credential.expires - credential.issued;
        match self.role(credential) {
            None => write!(
                self.text,
                r#""requestParameters":{{"durationSeconds":{seconds}}},"#
            )?,
            Some(role) => write!(
                self.text,
                r#""requestParameters":{{"roleArn":"arn:aws:iam::{number}:role/{}","roleSessionName":"{}","durationSeconds":{seconds}}},"#,
                role.name,
                session(credential)
            )?,
        }
        let (day, [hour, minute, second]) = self.days.split(credential.expires);
        let half = if hour < 12 { "AM" } else { "PM" };
        let twelve = if hour % 12 == 0 { 12 } else { hour % 12 };
        write!(
            self.text,
            r#""responseElements":{{"credentials":{{"accessKeyId":"{}","sessionToken":""#,
            credential.key
        )?;
        self.session_token(place);
        write!(
            self.text,
            r#"","expiration":"{}, {twelve}:{minute:02}:{second:02} {half}"}}"#,
            day.words
        )?;
        if let (Some(role), true) = (self.role(credential), credential.issue != Issue::ByService) {
            let (session, name) = (session(credential), &role.name);
            write!(
                self.text,
                r#","assumedRoleUser":{{"assumedRoleId":"{}:{session}","arn":"arn:aws:sts::{number}:assumed-role/{name}/{session}"}}"#,
                role.id
            )?;
        }
        self.text.push_str("},");
        Ok(())
    }

    /// A token of the length and alphabet of a real one, with the marker that tests look for.
    fn session_token(&mut self, place: usize) {
        self.text.push_str("IQoJb3JpZ2luX2VjE");
        self.text.push_str(TOKEN_MARKER);
        push_base64(&mut self.text, 70, &mut issue_noise(place, 5));
        self.text.push_str("==");
    }

    fn principal_id(&self, credential: &Credential) -> String {
        match self.role(credential) {
            Some(role) => format!("{}:{}", role.id, session(credential)),
            None => {
                let account = self.plan.accounts.get(credential.account);
                let user = account.and_then(|account| account.users.get(credential.principal));
                user.map_or(String::new(), |user| user.id.clone())
            }
        }
    }
}

/// The services that assume roles for workloads.
const SERVICES: &[&str] = &[
    "ec2.amazonaws.com",
    "lambda.amazonaws.com",
    "ecs-tasks.amazonaws.com",
];

fn service(place: usize) -> &'static str {
    SERVICES
        .get(place % SERVICES.len())
        .copied()
        .unwrap_or("ec2.amazonaws.com")
}

/// The numbers behind what issues the credential at `place`: the same however many events there are.
fn issue_noise(place: usize, purpose: u64) -> Noise {
    Noise::new(
        u64::try_from(place).unwrap_or(0).wrapping_add(1),
        0x6973_7375_6500 + purpose,
    )
}

/// From where and with what somebody asks for a credential: as with everything else they do.
fn home(place: usize, credential: &Credential) -> (usize, usize) {
    match credential.parent {
        Parent::Credential(parent) => (parent % 60_000, parent),
        Parent::User(account, user) => (account * 64 + user, user),
        Parent::None => (place % 4_096, place),
    }
}
