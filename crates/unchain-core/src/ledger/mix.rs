//! Hashes under the ledger's seed: of texts, and of fixed-size keys made of the ledger's own numbers.

use xxhash_rust::xxh3::xxh3_128_with_secret;

/// A secret that keys hashes of texts. Equal hashes are taken for equal texts: whoever writes a log
/// cannot know the secret, and by chance that errs less often than the machine does.
#[derive(Clone, Debug)]
pub(super) struct Keys([u8; 192]);

impl Keys {
    pub(super) fn new(seed: u64) -> Self {
        let mut state = seed;
        let mut secret = [0; 192];
        for chunk in secret.chunks_exact_mut(8) {
            // Like SplitMix64: every seed gives well-spread words.
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let word = fold(state, 0xbf58_476d_1ce4_e5b9);
            chunk.copy_from_slice(&fold(word ^ seed, 0x94d0_49bb_1331_11eb).to_le_bytes());
        }
        Self(secret)
    }

    #[inline]
    pub(super) fn hash(&self, text: &str) -> u128 {
        // Many members are not given: the most frequent text.
        if text.is_empty() {
            return 0;
        }
        xxh3_128_with_secret(text.as_bytes(), &self.0)
    }
}

/// One hash of several texts' hashes, in which each has its own place.
#[inline]
pub(super) fn join<const N: usize>(hashes: [u128; N]) -> u128 {
    hashes.iter().fold(0, |sum: u128, hash| {
        sum.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
            .wrapping_add(*hash)
    })
}

/// Folds numbers into a hash by 128-bit multiplication, twice from different beginnings, so that equal
/// hashes can be taken for equal numbers.
#[inline]
pub(super) fn mix(seed: u64, words: &[u64]) -> u128 {
    let half = |seed: u64| {
        words
            .iter()
            .fold(seed, |hash, &word| fold(hash ^ word, 0xa076_1d64_78bd_642f))
    };
    let [high, low] = [
        seed ^ 0x9e37_79b9_7f4a_7c15,
        seed.rotate_left(32) ^ 0xe703_7ed1_a0b4_28db,
    ];
    u128::from(half(high)) << 64 | u128::from(half(low))
}

#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    let low = u64::try_from(product & u128::from(u64::MAX)).unwrap_or_default();
    let high = u64::try_from(product >> 64).unwrap_or_default();
    low ^ high
}
