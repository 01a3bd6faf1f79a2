//! The SDK's clients, as we want them: how often they repeat, how long they wait, by which TLS.

use crate::error::AwsError;
use crate::once::Once;
use crate::options::Options;
use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_iam::config::retry::{RetryPartition, TokenBucket};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use std::time::Duration;

/// How often a call is sent at most. Organizations lets two changes a second through
/// (organizations/latest/userguide/orgs_reference_limits.html), which five attempts with growing pauses ride out.
const ATTEMPTS: u32 = 5;
/// Time for a connection, for one attempt, and for a call with all its attempts.
const CONNECT: Duration = Duration::from_secs(5);
const ATTEMPT: Duration = Duration::from_secs(30);
const CALL: Duration = Duration::from_secs(120);
/// The first pause before a call is sent again; later ones are longer, up to twenty seconds.
const PAUSE: Duration = if cfg!(test) {
    Duration::from_millis(1)
} else {
    Duration::from_secs(1)
};
/// Where there is no other word: IAM and Organizations are there (general/latest/gr/iam-service.html).
const REGION: &str = "us-east-1";

/// The clients of one account in one region.
#[derive(Clone, Debug)]
pub(crate) struct Clients {
    /// IAM.
    pub(crate) iam: aws_sdk_iam::Client,
    /// IAM, for what must not be done twice.
    pub(crate) iam_once: aws_sdk_iam::Client,
    /// Organizations.
    pub(crate) organizations: aws_sdk_organizations::Client,
    /// Organizations, for what must not be done twice.
    pub(crate) organizations_once: aws_sdk_organizations::Client,
    /// IAM Roles Anywhere.
    pub(crate) rolesanywhere: aws_sdk_rolesanywhere::Client,
    /// CloudTrail.
    pub(crate) cloudtrail: aws_sdk_cloudtrail::Client,
    /// STS.
    pub(crate) sts: aws_sdk_sts::Client,
}

impl Clients {
    pub(crate) fn new(config: &SdkConfig) -> Self {
        let own = aws_sdk_iam::config::Builder::from;
        let iam = own(config).retry_partition(patient());
        let iam_once = iam.clone().retry_classifier(Once);
        let own = aws_sdk_organizations::config::Builder::from;
        let organizations = own(config).retry_partition(patient());
        let organizations_once = organizations.clone().retry_classifier(Once);
        let own = aws_sdk_rolesanywhere::config::Builder::from;
        let rolesanywhere = own(config).retry_partition(patient());
        let own = aws_sdk_cloudtrail::config::Builder::from;
        let cloudtrail = own(config).retry_partition(patient());
        Self {
            iam: aws_sdk_iam::Client::from_conf(iam.build()),
            iam_once: aws_sdk_iam::Client::from_conf(iam_once.build()),
            organizations: aws_sdk_organizations::Client::from_conf(organizations.build()),
            organizations_once: aws_sdk_organizations::Client::from_conf(
                organizations_once.build(),
            ),
            rolesanywhere: aws_sdk_rolesanywhere::Client::from_conf(rolesanywhere.build()),
            cloudtrail: aws_sdk_cloudtrail::Client::from_conf(cloudtrail.build()),
            sts: aws_sdk_sts::Client::new(config),
        }
    }
}

/// Lets every call have all its attempts. The SDK would have all calls of a service share a stock of some hundred
/// repetitions, and give up at the first refusal once it is used up: a long plan would stop there.
fn patient() -> RetryPartition {
    RetryPartition::custom("unchain")
        .token_bucket(TokenBucket::unlimited())
        .build()
}

/// The configuration that calls in the caller's own account are made with.
pub(crate) async fn base(options: &Options) -> Result<SdkConfig, AwsError> {
    let tls = Provider::Rustls(CryptoMode::Ring);
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(
            aws_smithy_http_client::Builder::new()
                .tls_provider(tls)
                .build_https(),
        )
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(ATTEMPTS)
                .with_initial_backoff(PAUSE),
        )
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(CONNECT)
                .operation_attempt_timeout(ATTEMPT)
                .operation_timeout(CALL)
                .build(),
        );
    if let Some(profile) = &options.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(credential) = &options.credential {
        loader = loader.credentials_provider(credential.0.clone());
    }
    if let Some(region) = &options.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(url) = options.endpoint()? {
        loader = loader.endpoint_url(url);
    }
    let config = loader.load().await;
    let config = match config.region() {
        Some(_) => config,
        None => in_region(&config, REGION),
    };
    Ok(match &options.role_arn {
        Some(role) => assuming(&config, role, options).await,
        None => config,
    })
}

/// The same in another region.
pub(crate) fn in_region(config: &SdkConfig, region: &str) -> SdkConfig {
    config
        .to_builder()
        .region(Region::new(region.to_owned()))
        .build()
}

/// The same with the credentials of a role, which are renewed as they run out.
pub(crate) async fn assuming(config: &SdkConfig, role: &str, options: &Options) -> SdkConfig {
    let mut provider = AssumeRoleProvider::builder(role)
        .session_name(options.session_name())
        .configure(config);
    if let Some(id) = &options.external_id {
        provider = provider.external_id(id);
    }
    let from = config.credentials_provider();
    let provider = match from {
        Some(from) => provider.build_from_provider(from).await,
        None => provider.build().await,
    };
    config
        .to_builder()
        .credentials_provider(SharedCredentialsProvider::new(provider))
        .build()
}
