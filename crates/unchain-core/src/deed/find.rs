//! Where the members that a deed's row names stand in a record.
//!
//! Every issuing event is read here, and its response holds a kilobyte of session token: each part is
//! walked once for all groups. Must not know what a member means.

use super::table::{GROUPS, Group, MEMBERS, Part};
use crate::event::Event;
use crate::json::outlines::Outlines;
use crate::json::{Node, walk};

/// For each group of a row, the members that it names.
pub(super) type Found<'a> = [[Option<Node<'a>>; MEMBERS]; GROUPS];

/// Finds the members that `groups` name.
pub(super) fn members<'a>(
    event: &Event<'a>,
    groups: &'static [Group],
    (outlines, found): (&mut Outlines, &mut Found<'a>),
) {
    let parts = [
        (Part::Request, event.request),
        (Part::Response, event.response),
        (Part::Additional, event.additional),
        (Part::Details, event.details),
    ];
    for (part, node) in parts {
        let wanted = Groups::of(part, groups);
        if let Some(node) = node.filter(|_| wanted.active != 0) {
            wanted.read(node, part, (outlines, found));
        }
    }
}

/// Those of a row's groups that may still be met: a bit for each, the lowest the first.
#[derive(Clone, Copy, Debug)]
struct Groups {
    all: &'static [Group],
    active: u32,
}

impl Groups {
    fn of(part: Part, all: &'static [Group]) -> Self {
        let bits = all.iter().zip(BITS);
        let active = bits.filter(|((of, _, _), _)| *of == part);
        let active = active.map(|(_, bit)| bit).sum();
        Self { all, active }
    }

    fn read<'a>(
        self,
        node: Node<'a>,
        part: Part,
        (outlines, found): (&mut Outlines, &mut Found<'a>),
    ) {
        let Node::Text(text) = node else {
            return self.by_name(node, found);
        };
        // Groups in one place are the same (test: `groups_in_one_place_are_the_same`).
        let kind = self.all.as_ptr().addr() << 2 | part as usize;
        let slots = found.as_flattened_mut();
        let known = outlines.known(text, kind, |slot, value| {
            if let Some(slot) = slots.get_mut(slot) {
                *slot = Some(value);
            }
        });
        if known {
            return;
        }
        if self.in_one_pass(text, (0, 0), found).is_none() {
            self.by_name(node, found);
        }
        let own = found.iter().zip(BITS).flat_map(|(slots, bit)| {
            let active = self.active & bit != 0;
            slots.iter().map(move |node| node.filter(|_| active))
        });
        outlines.learn(text, kind, own);
    }

    /// The active groups with their bits and their places in `found`.
    #[inline(always)]
    fn slots<'f, 'a>(
        self,
        found: &'f mut Found<'a>,
    ) -> impl Iterator<Item = (u32, &'static Group, &'f mut [Option<Node<'a>>; MEMBERS])> {
        let groups = self.all.iter().zip(found).zip(BITS);
        let active = groups.filter(move |(_, bit)| self.active & bit != 0);
        active.map(|((group, slots), bit)| (bit, group, slots))
    }

    /// Reads the value at a place, which is as deep as `depth` names of the groups' paths; gives the
    /// place behind it. Gives up where a key is escaped or an object on a path comes twice; then
    /// [`Groups::by_name`] decides.
    fn in_one_pass<'a>(
        self,
        text: &'a str,
        (at, depth): (usize, usize),
        found: &mut Found<'a>,
    ) -> Option<usize> {
        let bytes = text.as_bytes();
        if bytes.get(at) != Some(&b'{') {
            return walk::value(bytes, at);
        }
        let mut entered = 0;
        walk::object(bytes, at, |key, at| {
            if key.escaped {
                return None;
            }
            let (mut inside, mut end) = (0, None);
            for (bit, (_, path, members), slots) in self.slots(found) {
                if let Some(name) = path.get(depth) {
                    inside |= if same(key.raw, name) { bit } else { 0 };
                    continue;
                }
                let mut slots = slots.iter_mut().zip(*members);
                if let Some((slot, _)) = slots.find(|(_, (name, _))| same(key.raw, name)) {
                    let behind = walk::value(bytes, at)?;
                    *slot = text.get(at..behind).map(Node::Text);
                    end = Some(behind);
                }
            }
            if inside & entered != 0 {
                return None;
            }
            entered |= inside;
            let groups = Self {
                active: inside,
                ..self
            };
            match end {
                _ if inside != 0 => groups.in_one_pass(text, (at, depth + 1), found),
                Some(end) => Some(end),
                None => walk::value(bytes, at),
            }
        })
    }

    /// The plain way.
    ///
    /// INVARIANT: [`Groups::in_one_pass`] finds what this finds, or gives up.
    /// Test: `one_pass_finds_what_names_find`.
    fn by_name<'a>(self, part: Node<'a>, found: &mut Found<'a>) {
        for (_, (_, path, members), slots) in self.slots(found) {
            let names = members.iter().map(|(name, _)| *name);
            *slots = part
                .at(path)
                .map_or([None; MEMBERS], |object| object.named(names));
        }
    }
}

const BITS: [u32; GROUPS] = [1, 2, 4, 8];

/// Whether a key is `name`. Most names have 8 to 16 bytes: the first and the last eight tell, without
/// a call for so few bytes.
#[inline(always)]
fn same(key: &[u8], name: &str) -> bool {
    let name = name.as_bytes();
    if key.len() != name.len() {
        return false;
    }
    match (key.first_chunk::<8>(), name.first_chunk::<8>()) {
        (Some(a), Some(b)) if key.len() <= 16 => {
            a == b && key.last_chunk::<8>() == name.last_chunk::<8>()
        }
        _ => key == name,
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::TABLE;
    use super::*;
    use crate::deed::vends;
    use proptest::prelude::*;
    use serde_json::Value;

    const PARTS: [Part; 4] = [
        Part::Request,
        Part::Response,
        Part::Additional,
        Part::Details,
    ];

    fn by_name(groups: Groups, node: Node<'_>) -> Vec<Option<Value>> {
        let mut found = Found::default();
        groups.by_name(node, &mut found);
        values(&found)
    }

    fn values(found: &Found<'_>) -> Vec<Option<Value>> {
        let all = found.iter().flatten();
        all.map(|node| node.map(Node::to_value)).collect()
    }

    /// JSON made of a row's names in any nesting, some of them repeated, some escaped.
    fn json(names: &[&str], tape: &mut std::vec::IntoIter<u8>, depth: u32) -> String {
        let byte = tape.next().unwrap_or_default();
        match byte % 16 {
            0 => "null".to_owned(),
            1 => "17".to_owned(),
            2 => r#"["a",{"accessKeyId":"b"}]"#.to_owned(),
            3 => r#""a\"\u0041""#.to_owned(),
            4..=6 => r#""text""#.to_owned(),
            _ if depth == 3 => "{}".to_owned(),
            _ => {
                let mut member = || {
                    let byte = tape.next().unwrap_or_default();
                    let mut name = names[usize::from(byte >> 4) % names.len()].to_owned();
                    if byte.is_multiple_of(16) {
                        name = name.replace('e', r"\u0065");
                    }
                    let space = if byte % 16 == 1 { " " } else { "" };
                    let value = json(names, tape, depth + 1);
                    format!("{space}\"{name}\"{space}:{space}{value}{space}")
                };
                let members: Vec<String> = (0..byte >> 4).map(|_| member()).collect();
                format!("{{{}}}", members.join(","))
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn one_pass_finds_what_names_find(
            row in 0..TABLE.len(),
            group in 0..GROUPS,
            tape in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            let mut names = vec!["accessKeyId"];
            let groups = TABLE[row].keep;
            for (_, path, members) in groups.get(group..).unwrap_or_default().iter().take(2) {
                names.extend(path.iter().chain(*path));
                names.extend(members.iter().map(|(name, _)| *name).take(3));
            }
            let text = json(&names, &mut tape.into_iter(), 0);
            let value: Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(vends(Node::Text(&text)), vends(Node::Value(&value)), "{}", text);
            for part in PARTS {
                let groups = Groups::of(part, groups);
                let mut outlines = Outlines::default();
                // The second time, the shape is known.
                for _ in 0..2 {
                    let mut found = Found::default();
                    groups.read(Node::Text(&text), part, (&mut outlines, &mut found));
                    prop_assert_eq!(values(&found), by_name(groups, Node::Text(&text)), "{}", text);
                    prop_assert_eq!(values(&found), by_name(groups, Node::Value(&value)), "{}", text);
                }
            }
        }
    }

    /// Otherwise the property compares one way with itself.
    #[test]
    fn plain_parts_are_read_in_one_pass_and_odd_ones_are_not() {
        let assume_role = Groups::of(Part::Response, TABLE[0].keep);
        let quick = |text: &str| {
            let end = assume_role.in_one_pass(text, (0, 0), &mut Found::default());
            end.map(|end| end == text.len())
        };
        let plain = r#"{"credentials":{"accessKeyId":"A","sessionToken":"t"},
            "assumedRoleUser":{"arn":"a"}}"#;
        assert_eq!(quick(plain), Some(true));
        assert_eq!(quick(r#"{"credentials":null}"#), Some(true));
        assert_eq!(quick("null"), Some(true));
        assert_eq!(quick(r#"{"credentials":{},"credentials":{}}"#), None);
        assert_eq!(quick(r#"{"\u0063redentials":{}}"#), None);
    }
}
