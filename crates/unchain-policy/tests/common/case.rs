//! Cases of policy evaluation as JSON, one a line; docs/policy-cases.md says what they hold.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use unchain_policy::{
    Cited, Context, Decision, Grant, Layers, Named, Policy, PolicyError, Principal, Request,
    ResourceKind, ResourcePolicy, evaluate,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) source: Option<String>,
    pub(crate) expect: Option<String>,
    because: Option<String>,
    keys: Option<Vec<String>>,
    #[serde(rename = "oracle")]
    _oracle: Option<String>,
    request: CaseRequest,
    #[serde(default)]
    identity: Vec<Value>,
    boundary: Option<Vec<Value>>,
    session: Option<Vec<Value>>,
    resource_policy: Option<Value>,
    trust_policy: Option<Value>,
    #[serde(default)]
    scps: Vec<Vec<Value>>,
    #[serde(default)]
    rcps: Vec<Vec<Value>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseRequest {
    principal: CasePrincipal,
    action: String,
    resource: String,
    resource_account: Option<String>,
    #[serde(default)]
    context: BTreeMap<String, OneOrMany>,
    #[serde(default)]
    unknown: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CasePrincipal {
    arn: Option<String>,
    account: Option<String>,
    user_id: Option<String>,
    role_arn: Option<String>,
    canonical_user: Option<String>,
    service: Option<String>,
    federated: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// What is printed for a case.
#[derive(Debug, Serialize)]
pub(crate) struct Answer {
    pub(crate) name: String,
    pub(crate) decision: &'static str,
    /// The statement that allows or denies, as `policy#sid`; the layer without an allow.
    pub(crate) because: String,
    /// The unknown keys that decide.
    pub(crate) keys: Vec<String>,
    /// What is still possible when keys decide.
    pub(crate) possible: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) agrees: Option<bool>,
    /// The page that decides it, where the answer does not agree.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<String>,
}

impl Case {
    pub(crate) fn answer(&self) -> Result<Answer, PolicyError> {
        let documents = Documents::read(self)?;
        let principal = self.request.principal.build();
        let context = self.request.context();
        let request = Request {
            principal: &principal,
            action: &self.request.action,
            resource: &self.request.resource,
            resource_account: self.request.resource_account.as_deref(),
            context: &context,
        };
        Ok(self.told(evaluate(&request, &documents.layers())))
    }

    fn told(&self, decision: Decision) -> Answer {
        let word = decision.word();
        let (because, keys, possible) = match decision {
            Decision::Allowed(grant) => (of_grant(&grant), Vec::new(), Vec::new()),
            Decision::ExplicitlyDenied(cited) => (of_cited(&cited), Vec::new(), Vec::new()),
            Decision::ImplicitlyDenied(layer) => (layer.to_string(), Vec::new(), Vec::new()),
            Decision::Depends(depends) => {
                let possible = [
                    depends.allowed.map(|_| "allowed"),
                    depends.explicitly_denied.map(|_| "explicitly_denied"),
                    depends.implicitly_denied.map(|_| "implicitly_denied"),
                ];
                let keys = depends.keys.into_iter().collect();
                (
                    String::new(),
                    keys,
                    possible.into_iter().flatten().collect(),
                )
            }
        };
        let as_expected = |expected: &String| {
            expected == word
                && self
                    .because
                    .as_ref()
                    .is_none_or(|expected| *expected == because)
                && self.keys.as_ref().is_none_or(|expected| *expected == keys)
        };
        let agrees = self.expect.as_ref().map(as_expected);
        Answer {
            name: self.name.clone(),
            decision: word,
            agrees,
            source: self.source.clone().filter(|_| agrees == Some(false)),
            because,
            keys,
            possible,
        }
    }
}

fn of_cited(cited: &Cited) -> String {
    match &cited.sid {
        Some(sid) => format!("{}#{sid}", cited.policy),
        None => format!("{}#{}", cited.policy, cited.statement),
    }
}

fn of_grant(grant: &Grant) -> String {
    match grant {
        Grant::Statement(cited) => of_cited(cited),
        Grant::RootUser => "root user".to_owned(),
        Grant::NoPermissionNeeded => "no permission needed".to_owned(),
    }
}

impl CaseRequest {
    fn context(&self) -> Context {
        let mut context = Context::new();
        for (key, values) in &self.context {
            context = match values {
                OneOrMany::One(value) => context.with(key, value),
                OneOrMany::Many(values) => context.with_all(key, values),
            };
        }
        for key in &self.unknown {
            context = match key.as_str() {
                "*" => context.others_unknown(),
                key => context.unknown(key),
            };
        }
        context
    }
}

impl CasePrincipal {
    fn build(&self) -> Principal {
        let mut principal = match (&self.arn, &self.service, &self.federated) {
            (Some(arn), ..) => Principal::from_arn(arn),
            (None, Some(service), _) => Principal::service(service),
            (None, None, Some(provider)) => Principal::federated(provider),
            (None, None, None) => Principal::anonymous(),
        };
        if let Some(account) = &self.account {
            principal = principal.in_account(account);
        }
        if let Some(id) = &self.user_id {
            principal = principal.with_user_id(id);
        }
        if let Some(arn) = &self.role_arn {
            principal = principal.issued_by(arn);
        }
        if let Some(id) = &self.canonical_user {
            principal = principal.with_canonical_user(id);
        }
        principal
    }
}

/// A case's policies, parsed and named by their place.
struct Documents {
    identity: Vec<(String, Policy)>,
    boundary: Option<Vec<(String, Policy)>>,
    session: Option<Vec<(String, Policy)>>,
    resource: Option<(String, Policy)>,
    kind: ResourceKind,
    scps: Vec<Vec<(String, Policy)>>,
    rcps: Vec<Vec<(String, Policy)>>,
}

impl Documents {
    fn read(case: &Case) -> Result<Self, PolicyError> {
        let optional = |name: &str, list: &Option<Vec<Value>>| {
            list.as_ref().map(|list| read(name, list)).transpose()
        };
        let levels = |name: &str, levels: &[Vec<Value>]| {
            let levels = levels.iter().enumerate();
            levels
                .map(|(level, list)| read(&format!("{name}[{level}]"), list))
                .collect::<Result<Vec<_>, _>>()
        };
        let (name, kind, document) = match &case.trust_policy {
            Some(document) => ("trust_policy", ResourceKind::Trust, Some(document)),
            None if case.request.resource.split(':').nth(2) == Some("kms") => (
                "resource_policy",
                ResourceKind::Key,
                case.resource_policy.as_ref(),
            ),
            None => (
                "resource_policy",
                ResourceKind::Ordinary,
                case.resource_policy.as_ref(),
            ),
        };
        let resource = document.map(Policy::from_value).transpose()?;
        Ok(Self {
            identity: read("identity", &case.identity)?,
            boundary: optional("boundary", &case.boundary)?,
            session: optional("session", &case.session)?,
            resource: resource.map(|policy| (name.to_owned(), policy)),
            kind,
            scps: levels("scps", &case.scps)?,
            rcps: levels("rcps", &case.rcps)?,
        })
    }

    fn layers(&self) -> Layers<'_> {
        Layers {
            identity: named(&self.identity).collect(),
            boundary: self.boundary.as_ref().map(|list| named(list).collect()),
            session: self.session.as_ref().map(|list| named(list).collect()),
            resource: named(self.resource.as_slice())
                .next()
                .map(|named| ResourcePolicy {
                    named,
                    kind: self.kind,
                }),
            scps: by_level(&self.scps),
            rcps: by_level(&self.rcps),
        }
    }
}

fn read(name: &str, documents: &[Value]) -> Result<Vec<(String, Policy)>, PolicyError> {
    let documents = documents.iter().enumerate();
    documents
        .map(|(index, document)| Ok((format!("{name}[{index}]"), Policy::from_value(document)?)))
        .collect()
}

fn named(policies: &[(String, Policy)]) -> impl Iterator<Item = Named<'_>> {
    policies.iter().map(|(name, policy)| Named { name, policy })
}

fn by_level(levels: &[Vec<(String, Policy)>]) -> Vec<Vec<Named<'_>>> {
    levels.iter().map(|list| named(list).collect()).collect()
}
