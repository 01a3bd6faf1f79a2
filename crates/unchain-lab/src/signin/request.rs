//! What is asked of the console, from where, and the parts that all records of sign-in share.

use serde_json::Value;

use crate::call::Fault;
use crate::trail::Draft;
use crate::trail::draft::Kind;
use crate::world::World;

/// The browser of people who name none.
const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// A control request: its members, and where it is said to come from (`ip`, `agent`, `region`).
#[derive(Debug)]
pub(super) struct Asked<'a> {
    body: &'a Value,
    /// `sourceIPAddress`.
    pub(super) ip: String,
    /// `userAgent`.
    pub(super) agent: String,
    /// The region of the sign-in endpoint.
    pub(super) region: String,
}

impl<'a> Asked<'a> {
    pub(super) fn new(world: &World, body: &'a Value) -> Self {
        let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
        let source = world.sources.get("*").cloned().unwrap_or_default();
        Self {
            body,
            ip: text("ip").or(source.ip).unwrap_or("127.0.0.1".to_owned()),
            agent: text("agent").or(source.agent).unwrap_or(BROWSER.to_owned()),
            region: text("region").unwrap_or("us-east-1".to_owned()),
        }
    }

    /// A member that is text.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        self.body.get(name).and_then(Value::as_str)
    }

    /// A member that must be there.
    pub(super) fn required(&self, name: &str) -> Result<&'a str, Fault> {
        self.text(name)
            .ok_or_else(|| Fault::validation(format!("`{name}` is missing")))
    }

    /// A member that is a number.
    pub(super) fn number(&self, name: &str) -> Option<i64> {
        self.body.get(name).and_then(Value::as_i64)
    }

    /// A member that is set.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.body
            .get(name)
            .and_then(Value::as_bool)
            .unwrap_or_default()
    }

    /// The account, which must exist.
    pub(super) fn account(&self, world: &World) -> Result<String, Fault> {
        let account = self.required("account")?;
        let known = world.accounts.contains_key(account);
        known
            .then(|| account.to_owned())
            .ok_or_else(|| Fault::validation("`account` is not an account of the lab"))
    }

    /// A record of the sign-in service in an account's log.
    pub(super) fn draft(&self, name: &str, account: &str) -> Draft {
        Draft {
            version: "1.11",
            source: "signin.amazonaws.com".to_owned(),
            name: name.to_owned(),
            region: self.region.clone(),
            source_ip: self.ip.clone(),
            user_agent: self.agent.clone(),
            kind: Kind::ConsoleSignIn,
            account: account.to_owned(),
            host: Some(format!("{}.signin.aws.amazon.com", self.region)),
            ..Draft::default()
        }
    }

    /// Where the browser goes after signing in.
    pub(super) fn console_url(&self) -> String {
        let region = &self.region;
        format!(
            "https://{region}.console.aws.amazon.com/console/home?region={region}&isauthcode=true"
        )
    }
}
