//! The part of an address after `?`. Must not know what the names in it mean.

use form_urlencoded::{Serializer, parse};

/// Names and values in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads any text: what cannot be decoded becomes the replacement character.
    pub(crate) fn read(text: &str) -> Self {
        Self(parse(text.as_bytes()).into_owned().collect())
    }

    /// The first value of a name that is not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let mut named = self
            .0
            .iter()
            .filter(|(known, value)| known == name && !value.is_empty());
        named.next().map(|(_, value)| value.as_str())
    }

    /// Every name with its value.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.0.iter();
        pairs.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Every value of a name that is not empty.
    pub(crate) fn all<'q>(&'q self, name: &'q str) -> impl Iterator<Item = &'q str> {
        let named = self
            .0
            .iter()
            .filter(move |(known, value)| known == name && !value.is_empty());
        named.map(|(_, value)| value.as_str())
    }

    /// The same with one value more for a name.
    pub(crate) fn and(&self, name: &str, value: &str) -> Self {
        let mut pairs = self.0.clone();
        pairs.push((name.to_owned(), value.to_owned()));
        Self(pairs)
    }

    /// The same with one value for a name; an empty value takes the name out.
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let mut pairs = self.0.clone();
        pairs.retain(|(known, _)| known != name);
        if !value.is_empty() {
            pairs.push((name.to_owned(), value.to_owned()));
        }
        Self(pairs)
    }

    /// Of this only the instant: what every link to another view keeps.
    pub(crate) fn instant(&self) -> Self {
        Self::default().with("at", self.get("at").unwrap_or_default())
    }

    /// Everything but some names, and what is empty.
    pub(crate) fn but(&self, names: &[&str]) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.0.iter().map(|(name, value)| (&**name, &**value));
        pairs.filter(move |(name, value)| !names.contains(name) && !value.is_empty())
    }

    /// An address with this after it.
    pub(crate) fn link(&self, path: &str) -> String {
        if self.0.is_empty() {
            return path.to_owned();
        }
        let pairs = Serializer::new(String::new())
            .extend_pairs(&self.0)
            .finish();
        format!("{path}?{pairs}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_in_an_address_comes_out_again() {
        let hostile = "a&b=c#\"'<\u{202e}é %";
        let link = Query::default()
            .with("q", hostile)
            .with("at", "2026-03-02")
            .link("/tokens");
        let read = Query::read(link.strip_prefix("/tokens?").unwrap());
        assert_eq!(read.get("q"), Some(hostile));
        assert_eq!(read.instant().link("/"), "/?at=2026-03-02");
        assert_eq!(read.with("at", "").with("q", "").link("/"), "/");
    }

    #[test]
    fn any_text_can_be_read() {
        for text in ["", "&&", "=", "%", "%ff%zz=%", "at"] {
            assert_eq!(Query::read(text).get("at"), None, "{text}");
        }
    }
}
