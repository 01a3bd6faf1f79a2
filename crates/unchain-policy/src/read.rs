//! From JSON to a policy, by the grammar of the IAM User Guide, "Grammar of the IAM JSON policy language".

use crate::condition::Condition;
use crate::error::PolicyError;
use crate::pattern::{Case, Pattern, Style, Variables, Wildcards};
use crate::policy::{Effect, Patterns, Policy, Statement, Version};
use crate::principal::{AwsPrincipal, Listed, NamedPrincipals, PrincipalElement};
use serde_json::{Map, Value};

type Object = Map<String, Value>;
type Result<T> = std::result::Result<T, PolicyError>;

const STATEMENT: [&str; 9] = [
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];

/// The place of an element in the document, for errors.
#[derive(Clone, Copy)]
enum Place {
    Document,
    Statement(usize),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Document => f.write_str("the document"),
            Self::Statement(index) => write!(f, "statement {index}"),
        }
    }
}

impl Place {
    fn bad(self, element: &str, value: &Value) -> PolicyError {
        PolicyError::BadValue {
            element: shown(element),
            value: shown(&value.to_string()),
            place: self.to_string(),
        }
    }

    fn missing(self, element: &'static str) -> PolicyError {
        PolicyError::Missing {
            element,
            place: self.to_string(),
        }
    }

    fn object(self, value: &Value) -> Result<&Object> {
        value
            .as_object()
            .ok_or_else(|| PolicyError::NotAnObject(self.to_string()))
    }

    fn known(self, object: &Object, elements: &[&str]) -> Result<()> {
        match object.keys().find(|key| !elements.contains(&key.as_str())) {
            Some(element) => Err(PolicyError::UnknownElement {
                element: shown(element),
                place: self.to_string(),
            }),
            None => Ok(()),
        }
    }

    fn text(self, object: &Object, element: &str) -> Result<Option<String>> {
        match object.get(element) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(other) => Err(self.bad(element, other)),
        }
    }
}

/// Hostile text for an error message: short, and without control characters.
fn shown(text: &str) -> String {
    text.chars().take(64).flat_map(char::escape_debug).collect()
}

pub(crate) fn policy(value: &Value) -> Result<Policy> {
    let place = Place::Document;
    let object = place.object(value)?;
    place.known(object, &["Version", "Id", "Statement"])?;
    let version = match object.get("Version") {
        None => None,
        Some(Value::String(text)) if text == "2008-10-17" => Some(Version::V2008),
        Some(Value::String(text)) if text == "2012-10-17" => Some(Version::V2012),
        Some(other) => return Err(place.bad("Version", other)),
    };
    let variables = version.map_or(Variables::Literal, Version::variables);
    let written = object
        .get("Statement")
        .ok_or_else(|| place.missing("Statement"))?;
    let one_or_many = match written {
        Value::Array(statements) => statements.as_slice(),
        one => std::slice::from_ref(one),
    };
    let statements = one_or_many.iter().enumerate();
    Ok(Policy {
        version,
        id: place.text(object, "Id")?,
        statements: statements
            .map(|(index, value)| statement(Place::Statement(index), value, variables))
            .collect::<Result<_>>()?,
    })
}

fn statement(place: Place, value: &Value, variables: Variables) -> Result<Statement> {
    let object = place.object(value)?;
    place.known(object, &STATEMENT)?;
    let effect = match object.get("Effect") {
        None => return Err(place.missing("Effect")),
        Some(Value::String(text)) if text == "Allow" => Effect::Allow,
        Some(Value::String(text)) if text == "Deny" => Effect::Deny,
        Some(other) => return Err(place.bad("Effect", other)),
    };
    let action = Style {
        wildcards: Wildcards::Free,
        case: Case::Folded,
        variables: Variables::Literal,
    };
    let resource = Style {
        wildcards: Wildcards::Resource,
        case: Case::Kept,
        variables,
    };
    let action = patterns(place, object, ("Action", "NotAction"), action)?;
    Ok(Statement {
        sid: place.text(object, "Sid")?,
        effect,
        principal: principal(place, object)?,
        action: action.ok_or_else(|| place.missing("Action"))?,
        resource: patterns(place, object, ("Resource", "NotResource"), resource)?,
        conditions: conditions(place, object, variables)?,
    })
}

/// The one of an element and its negation that is there.
fn either<'a>(
    place: Place,
    object: &'a Object,
    (positive, negative): (&'static str, &'static str),
) -> Result<Option<(&'static str, &'a Value)>> {
    match (object.get(positive), object.get(negative)) {
        (Some(_), Some(_)) => Err(PolicyError::Both {
            first: positive,
            second: negative,
            place: place.to_string(),
        }),
        (Some(value), None) => Ok(Some((positive, value))),
        (None, Some(value)) => Ok(Some((negative, value))),
        (None, None) => Ok(None),
    }
}

fn patterns(
    place: Place,
    object: &Object,
    names: (&'static str, &'static str),
    style: Style,
) -> Result<Option<Patterns>> {
    let Some((element, value)) = either(place, object, names)? else {
        return Ok(None);
    };
    let texts = strings(place, element, value)?;
    let sound = |text: &String| match names.0 {
        "Action" => text.contains([':', '*']),
        _ => !text.is_empty(),
    };
    if texts.is_empty() || !texts.iter().all(sound) {
        return Err(place.bad(element, value));
    }
    Ok(Some(Patterns {
        negated: element == names.1,
        any_of: texts.iter().map(|text| Pattern::new(text, style)).collect(),
    }))
}

/// A string, or a list of strings.
fn strings(place: Place, element: &str, value: &Value) -> Result<Vec<String>> {
    let items = match value {
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    let text = |item: &Value| item.as_str().map(str::to_owned);
    let texts: Option<Vec<String>> = items.iter().map(text).collect();
    texts.ok_or_else(|| place.bad(element, value))
}

fn principal(place: Place, object: &Object) -> Result<Option<PrincipalElement>> {
    let Some((element, value)) = either(place, object, ("Principal", "NotPrincipal"))? else {
        return Ok(None);
    };
    let named = match value {
        Value::String(text) if text == "*" => NamedPrincipals::Everyone,
        Value::Object(map) if !map.is_empty() => {
            NamedPrincipals::Listed(listed(place, element, map)?)
        }
        other => return Err(place.bad(element, other)),
    };
    Ok(Some(PrincipalElement {
        negated: element == "NotPrincipal",
        named,
    }))
}

fn listed(place: Place, element: &str, map: &Object) -> Result<Listed> {
    place.known(map, &["AWS", "Service", "Federated", "CanonicalUser"])?;
    let list = |name: &str| match map.get(name) {
        None => Ok(Vec::new()),
        Some(value) => match strings(place, name, value)? {
            texts if texts.is_empty() => Err(place.bad(element, value)),
            texts => Ok(texts),
        },
    };
    Ok(Listed {
        aws: list("AWS")?
            .iter()
            .map(|text| AwsPrincipal::new(text))
            .collect(),
        service: list("Service")?,
        federated: list("Federated")?,
        canonical_user: list("CanonicalUser")?,
    })
}

fn conditions(place: Place, object: &Object, variables: Variables) -> Result<Vec<Condition>> {
    let operators = match object.get("Condition") {
        None => return Ok(Vec::new()),
        Some(Value::Object(operators)) => operators,
        Some(other) => return Err(place.bad("Condition", other)),
    };
    let mut conditions = Vec::new();
    for (name, keys) in operators {
        let keys = keys.as_object().ok_or_else(|| place.bad(name, keys))?;
        for (key, values) in keys {
            let values = scalars(place, key, values)?;
            let condition = Condition::new(name, key, values, variables);
            conditions.push(condition.ok_or_else(|| unknown_operator(place, name))?);
        }
        if keys.is_empty() && Condition::new(name, "", Vec::new(), variables).is_none() {
            return Err(unknown_operator(place, name));
        }
    }
    Ok(conditions)
}

fn unknown_operator(place: Place, name: &str) -> PolicyError {
    PolicyError::UnknownOperator {
        operator: shown(name),
        place: place.to_string(),
    }
}

/// A string, number or Boolean, or a list of them, as text.
fn scalars(place: Place, key: &str, value: &Value) -> Result<Vec<String>> {
    let items = match value {
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    let text = |item: &Value| match item {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    };
    let texts: Option<Vec<String>> = items.iter().map(text).collect();
    texts.ok_or_else(|| place.bad(key, value))
}
