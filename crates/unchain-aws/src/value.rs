//! JSON under the names of the service's API reference, from the SDK's types.

use aws_smithy_types::DateTime;
use serde_json::{Map, Value};
use unchain_core::time::Timestamp;

/// An object; what is not there is left out.
pub(crate) fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    let there = members.into_iter().filter(|(_, value)| !value.is_null());
    let there: Map<String, Value> = there
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    Value::Object(there)
}

pub(crate) fn text<'t>(text: impl Into<Option<&'t str>>) -> Value {
    text.into().map_or(Value::Null, Value::from)
}

/// A word that the SDK has a type for, also one that it does not know.
pub(crate) fn word<W: AsRef<str>>(word: Option<&W>) -> Value {
    word.map_or(Value::Null, |word| Value::from(word.as_ref()))
}

pub(crate) fn word_of<W: AsRef<str>>(of: &W) -> Value {
    word(Some(of))
}

pub(crate) fn flag(flag: impl Into<Option<bool>>) -> Value {
    flag.into().map_or(Value::Null, Value::from)
}

pub(crate) fn number(number: impl Into<Option<i32>>) -> Value {
    number.into().map_or(Value::Null, Value::from)
}

/// An instant, UTC, as the AWS CLI prints it: RFC 3339 to the second.
pub(crate) fn time<'t>(time: impl Into<Option<&'t DateTime>>) -> Value {
    time.into().map_or(Value::Null, |time| {
        Value::from(Timestamp::from_seconds(time.secs()).to_string())
    })
}

pub(crate) fn texts(texts: &[String]) -> Value {
    texts.iter().map(String::as_str).collect()
}

/// A list of texts that the service leaves out when it is empty.
pub(crate) fn some_texts(items: &[String]) -> Value {
    some(items, |item| Value::from(item.as_str()))
}

pub(crate) fn list<T>(items: &[T], of: impl Fn(&T) -> Value) -> Value {
    items.iter().map(of).collect()
}

/// A list that the service leaves out when it is empty.
pub(crate) fn some<T>(items: &[T], of: impl Fn(&T) -> Value) -> Value {
    match items {
        [] => Value::Null,
        items => list(items, of),
    }
}

pub(crate) fn one<T>(item: Option<&T>, of: impl Fn(&T) -> Value) -> Value {
    item.map_or(Value::Null, of)
}

/// An object with the members of an answer: the name of each, what it is, and the SDK's word for it.
macro_rules! members {
    ($of:expr; $($name:literal $kind:ident $(($shape:path))? $get:ident),* $(,)?) => {
        $crate::value::object([$(($name, $crate::value::$kind($of.$get() $(, $shape)?))),*])
    };
}
pub(crate) use members;
