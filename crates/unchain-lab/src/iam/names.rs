//! What a name, a path, a description and a tag may be
//! (docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html).

use std::collections::BTreeMap;

use serde_json::Value;

use super::fault;
use crate::call::{Call, Fault, lower_first};

/// Most tags that one thing may have.
const TAGS: usize = 50;

/// The name of something new: at most `longest` of the characters that IAM allows.
pub(super) fn new(call: &Call<'_>, parameter: &str, longest: usize) -> Result<String, Fault> {
    let name = call.required(parameter)?;
    check(parameter, &name, longest)?;
    Ok(name)
}

/// Checks a name.
pub(super) fn check(parameter: &str, name: &str, longest: usize) -> Result<(), Fault> {
    if name.is_empty() {
        return Err(fault::constraint(
            parameter,
            name,
            "have length greater than or equal to 1",
        ));
    }
    if name.chars().count() > longest {
        let rule = format!("have length less than or equal to {longest}");
        return Err(fault::constraint(parameter, name, &rule));
    }
    if !name.chars().all(name_letter) {
        return Err(fault::invalid(format!(
            "The specified value for {} is invalid. It must contain only alphanumeric characters and/or the \
             following: +=,.@_-",
            lower_first(parameter)
        )));
    }
    Ok(())
}

fn name_letter(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "+=,.@_-".contains(letter)
}

/// The path of something new; `/` when none is given.
pub(super) fn path(call: &Call<'_>, parameter: &str) -> Result<String, Fault> {
    let path = call.text(parameter).unwrap_or_else(|| "/".to_owned());
    let framed = path.starts_with('/') && path.ends_with('/') && path.len() <= 512;
    if !framed || !path.bytes().all(|byte| (0x21..=0x7e).contains(&byte)) {
        return Err(fault::invalid(format!(
            "The specified value for {} is invalid. It must begin and end with / and contain only alphanumeric \
             characters and/or / characters.",
            lower_first(parameter)
        )));
    }
    Ok(path)
}

/// The prefix that a list is narrowed to; `/` when none is given.
pub(super) fn path_prefix(call: &Call<'_>) -> String {
    call.text("PathPrefix").unwrap_or_else(|| "/".to_owned())
}

/// Free text up to 1,000 characters.
pub(super) fn description(call: &Call<'_>) -> Result<Option<String>, Fault> {
    let text = call.text("Description");
    if text
        .as_ref()
        .is_some_and(|text| text.chars().count() > 1000)
    {
        return Err(fault::constraint(
            "Description",
            &text.unwrap_or_default(),
            "have length less than or equal to 1000",
        ));
    }
    Ok(text)
}

/// The tags of a call.
pub(super) fn tags(call: &Call<'_>) -> Result<BTreeMap<String, String>, Fault> {
    let mut tags = BTreeMap::new();
    for tag in call.list("Tags") {
        let (key, value) = (field(tag, "Key"), field(tag, "Value"));
        let key = key.ok_or_else(|| null("tags.1.member.key"))?;
        let value = value.ok_or_else(|| null("tags.1.member.value"))?;
        check_tag(&key, &value)?;
        if tags.insert(key, value).is_some() {
            return Err(fault::input(
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
            ));
        }
    }
    limit_tags(&tags)?;
    Ok(tags)
}

/// Adds the tags of a call to those that are there, after the same checks.
pub(super) fn added_tags(
    call: &Call<'_>,
    there: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Fault> {
    let mut all = there.clone();
    all.extend(tags(call)?);
    limit_tags(&all)?;
    Ok(all)
}

/// The tag keys that a call removes.
pub(super) fn tag_keys(call: &Call<'_>) -> Vec<String> {
    strings(call.list("TagKeys"))
}

/// The texts of a list.
pub(super) fn strings(list: &[Value]) -> Vec<String> {
    list.iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

/// A text field of an object.
pub(super) fn field(value: &Value, name: &str) -> Option<String> {
    value.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn null(place: &str) -> Fault {
    fault::invalid(format!(
        "1 validation error detected: Value null at '{place}' failed to satisfy constraint: Member must not be null"
    ))
}

fn check_tag(key: &str, value: &str) -> Result<(), Fault> {
    let letters = |letter: char| letter.is_alphanumeric() || " _.:/=+-@".contains(letter);
    if key.is_empty() || key.chars().count() > 128 || !key.chars().all(letters) {
        return Err(fault::constraint(
            "tags.1.member.key",
            key,
            "satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+",
        ));
    }
    if value.chars().count() > 256 || !value.chars().all(letters) {
        return Err(fault::constraint(
            "tags.1.member.value",
            value,
            "satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*",
        ));
    }
    if key.to_ascii_lowercase().starts_with("aws:") {
        return Err(fault::input(
            "One or more tags contain reserved prefix aws:. Please remove them and try again.",
        ));
    }
    Ok(())
}

fn limit_tags(tags: &BTreeMap<String, String>) -> Result<(), Fault> {
    if tags.len() > TAGS {
        return Err(fault::limit(format!(
            "The number of tags has reached the maximum limit of {TAGS}."
        )));
    }
    Ok(())
}
