//! How much one file may cost. Every bound that protects against a hostile file is here.

/// The bounds within which a file is read. The defaults suit real trails: AWS caps a log file at
/// 50 MB unpacked and a record at 1 MB.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// A packed file may always unpack to this many bytes (4 GiB).
    pub unpacked: u64,
    /// Beyond [`Limits::unpacked`] it may unpack to this many times its packed size (64), so that a
    /// month of logs in one honest file is read to its end. Real trails pack 6 to 20 times.
    pub unpacked_times: u64,
    /// A file that unpacks to more than this many times its packed size (400) is a bomb. One record
    /// of 300 bytes repeated for ever packs at most 260 times under deflate; zeros pack 1,030 times.
    pub bomb_times: u64,
    /// Up to this many unpacked bytes (64 MiB) no file is called a bomb.
    pub bomb_floor: u64,
    /// A larger record (64 MiB) is refused.
    pub record: usize,
    /// A file up to this many bytes, packed and unpacked (64 MiB), is held in memory whole; a larger
    /// one passes through a window, which is slower and takes memory only for its largest record.
    pub whole: usize,
    /// The size of that window at first (1 MiB).
    pub window: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            unpacked: 4 << 30,
            unpacked_times: 64,
            bomb_times: 400,
            bomb_floor: 64 << 20,
            record: 64 << 20,
            whole: 64 << 20,
            window: 1 << 20,
        }
    }
}

impl Limits {
    /// Whether `unpacked` bytes out of `packed` are too many.
    pub(crate) fn exceeded(&self, packed: u64, unpacked: u64) -> bool {
        let honest = self
            .unpacked
            .max(packed.saturating_mul(self.unpacked_times));
        let bomb = unpacked > self.bomb_floor && unpacked > packed.saturating_mul(self.bomb_times);
        unpacked > honest || bomb
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn honest_files_pass_and_bombs_stop() {
        let limits = Limits::default();
        assert!(
            !limits.exceeded(4 << 30, 40 << 30),
            "40 GB packed ten times"
        );
        assert!(
            !limits.exceeded(1000, 60 << 20),
            "small output is never a bomb"
        );
        assert!(limits.exceeded(1 << 20, 1 << 30), "packed a thousand times");
        assert!(
            limits.exceeded(50 << 20, 5 << 30),
            "over 4 GiB at a hundred times"
        );
    }
}
