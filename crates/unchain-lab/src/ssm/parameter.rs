//! Parameter Store. Values are in no record. `AllowedPattern` is kept and not checked.

use std::collections::VecDeque;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{error, own, page};
use crate::call::{Call, Fault, Recorded, Reply};
use crate::enforce;
use crate::operation::Ask;
use crate::params::{text, text_list};
use crate::world::World;

/// The most parameters, versions of one, names in one request, and levels of a name
/// (docs.aws.amazon.com/general/latest/gr/ssm.html, docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-versions.html).
const MOST: usize = 10_000;
const MOST_VERSIONS: usize = 100;
const MOST_NAMES: usize = 10;
const MOST_LEVELS: usize = 15;

/// One parameter.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Parameter {
    /// The name.
    pub name: String,
    /// `String`, `StringList` or `SecureString`.
    pub kind: String,
    /// The last versions, oldest first.
    pub versions: VecDeque<Version>,
    /// `Description`, `AllowedPattern`, `Tier`, `DataType`, `KeyId`, as given.
    pub settings: Map<String, Value>,
}

/// One version of a parameter.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Version {
    /// Counted from 1.
    pub number: i64,
    /// The value.
    pub value: String,
    /// The ARN of who wrote it.
    pub author: String,
    /// Virtual seconds since 1970.
    pub at: i64,
}

const SETTINGS: &[&str] = &["Description", "AllowedPattern", "DataType", "Tier", "KeyId"];

/// The ARN of a name: a name's first slash is the ARN's.
fn arn(call: &Call<'_>, name: &str) -> String {
    match name.starts_with("arn:") {
        true => name.to_owned(),
        false => own(
            call,
            &format!("parameter/{}", name.strip_prefix('/').unwrap_or(name)),
        ),
    }
}

/// A name without its selector (`name:3`), and the selector.
fn selected(name: &str) -> (&str, Option<&str>) {
    let from = if name.starts_with("arn:") {
        name.match_indices(':').nth(4).map_or(0, |(at, _)| at + 1)
    } else {
        0
    };
    let last = name.get(from..).unwrap_or_default();
    match last.split_once(':') {
        Some((plain, selector)) => (
            name.get(..from + plain.len()).unwrap_or_default(),
            Some(selector),
        ),
        None => (name, None),
    }
}

/// The names that a call gives, as `Name` or `Names`.
fn names(call: &Call<'_>) -> Vec<String> {
    match call.text("Name") {
        Some(name) => vec![name],
        None => text_list(call, "Names"),
    }
}

pub(super) fn asks(call: &Call<'_>, action: &str) -> Result<Vec<Ask>, Fault> {
    let names = names(call);
    if names.is_empty() || names.len() > MOST_NAMES {
        let message = format!("A request names 1 to {MOST_NAMES} parameters.");
        return Err(error("ValidationException", message));
    }
    let ask = |name: &String| {
        let arn = arn(call, selected(name).0);
        Ask {
            resource_account: arn.split(':').nth(4).map(str::to_owned),
            ..Ask::on(action, arn)
        }
    };
    Ok(names.iter().map(ask).collect())
}

pub(super) fn asks_path(call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
    let path = call.required("Path")?;
    let path = path.trim_end_matches('/');
    Ok(vec![Ask::on("ssm:GetParametersByPath", arn(call, path))])
}

fn resources(call: &Call<'_>, arns: impl Iterator<Item = String>) -> Vec<Value> {
    arns.map(|arn| json!({ "accountId": call.caller.account, "ARN": arn }))
        .collect()
}

fn recorded(call: &Call<'_>, arns: impl Iterator<Item = String>) -> Recorded {
    Recorded {
        resources: resources(call, arns),
        ..Recorded::default()
    }
}

/// What is wrong with a new parameter; nothing, mostly.
fn check(call: &Call<'_>, name: &str, value: &str) -> Result<(), Fault> {
    let invalid = |message: String| Err(error("ValidationException", message));
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "_.-/".contains(letter);
    let bare = name.trim_start_matches('/').to_ascii_lowercase();
    if name.is_empty() || name.len() > 1011 || !name.chars().all(fits) {
        return invalid(format!(
            "Parameter name: only a-zA-Z0-9_.-/ are allowed, not {name}"
        ));
    }
    if bare.starts_with("aws") || bare.starts_with("ssm") {
        return invalid("Parameter name: can't be prefixed with \"aws\" or \"ssm\".".to_owned());
    }
    if name.trim_start_matches('/').split('/').count() > MOST_LEVELS {
        let message = format!("A parameter's name has at most {MOST_LEVELS} levels.");
        return Err(error("HierarchyLevelLimitExceededException", message));
    }
    let most = match call.text("Tier").as_deref() {
        Some("Advanced" | "Intelligent-Tiering") => 8192,
        _ => 4096,
    };
    if value.is_empty() || value.len() > most {
        return invalid(format!("A value of this tier has 1 to {most} characters."));
    }
    match call.text("KeyId").as_deref() {
        None | Some("alias/aws/ssm") => Ok(()),
        Some(key) => Err(error("InvalidKeyId", format!("the lab has no key `{key}`"))),
    }
}

fn kind(call: &Call<'_>) -> Result<String, Fault> {
    const KINDS: [&str; 3] = ["String", "StringList", "SecureString"];
    match call.text("Type") {
        Some(kind) if KINDS.contains(&kind.as_str()) => Ok(kind),
        Some(_) => Err(error(
            "UnsupportedParameterType",
            "The parameter type is not supported.",
        )),
        None => Err(error(
            "ValidationException",
            "A parameter type is required when you create a parameter.",
        )),
    }
}

/// A new parameter, or the one that is overwritten.
fn open<'a>(
    world: &'a mut World,
    call: &Call<'_>,
    (name, arn): (&str, &str),
) -> Result<&'a mut Parameter, Fault> {
    let overwrite = call.text("Overwrite").as_deref() == Some("true");
    let parameters = &mut world.ssm.parameters;
    match parameters.get(arn) {
        Some(_) if !overwrite => {
            return Err(error(
                "ParameterAlreadyExists",
                "The parameter already exists. To overwrite this value, set the overwrite option in the request to \
                 true.",
            ));
        }
        None => {
            let first = own(call, "parameter/");
            let own = parameters.range(first.clone()..);
            if own.take_while(|(arn, _)| arn.starts_with(&first)).count() >= MOST {
                return Err(error(
                    "ParameterLimitExceeded",
                    "There are too many parameters.",
                ));
            }
        }
        Some(_) => {}
    }
    let new = || -> Result<Parameter, Fault> {
        Ok(Parameter {
            name: name.to_owned(),
            kind: kind(call)?,
            versions: VecDeque::new(),
            settings: Map::new(),
        })
    };
    if !parameters.contains_key(arn) {
        parameters.insert(arn.to_owned(), new()?);
    }
    parameters.get_mut(arn).ok_or_else(not_found)
}

pub(super) fn put(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (name, value) = (call.required("Name")?, call.required("Value")?);
    check(call, &name, &value)?;
    let (arn, now) = (arn(call, &name), world.now);
    let author = enforce::arn(world, &call.caller);
    let parameter = open(world, call, (&name, &arn))?;
    if call.text("Type").is_some() {
        parameter.kind = kind(call)?;
    }
    for name in SETTINGS {
        if let Some(value) = call.params.get(*name) {
            parameter.settings.insert((*name).to_owned(), value.clone());
        }
    }
    let number = parameter.versions.back().map_or(1, |last| last.number + 1);
    if parameter.versions.len() >= MOST_VERSIONS {
        parameter.versions.pop_front();
    }
    parameter.versions.push_back(Version {
        number,
        value,
        author,
        at: now,
    });
    let tier = parameter.setting("Tier", "Standard");
    Ok(Reply {
        recorded: recorded(call, std::iter::once(arn)),
        ..Reply::of(json!({ "Version": number, "Tier": tier }))
    })
}

fn not_found() -> Fault {
    error("ParameterNotFound", "")
}

impl Parameter {
    fn setting(&self, name: &str, usual: &str) -> String {
        let given = self.settings.get(name).and_then(text);
        given.unwrap_or_else(|| usual.to_owned())
    }

    fn version(&self, selector: Option<&str>) -> Result<&Version, Fault> {
        let Some(selector) = selector else {
            return self.versions.back().ok_or_else(not_found);
        };
        let mut versions = self.versions.iter();
        versions
            .find(|version| version.number.to_string() == selector)
            .ok_or_else(|| {
                let message = format!(
                    "Systems Manager could not find version {selector} of {}.",
                    self.name
                );
                error("ParameterVersionNotFound", message)
            })
    }

    fn shown(&self, call: &Call<'_>, arn: &str, selector: Option<&str>) -> Result<Value, Fault> {
        let version = self.version(selector)?;
        let decrypted = call.text("WithDecryption").as_deref() == Some("true");
        let value = match self.kind.as_str() {
            "SecureString" if !decrypted => sealed(version),
            _ => version.value.clone(),
        };
        Ok(json!({
            "Name": self.name, "ARN": arn, "Type": self.kind, "Value": value,
            "Version": version.number,
            "Selector": selector.map(|selector| format!(":{selector}")),
            "LastModifiedDate": { "$time": version.at },
            "DataType": self.setting("DataType", "text"),
        }))
    }

    fn described(&self, arn: &str) -> Value {
        let mut fields = json!({
            "Name": self.name, "ARN": arn, "Type": self.kind,
            "Tier": self.setting("Tier", "Standard"),
            "DataType": self.setting("DataType", "text"),
        });
        let fields = fields.as_object_mut().map(std::mem::take);
        let mut fields = fields.unwrap_or_default();
        for name in ["Description", "AllowedPattern"] {
            fields.extend(
                self.settings
                    .get(name)
                    .map(|value| (name.to_owned(), value.clone())),
            );
        }
        if self.kind == "SecureString" {
            fields.insert("KeyId".to_owned(), "alias/aws/ssm".into());
        }
        if let Some(version) = self.versions.back() {
            fields.insert("Version".to_owned(), version.number.into());
            fields.insert(
                "LastModifiedDate".to_owned(),
                json!({ "$time": version.at }),
            );
            fields.insert("LastModifiedUser".to_owned(), version.author.clone().into());
        }
        Value::Object(fields)
    }
}

/// Stands for the ciphertext that AWS gives when nobody asks to decrypt; it says nothing of the value.
fn sealed(version: &Version) -> String {
    let digest = Sha256::digest(format!("{}{}", version.number, version.at));
    format!("AQICAH{}", STANDARD.encode(digest))
}

pub(super) fn get(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let name = call.required("Name")?;
    let (plain, selector) = selected(&name);
    let arn = arn(call, plain);
    let found = world.ssm.parameters.get(&arn).ok_or_else(not_found)?;
    let shown = found.shown(call, &arn, selector)?;
    Ok(Reply {
        recorded: recorded(call, std::iter::once(arn)),
        ..Reply::of(json!({ "Parameter": shown }))
    })
}

pub(super) fn get_several(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (mut found, mut arns, mut missing) = (Vec::new(), Vec::new(), Vec::new());
    for name in text_list(call, "Names") {
        let (plain, selector) = selected(&name);
        let arn = arn(call, plain);
        let parameter = world.ssm.parameters.get(&arn);
        match parameter.and_then(|parameter| parameter.shown(call, &arn, selector).ok()) {
            Some(shown) => {
                found.push(shown);
                arns.push(arn);
            }
            None => missing.push(name),
        }
    }
    Ok(Reply {
        recorded: recorded(call, arns.into_iter()),
        ..Reply::of(json!({ "Parameters": found, "InvalidParameters": missing }))
    })
}

pub(super) fn get_by_path(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let path = call.required("Path")?;
    if !path.starts_with('/') {
        let message = "The parameter path must begin with a forward slash.";
        return Err(error("ValidationException", message));
    }
    let recursive = call.text("Recursive").as_deref() == Some("true");
    let first = format!("{}/", arn(call, path.trim_end_matches('/')));
    let below = world.ssm.parameters.range(first.clone()..);
    let below = below.take_while(|(arn, _)| arn.starts_with(&first));
    let rows = below.filter(|(arn, parameter)| {
        let rest = arn.get(first.len()..).unwrap_or_default();
        parameter.name.starts_with('/') && (recursive || !rest.contains('/'))
    });
    let rows = rows.map(|(arn, parameter)| (arn.clone(), (arn, parameter)));
    let (rows, next) = page(call, rows)?;
    let shown = rows
        .iter()
        .map(|(arn, parameter)| parameter.shown(call, arn, None));
    let shown: Vec<Value> = shown.collect::<Result<_, _>>()?;
    Ok(Reply {
        recorded: recorded(call, rows.iter().map(|(arn, _)| (*arn).clone())),
        ..Reply::of(json!({ "Parameters": shown, "NextToken": next }))
    })
}

/// One filter of DescribeParameters: by name or type.
struct Filter {
    key: String,
    option: String,
    values: Vec<String>,
}

impl Filter {
    fn read(given: &Value) -> Result<Self, Fault> {
        let member = |name: &str| given.get(name).and_then(text);
        let key = member("Key").unwrap_or_default();
        if !["Name", "Type"].contains(&key.as_str()) {
            let message = format!("The lab filters parameters by Name and Type, not by {key}.");
            return Err(error("InvalidFilterKey", message));
        }
        let option = member("Option").unwrap_or_else(|| "Equals".to_owned());
        if !["Equals", "BeginsWith", "Contains"].contains(&option.as_str()) {
            let message = format!("The filter option {option} is not valid.");
            return Err(error("InvalidFilterOption", message));
        }
        let values = given.get("Values").and_then(Value::as_array);
        let values = values.into_iter().flatten().filter_map(text).collect();
        Ok(Self {
            key,
            option,
            values,
        })
    }

    fn takes(&self, parameter: &Parameter) -> bool {
        let found = match self.key.as_str() {
            "Name" => &parameter.name,
            _ => &parameter.kind,
        };
        self.values.iter().any(|value| match self.option.as_str() {
            "BeginsWith" => found.starts_with(value),
            "Contains" => found.contains(value),
            _ => found == value,
        })
    }
}

pub(super) fn describe(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let given = call
        .list("ParameterFilters")
        .iter()
        .chain(call.list("Filters"));
    let filters: Vec<Filter> = given.map(Filter::read).collect::<Result<_, _>>()?;
    let first = own(call, "parameter/");
    let all = world.ssm.parameters.range(first.clone()..);
    let rows = all
        .take_while(|(arn, _)| arn.starts_with(&first))
        .filter(|(_, parameter)| filters.iter().all(|filter| filter.takes(parameter)))
        .map(|(arn, parameter)| (arn.clone(), parameter.described(arn)));
    let (rows, next) = page(call, rows)?;
    Ok(Reply::of(json!({ "Parameters": rows, "NextToken": next })))
}

pub(super) fn delete(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let arn = arn(call, &call.required("Name")?);
    world.ssm.parameters.remove(&arn).ok_or_else(not_found)?;
    Ok(Reply {
        recorded: recorded(call, std::iter::once(arn)),
        ..Reply::of(json!({}))
    })
}
