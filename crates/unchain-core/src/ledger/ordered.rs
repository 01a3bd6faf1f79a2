//! Rows in the order of a few of their numbers, without moving the rows: one word a row, so that sorting
//! compares without branches and touches nothing else.

/// How many bits of a number words are dealt by at once.
const DIGIT: u32 = 11;
/// A heap for each value of a digit.
const HEAPS: usize = 1 << DIGIT;
/// Where the first number begins in a word.
const FIRST: u32 = 96;

/// A word for each row: its three numbers, then its place. Ascending.
pub(super) fn ordered(rows: impl Iterator<Item = [u32; 3]>) -> Vec<u128> {
    let word = |([a, b, c], place): ([u32; 3], u32)| {
        [a, b, c, place]
            .iter()
            .fold(0u128, |word, &part| word << 32 | u128::from(part))
    };
    let mut words: Vec<u128> = rows.zip(0u32..).map(word).collect();
    if words.len() < HEAPS {
        words.sort_unstable();
        return words;
    }
    dealt(words)
}

/// The words in order. They are dealt by the digits of their first numbers, the lowest first, and what has one first
/// number is sorted: two passes over all words in place of ten levels of sorting.
fn dealt(mut words: Vec<u128>) -> Vec<u128> {
    let ends = (0, u128::MAX);
    let (any, all) = words
        .iter()
        .fold(ends, |(any, all), word| (any | word, all & word));
    // Higher digits are the same in all.
    let differ = u128::BITS - (any ^ all).leading_zeros();
    let mut other = vec![0; words.len()];
    let mut shift = FIRST;
    while shift < differ {
        deal(&words, &mut other, shift);
        std::mem::swap(&mut words, &mut other);
        shift += DIGIT;
    }
    for alike in words.chunk_by_mut(|a, b| a >> FIRST == b >> FIRST) {
        alike.sort_unstable();
    }
    words
}

/// Puts words in the order of one digit; those with the same digit stay in theirs.
fn deal(words: &[u128], order: &mut [u128], shift: u32) {
    let heap = |word: &u128| usize::try_from(word >> shift).unwrap_or_default() % HEAPS;
    let mut ends = [0usize; HEAPS];
    for word in words {
        if let Some(size) = ends.get_mut(heap(word)) {
            *size += 1;
        }
    }
    let mut start = 0;
    for end in &mut ends {
        (*end, start) = (start, start + *end);
    }
    for word in words {
        if let Some(end) = ends.get_mut(heap(word))
            && let Some(slot) = order.get_mut(*end)
        {
            *slot = *word;
            *end += 1;
        }
    }
}

/// The words of rows with equal numbers, together.
pub(super) fn alike(order: &[u128]) -> impl Iterator<Item = &[u128]> {
    order.chunk_by(|a, b| a >> 32 == b >> 32)
}

/// Where the rows are that words stand for.
pub(super) fn places(words: &[u128]) -> impl Iterator<Item = usize> {
    let place = |word: &u128| usize::try_from(word & u128::from(u32::MAX)).unwrap_or(usize::MAX);
    words.iter().map(place)
}

/// The rows that words stand for.
pub(super) fn rows_of<'r, T>(words: &[u128], rows: &'r [T]) -> impl Iterator<Item = &'r T> {
    places(words).filter_map(|place| rows.get(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scatters numbers.
    fn spread(n: u32) -> u32 {
        n.wrapping_mul(0x9e37_79b9)
    }

    #[test]
    fn dealing_sorts() {
        let few: fn(u32) -> [u32; 3] = |n| [spread(n) % 9, spread(n) % 5, n % 3];
        let many: fn(u32) -> [u32; 3] = |n| [spread(n), spread(n) >> 7, 1];
        let one: fn(u32) -> [u32; 3] = |_| [0, 0, 7];
        let late: fn(u32) -> [u32; 3] = |n| [u32::MAX - (spread(n) >> 12), 3, 2];
        let count = u32::try_from(4 * HEAPS).expect("few");
        let rows: Vec<u32> = (0..count).collect();
        for numbers in [few, many, one, late] {
            let order = ordered(rows.iter().map(|&n| numbers(n)));
            let mut expected = rows.clone();
            expected.sort_by_key(|&n| (numbers(n), n));
            assert!(rows_of(&order, &rows).eq(&expected));
        }
    }
}
