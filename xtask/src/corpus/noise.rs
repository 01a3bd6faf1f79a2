//! A stream of numbers that follows from a seed: splitmix64. Quick and the same everywhere; nothing here
//! needs to be secret.

/// The stream.
#[derive(Debug, Clone)]
pub(crate) struct Noise(u64);

impl Noise {
    /// A stream of its own for every purpose.
    pub(crate) fn new(seed: u64, purpose: u64) -> Self {
        let mut noise = Self(seed.wrapping_mul(0xd6e8_feb8_6659_fd93) ^ purpose);
        noise.next();
        noise
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, or 0 when there is none.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.next()) * u128::from(bound);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// A place in a slice of `length`.
    pub(crate) fn place(&mut self, length: usize) -> usize {
        usize::try_from(self.below(u64::try_from(length).unwrap_or(0))).unwrap_or(0)
    }

    /// A place that is rather near the start: some accounts, users and roles are busier than others.
    pub(crate) fn skewed(&mut self, length: usize) -> usize {
        let first = self.place(length);
        let second = self.place(first + 1);
        second.min(length.saturating_sub(1))
    }

    /// A number from 0 to 1, without 1.
    pub(crate) fn share(&mut self) -> f64 {
        let bits = u32::try_from(self.next() >> 32).unwrap_or(0);
        f64::from(bits) / 4_294_967_296.0
    }
}
