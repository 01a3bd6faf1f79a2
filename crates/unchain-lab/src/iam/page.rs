//! Lists in pages: `MaxItems` up to 1,000 (100 unless told), and a `Marker` that says where the next page begins
//! (docs.aws.amazon.com/IAM/latest/APIReference/API_ListUsers.html).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::fault;
use crate::call::{Call, Fault, Reply};

/// One page, with the key of each row.
pub(super) struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// The next page's marker; none on the last page.
    pub marker: Option<String>,
}

/// Takes the page that the call asks for out of rows that come in the order of their keys.
pub(super) fn page<T>(
    call: &Call<'_>,
    rows: impl Iterator<Item = (String, T)>,
) -> Result<Page<T>, Fault> {
    let most = most(call)?;
    let after = marker(call)?;
    let mut page = Page {
        rows: Vec::new(),
        marker: None,
    };
    let mut last = String::new();
    let behind = rows.filter(|(key, _)| after.as_ref().is_none_or(|after| key > after));
    for (key, row) in behind {
        if page.rows.len() == most {
            page.marker = Some(URL_SAFE_NO_PAD.encode(last));
            break;
        }
        page.rows.push(row);
        last = key;
    }
    Ok(page)
}

/// A reply of one list.
pub(super) fn list(
    call: &Call<'_>,
    name: &str,
    rows: impl Iterator<Item = (String, Value)>,
) -> Result<Reply, Fault> {
    let page = page(call, rows)?;
    Ok(Reply::of(ended(json!({ name: page.rows }), page.marker)))
}

/// Adds `IsTruncated` and `Marker` to a reply.
pub(super) fn ended(mut value: Value, marker: Option<String>) -> Value {
    if let Some(fields) = value.as_object_mut() {
        fields.insert("IsTruncated".to_owned(), Value::Bool(marker.is_some()));
        if let Some(marker) = marker {
            fields.insert("Marker".to_owned(), Value::String(marker));
        }
    }
    value
}

fn most(call: &Call<'_>) -> Result<usize, Fault> {
    let asked = call.number("MaxItems")?.unwrap_or(100);
    match usize::try_from(asked) {
        Ok(most @ 1..=1000) => Ok(most),
        _ if asked < 1 => Err(fault::constraint(
            "MaxItems",
            &asked.to_string(),
            "have value greater than or equal to 1",
        )),
        _ => Err(fault::constraint(
            "MaxItems",
            &asked.to_string(),
            "have value less than or equal to 1000",
        )),
    }
}

fn marker(call: &Call<'_>) -> Result<Option<String>, Fault> {
    let Some(marker) = call.text("Marker") else {
        return Ok(None);
    };
    URL_SAFE_NO_PAD
        .decode(&marker)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .map(Some)
        .ok_or_else(|| fault::invalid(format!("Invalid Marker: {marker}")))
}

/// A reply of a thing's tags.
pub(super) fn tags(call: &Call<'_>, tags: &BTreeMap<String, String>) -> Result<Reply, Fault> {
    let rows = tags
        .iter()
        .map(|(key, value)| (key.clone(), json!({"Key": key, "Value": value})));
    list(call, "Tags", rows)
}
