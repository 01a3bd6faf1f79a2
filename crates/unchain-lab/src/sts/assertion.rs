//! A SAML 2.0 response with its assertion (docs.oasis-open.org/security/saml/v2.0/saml-core-2.0-os.pdf), as far as
//! AWS reads it (docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_saml_assertions.html). Read as a
//! stream: nesting costs nothing, and entities that the document defines are not expanded.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use unchain_core::time::Timestamp;

/// What an assertion says. Instants are seconds since 1970, UTC.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Assertion {
    /// `Assertion/@ID`.
    pub(super) id: String,
    /// `Assertion/Issuer`.
    pub(super) issuer: String,
    /// `Subject/NameID`.
    pub(super) subject: String,
    /// `Subject/NameID/@Format`.
    pub(super) format: Option<String>,
    /// `SubjectConfirmationData/@Recipient`.
    pub(super) recipient: String,
    /// The earliest `NotOnOrAfter` of `SubjectConfirmationData` and `Conditions`.
    pub(super) ends: Option<i64>,
    /// `Conditions/@NotBefore`.
    pub(super) begins: Option<i64>,
    /// `AuthnStatement/@SessionNotOnOrAfter`.
    pub(super) session_ends: Option<i64>,
    /// Attributes' names and values, in order.
    pub(super) attributes: Vec<(String, Vec<String>)>,
}

impl Assertion {
    /// Reads the base64 text of a response; none for what is no assertion with an issuer and a subject.
    pub(super) fn read(text: &str) -> Option<Self> {
        if text.len() > 100_000 {
            return None;
        }
        let packed: String = text.split_ascii_whitespace().collect();
        let xml = STANDARD.decode(packed).ok()?;
        let mut reading = Reading::default();
        let mut reader = Reader::from_reader(xml.as_slice());
        loop {
            match reader.read_event().ok()? {
                Event::Start(start) => reading.start(&start)?,
                Event::Empty(start) => {
                    reading.start(&start)?;
                    reading.end();
                }
                Event::Text(text) => reading.text.push_str(&text.decode().ok()?),
                Event::CData(text) => reading.text.push_str(&text.decode().ok()?),
                Event::GeneralRef(reference) => {
                    let named = reference.decode().ok()?;
                    match reference.resolve_char_ref().ok()? {
                        Some(letter) => reading.text.push(letter),
                        None => reading
                            .text
                            .push_str(quick_xml::escape::resolve_predefined_entity(&named)?),
                    }
                }
                Event::End(_) => reading.end(),
                Event::Eof => break,
                Event::Comment(_) | Event::PI(_) | Event::Decl(_) | Event::DocType(_) => {}
            }
        }
        let read = reading.read;
        let whole = !read.issuer.is_empty() && !read.subject.is_empty();
        whole.then_some(read)
    }

    /// The values of an attribute; empty when it is not there.
    pub(super) fn values(&self, name: &str) -> &[String] {
        self.attributes
            .iter()
            .find(|(attribute, _)| attribute == name)
            .map_or(&[], |(_, values)| values.as_slice())
    }

    /// The first value of an attribute.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.values(name).first().map(String::as_str)
    }
}

/// Where in the document the reader is, and what was read so far.
#[derive(Debug, Default)]
struct Reading {
    /// Local names of the open elements; no deeper than an assertion can be.
    open: Vec<String>,
    text: String,
    read: Assertion,
}

/// Deeper documents are no assertions.
const DEEPEST: usize = 64;

impl Reading {
    fn start(&mut self, start: &BytesStart<'_>) -> Option<()> {
        if self.open.len() >= DEEPEST {
            return None;
        }
        let name = String::from_utf8_lossy(start.local_name().as_ref()).into_owned();
        let read = &mut self.read;
        match name.as_str() {
            "Assertion" => read.id = attribute(start, "ID").unwrap_or_default(),
            "NameID" => read.format = attribute(start, "Format"),
            "SubjectConfirmationData" => {
                read.recipient = attribute(start, "Recipient").unwrap_or_default();
                read.end_at(instant(start, "NotOnOrAfter"));
            }
            "Conditions" => {
                read.begins = instant(start, "NotBefore");
                read.end_at(instant(start, "NotOnOrAfter"));
            }
            "AuthnStatement" => read.session_ends = instant(start, "SessionNotOnOrAfter"),
            "Attribute" => read
                .attributes
                .push((attribute(start, "Name").unwrap_or_default(), Vec::new())),
            _ => {}
        }
        self.open.push(name);
        self.text.clear();
        Some(())
    }

    fn end(&mut self) {
        let text = std::mem::take(&mut self.text).trim().to_owned();
        let name = self.open.pop().unwrap_or_default();
        let parent = self.open.last().map(String::as_str);
        match (parent, name.as_str()) {
            (Some("Assertion"), "Issuer") => self.read.issuer = text,
            (Some("Subject"), "NameID") => self.read.subject = text,
            (Some("Attribute"), "AttributeValue") => {
                if let Some((_, values)) = self.read.attributes.last_mut() {
                    values.push(text);
                }
            }
            _ => {}
        }
    }
}

impl Assertion {
    fn end_at(&mut self, at: Option<i64>) {
        self.ends = match (self.ends, at) {
            (Some(ends), Some(at)) => Some(ends.min(at)),
            (ends, at) => ends.or(at),
        };
    }
}

fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = start.try_get_attribute(name).ok()??;
    let value = found.normalized_value(quick_xml::XmlVersion::Implicit1_0);
    value.ok().map(std::borrow::Cow::into_owned)
}

fn instant(start: &BytesStart<'_>, name: &str) -> Option<i64> {
    Timestamp::parse(&attribute(start, name)?).map(Timestamp::seconds)
}

/// The `entityID` of a provider's metadata document, which an assertion's issuer must be.
pub(super) fn entity_id(metadata: &str) -> Option<String> {
    let mut reader = Reader::from_str(metadata);
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) | Event::Empty(start) => {
                return attribute(&start, "entityID");
            }
            Event::Eof => return None,
            _ => {}
        }
    }
}
