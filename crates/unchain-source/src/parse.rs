//! The slow way to a `serde_json` tree, which also notices repeated members.
//!
//! A [`Value`] keeps only the last of two members of one name, so the repetition must be seen while
//! parsing. The tree is the same as `serde_json` builds.

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;
use unchain_core::event::{Notes, Refusal};

/// Parses one JSON value with nothing but white space behind it, and says whether any object in it
/// names a member twice.
pub(crate) fn tree(text: &str) -> Result<(Value, Notes), Refusal> {
    let mut notes = Notes::default();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let parsed = Tree(&mut notes).deserialize(&mut deserializer);
    match parsed.and_then(|value| deserializer.end().map(|()| value)) {
        Ok(value) => Ok((value, notes)),
        // serde_json has no other way to tell this error from the rest.
        Err(error) if error.to_string().starts_with("recursion limit") => Err(Refusal::TooDeep),
        Err(_) => Err(Refusal::NotJson),
    }
}

struct Tree<'n>(&'n mut Notes);

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(element) = elements.next_element_seed(Tree(self.0))? {
            array.push(element);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            let value = members.next_value_seed(Tree(self.0))?;
            if object.insert(key, value).is_some() {
                self.0.add(Notes::DUPLICATE_KEY);
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_repeated_member_is_noted_and_the_last_one_counts() {
        let (value, notes) = tree(r#"{"a":{"b":1,"c":2,"b":3}}"#).expect("JSON");
        assert_eq!(value.to_string(), r#"{"a":{"b":3,"c":2}}"#);
        assert!(notes.has(Notes::DUPLICATE_KEY));
        let (_, notes) = tree(r#"[{"b":1},{"b":1}]"#).expect("JSON");
        assert!(notes.is_empty());
    }

    #[test]
    fn depth_has_its_own_reason() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(tree(&nested(127)).is_ok());
        assert_eq!(tree(&nested(128)).err(), Some(Refusal::TooDeep));
        assert_eq!(tree("{} x").err(), Some(Refusal::NotJson));
    }

    proptest! {
        #[test]
        fn the_tree_is_the_one_of_serde_json(text in r#"[\[\]{}:,"a-c0-9.eE+\- \\u]{0,24}"#) {
            let plain = serde_json::from_str::<Value>(&text).ok();
            prop_assert_eq!(tree(&text).ok().map(|(value, _)| value), plain);
        }
    }
}
