//! Where wanted members stand in objects of shapes met before, so that they need not be looked for by name.
//!
//! In two objects of one shape the same bytes stand between the strings and numbers. So every member has the
//! same name, and its value begins and ends in the same place of the same stretch.
//! INVARIANT: [`Outlines::known`] gives what whoever looks by name finds, if that depends on the shape alone.
//! Test: `outlines_change_nothing`.
//! Must not know what the members mean.

use super::Node;
use super::shapes::{Shapes, Walked};

/// The outlines of objects met before.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outlines {
    shapes: Shapes,
    /// By the last step of their shapes.
    outlines: Vec<Option<Outline>>,
    /// Where the steps of the object at hand begin.
    starts: Vec<usize>,
}

/// Where the members stand that one kind of reader wants.
#[derive(Clone, Debug)]
struct Outline {
    kind: usize,
    members: Vec<Member>,
}

/// A wanted member's value.
#[derive(Clone, Copy, Debug)]
struct Member {
    slot: usize,
    from: Spot,
    to: Spot,
}

/// A place in one stretch of a shape; stretches move as a whole.
#[derive(Clone, Copy, Debug)]
struct Spot {
    step: usize,
    offset: usize,
}

impl Outlines {
    /// Gives every wanted value with its slot to `found`, if the shape of the object is known; `false`
    /// if it is not. Whoever has the same `kind` wants the same members.
    #[inline]
    pub(crate) fn known<'a>(
        &mut self,
        text: &'a str,
        kind: usize,
        mut found: impl FnMut(usize, Node<'a>),
    ) -> bool {
        let Some(walked) = self.walk(text, kind) else {
            return false;
        };
        let outline = self.outlines.get(walked.last as usize);
        let Some(outline) = outline.and_then(Option::as_ref) else {
            return false;
        };
        if outline.kind != kind || walked.end != text.len() {
            return false;
        }
        let starts = &self.starts;
        let place = |spot: Spot| starts.get(spot.step).map(|start| start + spot.offset);
        for member in &outline.members {
            if let (Some(from), Some(to)) = (place(member.from), place(member.to))
                && let Some(value) = text.get(from..to)
            {
                found(member.slot, Node::Text(value));
            }
        }
        true
    }

    /// Remembers where the members stand that were looked for by name: by slot, the parts of `text`.
    #[cold]
    pub(crate) fn learn<'a>(
        &mut self,
        text: &'a str,
        kind: usize,
        found: impl Iterator<Item = Option<Node<'a>>>,
    ) {
        if self.shapes.is_full() {
            *self = Self::default();
        }
        let end = self.shapes.end(text.as_bytes(), 0, spread(kind));
        let Some(walked) = self.walk(text, kind).filter(|_| end == Some(text.len())) else {
            return;
        };
        let texts = (0..).zip(found).filter_map(|(slot, node)| match node? {
            Node::Text(text) => Some((slot, text)),
            Node::Value(_) => None,
        });
        let members = texts.map(|(slot, value)| {
            let from = value.as_ptr().addr().checked_sub(text.as_ptr().addr())?;
            let to = Some(from + value.len()).filter(|to| *to <= text.len())?;
            let (from, to) = (self.spot(from)?, self.spot(to)?);
            Some(Member { slot, from, to })
        });
        let Some(members) = members.collect() else {
            return;
        };
        let last = walked.last as usize;
        if last >= self.outlines.len() {
            self.outlines.resize(last + 1, None);
        }
        if let Some(outline) = self.outlines.get_mut(last) {
            *outline = Some(Outline { kind, members });
        }
    }

    fn walk(&mut self, text: &str, kind: usize) -> Option<Walked> {
        let starts = &mut self.starts;
        starts.clear();
        let met = |start| starts.push(start);
        self.shapes.walk(text.as_bytes(), spread(kind), met)
    }

    /// The stretch that a place is in or at the end of.
    fn spot(&self, place: usize) -> Option<Spot> {
        let step = self.starts.partition_point(|start| *start <= place);
        let step = step.checked_sub(1)?;
        let offset = place - self.starts.get(step)?;
        Some(Spot { step, offset })
    }
}

/// Kinds are addresses and texts, whose low bits are alike.
fn spread(kind: usize) -> usize {
    kind.wrapping_mul(0x9e37_79b9) >> 16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::walk;
    use proptest::prelude::*;

    /// Looks by name, as whoever uses outlines does where the shape is new.
    fn by_name(text: &str) -> Vec<Option<&str>> {
        let node = Node::Text(text);
        let outer: [Option<Node<'_>>; 3] = node.fields(["a", "b", ""]);
        let inner = outer.iter().flatten().filter_map(|node| node.get("a"));
        let texts = outer.iter().copied().chain(inner.map(Some).take(1));
        texts
            .map(|node| match node {
                Some(Node::Text(text)) => Some(text),
                _ => None,
            })
            .collect()
    }

    /// The same by outlines, and whether the shape was known.
    fn by_outline<'a>(outlines: &mut Outlines, text: &'a str) -> (Vec<Option<&'a str>>, bool) {
        let mut found = vec![None; 4];
        let known = outlines.known(text, 7, |slot, value| {
            if let Node::Text(value) = value {
                found[slot] = Some(value);
            }
        });
        if known {
            return (found, true);
        }
        found = by_name(text);
        let own = found.iter().map(|text| text.map(Node::Text));
        outlines.learn(text, 7, own);
        found.resize(4, None);
        (found, false)
    }

    #[test]
    fn a_shape_met_again_is_known() {
        let mut outlines = Outlines::default();
        let text =
            |a: &str, b: &str| format!(r#"{{"x":[{b},"{a}"],"a":{{"a":"{a}","n":{b}}}, "b":{b}}}"#);
        assert!(!by_outline(&mut outlines, &text("one", "1")).1);
        let other = text(r#"two \" and an escape"#, "-20.5");
        let (found, known) = by_outline(&mut outlines, &other);
        assert!(known);
        let inner = r#"{"a":"two \" and an escape","n":-20.5}"#;
        let value = r#""two \" and an escape""#;
        assert_eq!(found, [Some(inner), Some("-20.5"), None, Some(value)]);
        // The same shape, asked by somebody who wants something else.
        assert!(!outlines.known(&other, 8, |_, _| panic!("not the same members")));
    }

    /// JSON with `@` for what is in a string and `#` for a number.
    fn template() -> impl Strategy<Value = String> {
        let scalar = r#""@"|"@"|#|true|null"#;
        let json = scalar.prop_recursive(4, 24, 4, |inner| {
            let member = (r#""[ab]{0,2}"|"k{28,36}""#, r" {0,2}", inner.clone());
            let member = member.prop_map(|(key, space, value)| format!("{key}:{space}{value}"));
            let members = prop::collection::vec(member, 0..5);
            prop_oneof![
                4 => members.prop_map(|members| format!("{{{}}}", members.join(","))),
                1 => prop::collection::vec(inner, 0..4).prop_map(|all| format!("[{}]", all.join(","))),
            ]
        });
        json.prop_filter("an object", |text| text.starts_with('{'))
    }

    proptest! {
        #[test]
        fn outlines_change_nothing(
            templates in prop::collection::vec(template(), 1..4),
            fills in prop::collection::vec((r#"[a"\\n \u{1}é]{0,3}|a{0,70}"#, r"-?[0-9]{1,3}(\.[0-9])?"), 1..8),
        ) {
            let mut outlines = Outlines::default();
            for (text, number) in &fills {
                for template in &templates {
                    let text = template.replace('@', text).replace('#', number);
                    // Whoever asks has walked over the value before.
                    if walk::value(text.as_bytes(), 0) == Some(text.len()) {
                        let mut expected = by_name(&text);
                        expected.resize(4, None);
                        prop_assert_eq!(by_outline(&mut outlines, &text).0, expected, "{}", text);
                    }
                }
            }
        }
    }
}
