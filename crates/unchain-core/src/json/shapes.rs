//! Shapes of objects and arrays met before: what stood between their strings and numbers.
//!
//! A call's parameters nearly always have the members of the last time, and only their values differ.
//! Every shape is a path in a tree of stretches: from the opening bracket to the first string, from its
//! closing quote to the next one, and so on to the closing bracket.
//! INVARIANT: [`Shapes::end`] answers what `walk::value` answers. A path was read by it once, so its stretches
//! in this order, with any sound strings and numbers between them, are JSON of the same depth; a string or
//! a number is checked each time. Test: `shapes_change_nothing`.
//! Must not know what the members mean.

use super::walk::{self, Levels, Next, halves};

/// How many bytes are compared at once.
pub(crate) const WIDTH: usize = 32;

/// Bytes that come again and again; at most [`WIDTH`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stretch {
    text: [u8; WIDTH],
    /// A bit for each byte that counts.
    mask: u32,
    length: u8,
}

impl Stretch {
    /// One that no text goes on with: these bytes do not stand in UTF-8.
    pub(crate) const NONE: Self = Self {
        text: [0xff; WIDTH],
        mask: u32::MAX,
        length: 0,
    };

    /// The first `length` bytes of a text; `None` if they are too many.
    pub(crate) fn new(text: &[u8; WIDTH], length: usize) -> Option<Self> {
        let unused = WIDTH.checked_sub(length)?;
        let mask = u32::try_from(unused).ok().map(|n| u32::MAX.checked_shr(n));
        Some(Self {
            text: *text,
            mask: mask?.unwrap_or_default(),
            length: u8::try_from(length).ok()?,
        })
    }

    /// Whether both are the same bytes.
    fn is(&self, other: &Self) -> bool {
        self.length == other.length && self.is_at(&other.text)
    }

    pub(crate) fn len(&self) -> usize {
        usize::from(self.length)
    }

    /// Whether the text goes on with this. One comparison of 32 bytes, whatever the length.
    #[inline(always)]
    pub(crate) fn is_at(&self, text: &[u8; WIDTH]) -> bool {
        let ([a, b], [c, d]) = (halves(&self.text), halves(text));
        let same = a.simd_eq(c).to_bitmask() | b.simd_eq(d).to_bitmask() << 16;
        same & self.mask == self.mask
    }
}

/// The bytes from a place on that one comparison needs; what is missing at the end is filled with bytes that do not
/// stand in UTF-8.
#[cold]
fn padded(bytes: &[u8], at: usize) -> Option<[u8; WIDTH]> {
    let rest = bytes.get(at..)?;
    let mut text = [0xfe; WIDTH];
    let length = rest.len().min(WIDTH);
    text.get_mut(..length)?.copy_from_slice(rest.get(..length)?);
    Some(text)
}

/// A stretch and what it is followed by.
#[derive(Clone, Copy, Debug)]
struct Step {
    stretch: Stretch,
    /// `None` where the stretch is too long for one step, and goes on in the next.
    next: Option<Next>,
    /// The first step behind this one.
    child: u32,
    /// Another step that may stand in the place of this one.
    sibling: u32,
}

impl Step {
    /// Where a tree begins.
    const ROOT: Self = Self {
        stretch: Stretch::NONE,
        next: None,
        child: NO_STEP,
        sibling: NO_STEP,
    };
}

/// No step has this number.
const NO_STEP: u32 = u32::MAX;
/// A power of two, so that a hash picks a tree by its low bits.
const TREES: usize = 512;
/// How many steps a tree may have: where keys are ids, shapes do not come again.
const TREE_STEPS: u32 = 128;
/// How many steps may be tried in one place.
const SIBLINGS: usize = 8;
/// How many steps all trees may have: 400 kilobytes. Then all begin anew.
const STEPS: usize = 1 << 13;

/// Where a walk along known steps ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walked {
    /// The place behind the value.
    pub(crate) end: usize,
    /// The last step, which tells the shape.
    pub(crate) last: u32,
}

/// The shapes met before, in trees of steps.
#[derive(Clone, Debug)]
pub(crate) struct Shapes {
    /// The first ones are the roots.
    steps: Vec<Step>,
    /// For each tree, how many steps it has.
    sizes: Vec<u32>,
}

impl Default for Shapes {
    fn default() -> Self {
        Self {
            steps: vec![Step::ROOT; TREES],
            sizes: vec![0; TREES],
        }
    }
}

impl Shapes {
    /// One that does not remember.
    pub(crate) fn nothing() -> Self {
        Self {
            steps: Vec::new(),
            sizes: Vec::new(),
        }
    }

    /// Skips a value that begins here. `kind` should be the same for values that are alike; it picks the
    /// tree.
    #[inline]
    pub(crate) fn end(&mut self, bytes: &[u8], at: usize, kind: usize) -> Option<usize> {
        let opens = matches!(bytes.get(at), Some(b'{' | b'['));
        let tree = kind % TREES;
        let Some(root) = self.steps.get(tree).filter(|_| opens) else {
            return walk::value(bytes, at);
        };
        match self.known(bytes, at, (root.child, |_| ())) {
            Some(walked) => Some(walked.end),
            None => self.learn(bytes, at, tree),
        }
    }

    /// As [`Shapes::end`] of a whole text, for a shape that is known; `None` if it is not. `met` gets the place of
    /// every step.
    #[inline]
    pub(crate) fn walk(&self, text: &[u8], kind: usize, met: impl FnMut(usize)) -> Option<Walked> {
        let root = self.steps.get(kind % TREES)?;
        self.known(text, 0, (root.child, met))
    }

    /// Whether all that was met is forgotten before something new is.
    pub(crate) fn is_full(&self) -> bool {
        self.steps.len() >= STEPS
    }

    /// Goes along known steps; `None` where there are none.
    #[inline(always)]
    fn known(
        &self,
        bytes: &[u8],
        mut at: usize,
        (mut number, mut met): (u32, impl FnMut(usize)),
    ) -> Option<Walked> {
        let mut end;
        let mut in_text = false;
        loop {
            let text = match walk::chunk_at(bytes, at) {
                Some(text) => text,
                None => {
                    end = padded(bytes, at)?;
                    &end
                }
            };
            let Some((found, step)) = self.step_at(text, number) else {
                // What stands behind a string begins with its closing quote, so this may be an escape.
                if !std::mem::take(&mut in_text) {
                    return None;
                }
                at = walk::escaped_end(bytes, at)?;
                continue;
            };
            met(at);
            at += step.stretch.len();
            in_text = false;
            match step.next {
                None => {}
                Some(Next::End) => {
                    return Some(Walked {
                        end: at,
                        last: found,
                    });
                }
                Some(Next::Text) => {
                    at = walk::plain_end(bytes, at);
                    in_text = true;
                }
                Some(Next::Number) => at = walk::number(bytes, at)?,
            }
            number = step.child;
        }
    }

    /// The step with which the text goes on: the one of this number, or another that may stand in its place.
    #[inline(always)]
    fn step_at(&self, text: &[u8; WIDTH], mut number: u32) -> Option<(u32, &Step)> {
        loop {
            let step = self.steps.get(number as usize)?;
            if step.stretch.is_at(text) {
                return Some((number, step));
            }
            number = step.sibling;
        }
    }

    /// Skips a value by its grammar, and remembers its steps.
    #[cold]
    fn learn(&mut self, bytes: &[u8], at: usize, tree: usize) -> Option<usize> {
        if self.is_full() {
            *self = Self::default();
        }
        let mut levels = Levels::default();
        let (mut from, (mut to, mut next)) = (at, levels.before(bytes, at)?);
        let mut last = Some(tree);
        loop {
            last = last.and_then(|last| self.add_stretch(bytes, (from, to, next), (tree, last)));
            if next == Next::End {
                return Some(to);
            }
            from = content(bytes, to, next)?;
            // The closing quote is the first byte of the stretch behind a string.
            let behind = from + usize::from(next == Next::Text);
            (to, next) = levels.behind(bytes, behind)?;
        }
    }

    /// Adds the bytes between two places, in as many steps as they take, behind the step `last`; gives the
    /// last of them, or `None` if there is no room.
    fn add_stretch(
        &mut self,
        bytes: &[u8],
        (mut from, to, next): (usize, usize, Next),
        (tree, mut last): (usize, usize),
    ) -> Option<usize> {
        loop {
            let length = WIDTH.min(to - from);
            let stretch = Stretch::new(&padded(bytes, from)?, length)?;
            let next = Some(next).filter(|_| from + length == to);
            last = self.add_step(stretch, next, (tree, last))?;
            from += length;
            if next.is_some() {
                return Some(last);
            }
        }
    }

    fn add_step(
        &mut self,
        stretch: Stretch,
        next: Option<Next>,
        (tree, last): (usize, usize),
    ) -> Option<usize> {
        let first = self.steps.get(last)?.child;
        let mut number = first;
        for _ in 0..SIBLINGS {
            let Some(step) = self.steps.get(number as usize) else {
                break;
            };
            if step.next == next && step.stretch.is(&stretch) {
                return Some(number as usize);
            }
            number = step.sibling;
        }
        let size = self.sizes.get_mut(tree)?;
        if number != NO_STEP || *size == TREE_STEPS {
            return None;
        }
        *size += 1;
        let new = self.steps.len();
        self.steps.push(Step {
            stretch,
            next,
            child: NO_STEP,
            sibling: first,
        });
        self.steps.get_mut(last)?.child = u32::try_from(new).ok()?;
        Some(new)
    }
}

/// Skips a string up to its closing quote, or a number.
#[inline(always)]
fn content(bytes: &[u8], at: usize, next: Next) -> Option<usize> {
    match next {
        Next::Text => walk::string(bytes, at).map(|behind| behind - 1),
        Next::Number => walk::number(bytes, at),
        Next::End => Some(at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// One that has met these texts.
    fn taught(texts: &[String]) -> Shapes {
        let mut shapes = Shapes::default();
        for text in texts {
            shapes.end(text.as_bytes(), 0, 0);
        }
        shapes
    }

    #[test]
    fn a_shape_met_again_is_known() {
        let text = |a: &str, b: &str| {
            format!(
                r#"{{"bucketName":"{a}","acl":[{{"a rather long name for a member":null}}],"n":{b}}}"#
            )
        };
        let shapes = taught(&[text("one", "1")]);
        let other = text(r#"two \" and an escape"#, "-20.5");
        let known = |text: &str| {
            let walked = shapes.walk(text.as_bytes(), 0, |_| ());
            walked.map(|walked| walked.end)
        };
        assert_eq!(known(&other), Some(other.len()));
        assert_eq!(known(&format!("{other},")), Some(other.len()));
        assert_eq!(known(&text("two", "true")), None);
    }

    #[test]
    fn a_string_is_checked_each_time() {
        let mut shapes = taught(&[r#"{"a":"x"}"#.to_owned()]);
        for bad in ["\u{1}", "\\q", "\\", "\n"] {
            let text = format!("{{\"a\":\"{bad}\"}}");
            assert_eq!(shapes.end(text.as_bytes(), 0, 0), None, "{text}");
        }
    }

    #[test]
    fn memory_has_a_bound() {
        let mut shapes = Shapes::default();
        for n in 0..100_000 {
            let text = format!(r#"{{"{n}":{{"{n}":"x"}}}}"#);
            let end = shapes.end(text.as_bytes(), 0, n);
            assert_eq!(end, walk::value(text.as_bytes(), 0));
        }
        assert!(shapes.steps.len() <= STEPS + TREE_STEPS as usize);
    }

    fn json() -> impl Strategy<Value = String> {
        let scalar = r#""[a"\\n \u{1}]{0,3}"|"a{0,70}"|-?[0-9]{1,3}(\.[0-9])?|true|null|1e3"#;
        scalar.prop_recursive(4, 24, 4, |inner| {
            let member = (r#""[ab]{0,2}"|"k{28,36}""#, r" {0,2}", inner.clone());
            let member = member.prop_map(|(key, space, value)| format!("{key}:{space}{value}"));
            let members = prop::collection::vec(member, 0..4);
            prop_oneof![
                members.prop_map(|members| format!("{{{}}}", members.join(","))),
                prop::collection::vec(inner, 0..4).prop_map(|all| format!("[{}]", all.join(","))),
            ]
        })
    }

    proptest! {
        #[test]
        fn shapes_change_nothing(
            texts in prop::collection::vec((json(), "( {30,40})?"), 1..6),
            cuts in prop::collection::vec(any::<[prop::sample::Index; 4]>(), 0..4),
        ) {
            // Where little or nothing follows, less than one comparison needs is left.
            let mut texts: Vec<String> = texts.into_iter().map(|(text, rest)| text + &rest).collect();
            // Parts of one text put into another: shapes that begin alike.
            for [from, into, start, length] in cuts {
                let part = texts[from.index(texts.len())].clone();
                let start = start.index(part.len());
                let part: String = part.chars().skip(start).take(length.index(part.len() - start)).collect();
                let into = into.index(texts.len());
                let at = start.min(texts[into].len());
                texts[into].insert_str(at, &part);
            }
            let mut shapes = taught(&texts);
            for text in texts.iter().chain(&texts) {
                let bytes = text.as_bytes();
                prop_assert_eq!(shapes.end(bytes, 0, 0), walk::value(bytes, 0), "{}", text);
            }
        }
    }
}
