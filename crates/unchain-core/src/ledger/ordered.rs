//! Rows in the order of a few of their numbers, without moving the rows: one word a row, so that sorting
//! compares without branches and touches nothing else.

/// How many heaps words are dealt to; a power of two. Each is then small enough to be sorted in near memory.
const HEAPS: usize = 2048;

/// A word for each row: its three numbers, then its place. Ascending.
pub(super) fn ordered(rows: impl Iterator<Item = [u32; 3]>) -> Vec<u128> {
    let word = |([a, b, c], place): ([u32; 3], u32)| {
        [a, b, c, place]
            .iter()
            .fold(0u128, |word, &part| word << 32 | u128::from(part))
    };
    let words: Vec<u128> = rows.zip(0u32..).map(word).collect();
    if words.len() < HEAPS {
        let mut order = words;
        order.sort_unstable();
        return order;
    }
    dealt(&words)
}

/// The words in order. They are dealt to heaps by the highest bits in which they differ, which costs two passes in
/// place of eleven levels of sorting. Times of one month have a third of their bits in common.
fn dealt(words: &[u128]) -> Vec<u128> {
    let ends = (0, u128::MAX);
    let (any, all) = words
        .iter()
        .fold(ends, |(any, all), word| (any | word, all & word));
    let differ = u128::BITS - (any ^ all).leading_zeros();
    let shift = differ.saturating_sub(HEAPS.ilog2());
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
    let mut order = vec![0; words.len()];
    for word in words {
        if let Some(end) = ends.get_mut(heap(word))
            && let Some(slot) = order.get_mut(*end)
        {
            *slot = *word;
            *end += 1;
        }
    }
    let mut rest = order.as_mut_slice();
    let mut start = 0;
    for end in ends {
        let Some((one, others)) = rest.split_at_mut_checked(end - start) else {
            break;
        };
        one.sort_unstable();
        (rest, start) = (others, end);
    }
    order
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
