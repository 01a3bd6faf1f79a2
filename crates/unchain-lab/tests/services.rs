//! Systems Manager, CloudFormation and what EC2 gives to workloads: permissions, errors, and what the log says.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail where the test should"
)]

mod common;

use common::{ACCOUNT, Company};
use serde_json::{Value, json};
use unchain_lab::call::{Fault, Trouble};
use unchain_lab::session::Caller;
use unchain_lab::workload;

/// A user who may do what the statement's actions say on its resources.
fn user(company: &mut Company, name: &str, (actions, resource): (Value, &str)) -> Caller {
    let caller = company.user(name);
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": actions, "Resource": resource},
    ]});
    let inline = json!({"UserName": name, "PolicyName": "p", "PolicyDocument": policy.to_string()});
    let root = company.root(ACCOUNT);
    company.must(&root, "iam PutUserPolicy", inline);
    caller
}

/// A role that EC2 may assume, with an instance profile of the same name.
fn role(company: &mut Company, name: &str) {
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
    let root = company.root(ACCOUNT);
    let role = json!({"RoleName": name, "AssumeRolePolicyDocument": trust.to_string()});
    company.must(&root, "iam CreateRole", role);
    let profile = json!({"InstanceProfileName": name});
    company.must(&root, "iam CreateInstanceProfile", profile);
    let both = json!({"InstanceProfileName": name, "RoleName": name});
    company.must(&root, "iam AddRoleToInstanceProfile", both);
}

/// A new instance with a profile, or with none.
fn instance(company: &mut Company, profile: Option<&str>) -> String {
    let root = company.root(ACCOUNT);
    let profile = profile.map(|name| json!({"Name": name}));
    let asked = json!({"ImageId": "ami-1", "MinCount": 1, "MaxCount": 1,
        "MetadataOptions": {"HttpTokens": "required"}, "IamInstanceProfile": profile});
    let made = company.must(&root, "ec2 RunInstances", asked);
    let id = made.value["Instances"][0]["InstanceId"].as_str();
    id.expect("an id").to_owned()
}

fn code(outcome: Result<unchain_lab::call::Reply, Fault>) -> Trouble {
    outcome.expect_err("a refusal").trouble
}

fn api(code: &str) -> Trouble {
    Trouble::Api(code.to_owned())
}

/// The records of one event.
fn events(company: &mut Company, name: &str) -> Vec<Value> {
    let mut records = company.records();
    records.retain(|record| record["eventName"] == name);
    records
}

#[test]
fn parameters_are_read_by_those_who_may_and_logged_without_values() {
    let mut company = Company::new();
    let root = company.root(ACCOUNT);
    let resource = format!("arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/shop/*");
    let reader = user(
        &mut company,
        "reader",
        (json!("ssm:GetParameter*"), &resource),
    );
    let put = json!({"Name": "/shop/key", "Value": "hunter2", "Type": "SecureString"});
    company.must(&root, "ssm PutParameter", put.clone());
    let again = company.call(&root, "ssm PutParameter", put);
    assert_eq!(code(again), api("ParameterAlreadyExists"));
    let over = json!({"Name": "/shop/key", "Value": "hunter3", "Overwrite": true});
    let made = company.must(&root, "ssm PutParameter", over);
    assert_eq!(made.value["Version"], 2);
    company.must(
        &root,
        "ssm PutParameter",
        json!({"Name": "plain", "Value": "v", "Type": "String"}),
    );

    let value = |company: &mut Company, asked: Value| {
        let got = company.must(&reader, "ssm GetParameter", asked);
        got.value["Parameter"]["Value"].as_str().map(str::to_owned)
    };
    let open = json!({"Name": "/shop/key", "WithDecryption": true});
    assert_eq!(value(&mut company, open).as_deref(), Some("hunter3"));
    let first = json!({"Name": "/shop/key:1", "WithDecryption": true});
    assert_eq!(value(&mut company, first).as_deref(), Some("hunter2"));
    let sealed = value(&mut company, json!({"Name": "/shop/key"})).expect("a value");
    assert!(sealed.starts_with("AQICAH"), "{sealed}");

    let other = company.call(&reader, "ssm GetParameter", json!({"Name": "plain"}));
    assert_eq!(code(other), Trouble::Denied);
    let none = company.call(&reader, "ssm GetParameter", json!({"Name": "/shop/none"}));
    assert_eq!(code(none), api("ParameterNotFound"));
    let both = json!({"Names": ["/shop/key", "/shop/none"]});
    let both = company.must(&reader, "ssm GetParameters", both);
    assert_eq!(both.value["InvalidParameters"], json!(["/shop/none"]));
    let below = json!({"Path": "/shop"});
    let below = company.must(&root, "ssm GetParametersByPath", below);
    assert_eq!(below.value["Parameters"].as_array().map(Vec::len), Some(1));
    company.must(&root, "ssm DeleteParameter", json!({"Name": "/shop/key"}));

    let arn = format!("arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/shop/key");
    let read = &events(&mut company, "GetParameter")[0];
    assert_eq!(read["resources"][0]["ARN"], arn.as_str());
    assert_eq!(read["responseElements"], Value::Null);
    for put in events(&mut company, "PutParameter") {
        assert_eq!(
            put["requestParameters"]["value"],
            "HIDDEN_DUE_TO_SECURITY_REASONS"
        );
    }
    assert!(!json!(company.records()).to_string().contains("hunter"));
}

#[test]
fn parameters_are_listed_in_pages() {
    let mut company = Company::new();
    let root = company.root(ACCOUNT);
    for name in ["/a", "/b", "/c"] {
        let put = json!({"Name": name, "Value": "v", "Type": "String"});
        company.must(&root, "ssm PutParameter", put);
    }
    let mut found = Vec::new();
    let mut token = None;
    loop {
        let asked = json!({"MaxResults": 2, "NextToken": token});
        let page = company.must(&root, "ssm DescribeParameters", asked).value;
        let rows = page["Parameters"].as_array().expect("rows").clone();
        found.extend(rows.iter().map(|row| row["Name"].clone()));
        token = page["NextToken"].as_str().map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    assert_eq!(found, ["/a", "/b", "/c"]);
    let filter =
        json!({"ParameterFilters": [{"Key": "Name", "Option": "BeginsWith", "Values": ["/b"]}]});
    let one = company.must(&root, "ssm DescribeParameters", filter);
    assert_eq!(one.value["Parameters"].as_array().map(Vec::len), Some(1));
}

#[test]
fn commands_and_sessions_reach_nodes_that_report() {
    let mut company = Company::new();
    let root = company.root(ACCOUNT);
    let id = instance(&mut company, None);
    let send = json!({"InstanceIds": [id], "DocumentName": "AWS-RunShellScript",
        "Parameters": {"commands": ["echo hunter2"]}});
    assert_eq!(
        code(company.call(&root, "ssm SendCommand", send.clone())),
        api("InvalidInstanceId")
    );
    let report = json!({"InstanceId": id, "AgentVersion": "3.3", "PlatformType": "Linux"});
    company.must(&root, "ssm UpdateInstanceInformation", report);
    let sent = company.must(&root, "ssm SendCommand", send.clone()).value;
    let command = &sent["Command"]["CommandId"];
    let asked = json!({"CommandId": command, "InstanceId": id});
    let done = company.must(&root, "ssm GetCommandInvocation", asked);
    assert_eq!(done.value["Status"], "Success");
    let asked = json!({"CommandId": command, "InstanceId": "i-0"});
    let unknown = company.call(&root, "ssm GetCommandInvocation", asked);
    assert_eq!(code(unknown), api("InvocationDoesNotExist"));

    let started = company.must(&root, "ssm StartSession", json!({"Target": id}));
    let token = started.value["TokenValue"]
        .as_str()
        .expect("a token")
        .to_owned();
    let session = started.value["SessionId"].clone();
    company.must(&root, "ssm TerminateSession", json!({"SessionId": session}));
    let ended = company.must(&root, "ssm DescribeSessions", json!({"State": "History"}));
    assert_eq!(ended.value["Sessions"][0]["SessionId"], session);

    company.world.now += 3600;
    let away = company.call(&root, "ssm StartSession", json!({"Target": id}));
    assert_eq!(code(away), api("TargetNotConnected"));
    let nodes = company.must(&root, "ssm DescribeInstanceInformation", json!({}));
    let node = &nodes.value["InstanceInformationList"][0];
    assert_eq!(node["PingStatus"], "ConnectionLost");
    company.must(
        &root,
        "ec2 TerminateInstances",
        json!({"InstanceIds": [id]}),
    );
    assert_eq!(
        code(company.call(&root, "ssm SendCommand", send)),
        api("InvalidInstanceId")
    );
    let log = json!(company.records()).to_string();
    assert!(!log.contains("hunter2") && !log.contains(&token));
    let sent = &events(&mut company, "SendCommand")[1]["responseElements"]["command"];
    assert_eq!(sent["parameters"], "HIDDEN_DUE_TO_SECURITY_REASONS");
}

#[test]
fn sending_a_command_needs_document_and_instance() {
    let mut company = Company::new();
    let id = instance(&mut company, None);
    let root = company.root(ACCOUNT);
    company.must(
        &root,
        "ssm UpdateInstanceInformation",
        json!({"InstanceId": id}),
    );
    let send = json!({"InstanceIds": [id], "DocumentName": "AWS-RunShellScript",
        "Parameters": {"commands": ["id"]}});
    let half = "arn:aws:ec2:*:*:instance/*";
    let half = user(&mut company, "half", (json!("ssm:SendCommand"), half));
    assert_eq!(
        code(company.call(&half, "ssm SendCommand", send.clone())),
        Trouble::Denied
    );
    let whole = user(&mut company, "whole", (json!("ssm:SendCommand"), "*"));
    company.must(&whole, "ssm SendCommand", send);
}

#[test]
fn a_stack_is_made_changed_and_deleted() {
    let mut company = Company::new();
    let root = company.root(ACCOUNT);
    let create = json!({"StackName": "shop", "TemplateBody": "hunter1",
        "Parameters": [{"ParameterKey": "password", "ParameterValue": "hunter2"}]});
    let made = company.must(&root, "cloudformation CreateStack", create.clone());
    let id = made.value["StackId"].clone();
    let again = company.call(&root, "cloudformation CreateStack", create.clone());
    assert_eq!(code(again), api("AlreadyExistsException"));
    let same = json!({"StackName": "shop", "UsePreviousTemplate": "true"});
    let same = company.call(&root, "cloudformation UpdateStack", same);
    assert_eq!(code(same), api("ValidationError"));
    let change = json!({"StackName": "shop", "TemplateBody": "other"});
    company.must(&root, "cloudformation UpdateStack", change);
    let asked = json!({"StackName": "shop"});
    let seen = company.must(&root, "cloudformation DescribeStacks", asked.clone());
    let stack = &seen.value["Stacks"][0];
    assert_eq!(
        (&stack["StackId"], &stack["StackStatus"]),
        (&id, &json!("UPDATE_COMPLETE"))
    );
    assert_eq!(stack["Parameters"][0]["ParameterValue"], "hunter2");

    company.must(&root, "cloudformation DeleteStack", asked.clone());
    let gone = company.call(&root, "cloudformation DescribeStacks", asked);
    assert_eq!(code(gone), api("ValidationError"));
    let by_id = json!({"StackName": id});
    let seen = company.must(&root, "cloudformation DescribeStacks", by_id.clone());
    assert_eq!(seen.value["Stacks"][0]["StackStatus"], "DELETE_COMPLETE");
    company.world.now += 91 * 86_400;
    company.must(&root, "cloudformation CreateStack", create);
    let forgotten = company.call(&root, "cloudformation DescribeStacks", by_id);
    assert_eq!(code(forgotten), api("ValidationError"));

    let logged = &events(&mut company, "CreateStack")[0];
    let parameters = &logged["requestParameters"]["parameters"];
    assert_eq!(*parameters, json!([{"parameterKey": "password"}]));
    assert_eq!(logged["responseElements"]["stackId"], id);
    assert!(!json!(company.records()).to_string().contains("hunter"));
}

#[test]
fn a_stack_with_a_role_needs_pass_role() {
    let mut company = Company::new();
    role(&mut company, "deploy");
    let shop = format!("arn:aws:cloudformation:us-east-1:{ACCOUNT}:stack/shop/*");
    let ann = user(&mut company, "ann", (json!("cloudformation:*"), &shop));
    let mut stack = json!({"StackName": "shop", "TemplateBody": "t",
        "RoleARN": format!("arn:aws:iam::{ACCOUNT}:role/deploy")});
    let refused = company.call(&ann, "cloudformation CreateStack", stack.clone());
    assert_eq!(code(refused), Trouble::Denied);
    stack["RoleARN"] = Value::Null;
    company.must(&ann, "cloudformation CreateStack", stack);
    let other = json!({"StackName": "other"});
    let refused = company.call(&ann, "cloudformation DescribeStacks", other);
    assert_eq!(code(refused), Trouble::Denied);
}

/// The access key id that the metadata service of an instance gives.
fn metadata(company: &mut Company, body: &Value) -> Result<String, Fault> {
    let given = workload::control(&mut company.world, "instance", body)?;
    Ok(given["AccessKeyId"].as_str().expect("a key").to_owned())
}

#[test]
fn an_instance_has_the_role_of_its_profile() {
    let mut company = Company::new();
    let root = company.root(ACCOUNT);
    role(&mut company, "web");
    role(&mut company, "quarantine");
    let id = instance(&mut company, Some("web"));
    let asked = json!({"instance": id});
    let key = metadata(&mut company, &asked).expect("credentials");
    let caller = company.with_key(&key);
    let who = company.must(&caller, "sts GetCallerIdentity", json!({}));
    let arn = format!("arn:aws:sts::{ACCOUNT}:assumed-role/web/{id}");
    assert_eq!(who.value["Arn"], arn.as_str());
    assert_eq!(metadata(&mut company, &asked).expect("the same"), key);

    let named = json!({"instance": id, "role": "quarantine"});
    assert_eq!(
        metadata(&mut company, &named)
            .expect_err("another role")
            .status,
        400
    );
    let old = json!({"instance": id, "imds": "1"});
    assert_eq!(
        metadata(&mut company, &old).expect_err("no token").status,
        401
    );

    let all = company.must(
        &root,
        "ec2 DescribeIamInstanceProfileAssociations",
        json!({}),
    );
    let association = &all.value["IamInstanceProfileAssociations"][0]["AssociationId"];
    let replace =
        json!({"AssociationId": association, "IamInstanceProfile": {"Name": "quarantine"}});
    let replaced = company.must(&root, "ec2 ReplaceIamInstanceProfileAssociation", replace);
    let logged = &events(&mut company, "ReplaceIamInstanceProfileAssociation")[0];
    let named =
        "/requestParameters/ReplaceIamInstanceProfileAssociationRequest/IamInstanceProfile/Name";
    assert_eq!(logged.pointer(named), Some(&json!("quarantine")));
    let new = metadata(&mut company, &asked).expect("credentials");
    assert_ne!(
        new, key,
        "the old role's credentials are not handed out again"
    );
    let association = &replaced.value["IamInstanceProfileAssociation"]["AssociationId"];
    let take = json!({"AssociationId": association});
    company.must(&root, "ec2 DisassociateIamInstanceProfile", take);
    assert_eq!(
        metadata(&mut company, &asked)
            .expect_err("no profile")
            .status,
        404
    );
    let caller = company.with_key(&new);
    company.must(&caller, "sts GetCallerIdentity", json!({}));
}

#[test]
fn every_account_has_its_default_network() {
    let mut company = Company::new();
    let root = company.root(ACCOUNT);
    let vpcs = company.must(&root, "ec2 DescribeVpcs", json!({})).value;
    let vpc = &vpcs["Vpcs"][0]["VpcId"];
    let filter = json!({"Filters": [{"Name": "vpc-id", "Values": [vpc]}]});
    let groups = company
        .must(&root, "ec2 DescribeSecurityGroups", filter)
        .value;
    assert_eq!(groups["SecurityGroups"][0]["GroupName"], "default");
    let none = json!({"Filters": [{"Name": "is-default", "Values": ["false"]}]});
    let none = company.must(&root, "ec2 DescribeVpcs", none).value;
    assert_eq!(none["Vpcs"], json!([]));
    let other = company.call(&root, "ec2 DescribeVpcs", json!({"VpcIds": ["vpc-1"]}));
    assert_eq!(code(other), api("InvalidVpcID.NotFound"));
    let logged = &events(&mut company, "DescribeVpcs")[0];
    assert_eq!(
        logged["requestParameters"],
        json!({"vpcSet": {}, "filterSet": {}})
    );
}
