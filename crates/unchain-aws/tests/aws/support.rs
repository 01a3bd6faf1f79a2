//! A lab behind a port of this machine, for as long as a test needs it.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_organizations::types::PolicyType;
use serde_json::{Map, Value};
use std::sync::{Arc, MutexGuard};
use tokio::runtime::Runtime;
use tokio::sync::oneshot::Sender;
use unchain_aws::{Credential, Options, Session};
use unchain_core::contain::{Actuator, Answer, Call, Refusal};
use unchain_core::text::Untrusted;
use unchain_core::time::Timestamp;
use unchain_lab::Lab;
use unchain_lab::iam::Document;
use unchain_lab::s3::Bucket;
use unchain_lab::server::{Reach, Server, loopback};
use unchain_lab::world::World;

/// The account that the tests act in.
pub(crate) const ACCOUNT: &str = "111122223333";
/// A second account of the same world.
pub(crate) const OTHER: &str = "444455556666";

/// An access key.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) secret: String,
}

/// A lab that serves until it is dropped.
pub(crate) struct Served {
    lab: Arc<Lab>,
    pub(crate) url: String,
    runtime: Runtime,
    stop: Option<Sender<()>>,
}

#[expect(
    clippy::disallowed_methods,
    reason = "the SDK signs with the machine's clock, and the lab compares"
)]
fn clock() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Timestamp::from_seconds(i64::try_from(since.unwrap().as_secs()).unwrap())
}

impl Served {
    pub(crate) fn new(world: World) -> Self {
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(loopback(0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let lab = Arc::new(Lab::new(world));
        let server = Server {
            lab: Arc::clone(&lab),
            clock,
            state: None,
            reach: Reach::Loopback,
        };
        let (stop, stopped) = tokio::sync::oneshot::channel();
        runtime.spawn(server.serve(listener, async { stopped.await.unwrap_or(()) }));
        Self {
            lab,
            url,
            runtime,
            stop: Some(stop),
        }
    }

    /// The world, for what only it knows.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.lab.world()
    }

    /// Options of whoever has a key.
    pub(crate) fn options(&self, key: &Key) -> Options {
        Options {
            credential: Some(Credential::new(&key.id, &key.secret, None)),
            endpoint_url: Some(self.url.clone()),
            ..Options::default()
        }
    }

    pub(crate) fn session(&self, key: &Key) -> Session {
        Session::connect(self.options(key)).unwrap()
    }

    /// Prepares the account by calls that the crate under test does not make.
    pub(crate) fn prepare<T>(
        &self,
        key: &Key,
        what: impl AsyncFnOnce(aws_sdk_iam::Client) -> T,
    ) -> T {
        let client = aws_sdk_iam::Client::new(&self.sdk(key));
        self.runtime.block_on(what(client))
    }

    /// A trail in a bucket of its own, logging; and service control policies enabled.
    pub(crate) fn with_trail_and_scps(&self, key: &Key) {
        let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*",
            "Action":["s3:GetBucketAcl","s3:PutObject"],"Resource":["arn:aws:s3:::logs","arn:aws:s3:::logs/*"]}]}"#;
        let bucket = Bucket {
            account: ACCOUNT.to_owned(),
            region: "us-east-1".to_owned(),
            policy: Some(Document::parse("logs", policy).unwrap()),
            ..Bucket::default()
        };
        self.world().s3.buckets.insert("logs".to_owned(), bucket);
        let (trails, organizations) = (
            aws_sdk_cloudtrail::Client::new(&self.sdk(key)),
            aws_sdk_organizations::Client::new(&self.sdk(key)),
        );
        self.runtime.block_on(async {
            let trail = trails.create_trail().name("all").s3_bucket_name("logs");
            let trail = trail.is_multi_region_trail(true);
            trail.enable_log_file_validation(true).send().await.unwrap();
            trails.start_logging().name("all").send().await.unwrap();
            let roots = organizations.list_roots().send().await.unwrap();
            let root = roots.roots().first().unwrap().id().unwrap().to_owned();
            let enable = organizations.enable_policy_type().root_id(root);
            let scp = PolicyType::ServiceControlPolicy;
            enable.policy_type(scp).send().await.unwrap();
        });
    }

    fn sdk(&self, key: &Key) -> SdkConfig {
        let credentials = Credentials::new(&key.id, &key.secret, None, None, "test");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .region(Region::new("us-east-1"))
            .endpoint_url(&self.url)
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }
}

/// A call in an account.
pub(crate) fn call_in(account: &str, service: &str, action: &str, parameters: &Value) -> Call {
    Call {
        service: service.to_owned(),
        action: action.to_owned(),
        account: Untrusted::new(account),
        parameters: parameters.as_object().cloned().unwrap_or_else(Map::new),
    }
}

/// Makes a call in the first account.
pub(crate) fn ask(
    session: &mut Session,
    service: &str,
    action: &str,
    parameters: &Value,
) -> Result<Answer, Refusal> {
    session.call(&call_in(ACCOUNT, service, action, parameters))
}

/// A world of two accounts in one organization; the root key of the first.
pub(crate) fn world() -> (World, Key) {
    let mut world = World::new(1, unchain_lab::world::Settings::default());
    let (id, secret) = world.add_account(ACCOUNT, "one");
    world.add_account(OTHER, "two");
    unchain_lab::organizations::unite(&mut world).unwrap();
    (world, Key { id, secret })
}

/// An administrator of the first account, who unlike root may assume roles.
pub(crate) fn administrator(served: &Served, root: &Key) -> Key {
    served.prepare(root, async |iam| {
        let name = "responder";
        iam.create_user().user_name(name).send().await.unwrap();
        let arn = "arn:aws:iam::aws:policy/AdministratorAccess";
        let attach = iam.attach_user_policy().user_name(name);
        attach.policy_arn(arn).send().await.unwrap();
        let made = iam
            .create_access_key()
            .user_name(name)
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
