//! Zstandard, streamed: every frame, and every block before damage. Must not know JSON.

use crate::inflate::Input;
use crate::report::Damage;
use std::io::{self, Read};
use zstd::stream::raw::{Decoder, Operation as _};

/// The first bytes of a frame.
pub(crate) const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// How many bytes the decoder wants at first: enough to know the size of a frame's header.
const START: usize = 5;

/// Streams the frames of a Zstandard file. After the last sound block it fails with the [`Damage`].
pub(crate) struct ZstdReader<R> {
    input: Input<R>,
    decoder: Decoder<'static>,
    wanted: usize,
    /// Output may be waiting inside the decoder.
    full: bool,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Between,
    Inside,
    Done,
}

impl<R: Read> ZstdReader<R> {
    pub(crate) fn new(inner: R) -> io::Result<Self> {
        Ok(Self {
            input: Input::new(inner),
            decoder: Decoder::new()?,
            wanted: START,
            full: false,
            state: State::Between,
        })
    }

    fn next_frame(&mut self) -> io::Result<()> {
        self.input.fill(MAGIC.len())?;
        self.wanted = START;
        self.state = match self.input.buffered() {
            [] => State::Done,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => State::Inside,
            _ => return Err(self.fail(Damage::TrailingBytes)),
        };
        Ok(())
    }

    /// Gives the decoder at most the one block it asks for: it loses what it has unpacked in a call
    /// that fails, so a call must not unpack a sound block and then meet a broken one.
    fn step(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if !self.full {
            self.input.fill(self.wanted)?;
        }
        let buffered = self.input.buffered();
        let block = if self.full {
            &[]
        } else {
            buffered.get(..self.wanted).unwrap_or(buffered)
        };
        let starved = !self.full && block.is_empty();
        let Ok(status) = self.decoder.run_on_buffers(block, out) else {
            return Err(self.fail(Damage::PackedCorrupt));
        };
        self.input.consume(status.bytes_read);
        self.wanted = status.remaining.max(1);
        self.full = status.bytes_written == out.len();
        if starved && status.bytes_written == 0 {
            return Err(self.fail(Damage::PackedTruncated));
        }
        if status.remaining == 0 {
            self.full = false;
            self.state = State::Between;
        }
        Ok(status.bytes_written)
    }

    fn fail(&mut self, damage: Damage) -> io::Error {
        self.state = State::Done;
        io::Error::other(damage)
    }
}

impl<R: Read> Read for ZstdReader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            match self.state {
                State::Done => return Ok(0),
                State::Between => self.next_frame()?,
                State::Inside => {
                    let size = self.step(out)?;
                    if size > 0 {
                        return Ok(size);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(lines: u32) -> Vec<u8> {
        (0..lines)
            .flat_map(|i| format!("{i} {:x}\n", i.wrapping_mul(2_654_435_761)).into_bytes())
            .collect()
    }

    fn zstd(text: &[u8]) -> Vec<u8> {
        zstd::encode_all(text, 1).expect("memory")
    }

    fn stream(packed: &[u8], piece: usize) -> (Vec<u8>, Option<Damage>) {
        let mut reader = ZstdReader::new(packed).expect("memory");
        let mut out = Vec::new();
        let mut buffer = vec![0; piece];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return (out, None),
                Ok(size) => out.extend_from_slice(&buffer[..size]),
                Err(e) => {
                    return (
                        out,
                        e.get_ref()
                            .and_then(|e| e.downcast_ref::<Damage>())
                            .copied(),
                    );
                }
            }
        }
    }

    #[test]
    fn frames_of_any_number_and_outputs_of_any_size() {
        let (a, b) = (text(50_000), text(10));
        let packed = [zstd(&a), zstd(&b), zstd(b""), zstd(&b)].concat();
        let all = [&a[..], &b, &b].concat();
        for piece in [7, 1000, 1 << 20] {
            assert_eq!(stream(&packed, piece), (all.clone(), None), "{piece}");
        }
        for piece in 1..30 {
            assert_eq!(
                stream(&zstd(&a[..20]), piece),
                (a[..20].to_vec(), None),
                "{piece}"
            );
        }
    }

    #[test]
    fn damage_keeps_the_blocks_before_it() {
        let a = text(200_000);
        let packed = zstd(&a);
        let (out, damage) = stream(&packed[..packed.len() / 2], 1 << 20);
        assert_eq!(damage, Some(Damage::PackedTruncated));
        assert!(
            out.len() > a.len() / 3 && a.starts_with(&out),
            "{}",
            out.len()
        );
        let mut broken = packed.clone();
        let middle = broken.len() / 2;
        broken[middle..].fill(0xff);
        let (out, damage) = stream(&broken, 1 << 20);
        assert_eq!(damage, Some(Damage::PackedCorrupt));
        let same = out.iter().zip(&a).take_while(|(x, y)| x == y).count();
        assert!(same > a.len() / 3, "{same}");
        let trailing = [zstd(&a), b"rubbish".to_vec()].concat();
        assert_eq!(stream(&trailing, 1 << 20), (a, Some(Damage::TrailingBytes)));
    }
}
