//! The policy simulator: what policies would say, without doing anything
//! (docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html). Service control policies are not
//! asked.

use serde_json::{Value, json};
use unchain_policy::{
    Context, Decision, Grant, Layers, Named, Principal, Request, ResourceKind, ResourcePolicy,
    evaluate,
};

use super::holder::attached_at;
use super::{Attached, Document, Iam, answer, fault, find, names, page};
use crate::call::{Call, Fault, Reply};
use crate::world::World;

/// The policies that are tried.
#[derive(Default)]
struct Tried<'i> {
    identity: Vec<&'i Document>,
    boundary: Option<Vec<&'i Document>>,
    resource: Option<&'i Document>,
}

/// One action on one resource by somebody.
struct Question<'q> {
    principal: &'q Principal,
    action: &'q str,
    resource: &'q str,
    owner: Option<&'q str>,
}

/// `SimulateCustomPolicy`: the policies are in the call.
pub(super) fn custom(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    find::iam(world, call)?;
    let own = given(call, "PolicyInputList")?;
    let tried = Tried {
        identity: own.iter().collect(),
        ..Tried::default()
    };
    let caller = format!("arn:aws:iam::{}:user/simulated", call.caller.account);
    run(call, tried, &caller)
}

/// `SimulatePrincipalPolicy`: the policies of a user, group or role, and those in the call.
pub(super) fn principal(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let source = call.required("PolicySourceArn")?;
    let iam = find::iam(world, call)?;
    let attached = attached_at(&call.caller.account, iam, &source);
    if attached.is_empty() {
        let message = format!("The entity with ARN {source} cannot be found.");
        return Err(fault::missing(message));
    }
    let boundary = attached.first().and_then(|first| first.boundary.as_ref());
    let boundary = boundary.map(|arn| document(iam, arn).into_iter().collect());
    let own = given(call, "PolicyInputList")?;
    let tried = Tried {
        identity: documents(iam, &attached).chain(&own).collect(),
        boundary,
        resource: None,
    };
    run(call, tried, &source)
}

fn document<'i>(iam: &'i Iam, arn: &str) -> Option<&'i Document> {
    iam.managed(arn)?.document()
}

fn documents<'i>(iam: &'i Iam, attached: &[&'i Attached]) -> impl Iterator<Item = &'i Document> {
    let managed = attached.iter().flat_map(|one| &one.managed);
    let managed: Vec<_> = managed.filter_map(|arn| document(iam, arn)).collect();
    let inline: Vec<_> = attached
        .iter()
        .flat_map(|one| one.inline.values())
        .collect();
    inline.into_iter().chain(managed)
}

/// The policies of a parameter, called after their place in it.
fn given(call: &Call<'_>, parameter: &str) -> Result<Vec<Document>, Fault> {
    let texts = names::strings(call.list(parameter));
    let texts = texts.iter().enumerate();
    texts
        .map(|(at, text)| parse(&format!("{parameter}.{}", at + 1), text))
        .collect()
}

fn parse(name: &str, text: &str) -> Result<Document, Fault> {
    Document::parse(name, text).map_err(|error| fault::input(format!("Invalid policy: {error}")))
}

fn run(call: &Call<'_>, tried: Tried<'_>, source: &str) -> Result<Reply, Fault> {
    let boundary = given(call, "PermissionsBoundaryPolicyInputList")?;
    let resource = call.text("ResourcePolicy");
    let resource = resource
        .map(|text| parse("ResourcePolicy", &text))
        .transpose()?;
    let tried = Tried {
        identity: tried.identity,
        boundary: match boundary.is_empty() {
            true => tried.boundary,
            false => Some(boundary.iter().collect()),
        },
        resource: resource.as_ref(),
    };
    let caller = call.text("CallerArn").unwrap_or_else(|| source.to_owned());
    let principal = Principal::from_arn(&caller);
    let owner = call.text("ResourceOwner");
    let owner = owner.as_deref().map(account_of);
    let (actions, resources) = asked(call)?;
    let context = context(call);
    let pairs = actions
        .iter()
        .flat_map(|action| resources.iter().map(move |resource| (action, resource)));
    let rows = pairs.enumerate().map(|(at, (action, resource))| {
        let question = Question {
            principal: &principal,
            action,
            resource,
            owner,
        };
        (format!("{at:08}"), result(&question, &tried, &context))
    });
    page::list(call, "EvaluationResults", rows)
}

fn asked(call: &Call<'_>) -> Result<(Vec<String>, Vec<String>), Fault> {
    let actions = names::strings(call.list("ActionNames"));
    if actions.is_empty() {
        call.required("ActionNames")?;
    }
    if let Some(wrong) = actions.iter().find(|action| !action.contains(':')) {
        return Err(fault::input(format!("Invalid Action name: {wrong}")));
    }
    let mut resources = names::strings(call.list("ResourceArns"));
    if resources.is_empty() {
        resources.push("*".to_owned());
    }
    Ok((actions, resources))
}

/// An account from its number or an ARN of it.
fn account_of(owner: &str) -> &str {
    owner.split(':').nth(4).unwrap_or(owner)
}

fn context(call: &Call<'_>) -> Context {
    let entries = call.list("ContextEntries").iter();
    entries.fold(Context::new(), |context, entry| {
        let values = entry.get("ContextKeyValues").and_then(Value::as_array);
        let values = names::strings(values.map_or(&[], Vec::as_slice));
        match names::field(entry, "ContextKeyName") {
            Some(key) => context.with_all(&key, values),
            None => context,
        }
    })
}

fn named<'a>(documents: &[&'a Document]) -> Vec<Named<'a>> {
    documents
        .iter()
        .map(|document| Named {
            name: &document.name,
            policy: &document.policy,
        })
        .collect()
}

fn decide(question: &Question<'_>, tried: &Tried<'_>, context: &Context) -> Decision {
    let layers = Layers {
        identity: named(&tried.identity),
        boundary: tried.boundary.as_ref().map(|boundary| named(boundary)),
        resource: tried.resource.map(|document| ResourcePolicy {
            named: Named {
                name: &document.name,
                policy: &document.policy,
            },
            kind: ResourceKind::Ordinary,
        }),
        ..Layers::default()
    };
    let request = Request {
        principal: question.principal,
        action: question.action,
        resource: question.resource,
        resource_account: question.owner,
        context,
    };
    evaluate(&request, &layers)
}

fn result(question: &Question<'_>, tried: &Tried<'_>, context: &Context) -> Value {
    let decision = decide(question, tried, context);
    let missing = match decide(question, tried, &context.clone().others_unknown()) {
        Decision::Depends(depends) => depends.keys.into_iter().collect(),
        _ => Vec::new(),
    };
    let (word, cited) = match &decision {
        Decision::Allowed(Grant::Statement(cited)) => ("allowed", Some(cited)),
        Decision::Allowed(_) => ("allowed", None),
        Decision::ExplicitlyDenied(cited) => ("explicitDeny", Some(cited)),
        Decision::ImplicitlyDenied(_) | Decision::Depends(_) => ("implicitDeny", None),
    };
    let cited = cited.into_iter();
    let matched: Vec<_> = cited
        .map(|cited| json!({"SourcePolicyId": cited.policy, "SourcePolicyType": "IAM Policy"}))
        .collect();
    let mut value = json!({
        "EvalActionName": question.action,
        "EvalResourceName": question.resource,
        "EvalDecision": word,
        "MatchedStatements": matched,
        "MissingContextValues": missing,
    });
    if let Some(boundary) = &tried.boundary {
        let alone = Tried {
            identity: boundary.clone(),
            ..Tried::default()
        };
        let allows = matches!(decide(question, &alone, context), Decision::Allowed(_));
        let detail = json!({ "AllowedByPermissionsBoundary": allows });
        answer::set(
            &mut value,
            "PermissionsBoundaryDecisionDetail",
            Some(detail),
        );
    }
    value
}
