//! A trail: what it selects, where it delivers, and how far it is
//! (docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_Trail.html).

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::digest::Chain;

/// Where log files go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    /// A bucket of the lab, below a prefix without slashes at its ends, or none.
    Bucket {
        /// The bucket's name.
        name: String,
        /// `S3KeyPrefix`.
        prefix: Option<String>,
    },
    /// A folder of the host: the files of the lab's own trail.
    Folder(PathBuf),
}

/// A trail.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Trail {
    /// The name.
    pub name: String,
    /// The ARN.
    pub arn: String,
    /// The account that owns it; of the lab's own trail none.
    pub account: String,
    /// `HomeRegion`.
    pub home: String,
    /// Where it delivers.
    pub place: Place,
    /// The topic's ARN, as `SnsTopicARN`.
    pub topic: Option<String>,
    /// `IncludeGlobalServiceEvents`.
    pub global_events: bool,
    /// `IsMultiRegionTrail`.
    pub multi_region: bool,
    /// `IsOrganizationTrail`.
    pub organization: bool,
    /// `LogFileValidationEnabled`.
    pub validation: bool,
    /// What the lab keeps without acting on it: CloudWatch Logs and KMS, under the API's names.
    pub kept: BTreeMap<String, String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// `EventSelectors`, in the API's form; empty: management events, all.
    pub selectors: Vec<Value>,
    /// `AdvancedEventSelectors`, in the API's form; if there are any, only they count.
    pub advanced: Vec<Value>,
    /// Whether it is logging.
    pub logging: bool,
    /// Instants of its life.
    pub status: Status,
    /// Chains of digests, by account and region.
    pub chains: BTreeMap<String, Chain>,
}

/// What `GetTrailStatus` tells; all virtual seconds since 1970.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Status {
    /// Logging began.
    pub started: Option<i64>,
    /// Logging ended.
    pub stopped: Option<i64>,
    /// The last log file.
    pub delivered: Option<i64>,
    /// The error of the last attempt; none when it went well.
    pub delivery_error: Option<String>,
    /// The last digest.
    pub digested: Option<i64>,
    /// The last notification.
    pub notified: Option<i64>,
}

impl Trail {
    /// A trail with the settings that `CreateTrail` gives when nothing is said: not logging, one region.
    pub fn new(name: &str, account: &str, home: &str, place: Place) -> Self {
        Self {
            name: name.to_owned(),
            arn: arn(account, home, name),
            account: account.to_owned(),
            home: home.to_owned(),
            place,
            topic: None,
            global_events: true,
            multi_region: false,
            organization: false,
            validation: false,
            kept: BTreeMap::new(),
            tags: BTreeMap::new(),
            selectors: Vec::new(),
            advanced: Vec::new(),
            logging: false,
            status: Status::default(),
            chains: BTreeMap::new(),
        }
    }

    /// The lab's own trail: all accounts, all regions, all events, into a folder of the host.
    pub fn of_folder(folder: PathBuf) -> Self {
        Self {
            arn: super::OWN.to_owned(),
            multi_region: true,
            validation: true,
            logging: true,
            ..Self::new("lab", "", "us-east-1", Place::Folder(folder))
        }
    }

    /// Whether it is the lab's own.
    pub fn is_own(&self) -> bool {
        self.account.is_empty()
    }

    /// Whether records of a region are its business; `global`: the record is of a service without regions.
    pub fn covers_region(&self, region: &str, global: bool) -> bool {
        (self.multi_region || self.home == region) && (self.global_events || !global)
    }

    /// What stands before `AWSLogs/` in its keys.
    pub fn prefix(&self) -> String {
        match &self.place {
            Place::Bucket {
                prefix: Some(prefix),
                ..
            } => format!("{prefix}/"),
            _ => String::new(),
        }
    }

    /// The bucket's name; empty for a folder.
    pub fn bucket(&self) -> &str {
        match &self.place {
            Place::Bucket { name, .. } => name,
            Place::Folder(_) => "",
        }
    }
}

/// A trail's ARN.
pub(super) fn arn(account: &str, region: &str, name: &str) -> String {
    format!("arn:aws:cloudtrail:{region}:{account}:trail/{name}")
}
