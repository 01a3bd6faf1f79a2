//! The floor of the bench: the same files, read and decompressed by libdeflate on one thread, and
//! nothing else.
//!
//! It runs as a process of its own (`cargo xtask inflate DIR`), so that its CPU time is measured as
//! the program's is. Knows nothing of what is in the files.

use anyhow::{Context, Result, bail};
use libdeflater::{DecompressionError, Decompressor};
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

/// Decompresses every file under `folder` and prints how much there was.
pub(crate) fn run(folder: &Path, out: &mut dyn Write) -> Result<()> {
    let mut buffers = Buffers::new();
    let (mut files, mut compressed, mut plain) = (0u64, 0u64, 0u64);
    for path in crate::files(folder)? {
        buffers.input.clear();
        let read = File::open(&path).and_then(|mut file| file.read_to_end(&mut buffers.input));
        read.with_context(|| format!("cannot read `{}`", path.display()))?;
        compressed += u64::try_from(buffers.input.len())?;
        let length = buffers
            .inflate()
            .with_context(|| format!("in `{}`", path.display()))?;
        plain += u64::try_from(length)?;
        files += 1;
    }
    writeln!(
        out,
        "{}",
        serde_json::json!({ "files": files, "compressed": compressed, "plain": plain })
    )?;
    Ok(())
}

/// Reused from file to file, as the program's are: allocation is no part of the floor.
struct Buffers {
    input: Vec<u8>,
    output: Vec<u8>,
    decompressor: Decompressor,
}

/// A file that would be larger than this is not a log file.
const LARGEST: usize = 4 << 30;

impl Buffers {
    fn new() -> Self {
        Self {
            input: Vec::new(),
            output: Vec::new(),
            decompressor: Decompressor::new(),
        }
    }

    /// Decompresses the input, if it is gzip, and returns the length of what came out.
    fn inflate(&mut self) -> Result<usize> {
        let [0x1f, 0x8b, .., a, b, c, d] = self.input.as_slice() else {
            return Ok(self.input.len());
        };
        // The last four bytes of a gzip member are its length, modulo 2^32.
        let stated = usize::try_from(u32::from_le_bytes([*a, *b, *c, *d]))?;
        if self.output.len() < stated {
            self.output.resize(stated.min(LARGEST), 0);
        }
        loop {
            match self
                .decompressor
                .gzip_decompress(&self.input, &mut self.output)
            {
                // Only the first member was read, and the floor would be too low.
                Ok(length) if length % (1 << 32) != stated => bail!("more than one gzip member"),
                Ok(length) => return Ok(length),
                Err(DecompressionError::InsufficientSpace) if self.output.len() < LARGEST => {
                    self.output.resize((self.output.len() * 2).max(1 << 16), 0);
                }
                Err(error) => bail!("cannot decompress: {error}"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn inflate(buffers: &mut Buffers, input: Vec<u8>) -> Option<usize> {
        buffers.input = input;
        buffers.inflate().ok()
    }

    #[test]
    fn buffers_serve_files_of_any_size_and_kind() {
        let mut buffers = Buffers::new();
        assert_eq!(inflate(&mut buffers, gzip(&[b'x'; 100_000])), Some(100_000));
        assert_eq!(inflate(&mut buffers, gzip(b"abc")), Some(3));
        assert_eq!(inflate(&mut buffers, b"{}".to_vec()), Some(2));
        assert_eq!(inflate(&mut buffers, Vec::new()), Some(0));
    }

    #[test]
    fn a_second_member_is_not_passed_over() {
        assert_eq!(
            inflate(&mut Buffers::new(), [gzip(b"abc"), gzip(b"defgh")].concat()),
            None
        );
    }

    #[test]
    fn a_length_that_lies_is_not_believed() {
        let mut file = gzip(&[b'x'; 100_000]);
        let end = file.len() - 4;
        file[end..].copy_from_slice(&7u32.to_le_bytes());
        assert_eq!(inflate(&mut Buffers::new(), file), None);
    }
}
