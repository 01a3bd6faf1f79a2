use serde_json::{Map, Value, json};

use super::*;
use crate::call::Call;
use crate::operation::{Event, Permission};
use crate::world::World;

fn nothing(_: &mut World, _: &Call<'_>) -> Result<Reply, Fault> {
    Ok(Reply::default())
}

fn operation(service: Service, name: &'static str) -> Operation {
    Operation {
        service,
        name,
        read_only: true,
        event: Event::None,
        permission: Permission::Free,
        run: nothing,
    }
}

fn form(service: Service, body: &str) -> Result<(String, Map<String, Value>), Fault> {
    query::read(service, &Request::default(), body.as_bytes())
}

fn params(service: Service, body: &str) -> Value {
    Value::Object(
        form(service, &format!("Action=Do&Version=1&{body}"))
            .unwrap()
            .1,
    )
}

#[test]
fn a_form_becomes_an_object_of_the_apis_names() {
    let body = "RoleArn=arn%3Aaws&Tags.member.2.Key=b&Tags.member.1.Key=a+%2B&Tags.member.1.Value=%C3%A4&\
                Tags.member.2.Value=&PolicyArns.member.1.arn=x&Empty=&Filter.Deep.Name=y";
    let expected = json!({
        "Empty": "", "Filter": {"Deep": {"Name": "y"}}, "PolicyArns": [{"arn": "x"}], "RoleArn": "arn:aws",
        "Tags": [{"Key": "a +", "Value": "ä"}, {"Key": "b", "Value": ""}]
    });
    assert_eq!(params(Service::Sts, body), expected);
    let eleven: String = (1..12)
        .rev()
        .map(|n| format!("A.member.{n}={n}&"))
        .collect();
    let expected: Vec<String> = (1..12).map(|n: i32| n.to_string()).collect();
    assert_eq!(
        params(Service::Iam, &eleven)["A"],
        json!(expected),
        "by number, not by letter"
    );
}

#[test]
fn maps_and_flat_lists_are_told_by_service() {
    let sns = "Attributes.entry.1.key=Policy&Attributes.entry.1.value=p&MessageAttributes.entry.1.Name=n&\
               MessageAttributes.entry.1.Value.DataType=String&Tags.member.1.Key=k&Tags.member.1.Value=v";
    let expected = json!({
        "Attributes": {"Policy": "p"}, "MessageAttributes": {"n": {"DataType": "String"}},
        "Tags": [{"Key": "k", "Value": "v"}]
    });
    assert_eq!(params(Service::Sns, sns), expected);
    let sqs = "Attribute.1.Name=VisibilityTimeout&Attribute.1.Value=5&AttributeName.1=All&\
               SendMessageBatchRequestEntry.1.Id=i&SendMessageBatchRequestEntry.1.MessageBody=b";
    let expected = json!({
        "Attributes": {"VisibilityTimeout": "5"}, "AttributeNames": ["All"],
        "Entries": [{"Id": "i", "MessageBody": "b"}]
    });
    assert_eq!(params(Service::Sqs, sqs), expected);
    let ec2 = "InstanceId.1=i-1&Filter.1.Name=tag%3Aa&Filter.1.Value.1=b&dryRun=true&MaxResults=5&\
               TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=k";
    let expected = json!({
        "InstanceIds": ["i-1"], "Filters": [{"Name": "tag:a", "Values": ["b"]}], "DryRun": "true", "MaxResults": "5",
        "TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "k"}]}]
    });
    assert_eq!(params(Service::Ec2, ec2), expected);
}

#[test]
fn forms_that_contradict_themselves_or_nest_without_end_are_refused() {
    let deep = format!("{}x=1", "a.".repeat(5000));
    for body in ["A=1&A=2", "A=1&A.B=2", "A.B=2&A=1", "A=%ff", &deep] {
        let fault = form(Service::Sts, &format!("Action=Do&{body}")).unwrap_err();
        assert_eq!(
            fault.trouble,
            Trouble::Api("MalformedQueryString".to_owned()),
            "{body:.40}"
        );
    }
    assert_eq!(
        form(Service::Sts, "A=1").unwrap_err().trouble,
        Trouble::Api("MissingAction".to_owned())
    );
}

#[test]
fn an_unknown_action_is_named_so_in_each_protocol() {
    let request = Request {
        method: "POST".to_owned(),
        ..Request::default()
    };
    let fault = read(Service::Iam, &request, b"Action=Nope&Version=2010-05-08").unwrap_err();
    assert_eq!(
        (code(Service::Iam, &fault).as_str(), fault.status),
        ("InvalidAction", 400)
    );
    let headers = vec![("x-amz-target".to_owned(), "AmazonAthena.Nope".to_owned())];
    let request = Request { headers, ..request };
    let fault = read(Service::Athena, &request, b"{}").unwrap_err();
    assert_eq!(code(Service::Athena, &fault), "UnknownOperationException");
    let fault = read(Service::CloudTrail, &request, b"{}").unwrap_err();
    assert_eq!(
        fault.trouble,
        Trouble::UnknownOperation,
        "a target of another service"
    );
}

#[test]
fn json_that_is_no_object_or_nests_without_end_is_an_error() {
    for body in [
        b"[]".to_vec(),
        b"{\"a\":".to_vec(),
        vec![b'['; 100_000],
        b"\xff".to_vec(),
    ] {
        let fault = json::object(&body).unwrap_err();
        assert_eq!(
            fault.trouble,
            Trouble::Api("SerializationException".to_owned())
        );
    }
    assert_eq!(json::object(b" ").unwrap(), Map::new());
}

#[test]
fn lambdas_operations_are_told_by_method_and_path() {
    let ask = |method: &str, path: &str| {
        let request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            ..Request::default()
        };
        rest::read(&request, b"{\"a\":1}").map(|(name, params)| (name, Value::Object(params)))
    };
    let (name, params) = ask("GET", "/2015-03-31/functions/").unwrap();
    assert_eq!((name.as_str(), params), ("ListFunctions", json!({"a": 1})));
    let (name, params) = ask("POST", "/2015-03-31/functions/arn%3Aaws/invocations").unwrap();
    assert_eq!(
        (name.as_str(), params),
        ("Invoke", json!({"FunctionName": "arn:aws"}))
    );
    assert!(ask("GET", "/").is_err());
    assert!(ask("PATCH", "/2015-03-31/functions/x").is_err());
}

fn text(response: &Response) -> String {
    String::from_utf8(response.body.clone()).unwrap()
}

fn answer(service: Service, name: &'static str, value: Value) -> Response {
    let target = if service == Service::Sqs {
        "AmazonSQS.X"
    } else {
        ""
    };
    let mut request = Request::default();
    if !target.is_empty() {
        request
            .headers
            .push(("x-amz-target".to_owned(), target.to_owned()));
    }
    reply(&operation(service, name), &request, &Reply::of(value), "ID")
}

#[test]
fn query_replies_have_members_entries_and_iso_dates() {
    let value = json!({
        "Users": [{"UserName": "a<&\u{1}", "CreateDate": {"$time": 1_795_333_766}, "Gone": null}],
        "IsTruncated": false, "SummaryMap": {"Users": 3}
    });
    let response = answer(Service::Iam, "ListUsers", value);
    assert_eq!(
        text(&response),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListUsersResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">\
         <ListUsersResult><Users><member><UserName>a&lt;&amp;\u{fffd}</UserName><CreateDate>2026-11-22T07:49:26Z</CreateDate>\
         </member></Users><IsTruncated>false</IsTruncated><SummaryMap><entry><key>Users</key><value>3</value></entry></SummaryMap>\
         </ListUsersResult><ResponseMetadata><RequestId>ID</RequestId></ResponseMetadata></ListUsersResponse>"
    );
    assert!(
        response
            .headers
            .contains(&("x-amzn-requestid".to_owned(), "ID".to_owned()))
    );
    assert!(!text(&answer(Service::Iam, "DeleteUser", Value::Null)).contains("Result"));
}

#[test]
fn ec2_and_s3_and_json_replies_have_their_own_lists_and_dates() {
    let instances = json!({"Reservations": [{"Instances": [{"LaunchTime": {"$time": 0}, "Tags": [{"Key": "k"}]}]}]});
    let ec2 = text(&answer(Service::Ec2, "DescribeInstances", instances));
    assert!(
        ec2.contains(
            "<requestId>ID</requestId><reservationSet><item><instancesSet><item>\
             <launchTime>1970-01-01T00:00:00.000Z</launchTime><tagSet><item><key>k</key></item></tagSet></item>"
        ),
        "{ec2}"
    );
    let listing =
        json!({"ListBucketResult": {"Name": "b", "Contents": [{"Key": "x"}, {"Key": "y"}]}});
    let s3 = text(&answer(Service::S3, "ListObjects", listing));
    assert!(
        s3.contains("<Contents><Key>x</Key></Contents><Contents><Key>y</Key></Contents>"),
        "{s3}"
    );
    let sqs = answer(
        Service::Sqs,
        "ReceiveMessage",
        json!({"Messages": [{"At": {"$time": 5}}], "Gone": null}),
    );
    assert_eq!(text(&sqs), r#"{"Messages":[{"At":5}]}"#);
    assert!(sqs.headers.contains(&(
        "content-type".to_owned(),
        "application/x-amz-json-1.0".to_owned()
    )));
}

#[test]
fn sqs_answers_old_clients_in_xml() {
    let value =
        json!({"Attributes": {"QueueArn": "a"}, "Messages": [{"Body": "b"}, {"Body": "c"}]});
    let response = reply(
        &operation(Service::Sqs, "X"),
        &Request::default(),
        &Reply::of(value),
        "ID",
    );
    let text = text(&response);
    assert!(
        text.contains(
            "<XResult><Attribute><Name>QueueArn</Name><Value>a</Value></Attribute>\
             <Message><Body>b</Body></Message><Message><Body>c</Body></Message></XResult>"
        ),
        "{text}"
    );
}

/// Rows: trouble; then code and status of STS, S3, EC2, CloudTrail (JSON), Lambda (REST).
#[test]
fn each_trouble_has_its_code_by_protocol() {
    let services = [
        Service::Sts,
        Service::S3,
        Service::Ec2,
        Service::CloudTrail,
        Service::Lambda,
    ];
    let rows = [
        (
            Trouble::Denied,
            "AccessDenied 403, AccessDenied 403, UnauthorizedOperation 403, AccessDeniedException 400, AccessDeniedException 403",
        ),
        (
            Trouble::UnknownKey,
            "InvalidClientTokenId 403, InvalidAccessKeyId 403, AuthFailure 401, UnrecognizedClientException 400, UnrecognizedClientException 403",
        ),
        (
            Trouble::WrongToken,
            "InvalidClientTokenId 403, InvalidToken 400, AuthFailure 401, UnrecognizedClientException 400, UnrecognizedClientException 403",
        ),
        (
            Trouble::BadSignature,
            "SignatureDoesNotMatch 403, SignatureDoesNotMatch 403, AuthFailure 401, InvalidSignatureException 400, InvalidSignatureException 403",
        ),
        (
            Trouble::Expired,
            "ExpiredToken 403, ExpiredToken 400, RequestExpired 400, ExpiredTokenException 400, ExpiredTokenException 403",
        ),
        (
            Trouble::Skewed,
            "SignatureDoesNotMatch 403, RequestTimeTooSkewed 403, RequestExpired 400, InvalidSignatureException 400, InvalidSignatureException 403",
        ),
        (
            Trouble::Api("Other".to_owned()),
            "Other 409, Other 409, Other 409, Other 409, Other 409",
        ),
    ];
    for (trouble, expected) in rows {
        let status = if matches!(trouble, Trouble::Api(_)) {
            409
        } else {
            403
        };
        let failure = Fault::of(status, trouble, "why");
        let found = services.map(|service| {
            let response = fault(Some(service), &Request::default(), &failure, "ID");
            assert!(
                text(&response).contains(&code(service, &failure)) || service == Service::Lambda
            );
            format!("{} {}", code(service, &failure), response.status)
        });
        assert_eq!(found.join(", "), expected);
    }
}

#[test]
fn faults_have_the_form_that_clients_parse() {
    let denied = Fault::denied("User: a is not authorized");
    let say = |service| text(&fault(Some(service), &Request::default(), &denied, "ID"));
    assert_eq!(
        say(Service::Iam),
        "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>User: a is not authorized</Message>\
         </Error><RequestId>ID</RequestId></ErrorResponse>"
    );
    assert!(say(Service::Ec2).contains(
        "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>You are not authorized to perform this \
         operation. User: a is not authorized</Message></Error></Errors><RequestID>ID</RequestID></Response>"
    ));
    assert!(
        say(Service::S3).contains(
            "<Error><Code>AccessDenied</Code><Message>User: a is not authorized</Message>"
        )
    );
    assert!(say(Service::Athena).contains(r#""__type":"AccessDeniedException""#));
    let head = Request {
        method: "HEAD".to_owned(),
        ..Request::default()
    };
    assert!(
        fault(Some(Service::S3), &head, &denied, "ID")
            .body
            .is_empty()
    );
}

#[test]
fn sqs_gives_its_old_code_beside_the_new_name() {
    let headers = vec![(
        "x-amz-target".to_owned(),
        "AmazonSQS.SendMessage".to_owned(),
    )];
    let request = Request {
        headers,
        ..Request::default()
    };
    let missing = Fault::api(400, "AWS.SimpleQueueService.NonExistentQueue", "no");
    let response = fault(Some(Service::Sqs), &request, &missing, "ID");
    assert!(text(&response).contains("com.amazonaws.sqs#QueueDoesNotExist"));
    let header = (
        "x-amzn-query-error".to_owned(),
        "AWS.SimpleQueueService.NonExistentQueue;Sender".to_owned(),
    );
    assert!(response.headers.contains(&header));
}
