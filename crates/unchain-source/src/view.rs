//! The bytes at hand, and which stretch of them is known to be UTF-8.

use memchr::memmem;

/// A window on a file's plain bytes.
pub(crate) struct View<'b> {
    /// The bytes.
    pub(crate) bytes: &'b [u8],
    /// Whether the file ends with them.
    pub(crate) last: bool,
    base: usize,
    text: &'b str,
    /// `eventName` stands here, if this is not behind the byte that is asked about.
    name: usize,
    /// `eventName` does not stand at or behind this byte.
    nameless: usize,
}

impl<'b> View<'b> {
    pub(crate) fn new(bytes: &'b [u8], last: bool) -> Self {
        Self {
            bytes,
            last,
            base: 0,
            text: "",
            name: 0,
            nameless: usize::MAX,
        }
    }

    /// The longest UTF-8 text that holds byte `at`, with the offset at which it begins. `at` must be
    /// the first byte of a character. Asking in rising order checks every byte once.
    #[inline]
    pub(crate) fn text(&mut self, at: usize) -> (&'b str, usize) {
        if at < self.base || at >= self.base + self.text.len() {
            self.check(at);
        }
        (self.text, self.base)
    }

    #[cold]
    fn check(&mut self, at: usize) {
        let rest = self.bytes.get(at..).unwrap_or_default();
        self.base = at;
        // Where it is wrong is asked only if it is: the answer makes the check slower.
        let sound = || {
            let error = simdutf8::compat::from_utf8(rest).err()?;
            rest.get(..error.valid_up_to())
        };
        self.text = simdutf8::basic::from_utf8(rest)
            .ok()
            .or_else(|| simdutf8::basic::from_utf8(sound()?).ok())
            .unwrap_or_default();
    }

    /// Whether any event is named at or behind byte `at`: where none is, no record needs to be looked
    /// for. Every byte is looked at about once, whatever is asked.
    pub(crate) fn names_event(&mut self, at: usize) -> bool {
        if at < self.nameless && (self.name < at || self.name == 0) {
            match memmem::find(self.slice(at, self.len()), b"eventName") {
                Some(offset) => self.name = at + offset,
                None => self.nameless = at,
            }
        }
        at < self.nameless
    }

    pub(crate) fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    pub(crate) fn slice(&self, from: usize, to: usize) -> &'b [u8] {
        self.bytes.get(from..to).unwrap_or_default()
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_order_of_asking() {
        let mut view = View::new(b"..eventName..eventName..", true);
        assert!(view.names_event(5));
        assert!(!view.names_event(14));
        assert!(view.names_event(0));
        assert!(view.names_event(13));
        assert!(!view.names_event(20));
        assert!(!View::new(b"", true).names_event(0));
    }

    #[test]
    fn text_stretches_from_one_invalid_byte_to_the_next() {
        let mut view = View::new(b"abc\xffdef\xc3", true);
        assert_eq!(view.text(0), ("abc", 0));
        assert_eq!(view.text(2), ("abc", 0));
        assert_eq!(view.text(4), ("def", 4));
        assert_eq!(view.text(7), ("", 7));
    }
}
