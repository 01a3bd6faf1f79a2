//! What the lineage adds to a record: the fields `unchain.*`.

use rsigma_eval::EventValue;
use std::borrow::Cow;

/// How the names of the added fields begin. A record's own member of such a name is not seen.
pub(crate) const PREFIX: &str = "unchain.";

/// The lineage of who made a call, as rules see it. A part that is not known is a field that does not exist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Enrichment<'a> {
    /// The caller's node in the lineage, by which hits are gathered. No field.
    pub node: Option<u32>,
    /// `unchain.root`: the key id or principal at the root.
    pub root: Option<&'a str>,
    /// `unchain.depth`: steps from the root.
    pub depth: Option<u32>,
    /// `unchain.origin`: `issued`, `console`, `forwarded`, `service` or `unseen`.
    pub origin: Option<&'a str>,
    /// `unchain.alive`: whether the credential works at the instant asked for.
    pub alive: Option<bool>,
    /// `unchain.issued_by`: the key id or principal of the parent.
    pub issued_by: Option<&'a str>,
    /// `unchain.mfa_device`: the serial of the device that it or an ancestor was issued with.
    pub mfa_device: Option<&'a str>,
}

impl<'a> Enrichment<'a> {
    /// The value of a field behind [`PREFIX`].
    pub(crate) fn field(&self, name: &str) -> Option<EventValue<'a>> {
        let text = |text: Option<&'a str>| text.map(|t| EventValue::Str(Cow::Borrowed(t)));
        match name {
            "root" => text(self.root),
            "depth" => self.depth.map(|n| EventValue::Int(i64::from(n))),
            "origin" => text(self.origin),
            "alive" => self.alive.map(EventValue::Bool),
            "issued_by" => text(self.issued_by),
            "mfa_device" => text(self.mfa_device),
            _ => None,
        }
    }
}
