//! The SQL of `unchain queries`, run: over the case as it is, over events in tables with the columns
//! that AWS documents for Athena and CloudTrail Lake. What SQLite lacks of these is lent to it: the
//! two functions, and columns for the members of a struct.

use crate::common::{Room, Said, lines, scenario, scenarios};
use insta::assert_snapshot;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, params_from_iter};
use serde_json::Value;
use sqlparser::ast::{Expr, Ident, VisitMut, VisitorMut};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use unchain_trail::Trail;

const COLUMNS: [&str; 18] = [
    "userIdentity.accessKeyId",
    "userIdentity.arn",
    "userIdentity.principalId",
    "userIdentity.sessionContext.sessionIssuer.arn",
    "userIdentity.sessionContext.sessionIssuer.principalId",
    "userIdentity.sessionContext.sourceIdentity",
    "eventTime",
    "eventSource",
    "eventName",
    "errorCode",
    "sourceIPAddress",
    "userAgent",
    "awsRegion",
    "recipientAccountId",
    "eventID",
    "requestParameters",
    "responseElements",
    "additionalEventData",
];

/// A row by column name.
type Row = BTreeMap<String, String>;

/// The queries of an output by what they answer.
fn queries(said: &Said) -> Vec<(String, String)> {
    assert_eq!(said.code, 0, "{}", said.err);
    let blocks = said.out.split("\n\n");
    let queries = blocks.filter(|block| block.contains("SELECT"));
    queries
        .map(|block| {
            let (comment, sql) = block.split_once('\n').unwrap();
            (comment.trim_start_matches("-- ").to_owned(), sql.to_owned())
        })
        .collect()
}

fn at<'v>(record: &'v Value, path: &str) -> Option<&'v Value> {
    let found = path
        .split('.')
        .try_fold(record, |value, name| value.get(name))?;
    (!found.is_null()).then_some(found)
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// Records as a table of `engine`.
fn table(records: &[Value], engine: &str) -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    let columns = COLUMNS.map(|name| format!("\"{}\"", name.to_lowercase()));
    connection
        .execute(&format!("CREATE TABLE logs ({})", columns.join(",")), [])
        .unwrap();
    let insert = format!(
        "INSERT INTO logs VALUES ({})",
        ["?"; COLUMNS.len()].join(",")
    );
    for record in records {
        let cells = COLUMNS.map(|name| {
            let cell = at(record, name).map(text);
            if engine == "lake" && name == "eventTime" {
                return cell.map(|time| time.replace('T', " ").replace('Z', ".000"));
            }
            cell
        });
        connection
            .execute(&insert, params_from_iter(cells))
            .unwrap();
    }
    lend(&connection);
    connection
}

fn lend(connection: &Connection) {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    // Of a path that Trino reads: `$.a.b[0].c`.
    let scalar = |json: Option<String>, path: &str| {
        let value: Value = serde_json::from_str(&json?).ok()?;
        let path = path
            .strip_prefix('$')?
            .replace(['.', '['], "/")
            .replace(']', "");
        let found = value.pointer(&path)?;
        let is_scalar = !found.is_object() && !found.is_array() && !found.is_null();
        is_scalar.then(|| text(found))
    };
    connection
        .create_scalar_function("json_extract_scalar", 2, flags, move |context| {
            Ok(scalar(context.get(0)?, &context.get::<String>(1)?))
        })
        .unwrap();
    connection
        .create_scalar_function("element_at", 2, flags, |context| {
            let map: Option<String> = context.get(0)?;
            let map: Option<Value> = map.and_then(|map| serde_json::from_str(&map).ok());
            let name: String = context.get(1)?;
            let found = map.as_ref().and_then(|map| map.get(&name));
            Ok(found.filter(|found| !found.is_null()).map(text))
        })
        .unwrap();
}

/// Members of a struct as columns with a dot in their name.
struct Flat;

impl VisitorMut for Flat {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::CompoundIdentifier(parts) = expr {
            let names: Vec<String> = parts.iter().map(|part| part.value.to_lowercase()).collect();
            *expr = Expr::Identifier(Ident::with_quote('"', names.join(".")));
        }
        ControlFlow::Continue(())
    }
}

fn flat(sql: &str) -> String {
    let mut statements = Parser::parse_sql(&GenericDialect {}, sql).unwrap();
    assert_eq!(statements.len(), 1);
    let _ = statements.visit(&mut Flat);
    statements[0].to_string()
}

fn rows(connection: &Connection, sql: &str) -> Vec<Row> {
    let prepared = connection.prepare(sql);
    let mut statement = prepared.unwrap_or_else(|error| panic!("{error}: {sql}"));
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut found = statement.query([]).unwrap();
    let mut rows = Vec::new();
    while let Some(row) = found.next().unwrap() {
        let cell = |n: usize| match row.get_ref(n).unwrap() {
            ValueRef::Null => None,
            ValueRef::Integer(number) => Some(number.to_string()),
            other => Some(other.as_str().unwrap().to_owned()),
        };
        let cells = names.iter().enumerate();
        rows.push(
            cells
                .filter_map(|(n, name)| Some((name.clone(), cell(n)?)))
                .collect(),
        );
    }
    rows
}

fn column(rows: &[Row], name: &str) -> BTreeSet<String> {
    rows.iter()
        .filter_map(|row| row.get(name).cloned())
        .collect()
}

/// A trail that can be asked in three languages.
struct Asked {
    room: Room,
    athena: Connection,
    lake: Connection,
    case: Connection,
}

impl Asked {
    fn new(trail: &Trail) -> Self {
        let room = Room::with(trail);
        assert_eq!(room.run(&["scan", "logs", "--quiet"]).code, 0);
        let case = Connection::open(room.path().join("unchain.case")).unwrap();
        let records = trail.records();
        Self {
            room,
            athena: table(&records, "athena"),
            lake: table(&records, "lake"),
            case,
        }
    }

    /// The rows of the question whose words contain `about`.
    fn ask(&self, engine: &str, arguments: &[&str], about: &str) -> Vec<Row> {
        let mut all = vec!["queries", "--engine", engine];
        if engine != "case" {
            all.extend(["--table", "logs"]);
        }
        all.extend(arguments);
        let found = queries(&self.room.run(&all));
        let sql = found.iter().find(|(answers, _)| answers.contains(about));
        let sql = &sql
            .unwrap_or_else(|| panic!("{about} of {all:?}: {found:?}"))
            .1;
        match engine {
            "case" => rows(&self.case, sql),
            "lake" => rows(&self.lake, &flat(sql)),
            _ => rows(&self.athena, &flat(sql)),
        }
    }
}

/// The keys that calls gave, in any of the three places.
fn given(rows: &[Row]) -> BTreeSet<String> {
    let names = [
        "issued_key",
        "created_key",
        "roles_anywhere_key",
        "child_key",
    ];
    names.iter().flat_map(|name| column(rows, name)).collect()
}

fn ids(records: &[Value], is: impl Fn(&Value) -> bool) -> BTreeSet<String> {
    let found = records.iter().filter(|record| is(record));
    found.map(|record| text(&record["eventID"])).collect()
}

fn has(record: &Value, path: &str, wanted: &str) -> bool {
    at(record, path).is_some_and(|found| found == wanted)
}

/// Asks everything about one key and compares it with the records, edges and uses.
fn check_key(asked: &Asked, key: &str, (records, edges): (&[Value], &[Value])) {
    let by_key = |record: &Value| has(record, "userIdentity.accessKeyId", key);
    let recorded = |end: &str, other: &str| -> BTreeSet<String> {
        let of_key = |e: &&Value| e[end]["access_key_id"] == key && e["basis"] == "recorded";
        let others = edges
            .iter()
            .filter(of_key)
            .map(|e| &e[other]["access_key_id"]);
        others
            .filter_map(|id| id.as_str().map(str::to_owned))
            .collect()
    };
    let gave = ids(records, |record| {
        by_key(record)
            && record["responseElements"]
                .to_string()
                .contains("\"accessKeyId\"")
    });
    for engine in ["athena", "lake", "case"] {
        let children = asked.ask(engine, &[key], "its children");
        assert_eq!(column(&children, "event_id"), gave, "{engine} {key}");
        assert!(
            given(&children).is_superset(&recorded("parent", "child")),
            "{engine} {key}"
        );
        let issued = asked.ask(engine, &[key], "the event that issued the key");
        let parents = column(&issued, "parent_key");
        assert!(
            parents.is_superset(&recorded("child", "parent")),
            "{engine} {key}"
        );
        if engine != "case" {
            let calls = asked.ask(engine, &[key], "every call made with the key");
            assert_eq!(
                column(&calls, "event_id"),
                ids(records, by_key),
                "{engine} {key}"
            );
        }
    }
}

#[test]
fn a_key_is_told_as_tokens_and_edges_tell_it() {
    for (name, trail) in scenarios() {
        let asked = Asked::new(&trail);
        let records = trail.records();
        let ask = |command| lines(&asked.room.run(&[command, "--format", "jsonl"]));
        let (edges, tokens) = (ask("edges"), ask("tokens"));
        for token in tokens.iter().step_by(2) {
            let Some(key) = token["access_key_id"].as_str() else {
                continue;
            };
            check_key(&asked, key, (&records, &edges));
            let uses = asked.ask("case", &[key], "what the key did");
            let events: u64 = uses
                .iter()
                .map(|row| row["events"].parse::<u64>().unwrap())
                .sum();
            // A key id may be of more than one credential.
            let mine = tokens.iter().filter(|t| t["access_key_id"] == key);
            let expected: u64 = mine.map(|t| t["uses"].as_u64().unwrap()).sum();
            assert_eq!(events, expected, "{name} {key}");
        }
    }
}

#[test]
fn everything_below_a_key_is_what_trace_shows() {
    let trail = scenario("whack-a-mole");
    let asked = Asked::new(&trail);
    let key = trail.key("B").unwrap();
    let below = column(&asked.ask("case", &[key], "everything below"), "child_key");
    let nodes = lines(
        &asked
            .room
            .run(&["trace", key, "--down", "--format", "jsonl"]),
    );
    let key_of = |node: &Value| node["node"]["access_key_id"].as_str().map(str::to_owned);
    let recorded = nodes
        .iter()
        .filter(|node| node["edge"]["basis"] == "recorded");
    let traced: BTreeSet<String> = recorded.filter_map(key_of).collect();
    assert!(below.len() > 3);
    assert_eq!(below, traced);
    let keys: BTreeSet<String> = nodes.iter().filter_map(key_of).collect();
    let expected = ids(&trail.records(), |record| {
        at(record, "userIdentity.accessKeyId").is_some_and(|key| keys.contains(&text(key)))
    });
    for engine in ["athena", "lake"] {
        let about = "every call made with a key of the lineage";
        let whole = asked.ask(engine, &[key, "--descendants"], about);
        assert_eq!(column(&whole, "event_id"), expected, "{engine}");
    }
}

/// What an event must be to be in an answer.
type Is = fn(&Value) -> bool;

const DEVICE: &str = "arn:aws:iam::111122223333:mfa/alice-2";
const PHONE: &str = "arn:aws:iam::111122223333:mfa/bob-phone";
const ROLE: &str = "arn:aws:iam::111122223333:role/customer-data-admin";
const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/customer-data-admin/report-2";
const ALICE: &str = "arn:aws:iam::111122223333:user/alice";
const ADDRESS: &str = "198.51.100.23";

/// Pivot, question, what is in the answer, and whether the case has the same events.
const QUESTIONS: [(&str, &str, Is, bool); 10] = [
    (
        DEVICE,
        "presented the device",
        |r| {
            has(r, "requestParameters.serialNumber", DEVICE)
                && has(r, "eventSource", "sts.amazonaws.com")
        },
        true,
    ),
    (
        DEVICE,
        "the device registered",
        |r| {
            has(r, "eventSource", "iam.amazonaws.com")
                && (has(r, "requestParameters.serialNumber", DEVICE)
                    || has(r, "responseElements.virtualMFADevice.serialNumber", DEVICE))
        },
        true,
    ),
    (
        PHONE,
        "sign-ins",
        |r| has(r, "additionalEventData.MFAIdentifier", PHONE),
        true,
    ),
    (
        SESSION,
        "every call of the session",
        |r| has(r, "userIdentity.arn", SESSION),
        false,
    ),
    (
        SESSION,
        "calls that began it",
        |r| has(r, "responseElements.assumedRoleUser.arn", SESSION),
        true,
    ),
    (
        ROLE,
        "who assumed",
        |r| has(r, "requestParameters.roleArn", ROLE),
        false,
    ),
    (
        ROLE,
        "every call of its sessions",
        |r| has(r, "userIdentity.sessionContext.sessionIssuer.arn", ROLE),
        false,
    ),
    (
        ALICE,
        "every call of the principal",
        |r| has(r, "userIdentity.arn", ALICE),
        false,
    ),
    (
        ALICE,
        "IAM calls about it",
        |r| {
            has(r, "eventSource", "iam.amazonaws.com")
                && has(r, "requestParameters.userName", "alice")
                && has(r, "recipientAccountId", "111122223333")
        },
        false,
    ),
    (
        ADDRESS,
        "every call from it",
        |r| has(r, "sourceIPAddress", ADDRESS),
        false,
    ),
];

#[test]
fn every_other_pivot_finds_the_events_that_a_plain_search_finds() {
    let trail = scenario("whack-a-mole");
    let asked = Asked::new(&trail);
    let records = trail.records();
    for (pivot, about, is, in_case) in QUESTIONS {
        let expected = ids(&records, is);
        assert!(!expected.is_empty(), "{pivot} {about}");
        let engines: &[&str] = if in_case {
            &["athena", "lake", "case"]
        } else {
            &["athena", "lake"]
        };
        for engine in engines {
            let found = asked.ask(engine, &[pivot], about);
            assert_eq!(
                column(&found, "event_id"),
                expected,
                "{engine} {pivot} {about}"
            );
        }
    }
    let callers = asked.ask("lake", &[ADDRESS], "credentials used from the address");
    let keys = records
        .iter()
        .filter(|r| has(r, "sourceIPAddress", ADDRESS));
    let keys: BTreeSet<String> = keys
        .filter_map(|r| at(r, "userIdentity.accessKeyId").map(text))
        .collect();
    assert_eq!(column(&callers, "access_key_id"), keys);
}

#[test]
fn a_case_counts_what_callers_did() {
    let trail = scenario("whack-a-mole");
    let asked = Asked::new(&trail);
    let records = trail.records();
    let id = records
        .iter()
        .find(|r| has(r, "userIdentity.arn", SESSION))
        .unwrap();
    let id = text(&id["userIdentity"]["principalId"]);
    let by_arn: Is = |r| has(r, "userIdentity.arn", SESSION);
    let by_issuer: Is = |r| has(r, "userIdentity.sessionContext.sessionIssuer.arn", ROLE);
    let questions: [(&str, &str, Is); 4] = [
        (SESSION, "what it did", by_arn),
        (&id, "what it did", by_arn),
        (ROLE, "what it did", by_issuer),
        (ADDRESS, "what was done from", |r| {
            has(r, "sourceIPAddress", ADDRESS)
        }),
    ];
    for (pivot, about, is) in questions {
        let uses = asked.ask("case", &[pivot], about);
        let events: usize = uses
            .iter()
            .map(|row| row["events"].parse::<usize>().unwrap())
            .sum();
        assert_eq!(events, ids(&records, is).len(), "{pivot}");
    }
    let role = id.split(':').next().unwrap();
    // Also the other account's copies, which name the session and no issuer.
    let all = ids(&records, |r| {
        at(r, "userIdentity.principalId").is_some_and(|id| text(id).starts_with(role))
    });
    let uses = asked.ask("case", &[role], "what it did");
    let events: usize = uses
        .iter()
        .map(|row| row["events"].parse::<usize>().unwrap())
        .sum();
    assert_eq!(events, all.len());
    for engine in ["athena", "lake"] {
        let calls = asked.ask(engine, &[role], "every call of the principal");
        assert_eq!(column(&calls, "event_id"), all, "{engine}");
    }
    let began = asked.ask("case", &[&id], "calls that began it");
    let same = asked.ask("case", &[SESSION], "calls that began it");
    assert_eq!(began, same);
}

#[test]
fn a_failed_attempt_with_a_device_is_in_the_case() {
    let trail = scenario("federation");
    let asked = Asked::new(&trail);
    let device = trail
        .records()
        .iter()
        .filter(|r| has(r, "eventName", "GetSessionToken"))
        .find_map(|r| at(r, "requestParameters.serialNumber").map(text))
        .unwrap();
    let failed = ids(&trail.records(), |r| {
        has(r, "requestParameters.serialNumber", &device) && at(r, "errorCode").is_some()
    });
    let tried = asked.ask("case", &[&device], "failed attempts");
    assert_eq!((failed.len(), tried.len()), (1, 1));
    assert_eq!(tried[0]["event_name"], "GetSessionToken");
}

#[test]
fn a_source_identity_is_followed_as_far_as_a_table_tells() {
    let trail = scenario("role-chain");
    let asked = Asked::new(&trail);
    let records = trail.records();
    let ask = |engine, about| {
        let found = asked.ask(engine, &["alice", "--kind", "source-identity"], about);
        column(&found, "event_id")
    };
    let set = ids(&records, |r| {
        has(r, "requestParameters.sourceIdentity", "alice")
    });
    let carried = ids(&records, |r| {
        has(r, "userIdentity.sessionContext.sourceIdentity", "alice")
    });
    assert!(!set.is_empty() && !carried.is_empty());
    for engine in ["athena", "lake", "case"] {
        assert_eq!(ask(engine, "calls that set"), set, "{engine}");
    }
    assert_eq!(ask("lake", "that carry"), carried);
    let near = ask("athena", "given under it");
    assert!(!near.is_empty() && near.is_subset(&carried));
}

#[test]
fn a_time_bounds_every_engine() {
    let trail = scenario("whack-a-mole");
    let asked = Asked::new(&trail);
    let key = trail.key("D").unwrap();
    let time = [
        "--since",
        "2026-03-02T11:45:00Z",
        "--until",
        "2026-03-02T12:00:00Z",
    ];
    let arguments = [&[key][..], &time].concat();
    let expected = ids(&trail.records(), |r| {
        let when = text(&r["eventTime"]);
        has(r, "userIdentity.accessKeyId", key)
            && when.as_str() >= time[1]
            && when.as_str() < time[3]
    });
    assert!(!expected.is_empty());
    for engine in ["athena", "lake"] {
        let found = asked.ask(engine, &arguments, "every call made with the key");
        assert_eq!(column(&found, "event_id"), expected, "{engine}");
    }
    let uses = asked.ask("case", &arguments, "what the key did");
    assert!(!uses.is_empty());
    let inside =
        |row: &Row| row["last_used"].as_str() >= time[1] && row["first_used"].as_str() < time[3];
    assert!(uses.iter().all(inside));
    assert!(asked.ask("case", &arguments, "everything below").is_empty());
}

#[test]
fn queries_need_no_case() {
    let room = Room::new();
    let key = "AKIAQNZGKIQY56JQ7WML";
    for engine in ["athena", "lake", "case", "duckdb"] {
        let said = room.told(&["queries", key, "--engine", engine]);
        assert_snapshot!(format!("queries_for_{engine}"), said);
    }
    let all = room.run(&["queries", key]);
    assert_eq!((all.code, all.err.as_str()), (0, ""));
    assert_snapshot!(room.told(&["queries", "alice"]));
    assert_eq!(
        room.run(&["queries", key, "--descendants"]).code,
        2,
        "that needs a case"
    );
    for table in ["a;b", "t--", "", "a..b", "a b", "\"x\""] {
        let said = room.run(&["queries", key, "--engine", "athena", "--table", table]);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{table}");
    }
    let said = room.run(&[
        "queries",
        key,
        "--engine",
        "athena",
        "--table",
        "my-db.trail",
    ]);
    assert!(said.out.contains("FROM \"my-db\".trail\n"), "{}", said.out);
}
