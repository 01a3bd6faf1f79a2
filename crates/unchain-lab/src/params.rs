//! Parameters that are maps, in whichever of the forms a protocol leaves them: JSON's objects, or the query protocol's
//! lists of a name and a value.

use serde_json::Value;

use crate::call::Call;

/// The names and values of a map.
pub(crate) fn entries(map: Option<&Value>) -> Vec<(String, &Value)> {
    match map {
        Some(Value::Object(object)) => match object.get("entry") {
            Some(list @ Value::Array(_)) if object.len() == 1 => entries(Some(list)),
            _ => object
                .iter()
                .map(|(name, value)| (name.clone(), value))
                .collect(),
        },
        Some(Value::Array(list)) => list.iter().filter_map(pair).collect(),
        _ => Vec::new(),
    }
}

fn pair(entry: &Value) -> Option<(String, &Value)> {
    let any = |names: &[&str]| names.iter().find_map(|name| entry.get(name));
    let name = any(&["Name", "Key", "name", "key"])?.as_str()?;
    Some((name.to_owned(), any(&["Value", "value"])?))
}

/// A map of the call whose values are text.
pub(crate) fn texts(call: &Call<'_>, name: &str) -> Vec<(String, String)> {
    entries(call.params.get(name))
        .into_iter()
        .filter_map(|(name, value)| Some((name, text(value)?)))
        .collect()
}

/// A list of the call that holds text.
pub(crate) fn text_list(call: &Call<'_>, name: &str) -> Vec<String> {
    call.list(name).iter().filter_map(text).collect()
}

/// A scalar as text.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn maps_of_every_protocol_are_the_same() {
        let forms = [
            json!({"Policy": "p", "DelaySeconds": "0"}),
            json!([{"Name": "Policy", "Value": "p"}, {"Name": "DelaySeconds", "Value": "0"}]),
            json!({"entry": [{"key": "Policy", "value": "p"}, {"key": "DelaySeconds", "value": "0"}]}),
        ];
        for form in &forms {
            let found = entries(Some(form));
            assert_eq!(found.len(), 2);
            assert_eq!(found[0], ("Policy".to_owned(), &json!("p")));
        }
        assert!(entries(None).is_empty());
    }
}
