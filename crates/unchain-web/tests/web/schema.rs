//! The little of JSON Schema that our document uses, read strictly: what it does not declare may not be there.

use serde_json::Value;

/// What is wrong with an answer; nothing if it is what the schema says.
pub(crate) fn faults(document: &Value, schema: &Value, answer: &Value) -> Vec<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let place = reference.strip_prefix('#').unwrap();
        return faults(document, document.pointer(place).unwrap(), answer);
    }
    if let Some(options) = schema["anyOf"].as_array() {
        let fits = |option: &&Value| faults(document, option, answer).is_empty();
        return match options.iter().find(fits) {
            Some(_) => Vec::new(),
            None => vec![format!("{answer} is none of {options:?}")],
        };
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        kind => kind.as_str().into_iter().collect(),
    };
    if !kinds.contains(&kind(answer)) {
        return vec![format!("{answer} is not {kinds:?}")];
    }
    match answer {
        Value::Array(items) => list(document, schema, items),
        Value::Object(_) => object(document, schema, answer),
        Value::String(text) if schema["format"] == "date-time" => {
            let known = unchain_core::time::Timestamp::parse(text);
            let wrong = known.is_none_or(|at| at.to_string() != *text);
            wrong
                .then(|| format!("{text} is no instant"))
                .into_iter()
                .collect()
        }
        _ => Vec::new(),
    }
}

fn kind(answer: &Value) -> &'static str {
    match answer {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn list(document: &Value, schema: &Value, items: &[Value]) -> Vec<String> {
    if let Some(schemas) = schema["prefixItems"].as_array() {
        assert_eq!(schemas.len(), items.len());
        let pairs = schemas.iter().zip(items);
        return pairs
            .flat_map(|(schema, item)| faults(document, schema, item))
            .collect();
    }
    items
        .iter()
        .flat_map(|item| faults(document, &schema["items"], item))
        .collect()
}

fn object(document: &Value, schema: &Value, answer: &Value) -> Vec<String> {
    let Some(properties) = schema["properties"].as_object() else {
        assert_eq!(schema["additionalProperties"], true, "{schema}");
        return Vec::new();
    };
    let mut wrong = Vec::new();
    for (name, value) in answer.as_object().unwrap() {
        match properties.get(name) {
            Some(schema) => wrong.extend(faults(document, schema, value)),
            None => wrong.push(format!("`{name}` is not declared")),
        }
    }
    let required: Vec<&str> = schema["required"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    for name in properties.keys() {
        if !required.contains(&&**name) {
            wrong.push(format!(
                "`{name}` is declared as if it were not always there"
            ));
        }
        if answer.get(name).is_none() {
            wrong.push(format!("`{name}` is missing"));
        }
    }
    wrong
}
