//! Which services a principal has used: the lab knows it of keys and roles by their last use
//! (docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed.html).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::documents::{statements, texts};
use super::holder::attached_at;
use super::{AccessJob, Attached, Iam, answer, fault, find, page};
use crate::call::{Call, Fault, Reply};
use crate::service::Service;
use crate::world::World;

/// Jobs that are kept.
const KEPT: usize = 100;

/// What a service was last used with: when, from where, and by whom.
type Used = (i64, String);

/// `GenerateServiceLastAccessedDetails`.
pub(super) fn generate(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let arn = call.required("Arn")?;
    let granularity = call
        .text("Granularity")
        .unwrap_or_else(|| "SERVICE_LEVEL".to_owned());
    let (account, iam) = answer::here(world, call)?;
    if subject(account, iam, &arn).is_none() {
        return Err(fault::missing(format!("{arn} cannot be found.")));
    }
    let id = world.ids.guid();
    let job = AccessJob {
        id: id.clone(),
        created_at: call.at.seconds(),
        arn,
        granularity,
    };
    let jobs = &mut find::change(world, call)?.access_jobs;
    jobs.push(job);
    if jobs.len() > KEPT {
        jobs.remove(0);
    }
    Ok(Reply::of(json!({ "JobId": id })))
}

/// `GetServiceLastAccessedDetails`: every service that the policies allow, with its last use.
pub(super) fn get(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let id = call.required("JobId")?;
    let (account, iam) = answer::here(world, call)?;
    let job = iam.access_jobs.iter().find(|job| job.id == id);
    let job = job.ok_or_else(|| fault::missing(format!("Job {id} cannot be found.")))?;
    let subject = subject(account, iam, &job.arn).unwrap_or_default();
    let services = allowed(iam, &subject);
    let rows = services.into_iter().map(|service| {
        let row = row(service, subject.used.get(service), &job.arn);
        (service.to_owned(), row)
    });
    let page = page::page(call, rows)?;
    let value = json!({
        "JobStatus": "COMPLETED",
        "JobType": job.granularity,
        "JobCreationDate": answer::time(job.created_at),
        "JobCompletionDate": answer::time(job.created_at),
        "ServicesLastAccessed": page.rows,
    });
    Ok(Reply::of(page::ended(value, page.marker)))
}

fn row(service: &str, used: Option<&Used>, arn: &str) -> Value {
    let mut value = json!({
        "ServiceName": title(service),
        "ServiceNamespace": service,
        "TotalAuthenticatedEntities": usize::from(used.is_some()),
    });
    if let Some((at, region)) = used {
        answer::set(&mut value, "LastAuthenticated", Some(answer::time(*at)));
        answer::set(&mut value, "LastAuthenticatedEntity", Some(json!(arn)));
        answer::set(&mut value, "LastAuthenticatedRegion", Some(json!(region)));
    }
    value
}

fn title(service: &str) -> &'static str {
    match Service::named(service) {
        Some(Service::Sts) => "AWS Security Token Service",
        Some(Service::Iam) => "AWS Identity and Access Management",
        Some(Service::S3) => "Amazon S3",
        Some(Service::Sqs) => "Amazon SQS",
        Some(Service::Sns) => "Amazon SNS",
        Some(Service::CloudTrail) => "AWS CloudTrail",
        Some(Service::Organizations) => "AWS Organizations",
        Some(Service::Athena) => "Amazon Athena",
        Some(Service::Ec2) => "Amazon EC2",
        Some(Service::Lambda) => "AWS Lambda",
        Some(Service::DynamoDb) => "Amazon DynamoDB",
        Some(Service::SecretsManager) => "AWS Secrets Manager",
        Some(Service::Ssm) => "AWS Systems Manager",
        Some(Service::CloudFormation) => "AWS CloudFormation",
        None => "",
    }
}

/// Whose access is asked about: its policies, and which services its keys were last used with.
#[derive(Default)]
struct Subject<'i> {
    attached: Vec<&'i Attached>,
    policy: Option<&'i str>,
    used: BTreeMap<&'i str, Used>,
}

fn subject<'i>(account: &str, iam: &'i Iam, arn: &'i str) -> Option<Subject<'i>> {
    let attached = attached_at(account, iam, arn);
    if attached.is_empty() {
        iam.managed(arn)?;
        return Some(Subject {
            policy: Some(arn),
            ..Subject::default()
        });
    }
    let name = arn.rsplit('/').next().unwrap_or_default();
    let user = iam.users.get(name);
    let user = user.filter(|user| user.arn(account, name) == arn);
    let used = user.into_iter().flat_map(|user| &user.keys);
    let used = used.filter_map(|key| key.last_used.as_ref());
    let used = used.map(|(at, service, region)| (service.as_str(), (*at, region.clone())));
    Some(Subject {
        attached,
        used: used.collect(),
        policy: None,
    })
}

/// The lab's services of which an action is allowed.
fn allowed(iam: &Iam, subject: &Subject<'_>) -> Vec<&'static str> {
    let managed = subject
        .attached
        .iter()
        .flat_map(|attached| &attached.managed);
    let managed = managed.map(String::as_str).chain(subject.policy);
    let managed = managed.filter_map(|arn| iam.managed(arn)?.document());
    let inline = subject
        .attached
        .iter()
        .flat_map(|attached| attached.inline.values());
    let mut prefixes: Vec<String> = Vec::new();
    for document in managed.chain(inline) {
        let value: Value = serde_json::from_str(&document.text).unwrap_or_default();
        let grants = statements(&value).into_iter();
        for grant in grants.filter(|grant| grant.get("Effect") == Some(&json!("Allow"))) {
            let actions = texts(grant.get("Action")).into_iter();
            prefixes.extend(
                actions.map(|action| action.split(':').next().unwrap_or_default().to_lowercase()),
            );
            prefixes.extend(grant.get("NotAction").map(|_| "*".to_owned()));
        }
    }
    let services = Service::ALL.iter().map(|service| service.name());
    let mut found: Vec<_> = services
        .filter(|service| {
            prefixes
                .iter()
                .any(|prefix| prefix == "*" || prefix == service)
        })
        .collect();
    found.sort_unstable();
    found
}
