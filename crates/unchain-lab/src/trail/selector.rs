//! Event selectors: which records a trail wants
//! (docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_EventSelector.html and …/API_AdvancedFieldSelector.html).

use serde_json::Value;

use super::draft::{Access, Category, Draft};
use super::trails::Trail;

/// Whether a trail's selectors take a record.
pub(super) fn takes(trail: &Trail, draft: &Draft) -> bool {
    if trail.is_own() {
        return true;
    }
    if !trail.advanced.is_empty() {
        return trail
            .advanced
            .iter()
            .any(|selector| advanced(selector, draft));
    }
    if trail.selectors.is_empty() {
        return draft.category == Category::Management;
    }
    trail
        .selectors
        .iter()
        .any(|selector| basic(selector, draft))
}

fn basic(selector: &Value, draft: &Draft) -> bool {
    let wanted = match selector.get("ReadWriteType").and_then(Value::as_str) {
        Some("ReadOnly") => draft.access == Access::Read,
        Some("WriteOnly") => draft.access == Access::Write,
        _ => true,
    };
    wanted
        && match draft.category {
            Category::Management => management(selector, draft),
            Category::Data => texts(selector, "DataResources").any(|wanted| data(wanted, draft)),
        }
}

fn management(selector: &Value, draft: &Draft) -> bool {
    let included = selector.get("IncludeManagementEvents");
    let excluded = texts(selector, "ExcludeManagementEventSources")
        .any(|source| source.as_str() == Some(&draft.source));
    included.and_then(Value::as_bool).unwrap_or(true) && !excluded
}

/// A data resource names a type and beginnings of ARNs; `arn:aws:s3` is all of S3.
fn data(wanted: &Value, draft: &Draft) -> bool {
    draft.resources.iter().any(|resource| {
        resource.get("type") == wanted.get("Type")
            && texts(wanted, "Values")
                .filter_map(Value::as_str)
                .any(|start| member(resource, "ARN").is_some_and(|arn| arn.starts_with(start)))
    })
}

/// Every field selector must hold.
fn advanced(selector: &Value, draft: &Draft) -> bool {
    let mut fields = texts(selector, "FieldSelectors").peekable();
    fields.peek().is_some() && fields.all(|field| holds(field, draft))
}

fn holds(selector: &Value, draft: &Draft) -> bool {
    let values = match member(selector, "Field") {
        Some("eventCategory") if draft.category == Category::Data => vec!["Data"],
        Some("eventCategory") => vec!["Management"],
        Some("readOnly") if draft.access == Access::Read => vec!["true"],
        Some("readOnly") => vec!["false"],
        Some("eventSource") => vec![draft.source.as_str()],
        Some("eventName") => vec![draft.name.as_str()],
        Some("resources.type") => of_resources(draft, "type"),
        Some("resources.ARN") => of_resources(draft, "ARN"),
        Some("userIdentity.arn") => member(&draft.identity, "arn").into_iter().collect(),
        Some("sessionCredentialFromConsole") if draft.from_console => vec!["true"],
        _ => vec![],
    };
    let any = |operator: &str, test: fn(&str, &str) -> bool| {
        let wanted = selector.get(operator).and_then(Value::as_array)?;
        let mut wanted = wanted.iter().filter_map(Value::as_str);
        Some(wanted.any(|wanted| values.iter().any(|value| test(value, wanted))))
    };
    let positive = [
        any("Equals", |value, wanted| value == wanted),
        any("StartsWith", |value, wanted| value.starts_with(wanted)),
        any("EndsWith", |value, wanted| value.ends_with(wanted)),
    ];
    let negative = [
        any("NotEquals", |value, wanted| value == wanted),
        any("NotStartsWith", |value, wanted| value.starts_with(wanted)),
        any("NotEndsWith", |value, wanted| value.ends_with(wanted)),
    ];
    positive.iter().all(|held| *held != Some(false))
        && negative.iter().all(|held| *held != Some(true))
}

fn of_resources<'a>(draft: &'a Draft, name: &str) -> Vec<&'a str> {
    draft
        .resources
        .iter()
        .filter_map(|resource| member(resource, name))
        .collect()
}

fn member<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

fn texts<'a>(value: &'a Value, name: &str) -> std::slice::Iter<'a, Value> {
    let list = value.get(name).and_then(Value::as_array);
    list.map_or(&[][..], Vec::as_slice).iter()
}

#[cfg(test)]
mod tests {
    use super::super::trails::Place;
    use super::*;
    use serde_json::json;

    fn trail(selectors: &Value, advanced: &Value) -> Trail {
        let place = Place::Bucket {
            name: "logs".to_owned(),
            prefix: None,
        };
        let mut trail = Trail::new("t", "111122223333", "us-east-1", place);
        trail.selectors = selectors.as_array().cloned().unwrap_or_default();
        trail.advanced = advanced.as_array().cloned().unwrap_or_default();
        trail
    }

    fn read() -> Draft {
        Draft {
            source: "iam.amazonaws.com".to_owned(),
            name: "GetUser".to_owned(),
            access: Access::Read,
            ..Draft::default()
        }
    }

    fn get_object() -> Draft {
        Draft {
            source: "s3.amazonaws.com".to_owned(),
            name: "GetObject".to_owned(),
            access: Access::Read,
            category: Category::Data,
            resources: vec![json!({"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::b/k"})],
            ..Draft::default()
        }
    }

    #[test]
    fn without_selectors_all_management_events() {
        let trail = trail(&json!([]), &json!([]));
        assert!(takes(&trail, &read()) && !takes(&trail, &get_object()));
    }

    #[test]
    fn the_selectors_of_an_attack_that_blinds_a_trail_take_nothing() {
        let blind = json!([{
            "ReadWriteType": "ReadOnly", "IncludeManagementEvents": false,
            "DataResources": [{"Type": "AWS::S3::Object", "Values": []}],
        }]);
        let trail = trail(&blind, &json!([]));
        assert!(!takes(&trail, &read()) && !takes(&trail, &get_object()));
    }

    #[test]
    fn basic_selectors_by_access_source_and_resource() {
        let writes = trail(&json!([{"ReadWriteType": "WriteOnly"}]), &json!([]));
        assert!(!takes(&writes, &read()));
        let no_iam = json!([{"ExcludeManagementEventSources": ["iam.amazonaws.com"]}]);
        assert!(!takes(&trail(&no_iam, &json!([])), &read()));
        let bucket = |start: &str| json!([{"DataResources": [{"Type": "AWS::S3::Object", "Values": [start]}]}]);
        assert!(takes(
            &trail(&bucket("arn:aws:s3:::b/"), &json!([])),
            &get_object()
        ));
        assert!(!takes(
            &trail(&bucket("arn:aws:s3:::c/"), &json!([])),
            &get_object()
        ));
    }

    #[test]
    fn advanced_selectors_hold_in_all_their_fields() {
        let selector = |category: &str, name: Value| {
            json!([{"FieldSelectors": [
                {"Field": "eventCategory", "Equals": [category]},
                {"Field": "eventName", "NotStartsWith": name},
            ]}])
        };
        let taken = trail(&json!([]), &selector("Data", json!(["Put"])));
        assert!(takes(&taken, &get_object()) && !takes(&taken, &read()));
        let not = trail(&json!([]), &selector("Data", json!(["Get"])));
        assert!(!takes(&not, &get_object()));
    }
}
