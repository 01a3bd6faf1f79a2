//! Findings as OCSF: one Detection Finding (class 2004) a line, schema.ocsf.io/1.4.0/classes/detection_finding.
//!
//! What OCSF has no place for stands in `unmapped`. Instants are milliseconds since 1970. The same
//! findings give the same lines, whenever they are written.

use crate::output::json;
use serde_json::{Value, json};
use std::io::{self, Write};
use std::net::IpAddr;
use unchain_core::detect::Detection;
use unchain_core::detect::attack::{self, Technique};
use unchain_core::report::{End, FindingRow};
use unchain_core::text::Untrusted;
use unchain_core::time::Timestamp;

/// The version of the schema.
const SCHEMA: &str = "1.4.0";

/// Writes one line for each finding. The version is that of the program.
pub(crate) fn ocsf(out: &mut dyn Write, rows: &[FindingRow], version: &str) -> io::Result<()> {
    for row in rows {
        let mut event = finding(row, version);
        prune(&mut event);
        json::line(out, &event)?;
    }
    Ok(())
}

fn finding(row: &FindingRow, version: &str) -> Value {
    let (severity_id, severity) = severity(row.severity);
    let (confidence_id, confidence) = confidence(row.confidence);
    let (status_id, status) = match row.allowed_by {
        Some(_) => (3, "Suppressed"),
        None => (1, "New"),
    };
    json!({
        "activity_id": 1,
        "activity_name": "Create",
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": 2004,
        "class_name": "Detection Finding",
        "type_uid": 200_401,
        "type_name": "Detection Finding: Create",
        "time": millis(row.last),
        "start_time": millis(row.first),
        "end_time": millis(row.last),
        "severity_id": severity_id,
        "severity": severity,
        "confidence_id": confidence_id,
        "confidence": confidence,
        "status_id": status_id,
        "status": status,
        "is_alert": severity_id >= 3 && row.allowed_by.is_none(),
        "message": row.what.raw(),
        "metadata": metadata(row, version),
        "cloud": { "provider": "AWS", "account": account(&row.subject) },
        "finding_info": info(row),
        "resources": resources(row),
        "evidences": [evidence(row)],
        "unmapped": unmapped(row),
    })
}

fn metadata(row: &FindingRow, version: &str) -> Value {
    json!({
        "version": SCHEMA,
        "uid": row.id,
        "correlation_uid": row.incident,
        "event_code": row.detection,
        "profiles": ["cloud"],
        "product": { "name": "Unchain", "vendor_name": "Unchain", "version": version },
    })
}

fn info(row: &FindingRow) -> Value {
    let event = |id: &Untrusted| {
        json!({
            "uid": id.raw(),
            "type": "CloudTrail event",
            "product": { "name": "CloudTrail", "vendor_name": "AWS" },
        })
    };
    let events: Vec<Value> = row.event_ids.iter().map(event).collect();
    let finds = Detection::find(row.detection).map(|detection| detection.finds);
    json!({
        "uid": row.id,
        "title": row.title,
        "desc": row.what.raw(),
        "types": ["Credential abuse"],
        "first_seen_time": millis(row.first),
        "last_seen_time": millis(row.last),
        "data_sources": ["AWS CloudTrail"],
        "analytic": {
            "uid": row.detection,
            "name": row.title,
            "desc": finds,
            "type_id": 1,
            "type": "Rule",
        },
        "attacks": row.techniques.iter().flat_map(|id| attacks(id)).collect::<Vec<Value>>(),
        "related_events": events,
    })
}

/// A technique under each of its tactics, as the schema wants it since 1.1.
fn attacks(id: &str) -> Vec<Value> {
    let Some(technique) = Technique::find(id) else {
        return vec![json!({ "version": attack::VERSION, "technique": { "uid": id, "name": id } })];
    };
    let named = |t: &Technique| json!({ "uid": t.id, "name": t.name, "src_url": t.url() });
    let (whole, part) = match technique.parent() {
        Some(parent) => (named(parent), named(technique)),
        None => (named(technique), Value::Null),
    };
    let tactics = technique.tactics.iter();
    tactics
        .map(|tactic| {
            json!({
                "version": attack::VERSION,
                "tactic": { "uid": tactic.id(), "name": tactic.name() },
                "technique": whole,
                "sub_technique": part,
            })
        })
        .collect()
}

fn account(end: &End) -> Value {
    let uid = end.account.as_ref().map(Untrusted::raw);
    uid.map_or(
        Value::Null,
        |uid| json!({ "uid": uid, "name": uid, "type_id": 10, "type": "AWS Account" }),
    )
}

/// The subject, then what else the finding names.
fn resources(row: &FindingRow) -> Vec<Value> {
    let subject = &row.subject;
    let name = subject.access_key_id.as_ref().or(subject.workload.as_ref());
    let uid = name.or(subject.principal_arn.as_ref()).map(Untrusted::raw);
    let first = json!({
        "uid": uid,
        "type": subject.kind,
        "owner": user(subject),
    });
    let others = row.also.iter().map(|label| json!({ "uid": label.raw() }));
    let all = std::iter::once(first).chain(others);
    all.filter(|r| r.get("uid").is_some_and(|uid| !uid.is_null() && uid != ""))
        .collect()
}

/// Who acted, and from where if that is foreign to the subject.
fn evidence(row: &FindingRow) -> Value {
    let mut user = user(&row.subject);
    let key = row.subject.access_key_id.as_ref().map(Untrusted::raw);
    if let (Some(user), Some(key)) = (user.as_object_mut(), key) {
        user.insert("credential_uid".to_owned(), key.into());
    }
    json!({
        "actor": { "user": user },
        "src_endpoint": row.foreign_address.as_ref().map(endpoint),
    })
}

/// Whose credential it is; its own name if nobody's name is known.
fn user(end: &End) -> Value {
    let name = end.principal_arn.as_ref().or(end.workload.as_ref());
    let uid = name.map_or(end.kind, Untrusted::raw);
    let resource = uid.rsplit(':').next().unwrap_or(uid);
    let (type_id, sort) = match resource.split('/').next() {
        Some("user") => (1, "User"),
        Some("root") => (2, "Admin"),
        Some("assumed-role") => (99, "AssumedRole"),
        Some("federated-user") => (99, "FederatedUser"),
        _ => (0, "Unknown"),
    };
    json!({
        "uid": uid,
        "name": resource,
        "type_id": type_id,
        "type": sort,
        "account": account(end),
    })
}

/// CloudTrail's `sourceIPAddress` may hold the name of a service.
fn endpoint(address: &Untrusted) -> Value {
    match address.raw().parse::<IpAddr>() {
        Ok(ip) => json!({ "ip": ip.to_string() }),
        Err(_) => json!({ "svc_name": address.raw() }),
    }
}

fn unmapped(row: &FindingRow) -> Value {
    let texts = |list: &[Untrusted]| list.iter().map(|t| t.raw().to_owned()).collect::<Vec<_>>();
    json!({
        "subject_kind": row.subject.kind,
        "path": texts(&row.path),
        "not_visible": row.not_visible,
        "allowed_by": row.allowed_by,
        "next": { "command": row.next.command, "pivot": row.next.pivot.raw() },
    })
}

fn severity(name: &str) -> (u8, &'static str) {
    match name {
        "informational" => (1, "Informational"),
        "low" => (2, "Low"),
        "medium" => (3, "Medium"),
        "high" => (4, "High"),
        "critical" => (5, "Critical"),
        _ => (0, "Unknown"),
    }
}

fn confidence(name: &str) -> (u8, &'static str) {
    match name {
        "low" => (1, "Low"),
        "medium" => (2, "Medium"),
        "high" => (3, "High"),
        _ => (0, "Unknown"),
    }
}

fn millis(time: Timestamp) -> i64 {
    time.seconds().saturating_mul(1000)
}

/// Takes out what is not known: OCSF has no null, and an absent attribute says the same.
fn prune(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(prune);
            members.retain(|_, member| !is_nothing(member));
        }
        Value::Array(items) => {
            items.iter_mut().for_each(prune);
            items.retain(|item| !is_nothing(item));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(members) => members.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_unknown_is_written() {
        let mut value =
            json!({ "a": null, "b": { "c": null }, "d": [{ "e": [] }, 0, ""], "f": false });
        prune(&mut value);
        assert_eq!(value, json!({ "d": [0, ""], "f": false }));
    }

    #[test]
    fn a_part_of_a_technique_stands_below_its_whole_and_tactic() {
        let found = attacks("T1550.001");
        let tactics: Vec<&Value> = found.iter().map(|a| &a["tactic"]["uid"]).collect();
        assert_eq!(tactics, ["TA0005", "TA0008"]);
        assert_eq!(found[0]["technique"]["uid"], "T1550");
        assert_eq!(
            found[0]["sub_technique"]["name"],
            "Application Access Token"
        );
    }

    #[test]
    fn an_address_is_an_address_or_a_name() {
        assert_eq!(
            endpoint(&Untrusted::new("2001:db8::1")),
            json!({ "ip": "2001:db8::1" })
        );
        assert_eq!(
            endpoint(&Untrusted::new("ssm.amazonaws.com")),
            json!({ "svc_name": "ssm.amazonaws.com" })
        );
    }

    #[test]
    fn a_user_is_named_by_its_arn() {
        let of = |arn: &str| {
            user(&End {
                kind: "temporary-credential",
                access_key_id: None,
                principal_arn: Some(Untrusted::new(arn)),
                account: None,
                workload: None,
            })
        };
        let session = of("arn:aws:sts::111122223333:assumed-role/app/build");
        assert_eq!(session["name"], "assumed-role/app/build");
        assert_eq!(session["type"], "AssumedRole");
        assert_eq!(of("arn:aws:iam::111122223333:user/a")["type_id"], 1);
        assert_eq!(of("arn:aws:iam::111122223333:root")["type_id"], 2);
        assert_eq!(of("ec2.amazonaws.com")["type_id"], 0);
    }

    #[test]
    fn every_severity_and_confidence_has_its_number() {
        use unchain_core::finding::{Confidence, Severity};
        let ids: Vec<u8> = Severity::ALL.iter().map(|s| severity(s.name()).0).collect();
        assert_eq!(ids, [1, 2, 3, 4, 5]);
        let all = [Confidence::Low, Confidence::Medium, Confidence::High];
        let ids: Vec<u8> = all.iter().map(|c| confidence(c.name()).0).collect();
        assert_eq!(ids, [1, 2, 3]);
    }
}
