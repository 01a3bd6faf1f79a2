//! Every shape in which records arrive, and what arrives beside them.

#![cfg(test)]

mod common;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::{gzip, ids, log, read, read_windowed, record, records};
use serde_json::{Value, json};
use unchain_core::event::{Notes, Refusal};
use unchain_source::{FileKind, FileReport};

fn value(id: usize) -> Value {
    serde_json::from_str(&record(id)).expect("JSON")
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).expect("JSON")
}

/// All of `count` records, in order, and nothing refused; whole and through windows.
fn check(text: &str, count: usize) {
    for (seen, report) in [
        read(text.as_bytes()),
        read_windowed(text.as_bytes(), 64),
        read_windowed(text.as_bytes(), 4096),
    ] {
        assert_eq!(seen.ids, ids(count), "{text}\n{report:?}");
        assert_eq!(seen.ordinals, (0..).take(count).collect::<Vec<u64>>());
        assert_eq!(
            report.counts.read, report.counts.parsed,
            "{text}\n{report:?}"
        );
        assert_eq!(
            (report.kind, report.damage),
            (FileKind::Records, None),
            "{text}"
        );
    }
}

fn report_of(text: &str) -> FileReport {
    read(text.as_bytes()).1
}

#[test]
fn log_files() {
    check(&log(3), 3);
    check(&pretty(&serde_json::from_str(&log(3)).expect("JSON")), 3);
    check(&format!("{}\n{}", log(0), log(2)), 2);
    check(
        &format!(
            "{{\"version\":1,\"x\":{{\"Records\":[]}},\"Records\":[{}],\"more\":[1]}}",
            records(2).join(",")
        ),
        2,
    );
    assert_eq!(report_of(&log(0)).kind, FileKind::Records);
}

#[test]
fn lists_and_single_records() {
    check(&record(0), 1);
    check(&pretty(&value(0)), 1);
    check(&format!("[{}]", records(3).join(",")), 3);
    check(&pretty(&json!([value(0), value(1)])), 2);
    check(&format!("[{},{{\"Records\":[{}]}}]", log(1), record(1)), 2);
    check(&format!("[[{}],[{}]]", record(0), record(1)), 2);
}

#[test]
fn lines() {
    check(&records(3).join("\n"), 3);
    check(&records(3).join("\r\n\r\n"), 3);
    check(&format!("\u{feff}{}\n", records(3).join("\n")), 3);
    check(&records(3).concat(), 3);
    check(&[pretty(&value(0)), pretty(&value(1))].join("\n"), 2);
    check(
        &records(2)
            .iter()
            .map(|r| Value::String(r.clone()).to_string())
            .collect::<Vec<_>>()
            .join("\n"),
        2,
    );
    check(
        &records(2)
            .iter()
            .map(|r| format!("<134>May 6 host trail: {r}"))
            .collect::<Vec<_>>()
            .join("\n"),
        2,
    );
}

#[test]
fn lookup_events() {
    let event = |id| json!({"EventId": "x", "EventName": "GetObject", "EventTime": "2024-05-06T09:00:00+02:00", "Resources": [], "CloudTrailEvent": record(id)});
    check(
        &json!({"Events": [event(0), event(1)], "NextToken": "t"}).to_string(),
        2,
    );
    check(
        &pretty(&json!({"NextToken": "t", "Events": [event(0), event(1)]})),
        2,
    );
    check(&event(0).to_string(), 1);
}

#[test]
fn event_bridge() {
    let event = |id| json!({"version": "0", "id": "x", "detail-type": "AWS API Call via CloudTrail", "source": "aws.s3", "time": "2024-05-06T07:00:00Z", "detail": value(id)});
    check(&event(0).to_string(), 1);
    check(&[event(0).to_string(), event(1).to_string()].join("\n"), 2);
}

#[test]
fn cloudwatch_logs() {
    let event = |id| json!({"id": "1", "timestamp": 1_715_000_000_000_u64, "message": record(id)});
    let data = json!({"messageType": "DATA_MESSAGE", "owner": "111122223333", "logGroup": "g", "logEvents": [event(0), event(1)]}).to_string();
    check(&data, 2);
    check(&[data.clone()].concat(), 2);
    let packed = STANDARD.encode(gzip(data.as_bytes()));
    check(&json!({"awslogs": {"data": packed}}).to_string(), 2);
    check(
        &json!({"Records": [{"kinesis": {"data": packed}}]}).to_string(),
        2,
    );
    check(
        &json!({"events": [{"logStreamName": "s", "message": record(0)}]}).to_string(),
        1,
    );
}

#[test]
fn queues_and_topics() {
    let sns = |inner: &str| {
        json!({"Type": "Notification", "MessageId": "m", "Message": inner}).to_string()
    };
    check(&sns(&record(0)), 1);
    check(
        &json!({"Messages": [{"MessageId": "m", "Body": sns(&log(2))}]}).to_string(),
        2,
    );
    check(&json!({"Records": [{"messageId": "m", "eventSource": "aws:sqs", "awsRegion": "eu-west-1", "body": sns(&record(0))}]}).to_string(), 1);
    check(
        &json!({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": record(0)}}]})
            .to_string(),
        1,
    );
}

#[test]
fn wrappers_are_followed_to_a_depth() {
    let wrap =
        |times: usize| (0..times).fold(record(0), |inner, _| json!({"Message": inner}).to_string());
    check(&wrap(3), 1);
    let report = report_of(&wrap(12));
    assert_eq!(
        (
            report.counts.parsed,
            report.counts.refused.get(Refusal::TooDeep)
        ),
        (0, u64::from(report.kind == FileKind::Records))
    );
}

#[test]
fn elastic_and_security_onion() {
    let hit = |source: Value| {
        json!({"took": 1, "hits": {"total": {"value": 1}, "hits": [{"_index": "i", "_source": source}]}}).to_string()
    };
    check(
        &hit(json!({"@timestamp": "2024-05-06T07:00:00Z", "message": record(0)})),
        1,
    );
    check(
        &hit(json!({"message": "text", "event": {"action": "GetObject", "original": record(0)}})),
        1,
    );
    check(
        &json!({"event.original": record(0), "tags": []}).to_string(),
        1,
    );
    check(&json!({"_source": value(0)}).to_string(), 1);
    check(
        &json!({"aws": {"cloudtrail": value(0)}, "event": {"name": "x"}}).to_string(),
        1,
    );
}

#[test]
fn the_time_may_come_from_the_wrapper() {
    let mut bare = value(0);
    bare.as_object_mut().expect("an object").remove("eventTime");
    let wrapped =
        json!({"@timestamp": "2024-05-06T08:09:10.123Z", "message": bare.to_string()}).to_string();
    let direct = bare
        .to_string()
        .replacen('{', "{\"@timestamp\":\"2024-05-06T08:09:10.123Z\",", 1);
    for text in [wrapped, direct] {
        let (seen, report) = read(text.as_bytes());
        assert_eq!(seen.times, ["2024-05-06T08:09:10Z"]);
        assert_eq!(report.counts.notes.get(Notes::TIME_FROM_ENVELOPE), 1);
    }
    assert_eq!(
        report_of(&bare.to_string())
            .counts
            .refused
            .get(Refusal::NoTime),
        1
    );
}

#[test]
fn splunk() {
    check(
        &json!({"preview": false, "result": {"_raw": record(0), "sourcetype": "aws:cloudtrail"}})
            .to_string(),
        1,
    );
    check(
        &json!({"results": [{"_raw": record(0)}, {"_raw": record(1)}]}).to_string(),
        2,
    );
}

#[test]
fn announcements_are_counted_and_not_refused() {
    let s3 = json!({"Records": [{"eventVersion": "2.1", "eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "eventTime": "2024-05-06T07:00:00Z", "s3": {"bucket": {"name": "b"}, "object": {"key": "k"}}}]});
    let trail = json!({"Message": json!({"s3Bucket": "b", "s3ObjectKey": ["k"]}).to_string()});
    for text in [
        s3.to_string(),
        trail.to_string(),
        json!({"Message": s3.to_string()}).to_string(),
    ] {
        let report = report_of(&text);
        assert_eq!(
            (
                report.kind,
                report.counts.read,
                report.counts.other.notifications
            ),
            (FileKind::Notification, 0, 1),
            "{text}"
        );
    }
}

#[test]
fn digests_insights_and_aggregated_records_are_not_events() {
    let digest = json!({"awsAccountId": "111122223333", "digestStartTime": "2024-05-06T07:00:00Z", "digestS3Object": "k", "logFiles": [{"s3Bucket": "b"}]});
    assert_eq!(report_of(&digest.to_string()).kind, FileKind::Digest);
    let insight = json!({"eventVersion": "1.08", "eventTime": "2024-05-06T07:00:00Z", "eventID": "i", "awsRegion": "eu-west-1", "eventType": "AwsCloudTrailInsight", "insightDetails": {"eventName": "x"}, "eventCategory": "Insight"});
    assert_eq!(
        report_of(&json!({"Records": [insight]}).to_string()).kind,
        FileKind::Insight
    );
    let aggregated = json!({"eventVersion": "1.0", "eventId": "a", "eventCategory": "Aggregated", "eventType": "AwsAggregatedEvent", "awsRegion": "eu-west-1"});
    assert_eq!(
        report_of(&json!({"Records": [aggregated]}).to_string()).kind,
        FileKind::Aggregated
    );
    let mixed =
        report_of(&json!({"Records": [value(0), insight, aggregated, value(1)]}).to_string());
    assert_eq!(
        (mixed.kind, mixed.counts.read, mixed.counts.other.total()),
        (FileKind::Records, 2, 2)
    );
    let network = record(0).replace("\"readOnly\":true", "\"eventCategory\":\"NetworkActivity\"");
    check(&network, 1);
}

#[test]
fn an_envelope_without_cloudtrail_is_refused_with_a_reason() {
    let report = report_of(&json!({"Records": [{"body": "hello"}, {"body": record(0)}, {"body": "{\"eventVersion\":"}]}).to_string());
    assert_eq!((report.counts.read, report.counts.parsed), (3, 1));
    assert_eq!(report.counts.refused.get(Refusal::NoEventName), 1);
    assert_eq!(report.counts.refused.get(Refusal::NotJson), 1);
}

#[test]
fn what_is_not_cloudtrail_is_not_a_list_of_bad_records() {
    for text in [
        "# Notes\n\nSome text about userIdentity and eventSource.\n",
        "a,b,c\n1,2,3\n\"x\",\"y\",\"{}\"\n",
        "\u{89}PNG\r\n\u{1a}\n{{{\"[[[",
        "[1,2,3]",
        "{\"name\":\"package\",\"version\":1,\"Events\":7}",
        "null",
    ] {
        let report = report_of(text);
        assert_eq!(
            (report.kind, report.counts.read),
            (FileKind::NotCloudTrail, 0),
            "{text}"
        );
    }
    assert_eq!(report_of("").kind, FileKind::Empty);
    assert_eq!(report_of(" \n\n").kind, FileKind::Empty);
}
