//! gzip: whole files at full speed, and damaged or huge ones byte by byte up to the damage.
//!
//! Whole files go through libdeflate, which is 1.8 times as fast as streaming and gives nothing for a
//! damaged file; [`GzipReader`] streams and gives every byte before the damage. Must not know JSON.

use crate::report::Damage;
use flate2::{Decompress, FlushDecompress, Status};
use libdeflater::{Crc, Decompressor};
use memchr::memmem;
use std::io::{self, Read};

/// The first bytes of a gzip member that uses deflate.
pub(crate) const MAGIC: [u8; 3] = [0x1f, 0x8b, 0x08];
/// Deflate cannot expand more than this many times.
const MOST: usize = 1032;
/// A header and a trailer without anything between.
const SMALLEST: usize = 18;
/// How often the bytes of [`MAGIC`] inside a member may mislead before the file is streamed instead.
const FALSE_STARTS: u32 = 16;

/// Unpacks a sound gzip file of any number of members into `out` and returns how many bytes of it
/// are filled. `None` means "not sure, or too large": stream it.
pub(crate) fn whole(
    inflater: &mut Decompressor,
    packed: &[u8],
    out: &mut Vec<u8>,
    limit: usize,
) -> Option<usize> {
    let mut written = 0;
    let mut rest = packed;
    while !rest.is_empty() {
        let (size, used) = member(
            inflater,
            rest,
            &mut Room {
                out,
                written,
                limit,
            },
        )?;
        written += size;
        rest = rest.get(used..)?;
    }
    Some(written)
}

/// Where the next member goes.
struct Room<'a> {
    out: &'a mut Vec<u8>,
    written: usize,
    limit: usize,
}

impl Room<'_> {
    fn slice(&mut self, size: usize) -> Option<&mut [u8]> {
        let end = self
            .written
            .checked_add(size)
            .filter(|end| *end <= self.limit)?;
        if self.out.len() < end {
            self.out.resize(end, 0);
        }
        self.out.get_mut(self.written..end)
    }
}

/// Unpacks the member at the start of `rest`; returns its size and how many packed bytes it took.
///
/// libdeflate does not say where a member ends. It ends where the next begins or where the file ends,
/// and its trailer stands right before that place.
fn member(inflater: &mut Decompressor, rest: &[u8], room: &mut Room<'_>) -> Option<(usize, usize)> {
    let mut tries = FALSE_STARTS;
    let starts = memmem::find_iter(rest, &MAGIC).filter(|&at| at >= SMALLEST);
    for end in starts.chain([rest.len()]) {
        let part = rest.get(..end)?;
        let (crc, size) = trailer(part)?;
        if size <= part.len().saturating_mul(MOST) {
            let space = room.slice(size)?;
            let sound = inflater
                .gzip_decompress(part, space)
                .is_ok_and(|unpacked| unpacked == size);
            if sound && (end == rest.len() || libdeflater::crc32(space) == crc) {
                return Some((size, end));
            }
        }
        tries = tries.checked_sub(1)?;
    }
    None
}

/// Checksum and size at the end of a member.
fn trailer(part: &[u8]) -> Option<(u32, usize)> {
    let (_, size) = part.split_last_chunk::<4>()?;
    let (_, both) = part.split_last_chunk::<8>()?;
    let crc = both.first_chunk::<4>()?;
    Some((
        u32::from_le_bytes(*crc),
        usize::try_from(u32::from_le_bytes(*size)).ok()?,
    ))
}

/// Streams the members of a gzip file. After the last sound byte it fails with the [`Damage`].
pub(crate) struct GzipReader<R> {
    input: Input<R>,
    inflate: Decompress,
    crc: Crc,
    state: State,
    members: u64,
    damage: Option<Damage>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Header,
    Body,
    Trailer,
    Done,
}

impl<R: Read> GzipReader<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self {
            input: Input::new(inner),
            inflate: Decompress::new(false),
            crc: Crc::new(),
            state: State::Header,
            members: 0,
            damage: None,
        }
    }

    fn header(&mut self) -> io::Result<()> {
        if self.members > 0 && !self.at_next_member()? {
            self.state = State::Done;
            return Ok(());
        }
        let magic = [self.input.byte()?, self.input.byte()?, self.input.byte()?];
        if magic != MAGIC {
            let damage = if self.members > 0 {
                Damage::TrailingBytes
            } else {
                Damage::PackedCorrupt
            };
            return Err(io::Error::other(damage));
        }
        let flags = self.input.byte()?;
        self.input.skip(6)?;
        if flags & 4 != 0 {
            let length = u16::from_le_bytes([self.input.byte()?, self.input.byte()?]);
            self.input.skip(length.into())?;
        }
        for text in [8, 16] {
            if flags & text != 0 {
                while self.input.byte()? != 0 {}
            }
        }
        if flags & 2 != 0 {
            self.input.skip(2)?;
        }
        self.inflate.reset(false);
        self.crc = Crc::new();
        self.state = State::Body;
        Ok(())
    }

    /// Skips the zeros that tapes and some tools pad with; `false` at the end of the file.
    fn at_next_member(&mut self) -> io::Result<bool> {
        loop {
            match self.input.peek()? {
                None => return Ok(false),
                Some(0) => self.input.consume(1),
                Some(_) => return Ok(true),
            }
        }
    }

    fn body(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let more = self.input.peek()?.is_some();
            let (before_in, before_out) = (self.inflate.total_in(), self.inflate.total_out());
            let status = self
                .inflate
                .decompress(self.input.buffered(), out, FlushDecompress::None);
            let used = length(self.inflate.total_in() - before_in);
            let size = length(self.inflate.total_out() - before_out);
            self.input.consume(used);
            self.crc.update(out.get(..size).unwrap_or_default());
            match status {
                Ok(Status::StreamEnd) => self.state = State::Trailer,
                Ok(Status::Ok | Status::BufError) if size == 0 && used == 0 && !more => {
                    self.fail(Damage::PackedTruncated)
                }
                Ok(Status::Ok | Status::BufError) if size == 0 && used == 0 => {
                    self.fail(Damage::PackedCorrupt)
                }
                Ok(Status::Ok | Status::BufError) => {}
                Err(_) => self.fail(Damage::PackedCorrupt),
            }
            if size > 0 || self.state != State::Body {
                return Ok(size);
            }
        }
    }

    fn trailer(&mut self) -> io::Result<()> {
        let mut field = || -> io::Result<u32> {
            Ok(u32::from_le_bytes([
                self.input.byte()?,
                self.input.byte()?,
                self.input.byte()?,
                self.input.byte()?,
            ]))
        };
        let (crc, size) = (field()?, field()?);
        let unpacked = self.inflate.total_out() & u64::from(u32::MAX);
        if crc != self.crc.sum() || u64::from(size) != unpacked {
            // The bytes are out already, and the next member may be sound.
            self.damage.get_or_insert(Damage::BadChecksum);
        }
        self.members += 1;
        self.state = State::Header;
        Ok(())
    }

    fn fail(&mut self, damage: Damage) {
        self.damage.get_or_insert(damage);
        self.state = State::Done;
    }
}

impl<R: Read> Read for GzipReader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            match self.state {
                State::Header => self.header()?,
                State::Trailer => self.trailer()?,
                State::Body => {
                    let size = self.body(out)?;
                    if size > 0 {
                        return Ok(size);
                    }
                }
                State::Done => {
                    return self
                        .damage
                        .take()
                        .map_or(Ok(0), |damage| Err(io::Error::other(damage)));
                }
            }
        }
    }
}

/// A count that fits, because it counts bytes of one buffer.
fn length(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// Buffered packed bytes, whose end inside a structure is damage.
pub(crate) struct Input<R> {
    inner: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl<R: Read> Input<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self {
            inner,
            buffer: vec![0; 256 << 10],
            start: 0,
            end: 0,
        }
    }

    pub(crate) fn buffered(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    pub(crate) fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
    }

    /// Reads until `wanted` bytes are buffered or the input ends.
    pub(crate) fn fill(&mut self, wanted: usize) -> io::Result<()> {
        if self.start > 0 && self.buffer.len() - self.start < wanted {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        while self.end - self.start < wanted.min(self.buffer.len() - self.start) {
            let space = self.buffer.get_mut(self.end..).unwrap_or_default();
            match self.inner.read(space) {
                Ok(0) => break,
                Ok(count) => self.end += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The next byte, not consumed; `None` at the end.
    pub(crate) fn peek(&mut self) -> io::Result<Option<u8>> {
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
            self.fill(1)?;
        }
        Ok(self.buffered().first().copied())
    }

    fn byte(&mut self) -> io::Result<u8> {
        let byte = self
            .peek()?
            .ok_or_else(|| io::Error::other(Damage::PackedTruncated))?;
        self.consume(1);
        Ok(byte)
    }

    fn skip(&mut self, count: usize) -> io::Result<()> {
        (0..count).try_for_each(|_| self.byte().map(|_| ()))
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

    /// Text that does not pack into one block.
    fn text(lines: u32) -> Vec<u8> {
        (0..lines)
            .flat_map(|i| format!("{i} {:x}\n", i.wrapping_mul(2_654_435_761)).into_bytes())
            .collect()
    }

    fn stream(packed: &[u8]) -> (Vec<u8>, Option<Damage>) {
        let mut reader = GzipReader::new(packed);
        let mut out = Vec::new();
        let error = reader.read_to_end(&mut out).err();
        (
            out,
            error.map(|e| {
                *e.get_ref()
                    .and_then(|e| e.downcast_ref::<Damage>())
                    .expect("a damage")
            }),
        )
    }

    fn at_once(packed: &[u8]) -> Option<Vec<u8>> {
        let mut out = vec![7; 3];
        let size = whole(&mut Decompressor::new(), packed, &mut out, 1 << 20)?;
        Some(out[..size].to_vec())
    }

    #[test]
    fn one_member_and_many() {
        let (a, b) = (text(5000), text(100));
        let one = gzip(&a);
        assert_eq!(at_once(&one).as_ref(), Some(&a));
        assert_eq!(stream(&one), (a.clone(), None));
        let many = [gzip(&a), gzip(&b), gzip(b""), gzip(&b), gzip(&b)].concat();
        let all = [&a[..], &b, &b, &b].concat();
        assert_eq!(at_once(&many), Some(all.clone()));
        assert_eq!(stream(&many), (all, None));
    }

    #[test]
    fn a_cut_gives_all_before_it() {
        let a = text(20_000);
        let packed = gzip(&a);
        let cut = &packed[..packed.len() / 2];
        assert_eq!(at_once(cut), None);
        let (out, damage) = stream(cut);
        assert_eq!(damage, Some(Damage::PackedTruncated));
        assert!(
            out.len() > a.len() / 3 && a.starts_with(&out),
            "{}",
            out.len()
        );
        let (out, damage) = stream(&packed[..packed.len() - 3]);
        assert_eq!((out, damage), (a, Some(Damage::PackedTruncated)));
    }

    #[test]
    fn corruption_gives_all_before_it() {
        let a = text(20_000);
        let packed = gzip(&a);
        let mut broken = packed.clone();
        let middle = broken.len() / 2;
        broken[middle..middle + 64].fill(0xff);
        assert_eq!(at_once(&broken), None);
        let (out, damage) = stream(&broken);
        assert!(damage.is_some());
        let same = out.iter().zip(&a).take_while(|(x, y)| x == y).count();
        assert!(same > a.len() / 3, "{same}");
    }

    #[test]
    fn checksum_and_trailing_bytes() {
        let a = text(100);
        let mut packed = gzip(&a);
        let crc = packed.len() - 8;
        packed[crc] ^= 1;
        assert_eq!(at_once(&packed), None);
        assert_eq!(stream(&packed), (a.clone(), Some(Damage::BadChecksum)));
        let garbage = [gzip(&a), b"rubbish".to_vec()].concat();
        assert_eq!(at_once(&garbage), None);
        assert_eq!(stream(&garbage), (a.clone(), Some(Damage::TrailingBytes)));
        let padded = [gzip(&a), vec![0; 512]].concat();
        assert_eq!(stream(&padded), (a, None));
    }

    #[test]
    fn a_bad_checksum_does_not_hide_the_next_member() {
        let (a, b) = (text(100), text(50));
        let mut first = gzip(&a);
        let crc = first.len() - 8;
        first[crc] ^= 1;
        let packed = [first, gzip(&b)].concat();
        assert_eq!(
            stream(&packed),
            ([a, b].concat(), Some(Damage::BadChecksum))
        );
    }

    #[test]
    fn the_limit_is_kept() {
        let zeros = gzip(&vec![0; 4 << 20]);
        assert_eq!(at_once(&zeros), None);
    }
}
