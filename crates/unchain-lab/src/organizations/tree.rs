//! Root, units and accounts, and the control policies attached to them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::error;
use crate::call::Fault;
use crate::iam::Document;

/// The two types of control policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    /// `SERVICE_CONTROL_POLICY`
    ServiceControl,
    /// `RESOURCE_CONTROL_POLICY`
    ResourceControl,
}

impl Kind {
    /// The API's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::ServiceControl => "SERVICE_CONTROL_POLICY",
            Self::ResourceControl => "RESOURCE_CONTROL_POLICY",
        }
    }

    /// The part of a policy's ARN that names its type.
    pub(super) fn in_arn(self) -> &'static str {
        match self {
            Self::ServiceControl => "service_control_policy",
            Self::ResourceControl => "resource_control_policy",
        }
    }

    /// The type of a name.
    pub(super) fn named(name: &str) -> Result<Self, Fault> {
        [Self::ServiceControl, Self::ResourceControl]
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| {
                error(
                    "InvalidInputException",
                    format!("The lab has no policies of the type `{name}`."),
                )
            })
    }

    /// The id of AWS's policy of this type that allows everything
    /// (docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_strategies.html).
    pub(super) fn full_access(self) -> &'static str {
        match self {
            Self::ServiceControl => "p-FullAWSAccess",
            Self::ResourceControl => "p-RCPFullAWSAccess",
        }
    }
}

/// An organizational unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// The name, unique below its parent.
    pub name: String,
    /// The id of a unit or the root.
    pub parent: String,
}

/// A control policy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ControlPolicy {
    /// The name, unique in the organization.
    pub name: String,
    /// Free text.
    pub description: String,
    /// The type.
    pub kind: Kind,
    /// What it says.
    pub document: Document,
}

/// The tree.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Tree {
    /// `r-` and four letters or digits.
    pub root: String,
    /// Units by id.
    pub units: BTreeMap<String, Unit>,
    /// Each account's parent.
    pub accounts: BTreeMap<String, String>,
    /// Policy types in force.
    pub enabled: BTreeSet<Kind>,
    /// Policies by id, with AWS's own.
    pub policies: BTreeMap<String, ControlPolicy>,
    /// Ids of attached policies by root, unit or account.
    pub attached: BTreeMap<String, Vec<String>>,
}

impl Tree {
    pub(super) fn new(root: &str, management: &str) -> Result<Self, Fault> {
        let mut policies = BTreeMap::new();
        let full = [
            (
                Kind::ServiceControl,
                r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#,
                "FullAWSAccess",
            ),
            (
                Kind::ResourceControl,
                r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#,
                "RCPFullAWSAccess",
            ),
        ];
        for (kind, text, name) in full {
            let policy = ControlPolicy {
                name: name.to_owned(),
                description: "Allows access to every operation".to_owned(),
                kind,
                document: read(kind.full_access(), text)?,
            };
            policies.insert(kind.full_access().to_owned(), policy);
        }
        Ok(Self {
            root: root.to_owned(),
            units: BTreeMap::new(),
            accounts: BTreeMap::from([(management.to_owned(), root.to_owned())]),
            enabled: BTreeSet::new(),
            policies,
            attached: BTreeMap::new(),
        })
    }

    /// Whether there is a root, unit or account of this id.
    pub(super) fn has(&self, id: &str) -> bool {
        self.is_parent(id) || self.accounts.contains_key(id)
    }

    /// Whether there is a root or unit of this id.
    pub(super) fn is_parent(&self, id: &str) -> bool {
        self.root == id || self.units.contains_key(id)
    }

    /// Ids from the root to a unit or account; empty for what is not in the tree.
    pub(super) fn path(&self, id: &str) -> Vec<&str> {
        let mut path = Vec::new();
        let mut at = self.keys(id);
        while let Some((id, parent)) = at {
            path.push(id);
            at = parent.and_then(|parent| self.keys(parent));
            if path.len() > self.units.len() + 2 {
                break;
            }
        }
        path.reverse();
        path
    }

    /// The tree's own copy of an id, and its parent.
    fn keys(&self, id: &str) -> Option<(&str, Option<&str>)> {
        if self.root == id {
            return Some((&self.root, None));
        }
        let unit = self.units.get_key_value(id);
        unit.map(|(id, unit)| (id.as_str(), Some(unit.parent.as_str())))
            .or_else(|| {
                let account = self.accounts.get_key_value(id);
                account.map(|(id, parent)| (id.as_str(), Some(parent.as_str())))
            })
    }

    /// A unit's or account's parent.
    pub(super) fn parent(&self, id: &str) -> Option<&str> {
        self.keys(id)?.1
    }

    /// Policies of a type attached to one target.
    pub(super) fn on<'a>(
        &'a self,
        target: &str,
        kind: Kind,
    ) -> impl Iterator<Item = (&'a String, &'a ControlPolicy)> {
        let ids = self.attached.get(target).map_or(&[][..], Vec::as_slice);
        ids.iter()
            .filter_map(|id| self.policies.get_key_value(id))
            .filter(move |(_, policy)| policy.kind == kind)
    }

    /// Policies of a type over an account, by level.
    pub(super) fn over(&self, account: &str, kind: Kind) -> Vec<Vec<&Document>> {
        if !self.enabled.contains(&kind) {
            return Vec::new();
        }
        self.path(account)
            .into_iter()
            .map(|id| {
                self.on(id, kind)
                    .map(|(_, policy)| &policy.document)
                    .collect()
            })
            .collect()
    }

    /// Attaches the policies that allow everything, of all types in force, as every new target has.
    pub(super) fn open(&mut self, target: &str) {
        let full: Vec<String> = self
            .enabled
            .iter()
            .map(|kind| kind.full_access().to_owned())
            .collect();
        let ids = self.attached.entry(target.to_owned()).or_default();
        for id in full {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
    }

    /// All targets: root, units, accounts.
    pub(super) fn targets(&self) -> Vec<String> {
        let units = self.units.keys();
        let accounts = self.accounts.keys();
        std::iter::once(&self.root)
            .chain(units)
            .chain(accounts)
            .cloned()
            .collect()
    }
}

/// A control policy's document.
pub(super) fn read(id: &str, text: &str) -> Result<Document, Fault> {
    Document::parse(id, text).map_err(|problem| {
        error(
            "MalformedPolicyDocumentException",
            format!("The provided policy document does not meet the requirements of the specified policy type: {problem}"),
        )
    })
}
