//! `GetFederationToken` (docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html).

use serde_json::{Map, Value, json};

use super::assume_role::add_details;
use super::input::{Checks, NAME};
use super::issue::{Draft, issue, request_details};
use super::packed::Passed;
use super::session_token::{LIMITS, duration};
use super::tags::Tags;
use crate::call::{Call, Fault, Recorded, Reply};
use crate::operation::Ask;
use crate::session::{MadeBy, Who};
use crate::world::World;

/// The name, checked, and the seconds asked for.
fn read(call: &Call<'_>) -> Result<(String, Option<i64>), Fault> {
    let mut checks = Checks::default();
    let name = checks.required(call, "Name");
    let asked = call.number("DurationSeconds")?;
    if call.text("Name").is_some() {
        checks.length(("name", &name), (2, 32));
        checks.pattern(("name", &name), NAME);
    }
    checks.seconds(asked, LIMITS);
    checks.done()?;
    Ok((name, asked))
}

fn arn(account: &str, name: &str) -> String {
    format!("arn:aws:sts::{account}:federated-user/{name}")
}

/// What must be allowed: the call itself, and to tag the session where tags are passed.
pub(super) fn asks(_world: &World, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
    let (name, _) = read(call)?;
    let tags = Tags::read(call)?;
    let tagging = tags.any().then_some("sts:TagSession");
    Ok(["sts:GetFederationToken"]
        .into_iter()
        .chain(tagging)
        .map(|action| Ask {
            context: tags.context(),
            ..Ask::on(action, arn(&call.caller.account, &name))
        })
        .collect())
}

/// Issues the session.
pub(super) fn run(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (name, asked) = read(call)?;
    let tags = Tags::read(call)?;
    let account = call.caller.account.as_str();
    let passed = Passed::read(world, call, account)?;
    let all_tags = tags.all();
    let size = passed.packed_size(&all_tags)?;
    let parent = match &call.caller.who {
        Who::User { name, id } => Some((name.clone(), id.clone())),
        _ => None,
    };
    let who = Who::Federated {
        name: name.clone(),
        parent,
    };
    let seconds = duration(&call.caller.who, asked);
    let draft = Draft {
        policies: passed.documents.clone(),
        tags: all_tags,
        transitive: tags.all_transitive(),
        ..Draft::new(account, who, MadeBy::FederationToken, seconds)
    };
    let issued = issue(world, draft);
    let (id, arn) = (format!("{account}:{name}"), arn(account, &name));
    let mut value = json!({
        "Credentials": issued.credentials(),
        "FederatedUser": {"FederatedUserId": id, "Arn": arn},
    });
    let mut response = json!({
        "credentials": issued.recorded(),
        "federatedUser": {"federatedUserId": id, "arn": arn},
    });
    add_details(&mut value, &mut response, (size, &None));
    let mut reply = Reply::of(value);
    reply.recorded = Recorded {
        request: Some(recorded((&name, asked), &passed, &tags)),
        response: Some(response),
        additional: Some(request_details(call)),
        ..Recorded::default()
    };
    Ok(reply)
}

fn recorded((name, asked): (&str, Option<i64>), passed: &Passed, tags: &Tags) -> Value {
    let mut request = Map::new();
    request.insert("name".to_owned(), json!(name));
    if let Some(seconds) = asked {
        request.insert("durationSeconds".to_owned(), json!(seconds));
    }
    passed.record(&mut request);
    tags.record(&mut request);
    Value::Object(request)
}
