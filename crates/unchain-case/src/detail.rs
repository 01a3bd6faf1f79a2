//! The attributes of a fact as the case holds them: what is particular to the fact in columns, the rest as
//! a list that many facts share.
//!
//! A role session's ARN and principal id end with its session name. Without it they are the same for every
//! session of a role, so that one list serves thousands of facts. Must not know SQLite.

use unchain_core::deed::{ATTRIBUTES, Attribute};

/// A value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    Text(String),
    Number(u32),
}

/// The columns of a fact that hold attributes, but the list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Columns<'a> {
    pub(crate) child_key: Option<&'a str>,
    pub(crate) session_name: Option<&'a str>,
    pub(crate) expires: Option<u32>,
}

/// An item of a list: the attribute from bit 33, whether the value ends with the session name in bit 32, and a number
/// or the number of a text.
pub(crate) type Item = u64;

/// Writes the list of attributes that are not in `columns`. `text` gives the number of a text.
pub(crate) struct ListWriter<'a> {
    pub(crate) columns: Columns<'a>,
    pub(crate) list: Vec<Item>,
}

impl<'a> ListWriter<'a> {
    /// A list for a fact with this session name. Of `list` only the memory is used.
    pub(crate) fn new(session_name: Option<&'a str>, mut list: Vec<Item>) -> Self {
        list.clear();
        let columns = Columns {
            session_name,
            ..Columns::default()
        };
        Self { columns, list }
    }

    /// Adds a number.
    pub(crate) fn number(&mut self, attribute: Attribute, value: u32) {
        if attribute == Attribute::Expires && self.columns.expires.is_none() {
            self.columns.expires = Some(value);
        } else {
            self.push(attribute, value, End::Whole);
        }
    }

    /// What of a text goes into the list, if anything: the text, or the text without the session name.
    pub(crate) fn stem(&mut self, attribute: Attribute, text: &'a str) -> Option<(&'a str, End)> {
        match (attribute, self.columns.session_name) {
            (Attribute::SessionName, Some(name)) if name == text => return None,
            (Attribute::ChildKey, _) if self.columns.child_key.is_none() => {
                self.columns.child_key = Some(text);
                return None;
            }
            _ => {}
        }
        let stem = self
            .columns
            .session_name
            .and_then(|name| text.strip_suffix(name));
        Some(stem.map_or((text, End::Whole), |stem| (stem, End::SessionName)))
    }

    /// Adds a number, or the number of a text with the end that [`ListWriter::stem`] gave.
    pub(crate) fn push(&mut self, attribute: Attribute, value: u32, end: End) {
        let head = u64::from(attribute as u8) << 1 | end as u64;
        self.list.push(head << 32 | u64::from(value));
    }
}

/// How a text in a list ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// As written there.
    Whole = 0,
    /// With the fact's session name behind what is written there.
    SessionName = 1,
}

/// A list as JSON.
pub(crate) fn json(list: &[Item]) -> String {
    let items: Vec<String> = list
        .iter()
        .map(|item| {
            let end = if item >> 32 & 1 == 1 { ",1" } else { "" };
            format!("[{},{}{end}]", item >> 33, item & 0xffff_ffff)
        })
        .collect();
    format!("[{}]", items.join(","))
}

/// Reads all attributes of a fact, in their order. `None` if the list is not one, or names an attribute or
/// text that is not known.
pub(crate) fn read(
    columns: &Columns<'_>,
    list: &str,
    mut text: impl FnMut(u32) -> Option<String>,
) -> Option<Vec<(Attribute, Kept)>> {
    let list: Vec<Vec<u32>> = serde_json::from_str(list).ok()?;
    let mut out = Vec::with_capacity(list.len() + 3);
    let own = |text: Option<&str>| text.map(|text| Kept::Text(text.to_owned()));
    let columns_first = [
        (Attribute::ChildKey, own(columns.child_key)),
        (Attribute::SessionName, own(columns.session_name)),
        (Attribute::Expires, columns.expires.map(Kept::Number)),
    ];
    out.extend(
        columns_first
            .into_iter()
            .filter_map(|(a, value)| Some((a, value?))),
    );
    for item in list {
        let (attribute, value, ends_with_session) = match item.as_slice() {
            [attribute, value] => (attribute, value, false),
            [attribute, value, 1] => (attribute, value, true),
            _ => return None,
        };
        let (attribute, _) = ATTRIBUTES.get(*attribute as usize)?;
        let kept = if attribute.is_number() {
            Kept::Number(*value)
        } else {
            let mut whole = text(*value)?;
            if ends_with_session {
                whole.push_str(columns.session_name?);
            }
            Kept::Text(whole)
        };
        out.push((*attribute, kept));
    }
    // Attributes of a fact are in order; of several of one kind, the one in a column was first.
    out.sort_by_key(|(attribute, _)| *attribute);
    Some(out)
}
