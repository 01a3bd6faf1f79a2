//! What all calls have in common: who is seen to make them, how a failure looks, how a new credential is
//! entered. It must not know any particular call.

use super::{Actor, Event};
use crate::cast::PrincipalKind;
use crate::error::Fault;
use crate::ident::{Prefix, address, guid, session_token};
use crate::record::{Draft, Failure, base_identity, user_identity};
use crate::script::Asked;
use crate::time::{elements_date, later};
use crate::truth::{Basis, Edge, Kind, Made, Token};
use crate::world::{Credential, Identity, Principal, World};
use jiff::Timestamp;
use serde_json::{Value, json};

/// A credential about to be entered.
#[derive(Debug)]
pub(crate) struct Grant {
    pub(crate) kind: Kind,
    pub(crate) key: Option<String>,
    pub(crate) identity: Identity,
    /// Seconds until it expires, where anyone knows.
    pub(crate) lasts: Option<i64>,
    pub(crate) mfa: bool,
}

/// How a new credential hangs on what was before.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) parent: Parent,
    pub(crate) api: String,
    pub(crate) basis: Basis,
    pub(crate) event_ids: Vec<String>,
}

/// The upper end of an edge.
#[derive(Debug, Clone)]
pub(crate) struct Parent {
    pub(crate) key: Option<String>,
    pub(crate) principal: String,
    pub(crate) account: Option<String>,
}

impl Link {
    /// One record names both ends.
    pub(crate) fn recorded(draft: &Draft) -> Self {
        Self {
            parent: Parent::of(draft),
            api: draft.name.clone(),
            basis: Basis::Recorded,
            event_ids: vec![draft.event_id.clone()],
        }
    }
}

impl Parent {
    /// Whoever the record says made the call.
    pub(crate) fn of(draft: &Draft) -> Self {
        let field = |name: &str| {
            draft
                .identity
                .get(name)
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        let principal = field("arn")
            .or_else(|| field("invokedBy"))
            .or_else(|| field("principalId"));
        Self {
            key: field("accessKeyId"),
            principal: principal.unwrap_or_default(),
            account: field("accountId"),
        }
    }
}

impl World {
    /// Begins the record of a call, counting it as a use of the credential that makes it.
    pub(crate) fn draft(&mut self, event: &Event<'_>, source: &str, name: &str) -> Draft {
        let who = event.statement.words.first().map_or("", String::as_str);
        let seed = format!("{}|{who}|{name}|{}", event.at, event.objects.join(" "));
        let seed = self.unique(&seed);
        let region = match source {
            "iam" | "organizations" => "us-east-1",
            _ => event.option("region").unwrap_or(&self.region),
        };
        let mut draft = Draft {
            at: event.at,
            source: source.to_owned(),
            name: name.to_owned(),
            identity: Value::Null,
            region: region.to_owned(),
            address: String::new(),
            agent: String::new(),
            failure: None,
            params: Value::Null,
            response: Value::Null,
            additional: Value::Null,
            request_id: guid(&["request", &seed]),
            event_id: guid(&["event", &seed]),
            read_only: super::plain::reads(name),
            resources: Vec::new(),
            event_type: "AwsApiCall",
            data: false,
            recipient: String::new(),
            endpoint: event.option("endpoint").map(str::to_owned),
            shared: None,
            details: Value::Null,
            from_console: false,
        };
        self.identify(event, &mut draft);
        draft.failure = failure(event, &draft);
        draft
    }

    /// Fills in who is seen to act, from where and with what.
    fn identify(&mut self, event: &Event<'_>, draft: &mut Draft) {
        match &event.actor {
            Actor::Credential(place) => self.identify_credential(event, *place, draft),
            Actor::Principal(principal) => {
                draft.identity = principal_identity(principal);
                draft.recipient.clone_from(&principal.account);
                draft.address.clone_from(&principal.address);
                draft.agent.clone_from(&principal.agent);
            }
            Actor::Service(service) => {
                draft.identity = json!({ "type": "AWSService", "invokedBy": service });
                draft.address.clone_from(service);
                draft.agent.clone_from(service);
                let first = self.accounts.first();
                draft.recipient = first
                    .map(|account| account.number.clone())
                    .unwrap_or_default();
            }
            Actor::Provider(name) | Actor::Certificate(name) => {
                draft.address = address(name);
                USER_AGENT.clone_into(&mut draft.agent);
            }
        }
        if let Some(from) = event.option("from") {
            from.clone_into(&mut draft.address);
        }
        if let Some(agent) = event.option("agent") {
            agent.clone_into(&mut draft.agent);
        }
    }

    fn identify_credential(&mut self, event: &Event<'_>, place: usize, draft: &mut Draft) {
        let Some(credential) = self.credentials.get_mut(place) else {
            return;
        };
        draft.recipient.clone_from(&credential.identity.account);
        if let Some(service) = event.option("via") {
            let credential = credential.clone();
            return self.forward(&credential, service, draft);
        }
        if let Some(from) = event.option("from") {
            from.clone_into(&mut credential.address);
        }
        if let Some(agent) = event.option("agent") {
            agent.clone_into(&mut credential.agent);
        }
        draft.address.clone_from(&credential.address);
        draft.agent.clone_from(&credential.agent);
        let credential = credential.clone();
        if let Some(token) = self.truth.tokens.get_mut(credential.token) {
            token.uses += 1;
        }
        if credential.mints() && draft.source != "signin" {
            draft.from_console = true;
            let key = self.mint(&credential, draft);
            draft.identity = user_identity(&credential, Some(&key));
        } else {
            draft.identity = user_identity(&credential, credential.key.as_deref());
        }
    }

    /// A service acts on behalf of a caller: the caller's identity, a key that nobody issued.
    fn forward(&mut self, credential: &Credential, service: &str, draft: &mut Draft) {
        let account = credential.identity.account.clone();
        let label = format!("{} via {service}", credential.label);
        let key = self.new_key(Prefix::TemporaryKey, &account, &label);
        draft.identity = user_identity(credential, Some(&key));
        if credential.kind == Kind::LongTermKey
            && let Value::Object(fields) = &mut draft.identity
        {
            let attributes = json!({
                "creationDate": draft.at.to_string(),
                "mfaAuthenticated": "false",
            });
            fields.insert(
                "sessionContext".to_owned(),
                json!({ "attributes": attributes }),
            );
        }
        if let Value::Object(fields) = &mut draft.identity {
            fields.insert("invokedBy".to_owned(), json!(service));
        }
        service.clone_into(&mut draft.address);
        service.clone_into(&mut draft.agent);
        let token = Token {
            label,
            key: Some(key),
            kind: Kind::ForwardedKey,
            principal: credential.identity.arn.clone(),
            account,
            issued_at: None,
            expires_at: None,
            uses: 1,
        };
        self.truth.tokens.push(token);
    }

    /// The console makes a key for the request. No record says so; principal and creation time do.
    fn mint(&mut self, session: &Credential, draft: &Draft) -> String {
        let account = session.identity.account.clone();
        let label = format!("{} console", session.label);
        let key = self.new_key(Prefix::TemporaryKey, &account, &label);
        let mut event_ids = session.began.clone();
        event_ids.push(draft.event_id.clone());
        self.truth.tokens.push(Token {
            label,
            key: Some(key.clone()),
            kind: Kind::ConsoleKey,
            principal: session.identity.arn.clone(),
            account,
            issued_at: Some(session.created.to_string()),
            expires_at: None,
            uses: 1,
        });
        self.truth.edges.push(Edge {
            parent_key: None,
            parent_principal: session.identity.arn.clone(),
            child_key: Some(key.clone()),
            child_principal: session.identity.arn.clone(),
            api: session.api.clone(),
            time: session.created.to_string(),
            basis: Basis::Matched,
            event_ids,
            cross_account: false,
        });
        key
    }

    /// Writes a finished record, if the account that receives it is one whose trail we have.
    pub(crate) fn emit(&mut self, draft: Draft) {
        let logged = self.is_logged(&draft.recipient);
        if let Some(asked) = &mut self.asked {
            asked.push(Asked::of(&draft, logged));
        }
        if self.is_logged(&draft.recipient) {
            self.records.push((draft.at, draft.write()));
        }
    }

    /// Enters a credential that `event` gave: by its label if it has one, and into the truth.
    pub(crate) fn grant(&mut self, event: &Event<'_>, grant: Grant, link: Link) {
        let expires = grant.lasts.map(|seconds| later(event.at, seconds));
        let label = match &event.statement.gives {
            Some(label) => label.clone(),
            None => format!(
                "unnamed {}",
                link.event_ids.first().map_or("", String::as_str)
            ),
        };
        let (event_ids, api) = (link.event_ids.clone(), link.api.clone());
        self.link(&grant.identity, (grant.key.as_deref(), event.at), link);
        self.truth.tokens.push(Token {
            label: label.clone(),
            key: grant.key.clone(),
            kind: grant.kind,
            principal: grant.identity.arn.clone(),
            account: grant.identity.account.clone(),
            issued_at: Some(event.at.to_string()),
            expires_at: expires.map(|at| at.to_string()),
            uses: 0,
        });
        let (address, agent) = self.habits(event, &label);
        self.credentials.push(Credential {
            label,
            kind: grant.kind,
            key: grant.key,
            identity: grant.identity,
            issued: event.at,
            created: event.at,
            expires,
            mfa: grant.mfa,
            address,
            agent,
            token: self.truth.tokens.len().saturating_sub(1),
            began: event_ids,
            api,
        });
    }

    /// Enters an edge into the truth, as far as the accounts whose trails we have can show it.
    fn link(&mut self, child: &Identity, (key, at): (Option<&str>, Timestamp), link: Link) {
        if link.event_ids.is_empty() {
            return;
        }
        let from = link.parent.account;
        let seen = from.as_ref().is_none_or(|from| self.is_logged(from));
        self.truth.edges.push(Edge {
            parent_key: link.parent.key.filter(|_| seen),
            parent_principal: link.parent.principal,
            child_key: key.map(str::to_owned),
            child_principal: child.arn.clone(),
            api: link.api,
            time: at.to_string(),
            basis: link.basis,
            event_ids: link.event_ids,
            cross_account: from.is_some_and(|from| from != child.account),
        });
    }

    /// From where and with what a new credential is used until a line says otherwise: as its parent was.
    fn habits(&self, event: &Event<'_>, label: &str) -> (String, String) {
        let own = match &event.actor {
            Actor::Credential(place) => self
                .credentials
                .get(*place)
                .map(|c| (c.address.clone(), c.agent.clone())),
            Actor::Principal(principal) => {
                let from = event.option("from").unwrap_or(&principal.address);
                let agent = event.option("agent").unwrap_or(&principal.agent);
                Some((from.to_owned(), agent.to_owned()))
            }
            Actor::Provider(name) | Actor::Certificate(name) => {
                let from = event
                    .option("from")
                    .map_or_else(|| address(name), str::to_owned);
                Some((from, event.option("agent").unwrap_or(USER_AGENT).to_owned()))
            }
            Actor::Service(_) => None,
        };
        own.unwrap_or_else(|| (address(label), USER_AGENT.to_owned()))
    }

    /// Notes that the maker of `draft` made or changed `thing`.
    pub(crate) fn made(&mut self, draft: &Draft, thing: &str) {
        let maker = Parent::of(draft);
        self.truth.made.push(Made {
            maker_key: maker.key,
            maker_principal: maker.principal,
            api: draft.name.clone(),
            thing: thing.to_owned(),
            time: draft.at.to_string(),
            event_id: draft.event_id.clone(),
        });
    }

    /// `credentials` as a response holds them.
    pub(crate) fn credentials_element(&self, key: &str, expires: Timestamp) -> Value {
        json!({
            "accessKeyId": key,
            "sessionToken": session_token(key),
            "expiration": elements_date(expires, self.dates),
        })
    }

    /// The name a line gives, or the fault that a failed call gives none.
    pub(crate) fn check_gives(&self, event: &Event<'_>) -> Result<(), Fault> {
        match &event.statement.gives {
            Some(label) if event.failed() => Err(Fault::new(
                label,
                "no `->` on a call that failed, since it gives nothing",
            )),
            _ => Ok(()),
        }
    }

    /// The account of whoever acts, if it has one.
    pub(crate) fn home(&self, event: &Event<'_>) -> Option<String> {
        match &event.actor {
            Actor::Credential(place) => self
                .credentials
                .get(*place)
                .map(|credential| credential.identity.account.clone()),
            Actor::Principal(principal) => Some(principal.account.clone()),
            Actor::Service(_) | Actor::Provider(_) | Actor::Certificate(_) => None,
        }
    }

    pub(crate) fn acting(&self, event: &Event<'_>) -> Option<&Credential> {
        match &event.actor {
            Actor::Credential(place) => self.credentials.get(*place),
            _ => None,
        }
    }
}

/// The client that a caller uses when the trail does not say.
pub(crate) const USER_AGENT: &str = "aws-cli/2.31.4 md/Botocore#1.40.44 ua/2.1 os/linux#6.1.0 lang/python#3.13.7 cfg/retry-mode#standard";

/// What a browser sends.
pub(crate) const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36";

/// The identity of a role session, as its own later records show it.
pub(crate) fn role_session(role: &Principal, session: &str) -> Identity {
    let (account, name) = (&role.account, &role.name);
    Identity {
        kind: "AssumedRole",
        principal_id: format!("{}:{session}", role.id),
        arn: format!("arn:aws:sts::{account}:assumed-role/{name}/{session}"),
        account: account.clone(),
        user_name: None,
        issuer: json!({
            "type": "Role",
            "principalId": role.id,
            "arn": role.arn(),
            "accountId": account,
            "userName": name,
        }),
        federation: json!({}),
        source_identity: None,
        delivery: None,
        on_behalf_of: Value::Null,
    }
}

/// The identity of a user or root user with a long-term key.
pub(crate) fn own_identity(principal: &Principal) -> Identity {
    let root = principal.kind == PrincipalKind::Root;
    Identity {
        kind: if root { "Root" } else { "IAMUser" },
        principal_id: principal.id.clone(),
        arn: principal.arn(),
        account: principal.account.clone(),
        user_name: (!root).then(|| principal.name.clone()),
        issuer: json!({}),
        federation: json!({}),
        source_identity: None,
        delivery: None,
        on_behalf_of: Value::Null,
    }
}

/// `resources` of a call that names a role.
pub(crate) fn role_resource(role: &Principal) -> Value {
    json!({ "accountId": role.account, "type": "AWS::IAM::Role", "ARN": role.arn() })
}

fn principal_identity(principal: &Principal) -> Value {
    if principal.kind == PrincipalKind::Person {
        return json!({
            "type": "IdentityCenterUser",
            "accountId": principal.account,
            "onBehalfOf": on_behalf_of(principal),
        });
    }
    base_identity(&own_identity(principal), None)
}

/// `onBehalfOf` of a person of Identity Center.
pub(crate) fn on_behalf_of(person: &Principal) -> Value {
    let account = &person.account;
    json!({
        "userId": person.id,
        "identityStoreArn": format!("arn:aws:identitystore::{account}:identitystore/d-{}",
            account.chars().rev().take(10).collect::<String>()),
    })
}

fn failure(event: &Event<'_>, draft: &Draft) -> Option<Failure> {
    let code = match event.option("error") {
        Some(code) => code,
        None => event.option("denied").map(|_| "AccessDenied")?,
    };
    let who = Parent::of(draft).principal;
    let kind = if draft.identity.get("type") == Some(&json!("IAMUser")) {
        "User: "
    } else {
        ""
    };
    let what = event.objects.first().map_or("*", String::as_str);
    Some(Failure {
        code: code.to_owned(),
        message: format!(
            "{kind}{who} is not authorized to perform: {}:{} on resource: {what}",
            draft.source, draft.name
        ),
        keeps_params: false,
    })
}
