//! From a packed stream to plain bytes: layers found by their first bytes, never by a name.

use crate::inflate::{self, GzipReader};
use crate::report::{Compression, Damage};
use crate::zst::{self, ZstdReader};
use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

/// How often a file may be packed.
const LAYERS: usize = 2;

/// Recognises a packed stream by its first bytes.
pub(crate) fn compression(first: &[u8]) -> Compression {
    if first.starts_with(&inflate::MAGIC) {
        Compression::Gzip
    } else if first.starts_with(&zst::MAGIC) {
        Compression::Zstd
    } else {
        Compression::Plain
    }
}

/// Unpacks up to two layers. The reader fails with a [`Damage`] after the last sound byte.
pub(crate) fn unpacked<'a>(source: impl Read + 'a) -> (Box<dyn Read + 'a>, Compression) {
    let mut outermost = Compression::Plain;
    let mut reader: Box<dyn Read + 'a> = Box::new(source);
    for layer in 0..=LAYERS {
        let mut peeked = Peeked::new(reader);
        let found = compression(peeked.first());
        if layer == 0 {
            outermost = found;
        }
        if found != Compression::Plain && layer == LAYERS {
            peeked.refuse(Damage::TooManyLayers);
        }
        reader = match found {
            Compression::Gzip if layer < LAYERS => Box::new(GzipReader::new(peeked)),
            Compression::Zstd if layer < LAYERS => match ZstdReader::new(peeked) {
                Ok(reader) => Box::new(reader),
                Err(error) => Box::new(Peeked::failed(error)),
            },
            Compression::Plain | Compression::Gzip | Compression::Zstd => {
                return (Box::new(peeked), outermost);
            }
        };
    }
    (reader, outermost)
}

/// What an error of such a reader means.
pub(crate) fn damage(error: &io::Error) -> Damage {
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Damage>());
    inner.copied().unwrap_or(Damage::Failed(error.kind()))
}

/// Counts the bytes that pass.
pub(crate) struct Counted<R> {
    inner: R,
    count: Rc<Cell<u64>>,
}

impl<R: Read> Counted<R> {
    pub(crate) fn new(inner: R, count: Rc<Cell<u64>>) -> Self {
        Self { inner, count }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let size = self.inner.read(out)?;
        self.count
            .set(self.count.get() + u64::try_from(size).unwrap_or(u64::MAX));
        Ok(size)
    }
}

/// A reader whose first bytes have been looked at.
struct Peeked<'a> {
    first: [u8; 4],
    start: usize,
    end: usize,
    error: Option<io::Error>,
    inner: Box<dyn Read + 'a>,
}

impl<'a> Peeked<'a> {
    fn new(mut inner: Box<dyn Read + 'a>) -> Self {
        let mut first = [0; 4];
        let mut end = 0;
        let mut error = None;
        while let Some(space) = first.get_mut(end..).filter(|space| !space.is_empty()) {
            match inner.read(space) {
                Ok(0) => break,
                Ok(size) => end += size,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => {
                    error = Some(e);
                    break;
                }
            }
        }
        Self {
            first,
            start: 0,
            end,
            error,
            inner,
        }
    }

    fn failed(error: io::Error) -> Self {
        Self {
            first: [0; 4],
            start: 0,
            end: 0,
            error: Some(error),
            inner: Box::new(io::empty()),
        }
    }

    fn first(&self) -> &[u8] {
        self.first.get(..self.end).unwrap_or_default()
    }

    fn refuse(&mut self, damage: Damage) {
        self.end = 0;
        self.error = Some(io::Error::other(damage));
    }
}

impl Read for Peeked<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut first = self.first.get(self.start..self.end).unwrap_or_default();
        if !first.is_empty() {
            let size = first.read(out)?;
            self.start += size;
            return Ok(size);
        }
        match self.error.take() {
            Some(error) => {
                self.inner = Box::new(io::empty());
                Err(error)
            }
            None => self.inner.read(out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::write::GzEncoder;
    use std::io::Write as _;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text).expect("memory");
        encoder.finish().expect("memory")
    }

    fn read(packed: &[u8]) -> (Vec<u8>, Compression, Option<Damage>) {
        let (mut reader, compression) = unpacked(packed);
        let mut out = Vec::new();
        let error = reader.read_to_end(&mut out).err();
        (out, compression, error.as_ref().map(damage))
    }

    #[test]
    fn two_layers_are_unpacked_and_a_third_is_refused() {
        let zstd = |text: &[u8]| zstd::encode_all(text, 1).expect("memory");
        let text = b"some text".to_vec();
        assert_eq!(read(&text), (text.clone(), Compression::Plain, None));
        assert_eq!(read(b"ab"), (b"ab".to_vec(), Compression::Plain, None));
        assert_eq!(
            read(&gzip(&zstd(&text))),
            (text.clone(), Compression::Gzip, None)
        );
        assert_eq!(
            read(&zstd(&gzip(&text))),
            (text.clone(), Compression::Zstd, None)
        );
        assert_eq!(
            read(&gzip(&gzip(&gzip(&text)))),
            (vec![], Compression::Gzip, Some(Damage::TooManyLayers))
        );
    }

    #[test]
    fn damage_of_the_outer_layer_reaches_the_reader() {
        let text = b"some text, not short".repeat(10);
        let packed = gzip(&gzip(&text));
        let (out, _, damage) = read(&packed[..packed.len() - 9]);
        assert_eq!(damage, Some(Damage::PackedTruncated));
        assert!(text.starts_with(&out));
    }
}
