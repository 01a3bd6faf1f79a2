//! Everything there is in the pretend AWS, at one moment. Plain data: it can be kept in a file.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use unchain_core::time::Timestamp;

use crate::clock::Clock;
use crate::iam::Iam;
use crate::ids::Ids;
use crate::session::Session;

/// The pretend AWS.
#[derive(Clone, Serialize, Deserialize)]
pub struct World {
    /// How the lab behaves.
    pub settings: Settings,
    /// Virtual time against the host's.
    pub clock: Clock,
    /// Virtual time of the call in hand; set by the lab before each.
    pub now: i64,
    /// The source of identifiers.
    pub ids: Ids,
    /// Accounts by number.
    pub accounts: BTreeMap<String, Account>,
    /// Temporary credentials by access key id. Those long expired are forgotten.
    pub sessions: HashMap<String, Arc<Session>>,
    /// Which account a long-term key id belongs to, and which user (none: root), also after its deletion.
    pub key_owners: HashMap<String, (String, Option<String>)>,
    /// What a story or the operator said of where requests with a key come from (`*`: all keys).
    pub sources: BTreeMap<String, Source>,
    /// JSON Web Key Sets (RFC 7517) by OIDC issuer without `https://`: tokens of an issuer that is here must have a
    /// right signature.
    #[serde(default)]
    pub key_sets: BTreeMap<String, String>,
    /// S3.
    pub s3: crate::s3::State,
    /// SQS.
    pub sqs: crate::sqs::State,
    /// SNS.
    pub sns: crate::sns::State,
    /// Organizations.
    pub organizations: crate::organizations::State,
    /// Athena.
    pub athena: crate::athena::State,
    /// EC2, Lambda, DynamoDB and Secrets Manager.
    pub compute: crate::compute::State,
    /// Systems Manager.
    #[serde(default)]
    pub ssm: crate::ssm::State,
    /// CloudFormation.
    #[serde(default)]
    pub cloudformation: crate::cloudformation::State,
    /// CloudTrail.
    pub trail: crate::trail::State,
    /// Who is signed in to the console.
    pub signin: crate::signin::State,
    /// Credentials that workloads hold.
    pub workload: crate::workload::State,
}

shown!(World: settings, clock, now);

/// How the lab behaves; set at the start, changed through the control address.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Settings {
    /// Seconds until a change of IAM or of an SCP takes effect on authorisation (about 4 in AWS); 0: at once.
    pub consistency_delay: i64,
    /// Virtual seconds between deliveries of log files (about 300 in AWS).
    pub delivery_interval: i64,
    /// Records are shuffled within and across files of a delivery.
    pub out_of_order: bool,
    /// Of a hundred records, how many are delivered twice.
    pub duplicates: u8,
    /// Data events of S3 are recorded.
    pub data_events: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            consistency_delay: 0,
            delivery_interval: 300,
            out_of_order: false,
            duplicates: 0,
            data_events: true,
        }
    }
}

/// Where a story says that requests come from.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Source {
    /// `sourceIPAddress`.
    pub ip: Option<String>,
    /// `userAgent`, in place of the client's.
    pub agent: Option<String>,
}

/// One account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Account {
    /// Twelve digits.
    pub id: String,
    /// A name for people.
    pub name: String,
    /// IAM as its API shows it.
    pub iam: Iam,
    /// IAM as it was before recent changes: each until its instant (virtual seconds since 1970), oldest first.
    pub earlier: VecDeque<(i64, Arc<Iam>)>,
}

impl Account {
    /// IAM as authorisation sees it at `now`: behind the API's by the consistency delay.
    pub fn enforced(&self, now: i64) -> &Iam {
        self.earlier
            .iter()
            .find(|(until, _)| *until > now)
            .map_or(&self.iam, |(_, iam)| iam)
    }
}

impl World {
    /// An empty world of one seed.
    pub fn new(seed: u64, settings: Settings) -> Self {
        Self {
            settings,
            clock: Clock::default(),
            now: 0,
            ids: Ids::new(seed),
            accounts: BTreeMap::new(),
            sessions: HashMap::new(),
            key_owners: HashMap::new(),
            sources: BTreeMap::new(),
            key_sets: BTreeMap::new(),
            s3: crate::s3::State::default(),
            sqs: crate::sqs::State::default(),
            sns: crate::sns::State::default(),
            organizations: crate::organizations::State::default(),
            athena: crate::athena::State::default(),
            compute: crate::compute::State::default(),
            ssm: crate::ssm::State::default(),
            cloudformation: crate::cloudformation::State::default(),
            trail: crate::trail::State::default(),
            signin: crate::signin::State::default(),
            workload: crate::workload::State::default(),
        }
    }

    /// Adds an account with nothing in it but its root user, and gives that a key: `(access key id, secret)`.
    pub fn add_account(&mut self, id: &str, name: &str) -> (String, String) {
        let key = self.ids.identifier(unchain_trail::Prefix::LongTermKey, id);
        let secret = self.ids.secret();
        self.add_account_with_key(id, name, (key, secret))
    }

    /// As [`World::add_account`], with a key that the operator chose.
    pub fn add_account_with_key(
        &mut self,
        id: &str,
        name: &str,
        key: (String, String),
    ) -> (String, String) {
        let mut iam = Iam::default();
        iam.root_keys.push(crate::iam::AccessKey {
            id: key.0.clone(),
            secret: key.1.clone(),
            active: true,
            created_at: self.now,
            last_used: None,
        });
        self.key_owners.insert(key.0.clone(), (id.to_owned(), None));
        self.accounts.insert(
            id.to_owned(),
            Account {
                id: id.to_owned(),
                name: name.to_owned(),
                iam,
                earlier: VecDeque::new(),
            },
        );
        key
    }

    /// IAM of an account, to change it. With a consistency delay authorisation goes on seeing what was.
    pub fn change_iam(&mut self, account: &str) -> Option<&mut Iam> {
        let (now, delay) = (self.now, self.settings.consistency_delay);
        let account = self.accounts.get_mut(account)?;
        account.earlier.retain(|(until, _)| *until > now);
        if delay > 0 {
            let before = Arc::new(account.iam.clone());
            account
                .earlier
                .push_back((now.saturating_add(delay), before));
        }
        Some(&mut account.iam)
    }

    /// IAM of an account as its API shows it.
    pub fn iam(&self, account: &str) -> Option<&Iam> {
        self.accounts.get(account).map(|account| &account.iam)
    }

    /// The world's time.
    pub fn time(&self) -> Timestamp {
        Timestamp::from_seconds(self.now)
    }
}
