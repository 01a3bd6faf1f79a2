//! Which identifier of the lab stands where the trail language has one of its own: keys, instances, event ids.

use std::collections::BTreeMap;

use serde_json::Value;
use unchain_trail::Truth;

/// The identifiers of one run, by those of the trail language.
#[derive(Debug, Default)]
pub(super) struct Known(BTreeMap<String, String>);

impl Known {
    /// Notes what the lab gave. What it gave before in the same place is told when it differs.
    pub(super) fn learn(&mut self, told: &str, real: &str) -> Result<(), String> {
        match self.0.get(told) {
            Some(before) if before != real => Err(before.clone()),
            Some(_) => Ok(()),
            None => {
                self.0.insert(told.to_owned(), real.to_owned());
                Ok(())
            }
        }
    }

    /// The lab's identifier for one of the trail's.
    pub(super) fn get(&self, told: &str) -> Option<&str> {
        self.0.get(told).map(String::as_str)
    }

    /// A text with every identifier in it replaced, such as an ARN that ends with an instance id.
    pub(super) fn text(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut word = String::new();
        for letter in text.chars() {
            if letter.is_ascii_alphanumeric() || letter == '-' {
                word.push(letter);
                continue;
            }
            out.push_str(self.get(&word).unwrap_or(&word));
            word.clear();
            out.push(letter);
        }
        out.push_str(self.get(&word).unwrap_or(&word));
        out
    }

    /// All strings of a value.
    pub(super) fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => {
                Value::Array(items.iter().map(|item| self.value(item)).collect())
            }
            Value::Object(fields) => Value::Object(
                fields
                    .iter()
                    .map(|(name, inner)| (name.clone(), self.value(inner)))
                    .collect(),
            ),
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }

    /// The truth of the run: the story's own, with the lab's identifiers.
    pub(super) fn truth(&self, mut truth: Truth) -> Truth {
        for edge in &mut truth.edges {
            self.change(&mut edge.parent_key);
            self.change(&mut edge.child_key);
            edge.parent_principal = self.text(&edge.parent_principal);
            edge.child_principal = self.text(&edge.child_principal);
            edge.event_ids = edge.event_ids.iter().map(|id| self.text(id)).collect();
        }
        for token in &mut truth.tokens {
            self.change(&mut token.key);
            token.label = self.text(&token.label);
            token.principal = self.text(&token.principal);
        }
        for made in &mut truth.made {
            self.change(&mut made.maker_key);
            made.maker_principal = self.text(&made.maker_principal);
            made.thing = self.text(&made.thing);
            made.event_id = self.text(&made.event_id);
        }
        for ended in &mut truth.ended {
            ended.target = self.text(&ended.target);
            ended.event_id = self.text(&ended.event_id);
        }
        truth
    }

    fn change(&self, key: &mut Option<String>) {
        if let Some(told) = key {
            *told = self.text(told);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_replaced_as_whole_words() {
        let mut known = Known::default();
        known.learn("i-01", "i-ff").unwrap();
        known.learn("ASIA1", "ASIA2").unwrap();
        assert_eq!(
            known.text("arn:x:assumed-role/web/i-01"),
            "arn:x:assumed-role/web/i-ff"
        );
        assert_eq!(known.text("ASIA11 ASIA1"), "ASIA11 ASIA2");
        assert_eq!(known.learn("ASIA1", "ASIA3"), Err("ASIA2".to_owned()));
        let value = known.value(&serde_json::json!({"a": ["ASIA1", 5]}));
        assert_eq!(value, serde_json::json!({"a": ["ASIA2", 5]}));
    }
}
