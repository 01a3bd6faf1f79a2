//! A call as the request that a client sends for it, in the service's own protocol, before it is signed.

use serde_json::{Map, Value};

use crate::http::{Request, encode};
use crate::service::{Protocol, Service};

/// One API call.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    /// The service.
    pub(super) service: Service,
    /// The API's name of the operation.
    pub(super) operation: String,
    /// The region.
    pub(super) region: String,
    /// Parameters under the API's names.
    pub(super) params: Map<String, Value>,
    /// An object's content.
    pub(super) body: Vec<u8>,
}

impl Ask {
    /// A parameter as text.
    pub(super) fn text(&self, name: &str) -> &str {
        self.params
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }
}

/// The request of a call.
pub(super) fn build(ask: &Ask) -> Request {
    let mut request = match ask.service.protocol() {
        Protocol::Query | Protocol::Ec2 => query(ask),
        Protocol::Json(version) => json(ask, version),
        Protocol::RestJson => lambda(ask),
        Protocol::RestXml => s3(ask),
    };
    let host = match ask.service {
        Service::Iam => "iam.amazonaws.com".to_owned(),
        service => format!("{}.{}.amazonaws.com", service.name(), ask.region),
    };
    request.headers.push(("host".to_owned(), host));
    request
}

/// A form with the operation and flattened parameters.
fn query(ask: &Ask) -> Request {
    let version = match ask.service {
        Service::Iam => "2010-05-08",
        Service::Sns => "2010-03-31",
        Service::Ec2 => "2016-11-15",
        Service::CloudFormation => "2010-05-15",
        _ => "2011-06-15",
    };
    let mut pairs = vec![
        ("Action".to_owned(), ask.operation.clone()),
        ("Version".to_owned(), version.to_owned()),
    ];
    let infix = match ask.service {
        Service::Ec2 => "",
        _ => ".member",
    };
    for (name, value) in &ask.params {
        flatten(name, value, infix, &mut pairs);
    }
    let body: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    let form = "application/x-www-form-urlencoded; charset=utf-8";
    post("/", form, body.join("&").into_bytes())
}

fn flatten(name: &str, value: &Value, infix: &str, out: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => {
            for (field, inner) in fields {
                flatten(&format!("{name}.{field}"), inner, infix, out);
            }
        }
        Value::Array(items) => {
            for (number, inner) in (1..).zip(items) {
                flatten(&format!("{name}{infix}.{number}"), inner, infix, out);
            }
        }
        Value::String(text) => out.push((name.to_owned(), text.clone())),
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) => out.push((name.to_owned(), value.to_string())),
    }
}

fn json(ask: &Ask, version: &str) -> Request {
    let prefix = match ask.service {
        Service::Sqs => "AmazonSQS",
        Service::DynamoDb => "DynamoDB_20120810",
        Service::CloudTrail => "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101",
        Service::Organizations => "AWSOrganizationsV20161128",
        Service::Athena => "AmazonAthena",
        Service::Ssm => "AmazonSSM",
        _ => "secretsmanager",
    };
    let body = Value::Object(ask.params.clone()).to_string().into_bytes();
    let mut request = post("/", &format!("application/x-amz-json-{version}"), body);
    let target = format!("{prefix}.{}", ask.operation);
    request.headers.push(("x-amz-target".to_owned(), target));
    request
}

/// Lambda's paths (docs.aws.amazon.com/lambda/latest/api/API_Operations.html).
fn lambda(ask: &Ask) -> Request {
    const FUNCTIONS: &str = "/2015-03-31/functions";
    let named = format!("{FUNCTIONS}/{}", encode(ask.text("FunctionName")));
    let body = Value::Object(ask.params.clone()).to_string().into_bytes();
    let (method, path, body) = match ask.operation.as_str() {
        "CreateFunction" => ("POST", FUNCTIONS.to_owned(), body),
        "Invoke" => ("POST", format!("{named}/invocations"), ask.body.clone()),
        "GetFunction" => ("GET", named, Vec::new()),
        "DeleteFunction" => ("DELETE", named, Vec::new()),
        _ => ("GET", format!("{FUNCTIONS}/"), Vec::new()),
    };
    let mut request = post(&path, "application/json", body);
    method.clone_into(&mut request.method);
    request
}

/// S3's methods, paths and queries (docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html).
fn s3(ask: &Ask) -> Request {
    let (method, query) = match ask.operation.as_str() {
        "PutObject" | "CreateBucket" | "CopyObject" => ("PUT", ""),
        "HeadObject" | "HeadBucket" => ("HEAD", ""),
        "DeleteObject" | "DeleteBucket" => ("DELETE", ""),
        "ListObjectsV2" => ("GET", "list-type=2"),
        "GetBucketAcl" => ("GET", "acl="),
        "GetBucketPolicy" => ("GET", "policy="),
        "PutBucketPolicy" => ("PUT", "policy="),
        "DeleteBucketPolicy" => ("DELETE", "policy="),
        "GetBucketLocation" => ("GET", "location="),
        _ => ("GET", ""),
    };
    let mut path = String::from("/");
    path.push_str(ask.text("Bucket"));
    if let Some(key) = ask.params.get("Key").and_then(Value::as_str) {
        let parts: Vec<String> = key.split('/').map(encode).collect();
        path.push('/');
        path.push_str(&parts.join("/"));
    }
    let mut request = Request {
        method: method.to_owned(),
        path,
        query: query.to_owned(),
        body: ask.body.clone(),
        ..Request::default()
    };
    if ask.operation == "CopyObject" {
        let from = ask.text("CopySource").to_owned();
        request.headers.push(("x-amz-copy-source".to_owned(), from));
    }
    request
}

fn post(path: &str, kind: &str, body: Vec<u8>) -> Request {
    Request {
        method: "POST".to_owned(),
        path: path.to_owned(),
        headers: vec![("content-type".to_owned(), kind.to_owned())],
        body,
        ..Request::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ask(service: Service, operation: &str, params: &Value) -> Ask {
        Ask {
            service,
            operation: operation.to_owned(),
            region: "eu-west-1".to_owned(),
            params: params.as_object().cloned().unwrap(),
            body: Vec::new(),
        }
    }

    #[test]
    fn lists_are_flattened_as_each_protocol_wants() {
        let params = json!({"Tags": [{"Key": "a b", "Value": "c"}], "N": 5});
        let sts = build(&ask(Service::Sts, "AssumeRole", &params));
        assert_eq!(
            String::from_utf8(sts.body).unwrap(),
            "Action=AssumeRole&Version=2011-06-15&Tags.member.1.Key=a%20b&Tags.member.1.Value=c&N=5"
        );
        let ec2 = String::from_utf8(build(&ask(Service::Ec2, "X", &params)).body).unwrap();
        assert!(ec2.contains("&Tags.1.Key=a%20b&"), "{ec2}");
        assert_eq!(sts.headers.last().unwrap().1, "sts.eu-west-1.amazonaws.com");
    }

    #[test]
    fn s3_and_lambda_are_asked_by_path() {
        let object = build(&ask(
            Service::S3,
            "PutObject",
            &json!({"Bucket": "b", "Key": "x y/z"}),
        ));
        assert_eq!(
            (object.method.as_str(), object.path.as_str()),
            ("PUT", "/b/x%20y/z")
        );
        let invoked = build(&ask(
            Service::Lambda,
            "Invoke",
            &json!({"FunctionName": "f"}),
        ));
        assert_eq!(invoked.path, "/2015-03-31/functions/f/invocations");
        let trails = build(&ask(Service::CloudTrail, "DescribeTrails", &json!({})));
        assert!(
            trails
                .header("x-amz-target")
                .unwrap()
                .ends_with(".DescribeTrails")
        );
    }
}
