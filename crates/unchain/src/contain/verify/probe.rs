//! Trying a credential of the lineage that the responder holds.

use anyhow::Context as _;
use clap::Args;
use unchain_aws::{Options, probe};
use unchain_core::contain::Reply;

/// The credential that is tried.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Probe")]
pub(super) struct ProbeArgs {
    /// Make three calls that change nothing with a credential of the lineage: iam:GetUser,
    /// organizations:DescribeOrganization, cloudtrail:DescribeTrails. The profile of the AWS configuration
    /// files that has the credential
    #[arg(long, value_name = "PROFILE")]
    probe_profile: Option<String>,
    /// Where all services are reached for these calls: a lab or an emulator
    #[arg(long, value_name = "URL", requires = "probe_profile")]
    probe_endpoint_url: Option<String>,
}

impl ProbeArgs {
    /// The answers; none where no credential is to be tried.
    pub(super) fn replies(&self) -> anyhow::Result<Vec<Reply>> {
        if self.probe_profile.is_none() {
            return Ok(Vec::new());
        }
        let options = Options {
            profile: self.probe_profile.clone(),
            endpoint_url: self.probe_endpoint_url.clone(),
            ..Options::default()
        };
        probe(&options).context(
            "the credential could not be tried; look at the profile with `aws configure list`",
        )
    }
}
