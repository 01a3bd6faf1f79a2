//! The bytes at hand, and which stretch of them is known to be UTF-8.

/// A window on a file's plain bytes.
pub(crate) struct View<'b> {
    /// The bytes.
    pub(crate) bytes: &'b [u8],
    /// Whether the file ends with them.
    pub(crate) last: bool,
    base: usize,
    text: &'b str,
}

impl<'b> View<'b> {
    pub(crate) fn new(bytes: &'b [u8], last: bool) -> Self {
        Self {
            bytes,
            last,
            base: 0,
            text: "",
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
        self.text = match simdutf8::compat::from_utf8(rest) {
            Ok(text) => text,
            Err(error) => {
                let sound = rest.get(..error.valid_up_to()).unwrap_or_default();
                simdutf8::compat::from_utf8(sound).unwrap_or_default()
            }
        };
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
    fn text_stretches_from_one_invalid_byte_to_the_next() {
        let mut view = View::new(b"abc\xffdef\xc3", true);
        assert_eq!(view.text(0), ("abc", 0));
        assert_eq!(view.text(2), ("abc", 0));
        assert_eq!(view.text(4), ("def", 4));
        assert_eq!(view.text(7), ("", 7));
    }
}
