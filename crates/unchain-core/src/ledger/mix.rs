//! A small hash for fixed-size keys made of the ledger's own numbers. The seed is the ledger's.

/// Folds numbers into a hash by 128-bit multiplication.
#[inline]
pub(super) fn mix(seed: u64, words: &[u64]) -> u64 {
    words
        .iter()
        .fold(seed ^ 0x9e37_79b9_7f4a_7c15, |hash, &word| {
            fold(hash ^ word, 0xa076_1d64_78bd_642f)
        })
}

#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    let low = u64::try_from(product & u128::from(u64::MAX)).unwrap_or_default();
    let high = u64::try_from(product >> 64).unwrap_or_default();
    low ^ high
}

/// The half of a hash that tables keep, so that growing one does not visit every row.
#[inline]
pub(super) fn half(hash: u64) -> u32 {
    u32::try_from(hash >> 32).unwrap_or_default()
}

/// A table wants its hash spread over 64 bits; the half that is kept says as much.
#[inline]
pub(super) fn spread(half: u32) -> u64 {
    u64::from(half).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
