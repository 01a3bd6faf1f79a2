//! What a credential of a lineage is answered: three calls that change nothing and mint nothing.

use crate::actions;
use crate::clients::{Clients, base};
use crate::error::AwsError;
use crate::options::Options;
use crate::refusal::refused;
use crate::session::call;
use aws_credential_types::provider::ProvideCredentials as _;
use unchain_core::contain::{Call, Refusal, RefusalKind, Reply};
use unchain_core::text::Untrusted;

/// Each is denied to whom a plan denies everything. `GetCallerIdentity` is not among them: it is answered whatever is
/// denied (STS API Reference).
const ASKED: [(&str, &str); 3] = [
    ("iam", "GetUser"),
    ("organizations", "DescribeOrganization"),
    ("cloudtrail", "DescribeTrails"),
];

/// Tries the credential that the options name. The calls are logged by CloudTrail as any others are; whoever reads the
/// log must know them for what they are.
///
/// # Errors
///
/// When the options name no credential. What AWS answers is no error, but what was asked.
pub fn probe(options: &Options) -> Result<Vec<Reply>, AwsError> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().map_err(AwsError::Runtime)?;
    runtime.block_on(async {
        let config = base(options).await?;
        let none = || AwsError::Caller {
            refusal: Box::new(refused(
                RefusalKind::Denied,
                "NoCredentials",
                "no credential is named",
            )),
        };
        let provider = config.credentials_provider().ok_or_else(none)?;
        let found = provider.provide_credentials().await.map_err(|_| none())?;
        let (key, clients) = (Untrusted::new(found.access_key_id()), Clients::new(&config));
        let mut replies = Vec::new();
        for (service, action) in ASKED {
            let asked = call((service, action), "", &[]);
            let refusal = actions::call(&clients, &asked).await.err();
            replies.push(reply(&key, asked, refusal));
        }
        Ok(replies)
    })
}

fn reply(key: &Untrusted, asked: Call, refusal: Option<Refusal>) -> Reply {
    // The SDK's own retries end in these; the status is told, so that nothing is concluded from the code.
    let failed = |refusal: &Refusal| refusal.kind == RefusalKind::Throttled;
    Reply {
        access_key_id: key.clone(),
        service: asked.service,
        action: asked.action,
        status: refusal.as_ref().filter(|r| failed(r)).map(|_| 503),
        message: refusal
            .as_ref()
            .map(|r| r.message.clone())
            .unwrap_or_default(),
        code: refusal.map(|r| r.code),
    }
}
