//! S3's documents: a tree of elements, read and written. Attributes and namespaces are dropped on reading; no client
//! of S3 says anything in them that the lab needs.

use std::fmt::{Display, Write};

use quick_xml::Reader;
use quick_xml::escape::{escape, resolve_predefined_entity};
use quick_xml::events::{BytesRef, Event};
use serde_json::{Map, Value};

use super::fault;
use crate::call::Fault;

/// The namespace of every S3 document (docs.aws.amazon.com/AmazonS3/latest/API/).
pub(super) const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// No document of S3 nests deeper than six elements.
const DEEPEST: usize = 16;

/// One element.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Node {
    name: String,
    text: String,
    children: Vec<Self>,
    schema_type: Option<&'static str>,
}

impl Node {
    /// An element with nothing but text.
    pub(super) fn leaf(name: &str, text: impl Display) -> Self {
        Self {
            name: name.to_owned(),
            text: text.to_string(),
            ..Self::default()
        }
    }

    /// The same with an `xsi:type`, as the grantees of an ACL have.
    #[must_use]
    pub(super) fn typed(mut self, schema_type: &'static str) -> Self {
        self.schema_type = Some(schema_type);
        self
    }

    /// An empty element.
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }

    /// The element's name, without prefix.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The same with one more child.
    #[must_use]
    pub(super) fn with(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }

    /// The same with one more child that holds text.
    #[must_use]
    pub(super) fn text(self, name: &str, text: impl Display) -> Self {
        self.with(Self::leaf(name, text))
    }

    /// As [`Node::text`], where there is something to say.
    #[must_use]
    pub(super) fn maybe(self, name: &str, text: Option<impl Display>) -> Self {
        match text {
            Some(text) => self.text(name, text),
            None => self,
        }
    }

    /// The same with more children.
    #[must_use]
    pub(super) fn all(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.children.extend(children);
        self
    }

    /// The children of a name.
    pub(super) fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first child of a name.
    pub(super) fn child<'a>(&'a self, name: &'a str) -> Option<&'a Self> {
        self.named(name).next()
    }

    /// The text of the first child of a name.
    pub(super) fn value<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.child(name).map(|child| child.text.trim())
    }

    /// The element's own text.
    pub(super) fn own_text(&self) -> &str {
        self.text.trim()
    }

    /// The children.
    pub(super) fn children(&self) -> &[Self] {
        &self.children
    }

    /// The document with this element as its root.
    pub(super) fn document(&self) -> Vec<u8> {
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        self.write(&mut out, &format!(" xmlns=\"{NAMESPACE}\""));
        out.into_bytes()
    }

    fn write(&self, out: &mut String, attributes: &str) {
        let name = &self.name;
        // Writing to a String cannot fail.
        let _ = write!(out, "<{name}{attributes}>{}", escape(self.text.as_str()));
        for child in &self.children {
            child.write(out, &child.attributes());
        }
        let _ = write!(out, "</{name}>");
    }

    fn attributes(&self) -> String {
        self.schema_type.map_or_else(String::new, |name| {
            format!(" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"{name}\"")
        })
    }

    /// The element as CloudTrail writes S3's documents in `requestParameters`: an object of its children, repeated
    /// ones as a list.
    pub(super) fn to_json(&self) -> Value {
        if self.children.is_empty() {
            return Value::String(self.own_text().to_owned());
        }
        let mut object = Map::new();
        for child in &self.children {
            let value = child.to_json();
            match object.get_mut(&child.name) {
                Some(Value::Array(list)) => list.push(value),
                Some(first) => *first = Value::Array(vec![first.take(), value]),
                None => {
                    object.insert(child.name.clone(), value);
                }
            }
        }
        Value::Object(object)
    }
}

/// Reads a document.
///
/// # Errors
///
/// `MissingRequestBodyError` for nothing, `MalformedXML` for anything that is not XML
/// (docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html).
pub(super) fn parse(body: &[u8]) -> Result<Node, Fault> {
    if body.is_empty() {
        return Err(fault(
            400,
            "MissingRequestBodyError",
            "Request Body is empty",
        ));
    }
    read(body).ok_or_else(malformed)
}

/// S3's answer to a document of the wrong form.
pub(super) fn malformed() -> Fault {
    fault(
        400,
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    )
}

fn read(body: &[u8]) -> Option<Node> {
    let mut reader = Reader::from_str(std::str::from_utf8(body).ok()?);
    let mut open = vec![Node::default()];
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) if open.len() <= DEEPEST => {
                open.push(Node::new(name_of(start.local_name().as_ref())?));
            }
            Event::Empty(start) => {
                let node = Node::new(name_of(start.local_name().as_ref())?);
                open.last_mut()?.children.push(node);
            }
            Event::End(_) => {
                let node = open.pop()?;
                open.last_mut()?.children.push(node);
            }
            Event::Text(text) => open.last_mut()?.text.push_str(&text.decode().ok()?),
            Event::CData(text) => open.last_mut()?.text.push_str(&text.decode().ok()?),
            Event::GeneralRef(reference) => open.last_mut()?.text.push_str(&entity(&reference)?),
            Event::Eof => break,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Start(_) | Event::DocType(_) => return None,
        }
    }
    let document = open.pop().filter(|_| open.is_empty())?;
    document.children.into_iter().next()
}

fn name_of(name: &[u8]) -> Option<&str> {
    std::str::from_utf8(name).ok()
}

fn entity(reference: &BytesRef<'_>) -> Option<String> {
    if let Some(character) = reference.resolve_char_ref().ok()? {
        return Some(character.to_string());
    }
    resolve_predefined_entity(&reference.decode().ok()?).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let node = Node::new("Tagging").with(
            Node::new("TagSet")
                .with(
                    Node::new("Tag")
                        .text("Key", "a<&\"b")
                        .text("Value", "naïve"),
                )
                .with(Node::new("Tag").text("Key", "c").text("Value", "")),
        );
        assert_eq!(parse(&node.document()).unwrap(), node);
        assert_eq!(node.to_json()["TagSet"]["Tag"][0]["Key"], "a<&\"b");
    }

    #[test]
    fn entities_and_prefixes_are_read_and_bombs_are_not() {
        let node = parse(b"<s3:A xmlns:s3='x'><s3:B>1 &lt; &#50;</s3:B><C/></s3:A>").unwrap();
        assert_eq!(node.name(), "A");
        assert_eq!(node.value("B"), Some("1 < 2"));
        assert_eq!(node.value("C"), Some(""));
        assert!(parse(b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>").is_err());
        assert!(parse("<a>".repeat(100_000).as_bytes()).is_err());
        assert!(parse(b"").is_err());
        assert!(parse(b"<a>").is_err());
        assert!(parse(b"\xff").is_err());
    }
}
