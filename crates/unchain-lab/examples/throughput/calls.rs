//! The calls that are measured: a user who may do everything assumes a role, asks who it is, writes and reads small
//! objects and lists users.

use unchain_core::time::Timestamp;
use unchain_lab::Lab;
use unchain_lab::http::{Request, encode};

use super::Failure;
use super::support::{Signer, element};

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"}}"#;
const ALL: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
const ASSUME: &str = "Action=AssumeRole&RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fbench&RoleSessionName=bench&Version=2011-06-15";

/// Objects that a client writes again and again.
const OBJECTS: usize = 300;

/// Makes the user, the role and the bucket, and an object for every key that is read.
pub(super) fn prepare(lab: &Lab, root: &Signer, at: Timestamp) -> Result<Signer, Failure> {
    let iam = root.of("iam");
    let (all, trust) = (encode(ALL), encode(TRUST));
    for form in [
        "CreateUser&UserName=bench".to_owned(),
        format!("PutUserPolicy&UserName=bench&PolicyName=all&PolicyDocument={all}"),
        format!("CreateRole&RoleName=bench&AssumeRolePolicyDocument={trust}"),
        format!("PutRolePolicy&RoleName=bench&PolicyName=all&PolicyDocument={all}"),
    ] {
        let form = format!("Action={form}&Version=2010-05-08");
        must(lab, &iam.form(&form, at), at)?;
    }
    must(lab, &root.of("s3").s3(("PUT", "/throughput"), b"", at), at)?;
    let form = "Action=CreateAccessKey&UserName=bench&Version=2010-05-08";
    let text = must(lab, &iam.form(form, at), at)?;
    let part = |name: &str| element(&text, name).ok_or("no key");
    Ok(Signer {
        key: part("AccessKeyId")?,
        secret: part("SecretAccessKey")?,
        token: None,
        service: "sts".to_owned(),
    })
}

/// One of the mix, by its number. Every object that is read was written by the call before.
pub(super) fn call(user: &Signer, (client, number): (usize, usize), at: Timestamp) -> Request {
    let key = format!("/throughput/{client}/{}", number / 5 % OBJECTS);
    match number % 5 {
        0 => user.form("Action=GetCallerIdentity&Version=2011-06-15", at),
        1 => user.form(ASSUME, at),
        2 => user.of("s3").s3(("PUT", &key), b"a small object", at),
        3 => user.of("s3").s3(("GET", &key), b"", at),
        _ => {
            let form = "Action=ListUsers&Version=2010-05-08";
            user.of("iam").form(form, at)
        }
    }
}

/// Calls in process; the body of the answer, which must be one of success.
pub(super) fn must(lab: &Lab, request: &Request, at: Timestamp) -> Result<String, Failure> {
    let response = lab.handle(request, at);
    let text = String::from_utf8(response.body)?;
    match response.status {
        200 => Ok(text),
        status => Err(format!("{status}: {text}").into()),
    }
}
