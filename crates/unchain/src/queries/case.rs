//! Questions as SQL over a case: its views, as docs/case-file.md has them.

use super::events::Bounds;
use super::literal::literal;
use super::pivot::{Kind, name_and_account, session_parts};

/// One query with what its answer tells.
pub(super) struct CaseQuery {
    pub(super) answers: &'static str,
    pub(super) sql: String,
}

/// How many keys one query holds.
pub(super) const MOST_KEYS: usize = 2000;

const USES: &str =
    "SELECT u.key, c.arn, u.event_source, u.event_name, u.error_code, u.address, u.user_agent,
    u.region, u.account, u.first_used, u.last_used, u.events
FROM v_uses AS u JOIN v_callers AS c USING (caller)";
const EDGES: &str = "SELECT time, api, parent_key, parent_arn, child_key, expires, event_id
FROM v_edges";
const FACTS: &str =
    "SELECT DISTINCT f.time, f.event_name, f.caller_key, f.caller_arn, f.child_key, f.session_name,
    f.expires, f.address, f.region, f.account, f.event_id
FROM v_facts AS f JOIN v_details AS d USING (fact)";
const ATTEMPTS: &str =
    "SELECT caller.key, call.name AS event_name, o.text AS error_code, client.address,
    strftime('%Y-%m-%dT%H:%M:%SZ', a.first, 'unixepoch') AS first_tried,
    strftime('%Y-%m-%dT%H:%M:%SZ', a.last, 'unixepoch') AS last_tried
FROM attempt AS a
JOIN caller ON caller.id = a.caller
JOIN call ON call.id = a.call
JOIN client ON client.id = a.client
JOIN text AS o ON o.id = a.outcome
JOIN text AS s ON s.id = a.serial";

/// Writes queries for one time.
struct Writer {
    bounds: Bounds,
    queries: Vec<CaseQuery>,
}

impl Writer {
    fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            queries: Vec::new(),
        }
    }

    fn add(&mut self, answers: &'static str, sql: String) {
        self.queries.push(CaseQuery { answers, sql });
    }

    /// Rows of uses are of many events: those whose time overlaps.
    fn uses(&mut self, answers: &'static str, filter: &str) {
        let time = self.between(("u.last_used", "u.first_used"));
        let order = "u.first_used, u.last_used";
        self.add(
            answers,
            format!("{USES}\nWHERE {filter}{time}\nORDER BY {order};"),
        );
    }

    fn edges(&mut self, answers: &'static str, filter: &str) {
        let time = self.between(("time", "time"));
        self.add(
            answers,
            format!("{EDGES}\nWHERE {filter}{time}\nORDER BY time;"),
        );
    }

    fn facts(&mut self, answers: &'static str, filter: &str) {
        let time = self.between(("f.time", "f.time"));
        self.add(
            answers,
            format!("{FACTS}\nWHERE {filter}{time}\nORDER BY f.time;"),
        );
    }

    fn attempts(&mut self, answers: &'static str, filter: &str) {
        let time = self.between(("last_tried", "first_tried"));
        self.add(
            answers,
            format!("{ATTEMPTS}\nWHERE {filter}{time}\nORDER BY first_tried;"),
        );
    }

    fn between(&self, (last, first): (&str, &str)) -> String {
        let since = self
            .bounds
            .since
            .map(|at| format!("\n    AND {last} >= '{at}'"));
        let until = self
            .bounds
            .until
            .map(|at| format!("\n    AND {first} < '{at}'"));
        since.into_iter().chain(until).collect()
    }
}

/// A text as SQLite reads it.
fn text(text: &str) -> String {
    literal(text, Some("char")).unwrap_or_else(|| "''".to_owned())
}

/// The queries about a pivot.
pub(super) fn about(kind: Kind, pivot: &str, bounds: Bounds) -> Vec<CaseQuery> {
    let mut writer = Writer::new(bounds);
    match kind {
        Kind::Key => key(&mut writer, pivot),
        Kind::Mfa => device(&mut writer, pivot),
        Kind::Session => session(&mut writer, pivot),
        Kind::Principal => principal(&mut writer, pivot),
        Kind::Role => role(&mut writer, pivot),
        Kind::SourceIdentity => source_identity(&mut writer, pivot),
        Kind::Address => address(&mut writer, pivot),
    }
    writer.queries
}

/// The queries about many keys at once.
pub(super) fn about_lineage(keys: &[String], bounds: Bounds) -> Vec<CaseQuery> {
    let list: Vec<String> = keys.iter().map(|key| text(key)).collect();
    let list = list.join(", ");
    let mut writer = Writer::new(bounds);
    writer.uses(
        "what the keys of the lineage did",
        &format!("u.key IN ({list})"),
    );
    writer.edges(
        "the events that issued the keys of the lineage",
        &format!("child_key IN ({list})"),
    );
    writer.edges(
        "what the keys of the lineage issued",
        &format!("parent_key IN ({list})"),
    );
    writer.queries
}

fn key(writer: &mut Writer, pivot: &str) {
    let key = text(pivot);
    writer.uses("what the key did", &format!("u.key = {key}"));
    writer.edges(
        "the event that issued the key",
        &format!("child_key = {key}"),
    );
    writer.edges(
        "what the key issued: its children",
        &format!("parent_key = {key}"),
    );
    let time = writer.between(("time", "time"));
    let below = format!(
        "WITH RECURSIVE below(key) AS (
    SELECT {key}
    UNION
    SELECT child_key FROM v_edges JOIN below ON parent_key = below.key
)
{EDGES}
WHERE parent_key IN (SELECT key FROM below){time}
ORDER BY time;"
    );
    writer.add(
        "everything below it, as far as single records prove it",
        below,
    );
    let about = format!("d.attribute = 'key' AND d.value = {key}");
    writer.facts(
        "calls about the key: activated, deactivated, deleted",
        &about,
    );
}

fn device(writer: &mut Writer, pivot: &str) {
    let serial = text(pivot);
    let named = format!("d.attribute = 'mfa_serial' AND d.value = {serial}");
    let presents = "('AssumeRole', 'GetSessionToken', 'ConsoleLogin')";
    writer.facts(
        "calls and sign-ins that presented the device, and what they gave",
        &format!("{named}\n    AND f.event_name IN {presents}"),
    );
    writer.facts(
        "the device registered, synchronised, removed",
        &format!("{named}\n    AND f.event_name NOT IN {presents}"),
    );
    writer.attempts(
        "failed attempts with the device",
        &format!("s.text = {serial}"),
    );
}

/// What callers of which `callers` holds did and issued; `callers` is about `v_callers AS c`.
fn of_callers(writer: &mut Writer, callers: &str) {
    writer.uses("what it did", callers);
    let keys = format!("parent_key IN (SELECT c.key FROM v_callers AS c WHERE {callers})");
    writer.edges("what it issued", &keys);
}

fn session(writer: &mut Writer, pivot: &str) {
    if let Some((role, name, account)) = session_parts(pivot) {
        of_callers(writer, &format!("c.arn = {}", text(pivot)));
        // The role's own ARN may have a path, which a session's lacks.
        let (begin, end) = (format!(":iam::{account}:role/"), format!("/{role}"));
        let filter = format!(
            "f.session_name = {} AND d.attribute = 'role'\n    AND instr(d.value, {}) > 0 AND substr(d.value, -{}) = {}",
            text(name),
            text(&begin),
            end.chars().count(),
            text(&end),
        );
        writer.facts("the calls that began it", &filter);
        return;
    }
    let (id, name) = pivot.split_once(':').unwrap_or((pivot, ""));
    let (id, name) = (text(id), text(name));
    of_callers(
        writer,
        &format!("c.unique_id = {id} AND c.session = {name}"),
    );
    let began = format!("f.session_name = {name} AND d.attribute = 'child_id' AND d.value = {id}");
    writer.facts("the calls that began it", &began);
}

fn principal(writer: &mut Writer, pivot: &str) {
    let name = text(pivot);
    let callers = if pivot.starts_with("arn:") {
        format!("(c.arn = {name} OR c.issuer_arn = {name})")
    } else if let Some((id, session)) = pivot.split_once(':') {
        format!(
            "c.unique_id = {} AND c.session = {}",
            text(id),
            text(session)
        )
    } else {
        let issued = format!(
            "c.caller IN (SELECT caller.id FROM caller JOIN identity ON identity.id = caller.identity\n        JOIN text ON text.id = identity.issuer_id WHERE text.text = {name})"
        );
        format!("(c.unique_id = {name} OR {issued})")
    };
    of_callers(writer, &callers);
    changes(writer, (pivot, "user"));
}

fn role(writer: &mut Writer, pivot: &str) {
    let name = text(pivot);
    let assumed = format!("d.attribute = 'role' AND d.value = {name}");
    writer.facts("who assumed the role", &assumed);
    of_callers(writer, &format!("c.issuer_arn = {name}"));
    changes(writer, (pivot, "role"));
}

/// IAM calls about a user or role, which name it without its account.
fn changes(writer: &mut Writer, (arn, resource): (&str, &str)) {
    if let Some((name, account)) = name_and_account(arn, resource) {
        let filter = format!(
            "d.attribute = '{resource}' AND d.value = {} AND f.account = {}",
            text(name),
            text(account)
        );
        writer.facts(
            "IAM calls about it: keys, passwords, policies, trust",
            &filter,
        );
    }
}

fn source_identity(writer: &mut Writer, pivot: &str) {
    let identity = text(pivot);
    let set = format!("d.attribute = 'source_identity' AND d.value = {identity}");
    writer.facts("calls that set the source identity", &set);
    of_callers(writer, &format!("c.source_identity = {identity}"));
}

fn address(writer: &mut Writer, pivot: &str) {
    let address = text(pivot);
    writer.uses(
        "what was done from the address",
        &format!("u.address = {address}"),
    );
    let time = writer.between(("f.time", "f.time"));
    let issued = format!(
        "SELECT f.time, f.event_name, f.caller_key, f.caller_arn, f.child_key, f.expires, f.event_id
FROM v_facts AS f
WHERE f.address = {address}
    AND (f.child_key IS NOT NULL OR f.event_name = 'ConsoleLogin'){time}
ORDER BY f.time;"
    );
    writer.add(
        "what was issued to the address, and console sign-ins from it",
        issued,
    );
}
