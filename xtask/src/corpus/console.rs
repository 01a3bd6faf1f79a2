//! Sessions that act through keys which no record issues: people in the console, and services that act
//! for people. How many there are is planned with the credentials, so that more events do not make more
//! of them.

use super::mix::{Caller, REGIONS};
use super::noise::Noise;
use super::plan::{Account, Plan, User};
use super::record::{Scribe, guid};
use anyhow::Context;
use std::fmt::Write;
use unchain_trail::{Prefix, identifier};

/// Seconds of an hour; sessions begin with it.
pub(super) const HOUR: i64 = 3_600;

/// A console session: the hour it began in, counted from the start, and its place among those.
#[derive(Debug, Clone, Copy)]
pub(super) struct Session {
    pub(super) hour: i64,
    pub(super) slot: u64,
}

impl Session {
    /// A session of the hour of `at`, if the plan has any.
    pub(super) fn at(plan: &Plan, at: i64, noise: &mut Noise) -> Option<Self> {
        let hour = (at - plan.start).div_euclid(HOUR);
        (plan.slots > 0).then(|| Self {
            hour,
            slot: noise.below(plan.slots),
        })
    }

    /// The places of the account and user whose session it is.
    pub(super) fn owner(self, plan: &Plan) -> (usize, usize) {
        let mut noise = self.noise(1);
        let account = noise.skewed(plan.accounts.len());
        let people = plan
            .accounts
            .get(account)
            .map_or(0, |account| account.users.len());
        (account, noise.skewed(people))
    }

    fn noise(self, purpose: u64) -> Noise {
        let hour = u64::try_from(self.hour).unwrap_or(0);
        Noise::new(hour * 1_000_003 + self.slot, 0x0063_6f6e_7300 + purpose)
    }
}

impl<'a> Scribe<'a> {
    /// The identity of a user in the console, or of one for whom a service acts. A session shows few keys
    /// of either kind, so that there are not more of them the more events there are.
    pub(super) fn unseen_identity(
        &mut self,
        caller: Caller,
        session: Session,
        noise: &mut Noise,
    ) -> anyhow::Result<()> {
        let keys = if caller == Caller::Console { 2 } else { 1 };
        let (account, user) = self.owner(session)?;
        let number = &account.number;
        let seed = format!("{caller:?} {session:?} {}", noise.below(keys));
        let key = identifier(Prefix::TemporaryKey, number, &seed);
        write!(
            self.text,
            r#"{{"type":"IAMUser","principalId":"{0}","arn":"arn:aws:iam::{number}:user/{1}","accountId":"{number}","accessKeyId":"{key}","userName":"{1}","sessionContext":{{"sessionIssuer":{{}},"webIdFederationData":{{}},"attributes":{{"creationDate":""#,
            user.id, user.name
        )?;
        self.clock(self.plan.start + session.hour * HOUR)?;
        self.text.push_str("\",\"mfaAuthenticated\":\"true\"}}");
        if caller == Caller::Forwarded {
            self.text
                .push_str(",\"invokedBy\":\"cloudformation.amazonaws.com\"");
        }
        self.text.push('}');
        Ok(())
    }

    /// Writes the sign-in that begins a session; gives the places of account and region.
    pub(super) fn login(&mut self, session: Session) -> anyhow::Result<(usize, usize)> {
        let (account, user) = self.owner(session)?;
        let (number, name, id) = (&account.number, &user.name, &user.id);
        let at = self.time(self.plan.start + session.hour * HOUR);
        let event_id = guid(&mut session.noise(2));
        let region = REGIONS.first().copied().unwrap_or("us-east-1");
        self.text.clear();
        write!(
            self.text,
            r#"{{"eventVersion":"1.11","userIdentity":{{"type":"IAMUser","principalId":"{id}","arn":"arn:aws:iam::{number}:user/{name}","accountId":"{number}","userName":"{name}"}},"eventTime":"{at}","eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin","awsRegion":"{region}","sourceIPAddress":"10.17.0.{}","userAgent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36","requestParameters":null,"responseElements":{{"ConsoleLogin":"Success"}},"additionalEventData":{{"LoginTo":"https://console.aws.amazon.com/console/home","MobileVersion":"No","MFAUsed":"Yes","MFAIdentifier":"arn:aws:iam::{number}:mfa/{name}"}},"eventID":"{event_id}","readOnly":false,"eventType":"AwsConsoleSignIn","managementEvent":true,"recipientAccountId":"{number}","eventCategory":"Management""#,
            session.slot % 250 + 1
        )?;
        self.tls("signin", 0)?;
        self.text.push('}');
        Ok((session.owner(self.plan).0, 0))
    }

    fn owner(&self, session: Session) -> anyhow::Result<(&'a Account, &'a User)> {
        let plan = self.plan;
        let (account, user) = session.owner(plan);
        let account = plan
            .accounts
            .get(account)
            .context("an account of the plan")?;
        let user = account.users.get(user).context("a user of the plan")?;
        Ok((account, user))
    }
}
