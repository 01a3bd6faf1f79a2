//! Members looked for in many objects, most of which have the shape of one before.
//! Must not know what the members mean.

use super::Node;
use super::outlines::Outlines;

/// Looks for the same members in one object after another.
#[derive(Clone, Debug)]
pub struct Members<const N: usize> {
    names: [&'static str; N],
    outlines: Outlines,
}

impl<const N: usize> Members<N> {
    /// Looks for these names.
    pub fn new(names: [&'static str; N]) -> Self {
        Self {
            names,
            outlines: Outlines::default(),
        }
    }

    /// What [`Node::fields`] gives.
    pub fn of<'a>(&mut self, object: Node<'a>) -> [Option<Node<'a>>; N] {
        let Node::Text(text) = object else {
            return object.fields(self.names);
        };
        let mut found = [None; N];
        let known = self.outlines.known(text, kind(text), |slot, value| {
            if let Some(slot) = found.get_mut(slot) {
                *slot = Some(value);
            }
        });
        if !known {
            found = object.fields(self.names);
            self.outlines.learn(text, kind(text), found.into_iter());
        }
        found
    }
}

/// What objects have in common that most often have the same shape: four letters of their first member, if that is a
/// text whose name has four.
pub(crate) fn kind(object: &str) -> usize {
    let letters = object.as_bytes().get(r#"{"type":""#.len()..);
    let letters = letters.and_then(<[u8]>::first_chunk);
    letters.map_or(0, |letters| u32::from_le_bytes(*letters) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_those_that_names_find() {
        let mut members = Members::new(["principalId", "accessKeyId"]);
        let shape = |a: &str, b: &str| {
            let nested = format!(r#"{{"accessKeyId":"{a}"}}"#);
            format!(r#"{{"type":"Root","x":{nested},"accessKeyId":"{b}","principalId":{a}}}"#)
        };
        let odd = r#"{"type":"Root","principalId":"1","accessKeyI\u0064":"2","principalId":"3"}"#;
        let texts = [&shape("1", "A"), &shape("22", "B\\n"), odd, odd, "{}", "[]"];
        for text in texts {
            let texts = |found: [Option<Node<'_>>; 2]| found.map(|node| node.map(Node::to_value));
            let node = Node::Text(text);
            let expected = texts(node.fields(["principalId", "accessKeyId"]));
            assert_eq!(texts(members.of(node)), expected, "{text}");
        }
    }
}
