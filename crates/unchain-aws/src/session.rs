//! A session with AWS: whose credentials act in which account.

use crate::actions;
use crate::clients::{Clients, assuming, base, in_region};
use crate::error::AwsError;
use crate::options::Options;
use crate::refusal::refused;
use aws_config::SdkConfig;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::runtime::Runtime;
use unchain_core::contain::{Actuator, Answer, Call, Refusal, RefusalKind};
use unchain_core::text::Untrusted;
use unchain_core::time::Timestamp;

/// Who calls (STS API Reference, "GetCallerIdentity").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The account id.
    pub account: String,
    /// The ARN: of a user, of a session of a role, or of root.
    pub arn: String,
    /// `AIDA…`, `AROA…:session`, or the account id for root.
    pub user_id: String,
}

impl Identity {
    /// `aws`, `aws-cn` or `aws-us-gov` (IAM User Guide, "reference-arns").
    pub fn partition(&self) -> &str {
        self.arn.split(':').nth(1).unwrap_or("aws")
    }

    fn of(answer: &Value) -> Option<Self> {
        let text = |name: &str| answer.get(name)?.as_str().map(str::to_owned);
        let identity = Self {
            account: text("Account")?,
            arn: text("Arn")?,
            user_id: text("UserId").unwrap_or_default(),
        };
        let sound = identity.arn.starts_with("arn:") && !identity.account.is_empty();
        sound.then_some(identity)
    }
}

/// Carries out calls with the credentials that its options name: those of the caller in the caller's account, those of
/// an assumed role in others. Blocks; not to be used inside an asynchronous task.
pub struct Session {
    /// A thread of its own keeps connections in order between calls, so that one that AWS closed is not used again.
    runtime: Runtime,
    options: Options,
    base: SdkConfig,
    identity: Identity,
    /// By account. One for all regions, so that a role is assumed once.
    configs: BTreeMap<String, SdkConfig>,
    /// By account and, where a call names one, region.
    clients: BTreeMap<(String, Option<String>), Clients>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = f.debug_struct("Session");
        debug.field("options", &self.options);
        debug
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// Finds the credentials and asks AWS whose they are.
    ///
    /// # Errors
    ///
    /// When there are no credentials, AWS refuses them, or the endpoint may not have them.
    pub fn connect(options: Options) -> Result<Self, AwsError> {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).enable_all().build();
        let runtime = runtime.map_err(AwsError::Runtime)?;
        let base = runtime.block_on(base(&options))?;
        let clients = Clients::new(&base);
        let who = call(("sts", "GetCallerIdentity"), "", &[]);
        let answer = runtime.block_on(actions::call(&clients, &who));
        let answer = answer.map_err(|refusal| AwsError::Caller {
            refusal: Box::new(refusal),
        })?;
        let identity = Identity::of(&answer.value).ok_or(AwsError::NoIdentity)?;
        Ok(Self {
            clients: BTreeMap::from([((identity.account.clone(), None), clients)]),
            configs: BTreeMap::from([(identity.account.clone(), base.clone())]),
            runtime,
            options,
            base,
            identity,
        })
    }

    /// Who calls.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Runs calls of one account and region, one or several at a time.
    pub(crate) fn run<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// The clients for an account; an empty one is the caller's.
    pub(crate) fn clients(
        &mut self,
        account: &str,
        region: Option<&str>,
    ) -> Result<Clients, Refusal> {
        let account = match account {
            "" => self.identity.account.clone(),
            account => account.to_owned(),
        };
        let key = (account, region.map(str::to_owned));
        if let Some(clients) = self.clients.get(&key) {
            return Ok(clients.clone());
        }
        let mut config = self.config(&key.0)?;
        if let Some(region) = region {
            config = in_region(&config, region);
        }
        let clients = Clients::new(&config);
        self.clients.insert(key, clients.clone());
        Ok(clients)
    }

    fn config(&mut self, account: &str) -> Result<SdkConfig, Refusal> {
        if let Some(config) = self.configs.get(account) {
            return Ok(config.clone());
        }
        let role = self.role(account)?;
        let config = self.run(assuming(&self.base, &role, &self.options));
        self.configs.insert(account.to_owned(), config.clone());
        Ok(config)
    }

    /// The role that acts in an account other than the caller's.
    fn role(&self, account: &str) -> Result<String, Refusal> {
        if account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit()) {
            let message = "the account of the call is no account id";
            return Err(refused(RefusalKind::Refused, "BadAccount", message));
        }
        let role = self.options.role(self.identity.partition(), account);
        role.ok_or_else(|| {
            let message = format!(
                "these credentials are for account {}, not {account}; name the role to assume there",
                self.identity.account
            );
            refused(RefusalKind::Denied, "NoRoleForAccount", message)
        })
    }
}

impl Actuator for Session {
    #[expect(
        clippy::disallowed_methods,
        reason = "the clock of the world that calls are made in"
    )]
    fn now(&mut self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let seconds = since.map_or(0, |since| since.as_secs());
        Timestamp::from_seconds(i64::try_from(seconds).unwrap_or(i64::MAX))
    }

    fn wait(&mut self, until: Timestamp) {
        loop {
            let left = until.seconds().saturating_sub(self.now().seconds());
            let Ok(left @ 1..) = u64::try_from(left) else {
                return;
            };
            std::thread::sleep(Duration::from_secs(left));
        }
    }

    fn call(&mut self, call: &Call) -> Result<Answer, Refusal> {
        let region = call.parameters.get("region").and_then(Value::as_str);
        let clients = self.clients(call.account.raw(), region)?;
        self.run(actions::call(&clients, call))
    }
}

/// A call with parameters that are texts.
pub(crate) fn call(
    (service, action): (&str, &str),
    account: &str,
    parameters: &[(&str, &str)],
) -> Call {
    let parameters = parameters
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Value::from(*value)));
    Call {
        service: service.to_owned(),
        action: action.to_owned(),
        account: Untrusted::new(account),
        parameters: parameters.collect::<Map<String, Value>>(),
    }
}
