//! Forms with nested names: `Tags.member.1.Key=…` becomes `{"Tags": [{"Key": …}]}`. Lists are told by their numbers,
//! `member` and `entry` layers fall away. All scalars are text.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::call::Fault;
use crate::http::{Request, decode_bytes};
use crate::service::Service;

use super::names;

/// How deep names may nest.
const DEEPEST: usize = 24;

/// The action and its parameters, from the body of a POST or the query of a GET.
///
/// # Errors
///
/// `MalformedQueryString`, `MissingAction`, `MalformedInput`.
pub fn read(
    service: Service,
    request: &Request,
    body: &[u8],
) -> Result<(String, Map<String, Value>), Fault> {
    let body = std::str::from_utf8(body).map_err(|_| malformed("the body is not UTF-8"))?;
    let mut tree = Branch::default();
    let mut action = None;
    for part in [request.query.as_str(), body] {
        for pair in part.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (text(name)?, text(value)?);
            match name.as_str() {
                "Action" => action = Some(value),
                "Version" => {}
                _ if name.starts_with("X-Amz-") => {}
                _ => tree.put(&name, value)?,
            }
        }
    }
    let action =
        action.ok_or_else(|| Fault::api(400, "MissingAction", "the request names no Action"))?;
    Ok((action, tree.parameters(service)))
}

fn text(encoded: &str) -> Result<String, Fault> {
    String::from_utf8(decode_bytes(&encoded.replace('+', " ")))
        .map_err(|_| malformed("a parameter is not UTF-8"))
}

fn malformed(message: impl Into<String>) -> Fault {
    Fault::api(400, "MalformedQueryString", message)
}

/// Parameters by the parts of their names.
#[derive(Debug, Default)]
struct Branch(BTreeMap<String, Node>);

#[derive(Debug)]
enum Node {
    Leaf(String),
    Branch(Branch),
}

impl Branch {
    fn put(&mut self, name: &str, value: String) -> Result<(), Fault> {
        let parts: Vec<&str> = name.split('.').collect();
        let (last, path) = match parts.split_last() {
            Some((last, path)) if path.len() < DEEPEST => (*last, path),
            _ => {
                return Err(malformed(format!(
                    "the name of a parameter nests more than {DEEPEST} deep"
                )));
            }
        };
        let mut branch = self;
        for part in path {
            let node = branch.0.entry((*part).to_owned());
            match node.or_insert_with(|| Node::Branch(Self::default())) {
                Node::Branch(inner) => branch = inner,
                Node::Leaf(_) => return Err(twice(name)),
            }
        }
        match branch.0.insert(last.to_owned(), Node::Leaf(value)) {
            None => Ok(()),
            Some(_) => Err(twice(name)),
        }
    }

    fn parameters(self, service: Service) -> Map<String, Value> {
        self.0
            .into_iter()
            .map(|(name, node)| renamed(service, name, node.value(service)))
            .collect()
    }

    /// A structure, or a list or map where the names say so.
    fn value(mut self, service: Service) -> Value {
        if let [only @ ("member" | "entry")] = self.names().as_slice() {
            let only = (*only).to_owned();
            match self.0.remove(&only) {
                Some(Node::Branch(inner)) => return inner.value(service),
                Some(leaf) => self.0.insert(only, leaf),
                None => None,
            };
        }
        let numbered = !self.0.is_empty() && self.0.keys().all(|name| number(name).is_some());
        if numbered {
            self.list(service)
        } else {
            Value::Object(self.parameters(service))
        }
    }

    fn names(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }

    fn list(self, service: Service) -> Value {
        let mut items: Vec<(u32, Value)> = self
            .0
            .into_iter()
            .filter_map(|(name, node)| Some((number(&name)?, node.value(service))))
            .collect();
        items.sort_by_key(|(number, _)| *number);
        map(items.into_iter().map(|(_, value)| value).collect())
    }
}

impl Node {
    fn value(self, service: Service) -> Value {
        match self {
            Self::Leaf(text) => Value::String(text),
            Self::Branch(branch) => branch.value(service),
        }
    }
}

fn number(name: &str) -> Option<u32> {
    let digits = name.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| name.parse().ok()).flatten()
}

/// A list whose elements all are `key` and `value` is a map. A list of tags has its names with capitals and stays a
/// list, except that SNS and SQS write maps so too: they are told by what the value holds (see [`renamed`]).
fn map(items: Vec<Value>) -> Value {
    let entries: Option<Map<String, Value>> = items
        .iter()
        .map(|item| entry(item, ("key", "value")))
        .collect();
    entries.map_or(Value::Array(items), Value::Object)
}

fn entry(item: &Value, (key, value): (&str, &str)) -> Option<(String, Value)> {
    let item = item.as_object().filter(|item| item.len() == 2)?;
    Some((
        item.get(key)?.as_str()?.to_owned(),
        item.get(value)?.clone(),
    ))
}

/// The API's name of a parameter, and its maps as objects.
fn renamed(service: Service, name: String, value: Value) -> (String, Value) {
    let is_list = value.is_array();
    let name = match service {
        Service::Sqs => names::other(names::SQS_REQUEST, &name).map_or(name, str::to_owned),
        Service::Ec2 if is_list => match names::other(names::EC2_REQUEST, &name) {
            Some(other) => other.to_owned(),
            None => format!("{}s", capital(&name)),
        },
        Service::Ec2 => capital(&name),
        _ => name,
    };
    let is_map = name.ends_with("Attributes") || (name == "Tags" && service == Service::Sqs);
    let value = match (value, service) {
        (Value::Array(items), Service::Sns | Service::Sqs) if is_map => named_map(items),
        (value, _) => value,
    };
    (name, value)
}

fn named_map(items: Vec<Value>) -> Value {
    let pairs = [("Name", "Value"), ("Key", "Value")];
    let entries: Option<Map<String, Value>> = items
        .iter()
        .map(|item| pairs.iter().find_map(|pair| entry(item, *pair)))
        .collect();
    entries.map_or(Value::Array(items), Value::Object)
}

fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

fn twice(name: &str) -> Fault {
    malformed(format!("the parameter {name} is given twice"))
}
